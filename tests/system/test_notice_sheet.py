#!/usr/bin/python3
"""The sheet of a handover by mail: encrypted for the person, and never in any other form."""

import email
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from mail_case import JANE, MailCase  # noqa: E402

OWN = "Blue-harb0r-of-her-own"
SUBJECT = "one-time password"


def setUpModule():
    lab.require()


class Sheet(MailCase):
    def setUp(self):
        self.home = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def age_key(self):
        key = os.path.join(self.home, "key")
        subprocess.run(["age-keygen", "-o", key], check=True, stderr=subprocess.DEVNULL)
        with open(key, encoding="ascii") as file:
            return re.search(r"public key: (\S+)", file.read())[1], ["age", "--decrypt", "-i", key]

    def gpg_key(self):
        os.environ["GNUPGHOME"] = self.home
        self.addCleanup(os.environ.pop, "GNUPGHOME")
        self.addCleanup(subprocess.run, ["gpgconf", "--kill", "all"], check=False)
        subprocess.run(["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", JANE, "default", "default",
                        "never"], check=True, stderr=subprocess.DEVNULL)
        listed = subprocess.run(["gpg", "--list-keys", "--with-colons"], check=True, text=True, stdout=subprocess.PIPE)
        return re.search(r"^fpr:+(\w+):", listed.stdout, re.M)[1], ["gpg", "--batch", "--quiet", "--decrypt"]

    def handover(self, *options, expect=0):
        return self.agent.curfew("handover", "acme", USER, *options, "--mail", expect=expect)

    def handovers(self):
        return [r for r in self.agent.curfew("history", "acme", "--json", expect=0).json if r["action"] == "handover"]

    def password_of(self, sheet, opener):
        opened = subprocess.run(opener, input=sheet, text=True, stdout=subprocess.PIPE, check=True).stdout
        self.assertIn("Server name", opened)
        return re.search(r"^  password  (.*)$", opened, re.M)[1]

    def attached(self, name):
        """The one file of the one mail."""
        mail = self.mails(SUBJECT)[0]
        self.assertEqual((mail["X-To"], mail["Subject"]),
                         (JANE, "acme: your one-time password for SQL Server, encrypted"))
        self.assertIn(USER, mail.get_body(("plain",)).get_content())
        files = list(mail.iter_attachments())
        self.assertEqual([f.get_filename() for f in files], [name])
        return files[0].get_content().decode("ascii")

    def arrives(self, key, option, name):
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        recipient, opener = key()
        said = self.handover(option, recipient)
        self.assertIn(f"is in the outbox, to {JANE}", said.out)
        self.assertNotIn("BEGIN", said.out)
        with sqlite3.connect(f"file:{self.agent.path('state', 'journal.db')}?mode=ro", uri=True) as db:
            queued = db.execute("SELECT message FROM outbox WHERE notice = 'sheet'").fetchall()
        self.assertEqual(len(queued), 1)
        self.mail_up()
        self.sender_up()
        self.mails_come(1, SUBJECT)
        password = self.password_of(self.attached(name), opener)
        # Looked for in the row while it had its message, decoded, and in every file afterward.
        for part in email.message_from_string(queued[0][0]).walk():
            self.assertNotIn(password.encode(), part.get_payload(decode=True) or b"")
        self.no_secret_was_told(self.found, password)
        for place in (self.service.log(), self.said(), str(self.mails()[0])):
            self.assertNotIn(password, place)
        person = self.found.person("jane")
        self.assertTrue(person.login(USER, password, "AcmeTest", new_password=OWN).ok)
        self.assertEqual([r["after"] for r in self.handovers() if r["kind"] == "event"], [recipient])

    def test_age(self):
        self.arrives(self.age_key, "--age", "access.txt.age")

    def test_gpg(self):
        self.arrives(self.gpg_key, "--gpg", "access.txt.asc")

    def test_each_is_a_mail(self):
        """Also of two within one second; the later one replaces the password of the earlier."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        recipient, _ = self.age_key()
        for _ in range(2):
            self.handover("--age", recipient)
        self.mail_up()
        self.sender_up()
        self.mails_come(2, SUBJECT)

    def test_nothing_is_done(self):
        """In clear, to nobody's key, or where there is no mail: known before the password is set."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.assertIn("a password is never mailed unencrypted", self.handover("--no-terminal", expect=64).err)
        self.assertIn("nothing done: cannot encrypt for", self.handover("--age", "jane", expect=1).err)
        recipient, _ = self.age_key()
        del self.agent.settings["notices"]
        self.agent.write()
        refused = self.handover("--age", recipient, expect=1)
        self.assertIn("nothing done: mail is not configured", refused.err)
        self.assertEqual(refused.out, "")
        self.assertEqual((self.handovers(), self.states("sheet")), ([], []))

    def test_a_tool_that_fails_late(self):
        """After the recipient was accepted: it ends, or it passes on what it should encrypt. Nothing is mailed or shown."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        path = os.environ["PATH"]
        self.addCleanup(os.environ.__setitem__, "PATH", path)
        os.environ["PATH"] = f"{self.home}:{path}"
        for program in ('test -z "$(cat)"', "cat"):
            with open(os.path.join(self.home, "age"), "w", encoding="ascii") as file:
                file.write(f"#!/bin/sh\n{program}\n")
            os.chmod(file.name, 0o755)
            failed = self.handover("--age", "age1x", expect=1)
            self.assertIn("could not be encrypted and is lost", failed.err)
            self.assertEqual((failed.out, self.states("sheet")), ("", []))

    def test_the_outbox_does_not_take_it(self):
        """The password is set: the sheet is not lost, and that it is not on its way is said."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        recipient, opener = self.age_key()
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=30) as db:
            # What is computed for each row fails for this one: "integer overflow".
            db.execute("CREATE INDEX full ON outbox (abs(CASE notice WHEN 'sheet' THEN -9223372036854775807 - 1 ELSE 1 END))")
        failed = self.handover("--age", recipient, expect=1)
        self.assertIn("the password was set, but the mail cannot be written", failed.err)
        password = self.password_of(failed.out, opener)
        self.assertTrue(self.found.person("jane").login(USER, password, "AcmeTest", new_password=OWN).ok)
        self.assertEqual(self.states("sheet"), [])


if __name__ == "__main__":
    unittest.main()
