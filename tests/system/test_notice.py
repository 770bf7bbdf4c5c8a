#!/usr/bin/python3
"""Notices before they are sent: what preview shows, read by an independent parser of calendars."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import icalendar

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from agent import CURFEW, libconfig  # noqa: E402  (the path above makes it importable)

CLIENT = {"name": "acme", "ticket": "CS-1", "approved_by": "lead@host.example", "approved_on": "2026-08-03",
          "timezone": "America/Chicago", "starts": "2026-08-10", "go_live": "2026-11-23T09:00",
          "databases": [{"role": "staging", "server": "sql01", "name": "AcmeTest"},
                        {"role": "production", "server": "sql01", "name": "AcmeProd"}],
          "users": [{"first": "Jane", "last": "Doe", "email": "jane.doe@acme.example",
                     "sources": ["203.0.113.7"]}]}


class Preview(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="curfew-notice-")
        self.addCleanup(shutil.rmtree, self.folder)
        for name in ("clients.d", "credentials", "state", "templates/de"):
            os.makedirs(os.path.join(self.folder, name), mode=0o700)
        self.put("credentials/sql01", "something\n")
        self.put("ca.pem", "-----BEGIN CERTIFICATE-----\n")
        self.put("curfew.conf", f"""
            state_directory = "{self.folder}/state"; credential_directory = "{self.folder}/credentials";
            firewall = {{ enabled = false; }};
            notices = {{ team = "cloud@host.example"; }};
            servers = ( {{ name = "sql01"; host = "192.0.2.1"; ca_file = "{self.folder}/ca.pem"; }} );""")

    def put(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)

    def preview(self, at="2026-08-01", **changes):
        self.put("clients.d/acme.conf", f"client = {libconfig({**CLIENT, **changes})};\n")
        done = subprocess.run([CURFEW, "notice", "preview", "acme", "--config", f"{self.folder}/curfew.conf", "--at",
                               at, "--json"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    @staticmethod
    def events(mail):
        return {str(e["UID"]): e for e in icalendar.Calendar.from_ical(mail["calendar"]).walk("VEVENT")}

    def test_calendar(self):
        """Every date is an event of its own, and one that moves stays the event that it was."""
        opened = self.preview()[0]
        self.assertEqual((opened["notice"], opened["to"]), ("opened", "jane.doe@acme.example"))
        before = self.events(opened)
        self.assertEqual([e["DTSTART"].dt.isoformat() for e in before.values()],
                         ["2026-11-23T15:00:00+00:00", "2026-12-07T15:00:00+00:00", "2026-12-23T15:00:00+00:00"])
        after = self.events(self.preview(go_live="2026-11-30T09:00")[0])
        self.assertEqual(list(before), list(after))
        self.assertEqual(after[list(after)[0]]["DTSTART"].dt.isoformat(), "2026-11-30T15:00:00+00:00")
        for event in after.values():
            self.assertEqual(str(event["ORGANIZER"]), "mailto:cloud@host.example")
            self.assertEqual(event["STATUS"], "CONFIRMED")

    def test_hostile_name(self):
        """What would end a line or a property is text to the other parser too."""
        name = "a;b,c\\\" BEGIN:VEVENT " + "ä" * 60
        client = self.preview(name="acme", users=[{"first": name, "last": "Doe", "login": "acme.x",
                                                   "email": "x@acme.example", "sources": ["203.0.113.7"]}])
        self.assertIn(name, client[0]["text"])
        self.assertEqual(len(self.events(client[0])), 3)

    def test_language(self):
        """A client's language, then the folder's own text, then Curfew's."""
        self.put("templates/de/opened.txt", "Subject: Zugang für {name}\n\nGuten Tag, ab {date}: {databases}\n")
        self.put("templates/ended.txt", "Subject: Over\n\nOver: {client}\n")
        self.put("templates/ended.html", "<b>{name}</b>\n")
        mails = {m["notice"]: m for m in self.preview(language="de", users=[
            {"first": "<i>", "last": "Doe", "login": "acme.x", "email": "x@acme.example",
             "sources": ["203.0.113.7"]}])}
        self.assertEqual(mails["opened"]["subject"], "Zugang für <i> Doe")
        self.assertIn('<html lang="de">', mails["opened"]["html"])
        self.assertEqual(mails["ended"]["text"], "Over: acme\n")
        self.assertEqual(mails["ended"]["html"], "<b>&lt;i&gt; Doe</b>\n")
        self.assertIn("7 days", mails["ends-in-7-days"]["subject"])
        self.assertIn("has started", self.preview()[0]["subject"])


if __name__ == "__main__":
    unittest.main()
