#!/usr/bin/python3
"""Why a server is unreachable: the message names the place, the problem, and the fix; the others are served."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from agent import IMPATIENT  # noqa: E402
from case import USER, LabCase  # noqa: E402
from lab import days, local  # noqa: E402
from practice import Certificates  # noqa: E402
from stranger_case import StrangerCase  # noqa: E402

WHERE = f"{lab.PUBLIC[0]} port {lab.PORT}"


def setUpModule():
    lab.require()


class Words(LabCase):
    @classmethod
    def setUpClass(cls):
        cls.found = lab.Lab()
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
        with self.found.agent.impatient():
            self.tells(f"did not answer within {IMPATIENT['connect_timeout']} seconds: {WHERE}", stall_prelogin=True)

    def test_older_protocol(self):
        self.tells(f"{WHERE} closed the connection before it answered the login", tds5_only=True)

    def test_ca_file(self):
        """As root too: the process that connects has no right left to read what others may not."""
        mode = os.stat(self.ca).st_mode & 0o777
        self.addCleanup(os.chmod, self.ca, mode)
        os.chmod(self.ca, 0)
        self.tells(f"this process cannot read ca_file {self.ca}: Permission denied; set mode 0644")


class OneOfTwo(StrangerCase):
    def test_one_server_does_not_answer(self):
        """The others are served, the network closes on time, and what is overdue is said."""
        self.acme(("staging", "sqltest", "AcmeTest"), ("production", "sqlprod", "AcmeProd", "full"),
                  shape="gateway", servers={"sqltest": ("AcmeTest",), "sqlprod": ("AcmeProd",)})
        self.applied(self.agent)
        production = self.found.servers["sqlprod"]
        production.faults(drop_prelogin=True)
        result = self.agent.apply(local(self.golive), expect=1)
        self.assertRegex(result.out, "UNREACHABLE")
        self.assertRegex(result.out, "OVERDUE: access of 1 grant")
        self.assertEqual(self.found.servers["sqltest"].roles(USER, "AcmeTest"), ["curfew_read_only"])
        four, six = self.found.behind(1)
        open_ends = {end for _, end, _ in self.agent.elements()}
        self.assertFalse(open_ends & {f"{four}:{lab.PORT}", f"[{six}]:{lab.PORT}"},
                         "not proved read-only: not let in")
        end = local(self.golive + days(30))
        self.agent.apply(end, expect=1)
        self.assertEqual(self.agent.elements(), [])
        self.assertEqual(production.roles(USER, "AcmeProd"), ["curfew_full"])
        production.faults()
        self.applied(self.agent, end)
        self.assertIsNone(production.login(USER))


if __name__ == "__main__":
    unittest.main()
