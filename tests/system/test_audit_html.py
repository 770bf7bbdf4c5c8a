#!/usr/bin/python3
"""The audit as a page, made from a real server with hostile names in it, opened in a real browser."""

import html.parser
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import audit_lab
import lab

HOSTILE = "</td><script>document.title='broken out'</script>]'\"--"
BROWSER = shutil.which("chromium")
FLAGS = ("--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
         "--disable-component-update --disable-sync --hide-scrollbars").split()


def setUpModule():
    lab.require()


class Elements(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.names, self.outward = set(), []

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.outward += [(tag, name, value) for name, value in attrs
                         if name.startswith("on") or (name in ("src", "href") and not (value or "").startswith("#"))]


class Page(audit_lab.AuditCase):
    def page(self):
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")],
                         users=[("Jane", "Doe")])
        found.agent.clients["acme"]["users"].append(
            {"first": "<script>alert(1)</script>", "last": "O'Hare & \"Sons\"", "login": "acme.hostile",
             "email": "o.hare@acme.example", "sources": ["203.0.113.99"]})
        found.agent.write()
        found.agent.apply()
        quoted = "[" + HOSTILE.replace("]", "]]") + "]"
        for batch in (f"CREATE USER {quoted} WITHOUT LOGIN", f"ALTER ROLE [db_owner] ADD MEMBER {quoted}",
                      f"CREATE TABLE dbo.{quoted} (Id int NOT NULL)", "GRANT CONNECT TO [guest]"):
            found.server.sql(batch, "AcmeTest")
        path = os.environ.get("CURFEW_PAGE") or found.path("audit.html")
        found.agent.curfew("audit", "--html", path, expect=2)
        return path

    def test_hostile_names_stay_text(self):
        path = self.page()
        with open(path, encoding="utf-8") as file:
            text = file.read()
        elements = Elements()
        elements.feed(text)
        self.assertNotIn("script", elements.names)
        self.assertEqual(elements.outward, [])
        self.assertIn("&lt;script&gt;document.title=", text)
        self.assertIn("new-object", text)
        if not BROWSER:
            self.skipTest("SKIPPED: no chromium here, the page was not opened")
        with tempfile.TemporaryDirectory() as profile:
            done = subprocess.run([BROWSER, *FLAGS, f"--user-data-dir={profile}", "--dump-dom",
                                   pathlib.Path(path).as_uri()], capture_output=True, text=True, timeout=600,
                                  env={**os.environ, "HOME": profile}, check=True)
        self.assertNotIn("<script", done.stdout)
        self.assertNotIn("<title>broken out", done.stdout)
        self.assertIn("new-object", done.stdout)


if __name__ == "__main__":
    unittest.main()
