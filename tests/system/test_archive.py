#!/usr/bin/python3
"""Older records in a file of their own: nothing is lost, the chain is whole over both, and what dies leaves no loose end."""

import contextlib
import os
import shutil
import signal
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER, LabCase  # noqa: E402
from lab import days  # noqa: E402
from service import COMES, ServiceCase, until  # noqa: E402


def setUpModule():
    lab.require()


class Archive(LabCase):
    def test_records_move_and_the_chain_stays(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest",)})
        agent = found.agent
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.applied(agent)
        before = agent.curfew("history", "--json", expect=0).json
        self.next_second()
        file = found.path("2026.db")
        self.assertIn("option --to is required", agent.curfew("archive", file, expect=64).err)
        self.assertIn("in the future", agent.curfew("archive", file, "--to", "2999-01-01", expect=64).err)
        self.assertFalse(os.path.exists(file))
        moved = agent.curfew("archive", file, "--to", "now", "--reason", "a new year", "--json", expect=0).json
        # A digest of the tables stands behind each batch of records; the history does not show it.
        self.assertIn(moved["up_to"] - before[-1]["id"], (0, 1))
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as archive:
            self.assertEqual(archive.execute("SELECT count(*) FROM record WHERE kind <> 'state'").fetchone()[0], len(before))
        after = agent.curfew("history", "--json", expect=0).json
        self.assertGreater(min(entry["id"] for entry in after), moved["up_to"])
        self.assertIn("a new year", agent.curfew("history", expect=0).out)
        # Only what the file has was checked.
        said = agent.curfew("history", "verify", expect=0).out
        head = agent.curfew("history", "verify", "--json", expect=0).json
        self.assertIn(f"intact: records {moved['up_to'] + 1} to {head['head']}, head", said)
        self.assertIn(f"\nNot checked: the archived records 1 to {moved['up_to']}, the last of them in {file}", said)
        self.assertEqual((head["first"], head["archive"]), (moved["up_to"] + 1, file))
        said = agent.curfew("history", "verify", "--journal", file, expect=0).out
        self.assertIn(f"intact: {moved['up_to']} records, head {moved['hash']}", said)
        # Who has what is still answered, and a pass finds nothing to do.
        self.assertIn(USER, agent.curfew("history", "--at", "now", expect=0).out)
        agent.plan(expect=0)
        # Never over another, and never twice the same.
        self.assertIn("already exists", agent.curfew("archive", file, "--to", "now", expect=1).err)
        found.server.faults()

    def test_two_archives_of_times_long_past_hide_nobody(self):
        """What the first archive carried over stands behind what the second one takes."""
        found = self.lab_make(servers={"sql01": ("AcmeTest", "BoltTest", "ZenithTest")})
        agent = found.agent
        instants = []
        for name in ("Acme", "Bolt", "Zenith"):
            found.client_add(name.lower(), [("staging", "sql01", f"{name}Test")], **self.dates(lab.now() + days(20)))
            self.applied(agent)
            instants.append(self.next_second())
            self.next_second()
        for i, instant in enumerate(instants[:2]):
            agent.curfew("archive", found.path(f"{i}.db"), "--to", lab.local(instant), "--reason", "a test", expect=0)
        for i, instant in enumerate(instants):
            rows = agent.curfew("history", "--at", lab.local(instant), "--json", expect=0).json
            self.assertEqual({row["client"] for row in rows}, {"acme", "bolt", "zenith"} if i == 2 else
                             {"acme", "bolt"} if i else {"acme"})

    def kept_ninety_days(self):
        """Each archive ends before it is made, so that it lacks the record that names the one before."""
        found = self.lab_make(servers={"sql01": ("AcmeTest",)})
        start = lab.now() - days(10)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        for day in (8, 5, 2):
            found.agent.clients["acme"]["users"][0]["sources"].append(f"203.0.113.{day + 100}")
            found.agent.write()
            found.agent.curfew("apply", "--at", lab.local(lab.now() - days(day)))
        for name, day in (("1.db", 6), ("2.db", 3)):
            self.next_second()
            found.agent.curfew("archive", found.path(name), "--to", lab.local(lab.now() - days(day)), expect=0)
        return found, start

    def test_each_archive_is_found_by_the_newer_files(self):
        found, start = self.kept_ninety_days()
        rows = found.agent.curfew("history", "--at", lab.local(lab.now() - days(7)), "--json", expect=0).json
        self.assertEqual({row["client"] for row in rows}, {"acme"})
        found.agent.curfew("audit", "--from", lab.local(start + days(2.1)), "--json", expect=0)

    def test_an_archive_is_verified_before_it_is_believed(self):
        found, start = self.kept_ninety_days()
        with sqlite3.connect(found.path("1.db")) as db:
            triggers = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                db.execute(f"DROP TRIGGER {name}")
            self.assertTrue(db.execute("UPDATE record SET sources = '' WHERE kind = 'access'").rowcount)
            for _, text in triggers:
                db.execute(text)
        db.close()
        for command in (("history", "--at", lab.local(lab.now() - days(7))), ("audit", "--from", lab.local(start))):
            refused = found.agent.curfew(*command, expect=1)
            self.assertIn("is BROKEN at record", refused.err)
            self.assertEqual(refused.out, "")

    def test_the_journal_is_verified_before_it_is_believed(self):
        """No report has a row that somebody wrote into the file; what ends access does not wait for that."""
        found, start = self.kept_ninety_days()
        path = found.agent.path("state", "journal.db")
        with contextlib.closing(sqlite3.connect(path)) as db, db:
            triggers = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                db.execute(f"DROP TRIGGER {name}")
            self.assertTrue(db.execute("UPDATE record SET login = 'acme.nobody' WHERE kind = 'access'").rowcount)
            for _, text in triggers:
                db.execute(text)
        for command in (("history", "--at", "now"), ("history", "--at", "now", "--journal", path),
                        ("audit", "--from", lab.local(lab.now() - days(1))), ("certificate", "acme")):
            refused = found.agent.curfew(*command, expect=1)
            self.assertIn("is BROKEN at record", refused.err, command)
            self.assertEqual(refused.out, "", command)
        self.assertIn("acme", found.agent.curfew("status").out)

    def test_a_file_says_nothing_of_times_after_its_end(self):
        """An archive, or a copy, does not know what was recorded later."""
        found, _ = self.kept_ninety_days()
        copy = found.path("copy.db")
        shutil.copy(found.agent.path("state", "journal.db"), copy)
        last = {}
        for file in (found.path("1.db"), copy):
            records = found.agent.curfew("history", "--journal", file, "--json", expect=0).json
            last[file] = max(r["at"] for r in records)
            found.agent.curfew("history", "--journal", file, "--at", last[file], expect=0)
            refused = found.agent.curfew("history", "--journal", file, "--at", lab.local(lab.now() + days(400)), expect=1)
            self.assertIn(f"has records until {last[file]}", refused.err)
            self.assertEqual(refused.out, "")
        refused = found.agent.curfew("history", "--journal", found.path("1.db"), "--at", "now", expect=1)
        self.assertIn("later access is not recorded in it", refused.err)
        found.agent.curfew("history", "--journal", found.agent.path("state", "journal.db"), "--at", "now", expect=0)

    def test_the_journal_is_no_archive(self):
        """Of an archive less is verified: a writer who calls the journal one hides what was done to its tables."""
        found, _ = self.kept_ninety_days()
        with sqlite3.connect(found.path("1.db")) as db:
            [proof] = db.execute("SELECT proof FROM chain_key").fetchone()
        with sqlite3.connect(found.agent.path("state", "journal.db")) as db:
            db.execute("UPDATE chain_key SET closed = 1, proof = ?", (proof,))
            db.execute("DELETE FROM verification")
        db.close()
        for command in (("history", "verify"), ("apply",)):
            self.assertIn("marked as an archive", found.agent.curfew(*command, expect=1).err)

    def test_a_name_is_whole(self):
        """A name that only the folder of the moment completes leads nowhere from the next one."""
        found = self.lab_make(servers={"sql01": ("AcmeTest",)})
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.applied(found.agent)
        self.next_second()
        name = os.path.relpath(found.path("old.db"))
        said = found.agent.curfew("archive", name, "--to", "now", "--json", expect=0).json
        self.assertTrue(said["file"].startswith("/"), said)
        self.assertEqual(os.path.realpath(said["file"]), os.path.realpath(found.path("old.db")))
        self.assertEqual(found.agent.curfew("history", "verify", "--json", expect=0).json["archive"], said["file"])

    def next_second(self):
        """Records and --at are whole seconds."""
        lab.wait_past(lab.now())
        return lab.now()


class Loose(ServiceCase):
    def test_what_died_in_the_middle_is_on_record_as_unknown(self):
        service = self.service_make(lab.now() + days(20))
        self.elements_come(2)
        until(lambda: service.metric("curfew_passes_total"), "the pass at the start has ended")
        # A server that takes long over each statement: killed between intent and outcome.
        self.found.server.faults(delay=1000)
        self.found.server.sql(f"ALTER ROLE [db_owner] ADD MEMBER [{USER}]", "AcmeTest")
        asked = self.agent.start("apply")
        until(self.stopped_in_the_middle, "announced")
        # The service first: it would put the outcome on record as soon as it saw its worker die.
        for pid in (service.process.pid, *service.children()):
            os.kill(pid, signal.SIGKILL)
        service.process.wait(COMES)
        asked.communicate(timeout=COMES)
        self.found.server.faults()
        loose = self.loose_ends()
        self.assertTrue(loose, "nothing was left loose: this test has tested nothing")
        service.start()
        self.assertEqual(set(loose) & set(self.loose_ends()), set())
        self.assertIn("unknown", {entry["outcome"] for entry in self.agent.curfew("history", "--json", expect=0).json})
        self.role_comes("curfew_full")
        until(lambda: not self.loose_ends(), "nor is anything left of the pass at the start")

    def stopped_in_the_middle(self):
        """Whether the service stands still between intent and outcome: it goes on where the outcome came meanwhile."""
        if not self.loose_ends():
            return False
        self.service.process.send_signal(signal.SIGSTOP)
        with contextlib.suppress(sqlite3.OperationalError):  # stopped while it has the file for itself
            if self.loose_ends(wait=0):
                return True
        self.service.process.send_signal(signal.SIGCONT)
        return False

    def loose_ends(self, wait=60):
        """Announced changes without an outcome. By a program that takes long to start nobody would see them in time."""
        path = self.agent.path("state", "journal.db")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=wait)) as db:
            return [number for (number,) in db.execute("SELECT id FROM v_changes WHERE outcome = 'unfinished'")]


if __name__ == "__main__":
    unittest.main()
