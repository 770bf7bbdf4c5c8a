#!/usr/bin/python3
"""Notices as they are sent: a real mail server with TLS and a login counts what arrives."""

import os
import sys
import unittest

import icalendar

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from mail_case import JANE, MAIL_PASSWORD, MailCase  # noqa: E402
from service import COMES, until  # noqa: E402


def setUpModule():
    lab.require()


class Sent(MailCase):
    def test_life(self):
        """No backlog when notices come on; then each turn of a client's life is one mail to its person."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.mail_up()
        self.sender_up()
        self.found.client_add("beta", [("staging", "sql01", "AcmeProd")], **self.dates(lab.now() + days(30)))
        self.agent.curfew("reload", expect=0)
        self.mails_come(1)
        mail = self.mails()[0]
        self.assertEqual((mail["X-To"], mail["X-From"], mail["X-Tls"], mail["X-Login"]),
                         ("jane.doe@beta.example", "access@host.example", "True", "'curfew'"))
        self.assertEqual(mail["Subject"], "beta: your SQL Server access has started")
        parts = {part.get_content_type(): part.get_content() for part in mail.iter_parts()}
        self.assertIn("beta.jane.doe", parts["text/plain"])
        self.assertIn("<pre>", parts["text/html"])
        self.assertEqual(len(icalendar.Calendar.from_ical(parts["text/calendar"]).walk("VEVENT")), 2)
        for secret in (MAIL_PASSWORD, self.agent.password):
            self.assertNotIn(secret, str(mail))
            self.assertNotIn(secret, self.service.log())
        # An address, and a revocation.
        self.agent.clients["beta"]["users"][0]["sources"] = ["198.51.100.77"]
        self.agent.write()
        self.agent.curfew("reload", expect=0)
        self.mails_come(1, "addresses")
        self.agent.curfew("revoke", "beta", "--reason", "a test", expect=0)
        self.mails_come(1, "withdrawn")
        gone = next(part for part in self.mails("withdrawn")[0].iter_parts()
                    if part.get_content_type() == "text/calendar").get_content()
        self.assertEqual({str(e["STATUS"]) for e in icalendar.Calendar.from_ical(gone).walk("VEVENT")},
                         {"CANCELLED"})
        self.assertEqual(self.states("notice-opened"), [])
        self.assertEqual(len(self.mails()), 3, [m["Subject"] for m in self.mails()])
        # Taken back: told once, with a calendar that is newer than the one that canceled.
        self.agent.curfew("reinstate", "beta", "--reason", "a test", expect=0)
        self.mails_come(2, "has started")
        again = next(part for part in self.mails("has started")[1].iter_parts()
                     if part.get_content_type() == "text/calendar").get_content()
        self.assertGreater(icalendar.Calendar.from_ical(again).walk("VEVENT")[0]["SEQUENCE"],
                           icalendar.Calendar.from_ical(gone).walk("VEVENT")[0]["SEQUENCE"])
        self.agent.curfew("reload", expect=0)
        self.agent.curfew("notice", "test", "ops@host.example", expect=0)
        self.mails_come(1, "Curfew: a test")
        self.assertEqual(len(self.mails()), 5)

        def counts():
            actions = [e["action"] for e in self.agent.curfew("history", "--json", expect=0).json]
            return actions.count("notice"), actions.count("notice-sent")
        until(lambda: counts() == (5, 5), lambda: f"each is on record, and sent: {counts()}")

    def test_revoked_during_a_pass(self):
        """The pass that was under way did not know of it, and the next one closes: nothing is overdue, and no alarm."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.mail_up()
        self.sender_up()
        self.found.server.faults(delay="300")
        begun = len(self.found.server.records("login"))
        busy = self.agent.space.start(*self.agent.command("apply"), stdout=self.sender_log, stderr=self.sender_log)
        until(lambda: len(self.found.server.records("login")) > begun, "the pass is on the server")
        self.agent.curfew("revoke", "acme", "--reason", "a test", expect=0)
        busy.wait()
        self.mails_come(1, "withdrawn")
        self.assertEqual([m["Subject"] for m in self.mails()], ["acme: your SQL Server access was withdrawn"])
        self.assertNotIn("is not confirmed", self.service.log())

    def test_taken_out_of_the_files(self):
        """Told once, by the address that is in no file any more, also where the service was down meanwhile."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.mail_up()
        self.sender_up()
        bob = {"first": "Bob", "last": "Ray", "email": "bob.ray@acme.example", "sources": ["198.51.100.9"]}
        self.agent.clients["acme"]["users"].append(bob)
        self.agent.write()
        self.agent.curfew("reload", expect=0)
        self.mails_come(1, "has started")
        self.agent.clients["acme"]["users"].remove(bob)
        self.agent.write()
        self.agent.curfew("reload", expect=0)
        self.mails_come(1, "withdrawn")
        mail = self.mails("withdrawn")[0]
        self.assertEqual(mail["X-To"], "bob.ray@acme.example")
        gone = next(part for part in mail.iter_parts() if part.get_content_type() == "text/calendar").get_content()
        self.assertEqual({str(e["STATUS"]) for e in icalendar.Calendar.from_ical(gone).walk("VEVENT")}, {"CANCELLED"})
        self.service.kill()
        self.found.client_add("beta", [("staging", "sql01", "AcmeProd")], **self.dates(lab.now() + days(30)))
        del self.agent.clients["acme"]
        self.agent.write()
        self.service.start()
        self.mails_come(2, "withdrawn")
        self.assertEqual(self.mails("withdrawn")[1]["X-To"], JANE)
        self.mails_come(2, "has started")
        self.assertEqual({m["X-To"] for m in self.mails("has started")}, {"bob.ray@acme.example", "jane.doe@beta.example"})

    def test_a_login_that_cannot_be_dropped(self):
        """Its access in the databases has ended, and the login is still there: overdue, and nobody is told that it is gone."""
        self.mail_make(lab.now() - days(13), started=40)
        self.role_comes("curfew_read_only")
        self.mail_up()
        self.sender_up()
        self.golive_comes(days_ago=14, meanwhile=lambda: self.found.server.faults(fail_on=[["DROP LOGIN", 15434]]),
                          back=self.found.server.faults)
        until(lambda: self.service.metric("curfew_overdue_grants") == 1, "overdue in the figures")
        self.mails_come(1, "this is not confirmed")
        self.assertTrue(self.found.server.login(USER), "nobody could have dropped it")
        self.assertEqual(self.mails("has ended"), [])
        self.found.server.faults()
        self.agent.apply(expect=0)
        self.assertIsNone(self.found.server.login(USER))
        self.mails_come(1, "has ended")
        self.service.metric_comes("curfew_overdue_grants", 0)

    def test_date_moved_three_times(self):
        """One mail each time, and one calendar that goes on: same events, growing versions."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.mail_up()
        self.sender_up()
        for number in (21, 22, 23):
            self.dates_move(lab.now() + days(number))
            self.mails_come(number - 20, "dates")
        calendars = [icalendar.Calendar.from_ical(part.get_content()) for mail in self.mails("dates")
                     for part in mail.iter_parts() if part.get_content_type() == "text/calendar"]
        ids = [[str(e["UID"]) for e in c.walk("VEVENT") if e["STATUS"] == "CONFIRMED"] for c in calendars]
        self.assertEqual(ids[0], ids[1])
        self.assertEqual(ids[1], ids[2])
        versions = [int(c.walk("VEVENT")[0]["SEQUENCE"]) for c in calendars]
        self.assertEqual(versions, [1, 2, 3])
        # Twice within one second, or nearly.
        for number in (24, 25, 26):
            self.dates_move(lab.now() + days(number))
        self.mails_come(6, "dates")
        self.assertEqual(len({m["Message-ID"] for m in self.mails("dates")}), 6)

    def test_test(self):
        self.mail_make(lab.now() + days(20))
        self.mail_up()
        self.sender_up()
        self.agent.curfew("notice", "test", "ops@host.example", expect=0)
        self.mails_come(1, "Curfew: a test")
        # Each that is asked for is one, also within one second.
        for _ in range(3):
            self.agent.curfew("notice", "test", "ops@host.example", expect=0)
        self.mails_come(4, "Curfew: a test")
        refused = self.agent.curfew("notice", "test", "ops@host.example>\nBcc: <x@y.example", expect=1)
        self.assertIn("invalid email address", refused.err)


class Preflights(MailCase):
    def test_in_time(self):
        """What would keep a go-live from its time is told to the team and the account lead, once, and is on record."""
        self.mail_make(lab.now() + days(2))
        self.found.server.sql("CREATE TRIGGER [trap] ON ALL SERVER FOR LOGON AS SELECT 1")
        self.mail_up()
        self.sender_up()
        until(lambda: len(self.mails("something may keep it")) >= 2,
              lambda: f"the mails come: {self.rows()}\n{self.service.log()}", seconds=4 * COMES)
        mails = self.mails("something may keep it")
        self.assertEqual({m["X-To"] for m in mails}, {"cloud@host.example", "account-lead@host.example"})
        self.assertEqual(mails[0]["Subject"], "acme: access becomes read-only in 2 days, and something may keep it from that")
        text = next(mails[0].iter_parts()).get_content()
        self.assertIn("server-trigger [sql01]: trap: enabled", text)
        self.assertIn("DROP TRIGGER [trap]", text)
        self.service.says("3 days before access becomes read-only")
        # A restart repeats none that was made.
        made = self.made_preflights()
        self.assertEqual(len(made), 1, made)
        self.service.kill()
        self.service.start()
        self.agent.curfew("notice", "test", "ops@host.example", expect=0)
        self.mails_come(1, "Curfew: a test")
        self.assertEqual(self.made_preflights(), made)

    def made_preflights(self):
        return [e["reason"] for e in self.agent.curfew("history", "--json", expect=0).json if e["action"] == "preflight"]


if __name__ == "__main__":
    unittest.main()
