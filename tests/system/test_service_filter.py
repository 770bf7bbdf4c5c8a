#!/usr/bin/python3
"""What ends on SQL servers waits for nothing, also not for the firewall process: one that hangs, dies, or does not come."""

import os
import signal
import socket
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from apart import ApartCase  # noqa: E402
from case import USER  # noqa: E402
from lab import day, days, local  # noqa: E402
from service import Service, ServiceCase, until  # noqa: E402
from state_owner import GROUP, OWNER  # noqa: E402


def setUpModule():
    lab.require()


class Hangs(ServiceCase):
    def setUp(self):
        service = self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.elements_come(2)
        until(lambda: service.metric("curfew_passes_total"), "the first pass in the figures")
        self.filter = service.children()[0]
        self.addCleanup(self.goes_on)

    def hangs(self):
        os.kill(self.filter, signal.SIGSTOP)

    def goes_on(self):
        if os.path.exists(f"/proc/{self.filter}"):
            os.kill(self.filter, signal.SIGCONT)

    def lives(self):
        return self.service.process.poll() is None

    def test_an_instant_comes(self):
        def hangs():
            until(lambda: all(left < 3600 for _, _, left in self.agent.elements()), "the kernel knows the instant")
            self.hangs()

        self.golive_comes(ahead=8, meanwhile=hangs, back=self.goes_on)
        self.role_comes("curfew_read_only", alive=self.lives)
        self.service.says("the firewall process does not answer; access on SQL servers is removed without it")
        self.assertEqual(len(self.agent.elements()), 0, "the kernel has ended them by itself")
        self.goes_on()
        self.service.says("the firewall process answers again")
        self.elements_come(2)
        self.assertTrue(self.lives())
        self.agent.apply(expect=0)

    def test_somebody_is_revoked(self):
        self.hangs()
        revoked = self.agent.curfew("revoke", "acme", "--reason", "a laptop was stolen", expect=1)
        self.assertIn("packet filter", revoked.out + revoked.err)
        self.assertIsNone(self.found.server.login(USER))
        self.assertEqual(len(self.agent.elements()), 2)
        self.goes_on()
        self.elements_come(0)
        self.assertTrue(self.lives())


class Lost(ApartCase):
    """As the units have it: the service calls the firewall process, which its manager starts."""

    def setUp(self):
        self.apart_make()
        self.agent = self.found.agent
        self.agent.settings["metrics_file"] = self.agent.path("state", "curfew.prom")
        self.write()

    def write(self):
        self.agent.write()
        self.files_open()

    def refuse_everybody(self):
        """A manager that cannot start it: every call ends at once. To be ended by what is returned."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(self.socket)
        os.chmod(self.socket, 0o666)
        listener.listen(1)

        def serve():
            while True:
                try:
                    listener.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()

        def end():
            if listener.fileno() >= 0:
                listener.shutdown(socket.SHUT_RDWR)
                thread.join()
                listener.close()
                os.unlink(self.socket)

        self.addCleanup(end)
        return end

    def service_without(self):
        service = Service(self.found, under=("setpriv", f"--reuid={OWNER}", f"--regid={GROUP}", "--clear-groups",
                                             "--bounding-set=-all", "env", f"CURFEW_FIREWALL={self.socket}"))
        self.addCleanup(service.close)
        return service

    def test_it_does_not_come(self):
        """What has ended meanwhile ends on the server; nobody gets in; when it comes, all is as scheduled."""
        self.pair_stop(self.service_start())
        # The machine has started, and could not make the table.
        self.found.hub.run("nft", "delete", "table", "inet", "curfew")
        self.agent.clients["acme"].update(go_live=local(lab.now() - days(40)), starts=day(lab.now() - days(60)),
                                          ticket="CS-2", approved_on=day(lab.now()))
        self.agent.client_add("beta", databases=[{"role": "staging", "server": "sql01", "name": "AcmeProd"}],
                              users=[{"first": "Bea", "last": "Roe", "email": "bea@beta.example",
                                      "sources": ["198.51.100.78"]}], **self.dates(lab.now() + days(20)))
        self.write()
        self.agent.bootstrap("sql01", self.found.server)
        end = self.refuse_everybody()
        service = self.service_without()
        until(lambda: self.found.server.login(USER) is None, service.log)
        service.says("cannot use the firewall process: the firewall process has ended; no access is granted")
        service.metric_comes("curfew_packet_filter_lost", 1)
        self.assertEqual(service.metric("curfew_held"), 0)
        status = self.agent.curfew("status", expect=1)
        self.assertIn("the packet filter cannot be used: no access is granted until it can", status.out)
        applied = self.agent.curfew("apply", expect=1)
        self.assertIn("error: no access is granted, because the packet filter cannot be used", applied.out)
        self.assertIsNone(self.found.server.login("beta.bea.roe"))
        told = [line for line in service.log().splitlines() if "trying again" in line]
        self.assertFalse([a for a, b in zip(told, told[1:]) if a == b], "each reason is told once")
        self.assertTrue(told)
        end()
        self.filter = self.filter_start(0o600)
        service.says("the packet filter can be used again")
        until(lambda: [source for source, _, _ in self.agent.elements()] == ["198.51.100.78"], service.log)
        service.metric_comes("curfew_packet_filter_lost", 0)
        self.agent.curfew("apply", expect=0)

    def test_it_dies(self):
        """What is revoked meanwhile ends on the server, and in the network when it is back; nothing has to be started anew."""
        service = self.service_start()
        self.filter.kill()
        self.filter.communicate(timeout=60)
        service.says("the firewall process has ended; no access is granted")
        self.agent.curfew("revoke", "acme", "--reason", "a laptop was stolen", expect=1)
        self.assertIsNone(self.found.server.login(USER))
        self.assertEqual(len(self.agent.elements()), 2)
        self.agent.curfew("reinstate", "acme", "--reason", "it was found again", expect=1)
        self.assertIsNone(self.found.server.login(USER), "nothing is granted")
        self.agent.curfew("revoke", "acme", "--reason", "it was another laptop", expect=1)
        os.unlink(self.socket)
        self.filter = self.filter_start(0o600)
        service.says("the packet filter can be used again")
        until(lambda: not self.agent.elements(), service.log)
        # The process remembers what it was not there for.
        with open(os.path.join(self.own, "records"), encoding="utf-8") as file:
            self.assertIn("revoke", [line.split("\t")[0] for line in file])
        self.agent.curfew("reinstate", "acme", "--reason", "it was found again", expect=0)
        until(lambda: len(self.agent.elements()) == 2, service.log)
        self.assertIsNone(service.process.poll())

    def test_it_remembers_what_was_revoked_while_it_hung(self):
        service = self.service_start()
        os.kill(self.filter.pid, signal.SIGSTOP)
        self.addCleanup(os.kill, self.filter.pid, signal.SIGCONT)
        self.agent.curfew("revoke", "acme", "--reason", "a laptop was stolen", expect=1)
        os.kill(self.filter.pid, signal.SIGCONT)
        service.says("the firewall process answers again")
        with open(os.path.join(self.own, "records"), encoding="utf-8") as file:
            self.assertIn("revoke", [line.split("\t")[0] for line in file])
        until(lambda: not self.agent.elements(), service.log)

    def test_the_files_end_access_while_it_hangs(self):
        """They are loaded without it: what they end on SQL servers ends, and it gets them when it is back."""
        service = self.service_start()
        activated = self.filter.pid
        os.kill(activated, signal.SIGSTOP)
        self.addCleanup(lambda: self.filter.pid == activated and os.kill(activated, signal.SIGCONT))
        del self.agent.clients["acme"]
        self.write()
        self.agent.curfew("reload", expect=0)
        until(lambda: self.found.server.login(USER) is None, service.log)
        self.assertEqual(len(self.agent.elements()), 2)
        os.kill(activated, signal.SIGCONT)
        self.filter.communicate(timeout=60)
        os.unlink(self.socket)
        self.filter = self.filter_start(0o600)
        service.says("the packet filter can be used again")
        until(lambda: not self.agent.elements(), service.log)
        self.assertIsNone(service.process.poll())

    def test_the_files_have_changed(self):
        """The process can read them only as they are now: so does the service."""
        service = self.service_start()
        self.agent.clients["acme"]["go_live"] = local(lab.now() + days(10))
        self.write()
        self.filter.kill()
        self.filter.communicate(timeout=60)
        os.unlink(self.socket)
        self.filter = self.filter_start(0o600)
        service.says("the configuration files have changed")
        service.says("configuration reloaded")
        # By hand, the manager's part: each call starts one, and the first has ended.
        self.filter.communicate(timeout=60)
        os.unlink(self.socket)
        self.filter = self.filter_start(0o600)
        service.says("the packet filter can be used again")


if __name__ == "__main__":
    unittest.main()
