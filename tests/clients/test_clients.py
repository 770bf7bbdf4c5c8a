#!/usr/bin/python3
"""Client libraries that are not ours log in to the practice server with logins that Curfew made.

Each has a program of its own that makes its checks in the library's own words, and runs at an allowed address. From here
it is looked at what the server saw: never a password in clear, no login before a verified TLS, no fault of its own.
"""

import json
import os
import re
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "system"), os.path.dirname(HERE)]

import lab  # noqa: E402  (the path above makes them importable)
import packages  # noqa: E402
from case import LabCase  # noqa: E402
from lab import days  # noqa: E402
from practice import Certificates  # noqa: E402

PEOPLE = ("sqlclient", "tedious", "pytds")
SECONDS = 240 * lab.SLOW
programs = {"pytds": ("/usr/bin/python3", os.path.join(HERE, "pytds_checks.py"))}
unavailable = {}
made = {}


def setUpModule():
    # First of all: an own network has no way to a package registry.
    for name, make in (("sqlclient", lambda: packages.dotnet_program("clients/sqlclient")),
                       ("tedious", lambda: packages.npm_program("clients/tedious", "checks.js"))):
        try:
            programs[name] = make()
        except packages.Unavailable as why:
            unavailable[name] = str(why)
    lab.require()


def tearDownModule():
    for name, parts in made.items():
        print(f"note - {name}: checks: {', '.join(parts)}", file=sys.stderr)


class Clients(LabCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.found = lab.Lab()
        cls.addClassCleanup(cls.found.close)
        cls.found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")],
                             users=[{"first": "Ann", "last": name, "email": f"ann.{name}@acme.example",
                                     "sources": list(lab.JANE)} for name in PEOPLE],
                             **cls.dates(lab.now() + days(20)))
        cls.found.agent.apply(expect=0)
        cls.other = Certificates(cls.found.path("other"), "other.example")
        cls.both = cls.found.path("both.pem")
        with open(cls.both, "w", encoding="ascii") as to:
            for ca in (cls.found.certificates.ca, cls.other.ca):
                with open(ca, encoding="ascii") as file:
                    to.write(file.read())

    def connection(self, name):
        return {"server": f"{lab.PUBLIC[0]},{lab.PORT}", "name": lab.CERTIFICATE_NAME, "user": f"acme.ann.{name}",
                "ca": self.found.certificates.ca, "database": "AcmeTest", "other_database": "AcmeProd", "new_password": f"Own pass-phrase of {name} 7",
                "password": self.found.agent.handover("acme", f"acme.ann.{name}")}

    def checks(self, name, part, connection):
        """Runs one part of a client's program, at the allowed address: each of its checks is a subtest."""
        done = self.found.net.namespaces["jane"].run(
            *programs[name], part, check=False, timeout=SECONDS, stdin=None, input=json.dumps(connection),
            env={**os.environ, "SSL_CERT_FILE": connection["ca"]})
        verdicts = re.findall(r"^(ok|not ok) - (.*)\n((?:#.*\n)*)", done.stdout, re.MULTILINE)
        for verdict, what, why in verdicts:
            with self.subTest(client=name, check=what):
                self.assertEqual(verdict, "ok", why)
        self.assertEqual(done.returncode != 0, any(v != "ok" for v, _, _ in verdicts), done.stderr)
        self.assertTrue(verdicts, done.stdout + done.stderr)
        made.setdefault(name, []).append(f"{len(verdicts)} {part}")

    def whole(self, name, changes_password=False):
        if name in unavailable:
            self.skipTest(unavailable[name])
        connection, server = self.connection(name), self.found.server
        before = len(server.records())
        self.checks(name, "untrusted", {**connection, "ca": self.other.ca})
        server.faults(wrong_cert=f"{self.other.certificate},{self.other.key}")
        self.checks(name, "misnamed", {**connection, "ca": self.both})
        server.faults()
        self.assertEqual([r for r in server.records("login") if r["user"] == connection["user"]], [])
        self.checks(name, "first", connection)
        if not changes_password:
            person = self.found.person("jane")
            self.works(person.login(connection["user"], connection["password"], "AcmeTest",
                                    new_password=connection["new_password"]))
            person.logout()
        self.checks(name, "own", connection)
        self.seen(connection, server.records()[before:])

    def seen(self, connection, records):
        """What the server saw of it."""
        logins = [r for r in records if r["event"] == "login" and r["user"] == connection["user"]]
        self.assertTrue(any(r["accepted"] for r in logins))
        for r in logins:
            self.assertTrue(r["tls"], r)
            self.assertFalse(r["clear_password"], r)
        requests = [r for r in records if r["event"] in ("batch", "rpc") and r["login"] == connection["user"]]
        self.assertTrue(requests)
        self.assertEqual([r for r in requests if not r["tls"]], [])
        self.assertEqual([r for r in records if r["event"] == "own-fault"], [])
        text = json.dumps(records, ensure_ascii=False)
        for secret in ("password", "new_password"):
            self.assertNotIn(connection[secret], text)

    def test_microsoft_data_sqlclient(self):
        self.whole("sqlclient", changes_password=True)

    def test_tedious(self):
        self.whole("tedious")

    def test_python_tds(self):
        self.whole("pytds")


if __name__ == "__main__":
    unittest.main()
