#!/usr/bin/python3
"""The service while a server is down: across the end of access, and long before a go-live."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from service import ServiceCase, until  # noqa: E402


def setUpModule():
    lab.require()


class Down(ServiceCase):
    def test_down_across_the_end(self):
        # Longer than a status waits: what it says of a server that it gave up on is what this one proved last.
        service = self.service_make(lab.now() - days(13), started=40, limits={"connect_timeout": 10, "server_deadline": 120})
        self.role_comes("curfew_read_only")
        self.elements_come(2)
        ends = self.golive_comes(days_ago=14, meanwhile=self.server_goes_away, back=self.found.server.faults)
        until(lambda: time.time() >= ends.timestamp(), "the end")
        self.assertEqual(self.agent.elements(), [], "the kernel is never late")
        until(lambda: service.metric("curfew_overdue_grants") == 1, lambda: f"overdue in the figures:\n{service.log()}")
        self.assertTrue(self.found.server.login(USER), "nobody could have dropped it")
        self.found.server.faults(stall_prelogin=True)
        status = self.agent.curfew("status", "--json", expect=1).json
        self.assertEqual([grant["state"] for grant in status["grants"]], ["overdue"], status)
        service.says("<2>curfew: access of 1 grants should have ended")
        self.found.server.faults()
        until(lambda: self.found.server.login(USER) is None, "the login is gone")
        until(lambda: service.metric("curfew_overdue_grants") == 0, "not overdue any more")

    def test_down_long_before_golive(self):
        """What a server proved last stays on record while it is down: nobody loses access, go-live finds it overdue."""
        service = self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.elements_come(2)
        until(lambda: service.metric("curfew_passes_total"), "the pass at the start has ended")

        def passes_find_nobody():
            self.server_goes_away()
            for _ in range(2):
                self.assertEqual(service.ask(command="apply")["result"]["unreachable"], 1)
            open_still.append(len(self.agent.elements()))

        open_still = []
        self.golive_comes(ahead=12, meanwhile=passes_find_nobody, back=self.found.server.faults)
        self.assertEqual(open_still[-1], 2)
        until(lambda: service.metric("curfew_overdue_grants") == 1, lambda: f"overdue in the figures:\n{service.log()}")
        self.elements_come(0)
        self.found.server.faults()
        self.role_comes("curfew_read_only")
        self.elements_come(2)


if __name__ == "__main__":
    unittest.main()
