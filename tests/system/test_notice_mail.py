#!/usr/bin/python3
"""Notices as they are sent: a real mail server with TLS and a login counts what arrives."""

import email
import email.policy
import hmac
import json
import os
import signal
import sqlite3
import sys
import time
import unittest

import icalendar

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from agent import CURFEW  # noqa: E402
from case import USER  # noqa: E402
from lab import days, local  # noqa: E402
from practice import Certificates  # noqa: E402
from service import COMES, ServiceCase, until  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PORT, HOOK_PORT = 2587, 2443
MAIL_PASSWORD = "Mail-Passw0rd-of-the-lab"
HOOK_SECRET = "Hook-S3cret-of-the-lab"
JANE = "jane.doe@acme.example"


def setUpModule():
    lab.require()


class MailCase(ServiceCase):
    def mail_make(self, golive, **options):
        """A service with notices on, its sender, and the mail server, in one namespace."""
        self.sender = self.mail = None
        settings = {"server": "127.0.0.1", "port": PORT, "user": "curfew", "credential": "mail",
                    "from": "access@host.example", "team": "cloud@host.example", "ca_file": ""}
        make = self.lab_make

        def lab_with_mail(**more):
            found = make(**more)
            self.box = found.path("mail")
            os.mkdir(self.box)
            certificates = Certificates(found.path("mailtls"), "mail.lab.example", "127.0.0.1")
            self.certificates = certificates
            settings["ca_file"] = certificates.ca
            found.agent.settings["notices"] = settings
            found.agent._write(found.agent.path("credentials", "mail"), MAIL_PASSWORD + "\n")
            return found
        self.lab_make = lab_with_mail
        self.settings = settings
        self.service_make(golive, **options)
        self.socket = os.path.join(self.agent.settings["runtime_directory"], "notify")
        self.sender_log = open(self.found.path("sender.log"), "w+", encoding="utf-8")
        self.addCleanup(self.sender_log.close)

    def mail_up(self, password=MAIL_PASSWORD):
        if os.path.exists(self.boxed("ready")):
            os.unlink(self.boxed("ready"))
        self.mail = self.agent.space.start(
            "/usr/bin/python3", os.path.join(HERE, "mail_server"), self.box, str(PORT),
            self.certificates.certificate, self.certificates.key, "curfew", password)
        until(lambda: os.path.exists(self.boxed("ready")), "the mail server is up")

    def mail_down(self):
        self.mail.kill()
        self.mail.wait()

    def sender_up(self):
        """As a service manager does: it ends with its connection, and is started again."""
        self.sender = self.agent.space.start("/bin/sh", "-c", f"while :; do {CURFEW} notify {self.socket}; sleep 0.3; done",
                                             stdout=self.sender_log, stderr=self.sender_log, start_new_session=True)
        self.addCleanup(self.sender_down)

    def sender_down(self):
        if self.sender.poll() is None:
            os.killpg(self.sender.pid, signal.SIGKILL)
            self.sender.wait()

    def said(self):
        """By the sender."""
        self.sender_log.flush()
        with open(self.sender_log.name, encoding="utf-8") as file:
            return file.read()

    def boxed(self, *names):
        return os.path.join(self.box, *names)

    def put(self, name, text=""):
        with open(self.boxed(name), "w", encoding="ascii") as file:
            file.write(text)

    def mails(self, kind=None):
        found = []
        for name in sorted(os.listdir(self.box)):
            if name.startswith("mail.") and not name.endswith(".new"):
                with open(self.boxed(name), "rb") as file:
                    found.append(email.message_from_binary_file(file, policy=email.policy.default))
        return [m for m in found if kind is None or kind in m["Subject"]]

    def mails_come(self, number, kind=None):
        until(lambda: len(self.mails(kind)) >= number, lambda: f"{number} mails {kind}: "
              f"{[m['Subject'] for m in self.mails()]}\n{self.rows()}\n{self.said()}\n{self.service.log()}")
        self.assertEqual(len(self.mails(kind)), number)

    def rows(self):
        with sqlite3.connect(f"file:{self.agent.path('state', 'journal.db')}?mode=ro", uri=True) as db:
            return db.execute("SELECT notice, recipient, state, attempts, detail FROM outbox ORDER BY id").fetchall()

    def states(self, notice):
        return [row[2] for row in self.rows() if row[0] == notice]

    def hurry(self):
        """What would be tried again in a minute is tried now."""
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=30) as db:
            db.execute("UPDATE outbox SET next = 0 WHERE state = 'queued'")

    def dates_move(self, golive):
        for client in self.agent.clients.values():
            client["go_live"] = local(golive)
        self.agent.write()
        self.agent.curfew("reload", expect=0)


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
        self.service.process.kill()
        self.service.process.wait()
        self.found.client_add("beta", [("staging", "sql01", "AcmeProd")], **self.dates(lab.now() + days(30)))
        del self.agent.clients["acme"]
        self.agent.write()
        self.service.start()
        self.mails_come(2, "withdrawn")
        self.assertEqual(self.mails("withdrawn")[1]["X-To"], JANE)
        self.mails_come(2, "has started")
        self.assertEqual({m["X-To"] for m in self.mails("has started")}, {"bob.ray@acme.example", "jane.doe@beta.example"})

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
        self.service.process.kill()
        self.service.process.wait()
        self.service.start()
        self.agent.curfew("notice", "test", "ops@host.example", expect=0)
        self.mails_come(1, "Curfew: a test")
        self.assertEqual(self.made_preflights(), made)

    def made_preflights(self):
        return [e["reason"] for e in self.agent.curfew("history", "--json", expect=0).json if e["action"] == "preflight"]


class Webhook(MailCase):
    """The team's chat tool or ticket system: signed, verified, and by the rules of mail."""

    def hook_make(self):
        self.mail_make(lab.now() + days(20))
        self.settings.update(webhook=f"https://127.0.0.1:{HOOK_PORT}/hooks/a-secret-path", webhook_credential="webhook")
        self.agent._write(self.agent.path("credentials", "webhook"), HOOK_SECRET + "\n")
        self.agent.write()
        self.agent.curfew("reload", expect=0)

    def hook_up(self, certificates=None):
        certificates = certificates or self.certificates
        if os.path.exists(self.boxed("hook-ready")):
            os.unlink(self.boxed("hook-ready"))
        self.hook = self.agent.space.start("/usr/bin/python3", os.path.join(HERE, "hook_server"), self.box,
                                           str(HOOK_PORT), certificates.certificate, certificates.key)
        until(lambda: os.path.exists(self.boxed("hook-ready")), "the HTTPS server is up")

    def posts(self):
        found = []
        for name in sorted(os.listdir(self.box)):
            if name.startswith("hook.") and not name.endswith(".new"):
                with open(self.boxed(name), encoding="utf-8") as file:
                    found.append(json.load(file))
        return found

    def told(self):
        before = len(self.states("test"))
        self.agent.curfew("notice", "test", "webhook", expect=0)
        self.assertEqual(len(self.states("test")), before + 1)

    def test_signed(self):
        """The body is JSON, and whoever has the secret can tell that it is ours; the address is nowhere told."""
        self.hook_make()
        self.hook_up()
        self.sender_up()
        self.told()
        until(lambda: self.states("test") == ["sent"], lambda: f"{self.rows()}\n{self.said()}\n{self.service.log()}")
        [post] = self.posts()
        self.assertEqual(post["path"], "/hooks/a-secret-path")
        headers = {name.lower(): value for name, value in post["headers"].items()}
        self.assertEqual(headers["x-curfew-signature"],
                         "sha256=" + hmac.new(HOOK_SECRET.encode(), post["body"].encode(), "sha256").hexdigest())
        self.assertEqual(headers["content-type"], "application/json")
        body = json.loads(post["body"])
        self.assertEqual((body["notice"], body["subject"]), ("test", "Curfew: a test"))
        self.assertEqual(len(body["id"]), 32)
        for told in (self.service.log(), self.said(), str(self.rows()), self.agent.curfew("history", "--json").out):
            self.assertNotIn("a-secret-path", told)
            self.assertNotIn(HOOK_SECRET, told)

    def test_once(self):
        """Busy: tried again. Refused: not. A server of another authority gets nothing. Unanswered: never a second time."""
        self.hook_make()
        self.put("status", "503")
        self.hook_up()
        self.sender_up()
        self.told()
        until(lambda: any(row[3] for row in self.rows()), lambda: f"it was answered 503: {self.rows()}\n{self.said()}")
        self.assertEqual(self.states("test"), ["queued"])
        os.unlink(self.boxed("status"))
        self.hurry()
        self.agent.curfew("reload", expect=0)
        until(lambda: self.states("test") == ["sent"], lambda: f"it is sent: {self.rows()}")
        self.assertEqual([p["status"] for p in self.posts()], [503, 204])
        self.assertEqual(len({p["body"] for p in self.posts()}), 1)
        self.put("status", "410")
        self.told()
        until(lambda: self.states("test") == ["sent", "failed"], lambda: f"it is refused: {self.rows()}")
        os.unlink(self.boxed("status"))
        self.put("hook-hold")
        os.unlink(self.boxed("hook-arrived"))
        self.told()
        until(lambda: os.path.exists(self.boxed("hook-arrived")), "the whole request has arrived")
        self.hook.kill()
        self.hook.wait()
        until(lambda: self.states("test")[-1] == "uncertain", lambda: f"nobody knows: {self.rows()}")
        os.unlink(self.boxed("hook-hold"))
        self.hook_up(Certificates(self.found.path("othertls"), "mail.lab.example", "127.0.0.1"))
        posts = len(self.posts())
        self.told()
        until(lambda: self.rows()[-1][3], lambda: f"an attempt failed: {self.rows()}")
        self.assertIn("certificate", str(self.rows()[-1]))
        self.assertEqual(len(self.posts()), posts)


class Alarms(MailCase):
    LIMITS = {**MailCase.LIMITS, "interval": 10}

    def test_at_once(self):
        """Somebody's change that was put right, and a journal that could not be written: one mail each to the team."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.mail_up()
        self.sender_up()
        self.found.server.sql(f"ALTER ROLE [curfew_full] DROP MEMBER [{USER}]", "AcmeTest")
        self.mails_come(1, "access was changed on a SQL server")
        self.assertEqual(self.mails("access was changed")[0]["X-To"], "cloud@host.example")
        with sqlite3.connect(self.agent.path("state", "journal.db"), timeout=30, isolation_level=None) as db:
            db.execute("BEGIN EXCLUSIVE")
            self.agent.curfew("revoke", "acme", "--reason", "a test")
            until(lambda: "cannot write the revocation" in self.service.log(), self.service.log)
            db.execute("ROLLBACK")
        self.mails_come(1, "the journal could not be written")


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
        self.golive_comes(meanwhile=lambda: self.found.server.faults(stall_prelogin=True), back=self.found.server.faults)
        self.assertIn("1 server unreachable", self.alarm_comes("a server does not answer when access changes"))
        self.assertIn("1 grant overdue", self.alarm_comes("and this is not confirmed"))
        self.found.server.faults()
        self.role_comes("curfew_read_only")

    def test_unverified_at_a_golive(self):
        self.alarms_make()
        self.golive_comes(meanwhile=lambda: self.found.server.faults(no_execute_as=True), back=self.found.server.faults)
        self.assertIn("1 unverified", self.alarm_comes("access was changed, but is not verified"))

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
        self.assertIn("curfew clock", self.alarm_comes("the system clock was set back"))

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
        self.service.process.kill()
        self.service.process.wait()
        self.hurry()
        self.mail_up()
        self.service.start()
        self.mails_come(1, "dates")
        until(lambda: self.states("dates-moved") == ["sent"], "that is on record")
        self.assertNotIn("notices:", self.agent.curfew("status").out)

    def test_down_for_a_day(self):
        """An attempt an hour, seen in status, and no pass waits; when the server is back it is sent, once."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.sender_up()
        self.moved()
        until(lambda: self.rows()[0][3] >= 1, "an attempt failed")
        self.outbox("UPDATE outbox SET created = created - 86400, attempts = 20, next = 0")
        self.agent.curfew("reload", expect=0)
        until(lambda: self.rows()[0][3] >= 21, lambda: f"one more attempt: {self.rows()}")
        [(next_try,)] = self.outbox("SELECT next FROM outbox")
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

    def test_spacing_and_giving_up(self):
        """Twice as long after each attempt; after three days it is given up, and that is said."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.sender_up()
        self.moved()
        for attempt, wait in ((1, 60), (2, 120), (3, 240)):
            until(lambda: self.rows()[0][3] >= attempt, lambda: f"attempt {attempt}: {self.rows()}")
            [(next_try, attempts)] = self.outbox("SELECT next, attempts FROM outbox")
            self.assertEqual(attempts, attempt)
            # From the attempt on, which was a moment ago.
            self.assertLessEqual(next_try - time.time(), wait)
            self.assertGreater(next_try - time.time(), wait - 60)
            self.outbox("UPDATE outbox SET next = 0")
            if attempt == 3:
                self.outbox("UPDATE outbox SET created = created - 4 * 86400")
            self.agent.curfew("reload", expect=0)
        until(lambda: self.states("dates-moved") == ["failed"], lambda: f"it is given up: {self.rows()}")
        self.assertIn("given up after 4 attempts", str(self.rows()))
        self.service.says("given up after 4 attempts")
        self.assertIn("1 not delivered", self.agent.curfew("status").out)

    def test_digest(self):
        """What people were told on a day is one mail to the team and one to the account lead, on the next."""
        self.mail_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.mail_up()
        self.sender_up()
        self.moved()
        self.mails_come(1, "dates")
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
        self.service.process.kill()
        self.service.process.wait()
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
        self.assertEqual(second.wait(30), 1)
        self.assertEqual(self.said().count("Connection refused"), 1, "the first one stays")

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
