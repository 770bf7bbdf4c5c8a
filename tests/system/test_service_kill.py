#!/usr/bin/python3
"""kill -9 of every process of the service, at random moments of lives that run by the real clock.

A watcher looks all the time, at the kernel and at the SQL server. What it may never see:
- an element in the allowlist outside [begins, ends): the kernel holds that, whoever is dead;
- a login that can be used before the beginning;
- full access through an open network after go-live: the kernel holds that as well;
- full access again once read-only has been seen in a life.
How long SQL itself lags behind while something is dead, with the network shut, is measured and printed, not judged.
CURFEW_KILLS kills (unless set: 30, or fewer when ENOUGH seconds have passed), and CURFEW_SEED repeats the moments.
"""

import os
import random
import signal
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import local, seconds  # noqa: E402
from service import COMES, ServiceCase, until  # noqa: E402

KILLS = int(os.environ.get("CURFEW_KILLS", "30"))
# A busy machine restarts slowly: how many seconds of killing are enough there, and the fewest kills.
ENOUGH, FEWEST = 150, 9
FULL, READ_ONLY = "curfew_full", "curfew_read_only"
LEVELS = (FULL, READ_ONLY)
# Of one life: it begins, goes live and ends so many seconds after it was written down.
BEGINS, GOES_LIVE, ENDS = 3, 10, 16
# The most times as long as that.
LONGEST = 8
# Enough for every kill, and for somebody to get in at each level.
MOST_LIVES = max(12, KILLS // 4)
KINDS = ("engine", "firewall", "worker")


def setUpModule():
    lab.require()


class Course:
    """The dates of one life, as instants; a longer life where the machine is busy."""

    def __init__(self, times):
        self.written, self.times = lab.now() + seconds(1), times
        self.begins, self.golive, self.ends = (
            (self.written + seconds(times * n)).timestamp() for n in (BEGINS, GOES_LIVE, ENDS))

    def client(self):
        stamp = {name: local(self.written + seconds(self.times * n)) for name, n in (
            ("starts", BEGINS), ("go_live", GOES_LIVE), ("staging_until", ENDS))}
        # Another life of the same client is a decision of its own: without it what has ended stays ended.
        return {**stamp, "ticket": f"CS-{self.written.timestamp():.0f}", "approved_on": lab.day(self.written)}


class Watcher(threading.Thread):
    """Looks without a pause, with its own eyes; `wrong` is what it must not have seen."""

    def __init__(self, found):
        super().__init__(daemon=True)
        self.found, self.wrong, self.samples = found, [], 0
        self.course, self.narrowed = None, False
        self.late = {"golive": 0.0, "end": 0.0}
        self.let_in = {FULL: 0, READ_ONLY: 0}
        self.lock, self.over = threading.Lock(), threading.Event()

    def begin(self, course):
        with self.lock:
            self.course, self.narrowed = course, False

    def usable(self):
        login = self.found.server.login(USER)
        return bool(login) and not login[1]

    def seen(self):
        """What is there now: elements, and the level of the login when it can be used."""
        elements = self.found.agent.elements()
        after_network = time.time()
        # Asked before and after: roles are changed while the login is disabled.
        usable = self.usable()
        roles = self.found.server.roles(USER, "AcmeTest")
        usable = usable and self.usable()
        return elements, after_network, usable, roles

    def look(self, course):
        before = time.time()
        elements, middle, usable, roles = self.seen()
        after = time.time()
        self.samples += 1
        text = f"{len(elements)} elements, usable {usable}, {roles}; life at {before - course.begins:.2f} s"
        if usable and (len(roles) > 1 or (roles and roles[0] not in LEVELS)):
            self.wrong.append(f"roles that no level has: {text}")
            return
        level = roles[0] if roles else None
        # A look takes a moment: what it saw was there at some instant of it. Before: not earlier than `after`.
        if elements and before >= course.ends:
            self.wrong.append(f"the network is open after the end: {text}")
        if elements and middle < course.begins:
            self.wrong.append(f"the network is open before the beginning: {text}")
        if usable and after < course.begins and before > course.written.timestamp() + 1:
            self.wrong.append(f"the login can be used before the beginning: {text}")
        if usable and level == READ_ONLY and before >= course.golive:
            self.narrowed = True
        if usable and level == FULL and self.narrowed:
            self.wrong.append(f"wider again: {text}")
        if elements and usable and level:
            self.let_in[level] += 1
        if elements and usable and level == FULL and before >= course.golive:
            self.wrong.append(f"full access after go-live: {text}")
        if usable and before >= course.ends:
            self.late["end"] = max(self.late["end"], before - course.ends)
        if usable and level == FULL and before >= course.golive:
            self.late["golive"] = max(self.late["golive"], before - course.golive)

    def run(self):
        while not self.over.is_set():
            with self.lock:
                if self.course:
                    try:
                        self.look(self.course)
                    except Exception as error:  # pylint: disable=broad-except
                        self.wrong.append(f"the watcher itself: {error!r}")
                        return
            time.sleep(0.01)

    def stop(self):
        self.over.set()
        self.join(COMES)


class Kills(ServiceCase):
    def setUp(self):
        self.seed = int(os.environ.get("CURFEW_SEED", random.randrange(1 << 32)))
        self.chance, self.killed = random.Random(self.seed), {kind: 0 for kind in KINDS}
        self.began = time.monotonic()
        self.service_make(lab.now() + lab.days(20), started=-1)  # nothing is open yet
        self.watcher = self.watcher_make()
        self.watcher.start()
        self.addCleanup(self.watcher.stop)

    def watcher_make(self):
        return Watcher(self.found)

    def trouble(self):
        if not self.is_over():
            self.kill()

    def processes(self):
        """(kind, pid) of all that run now; the firewall process was born first."""
        children = self.service.children()
        kinds = ["firewall"] + ["worker"] * (len(children) - 1) if children else []
        return [("engine", self.service.process.pid), *zip(kinds, children)]

    def kill(self):
        """Kills one; waits a moment for a worker, which lives for a tenth of a second only."""
        wanted = min(KINDS, key=lambda kind: (self.killed[kind], self.chance.random()))
        give_up = time.monotonic() + 0.6
        found = []
        while not found:
            found = [(kind, pid) for kind, pid in self.processes() if kind == wanted]
            if time.monotonic() > give_up:
                found = self.processes()
        kind, pid = self.chance.choice(found)
        if kind == "worker":
            time.sleep(self.chance.uniform(0, 0.08))
        children = self.service.children() if kind == "engine" else []
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # a worker that was faster
        self.killed[kind] += 1
        if kind != "worker":
            # As the service manager would: when it is down, up again.
            self.service.process.wait(COMES)
            self.ended(children)
            self.service.start()

    @staticmethod
    def ended(children):
        """The firewall process dies with its engine, a moment later: one that lives owns the table."""
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children), "its processes have ended")

    def is_over(self):
        """All kills were made, or as many as this machine makes in the time."""
        killed = sum(self.killed.values())
        late = "CURFEW_KILLS" not in os.environ and time.monotonic() > self.began + ENOUGH
        return killed >= KILLS or (late and killed >= FEWEST)

    def live(self, times):
        """One life with kills all through it."""
        course = Course(times)
        self.agent.clients["acme"].update(course.client())
        self.agent.write()
        self.service.process.send_signal(signal.SIGHUP)
        self.watcher.begin(course)
        while time.time() < course.ends:
            self.trouble()
            # In a longer life, for a slower machine, as much longer between two of them: else nobody would ever get in.
            time.sleep(self.chance.uniform(0, 0.3 * times))
        until(lambda: self.found.server.login(USER) is None, f"the login is gone; seed {self.seed}")
        self.assertEqual(self.agent.elements(), [])
        self.assertEqual(self.watcher.wrong, [],
                         f"seed {self.seed}; the service said:\n{self.service.log()[-4000:]}")
        self.assertTrue(self.watcher.is_alive(), "the watcher has died")

    def test_lives(self):
        lives, times = 0, 1
        # A watcher that saw nobody get in has proved nothing: then another life, and a longer one.
        while not self.is_over() or not all(self.watcher.let_in.values()):
            lives += 1
            self.live(times)
            times = times if all(self.watcher.let_in.values()) else min(2 * times, LONGEST)
            self.assertLess(lives, MOST_LIVES, f"nobody ever got in: {self.watcher.let_in}")
        self.watcher.stop()
        self.assertEqual(self.watcher.wrong, [])
        self.assertGreater(self.watcher.samples, lives)
        until(lambda: self.agent.plan().code == 0, "nothing is left to do")
        self.agent.curfew("history", "verify", expect=0)
        late = {name: f"{value:.1f} s" for name, value in self.watcher.late.items()}
        print(f"killed {self.killed} in {lives} lives, {self.watcher.samples} looks, "
              f"let in {self.watcher.let_in}; SQL wider or there still after {late}", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
