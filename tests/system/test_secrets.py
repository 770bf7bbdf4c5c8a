#!/usr/bin/python3
"""No secret in clear text: not on the wire, whatever the server does about TLS; not in a file, a message, or a process list."""

import os
import re
import shutil
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from agent import AGENT_PASSWORD, CURFEW  # noqa: E402
from case import USER, LabCase  # noqa: E402
from lab import days  # noqa: E402
from practice import SA_PASSWORD, Certificates  # noqa: E402
from wiretap import Wiretap, heard  # noqa: E402


def setUpModule():
    lab.require()


class OnTheWire(LabCase):
    """The agent against servers that do not, or do not really, encrypt."""

    @classmethod
    def setUpClass(cls):
        cls.found = lab.Lab()
        cls.addClassCleanup(cls.found.close)
        cls.agent, cls.server = cls.found.agent, cls.found.server
        cls.found.client_add("acme", [("staging", "sql01", "AcmeTest")],
                             **cls.dates(lab.now() + days(20)))
        cls.agent.apply(expect=0)

    def tearDown(self):
        self.server.faults()

    def records_since(self, mark):
        return self.server.records()[mark:]

    def refuses(self, words, **faults):
        """Plan and hand-over fail, say why, and let nothing be heard; returns what the server noted."""
        mark = len(self.server.records())
        tap = Wiretap(self.found.hub, self.found.path("tap"))
        self.server.faults(**faults)
        plan = self.agent.plan(expect=1)
        self.assertRegex(plan.out, words)
        handover = self.agent.handover("acme", USER, expect=1)
        self.assertIn("no password was set on any server", handover.err)
        content = tap.stop()
        noted = self.records_since(mark)
        self.assertEqual(heard(content, AGENT_PASSWORD), [])
        for event in noted:
            self.assertFalse(event.get("clear_password"), event)
            self.assertNotIn("PASSWORD =", event.get("text", ""))
        return noted

    def test_wiretap_hears_what_is_in_clear(self):
        """The proof of the proof: a client that does not encrypt is heard."""
        tap = Wiretap(self.found.hub, self.found.path("tap"))
        person = self.found.person("jane")
        person.ca = None
        # The network lets Jane in; the server refuses the name, after it was told the password.
        answer = person.login("sa", SA_PASSWORD)
        content = tap.stop()
        self.assertEqual(heard(content, SA_PASSWORD), ["LOGIN7"], str(answer))

    def test_no_encryption(self):
        noted = self.refuses("unreachable", no_tls=True)
        self.assertEqual([e for e in noted if e["event"] in ("login", "batch")], [])

    def test_encryption_talked_down(self):
        """The login packet inside TLS, the rest in clear: the session is dropped at its first answer."""
        noted = self.refuses("without encryption after the login", login_only_tls=True)
        self.assertTrue([e for e in noted if e["event"] == "login" and e["tls"]])
        for connection in {e["connection"] for e in noted if e["event"] == "batch"}:
            mine = [e for e in noted if e["event"] == "batch" and e["connection"] == connection]
            self.assertLessEqual(len(mine), 1, "it went on in clear")

    def test_certificate_of_somebody_else(self):
        """Of an unknown authority; of the right authority, for another name."""
        other = Certificates(self.found.path("other"), lab.CERTIFICATE_NAME, *lab.PUBLIC)
        folder = self.found.path("elsewhere")
        os.mkdir(folder)
        for name in ("ca.pem", "ca.key"):
            shutil.copy(self.found.path("tls", name), folder)
        elsewhere = Certificates(folder, "elsewhere.example", "192.0.2.99")
        for certificates in (other, elsewhere):
            with self.subTest(certificates.certificate):
                noted = self.refuses(
                    "unreachable", wrong_cert=f"{certificates.certificate},{certificates.key}")
                self.assertEqual([e for e in noted if e["event"] in ("login", "batch")], [])

    def test_older_protocol(self):
        """A server that hangs up on TDS 7: no second attempt with TDS 5, which has the password in clear."""
        noted = self.refuses("unreachable", tds5_only=True)
        self.assertEqual([e for e in noted if e["event"] in ("login", "batch")], [])


class AtRest(LabCase):
    """A whole first day: what was ever a password stands nowhere."""

    def processes(self, child):
        """Command lines and environments of a process and its descendants, as they are now."""
        found, waiting = [], [child.pid]
        while waiting:
            pid = waiting.pop()
            try:
                for name in ("cmdline", "environ"):
                    with open(f"/proc/{pid}/{name}", "rb") as file:
                        found.append(file.read())
                with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                    waiting += file.read().split()
            except OSError:
                continue  # gone in the meantime
        return found

    def watched(self, agent, *arguments):
        """Runs a command and returns (what it printed, what a process list showed meanwhile)."""
        child = agent.start(*arguments)
        shown = []
        while child.poll() is None:
            shown += self.processes(child)
            time.sleep(0.01)
        return child.stdout.read(), b"\0".join(shown)

    def test_nowhere(self):
        found = self.lab_make()
        agent, server = found.agent, found.server
        found.client_add("acme", [("staging", "sql01", "AcmeTest")],
                         **self.dates(lab.now() + days(20)))
        tap = Wiretap(found.hub, found.path("tap"))
        said, shown = self.watched(agent, "apply")
        told, seen = self.watched(agent, "handover", "acme", USER, "--json", "--no-terminal")
        password = re.search(r'"password": *"([^"]+)"', told).group(1)
        agent.curfew("history", expect=0)
        agent.curfew("status", expect=0)
        content = tap.stop()
        # The random password that nobody knows: the server alone was told.
        made = [m.group(1) for e in server.records("batch")
                for m in re.finditer(r"CREATE LOGIN .* PASSWORD = N'([^']+)'", e["text"])
                if e["login"] == "curfew_agent"]
        self.assertEqual(len(made), 1)
        self.assertTrue(all(e["tls"] for e in server.records("batch")))
        # What was shown is nobody's business in a log either: it is judged, not printed.
        program = os.path.basename(CURFEW).encode() + b"\0"
        self.assertTrue(program in shown, "the process list was not looked at")
        agent.said.append(said)
        self.no_secret_was_told(found, password, made[0], AGENT_PASSWORD)
        for secret in (password, made[0], AGENT_PASSWORD):
            self.assertEqual(heard(content, secret), [])
            self.assertFalse(secret.encode() in shown + seen, "a process list showed a secret")


if __name__ == "__main__":
    unittest.main()
