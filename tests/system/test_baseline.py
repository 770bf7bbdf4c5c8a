#!/usr/bin/python3
"""A baseline is taken after all removals and before access is granted; without it no access is granted."""

import re
import sqlite3
import unittest

import audit_lab
import lab

USER, OTHER = "acme.jane.doe", "beta.jane.doe"
BASELINE = "N'base' AS [part]"


def setUpModule():
    lab.require()


class Baseline(audit_lab.AuditCase):
    def two(self):
        """Beta has had full access and went live; acme begins."""
        found = self.lab_make(servers={"sql01": ("AcmeTest", "BetaTest")})
        found.client_add("beta", [("staging", "sql01", "BetaTest")], go_live=lab.local(lab.now() - lab.days(3)))
        found.agent.apply(lab.local(lab.now() - lab.days(5)), expect=0)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        return found

    def batches(self, found, since=0):
        return [b["text"] for b in found.server.records("batch")[since:] if b["login"] == "curfew_agent"]

    def place(self, batches, pattern, last=False):
        places = [n for n, text in enumerate(batches) if re.search(pattern, text)]
        self.assertTrue(places, f"nothing like {pattern}")
        return places[-1 if last else 0]

    def test_after_the_closings_before_the_openings(self):
        found = self.two()
        since = len(found.server.records("batch"))
        found.agent.apply(expect=0)
        batches = self.batches(found, since)
        first = self.place(batches, re.escape(BASELINE))
        self.assertLess(self.place(batches, rf"ALTER ROLE \[curfew_full\] DROP MEMBER \[{OTHER}\]", last=True), first)
        last = self.place(batches, re.escape(BASELINE), last=True)
        self.assertLess(last, self.place(batches, rf"CREATE LOGIN \[{USER}\]"))
        self.assertLess(last, self.place(batches, rf"CREATE USER \[{USER}\]"))
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_full"])
        self.assertEqual(found.server.roles(OTHER, "BetaTest"), ["curfew_read_only"])

    def test_without_one_nobody_comes_in(self):
        found = self.two()
        found.server.faults(fail_on=[[r"FROM sys\.plan_guides", 208]])
        result = found.agent.apply(expect=2)
        self.assertIn("no access is granted in database [AcmeTest]: its baseline cannot be read: Planned failure 208. (208)",
                      result.out)
        self.assertIn(f"unverified: {USER} on AcmeTest: no access is granted", result.out)
        self.assertIsNone(found.server.login(USER))
        self.assertFalse(found.server.user(USER, "AcmeTest"))
        found.agent.curfew("status", expect=2)
        self.assertEqual(found.server.roles(OTHER, "BetaTest"), ["curfew_read_only"], "others are closed all the same")
        found.server.faults()
        found.agent.apply(expect=0)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_full"])

    def test_nor_without_that_of_the_server(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest",)})
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.server.faults(fail_on=[[r"FROM sys\.configurations", 208]])
        result = found.agent.apply(expect=2)
        self.assertIn("its baseline cannot be read: of the server: ", result.out)
        self.assertIsNone(found.server.login(USER))
        found.server.faults()
        found.agent.apply(expect=0)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_full"])

    def test_the_first_user_has_no_access_any_more(self):
        """A missing baseline is of the database: it is said while anybody has access there."""
        found = self.lab_make(servers={"sql01": ("AcmeTest",)})
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        agent = found.agent
        agent.clients["acme"]["users"].append(
            {"first": "John", "last": "Roe", "email": "john.roe@acme.example", "sources": ["203.0.113.8"]})
        agent.write()
        agent.apply(expect=0)
        with sqlite3.connect(agent.path("state", "journal.db")) as db:
            db.execute("DELETE FROM baseline_item")
            db.execute("DELETE FROM baseline")
        agent.curfew("revoke", "acme", USER, "--reason", "a test", expect=0)
        self.assertEqual(" ".join(agent.plan().out.split()).count("database [AcmeTest] has no baseline"), 1)

    def test_never_after_the_first_access(self):
        """As after an upgrade: access was given and there is no baseline. What was changed since would pass for how it was."""
        found = self.lab_make(servers={"sql01": ("AcmeTest",)})
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        agent, words = found.agent, "database [AcmeTest] has no baseline, and access was given before one could be taken"
        agent.apply(expect=0)
        with sqlite3.connect(agent.path("state", "journal.db")) as db:
            db.execute("DELETE FROM baseline_item")
            db.execute("DELETE FROM baseline")
        since = len(found.server.records("batch"))
        for command in ("plan", "apply", "status"):
            said = " ".join(agent.curfew(command, expect=0).out.split())
            self.assertIn("unverified: " + words, said, command)
            self.assertNotIn("is not verified", said, "nobody's access is in doubt")
        [note] = agent.curfew("status", "--json", expect=0).json["notes"]
        self.assertIn(words, note["detail"])
        self.assertNotIn(BASELINE, "".join(self.batches(found, since)))
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_full"], "an upgrade ends nothing")
        # On purpose: access ends, and begins anew.
        agent.curfew("revoke", "acme", "--reason", "the database is reviewed", expect=0)
        agent.apply(expect=0)
        agent.curfew("reinstate", "acme", "--reason", "the database was reviewed", expect=0)
        agent.apply(expect=0)
        self.assertIn(BASELINE, "".join(self.batches(found, since)))
        self.assertNotIn(words, " ".join(agent.curfew("status", expect=0).out.split()))
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_full"])


if __name__ == "__main__":
    unittest.main()
