#!/usr/bin/python3
"""A database that nobody can read, and in which nobody was given anything: an operator decides that ends need not wait for it."""

import os
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import LabCase  # noqa: E402
from lab import days, local  # noqa: E402


def setUpModule():
    lab.require()


class Forgotten(LabCase):
    def ended(self):
        """Acme's access has ended, beside copies that are always being restored."""
        found = self.lab_make()
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")],
                         **self.dates(golive))
        self.applied(found.agent)
        found.server.sql("CREATE DATABASE [Shipped]; CREATE DATABASE [Other]")
        found.server.faults(database_state={"Shipped": "restoring", "Other": "restoring"})
        return found, local(golive + days(31))

    def proofs(self, found):
        journal = sqlite3.connect(found.agent.path("state", "journal.db"))
        try:
            return journal.execute("SELECT outcome, detail FROM record WHERE kind = 'proof' AND level = 'none' "
                                   "AND database = 'AcmeTest' ORDER BY id").fetchall()
        finally:
            journal.close()

    def forget(self, found, database, expect=0):
        return found.agent.curfew("forget", "sql01", database, "--reason", "CS-7: copy for reports", expect=expect)

    def certificate(self, found, at, expect, *more):
        return found.agent.curfew("certificate", "acme", "--at", at, *more, expect=expect)

    def test_a_decision_about_a_database_that_nobody_can_read(self):
        found, at = self.ended()
        for _ in range(4):
            found.agent.apply(at)
        # The same is on record once, with the names.
        (proof,) = self.proofs(found)
        self.assertEqual(proof[0], "unverified")
        self.assertIn("databases not read: [Shipped], [Other]", proof[1])
        self.assertIn("[Shipped], [Other]", self.certificate(found, at, 2).err)

        self.assertIn("the journal has nothing about", self.forget(found, "Elsewhere", 1).err)
        self.forget(found, "Shipped")
        found.agent.apply(at)
        self.assertTrue(self.proofs(found)[-1][1].endswith("databases not read: [Other]"))
        self.forget(found, "Other")
        found.agent.apply(at)
        self.assertEqual(self.proofs(found)[-1][0], "verified")
        self.assertIn("not read, by `curfew forget`: [Shipped], [Other]", self.proofs(found)[-1][1])
        told = self.certificate(found, at, 0).out
        self.assertIn("Not looked for any more, by `curfew forget`, and not verified as removed: 2", told)
        self.assertIn("every login on sql01/Shipped", told)
        self.assertIn("because: CS-7: copy for reports", told)

    def test_a_client_names_the_database(self):
        """Access is scheduled there: what decides about it is the client's file."""
        found, at = self.ended()
        found.server.faults(database_state={})
        found.client_add("zeta", [("staging", "sql01", "Shipped")], **self.dates(lab.now() + days(20)))
        found.server.faults(database_state={"Shipped": "restoring"})
        found.agent.apply(at, expect=(0, 1, 2))
        self.assertIn("Shipped", self.proofs(found)[-1][1])
        self.assertIn("client zeta names sql01 / Shipped", self.forget(found, "Shipped", 1).err)

    def test_a_database_in_which_access_was_given_under_another_name(self):
        """Its decision is about its first name, by which the journal knows what was given there."""
        found, at = self.ended()
        found.server.faults(database_state={})
        found.server.sql("DROP DATABASE [Shipped]; DROP DATABASE [Other]; "
                         "ALTER DATABASE [AcmeTest] MODIFY NAME = [AcmeOld]; "
                         "ALTER DATABASE [AcmeOld] SET OFFLINE WITH ROLLBACK IMMEDIATE")
        found.agent.apply(at, expect=(1, 2))
        self.forget(found, "AcmeOld", (0, 1))
        found.agent.apply(at, expect=(1, 2))
        self.assertNotIn("verified", {outcome for outcome, _ in self.proofs(found)})
        self.certificate(found, at, (1, 2))


if __name__ == "__main__":
    unittest.main()
