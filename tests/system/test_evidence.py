#!/usr/bin/python3
"""What reports conclude from the journal: never more than somebody read, also after an archive or a `forget`."""

import contextlib
import os
import sqlite3
import unittest

import audit_lab
import lab

JANE, JOHN = "acme.jane.doe", "acme.john.roe"


def setUpModule():
    lab.require()


def wait_past(instant):
    """The journal counts seconds, and an archive takes what is before one."""
    while lab.now() <= instant:
        pass


class EvidenceCase(audit_lab.AuditCase):
    def begun(self, users=(("Jane", "Doe"),), databases=(("staging", "sql01", "AcmeTest"),), **more):
        """A client whose access was granted a hundred days ago and should have ended two months ago."""
        found = self.lab_make(limits={"connect_timeout": 2}, **more)
        found.golive = lab.now() - lab.days(90)
        self.client_put(found, users, databases)
        found.agent.apply(lab.local(lab.now() - lab.days(100)))
        return found

    def client_put(self, found, users, databases=(("staging", "sql01", "AcmeTest"),)):
        found.client_add("acme", list(databases), users=users, approved_on=lab.day(lab.now() - lab.days(120)),
                         starts=lab.day(lab.now() - lab.days(110)))

    def archived(self, found, name="old.db", to=None):
        """Everything so far, or everything before `to`."""
        wait_past(lab.now())
        path = found.path(name)
        found.agent.curfew("archive", path, "--to", lab.local(to or lab.now()), expect=0)
        return path

    @staticmethod
    def rows_delete(found, table, where):
        """As if they had never been in this file."""
        with contextlib.closing(sqlite3.connect(found.agent.path("state", "journal.db"))) as db:
            triggers = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                db.execute(f"DROP TRIGGER {name}")
            assert db.execute(f"DELETE FROM {table} WHERE {where}").rowcount, table
            for _, text in triggers:
                db.execute(text)
            db.commit()


class NothingToCompareWith(EvidenceCase):
    def test_after_the_end(self):
        """Without a baseline nobody can tell who came meanwhile: a certificate does not say that nobody did."""
        for lost in (False, True):
            with self.subTest(lost=lost):
                found = self.begun()
                found.agent.apply(expect=0)
                if lost:
                    with contextlib.closing(sqlite3.connect(found.agent.path("state", "journal.db"))) as db:
                        db.execute("DELETE FROM baseline_item")
                        db.execute("DELETE FROM baseline")
                        db.commit()
                said = " ".join(self.certificate(found, expect=2 if lost else 0).out.split())
                self.assertEqual("not-shown" in said, lost, said)
                self.assertEqual("None was found." in said, not lost, said)


class AnEndThatNobodyConfirmed(EvidenceCase):
    """The server was down at the end, and the records of the grant are in an archive now."""

    def down(self, **more):
        found = self.begun(**more)
        found.server.stop()
        found.agent.apply(expect=1)
        return found

    def test_the_server_left_the_files(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest",), "sql02": ("AcmeProd",)}, limits={"connect_timeout": 2})
        found.golive = lab.now() - lab.days(90)
        both = [("staging", "sql01", "AcmeTest"), ("production", "sql02", "AcmeProd", "full")]
        self.client_put(found, (("Jane", "Doe"),), both)
        found.agent.apply(lab.local(lab.now() - lab.days(100)))
        found.servers["sql01"].stop()
        found.agent.servers.pop("sql01")
        self.client_put(found, (("Jane", "Doe"),), both[1:])
        found.agent.apply(expect=1)
        self.refused(found, f"{JANE} on sql01")
        self.archived(found)
        self.refused(found, f"{JANE} on sql01")
        for command in ("status", "audit"):
            said = found.agent.curfew(command, "acme", expect=(1, 2))
            self.assertIn("the server was removed from curfew.conf", said.out, command)
        # An archive of an older version took the record that names the client: any client may be the one.
        self.rows_delete(found, "record", "kind = 'access' AND server = 'sql01'")
        self.refused(found, f"{JANE} on sql01 / AcmeTest")

    def test_confirmed_after_the_cut(self):
        """An archive carries the record over under a new number: what came after it by time still comes after it."""
        found = self.begun()
        found.server.faults(stall_prelogin=True)
        found.agent.apply(expect=1)
        found.server.faults()
        found.agent.apply()
        confirmed = lab.now()
        wait_past(confirmed)
        self.archived(found, to=lab.now() - lab.days(2))
        rows = {when: found.agent.curfew("history", "--at", lab.local(when), "--json", expect=0).json
                for when in (lab.now() - lab.days(1), lab.now())}
        [late], none = rows.values()
        self.assertEqual((late["past_its_end"], late["login"]), (True, JANE))
        self.assertTrue(late["confirmed_closed"])
        self.assertEqual(none, [])

    def test_history_and_population(self):
        found = self.down()
        when = lab.local(lab.now() - lab.days(1))
        self.archived(found, to=lab.now() - lab.days(2))
        said = found.agent.curfew("history", "--at", when).out
        self.assertIn(f"past its end: {JANE} on sql01 / AcmeTest", said)
        self.assertNotIn("nobody had access", said)
        rows = found.agent.curfew("audit", "--from", when, "--json", expect=2).json["rows"]
        self.assertEqual({(r["login"], r["ended"]) for r in rows}, {(JANE, None)})


class AProofOfHavingAccess(EvidenceCase):
    def test_is_no_record_of_removal(self):
        """Verified at a level, and gone by a DBA's hand before the next pass: no pass has verified the removal."""
        found = self.begun()
        found.agent.apply(lab.local(found.golive + lab.days(1)))
        levels = [e["level"] for e in found.agent.curfew("history", "acme", "--json", expect=0).json if e["kind"] == "proof"]
        self.assertEqual(levels, ["full", "read-only"])
        found.server.sql(f"DROP USER [{JANE}]", "AcmeTest")
        found.server.sql(f"DROP LOGIN [{JANE}]")
        self.refused(found, f"{JANE} on sql01 / AcmeTest: removed, but the journal has no proof record")
        found.agent.apply()
        issued = self.certificate(found, "--json").json
        records = {e["id"]: e for e in found.agent.curfew("history", "acme", "--json").json}
        self.assertEqual({records[i["record"]]["level"] for i in issued["items"]}, {"none"})


class WhatWasForgotten(EvidenceCase):
    """`forget` ends the search. Nobody has seen anything go."""

    def scrapped(self):
        """John was replaced while sql01 was down, and sql01 never came back. All is over on sql02."""
        found = self.lab_make(servers={"sql01": ("AcmeTest",), "sql02": ("AcmeProd",)}, limits={"connect_timeout": 2})
        found.golive = lab.now() - lab.days(90)
        both = [("staging", "sql01", "AcmeTest"), ("production", "sql02", "AcmeProd", "full")]
        self.client_put(found, (("Jane", "Doe"), ("John", "Roe")), both)
        found.agent.apply(lab.local(lab.now() - lab.days(100)))
        found.servers["sql01"].stop()
        found.agent.servers.pop("sql01")
        self.client_put(found, (("Jane", "Doe"),), both[1:])
        found.agent.apply(expect=1)
        self.refused(found, f"{JOHN} on sql01")
        found.agent.curfew("forget", "sql01", "--reason", "CS-5: sql01 was scrapped", expect=0)
        found.agent.apply()
        return found

    def assert_listed(self, found):
        items = self.certificate(found, "--json").json["items"]
        forgotten = {(i["name"], i["server"], i["database"]): i for i in items if i["what"] == "forgotten"}
        self.assertEqual(set(forgotten), {(JANE, "sql01", "AcmeTest"), (JOHN, "sql01", "AcmeTest"), (JOHN, "sql01", None)})
        for item in forgotten.values():
            self.assertEqual((item["method"], item["record"]), ("CS-5: sql01 was scrapped", None))
            self.assertIn("uid", item["evidence"])
        checked = [i for i in items if i["what"] != "forgotten"]
        self.assertEqual({i["server"] for i in checked}, {"sql02"})
        return len(checked)

    def test_is_not_verified(self):
        found = self.scrapped()
        checked = self.assert_listed(found)
        said = self.certificate(found).out
        verified, told = said.split("Not looked for any more")
        self.assertNotIn("sql01", verified)
        for words in ("not verified as removed: 3", f"{JOHN} on sql01/AcmeTest", f"{JANE} on sql01/AcmeTest",
                      "because: CS-5: sql01 was scrapped", "uid"):
            self.assertIn(words, told)
        page = found.path("certificate.html")
        self.certificate(found, "--html", page)
        with open(page, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(f"All {checked} logins", text)
        self.assertIn("3 more are not looked for any more", text)
        self.assertIn("CS-5: sql01 was scrapped", text)
        self.assertNotIn("state good", text)

    def test_stays_listed_when_the_decision_is_in_an_archive(self):
        found = self.scrapped()
        self.archived(found)
        self.assert_listed(found)

    def test_covers_nothing_that_was_given_later(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest", "AcmeProd")})
        databases = [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd", "full")]
        found.client_add("acme", databases)
        found.agent.apply()
        wait_past(lab.now())
        found.agent.curfew("forget", "sql01", "AcmeTest", "--reason", "a wrong name", expect=0)
        wait_past(lab.now())
        found.golive += lab.days(1)
        found.client_add("acme", databases)
        found.agent.apply()
        found.server.stop()
        found.agent.clients["acme"]["databases"].pop(0)
        found.agent.write()
        for table in ("verification", "proved"):
            self.rows_delete(found, table, "database = 'AcmeTest'")
        self.refused(found, f"{JANE} on sql01 / AcmeTest: no longer in the configuration")


class AnArchive(EvidenceCase):
    """The records of the grants and of the proofs are in an archive, and the certificate is the same."""

    def ended(self):
        """John was replaced long ago, and the client has left a database; all was verified in time."""
        databases = (("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd", "full"))
        found = self.begun(users=(("Jane", "Doe"), ("John", "Roe")), databases=databases, servers={"sql01": ("AcmeTest", "AcmeProd")})
        self.client_put(found, (("Jane", "Doe"),), databases)
        found.agent.apply(lab.local(lab.now() - lab.days(99)))
        self.client_put(found, (("Jane", "Doe"),), databases[1:])
        found.agent.apply(lab.local(lab.now() - lab.days(98)))
        found.agent.apply()
        return found

    def test_certifies_the_same(self):
        found = self.ended()
        before = {user: self.certificate(found, *user, "--json").json["items"] for user in ((), ("john.roe",))}
        self.assertIn((JOHN, "login"), {(i["name"], i["what"]) for i in before[()]})
        self.assertIn((JANE, "AcmeTest"), {(i["name"], i["database"]) for i in before[()]})
        archives = [self.archived(found, f"old{number}.db") for number in range(2)]
        for user, items in before.items():
            self.assertEqual(self.certificate(found, *user, "--json").json["items"], items)
        # A part of it would be no certificate.
        os.rename(archives[0], archives[0] + ".moved")
        result = self.certificate(found, expect=1)
        self.assertEqual(result.out, "")
        self.assertIn("the archive of the earlier records", result.err)


class ALoginThatWasRemovedTwice(EvidenceCase):
    def test_has_the_last_time(self):
        found = self.begun(users=(("Jane", "Doe"), ("John", "Roe")))
        for number, users in ((99, ("Jane",)), (98, ("Jane", "John")), (97, ("Jane",))):
            self.client_put(found, [(first, {"Jane": "Doe", "John": "Roe"}[first]) for first in users])
            found.agent.apply(lab.local(when := lab.now() - lab.days(number)))
        found.agent.apply()
        [login] = [i for i in self.certificate(found, "--json").json["items"] if (i["name"], i["what"]) == (JOHN, "login")]
        self.assertEqual(login["at"], lab.local(when) + "Z")
        records = {e["id"]: e for e in found.agent.curfew("history", "acme", "--json", expect=0).json}
        self.assertEqual(records[login["record"]]["at"], login["at"])


if __name__ == "__main__":
    unittest.main()
