#!/usr/bin/python3
"""Curfew beside the script that it replaces, each over a practice server of its own, in one run.

The script is what one finds today: over one connection, for each person and database, look and then say the statement
that is missing; at go-live change the roles; a text for `nft -f` for the addresses. It proves nothing, keeps no record,
and nobody runs it at the instant. Ratios below one: Curfew takes less. The practice servers are interpreters, so the
round trips say more about a real server than the seconds do. Usage: bench_script.py [USERS [DATABASES]]
"""

import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))

import lab  # noqa: E402  (the path above makes it importable)
from lab import day, days, local  # noqa: E402
from practice import SA_PASSWORD  # noqa: E402

ROLES = {"full": "script_full", "read-only": "script_read_only"}
TERMS = {"script_full": "SELECT, INSERT, UPDATE, DELETE, EXECUTE", "script_read_only": "SELECT"}


class Script:
    """The loop over people and databases."""

    def __init__(self, found, people):
        self.found, self.people = found, people
        self.session = found.person("box")
        answer = self.session.login("sa", SA_PASSWORD)
        if not answer.ok:
            raise SystemExit(f"the script cannot log in: {answer}")

    def sql(self, text):
        answer = self.session.sql(text, timeout=60)
        if not answer.ok:
            raise SystemExit(f"{text}: {answer}")
        return answer.rows

    def roles(self, databases):
        for database in databases:
            self.sql(f"USE [{database}];")
            for role, terms in TERMS.items():
                self.sql(f"CREATE ROLE [{role}];")
                self.sql(f"GRANT {terms} TO [{role}];")

    def run(self, level):
        for login, database, _ in self.people:
            if not self.sql(f"SELECT 1 FROM sys.server_principals WHERE name = N'{login}'"):
                self.sql(f"CREATE LOGIN [{login}] WITH PASSWORD = N'One-time-Passw0rd', CHECK_POLICY = ON;")
            self.sql(f"USE [{database}];")
            if not self.sql(f"SELECT 1 FROM sys.database_principals WHERE name = N'{login}'"):
                self.sql(f"CREATE USER [{login}] FOR LOGIN [{login}];")
            held = {row[0] for row in self.sql(
                "SELECT r.name FROM sys.database_role_members AS m "
                "JOIN sys.database_principals AS r ON r.principal_id = m.role_principal_id "
                f"JOIN sys.database_principals AS u ON u.principal_id = m.member_principal_id WHERE u.name = N'{login}'")}
            for role in held - {ROLES[level]}:
                self.sql(f"ALTER ROLE [{role}] DROP MEMBER [{login}];")
            if ROLES[level] not in held:
                self.sql(f"ALTER ROLE [{ROLES[level]}] ADD MEMBER [{login}];")
        elements = ", ".join(sorted({f"{source} . {lab.PUBLIC[0]} . {lab.PORT}" for *_, source in self.people}))
        path = self.found.path("script.nft")
        with open(path, "w", encoding="utf-8") as file:
            file.write("add table inet script; flush table inet script; add set inet script allow "
                       "{ type ipv4_addr . ipv4_addr . inet_service; }\n"
                       f"add element inet script allow {{ {elements} }}\n")
        self.found.hub.run("nft", "-f", path)


def measured(found, work):
    found.server.counters(reset=True)
    began = time.monotonic()
    work()
    return time.monotonic() - began, found.server.counters()["round_trips"]


def people_of(users, databases):
    each = max(users // databases, 1)
    return [(f"client{number:02}.user{user}.doe", f"Db{number:02}", f"203.0.{number}.{user + 1}")
            for number in range(databases) for user in range(each)]


def lab_make(databases, users):
    return lab.Lab(servers={"sql01": [f"Db{number:02}" for number in range(databases)]},
                   program={"max_users": max(users // databases, 3)}, limits={"server_deadline": 600})


def ours(databases, people):
    found = lab_make(databases, len(people))
    golive = lab.now() + days(20)
    try:
        for number in range(databases):
            found.agent.client_add(
                f"client{number:02}", databases=[{"role": "staging", "server": "sql01", "name": f"Db{number:02}"}],
                users=[{"first": login.split(".")[1], "last": "Doe", "email": f"{login}@host.example",
                        "sources": [source]} for login, database, source in people if database == f"Db{number:02}"],
                approved_on=day(lab.now() - days(12)), starts=day(lab.now() - days(10)), go_live=local(golive))
        found.agent.write()
        found.agent.bootstrap("sql01", found.server)
        steps = {"opening": (), "nothing to do": (), "go-live": ("--at", local(golive))}
        return {name: measured(found, lambda at=at: found.agent.curfew("apply", *at, expect=0, seconds=900))
                for name, at in steps.items()}
    finally:
        found.close()


def theirs(databases, people):
    found = lab_make(databases, len(people))
    try:
        script = Script(found, people)
        script.roles(f"Db{number:02}" for number in range(databases))
        steps = {"opening": "full", "nothing to do": "full", "go-live": "read-only"}
        return {name: measured(found, lambda level=level: script.run(level)) for name, level in steps.items()}
    finally:
        found.close()


def main():
    users = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    databases = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    lab.require()
    people = people_of(users, databases)
    a, b = ours(databases, people), theirs(databases, people)
    print(f"{len(people)} users over {databases} databases of one server")
    print(f"{'':<16}{'Curfew':>20}{'script':>20}{'ratio of seconds':>20}{'of round trips':>18}")
    for name, (seconds, trips) in a.items():
        other, others = b[name]
        print(f"{name:<16}{f'{seconds:.2f} s {trips:5} trips':>20}{f'{other:.2f} s {others:5} trips':>20}"
              f"{seconds / other:>20.2f}{trips / others:>18.3f}")


if __name__ == "__main__":
    main()
