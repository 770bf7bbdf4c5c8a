#!/usr/bin/python3
"""Steps the system clock under the running service, in a machine of its own; see kernel61.

No interval passes during a test, so every reaction of the service follows from the kernel's report of the step.
"""

import time
import unittest

import lab
from case import OWN_PASSWORD, USER
from lab import days, local, seconds
from service import Service, ServiceCase, until

OWN_MACHINE = "curfew.own_machine"
ELEMENTS = 2
# Of a deadline in the kernel: what a busy machine takes from one look to the next, and the margin taken off.
SLACK = 15
HOUR = 3600


def setUpModule():
    with open("/proc/cmdline", encoding="ascii") as file:
        if OWN_MACHINE not in file.read().split():
            print("SKIPPED: the clock is not ours to set: tests/system/kernel61 has a machine for that")
            raise unittest.SkipTest("not a machine of its own")
    lab.require()


def clock_set(instant):
    time.clock_settime(time.CLOCK_REALTIME, instant.timestamp())


def clock_step(delta):
    time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME) + delta.total_seconds())


class SteppedClock(ServiceCase):
    LIMITS = {"connect_timeout": 60, "server_deadline": 300, "interval": 86400}

    def setUp(self):
        self.began = time.monotonic()

    def told(self, what):
        """A line about how it went, with the seconds since the last one."""
        now = time.monotonic()
        print(f"# {self._testMethodName}: {what} ({now - self.began:.1f} s)", flush=True)
        self.began = now

    def life_make(self, golive_in, *databases):
        """A client at full, whose person is logged in; go-live comes in that time."""
        self.found = self.lab_make(limits=self.LIMITS)
        self.agent, self.server = self.found.agent, self.found.server
        self.agent.settings["metrics_file"] = self.agent.path("state", "curfew.prom")
        # No step back leads to before the certificates were made.
        clock_step(days(2))
        self.golive = lab.now() + golive_in
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest"), *databases], **self.dates(self.golive))
        self.service = Service(self.found)
        self.addCleanup(self.service.close)
        self.full_comes()
        self.told("full")
        self.jane = self.found.person("jane")
        self.password = self.agent.handover("acme", USER)
        self.first_login(self.found, self.jane, self.password)
        self.works_as_full(self.jane)
        self.told("logged in")

    def full_comes(self):
        self.role_comes("curfew_full")
        self.elements_come(ELEMENTS)
        self.pass_ends()

    def pass_ends(self):
        """Only the firewall process is left: nothing that was begun before a step is taken for its effect."""
        until(lambda: len(self.service.children()) == 1, "the pass under way has ended")

    def left(self):
        """Seconds that the kernel gives each element: the least and the most."""
        found = [left for _, _, left in self.agent.elements()]
        self.assertEqual(len(found), ELEMENTS)
        return min(found), max(found)

    def deadlines_come(self, end):
        """Every element's time is what is left to `end` by the clock, as it is now."""
        def right():
            ahead = (end - lab.now()).total_seconds()
            found = [left for _, _, left in self.agent.elements()]
            return len(found) == ELEMENTS and all(ahead - SLACK <= left <= ahead + 1 for left in found)
        until(right, lambda: f"deadlines that fit {end}: {self.agent.elements()} at {lab.now()}; {self.service.log()}")

    def comes_in_order(self, log, *words):
        at = -1
        for word in words:
            found = log.find(word, at + 1)
            self.assertGreater(found, at, f"no {word!r} after what comes before it:\n{log}")
            at = found

    def test_a_life_by_steps_forward(self):
        self.life_make(days(3), ("production", "sql01", "AcmeProd"))
        self.no_database(self.jane.login(USER, OWN_PASSWORD, "AcmeProd"))
        self.works(self.jane.login(USER, OWN_PASSWORD, "AcmeTest"))
        self.silent(self.found.person("other"))
        self.deadlines_come(self.golive)

        # Over nothing: the kernel's timeouts follow the clock that nobody sets, so they are set anew.
        clock_step(days(1))
        self.deadlines_come(self.golive)
        self.told("deadlines follow a step")
        self.works(self.jane.sql("SELECT Id FROM dbo.Orders WHERE Id = 3"), [[3]])
        self.pass_ends()

        # Over go-live.
        before = len(self.service.log())
        clock_set(self.golive + seconds(5))
        self.role_comes("curfew_read_only")
        self.told("read-only after a step over go-live")
        self.elements_come(ELEMENTS)
        self.told("in again")
        self.comes_in_order(self.service.log()[before:], "(network): remove", "member-restrict", "(network): add")
        self.deadlines_come(self.golive + days(14))  # by then somebody must have narrowed again
        self.assertFalse(self.jane.sql("INSERT INTO dbo.Orders (Id, Customer) VALUES (4, N'Dora')").ok)
        for database in ("AcmeTest", "AcmeProd"):
            self.reads_only(self.jane, database)
        self.told("reads only")
        self.pass_ends()

        # Over staging's end.
        clock_set(self.golive + days(14) + seconds(5))
        until(lambda: not self.server.user(USER, "AcmeTest"), "staging is over")
        self.told("staging is over")
        self.deadlines_come(self.golive + days(30))
        self.no_database(self.jane.login(USER, OWN_PASSWORD, "AcmeTest"))
        self.reads_only(self.jane, "AcmeProd")
        self.pass_ends()

        # Over the end.
        clock_set(self.golive + days(30) + seconds(5))
        self.elements_come(0)
        self.told("shut after a step over the end")
        until(lambda: self.server.login(USER) is None, "the login is gone")
        self.told("the login is gone")
        self.pass_ends()
        self.assertFalse(self.jane.sql("SELECT 1", timeout=lab.SHUT_SECONDS).ok)
        self.nothing_is_left(self.found, ("sql01", "AcmeTest"), ("sql01", "AcmeProd"))
        until(lambda: self.service.metric("curfew_overdue_grants") == 0, "nothing is overdue")
        self.assertNotIn("<1>", self.service.log())
        # A machine that takes seconds over the end is told of them, and that they are over.
        alarms = [line for line in self.service.log().splitlines() if "<2>" in line or "no access is overdue now" in line]
        self.assertEqual(["<2>" in line for line in alarms], [True, False] * (len(alarms) // 2), alarms)
        self.service.stop()
        self.no_secret_was_told(self.found, self.password, OWN_PASSWORD)

    def test_a_year_ahead_by_mistake(self):
        self.life_make(days(3))
        right, since = lab.now(), time.monotonic()
        # In the midst of a pass that waits for a server: the network does not.
        self.server.faults(stall_prelogin=True)
        self.agent.start("apply")
        until(lambda: len(self.service.children()) == 2, "a pass is under way")
        clock_step(days(365))
        self.elements_come(0)
        self.told("shut while the server hangs")
        self.assertIsNotNone(self.server.login(USER))
        self.server.faults()
        until(lambda: self.server.login(USER) is None, "the login is gone")
        self.told("all has ended")
        self.pass_ends()
        self.assertNotIn("<1>", self.service.log())

        # Set right again: it stays shut, and says so.
        clock_set(right + seconds(time.monotonic() - since))
        until(lambda: "<1>curfew: the system clock is" in self.service.log(), "the alarm")
        self.told("alarm")
        self.pass_ends()
        self.still_shut()
        said = self.agent.curfew("clock", expect=2).out
        self.assertRegex(said, r"behind the latest time seen; Curfew uses the latest time seen, so ended access stays ended")
        self.assertGreater(self.service.ask(command="clock")["behind"], 364 * 86400)
        until(lambda: self.service.metric("curfew_clock_behind_seconds") > 364 * 86400, "the metrics say so")
        self.agent.curfew("apply", expect=0)
        self.still_shut()
        # Nor does it forget over a restart.
        self.service.stop()
        self.service.start()
        self.agent.curfew("apply", expect=0)
        self.still_shut()
        self.told("still shut after apply and a restart")

        self.agent.curfew("clock", "--reset", "now", expect=64)
        self.still_shut()
        self.agent.curfew("clock", "--reset", "now", "--reason", "a typing mistake", expect=0)
        self.full_comes()
        self.told("open after the reset")
        self.deadlines_come(self.golive)
        self.agent.curfew("clock", expect=0)
        self.service.says("the system clock is correct again")
        self.assertIn("a typing mistake", self.agent.curfew("history", expect=0).out)
        self.first_login(self.found, self.found.person("jane"), self.agent.handover("acme", USER))

    def still_shut(self):
        self.assertEqual(self.agent.elements(), [])
        self.assertIsNone(self.server.login(USER))

    def test_back_before_golive(self):
        ahead = 40
        self.life_make(days(3))
        clock_set(self.golive - seconds(ahead))
        due = time.monotonic() + ahead
        self.deadlines_come(self.golive)
        self.pass_ends()
        before = self.left()

        clock_step(-seconds(HOUR))
        until(lambda: "<1>curfew: the system clock is" in self.service.log(), "the alarm")
        self.told("alarm")
        least, most = self.left()
        self.assertLessEqual(most, before[1], "a step back gave more time")
        self.assertEqual(self.server.roles(USER, "AcmeTest"), ["curfew_full"])
        self.assertLess(time.monotonic(), due, "too slow a machine to tell: go-live was due already")

        # By the clock that nobody sets go-live comes when it was to come.
        until(lambda: self.server.roles(USER, "AcmeTest") != ["curfew_full"], "go-live")
        late = time.monotonic() - due
        self.told(f"narrowed {late:.1f} s after go-live was due")
        self.assertGreater(late, -1.5, "before its time")
        self.role_comes("curfew_read_only")
        self.elements_come(ELEMENTS)
        self.pass_ends()
        narrowed = [entry for entry in self.agent.curfew("history", "acme", "--json", expect=0).json
                    if entry["action"] == "member-restrict"]
        self.assertTrue(narrowed)
        for entry in narrowed:
            self.assertIn(entry["at"], [local(self.golive + seconds(s)) + "Z" for s in range(60)])
        # By that clock too the time that is left is counted: nobody gets an hour more.
        self.assertLessEqual(self.left()[1], 14 * 86400)
        self.assertLess(lab.now(), self.golive)


if __name__ == "__main__":
    unittest.main()
