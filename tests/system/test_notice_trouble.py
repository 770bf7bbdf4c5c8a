#!/usr/bin/python3
"""Notices when the mail server, the sender, or the recipient fail."""

import os
import re
import signal
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from agent import CURFEW  # noqa: E402
from lab import days  # noqa: E402
from mail_case import JANE, MailCase  # noqa: E402
from practice import Certificates  # noqa: E402
from service import COMES, until  # noqa: E402


def setUpModule():
    lab.require()


class Trouble(MailCase):
    def moved(self, number=21):
        self.dates_move(lab.now() + days(number))
        until(lambda: self.states("dates-moved"), "the notice is in the outbox")

    def test_server_down(self):
        """Tried again, seen in status, sent once when the server is back, also over a restart."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.sender_up()
        self.moved()
        until(lambda: any(row[3] for row in self.rows()), "an attempt failed")
        self.assertEqual(self.states("dates-moved"), ["queued"])
        self.assertIn("notices: 1 not sent yet", self.agent.curfew("status").out)
        self.service.kill()
        self.hurry()
        self.mail_up()
        self.service.start()
        self.mails_come(1, "dates")
        until(lambda: self.states("dates-moved") == ["sent"], "that is on record")
        self.assertNotIn("notices:", self.agent.curfew("status").out)

    def test_no_password_in_its_file(self):
        """What to write, and where, and that nothing is sent."""
        self.mail_make(lab.now() + days(20))
        path = self.agent.path("credentials", "mail")
        self.agent._write(path, "\n")
        self.sender_up()
        until(lambda: "notices: the credential mail has an empty first line, but must begin with the secret; write it on one line into its file"
              in self.said(), self.said)
        os.unlink(path)
        until(lambda: f"notices: cannot read {path}: No such file or directory; no notice is sent" in self.said(), self.said)

    def test_down_for_a_day(self):
        """An attempt an hour, seen in status, and no pass waits; when the server is back it is sent, once."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.sender_up()
        self.moved()
        until(lambda: self.rows()[0][3] >= 1, "an attempt failed")
        self.outbox("UPDATE outbox SET created = created - 86400, attempts = 20, next = 0")
        self.agent.curfew("reload", expect=0)
        _, next_try = self.failed(21)
        self.assertLessEqual(next_try - time.time(), 3600)
        self.assertGreater(next_try - time.time(), 1800)
        self.assertIn("notices: 1 not sent yet", self.agent.curfew("status").out)
        self.agent.apply(expect=0)
        self.mail_up()
        self.hurry()
        self.agent.curfew("reload", expect=0)
        until(lambda: self.states("dates-moved") == ["sent"], lambda: f"it is sent: {self.rows()}\n{self.said()}")
        self.agent.curfew("notice", "test", "ops@host.example", expect=0)
        self.mails_come(1, "Curfew: a test")
        self.assertEqual(len(self.mails("dates")), 1)

    def failed(self, attempts):
        """How many attempts have failed, at least so many, and when the next one is: one that has begun is counted, and has
        no next time yet."""
        until(lambda: self.outbox("SELECT attempts FROM outbox")[0][0] >= attempts and
              self.outbox("SELECT next FROM outbox")[0][0] > time.time(), lambda: f"attempt {attempts}: {self.rows()}")
        return self.outbox("SELECT attempts, next FROM outbox")[0]

    def test_spacing_and_giving_up(self):
        """Twice as long after each attempt; after three days it is given up, and that is said."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.sender_up()
        self.moved()
        attempts = 0
        while attempts < 3:
            attempts, next_try = self.failed(attempts + 1)
            wait = 60 * 2 ** (attempts - 1)
            # From the attempt on, which was a moment ago.
            self.assertLessEqual(next_try - time.time(), wait)
            self.assertGreater(next_try - time.time(), wait - 60)
            if attempts >= 3:
                self.outbox("UPDATE outbox SET created = created - 4 * 86400")
            self.outbox("UPDATE outbox SET next = 0")
            self.agent.curfew("reload", expect=0)
        until(lambda: self.states("dates-moved") == ["failed"], lambda: f"it is given up: {self.rows()}")
        self.assertRegex(str(self.rows()), "given up after [4-9] attempts")
        self.service.says(re.search("given up after [4-9] attempts", str(self.rows())).group())
        self.assertIn("1 not delivered", self.agent.curfew("status").out)

    def test_digest(self):
        """What people were told on a day is one mail to the team and one to the account lead, on the next."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.mail_up()
        self.sender_up()
        self.moved()
        self.mails_come(1, "dates")
        until(lambda: self.states("dates-moved") == ["sent"], lambda: f"that is on record: {self.rows()}")
        self.outbox("UPDATE outbox SET created = created - 86400")
        self.outbox("UPDATE notices_on SET since = since - 3 * 86400")
        self.agent.curfew("reload", expect=0)
        self.mails_come(2, "notices of")
        digests = self.mails("notices of")
        self.assertEqual({m["X-To"] for m in digests}, {"cloud@host.example", "account-lead@host.example"})
        self.assertIn(f"dates-moved to {JANE}: sent", next(digests[0].iter_parts()).get_content())
        self.agent.curfew("reload", expect=0)
        self.agent.curfew("notice", "test", "ops@host.example", expect=0)
        self.mails_come(1, "Curfew: a test")
        self.assertEqual(len(self.mails("notices of")), 2)

    def outbox(self, statement):
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=30) as db:
            return db.execute(statement).fetchall()

    def test_killed_after_250(self):
        """The server has it, the outbox does not know: never a second one, and never silence."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.mail_up()
        self.sender_up()
        self.put("hold")
        self.moved()
        until(lambda: os.path.exists(self.boxed("arrived")), "the whole message has arrived")
        self.service.process.send_signal(signal.SIGSTOP)
        os.unlink(self.boxed("hold"))
        until(lambda: os.path.exists(self.boxed("answered")), "the server has said 250")
        self.service.kill()
        self.service.start()
        self.agent.curfew("notice", "test", "ops@host.example", expect=0)
        self.mails_come(1, "Curfew: a test")  # whatever waited before it would have come first
        self.assertEqual(len(self.mails("dates")), 1)
        self.assertEqual(self.states("dates-moved"), ["uncertain"])
        self.service.says("may or may not have been delivered")
        self.assertIn("1 uncertain", self.agent.curfew("status").out)

    def test_sender_killed_before_the_end(self):
        """Before the last line nothing was accepted: it is sent again, and arrives once."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.mail_up()
        self.put("busy", JANE)
        self.sender_up()
        self.moved()
        until(lambda: any(row[3] for row in self.rows()), "it was refused for now")
        self.assertIn("451 4.3.0 come back later", str(self.rows()))
        self.sender_down()
        os.unlink(self.boxed("busy"))
        self.hurry()
        self.sender_up()
        self.mails_come(1, "dates")

    def test_refused_recipient(self):
        """For good: not tried again, said in status and on record, and the next one is not held up."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.mail_up()
        self.put("refuse", JANE)
        self.sender_up()
        self.moved()
        until(lambda: self.states("dates-moved") == ["failed"], lambda: f"it failed: {self.rows()}")
        status = self.agent.curfew("status").out
        self.assertIn("1 not delivered", status)
        self.assertIn("550 5.1.1 no such mailbox", status)
        self.agent.curfew("notice", "test", "ops@host.example", expect=0)
        self.mails_come(1, "Curfew: a test")
        self.assertEqual(len(self.mails()), 1)

    def test_wrong_certificate_and_password(self):
        """A server that cannot be verified gets no password and no mail; a wrong password loses no mail."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        other = Certificates(self.found.path("othertls"), "mail.lab.example", "127.0.0.1")
        right, self.certificates = self.certificates, other
        self.mail_up()
        self.sender_up()
        self.moved()
        until(lambda: any(row[3] for row in self.rows()), "an attempt failed")
        self.assertIn("certificate", str(self.rows()))
        self.mail_down()
        self.certificates = right
        self.mail_up(password="another")
        self.hurry()
        self.agent.curfew("reload", expect=0)
        until(lambda: any(row[3] > 1 for row in self.rows()), lambda: f"the login is refused: {self.rows()}\n{self.said()}\n{self.service.log()}")
        self.assertEqual(self.states("dates-moved"), ["queued"])
        self.assertEqual(self.mails(), [])

    def test_strangers_cannot_send(self):
        """Nobody but root, the service's user and the sender's learns what is to be sent, and by one connection."""
        self.mail_make(lab.now() + days(20))
        self.sender_up()
        self.agent.curfew("notice", "test", "ops@host.example", expect=0)
        until(lambda: any(row[3] for row in self.rows()), "it is connected, and has tried")
        second = self.agent.space.start(CURFEW, "notify", self.socket, stdout=self.sender_log,
                                        stderr=self.sender_log)
        self.assertEqual(second.wait(COMES), 1)
        self.assertEqual(self.said().count("it has a sender already"), 1, "the first one stays")

    def test_off_again(self):
        """Switched off, what waits is not sent; switched on again there is no backlog."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.sender_up()
        self.moved()
        until(lambda: any(row[3] for row in self.rows()), "an attempt failed")
        del self.agent.settings["notices"]
        self.dates_move(lab.now() + days(22))
        until(lambda: self.states("dates-moved") == ["failed"], "it was given up")
        self.agent.settings["notices"] = self.settings
        self.mail_up()
        self.agent.write()
        self.agent.curfew("reload", expect=0)
        self.agent.curfew("notice", "test", "ops@host.example", expect=0)
        self.mails_come(1, "Curfew: a test")
        self.assertEqual(len(self.mails()), 1)


if __name__ == "__main__":
    unittest.main()
