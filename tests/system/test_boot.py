#!/usr/bin/python3
"""What `curfew apply --boot` guards and allows by the state that a machine is left with."""

import os
import shutil
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER, LabCase  # noqa: E402
from lab import PORT, PUBLIC, days  # noqa: E402

# Part of a transaction is in the file already when the process ends.
INTERRUPTED = """
import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA cache_size = 2")
db.execute("BEGIN IMMEDIATE")
db.execute("CREATE TABLE filler (x)")
for _ in range(200):
    db.execute("INSERT INTO filler VALUES (randomblob(3000))")
os._exit(0)
"""


def setUpModule():
    lab.require()


class Boot(LabCase):
    def make(self, key=None):
        self.found = self.lab_make()
        self.agent = self.found.agent
        if key:
            self.agent.settings["journal_key"] = "journal"
            with open(self.agent.path("credentials", "journal"), "w", encoding="ascii") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(key)
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.agent.apply(expect=0)
        self.assertEqual({source for source, _, _ in self.agent.elements()}, set(lab.JANE))

    def boot(self, expect=0):
        """The kernel starts without a table."""
        self.agent.space.run("nft", "delete", "table", "inet", "curfew")
        return self.agent.curfew("apply", "--boot", expect=expect)

    @property
    def journal(self):
        return self.agent.path("state", "journal.db")

    def endpoint_leaves(self):
        """It stays guarded, by the journal alone."""
        self.agent.servers["sql01"]["endpoints"] = [f"[{PUBLIC[1]}]:{PORT}"]
        self.agent.write()
        self.silent(self.found.person("other"))

    def write_is_interrupted(self):
        subprocess.run(["/usr/bin/python3", "-c", INTERRUPTED, self.journal], check=True)
        self.assertGreater(os.path.getsize(self.journal + "-journal"), 0)

    def test_a_write_was_interrupted(self):
        """Boot has no key, and needs none to read."""
        for key in (None, 64 * "7"):
            with self.subTest(key=key):
                self.make(key)
                self.endpoint_leaves()
                self.write_is_interrupted()
                self.boot()
                self.assertEqual([source for source, _, _ in self.agent.elements()], [lab.JANE[1]])
                self.silent(self.found.person("other"))

    def test_an_older_copy_of_the_journal(self):
        """It names somebody as verified who was found in excess since. What it guards is guarded."""
        self.make()
        shutil.copy(self.journal, self.agent.path("older.db"))
        self.found.server.sql(f"ALTER SERVER ROLE [sysadmin] ADD MEMBER [{USER}]")
        self.found.server.sql("DENY ALTER ANY LOGIN TO [curfew_agent]")
        self.agent.apply(expect=(1, 2))
        self.assertEqual(self.agent.elements(), [])
        shutil.copy(self.agent.path("older.db"), self.journal)
        self.endpoint_leaves()
        said = self.boot()
        self.assertIn("records are missing", said.err)
        self.assertEqual(self.agent.elements(), [])
        self.silent(self.found.person("other"))
        self.silent(self.found.person("jane"))

    def test_the_latest_time_cannot_be_read(self):
        """Then everybody reaches the server, and that is said, with what to do."""
        self.make()
        os.unlink(self.agent.path("state", "clock"))
        os.mkdir(self.agent.path("state", "clock"))
        said = self.boot(expect=1)
        self.assertRegex(said.err, "cannot read the latest time seen in .*; no endpoint is guarded: correct it, then run "
                         "`curfew apply --boot`")
        os.rmdir(self.agent.path("state", "clock"))
        self.agent.curfew("apply", "--boot", expect=0)
        self.silent(self.found.person("other"))

    def test_a_damaged_table(self):
        """Whichever it is: the guards do not depend on the other tables."""
        self.make()
        self.endpoint_leaves()
        with sqlite3.connect(self.journal) as db:
            db.execute("INSERT INTO passed VALUES ('acme', 'no-such-thing', 1, '', 0)")
        said = self.boot()
        self.assertIn("cannot read the journal", said.err)
        self.assertEqual(self.agent.elements(), [])
        self.silent(self.found.person("other"))


if __name__ == "__main__":
    unittest.main()
