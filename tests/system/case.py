"""Shared by the system tests: a lab that ends with its test, and assertions about what users can do."""

import os
import re
import stat
import unittest

import lab
from lab import day, days, local

USER = "acme.jane.doe"
OWN_PASSWORD = "Jane's own pass-phrase 7"


class LabCase(unittest.TestCase):
    def lab_make(self, **options):
        """A laboratory for this test alone."""
        found = lab.Lab(**options)
        self.addCleanup(lambda: self.assertEqual(found.close(), [], "practice server's own faults"))
        return found

    @staticmethod
    def dates(golive, started=10):
        """Of a client that was approved, began to test, and goes live at `golive`."""
        return {"approved_on": day(lab.now() - days(started + 2)),
                "starts": day(lab.now() - days(started)), "go_live": local(golive)}

    def refused(self, answer, *numbers):
        self.assertFalse(answer.ok, f"was not refused: {answer}")
        self.assertEqual(answer.network, "", "the server should have refused, not the network")
        self.assertIn(answer.number, numbers, str(answer))

    def no_database(self, answer):
        """4060, of which python-tds tells the text and the number of what follows it."""
        self.refused(answer, 4060, 18456)
        self.assertIn("Cannot open database", answer.text)

    def reaches(self, person):
        self.works(person.reach(lab.ANSWER_SECONDS))

    def silent(self, person):
        answer = person.reach()
        self.assertFalse(answer.ok, f"{person.target} answered")
        self.assertIn("TimeoutError", answer.network)

    def works(self, answer, rows=None):
        self.assertTrue(answer.ok, str(answer))
        if rows is not None:
            self.assertEqual(answer.rows, rows)
        return answer

    def applied(self, agent, at=None, expect=0, when=""):
        """One pass makes everything as scheduled; a second finds nothing to do.

        A time that is given stands still while the kernel counts on: on a busy machine a deadline can seem early to the
        second. That alone, and then only, is made good and looked at again.
        """
        wanted = {expect} if isinstance(expect, int) else set(expect)
        for _ in range(40):
            agent.apply(at, expect=expect)
            plan = agent.plan(at)
            changes = re.findall(r"^ +([-+~]) ", plan.out, re.M)
            if not at or plan.code != 2 or set(changes) != {"~"}:
                break
        self.assertEqual(changes, [], f"{when}: something is left to do: {plan}")
        # What a pass could not verify the plan cannot either.
        self.assertIn(plan.code, {0} | (wanted & {2}), f"{when}: {plan}")

    def first_login(self, found, person, password, database="AcmeTest"):
        """The one-time password lets nobody in; with a password of her own Jane gets in."""
        self.refused(person.login(USER, password, database), 18488)
        self.works(person.login(USER, password, database, new_password=OWN_PASSWORD))
        self.refused(found.person("jane").login(USER, password, database), 18456)

    def works_as_full(self, jane):
        """Level full: changes and removes what is there, adds nothing."""
        self.works(jane.sql("SELECT Customer FROM dbo.Orders ORDER BY Id"), [["Ada"], ["Bert"]])
        self.works(jane.sql("INSERT INTO dbo.Orders (Id, Customer) VALUES (3, N'Cleo')"))
        self.works(jane.sql("UPDATE dbo.Orders SET Customer = N'Anna' WHERE Id = 1"))
        self.works(jane.sql("SELECT Customer FROM dbo.Orders ORDER BY Id"),
                   [["Anna"], ["Bert"], ["Cleo"]])
        self.works(jane.sql("DROP PROCEDURE dbo.OldImport"))
        self.refused(jane.sql("CREATE TABLE dbo.Mine (Id int NOT NULL)"), 262)
        self.refused(jane.sql("CREATE PROCEDURE dbo.Mine AS SELECT 1"), 262)
        self.refused(jane.sql(f"ALTER ROLE [db_owner] ADD MEMBER [{USER}]"), 15151)
        self.refused(jane.sql("CREATE LOGIN [mine] WITH PASSWORD = N'Some-Passw0rd'"), 15247)

    def reads_only(self, jane, database):
        """Level read-only: looks at everything, changes nothing in any way."""
        self.works(jane.login(USER, OWN_PASSWORD, database))
        self.works(jane.sql("SELECT Id FROM dbo.Orders WHERE Id = 2"), [[2]])
        self.refused(jane.sql("INSERT INTO dbo.Orders (Id, Customer) VALUES (9, N'Eve')"), 229)
        self.refused(jane.sql("UPDATE dbo.Orders SET Customer = N'Eve'"), 229)
        self.refused(jane.sql("DELETE FROM dbo.Orders"), 229)
        self.refused(jane.sql("EXEC dbo.OrderAdd"), 229)
        self.refused(jane.sql("DROP PROCEDURE dbo.OrderAdd"), 3701)
        self.refused(jane.sql("TRUNCATE TABLE dbo.Orders"), 1088, 4701)

    def nothing_is_left(self, found, *databases):
        """No login, no user, no session, no element, and nothing that answers."""
        for server in found.servers.values():
            self.assertIsNone(server.login(USER))
            self.assertEqual(server.sessions_of(USER), [])
        for server, database in databases:
            self.assertFalse(found.servers[server].user(USER, database))
        self.assertEqual(found.agent.elements(), [])
        for target in lab.PUBLIC:
            self.silent(found.person("jane", target))

    def no_secret_was_told(self, found, *passwords):
        """Not on the screen, not in the journal, not in any file of the agent."""
        for password in passwords:
            for said in found.agent.said:
                self.assertNotIn(password, said)
            for folder, _, files in os.walk(found.agent.directory):
                for name in files:
                    path = os.path.join(folder, name)
                    if os.path.basename(folder) == "credentials" or stat.S_ISSOCK(os.lstat(path).st_mode):
                        continue
                    with open(path, "rb") as file:
                        content = file.read()
                    for coded in (password.encode(), password.encode("utf-16-le")):
                        self.assertNotIn(coded, content, name)
