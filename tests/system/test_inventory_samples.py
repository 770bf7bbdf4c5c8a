#!/usr/bin/python3
"""What the inventory knows of use when a server or a database began to count anew: samples that the service took before."""

import contextlib
import csv
import io
import os
import sqlite3
import time
import unittest

import audit_lab
import lab
from inventory_objects import CUSTOM, OLD, PRODUCT, job_add, named
from service import Service, until


def setUpModule():
    lab.require()


class Reopened(audit_lab.AuditCase):
    """A database that was closed and opened has counters that begin anew, while the server is as old as before."""

    def test_counters_begin_when_a_database_is_opened(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest",)})
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.server.script(f"USE AcmeTest\nGO\n{PRODUCT}\nGO\n{CUSTOM}")
        found.server.faults(**OLD)

        def unused():
            report = found.agent.curfew("inventory", "acme", "--json", expect=0).json
            return named(report, "dbo.Unused")
        self.assertEqual(unused()["color"], "red")
        found.server.sql("ALTER DATABASE AcmeTest SET OFFLINE WITH ROLLBACK IMMEDIATE")
        found.server.sql("ALTER DATABASE AcmeTest SET ONLINE")
        self.assertEqual(unused()["color"], "yellow")
        self.assertRegex(unused()["evidence"], "watched for 0 of 90 days only|no counter of the database shows")


class Samples(audit_lab.AuditCase):
    """The service watches on: what a restart of the server erases was seen before, and counts."""

    @staticmethod
    def all_kept(found):
        path = found.path("decisions.csv")
        rows = list(csv.DictReader(io.StringIO(found.agent.curfew("inventory", "acme", "--csv", expect=0).out)))
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows({**row, "decision": "keep"} for row in rows)
        return path

    def test_a_restart_of_the_server_erases_nothing(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest",)}, limits={"connect_timeout": 60, "server_deadline": 300}, inventory={"sample_hours": 24})
        # Beside the configuration's folder: the service's sandbox has to know of it.
        vendor = found.path("list.json")
        with open(vendor, "w", encoding="utf-8") as file:
            file.write('{"curfew_vendor": 1, "version": "2017", "items": [["table", "dbo.Invoices", ""]]}')
        found.agent.settings["inventory"]["vendor_lists"] = [vendor]
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.server.script(f"USE AcmeTest\nGO\n{PRODUCT}\nGO\n{CUSTOM}")
        job_add(found.server, "Nightly", "AcmeTest", "SELECT 1")
        job_add(found.server, "Nowhere", "master", "SELECT 1")
        found.server.sql("EXEC sp_addlinkedserver @server = N'far'")
        found.server.faults(**OLD)
        found.server.sql("EXEC dbo.Busy", "AcmeTest")

        def colors():
            report = found.agent.curfew("inventory", "acme", "--json", expect=0).json
            return {o["name"]: (o["color"], o["evidence"]) for o in report["objects"]
                    if o["name"] in ("dbo.Used", "dbo.Unused", "dbo.Busy", "dbo.Idle")}

        service = Service(found)
        self.addCleanup(service.close)
        journal = os.path.join(found.agent.settings["state_directory"], "journal.db")

        def sampled():
            with contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as db:
                return db.execute("SELECT max(at) FROM sampled").fetchone()[0]
        until(sampled, lambda: f"a sample is taken:\n{service.log()}")
        self.assertEqual({name: color for name, (color, _) in colors().items()},
                         {"dbo.Used": "green", "dbo.Busy": "green", "dbo.Unused": "red", "dbo.Idle": "red"})
        until(lambda: time.time() > sampled() + 2, "between the sample and the restart lies some time")
        # The server restarts, and Query Store is off for now: what is not watched is not red, and what was used is green.
        found.server.faults(**{"aged-days": "100", "restarted": True, "query-store-days": "0"})
        now = colors()
        self.assertEqual([now[name][0] for name in ("dbo.Used", "dbo.Busy", "dbo.Unused", "dbo.Idle")],
                         ["green", "green", "red", "yellow"], now)
        self.assertRegex(now["dbo.Unused"][1], r"not used for (99|100) days \(watched since .* but for 1 h around restarts\)")
        self.assertIn("Query Store is off", now["dbo.Idle"][1])
        self.assertNotIn("no sample of use", service.log())
        with contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as db:
            self.assertRegex(db.execute("SELECT min(part) FROM watched").fetchone()[0], r"^index-usage/[0-9a-f]{16}$")
        # The numbers of the sample are on the board and in `check`, without a server: the go-live is 20 days ahead.
        found.agent.curfew("inventory", "acme", "--decisions", self.all_kept(found), "--json", expect=0)
        card = found.agent.curfew("board", "--json", expect=0).json[0]["customizations"]
        self.assertEqual((card["undecided"], card["keep"]), (card["red"] + card["yellow"] + card["green"], 0))
        # The same objects as in the report: also the jobs and the linked server.
        objects = found.agent.curfew("inventory", "acme", "--json", expect=0).json["objects"]
        self.assertLessEqual({"Nightly", "Nowhere", "far"}, {o["name"] for o in objects})
        self.assertEqual(card["undecided"], len(objects))
        self.assertIn(f"{card['left']} of {card['left']}", found.agent.curfew("board", expect=0).out)
        page = found.path("board.html")
        found.agent.curfew("board", "--html", page, expect=0)
        with open(page, encoding="utf-8") as file:
            self.assertIn(f"{card['left']} of {card['left']} objects left", file.read())
        self.assertRegex(found.agent.curfew("check", expect=0).out,
                         rf"client0.conf: advice: client acme: {card['left']} of \d+ custom objects are left before go-live")
        progress = found.agent.curfew("inventory", "acme", "--json", expect=0).json["progress"]
        self.assertEqual((progress[-1]["undecided"], progress[-1]["keep"]), (0, card["left"]))
        self.assertIn("custom objects are left before go-live", found.agent.curfew("inventory", "acme", expect=0).out)
        self.assertEqual(service.stop(), 0)
        self.assertIn("intact", found.agent.curfew("history", "verify", expect=0).out)
        # Without the memory the same server shows less.
        with contextlib.closing(sqlite3.connect(journal)) as db:
            for table in ("used", "watched", "tally", "decided", "sampled"):
                db.execute(f"DELETE FROM {table}")
            db.commit()
        self.assertEqual({color for color, _ in colors().values()}, {"yellow"})
        self.assertIn("samples", found.agent.curfew("history", "verify", expect=2).out)


if __name__ == "__main__":
    unittest.main()
