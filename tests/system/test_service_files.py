#!/usr/bin/python3
"""Files that somebody spoiled or changed under a running service: commands go by what it has taken, and say so."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from agent import Result  # noqa: E402
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from service import ServiceCase, until  # noqa: E402

SERVICE_USER = 12345  # any that is not root


def setUpModule():
    lab.require()


class Files(ServiceCase):
    def setUp(self):
        self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.elements_come(2)
        # As under systemd: what the service keeps belongs to its own user.
        self.kept_give(SERVICE_USER)

    def kept_give(self, user):
        for folder, _, files in os.walk(self.agent.path("state", "last-good")):
            for path in (folder, *(os.path.join(folder, name) for name in files)):
                os.chown(path, user, user)

    def curfew(self, *arguments, state=True):
        """As where the state lies in its usual place, which no faulty file has to say."""
        usual = f"STATE_DIRECTORY={self.agent.path('state')}" if state else "STATE_DIRECTORY="
        done = self.agent.space.run("env", usual, *self.agent.command(*arguments), check=False, timeout=120)
        return Result(done.returncode, done.stdout, done.stderr)

    def spoil(self, *path):
        with open(self.agent.path(*path), "a", encoding="utf-8") as file:
            file.write("oops = ;\n")

    def spoiled(self, said):
        """Commands work as before; `said` is what they say of the files."""
        for command, code in (("status", 0), ("plan", 0), ("apply", 0), ("audit", 0), ("denied", 0), ("clock", 0)):
            with self.subTest(command):
                result = self.curfew(command)
                self.assertEqual(result.code, code, str(result))
                self.assertIn(said, result.err)
                self.assertIn("syntax error", result.err)
        revoked = self.curfew("revoke", "acme", "--reason", "a laptop was stolen")
        self.assertEqual(revoked.code, 0, str(revoked))
        self.assertIn(said, revoked.err)
        self.elements_come(0)
        until(lambda: self.found.server.login(USER) is None, "the login is gone")
        given = self.curfew("reinstate", "acme", "--reason", "it was found again")
        self.assertEqual(given.code, 0, str(given))
        self.elements_come(2)

    def test_a_client_file_is_spoiled(self):
        self.spoil("clients.d", "client0.conf")
        self.spoiled("Curfew uses its last known good version")

    def test_the_main_file_is_spoiled(self):
        self.spoil("curfew.conf")
        self.spoiled("has errors; using the last known good version")

    def test_the_files_have_changed(self):
        note = "warning: configuration files changed since the last reload; showing the loaded configuration; " \
               "to load the files, run `systemctl reload curfew`\n"
        for command in ("status", "plan", "audit"):
            self.assertNotIn("changed since", self.curfew(command).err)
        self.agent.clients["acme"]["users"][0]["sources"] = ["198.51.100.77"]
        self.agent.client_add("beta", **{key: value for key, value in self.agent.clients["acme"].items()
                                         if key in ("approved_on", "starts", "go_live")},
                              databases=[{"role": "staging", "server": "sql01", "name": "AcmeProd"}],
                              users=[{"first": "Bea", "last": "Roe", "email": "bea@beta.example",
                                      "sources": ["198.51.100.78"]}])
        self.agent.write()
        for command in ("status", "plan", "apply", "audit"):
            with self.subTest(command):
                result = self.curfew(command, "--json")
                self.assertEqual(result.code, 0, str(result))
                self.assertEqual(result.err, f"curfew {command}: {note}")
                self.assertIsNotNone(result.json)
                self.assertNotIn("beta", result.out, "what the service has not taken is not in force")
                self.assertNotIn("198.51.100.77", result.out)
        self.kept_give(os.geteuid())  # whose the service is here
        self.agent.curfew("reload", expect=0)
        for command in ("status", "plan", "audit"):
            self.assertNotIn("changed since", self.curfew(command).err)

    def test_without_the_service_nothing_is_done(self):
        self.spoil("curfew.conf")
        self.service.stop()
        for command in (("status",), ("apply",), ("revoke", "acme", "--reason", "a test")):
            result = self.curfew(*command)
            self.assertEqual(result.code, 78, str(result))
            self.assertIn("nothing done: ", result.err)

    def test_the_service_goes_by_another_file(self):
        """A practice configuration that is spoiled must not lead to the real one's service."""
        other = self.agent.path("other.conf")
        with open(other, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write("oops = ;\n")
        done = self.agent.space.run("env", f"STATE_DIRECTORY={self.agent.path('state')}", *self.agent.command(
            "revoke", "acme", "--reason", "a test", "--config", other), check=False)
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn(f"the running service uses {self.agent.config}", done.stderr)
        self.elements_come(2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
