#!/usr/bin/python3
"""What a running pass has reported is recorded, and stays recorded, however the pass or the service ends."""

import os
import signal
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from service import ServiceCase, until  # noqa: E402


def setUpModule():
    lab.require()


class UnderWay(ServiceCase):
    LIMITS = {"connect_timeout": 30, "server_deadline": 120}

    FIREWALL = {}

    def lab_make(self, **options):
        found = super().lab_make(**options)
        found.agent.settings["firewall"].update(self.FIREWALL)
        return found

    def pass_made(self):
        """A pass that has made one change, and waits for a server that has stopped answering."""
        service = self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        until(lambda: service.figure("curfew_passes_total"), "the pass at the start has ended")
        self.drift()
        self.found.server.faults(delay=500)
        before = len(service.log())
        service.process.send_signal(signal.SIGHUP)
        until(lambda: "member-add" in service.log()[before:], "the change is made")
        self.found.server.faults(stall_after=1)
        return service

    def drift(self):
        self.found.server.script(f"USE [AcmeTest]; ALTER ROLE [curfew_full] DROP MEMBER [{USER}];")

    def records(self, words, *values):
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=60) as db:
            return db.execute("SELECT outcome FROM record WHERE " + words + " ORDER BY id", values).fetchall()

    def test_a_stop_undoes_no_record(self):
        service = self.pass_made()
        self.assertEqual(service.stop(), 0)
        self.assertEqual(self.records("kind = 'outcome' AND action = 'member-add'"), [("done",)] * 2)
        self.assertEqual(len(self.records("kind = 'event' AND action = 'stop'")), 1)

    def test_others_can_write_beside_it(self):
        self.pass_made()
        # Less than the hanging server holds its worker for.
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=30, isolation_level=None) as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("ROLLBACK")


class UnderWayWithoutFilter(UnderWay):
    """Where no step of the network puts the pass's records on disk before."""
    FIREWALL = {"enabled": False}

    def test_a_revocation_outlives_the_service(self):
        service = self.pass_made()
        asked = self.agent.start("revoke", "acme", "--reason", "a test")
        self.addCleanup(asked.communicate)
        until(lambda: "asks: revoke" in service.log(), "it is asked for")
        service.ask(command="service")
        service.process.kill()
        service.process.wait()
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=60) as db:
            self.assertEqual(db.execute("SELECT client FROM override").fetchall(), [("acme",)])


if __name__ == "__main__":
    unittest.main()
