#!/usr/bin/python3
"""The agent's session options, whatever the server's own defaults are."""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import OWN_PASSWORD, USER, LabCase  # noqa: E402
from lab import days, local  # noqa: E402
from practice import TOOLS  # noqa: E402
from service import until  # noqa: E402

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


HOSTILE = """
import sys, time
sys.path.insert(0, {practice!r})
from wire import client
c = client.RawClient({host!r}, {port}, timeout=30)
c.encrypt({ca!r})
print(c.messages(c.login(user={user!r}, password={password!r}, database="AcmeTest", host="pc\\ud800"))[0], flush=True)
time.sleep(600)
"""


class HostileNames(LabCase):
    def test_half_a_character_blinds_nobody(self):
        """A workstation may call itself anything: its session is seen, and ends, and so do all others'."""
        found = self.lab_make()
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(golive))
        self.applied(found.agent)
        jane = found.person("jane")
        self.first_login(found, jane, found.agent.handover("acme", USER))
        person = found.net.namespaces["jane"].start(
            "/usr/bin/python3", "-c", HOSTILE.format(
                practice=TOOLS, host=lab.PUBLIC[0], port=lab.PORT, ca=found.certificates.ca, user=USER,
                password=OWN_PASSWORD), stdout=subprocess.PIPE, text=True)
        self.addCleanup(person.stdout.close)
        self.addCleanup(person.wait)
        self.addCleanup(person.kill)
        self.assertEqual(person.stdout.readline().strip(), "True")
        # A login is answered a moment before its session is listed.
        until(lambda: len(found.server.sessions_of(USER)) == 2, "both have a session")
        self.applied(found.agent)
        self.applied(found.agent, local(golive + days(1)))
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.assertEqual(found.server.sessions_of(USER), [])

    def test_a_user_of_that_name_is_told_and_left_alone(self):
        """A principal that cannot be written hides no other, and is another than one with a question mark."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        found.server.sql("CREATE USER [a\ud800b] WITHOUT LOGIN; CREATE USER [a?b] WITHOUT LOGIN; "
                         "CREATE ROLE [curfew_full]; ALTER ROLE [curfew_full] ADD MEMBER [a\ud800b]", "AcmeTest")
        self.applied(found.agent)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_full"])
        members = found.server.sql("SELECT COUNT(*) FROM sys.database_role_members AS m JOIN sys.database_principals AS r "
                                   "ON r.principal_id = m.role_principal_id WHERE r.name = N'curfew_full'", "AcmeTest")
        self.assertEqual(members, [[1]], "whom nobody wants in the role is out, whatever the name")
        self.assertTrue(found.server.user("a?b", "AcmeTest"))


if __name__ == "__main__":
    unittest.main()
