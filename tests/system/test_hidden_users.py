#!/usr/bin/python3
"""A db_owner hides a user from the agent by one denial: what is not seen is not gone, and its login is shut."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import OWN_PASSWORD, USER, LabCase  # noqa: E402
from lab import day, days, local, seconds  # noqa: E402


BOLTS_USER = "bolt.jane.doe"


def setUpModule():
    lab.require()


class HiddenUsers(LabCase):
    def stage(self, production="full", filtered=True):
        """Jane has full access in staging, and if it says so in production; another client works on the same server."""
        self.found = self.lab_make(servers={"sql01": ("AcmeTest", "AcmeProd", "BoltTest")})
        self.agent, self.server = self.found.agent, self.found.server
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest"),
                                       ("production", "sql01", "AcmeProd", production)],
                              **self.dates(lab.now() + days(5)))
        self.found.client_add("bolt", [("staging", "sql01", "BoltTest")], **self.dates(lab.now() + days(5)))
        if not filtered:
            self.agent.settings["firewall"] = {"enabled": False}
            self.agent.write()
        self.applied(self.agent)
        self.jane = self.found.person("jane")
        self.first_login(self.found, self.jane, self.agent.handover("acme", USER))
        self.jane.logout()

    def went_live(self, ago):
        self.agent.clients["acme"].update(go_live=local(lab.now() - ago), starts=day(lab.now() - ago - days(10)),
                                          approved_on=day(lab.now() - ago - days(12)))
        self.agent.write()

    def is_shut(self, state="unverified"):
        """Jane's login, whatever is asked; nobody else's. It is said, and nothing confirms that she is gone."""
        for _ in range(2):
            told = self.agent.apply(expect=2)
            self.assertIn("revoke", told.out)
            self.assertTrue(self.server.login(USER)[1])
            self.assertEqual(self.server.sessions_of(USER), [])
        told = self.agent.curfew("status", "acme")
        self.assertNotEqual(told.code, 0)
        self.assertIn(state, told.out)
        self.assertFalse(self.server.login(BOLTS_USER)[1])
        self.assertEqual(self.agent.curfew("status", "bolt").code, 0)

    def opens(self):
        self.applied(self.agent)
        self.assertFalse(self.server.login(USER)[1])

    def test_staging_has_ended(self):
        """Without a packet filter nothing else keeps her out of staging."""
        self.stage("none", filtered=False)
        self.server.sql(f"DENY VIEW DEFINITION ON USER::[{USER}] TO [public]", "AcmeTest")
        self.went_live(days(15))
        self.is_shut()
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_full"])
        self.server.sql(f"REVOKE VIEW DEFINITION ON USER::[{USER}] FROM [public]", "AcmeTest")
        self.opens()
        self.assertFalse(self.server.user(USER, "AcmeTest"))

    def test_golive(self):
        self.stage()
        self.server.sql(f"DENY VIEW DEFINITION ON USER::[{USER}] TO [public]", "AcmeProd")
        self.went_live(seconds(5))
        self.is_shut()
        self.assertEqual(self.server.roles(USER, "AcmeProd"), ["curfew_full"])
        self.server.sql(f"REVOKE VIEW DEFINITION ON USER::[{USER}] FROM [public]", "AcmeProd")
        self.opens()
        self.assertEqual(self.server.roles(USER, "AcmeProd"), ["curfew_read_only"])

    def test_by_the_agents_own_role(self):
        """CONTROL hides too, and so does a denial to a role that the agent is put in."""
        self.stage()
        self.server.sql("CREATE ROLE [watched]; ALTER ROLE [watched] ADD MEMBER [curfew_agent]; "
                        f"DENY CONTROL ON USER::[{USER}] TO [watched]", "AcmeProd")
        self.went_live(seconds(5))
        self.is_shut()

    def test_a_denial_that_comes_and_goes(self):
        """It stands while users are read, and not while denials are: only the owner sees at any time who is there."""
        self.stage("none", filtered=False)
        self.server.faults(hidden_between={"AcmeTest": USER})
        self.went_live(days(15))
        self.is_shut()
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_full"])
        self.server.faults()
        self.opens()
        self.assertFalse(self.server.user(USER, "AcmeTest"))

    def test_only_the_refusal_shows_it(self):
        """No denial is seen, and CREATE USER is refused: she has a user there (15063). `status` does not try."""
        self.stage("none")
        self.server.faults(fail_on=[[r"CREATE USER", 15063]])
        self.went_live(seconds(5))
        self.is_shut("drift")
        self.server.faults()
        self.opens()


if __name__ == "__main__":
    unittest.main()
