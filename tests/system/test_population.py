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
        # The period begins before the journal: the file says so too.
        self.assertEqual([r["E-MAIL"] for r in table], [r["email"] for r in rows] + [""])
        self.assertEqual(table.pop()["ACCESS"], "not known")
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

    def test_what_the_journal_does_not_know(self):
        """Before its first record and in the future: an empty list would say that nobody had access."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        # Also in the very second of the grant.
        self.assertEqual(len(self.rows(found, "--from", "2020-01-01", expect=2)), 1)
        page = found.path("early.html")
        for more in ((), ("--to", "2020-02-01")):
            asked = ("audit", "--from", "2020-01-01", *more)
            self.assertIn("Not known: the journal begins at", found.agent.curfew(*asked, expect=2).out)
            found.agent.curfew(*asked, "--html", page, expect=2)
            with open(page, encoding="utf-8") as file:
                self.assertNotIn("state good", file.read())
        coming = ("--from", "2999-10-01", "--to", "2999-11-01")
        self.assertIn("is in the future", found.agent.curfew("audit", *coming, expect=64).err)
        now = lab.local(lab.now())
        answer = found.agent.curfew("audit", "--from", "2020-01-01", "--to", "2999-10-01", "--json", expect=2)
        self.assertIn("--to is in the future", answer.err)
        self.assertGreaterEqual(answer.json["to"], now)
        self.assertLess(answer.json["to"], "2999")

    def test_an_hour_that_comes_twice(self):
        """01:30 on that day: the period reaches to the second one, and it is said which was meant."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], timezone="America/Chicago")
        found.agent.apply()
        for name, word, used in (("to", "second", "2026-11-01T07:30:00Z"), ("from", "first", "2026-11-01T06:30:00Z")):
            asked = {"from": "2026-10-01", "to": "2026-11-02", name: "2026-11-01T01:30"}
            answer = found.agent.curfew("audit", "acme", "--from", asked["from"], "--to", asked["to"], "--json", expect=2)
            self.assertEqual(answer.json[name], used)
            self.assertIn(f"occurs twice in America/Chicago (clocks go back); using the {word}, {used}", answer.err)

    def test_a_login_that_passed_to_another_person(self):
        """Nothing ended: the first one still knows the password, until another one is handed over."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        begin = lab.local(lab.now())
        lab.wait_past(lab.now())
        found.agent.clients["acme"]["users"][0]["email"] = "other@acme.example"
        found.agent.write()
        found.agent.apply()
        first, other = self.rows(found, "--from", begin, expect=2)
        self.assertEqual((first["email"], first["ended"], first["continues"]), ("jane.doe@acme.example", None, True))
        self.assertEqual((other["email"], other["ended"], other["continues"]), ("other@acme.example", None, False))
        found.agent.handover("acme", "acme.jane.doe")
        first, _ = self.rows(found, "--from", begin)
        self.assertTrue(first["ended"])

    def test_a_login_that_moved_to_another_client(self):
        """It is written in both files: the first person's access goes on with the password, and ends with another one."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.clients["acme"]["users"][0]["login"] = "consult"
        found.agent.write()
        found.agent.apply()
        begin = lab.local(lab.now())
        lab.wait_past(lab.now())
        found.agent.clients["apex"] = {**found.agent.clients.pop("acme"), "name": "apex"}
        found.agent.clients["apex"]["users"][0]["email"] = "other@apex.example"
        found.agent.write()
        found.agent.apply()
        first, other = self.rows(found, "--from", begin, expect=2)
        self.assertEqual((first["client"], first["email"], first["ended"], first["passed_on"], first["moved_to"]),
                         ("acme", "jane.doe@acme.example", None, True, "apex"))
        self.assertEqual((other["client"], other["email"], other["ended"]), ("apex", "other@apex.example", None))
        # Also for who asks of the former client alone, and while the login is there.
        only, = self.rows(found, "acme", "--from", begin, expect=2)
        self.assertTrue(only["passed_on"])
        moved = next(r for r in found.agent.curfew("history", "--json").json
                     if r["kind"] == "access" and r["level"] == "none")
        self.assertIn("as another person's: the login and its password stay", moved["detail"])
        lab.wait_past(lab.now())
        found.agent.handover("apex", "consult")
        first, _ = self.rows(found, "--from", begin)
        event = next(r for r in found.agent.curfew("history", "--json").json if r["action"] == "handover" and r["kind"] == "event")
        self.assertEqual((first["passed_on"], first["ended"], first["handover"]), (False, event["at"], event["id"]))


if __name__ == "__main__":
    unittest.main()
