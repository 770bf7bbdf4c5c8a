#!/usr/bin/python3
"""The life of a client with real packets, from approval until after its last day."""

import math
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import OWN_PASSWORD, USER, LabCase  # noqa: E402
from lab import days, local, seconds  # noqa: E402
from service import until  # noqa: E402


def setUpModule():
    lab.require()


class OnTheServer(LabCase):
    """Hook input: packet filter and SQL server on one machine, staging and production on one server."""

    def test_life(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest", "AcmeProd")})
        agent, server = found.agent, found.server
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest"),
                                  ("production", "sql01", "AcmeProd")],
                         **self.dates(golive))
        # Before: nothing is guarded, and the plan says what is to come.
        self.reaches(found.person("other"))
        plan = agent.plan(expect=2).out
        for part in ("CREATE LOGIN [acme.jane.doe] WITH PASSWORD = N'********'",
                     "ALTER ROLE [curfew_full] ADD MEMBER [acme.jane.doe]",
                     f"- guard {lab.PUBLIC[0]}:{lab.PORT}", "only the allowlist and `trusted` can reach",
                     f"+ {lab.JANE[0]} -> {lab.PUBLIC[0]}:{lab.PORT} until "):
            self.assertIn(part, plan)
        # What sets up the roles is one line, unless somebody asks.
        self.assertNotIn("CREATE ROLE", plan)
        self.assertIn("    ~ set up roles that nobody is in yet: ", plan)
        self.assertIn("CREATE ROLE [curfew_full]", agent.curfew("plan", "--verbose", expect=2).out)
        coming = agent.plan(lab.local(golive + days(1)), expect=2).out
        self.assertIn("Plan for a later time: ", coming)
        self.assertNotIn("To make them, run `curfew apply`", coming)
        self.assertIsNone(server.login(USER), "a plan changes nothing")

        # Testing.
        self.applied(agent)
        coming = agent.plan(lab.local(golive + days(1)), expect=2).out
        self.assertIn("DROP MEMBER [acme.jane.doe]", coming)
        self.assertNotIn("overdue", coming.lower(), "nobody is late yet")
        jane, other = found.person("jane"), found.person("other")
        password = agent.handover("acme", USER)
        self.first_login(found, jane, password)
        self.works_as_full(jane)
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
        self.applied(agent, local(golive + days(14) - seconds(60)))
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
        for part in ("    table inet curfew", f"    guard {lab.PUBLIC[0]}:{lab.PORT}",
                     f"    {lab.JANE[0]} -> {lab.PUBLIC[0]}:{lab.PORT}", "DROP LOGIN", "by root (uid 0): apply"):
            self.assertIn(part, history)


class OnTheGateway(LabCase):
    """Hook forward behind address translation: staging and production on servers of their own."""

    def test_life(self):
        found = self.lab_make(shape="gateway",
                              servers={"sqltest": ("AcmeTest",), "sqlprod": ("AcmeProd",)})
        agent = found.agent
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sqltest", "AcmeTest"),
                                  ("production", "sqlprod", "AcmeProd", "read-only")],
                         **self.dates(golive))
        ends = [f"{host}:{lab.PORT}" for four, six in map(found.behind, (0, 1))
                for host in (four, f"[{six}]")]

        self.applied(agent)
        self.assertEqual(sorted(end for _, end, _ in agent.elements()), sorted(ends))
        password = agent.handover("acme", USER)
        jane, six = found.person("jane"), found.person("jane", lab.PUBLIC[1])
        production = found.person("jane", port=lab.PORT + 1)
        self.first_login(found, jane, password)
        self.works_as_full(jane)
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


class WithoutTheAgent(LabCase):
    """The kernel holds the deadline: nobody runs when it comes."""

    def soon(self, agent):
        """An instant far enough ahead for a pass and a few questions, on a machine as busy as this one is now."""
        began = time.monotonic()
        self.applied(agent)
        return lab.now() + seconds(8 + math.ceil(5 * (time.monotonic() - began)))

    def test_network_ends_on_time(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest", "AcmeProd")})
        agent = found.agent
        databases = [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")]
        found.client_add("acme", databases, **self.dates(lab.now() - days(29), started=80))
        self.applied(agent)
        password = agent.handover("acme", USER)
        jane, six = found.person("jane"), found.person("jane", lab.PUBLIC[1])
        self.first_login(found, jane, password, "AcmeProd")

        # The go-live turns out to have been a day earlier: the end is seconds away now.
        end = self.soon(agent)
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

    def test_golive_shuts_the_network_until_read_only_is_proved(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest", "AcmeProd")})
        agent = found.agent
        found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")],
                         **self.dates(lab.now() + days(20)))
        self.applied(agent)
        jane = found.person("jane")
        self.first_login(found, jane, agent.handover("acme", USER))
        self.works_as_full(jane)

        golive = self.soon(agent)
        agent.clients["acme"]["go_live"] = local(golive)
        agent.write()
        self.applied(agent)
        asked = self._asked_last({"jane": jane}, golive)["jane"]
        self.assertLess(asked, golive.timestamp(), "answered what was asked after go-live")
        self.assertGreater(asked, 0, "it never worked")
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_full"], "nobody has told SQL")
        self.assertEqual(agent.elements(), [])
        self.silent(found.person("jane"))
        self.silent(found.person("jane", lab.PUBLIC[1]))

        # Nor does a pass open it that does not reach the server.
        found.server.faults(drop_prelogin=True)
        agent.apply(expect=1)
        self.assertEqual(agent.elements(), [])
        found.server.faults()
        self.applied(agent)
        for database in ("AcmeTest", "AcmeProd"):
            self.reads_only(found.person("jane"), database)

    def test_slow_server_moves_no_deadline(self):
        """The kernel counts from when it is told, not from when the pass began."""
        found = self.lab_make()
        end = lab.now() + days(34)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")],
                         **self.dates(end - days(14)))
        found.server.faults(delay=250)
        began = time.time()
        found.agent.apply(expect=0)
        self.assertGreater(time.time() - began, 2, "slow enough to show")
        asked = time.time()
        for source, _, left in found.agent.elements():
            self.assertLessEqual(left, end.timestamp() - asked + 1, source)

    @staticmethod
    def _asked_last(persons, end):
        """When each open session was asked what it answered last: asked on and on until it is dead."""
        asked, alive = dict.fromkeys(persons, 0), dict(persons)
        while alive:
            for name, person in list(alive.items()):
                moment = time.time()
                # Before the end no answer is too slow.
                if person.sql("SELECT 1", timeout=max(lab.SHUT_SECONDS, end.timestamp() - moment)).ok:
                    asked[name] = moment
                else:
                    del alive[name]
            if time.time() > end.timestamp() + 10:
                break
        until(lambda: time.time() > end.timestamp(), "the end")
        return asked


class OutOfReach(LabCase):
    """A server that the agent cannot reach, for passes on end."""

    def test_what_was_proved_last_counts(self):
        found = self.lab_make()
        agent, golive = found.agent, lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(golive))
        self.applied(agent)
        found.server.faults(drop_prelogin=True)
        for _ in range(2):
            agent.apply(expect=1)
            self.assertEqual(len(agent.elements()), 2, "nobody is shut out because a server is away")
        self.assertIn("full", agent.curfew("history", "--at", "now", expect=0).out, "nor has anybody lost what SQL still gives")

        # What has to narrow meanwhile does so in the network, and stays overdue until it is seen.
        for _ in range(2):
            result = agent.apply(local(golive), expect=1)
            self.assertIn("overdue", (result.out + result.err).lower())
            self.assertEqual(agent.elements(), [])
        found.server.faults()
        agent.apply(local(golive), expect=0)
        self.assertEqual(len(agent.elements()), 2)


if __name__ == "__main__":
    unittest.main()
