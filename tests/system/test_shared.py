#!/usr/bin/python3
"""Shared addresses and logins: they must not grant too much, and passes must not repeat changes."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER, LabCase  # noqa: E402
from lab import days, local, seconds  # noqa: E402


def setUpModule():
    lab.require()


class SharedAddress(LabCase):
    def test_one_of_them_waits(self):
        """Two clients behind one address, the database of one of them not there yet: a second pass does nothing."""
        found = self.lab_make(servers={"sql01": ("AcmeTest",)})
        agent, dates = found.agent, self.dates(lab.now() + days(20))
        jo = {"first": "Jo", "last": "Gamma", "email": "jo@gamma.example", "sources": [lab.JANE[0]]}
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **dates)
        agent.client_add("gamma", databases=[{"role": "staging", "server": "sql01", "name": "Later"}], users=[jo],
                         **dates)
        agent.write()
        self.applied(agent)
        for _ in range(2):
            result = agent.curfew("apply", "--json", expect=0).json
            self.assertEqual(result["planned"], 0)
        listing = agent.space.run("nft", "list", "table", "inet", "curfew").stdout
        self.assertIn('comment "acme/acme.jane.doe"', listing)
        self.assertNotIn("gamma", listing)


class SharedLogin(LabCase):
    def test_a_database_is_taken_out_of_the_file(self):
        """With the server away, what the login had there is not forgotten with it; with the server back, it is."""
        found = self.lab_make(servers={"sql01": ("AcmeTest", "AcmeProd")})
        agent, golive = found.agent, lab.now() + days(20)
        staging, production = ("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd", "read-only")
        found.client_add("acme", [staging, production], **self.dates(golive))
        self.applied(agent)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_full"])
        until_golive = [left for *_, left in agent.elements()]
        self.assertEqual(len(until_golive), 2)

        found.server.faults(drop_prelogin=True)
        found.agent.clients["acme"]["databases"].pop(0)
        agent.write()
        agent.apply(expect=1)
        for *_, left in agent.elements():
            self.assertLessEqual(left, max(until_golive), "let in for longer with full access still there")
        agent.apply(local(golive + seconds(1)), expect=1)
        self.assertEqual(agent.elements(), [])

        found.server.faults()
        self.applied(agent)
        self.assertFalse(found.server.user(USER, "AcmeTest"))
        self.assertEqual(len(agent.elements()), 2)
        held = agent.curfew("history", "--at", local(lab.now()), "--json", expect=0).out
        self.assertIn("AcmeProd", held)
        self.assertNotIn("AcmeTest", held)
        self.applied(agent)


if __name__ == "__main__":
    unittest.main()
