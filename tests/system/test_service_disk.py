#!/usr/bin/python3
"""Trouble with the state on disk: the disk is full, the journal locked, damaged, or missing. Access still ends, and is recorded
later with the times at which it happened."""

import ctypes
import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import time
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
        until(lambda: self.service.figure("curfew_passes_total"), "the pass at the start has ended")

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
        self.service.process.send_signal(signal.SIGKILL)
        self.service.process.wait()
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
        self.service.says("none is granted until it can be opened")
        # Nobody is let in again, and the kernel lets nobody in whose access has ended.
        until(lambda: self.agent.elements() == [], "nobody is in")
        self.assertTrue(self.bob_is_shut_out())


    def test_a_journal_deleted_under_the_service(self):
        """Noticed without a restart: what was revoked stays so, nothing new is opened until an operator says so."""
        self.service_make(lab.now() + days(20))
        self.assertEqual(self.revoke().code, 0)
        for name in ("journal.db", "journal.db-journal"):
            if os.path.exists(self.agent.path("state", name)):
                os.unlink(self.agent.path("state", name))
        self.agent.curfew("apply", expect=(1, 2))
        self.service.says("was deleted or replaced under the running service")
        self.service.figure_comes("curfew_held", 1)
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
        self.service.figure_comes("curfew_held", 0)
        self.assertIsNone(self.found.server.login(BOB_LOGIN))

    def test_an_older_copy_under_the_service(self):
        self.service_make(lab.now() + days(20))
        with open(self.agent.path("state", "journal.db"), "rb") as file:
            older = file.read()
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
            before = time.monotonic()
            self.agent.start("reload").communicate()
            until(self.bob_is_shut_out, lambda: f"what has left the files is closed: {self.service.log()}")
            self.assertLess(time.monotonic() - before, 25 * lab.SLOW, "who keeps the journal locked keeps no access open")
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
