#!/usr/bin/python3
"""What one client's database does not show is no matter of other clients on the same server: their access is verified, and so are
their ends, which name the database as not wholly read."""

import os
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import OWN_PASSWORD, USER, LabCase  # noqa: E402
from lab import days, local  # noqa: E402

OTHERS = "other clients' databases that were not wholly read: "


def setUpModule():
    lab.require()


class BesideOthers(LabCase):
    def stage(self, **options):
        """Acme and Bolt have access on one server, each to its own databases; Bolt's goes on for longer."""
        found = self.found = self.lab_make(servers={"sql01": ("AcmeTest", "AcmeProd", "BoltTest")}, **options)
        self.agent, self.server = found.agent, found.server
        golive = lab.now() + days(5)
        self.end = local(golive + days(31))
        found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")],
                         **self.dates(golive))
        found.client_add("bolt", [("staging", "sql01", "BoltTest")], **self.dates(golive + days(60)))
        self.applied(self.agent)

    def certificate(self, expect):
        return " ".join(self.agent.curfew("certificate", "acme", "--at", self.end, expect=expect).out.split())

    def proof(self):
        journal = sqlite3.connect(self.agent.path("state", "journal.db"))
        try:
            return journal.execute("SELECT outcome, detail FROM record WHERE kind = 'proof' AND level = 'none' "
                                   "AND login = ? AND database = 'AcmeProd' ORDER BY id", (USER,)).fetchall()[-1]
        finally:
            journal.close()

    def others_are_verified(self, bolts):
        """Before and after their end; whose database it is has that to do with it."""
        self.agent.apply(expect=(0, 1, 2))
        self.assertFalse(self.server.login(USER)[1])
        self.assertEqual(self.agent.curfew("status", "acme").code, 0)
        if bolts:
            told = self.agent.curfew("status", "bolt")
            self.assertNotEqual(told.code, 0)
            self.assertIn(bolts, told.out)
        for _ in range(2):
            self.agent.apply(self.end, expect=(0, 1, 2))
        self.assertIsNone(self.server.login(USER))
        outcome, detail = self.proof()
        self.assertEqual(outcome, "verified", detail)
        self.assertRegex(detail, rf"{OTHERS}\[BoltTest\]")
        self.assertRegex(self.certificate(expect=0), rf"{OTHERS}\[BoltTest\]")

    def test_what_runs_there_cannot_be_read(self):
        self.stage()
        self.server.sql("ALTER ROLE [db_owner] DROP MEMBER [curfew_agent]", "BoltTest")
        self.others_are_verified("the server does not return runner of BoltTest")

    def test_a_user_may_be_hidden_there(self):
        self.stage()
        self.server.sql("CREATE USER [x] WITHOUT LOGIN; DENY VIEW DEFINITION ON USER::[x] TO [public]", "BoltTest")
        self.others_are_verified(None)

    def test_a_grantor_is_hidden_there(self):
        self.stage()
        self.server.sql("CREATE USER [x] WITHOUT LOGIN; CREATE USER [y] WITHOUT LOGIN; "
                        "GRANT SELECT ON SCHEMA::[dbo] TO [x] WITH GRANT OPTION; "
                        "GRANT SELECT ON SCHEMA::[dbo] TO [y] AS [x]; "
                        "DENY VIEW DEFINITION ON USER::[x] TO [public]", "BoltTest")
        self.others_are_verified("VIEW DEFINITION is denied on them")

    def test_its_owner_keeps_the_agent_out(self):
        self.stage()
        self.server.sql("ALTER DATABASE [BoltTest] SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
        self.others_are_verified("it is in single-user mode")

    def others_are_not_verified(self, name="BoltTest"):
        for _ in range(2):
            self.agent.apply(self.end, expect=(1, 2))
            self.assertIsNone(self.server.login(USER))
            outcome, detail = self.proof()
            self.assertEqual(outcome, "unverified")
            self.assertIn(f"databases not read: [{name}]", detail)
        self.certificate(expect=2)

    def test_a_database_that_no_file_names_may_be_anybodys(self):
        self.stage()
        self.server.sql("ALTER DATABASE [BoltTest] MODIFY NAME = [BoltOld]; "
                        "ALTER DATABASE [BoltOld] SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
        self.others_are_not_verified("BoltOld")

    def test_who_had_access_there_is_not_verified(self):
        """Acme's file named the database too, and does no more: what Jane had there is not seen to be gone."""
        self.stage(program={"shared_databases": True})
        client = self.agent.clients["acme"]
        client["databases"].append({"role": "staging", "server": "sql01", "name": "BoltTest"})
        self.agent.write()
        self.applied(self.agent)
        self.server.sql("ALTER DATABASE [BoltTest] SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
        client["databases"].pop()
        self.agent.write()
        self.others_are_not_verified()

    def test_whose_session_was_seen_there_is_not_verified(self):
        """Somebody who controls the database made a user for Jane there, and keeps the agent out while she is in it."""
        self.stage()
        jane = self.found.person("jane")
        self.first_login(self.found, jane, self.agent.handover("acme", USER))
        jane.logout()
        self.server.sql(f"CREATE USER [{USER}] FOR LOGIN [{USER}]", "BoltTest")
        self.server.sql("ALTER DATABASE [BoltTest] SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
        self.works(self.found.person("jane").login(USER, OWN_PASSWORD, "BoltTest"))
        self.others_are_not_verified()


if __name__ == "__main__":
    unittest.main()
