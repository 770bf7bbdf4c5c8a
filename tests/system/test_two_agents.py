#!/usr/bin/python3
"""Two agents that serve one server: in turn, without the mark, and at once; two gateways through a life."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from agent import RUN_SECONDS, Agent  # noqa: E402
from case import USER  # noqa: E402
from lab import days, local  # noqa: E402
from service import Service, ServiceCase, until  # noqa: E402
from stranger_case import StrangerCase  # noqa: E402


def setUpModule():
    lab.require()


class TwoAgents(StrangerCase):
    def second(self):
        """Another installation of the same configuration; the packet filter is the first one's."""
        other = Agent(self.found.hub, self.found.path("second"), firewall={"enabled": False})
        other.servers, other.clients = self.agent.servers, self.agent.clients
        for name in other.servers:
            other._write(other.path("credentials", name), other.password + "\n")
        other.write()
        return other

    def test_two_agents_in_turn(self):
        """What one begins the other goes on with: the mark on the server tells whose the login is."""
        self.acme()
        other = self.second()
        self.applied(self.agent)
        # Nothing is on its record and somebody bears the mark: a lost journal looks the same.
        self.assertIn("curfew accept-loss", other.curfew("apply", expect=1).out)
        other.curfew("accept-loss", "--reason", "second gateway", expect=0)
        other.plan(expect=0)
        self.applied(other, local(self.golive))
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.applied(self.agent, local(self.golive))
        self.applied(other, local(self.golive + days(14)))
        self.assertIsNone(self.server.login(USER))
        self.applied(self.agent, local(self.golive + days(14)))

    def test_the_second_one_revokes_and_accepts_before_its_first_pass(self):
        """As documented, whether its server answers by then or not: what it removed for the other is no record of its own."""
        for answers in (True, False):
            with self.subTest(answers=answers):
                self.acme()
                other = self.second()
                self.applied(self.agent)
                self.server.faults(drop_prelogin=not answers)
                other.curfew("revoke", "acme", USER, "--reason", "as on the first gateway")
                other.curfew("accept-loss", "--reason", "second gateway", expect=0)
                other.curfew("accept-loss", "--reason", "once more", expect=1)
                self.server.faults()
                self.assertNotIn("accept-loss", other.curfew("apply").out)
                self.assertIsNone(self.server.login(USER))

    def test_two_agents_without_the_mark(self):
        """Without the role the ledger alone knows whose a login is: one agent alone should serve such a server.

        The second leaves alone the login that it did not make, but for our own roles: it may only narrow.
        """
        self.acme()
        self.server.sql("DROP SERVER ROLE [curfew_logins]")
        other = self.second()
        self.applied(self.agent)
        result = other.apply(local(self.golive), expect=2)
        self.assertIn("is not managed by Curfew", result.out)
        self.assertFalse(self.server.login(USER)[1])
        self.assertTrue(self.server.user(USER, "AcmeTest"))
        self.assertEqual(self.server.roles(USER, "AcmeTest"), [])
        self.applied(self.agent, local(self.golive))
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.applied(self.agent, local(self.golive + days(14)))
        self.assertIsNone(self.server.login(USER))

    def test_two_agents_at_once(self):
        """Under the server's lock one writes at a time: nothing is made twice. What takes away waits for no lock, so that
        both may say it."""
        self.acme()
        other = self.second()
        for agent in (self.agent, other):
            agent.curfew("accept-loss", "--reason", "two gateways", expect=0)
        for at, role in ((None, ["curfew_full"]), (local(self.golive), ["curfew_read_only"]),
                         (local(self.golive + days(14)), [])):
            more = ["--at", at] if at else []
            both = [agent.start("apply", *more) for agent in (self.agent, other)]
            said = [child.communicate(timeout=RUN_SECONDS)[0] for child in both]
            for agent, child, words in zip((self.agent, other), both, said):
                if child.returncode:  # it has waited for the other as long as it does, on a busy machine
                    self.assertIn("another agent holds the lock", words)
                    agent.apply(at)
            for done, of in re.findall(r"(\d+) of (\d+) changes? made", "\n".join(said)):
                self.assertLessEqual(int(done), int(of), "\n".join(said))
            self.assertEqual(self.server.roles(USER, "AcmeTest"), role)
        texts = [e["text"] for e in self.server.records("batch") if e["login"] == "curfew_agent"]
        for word in ("CREATE LOGIN", "CREATE USER"):
            self.assertEqual(sum(word in text for text in texts), 1, word)
        for word in ("DROP LOGIN", "DROP USER"):
            self.assertTrue(any(word in text for text in texts), word)


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
        def narrowed_too_early():
            both_are_open("curfew_read_only")
            seen[:] = map(len, logs())

        def logs():
            return self.service.log(), beside.log()

        seen = [0, 0]  # of each log, before the go-live that counts
        self.golive_comes(ahead=15, meanwhile=second_reads, back=narrowed_too_early)
        both_are_open("curfew_read_only")
        for agent in (self.agent, other):
            until(lambda a=agent: a.plan().code == 0, "nothing is left to do")
        # Both may send what takes away, for that waits for no lock; the later one finds it gone.
        created = [line for log in logs() for line in log.splitlines() if "sql01: login-create" in line]
        self.assertEqual(len(created), 1, created)
        narrowed = [line for log, before in zip(logs(), seen) for line in log[before:].splitlines()
                    if "sql01: member-drop" in line and "gone already" not in line]
        # A go-live that was put off widens before it narrows.
        self.assertEqual(len(narrowed), 2 if any(seen) else 1, narrowed)
        self.assertNotIn("failed", beside.log() + self.service.log())


if __name__ == "__main__":
    unittest.main()
