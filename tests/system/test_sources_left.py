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

    def only_home_works(self, at=None, failed=0):
        """And the pass has recorded what it ended."""
        self.applied(self.agent, at)
        self.assertEqual([s["address"] for s in self.server.sessions_of(USER)], [lab.JANE[0]])
        self.works(self.home.sql("SELECT 1"), [[1]])
        self.assertEqual(self.server.login(USER)[1], False, "the login stays")
        killed = [e["outcome"] for e in self.agent.curfew("history", "acme", "--json").json
                  if e["action"] == "session-kill" and e["kind"] == "outcome"]
        self.assertEqual(killed, ["failed"] * failed + ["done"])

    def test_an_address_that_left_the_file(self):
        self.client_write(*lab.JANE, *lab.OTHER)
        self.both_work()
        self.client_write(*lab.JANE)
        self.only_home_works()

    def test_who_rolls_back_cannot_be_told(self):
        """As on a secondary replica: whoever reads sys.dm_exec_requests fails, and makes others fail. Nobody else is ended."""
        self.server.faults(requests_fail=978)
        self.client_write(*lab.JANE, *lab.OTHER)
        self.both_work()
        self.assertFalse(any("dm_exec_requests" in r["text"] for r in self.server.records("batch")))
        self.client_write(*lab.JANE)
        self.only_home_works()

    def while_unreachable(self, leave, at=None):
        """An address leaves while the server does not answer: that is named, and its sessions end when it is back."""
        self.both_work()
        leave()
        self.server.faults(drop_prelogin=True)
        named = f"sessions of {USER} from {lab.OTHER[0]}"
        # Nothing that a pass records without the server forgets it.
        for _ in range(2):
            self.assertIn(named, self.agent.apply(at, expect=1).out)
        if not at:
            self.assertIn(named, self.agent.curfew("status", expect=1).out)
        self.server.faults()
        self.assertEqual(len(self.server.sessions_of(USER)), 2)
        self.only_home_works(at)
        self.assertNotIn("sessions of", self.agent.plan(at).out)
        self.assertNotIn("sessions of", self.agent.curfew("status").out)

    def test_an_address_that_left_while_the_server_is_unreachable(self):
        self.client_write(*lab.JANE, *lab.OTHER)
        self.while_unreachable(lambda: self.client_write(*lab.JANE))

    def test_an_address_that_ended_while_the_server_is_unreachable(self):
        end = lab.now() + days(3)
        ends = ((address, end + days(3)) for address in lab.JANE)
        self.client_write(*({"address": address, "until": local(until)}
                            for address, until in (*ends, (lab.OTHER[0], end))))
        self.while_unreachable(lambda: None, local(end + seconds(1)))

    def while_not_ended(self, faults, *said):
        """An address leaves, and its session goes on although the databases are read: that is no success."""
        self.client_write(*lab.JANE, *lab.OTHER)
        self.both_work()
        self.client_write(*lab.JANE)
        self.server.faults(fail_on=faults)
        for command in ("plan", "apply", "apply", "status"):
            result = self.agent.curfew(command, expect=2)
            self.assertIn(f"drift: sessions of {USER} from {lab.OTHER[0]}", result.out)
            if command == "apply":
                for words in said:
                    self.assertIn(words, result.out)
        self.assertEqual(len(self.server.sessions_of(USER)), 2)
        self.assertEqual(self.server.login(USER)[1], False, "the login stays")
        self.server.faults()

    def test_a_kill_that_is_refused(self):
        self.while_not_ended([[r"^\s*KILL ", 6102]], "FAILED - IF EXISTS", "Planned failure 6102")
        self.only_home_works(failed=2)
        self.agent.curfew("status", expect=0)

    def test_sessions_that_cannot_be_read(self):
        self.while_not_ended([[r"FROM sys\.dm_exec_sessions", 300]],
                             "unread: cannot read the open sessions, so none was ended (300",
                             f"unverified: {USER} on AcmeTest: no difference found, but the server did not show everything")
        self.only_home_works()
        self.agent.curfew("status", expect=0)

    def test_an_address_that_ended(self):
        end = lab.now() + days(3)
        ends = ((address, end + days(3)) for address in lab.JANE)
        self.client_write(*({"address": address, "until": local(until)}
                            for address, until in (*ends, (lab.OTHER[0], end))))
        self.both_work()
        self.only_home_works(local(end + seconds(1)))


if __name__ == "__main__":
    unittest.main()
