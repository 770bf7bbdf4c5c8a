#!/usr/bin/python3
"""What commands that go through the service tell the one who asked: what was done, what was not, what it rests on."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from service import ServiceCase, until  # noqa: E402


def setUpModule():
    lab.require()


class Revoked(ServiceCase):
    LIMITS = {"connect_timeout": 2, "server_deadline": 5}

    def setUp(self):
        self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.elements_come(2)

    def revoke(self, *user, expect):
        return self.agent.curfew("revoke", "acme", *user, "--reason", "a laptop was stolen", expect=expect)

    def test_what_was_closed_is_named(self):
        before = self.agent.elements()
        done = self.revoke(expect=0)
        line = next((line for line in done.out.splitlines() if line.startswith("network: closed ")), str(done))
        for source, endpoint, _ in before:
            self.assertIn(f"{source} -> {endpoint}", line)
        self.assertIn("acme revoked: no access until", done.out)
        again = self.revoke(expect=0)
        self.assertIn("network: no element was open\n", again.out)

    def test_a_server_that_cannot_be_reached(self):
        self.found.server.faults(stall_prelogin=True)
        done = self.revoke(expect=1)
        self.elements_come(0)
        self.assertIn("network: closed ", done.out)
        self.assertIn("it stands on record and the network is shut, but not everything could be done: "
                      "sql01 cannot be reached", done.err)
        self.assertNotIn("acme revoked: no access until", done.out)
        self.assertTrue(self.found.server.login(USER), "nobody could have dropped it")
        self.found.server.faults()
        until(lambda: self.found.server.login(USER) is None, "the login is gone")


if __name__ == "__main__":
    unittest.main()
