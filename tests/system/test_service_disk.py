#!/usr/bin/python3
"""Trouble with the state on disk: the disk is full, the journal locked, damaged, or missing. Access still ends, and is recorded
later with the times at which it happened."""

import contextlib
import ctypes
import fcntl
import os
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from service import Service, ServiceCase, until  # noqa: E402

CLONE_NEWNS = 0x00020000
BOB = {"first": "Bob", "last": "Ray", "email": "bob@beta.example", "sources": ["198.51.100.66"]}
BOB_LOGIN = "beta.bob.ray"


def setUpModule():
    lab.require()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise unittest.SkipTest("no mount namespace of our own")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


class Disk(ServiceCase):
    """The state directory lies on a small disk of its own."""

    def service_make(self, golive, **more):
        found = self.lab_make(limits=self.LIMITS, program={"shared_databases": True})
        self.found, self.agent = found, found.agent
        state = self.agent.path("state")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", state], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", state], check=True)
        self.agent.settings["metrics_file"] = self.agent.path("state", "curfew.prom")
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(golive))
        found.client_add("beta", [("staging", "sql01", "AcmeProd")], users=[BOB],
                         **self.dates(lab.now() + days(9)))
        self.service = Service(found)
        self.addCleanup(self.service.close)
        until(lambda: self.bob_is_in() and len(self.agent.elements()) == 3, "everybody is in")
        until(lambda: self.service.metric("curfew_passes_total"), "the pass at the start has ended")

    def bob_is_in(self):
        return any(source == "198.51.100.66" for source, _, _ in self.agent.elements())

    def bob_is_shut_out(self):
        login = self.found.server.login(BOB_LOGIN)
        return not self.bob_is_in() and (login is None or login[1])

    def disk_fill(self):
        with open(self.agent.path("state", "filler"), "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass

    def disk_free(self):
        os.unlink(self.agent.path("state", "filler"))

    def records(self, words):
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=60) as db:
            return db.execute("SELECT at, reason FROM record WHERE " + words + " ORDER BY id").fetchall()

    def outcomes(self, action):
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=60) as db:
            return db.execute("SELECT outcome FROM record WHERE action = ? ORDER BY id", (action,)).fetchall()

    def revoke(self, *whom):
        return self.agent.curfew("revoke", *(whom or ("beta",)), "--reason", "CS-7: stolen")


class Full(Disk):
    def test_revoke_closes_and_is_recorded_later(self):
        self.service_make(lab.now() + days(20))
        self.disk_fill()
        before = lab.now().timestamp()
        done = self.revoke()
        after = lab.now().timestamp()
        self.assertEqual(done.code, 1, str(done))
        self.assertIn("curfew revoke: access removed: network, SQL on every server;", done.err)
        self.assertIn("the revocation is in its second copy", done.err)
        self.assertTrue(self.bob_is_shut_out(), str(done))
        self.assertEqual(self.records("action = 'revoke'"), [])
        # It needs room itself: no remedy, and it says whose disk is full.
        said = self.agent.curfew("archive", self.found.path("none.db"), "--to", "now", expect=1).err
        self.assertIn("nothing was archived: cannot write the journal: ", said)
        self.assertFalse(os.path.exists(self.found.path("none.db")))
        self.disk_free()
        until(lambda: self.records("action = 'revoke'"), "the revocation is on record")
        (at, reason), = self.records("action = 'revoke'")
        self.assertEqual(reason, "CS-7: stolen")
        self.assertTrue(before <= at <= after, (before, at, after))
        # And what was done: the element, the login.
        until(lambda: self.records("kind = 'outcome' AND action = 'remove' AND client = 'beta'"),
              "what was closed is on record")
        self.agent.curfew("history", "verify", expect=0)
        self.assertTrue(self.bob_is_shut_out())

    def test_a_restart_forgets_no_revocation(self):
        self.service_make(lab.now() + days(20))
        self.disk_fill()
        self.assertEqual(self.revoke().code, 1)
        self.service.kill()
        self.service.start()
        self.assertTrue(self.bob_is_shut_out())
        self.disk_free()
        until(lambda: self.records("action = 'revoke'"), "the revocation is on record")
        self.assertTrue(self.bob_is_shut_out())

    def test_a_reload_without_a_client_closes(self):
        self.service_make(lab.now() + days(20))
        self.disk_fill()
        del self.agent.clients["beta"]
        self.agent.write()
        self.agent.curfew("reload", expect=(0, 2))
        until(self.bob_is_shut_out, "what has left the files is closed")
        self.disk_free()

    def test_golive_narrows(self):
        self.service_make(lab.now() + days(20))
        self.assertEqual(self.found.server.roles(USER, "AcmeTest"), ["curfew_full"])
        # Not by a reload, which would have to write: the service knows the instant before the disk is full.
        self.golive_comes(ahead=30, meanwhile=self.disk_fill, back=self.disk_free)
        until(lambda: "curfew_full" not in self.found.server.roles(USER, "AcmeTest"), "full access has ended")
        self.disk_free()
        until(lambda: self.found.server.roles(USER, "AcmeTest") == ["curfew_read_only"], "read-only access is given")
        self.agent.curfew("history", "verify", expect=0)


class Journal(Disk):
    def test_a_lock_holds_no_revocation_up(self):
        self.service_make(lab.now() + days(20))
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=60, isolation_level=None) as db:
            db.execute("BEGIN EXCLUSIVE")
            done = self.revoke()
            self.assertEqual(done.code, 1, str(done))
            self.assertTrue(self.bob_is_shut_out(), str(done))
            db.execute("ROLLBACK")
        until(lambda: self.records("action = 'revoke'"), "the revocation is on record")

    def test_a_reset_that_failed_is_not_told_as_done(self):
        self.service_make(lab.now() + days(20))
        reset = ("clock", "--reset", "now", "--reason", "CS-4: battery")
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=60, isolation_level=None) as db:
            db.execute("BEGIN EXCLUSIVE")
            self.assertIn("cannot write the journal", self.agent.curfew(*reset, expect=1).err)
            self.assertEqual(self.revoke().code, 1)
            db.execute("ROLLBACK")
        # What waited is on record.
        until(lambda: self.records("action = 'revoke'"), "the revocation is on record")
        self.assertEqual(self.records("action = 'clock-reset'"), [])
        # Written, and then not done: by the service, and without it.
        os.mkdir(self.agent.path("state", "clock.new"))
        self.agent.curfew(*reset, expect=1)
        self.service.stop()
        self.agent.curfew(*reset, expect=1)
        self.assertEqual([outcome for outcome, in self.outcomes("clock-reset")], [None, "failed"] * 2)

    def test_by_a_time_that_cannot_be_saved_nothing_is_granted(self):
        """Else a restart with a clock that was set back would grant again what ended since."""
        self.service_make(lab.now() + days(20))
        os.mkdir(self.agent.path("state", "clock.new"))
        self.agent.clients["acme"]["users"].append({"first": "Ann", "last": "Lee", "email": "ann.lee@acme.example",
                                                    "sources": ["203.0.113.77"]})
        self.agent.write()
        self.agent.curfew("reload", expect=0)
        told = self.agent.curfew("apply", expect=1)
        self.assertIn("cannot save the latest time seen", told.out + told.err)
        self.assertFalse([source for source, _, _ in self.agent.elements() if source == "203.0.113.77"])
        self.assertIsNone(self.found.server.login("acme.ann.lee"))
        self.assertIn("no access is granted until it can be saved", self.service.log())
        # Access ends all the same.
        self.revoke()
        self.assertTrue(self.bob_is_shut_out())
        os.rmdir(self.agent.path("state", "clock.new"))
        # The service tries again by itself: the next interval may be a day away.
        until(lambda: self.found.server.login("acme.ann.lee"), "Ann's login is made")

    def test_a_lock_on_the_client_files_holds_no_revocation_up(self):
        self.service_make(lab.now() + days(20))
        folder = os.open(self.agent.path("clients.d"), os.O_RDONLY)
        self.addCleanup(os.close, folder)
        fcntl.flock(folder, fcntl.LOCK_EX)
        self.assertEqual(self.revoke().code, 0)
        self.assertTrue(self.bob_is_shut_out())
        done = self.agent.curfew("allow", "acme", USER, "203.0.113.99", "--reason", "a week away",
                                 "--ticket", "CS-3", "--yes")
        self.assertEqual(done.code, 1, str(done))
        self.assertIn("`lslocks` names the process", done.err)

    def test_a_damaged_journal_keeps_nobody_in(self):
        self.service_make(lab.now() + days(20))
        self.assertEqual(self.revoke().code, 0)
        self.service.stop()
        with open(self.agent.path("state", "journal.db"), "r+b") as file:
            file.write(b"no database at all, but text")
        del self.agent.clients["acme"]
        self.agent.write()
        self.service.start()
        self.service.says("none is granted until it can be read")
        # Nobody is let in again, and the kernel lets nobody in whose access has ended.
        until(lambda: self.agent.elements() == [], "nobody is in")
        self.assertTrue(self.bob_is_shut_out())

    def unknown_word(self, db):
        db.execute("INSERT INTO passed VALUES ('acme', 'of-a-newer-version', 1, '', 0)")

    def zeroed_page(self, db):
        (page,), = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'override'")
        (size,), = db.execute("PRAGMA page_size")
        with open(self.agent.path("state", "journal.db"), "r+b") as file:
            file.seek((page - 1) * size)
            file.write(bytes(size))

    def test_a_damaged_table_keeps_nobody_in(self):
        """That the revocations cannot be read is no reason to end nothing."""
        self.service_make(lab.now() + days(20))
        self.assertEqual(self.revoke().code, 0)
        path = self.agent.path("state", "journal.db")
        for damage, days_ago in ((self.unknown_word, 20), (self.zeroed_page, 40)):
            self.service.stop()
            self.agent.clients["acme"].update(self.dates(lab.now() - days(days_ago), started=60))
            self.agent.write()
            with open(path, "rb") as file:
                good = file.read()
            with sqlite3.connect(path) as db:
                damage(db)
            before = len(self.service.log())
            self.service.start()
            self.service.says("none is granted until it can be read", before)
            until(lambda: self.found.server.roles(USER, "AcmeTest") == [] and self.agent.elements() == [],
                  lambda: f"what has ended is closed: {self.service.log()[before:]}")
            self.assertTrue(self.bob_is_shut_out())
            with open(path, "r+b") as file:
                file.write(good)
                file.truncate()
            self.service.says("the journal can be written again", before)
        self.service.stop()
        with sqlite3.connect(path) as db:
            self.unknown_word(db)
        done = self.revoke("acme")
        self.assertIn("removing access anyway", done.err)
        self.assertIn("access removed: network, SQL on every server", done.err)

    def test_a_journal_deleted_under_the_service(self):
        """Noticed without a restart: what was revoked stays so, nothing new is opened until an operator says so."""
        self.service_make(lab.now() + days(20))
        self.assertEqual(self.revoke().code, 0)
        for name in ("journal.db", "journal.db-journal"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.agent.path("state", name))
        self.agent.curfew("apply", expect=(1, 2))
        self.service.says("was deleted or replaced under the running service; access is removed as scheduled, and none is granted "
                          "until the journal is restored")
        self.service.metric_comes("curfew_held", 1)
        self.assertTrue(self.bob_is_shut_out())
        self.found.client_add("gamma", [("staging", "sql01", "AcmeTest")],
                              users=[{**BOB, "email": "ann@gamma.example"}], **self.dates(lab.now() + days(9)))
        self.agent.curfew("reload", expect=(0, 1, 2))
        self.agent.curfew("apply", expect=(1, 2))
        self.assertIsNone(self.found.server.login("gamma.bob.ray"), "nothing new is opened")
        self.agent.curfew("accept-loss", "--reason", "CS-9: disk replaced", expect=0)
        self.agent.curfew("apply", expect=0)
        until(lambda: self.found.server.login("gamma.bob.ray") == ["gamma.bob.ray", False],
              lambda: f"gamma's login is enabled: {self.service.log()}")
        self.service.metric_comes("curfew_held", 0)
        self.assertIsNone(self.found.server.login(BOB_LOGIN))

    def test_an_older_copy_under_the_service(self):
        self.service_make(lab.now() + days(20))
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=60, isolation_level=None) as db:
            db.execute("BEGIN IMMEDIATE")  # nobody is in the middle of writing it
            with open(self.agent.path("state", "journal.db"), "rb") as file:
                older = file.read()
            db.execute("ROLLBACK")
        self.assertEqual(self.revoke().code, 0)
        with open(self.agent.path("state", "journal.db"), "r+b") as file:
            file.write(older)
            file.truncate()
        self.assertIn("records are missing", self.agent.curfew("history").err)
        self.agent.curfew("apply", expect=(1, 2))
        self.assertIn("records are missing", self.agent.curfew("status").out)
        self.assertTrue(self.bob_is_shut_out())

    def test_what_is_known_closes_when_the_journal_cannot_be_read(self):
        """Bob's client leaves the files while nobody can read who Bob was."""
        self.service_make(lab.now() + days(20))
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=60, isolation_level=None) as db:
            db.execute("BEGIN EXCLUSIVE")
            del self.agent.clients["beta"]
            self.agent.write()
            self.agent.start("reload").communicate()
            # Who keeps the journal locked, as it is still, keeps no access open.
            until(self.bob_is_shut_out, lambda: f"what has left the files is closed: {self.service.log()}")
            self.assertEqual(self.found.server.login(USER), [USER, False], "nobody else is shut for it")
            db.execute("ROLLBACK")


class Person(Disk):
    def test_one_person_of_two_clients(self):
        self.service_make(lab.now() + days(20))
        self.found.client_add("gamma", [("staging", "sql01", "AcmeTest")],
                              users=[{**BOB, "email": "BOB@beta.example"}], **self.dates(lab.now() + days(9)))
        self.agent.curfew("reload", expect=0)
        until(lambda: self.found.server.login("gamma.bob.ray") == ["gamma.bob.ray", False], "gamma's login is enabled")
        done = self.agent.curfew("revoke", "--person", "bob@beta.example", "--reason", "CS-8: has left", expect=0)
        self.assertIn("beta / beta.bob.ray revoked", done.out)
        self.assertIn("gamma / gamma.bob.ray revoked", done.out)
        self.assertTrue(self.bob_is_shut_out())
        self.assertEqual([reason for _, reason in self.records("action = 'revoke'")], ["CS-8: has left"] * 2)
        self.assertEqual(self.agent.curfew("revoke", "--person", "x@y.example", "--reason", "x").code, 64)
        self.assertEqual(self.agent.curfew("revoke", "--reason", "x").code, 64)
        self.assertEqual(self.agent.curfew("revoke", "beta", "--person", "x@y.example", "--reason", "x").code, 64)
        self.agent.curfew("reinstate", "--person", "bob@beta.example", "--reason", "CS-8: is back", expect=0)
        until(self.bob_is_in, "both are in again")


if __name__ == "__main__":
    unittest.main()
