#!/usr/bin/python3
"""From the instant of a narrowing to the last login disabled and its sessions killed, on one server on which one database
is blocked by an open transaction with DDL, another is offline, and the session of a third is in a long rollback.

Beside it, in the same run, the bare statements: one connection as sa that disables as many logins and kills as many
sessions. Times are from the practice server's record, an interpreter, so that only their relation says something.
Usage: bench_narrowing.py [RUNS [CLIENTS]]; default 100 runs, 8 clients.
"""

import os
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))

import lab  # noqa: E402  (the path above makes them importable)
from case import LabCase  # noqa: E402

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
CLIENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 8
ROLLBACK, BLOCKED, OFFLINE = 0, 1, 2   # the clients with a trouble
PASSWORD = "Some-Passw0rd-of-dev"


def login_of(number):
    return f"client{number}.jane.doe"


def spread(values, digits):
    v = sorted(values)
    at = v[0], v[len(v) // 2], v[int((len(v) - 1) * 0.95)], v[-1]
    return "  ".join(f"{name} {value:.{digits}f}" for name, value in zip(("min", "median", "p95", "max"), at))


class Bench:
    def __init__(self):
        self.found = lab.Lab(servers={"sql01": tuple(f"Db{n}" for n in range(CLIENTS))},
                             limits={"server_deadline": 3600})
        self.agent, self.server = self.found.agent, self.found.server
        self.golive = lab.now() + lab.days(20)
        for n in range(CLIENTS):
            self.found.client_add(f"client{n}", [("staging", "sql01", f"Db{n}")], **LabCase.dates(self.golive))
        self.agent.apply(expect=0)
        self.kept = self.agent.path("state-kept")
        shutil.copytree(self.agent.path("state"), self.kept)
        for n in range(CLIENTS):
            self.server.sql(f"ALTER LOGIN [{login_of(n)}] WITH PASSWORD = N'{PASSWORD}'")
            self.server.sql(f"CREATE LOGIN [bare{n}] WITH PASSWORD = N'{PASSWORD}', CHECK_POLICY = OFF")
        self.server.sql(f"CREATE LOGIN [dev] WITH PASSWORD = N'{PASSWORD}', CHECK_POLICY = OFF; "
                        "ALTER SERVER ROLE [sysadmin] ADD MEMBER [dev]")
        self.people, self.results = [], []

    def session(self, login, password, database, *batches):
        person = self.found.person("jane")
        self.people.append(person)
        for answer in (person.login(login, password, database), *map(person.sql, batches)):
            assert answer.ok, f"{login}: {answer}"

    def everybody_in(self):
        for n in range(CLIENTS):
            open_work = ("BEGIN TRANSACTION; UPDATE dbo.Orders SET Customer = N'x'",) if n == ROLLBACK else ()
            if n != OFFLINE:
                self.session(login_of(n), PASSWORD, f"Db{n}", *open_work)
            self.session(f"bare{n}", PASSWORD, "master")
        self.session("dev", PASSWORD, f"Db{BLOCKED}", f"BEGIN TRANSACTION; CREATE TABLE dbo.Held{len(self.results)} (Id int)")
        self.server.sql(f"ALTER DATABASE [Db{OFFLINE}] SET OFFLINE WITH ROLLBACK IMMEDIATE")
        self.server.faults(rollback_milliseconds=60000)

    def agents(self, since):
        """Seconds until the agent's last disable or kill was sent, from `since` and from its first word on the server."""
        sent = [r for r in self.server.records("batch") if r["login"] == "curfew_agent" and r["time"] > since]
        last = max(r["time"] for r in sent if "DISABLE" in r["text"] or "KILL " in r["text"])
        return last - since, last - min(r["time"] for r in sent)

    def bare(self):
        spids = [self.server.sessions_of(f"bare{n}")[0]["spid"] for n in range(CLIENTS)]
        began = time.time()
        self.server.sql("; ".join([f"ALTER LOGIN [bare{n}] DISABLE" for n in range(CLIENTS)]))
        self.server.sql("; ".join([f"KILL {spid}" for spid in spids]))
        return time.time() - began

    def is_shut(self):
        for n in range(CLIENTS):
            assert self.server.login(login_of(n))[1] or n > OFFLINE, f"{login_of(n)} is not shut"
            live = [s for s in self.server.sessions_of(login_of(n)) if n != ROLLBACK]
            assert not live, f"sessions of {login_of(n)}: {live}"

    def back(self):
        """All as it was before the instant."""
        self.server.faults()
        for spid in [s["spid"] for login in ("dev", login_of(ROLLBACK)) for s in self.server.sessions_of(login)]:
            self.server.sql(f"KILL {spid}")
        self.server.sql(f"ALTER DATABASE [Db{OFFLINE}] SET ONLINE")
        for n in range(CLIENTS):
            self.server.sql(f"ALTER LOGIN [bare{n}] ENABLE")
        self.people.clear()
        shutil.rmtree(self.agent.path("state"))
        shutil.copytree(self.kept, self.agent.path("state"))
        for _ in range(3):
            if self.agent.curfew("apply").code == 0:
                return
        raise AssertionError("nobody is let in again")

    def run(self):
        self.everybody_in()
        bare = self.bare()
        began = time.time()
        self.agent.curfew("apply", "--at", lab.local(self.golive + lab.seconds(1)))
        whole = time.time() - began
        closed, spoken = self.agents(began)
        self.is_shut()
        self.back()
        self.results.append((closed, spoken, bare, whole))


def report(results):
    closed, spoken, bare, whole = zip(*results)
    print(f"narrowing of {CLIENTS} clients, {len(results)} runs, seconds")
    print(f"last login disabled and killed  {spread(closed, 3)}   from the start of the command")
    print(f"                                {spread(spoken, 3)}   from the first statement on the server")
    print(f"bare statements                 {spread(bare, 3)}")
    print(f"ratio                           {spread([a / b for a, b in zip(spoken, bare)], 1)}   of the last two")
    print(f"the whole pass                  {spread(whole, 1)}")


def main():
    lab.require()
    bench = Bench()
    try:
        for _ in range(RUNS):
            bench.run()
    finally:
        bench.found.close()
        if bench.results:
            report(bench.results)


if __name__ == "__main__":
    main()
