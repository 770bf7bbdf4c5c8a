#!/usr/bin/python3
"""The service with others: a server that is down at an end, a second gateway, firewall rules of other programs."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from agent import Agent  # noqa: E402
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from service import Service, ServiceCase, until  # noqa: E402


def setUpModule():
    lab.require()


class Down(ServiceCase):
    def test_down_across_the_end(self):
        # Longer than a status waits: what it says of a server that it gave up on is what this one proved last.
        service = self.service_make(lab.now() - days(13), started=40,
                                    limits={"connect_timeout": 10, "server_deadline": 20})
        self.role_comes("curfew_read_only")
        self.elements_come(2)
        ends = self.golive_comes(days_ago=14, meanwhile=self.server_stops_answering, back=self.found.server.faults)
        until(lambda: time.time() >= ends.timestamp(), "the end")
        self.assertEqual(self.agent.elements(), [], "the kernel is never late")
        until(lambda: service.figure("curfew_overdue_grants") == 1, "overdue in the figures")
        self.assertTrue(self.found.server.login(USER), "nobody could have dropped it")
        status = self.agent.curfew("status", "--json", expect=1).json
        self.assertEqual([grant["state"] for grant in status["grants"]], ["overdue"], status)
        service.says("<2>curfew: access of 1 grants should have ended")
        self.found.server.faults()
        until(lambda: self.found.server.login(USER) is None, "the login is gone")
        until(lambda: service.figure("curfew_overdue_grants") == 0, "not overdue any more")

    def test_down_long_before_golive(self):
        """What a server proved last stays on record while it is down: nobody loses access, go-live finds it overdue."""
        service = self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.elements_come(2)
        until(lambda: service.figure("curfew_passes_total"), "the pass at the start has ended")

        def passes_find_nobody():
            self.server_stops_answering()
            for _ in range(2):
                self.assertEqual(service.ask(command="apply")["result"]["unreachable"], 1)
            open_still.append(len(self.agent.elements()))

        open_still = []
        self.golive_comes(ahead=12, meanwhile=passes_find_nobody, back=self.found.server.faults)
        self.assertEqual(open_still[-1], 2)
        until(lambda: service.figure("curfew_overdue_grants") == 1, "overdue in the figures")
        self.elements_come(0)
        self.found.server.faults()
        self.role_comes("curfew_read_only")
        self.elements_come(2)


class Beside(ServiceCase):
    def test_what_others_do_to_the_table(self):
        """Whoever has the owner's flag is not asked; where there is none, it comes back."""
        self.service_make(lab.now() + days(20))
        self.elements_come(2)
        hub = self.agent.space
        for words in ("flush table inet curfew", "delete table inet curfew", "flush ruleset"):
            hub.run("nft", words, check=False)
            self.elements_come(2)
            self.silent(self.found.person("other"))
        self.assertTrue(self.found.person("jane").reach().ok)

    def test_denied_names_the_refused(self):
        self.service_make(lab.now() + days(20))
        self.elements_come(2)
        self.silent(self.found.person("other"))
        self.assertIn(lab.OTHER[0], self.agent.curfew("denied").out)


class TwoGateways(ServiceCase):
    def test_two_agents_through_a_life(self):
        """Each kernel has its table; each change of the one server is made once, and by somebody."""
        self.service_make(lab.now() + days(20))
        second = self.found.net.add("second")
        self.found.net.connect(second, self.found.hub, ("198.51.100.9", "2001:db8:99::9"))
        # The first one guards the server: who keeps it has to be let in as well.
        self.agent.servers["sql01"]["trusted"] = ["198.51.100.9"]
        self.agent.write()
        self.agent.curfew("reload", expect=0)
        other = Agent(second, self.found.path("second"), **{
            **{key: value for key, value in self.agent.settings.items() if not key.endswith("_directory")},
            "metrics_file": self.found.path("second", "state", "curfew.prom")})
        other.clients = self.agent.clients
        for name, server in self.agent.servers.items():
            more = {key: value for key, value in server.items() if key not in ("name", "ca_file")}
            other.server_add(name, ca=server["ca_file"], **more)
        other.write()
        # Its own records begin here, on a server where somebody has access: said once, and deliberately.
        other.curfew("accept-loss", "--reason", "second gateway", expect=0)
        beside = Service(self.found, other, "second.log")
        self.addCleanup(beside.close)

        def both_are_open(role):
            self.role_comes(role)
            for agent in (self.agent, other):
                until(lambda a=agent: len(a.elements()) == 2, "both gateways are open")

        def second_reads():
            other.write()
            other.curfew("reload", expect=0)

        both_are_open("curfew_full")
        self.golive_comes(meanwhile=second_reads, back=lambda: both_are_open("curfew_read_only"))
        both_are_open("curfew_read_only")
        for agent in (self.agent, other):
            until(lambda a=agent: a.plan().code == 0, "nothing is left to do")
        done = [line for log in (self.service.log(), beside.log()) for line in log.splitlines()
                if "sql01: member-drop" in line or "sql01: login-create" in line]
        self.assertEqual(len(done), 2, f"one creation and one narrowing in all: {done}")
        self.assertNotIn("failed", beside.log() + self.service.log())


if __name__ == "__main__":
    unittest.main()
