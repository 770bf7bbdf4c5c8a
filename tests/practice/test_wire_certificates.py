"""The certificates of the practice server: newer clients refuse what lacks an extension that RFC 5280 requires."""

import os
import ssl
import subprocess
import unittest

from wire.testing import certificates

NAMES = ("sql01.example", "192.0.2.10", "2001:db8:2::10")


class Certificates(unittest.TestCase):
    def setUp(self):
        path = certificates("strict", *NAMES)
        self.ca, self.server, self.key = (os.path.join(path, name) for name in ("ca.pem", "server.pem", "server.key"))

    def test_each_name_passes_the_strict_checks(self):
        for option, name in zip(("-verify_hostname", "-verify_ip", "-verify_ip"), NAMES):
            done = subprocess.run(["openssl", "verify", "-x509_strict", "-purpose", "sslserver", option, name,
                                   "-CAfile", self.ca, self.server],
                                  check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_a_strict_client_shakes_hands(self):
        """As strict as Python is by itself from 3.13 on; both sides in memory."""
        strict, serving = ssl.create_default_context(cafile=self.ca), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        strict.verify_flags |= ssl.VERIFY_X509_STRICT
        serving.load_cert_chain(self.server, self.key)
        up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
        sides = [strict.wrap_bio(down, up, server_hostname=NAMES[0]), serving.wrap_bio(up, down, server_side=True)]
        for _ in range(10):
            for side in list(sides):
                try:
                    side.do_handshake()
                    sides.remove(side)
                except ssl.SSLWantReadError:
                    pass
        self.assertEqual(sides, [], "a side has not come to its end")


if __name__ == "__main__":
    unittest.main()
