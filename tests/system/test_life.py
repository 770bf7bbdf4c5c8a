#!/usr/bin/python3
"""The whole life of a client, with real packets: from approval to the last day and past it."""

import os
import time
import unittest

import lab
from lab import days, day, local, seconds

USER = "acme.jane.doe"
OWN_PASSWORD = "Jane's own pass-phrase 7"


def setUpModule():
    lab.require()


class Life(unittest.TestCase):
    """Steps that both shapes of a life go through."""

    def lab_make(self, **options):
        found = lab.Lab(**options)
        self.addCleanup(lambda: self.assertEqual(found.close(), [], "practice server's own faults"))
        return found

    def refused(self, answer, *numbers):
        self.assertFalse(answer.ok, f"was not refused: {answer}")
        self.assertEqual(answer.network, "", "the server should have refused, not the network")
        self.assertIn(answer.number, numbers, str(answer))

    def no_database(self, answer):
        """4060, of which python-tds tells the text and the number of what follows it."""
        self.refused(answer, 4060, 18456)
        self.assertIn("Cannot open database", answer.text)

    def silent(self, person):
        answer = person.reach()
        self.assertFalse(answer.ok, f"{person.target} answered")
        self.assertIn("TimeoutError", answer.network)

    def works(self, answer, rows=None):
        self.assertTrue(answer.ok, str(answer))
        if rows is not None:
            self.assertEqual(answer.rows, rows)
        return answer

    def applied(self, agent, at=None):
        """One pass makes everything as scheduled; a second finds nothing to do."""
        agent.apply(at, expect=0)
        agent.plan(at, expect=0)

    def first_login(self, found, person, password, database="AcmeTest"):
        """The one-time password lets nobody in; with a password of her own Jane gets in."""
        self.refused(person.login(USER, password, database), 18488)
        self.works(person.login(USER, password, database, new_password=OWN_PASSWORD))
        self.refused(found.person("jane").login(USER, password, database), 18456)

    def works_as_full(self, found, jane):
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
                    if os.path.basename(folder) == "credentials":
                        continue
                    with open(os.path.join(folder, name), "rb") as file:
                        content = file.read()
                    for coded in (password.encode(), password.encode("utf-16-le")):
                        self.assertNotIn(coded, content, name)


class OnTheServer(Life):
    """Hook input: packet filter and SQL server on one machine, staging and production on one server."""

    def test_life(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest", "AcmeProd")})
        agent, server = found.agent, found.server
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest"),
                                  ("production", "sql01", "AcmeProd")],
                         approved_on=day(lab.now() - days(12)), starts=day(lab.now() - days(10)),
                         go_live=local(golive))
        # Before: nothing is guarded, and the plan says what is to come.
        self.works(found.person("other").reach())
        plan = agent.plan(expect=2).out
        for part in ("CREATE LOGIN [acme.jane.doe] WITH PASSWORD = N'********'",
                     "ALTER ROLE [curfew_full] ADD MEMBER [acme.jane.doe]",
                     f"+ guard {lab.PUBLIC[0]}:{lab.PORT}", "nobody but the sources",
                     f"+ {lab.JANE[0]} -> {lab.PUBLIC[0]}:{lab.PORT} until "):
            self.assertIn(part, plan)
        self.assertIsNone(server.login(USER), "a plan changes nothing")

        # Testing.
        self.applied(agent)
        jane, other = found.person("jane"), found.person("other")
        password = agent.handover("acme", USER)
        self.first_login(found, jane, password)
        self.works_as_full(found, jane)
        self.no_database(found.person("jane").login(USER, OWN_PASSWORD, "AcmeProd"))
        self.silent(other)
        self.silent(found.person("other", lab.PUBLIC[1]))
        six = found.person("jane", lab.PUBLIC[1])
        self.assertEqual(self.works(six.login(USER, OWN_PASSWORD, "AcmeTest")).address,
                         lab.JANE[1])

        # Go-live, with a session and a transaction open across it.
        self.works(jane.sql("BEGIN TRANSACTION"))
        self.works(jane.sql("INSERT INTO dbo.Orders (Id, Customer) VALUES (4, N'Dora')"))
        self.applied(agent, local(golive))
        self.assertFalse(jane.sql("INSERT INTO dbo.Orders (Id, Customer) VALUES (5, N'E')").ok)
        self.assertFalse(six.sql("INSERT INTO dbo.Orders (Id, Customer) VALUES (5, N'E')").ok)
        self.assertEqual(server.sql("SELECT COUNT(*) FROM dbo.Orders", "AcmeTest"), [[3]])
        self.reads_only(jane, "AcmeTest")
        self.reads_only(six, "AcmeProd")
        self.silent(other)

        # Staging ends.
        self.applied(agent, local(golive + days(14) - seconds(1)))
        self.works(jane.login(USER, OWN_PASSWORD, "AcmeTest"))
        self.applied(agent, local(golive + days(14)))
        self.assertFalse(server.user(USER, "AcmeTest"))
        self.no_database(jane.login(USER, OWN_PASSWORD, "AcmeTest"))
        self.reads_only(jane, "AcmeProd")

        # All ends.
        self.applied(agent, local(golive + days(30) - seconds(60)))
        self.works(jane.login(USER, OWN_PASSWORD, "AcmeProd"))
        self.applied(agent, local(golive + days(30)))
        self.assertFalse(jane.sql("SELECT 1", timeout=lab.SHUT_SECONDS).ok)
        self.nothing_is_left(found, ("sql01", "AcmeTest"), ("sql01", "AcmeProd"))
        self.silent(other)
        self.no_secret_was_told(found, password, OWN_PASSWORD)
        history = agent.curfew("history", expect=0).out
        for part in ("build: table inet curfew", f"guard: guard {lab.PUBLIC[0]}:{lab.PORT}",
                     f"remove: {lab.JANE[0]} -> {lab.PUBLIC[0]}:{lab.PORT}", "DROP LOGIN"):
            self.assertIn(part, history)


class OnTheGateway(Life):
    """Hook forward behind address translation: staging and production on servers of their own."""

    def test_life(self):
        found = self.lab_make(shape="gateway",
                              servers={"sqltest": ("AcmeTest",), "sqlprod": ("AcmeProd",)})
        agent = found.agent
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sqltest", "AcmeTest"),
                                  ("production", "sqlprod", "AcmeProd", "read-only")],
                         starts=day(lab.now() - days(10)), go_live=local(golive),
                         approved_on=day(lab.now() - days(12)))
        ends = [f"{host}:{lab.PORT}" for four, six in map(found.behind, (0, 1))
                for host in (four, f"[{six}]")]

        self.applied(agent)
        self.assertEqual(sorted(end for _, end, _ in agent.elements()), sorted(ends))
        password = agent.handover("acme", USER)
        jane, six = found.person("jane"), found.person("jane", lab.PUBLIC[1])
        production = found.person("jane", port=lab.PORT + 1)
        self.first_login(found, jane, password)
        self.works_as_full(found, jane)
        self.works(six.login(USER, OWN_PASSWORD, "AcmeTest"))
        # The same one-time password on the other server: its own first login there.
        self.refused(production.login(USER, password, "AcmeProd"), 18488)
        self.works(production.login(USER, password, "AcmeProd", new_password=OWN_PASSWORD))
        self.reads_only(production, "AcmeProd")
        for target in lab.PUBLIC:
            for port in (lab.PORT, lab.PORT + 1):
                self.silent(found.person("other", target, port))

        self.applied(agent, local(golive))
        self.assertFalse(jane.sql("UPDATE dbo.Orders SET Customer = N'Eve'").ok)
        self.reads_only(jane, "AcmeTest")
        self.reads_only(six, "AcmeTest")

        # Nothing is left for her on the staging server: there the network ends as well.
        self.applied(agent, local(golive + days(14)))
        self.assertEqual(sorted(end for _, end, _ in agent.elements()), sorted(ends[2:]))
        self.silent(found.person("jane"))
        self.assertIsNone(found.servers["sqltest"].login(USER))
        self.reads_only(production, "AcmeProd")

        self.applied(agent, local(golive + days(30)))
        self.assertFalse(production.sql("SELECT 1", timeout=lab.SHUT_SECONDS).ok)
        self.nothing_is_left(found, ("sqltest", "AcmeTest"), ("sqlprod", "AcmeProd"))


class WithoutTheAgent(Life):
    """The kernel holds the deadline: nobody runs when it comes."""

    END_SECONDS = 6

    def test_network_ends_on_time(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest", "AcmeProd")})
        agent = found.agent
        databases = [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")]
        dates = {"approved_on": day(lab.now() - days(90)), "starts": day(lab.now() - days(80))}
        found.client_add("acme", databases, **dates, go_live=local(lab.now() - days(29)))
        self.applied(agent)
        password = agent.handover("acme", USER)
        jane, six = found.person("jane"), found.person("jane", lab.PUBLIC[1])
        self.first_login(found, jane, password, "AcmeProd")

        # The go-live turns out to have been a day earlier: the end is seconds away now.
        end = lab.now() + seconds(self.END_SECONDS)
        agent.clients["acme"]["go_live"] = local(end - days(30))
        agent.write()
        self.applied(agent)
        self.works(six.login(USER, OWN_PASSWORD, "AcmeProd"))
        self.works(jane.sql("SELECT Id FROM dbo.Orders WHERE Id = 1"), [[1]])
        for name, asked in self._asked_last({"four": jane, "six": six}, end).items():
            self.assertLess(asked, end.timestamp(), f"{name}: answered what was asked after the end")
        self.assertTrue(found.server.sessions_of(USER), "SQL was not asked to end the session")
        self.assertEqual(agent.elements(), [])
        self.silent(found.person("jane"))
        self.silent(found.person("jane", lab.PUBLIC[1]))

        # The agent comes back and finishes SQL's part.
        self.applied(agent)
        self.nothing_is_left(found, ("sql01", "AcmeTest"), ("sql01", "AcmeProd"))

    @staticmethod
    def _asked_last(persons, end):
        """When each open session was asked what it answered last: asked on and on until it is dead."""
        asked, alive = dict.fromkeys(persons, 0), dict(persons)
        while alive:
            for name, person in list(alive.items()):
                moment = time.time()
                if person.sql("SELECT 1", timeout=lab.SHUT_SECONDS).ok:
                    asked[name] = moment
                else:
                    del alive[name]
            if time.time() > end.timestamp() + 10:
                break
        return asked


if __name__ == "__main__":
    unittest.main()
