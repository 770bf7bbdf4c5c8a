#!/usr/bin/python3
"""A question to one database that takes for ever: the others of its server are served in the same pass."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import OWN_PASSWORD, USER, LabCase  # noqa: E402
from lab import days, local  # noqa: E402

ZETA = "zeta.jane.doe"
# A question to this database, whatever it asks: no lock is in its way, so LOCK_TIMEOUT does not end it.
SLOW = r"USE \[AcmeTest\]"


def setUpModule():
    lab.require()


class Slow(LabCase):
    def two_clients(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest", "ZetaTest")},
                              limits={"connect_timeout": 2, "server_deadline": 8})
        golive = lab.now() + days(20)
        for name, database in (("acme", "AcmeTest"), ("zeta", "ZetaTest")):
            found.client_add(name, [("staging", "sql01", database)], **self.dates(golive))
        return found, local(golive + days(1))

    def is_said(self, told):
        self.assertIn("no complete answer within 2 seconds", " ".join(told.out.split()))
        self.assertNotIn("nreachable", told.out)

    def test_what_narrows_and_what_opens(self):
        """Zeta becomes read-only, and works on; Acme is closed first, and stays so until its database answers."""
        found, at = self.two_clients()
        self.applied(found.agent)
        acme = found.person("jane")
        self.first_login(found, acme, found.agent.handover("acme", USER))
        self.works(acme.login(USER, OWN_PASSWORD, "AcmeTest"))
        found.server.faults(stall_match=SLOW)
        self.is_said(found.agent.apply(at, expect=(1, 2)))
        self.assertTrue(found.server.login(USER)[1])
        self.assertEqual(found.server.sessions_of(USER), [])
        self.assertEqual(found.server.roles(ZETA, "ZetaTest"), ["curfew_read_only"])
        self.assertFalse(found.server.login(ZETA)[1])
        for command in ("status", "plan"):
            self.is_said(found.agent.curfew(command, *(("--at", at) if command == "plan" else ())))
        found.server.faults()
        self.applied(found.agent, at)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.assertFalse(found.server.login(USER)[1])

    def test_a_first_pass(self):
        """Nobody gets into it, and the others get in."""
        found, _ = self.two_clients()
        found.server.faults(stall_match=SLOW)
        self.is_said(found.agent.apply(expect=(1, 2)))
        self.assertFalse(found.server.user(USER, "AcmeTest"))
        self.assertEqual(found.server.roles(ZETA, "ZetaTest"), ["curfew_full"])
        self.assertFalse(found.server.login(ZETA)[1])


if __name__ == "__main__":
    unittest.main()
