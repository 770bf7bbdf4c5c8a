#!/usr/bin/python3
"""Whoever holds a lock on the row of its own login, as anybody may, delays neither its own end nor anybody else's."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import LabCase  # noqa: E402
from lab import days, local  # noqa: E402

PASSWORD = "Set-by-the-DBA-7"
NAMES = ("Ada", "Ben", "Cleo")


def setUpModule():
    lab.require()


class LoginLocked(LabCase):
    def setUp(self):
        self.found = self.lab_make()
        self.agent, self.server = self.found.agent, self.found.server
        self.golive = lab.now() + days(20)
        users = [{"first": name, "last": "Doe", "email": f"{name.lower()}@acme.example", "sources": list(lab.JANE)}
                 for name in NAMES]
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest")],
                              users=users, **self.dates(self.golive))
        self.agent.apply(expect=0)
        self.people = {}
        for name in NAMES:
            login = f"acme.{name.lower()}.doe"
            self.server.sql(f"ALTER LOGIN [{login}] WITH PASSWORD = N'{PASSWORD}'")
            self.people[login] = self.found.person("jane")
            self.works(self.people[login].login(login, PASSWORD, "AcmeTest"))

    def lock(self, login):
        self.works(self.people[login].sql(
            f"BEGIN TRANSACTION; ALTER LOGIN [{login}] WITH DEFAULT_LANGUAGE = us_english"))

    def all_read_only(self, at):
        """Closed in one pass, every one of them disabled before anything was narrowed, and recorded so."""
        self.applied(self.agent, at)
        outcomes = [(e["action"], e["login"], e["outcome"]) for e in self.agent.curfew("history", "acme", "--json").json
                    if e["kind"] == "outcome"]
        for login in self.people:
            self.assertEqual(self.server.login(login)[1], False)
            self.assertEqual(self.server.roles(login, "AcmeTest"), ["curfew_read_only"])
            self.assertEqual(self.server.sessions_of(login), [])
            for action in ("login-disable", "session-kill"):
                self.assertIn((action, login, "done"), outcomes)

    def test_a_disable_is_on_record_before_sessions_are_ended(self):
        """Ending them takes seconds. A worker that dies meanwhile has disabled the login, and the journal says so."""
        self.server.faults(drop_before_match=r"\bKILL \d")
        self.agent.apply(local(self.golive), expect=1)
        self.assertTrue(self.outcomes("login-disable"))
        self.assertEqual(len(self.server.sessions_of("acme.ada.doe")), 1)
        self.assertEqual(self.outcomes("session-kill"), set())
        self.server.faults()

    def outcomes(self, action):
        return {e["login"] for e in self.agent.curfew("history", "acme", "--json").json
                if (e["kind"], e["action"], e["outcome"]) == ("outcome", action, "done")}

    def test_one_holds_its_own_row(self):
        self.lock("acme.ben.doe")
        self.all_read_only(local(self.golive))

    def test_all_hold_their_rows(self):
        for login in self.people:
            self.lock(login)
        self.all_read_only(local(self.golive))

    def test_a_lock_hides_nothing_of_the_others(self):
        """Nobody is to be closed: who locks its own row keeps the server from being read, and is ended for that alone."""
        self.lock("acme.ada.doe")
        self.server.sql("ALTER ROLE [db_owner] ADD MEMBER [acme.ben.doe]", "AcmeTest")
        self.applied(self.agent)
        self.assertEqual(self.server.roles("acme.ben.doe", "AcmeTest"), ["curfew_full"])
        self.assertEqual(self.server.sessions_of("acme.ada.doe"), [])
        self.assertEqual(self.server.login("acme.ada.doe")[1], False)
        self.works(self.people["acme.cleo.doe"].sql("SELECT 1"), [[1]])

    def test_a_trigger_that_takes_its_time_keeps_no_session(self):
        """As one that writes to a server which is down. All disables together take longer than a visit may."""
        self.server.sql("CREATE TRIGGER [audit] ON ALL SERVER FOR ALTER_LOGIN AS WAITFOR DELAY '00:00:15'")
        self.agent.settings["limits"] = {"connect_timeout": 30, "server_deadline": 40}
        self.agent.write()
        self.agent.apply(local(self.golive), expect=1)
        for login in self.people:
            self.assertEqual(self.server.sessions_of(login), [], login)
        self.server.sql("DROP TRIGGER [audit] ON ALL SERVER")
        self.applied(self.agent, local(self.golive))

    def test_the_lock_of_a_stranger_is_named(self):
        self.server.sql("CREATE LOGIN [dev] WITH PASSWORD = N'Some-Passw0rd-of-dev', CHECK_POLICY = OFF")
        dev = self.people["dev"] = self.found.person("jane")
        self.works(dev.login("dev", "Some-Passw0rd-of-dev", "master"))
        self.lock("dev")
        result = self.agent.apply(expect=1)
        self.assertRegex(result.out, r"perhaps session \d+ of dev, which has an open transaction in master")
        self.assertEqual(len(self.server.sessions_of("dev")), 1)
        self.works(dev.sql("ROLLBACK"))
        self.applied(self.agent)


if __name__ == "__main__":
    unittest.main()
