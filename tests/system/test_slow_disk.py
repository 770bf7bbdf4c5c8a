#!/usr/bin/python3
"""A disk that hangs keeps no access open: access is removed first, and recorded when the disk is back."""

import os
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from service import COMES, Service, ServiceCase, until  # noqa: E402

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "slow_disk.c")


def setUpModule():
    lab.require()


class SlowDisk(ServiceCase):
    def setUp(self):
        self.found = self.lab_make(limits={"connect_timeout": 5, "server_deadline": 60, "interval": 86400})
        self.agent = self.found.agent
        library, self.hangs = self.agent.path("slow_disk.so"), self.agent.path("disk-hangs")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, SOURCE], check=True)
        self.agent.settings["metrics_file"] = self.agent.path("state", "curfew.prom")
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.service = Service(self.found, under=("env", f"LD_PRELOAD={library}", f"SLOW_DISK={self.hangs}"))
        self.addCleanup(self.service.close)
        self.addCleanup(self.disk_is_back)
        self.role_comes("curfew_full")
        self.elements_come(2)
        until(lambda: self.service.metric("curfew_passes_total"), "the pass at the start has ended")

    def disk_hangs(self):
        with open(self.hangs, "w", encoding="ascii"):
            pass

    def disk_is_back(self):
        if os.path.exists(self.hangs):
            os.unlink(self.hangs)

    def passes(self):
        return self.service.metric("curfew_passes_total")

    def is_shut_out(self):
        login = self.found.server.login(USER)
        return not self.agent.elements() and (login is None or login[1])

    def records(self, words):
        # Immutable: the service holds the journal open in the middle of a commit.
        with sqlite3.connect(f"file:{self.agent.path('state', 'journal.db')}?mode=ro&immutable=1", uri=True) as db:
            return db.execute(f"SELECT count(*) FROM record WHERE {words}").fetchone()[0]

    def written(self, words):
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=60) as db:
            return db.execute(f"SELECT count(*) FROM record WHERE {words}").fetchone()[0]

    def test_a_revocation(self):
        self.disk_hangs()
        child = self.agent.start("revoke", "acme", "--reason", "a laptop was stolen")
        until(self.is_shut_out, lambda: f"shut out; the service said:\n{self.service.log()}")
        said = child.communicate(timeout=COMES)[0]
        self.assertEqual(child.returncode, 1, said)
        self.assertIn("blocked only until the service starts again: the revocation is not recorded", said)
        self.assertEqual(self.records("action = 'revoke'"), 0)
        self.disk_is_back()
        until(lambda: self.written("action = 'revoke'") == 1, "its record")
        until(lambda: self.written("action = 'remove' AND kind = 'outcome' AND outcome = 'done'") >= 2, "the others")

    def test_go_live(self):
        passes = [self.passes()]

        def meanwhile():
            until(lambda: self.passes() > passes[0], "the pass of the reload has ended")
            self.disk_hangs()

        def back():
            self.disk_is_back()
            passes[0] = self.passes()

        self.golive_comes(meanwhile=meanwhile, back=back)
        until(self.is_shut_out, lambda: f"shut out; the service said:\n{self.service.log()}")
        self.disk_is_back()
        self.role_comes("curfew_read_only")
        self.elements_come(2)
        until(lambda: not self.found.server.login(USER)[1], "the login is enabled again")


if __name__ == "__main__":
    unittest.main(verbosity=2)
