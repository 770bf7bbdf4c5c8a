#!/usr/bin/python3
"""What a running pass has reported is recorded, and stays recorded, however the pass or the service ends."""

import os
import resource
import signal
import socket
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from service import Service, ServiceCase, until  # noqa: E402

# What was freed is overwritten.
OVERWRITTEN = "glibc.malloc.tcache_count=0:glibc.malloc.perturb=165"


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
        until(lambda: service.metric("curfew_passes_total"), "the pass at the start has ended")
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
        service.kill()
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=60) as db:
            self.assertEqual(db.execute("SELECT client FROM override").fetchall(), [("acme",)])


class Descriptors(ServiceCase):
    LIMITS = {"connect_timeout": 30, "server_deadline": 120}

    def descriptors_end(self):
        """The service can open nothing more."""
        pid = self.service.process.pid
        taken = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
        least = min(set(range(len(taken) + 1)) - taken)
        return resource.prlimit(pid, resource.RLIMIT_NOFILE, (least, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

    def test_who_revoked_is_known_when_no_pass_can_begin(self):
        """The caller has had its answer by then, and its memory is another's."""
        service = self.service_make(lab.now() + days(20))
        service.stop()
        self.service = service = Service(self.found, under=("env", "GLIBC_TUNABLES=" + OVERWRITTEN))
        self.addCleanup(service.close)
        until(lambda: service.metric("curfew_passes_total"), "the pass at the start has ended")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.connect(os.path.join(self.agent.settings["runtime_directory"], "control"))
            service.ask(command="service")  # the service has accepted the one before
            before = self.descriptors_end()
            s.sendall(b'{"command": "revoke", "client": "acme", "reason": "CS-7"}\n')
            answer = s.makefile(encoding="utf-8").read()
        self.assertIn("Too many open files", answer)
        resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, before)
        self.elements_come(0)
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=60) as db:
            until(lambda: db.execute("SELECT 1 FROM override").fetchall(), "it is recorded")
            self.assertEqual(db.execute("SELECT CAST(actor AS BLOB) FROM override").fetchall(), [(b"root (uid 0)",)])


if __name__ == "__main__":
    unittest.main()
