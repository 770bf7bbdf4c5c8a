#!/usr/bin/python3
"""What a person reads on a terminal of 80 columns: said once, said right, nothing cut."""

import fcntl
import os
import pty
import struct
import sys
import termios
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
    """What a command writes to a terminal of 80 columns that has no colours, line by line."""
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
        cls.found = lab.Lab(servers={"sqltest02": DATABASES}, limits={"connect_timeout": 2})
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

    def test_revoked_is_said_once(self):
        self.agent.curfew("revoke", "acme", USER, "--reason", "a test", expect=0)
        heading = self.agent.curfew("status").out.splitlines()[0]
        self.assertRegex(heading, r"^acme  testing, go-live in ", "one user is not the client")
        self.agent.curfew("reinstate", "acme", USER, "--reason", "a test", expect=0)
        self.agent.curfew("revoke", "acme", "--reason", "a test", expect=0)
        heading = self.agent.curfew("status").out.splitlines()[0]
        self.assertRegex(heading, r"^acme  revoked since \S+ [-0-9]+ [:0-9]+ UTC$")
        self.agent.curfew("reinstate", "acme", "--reason", "a test", expect=0)

    def test_nothing_is_to_be_made(self):
        self.addCleanup(self.server.faults)
        self.server.faults(stall_prelogin=True)
        for command in ("plan", "apply"):
            said = self.agent.curfew(command, expect=1).out
            self.assertTrue(said.endswith("\nnothing to do where it could be seen, 1 server UNREACHABLE\n"), said)


if __name__ == "__main__":
    unittest.main()
