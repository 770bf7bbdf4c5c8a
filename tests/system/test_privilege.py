#!/usr/bin/python3
"""Files that the service's user plants in its own directory must not mislead commands that root runs."""

import glob
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from agent import CURFEW, libconfig  # noqa: E402
from case import USER, LabCase  # noqa: E402
from lab import days  # noqa: E402
from state_owner import OWNER, as_owner, give  # noqa: E402

MAGIC = bytes.fromhex("d9d505f920a163d7")
READERS = (("status",), ("history",), ("history", "verify"), ("certificate", "acme"), ("audit",), ("timeline", "acme"),
           ("clock",), ("plan",))


def setUpModule():
    lab.require()


class State(unittest.TestCase):
    """No server answers: it is the state folder that matters."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="curfew-privilege-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        os.chmod(self.directory, 0o755)
        for name in ("state", "clients.d", "run"):
            os.mkdir(self.path(name))
        os.mkdir(self.path("credentials"), mode=0o700)
        self.write("ca.pem", "-----BEGIN CERTIFICATE-----\n")
        self.write("credentials/sql01", "Agent-Passw0rd\n", 0o600)
        self.write("curfew.conf", "".join(f"{key} = {libconfig(value)};\n" for key, value in {
            "state_directory": self.path("state"), "runtime_directory": self.path("run"),
            "credential_directory": self.path("credentials"), "firewall": {"enabled": False},
            "servers": [{"name": "sql01", "host": "127.0.0.1", "port": 1, "ca_file": self.path("ca.pem")}]}.items()))
        client = {"name": "acme", "ticket": "CS-1", "approved_by": "a@host.example", "approved_on": "2026-08-03",
                  "timezone": "UTC", "starts": "2026-08-10",
                  "databases": [{"role": "staging", "server": "sql01", "name": "AcmeTest"}],
                  "users": [{"first": "Jane", "last": "Doe", "email": "jane@acme.example",
                             "sources": ["203.0.113.7"]}]}
        self.write("clients.d/acme.conf", f"client = {libconfig(client)};\n")
        self.curfew("apply", expect=(1,))  # the server cannot be reached; the records are there
        give(self.path("state"))
        # Where both may write: root what is its own, the owner what it made.
        self.write("victim", "important\n", 0o600)

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)

    def curfew(self, *arguments, expect=None):
        name, *rest = arguments
        done = subprocess.run([CURFEW, name, "--config", self.path("curfew.conf"), *rest], capture_output=True,
                              timeout=120, check=False)
        # Not text=True: a carriage return is something that is looked for.
        done.stdout, done.stderr = (said.decode("utf-8", "surrogateescape") for said in (done.stdout, done.stderr))
        if expect is not None:
            self.assertIn(done.returncode, expect, done.stdout + done.stderr)
        return done


class Prepared(State):
    """Files of the owner's that are none."""

    def victim_is_whole(self, what):
        with self.subTest(what), open(self.path("victim"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "important\n")
            self.assertEqual(os.stat(self.path("victim")).st_uid, 0)

    def forge(self):
        """A rollback journal of nothing that names the victim as its super-journal, as the owner can write it."""
        name = self.path("victim").encode()
        with open(self.path("state", "journal.db"), "rb") as file:
            whole = file.read()
        size = struct.unpack(">H", whole[16:18])[0]
        text = (MAGIC + struct.pack(">IIIII", 0, 0, len(whole) // size, 512, size)).ljust(512, b"\0")
        text += struct.pack(">I", 0x40000000 // size + 1) + name + struct.pack(">II", len(name), sum(name)) + MAGIC
        with open(self.path("forged"), "wb") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(text)
        as_owner("cp", self.path("forged"), self.path("state", "journal.db-journal"))

    def test_a_forged_rollback_journal_deletes_nothing(self):
        for command in (*READERS, ("apply",), ("revoke", "acme", "--reason", "x"),
                        ("reinstate", "acme", "--reason", "x"),
                        ("archive", self.path("state", "old.db"), "--to", "2026-01-01")):
            self.forge()
            self.curfew(*command)
            self.victim_is_whole(command)
        # What would have happened: SQLite itself, as root.
        self.forge()
        with sqlite3.connect(self.path("state", "journal.db")) as db:
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        self.assertFalse(os.path.exists(self.path("victim")), "the forged file deletes nothing of itself: no test")

    def test_nobody_reads_or_writes_through_a_link(self):
        for name in ("journal.db", "clock", "revocations", "clock.new"):
            place = self.path("state", name)
            as_owner("sh", "-c", f"rm -f '{place}'; ln -s '{self.path('victim')}' '{place}'")
            for command in (*READERS, ("apply",), ("revoke", "acme", "--reason", "x")):
                done = self.curfew(*command)
                self.assertNotIn("important", done.stdout + done.stderr, command)
                self.victim_is_whole((name, command))
        self.assertIn("journal.db is a symbolic link", self.curfew("history", expect=(1,)).stderr)

    def test_what_root_makes_belongs_to_the_owner(self):
        for command in (*READERS, ("apply",), ("revoke", "acme", "--reason", "x")):
            self.curfew(*command)
        owners = {os.stat(path).st_uid for path in glob.glob(self.path("state", "**"), recursive=True)}
        self.assertEqual(owners, {OWNER})

    def test_root_is_named_and_its_reports_are_roots(self):
        self.curfew("revoke", "acme", "--reason", "a laptop was stolen")
        self.assertIn("root (uid 0)", self.curfew("history", "--json", expect=(0,)).stdout)
        os.mkdir(self.path("reports"), mode=0o700)
        report = self.path("reports", "audit.html")
        self.curfew("audit", "--html", report)
        with open(report, encoding="utf-8") as file:
            self.assertIn("</html>", file.read())
        self.assertEqual(os.stat(report).st_uid, 0)

    def test_the_service_is_not_run_as_root_there(self):
        for command in (("run",), ("apply", "--boot")):
            done = self.curfew(*command, expect=(1,))
            self.assertIn("belongs to another user", done.stdout + done.stderr)


class Shown(State):
    """Text from outside is shown by every command, and obeyed by no terminal."""

    HOSTILE = "stolen\x1b]0;owned\x07\x1b[2J\r\u009b31m\u202ecod\u2066.exe\u200b\U000e0041\x7f"

    def harmless(self, text, what):
        for character in text:
            number = ord(character)
            if number >= 0x20 and not 0x7f <= number < 0xa0 and character not in "\u202e\u2066\u200b\U000e0041":
                continue
            self.assertEqual(character, "\n", f"U+{number:04X} in what {what} says:\n{text!r}")

    def test_every_command(self):
        hostile = self.HOSTILE
        self.curfew("revoke", "acme", "--reason", hostile)
        said = ""
        for command in (*READERS, ("revoke", hostile, "--reason", "x"), ("status", hostile), ("denied",),
                        ("schedule",), ("check",), ("bootstrap", hostile), ("forget", hostile, "--reason", "x"),
                        ("history", "--from", hostile), ("timeline", "acme", "--svg", "-"),
                        ("timeline", "acme", "--ics", "-"), ("audit", "--html", "-"),
                        ("audit", "--html", "/" + hostile), ("apply",)):
            for extra in ((), ("--json",), ("--csv",)):
                done = self.curfew(*command, *extra)
                text = (done.stdout + done.stderr).replace("\r\n", "\n") if {"--ics", "--csv"} & {*command, *extra} \
                    else done.stdout + done.stderr
                self.harmless(text, command)
                said += text
        self.assertIn("<U+202E>", said)
        self.assertIn("\\u202E", said)
        reasons = [entry["reason"] for entry in json.loads(self.curfew("history", "--json", expect=(0,)).stdout)]
        self.assertTrue(any("\u202e" in (reason or "") for reason in reasons), "it is not kept as it was")


class Owned(LabCase):
    """Everything else goes on: passwords are root's alone, the packet filter is written, the state is another user's."""

    def test_root_does_all_that_it_did(self):
        found = self.lab_make()
        agent = found.agent
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        for folder in (found.directory, agent.directory, os.path.dirname(found.certificates.ca)):
            os.chmod(folder, 0o711)
        os.chmod(found.certificates.ca, 0o644)
        give(agent.path("state"))
        self.applied(agent)
        self.assertEqual(len(agent.elements()), 2)
        jane = found.person("jane")
        self.first_login(found, jane, agent.handover("acme", USER))
        agent.curfew("audit", expect=0)
        agent.curfew("status", expect=0)
        agent.curfew("revoke", "acme", "--reason", "a laptop was stolen", expect=0)
        self.assertEqual(agent.elements(), [])
        self.silent(found.person("jane"))
        agent.curfew("history", "verify", expect=0)
        owners = {os.stat(path).st_uid for path in glob.glob(agent.path("state", "**"), recursive=True)}
        self.assertEqual(owners, {OWNER})


if __name__ == "__main__":
    unittest.main()
