#!/usr/bin/python3
"""One address ends, the login stays: sessions from that address are ended, those from the user's other addresses go on."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER, LabCase  # noqa: E402
from lab import days, local, seconds  # noqa: E402

PASSWORD = "Set-by-the-DBA-7"


def setUpModule():
    lab.require()


class SourcesLeft(LabCase):
    def setUp(self):
        self.found = self.lab_make()
        self.agent, self.server = self.found.agent, self.found.server
        self.home, self.guest = self.found.person("jane"), self.found.person("other")

    def client_write(self, *sources):
        jane = {"first": "Jane", "last": "Doe", "email": "jane.doe@acme.example", "sources": list(sources)}
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest")], users=[jane],
                              **self.dates(lab.now() + days(20)))

    def both_work(self):
        self.agent.apply(expect=0)
        self.server.sql(f"ALTER LOGIN [{USER}] WITH PASSWORD = N'{PASSWORD}'")
        for person in (self.home, self.guest):
            self.works(person.login(USER, PASSWORD, "AcmeTest"))
        self.assertEqual(len(self.server.sessions_of(USER)), 2)

    def only_home_works(self, at=None):
        """And the pass has recorded what it ended."""
        self.applied(self.agent, at)
        self.assertEqual([s["address"] for s in self.server.sessions_of(USER)], [lab.JANE[0]])
        self.works(self.home.sql("SELECT 1"), [[1]])
        self.assertEqual(self.server.login(USER)[1], False, "the login stays")
        killed = [e for e in self.agent.curfew("history", "acme", "--json").json
                  if e["action"] == "session-kill" and e["kind"] == "outcome"]
        self.assertEqual(len(killed), 1, killed)

    def test_an_address_that_left_the_file(self):
        self.client_write(*lab.JANE, *lab.OTHER)
        self.both_work()
        self.client_write(*lab.JANE)
        self.only_home_works()

    def test_an_address_that_ended(self):
        end = lab.now() + days(3)
        ends = ((address, end + days(3)) for address in lab.JANE)
        self.client_write(*({"address": address, "until": local(until)}
                            for address, until in (*ends, (lab.OTHER[0], end))))
        self.both_work()
        self.only_home_works(local(end + seconds(1)))


if __name__ == "__main__":
    unittest.main()
