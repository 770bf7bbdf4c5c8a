#!/usr/bin/python3
"""The file system of the state directory is frozen: whoever writes to it waits. Access still ends, in the kernel and on the
SQL server, also when the service itself was writing, and is recorded later with the times at which it happened."""

import ctypes
import os
import shutil
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import OWN_PASSWORD, USER  # noqa: E402
from lab import days  # noqa: E402
from service import COMES, Service, ServiceCase, until  # noqa: E402

CLONE_NEWNS = 0x00020000


def setUpModule():
    lab.require()
    for tool in ("fsfreeze", "mkfs.ext4"):
        if not shutil.which(tool):
            raise unittest.SkipTest(f"no {tool} on this machine")
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise unittest.SkipTest("no mount namespace of our own")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


class Frozen(ServiceCase):
    def setUp(self):
        self.found = self.lab_make(shape="gateway", servers={"sql01": ("AcmeTest",), "sql02": ("AcmeMore",)},
                                   limits={"connect_timeout": 15, "server_deadline": 60, "interval": 86400})
        self.agent, self.frozen = self.found.agent, False
        self.disk_make()
        self.agent.settings["metrics_file"] = self.agent.path("state", "curfew.prom")
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("staging", "sql02", "AcmeMore")],
                              **self.dates(lab.now() + days(20)))
        self.service = Service(self.found)
        self.addCleanup(self.service.close)
        self.addCleanup(self.thaw)
        self.role_comes("curfew_full")
        self.elements_come(4)
        until(lambda: self.service.metric("curfew_passes_total"), "the pass at the start has ended")
        password = self.agent.handover("acme", USER)
        self.jane = self.found.person("jane")
        self.works(self.jane.login(USER, password, "AcmeTest", new_password=OWN_PASSWORD))
        # The connection on which the password was changed may end a little later.
        until(lambda: len(self.found.server.sessions_of(USER)) == 1, "her one session")

    def disk_make(self):
        image, state = self.found.path("disk"), self.agent.path("state")
        with open(image, "wb") as file:
            file.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", image], check=True)
        try:
            subprocess.run(["mount", "-o", "loop", image, state], check=True)
        except subprocess.CalledProcessError:
            self.skipTest("this machine mounts no files")
        self.addCleanup(subprocess.run, ["umount", "-l", state], check=True)
        os.rmdir(os.path.join(state, "lost+found"))
        os.chmod(state, 0o700)

    def freeze(self):
        # A test that dies leaves no process behind that waits for the disk for ever.
        guard = subprocess.Popen(("sh", "-c", 'read line; fsfreeze -u "$1" 2>/dev/null', "sh", self.agent.path("state")),
                                 stdin=subprocess.PIPE)
        self.addCleanup(guard.communicate)
        subprocess.run(["fsfreeze", "-f", self.agent.path("state")], check=True)
        self.frozen = True

    def thaw(self):
        if self.frozen:
            subprocess.run(["fsfreeze", "-u", self.agent.path("state")], check=True)
        self.frozen = False

    def is_shut_out(self):
        """On sql01: the kernel's entries, the login, and its session."""
        login = self.found.server.login(USER)
        return not self.agent.elements() and (login is None or login[1]) and not self.found.server.sessions_of(USER)

    def shut_out_comes(self):
        until(self.is_shut_out, lambda: f"shut out; the service said:\n{self.service.log()}")
        self.assertTrue(self.frozen)

    def records(self, words):
        # Immutable: the service may hold the journal open in the middle of a commit.
        how = "?mode=ro&immutable=1" if self.frozen else ""
        with sqlite3.connect(f"file:{self.agent.path('state', 'journal.db')}{how}", timeout=60, uri=True) as db:
            return db.execute(f"SELECT at FROM record WHERE {words} ORDER BY id").fetchall()

    def pass_begins(self):
        """One that waits for a server: it has not ended when the disk hangs."""
        self.found.servers["sql02"].faults(stall_prelogin=True)
        passes = self.service.metric("curfew_passes_total")
        child = self.agent.start("apply")
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        until(lambda: "asks: apply" in self.service.log(), "the service has the request")
        until(lambda: any(int(pid) for pid in self.service.children()[1:]), "its worker is at work")
        self.assertEqual(self.service.metric("curfew_passes_total"), passes)

    def revoked_and_recorded(self):
        before = lab.now().timestamp()
        child = self.agent.start("revoke", "acme", "--reason", "a laptop was stolen")
        self.shut_out_comes()
        after = lab.now().timestamp()
        self.found.servers["sql02"].faults(stall_prelogin=False)
        said = child.communicate(timeout=COMES)[0]
        self.assertEqual(child.returncode, 1, said)
        self.assertIn("blocked only until the service starts again: the revocation is not recorded", said)
        self.assertTrue(self.frozen)
        self.assertEqual(self.records("action = 'revoke'"), [])
        self.thaw()
        until(lambda: self.records("action = 'revoke'"), lambda: f"the record: {self.service.log()}")
        (at,), = self.records("action = 'revoke'")
        self.assertTrue(int(before) <= at <= after, (before, at, after))
        until(lambda: self.records("action = 'remove' AND kind = 'outcome' AND outcome = 'done'"), "the entries' records")
        until(lambda: self.records("action = 'login-disable' AND outcome = 'done'"), "the login's record")
        self.agent.curfew("history", "verify", expect=0)
        self.assertTrue(self.is_shut_out())

    def test_a_revocation_while_a_pass_runs(self):
        self.pass_begins()
        self.freeze()
        self.revoked_and_recorded()

    def test_a_revocation_while_the_service_itself_waits_for_the_disk(self):
        self.freeze()
        child = self.agent.start("apply")
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        until(lambda: "asks: apply" in self.service.log(), "the service has the request")
        self.revoked_and_recorded()

    def test_a_revocation_without_the_service(self):
        self.service.stop()
        self.freeze()
        child = self.agent.start("revoke", "acme", "--reason", "a laptop was stolen")
        self.addCleanup(child.wait)
        self.shut_out_comes()
        self.thaw()
        said = child.communicate(timeout=COMES)[0]
        self.assertEqual(child.returncode, 1, said)
        self.assertIn("the disk with the state directory does not answer", said)

    def test_go_live_while_the_service_itself_waits_for_the_disk(self):
        def meanwhile():
            self.service.metric_comes("curfew_overdue_grants", 0)
            self.freeze()
            self.agent.start("apply").communicate(timeout=COMES)

        self.golive_comes(ahead=20, meanwhile=meanwhile, back=self.thaw)
        self.shut_out_comes()
        self.thaw()
        self.role_comes("curfew_read_only")
        self.elements_come(4)
        self.agent.curfew("history", "verify", expect=0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
