#!/usr/bin/python3
"""A guard that left the configuration outlives the journal: the packet filter's process remembers it, and a boot puts it
back."""

import glob
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from apart import ApartCase  # noqa: E402
from case import USER  # noqa: E402
from service import until  # noqa: E402
from state_owner import GROUP, OWNER  # noqa: E402


def setUpModule():
    lab.require()


class Remembered(ApartCase):
    TRUSTED = lab.OTHER[0]

    def setUp(self):
        self.apart_make(shape="gateway", servers={"sql01": ("AcmeTest",), "sql02": ("BetaTest",)})
        self.agent = self.found.agent
        self.agent.servers["sql01"]["trusted"] = [self.TRUSTED]
        self.files_write()
        self.jane, self.other = self.found.person("jane"), self.found.person("other")

    def files_write(self):
        self.agent.write()
        self.files_open()

    def journal_lose(self, content=None):
        for path in glob.glob(self.agent.path("state", "journal.db*")):
            os.unlink(path)
        if content:
            with open(self.agent.path("state", "journal.db"), "wb") as file:
                os.fchown(file.fileno(), OWNER, GROUP)
                file.write(content)

    def server_leaves(self):
        """While nothing runs; whoever is trusted on it goes on working there."""
        self.pair_stop(self.service_start())
        self.reaches(self.jane)
        self.agent.servers.pop("sql01")
        self.agent.clients.clear()
        self.files_write()

    def is_guarded(self):
        self.silent(self.jane)
        self.reaches(self.other)

    def test_a_server_that_left_with_a_journal_that_cannot_be_read(self):
        self.server_leaves()
        self.journal_lose(b"no journal at all" * 1000)
        said = self.boot()
        self.is_guarded()
        self.assertIn("nobody is allowed at guarded endpoints", said.stdout + said.stderr)

    def test_an_endpoint_that_left(self):
        self.pair_stop(self.service_start())
        left = self.agent.servers["sql01"]["endpoints"].pop(0)
        self.files_write()
        self.journal_lose()
        self.boot()
        self.is_guarded()
        # Nor does an older file of the service's bring it away: it cannot write this one.
        with open(os.path.join(self.own, "records"), encoding="utf-8") as file:
            self.assertIn(f"\tsql01\t{left}\t{self.TRUSTED}\n", file.read())
        for name, mode in (("", 0o750), ("records", 0o640)):
            self.assertEqual(os.stat(os.path.join(self.own, name)).st_mode & 0o777, mode)

    def test_it_stays_until_an_operator_ends_it(self):
        agent = self.agent
        self.server_leaves()
        self.journal_lose()
        self.boot()
        service = self.service_start(elements=None)
        service.says("stays, as the firewall process remembers it")
        until(lambda: "last pass" in agent.curfew("status").out, "a pass")
        self.assertIn("of server sql01, which the configuration no longer names: records about its logins are lost",
                      agent.curfew("status").out)
        self.is_guarded()
        agent.curfew("accept-loss", "--reason", "the disk broke", expect=0)
        agent.apply(expect=(0, 2))
        self.is_guarded()
        # Nor when both start again, and the kernel has lost it without a boot.
        self.pair_stop(service)
        self.found.hub.run("nft", "delete", "table", "inet", "curfew")
        service = self.service_start(elements=None)
        until(lambda: "last pass" in agent.curfew("status").out, "a pass")
        self.is_guarded()
        agent.curfew("unguard", "sql01", "--reason", "it was scrapped", expect=0)
        agent.apply(expect=0)
        self.reaches(self.jane)
        self.pair_stop(service)
        self.boot()
        # No guard comes back that an operator removed.
        self.reaches(self.jane)

    def direct(self, *arguments, expect):
        """As root, where the service is not running."""
        agent = self.agent
        done = self.found.hub.run("env", f"CURFEW_FIREWALL_FOLDER={self.own}", *agent.command(*arguments), check=False)
        said = done.stdout + done.stderr
        self.assertIn(done.returncode, expect if isinstance(expect, tuple) else (expect,), said)
        return said

    def state_lose(self):
        """The journal, its head, and the second copy of revocations."""
        for path in glob.glob(self.agent.path("state", "*")):
            if os.path.isfile(path):
                os.unlink(path)

    def is_shut(self):
        """The guard is there, and who was revoked is out; another endpoint shows that the network is well."""
        self.is_guarded()
        self.assertIsNone(self.found.server.login(USER))
        self.assertEqual(self.agent.elements(), [])

    def test_without_the_service(self):
        """The records are lost while nothing runs: what the packet filter's process remembers counts for a command too."""
        agent = self.agent
        service = self.service_start()
        agent.curfew("revoke", "acme", "--reason", "a laptop was stolen", expect=0)
        until(lambda: self.found.server.login(USER) is None, "the login is gone")
        self.pair_stop(service)
        agent.servers["sql01"]["endpoints"].pop(0)
        self.files_write()
        self.state_lose()
        # What cannot be read is not nothing.
        records = os.path.join(self.own, "records")
        os.rename(records, f"{records}.kept")
        os.mkdir(records)
        self.assertIn("cannot read what the firewall process remembers", self.direct("apply", expect=1))
        self.assertIsNone(self.found.server.login(USER))
        os.rmdir(records)
        os.rename(f"{records}.kept", records)
        said = self.direct("apply", expect=1)
        self.assertIn("the journal is not the one that the firewall process saw", said)
        self.assertIn("no access is granted", said)
        self.is_shut()
        # What nobody opens while records are missing is not promised, and what a start would take back is not done.
        self.assertIn("the guard stays while records are missing; first restore the journal, or run `curfew accept-loss",
                      self.direct("unguard", "sql01", "--reason", "it was scrapped", expect=1))
        self.direct("accept-loss", "--reason", "the disk broke", expect=0)
        self.direct("apply", expect=(0, 2))
        self.is_shut()
        self.direct("unguard", "sql01", "--reason", "it was scrapped", expect=0)
        # Nor does a start take it back: what the process saw before the loss was accepted is accepted.
        service = self.service_start(elements=None)
        until(lambda: self.jane.reach().ok, "the guard is gone")
        self.pair_stop(service)
        service = self.service_start(elements=None)
        agent.apply(expect=0)
        self.assertNotIn("records are missing", agent.curfew("status", expect=0).out + service.log())
        # No guard comes back that an operator removed.
        self.reaches(self.jane)
        self.assertIsNone(self.found.server.login(USER))
        self.assertIn("the firewall process remembers it", agent.curfew("status").out)


if __name__ == "__main__":
    unittest.main()
