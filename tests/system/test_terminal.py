#!/usr/bin/python3
"""Output on a terminal of 80 columns: no repetition, no mistakes, nothing cut off."""

import fcntl
import os
import pty
import socket
import struct
import sys
import termios
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER, LabCase  # noqa: E402
from lab import days  # noqa: E402

COLUMNS = 80
JOHN = "acme.john.roe"
DATABASES = ("AcmeTest", "AcmeQa", "AcmeProd")


def setUpModule():
    lab.require()


def on_terminal(agent, *arguments):
    """What a command writes to a terminal of 80 columns that has no colors, line by line."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    child = agent.space.start(*agent.command(*arguments), stdout=theirs, stderr=theirs,
                              env=dict(os.environ, TERM="dumb"))
    os.close(theirs)
    said = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # the other end is closed
            more = b""
        if not more:
            break
        said += more
    child.wait()
    os.close(ours)
    return said.decode().splitlines()


class Words(LabCase):
    @classmethod
    def setUpClass(cls):
        cls.found = lab.Lab(servers={"sqltest02": DATABASES})
        cls.addClassCleanup(cls.found.close)
        cls.agent, cls.server = cls.found.agent, cls.found.server
        people = [{"first": first, "last": last, "email": f"{first}.{last}@acme.example".lower(),
                   "sources": sources}
                  for first, last, sources in (("Jane", "Doe", list(lab.JANE)),
                                               ("John", "Roe", ["203.0.113.9", "198.51.100.0/29"]))]
        cls.found.client_add("acme", [("staging", "sqltest02", "AcmeTest"), ("staging", "sqltest02", "AcmeQa"),
                                      ("production", "sqltest02", "AcmeProd")], users=people,
                             **cls.dates(lab.now() + days(20)))
        cls.agent.apply(expect=0)

    def narrow(self, *arguments):
        """The lines, none of which is longer than the terminal is wide or goes on in the next."""
        lines = on_terminal(self.agent, *arguments)
        for line in lines:
            self.assertLessEqual(len(line), COLUMNS, "\n".join(lines))
        return [line.rstrip() for line in lines if line and not line.startswith(
            ("service: ", "  the kernel still", "  until it is started", "  password of "))]

    def test_one_line_a_grant(self):
        pairs = [(user, database) for user in (USER, JOHN) for database in sorted(DATABASES)]
        for command, headings in (("status", 3), ("schedule", 2)):
            lines = self.narrow(command)
            self.assertEqual(len(lines), headings + len(pairs), "\n".join(lines))
            self.assertRegex(lines[0], r"^acme  testing, (go-live|read-only) in 19 days")
            self.assertRegex(lines[headings - 2], r"read-only in 19 days 23 hours, \S+ [-0-9]+ [:0-9]+ UTC$")
            for (user, database), line in zip(pairs, lines[headings:]):
                self.assertRegex(line, rf"^  {user}  sqltest02  {database} ")
            self.assertEqual(sum("203.0.113.9, 198.51.100.0/29" in line for line in lines),
                             2 if command == "schedule" else 0)

    def test_one_user_revoked(self):
        self.agent.curfew("revoke", "acme", JOHN, "--reason", "a test", expect=0)
        self.addCleanup(self.agent.curfew, "reinstate", "acme", JOHN, "--reason", "a test", expect=0)
        for command in ("status", "schedule"):
            said = "\n".join(self.narrow(command))
            self.assertEqual(said.count("revoked since"), 1, said)
            jane, john = said.split("revoked since")
            self.assertEqual([jane.count(USER), john.count(USER)], [3, 0], said)
            self.assertEqual([jane.count(JOHN), john.count(JOHN)], [0, 3], said)

    def test_denied(self):
        self.silent(self.found.person("other"))
        lines = self.narrow("denied")
        self.assertEqual(lines[0], f"near 198.51.100.0/29 of {JOHN}; check whether the address has changed")
        self.assertRegex(lines[2], rf"^  {lab.OTHER[0]}  192\.0\.2\.10:1433  sqltest02 +\d+  .* ago$")
        self.assertEqual(len(lines), 3)
        details = [entry["detail"] for entry in self.agent.curfew("denied", "--json").json]
        self.assertEqual(details, lines[:1])

    def test_revoked_is_said_once(self):
        self.agent.curfew("revoke", "acme", USER, "--reason", "a test", expect=0)
        heading = self.agent.curfew("status").out.split("\n\n")[1].splitlines()[0]
        self.assertRegex(heading, r"^acme  testing, go-live in ", "one user is not the client")
        self.agent.curfew("reinstate", "acme", USER, "--reason", "a test", expect=0)
        self.agent.curfew("revoke", "acme", "--reason", "a test", expect=0)
        heading = self.agent.curfew("status").out.split("\n\n")[1].splitlines()[0]
        self.assertRegex(heading, r"^acme  revoked since \S+ [-0-9]+ [:0-9]+ UTC$")
        self.assertEqual(self.agent.curfew("status").out.count("revoked"), 1)
        self.agent.curfew("reinstate", "acme", "--reason", "a test", expect=0)

    def test_reinstated_while_the_client_is_revoked(self):
        """It is done, and lets nobody in: that is said, with what would."""
        for operands in ((USER,), ()):
            self.agent.curfew("revoke", "acme", *operands, "--reason", "lost laptop", expect=0)
        result = self.agent.curfew("reinstate", "acme", USER, "--reason", "a test", expect=2)
        self.assertIn(f"acme / {USER} reinstated: still blocked: client acme is revoked; run `curfew reinstate acme --reason TEXT`",
                      result.out)
        self.assertNotIn("access follows the schedule", result.out)
        result = self.agent.curfew("reinstate", "acme", "--reason", "a test", expect=0)
        self.assertIn("acme reinstated: access follows the schedule", result.out)

    def test_status_says_who_revoked_and_the_network(self):
        lines = [line.split() for line in self.agent.curfew("status").out.splitlines() if DATABASES[0] in line]
        until = lab.day(lab.now() + days(20))
        self.assertEqual([(line[5], line[6]) for line in lines], [(until, "allowed"), (until, "allowed")], str(lines))
        self.agent.curfew("revoke", "acme", USER, "--reason", "lost laptop", expect=0)
        self.addCleanup(self.agent.curfew, "reinstate", "acme", USER, "--reason", "a test", expect=0)
        said = self.agent.curfew("status").out
        self.assertRegex(said, r"\n  by root \(uid 0\)[^\n]*: lost laptop\n")
        self.assertRegex(said, rf"{USER} .* none .*blocked")
        grants = self.agent.curfew("status", "--json").json["grants"]
        self.assertEqual({(g["login"], g["network"]) for g in grants}, {(USER, "closed"), (JOHN, "allowed")})

    def test_handover_says_what_it_replaces(self):
        self.agent.apply(expect=0)
        first = self.agent.curfew("handover", "acme", JOHN, "--no-terminal", expect=0)
        self.assertNotIn("replaces", first.err)
        second = self.agent.curfew("handover", "acme", JOHN, "--no-terminal", expect=0)
        self.assertRegex(second.err, rf"the password of {JOHN} that was handed over .* no longer works")

    def test_nothing_is_to_be_made(self):
        self.addCleanup(self.server.faults)
        self.server.faults(drop_prelogin=True)
        for command in ("plan", "apply"):
            said = self.agent.curfew(command, expect=1).out
            self.assertTrue(said.endswith("\nNo server could be read, so changes are unknown, 1 server UNREACHABLE\n"), said)


class OnePerson(LabCase):
    def test_reinstated_where_only_one_of_two_clients_was_revoked(self):
        """Without the service: who is not revoked in one client keeps nobody out of the other."""
        found = self.lab_make(limits={"connect_timeout": 30, "server_deadline": 120})
        agent, email = found.agent, "jane.doe@agency.example"
        for name, database in (("acme", "AcmeTest"), ("beta", "AcmeProd")):
            found.client_add(name, [("staging", "sql01", database)], **self.dates(lab.now() + days(20)),
                             users=[{"first": "Jane", "last": "Doe", "email": email, "sources": list(lab.JANE)}])
        agent.apply(expect=0)
        for name in ("acme", "beta"):
            agent.curfew("revoke", name, f"{name}.jane.doe", "--reason", "a test", expect=0)
            self.assertIsNone(found.server.login(f"{name}.jane.doe"))
            agent.curfew("reinstate", "--person", email, "--reason", "a test", expect=0)
            self.assertEqual(found.server.login(f"{name}.jane.doe"), [f"{name}.jane.doe", False])
        said = agent.curfew("reinstate", "--person", email, "--reason", "a test", expect=1).err
        self.assertIn(f"{email} is not revoked by name in any client", said)

    def test_a_service_that_does_not_answer(self):
        """What it did with the request is unknown, and that is said."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        found.agent.write()
        folder = found.agent.settings["runtime_directory"]
        os.makedirs(folder, exist_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
            silent.bind(os.path.join(folder, "control"))
            silent.listen()
            threading.Thread(target=self.hangs_up, args=(silent,), daemon=True).start()
            said = {command: found.agent.curfew(command, "acme", USER, "--reason", "a test", expect=1).err
                    for command in ("revoke", "reinstate")}
        for command, name in (("revoke", "revocation"), ("reinstate", "reinstatement")):
            self.assertRegex(said[command], rf"curfew {command}: lost the connection to the service: .*; the {name} may or "
                             rf"may not be in force: run `curfew status`, then {command} again")

    @staticmethod
    def hangs_up(silent):
        while True:
            try:
                connection, _ = silent.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)


if __name__ == "__main__":
    unittest.main()
