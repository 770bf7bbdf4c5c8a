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

    def nobody_is_in(self, found):
        login = found.server.login(USER)
        self.assertTrue(login is None or login[1], login)
        self.assertEqual(found.agent.elements(), [])


if __name__ == "__main__":
    unittest.main()
