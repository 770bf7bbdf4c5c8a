#!/usr/bin/python3
"""Users are made as curfew_users: a trigger that appears behind the check of such a change has nothing of the agent's."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from agent import AGENT_PASSWORD  # noqa: E402
from case import USER  # noqa: E402
from practice import SqlRefused  # noqa: E402
from stranger_case import StrangerCase  # noqa: E402

USERS = "curfew_users"
CHECKED = "BEGIN CATCH THROW; END CATCH;\n"
# What her trigger tries, and who it is while it does.
TRIES = ("BEGIN TRY {revert}EXEC (N'CREATE LOGIN [hers] WITH PASSWORD = N''Some-Passw0rd-7''') END TRY BEGIN CATCH END CATCH; "
         "BEGIN TRY {revert}EXEC (N'USE [AcmeProd]; CREATE USER [hers] WITHOUT LOGIN') END TRY BEGIN CATCH END CATCH; "
         "INSERT dbo.Seen (Who) SELECT SUSER_SNAME()")


def setUpModule():
    lab.require()


class UserLogin(StrangerCase):
    def opened(self):
        """A client with access, and a table for what a trigger sees."""
        self.acme()
        self.applied(self.agent)
        self.server.sql("CREATE TABLE dbo.Seen (Who nvarchar(128)); GRANT INSERT ON dbo.Seen TO public", "AcmeTest")

    def sent(self, verb, expect=0):
        """The batch in which the agent sends such a statement, up to the reading behind it."""
        before = len(self.server.records("batch"))
        self.agent.apply(expect=expect)
        text = next(b["text"] for b in self.server.records("batch")[before:] if f"{verb} USER [{USER}]" in b["text"])
        return text.split("SELECT N'server'")[0]

    def agent_in(self):
        """A session of the agent login, to send again what the agent has sent."""
        agent = self.found.person("jane")
        self.works(agent.login("curfew_agent", AGENT_PASSWORD, "AcmeTest"))
        return agent

    def late_trigger(self, batch, verb, event, revert):
        """The agent login sends the batch once more; behind the check of the statement a trigger is made."""
        at = batch.rindex(CHECKED, 0, batch.index(f"{verb} USER [{USER}]")) + len(CHECKED)
        late = f"CREATE TRIGGER [late] ON DATABASE FOR {event} AS " + TRIES.format(revert=revert)
        late = late.replace("'", "''")
        agent = self.agent_in()
        return agent.sql(batch[:at] + f"EXEC (N'{late}');\n" + batch[at:])

    def seen(self):
        return {row[0] for row in self.server.sql("SELECT Who FROM dbo.Seen", "AcmeTest")}

    def permissions(self):
        return self.server.sql("SELECT p.permission_name FROM sys.database_permissions AS p "
                               f"WHERE p.grantee_principal_id = DATABASE_PRINCIPAL_ID(N'{USERS}')", "AcmeTest")

    def holds_nothing(self):
        self.assertIsNone(self.server.login("hers"), "her trigger has run with the agent's permissions")
        self.assertFalse(self.server.user("hers", "AcmeProd"))
        self.assertEqual(self.permissions(), [])

    def test_trigger_made_between_check_and_change(self):
        """It runs, as somebody who has nothing elsewhere, and cannot become the agent; the change is done."""
        self.opened()
        self.server.sql(f"DROP USER [{USER}]", "AcmeTest")
        create = self.sent("CREATE")
        self.server.sql(f"DROP LOGIN [{USER}]")
        remap = self.sent("ALTER")
        self.server.sql("CREATE LOGIN [elsewhere] WITH PASSWORD = N'Some-Passw0rd-7'")
        for verb, event, batch, before in (("CREATE", "CREATE_USER", create, f"DROP USER [{USER}]"),
                                           ("ALTER", "ALTER_USER", remap, f"ALTER USER [{USER}] WITH LOGIN = [elsewhere]; DROP LOGIN [{USER}]")):
            for revert in ("", "REVERT; ", "EXEC (N'REVERT'); "):
                with self.subTest(verb, revert=revert):
                    self.server.sql(before, "AcmeTest")
                    self.server.sql("DELETE dbo.Seen", "AcmeTest")
                    answer = self.late_trigger(batch, verb, event, revert)
                    self.assertEqual(self.seen(), {USERS}, answer)
                    self.holds_nothing()
                    self.server.sql("DROP TRIGGER [late] ON DATABASE", "AcmeTest")
                    self.assertTrue(self.server.user(USER, "AcmeTest"))

    def test_trigger_of_the_permissions(self):
        """What is granted to the login is granted as the owner."""
        self.opened()
        self.server.sql(f"DROP USER [{USER}]", "AcmeTest")
        create = self.sent("CREATE")
        for event in ("GRANT_DATABASE", "REVOKE_DATABASE"):
            with self.subTest(event):
                self.server.sql(f"DROP USER [{USER}]; DELETE dbo.Seen", "AcmeTest")
                answer = self.late_trigger(create, "CREATE", event, "")
                self.assertNotIn("curfew_agent", self.seen(), answer)
                self.assertEqual(len(self.seen()), 1, answer)
                self.holds_nothing()
                self.server.sql("DROP TRIGGER [late] ON DATABASE", "AcmeTest")

    def test_more_made_of_the_grant(self):
        """Who controls the database lets the login give it on, and does so: that goes with it (4611 without CASCADE)."""
        self.opened()
        self.server.sql(f"DROP USER [{USER}]; CREATE USER [friend] WITHOUT LOGIN", "AcmeTest")
        create = self.sent("CREATE")
        self.server.sql(f"DROP USER [{USER}]", "AcmeTest")
        agent = self.agent_in()
        self.server.sql(f"GRANT ALTER ANY USER TO [{USERS}] WITH GRANT OPTION; EXECUTE AS USER = N'{USERS}'; "
                        "GRANT ALTER ANY USER TO [friend]; REVERT", "AcmeTest")
        agent.sql(create)
        self.holds_nothing()
        self.assertEqual(self.server.sql("SELECT COUNT(*) FROM sys.database_permissions AS p WHERE p.permission_name = N'ALTER ANY USER'",
                                         "AcmeTest"), [[0]])

    def test_a_change_that_fails_leaves_no_permission(self):
        self.opened()
        self.server.sql(f"DROP USER [{USER}]", "AcmeTest")
        create = self.sent("CREATE")
        self.server.sql(f"DROP USER [{USER}]; CREATE USER [{USER}] WITHOUT LOGIN", "AcmeTest")
        agent = self.agent_in()
        rows = agent.sql(create)
        self.assertIn("15023", str(rows))
        self.assertEqual(agent.sql("SELECT SUSER_SNAME()").rows, [["curfew_agent"]])
        self.holds_nothing()

    def test_what_an_agent_that_died_has_left(self):
        self.opened()
        self.server.sql(f"GRANT CONNECT, ALTER ANY USER TO [{USERS}]", "AcmeTest")
        self.applied(self.agent)
        self.holds_nothing()
        self.assertEqual(len(self.agent.elements()), 2)

    def test_its_user_is_not_there(self):
        """Nothing is run as the agent instead: whoever controls the database could bring that about."""
        self.opened()
        self.server.sql(f"DROP USER [{USERS}]; DROP USER [{USER}]", "AcmeTest")
        self.assertIn(f"This database has no user for login {USERS}", self.agent.apply(expect=1).out)
        self.assertFalse(self.server.user(USER, "AcmeTest"))
        # Nor as a user that only has the name.
        self.server.sql(f"CREATE USER [{USERS}] WITHOUT LOGIN", "AcmeTest")
        self.assertIn(f"This database has no user for login {USERS}", self.agent.apply(expect=1).out)
        self.server.sql(f"DROP USER [{USERS}]", "AcmeTest")
        self.agent.bootstrap("sql01", self.server)
        self.applied(self.agent)
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_full"])

    def test_a_server_whose_bootstrap_was_not_run_again(self):
        """It is served, and what is missing is named, with what mends it."""
        self.acme()
        words = f"login {USERS} is missing"
        self.assertNotIn(words, self.agent.curfew("plan").out)
        self.server.sql(f"DROP LOGIN [{USERS}]")
        self.assertIn(words, self.agent.curfew("plan", expect=2).out)
        self.assertIn(words, self.agent.apply(expect=0).out)
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_full"])
        self.assertEqual(len(self.agent.elements()), 2, "nobody is shut for it")
        self.agent.bootstrap("sql01", self.server)
        self.assertNotIn(words, self.agent.curfew("status", expect=0).out)

    def test_what_is_more_than_bootstrap_makes(self):
        """Enabled, in a role, or with a permission it is not used, and nobody is let in instead as the agent."""
        self.opened()
        words, refused = f"login {USERS} is enabled, is in a server role", f"Login {USERS} is not as bootstrap makes it"
        for more, less in ((f"ALTER LOGIN [{USERS}] ENABLE", f"ALTER LOGIN [{USERS}] DISABLE"),
                           (f"ALTER SERVER ROLE [securityadmin] ADD MEMBER [{USERS}]", f"ALTER SERVER ROLE [securityadmin] DROP MEMBER [{USERS}]"),
                           (f"GRANT ALTER ANY LOGIN TO [{USERS}]", f"REVOKE ALTER ANY LOGIN FROM [{USERS}]")):
            with self.subTest(more):
                self.server.sql(more, "master")
                self.server.sql(f"DROP USER [{USER}]", "AcmeTest")
                self.assertIn(words, self.agent.curfew("plan", expect=2).out)
                self.assertIn(refused, self.agent.apply(expect=1).out)
                self.assertFalse(self.server.user(USER, "AcmeTest"))
                self.assertIn("user-login", self.failed_checks())
                with self.assertRaisesRegex(SqlRefused, "somebody else's, or was changed"):
                    self.agent.bootstrap("sql01", self.server)
                self.server.sql(less, "master")
                self.assertNotIn("user-login", self.failed_checks())
                self.applied(self.agent)
                self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_full"])

    def failed_checks(self):
        return {c["name"] for c in self.agent.curfew("check-server", "sql01", "--json").json["checks"] if c["result"] == "FAIL"}

    def test_it_is_no_finding(self):
        """Bootstrap of a later version makes it on a server whose baseline is without it; what else it gets is one."""
        self.acme()
        self.server.sql(f"DROP USER [{USERS}]; DROP LOGIN [{USERS}]", "AcmeTest")
        self.agent.apply()
        self.agent.bootstrap("sql01", self.server)
        self.applied(self.agent)
        self.assertNotIn(USERS, self.agent.curfew("audit", expect=0).out)
        self.server.sql(f"GRANT VIEW SERVER STATE TO [{USERS}]; USE [AcmeTest]; ALTER ROLE [db_datareader] ADD MEMBER [{USERS}]", "master")
        said = self.agent.curfew("audit", expect=2).out
        self.assertIn(f"VIEW SERVER STATE TO [{USERS}]", said)
        self.assertIn(f"[{USERS}] in [db_datareader]", said)

    def test_in_a_contained_database(self):
        """Nobody becomes another login there: the session does it in master."""
        self.acme()
        self.server.sql("ALTER DATABASE [AcmeTest] SET CONTAINMENT = PARTIAL")
        self.applied(self.agent)
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_full"])

    def test_no_user_has_its_name(self):
        self.acme()
        self.agent.clients["acme"]["users"][0]["login"] = USERS
        self.agent.write()
        self.assertIn("is the login as which Curfew makes users", self.agent.curfew("check", expect=78).out)

    def test_nobody_logs_in_with_it(self):
        self.acme()
        self.applied(self.agent)
        name, disabled = self.server.sql(f"SELECT name, is_disabled FROM sys.sql_logins WHERE name = N'{USERS}'")[0]
        self.assertEqual((name, int(disabled)), (USERS, 1))
        self.assertEqual(self.permissions(), [])
        audit = self.agent.curfew("audit", expect=0).out
        self.assertNotIn(USERS, audit)


if __name__ == "__main__":
    unittest.main()
