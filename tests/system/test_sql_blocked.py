#!/usr/bin/python3
"""A lock, a rollback, or an offline database of one client affects only that client, and delays no removal."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import OWN_PASSWORD, USER, LabCase  # noqa: E402
from lab import days, local  # noqa: E402

ZETA = "zeta.jane.doe"


def setUpModule():
    lab.require()


class OneOfTwo(LabCase):
    def two_clients(self, **options):
        """Both go live at the same instant; Jane of Acme has a session."""
        found = self.lab_make(servers={"sql01": ("AcmeTest", "ZetaTest")}, **options)
        golive = lab.now() + days(20)
        for name, database in (("acme", "AcmeTest"), ("zeta", "ZetaTest")):
            found.client_add(name, [("staging", "sql01", database)], **self.dates(golive))
        self.applied(found.agent)
        jane = found.person("jane")
        self.first_login(found, jane, found.agent.handover("acme", USER))
        self.works(jane.login(USER, OWN_PASSWORD, "AcmeTest"))
        return found, jane, local(golive + days(1))

    def zeta_reads(self, found):
        self.assertEqual(found.server.roles(ZETA, "ZetaTest"), ["curfew_read_only"])
        self.assertEqual(found.server.login(ZETA)[1], False)

    def acme_is_shut(self, found):
        self.assertEqual(found.server.login(USER)[1], True)
        self.assertEqual(found.server.sessions_of(USER), [])

    def test_a_lock_on_the_catalog(self):
        found, jane, at = self.two_clients()
        found.server.sql("CREATE LOGIN [dev] WITH PASSWORD = N'Some-Passw0rd-of-dev', CHECK_POLICY = OFF")
        found.server.sql("CREATE USER [dev] FOR LOGIN [dev]; ALTER ROLE [db_owner] ADD MEMBER [dev]", "AcmeTest")
        dev = found.person("jane")
        self.works(dev.login("dev", "Some-Passw0rd-of-dev", "AcmeTest"))
        self.works(dev.sql("BEGIN TRANSACTION; ALTER TABLE dbo.Orders ADD Note int NULL"))
        result = found.agent.apply(at, expect=(1, 2))
        self.acme_is_shut(found)
        self.zeta_reads(found)
        self.assertRegex(result.out + found.agent.curfew("status").out, r"holds a lock.*session \d+ of dev")
        self.works(dev.sql("ROLLBACK"))
        self.applied(found.agent, at)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.assertEqual(found.server.login(USER)[1], False)

    def test_another_agent_at_work(self):
        """What is to be taken away needs no lock of the server; what is to be given waits for it."""
        found, jane, at = self.two_clients()
        found.server.sql("CREATE LOGIN [dba] WITH PASSWORD = N'Some-Passw0rd-of-dba', CHECK_POLICY = OFF; "
                         "ALTER SERVER ROLE [sysadmin] ADD MEMBER [dba]")
        dba = found.person("jane")
        self.works(dba.login("dba", "Some-Passw0rd-of-dba", "master"))
        self.works(dba.sql("DECLARE @r int; EXEC @r = sys.sp_getapplock @Resource = N'curfew', "
                           "@LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = 0, "
                           "@DbPrincipal = N'curfew_lock'; SELECT @r"), [[0]])
        result = found.agent.apply(at, expect=(1, 2))
        self.acme_is_shut(found)
        for login, database in ((USER, "AcmeTest"), (ZETA, "ZetaTest")):
            self.assertNotIn("curfew_full", found.server.roles(login, database), "taken away")
            self.assertEqual(found.server.login(login)[1], True)
        self.assertIn("another agent holds the lock", result.out)
        found.server.sql(f"KILL {found.server.sessions_of('dba')[0]['spid']}")
        self.applied(found.agent, at)
        self.zeta_reads(found)

    def test_a_long_rollback(self):
        found, jane, at = self.two_clients()
        self.works(jane.sql("BEGIN TRANSACTION; UPDATE dbo.Orders SET Customer = N'x'"))
        found.server.faults(rollback_milliseconds=3600_000)
        found.agent.apply(at, expect=(0, 1, 2))
        # Nobody waits for a rollback: it goes on.
        self.assertTrue(found.server.sql("SELECT session_id FROM sys.dm_exec_requests WHERE command LIKE N'KILLED%'"))
        self.zeta_reads(found)
        self.assertEqual(found.server.login(USER)[1], True, "shut until its session is gone")
        found.server.faults()
        self.applied(found.agent, at)
        self.assertEqual(found.server.login(USER)[1], False)

    def test_an_offline_database(self):
        found, jane, at = self.two_clients()
        jane.logout()
        found.server.sql("ALTER DATABASE [AcmeTest] SET OFFLINE WITH ROLLBACK IMMEDIATE")
        result = found.agent.apply(at, expect=(1, 2))
        self.acme_is_shut(found)
        self.zeta_reads(found)
        self.assertIn("AcmeTest", result.out)
        found.server.sql("ALTER DATABASE [AcmeTest] SET ONLINE")
        self.applied(found.agent, at)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.assertEqual(found.server.login(USER)[1], False)


if __name__ == "__main__":
    unittest.main()
