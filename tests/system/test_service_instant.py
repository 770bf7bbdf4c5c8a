#!/usr/bin/python3
"""The instant at which access narrows: a worker is connected before it, and the login is shut at it, never sooner. Whatever
ends the wait, the instant comes as without it. The judge is the server's own record, by its clock."""

import datetime
import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days, local  # noqa: E402
from service import ServiceCase, until  # noqa: E402

AGENT = "curfew_agent"
ANOTHER_PASSWORD = "Another-Passw0rd-of-the-agent-8"


def setUpModule():
    lab.require()


class Instant(ServiceCase):
    # One place for all servers, which a worker that waits has; and nobody waits so long for a server that says nothing.
    LIMITS = {"connect_timeout": 60, "server_deadline": 600, "workers": 1}

    def setUp(self):
        self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.elements_come(2)
        until(lambda: self.service.metric("curfew_passes_total"), "the first pass in the figures")
        self.since, self.connection = 0, None

    # ---- what the server has heard ----

    def waiting(self):
        """Connections of the agent on which one batch was answered, and nothing came since."""
        batches, open_ones = {}, set()
        for r in self.found.server.records():
            if r["event"] == "login" and r.get("accepted") and r.get("user") == AGENT:
                open_ones.add(r["connection"])
            elif r["event"] == "disconnect":
                open_ones.discard(r["connection"])
            elif r["event"] in ("batch", "answer"):
                batches.setdefault(r["connection"], []).append(r["event"])
        return [c for c in sorted(open_ones) if batches.get(c) == ["batch", "answer"]]

    def disables(self):
        return [r for r in self.found.server.records("batch")
                if r["time"] > self.since and f"ALTER LOGIN [{USER}] DISABLE" in r["text"]]

    def first_batch(self, connection):
        return next(r["text"] for r in self.found.server.records("batch") if r["connection"] == connection)

    def connected(self, connection):
        return next(r["time"] for r in self.found.server.records("login") if r["connection"] == connection)

    # ---- the wait ----

    def reload(self):
        self.since, passes = time.time(), self.service.metric("curfew_passes_total")
        self.agent.curfew("reload", expect=0)
        # Its own pass looks like a wait for a moment.
        until(lambda: self.service.metric("curfew_passes_total") > passes, "the pass of the reload")

    def golive(self):
        return datetime.datetime.fromisoformat(self.agent.clients["acme"]["go_live"] + "+00:00").timestamp()

    def waits(self):
        """Whether a connection waited before the instant had come."""
        found = []
        until(lambda: found.extend(self.waiting()) or found or time.time() > self.golive(), "a connection that waits")
        self.connection = found[0] if found else None
        return bool(found)

    def instant_comes(self, meanwhile=lambda: None, back=lambda: None):
        """An instant before which `meanwhile` was done while a connection waited."""
        done = []

        def wait_and_do():
            if self.waits():
                done.append(True)
                meanwhile()

        def again():
            if done:
                done.clear()
                back()

        instant = self.golive_comes(ahead=15, take=self.reload, meanwhile=wait_and_do, back=again).timestamp()
        self.assertTrue(done, "no connection has waited")
        return instant

    def ended(self):
        until(lambda: self.connection not in self.waiting(), "the end of the wait")

    def is_shut_at(self, instant):
        """And in time: by the road without a wait, since that one was ended."""
        self.role_comes("curfew_read_only")
        first = self.disables()[0]
        self.assertGreaterEqual(first["time"], instant, "shut before its time")
        self.assertNotEqual(first["connection"], self.connection)
        self.assertIn("SET LOCK_TIMEOUT", self.first_batch(first["connection"]))
        self.assertNotIn("retrying", self.service.log(), "the instant's own pass does it")
        self.elements_come(2)

    # ---- tests ----

    def test_connected_before_and_shut_then(self):
        instant = self.instant_comes()
        self.role_comes("curfew_read_only")
        first = self.disables()[0]
        self.assertGreaterEqual(first["time"], instant, "shut before its time")
        self.assertEqual(first["connection"], self.connection)
        self.assertLess(self.connected(self.connection), instant)
        self.assertIn("SET LOCK_TIMEOUT", self.first_batch(self.connection))
        self.elements_come(2)
        self.assertEqual(self.agent.plan().code, 0)

    def test_worker_killed(self):
        before = set(self.service.children())

        def kill():
            for pid in set(self.service.children()) - before:
                os.kill(pid, signal.SIGKILL)
            self.ended()

        self.is_shut_at(self.instant_comes(kill))

    def test_server_ends_the_session(self):
        def end():
            for session in self.found.server.sessions_of(AGENT):
                self.found.server.sql(f"KILL {session['spid']}")
            self.ended()

        self.is_shut_at(self.instant_comes(end))

    def test_network_drops_the_session(self):
        """Without a word to either side."""
        def drop():
            port = self.found.server.sessions_of(AGENT)[0]["port"]
            self.found.hub.run("nft", "add table inet lost; add chain inet lost in { type filter hook input priority -300; }; "
                               f"add rule inet lost in tcp dport {port} drop; add rule inet lost in tcp sport {port} drop")

        def back():
            self.found.hub.run("nft", "delete table inet lost")

        self.is_shut_at(self.instant_comes(drop, back))

    def test_server_hangs_while_a_worker_connects(self):
        """Its answer is not waited for when the instant has come."""
        def stalled():
            return [r["connection"] for r in self.found.server.records("fault") if r["time"] > self.since]

        def hang():
            self.found.server.faults(stall_after=0)
            until(lambda: stalled() or self.waiting(), "a connection before the instant")
            self.found.server.faults()
            if not stalled():  # too late for that one: another instant
                until(lambda: time.time() > self.golive(), "the instant")
            self.connection = (stalled() or [None])[0]

        self.is_shut_at(self.golive_comes(ahead=20, take=self.reload, meanwhile=hang).timestamp())

    def password_changes(self):
        self.found.server.sql(f"ALTER LOGIN [{AGENT}] WITH PASSWORD = N'{ANOTHER_PASSWORD}'")
        self.agent.password = ANOTHER_PASSWORD
        with open(self.agent.path("credentials", "sql01"), "w", encoding="utf-8") as file:
            file.write(ANOTHER_PASSWORD + "\n")

    def test_password_changed_meanwhile(self):
        """What is connected stays so."""
        instant = self.instant_comes(self.password_changes)
        self.role_comes("curfew_read_only")
        first = self.disables()[0]
        self.assertGreaterEqual(first["time"], instant, "shut before its time")
        self.assertEqual(first["connection"], self.connection)
        self.elements_come(2)
        self.assertNotIn("retrying", self.service.log())

    def test_password_changed_and_the_session_ended(self):
        """The worker has the old one: the next attempt has the other."""
        def change():
            self.password_changes()
            for session in self.found.server.sessions_of(AGENT):
                self.found.server.sql(f"KILL {session['spid']}")
            self.ended()

        instant = self.instant_comes(change)
        self.role_comes("curfew_read_only")
        self.assertGreaterEqual(self.disables()[0]["time"], instant, "shut before its time")
        self.elements_come(2)

    def test_recorded_meanwhile(self):
        """What another process has recorded may count: the pass is made of what is on record at the instant."""
        self.is_shut_at(self.instant_comes(lambda: self.agent.handover("acme", USER)))

    def test_revoked_meanwhile(self):
        """It goes first."""
        def revoke():
            self.agent.curfew("revoke", "acme", "jane.doe", "--reason", "left", expect=0)
            self.assertIsNone(self.found.server.login(USER))
            self.ended()

        def reinstate():
            self.agent.curfew("reinstate", "acme", "jane.doe", "--reason", "back", expect=0)

        instant = self.instant_comes(revoke, reinstate)
        self.assertLess(self.disables()[0]["time"], instant)
        self.assertNotEqual(self.disables()[0]["connection"], self.connection)
        until(lambda: time.time() >= instant, "the instant")
        self.role_comes(None)

    def test_put_off_meanwhile(self):
        """What was to end does not: nothing of the wait is left."""
        def put_off():
            for client in self.agent.clients.values():
                client["go_live"] = local(lab.now() + days(30))
            self.agent.write()
            self.agent.curfew("reload", expect=0)
            self.ended()

        instant = self.instant_comes(put_off)
        until(lambda: time.time() >= instant, "the instant that was")
        self.agent.apply(expect=0)
        self.assertEqual(self.disables(), [])
        self.role_comes("curfew_full")

    def test_service_killed(self):
        """Whoever waited ends with it, and has done nothing."""
        def kill():
            self.service.kill()
            self.ended()

        instant = self.instant_comes(kill, self.service.start)
        self.assertEqual(self.disables(), [])
        self.service.start()
        self.role_comes("curfew_read_only")
        self.assertGreaterEqual(self.disables()[0]["time"], instant)

    def test_stopped_meanwhile(self):
        """And at the next start it is made up for."""
        def stop():
            self.assertEqual(self.service.stop(), 0)
            self.ended()

        instant = self.instant_comes(stop, self.service.start)
        self.assertEqual(self.disables(), [])
        self.service.start()
        self.role_comes("curfew_read_only")
        self.assertGreaterEqual(self.disables()[0]["time"], instant)


if __name__ == "__main__":
    unittest.main()
