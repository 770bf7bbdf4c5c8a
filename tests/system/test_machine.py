#!/usr/bin/python3
"""What programs read: every command that prints has --json, with the members that the manual page names, and CSV has the
rows of the JSON."""

import csv
import io
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER, LabCase  # noqa: E402
from lab import days  # noqa: E402
from practice import ROOT  # noqa: E402

# They print nothing but the patch that --print is for, or a password's prompt, or are the service manager's.
WITHOUT = {"new", "edit", "extend", "golive", "allow", "disallow", "user", "milestone", "credential", "run", "firewall",
           "notify"}
ROWS = {"findings", "grants", "residual", "sessions", "proofs", "servers"}


def setUpModule():
    lab.require()


def manual():
    """Every list of members that curfew(8) names: { a b c }."""
    with open(os.path.join(ROOT, "man", "curfew.8"), encoding="utf-8") as file:
        return [set(names.split()) for names in re.findall(r"^\.Ql \{ ([a-z_ ]+) \}", file.read(), re.M)]


class Machine(LabCase):
    @classmethod
    def setUpClass(cls):
        cls.found = lab.Lab()
        cls.addClassCleanup(cls.found.close)
        cls.agent = cls.found.agent
        cls.found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")],
                             milestones={"checklist_signed": lab.day(lab.now())}, **cls.dates(lab.now() + days(20)))
        cls.agent.apply()
        cls.found.person("other").reach()
        cls.found.server.sql("CREATE USER [mallory] WITHOUT LOGIN", "AcmeTest")
        cls.schemas = manual()

    def asked(self, *arguments, expect=(0, 2)):
        answer = self.agent.curfew(*arguments, "--json", expect=expect)
        return answer.json

    def is_named(self, members, what):
        """Together with those that another list has, like the schedule's."""
        grant = {"client", "user", "login", "email", "server", "database", "role", "phase", "level", "from", "until",
                 "next_level", "sources", "temporary_sources"}
        left = set(members) - {"kind"}
        self.assertTrue(any(left in (s - {"kind"}, (s | grant) - {"kind"}) for s in self.schemas),
                        f"curfew(8) has no {{ {' '.join(sorted(left))} }} of {what}")

    def test_every_command_has_it(self):
        for name in re.findall(r"^  ([a-z-]+) ", self.agent.space.run(
                self.agent.command("x")[0], "--help", check=False).stdout, re.M):
            with self.subTest(name):
                text = self.agent.space.run(self.agent.command("x")[0], name, "--help").stdout
                self.assertEqual("--json" in text, name not in WITHOUT)

    def test_members_are_those_of_the_manual(self):
        for arguments in (("status",), ("board",), ("timeline",), ("denied",), ("schedule",), ("clock",), ("audit",),
                          ("explain", "acme", USER), ("bootstrap", "sql01"), ("history",), ("history", "verify"),
                          ("notice", "preview", "acme"), ("notice", "template"), ("check-server", "sql01"),
                          ("audit", "--from", "2026-01-01"), ("inventory", "acme")):
            with self.subTest(" ".join(arguments)):
                answer = self.asked(*arguments)
                if isinstance(answer, list):
                    self.assertTrue(answer, "nothing to look at")
                    answer = answer[0]
                self.is_named(answer, arguments[0])
                for name, inner in answer.items():
                    if isinstance(inner, list) and inner and isinstance(inner[0], dict) and arguments[0] != "explain":
                        self.is_named(inner[0], f"{arguments[0]}: {name}")

    def test_what_acts_says_what_came_of_it(self):
        done = self.asked("revoke", "acme", "--reason", "a test")
        self.assertEqual((done["recorded"], done["targets"]),
                         ("journal", [{"client": "acme", "login": None, "still_revoked": None}]))
        self.asked("revoke", "acme", USER, "--reason", "a test")
        status = self.asked("status", expect=0)
        self.assertEqual([g["revoked"]["reason"] for g in status["grants"]], ["a test"] * 2)
        self.assertIn("root (uid 0)", status["grants"][0]["revoked"]["by"])
        kept = self.asked("reinstate", "acme", USER, "--reason", "a test", expect=2)
        self.assertEqual(kept["targets"], [{"client": "acme", "login": USER, "still_revoked": "client"}])
        self.assertEqual(self.asked("reinstate", "acme", "--reason", "a test", expect=0)["targets"],
                         [{"client": "acme", "login": None, "still_revoked": None}])
        finding = self.asked("audit")["findings"][0]["id"]
        said = self.asked("accept", finding, "--until", "2099-01-01", "--reason", "a test", expect=0)
        self.assertIn(f"finding {finding}", said["done"])

    def test_csv_has_the_rows_of_the_json(self):
        for command in ("status", "board", "denied", "schedule", "audit"):
            with self.subTest(command):
                answer = self.asked(command)
                text = self.agent.curfew(command, "--csv", expect=(0, 2)).out
                rows = list(csv.DictReader(io.StringIO(text)))
                if command == "audit":
                    answer = [row for name in ROWS for row in answer[name]]
                elif command == "status":
                    answer = answer["grants"]
                self.assertTrue(rows)
                self.assertEqual(len(rows), len(answer))
                for column in ("client", "login", "server", "database"):
                    self.assertEqual(sorted(row.get(column) or "" for row in answer),
                                     sorted(row.get(column) or "" for row in rows))
                if command == "audit":
                    self.assertEqual({row["practice"] for row in rows}, {"true"})
                    self.assertEqual({row["list"] for row in rows} - ROWS, set())

    def test_the_configuration_before_the_command(self):
        program, command, option, config, *rest = self.agent.command("schedule", "acme")
        after = self.agent.space.run(program, command, option, config, *rest).stdout
        for before in ((option, config), (f"{option}={config}",)):
            self.assertEqual(self.agent.space.run(program, *before, command, *rest).stdout, after)


if __name__ == "__main__":
    unittest.main()
