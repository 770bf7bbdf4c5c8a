#!/usr/bin/python3
"""Clients of the control socket cannot keep the service from removing access: endless requests, silent connections."""

import os
import socket
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from lab import days  # noqa: E402
from service import ServiceCase  # noqa: E402


def setUpModule():
    lab.require()


class Starved(ServiceCase):
    LIMITS = {"connect_timeout": 5, "server_deadline": 120}

    def connection(self):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.connect(os.path.join(self.agent.settings["runtime_directory"], "control"))
        return s

    def ask_without_end(self, command):
        """Asks, waits for a second, hangs up, and asks again, until the test ends."""
        stop = threading.Event()

        def ask():
            while not stop.is_set():
                try:
                    with self.connection() as s:
                        s.sendall(b'{"command": "%s"}\n' % command.encode())
                        stop.wait(1.0)
                except OSError:
                    stop.wait(0.1)

        thread = threading.Thread(target=ask)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stop.set)

    def narrowed_while_asked(self, command):
        self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.golive_comes(ahead=15)
        # A pass takes much longer than the grace that one gets which is cut short.
        self.found.server.faults(delay=700)
        self.ask_without_end(command)
        self.role_comes("curfew_read_only")

    def test_apply_without_end(self):
        self.narrowed_while_asked("apply")

    def test_reload_without_end(self):
        self.narrowed_while_asked("reload")

    def test_idle_connections_keep_no_revocation_out(self):
        self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        for _ in range(64):
            self.addCleanup(self.connection().close)
        self.agent.curfew("revoke", "acme", "--reason", "CS-9: stolen", expect=0)
        self.assertEqual(self.agent.elements(), [])


if __name__ == "__main__":
    unittest.main()
