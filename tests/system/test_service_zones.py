#!/usr/bin/python3
"""An update of the time zone data under the running service changes the times of the configured dates."""

import ctypes
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from lab import days  # noqa: E402
from service import Service, ServiceCase, until  # noqa: E402

CLONE_NEWNS = 0x00020000
ZONES = "/usr/share/zoneinfo/"
HERE, THERE = "Asia/Tokyo", "Asia/Kolkata"  # 9 and 5.5 hours ahead, all the year round


def setUpModule():
    lab.require()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise unittest.SkipTest("no mount namespace of our own")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


class Updated(ServiceCase):
    def next_transition(self):
        return self.service.metric("curfew_next_transition_timestamp_seconds")

    def test_dates_are_read_with_the_new_rules(self):
        self.found = self.lab_make(limits=self.LIMITS)
        self.agent = self.found.agent
        self.agent.settings["metrics_file"] = self.agent.path("state", "curfew.prom")
        golive = (lab.now() + days(20)).replace(hour=12, minute=0, second=0)
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest")], timezone=HERE, **self.dates(golive))
        self.service = Service(self.found)
        self.addCleanup(self.service.close)
        until(self.next_transition, "the pass at the start has ended")
        before = self.next_transition()
        self.assertEqual(before, golive.timestamp() - 9 * 3600)
        shutil.copy(ZONES + THERE, self.found.path("zone"))
        subprocess.run(["mount", "--bind", self.found.path("zone"), ZONES + HERE], check=True)
        self.addCleanup(subprocess.run, ["umount", ZONES + HERE], check=True)
        # Any pass: the regular one would see it as well.
        self.agent.apply(expect=(0, 1))
        until(lambda: self.next_transition() == golive.timestamp() - 5.5 * 3600,
              lambda: f"the new instant; the service said:\n{self.service.log()[-2000:]}")
        self.service.says("time zone data was updated")


if __name__ == "__main__":
    unittest.main()
