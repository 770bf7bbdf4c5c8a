#!/usr/bin/python3
"""Two agents that serve one server: in turn, without the mark, and at once."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from agent import Agent  # noqa: E402
from case import USER  # noqa: E402
from lab import days, local  # noqa: E402
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
            said = [child.communicate(timeout=60)[0] for child in both]
            self.assertEqual([child.returncode for child in both], [0, 0], "\n".join(said))
            for done, of in re.findall(r"(\d+) of (\d+) changes? made", "\n".join(said)):
                self.assertLessEqual(int(done), int(of), "\n".join(said))
            self.assertEqual(self.server.roles(USER, "AcmeTest"), role)
        texts = [e["text"] for e in self.server.records("batch") if e["login"] == "curfew_agent"]
        for word in ("CREATE LOGIN", "CREATE USER"):
            self.assertEqual(sum(word in text for text in texts), 1, word)
        for word in ("DROP LOGIN", "DROP USER"):
            self.assertTrue(any(word in text for text in texts), word)


if __name__ == "__main__":
    unittest.main()
