#!/usr/bin/python3
"""Changes by others on the server: unmanaged logins, tampering, and what is beyond the permissions of the agent login."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days, local  # noqa: E402
from stranger_case import PASSWORD, StrangerCase  # noqa: E402


def setUpModule():
    lab.require()


class Tampering(StrangerCase):
    def test_login_of_somebody_else(self):
        """Never touched, at no instant; said each time; nobody is let in for it."""
        self.acme()
        self.server.sql(f"CREATE LOGIN [{USER}] WITH PASSWORD = N'{PASSWORD}'")
        self.server.script(f"USE [AcmeTest]\nGO\nCREATE USER [{USER}] FOR LOGIN [{USER}]\nGO\n"
                           f"ALTER ROLE [db_datareader] ADD MEMBER [{USER}]\nGO\n")
        before = self.server.sql("SELECT sid, is_disabled, create_date FROM sys.server_principals "
                                 f"WHERE name = N'{USER}'")
        for at in (None, local(self.golive), local(self.golive + days(14))):
            result = self.agent.apply(at, expect=(1, 2))
            self.assertIn("is not managed by Curfew", result.out)
            self.assertEqual(self.server.sql(
                "SELECT sid, is_disabled, create_date FROM sys.server_principals "
                f"WHERE name = N'{USER}'"), before)
            self.assertEqual(self.server.roles(USER, "AcmeTest"), ["db_datareader"])
            self.assertEqual(self.agent.elements(), [])
        handover = self.agent.handover("acme", USER, expect=1)
        self.assertIn("is not managed by Curfew", handover.err)
        changed = [e["text"] for e in self.server.records("batch")
                   if e["login"] == "curfew_agent" and f"[{USER}]" in e["text"]]
        self.assertEqual(changed, [])

    def test_rights_untold(self):
        """A server that does not say what the agent may do: the agent asks what it still can, and calls nothing verified."""
        self.acme()
        self.server.faults(fail_on=[["IS_SRVROLEMEMBER", 8116]])
        told = self.agent.apply(expect=None).out
        self.assertIn("unverified: the server does not return the agent login's permissions", told)
        self.assertIn(f"unverified: {USER} on AcmeTest", told)
        self.server.faults()
        self.applied(self.agent)

    def test_enabled_by_hand_while_unverified(self):
        """What nobody can verify is not left enabled, also where the packet filter would keep the user out anyway."""
        self.acme()
        self.server.faults(no_execute_as=True)
        self.agent.apply(expect=2)
        self.server.sql(f"ALTER LOGIN [{USER}] ENABLE")
        self.agent.apply(expect=None)
        self.assertEqual(self.server.login(USER)[1], 1)
        self.server.faults()
        self.applied(self.agent)
        self.assertEqual(self.server.login(USER)[1], 0)

    def test_more_is_hidden_behind_a_lock(self):
        """What she has too much of cannot be read while her own transaction is open: she is closed for that alone."""
        self.acme(("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd"))
        self.applied(self.agent)
        self.server.sql("BACKUP DATABASE [AcmeTest] TO DISK = N'staging.bak'")
        self.applied(self.agent, local(self.golive))
        self.server.sql("RESTORE DATABASE [AcmeProd] FROM DISK = N'staging.bak' WITH REPLACE")
        jane = self.jane_in("AcmeProd")
        self.works(jane.sql("BEGIN TRANSACTION; ALTER TABLE dbo.Orders ADD Note int NULL; USE [AcmeTest]"))
        self.applied(self.agent, local(self.golive))
        self.assertEqual(self.server.roles(USER, "AcmeProd"), ["curfew_read_only"])
        self.assertEqual(self.server.sessions_of(USER), [])
        self.assertFalse(self.server.login(USER)[1], "she may read as scheduled")
        self.assertIn("it holds a lock on the catalog", self.agent.curfew("history", expect=0).out)

    def test_who_may_only_read_is_not_closed_for_the_lock_of_another(self):
        self.acme()
        self.applied(self.agent)
        self.applied(self.agent, local(self.golive))
        self.server.sql("CREATE LOGIN [dev] WITH PASSWORD = N'Some-Passw0rd-of-dev', CHECK_POLICY = OFF")
        self.server.sql("CREATE USER [dev] FOR LOGIN [dev]; ALTER ROLE [db_owner] ADD MEMBER [dev]", "AcmeTest")
        jane, dev = self.jane_in("AcmeTest"), self.found.person("jane")
        self.works(dev.login("dev", "Some-Passw0rd-of-dev", "AcmeTest"))
        self.works(jane.sql("BEGIN TRANSACTION; SELECT Id FROM dbo.Orders"))
        self.works(dev.sql("BEGIN TRANSACTION; ALTER TABLE dbo.Orders ADD Note int NULL"))
        # Later than her session began, however long a busy machine took for that.
        self.agent.apply(local(self.golive + lab.seconds(600)), expect=(1, 2))
        self.works(jane.sql("SELECT 1"), [[1]])
        self.assertFalse(self.server.login(USER)[1])

    def test_tampering_is_undone(self):
        """Rights that others gave by hand in our databases are taken back."""
        self.acme(("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd"))
        self.applied(self.agent)
        for text, database in (
                (f"ALTER ROLE [db_owner] ADD MEMBER [{USER}]", "AcmeTest"),
                (f"GRANT CONTROL ON SCHEMA::[dbo] TO [{USER}]", "AcmeTest"),
                (f"GRANT SELECT ON OBJECT::dbo.Orders TO [{USER}] WITH GRANT OPTION", "AcmeTest"),
                (f"CREATE SCHEMA [hers] AUTHORIZATION [{USER}]", "AcmeTest"),
                (f"CREATE USER [{USER}] FOR LOGIN [{USER}]", "AcmeProd"),
                ("GRANT DELETE ON SCHEMA::[dbo] TO [curfew_read_only]", "AcmeTest")):
            with self.subTest(text):
                jane = self.jane_in()
                self.server.sql(text, database)
                self.agent.plan(expect=2)
                self.applied(self.agent)
                self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_full"])
                self.assertFalse(self.server.user(USER, "AcmeProd"))
                if USER in text:
                    self.assertFalse(jane.sql("SELECT 1").ok, "what was open with more has ended")
                jane.logout()

    RARER = ("MESSAGE TYPE [x{0}] {1} VALIDATION = NONE", "CONTRACT [x{0}] {1} ([DEFAULT] SENT BY ANY)",
             "SERVICE [x{0}] {1} ON QUEUE dbo.Work", "REMOTE SERVICE BINDING [x{0}] {1} TO SERVICE N's' WITH USER = [dbo]",
             "ROUTE [x{0}] {1} WITH ADDRESS = N'LOCAL'", "FULLTEXT CATALOG [x{0}] {1}", "FULLTEXT STOPLIST [x{0}] {1}",
             "SEARCH PROPERTY LIST [x{0}] {1}", "ASSEMBLY [x{0}] {1} FROM 0x4D5A",
             "CERTIFICATE [x{0}] {1} ENCRYPTION BY PASSWORD = N'Str0ng-enough' WITH SUBJECT = N's'",
             "SYMMETRIC KEY [x{0}] {1} WITH ALGORITHM = AES_256 ENCRYPTION BY PASSWORD = N'Str0ng-enough'",
             "ASYMMETRIC KEY [x{0}] {1} WITH ALGORITHM = RSA_2048 ENCRYPTION BY PASSWORD = N'Str0ng-enough'")

    def test_what_she_owns_of_rarer_kinds(self):
        """Everything that can have an owner goes back, and others keep what was granted to them on it: she could not be
        removed otherwise."""
        self.acme()
        self.applied(self.agent)
        give = ["CREATE USER [other] WITHOUT LOGIN", "CREATE QUEUE dbo.Work",
                f"CREATE SCHEMA [hers] AUTHORIZATION [{USER}]", "CREATE XML SCHEMA COLLECTION hers.Docs AS N'<schema/>'",
                "GRANT EXECUTE ON XML SCHEMA COLLECTION::hers.Docs TO [other] AS [dbo]",
                "CREATE XML SCHEMA COLLECTION dbo.Hers AS N'<schema/>'",
                f"ALTER AUTHORIZATION ON XML SCHEMA COLLECTION::dbo.Hers TO [{USER}]",
                "GRANT VIEW DEFINITION ON XML SCHEMA COLLECTION::dbo.Hers TO [other] AS [dbo]"]
        for number, form in enumerate(self.RARER):
            kind = form.split(" [")[0]
            give += [f"CREATE {form.format(number, f'AUTHORIZATION [{USER}]')}",
                     f"GRANT VIEW DEFINITION ON {kind}::[x{number}] TO [other] AS [dbo]"]
        give += ["CREATE ROUTE [theirs] WITH ADDRESS = N'LOCAL'", f"GRANT CONTROL ON ROUTE::[theirs] TO [{USER}]"]
        for batch in give:
            self.server.sql(batch, "AcmeTest")
        held = "SELECT p.class, p.permission_name, p.state FROM sys.database_permissions AS p WHERE " \
               "p.grantee_principal_id = USER_ID(N'other') AND p.class <> 0 ORDER BY p.class, p.permission_name"
        before = self.server.sql(held, "AcmeTest")
        self.assertEqual(len(before), 2 + len(self.RARER))
        result = self.agent.apply()
        self.applied(self.agent)
        self.assertEqual(self.server.sql(held, "AcmeTest"), before, result.out)
        self.assertEqual(self.server.sql(f"SELECT COUNT(*) FROM sys.database_permissions AS p WHERE p.class <> 0 AND "
                                         f"p.grantee_principal_id = USER_ID(N'{USER}')", "AcmeTest"), [[0]])
        self.applied(self.agent, local(self.golive + days(14)))
        self.assertFalse(self.server.user(USER, "AcmeTest"))
        self.assertIsNone(self.server.login(USER))

    def test_tampering_beyond_our_rights(self):
        """A server role that the agent may not take away: the login stays shut until a DBA has done it."""
        self.acme()
        self.applied(self.agent)
        jane = self.jane_in()
        self.server.sql(f"ALTER SERVER ROLE [dbcreator] ADD MEMBER [{USER}]")
        result = self.agent.apply(expect=1)
        self.assertIn("FAILED - ALTER SERVER ROLE [dbcreator] DROP MEMBER", result.out)
        self.assertIn("a DBA must run this statement, or those of `curfew bootstrap sql01`", result.out)
        self.assertTrue(self.server.login(USER)[1])
        self.assertEqual(self.agent.elements(), [])
        self.assertFalse(jane.sql("SELECT 1", timeout=lab.SHUT_SECONDS).ok)
        self.server.sql(f"ALTER SERVER ROLE [dbcreator] DROP MEMBER [{USER}]")
        self.applied(self.agent)
        self.assertFalse(self.server.login(USER)[1])

    def test_the_right_to_enter(self):
        """On a server with an endpoint of its own logins hold CONNECT there: no more than to connect, unless they may give it on."""
        self.acme()
        self.server.sql("CREATE ENDPOINT [mine] STATE = STARTED AS TCP (LISTENER_PORT = 1500) FOR TSQL ()")
        # It took the default one from everybody: that is the server's doing, and nobody comes in, neither user nor agent.
        self.assertIn("Login failed for user", self.agent.apply(expect=1).out)
        self.assertEqual(self.agent.elements(), [])
        self.server.sql("GRANT CONNECT ON ENDPOINT::[TSQL Default TCP] TO [public]")
        self.applied(self.agent)
        self.server.sql(f"GRANT CONNECT ON ENDPOINT::[mine] TO [{USER}]")
        jane = self.jane_in()
        self.applied(self.agent)
        self.works(jane.sql("SELECT 1"), [[1]])
        for right in ("CONNECT SQL", "CONNECT ON ENDPOINT::[mine]"):
            with self.subTest(right):
                self.server.sql(f"GRANT {right} TO [{USER}] WITH GRANT OPTION")
                said = self.agent.apply(expect=(1, 2)).out
                # Only who granted it, or who has CONTROL SERVER, may take it back.
                self.assertRegex(said, r"FAILED - .*REVOKE GRANT OPTION FOR "
                                 + re.escape(f"{right} FROM [{USER}] CASCADE AS [sa];"))
                self.assertTrue(self.server.login(USER)[1])
                self.server.sql(f"REVOKE GRANT OPTION FOR {right} FROM [{USER}] CASCADE")
                self.applied(self.agent)
                self.assertFalse(self.server.login(USER)[1])

    def test_what_she_owns_of_the_server(self):
        """The owner of a server role makes herself a member of it, and of an endpoint lets in whom she wants."""
        self.acme()
        self.applied(self.agent)
        for made, kind in (("CREATE SERVER ROLE [hers] AUTHORIZATION [{}]", "SERVER ROLE"),
                           ("CREATE ENDPOINT [hers] AUTHORIZATION [{}] STATE = STARTED AS TCP (LISTENER_PORT = 1500) "
                            "FOR TSQL ()", "ENDPOINT")):
            with self.subTest(kind):
                jane = self.jane_in()
                self.server.sql(made.format(USER))
                # A new endpoint takes the default one from everybody.
                self.server.sql("GRANT CONNECT ON ENDPOINT::[TSQL Default TCP] TO [public]")
                for _ in range(2):
                    said = self.agent.apply(expect=(1, 2)).out
                    self.assertIn(f"{kind.lower()} [hers] is owned by [{USER}]", said)
                    self.assertTrue(self.server.login(USER)[1])
                    self.assertEqual(self.agent.elements(), [])
                self.assertFalse(jane.sql("SELECT 1", timeout=lab.SHUT_SECONDS).ok)
                jane.logout()
                self.assertIn(f"ALTER AUTHORIZATION ON {kind}::[hers] TO [sa]", self.agent.curfew("audit", expect=2).out)
                self.server.sql(f"ALTER AUTHORIZATION ON {kind}::[hers] TO [sa]")
                self.applied(self.agent)
                self.assertFalse(self.server.login(USER)[1])

    def test_a_user_in_tempdb(self):
        """Nobody can be kept out of it, but she need not be its owner there: until the server starts again, as others' work is."""
        self.acme()
        self.applied(self.agent)
        for batch in (f"CREATE USER [{USER}] FOR LOGIN [{USER}]", f"ALTER ROLE [db_owner] ADD MEMBER [{USER}]"):
            self.server.sql(batch, "tempdb")
        said = self.agent.apply(expect=(1, 2)).out
        # The agent has no rights there: a DBA must do it.
        self.assertIn(f"FAILED - USE [tempdb]; IF DB_NAME() = N'tempdb' ALTER ROLE [db_owner] DROP MEMBER [{USER}]", said)
        self.assertTrue(self.server.login(USER)[1])
        self.assertEqual(self.agent.elements(), [])
        end = local(self.golive + days(14))
        self.agent.apply(end, expect=(1, 2))
        said = self.agent.apply(end, expect=(1, 2)).out
        self.assertIn("1 more change FAILED for the same cause", said)
        self.assertIn(f"DROP USER [{USER}]", self.agent.curfew("history", "acme").out)
        self.server.sql(f"DROP USER [{USER}]", "tempdb")
        self.applied(self.agent, end)

    def test_login_enabled_behind_our_back(self):
        """After the end: a login made again by hand is not ours, and said; ours, kept back, is removed."""
        self.acme()
        self.applied(self.agent)
        end = local(self.golive + days(14))
        self.server.faults(fail_on=[["DROP LOGIN", 15434]])
        self.agent.apply(end, expect=1)
        self.assertTrue(self.server.login(USER)[1])
        self.server.faults()
        self.server.sql(f"ALTER LOGIN [{USER}] ENABLE")
        self.applied(self.agent, end)
        self.assertIsNone(self.server.login(USER))


if __name__ == "__main__":
    unittest.main()
