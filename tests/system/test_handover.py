#!/usr/bin/python3
"""The handover of a one-time password: it contains everything that a user types to connect."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import audit_lab  # noqa: E402  (the path above makes it importable)
import lab  # noqa: E402
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

    def test_records_say_how_the_login_was_made(self):
        """Its policy and its default database; of its password that there was one."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.applied(found.agent)
        found.agent.handover("acme", USER)
        said = {r["action"]: r["statement"] for r in found.agent.curfew("history", "--json", expect=0).json
                if r["statement"]}
        self.assertIn("PASSWORD = N'********', DEFAULT_DATABASE = [master], CHECK_POLICY = ON, CHECK_EXPIRATION = OFF",
                      said["login-create"])
        self.assertIn("MUST_CHANGE UNLOCK, CHECK_EXPIRATION = ON, CHECK_POLICY = ON", said["handover"])

    def test_it_warns_that_the_journal_cannot_record_it(self):
        """The password counts all the same, and is shown."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.applied(found.agent)
        found.agent.handover("acme", USER)
        with sqlite3.connect(found.agent.path("state", "journal.db"), timeout=60) as db:
            db.execute("CREATE UNIQUE INDEX once ON record (kind) WHERE kind = 'event' AND action = 'handover'")
        said = found.agent.curfew("handover", "acme", USER, "--no-terminal", expect=0)
        self.assertIn("  password  ", said.out)
        self.assertIn("curfew handover: warning: cannot record the handover on sql01: ", said.err)

    def test_json(self):
        answer = self.handed("--json").json
        self.assertEqual(answer["connections"], [{
            "server": "sql01", "server_names": ["192.0.2.10,1433", "2001:db8:2::10,1433"],
            "host_name_in_certificate": "192.0.2.10", "login": USER, "encryption": "mandatory",
            "default_database": "master", "databases": [{"name": "AcmeTest", "level": "full"}],
            "must_change": True}])
        self.assertEqual({outcome["server"] for outcome in answer["outcomes"]}, {"sql01"})


class Replaced(audit_lab.AuditCase):
    """What a user has from an earlier handover ends where the new password is set, and nowhere before."""

    def handed(self, found, expect=0):
        return found.agent.curfew("handover", "acme", USER, "--no-terminal", expect=expect).err

    def test_a_server_that_does_not_answer_has_the_earlier_one(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest",), "sql02": ("AcmeProd",)}, limits={"connect_timeout": 2})
        found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql02", "AcmeProd", "read-only")])
        found.agent.apply(expect=0)
        self.assertNotIn("handed over", self.handed(found))
        self.assertRegex(self.handed(found), rf"the password of {USER} that was handed over .* no longer works\n")
        found.servers["sql02"].faults(drop_prelogin=True)
        said = self.handed(found, expect=1)
        self.assertNotIn("no longer works", said)
        self.assertRegex(said, rf"warning: the password of {USER} that was handed over .* may still work on sql02; run this again")

    def test_who_is_revoked_is_told_so(self):
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply(expect=0)
        for user in ((USER,), ()):
            found.agent.curfew("revoke", "acme", *user, "--reason", "lost laptop", expect=0)
            self.assertIn(f"{' '.join(user) or 'client acme'} is revoked (lost laptop); "
                          f"run `curfew reinstate {' '.join(('acme', *user))} --reason TEXT` first", self.handed(found, expect=1))
            found.agent.curfew("reinstate", "acme", *user, "--reason", "found", expect=0)


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


class Encrypted(LabCase):
    """Whoever hands over does not see the password; the tools are the real ones."""

    def setUp(self):
        self.found = self.lab_make()
        self.agent = self.found.agent
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.agent.apply(expect=0)
        self.home = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def handover(self, *options, expect=0):
        return self.agent.curfew("handover", "acme", USER, *options, expect=expect)

    def opened(self, command, sheet):
        done = subprocess.run(command, input=sheet, text=True, stdout=subprocess.PIPE, check=True,
                              env={**os.environ, "GNUPGHOME": self.home})
        return done.stdout

    def works(self, said, sheet):
        password = re.search(r"^  password  (.*)$", sheet, re.M)[1]
        self.assertIn("Host name in certificate" if "or  " in sheet else "Server name", sheet)
        self.refused(self.found.person("jane").login(USER, password, "AcmeTest"), 18488)  # must be changed: it is right
        self.no_secret_was_told(self.found, password)
        self.assertNotIn(password, str(said))
        return password

    def event(self):
        return [e for e in self.agent.curfew("history", "acme", "--json").json if e["action"] == "handover"][-1]

    def test_age(self):
        key = os.path.join(self.home, "key")
        subprocess.run(["age-keygen", "-o", key], check=True, stderr=subprocess.DEVNULL)
        with open(key, encoding="ascii") as file:
            recipient = re.search(r"public key: (\S+)", file.read())[1]
        said = self.handover("--age", recipient)
        self.assertTrue(said.out.startswith("-----BEGIN AGE ENCRYPTED FILE-----\n"), said.out)
        self.works(said, self.opened(["age", "--decrypt", "-i", key], said.out))
        self.assertEqual(self.event()["after"], recipient)
        self.assertEqual(self.event()["detail"], "a one-time password was set and encrypted")

    def test_gpg(self):
        os.environ["GNUPGHOME"] = self.home
        self.addCleanup(os.environ.pop, "GNUPGHOME")
        self.addCleanup(subprocess.run, ["gpgconf", "--kill", "all"], check=False)
        subprocess.run(["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "jane@acme.example",
                        "default", "default", "never"], check=True, stderr=subprocess.DEVNULL)
        listed = subprocess.run(["gpg", "--list-keys", "--with-colons"], check=True, text=True, stdout=subprocess.PIPE).stdout
        said = self.handover("--gpg", re.search(r"^fpr:+(\w+):", listed, re.M)[1])
        self.assertTrue(said.out.startswith("-----BEGIN PGP MESSAGE-----\n"), said.out)
        self.works(said, self.opened(["gpg", "--batch", "--quiet", "--decrypt"], said.out))

    def test_nothing_is_done_for_a_wrong_recipient(self):
        before = len(self.agent.curfew("history", "acme", "--json").json)
        for options in (("--age", "jane"), ("--age", "age1" + "q" * 58), ("--gpg", "0" * 40), ("--age", "-h")):
            refused = self.handover(*options, expect=1)
            self.assertIn("nothing done: cannot encrypt for", refused.err)
            self.assertEqual(refused.out, "")
        self.assertIn("cannot combine", self.handover("--age", "x", "--gpg", "y", expect=64).err)
        self.assertEqual(len(self.agent.curfew("history", "acme", "--json").json), before)

    def test_a_tool_that_is_not_there(self):
        path = os.environ["PATH"]
        self.addCleanup(os.environ.__setitem__, "PATH", path)
        os.environ["PATH"] = self.home
        done = self.agent.space.run(*self.agent.command("handover", "acme", USER, "--age", "age1x"), check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("age is not installed", done.stderr)

    def test_nobody_is_there(self):
        """Nothing handed over, nothing printed: not even an empty message."""
        key = os.path.join(self.home, "key")
        subprocess.run(["age-keygen", "-o", key], check=True, stderr=subprocess.DEVNULL)
        with open(key, encoding="ascii") as file:
            recipient = re.search(r"public key: (\S+)", file.read())[1]
        self.found.server.faults(drop_prelogin=True)
        refused = self.handover("--age", recipient, expect=1)
        self.assertEqual(refused.out, "")


if __name__ == "__main__":
    unittest.main()
