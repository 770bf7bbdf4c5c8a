"""Notices with a real mail server, TLS and a login, and the process that sends them."""

import email
import email.policy
import os
import signal
import sqlite3

from agent import CURFEW
from lab import local
from practice import Certificates
from service import ServiceCase, until

HERE = os.path.dirname(os.path.abspath(__file__))
PORT = 2587
MAIL_PASSWORD = "Mail-Passw0rd-of-the-lab"
JANE = "jane.doe@acme.example"


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
