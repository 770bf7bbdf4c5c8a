#!/usr/bin/python3
"""The level `write`: data can be changed, definitions cannot; at go-live it becomes read-only like any other."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER, LabCase  # noqa: E402
from lab import days, local  # noqa: E402

# What goes beyond data: each by itself is excess at this level.
BEYOND = {
    "alteration of a schema": (("CREATE SCHEMA [side]", f"GRANT ALTER ON SCHEMA::side TO [{USER}]"),
                               ("DROP SCHEMA [side]",), "ALTER on SCHEMA side"),
    "creation of tables": ((f"GRANT CREATE TABLE TO [{USER}]",), (f"REVOKE CREATE TABLE FROM [{USER}]",),
                           "CREATE TABLE on DATABASE"),
    "references of a column": ((f"GRANT REFERENCES ON OBJECT::dbo.Orders (Customer) TO [{USER}]",),
                               (f"REVOKE REFERENCES ON OBJECT::dbo.Orders (Customer) FROM [{USER}]",),
                               "REFERENCES on COLUMN [dbo].[Orders].[Customer]"),
}


def setUpModule():
    lab.require()


class Write(LabCase):
    def setUp(self):
        self.golive = lab.now() + days(20)
        self.found = self.lab_make()
        self.agent, self.server = self.found.agent, self.found.server
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd", "write")],
                              **self.dates(self.golive))

    def proofs(self, expect):
        return {p["database"]: p for p in self.agent.curfew("audit", "--json", expect=expect).json["proofs"]}

    def test_data_and_no_code_until_go_live(self):
        self.applied(self.agent)
        self.assertEqual(self.server.roles(USER, "AcmeProd"), ["curfew_write"])
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_full"])
        self.assertEqual(self.proofs(0)["AcmeProd"]["level"], "write")
        self.assertEqual(self.proofs(0)["AcmeProd"]["outcome"], "verified")
        self.agent.apply(local(self.golive), expect=0)
        self.assertEqual(self.server.roles(USER, "AcmeProd"), ["curfew_read_only"])

    def test_beyond_data_is_excess(self):
        self.applied(self.agent)
        for name, (given, taken, evidence) in BEYOND.items():
            with self.subTest(right=name):
                for batch in given:
                    self.server.sql(batch, "AcmeProd")
                proof = self.proofs(2)["AcmeProd"]
                self.assertEqual(proof["outcome"], "excess", proof)
                self.assertIn(evidence, proof["detail"])
                for batch in taken:
                    self.server.sql(batch, "AcmeProd")
                self.assertEqual(self.proofs((0, 2))["AcmeProd"]["outcome"], "verified")

    def test_no_role_where_nobody_writes(self):
        self.applied(self.agent)
        roles = [self.server.sql("SELECT name FROM sys.database_principals WHERE name = N'curfew_write'", database)
                 for database in ("AcmeTest", "AcmeProd")]
        self.assertEqual([len(r) for r in roles], [0, 1])


if __name__ == "__main__":
    unittest.main()
