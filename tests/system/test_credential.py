#!/usr/bin/python3
"""The agent login's password: typed twice, never shown, in a file for its owner alone."""

import os
import stat
import unittest

import audit_lab
import lab

SECRET = "Agent-Passw0rd, typed"


def setUpModule():
    lab.require()


class Credential(audit_lab.AuditCase):
    def typed(self, found, *lines):
        """What the terminal shows while somebody types these lines, each when asked."""
        return found.agent.typed(("credential", "sql01"), lines, (b"sql01: ", b"again: "))

    def test_a_password_is_written(self):
        found = self.lab_make()
        path = found.agent.path("credentials", "sql01")
        os.unlink(path)
        code, said = self.typed(found, SECRET, SECRET)
        self.assertEqual(code, 0, said)
        self.assertNotIn("typed", said)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), SECRET + "\n")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        # A slip leaves what was there, and nothing beside it.
        for lines in ((SECRET, "another"), ("", ""), ("x" * 129, "x" * 129)):
            code, said = self.typed(found, *lines)
            self.assertEqual(code, 64, said)
            self.assertIn("nothing written", said)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), SECRET + "\n")
        self.assertEqual(os.listdir(found.agent.path("credentials")), ["sql01"])
        self.assertIn("not a terminal", found.agent.curfew("credential", "sql01", expect=64).err)

    def test_a_file_that_would_be_another_password(self):
        """Said by `check`, and by the worker that would log in with it, with what to do; the password is not said."""
        found = self.lab_make()
        path = found.agent.path("credentials", "sql01")
        with open(path, encoding="utf-8") as file:
            password = file.read().strip()
        for start, words in (("\ufeff", "starts with a byte order mark"), ("\n", "has an empty first line")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(start + password + "\r\n")
            for command in (("check",), ("apply",)):
                result = found.agent.curfew(*command)
                self.assertIn(f"credential {path} {words}", result.out + result.err)
                self.assertIn("run `curfew credential sql01`", result.out + result.err)
                self.assertNotIn(password, result.out + result.err)
            self.assertIn(words, found.agent.curfew("apply").out, "the worker says it")
        with open(path, "w", encoding="utf-8") as file:
            file.write(password + "\r\n")
        found.agent.curfew("check", expect=0)
        found.agent.bootstrap("sql01", found.server)
        found.agent.apply(expect=0)

    def test_the_first_of_an_installed_package(self):
        """The state belongs to the service's user, the password is missing: root writes it all the same."""
        found = self.lab_make()
        path = found.agent.path("credentials", "sql01")
        os.unlink(path)
        try:
            os.chown(found.agent.path("state"), 23456, 23457)
        except OSError as why:
            self.skipTest(f"SKIPPED: this user has no other to give a folder to: {why}")
        code, said = self.typed(found, SECRET, SECRET)
        self.assertEqual(code, 0, said)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), SECRET + "\n")


if __name__ == "__main__":
    unittest.main()
