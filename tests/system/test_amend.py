#!/usr/bin/python3
"""Client files changed by commands under a running service: it goes by them at once, and the kernel keeps the ends."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days, local, seconds  # noqa: E402
from practice import SLOW  # noqa: E402
from service import COMES, ServiceCase, until  # noqa: E402

WHY = ("--reason", "a week at the seaside", "--ticket", "CS-7", "--yes")
ELSEWHERE = "198.51.100.77"
# An element ends up to the tolerance before its time, so that it is never late (include/curfew/firewall.h): three seconds, more
# on a host that was slow.
EARLY = 10


def setUpModule():
    lab.require()


class Amend(ServiceCase):
    def setUp(self):
        self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.elements_come(2)

    def sources(self):
        return {source for source, _, _ in self.agent.elements()}

    def test_an_address_that_ends_by_itself(self):
        for wait in (30, 90, 270):  # a machine too busy gets another instant
            end = lab.now() + seconds(wait * SLOW)
            said = self.agent.curfew("allow", "acme", USER, ELSEWHERE, "--until", local(end), *WHY)
            if said.code == 0 and time.time() < end.timestamp() - EARLY - 1:
                break
        self.assertIn("configuration reloaded", said.out)
        until(lambda: ELSEWHERE in self.sources(), "the address is allowed")
        # Whoever would prolong it or take it away is dead: the kernel ends it.
        self.service.kill()
        seen = []

        def has_ended():
            asked = time.time()
            if ELSEWHERE in self.sources():
                seen.append(asked)
            return not seen or seen[-1] != asked

        until(has_ended, "the kernel has ended it", seconds=COMES + 270 * SLOW)
        self.assertTrue(seen, "it had ended before anybody could look")
        self.assertLess(seen[-1], end.timestamp())
        self.assertEqual(len(self.agent.elements()), 2, "the others stay")
        # And it does not come back.
        self.agent.apply(expect=0)
        self.assertNotIn(ELSEWHERE, self.sources())

    def test_the_service_goes_by_it_at_once(self):
        self.agent.curfew("allow", "acme", USER, ELSEWHERE, *WHY, expect=0)
        until(lambda: ELSEWHERE in self.sources(), "the address is allowed")
        self.agent.curfew("disallow", "acme", USER, ELSEWHERE, *WHY, expect=0)
        until(lambda: ELSEWHERE not in self.sources(), "the address is blocked")
        self.agent.curfew("golive", "acme", local(lab.now() - seconds(1)), *WHY, expect=0)
        self.role_comes("curfew_read_only")
        # On the day itself it is taken back in one command, with a new ticket.
        refused = self.agent.curfew("golive", "acme", "--abort", "--reason", "the upgrade failed", "--ticket", "CS-1",
                                    "--yes", expect=1)
        self.assertIn("has passed", refused.err)
        self.agent.curfew("golive", "acme", "--abort", "--reason", "the upgrade failed", "--ticket", "CS-8", "--yes",
                          expect=0)
        self.role_comes("curfew_full")
        actions = [e["action"] for e in self.agent.curfew("history", "acme", "--json").json if e["kind"] == "event"]
        for action in ("allow", "disallow", "golive", "golive"):
            actions.remove(action)


if __name__ == "__main__":
    unittest.main()
