#!/usr/bin/python3
"""Whoever may alter users in one client's database shuts another client's user: who must put it right is said in one line."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER, LabCase  # noqa: E402
from lab import days  # noqa: E402


def setUpModule():
    lab.require()


class UserElsewhere(LabCase):
    def two_clients(self):
        """Jane works for acme; somebody of beta owns beta's database, and makes a user for her login there."""
        found = self.lab_make()
        dates = self.dates(lab.now() + days(20))
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **dates)
        found.client_add("beta", [("staging", "sql01", "AcmeProd")], **dates, users=[
            {"first": "Bo", "last": "Li", "email": "bo@beta.example", "sources": ["198.51.100.99"]}])
        self.applied(found.agent)
        found.server.sql("CREATE LOGIN [mallory] WITH PASSWORD = N'Some-Passw0rd'; "
                         "ALTER AUTHORIZATION ON DATABASE::[AcmeProd] TO [mallory]")
        found.server.sql(f"USE [AcmeProd]; CREATE USER [x] FOR LOGIN [{USER}]")
        self.assertEqual(found.server.login(USER)[1], False)
        return found

    def said(self, found, words, *commands):
        self.assertEqual(found.server.login(USER)[1], True)
        for command in commands:
            told = found.agent.curfew(*command, expect=(1, 2)).out
            self.assertRegex(" ".join(told.split()), words)

    def test_in_a_database_that_is_read_only(self):
        found = self.two_clients()
        found.server.sql("ALTER DATABASE [AcmeProd] SET READ_ONLY")
        found.agent.apply(expect=(1, 2))
        self.said(found, rf"login \[{USER}\] stays disabled because of a user in database \[AcmeProd\], owned by login "
                         r"\[mallory\]: it cannot be removed there \(it is read-only\); a DBA makes the database writable "
                         r"for one pass \(`curfew apply`\), or drops it; Curfew never gave access there: an administrator "
                         r"of that database made the user",
                  ("apply",), ("status", "acme"), ("explain", "acme", USER), ("audit",))
        found.server.sql("ALTER DATABASE [AcmeProd] SET READ_WRITE")
        self.applied(found.agent, expect=(0, 2))
        self.assertFalse(found.server.user("x", "AcmeProd"))
        self.assertEqual(found.server.login(USER)[1], False)

    def test_in_a_database_that_refuses_to_drop_it(self):
        """Error 15136: a module runs as that user."""
        found = self.two_clients()
        found.server.sql("USE [AcmeProd]; EXEC (N'CREATE PROCEDURE dbo.keeps WITH EXECUTE AS N''x'' AS SELECT 1')")
        found.agent.apply(expect=(1, 2))
        self.said(found, rf"login \[{USER}\] stays disabled because of a user in database \[AcmeProd\], owned by login "
                         r"\[mallory\]: it is not removed yet \(`curfew history` has the reason\); Curfew never gave",
                  ("status", "acme"), ("explain", "acme", USER))
        found.server.sql("USE [AcmeProd]; DROP PROCEDURE dbo.keeps")
        self.applied(found.agent, expect=(0, 2))
        self.assertEqual(found.server.login(USER)[1], False)


if __name__ == "__main__":
    unittest.main()
