#!/usr/bin/python3
"""The agent login's password: typed twice, never shown, in a file for its owner alone."""

import os
import pty
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
        ours, theirs = pty.openpty()
        child = found.agent.space.start(*found.agent.command("credential", "sql01"), stdin=theirs, stdout=theirs,
                                        stderr=theirs)
        os.close(theirs)
        said, left = b"", list(lines)
        while True:
            if left and said.endswith((b"sql01: ", b"again: ")):
                os.write(ours, left.pop(0).encode() + b"\n")
            try:
                some = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not some:
                break
            said += some
        os.close(ours)
        return child.wait(), said.decode()

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
        for lines in ((SECRET, "another"), ("", "")):
            code, said = self.typed(found, *lines)
            self.assertEqual(code, 64, said)
            self.assertIn("nothing written", said)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), SECRET + "\n")
        self.assertEqual(os.listdir(found.agent.path("credentials")), ["sql01"])
        self.assertIn("not a terminal", found.agent.curfew("credential", "sql01", expect=64).err)


if __name__ == "__main__":
    unittest.main()
