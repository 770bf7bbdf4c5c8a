#!/usr/bin/python3
"""Triggers of others: none runs with Curfew's permissions unless it was reviewed and nobody else can change what it calls."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days, local  # noqa: E402
from practice import SqlRefused  # noqa: E402
from stranger_case import StrangerCase  # noqa: E402


def setUpModule():
    lab.require()


class Triggers(StrangerCase):
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

if __name__ == "__main__":
    unittest.main()
