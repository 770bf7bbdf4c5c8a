#!/usr/bin/python3
"""The auditor's population: everybody who had access between two dates, also those who left, also from archives."""

import csv
import io
import unittest

import audit_lab
import lab


def setUpModule():
    lab.require()


class Population(audit_lab.AuditCase):
    def rows(self, found, *arguments, expect=0):
        return found.agent.curfew("audit", *arguments, "--json", expect=expect).json["rows"]

    def test_who_had_access(self):
        found = self.lab_make()
        found.golive = lab.now() - lab.days(90)
        dates = {"approved_on": lab.day(lab.now() - lab.days(120)), "starts": lab.day(lab.now() - lab.days(110))}
        databases = [("staging", "sql01", "AcmeTest")]
        found.client_add("acme", databases, users=(("Jane", "Doe"), ("John", "Roe")), **dates)
        begin = lab.now() - lab.days(100)
        found.agent.apply(lab.local(begin))
        # John is replaced before go-live; go-live is seen an hour late; the end of staging on time.
        found.client_add("acme", databases, **dates)
        found.agent.apply(lab.local(begin + lab.days(5)))
        found.agent.apply(lab.local(found.golive + lab.seconds(3600)))
        found.agent.apply(lab.local(found.golive + lab.days(14)))
        asked = ("--from", lab.day(begin - lab.days(1)))
        rows = self.rows(found, *asked, expect=2)
        self.assertEqual([(r["login"], r["level"], r["late_seconds"]) for r in rows],
                         [("acme.jane.doe", "full", 3600), ("acme.jane.doe", "read-only", 0),
                          ("acme.john.roe", "full", 0)])
        john = rows[2]
        self.assertEqual((john["user"], john["email"], john["ticket"], john["approved_by"]),
                         ("John Roe", "john.roe@acme.example", "CS-1", "account-lead@host.example"))
        self.assertEqual(john["ended"], (begin + lab.days(5)).strftime("%Y-%m-%dT%H:%M:%SZ"))
        records = {e["id"]: e for e in found.agent.curfew("history", "--json", expect=0).json}
        for row in rows:
            self.assertEqual([records[i]["kind"] for i in row["records"]], ["access", "access"])
            self.assertEqual(records[row["verification"]]["outcome"], "verified")
        # The same as CSV and as a page; PRACTICE is on it.
        text = found.agent.curfew("audit", *asked, "--csv", expect=2).out
        table = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual([r["E-MAIL"] for r in table], [r["email"] for r in rows])
        page = found.path("population.html")
        found.agent.curfew("audit", *asked, "--html", page, expect=2)
        with open(page, encoding="utf-8") as file:
            html = file.read()
        self.assertIn("john.roe@acme.example", html.replace("<wbr>", ""))
        self.assertIn("PRACTICE", html)
        # After the archive took the records, the same answer, through the file that the journal names.
        archive = found.path("old.db")
        found.agent.curfew("archive", archive, "--to", lab.local(found.golive + lab.days(1)), expect=0)
        later = self.rows(found, *asked, expect=2)
        keep = [(r["login"], r["level"], r["opened"], r["due"], r["ended"], r["late_seconds"]) for r in rows]
        self.assertEqual([(r["login"], r["level"], r["opened"], r["due"], r["ended"], r["late_seconds"])
                          for r in later], keep)
        # A part of it would be no answer.
        found.agent.space.run("mv", archive, archive + ".moved")
        result = found.agent.curfew("audit", *asked, expect=1)
        self.assertEqual(result.out, "")
        self.assertIn("the archive of the earlier records", result.err)
        # What was over before needs no archive.
        self.assertEqual(self.rows(found, "--from", lab.day(lab.now() - lab.days(2))), [])


if __name__ == "__main__":
    unittest.main()
