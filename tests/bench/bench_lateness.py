#!/usr/bin/python3
"""How late the service is when many clients change at one instant: half go live (read-only), half end (removed).

Beside it, in the same run and on the same servers: as many logins disabled by one batch a server, on a session that is
open, and on one that is opened for it. CPU of the servers and of Curfew's processes is shown apart. The clock is the real one. Network: when elements are gone, by a listing again and again (its own time is part of the
figure). SQL: by the practice servers' records, the answer to the statement that changed the level; all servers are
interpreters on this machine's processors. Usage: bench_lateness.py [CLIENTS [SERVERS]]; default 200 on 5.
"""

import json
import os
import re
import shutil
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))

import lab  # noqa: E402  (the path above makes them importable)
import net  # noqa: E402
from agent import Agent  # noqa: E402
from lab import Person  # noqa: E402
from practice import Certificates, PracticeServer, SA_PASSWORD  # noqa: E402

CLIENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 200
SERVERS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
AHEAD, BOUND = 15 + CLIENTS // 25, 3600   # seconds
SHUT = re.compile(r"\bDISABLE\b")
CHANGED = {"live": re.compile(r"ALTER ROLE .*MEMBER"), "end": re.compile(r"\bDISABLE\b|DROP LOGIN")}


def spread(lateness):
    values = sorted(lateness)
    if not values:
        return "nothing was seen to change"
    at = [values[0], values[len(values) // 2], values[int((len(values) - 1) * 0.99)], values[-1]]
    return f"{len(values)} changes: min {at[0]:.2f}, median {at[1]:.2f}, 99 % {at[2]:.2f}, max {at[3]:.2f} s"


def configure(agent, instant):
    """With an instant: of the even clients the go-live, of the odd ones the end of their testing."""
    for number in range(CLIENTS):
        live = number % 2 == 0
        then = lab.local(instant or lab.now() + lab.days(20))
        agent.client_add(
            f"client{number:04}", approved_on=lab.day(lab.now() - lab.days(12)),
            starts=lab.day(lab.now() - lab.days(10)), go_live=then if live else None,
            testing_until=None if live else then,
            databases=[{"role": "staging", "server": f"sql{number % SERVERS:02}", "name": f"Db{number:04}"}],
            users=[{"first": "Jane", "last": "Doe", "email": f"jane@client{number}.example",
                    "sources": [f"10.0.{number // 250}.{number % 250 + 1}"]}])
    agent.write()


def elements_watch(agent, instant, wanted):
    """{source: when it was gone}, until as many are left as should be."""
    gone, before = {}, {source for source, _, _ in agent.elements()}
    while time.time() < instant + 60:
        now_there = {source for source, _, _ in agent.elements()}
        seen = time.time()
        for source in before - now_there:
            gone[source] = seen
        before = now_there
        if seen > instant and len(before) <= wanted:
            break
    return gone


def seconds_of(pid):
    """On a processor until now, with children that have ended, and those that have not."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        alive = [int(child) for child in file.read().split()]
    total = 0
    for one, ended in [(pid, True)] + [(child, False) for child in alive]:
        try:
            with open(f"/proc/{one}/stat", encoding="ascii") as file:
                total += sum(map(int, file.read().rpartition(")")[2].split()[11:15 if ended else 13]))
        except OSError:
            pass
    return total / os.sysconf("SC_CLK_TCK")


def bare_make(servers):
    """On each server as many logins of nobody as it has clients."""
    for number, server in enumerate(servers):
        server.sql("; ".join(f"CREATE LOGIN [bare{n:04}] WITH PASSWORD = N'Some-Passw0rd-7', CHECK_POLICY = OFF"
                             for n in range(number, CLIENTS, SERVERS)))


def bare_shut(hub, certificates, opened):
    """Seconds until each of them is disabled, all servers at once."""
    took, ready = [], threading.Barrier(SERVERS + 1)

    def one(number):
        person = Person(hub, "127.0.0.1", 1433 + number, certificates.ca, "sql.example")
        if opened:
            person.login("sa", SA_PASSWORD)
        else:
            person.reach()   # its interpreter is there
        logins = [f"bare{n:04}" for n in range(number, CLIENTS, SERVERS)]
        ready.wait()
        began = time.monotonic()
        if not opened:
            person.login("sa", SA_PASSWORD)
        answer = person.sql("; ".join(f"ALTER LOGIN [{login}] DISABLE" for login in logins))
        assert answer.ok, answer
        took.extend([time.monotonic() - began] * len(logins))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(SERVERS)]
    for thread in threads:
        thread.start()
    ready.wait()
    for thread in threads:
        thread.join()
    return took


def sql_changes(servers, instant, change=None):
    """{client: when the statement that changed its level, or `change`, was answered}."""
    found = {}
    for server in servers:
        asked = {}
        for record in server.records():
            key = (record.get("connection"), record.get("number"))
            if record["time"] < instant - 5:
                continue
            if record["event"] in ("batch", "rpc"):
                asked[key] = json.dumps(record)
            elif record["event"] == "answer" and key in asked:
                for number in set(re.findall(r"client(\d{4})\.jane\.doe", asked[key])):
                    if (change or CHANGED["end" if int(number) % 2 else "live"]).search(asked[key]):
                        found.setdefault(number, record["time"])
    return found


def log_read(agent):
    with open(agent.path("service.log"), encoding="utf-8") as file:
        return file.read()


def measure(agent, servers):
    began = time.monotonic()
    agent.curfew("apply", expect=0, seconds=BOUND)
    print(f"provisioned {CLIENTS} clients on {SERVERS} servers in {time.monotonic() - began:.1f} s", flush=True)
    instant = lab.now() + lab.seconds(AHEAD)
    configure(agent, instant)
    with open(agent.path("service.log"), "w", encoding="utf-8") as log:
        process = agent.space.start(*agent.command("run"), stdout=log, stderr=log)
    when = instant.timestamp()
    time.sleep(max(0, when - 3 - time.time()))
    cpu = [sum(seconds_of(server.pid) for server in servers), seconds_of(process.pid)]
    gone = elements_watch(agent, when, (CLIENTS + 1) // 2)
    print(f"network  {spread([seen - when for seen in gone.values()])}", flush=True)
    # The service's own word, and not the records again and again: whoever reads them takes part of the processors.
    while "a scheduled change" not in log_read(agent) and time.time() < when + 240:
        time.sleep(1)
    cpu = [sum(seconds_of(server.pid) for server in servers) - cpu[0], seconds_of(process.pid) - cpu[1]]
    shut = sql_changes(servers, when, SHUT)
    print(f"SQL      shut    {spread([at - when for at in shut.values()])}", flush=True)
    changes = sql_changes(servers, when)
    for kind, rest in (("go-live", 0), ("end", 1)):
        print(f"SQL      {kind:<8}{spread([at - when for n, at in changes.items() if int(n) % 2 == rest])}",
              flush=True)
    print(f"SQL      all     {spread([at - when for at in changes.values()])}", flush=True)
    print(f"seconds on a processor, the whole pass: the servers {cpu[0]:.1f}, Curfew {cpu[1]:.1f}; load "
          f"{os.getloadavg()[0]:.1f}", flush=True)
    process.terminate()
    process.wait(60)
    print("".join("  " + line for line in log_read(agent).splitlines(True) if ".conf:" not in line and ("changes made" in line or line[:3] in ("<2>", "<3>", "<4>")))[:1500])


def main():
    lab.require()
    directory, nets, servers = tempfile.mkdtemp(prefix="curfew-bench-"), net.Net(), []
    try:
        hub = nets.add("box")
        certificates = Certificates(os.path.join(directory, "tls"), "sql.example", "127.0.0.1")
        agent = Agent(hub, os.path.join(directory, "curfew"), firewall={"hooks": ["input"], "log": False},
                      metrics_file=os.path.join(directory, "curfew", "state", "curfew.prom"),
                      limits={"server_deadline": 3600, "connect_timeout": 30, "workers": 20})
        for number in range(SERVERS):
            name = f"sql{number:02}"
            servers.append(PracticeServer(
                hub, os.path.join(directory, name), certificates, name=name, port=1433 + number,
                databases=[f"Db{client:04}" for client in range(number, CLIENTS, SERVERS)]))
            agent.server_add(name, host="127.0.0.1", port=1433 + number, ca=certificates.ca,
                             endpoints=[f"192.0.2.{number + 1}:1433"])
        configure(agent, None)
        for number, server in enumerate(servers):
            agent.bootstrap(f"sql{number:02}", server)
        measure(agent, servers)
        bare_make(servers)
        for name, opened in (("session", True), ("opened", False)):
            print(f"bare     {name} {spread(bare_shut(hub, certificates, opened))}", flush=True)
    finally:
        for server in servers:
            server.stop()
        nets.close()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
