#!/usr/bin/python3
"""Servers that differ: other error numbers, other case, missing features, and names that contain T-SQL.

Each goes through a short life. Its state is read from the server itself, not from the agent.
"""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import OWN_PASSWORD, USER, LabCase  # noqa: E402
from lab import days, local  # noqa: E402
from practice import quoted  # noqa: E402

ROLES = """
USE [{database}];
GO
CREATE ROLE [house_full];
GO
GRANT SELECT, INSERT, UPDATE, DELETE ON SCHEMA::[dbo] TO [house_full];
GO
CREATE ROLE [house_reader];
GO
GRANT SELECT ON SCHEMA::[dbo] TO [house_reader];
GO
"""
MEMBER_OF = {"full": {"member_of": ["house_full"]}, "read_only": {"member_of": ["house_reader"]}}


def setUpModule():
    lab.require()


class ShortLife(LabCase):
    def life(self, *, faults=None, levels=None, must_change=True, exit_codes=(0,), roles=None,
             evidence="server"):
        """Testing, go-live, the end. Returns the laboratory."""
        found = self.lab_make(**({"levels": levels} if levels else {}))
        agent, server = found.agent, found.server
        agent.servers["sql01"].update(must_change=must_change, evidence=evidence)
        if levels:
            for database in ("AcmeTest", "AcmeProd"):
                server.script(ROLES.format(database=database))
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest"),
                                  ("production", "sql01", "AcmeProd")], **self.dates(golive))
        server.faults(**(faults or {}))
        full, reader = roles or ("curfew_full", "curfew_read_only")

        self.applied(agent, expect=exit_codes)
        self.assertEqual(server.roles(USER, "AcmeTest"), [full])
        self.assertFalse(server.user(USER, "AcmeProd"))
        password = agent.handover("acme", USER)
        jane = found.person("jane")
        if must_change:
            self.first_login(found, jane, password)
        else:
            self.works(jane.login(USER, password, "AcmeTest"))
        self.works(jane.sql("INSERT INTO dbo.Orders (Id, Customer) VALUES (3, N'Cleo')"))

        self.applied(agent, local(golive), exit_codes)
        for database in ("AcmeTest", "AcmeProd"):
            self.assertEqual(server.roles(USER, database), [reader])
        self.assertFalse(jane.sql("INSERT INTO dbo.Orders (Id, Customer) VALUES (4, N'Eve')").ok)
        own = OWN_PASSWORD if must_change else password
        self.works(jane.login(USER, own, "AcmeProd"))
        self.works(jane.sql("SELECT COUNT(*) FROM dbo.Orders"), [[2]])
        self.refused(jane.sql("INSERT INTO dbo.Orders (Id, Customer) VALUES (4, N'Eve')"), 229, 33229)

        end = local(golive + days(30))
        self.applied(agent, end, exit_codes)
        server.faults()
        self.nothing_is_left(found, ("sql01", "AcmeTest"), ("sql01", "AcmeProd"))
        return found

    def test_other_error_numbers(self):
        """What is there counts, not the number that an error has."""
        numbers = (229, 262, 911, 916, 3701, 3906, 4701, 6106, 15007, 15023, 15025, 15063, 15138,
                   15151, 15247, 15421, 15434)
        self.life(faults={"error_map": {str(n): 33000 + n % 1000 for n in numbers}})

    def test_lower_case_databases(self):
        self.life(faults={"lowercase_databases": True})

    def test_no_deny_and_roles_of_the_house(self):
        self.life(faults={"no_deny": True}, levels=MEMBER_OF, roles=("house_full", "house_reader"))

    def test_no_deny_with_our_roles(self):
        """Denials that cannot be made: nobody is let in on half a role, and it is said."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")],
                         **self.dates(lab.now() + days(20)))
        found.server.faults(no_deny=True)
        result = found.agent.apply(expect=1)
        self.assertRegex(result.out, r"FAILED . USE \[AcmeTest\]; IF DB_NAME\(\) = N'AcmeTest' DENY CREATE SEQUENCE")
        self.one_error_and_a_sum(result)
        self.assertNotIn("bootstrap", result.out, "no right is missing")
        login = found.server.login(USER)
        self.assertTrue(login is None or login[1], "a login without its terms is enabled")
        self.assertEqual(found.agent.elements(), [])

    def one_error_and_a_sum(self, result):
        """One cause is one error; what was not tried is counted, and the numbers add up."""
        lines = [line.strip() for line in result.out.splitlines()]
        errors = [lines[i + 1] for i, line in enumerate(lines) if line.startswith("FAILED")]
        self.assertEqual(len(errors), len(set(errors)), result.out)
        self.assertNotIn("not tried", result.out)
        self.assertRegex(result.out, r"\n    \d+ changes? skipped: something before failed\n")
        total = re.search(r"\n(\d+) of (\d+) changes made, (\d+) FAILED, (\d+) skipped", result.out)
        self.assertIsNotNone(total, result.out)
        done, planned, failed, skipped = (int(number) for number in total.groups())
        self.assertEqual(done + failed + skipped, planned, result.out)

    def test_no_execute_as(self):
        """Its catalog is enough where the configuration says so; without that nobody is let in."""
        self.life(faults={"no_execute_as": True}, evidence="catalog")

    def test_no_sql_logins(self):
        self.life(faults={"no_sql_logins": True})

    def test_empty_permissions(self):
        """Nothing proved, and said so; what can be seen is as it should be."""
        found = self.life(faults={"empty_permissions": True}, exit_codes=(0, 2))
        self.assertIsNone(found.server.login(USER))

    def test_short_and_long_sids(self):
        for length in (5, 28, 85):
            with self.subTest(length):
                self.life(faults={"sid_length": length})

    def test_no_must_change(self):
        self.life(faults={"no_must_change": True}, must_change=False)

    def test_no_must_change_and_not_told(self):
        """The setting says MUST_CHANGE, the server refuses: no password is shown that was not set."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")],
                         **self.dates(lab.now() + days(20)))
        found.agent.apply(expect=0)
        found.server.faults(no_must_change=True)
        result = found.agent.handover("acme", USER, expect=1)
        self.assertIn("no password was set on any server", result.err)
        self.assertNotIn('"password"', result.out)

    def test_no_application_lock(self):
        """One agent alone can serve it; it says that."""
        self.life(faults={"no_applock": True})

    def test_bootstrapped_by_an_older_version(self):
        """Without the role of the agents' own the lock is one that anybody can hold; all else is the same."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        # After the client, since adding it runs bootstrap again.
        found.server.sql("ALTER ROLE [curfew_lock] DROP MEMBER [curfew_agent]", "master")
        before = len(found.server.records("batch"))
        found.agent.apply(expect=0)
        locks = [r["text"] for r in found.server.records("batch")[before:] if "sp_getapplock" in r["text"]]
        self.assertTrue(any("DbPrincipal" not in text for text in locks), locks)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_full"])
        self.assertFalse(found.server.login(USER)[1], "the login is enabled")

    def test_deadlocks(self):
        """1205 is tried again, a bounded number of times."""
        found = self.life(faults={"deadlock_on": [["ADD MEMBER|DROP USER|CREATE USER", 2]]})
        self.assertIsNone(found.server.login(USER))

    def test_sessions_that_cannot_be_killed(self):
        """Without KILL nobody is let in again at a lower level: the login stays shut, and it is overdue."""
        found = self.lab_make()
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(golive))
        found.agent.apply(expect=0)
        jane = found.person("jane")
        self.first_login(found, jane, found.agent.handover("acme", USER))
        found.server.faults(no_kill=True)
        result = found.agent.apply(local(golive), expect=1)
        self.assertIn("KILL", result.out)
        self.assertTrue(found.server.login(USER)[1], "the login is disabled")
        self.assertEqual(found.agent.elements(), [], "the network is shut")
        self.assertFalse(jane.sql("INSERT INTO dbo.Orders (Id, Customer) VALUES (4, N'Eve')",
                                  timeout=lab.SHUT_SECONDS).ok)
        found.server.faults()
        found.agent.apply(local(golive), expect=0)
        self.assertFalse(found.server.login(USER)[1])


class HostileNames(LabCase):
    """Names are data, wherever they come from."""

    DATABASE = "A'c]m[e]]; DROP LOGIN [sa] --"
    LOGIN = "o'neill]; ALTER SERVER ROLE [sysadmin] ADD MEMBER [o'neill"
    SCHEMA = "s]ch'ema; DROP ROLE [db_owner] --"

    def test_life(self):
        found = self.lab_make(servers={"sql01": (self.DATABASE, "Bystander")})
        agent, server = found.agent, found.server
        server.script(f"USE {quoted(self.DATABASE)}\nGO\nCREATE SCHEMA {quoted(self.SCHEMA)}\nGO\n"
                      f"CREATE TABLE {quoted(self.SCHEMA)}.[t] (Id int NOT NULL)\nGO\n")
        before = server.sql("SELECT name FROM sys.server_principals ORDER BY name")
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", self.DATABASE)], users=[
            {"first": "Seán 'Robert]'); DROP TABLE", "last": "O'Neill 王 --",
             "email": "sean@acme.example", "login": self.LOGIN, "sources": list(lab.JANE)}],
            **self.dates(golive))
        self.applied(agent)
        self.assertEqual(server.roles(self.LOGIN, self.DATABASE), ["curfew_full"])
        password = agent.handover("acme", self.LOGIN)
        person = found.person("jane")
        self.works(person.login(self.LOGIN, password, self.DATABASE, new_password=OWN_PASSWORD))
        self.works(person.sql(f"INSERT INTO {quoted(self.SCHEMA)}.[t] (Id) VALUES (1)"))
        listing = found.hub.run("nft", "list", "table", "inet", "curfew").stdout
        self.assertIn("acme/o", listing)
        self.applied(agent, local(golive))
        self.assertFalse(person.sql(f"INSERT INTO {quoted(self.SCHEMA)}.[t] (Id) VALUES (2)").ok)
        self.assertEqual(server.roles(self.LOGIN, self.DATABASE), ["curfew_read_only"])
        self.applied(agent, local(golive + days(14)))
        self.assertFalse(server.user(self.LOGIN, self.DATABASE))
        self.assertEqual(server.sql("SELECT name FROM sys.server_principals ORDER BY name"), before)
        self.assertEqual(agent.elements(), [])


if __name__ == "__main__":
    unittest.main()
