#!/usr/bin/python3
"""A login is enabled only while everything that it has is verified: what is added waits, and what is hidden is asked for."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days, local  # noqa: E402
from stranger_case import PASSWORD, StrangerCase  # noqa: E402


def setUpModule():
    lab.require()


class VerifiedFirst(StrangerCase):
    def second_database(self):
        """Jane works in AcmeTest; now her client's file names AcmeProd for testing too, where public has CONTROL."""
        self.acme()
        self.applied(self.agent)
        self.jane_in()
        self.agent.clients.clear()
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("staging", "sql01", "AcmeProd")],
                              **self.dates(self.golive))
        self.agent.write()

    def is_shut(self):
        self.assertTrue(self.server.login(USER)[1])
        self.assertEqual(self.server.sessions_of(USER), [])
        self.assertEqual(self.agent.elements(), [])

    def test_what_is_added_is_verified_first(self):
        """Whoever dies between giving it and asking what it is worth leaves her shut, not let in."""
        self.second_database()
        self.server.sql("GRANT CONTROL TO [public]", "AcmeProd")
        self.server.faults(drop_before_match=r"EXECUTE AS (USER|LOGIN) = N'acme")
        self.agent.apply(expect=(1, 2))
        self.assertTrue(self.server.user(USER, "AcmeProd"))
        self.assertTrue(self.server.login(USER)[1])
        self.assertEqual(self.server.sessions_of(USER), [])
        self.server.faults()
        told = self.agent.apply(expect=(1, 2))
        self.assertIn("CONTROL", told.out)
        self.is_shut()
        self.server.sql("REVOKE CONTROL FROM [public]", "AcmeProd")
        self.applied(self.agent)
        self.assertFalse(self.server.login(USER)[1])
        self.works(self.found.person("jane").login(USER, PASSWORD, "AcmeProd"))

    def test_what_the_server_refuses_to_add(self):
        """It is reported; who waited for it works on where she is verified."""
        self.second_database()
        self.server.faults(fail_on=[[r"CREATE USER", 1105]])
        told = self.agent.apply(expect=(1, 2))
        self.assertIn("Planned failure 1105", told.out)
        self.assertFalse(self.server.user(USER, "AcmeProd"))
        self.assertFalse(self.server.login(USER)[1])
        self.works(self.found.person("jane").login(USER, PASSWORD, "AcmeTest"))
        self.assertNotEqual(self.agent.curfew("status").code, 0)
        self.server.faults()
        self.applied(self.agent)
        self.assertTrue(self.server.user(USER, "AcmeProd"))
        self.assertFalse(self.server.login(USER)[1])

    def next_database(self, state):
        self.second_database()
        self.agent.clients.clear()
        self.server.sql("CREATE DATABASE [AcmeNext]")
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("staging", "sql01", "AcmeProd"),
                                       ("staging", "sql01", "AcmeNext")], **self.dates(self.golive))
        self.agent.write()
        self.server.sql(f"ALTER DATABASE [AcmeNext] SET {state} WITH ROLLBACK IMMEDIATE")
        self.agent.apply(expect=(1, 2))

    def test_another_database_is_unread(self):
        """Then she could not be enabled again: nothing is added, and she is left at work."""
        self.next_database("SINGLE_USER")
        self.assertFalse(self.server.user(USER, "AcmeProd"))
        self.assertFalse(self.server.login(USER)[1])
        self.assertTrue(self.server.sessions_of(USER))
        self.server.sql("ALTER DATABASE [AcmeNext] SET MULTI_USER")
        self.agent.curfew("plan")

    def test_another_database_that_nobody_can_enter(self):
        """It gives nothing, so it holds nothing back."""
        self.next_database("OFFLINE")
        self.assertTrue(self.server.user(USER, "AcmeProd"))
        self.assertFalse(self.server.login(USER)[1])

    def test_a_role_there_is_not_right(self):
        """A role of ours owns a schema of the new database: until a DBA has moved that, nobody gets into it or is shut for it."""
        self.second_database()
        self.server.sql("CREATE ROLE [curfew_full]", "AcmeProd")
        self.server.sql("CREATE SCHEMA [owned] AUTHORIZATION [curfew_full]", "AcmeProd")
        self.agent.apply(expect=(1, 2))
        self.assertFalse(self.server.user(USER, "AcmeProd"))
        self.assertFalse(self.server.login(USER)[1])
        self.assertTrue(self.server.sessions_of(USER))

    def test_nothing_is_added_and_nobody_is_shut(self):
        """While records are missing nothing is given, and nobody is shut for what is not given."""
        self.second_database()
        journal = os.path.join(self.agent.settings["state_directory"], "journal.db")
        os.unlink(journal)
        self.agent.apply(expect=(1, 2))
        self.assertFalse(self.server.user(USER, "AcmeProd"))
        self.assertFalse(self.server.login(USER)[1])

    def test_what_is_hidden_from_the_agent(self):
        """Somebody gives Jane's role-to-be CONTROL, and hides that from the agent: it asks, and shuts her."""
        self.acme(("production", "sql01", "AcmeProd"))
        at = local(self.golive + days(1))
        self.applied(self.agent, at)
        self.assertFalse(self.server.login(USER)[1])
        self.server.sql("CREATE ROLE [z]; GRANT CONTROL TO [z]; DENY VIEW DEFINITION ON ROLE::[z] TO [curfew_agent]; "
                        f"ALTER ROLE [z] ADD MEMBER [{USER}]", "AcmeProd")
        for _ in range(2):
            told = self.agent.apply(at, expect=(1, 2))
            self.is_shut()
        self.assertIn("CONTROL", told.out)


if __name__ == "__main__":
    unittest.main()
