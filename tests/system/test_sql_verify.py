#!/usr/bin/python3
"""Network access requires a verification: the server's own report of a login's effective permissions."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import OWN_PASSWORD, USER, LabCase  # noqa: E402
from lab import days, local  # noqa: E402


def setUpModule():
    lab.require()


class Verified(LabCase):
    def read_only_lab(self, **options):
        """Jane reads AcmeTest since the go-live; with a session open. Returns laboratory, Jane, and now."""
        found = self.lab_make(**options)
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(golive))
        self.applied(found.agent)
        jane = found.person("jane")
        self.first_login(found, jane, found.agent.handover("acme", USER))
        at = local(golive + days(1))
        self.applied(found.agent, at)
        self.works(jane.login(USER, OWN_PASSWORD, "AcmeTest"))
        return found, jane, at

    def asked(self, found):
        return [r for r in found.server.records("batch") if "EXECUTE AS USER" in r["text"]]

    def test_what_everybody_may_do_counts(self):
        """A grant to public stands in no role of hers: the server says it, and she is shut until it is taken back."""
        found, jane, at = self.read_only_lab(faults=("collations=on",))
        before = len(self.asked(found))
        self.assertEqual(found.agent.apply(at).code, 0)
        self.assertEqual(len(self.asked(found)), before, "what was verified holds while nothing changes")

        found.server.sql("GRANT CONTROL TO [public]", "AcmeTest")
        result = found.agent.apply(at, expect=(1, 2))
        self.assertEqual(found.server.login(USER)[1], True, result)
        self.assertEqual(found.server.sessions_of(USER), [])
        self.assertEqual(found.agent.elements(), [])
        again = found.agent.apply(at, expect=(1, 2))
        self.assertEqual(found.server.login(USER)[1], True, again)

        found.server.sql("REVOKE CONTROL FROM [public]", "AcmeTest")
        found.agent.apply(at)
        self.assertEqual(found.server.login(USER)[1], False)
        self.assertEqual(len(found.agent.elements()), len(lab.JANE))

    def test_a_server_that_cannot_tell(self):
        """Nobody is enabled on the catalog alone unless the configuration says so."""
        found = self.lab_make(faults=("no-execute-as",))
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        found.agent.apply(expect=(0, 1, 2))
        self.assertEqual(found.server.login(USER)[1], True)
        self.assertEqual(found.agent.elements(), [])
        found.agent.servers["sql01"]["evidence"] = "catalog"
        found.agent.write()
        found.agent.apply()
        self.assertEqual(found.server.login(USER)[1], False)
        self.assertEqual(len(found.agent.elements()), len(lab.JANE))

    def test_a_server_that_answers_nothing(self):
        """No answer is not an answer of no: nobody is let in by it, nor let in again."""
        found = self.lab_make(faults=("no-permission-answers",))
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        found.agent.apply(expect=(0, 1, 2))
        self.nobody_is_in(found)
        found.server.faults()
        self.applied(found.agent)
        self.assertEqual(found.server.login(USER)[1], False)
        # Silent from go-live on: full access ends all the same.
        found.server.faults(no_permission_answers=True)
        found.agent.apply(local(lab.now() + days(21)), expect=(0, 1, 2))
        self.nobody_is_in(found)
        self.assertNotIn("curfew_full", found.server.roles(USER, "AcmeTest"))

    def test_a_database_that_changed_its_name(self):
        """Between reading and proof two databases exchange their names: what the other one answers proves nothing."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        found.server.script("USE [AcmeProd]\nGO\nCREATE USER [curfew_agent] FOR LOGIN [curfew_agent]\nGO\n"
                            f"ALTER ROLE [db_owner] ADD MEMBER [curfew_agent]\nGO\nCREATE USER [{USER}] WITHOUT LOGIN\n")
        found.server.sql("GRANT CONTROL TO [public]", "AcmeTest")
        found.server.faults(names_swap="EXECUTE AS USER,AcmeTest,AcmeProd")
        said = found.agent.apply(expect=(0, 1, 2)).out
        self.assertIn("another database", said)
        self.assertNotIn("impersonation check", said)
        self.nobody_is_in(found)

    def test_a_transaction_that_is_open(self):
        """Its end may undo what was seen inside it: no proof."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        found.server.faults(transaction_before="EXECUTE AS USER")
        self.assertIn("A transaction is open", found.agent.apply(expect=(0, 1, 2)).out)
        self.nobody_is_in(found)

    def test_names_that_differ_only_in_case(self):
        """A server that tells them apart has two, and Curfew knows one: nobody is let in by what was asked of either."""
        for twin, said in ((f"CREATE LOGIN [{USER.upper()}] WITH PASSWORD = N'Str0ng-enough'", "is not managed by Curfew"),
                           ("CREATE DATABASE [ACMETEST]", "differs only in case")):
            with self.subTest(twin):
                found = self.lab_make(arguments=("--collation", "Latin1_General_CS_AS"))
                found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
                found.server.sql(twin)
                self.assertIn(said, found.agent.apply(expect=(0, 1, 2)).out)
                self.nobody_is_in(found)

    def test_an_audit_of_a_database_that_changed_its_name(self):
        """No finding there is none here: the checks say that they could not run."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.applied(found.agent)
        for question, said in (("is_linked", "cannot run check loginless-user in AcmeTest .50003: "),
                               ("ansi_nulls off", "cannot run check new-or-changed in AcmeTest .50003: ")):
            with self.subTest(question):
                found.server.faults(names_swap=f"{question},AcmeTest,AcmeProd")
                self.assertRegex(found.agent.curfew("audit", expect=(0, 1, 2)).out, said)
                found.server.faults(names_swap="sys,AcmeTest,AcmeProd")     # back, before its next batch
                found.agent.curfew("audit", expect=(0, 1, 2))
                found.server.faults()

    def test_a_session_of_nobody_known(self):
        """A server that does not tell whose a session is: it is not ended, and its login stays shut while it is open."""
        sid, name = "dm_exec_sessions.original_security_id", "dm_exec_sessions.original_login_name"
        found = self.lab_make()
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(golive))
        self.applied(found.agent)
        jane = found.person("jane")
        self.first_login(found, jane, found.agent.handover("acme", USER))
        self.works(jane.login(USER, OWN_PASSWORD, "AcmeTest"))
        found.server.faults(null_columns=sid)
        at = local(golive + days(1))
        found.agent.apply(at, expect=(0, 1, 2))
        self.assertTrue(found.server.login(USER)[1], "the session began with full access")
        self.assertEqual(len(found.server.sessions_of(USER)), 1, "it could be anybody's")
        found.server.faults(null_columns=f"{sid},{name}")
        self.assertRegex(found.agent.curfew("status").out, r"the logins of \d+ sessions")
        found.server.faults()
        self.applied(found.agent, at)
        self.assertEqual(found.server.sessions_of(USER), [])
        self.assertFalse(found.server.login(USER)[1])

    def test_collations_that_cannot_meet_are_our_fault(self):
        """A check that the server refuses for its collations is named as a defect; one that it refuses otherwise is not."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.applied(found.agent)
        for number, ours in ((449, True), (300, False)):
            found.server.faults(fail_on=f"is_linked,{number}")
            said = found.agent.curfew("audit", expect=(0, 1, 2)).out
            self.assertRegex(said, rf"cannot run check linked-server.* \({number}: ")
            self.assertEqual("this is a defect of Curfew" in said, ours, said)

    def nobody_is_in(self, found):
        login = found.server.login(USER)
        self.assertTrue(login is None or login[1], login)
        self.assertEqual(found.agent.elements(), [])


if __name__ == "__main__":
    unittest.main()
