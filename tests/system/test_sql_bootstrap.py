#!/usr/bin/python3
"""The bootstrap script: it can be run again, it repairs what a restore broke, and nobody can use it against the agent."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import OWN_PASSWORD, USER, LabCase  # noqa: E402
from lab import days, local  # noqa: E402
from practice import batches  # noqa: E402
from wire import corpus  # noqa: E402

AGENT = "curfew_agent"


def setUpModule():
    lab.require()


class Bootstrap(LabCase):
    def test_again_after_a_restore(self):
        """A restored database brings the agent's user without its login; the same script maps it again."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        sql = found.server.sql
        # As a restore on another server does: the users are there, of a login with another identifier.
        sql(f"ALTER AUTHORIZATION ON SERVER ROLE::[curfew_logins] TO [sa]; DROP LOGIN [{AGENT}]")
        found.agent.apply(expect=1)
        found.agent.bootstrap("sql01", found.server)
        self.applied(found.agent)
        self.assertEqual(found.server.login(USER)[1], False)

    def test_strangers_lock_nobody_out(self):
        """Five wrong passwords for the agent, its lock held by somebody else: go-live happens all the same."""
        found = self.lab_make()
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(golive))
        self.applied(found.agent)
        jane = found.person("jane")
        self.first_login(found, jane, found.agent.handover("acme", USER))
        for _ in range(6):
            self.refused(found.person("jane").login(AGENT, "Some-Wr0ng-Password"), 18456)
        self.works(jane.login(USER, OWN_PASSWORD, "master"))
        held = jane.sql("DECLARE @r int; EXEC @r = sys.sp_getapplock @Resource = N'curfew', @LockMode = N'Exclusive', "
                        "@LockOwner = N'Session', @LockTimeout = 0; SELECT @r")
        self.works(held, [[0]])
        self.applied(found.agent, local(golive + days(1)))
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_read_only"])

    def test_a_lock_that_everybody_may_hold(self):
        """A server whose bootstrap was not run again: it is served, and what is missing is named, with what mends it."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        words = "role curfew_lock is missing in master, or the agent login is not a member"
        self.assertNotIn(words, found.agent.curfew("plan").out)
        found.server.script(f"USE [master]\nGO\nALTER ROLE [curfew_lock] DROP MEMBER [{AGENT}]\nGO\n"
                            "DROP ROLE [curfew_lock]\nGO\n")
        self.assertIn(words, found.agent.curfew("plan", expect=2).out)
        self.assertIn(words, found.agent.apply(expect=0).out)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_full"])
        self.assertEqual(len(found.agent.elements()), 2, "nobody is shut for it")
        self.assertIn(words, found.agent.curfew("status", expect=0).out)
        found.agent.bootstrap("sql01", found.server)
        self.assertNotIn(words, found.agent.curfew("status", expect=0).out)

    def test_references_that_only_owners_read(self):
        """A server whose bootstrap was not run again: without triggers nothing is missing; with one it is trapped, and told."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        view = "ON OBJECT::[sys].[sql_expression_dependencies]"
        found.server.sql(f"REVOKE SELECT {view} FROM [{AGENT}]", "master")
        self.applied(found.agent)
        found.server.sql("CREATE TRIGGER [nightly] ON ALL SERVER FOR CREATE_DATABASE AS SELECT 1")
        found.agent.servers["sql01"]["known_triggers"] = ["nightly"]
        found.agent.write()
        denied = found.agent.curfew("plan", expect=2).out
        self.assertIn("The SELECT permission was denied on the object 'sql_expression_dependencies'", denied)
        report = found.agent.curfew("check-server", "sql01", "--json", expect=2).json
        self.assertEqual({c["name"] for c in report["checks"] if c["result"] == "FAIL"},
                         {"read.server-trigger", "trigger-references"})
        found.agent.bootstrap("sql01", found.server)
        self.applied(found.agent)

    def test_a_database_that_cannot_be_opened(self):
        """Its part is left out, wherever the script's session is then: the agent becomes the owner of no other database."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")],
                         **self.dates(lab.now() + days(20)))
        found.server.sql("ALTER DATABASE [AcmeTest] SET OFFLINE; CREATE LOGIN [dba] WITH PASSWORD = N'Some-Passw0rd-of-dba', "
                         "CHECK_POLICY = OFF; ALTER SERVER ROLE [sysadmin] ADD MEMBER [dba]")
        found.server.faults(use_goes_on=True)
        dba = found.person("jane")
        self.works(dba.login("dba", "Some-Passw0rd-of-dba", "master"))
        for more in ((), ("--drop",)):
            script = found.agent.curfew("bootstrap", "sql01", *more, expect=0).out
            for batch in batches(script.replace("<the password, as N'...'>", "N'unused'")):
                dba.sql(batch)
            self.assertNotIn("db_owner", found.server.roles(AGENT, "master"))
            self.assertEqual(found.server.roles(AGENT, "AcmeProd"), [] if more else ["db_owner"])

    def test_the_way_back(self):
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.assertIsNotNone(found.server.login(AGENT))
        script = found.agent.curfew("bootstrap", "sql01", "--drop", expect=0).out
        for batch in batches(script):
            corpus.add(batch)
        found.server.script(script)
        self.assertIsNone(found.server.login(AGENT))
        self.assertIsNone(found.server.login("curfew_users"))
        for database in ("AcmeTest", "master", "msdb"):
            self.assertFalse(found.server.user(AGENT, database))
        self.assertEqual(found.server.sql("SELECT name FROM sys.server_principals WHERE name = N'curfew_logins'"), [])


if __name__ == "__main__":
    unittest.main()
