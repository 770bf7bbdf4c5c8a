#!/usr/bin/python3
"""Triggers of others: none runs with Curfew's permissions unless it was reviewed and nobody else can change what it calls."""

import itertools
import os
import re
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from agent import AGENT_PASSWORD  # noqa: E402
from case import USER  # noqa: E402
from lab import days, local  # noqa: E402
from practice import SqlRefused  # noqa: E402
from stranger_case import StrangerCase  # noqa: E402


# Encrypted, there is no text to compare.
TRIGGER_OPTIONS = ("", "WITH ENCRYPTION")


def outcomes(rows):
    """What became of each change, without the batch's own first and last row."""
    return [row[:2] for row in rows if row[0] not in ("batch", "changed")]


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

    def digest(self, name):
        """Of the trigger's text, as its entry has it."""
        return self.server.sql("SELECT CONVERT(nvarchar(64), HASHBYTES('SHA2_256', m.definition), 2) FROM sys.triggers AS t "
                               "JOIN sys.sql_modules AS m ON m.object_id = t.object_id WHERE t.name = N'" + name + "'",
                               "AcmeTest")[0][0]

    def test_reviewed_trigger(self):
        """What it is known by is its text: nobody can put another one under its name."""
        self.acme()
        self.applied(self.agent)
        at = local(self.golive)
        text = "CREATE TRIGGER [guard] ON DATABASE FOR DROP_ROLE AS IF IS_SRVROLEMEMBER(N'sysadmin') = 0 ROLLBACK"
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

    def test_a_reviewed_trigger_that_is_no_more(self):
        """Altered, disabled, or dropped: its entry stays in the file, and that is said, and refuses nothing."""
        self.acme()
        self.applied(self.agent)
        text = "CREATE TRIGGER [guard] ON DATABASE FOR DROP_ROLE AS IF IS_SRVROLEMEMBER(N'sysadmin') = 0 ROLLBACK"
        self.server.sql(text, "AcmeTest")
        reviewed = f"guard sha256:{self.digest('guard')}"
        self.agent.servers["sql01"]["known_triggers"] = [reviewed]
        self.agent.write()
        stale = f'known_triggers lists "{reviewed}", and no enabled trigger'
        for command in (["plan"], ["status"]):
            self.assertNotIn("known_triggers", self.agent.curfew(*command, expect=0).out)
        self.server.sql(text.replace("CREATE", "ALTER") + "; PRINT N'x'", "AcmeTest")
        self.assertIn(stale, self.agent.curfew("plan").out)
        self.server.sql("DROP TRIGGER [guard] ON DATABASE", "AcmeTest")
        for command in (["plan"], ["status"], ["apply"]):
            said = self.agent.curfew(*command, expect=0)
            self.assertIn(f"ok: {stale}" if command == ["plan"] else stale, said.out)
        (note,) = self.agent.curfew("status", "--json", expect=0).json["notes"]
        self.assertEqual((note["server"], note["state"]), ("sql01", "ok"))
        self.assertNotIn("known_triggers", self.agent.curfew("explain", "acme", USER).out)
        # What is not read may have it.
        self.server.faults(database_state={"AcmeTest": "offline"})
        self.assertNotIn(stale, self.agent.curfew("plan").out)

    def test_a_trigger_answers_in_our_place(self):
        """It may be run, and its rows have the form of a reading: somebody else's login under the SID of one of ours."""
        self.acme()
        self.applied(self.agent)
        self.server.sql("CREATE LOGIN [shop_app] WITH PASSWORD = N'Some-Passw0rd-7', CHECK_POLICY = OFF")
        self.server.sql(
            "CREATE TRIGGER [guard] ON DATABASE FOR DROP_ROLE_MEMBER, ADD_ROLE_MEMBER AS SELECT N'principal', 9999, "
            f"CAST(N'shop_app' AS varbinary(256)), SUSER_SID(N'{USER}'), 'S', 1, 100000, CAST(N'master' AS varbinary(256)), NULL; "
            "SELECT N'done', 0; SELECT N'done', 1, NEWID(); SELECT N'changed', NEWID()", "AcmeTest")
        at = local(self.golive)
        self.known(at)
        self.applied(self.agent, at)
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.assertIsNotNone(self.server.login("shop_app"))
        self.assertNotIn("shop_app", self.agent.curfew("history", "acme").out)

    def test_triggers_of_the_product(self):
        """Change Data Capture and a publication have triggers that nobody may disable, and that nothing of ours fires."""
        self.acme()
        self.server.script("USE [AcmeTest]\nGO\nCREATE TABLE dbo.Trace (Id int IDENTITY(1, 1), Who nvarchar(128))\nGO\n")
        body = "INSERT INTO dbo.Trace (Who) SELECT SUSER_SNAME(); EXEC (N'SELECT 1')"
        for event in ("ALTER_TABLE", "DROP_TABLE", "DDL_TABLE_VIEW_EVENTS"):
            self.server.sql(f"CREATE TRIGGER [tr_MStran_{event}] ON DATABASE FOR {event} AS {body}", "AcmeTest")
        self.applied(self.agent)
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_full"])
        at = local(self.golive)
        # Its name is nothing: one that fires on what we do is nobody's but a stranger's.
        self.server.sql(f"ALTER TRIGGER [tr_MStran_ALTER_TABLE] ON DATABASE FOR ALTER_TABLE, DROP_ROLE_MEMBER AS {body}", "AcmeTest")
        self.assertIn("would run with Curfew's permissions", self.agent.curfew("apply", "--at", at).out)
        self.assertTrue(self.server.login(USER)[1], "wider than it should be: disabled")
        self.server.sql(f"ALTER TRIGGER [tr_MStran_ALTER_TABLE] ON DATABASE FOR ALTER_TABLE AS {body}", "AcmeTest")
        self.applied(self.agent, at)
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.assertEqual(self.server.sql("SELECT Who FROM dbo.Trace", "AcmeTest"), [])

    def test_schema_of_change_data_capture(self):
        """A job of the product runs what lies in it: nobody with full access may alter that."""
        self.acme()
        for batch in ("CREATE USER [cdc] WITHOUT LOGIN; ALTER ROLE [db_owner] ADD MEMBER [cdc]",
                      "CREATE SCHEMA [cdc] AUTHORIZATION [cdc]", "CREATE SCHEMA [own]"):
            self.server.sql(batch, "AcmeTest")
        self.applied(self.agent)
        self.assertEqual(self.server.sql(
            "SELECT DISTINCT s.name FROM sys.database_permissions AS p JOIN sys.schemas AS s ON s.schema_id = p.major_id "
            "WHERE p.class = 3 AND p.grantee_principal_id = DATABASE_PRINCIPAL_ID(N'curfew_full') ORDER BY s.name", "AcmeTest"),
            [["dbo"], ["own"]])

    def changes_of_golive(self):
        """The batch that takes full access away, and everything again as it was before it."""
        self.acme()
        self.applied(self.agent)
        change = rf"ALTER ROLE \[curfew_full\] DROP MEMBER \[{re.escape(USER)}\]"
        before = len(self.server.records("batch"))
        self.agent.apply(local(self.golive))
        text = next(b["text"] for b in self.server.records("batch")[before:] if re.search(change, b["text"]))
        self.server.sql(f"ALTER ROLE [curfew_full] ADD MEMBER [{USER}]", "AcmeTest")
        return text.split("SELECT N'server'")[0]

    def test_trigger_made_behind_the_first_change(self):
        """Each change of a batch looks once more."""
        changes = self.changes_of_golive()
        done = "SELECT N'done' AS [part], 0, CAST(@token AS nvarchar(36));\n"
        self.assertEqual(changes.count("SELECT N'done'"), 2, changes)
        late = "EXEC (N'CREATE TRIGGER [late] ON DATABASE FOR DDL_DATABASE_LEVEL_EVENTS AS SELECT 1');\n"
        rows = self.server.sql(changes.replace(done, done + late), "AcmeTest")
        self.assertEqual(outcomes(rows), [["done", 0], ["error", 50002]])

    def test_trigger_hidden_behind_a_denial(self):
        """What the check cannot see may be there: nothing is run as the agent, whose rows the denial hides."""
        self.acme()
        before = len(self.server.records("batch"))
        self.applied(self.agent)
        change = rf"CREATE USER \[{re.escape(USER)}\]"
        text = next(b["text"] for b in self.server.records("batch")[before:] if re.search(change, b["text"]))
        at = re.search(change, text).start()
        alone = text[text.rindex("SET LOCK_TIMEOUT 0;\n", 0, text.rindex("BEGIN TRY\nUSE", 0, at)):].split("IF DB_NAME() = N'AcmeTest' SELECT")[0]
        self.server.sql(f"DROP USER [{USER}]; DENY VIEW DEFINITION TO [curfew_agent]", "AcmeTest")
        self.server.sql("EXEC (N'CREATE TRIGGER [late] ON DATABASE FOR CREATE_USER AS "
                        "EXEC (N''CREATE LOGIN [hers] WITH PASSWORD = NSome-Passw0rd-7'')')", "AcmeTest")
        agent = self.found.person("jane")
        self.works(agent.login("curfew_agent", AGENT_PASSWORD, "AcmeTest"))
        self.assertFalse(agent.sql(alone).ok)
        self.assertIsNone(self.server.login("hers"))

    def dev_in(self):
        """A db_owner who is no login of ours."""
        self.server.sql("CREATE LOGIN [dev] WITH PASSWORD = N'Some-Passw0rd-of-dev', CHECK_POLICY = OFF")
        self.server.sql("CREATE USER [dev] FOR LOGIN [dev]; ALTER ROLE [db_owner] ADD MEMBER [dev]", "AcmeTest")
        dev = self.found.person("jane")
        self.works(dev.login("dev", "Some-Passw0rd-of-dev", "AcmeTest"))
        return dev

    def agent_blocked(self, changes):
        """The agent's batch, which waits for a lock or has ended; and its rows."""
        rows = []
        agent = threading.Thread(target=lambda: rows.extend(self.server.sql(changes, "AcmeTest")))
        agent.start()
        while agent.is_alive() and self.server.sql(
                "SELECT COUNT(*) FROM sys.dm_exec_requests WHERE blocking_session_id <> 0") == [[0]]:
            time.sleep(0.01)
        return agent, rows

    def test_trigger_enabled_while_a_check_waits(self):
        """A check that waited at one trigger does not look again at those that it had read: one of them is enabled meanwhile."""
        changes = self.changes_of_golive()
        dev = self.dev_in()
        self.works(dev.sql("EXEC (N'CREATE TRIGGER [late] ON DATABASE FOR DROP_ROLE_MEMBER AS IF SUSER_SNAME() <> N''dev'' "
                           "EXEC (N''CREATE LOGIN [hers] WITH PASSWORD = NSome-Passw0rd-7'')'); "
                           "EXEC (N'CREATE TRIGGER [wall] ON DATABASE FOR DROP_TABLE AS SELECT 1'); "
                           "DISABLE TRIGGER [late], [wall] ON DATABASE"))
        self.works(dev.sql("BEGIN TRANSACTION; EXEC (N'ALTER TRIGGER [wall] ON DATABASE FOR DROP_TABLE AS SELECT 2'); "
                           "DISABLE TRIGGER [wall] ON DATABASE"))
        agent, rows = self.agent_blocked(changes)
        self.server.sql("ENABLE TRIGGER [late] ON DATABASE", "AcmeTest")
        self.works(dev.sql("COMMIT"))
        agent.join()
        self.assertIsNone(self.server.login("hers"), "her trigger has run with the agent's permissions")
        self.assertEqual(outcomes(rows), [["error", 1222]])

    def test_check_that_a_lock_stops(self):
        """It has seen nothing then, so nothing is run behind it: also of a change that is sent by itself."""
        self.acme()
        self.applied(self.agent)
        dev = self.dev_in()
        self.works(dev.sql("EXEC (N'CREATE TRIGGER [wall] ON DATABASE FOR DROP_TABLE AS SELECT 1'); "
                           "DISABLE TRIGGER [wall] ON DATABASE"))
        self.server.sql(f"ALTER ROLE [db_datawriter] ADD MEMBER [{USER}]", "AcmeTest")
        change = rf"ALTER ROLE \[db_datawriter\] DROP MEMBER \[{re.escape(USER)}\]"
        before = len(self.server.records("batch"))
        self.server.faults(deadlock_on=f"{change},1")
        self.applied(self.agent)
        alone = [b["text"] for b in self.server.records("batch")[before:] if re.search(change, b["text"])]
        self.assertEqual(len(alone), 2)
        self.server.sql(f"ALTER ROLE [db_datawriter] ADD MEMBER [{USER}]", "AcmeTest")
        self.works(dev.sql("BEGIN TRANSACTION; EXEC (N'ALTER TRIGGER [wall] ON DATABASE FOR DROP_TABLE AS SELECT 2')"))
        with self.assertRaises(SqlRefused) as refused:
            self.server.sql(alone[1], "AcmeTest")
        self.assertEqual(refused.exception.number, 1222)
        self.works(dev.sql("ROLLBACK"))
        self.assertIn("db_datawriter", self.server.roles(USER, "AcmeTest"))

    def test_trigger_made_while_a_change_waits(self):
        """A lock holds a change back behind its last look; its holder makes the trigger, and lets the change go on."""
        changes = self.changes_of_golive()
        dev = self.dev_in()
        self.works(dev.sql(f"BEGIN TRANSACTION; ALTER ROLE [db_datareader] ADD MEMBER [{USER}]"))
        agent, rows = self.agent_blocked(changes)
        self.works(dev.sql("EXEC (N'CREATE TRIGGER [late] ON DATABASE FOR DROP_ROLE_MEMBER AS IF SUSER_SNAME() <> N''dev'' "
                           "EXEC (N''CREATE LOGIN [hers] WITH PASSWORD = N''''Some-Passw0rd-7'''''')')"))
        self.works(dev.sql("COMMIT"))
        agent.join()
        self.assertIsNone(self.server.login("hers"), "her trigger has run with the agent's permissions")
        self.assertEqual(outcomes(rows), [["error", 1222]])

    LATE = ("CREATE TRIGGER [late] ON DATABASE FOR DROP_ROLE_MEMBER AS BEGIN TRY {revert}"
            "EXEC (N'CREATE LOGIN [hers] WITH PASSWORD = N''Some-Passw0rd-7''') END TRY BEGIN CATCH PRINT ERROR_MESSAGE() END CATCH")

    def late_trigger(self, changes, revert=""):
        """The agent login sends once more what takes full access away; behind the check of that change a trigger is made."""
        checked = "BEGIN CATCH THROW; END CATCH;\n"
        at = changes.rindex(checked, 0, changes.index("[curfew_full] DROP MEMBER")) + len(checked)
        late = self.LATE.format(revert=revert).replace("'", "''")
        agent = self.found.person("jane")
        self.works(agent.login("curfew_agent", AGENT_PASSWORD, "AcmeTest"))
        return agent.sql(changes[:at] + f"EXEC (N'{late}');\n" + changes[at:])

    def test_trigger_made_between_check_and_change(self):
        """It runs, and has what the owner has in that database: no login of hers, and the change is done."""
        changes = self.changes_of_golive()
        for revert in ("", "REVERT; ", "EXEC (N'REVERT'); "):
            with self.subTest(revert):
                answer = self.late_trigger(changes, revert)
                self.assertIsNone(self.server.login("hers"), "her trigger has run with the agent's permissions")
                self.assertEqual(self.server.sql("SELECT name FROM sys.triggers WHERE parent_class = 0", "AcmeTest"), [["late"]])
                self.assertNotIn("curfew_full", self.server.roles(USER, "AcmeTest"), answer)
                self.server.sql("DROP TRIGGER [late] ON DATABASE; "
                                f"ALTER ROLE [curfew_full] ADD MEMBER [{USER}]; ALTER ROLE [curfew_read_only] DROP MEMBER [{USER}]", "AcmeTest")

    def test_databases_without_an_owner_to_be(self):
        """One that came from another server is changed as the agent; one whose owner the agent may not be is shut."""
        self.acme()
        self.applied(self.agent)
        self.server.faults(foreign_dbo="AcmeTest")
        self.server.sql(f"ALTER ROLE [db_datawriter] ADD MEMBER [{USER}]", "AcmeTest")
        self.applied(self.agent)
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_full"])
        self.server.faults()
        self.server.sql("DENY IMPERSONATE ON USER::dbo TO [curfew_agent]", "AcmeTest")
        self.server.sql(f"ALTER ROLE [db_datawriter] ADD MEMBER [{USER}]", "AcmeTest")
        self.assertIn("Cannot execute as the database principal", self.agent.apply(expect=(1, 2)).out)
        self.assertTrue(self.server.login(USER)[1], "wider than it should be: disabled")
        self.assertIn("db_datawriter", self.server.roles(USER, "AcmeTest"))

    def test_an_owner_of_whom_the_server_says_nothing(self):
        """An owner that is there and denied looks like one that is not: nothing is run unless the server shows which."""
        changes = self.changes_of_golive()
        self.server.sql("DENY IMPERSONATE ON USER::dbo TO [curfew_agent]", "AcmeTest")
        agent = self.found.person("jane")
        self.works(agent.login("curfew_agent", AGENT_PASSWORD, "AcmeTest"))
        self.server.faults(null_columns="database_principals.sid")
        answer = self.works(agent.sql(changes))
        self.assertEqual(outcomes(answer.rows), [["error", 15517]])
        self.assertIn("curfew_full", self.server.roles(USER, "AcmeTest"))

    def test_trustworthy_database(self):
        """Its owner reaches the server, as sysadmin here: nothing is run as that one."""
        changes = self.changes_of_golive()
        self.server.sql("ALTER DATABASE [AcmeTest] SET TRUSTWORTHY ON")
        late = "ALTER SERVER ROLE [sysadmin] ADD MEMBER [curfew_agent]"
        self.LATE = self.LATE.replace("EXEC (N'CREATE LOGIN [hers] WITH PASSWORD = N''Some-Passw0rd-7''')", late)
        self.late_trigger(changes)
        self.assertEqual(self.server.sql("SELECT IS_SRVROLEMEMBER(N'sysadmin', N'curfew_agent')"), [[0]])

    def test_trigger_with_a_syntax_error(self):
        """Its error has the number of a server that does not know EXECUTE AS: the change is not sent without it."""
        self.acme()
        self.applied(self.agent)
        self.server.sql("CREATE TRIGGER [typo] ON ALL SERVER FOR DROP_ROLE_MEMBER AS EXEC (N'(')", "master")
        at = local(self.golive)
        self.assertEqual(len(self.known(at)[1]), 1)
        before = len(self.server.records("batch"))
        self.assertIn("Incorrect syntax", self.agent.apply(at, expect=1).out)
        sent = [b["text"] for b in self.server.records("batch")[before:] if "[curfew_full] DROP MEMBER" in b["text"]]
        self.assertTrue(sent)
        self.assertEqual([text for text in sent if "EXECUTE AS USER = N'dbo'" not in text], [])
        self.assertTrue(self.server.login(USER)[1], "wider than it should be: disabled")

    def guard_raises(self, number, at):
        """A trigger that was reviewed stands for one that comes between the check and the change; from 13000 on RAISERROR raises
        any number of the server's messages."""
        self.server.sql("CREATE OR ALTER TRIGGER [guard] ON DATABASE FOR DROP_ROLE_MEMBER, ADD_ROLE_MEMBER, CREATE_USER, DROP_USER AS "
                        f"ROLLBACK; RAISERROR({number}, 16, 1, N'drop', N'user', N'x')", "AcmeTest")
        self.agent.servers["sql01"]["known_triggers"] = [f"guard sha256:{self.digest('guard')}"]
        self.agent.write()
        self.agent.apply(at, expect=(1, 2))

    def bob_alone_is_let_in(self):
        self.assertEqual({e[0] for e in self.agent.elements()}, {"203.0.113.9"})
        self.assertFalse(self.server.login("bolt.bob.ray")[1])

    def test_a_trigger_raises_numbers_that_mean_something(self):
        """None opens or keeps anything, none is taken for a removal, and nobody else is held up."""
        self.acme(servers={"sql01": ("AcmeTest", "BoltTest")})
        bob = {"first": "Bob", "last": "Ray", "email": "bob@bolt.example", "sources": ["203.0.113.9"]}
        self.found.client_add("bolt", [("staging", "sql01", "BoltTest")], users=[bob], **self.dates(self.golive))
        at, end = local(self.golive), local(self.golive + days(31))
        for number in (15023, 15063):
            self.guard_raises(number, None)
            self.bob_alone_is_let_in()
            self.assertFalse(self.server.user(USER, "AcmeTest"))
        self.server.sql("DROP TRIGGER [guard] ON DATABASE", "AcmeTest")
        self.applied(self.agent)
        for number in (15136, 15151, 15404, 15517, 40517):
            with self.subTest(number):
                self.guard_raises(number, at)
                self.bob_alone_is_let_in()
                self.assertTrue(self.server.login(USER)[1], "wider than it should be: disabled")
                self.assertEqual(self.server.roles("bolt.bob.ray", "BoltTest"), ["curfew_read_only"])
        self.guard_raises(15151, end)
        self.assertTrue(self.server.user(USER, "AcmeTest"))
        self.assertNotEqual(self.agent.curfew("certificate", "acme", "--at", end).code, 0)
        self.assertEqual([e for e in self.agent.curfew("history", "acme", "--json").json
                          if e["action"] == "user-drop" and e["outcome"] == "done"], [])

    def test_trigger_made_in_the_middle(self):
        """Between the reading and the change: the change's own batch looks once more."""
        changes = self.changes_of_golive()
        for options in TRIGGER_OPTIONS:
            with self.subTest(options):
                self.server.sql(f"CREATE TRIGGER [late] ON DATABASE {options} FOR DROP_ROLE_MEMBER AS SELECT 1", "AcmeTest")
                self.assertEqual([row for row in outcomes(self.server.sql(changes, "AcmeTest")) if row[0] != "done"], [["error", 50002]])
                self.assertIn("curfew_full", self.server.roles(USER, "AcmeTest"))
                self.server.sql("DROP TRIGGER [late] ON DATABASE", "AcmeTest")

    def test_server_trigger_made_in_the_middle(self):
        """The same for what concerns the server alone: no login is made, enabled, or given a password beside it."""
        self.acme()
        self.applied(self.agent)
        self.agent.handover("acme", USER)
        sent = [b["text"] for b in self.server.records("batch")]
        self.server.sql(f"ALTER LOGIN [{USER}] DISABLE")
        before = self.server.sql(f"SELECT password_hash FROM sys.sql_logins WHERE name = N'{USER}'")
        for options, change in itertools.product(TRIGGER_OPTIONS, (
                r"CREATE LOGIN \[", r"ALTER LOGIN \[[^]]*\] ENABLE", r"ALTER LOGIN \[[^]]*\] WITH PASSWORD = N'")):
            with self.subTest(change, options=options):
                self.server.sql("DROP TRIGGER IF EXISTS [late] ON ALL SERVER; "
                                f"EXEC (N'CREATE TRIGGER [late] ON ALL SERVER {options} FOR ALTER_LOGIN AS SELECT 1')", "master")
                text = next(t for t in sent if re.search(change, t))
                guard = text.rindex("BEGIN TRY\nUSE [master]; IF EXISTS", 0, re.search(change, text).start())
                changes = text[guard:].split("SELECT N'server'")[0]
                try:
                    rows = self.server.sql(re.match(r"(DECLARE @token [^\n]*\nSELECT [^\n]*\n)?(DECLARE @cookie [^\n]*\n)?(BEGIN TRY\n)?", text)[0] + changes, "master")
                except SqlRefused as refused:
                    rows = [["error", refused.number]]
                self.assertEqual(outcomes(rows), [["error", 50002]])
                self.assertTrue(self.server.login(USER)[1], "still disabled")
        self.assertEqual(self.server.sql(f"SELECT password_hash FROM sys.sql_logins WHERE name = N'{USER}'"), before)
        self.assertNotEqual(self.agent.curfew("handover", "acme", USER).code, 0, "nobody has reviewed it")

    def test_server_trigger_that_others_steer(self):
        """Its name is reviewed; the table that it writes to is the client's, and so is any trigger on that."""
        self.acme()
        self.applied(self.agent)
        self.server.script("USE [AcmeTest]\nGO\nCREATE TABLE dbo.Trace (Id int IDENTITY(1, 1), Who nvarchar(128))\nGO\n"
                           "USE [master]\nGO\nCREATE PROCEDURE dbo.assign_rights AS PRINT N'done'\nGO\n"
                           "GRANT EXECUTE ON dbo.assign_rights TO [public]\nGO\n")
        jane, at = self.jane_in(), local(self.golive)
        for text, why, reviewed in (
                ("INSERT INTO AcmeTest.dbo.Trace (Who) SELECT SUSER_SNAME()", "uses objects of other databases", False),
                # Not an EXECUTE AS: a procedure of master, which no list of references counts.
                ("EXECUTE assign_rights", "runs procedures or dynamic SQL with EXEC", True),
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
                self.agent.servers["sql01"]["known_triggers"] = [f"spy sha256:{self.digest('spy')}"]
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
