#!/usr/bin/python3
"""Memory and time with 30,000 users: check, schedule, the pass before the network comes up, and the service at work.

One of the servers is a practice server with up to 90 of the users; nothing listens where the others should be, so the
engine carries all users and their elements, and no interpreter is measured instead. Usage: bench_memory.py [USERS]
"""

import os
import shutil
import sqlite3
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))

import lab  # noqa: E402  (the path above makes them importable)
import net  # noqa: E402
from agent import Agent  # noqa: E402
from practice import Certificates, PracticeServer  # noqa: E402

USERS = int(sys.argv[1]) if len(sys.argv) > 1 else 30000
EACH, SERVERS, PRESENT = 3, 20, 30  # users a client, servers, clients on the one server that is there
FIELDS = ("VmHWM", "VmRSS", "RssAnon")
TICKS = os.sysconf("SC_CLK_TCK")
BOUND_SECONDS = 180


def memory(pid):
    """Of /proc/PID/status in kB, and its seconds on a processor; None when the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            ticks = sum(map(int, file.read().rpartition(")")[2].split()[11:13]))
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        return {"cpu": ticks / TICKS,
                **{field: int(lines[field].split()[0]) for field in FIELDS if field in lines}}
    except (OSError, KeyError):
        return None


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def seconds_of_all(pid):
    """On a processor until now: the service, its processes, and those that have ended."""
    ticks = 0
    for one in (pid, *children(pid)):
        with open(f"/proc/{one}/stat", encoding="ascii") as file:
            ticks += sum(map(int, file.read().rpartition(")")[2].split()[11:15]))
    return ticks / TICKS


def quiet_passes(agent, pid):
    """Passes that find nothing to do, asked for and waited for."""
    costs = []
    for _ in range(3):
        before = seconds_of_all(pid)
        agent.curfew("apply", expect=(0, 1, 2), seconds=BOUND_SECONDS)
        costs.append(seconds_of_all(pid) - before)
    print(f"{'  a pass with nothing to do, all processes':<44}{sorted(costs)[1]:6.2f} s on a processor")


def words(found):
    return ", ".join(f"{field} {found[field] / 1024:.1f} MiB" for field in FIELDS if field in found) + \
        f", {found['cpu']:.1f} s on a processor"


def timed(agent, name, *command, expect=0):
    began, before = time.monotonic(), os.times()
    result = agent.curfew(*command, expect=expect, seconds=BOUND_SECONDS)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"{name:<44}{time.monotonic() - began:6.2f} s, {cpu:5.2f} s of them on a processor", flush=True)
    return result


def configure(agent, server_of):
    golive = lab.now() + lab.days(20)
    for number in range(USERS // EACH):
        server = server_of(number)
        agent.client_add(
            f"client{number:05}", approved_on=lab.day(lab.now() - lab.days(12)),
            starts=lab.day(lab.now() - lab.days(10)), go_live=lab.local(golive),
            databases=[{"role": "staging", "server": server, "name": f"Db{number:05}"}],
            users=[{"first": f"User{user}", "last": "Doe", "email": f"user{user}@client{number}.example",
                    "sources": [f"10.{number // 256}.{number % 256}.{user + 1}", f"2001:db8:{number:x}::{user + 1:x}"]}
                   for user in range(EACH)])
    agent.write()


def proved_fill(agent, grants):
    """As if every server had its baselines, and had proved its users, at a pass before the reboot."""
    grants = list(grants)
    with sqlite3.connect(agent.path("state", "journal.db")) as journal:
        journal.executemany("INSERT OR REPLACE INTO verification (server, login, database, sid, level, result, fingerprint, at) "
                            "VALUES (?, ?, ?, x'', 'full', 'verified', '', ?)",
                            ((*grant, int(time.time())) for grant in grants))
        journal.executemany("INSERT OR IGNORE INTO baseline (server, database, at) VALUES (?, ?, ?)",
                            ((server, database, int(time.time())) for server, _, database in grants))
    journal.close()


def service(agent):
    """From its start until the first pass has ended; the most that each process ever held."""
    path, most = agent.path("state", "curfew.prom"), {}
    began = time.monotonic()
    with open(agent.path("service.log"), "w", encoding="utf-8") as log:
        process = agent.space.start(*agent.command("run"), stdout=log, stderr=log)
    firewall, passed = None, None
    while time.monotonic() - began < BOUND_SECONDS and process.poll() is None:
        for child in children(process.pid):
            firewall = firewall or child
            found = memory(child)
            kind = "firewall process" if child == firewall else "SQL worker"
            if found and found.get("RssAnon", 0) >= most.get(kind, {}).get("RssAnon", 0):
                most[kind] = found
        found = memory(process.pid)
        if found:
            most["engine"] = found
        # Written at the end of each pass.
        if os.path.exists(path):
            passed = passed or time.monotonic() - began
            if time.monotonic() - began > passed + 3:
                break
        time.sleep(0.005)
    print(f"{'run: its first pass':<44}" + (f"{passed:6.2f} s" if passed else "did not end in time"))
    for kind in sorted(most):
        print(f"{'  ' + kind:<44}{words(most[kind])}")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            wanted = ("curfew_grants", "curfew_pass_duration", "curfew_users", "curfew_allow")
            print("".join("    " + line for line in file if line.startswith(wanted)), end="")
    if passed:
        quiet_passes(agent, process.pid)
    process.terminate()
    process.wait(30)
    with open(agent.path("service.log"), encoding="utf-8") as log:
        print("".join("    " + line for line in log.readlines()[:6]), end="")


def main():
    lab.require()
    directory, nets = tempfile.mkdtemp(prefix="curfew-bench-"), net.Net()
    try:
        hub = nets.add("box")
        certificates = Certificates(os.path.join(directory, "tls"), "sql00.example", "127.0.0.1")
        agent = Agent(hub, os.path.join(directory, "curfew"), firewall={"hooks": ["input"], "log": False},
                      metrics_file=os.path.join(directory, "curfew", "state", "curfew.prom"),
                      limits={"server_deadline": 120, "connect_timeout": 2})
        clients = range(USERS // EACH)
        present = min(PRESENT, len(clients))
        server = PracticeServer(hub, os.path.join(directory, "sql00"), certificates, name="sql00",
                                databases=[f"Db{number:05}" for number in range(present)])
        for number in range(SERVERS):
            agent.server_add(f"sql{number:02}", host="127.0.0.1", port=1433 + number, ca=certificates.ca,
                             endpoints=[f"192.0.2.{number + 1}:1433", f"[2001:db8:ffff::{number + 1:x}]:1433"])

        def server_of(number):
            return f"sql{0 if number < present else 1 + number % (SERVERS - 1):02}"

        configure(agent, server_of)
        agent.bootstrap("sql00", server)
        print(f"{USERS} users of {len(clients)} clients on {SERVERS} servers", flush=True)
        timed(agent, "check", "check", expect=(0, 1, 2))
        timed(agent, "schedule", "schedule")
        timed(agent, "one client's schedule", "schedule", "client00000")
        timed(agent, "pass before the network, nobody proved", "apply", "--boot")
        agent.curfew("history", expect=(0, 1))
        if not os.path.exists(agent.path("state", "journal.db")):
            agent.curfew("apply", "client00000", expect=(0, 1, 2))
        proved_fill(agent, ((server_of(number), f"client{number:05}.user{user}.doe", f"Db{number:05}")
                            for number in clients for user in range(EACH)))
        timed(agent, "pass before the network, all proved", "apply", "--boot")
        timed(agent, "the same again, nothing to do", "apply", "--boot")
        print(f"  elements: {len(agent.elements())}")
        service(agent)
        server.stop()
    finally:
        nets.close()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
