#!/usr/bin/python3
"""What the team is told of at once, by mail."""

import os
import sqlite3
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from mail_case import MailCase  # noqa: E402
from service import until  # noqa: E402


def setUpModule():
    lab.require()


class Alarms(MailCase):
    LIMITS = {**MailCase.LIMITS, "interval": 10}

    def test_at_once(self):
        """Somebody's change that was put right, and a journal that could not be written: one mail each to the team."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.mail_up()
        self.sender_up()
        self.found.server.sql(f"ALTER ROLE [curfew_full] DROP MEMBER [{USER}]", "AcmeTest")
        self.mails_come(1, "a regular pass changed access on a SQL server")
        self.assertEqual(self.mails("a regular pass changed access")[0]["X-To"], "cloud@host.example")
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=30, isolation_level=None) as db:
            db.execute("BEGIN EXCLUSIVE")
            self.agent.curfew("revoke", "acme", "--reason", "a test")
            until(lambda: "cannot write the revocation" in self.service.log(), self.service.log)
            db.execute("ROLLBACK")
        self.mails_come(1, "the journal could not be written")
        text = next(self.mails("the journal could not be written")[0].iter_parts()).get_content()
        self.assertNotIn("removed as scheduled", text)  # which nobody has looked at

    def alarm_comes(self, words):
        """To the team; how often in an hour is no matter here."""
        until(lambda: self.mails(words), lambda: f"{words}: {[m['Subject'] for m in self.mails()]}\n{self.service.log()}")
        mail = self.mails(words)[0]
        self.assertEqual((mail["X-To"], mail["Subject"].split(":")[0]), ("cloud@host.example", "Curfew"))
        return next(mail.iter_parts()).get_content()

    def alarms_make(self):
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.mail_up()
        self.sender_up()

    def test_unreachable_at_a_golive(self):
        """The team hears that a server does not answer now that it matters, and that the reduction is not confirmed."""
        self.alarms_make()
        self.golive_comes(meanwhile=self.server_goes_away, back=self.found.server.faults)
        self.assertIn("1 server unreachable", self.alarm_comes("a server does not answer when access changes"))
        said = self.alarm_comes("and this is not confirmed")
        self.assertIn(f"1 grant overdue (first: {USER} on sql01)", said)
        self.assertIn(f", gateway {os.uname().nodename}\n", said)
        self.found.server.faults()
        self.role_comes("curfew_read_only")

    def test_unverified_at_a_golive(self):
        self.alarms_make()
        self.golive_comes(meanwhile=lambda: self.found.server.faults(no_execute_as=True), back=self.found.server.faults)
        self.assertIn("1 unverified", self.alarm_comes("access was changed, but is not verified"))

    def test_records_are_missing(self):
        """A journal that is gone: nothing is granted, and the team hears why nobody new gets in."""
        self.alarms_make()
        self.service.stop()
        os.unlink(self.agent.path("state", "journal.db"))
        self.service.start()
        self.assertIn("`curfew status` says", self.alarm_comes("no access is granted, because records are missing"))

    def test_excess(self):
        """A right that the agent may not take away."""
        self.alarms_make()
        self.found.server.sql(f"ALTER SERVER ROLE [dbcreator] ADD MEMBER [{USER}]")
        self.assertIn("1 with more access than scheduled", self.alarm_comes("a user has more access than scheduled"))

    def test_clock_set_back(self):
        self.alarms_make()
        self.service.stop()
        with open(self.agent.path("state", "clock"), "w", encoding="ascii") as file:
            file.write(f"highest {int(time.time()) + 3600}\n")
        self.service.start()
        self.assertIn("curfew clock", self.alarm_comes("the system clock is behind the latest time seen"))

    def test_denied(self):
        """From beside Jane's address, and from hers once she is revoked: team and account lead hear, once a day each."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.mail_up()
        self.sender_up()
        # Strangers are nobody's business.
        self.assertFalse(self.found.person("other").reach().ok)
        self.agent.apply(expect=0)
        self.assertEqual(self.mails("denied"), [])
        self.agent.clients["acme"]["users"][0]["sources"] = ["203.0.113.99"]
        self.agent.write()
        self.agent.curfew("reload", expect=0)
        self.assertFalse(self.found.person("jane").reach().ok)
        self.agent.apply(expect=0)
        self.mails_come(2, "denied packets may come from acme.jane.doe")
        mails = self.mails("denied")
        self.assertEqual({m["X-To"] for m in mails}, {"cloud@host.example", "account-lead@host.example"})
        text = next(mails[0].iter_parts()).get_content()
        self.assertIn(f"{lab.JANE[0]} to {lab.PUBLIC[0]}:{lab.PORT}", text)
        self.assertIn("near 203.0.113.99 of acme.jane.doe; check whether the address has changed", text)
        self.agent.apply(expect=0)
        self.agent.curfew("notice", "test", "ops@host.example", expect=0)
        self.mails_come(1, "Curfew: a test")
        self.assertEqual(len(self.mails("denied")), 2)

    def test_denied_after_a_revocation(self):
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.mail_up()
        self.sender_up()
        self.agent.curfew("revoke", "acme", "--reason", "a test", expect=0)
        self.mails_come(1, "withdrawn")
        self.assertFalse(self.found.person("jane").reach().ok)
        self.agent.apply(expect=0)
        self.mails_come(2, "denied packets may come from acme.jane.doe")
        self.assertIn("belongs to acme.jane.doe: revoked since", next(self.mails("denied")[0].iter_parts()).get_content())


if __name__ == "__main__":
    unittest.main()
