#!/usr/bin/python3
"""What reports conclude from the journal: never more than somebody read, also after an archive or a `forget`."""

import contextlib
import os
import shutil
import sqlite3
import unittest

import audit_lab
import lab

JANE, JOHN = "acme.jane.doe", "acme.john.roe"


def setUpModule():
    lab.require()


class EvidenceCase(audit_lab.AuditCase):
    def begun(self, users=(("Jane", "Doe"),), databases=(("staging", "sql01", "AcmeTest"),), **more):
        """A client whose access was granted a hundred days ago and should have ended two months ago."""
        found = self.lab_make(**more)
        found.golive = lab.now() - lab.days(90)
        self.client_put(found, users, databases)
        found.agent.apply(lab.local(lab.now() - lab.days(100)))
        return found

    def client_put(self, found, users, databases=(("staging", "sql01", "AcmeTest"),)):
        found.client_add("acme", list(databases), users=users, approved_on=lab.day(lab.now() - lab.days(120)),
                         starts=lab.day(lab.now() - lab.days(110)))

    def archived(self, found, name="old.db", to=None):
        """Everything so far, or everything before `to`."""
        lab.wait_past(lab.now())
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


class AMovedDate(EvidenceCase):
    def test_a_go_live_that_passed_is_not_to_come(self):
        """A later date in the file without a new approval changes nothing: no heading announces it."""
        found = self.lab_make()
        found.golive = lab.now() - lab.days(2)
        self.client_put(found, (("Jane", "Doe"),))
        found.agent.apply(lab.local(lab.now() - lab.days(9)))
        found.agent.apply()
        found.golive = lab.now() + lab.days(5)
        self.client_put(found, (("Jane", "Doe"),))
        self.assertRegex(found.agent.curfew("status", expect=(0, 2)).out, "acme  live, all access ends in ")
        self.assertIn(": live; next: access ends", found.agent.curfew("timeline", "acme").out)


class AClockThatWasAhead(EvidenceCase):
    AHEAD = 20

    def test_what_it_recorded_is_no_fact_once_that_time_has_come(self):
        found = self.lab_make()
        agent = found.agent
        del agent.settings["practice"]  # that may record future times
        found.golive = lab.now() + lab.days(20)
        self.client_put(found, (("Jane", "Doe"),))
        agent.apply()
        with open(agent.path("state", "clock"), "w", encoding="ascii") as file:
            file.write(f"highest {int(lab.now().timestamp()) + self.AHEAD}\n")
        agent.curfew("revoke", "acme", "--reason", "a test", expect=0)
        agent.curfew("clock", "--reset", "now", "--reason", "the battery was dead", expect=0)
        gone = max(e["at"] for e in agent.curfew("history", "acme", "--json").json if e["kind"] == "access")
        lab.wait_past(lab.now() + lab.seconds(self.AHEAD + 1))
        self.assertLess(gone, agent.curfew("clock", "--json").json["system_clock"])
        [held] = agent.curfew("history", "--at", "now", "--json", expect=0).json
        self.assertEqual((held["login"], held["level"]), (JANE, "full"))
        [row] = agent.curfew("audit", "--from", lab.local(lab.now() - lab.days(1)), "--json", expect=2).json["rows"]
        self.assertIsNone(row["ended"])


class NothingToCompareWith(EvidenceCase):
    def test_after_the_end(self):
        """Without a baseline nobody can tell who came meanwhile: a journal that has lost it certifies nothing."""
        for lost, archived in ((False, False), (True, False), (True, True)):
            with self.subTest(lost=lost, archived=archived):
                found = self.begun()
                found.agent.apply(expect=0)
                if archived:
                    self.archived(found)
                if lost:
                    with contextlib.closing(sqlite3.connect(found.agent.path("state", "journal.db"))) as db:
                        db.execute("DELETE FROM baseline_item")
                        db.execute("DELETE FROM baseline")
                        db.commit()
                answer = self.certificate(found, expect=1 if lost else 0)
                self.assertEqual("the journal is BROKEN" in answer.err, lost, answer)
                self.assertEqual("None was found." in " ".join(answer.out.split()), not lost, answer)


class AnEndThatNobodyConfirmed(EvidenceCase):
    """The server was down at the end, and the records of the grant are in an archive now."""

    def down(self, **more):
        found = self.begun(**more)
        found.server.stop()
        found.agent.apply(expect=1)
        return found

    def test_the_server_left_the_files(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest",), "sql02": ("AcmeProd",)})
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
        # No certificate is made from a journal with fewer records than were written.
        self.rows_delete(found, "record", "kind = 'access' AND server = 'sql01'")
        refused = found.agent.curfew("certificate", "acme", expect=1)
        self.assertIn("the journal is BROKEN at record", refused.err)
        self.assertEqual(refused.out, "")

    def test_confirmed_after_the_cut(self):
        """An archive carries the record over under a new number: what came after it by time still comes after it."""
        found = self.begun()
        found.server.faults(drop_prelogin=True)
        found.agent.apply(expect=1)
        found.server.faults()
        found.agent.apply()
        confirmed = lab.now()
        lab.wait_past(confirmed)
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
    def test_is_told_as_access(self):
        """Nothing was removed while it lasts, and another pass would not change that."""
        found = self.lab_make()
        found.golive = lab.now() + lab.days(9)
        self.client_put(found, (("Jane", "Doe"),))
        found.agent.apply()
        self.refused(found, f"{JANE} on sql01 / AcmeTest: still has full access")
        self.assertNotIn("removed, but", self.certificate(found, expect=2).err)

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
        found = self.lab_make(servers={"sql01": ("AcmeTest",), "sql02": ("AcmeProd",)})
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

    def test_stays_decided_when_the_client_starts_anew(self):
        """Its certificate reads no archive from before its new start, and `apply` helps no more."""
        found = self.scrapped()
        self.archived(found)
        found.golive = lab.now() + lab.days(20)
        found.client_add("acme", [("production", "sql02", "AcmeProd", "full")], ticket="CS-2", approved_on=lab.day(lab.now()),
                         starts=lab.day(lab.now() + lab.days(1)))
        end = lab.local(lab.now() + lab.days(60))
        for when in (lab.local(lab.now() + lab.days(2)), end):
            found.agent.apply(when)
        items = self.certificate(found, "--at", end, "--json").json["items"]
        self.assertIn((JOHN, "sql01"), {(i["name"], i["server"]) for i in items if i["what"] == "forgotten"})

    def test_covers_nothing_that_was_given_later(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest", "AcmeProd")})
        databases = [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd", "full")]
        found.client_add("acme", databases)
        found.agent.apply()
        lab.wait_past(lab.now())
        found.client_add("acme", databases[1:])
        found.agent.curfew("forget", "sql01", "AcmeTest", "--reason", "a wrong name", expect=0)
        lab.wait_past(lab.now())
        found.golive += lab.days(1)
        found.client_add("acme", databases)
        found.agent.apply()
        found.server.stop()
        found.agent.clients["acme"]["databases"].pop(0)
        found.agent.write()
        self.refused(found, f"{JANE} on sql01 / AcmeTest: ")


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


class WhoLeft(EvidenceCase):
    def test_is_not_said_to_be_replaced(self):
        """Nobody came for either of them; and a part of a name that fits both is no name."""
        found = self.begun(users=(("Jane", "Doe"), ("John", "Doe"), ("Zoe", "Zulu")))
        self.client_put(found, (("Zoe", "Zulu"),))
        found.agent.apply(lab.local(lab.now() - lab.days(99)))
        found.agent.apply()
        methods = [i["method"] for i in self.certificate(found, "--json").json["items"] if i["name"] in (JANE, "acme.john.doe")]
        self.assertTrue(methods)
        self.assertNotIn("replaced", " ".join(methods))
        self.assertIn("names several users", self.certificate(found, "doe", expect=64).err)
        self.certificate(found, "john.doe", expect=0)


class WhatTheCheckSays(EvidenceCase):
    def test_is_the_same_in_json(self):
        """Access that no file names any more is a warning for whoever reads it by a program too."""
        found = self.lab_make(servers={"sql01": ("AcmeTest",), "sql02": ("AcmeProd",)}, limits={"connect_timeout": 2})
        found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql02", "AcmeProd", "full")])
        found.agent.apply()
        found.agent.servers.pop("sql01")
        found.agent.clients["acme"]["databases"].pop(0)
        found.agent.write()
        said = found.agent.curfew("check", expect=0).out
        problems = found.agent.curfew("check", "--json", expect=0).json
        [words] = [p["text"] for p in problems if p["text"].startswith(f"{JANE} on sql01/AcmeTest: ")]
        self.assertIn(f"warning: {words}", said)


class RecordsThatAreMissing(EvidenceCase):
    """An older copy of the journal was put back, and the loss accepted: John's days are in no record."""

    def lost(self):
        found = self.begun()
        path = found.agent.path("state", "journal.db")
        shutil.copy(path, path + ".older")
        for number, users in ((99, (("Jane", "Doe"), ("John", "Roe"))), (98, (("Jane", "Doe"),))):
            self.client_put(found, users)
            found.agent.apply(lab.local(lab.now() - lab.days(number)))
        shutil.copy(path + ".older", path)
        found.agent.apply(expect=1)
        found.agent.curfew("accept-loss", "--reason", "no newer copy", expect=0)
        lab.wait_past(lab.now())
        found.agent.apply()
        return found

    def assert_known_again(self, found, since):
        found.agent.curfew("history", "--at", lab.local(lab.now()), expect=0)
        self.assertEqual(found.agent.curfew("audit", "--from", lab.local(since), "--json").json["missing"], [])

    def test_is_said_for_ever(self):
        found = self.lost()
        for archive in (False, True):
            if archive:
                self.archived(found)
            long_ago = lab.local(lab.now() - lab.days(99))
            asked = found.agent.curfew("history", "--at", long_ago, expect=1)
            self.assertEqual(asked.out, "")
            self.assertIn("no newer copy", asked.err)
            self.assertIn("is not known", asked.err)
            said = found.agent.curfew("audit", "--from", long_ago, expect=2).out
            self.assertIn("Not known: records between", said)
            [span] = found.agent.curfew("audit", "--from", long_ago, "--json", expect=2).json["missing"]
            self.assertEqual(span["reason"], "no newer copy")
            self.assertTrue(span["from"])
            said = self.certificate(found, expect=2)
            self.assertIn("Not known: records between", said.out)
            self.assertEqual(self.certificate(found, "--json", expect=2).json["missing"], [span])
            page = found.path(f"{archive}.html")
            self.certificate(found, "--html", page, expect=2)
            with open(page, encoding="utf-8") as file:
                self.assertNotIn("state good", file.read())
            found.agent.curfew("audit", "acme", "--html", page, expect=(0, 2))
            with open(page, encoding="utf-8") as file:
                self.assertRegex(file.read().split("<h2>History</h2>")[1], "records between .* are missing")
            self.assert_known_again(found, lab.now() - lab.seconds(1))

    def test_is_said_of_a_period_too(self):
        """John's grant and removal were recorded then: "no records" is no answer."""
        found = self.lost()
        asked = found.agent.curfew("history", "acme", "--from", lab.local(lab.now() - lab.days(99) - lab.seconds(3600)),
                                   "--to", lab.local(lab.now() - lab.days(97)), expect=2)
        self.assertIn("are missing", asked.err)
        since = lab.now()
        self.assertNotIn("missing", found.agent.curfew("history", "--from", lab.local(since), expect=0).err)

    def test_nobody_knows_before_it_is_accepted(self):
        """John came after the copy, and no pass took him away: what was noticed is not over with the notice."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        path = found.agent.path("state", "journal.db")
        shutil.copy(path, path + ".older")
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], users=(("Jane", "Doe"), ("John", "Roe")))
        found.agent.apply()
        lab.wait_past(lab.now())
        shutil.copy(path + ".older", path)
        found.server.faults(drop_prelogin=True)
        found.agent.curfew("apply", expect=1)
        found.server.faults()
        lab.wait_past(lab.now())
        since = lab.now()
        lab.wait_past(since)
        for accepted in (False, True):
            if accepted:
                found.agent.curfew("accept-loss", "--reason", "no newer copy", expect=0)
                found.agent.apply()
            self.assertIn("is not known", found.agent.curfew("history", "--at", lab.local(since), expect=1).err)
            audit = found.agent.curfew("audit", "--from", lab.local(since), "--json", expect=2).json
            self.assertEqual(len(audit["missing"]), 1)

    def test_before_anything_is_written_they_are_missing_until_now(self):
        found = self.begun()
        path = found.agent.path("state", "journal.db")
        shutil.copy(path, path + ".older")
        self.client_put(found, (("Jane", "Doe"), ("John", "Roe")))
        found.agent.apply()
        shutil.copy(path + ".older", path)
        said = found.agent.curfew("history", expect=0).err
        self.assertRegex(said, r"records between .* and 20\d\d-\d\d-\d\dT[0-9:]*Z are missing")

    def test_nothing_is_accepted_when_nothing_is_missing(self):
        """A mistake of an operator would spoil every report on earlier times, for ever."""
        found = self.begun()
        refused = found.agent.curfew("accept-loss", "--reason", "a mistake", expect=1)
        self.assertIn("no records are missing", refused.err)
        lab.wait_past(lab.now())
        audit = found.agent.curfew("audit", "--from", lab.local(lab.now() - lab.days(99)), "--json")
        self.assertEqual(audit.json["missing"], [])


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
