#!/usr/bin/python3
"""The service beside firewall rules of other programs, and what its own rules deny."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from lab import days  # noqa: E402
from service import ServiceCase  # noqa: E402


def setUpModule():
    lab.require()


class Beside(ServiceCase):
    def test_what_others_do_to_the_table(self):
        """Whoever has the owner's flag is not asked; where there is none, it comes back. A service that is stopped lets go."""
        service = self.service_make(lab.now() + days(20))
        self.elements_come(2)
        hub = self.agent.space
        for words in ("flush table inet curfew", "delete table inet curfew", "flush ruleset"):
            hub.run("nft", words, check=False)
            self.elements_come(2)
            self.silent(self.found.person("other"))
        self.reaches(self.found.person("jane"))
        # The emergency in docs/troubleshooting.md.
        service.stop()
        hub.run("nft", "delete", "table", "inet", "curfew")
        self.reaches(self.found.person("other"))
        service.start()
        self.elements_come(2)
        self.silent(self.found.person("other"))

    def test_denied_names_the_refused(self):
        self.service_make(lab.now() + days(20))
        self.elements_come(2)
        self.silent(self.found.person("other"))
        self.assertIn(lab.OTHER[0], self.agent.curfew("denied").out)


if __name__ == "__main__":
    unittest.main()
