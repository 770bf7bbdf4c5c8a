#!/usr/bin/python3
"""Servers that fall silent just before an instant keep no other waiting, also where they are as many as the places; one that
answers and is slow does."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER, LabCase  # noqa: E402
from lab import days  # noqa: E402
from service import Service, ServiceCase, until  # noqa: E402


def setUpModule():
    lab.require()


class Silent(ServiceCase):
    # One place; what is silent would keep it for longer than a test waits.
    LIMITS = {"connect_timeout": 110, "server_deadline": 600, "workers": 1}

    def test_as_many_as_places(self):
        self.found = self.lab_make(shape="gateway", limits=self.LIMITS,
                                   servers={"sql01": ("AcmeTest",), "sql02": ("AcmeTest",)})
        self.agent = self.found.agent
        self.agent.settings["metrics_file"] = self.agent.path("state", "curfew.prom")
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("staging", "sql02", "AcmeTest")],
                              **self.dates(lab.now() + days(20)))
        self.service = Service(self.found)
        self.addCleanup(self.service.close)
        silent = self.found.servers["sql01"]
        for server in self.found.servers:
            self.role_comes("curfew_full", server)
        until(lambda: self.service.metric("curfew_passes_total"), "the pass at the start has ended")
        self.golive_comes(ahead=15, meanwhile=lambda: silent.let_nobody_in("curfew_agent", stall_prelogin=True), back=silent.faults)
        self.role_comes("curfew_read_only", "sql02")
        self.assertEqual(silent.roles("acme.jane.doe", "AcmeTest"), ["curfew_full"])


class Accepted(LabCase):
    """It has accepted the login, and takes long, where one at once is what was asked for."""

    def stage(self):
        """One place for two servers, of which the first stalls behind the settings of its session."""
        found = self.lab_make(shape="gateway", limits={"workers": 1},
                              servers={"sql01": ("AcmeTest",), "sql02": ("AcmeTest",)})
        found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("staging", "sql02", "AcmeTest")],
                         **self.dates(lab.now() + days(20)))
        slow, next_one = found.servers["sql01"], found.servers["sql02"]
        self.applied(found.agent)
        slow.faults(stall_after=1)
        return found, slow, next_one

    def test_one_that_reads_keeps_its_place(self):
        found, slow, next_one = self.stage()
        with found.agent.impatient():
            found.agent.curfew("plan")
        slow.faults()
        self.assertIsNotNone(next_one.login(USER))
        # Each server writes down its own end of it, a moment sooner or later.
        self.assertGreater(next_one.records("connect")[-1]["time"] + 0.5, slow.records("disconnect")[-1]["time"])

    def test_one_that_closes_nothing_keeps_no_place(self):
        """Logging in takes no write of its disk: what has to end elsewhere must not wait until it is given up."""
        found, slow, next_one = self.stage()
        revoking = found.agent.start("revoke", "acme", "--reason", "a laptop was stolen")
        until(lambda: next_one.login(USER) is None, "the end on the other server, while the first still stalls")
        slow.faults()
        revoking.communicate()


if __name__ == "__main__":
    unittest.main()
