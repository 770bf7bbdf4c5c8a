#!/usr/bin/python3
"""Why a server is unreachable: the message names the place, the problem, and the fix."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import LabCase  # noqa: E402
from lab import days  # noqa: E402
from practice import Certificates  # noqa: E402

WHERE = f"{lab.PUBLIC[0]} port {lab.PORT}"
CONNECT_SECONDS = 2


def setUpModule():
    lab.require()


class Words(LabCase):
    @classmethod
    def setUpClass(cls):
        cls.found = lab.Lab(limits={"connect_timeout": CONNECT_SECONDS})
        cls.addClassCleanup(cls.found.close)
        cls.ca = cls.found.certificates.ca
        cls.found.client_add("acme", [("staging", "sql01", "AcmeTest")], **cls.dates(lab.now() + days(20)))

    def tearDown(self):
        self.found.server.faults()

    def tells(self, words, **faults):
        self.found.server.faults(**faults)
        self.assertIn("unreachable: " + words, self.found.agent.plan(expect=1).out)

    def test_tls(self):
        words = (f"no TLS session with {WHERE}: its certificate must be valid now, name {lab.PUBLIC[0]} "
                 f"and be signed by the authority in {self.ca}")
        other = Certificates(self.found.path("other"), lab.CERTIFICATE_NAME, *lab.PUBLIC)
        self.tells(words, wrong_cert=f"{other.certificate},{other.key}")
        self.tells(words, no_tls=True)

    def test_silence(self):
        self.tells(f"did not answer within {CONNECT_SECONDS} seconds: {WHERE}", stall_prelogin=True)

    def test_older_protocol(self):
        self.tells(f"{WHERE} closed the connection before it answered the login", tds5_only=True)

    def test_ca_file(self):
        """As root too: the process that connects has no right left to read what others may not."""
        mode = os.stat(self.ca).st_mode & 0o777
        self.addCleanup(os.chmod, self.ca, mode)
        os.chmod(self.ca, 0)
        self.tells(f"this process cannot read ca_file {self.ca}: Permission denied; set mode 0644")


if __name__ == "__main__":
    unittest.main()
