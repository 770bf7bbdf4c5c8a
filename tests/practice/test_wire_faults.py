"""Each fault as a client sees it, and its entry in the record."""

import os
import time
import unittest

from wire.faults import FaultError
from wire.testing import LocalServer, RawClient, certificates, events, packets, prelogin


class Faults(unittest.TestCase):
    def setUp(self):
        self.server = LocalServer()
        self.addCleanup(self.server.stop)
        self.server.scripts.update({"a": [], "b": []})
        self.faults = self.server.wire.faults

    def raw(self):
        client = RawClient(self.server.port)
        self.addCleanup(client.close)
        return client

    def reasons(self, count=1):
        return [line["reason"] for line in self.server.record_wait("disconnect", count)]

    def test_no_tls(self):
        self.faults.set("no-tls")
        self.assertEqual(self.server.tsql(["a"])[0], 1)
        with self.assertRaises(Exception):
            self.server.pytds()
        self.assertEqual(self.server.record("login"), [])
        self.assertEqual(self.server.record("prelogin")[0]["answered"], "not-supported")

    def test_login_only_tls(self):
        """FreeTDS with `encryption = require` goes on in clear: that is the trap to prove."""
        self.faults.set("login-only-tls")
        self.assertEqual(self.server.tsql(["a"])[0], 0)
        self.assertTrue(self.server.record("login")[0]["tls"])
        self.assertFalse(self.server.record("batch")[0]["tls"])
        with self.assertRaises(Exception):      # python-tds notices
            self.server.pytds()
        self.assertEqual(len(self.server.record("login")), 1)

    def test_force_encryption(self):
        self.faults.set("force-encryption")
        self.server.tsql(["a"], encryption="request")
        self.assertTrue(self.server.record("batch")[0]["tls"])
        client = self.raw()
        self.assertEqual(client.prelogin(), prelogin.REQUIRED)
        self.assertTrue(client.ended())

    def test_wrong_certificate(self):
        other = certificates("other", "other.example")
        self.faults.set("wrong-cert", f"{other}/server.pem,{other}/server.key")
        self.assertEqual(self.server.tsql(["a"])[0], 1)
        with self.assertRaises(Exception):
            self.server.pytds()
        self.assertEqual(self.server.record("login"), [])

    def test_right_authority_wrong_name(self):
        other = os.path.join(self.server.certificates, "..", "renamed")
        os.makedirs(other, exist_ok=True)
        for name in ("ca.key", "ca.pem"):
            with open(os.path.join(self.server.certificates, name), "rb") as source, \
                    open(os.path.join(other, name), "wb") as target:
                target.write(source.read())
        certificates("renamed", "other.example")
        self.faults.set("wrong-cert", f"{other}/server.pem,{other}/server.key")
        self.assertEqual(self.server.tsql(["a"])[0], 1)
        self.assertEqual(self.server.tsql(["a"], check_certificate_hostname="no")[0], 0)
        self.assertEqual(len(self.server.record("login")), 1)

    def test_stall_prelogin(self):
        self.faults.set("stall-prelogin")
        client = self.raw()
        client.socket.settimeout(0.3)
        with self.assertRaises(packets.Closed):     # the time-out of our own socket
            client.prelogin()
        client.close()
        self.assertEqual(self.reasons(), ["end of stream"])
        self.assertEqual(self.server.record("fault")[0]["fault"], "stall-prelogin")

    def test_drop_prelogin(self):
        self.faults.set("drop-prelogin")
        client = self.raw()
        with self.assertRaises(packets.Closed):
            client.prelogin()
        client.close()
        self.assertEqual(self.server.record("login"), [])
        self.assertEqual(self.reasons(), ["drop-prelogin"])

    def test_stalls(self):
        for fault, value in (("stall-after", 1), ("stall-match", "^B$")):
            with self.subTest(fault=fault):
                self.faults.clear()
                self.faults.set(fault, value)
                self.stalls_at_the_second()

    def stalls_at_the_second(self):
        client = self.raw()
        client.login()
        client.batch("a")
        client.request(packets.BATCH, "b".encode("utf-16-le"))
        client.transport.send_packets(packets.ATTENTION, b"")
        client.socket.settimeout(0.3)
        with self.assertRaises(packets.Closed):
            client.transport.read_message()
        client.close()
        self.assertEqual(self.reasons()[-1], "end of stream")
        self.assertEqual(self.server.engine.sessions[-1].seen, ["a"])

    def test_drops(self):
        """Which of the two batches was run, and was answered, before the connection ended."""
        for fault, value, seen, answered in (("drop-before", "2", ["a"], 1),
                                             ("drop-after", "2", ["a", "b"], 1),
                                             ("drop-before-match", "^B$", ["a"], 1),
                                             ("drop-after-match", "^B$", ["a", "b"], 1),
                                             ("drop-after", "1", ["a"], 0)):
            with self.subTest(fault=fault, value=value):
                self.faults.clear()
                self.faults.set(fault, value)
                client = self.raw()
                client.login()
                for text in ("a", "b")[:answered]:
                    client.batch(text)
                client.request(packets.BATCH, ("a", "b")[answered].encode("utf-16-le"))
                self.assertTrue(client.ended())
                self.assertEqual(self.server.engine.sessions[-1].seen, seen)
        self.assertEqual(self.server.wire.counter_values()["dropped"], 5)

    def test_count(self):
        self.faults.set("drop-before-match@1", "a")
        for accepted in (False, True):
            client = self.raw()
            client.login()
            client.request(packets.BATCH, "a".encode("utf-16-le"))
            self.assertEqual(client.ended(), not accepted)
        self.assertEqual(self.faults.active(), {})

    def test_tds5_only(self):
        """FreeTDS left to itself sends its password in clear; pinned to 7.4 it sends nothing."""
        self.faults.set("tds5-only")
        self.assertEqual(self.server.tsql(["a"])[0], 1)
        self.assertEqual(self.server.record("login"), [])
        self.assertEqual(self.server.tsql(["a"], tds_version="auto", encryption=None)[0], 1)
        login = self.server.record_wait("login")[0]
        self.assertEqual((login["tds"], login["clear_password"], login["user"]),
                         ("5.0", True, "sa"))

    def test_delay(self):
        self.faults.set("delay", "150")
        client = self.raw()
        client.login()
        started = time.monotonic()
        client.batch("a")
        self.assertGreaterEqual(time.monotonic() - started, 0.15)

    def test_engine_switches(self):
        features = self.server.wire.faults._features
        self.faults.set("error-map", "15025:33001,229:5")
        self.faults.set("no-deny")
        self.faults.set("sid-length", "20")
        self.faults.set("deadlock-on", "DROP USER,2")
        self.faults.set("fail-on", [["a,b", 5], ["c", 6]])
        self.assertEqual(features.error_map, {15025: 33001, 229: 5})
        self.assertEqual((features.no_deny, features.sid_length), (True, 20))
        self.assertEqual(features.deadlock_on, [["DROP USER", 2]])
        self.assertEqual(features.fail_on, [["a,b", 5], ["c", 6]])
        self.assertIn("no-deny", self.faults.active())
        self.faults.clear()
        self.assertEqual(features, events.Features())

    def test_rules_are_switched_on_and_off(self):
        features = self.server.wire.faults._features
        self.faults.set("session-settings", "off")
        self.assertFalse(features.session_settings)
        self.faults.set("session-settings", None)
        self.assertTrue(features.session_settings)
        self.faults.set("real")
        self.assertTrue(all(getattr(features, rule) for rule in events.PENDING))
        self.faults.set("database-state", "shop:suspect,other:offline")
        self.assertEqual(features.database_state, {"shop": "suspect", "other": "offline"})
        self.faults.set("mars", "jane")
        self.assertEqual(features.mars, "jane")
        self.faults.clear()
        self.assertEqual(features, events.Features())

    def test_refused_faults(self):
        for name, value in (("nonsense", True), ("no-tls", "x"), ("drop-after", "x"),
                            ("drop-after-match", "("), ("wrong-cert", "/no,/no"),
                            ("wrong-cert", "/no"), ("no-deny@2", True), ("no-tls@x", True),
                            ("error-map", "1"), ("deadlock-on", "a"),
                            ("catalogue-locks", "perhaps"), ("database-state", "shop")):
            with self.subTest(name=name), self.assertRaises(FaultError):
                self.faults.set(name, value)
        self.assertEqual(self.faults.active(), {})


if __name__ == "__main__":
    unittest.main()
