#!/usr/bin/python3
"""The handover of a one-time password: it contains everything that a user types to connect."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER, LabCase  # noqa: E402
from lab import days  # noqa: E402

FIELDS = "  %-24s  %s\n"


def setUpModule():
    lab.require()


class HowToConnect(LabCase):
    def handed(self, *options, shape="box", **server):
        found = self.lab_make(shape=shape)
        found.agent.servers["sql01"].update(server)
        found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")],
                         **self.dates(lab.now() + days(20)))
        found.agent.apply(expect=0)
        return found.agent.curfew("handover", "acme", USER, "--no-terminal", *options, expect=0)

    def fields(self, text, **fields):
        for name, value in fields.items():
            self.assertIn(FIELDS % (name.replace("_", " "), value), text)

    def test_text(self):
        text = self.handed().out
        self.fields(text, Server_name="192.0.2.10,1433", Login=USER,
                    Encryption="Mandatory, or Strict where the server has it",
                    Connect_to_database="master, the login's default, or one of:",
                    First_connection="must change the password: SSMS asks for a new one")
        self.fields(text, **{"or": "2001:db8:2::10,1433", "Host_name_in_certificate": "192.0.2.10"})
        self.assertIn(" AcmeTest (full)\n", text)
        self.assertNotIn("gateway", text)

    def test_gateway(self):
        text = self.handed(shape="gateway", must_change=False).out
        self.fields(text, Server_name="10.20.1.5,1433",
                    First_connection="password change not enforced (must_change = false);")
        self.assertIn("where a gateway translates addresses: its address and port", text)

    def test_json(self):
        answer = self.handed("--json").json
        self.assertEqual(answer["connections"], [{
            "server": "sql01", "server_names": ["192.0.2.10,1433", "2001:db8:2::10,1433"],
            "host_name_in_certificate": "192.0.2.10", "login": USER, "encryption": "mandatory",
            "default_database": "master", "databases": [{"name": "AcmeTest", "level": "full"}],
            "must_change": True}])
        self.assertEqual({outcome["server"] for outcome in answer["outcomes"]}, {"sql01"})


class Expiration(LabCase):
    """MUST_CHANGE wants CHECK_EXPIRATION: what the user has set grows old by the server's policy."""

    def test_status_says_it_before_it_happens(self):
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        found.agent.apply(expect=0)
        handed = found.agent.curfew("handover", "acme", USER, "--json", "--no-terminal", expect=0).json
        self.assertTrue(handed["connections"][0]["must_change"])
        found.server.faults(password_days=42, password_age=f"{USER}:10")
        self.assertNotIn("18487", found.agent.curfew("status").out, "must be changed anyway")
        found.server.sql(f"ALTER LOGIN [{USER}] WITH PASSWORD = N'Another-Passw0rd-7'")
        self.assertNotIn("18487", found.agent.curfew("status").out, "32 days are more than the access has")
        found.server.faults(password_days=42, password_age=f"{USER}:37")
        self.assertIn(f"the password of {USER} expires in 5 days, before the access ends (18487)",
                      found.agent.curfew("status").out)
        found.server.faults(password_days=42, password_age=f"{USER}:43")
        self.assertIn(f"the password of {USER} has expired, before the access ends (18487)",
                      found.agent.curfew("plan").out)


if __name__ == "__main__":
    unittest.main()
