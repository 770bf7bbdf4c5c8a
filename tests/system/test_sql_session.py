#!/usr/bin/python3
"""What an agent's session is, whatever the server's own settings are."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER, LabCase  # noqa: E402
from lab import days  # noqa: E402

# ANSI_WARNINGS, ANSI_PADDING, ANSI_NULLS, ARITHABORT, QUOTED_IDENTIFIER, ANSI_NULL_DFLT_ON, CONCAT_NULL_YIELDS_NULL.
ON = 8 | 16 | 32 | 64 | 256 | 1024 | 4096
# IMPLICIT_TRANSACTIONS, CURSOR_CLOSE_ON_COMMIT, NUMERIC_ROUNDABORT, XACT_ABORT.
OFF = 2 | 4 | 8192 | 16384


def setUpModule():
    lab.require()


class Settings(LabCase):
    def test_of_the_session_count(self):
        """A server that begins every session inside a transaction, with everything of ANSI off."""
        found = self.lab_make(faults=("session-settings=on", "user-options=16386"))
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.applied(found.agent)
        self.assertIsNotNone(found.server.login(USER), "what was done is not undone at the end of the session")
        seen = [r for r in found.server.records("batch") if r["login"] == "curfew_agent"]
        self.assertTrue(seen)
        for batch in seen:
            if batch["number"] == 1:
                self.assertIn("SET QUOTED_IDENTIFIER ON", batch["text"])
                continue
            self.assertEqual(batch["options"] & (ON | OFF), ON, batch["text"])
            self.assertEqual(batch["transactions"], 0, batch["text"])


if __name__ == "__main__":
    unittest.main()
