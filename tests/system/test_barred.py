#!/usr/bin/python3
"""Whoever controls a database keeps the agent out of it and widens what a user has there: who has access to it is shut."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import OWN_PASSWORD, USER, LabCase  # noqa: E402
from lab import day, days, local, seconds  # noqa: E402

BOLTS_USER = "bolt.jane.doe"
WIDEN = (f"ALTER ROLE [db_owner] ADD MEMBER [{USER}]", f"ALTER ROLE [curfew_read_only] DROP MEMBER [{USER}]")


def setUpModule():
    lab.require()


class Barred(LabCase):
    def setUp(self):
        """Acme is live, and Jane reads production; another client works on the same server."""
        found = self.lab_make(servers={"sql01": ("AcmeTest", "AcmeProd", "BoltTest")})
        self.server = found.server
        agent = self.agent = found.agent
        found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd", "full")],
                         **self.dates(lab.now() + days(5)))
        found.client_add("bolt", [("staging", "sql01", "BoltTest")], **self.dates(lab.now() + days(5)))
        self.applied(agent)
        jane = found.person("jane")
        self.first_login(found, jane, agent.handover("acme", USER))
        jane.logout()
        agent.clients["acme"].update(go_live=local(lab.now() - seconds(5)), starts=day(lab.now() - days(10)),
                                     approved_on=day(lab.now() - days(12)))
        agent.write()
        self.applied(agent)
        self.works(jane.login(USER, OWN_PASSWORD, "AcmeProd"))

    def by_its_owner(self, *statements):
        for statement in statements:
            self.server.sql(statement, "AcmeProd")

    def is_shut(self, why):
        for _ in range(2):
            told = self.agent.apply(expect=2)
            self.assertIn(why, told.out)
            self.assertIn("stays disabled until the database is read", told.out)
            self.assertTrue(self.server.login(USER)[1])
            self.assertEqual(self.server.sessions_of(USER), [])
        self.assertNotEqual(self.agent.curfew("status", "acme").code, 0)
        self.assertFalse(self.server.login(BOLTS_USER)[1])
        self.assertEqual(self.agent.curfew("status", "bolt").code, 0)

    def opens_again(self):
        self.applied(self.agent)
        self.assertFalse(self.server.login(USER)[1])
        self.assertEqual(self.server.roles(USER, "AcmeProd"), ["curfew_read_only"])

    def test_definitions_are_denied(self):
        self.by_its_owner(*WIDEN, "DENY VIEW DEFINITION TO [public]")
        self.is_shut("the agent login cannot read definitions there")
        self.by_its_owner("REVOKE VIEW DEFINITION FROM [public]")
        self.opens_again()

    def test_single_user(self):
        """A DBA's maintenance looks the same: it is said, and is over when the database is."""
        self.by_its_owner(*WIDEN, "ALTER DATABASE [AcmeProd] SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
        self.is_shut("it is in single-user mode")
        self.server.sql("ALTER DATABASE [AcmeProd] SET MULTI_USER")
        self.opens_again()

    def test_a_grantor_is_hidden(self):
        self.by_its_owner("CREATE USER [x] WITHOUT LOGIN", "CREATE USER [y] WITHOUT LOGIN",
                          "GRANT SELECT ON SCHEMA::[dbo] TO [x] WITH GRANT OPTION",
                          "GRANT SELECT ON SCHEMA::[dbo] TO [y] AS [x]", "DENY VIEW DEFINITION ON USER::[x] TO [public]",
                          *WIDEN)
        self.is_shut("VIEW DEFINITION is denied on them")
        self.by_its_owner("REVOKE VIEW DEFINITION ON USER::[x] FROM [public]")
        self.opens_again()

    def test_what_nobody_there_can_cause(self):
        """Offline, nobody gets in: what she has elsewhere stays as it is."""
        self.server.sql("ALTER DATABASE [AcmeProd] SET OFFLINE WITH ROLLBACK IMMEDIATE")
        self.agent.apply(expect=(1, 2))
        self.assertFalse(self.server.login(USER)[1])


if __name__ == "__main__":
    unittest.main()
