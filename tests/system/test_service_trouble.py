#!/usr/bin/python3
"""The lives of test_service_kill, with all that may go wrong around them: proofs that are refuted at random, a database
that goes offline and comes back, a full disk, a journal that is lost or replaced by an older copy, and kills between.

Beside what its watcher may never see, Bob is revoked before the first life, and never gets in again.
CURFEW_TROUBLES of them (unless set: 16, or fewer when ENOUGH seconds have passed), and CURFEW_SEED repeats the moments.
"""

import ctypes
import os
import shutil
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
import test_service_kill as kills  # noqa: E402
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from practice import SqlRefused  # noqa: E402
from service import Service, until  # noqa: E402

CLONE_NEWNS = 0x00020000
TROUBLES = int(os.environ.get("CURFEW_TROUBLES", "16"))
ENOUGH, FEWEST = 240, 8
BOB_SOURCE, BOB_LOGIN = "198.51.100.66", "beta.bob.ray"
BOB = {"first": "Bob", "last": "Ray", "email": "bob@beta.example", "sources": [BOB_SOURCE]}
KINDS = ("refuted", "offline", "full", "lost", "older", "kill")


def setUpModule():
    lab.require()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise unittest.SkipTest("no mount namespace of our own")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


class Watcher(kills.Watcher):
    """The other's rules, Bob, and a database that cannot be asked."""

    def seen(self):
        elements, after_network, usable, roles = [], 0, False, []
        try:
            elements, after_network, usable, roles = super().seen()
        except SqlRefused:  # offline just now
            elements, after_network, usable = self.found.agent.elements(), time.time(), self.usable()
        bob = self.found.server.login(BOB_LOGIN)
        if any(source == BOB_SOURCE for source, _, _ in elements) or (bob and not bob[1]):
            self.wrong.append(f"somebody revoked is let in: {bob}, {elements}")
        return elements, after_network, usable, roles


class Troubles(kills.Kills):
    def setUp(self):
        super().setUp()
        self.troubles = {kind: 0 for kind in KINDS}

    def service_make(self, golive, limits=None, started=10, **options):
        """Also a small disk of the records' own, and Bob, who was in and is revoked."""
        self.found = self.lab_make(limits=limits or self.LIMITS, program={"shared_databases": True}, **options)
        self.agent = self.found.agent
        self.state = self.agent.path("state")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", self.state], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.state], check=True)
        self.agent.settings["metrics_file"] = self.agent.path("state", "curfew.prom")
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(golive, started))
        self.found.client_add("beta", [("staging", "sql01", "AcmeProd")], users=[BOB],
                              **self.dates(lab.now() + days(9)))
        self.service = Service(self.found)
        self.addCleanup(self.service.close)
        until(lambda: self.found.server.login(BOB_LOGIN) == [BOB_LOGIN, False], "Bob is in")
        self.agent.curfew("revoke", "beta", "--reason", "CS-7: stolen", expect=0)
        return self.service

    def watcher_make(self):
        return Watcher(self.found)

    # ---- what goes wrong; each is over when it returns ----

    def moment(self, most=3.0):
        time.sleep(self.chance.uniform(0, most))

    def pass_now(self):
        self.agent.curfew("apply", expect=(0, 1, 2))

    def refuted(self):
        """Somebody gives everybody more than any level: nobody is let in until it is taken back."""
        sql = self.found.server.sql
        sql("GRANT CONTROL ON SCHEMA::[dbo] TO [public]", "AcmeTest")
        self.moment(1)
        self.pass_now()
        login, elements = self.found.server.login(USER), self.agent.elements()
        if login and not login[1] and self.found.server.roles(USER, "AcmeTest"):
            self.watcher.wrong.append(f"let in although its proof is refuted: {elements}")
        self.moment(1)
        sql("REVOKE CONTROL ON SCHEMA::[dbo] FROM [public]", "AcmeTest")

    def offline(self):
        self.found.server.sql("ALTER DATABASE [AcmeTest] SET OFFLINE WITH ROLLBACK IMMEDIATE")
        self.moment()
        self.found.server.sql("ALTER DATABASE [AcmeTest] SET ONLINE")

    def full(self):
        filler = os.path.join(self.state, "filler")
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 4096)
            except OSError:
                pass
        self.moment()
        if self.chance.random() < 0.5:
            self.kill()
        os.unlink(filler)

    def journal_gone(self, replace, accepted=0):
        journal = os.path.join(self.state, "journal.db")
        if self.chance.random() < 0.5:
            self.service.kill()
            replace(journal)
            self.service.start()
        else:
            replace(journal)
            self.pass_now()
        self.moment()
        # An operator goes on: with what is scheduled now, and Bob as revoked as he was.
        self.agent.curfew("accept-loss", "--reason", "CS-9: disk replaced", expect=accepted)
        self.pass_now()

    def lost(self):
        self.journal_gone(os.unlink)

    def older(self):
        copy = self.agent.path("older.db")
        shutil.copyfile(os.path.join(self.state, "journal.db"), copy)
        self.moment(2)

        def replace(journal):
            # Over the file itself, or in its place. A mixture of two files is a damaged one, which is another matter: so
            # the former only when nobody writes, and then without what was to be rolled back in the other file.
            if self.service.process.poll() is not None and os.path.exists(journal + "-journal"):
                os.unlink(journal + "-journal")
            if self.service.process.poll() is not None and self.chance.random() < 0.5:
                shutil.copyfile(copy, journal)
            else:
                shutil.copyfile(copy, journal + ".copy")
                shutil.copymode(journal, journal + ".copy")
                os.rename(journal + ".copy", journal)
        # Nothing may have been written since the copy: then nothing is missing.
        self.journal_gone(replace, (0, 1))

    # ---- a life ----

    def is_over(self):
        done = sum(self.troubles.values())
        late = "CURFEW_TROUBLES" not in os.environ and time.monotonic() > self.began + ENOUGH
        return done >= TROUBLES or (late and done >= FEWEST)

    def trouble(self):
        if self.is_over():
            return
        kind = min(KINDS, key=lambda kind: (self.troubles[kind], self.chance.random()))
        self.troubles[kind] += 1
        getattr(self, kind)()

    def test_lives(self):
        lives, times = 0, 2
        while not self.is_over() or not all(self.watcher.let_in.values()):
            lives += 1
            self.live(times)
            times = times if all(self.watcher.let_in.values()) else min(2 * times, kills.LONGEST)
            self.assertLess(lives, TROUBLES, f"nobody ever got in: {self.watcher.let_in}")
        self.watcher.stop()
        self.assertEqual(self.watcher.wrong, [], f"seed {self.seed}")
        self.agent.apply(expect=0)
        until(lambda: self.agent.plan().code == 0, "nothing is left to do")
        self.agent.curfew("history", "verify", expect=0)
        late = {name: f"{value:.1f} s" for name, value in self.watcher.late.items()}
        print(f"{self.troubles} in {lives} lives, {self.watcher.samples} looks, let in {self.watcher.let_in}; "
              f"SQL wider or there still after {late}", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
