#!/usr/bin/python3
"""Changes by others on the server: late databases, unmanaged logins, restores, triggers, tampering, a server that does not
answer, and a second agent."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from agent import Agent  # noqa: E402
from case import USER, LabCase  # noqa: E402
from lab import days, local  # noqa: E402
from practice import DATABASE, SqlRefused  # noqa: E402

PASSWORD = "Set-by-the-DBA-7"


def setUpModule():
    lab.require()


class Strangers(LabCase):
    def setUp(self):
        self.golive = lab.now() + days(20)

    def acme(self, *databases, servers=None, **options):
        """A laboratory with client acme; databases are (role, server, name)."""
        self.found = self.lab_make(**({"servers": servers} if servers else {}), **options)
        self.agent, self.server = self.found.agent, self.found.server
        self.found.client_add("acme", databases or [("staging", "sql01", "AcmeTest")],
                              **self.dates(self.golive))

    def jane_in(self, database="AcmeTest"):
        """Jane with an open session, without the hand-over's detours."""
        self.server.sql(f"ALTER LOGIN [{USER}] WITH PASSWORD = N'{PASSWORD}'")
        jane = self.found.person("jane")
        self.works(jane.login(USER, PASSWORD, database))
        return jane

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

    def test_trigger_would_run_as_us(self):
        """An enabled DDL trigger stops us there: access closes without a statement in that database."""
        self.acme()
        self.applied(self.agent)
        jane = self.jane_in()
        self.server.script(
            "USE [AcmeTest]\nGO\nCREATE TABLE dbo.Trace (Id int IDENTITY(1, 1), Who nvarchar(128))\n"
            "GO\nCREATE TRIGGER [spy] ON DATABASE FOR DDL_DATABASE_LEVEL_EVENTS AS "
            "INSERT INTO dbo.Trace (Who) SELECT SUSER_SNAME();\nGO\n")
        at = local(self.golive)
        self.assertIn("[spy] would run with Curfew's permissions", self.agent.curfew("apply", "--at", at).out)
        self.assertTrue(self.server.login(USER)[1], "wider than it should be: disabled")
        self.assertEqual(self.agent.elements(), [])
        self.assertFalse(jane.sql("SELECT 1", timeout=lab.SHUT_SECONDS).ok)
        self.assertEqual(self.server.sql("SELECT Who FROM dbo.Trace", "AcmeTest"), [])

    def known(self, at):
        """The operator takes over what Curfew says of each trigger that may be reviewed."""
        out = self.agent.curfew("apply", "--at", at).out
        entries = sorted(set(re.findall(r'"(\w+ sha256:[0-9a-f]{64})"', out)))
        self.agent.servers["sql01"]["known_triggers"] = entries
        self.agent.write()
        return out, entries

    def test_reviewed_trigger(self):
        """What it is known by is its text: nobody can put another one under its name."""
        self.acme()
        self.applied(self.agent)
        at = local(self.golive)
        text = "CREATE TRIGGER [guard] ON DATABASE FOR DROP_TABLE AS IF IS_SRVROLEMEMBER(N'sysadmin') = 0 ROLLBACK"
        self.server.sql(text, "AcmeTest")
        self.agent.servers["sql01"]["known_triggers"] = ["guard"]
        self.agent.write()
        out, entries = self.known(at)
        self.assertIn("is not as it was reviewed", out)
        self.assertTrue(self.server.login(USER)[1], "wider than it should be: disabled")
        self.assertEqual(len(entries), 1)
        self.applied(self.agent, at)
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.server.sql(text.replace("CREATE", "ALTER") + "; CREATE LOGIN [hers] WITH PASSWORD = N'Some-Passw0rd-7'", "AcmeTest")
        self.assertIn("is not as it was reviewed", self.agent.curfew("apply", "--at", local(self.golive + days(14))).out)
        self.assertIsNone(self.server.login("hers"))
        self.assertTrue(self.server.login(USER)[1])

    def test_trigger_made_in_the_middle(self):
        """Between the reading and the change: the change's own batch looks once more."""
        self.acme()
        self.applied(self.agent)
        change = rf"ALTER ROLE \[curfew_full\] DROP MEMBER \[{re.escape(USER)}\]"
        before = len(self.server.records("batch"))
        self.agent.apply(local(self.golive))
        text = next(b["text"] for b in self.server.records("batch")[before:] if re.search(change, b["text"]))
        self.server.sql("CREATE TRIGGER [late] ON DATABASE FOR DROP_ROLE_MEMBER AS SELECT 1", "AcmeTest")
        self.server.sql(f"ALTER ROLE [curfew_full] ADD MEMBER [{USER}]", "AcmeTest")
        changes = text[:text.index("SELECT N'server'")] if "SELECT N'server'" in text else text
        self.assertEqual([row[:2] for row in self.server.sql(changes, "AcmeTest") if row[0] != "done"], [["error", 50002]])
        self.assertIn("curfew_full", self.server.roles(USER, "AcmeTest"))

    def test_server_trigger_made_in_the_middle(self):
        """The same for what concerns the server alone: no login is made, enabled, or given a password beside it."""
        self.acme()
        self.applied(self.agent)
        self.agent.handover("acme", USER)
        sent = [b["text"] for b in self.server.records("batch")]
        self.server.sql("CREATE TRIGGER [late] ON ALL SERVER FOR ALTER_LOGIN AS SELECT 1", "master")
        self.server.sql(f"ALTER LOGIN [{USER}] DISABLE")
        before = self.server.sql(f"SELECT password_hash FROM sys.sql_logins WHERE name = N'{USER}'")
        for change in (r"CREATE LOGIN \[", r"ALTER LOGIN \[[^]]*\] ENABLE", r"ALTER LOGIN \[[^]]*\] WITH PASSWORD = N'"):
            with self.subTest(change):
                text = next(t for t in sent if re.search(change, t))
                guard = text.rindex("USE [master]; IF EXISTS", 0, re.search(change, text).start())
                changes = text[guard:].split("SELECT N'server'")[0]
                try:
                    rows = self.server.sql("BEGIN TRY\n" * text.startswith("BEGIN TRY") + changes, "master")
                except SqlRefused as refused:
                    rows = [["error", refused.number]]
                self.assertEqual([row[:2] for row in rows], [["error", 50002]])
                self.assertTrue(self.server.login(USER)[1], "still disabled")
        self.assertEqual(self.server.sql(f"SELECT password_hash FROM sys.sql_logins WHERE name = N'{USER}'"), before)
        self.assertNotEqual(self.agent.curfew("handover", "acme", USER).code, 0, "nobody has reviewed it")

    def test_server_trigger_that_others_steer(self):
        """Its name is reviewed; the table that it writes to is the client's, and so is any trigger on that."""
        self.acme()
        self.applied(self.agent)
        self.server.script("USE [AcmeTest]\nGO\nCREATE TABLE dbo.Trace (Id int IDENTITY(1, 1), Who nvarchar(128))\nGO\n")
        jane, at = self.jane_in(), local(self.golive)
        for text, why, reviewed in (
                ("INSERT INTO AcmeTest.dbo.Trace (Who) SELECT SUSER_SNAME()", "uses objects of other databases", False),
                ("EXEC (N'SELECT 1')", "runs procedures or dynamic SQL with EXEC", True),
                ("IF IS_SRVROLEMEMBER(N'sysadmin') = 1 PRINT N'by a DBA'", None, True)):
            with self.subTest(text):
                self.server.sql(f"CREATE TRIGGER [watch] ON ALL SERVER FOR CREATE_LOGIN, ALTER_LOGIN, DROP_LOGIN AS {text}",
                                "master")
                self.agent.servers["sql01"]["known_triggers"] = ["watch"]
                self.agent.write()
                out, entries = self.known(at) if why else ("", [])
                if why:
                    self.assertIn(f"enabled server trigger [watch] would run with Curfew's permissions and {why}", out)
                    self.assertTrue(self.server.login(USER)[1], "wider than it should be: disabled")
                    self.assertEqual(self.agent.elements(), [])
                    self.assertEqual(len(entries), int(reviewed))
                if reviewed:
                    self.applied(self.agent, at)
                    self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
                self.server.sql("DROP TRIGGER [watch] ON ALL SERVER", "master")
        self.assertFalse(jane.sql("SELECT 1", timeout=lab.SHUT_SECONDS).ok)

    def test_reviewed_trigger_that_others_steer(self):
        """It calls, writes, or runs what a user with full access may alter: no review helps, and logins are shut all the same."""
        self.acme()
        self.applied(self.agent)
        jane = self.jane_in()
        self.server.script("USE [AcmeTest]\nGO\nCREATE TABLE dbo.Trace (Id int IDENTITY(1, 1), Who nvarchar(128))\nGO\n"
                           "CREATE PROCEDURE dbo.Notify AS SELECT 1\nGO\n")
        at = local(self.golive)
        for body, why in (("INSERT INTO dbo.Trace (Who) SELECT SUSER_SNAME()", "uses other objects"),
                          ("EXEC dbo.Notify", "with EXEC"), ("EXEC (N'SELECT 1')", "with EXEC")):
            with self.subTest(body):
                self.server.sql(f"CREATE TRIGGER [spy] ON DATABASE FOR DDL_DATABASE_LEVEL_EVENTS AS {body}", "AcmeTest")
                digest = self.server.sql("SELECT CONVERT(nvarchar(64), HASHBYTES('SHA2_256', m.definition), 2) FROM "
                                         "sys.triggers AS t JOIN sys.sql_modules AS m ON m.object_id = t.object_id "
                                         "WHERE t.name = N'spy'", "AcmeTest")[0][0]
                self.agent.servers["sql01"]["known_triggers"] = [f"spy sha256:{digest}"]
                self.agent.write()
                out, entries = self.known(at)
                self.assertEqual(entries, [])
                self.assertIn("cannot be trusted: it", out)
                self.assertIn(why, out)
                self.assertTrue(self.server.login(USER)[1])
                self.server.sql("DROP TRIGGER [spy] ON DATABASE", "AcmeTest")
        self.assertFalse(jane.sql("SELECT 1", timeout=lab.SHUT_SECONDS).ok)
        self.assertEqual(self.server.sql("SELECT Who FROM dbo.Trace", "AcmeTest"), [])

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

    def test_one_server_does_not_answer(self):
        """The others are served, the network closes on time, and what is overdue is said."""
        self.acme(("staging", "sqltest", "AcmeTest"), ("production", "sqlprod", "AcmeProd", "full"),
                  shape="gateway", servers={"sqltest": ("AcmeTest",), "sqlprod": ("AcmeProd",)},
                  limits={"connect_timeout": 1, "server_deadline": 5})
        self.applied(self.agent)
        production = self.found.servers["sqlprod"]
        production.faults(stall_prelogin=True)
        result = self.agent.apply(local(self.golive), expect=1)
        self.assertRegex(result.out, "UNREACHABLE")
        self.assertRegex(result.out, "OVERDUE: access of 1 grant")
        self.assertEqual(self.found.servers["sqltest"].roles(USER, "AcmeTest"), ["curfew_read_only"])
        four, six = self.found.behind(1)
        open_ends = {end for _, end, _ in self.agent.elements()}
        self.assertFalse(open_ends & {f"{four}:{lab.PORT}", f"[{six}]:{lab.PORT}"},
                         "not proved read-only: not let in")
        end = local(self.golive + days(30))
        self.agent.apply(end, expect=1)
        self.assertEqual(self.agent.elements(), [])
        self.assertEqual(production.roles(USER, "AcmeProd"), ["curfew_full"])
        production.faults()
        self.applied(self.agent, end)
        self.assertIsNone(production.login(USER))

    # ---- two agents ----

    def second(self):
        """Another installation of the same configuration; the packet filter is the first one's."""
        other = Agent(self.found.hub, self.found.path("second"), firewall={"enabled": False})
        other.servers, other.clients = self.agent.servers, self.agent.clients
        for name in other.servers:
            other._write(other.path("credentials", name), other.password + "\n")
        other.write()
        return other

    def test_two_agents_in_turn(self):
        """What one begins the other goes on with: the mark on the server tells whose the login is."""
        self.acme()
        other = self.second()
        self.applied(self.agent)
        # Nothing is on its record and somebody bears the mark: a lost journal looks the same.
        self.assertIn("curfew accept-loss", other.curfew("apply", expect=1).out)
        other.curfew("accept-loss", "--reason", "second gateway", expect=0)
        other.plan(expect=0)
        self.applied(other, local(self.golive))
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.applied(self.agent, local(self.golive))
        self.applied(other, local(self.golive + days(14)))
        self.assertIsNone(self.server.login(USER))
        self.applied(self.agent, local(self.golive + days(14)))

    def test_two_agents_without_the_mark(self):
        """Without the role the ledger alone knows whose a login is: one agent alone should serve such a server.

        The second leaves alone the login that it did not make, but for our own roles: it may only narrow.
        """
        self.acme()
        self.server.sql("DROP SERVER ROLE [curfew_logins]")
        other = self.second()
        self.applied(self.agent)
        result = other.apply(local(self.golive), expect=2)
        self.assertIn("is not managed by Curfew", result.out)
        self.assertFalse(self.server.login(USER)[1])
        self.assertTrue(self.server.user(USER, "AcmeTest"))
        self.assertEqual(self.server.roles(USER, "AcmeTest"), [])
        self.applied(self.agent, local(self.golive))
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.applied(self.agent, local(self.golive + days(14)))
        self.assertIsNone(self.server.login(USER))

    def test_two_agents_at_once(self):
        """Under the server's lock one writes at a time: nothing is made twice. What takes away waits for no lock, so that
        both may say it."""
        self.acme()
        other = self.second()
        for agent in (self.agent, other):
            agent.curfew("accept-loss", "--reason", "two gateways", expect=0)
        for at, role in ((None, ["curfew_full"]), (local(self.golive), ["curfew_read_only"]),
                         (local(self.golive + days(14)), [])):
            more = ["--at", at] if at else []
            both = [agent.start("apply", *more) for agent in (self.agent, other)]
            said = [child.communicate(timeout=60)[0] for child in both]
            self.assertEqual([child.returncode for child in both], [0, 0], "\n".join(said))
            for done, of in re.findall(r"(\d+) of (\d+) changes? made", "\n".join(said)):
                self.assertLessEqual(int(done), int(of), "\n".join(said))
            self.assertEqual(self.server.roles(USER, "AcmeTest"), role)
        texts = [e["text"] for e in self.server.records("batch") if e["login"] == "curfew_agent"]
        for word in ("CREATE LOGIN", "CREATE USER"):
            self.assertEqual(sum(word in text for text in texts), 1, word)
        for word in ("DROP LOGIN", "DROP USER"):
            self.assertTrue(any(word in text for text in texts), word)


if __name__ == "__main__":
    unittest.main()
