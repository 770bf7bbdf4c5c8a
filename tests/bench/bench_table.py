#!/usr/bin/python3
"""One table: Curfew beside (a) the bare statements, (b) the script that people use today, (c) `nft -f`, in one run.

(a) What Curfew changed, statement by statement on one open session, and nothing else: no look, no proof, no record. For the
closing also the connection, because nobody has a session open at the instant. (b) Over one connection, for each person and
database, look and then say the statement that is missing; at go-live change the roles; a text for `nft -f`. It proves
nothing, keeps no record, and nobody runs it at the instant. (c) The elements alone, by bench_firewall.

Ratios below one: Curfew takes less. CPU is Curfew's own processes', not the server's. The practice servers are interpreters
on the same processors, so the round trips say more about a real server than the seconds do.
Usage: bench_table.py [USERS [DATABASES]]
"""

import json
import os
import re
import resource
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))

import lab  # noqa: E402  (the path above makes it importable)
from lab import day, days, local  # noqa: E402
from agent import CURFEW  # noqa: E402
from practice import SA_PASSWORD  # noqa: E402

ROLES = {"full": "script_full", "read-only": "script_read_only"}
STATEMENT = re.compile(r"(USE|ALTER|CREATE|DROP|GRANT|DENY|REVOKE|IF|KILL)\b")   # and not of the packet filter
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


class Measured:
    def __init__(self, seconds, trips, cpu=None):
        self.seconds, self.trips, self.cpu = seconds, trips, cpu


def cpu_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(found, work):
    """CPU: of the processes that ended meanwhile; the practice server is not among them."""
    found.server.counters(reset=True)
    began, cpu = time.monotonic(), cpu_of_children()
    work()
    return Measured(time.monotonic() - began, found.server.counters()["round_trips"], cpu_of_children() - cpu)


def statements_since(found, before):
    """What Curfew announced and did, in order; `before` entries of its history are left out."""
    entries = json.loads(found.agent.curfew("history", "--json").out)
    entries = entries["entries"] if isinstance(entries, dict) else entries
    return len(entries), [e["statement"].replace("********", "Some-Passw0rd-7") for e in entries[before:]
                          if STATEMENT.match(e.get("statement") or "")]


def people_of(users, databases):
    each = max(users // databases, 1)
    return [(f"client{number:02}.user{user}.doe", f"Db{number:02}", f"203.0.{number}.{user + 1}")
            for number in range(databases) for user in range(each)]


def lab_make(databases, users):
    return lab.Lab(servers={"sql01": [f"Db{number:02}" for number in range(databases)]},
                   program={"max_users": max(users // databases, 3)}, limits={"server_deadline": 600})


def configure(found, databases, people, golive):
    for number in range(databases):
        found.agent.client_add(
            f"client{number:02}", databases=[{"role": "staging", "server": "sql01", "name": f"Db{number:02}"}],
            users=[{"first": login.split(".")[1], "last": "Doe", "email": f"{login}@host.example",
                    "sources": [source]} for login, database, source in people if database == f"Db{number:02}"],
            approved_on=day(lab.now() - days(12)), starts=day(lab.now() - days(10)), go_live=local(golive))
    found.agent.write()


def configured(databases, people, golive):
    found = lab_make(databases, len(people))
    configure(found, databases, people, golive)
    found.agent.bootstrap("sql01", found.server)
    return found


def ours(databases, people):
    """Each step measured, and the statements that it was made of."""
    golive = lab.now() + days(20)
    found = configured(databases, people, golive)
    try:
        steps = {"opening": (), "nothing to do": (), "go-live": ("--at", local(golive)),
                 "end": ("--at", local(golive + days(400)))}
        results, statements, before = {}, {}, 0
        for name, at in steps.items():
            results[name] = measured(found, lambda at=at: found.agent.curfew("apply", *at, expect=0, seconds=900))
            before, statements[name] = statements_since(found, before)
        return results, statements
    finally:
        found.close()


def bare(databases, people, statements):
    found = lab_make(databases, len(people))
    try:
        found.agent.write()
        found.agent.bootstrap("sql01", found.server)
        script = Script(found, people)
        return {name: measured(found, lambda said=said: [script.sql(text) for text in said])
                for name, said in statements.items()}
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


def shut_at(server, instant):
    """When the last DISABLE or KILL after the instant was answered."""
    asked, last = {}, None
    for record in server.records():
        key = (record.get("connection"), record.get("number"))
        if record["event"] == "batch" and record["time"] >= instant and record["login"] == "curfew_agent" and \
                re.search(r"\] DISABLE|\bKILL \d", record["text"]):
            asked[key] = True
        elif record["event"] == "answer" and key in asked:
            last = record["time"]
    return last


def closing(databases, people):
    """The service, from the instant to the last login disabled and its session ended; beside it a connection and the bare
    statements. Everybody works at that moment."""
    found = configured(databases, people, lab.now() + days(20))
    try:
        found.agent.curfew("apply", expect=0, seconds=900)
        sessions = []
        for login, database, _ in people:
            found.server.sql(f"ALTER LOGIN [{login}] WITH PASSWORD = N'Some-Passw0rd-7'")
            sessions.append(found.person("box"))
            answer = sessions[-1].login(login, "Some-Passw0rd-7", database)
            if not answer.ok:
                raise SystemExit(f"{login} cannot log in: {answer}")
        instant = lab.now() + lab.seconds(15)
        configure(found, databases, people, instant)
        process = found.agent.space.start(*found.agent.command("run"), stdout=subprocess.DEVNULL,
                                          stderr=subprocess.DEVNULL)
        when = instant.timestamp()
        time.sleep(when + 15 - time.time())
        last = shut_at(found.server, when)
        process.terminate()
        process.wait(60)
        if last is None:
            raise SystemExit("the service closed nothing")
        # The same people again, by hand.
        for login, _, _ in people:
            found.server.sql(f"ALTER LOGIN [{login}] ENABLE")
        again = [found.person("box") for _ in people]
        for person, (login, database, _) in zip(again, people):
            person.login(login, "Some-Passw0rd-7", database)
        began = time.monotonic()
        script = Script(found, people)
        for login, _, _ in people:
            script.sql(f"ALTER LOGIN [{login}] DISABLE;")
        names = ", ".join(f"N'{login}'" for login, _, _ in people)
        for (number,) in script.sql(f"SELECT session_id FROM sys.dm_exec_sessions WHERE original_login_name IN ({names})"):
            script.sql(f"KILL {number};")
        return Measured(last - when, None), Measured(time.monotonic() - began, 2 * len(people) + 1)
    finally:
        found.close()


def firewall():
    """Rows of bench_firewall: elements, ours, and nft's of one set, as a script by hand loads it."""
    program = os.path.join(os.path.dirname(CURFEW), "tests", "bench", "bench_firewall")
    done = subprocess.run([program], text=True, stdout=subprocess.PIPE, check=False)
    return re.findall(r"add +(\d+) elements: observe, commit, read back +([0-9.]+) ms(?:.*\n)+?.*in one set +([0-9.]+) ms",
                      done.stdout)


def cell(m):
    if m is None:
        return "-"
    return f"{m.seconds:.2f} s" + (f" {m.trips:5} trips" if m.trips is not None else "")


def ratio(a, b):
    return f"{a.seconds / b.seconds:.2f}" if b else "-"


def main():
    users = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    databases = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    lab.require()
    people = people_of(users, databases)
    a, statements = ours(databases, people)
    b, c = bare(databases, people, statements), theirs(databases, people)
    a["closing"], b["closing"] = closing(databases, people)
    print(f"{len(people)} users over {databases} databases of one server")
    print(f"{'':<16}{'Curfew':>20}{'its CPU':>10}{'(a) bare':>20}{'ratio':>8}{'(b) script':>20}{'ratio':>8}")
    for name, mine in a.items():
        one, other = b.get(name), c.get(name)
        if one and not one.trips:
            one = None   # nothing was to be said
        cpu = f"{mine.cpu:.2f} s" if mine.cpu is not None else "-"
        print(f"{name:<16}{cell(mine):>20}{cpu:>10}{cell(one):>20}{ratio(mine, one):>8}{cell(other):>20}"
              f"{ratio(mine, other):>8}")
    print(f"{'':<16}{'Curfew':>20}{'':>10}{'(c) nft -f':>20}{'ratio':>8}")
    for elements, mine, other in firewall():
        print(f"{elements + ' elements':<16}{mine + ' ms':>20}{'':>10}{other + ' ms':>20}{float(mine) / float(other):>8.2f}")


if __name__ == "__main__":
    main()
