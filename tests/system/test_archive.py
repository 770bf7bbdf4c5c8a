#!/usr/bin/python3
"""Older records in a file of their own: nothing is lost, the chain is whole over both, and what dies leaves no loose end."""

import os
import signal
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER, LabCase  # noqa: E402
from lab import days  # noqa: E402
from service import ServiceCase, until  # noqa: E402


def setUpModule():
    lab.require()


class Archive(LabCase):
    def test_records_move_and_the_chain_stays(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest",)})
        agent = found.agent
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.applied(agent)
        before = agent.curfew("history", "--json", expect=0).json
        # Records and --to are whole seconds: "now" must be a later one.
        written = lab.now()
        until(lambda: lab.now() > written, "the next second")
        file = found.path("2026.db")
        self.assertIn("option --to is required", agent.curfew("archive", file, expect=64).err)
        self.assertIn("in the future", agent.curfew("archive", file, "--to", "2999-01-01", expect=64).err)
        self.assertFalse(os.path.exists(file))
        moved = agent.curfew("archive", file, "--to", "now", "--reason", "a new year", "--json", expect=0).json
        # A digest of the tables stands behind each batch of records; the history does not show it.
        self.assertIn(moved["up_to"] - before[-1]["id"], (0, 1))
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as archive:
            self.assertEqual(archive.execute("SELECT count(*) FROM record WHERE kind <> 'state'").fetchone()[0], len(before))
        after = agent.curfew("history", "--json", expect=0).json
        self.assertGreater(min(entry["id"] for entry in after), moved["up_to"])
        self.assertIn("a new year", agent.curfew("history", expect=0).out)
        # Only what the file has was checked.
        said = agent.curfew("history", "verify", expect=0).out
        head = agent.curfew("history", "verify", "--json", expect=0).json
        self.assertIn(f"intact: records {moved['up_to'] + 1} to {head['head']}, head", said)
        self.assertIn(f"Not checked: the archived records 1 to {moved['up_to']}, the last of them in {file}", said)
        self.assertEqual((head["first"], head["archive"]), (moved["up_to"] + 1, file))
        said = agent.curfew("history", "verify", "--journal", file, expect=0).out
        self.assertIn(f"intact: {moved['up_to']} records, head {moved['hash']}", said)
        # Who has what is still answered, and a pass finds nothing to do.
        self.assertIn(USER, agent.curfew("history", "--at", "now", expect=0).out)
        agent.plan(expect=0)
        # Never over another, and never twice the same.
        self.assertIn("already exists", agent.curfew("archive", file, "--to", "now", expect=1).err)
        found.server.faults()


class Loose(ServiceCase):
    def test_what_died_in_the_middle_is_on_record_as_unknown(self):
        service = self.service_make(lab.now() + days(20))
        self.elements_come(2)
        until(lambda: service.figure("curfew_passes_total"), "the pass at the start has ended")
        # A server that takes long over each statement: killed between intent and outcome.
        self.found.server.faults(delay=1000)
        self.found.server.sql(f"ALTER ROLE [db_owner] ADD MEMBER [{USER}]", "AcmeTest")
        asked = self.agent.start("apply")
        until(self.stopped_in_the_middle, "announced")
        # The service first: it would put the outcome on record as soon as it saw its worker die.
        for pid in (service.process.pid, *service.children()):
            os.kill(pid, signal.SIGKILL)
        service.process.wait(60)
        asked.communicate(timeout=60)
        self.found.server.faults()
        loose = self.loose_ends()
        self.assertTrue(loose, "nothing was left loose: this test has tested nothing")
        service.start()
        self.assertEqual(set(loose) & set(self.loose_ends()), set())
        self.assertIn("unknown", {entry["outcome"] for entry in self.agent.curfew("history", "--json", expect=0).json})
        self.role_comes("curfew_full")
        until(lambda: not self.loose_ends(), "nor is anything left of the pass at the start")

    def stopped_in_the_middle(self):
        """Whether the service stands still between intent and outcome: it goes on where the outcome came meanwhile."""
        if not self.loose_ends():
            return False
        self.service.process.send_signal(signal.SIGSTOP)
        if self.loose_ends():
            return True
        self.service.process.send_signal(signal.SIGCONT)
        return False

    def loose_ends(self):
        """Announced changes without an outcome."""
        entries = self.agent.curfew("history", "--json", expect=0).json
        ended = {entry["intent"] for entry in entries if entry["kind"] == "outcome"}
        return [entry["id"] for entry in entries if entry["kind"] == "intent" and entry["id"] not in ended]


if __name__ == "__main__":
    unittest.main()
