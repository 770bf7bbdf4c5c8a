#!/usr/bin/python3
"""What a server refuses to give to somebody who works there is not tried at every pass, for each attempt ends her sessions."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from service import ServiceCase, until  # noqa: E402


def setUpModule():
    lab.require()


class Refused(ServiceCase):
    def jane_in(self):
        server = self.found.server
        server.sql(f"ALTER LOGIN [{USER}] WITH PASSWORD = N'Set-by-the-DBA-7'")
        jane = self.found.person("jane")
        self.works(jane.login(USER, "Set-by-the-DBA-7", "AcmeTest"))
        return jane

    def passes(self):
        return self.service.metric("curfew_passes_total")

    def test_she_works_on(self):
        self.service_make(lab.now() + days(20), {**self.LIMITS, "interval": 10})
        server = self.found.server
        self.role_comes("curfew_full")
        self.jane_in()
        self.agent.clients.clear()
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("staging", "sql01", "AcmeProd")],
                              **self.dates(lab.now() + days(20)))
        server.faults(fail_on=[[r"CREATE USER", 1105]])
        self.agent.write()
        self.agent.curfew("reload")
        until(lambda: "1105" in self.service.log(), "the server refuses it")
        until(lambda: not server.login(USER)[1], "she is let in where she is verified")
        self.jane_in()
        session, done = server.sessions_of(USER)[0]["spid"], self.passes()
        until(lambda: self.passes() >= done + 2, "two more passes")
        self.assertEqual([s["spid"] for s in server.sessions_of(USER)], [session])
        self.assertIn("another attempt would end", self.agent.curfew("status").out)
        # An operator who asks for it gets another attempt, which ends her session: now it is given.
        server.faults()
        self.agent.apply()
        self.assertTrue(server.user(USER, "AcmeProd"))
        self.assertFalse(server.login(USER)[1])


if __name__ == "__main__":
    unittest.main()
