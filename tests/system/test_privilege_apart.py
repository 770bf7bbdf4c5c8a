#!/usr/bin/python3
"""The packet filter's process has a user and a folder of its own, and believes nothing that the service's user can write."""

import os
import shutil
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from apart import ApartCase  # noqa: E402
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from saved import saved_change, saved_read  # noqa: E402
from service import until  # noqa: E402
from state_owner import OWNER, give  # noqa: E402


def setUpModule():
    lab.require()


class Apart(ApartCase):
    def setUp(self):
        self.apart_make()

    def test_the_service_reaches_a_filter_of_another_user(self):
        service = self.service_start()
        child = self.filter
        for process, user, rights in ((child, self.FILTER, 1 << 12), (service.process, OWNER, 0)):
            with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
                status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
            self.assertEqual(set(status["Uid"].split()), {str(user)})
            self.assertEqual(int(status["CapPrm"], 16), rights)
        self.found.agent.curfew("revoke", "acme", "--reason", "a laptop was stolen", expect=0)
        self.assertEqual(self.found.agent.elements(), [])

    def file_break(self):
        name = "client0.conf"
        path = self.found.agent.path("clients.d", name)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("ticket", "tikcet"))
        return name

    def test_a_file_with_errors_stays_as_it_was_for_both(self):
        self.service_start()
        self.file_break()
        reloaded = self.found.agent.curfew("reload", expect=2)
        self.assertIn("last known good version", reloaded.err)
        self.assertEqual(len(self.found.agent.elements()), 2)
        folder = os.path.join(self.own, "last-good")
        self.assertEqual(os.stat(folder).st_uid, self.FILTER)
        self.assertEqual(os.stat(self.own).st_mode & 0o777, 0o750)

    def test_the_filter_believes_nothing_that_the_service_keeps(self):
        """Whoever has taken the service over writes another version of a file that has errors: nobody new is let in."""
        agent = self.found.agent
        service = self.service_start()
        before = agent.elements()
        kept, entry = agent.path("state", "last-good", "current.tar"), "clients.d/" + self.file_break()
        saved_change(kept, entry, lab.JANE[0], lab.OTHER[0])
        self.assertIn(lab.OTHER[0], saved_read(kept)[entry])
        agent.curfew("reload", expect=(1, 2, 78))
        agent.curfew("apply", expect=(0, 1, 2))
        # Without the files as both read them, the service does not start either; the kernel keeps what it has.
        sources = {source for source, _, _ in agent.elements()}
        self.assertNotIn(lab.OTHER[0], sources, service.log())
        self.assertLessEqual(sources, {source for source, _, _ in before})

    def test_a_filter_without_a_version_of_its_own(self):
        """After an upgrade: one file has errors, and the packet filter's process never had a good version of it."""
        agent = self.found.agent
        service = self.service_start()
        service.close()
        self.filter.communicate(timeout=60)
        shutil.rmtree(os.path.join(self.own, "last-good"))
        os.unlink(self.socket)
        agent.client_add("beta", databases=[{"role": "staging", "server": "sql01", "name": "AcmeProd"}],
                         users=[{"first": "Bea", "last": "Roe", "email": "bea@beta.example",
                                 "sources": ["198.51.100.78"]}], **self.dates(lab.now() + days(20)))
        agent.write()
        self.files_open()
        agent.bootstrap("sql01", self.found.server)
        name = self.file_break()
        with open(agent.path("clients.d", name), encoding="utf-8") as file:
            whole = file.read()
        service = self.service_start(elements=None)
        # What was let in stays until its end; the other client is served as ever.
        until(lambda: len(agent.elements()) == 3, service.log)
        service.says("the firewall process has another last known good version")
        # Closing goes on; what was closed is not opened again, because nobody whom the process believes says so.
        agent.curfew("revoke", "acme", "--reason", "a laptop was stolen", expect=0)
        self.assertEqual([source for source, _, _ in agent.elements()], ["198.51.100.78"])
        agent.curfew("reinstate", "acme", "--reason", "it was found again", expect=(0, 1, 2))
        applied = agent.curfew("apply", expect=2)
        self.assertIn("the firewall process has no good version of its client's file", applied.out + applied.err)
        self.assertEqual([source for source, _, _ in agent.elements()], ["198.51.100.78"])
        self.assertIsNotNone(self.found.server.login(USER))
        # The file is mended.
        with open(agent.path("clients.d", name), "w", encoding="utf-8") as file:
            file.write(whole.replace("tikcet", "ticket"))
        agent.curfew("reload", expect=0)
        until(lambda: len(agent.elements()) == 3, service.log)

    def pair_restart(self, service, state=None):
        """Both end; with `state`, everything that the service keeps is put back as it was then; both start."""
        self.pair_stop(service)
        if state:
            shutil.rmtree(self.found.agent.path("state"))
            shutil.copytree(state, self.found.agent.path("state"))
            give(self.found.agent.path("state"))
        return self.service_start(elements=None)

    def test_what_was_revoked_is_witnessed(self):
        """Every file of the service is put back to before a revocation, consistently: the packet filter's process
        remembers it, and how far the journal was."""
        agent = self.found.agent
        service = self.service_start()
        service = self.pair_restart(service)
        until(lambda: len(agent.elements()) == 2, service.log)
        before = agent.path("before")
        self.pair_stop(service)
        shutil.copytree(agent.path("state"), before)
        service = self.service_start()
        agent.curfew("revoke", "acme", "--reason", "a laptop was stolen", expect=0)
        self.assertEqual(agent.elements(), [])
        service = self.pair_restart(service, before)
        service.says("the firewall process remembers it: it stays in force")
        service.says("not the one that the firewall process saw")
        until(lambda: "last pass" in agent.curfew("status").out, "a pass")
        self.assertEqual(agent.elements(), [])
        self.assertIn("accept-loss", agent.curfew("apply", expect=1).out)
        # An operator goes on deliberately: the loss is accepted, the revocation is not.
        agent.curfew("accept-loss", "--reason", "a backup was put back", expect=0)
        agent.curfew("apply", expect=0)
        self.assertEqual(agent.elements(), [])
        agent.curfew("reinstate", "acme", "--reason", "it was found again", expect=0)
        self.assertEqual(len(agent.elements()), 2)
        service = self.pair_restart(service)
        until(lambda: len(agent.elements()) == 2, service.log)
        self.assertNotIn("is not in the journal", service.log().rpartition("stopped; the kernel")[2])
        with open(os.path.join(self.own, "records"), encoding="utf-8") as file:
            words = [line.split("\t")[0] for line in file]
        self.assertEqual([word for word in words if word != "head"][-1], "reinstate")

    def test_a_filter_that_has_never_read_the_configuration(self):
        """Nothing is allowed by it, and nothing is kept longer: it says so, and how to go on."""
        agent = self.found.agent
        self.service_start().close()
        self.filter.communicate(timeout=60)
        before = agent.elements()
        shutil.rmtree(os.path.join(self.own, "last-good"))
        os.unlink(self.socket)
        with open(agent.config, "a", encoding="utf-8") as file:
            file.write("oops")
        child = self.filter_start(0o600)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.connect(self.socket)
            said = child.communicate(timeout=60)[0]
        self.assertEqual(child.returncode, 78, said)
        self.assertIn("the packet filter keeps every end that it has, and nobody new is allowed", said)
        self.assertIn("correct the file as `curfew check` says", said)
        self.assertEqual([element[:2] for element in agent.elements()], [element[:2] for element in before])

    def test_a_stranger_is_refused_whatever_the_mode(self):
        child = self.filter_start(0o666)
        subprocess.run(["setpriv", f"--reuid={OWNER + 9}", f"--regid={OWNER + 9}", "--clear-groups", "/usr/bin/python3",
                        "-c", "import socket, sys\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
                        "s.connect(sys.argv[1])\ns.settimeout(60)\nsys.exit(bool(s.recv(65536)))", self.socket], check=False,
                       stderr=subprocess.DEVNULL)
        said = child.communicate(timeout=60)[0]
        self.assertIn("accepting the service's connection", said)
        self.assertIn("Permission denied", said)


if __name__ == "__main__":
    unittest.main()
