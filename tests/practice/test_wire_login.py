"""PRELOGIN, TLS, and LOGIN7: what is negotiated, recorded, and refused."""

import socket
import ssl
import unittest

from wire import prelogin
from wire.testing import PASSWORD, LocalServer, RawClient, login7_pack, packets, pytds_spid

OFF, ON, NOT_SUPPORTED, REQUIRED = (prelogin.OFF, prelogin.ON, prelogin.NOT_SUPPORTED,
                                    prelogin.REQUIRED)


class Login(unittest.TestCase):
    def setUp(self):
        self.server = LocalServer()
        self.addCleanup(self.server.stop)

    def raw(self):
        client = RawClient(self.server.port)
        self.addCleanup(client.close)
        return client

    def test_encryption_table(self):
        """MS-TDS 2.2.6.5, the server's answer for each side's wish."""
        for asked, plain, forced, without in ((OFF, OFF, REQUIRED, NOT_SUPPORTED),
                                              (ON, ON, ON, NOT_SUPPORTED),
                                              (NOT_SUPPORTED, NOT_SUPPORTED, REQUIRED,
                                               NOT_SUPPORTED),
                                              (REQUIRED, ON, ON, NOT_SUPPORTED)):
            self.assertEqual(prelogin.encryption_answer(asked), plain)
            self.assertEqual(prelogin.encryption_answer(asked, forced=True), forced)
            self.assertEqual(prelogin.encryption_answer(asked, offered=False), without)

    def test_freetds_is_inside_tls(self):
        self.server.scripts["x"] = []
        status, _ = self.server.tsql(["x"])
        self.assertEqual(status, 0)
        login = self.server.record("login")[0]
        self.assertEqual((login["accepted"], login["tls"], login["tds"], login["user"]),
                         (True, True, "7.4", "sa"))
        self.assertFalse(login["clear_password"])
        self.assertEqual(self.server.record("tls")[0]["version"], "TLSv1.2")
        self.assertTrue(self.server.record("batch")[0]["tls"])

    def test_python_tds_is_inside_tls(self):
        connection = self.server.pytds(appname="probe", database="d1")
        connection.close()
        login = self.server.record("login")[0]
        self.assertEqual((login["tls"], login["app"], login["database"]), (True, "probe", "d1"))
        self.assertEqual(self.server.engine.logins[0]["password"], PASSWORD)
        self.assertTrue(self.server.engine.logins[0]["encrypted"])
        self.assertEqual(self.server.engine.logins[0]["address"], "127.0.0.1")

    def test_login_only_encryption(self):
        """A client that asks for no more gets TLS for the login message alone."""
        self.server.scripts["x"] = []
        self.server.tsql(["x"], encryption="request")
        connection = self.server.pytds(enc_login_only=True)
        connection.cursor().execute("x")
        connection.close()
        self.assertEqual([p["answered"] for p in self.server.record("prelogin")], ["off", "off"])
        self.assertEqual([b["tls"] for b in self.server.record("login")], [True, True])
        self.assertEqual([b["tls"] for b in self.server.record("batch")], [False, False])

    def test_clear_login_is_on_record(self):
        self.server.pytds(cafile=None).close()
        login = self.server.record("login")[0]
        self.assertEqual((login["accepted"], login["tls"], login["clear_password"]),
                         (True, False, True))

    def test_spid_in_headers(self):
        connection = self.server.pytds()
        cursor = connection.cursor()
        self.server.scripts["x"] = []
        cursor.execute("x")
        self.assertEqual(pytds_spid(cursor), 300)
        connection.close()

    def test_wrong_password(self):
        status, out = self.server.tsql(["x"], password="wrong")
        self.assertEqual(status, 1)
        self.assertIn("Msg 18456 (severity 14", out)
        self.assertIn("Login failed for user 'sa'.", out)
        self.assertEqual(self.server.record("login")[0]["errors"], [18456])
        with self.assertRaisesRegex(Exception, "Login failed for user 'sa'"):
            self.server.pytds(password="wrong")
        with open(self.server.record_path, encoding="utf-8") as file:
            self.assertNotIn(PASSWORD, file.read())

    def test_missing_database_is_followed_by_18456(self):
        status, out = self.server.tsql(["x"], database="gone")
        self.assertEqual(status, 1)
        self.assertIn("Msg 4060 (severity 11", out)
        self.assertIn("Msg 18456", out)

    def test_change_of_password(self):
        client = self.raw()
        answer = client.login(new_password="Nëu-1 🔑")
        self.assertIn(b"\xAD", answer)
        self.assertEqual(self.server.engine.passwords["sa"], "Nëu-1 🔑")
        self.assertTrue(self.server.record("login")[0]["change_password"])
        self.assertIn(b"\xAA", self.raw().login())          # the old one is refused

    def test_change_of_password_inside_tls(self):
        client = RawClient(self.server.port, "localhost")
        self.addCleanup(client.close)
        self.assertEqual(client.encrypt(self.server.ca)[0], "TLSv1.2")
        accepted, messages = client.messages(client.login(new_password="Neu-Pass-2"))
        self.assertEqual((accepted, [m[0] for m in messages]), (True, [5701, 5703]))
        login = self.server.record("login")[0]
        self.assertEqual((login["tls"], login["change_password"]), (True, True))
        connection = self.server.pytds(password="Neu-Pass-2")
        connection.close()

    def test_feature_extension(self):
        client = self.raw()
        answer = client.login(features=b"\x0A\x01\0\0\0\x01\xFF")
        self.assertIn(b"\xAD", answer)
        self.assertEqual(self.server.record("login")[0]["features"], [10])

    def test_a_host_of_any_units(self):
        self.raw().login(host="h\ud800\0\x1b")
        self.assertEqual(self.server.engine.logins[-1]["host"], "h\U0010d800\0\x1b")
        self.assertEqual(self.server.record("login")[-1]["host"], "h\ud800\0\x1b")

    def test_packet_size(self):
        """Both directions in packets of 512 bytes, and a size beyond the limit cut to it."""
        text = "x" * 5000
        self.server.scripts[text] = []
        connection = self.server.pytds(blocksize=512)
        connection.cursor().execute(text)
        connection.close()
        self.assertEqual(self.server.record("batch")[0]["text"], text)
        client = self.raw()
        self.assertIn("32767".encode("utf-16-le"), client.login(packet_size=100000))

    def test_only_tds_74(self):
        for version in ("7.3", "7.2", "7.1"):
            status, out = self.server.tsql(["x"], tds_version=version)
            self.assertEqual(status, 1, out)
            self.assertIn("not of TDS 7.4", out)
        self.assertEqual({tuple(r["errors"]) for r in self.server.record("login")}, {(17832,)})

    def test_integrated_login(self):
        self.assertIn(b"\xAA", self.raw().login(flags2=0x80))
        self.assertEqual(self.server.record("login")[0]["errors"], [18452])

    def test_malformed(self):
        """Each ends its connection with a record that says why; the server goes on."""
        login = login7_pack()
        packet = packets.PRELOGIN
        cases = (("packet type", b"GET / HTTP/1.1\r\n\r\n"),
                 ("strict", b"\x16\x03\x01\x02\x00" + bytes(64)),
                 ("packet length", b"\x12\x01\x00\x04\0\0\0\0"),
                 ("terminator", header(packet, b"")),
                 ("cut short", header(packet, b"\x00\x00")),
                 ("outside", header(packet, b"\x01\x00\xF0\x00\x01\xFF")),
                 ("encryption", header(packet, b"\x01\x00\x06\x00\x01\xFF\x09")),
                 ("LOGIN7 of", header(packets.LOGIN7, b"\0" * 10)),
                 ("LOGIN7 says", header(packets.LOGIN7, login + b"x")),
                 ("outside", header(packets.LOGIN7, login[:40] + b"\xF0\xFF" + login[42:])),
                 ("where a login belongs", header(packets.BATCH, b"")),
                 ("where a login belongs", header(packets.ATTENTION, b"")),
                 ("TDS 5 login of", header(packets.OLD_LOGIN, b"abc")))
        for count, (why, data) in enumerate(cases, 1):
            with self.subTest(why=why, data=data[:16]):
                client = self.raw()
                client.socket.sendall(data)
                self.assertTrue(client.ended())
                self.assertIn(why, self.server.record_wait("malformed", count)[-1]["why"])
        self.assertEqual(self.server.record("own-fault"), [])
        self.server.pytds().close()

    def test_strict_is_refused_in_words_of_tls(self):
        """TDS 8.0 begins with TLS: its client is told by an alert that there is no such protocol here."""
        context = ssl.create_default_context(cafile=self.server.ca)
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as sock, \
                self.assertRaisesRegex(ssl.SSLError, "(?i)alert no application protocol"):
            context.wrap_socket(sock, server_hostname="localhost")
        self.assertEqual(self.server.record("login"), [])

    def test_clear_bytes_where_tls_was_agreed(self):
        client = self.raw()
        client.prelogin(ON)
        client.transport.send_packets(packets.LOGIN7, login7_pack())
        self.assertTrue(client.ended())
        self.assertIn("inside the TLS handshake", self.server.record_wait("malformed")[0]["why"])
        self.assertEqual(self.server.record("login"), [])

    def test_end_before_login(self):
        self.raw().close()
        self.assertEqual(self.server.record_wait("disconnect")[0]["reason"], "end of stream")


def header(kind, payload):
    return bytes((kind, 1)) + (len(payload) + 8).to_bytes(2, "big") + bytes(4) + payload


if __name__ == "__main__":
    unittest.main()
