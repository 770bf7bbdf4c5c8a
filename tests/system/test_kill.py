#!/usr/bin/python3
"""An interrupted pass leaves no access above the scheduled level, and the next pass completes it.

Interrupted by the server's connection, before or after each single statement of a pass, and by SIGKILL at random
moments. CURFEW_EXHAUSTIVE=1 interrupts before every statement as well, and kills ten times as often.
"""

import os
import random
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER, LabCase  # noqa: E402
from lab import days, local  # noqa: E402

EXHAUSTIVE = bool(os.environ.get("CURFEW_EXHAUSTIVE"))
KILLS = 120 if EXHAUSTIVE else 12
PASSWORD = "Set-by-the-DBA-7"

# Few statements, so that each can be the one that is cut off; a grant and a denial of either kind.
LEVELS = {
    "full": {"role": "curfew_full", "database_grants": [], "database_denies": [],
             "schema_grants": ["SELECT", "INSERT"], "schema_denies": ["CREATE SEQUENCE"]},
    "read_only": {"role": "curfew_read_only", "database_grants": ["SHOWPLAN"],
                  "database_denies": [], "schema_grants": ["SELECT"], "schema_denies": ["INSERT"]},
}


def setUpModule():
    lab.require()


class Interrupted(LabCase):
    """One server through the same life again and again: opened, narrowed, removed."""

    def setUp(self):
        self.found = self.lab_make(levels=LEVELS)
        self.agent, self.server = self.found.agent, self.found.server
        self.golive = lab.now() + days(20)
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest")],
                              **self.dates(self.golive))
        self.jane = self.found.person("jane")
        # (name, instant, the only role that the login may have)
        self.stages = [("open", None, "curfew_full"),
                       ("narrow", local(self.golive), "curfew_read_only"),
                       ("remove", local(self.golive + days(14)), None)]

    def prepare(self, stage):
        """What a stage starts from, beyond what the one before left."""
        if stage == "open":
            for role in ("curfew_full", "curfew_read_only"):
                if self.server.sql(f"SELECT name FROM sys.database_principals WHERE name = N'{role}'",
                                   "AcmeTest"):
                    self.server.sql(f"DROP ROLE [{role}]", "AcmeTest")
        else:
            # Somebody works while the level changes.
            self.server.sql(f"ALTER LOGIN [{USER}] WITH PASSWORD = N'{PASSWORD}'")
            self.works(self.jane.login(USER, PASSWORD, "AcmeTest"))

    def never_wider(self, role, when, before=None):
        """Whoever the network lets in has no more than the schedule says.

        `before`: the role of a login that the pass may not have come to at all, killed before its first
        statement. Nothing between the two is allowed to a login that is enabled.
        """
        login = self.server.login(USER)
        if role is None and before is None:
            self.assertEqual(self.agent.elements(), [], when)
        elif self.agent.elements() and login and not login[1]:
            self.assertIn(self.server.roles(USER, "AcmeTest"), ([], [role], [before]), when)

    def completed(self, at, role, when):
        """The next pass completes it; one more finds nothing to do."""
        self.applied(self.agent, at, when=when)
        login = self.server.login(USER)
        if role is None:
            self.assertIsNone(login, when)
            self.assertFalse(self.server.user(USER, "AcmeTest"), when)
            self.assertEqual(self.server.sessions_of(USER), [], when)
        else:
            self.assertEqual((login[1], self.server.roles(USER, "AcmeTest")), (False, [role]), when)
            self.assertEqual(len(self.agent.elements()), 2, when)
        if role != "curfew_full":
            self.assertFalse(self.jane.sql("INSERT INTO dbo.Orders (Id, Customer) "
                                           "VALUES (50, N'Eve')", timeout=0.3).ok, when)
        self.jane.logout()

    def requests(self):
        """Of the pass that ran last."""
        mine = [c for c in self.server.counters()["by_connection"] if c["app"] == "curfew"]
        return max(mine, key=lambda c: c["connection"])["round_trips"]

    def test_connection_lost_at_each_statement(self):
        counts, cut = {}, 0
        for stage, at, role in self.stages * 2:  # the first life has a baseline to take as well
            self.prepare(stage)
            self.agent.apply(at, expect=0)
            counts[stage] = self.requests()
            self.completed(at, role, f"{stage}, undisturbed")
        faults = [("after", number) for number in range(1, max(counts.values()) + 1)]
        faults += [("before", number) for number in range(1, max(counts.values()) + 1)
                   if EXHAUSTIVE or number % 4 == 1]
        for moment, number in faults:
            for stage, at, role in self.stages:
                self.prepare(stage)
                when = f"{stage}, cut {moment} request {number} of {counts[stage]}"
                if number <= counts[stage]:
                    before = self.server.counters()["dropped"]
                    self.server.faults(**{f"drop-{moment}@1": number})
                    result = self.agent.curfew("apply", *(["--at", at] if at else []))
                    self.server.faults()
                    # How often it is asked whether a session has ended is a matter of time: the last one may not come.
                    if number < counts[stage] or self.server.counters()["dropped"] > before:
                        # A reading that was cut is made again in the same pass, and then nothing is left to do.
                        self.assertIn(result.code, (0, 1), f"{when}: {result}")
                        if result.code == 0:
                            plan = self.agent.curfew("plan", *(["--at", at] if at else []))
                            # By --at no time passes between two commands, and the kernel's deadlines go on: on a busy machine an
                            # end is then seconds short, which is a change that is due (~).
                            self.assertIn(plan.code, (0, 2), f"{when}: {plan}")
                            self.assertNotRegex(plan.out, r"(?m)^ +[-+] ", when)
                        cut += 1
                    self.never_wider(role, when)
                self.completed(at, role, when)
        print(f"cut off {cut} times; requests of a pass: {counts}", file=sys.stderr)

    def test_killed_at_random_moments(self):
        seed = int(os.environ.get("CURFEW_SEED", random.randrange(1 << 32)))
        chance, killed, before = random.Random(seed), 0, None
        for turn in range(KILLS):
            for stage, at, role in self.stages:
                self.prepare(stage)
                when = f"{stage}, turn {turn} of seed {seed}"
                child = self.agent.start("apply", *(["--at", at] if at else []))
                time.sleep(chance.uniform(0, 0.35))
                child.send_signal(signal.SIGKILL)
                child.communicate()
                killed += child.returncode == -signal.SIGKILL
                self.never_wider(role, when, before)
                self.completed(at, role, when)
                before = role
        self.assertGreater(killed, 0, "every pass was faster than the kill")
        print(f"killed {killed} of {KILLS * len(self.stages)} passes", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
