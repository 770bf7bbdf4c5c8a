#!/usr/bin/python3
"""Whatever a command prints as JSON is in the manual, and what the manual says of it is printed."""

import glob
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import documented  # noqa: E402  (the path above makes it importable)
import lab  # noqa: E402
from agent import CURFEW  # noqa: E402
from case import USER, LabCase  # noqa: E402
from lab import day, days, local  # noqa: E402
from practice import ROOT  # noqa: E402
from service import Service  # noqa: E402

# What other tests ask for takes too much to get here: a certificate, an archive, lost records and other rare cases.
OTHERS = {"certificate", "archive", "adopt", "forget", "unguard", "accept-loss"}
LOST = frozenset({"from", "to", "accepted_by", "reason"})


def help_of(*asked):
    return subprocess.run([CURFEW, "help", *asked], stdout=subprocess.PIPE, text=True, check=True).stdout


def commands_with_json():
    return {c for c in re.findall(r"^  ([a-z][a-z-]+)", help_of(), re.M) if "--json" in help_of(c)}


def setUpModule():
    lab.require()


class Documented(LabCase):
    def ask(self, command, *more):
        """Its members are looked at wherever a test asks for JSON."""
        result = self.agent.curfew(command, *more, "--json")
        self.assertTrue(result.out.strip(), f"{command}: {result}")
        for found in documented.everything(result.json):
            self.seen.setdefault(command, set()).update(documented.used(command, found))
        return result.json

    def stage(self):
        """Somebody is in, somebody was denied, and there is something to say of everything."""
        self.found, self.seen = self.lab_make(), {}
        self.agent, self.server = self.found.agent, self.found.server
        self.agent.servers["sql01"]["known_triggers"] = ["gone"]
        jane = {"first": "Jane", "last": "Doe", "email": "jane.doe@acme.example", "sources": list(lab.JANE)}
        ann = {"first": "Ann", "last": "Lee", "email": "ann.lee@acme.example",
               "sources": [{"address": "198.51.100.9", "until": local(lab.now() + days(3))}]}
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest")], users=[jane, ann],
                              milestones={"checklist_signed": day(lab.now())}, **self.dates(lab.now() + days(20)))

    def come_in(self):
        password = self.ask("handover", "acme", USER, "--no-terminal")["password"]
        self.agent.said.pop()
        person = self.found.person("jane")
        self.first_login(self.found, person, password)
        self.silent(self.found.person("other"))
        return person

    def test_what_a_command_prints(self):
        self.stage()
        for asked in (["check"], ["schedule"], ["plan", "--files"], ["apply"]):
            self.ask(*asked)
        jane = self.come_in()
        for asked in (["plan"], ["status"], ["board"], ["timeline"], ["denied"], ["explain", "acme", USER, "--address", lab.OTHER[0]],
                      ["preflight"], ["check-server", "sql01"], ["bootstrap", "sql01"], ["clock"], ["notice", "preview", "acme"],
                      ["notice", "template"], ["audit"], ["history"], ["history", "--at", "now"], ["history", "verify"],
                      ["audit", "--from", day(lab.now() - days(1))]):
            self.ask(*asked)
        jane.logout()
        self.server.sql("CREATE USER [stranger] WITHOUT LOGIN; GRANT CONTROL TO [public]", "AcmeTest")
        self.ask("plan")
        self.ask("accept", self.ask("audit")["findings"][0]["id"], "--reason", "a test", "--until", local(lab.now() + days(3)))
        self.ask("audit")
        self.server.sql("REVOKE CONTROL FROM [public]", "AcmeTest")
        self.server.faults(fail_on=[["sys.sql_expression_dependencies", 297]])
        self.ask("inventory", "acme")
        self.server.faults()
        self.ask("revoke", "acme", USER, "--reason", "a test")
        self.ask("status")
        self.ask("reinstate", "acme", USER, "--reason", "a test")
        service = Service(self.found)
        self.addCleanup(service.close)
        self.ask("status")
        del self.agent.clients["acme"]
        self.agent.write()
        self.ask("reload", "--dry-run")
        self.assertEqual(set(self.seen) | OTHERS, commands_with_json())
        # What one command printed counts for the others too: a sample, or what left the configuration, is rare in some.
        everywhere = set().union(*self.seen.values())
        for command in self.seen:
            self.assertEqual(documented.shapes(command, False) - everywhere - {LOST}, set(),
                             f"the manual has this of {command}, and it was not printed")

    def test_each_command_has_its_part(self):
        self.assertEqual({c for c in commands_with_json() if not documented.shapes(c)}, set())

    def test_each_member_is_in_the_source(self):
        """Also what is printed too seldom for a test of all commands."""
        source = ""
        for path in glob.glob(os.path.join(ROOT, "agent", "*", "*.c")):
            with open(path, encoding="utf-8") as file:
                source += file.read()
        words = {word for name, _ in documented.ITEMS for shape in documented.shapes(name) for word in shape}
        self.assertGreater(len(words), 200)
        self.assertEqual(sorted(word for word in words if f'"{word}"' not in source), [])


if __name__ == "__main__":
    unittest.main()
