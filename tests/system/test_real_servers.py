#!/usr/bin/python3
"""What real servers answer otherwise than one would think: nobody is shut by it, let in by it, or hidden by it."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from stranger_case import StrangerCase  # noqa: E402


def setUpModule():
    lab.require()


class RealServers(StrangerCase):
    def is_in(self):
        self.assertFalse(self.server.login(USER)[1])
        self.assertEqual(len(self.agent.elements()), len(lab.JANE))

    def test_something_is_denied_on_her_user(self):
        """The record says that she denied it. It is nothing that she has, and goes when she goes."""
        self.acme()
        self.applied(self.agent)
        self.server.sql(f"CREATE ROLE [app]; DENY IMPERSONATE ON USER::[{USER}] TO [app]", "AcmeTest")
        self.applied(self.agent)
        self.is_in()
        self.agent.clients.clear()
        self.agent.write()
        self.applied(self.agent)
        self.assertFalse(self.server.user(USER, "AcmeTest"))

    def test_questions_that_cost_too_much(self):
        """A server that refuses dear queries by their estimate: the agent's sessions lift that for themselves."""
        self.acme()
        self.server.faults(cost_limit=1)
        self.applied(self.agent)
        self.is_in()

    def test_a_role_of_ours_owns_a_schema(self):
        """What is denied to an owner is nothing, without an error: it is said once who owns what, and nobody is let in."""
        self.acme()
        self.applied(self.agent)
        self.server.sql("CREATE SCHEMA [theirs]", "AcmeTest")
        self.server.sql("ALTER AUTHORIZATION ON SCHEMA::[theirs] TO [curfew_full]", "AcmeTest")
        told = self.agent.apply(expect=(1, 2)).out
        self.assertIn("role [curfew_full] owns schema [theirs]; a DBA must change the owner", told)
        self.assertFalse([r for r in self.server.records("batch")
                          if re.search(r"ON SCHEMA::\[theirs\] TO \[curfew_full\]", r["text"])])
        self.assertEqual(self.agent.elements(), [])
        self.server.sql("ALTER AUTHORIZATION ON SCHEMA::[theirs] TO [dbo]", "AcmeTest")
        self.applied(self.agent)
        self.is_in()

    def test_the_agent_has_something_on_what_is_transferred(self):
        """Nobody grants anything to itself, so what a transfer took from the agent does not come back."""
        self.acme()
        self.applied(self.agent)
        self.server.sql(f"CREATE SCHEMA [hers] AUTHORIZATION [{USER}]", "AcmeTest")
        self.server.sql("GRANT SELECT ON SCHEMA::[hers] TO [curfew_agent]", "AcmeTest")
        self.applied(self.agent)
        self.is_in()
        self.assertEqual(self.server.sql("SELECT USER_NAME(principal_id) FROM sys.schemas WHERE name = N'hers'", "AcmeTest"),
                         [["dbo"]])

    def test_groups_that_stand_as_replicas(self):
        """A distributed availability group has two groups for replicas: nobody can name them as servers."""
        self.acme()
        self.applied(self.agent)
        self.server.faults(replicas="SQL01", distributed_group=True)
        told = self.agent.curfew("check-server", "sql01", "--json", expect=0).json
        results = {c["name"]: c["result"] for c in told["checks"]}
        self.assertEqual((results["replicas"], results["distributed-group"]), ("ok", "skip"))
        audit = self.agent.curfew("audit", "--json", expect=0).json
        self.assertNotIn("unnamed-replica", [f["name"] for f in audit["findings"]])


if __name__ == "__main__":
    unittest.main()
