#!/usr/bin/python3
"""What commands that use the service print: what was done, what was not, and which configuration they used."""

import ctypes
import functools
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from agent import Result  # noqa: E402
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from service import ServiceCase, until  # noqa: E402

MEMBER, GROUP = 12346, 12345
CLONE_NEWNS = 0x20000


def setUpModule():
    lab.require()


@functools.cache
def group_make():
    """A group `curfew` that this test's processes alone see; False where nobody can be another user."""
    if subprocess.run(["setpriv", f"--reuid={MEMBER}", f"--regid={MEMBER}", f"--groups={GROUP}", "true"],
                      check=False, stderr=subprocess.DEVNULL).returncode != 0:
        return False
    with open("/etc/group", encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("curfew:")]
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as groups:
        os.fchmod(groups.fileno(), 0o644)
        groups.writelines([*lines, f"curfew:x:{GROUP}:\n"])
        groups.flush()
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
            return False
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["mount", "--bind", groups.name, "/etc/group"], check=True)
    return True


class Revoked(ServiceCase):
    def setUp(self):
        self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.elements_come(2)

    def revoke(self, *user, expect):
        return self.agent.curfew("revoke", "acme", *user, "--reason", "a laptop was stolen", expect=expect)

    def test_what_was_closed_is_named(self):
        before = self.agent.elements()
        done = self.revoke(expect=0)
        line = next((line for line in done.out.splitlines() if line.startswith("network: removed ")), str(done))
        for source, endpoint, _ in before:
            self.assertIn(f"{source} -> {endpoint}", line)
        self.assertIn("acme revoked: no access until", done.out)
        again = self.revoke(expect=0)
        self.assertIn("network: no allowlist entry existed\n", again.out)

    def test_a_server_that_cannot_be_reached(self):
        self.found.server.faults(drop_prelogin=True)
        done = self.revoke(expect=1)
        self.elements_come(0)
        self.assertIn("network: removed ", done.out)
        self.assertIn("curfew revoke: access removed: network; may remain: SQL on sql01, which cannot be reached", done.err)
        self.assertIn("the revocation is recorded", done.err)
        self.assertNotIn("acme revoked: no access until", done.out)
        self.assertTrue(self.found.server.login(USER), "nobody could have dropped it")
        back = self.agent.curfew("reinstate", "acme", "--reason", "found again", expect=1)
        self.assertIn("curfew reinstate: access is not granted on every server; may be missing: SQL on sql01", back.err)
        self.assertIn("the reinstatement is recorded", back.err)
        self.assertNotIn("access removed", back.err)
        self.revoke(expect=1)
        self.found.server.faults()
        until(lambda: self.found.server.login(USER) is None, "the login is gone")


class Members(ServiceCase):
    """Whoever is of the service's group, and not root: asks the service, and is told nothing of what is root's."""

    def setUp(self):
        if not group_make():
            print("SKIPPED: this root may not become another user", file=sys.stderr)
            self.skipTest("this root may not become another user")
        self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.elements_come(2)
        until(lambda: self.service.metric("curfew_passes_total"), "the pass at the start has ended")
        # As packaged: what is not secret is the group's to read.
        os.chmod(self.found.path(), 0o755)
        for folder, _, files in os.walk(self.agent.directory):
            if folder in (self.agent.path("credentials"), self.agent.settings["runtime_directory"]):
                continue
            for path, mode in ((folder, 0o750), *((os.path.join(folder, name), 0o640) for name in files)):
                os.chown(path, -1, GROUP)
                os.chmod(path, mode)
        os.chmod(self.agent.path("credentials"), 0o700)
        os.chmod(self.agent.settings["runtime_directory"], 0o755)

    def member(self, *arguments):
        done = self.agent.space.run("setpriv", f"--reuid={MEMBER}", f"--regid={MEMBER}", f"--groups={GROUP}",
                                    *self.agent.command(*arguments), check=False, timeout=120)
        return Result(done.returncode, done.stdout, done.stderr)

    def test_through_the_service(self):
        for command, *more in (("status",), ("plan",), ("audit",), ("apply",), ("denied",), ("schedule",),
                               ("timeline",), ("history",), ("revoke", "acme", "--reason", "a test"),
                               ("reinstate", "acme", "--reason", "a test")):
            with self.subTest(command):
                result = self.member(command, *more)
                self.assertEqual((result.code, result.err), (0, ""), str(result))

    def test_what_needs_root_says_so_once(self):
        result = self.member("handover", "acme", USER, "--no-terminal")
        self.assertEqual(result.code, 1, str(result))
        self.assertEqual(result.err.count("\n"), 1, result.err)
        self.assertIn("root is required", result.err)
        self.service.stop()
        for command, *more in (("status",), ("plan",), ("audit",), ("apply",), ("denied",),
                               ("revoke", "acme", "--reason", "a test")):
            with self.subTest(command):
                result = self.member(command, *more)
                self.assertEqual(result.code, 1, str(result))
                self.assertEqual(result.err.count("\n"), 1, result.err)
                self.assertIn("or run this command as root", result.err)
        for command in ("schedule", "timeline", "history"):
            result = self.member(command)
            self.assertEqual((result.code, result.err), (0, ""), f"{command}: {result}")


if __name__ == "__main__":
    unittest.main()
