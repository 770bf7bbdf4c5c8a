#!/usr/bin/python3
"""A database that comes late, or is restored: over another one, after the end, with users of another server."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days, local  # noqa: E402
from practice import DATABASE  # noqa: E402
from stranger_case import PASSWORD, StrangerCase  # noqa: E402


def setUpModule():
    lab.require()


class LateDatabase(StrangerCase):
    def test_database_comes_late(self):
        """Waiting is no error, opens nothing, and ends when the database is there."""
        found = self.lab_make(servers={"sql01": ("Other",)})
        agent, server = found.agent, found.server
        found.agent.client_add("acme", databases=[
            {"role": "staging", "server": "sql01", "name": "AcmeTest"}], users=[
            {"first": "Jane", "last": "Doe", "email": "jane.doe@acme.example",
             "sources": list(lab.JANE)}], **self.dates(self.golive))
        agent.write()
        result = agent.apply(expect=0)
        self.assertRegex(result.out, "waiting: .*AcmeTest")
        self.assertIsNone(server.login(USER))
        self.assertEqual(agent.elements(), [])
        server.script(DATABASE.format(name="AcmeTest"))
        agent.bootstrap("sql01", server)
        self.applied(agent)
        self.assertEqual(server.roles(USER, "AcmeTest"), ["curfew_full"])
        self.assertEqual(len(agent.elements()), 2)

    def test_staging_restored_over_production(self):
        """The backup brings staging's rights: they are narrowed, and the session in it ends."""
        self.acme(("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd"))
        self.applied(self.agent)
        self.server.sql("BACKUP DATABASE [AcmeTest] TO DISK = N'staging.bak'")
        self.applied(self.agent, local(self.golive))
        self.server.sql("RESTORE DATABASE [AcmeProd] FROM DISK = N'staging.bak' WITH REPLACE")
        self.assertEqual(self.server.roles(USER, "AcmeProd"), ["curfew_full"])
        jane = self.jane_in("AcmeProd")
        self.works(jane.sql("INSERT INTO dbo.Orders (Id, Customer) VALUES (3, N'Cleo')"))
        self.applied(self.agent, local(self.golive))
        self.assertEqual(self.server.roles(USER, "AcmeProd"), ["curfew_read_only"])
        self.assertFalse(jane.sql("INSERT INTO dbo.Orders (Id, Customer) VALUES (4, N'Eve')").ok)

    def test_restored_after_the_end(self):
        """A user whose login is long gone comes back with a backup, and is taken away."""
        self.acme()
        self.applied(self.agent)
        self.server.sql("BACKUP DATABASE [AcmeTest] TO DISK = N'old.bak'")
        end = local(self.golive + days(14))
        self.applied(self.agent, end)
        self.assertFalse(self.server.user(USER, "AcmeTest"))
        self.server.sql("RESTORE DATABASE [AcmeTest] FROM DISK = N'old.bak' WITH REPLACE")
        self.assertTrue(self.server.user(USER, "AcmeTest"))
        self.applied(self.agent, end)
        self.assertFalse(self.server.user(USER, "AcmeTest"))

    def test_orphan_is_mapped_at_the_right_level(self):
        """Access begins anew with a new login; an old backup brings the old user, of the old SID."""
        self.acme()
        self.applied(self.agent)
        self.server.sql("BACKUP DATABASE [AcmeTest] TO DISK = N'old.bak'")
        self.applied(self.agent, local(self.golive + days(14)))
        self.applied(self.agent)
        self.server.sql("RESTORE DATABASE [AcmeTest] FROM DISK = N'old.bak' WITH REPLACE")
        self.server.sql(f"ALTER LOGIN [{USER}] WITH PASSWORD = N'{PASSWORD}'")
        orphan = self.found.person("jane")
        self.no_database(orphan.login(USER, PASSWORD, "AcmeTest"))
        self.applied(self.agent, local(self.golive))
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.works(orphan.login(USER, PASSWORD, "AcmeTest"))
        self.refused(orphan.sql("INSERT INTO dbo.Orders (Id, Customer) VALUES (3, N'E')"), 229)


if __name__ == "__main__":
    unittest.main()
