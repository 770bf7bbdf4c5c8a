#!/usr/bin/python3
"""Notices to the team's chat tool or ticket system, by HTTPS."""

import hmac
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from lab import days  # noqa: E402
from mail_case import HERE, MailCase  # noqa: E402
from practice import Certificates  # noqa: E402
from service import until  # noqa: E402

HOOK_PORT = 2443
HOOK_SECRET = "Hook-S3cret-of-the-lab"


def setUpModule():
    lab.require()


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


if __name__ == "__main__":
    unittest.main()
