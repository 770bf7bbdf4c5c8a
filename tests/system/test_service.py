#!/usr/bin/python3
"""The service at work: on time whatever servers do, reporting what it must, and recovering from any death."""

import os
import random
import re
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import day, days, local  # noqa: E402
from service import COMES, Service, ServiceCase, until  # noqa: E402

EXHAUSTIVE = bool(os.environ.get("CURFEW_EXHAUSTIVE"))
KILLS = 100 if EXHAUSTIVE else 8
# A server that hangs holds its worker for this long: nothing that is tested may wait for it.
HANGS = 600


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def setUpModule():
    lab.require()


def process_is_dead(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(") ")[2].startswith("Z")
    except FileNotFoundError:
        return True


class Life(ServiceCase):
    def test_golive_comes_by_itself(self):
        service = self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.elements_come(2)
        golive = self.golive_comes()
        self.role_comes("curfew_read_only")
        self.assertGreaterEqual(time.time(), golive.timestamp(), "narrowed before its time")
        self.assertEqual(self.agent.plan().code, 0)
        service.says("asks: plan")
        self.assertEqual(service.stop(), 0)
        self.assertEqual(len(self.agent.elements()), 2, "the kernel goes on when the service stops")

    def test_the_end_comes_by_itself(self):
        self.service_make(lab.now() - days(13), started=40)
        self.role_comes("curfew_read_only")
        self.elements_come(2)
        ends = self.golive_comes(days_ago=14)
        self.elements_come(0)
        until(lambda: self.found.server.login(USER) is None, "the login is gone")
        self.assertGreaterEqual(time.time(), ends.timestamp(), "ended before its time")
        self.service.metric_comes("curfew_overdue_grants", 0)

    def test_golive_comes_while_a_pass_is_ending(self):
        """The timer has rung and the pass that was under way is done, both before the service looks at either."""
        service = self.service_make(lab.now() + days(20))
        self.elements_come(2)

        def pass_stops_at_its_end():
            until(lambda: len(service.children()) == 1, "the pass before has ended")
            self.found.server.faults(delay=300)  # so that its worker is seen
            self.agent.start("apply")
            # Go-live is so far ahead that no worker waits for it yet: this one is of the pass.
            workers = []
            until(lambda: workers.extend(service.children()[1:]) or workers, "a pass is under way")
            service.process.send_signal(signal.SIGSTOP)
            until(lambda: process_is_dead(workers[0]), "its worker is done")

        def pass_goes_on():
            service.process.send_signal(signal.SIGCONT)
            self.found.server.faults()

        self.addCleanup(service.process.send_signal, signal.SIGCONT)
        golive = self.golive_comes(ahead=20, meanwhile=pass_stops_at_its_end, back=pass_goes_on)
        until(lambda: time.time() > golive.timestamp() + 0.5, "go-live")
        pass_goes_on()
        self.role_comes("curfew_read_only")
        self.elements_come(2)
        self.assertNotIn("<2>", service.log(), "what has only just come is not overdue")

    def test_processes_hold_what_they_need(self):
        service = self.service_make(lab.now() + days(20), limits={"connect_timeout": 110, "server_deadline": HANGS})
        firewall = service.children()[0]  # workers come later
        until(lambda: service.metric("curfew_passes_total"), "the pass at the start has ended")
        self.found.server.faults(stall_prelogin=True)
        service.process.send_signal(signal.SIGHUP)
        until(lambda: len(service.children()) == 2, "a worker waits for its server")
        worker = service.children()[1]
        # It reads its credential first.
        until(lambda: int(status_of(worker)["Seccomp_filters"]) == 2, "the worker has shed its rights")
        for name, pid, capabilities in (("engine", service.process.pid, 0), ("firewall", firewall, 1 << 12),
                                        ("worker", worker, 0)):
            status = status_of(pid)
            print(f"{name}:", {key: status[key] for key in ("CapPrm", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")})
            for kind in ("CapPrm", "CapEff"):
                self.assertEqual(int(status[kind], 16), capabilities, f"{name} {kind}")
            for kind in ("CapInh", "CapAmb", "CapBnd"):
                self.assertEqual(int(status[kind], 16), 0, f"{name} {kind}")
            self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))

    def test_only_workers_reach_the_network(self):
        """What no filter can keep from the engine, for its workers inherit it: seen over a life, call by call."""
        self.found = self.lab_make(limits=self.LIMITS)
        self.agent = self.found.agent
        self.agent.settings["metrics_file"] = self.agent.path("state", "curfew.prom")
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        trace = self.found.path("calls")
        strace = ("strace", "-D", "-f", "-qq", "-z", "-e", "trace=socket", "-o", trace)
        probe = self.agent.space.run(*strace[:-1], "/dev/null", "true", check=False)
        if probe.returncode != 0:
            print(f"SKIPPED: processes cannot be traced here: {probe.stderr.strip()}", file=sys.stderr)
            self.skipTest("processes cannot be traced here")
        service = self.service = Service(self.found, under=strace)
        self.addCleanup(service.close)
        engine, firewall = service.process.pid, service.children()[0]
        self.role_comes("curfew_full")
        self.elements_come(2)
        for command in ("status", "plan", "audit", "denied", "reload", "apply"):
            self.agent.curfew(command)
        self.golive_comes()
        self.role_comes("curfew_read_only")
        self.assertEqual(service.ask(command="revoke", client="acme", reason="a test")["end"], 0)
        until(lambda: self.found.server.login(USER) is None, "the login is gone")
        self.assertEqual(service.stop(), 0)
        opened = {}
        with open(trace, encoding="ascii") as file:
            for line in file:
                found = re.match(r"(\d+) +socket\((\w+)", line)
                if found:
                    opened.setdefault(int(found.group(1)), set()).add(found.group(2))
        workers = set().union(*(families for pid, families in opened.items() if pid not in (engine, firewall)))
        self.assertIn("AF_INET", workers, "the trace has not seen what it must")
        self.assertEqual(opened[engine] - {"AF_UNIX"}, set(), "the engine's sockets")
        self.assertEqual(opened[firewall] - {"AF_NETLINK"}, set(), "the firewall process's sockets")
        self.assertEqual(workers - {"AF_INET", "AF_INET6"}, set(), "the workers' sockets")


class Outages(ServiceCase):
    def hanging_make(self):
        """One client on a server that is well, another on one that never answers."""
        self.found = self.lab_make(shape="gateway", servers={"sqlhang": ("AcmeTest",), "sqlgood": ("AcmeTest",)},
                                   limits={"connect_timeout": 110, "server_deadline": HANGS})
        self.agent = self.found.agent
        self.agent.settings["metrics_file"] = self.agent.path("state", "curfew.prom")
        dates = self.dates(lab.now() + days(20))
        beta = {"first": "Bo", "last": "Beta", "email": "bo@beta.example", "sources": [lab.OTHER[0]]}
        self.found.client_add("acme", [("staging", "sqlgood", "AcmeTest")], **dates)
        self.found.client_add("beta", [("staging", "sqlhang", "AcmeTest")], users=[beta], **dates)
        self.found.servers["sqlhang"].faults(stall_prelogin=True)

    def hanging_start(self):
        self.service = Service(self.found)
        self.addCleanup(self.service.close)

    def hanging_is_told(self):
        """Whoever asks hears of the one server what is so, and of the other that it does not answer, and since when."""
        status = self.agent.curfew("status", "--json", expect=1).json
        self.assertEqual({grant["server"]: grant["state"] for grant in status["grants"]},
                         {"sqlgood": "ok", "sqlhang": "unreachable"})
        told = {server["server"]: server.get("detail") or "" for server in status["servers"]}
        self.assertRegex(told["sqlhang"], r"no complete answer within 3 seconds; no answer since 20.*next attempt in \d")
        self.assertIn("sqlhang: unreachable: ", self.agent.curfew("status", expect=1).out)
        self.assertIn("1 server UNREACHABLE", self.agent.curfew("plan", expect=1).out)

    def test_a_server_that_hangs_holds_nobody_up(self):
        self.hanging_make()
        good = self.found.servers["sqlgood"]

        def pass_waits():
            until(lambda: good.roles(USER, "AcmeTest"), "what the one that is well has")
            until(lambda: len(self.service.children()) == 2, "the pass at the start waits for the one that hangs")
            before.append(good.roles(USER, "AcmeTest"))

        before = []
        self.golive_comes(take=self.hanging_start, meanwhile=pass_waits, back=lambda: self.service.close())
        self.assertEqual(before[-1], ["curfew_full"])
        self.role_comes("curfew_read_only", "sqlgood")
        # Shut out at go-live, let in again when read-only is proved, although the pass still waits for the other.
        self.elements_come(2)
        self.hanging_is_told()

    def test_who_only_looks_ends_no_pass(self):
        self.hanging_make()
        self.hanging_start()
        self.role_comes("curfew_full", "sqlgood")
        until(lambda: len(self.service.children()) == 2, "the pass at the start waits for the one that hangs")
        waiting = self.service.children()
        status = self.agent.curfew("status", "--json", expect=1).json
        self.assertEqual({grant["server"]: grant["state"] for grant in status["grants"]},
                         {"sqlgood": "ok", "sqlhang": "unreachable"})
        self.assertIn("1 server UNREACHABLE", self.agent.curfew("plan", expect=1).out)
        self.assertEqual(self.service.children(), waiting)
        # One that is to change something does not wait for it.
        self.assertEqual(self.agent.curfew("revoke", "acme", "--reason", "a test").code, 0)
        until(lambda: self.found.servers["sqlgood"].roles(USER, "AcmeTest") == [], "the role is gone")

    def test_down_across_golive_is_overdue_until_it_is_back(self):
        service = self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.elements_come(2)
        self.golive_comes(meanwhile=self.server_goes_away, back=self.found.server.faults)
        until(lambda: service.metric("curfew_overdue_grants") == 1, "overdue in the figures")
        service.says("<2>curfew: access of 1 grants should have ended or become read-only")
        service.says("<4>curfew: sql01: pass failed")
        self.elements_come(0)  # not as narrow as it must be: the network stays shut
        self.found.server.faults()
        self.role_comes("curfew_read_only")
        self.elements_come(2)
        until(lambda: service.metric("curfew_overdue_grants") == 0, "not overdue any more")
        service.says("sql01: pass complete after")


class Deaths(ServiceCase):
    def test_killed_at_any_moment_it_comes_back(self):
        """The role that the login has is never wider than the schedule's, whenever it is looked at."""
        generator = random.Random(7)
        self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        full = True
        for life in range(KILLS):
            full = not full
            golive = lab.now() + (days(20) if full else days(-1))
            self.agent.clients["acme"]["go_live"] = local(golive)
            # A go-live that has passed is moved only by a new ticket, approved since.
            self.agent.clients["acme"].update(ticket=f"CS-{life}", approved_on=local(lab.now())[:10])
            self.agent.write()
            self.service.process.send_signal(signal.SIGHUP)
            time.sleep(generator.uniform(0, 0.6))
            firewall = self.service.children()[:1]
            victim = generator.choice([self.service.process.pid, *self.service.children()])
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                pass  # a worker that had just ended
            # The death of a worker costs one attempt. That of a child that is the firewall process ends the service.
            ends = victim in (self.service.process.pid, *firewall)
            if ends:
                self.service.process.wait(COMES)
            self.assertEqual(len(self.agent.space.run("nft", "list", "tables", check=False).stdout.split("curfew")),
                             2, "the table is there whoever dies")
            if ends:
                self.service.start()
            self.role_comes("curfew_full" if full else "curfew_read_only")
            self.elements_come(2)

    def test_the_death_of_a_child_that_is_the_firewall_process_ends_the_service(self):
        """Behind a pass: it has no right any more to start another."""
        service = self.service_make(lab.now() + days(20))
        self.elements_come(2)
        firewall = service.children()[0]
        os.kill(firewall, signal.SIGKILL)
        self.assertEqual(service.process.wait(COMES), 1)
        service.says("stopping the service after one more pass, which grants nothing; the kernel still enforces")
        self.assertIn("(the packet filter was lost, or is back)", service.log())
        self.assertEqual(len(self.agent.elements()), 2)
        service.start()
        self.elements_come(2)


class Told(ServiceCase):
    def test_reload(self):
        service = self.service_make(lab.now() + days(20))
        self.elements_come(2)
        client = self.agent.path("clients.d", "client0.conf")
        # A widening is taken, and named as one.
        self.agent.clients["acme"]["go_live"] = local(lab.now() + days(25))
        self.agent.write()
        self.assertEqual(self.agent.curfew("reload").code, 0)
        service.says("full until")
        self.assertIn("access-extended", self.agent.curfew("history", expect=0).out)
        # What begins later is a widening, too.
        self.agent.client_add("later", databases=[{"role": "staging", "server": "sql01", "name": "LaterTest"}],
                              users=[{"first": "Ann", "last": "Lee", "email": "ann.lee@later.example",
                                      "sources": ["203.0.113.9"]}],
                              approved_on=day(lab.now() - days(1)), starts=day(lab.now() + days(5)),
                              go_live=local(lab.now() + days(25)))
        self.agent.write()
        self.assertEqual(self.agent.curfew("reload").code, 0)
        service.says("later.ann.lee on sql01/LaterTest: new grant: full from")
        del self.agent.clients["later"]
        self.agent.write()
        self.assertEqual(self.agent.curfew("reload", "--yes").code, 0)
        # Broken: as it was, loudly.
        with open(client, "a", encoding="utf-8") as file:
            file.write("oops")
        self.assertEqual(self.agent.curfew("reload").code, 2)
        self.assertEqual(self.service.ask(command="service")["kept"], ["client0.conf"])
        self.assertEqual(len(self.agent.elements()), 2)
        self.assertEqual(self.found.server.roles(USER, "AcmeTest"), ["curfew_full"])
        # The main file broken: everything as it was.
        with open(self.agent.config, "a", encoding="utf-8") as file:
            file.write("oops")
        self.assertNotEqual(self.agent.curfew("reload").code, 0)
        self.assertEqual(len(self.agent.elements()), 2)
        # Gone: access ends.
        self.agent.clients.clear()
        self.agent.write()
        self.assertEqual(self.agent.curfew("reload").code, 0)
        self.elements_come(0)
        until(lambda: self.found.server.login(USER) is None, "the login is gone")
        until(lambda: service.metric("curfew_overdue_grants") == 0, "nothing is overdue")

    def test_revoke_and_reinstate(self):
        service = self.service_make(lab.now() + days(20))
        self.elements_come(2)
        service.metric_comes("curfew_allowlist_elements", 2)
        self.assertEqual(service.ask(command="revoke", client="acme")["end"], 64, "without a reason")
        self.assertEqual(len(self.agent.elements()), 2)
        answer = service.ask(command="revoke", client="acme", reason="a laptop was stolen")
        self.assertEqual(answer["end"], 0)
        self.assertEqual(self.agent.elements(), [])
        service.metric_comes("curfew_allowlist_elements", 0)
        login = self.found.server.login(USER)
        self.assertTrue(login is None or login[1], "the login can still be used")
        self.assertIn("a laptop was stolen", self.agent.curfew("history", expect=0).out)
        self.agent.curfew("reload", expect=0)
        self.assertEqual(self.agent.elements(), [], "the configuration does not give it back")
        service.stop()
        service.start()
        self.assertEqual(self.agent.elements(), [], "nor does a restart")
        self.assertEqual(service.ask(command="reinstate", client="acme", reason="found again")["end"], 0)
        self.elements_come(2)
        service.metric_comes("curfew_allowlist_elements", 2)

    def test_drift_in_the_kernel_is_put_right(self):
        self.service_make(lab.now() + days(20))
        self.elements_come(2)
        self.agent.space.run("nft", "flush", "ruleset", check=False)
        self.agent.space.run("nft", "delete", "table", "inet", "curfew", check=False)
        self.elements_come(2)
        self.agent.space.run("nft", "add table inet other; add chain inet other c "
                             "{ type filter hook input priority -300; }; add rule inet other c accept")
        self.silent(self.found.person("other"))

    def test_drift_in_sql_is_put_right(self):
        service = self.service_make(lab.now() + days(20), limits={**self.LIMITS, "interval": 10})
        self.role_comes("curfew_full")
        until(lambda: service.metric("curfew_passes_total"), "the pass at the start has ended")
        self.found.server.sql(f"ALTER ROLE [db_owner] ADD MEMBER [{USER}]", "AcmeTest")
        until(lambda: self.found.server.roles(USER, "AcmeTest") == ["curfew_full"], "db_owner is taken away")
        until(lambda: (service.metric("curfew_drift_sql_total") or 0) >= 1, "drift in the figures")

    def test_a_clock_that_was_set_back_reopens_nothing(self):
        golive = lab.now() + days(20)
        service = self.service_make(golive)
        self.elements_come(2)
        service.stop()
        # As a machine finds it whose clock has lost two months.
        with open(self.agent.path("state", "clock"), "w", encoding="ascii") as file:
            file.write(f"highest {int(time.time()) + 60 * 86400}\n")
        service.start()
        self.elements_come(0)
        until(lambda: self.found.server.login(USER) is None, "the login is gone")
        service.says("<1>curfew: the system clock is")
        self.assertGreater(service.ask(command="clock")["behind"], 59 * 86400)
        # The operator says that the clock was wrong before, and is right now.
        answer = service.ask(command="clock", reset=int(time.time()), reason="the battery was dead")
        self.assertEqual(answer["behind"], 0)
        self.elements_come(2)
        self.assertIn("the battery was dead", self.agent.curfew("history", "--json", expect=0).out)


if __name__ == "__main__":
    unittest.main()
