#!/usr/bin/python3
"""The inventory of a database with custom objects of all colors and kinds: each color with the evidence behind it, what
cannot be read is said, and nothing is changed."""

import contextlib
import csv
import io
import os
import sqlite3
import time
import unittest

import audit_lab
import lab
from service import Service, until

HOSTILE = "=cmd|' /C calc'!A0"
PRODUCT = """
CREATE TABLE dbo.Invoices (Id int NOT NULL, Customer nvarchar(100))
GO
CREATE TABLE dbo.Parties (Id int NOT NULL CONSTRAINT pk_Parties PRIMARY KEY)
GO
CREATE PROCEDURE dbo.InvoiceAdd AS INSERT INTO dbo.Invoices (Id, Customer) VALUES (1, N'x')
GO
CREATE PROCEDURE dbo.InvoiceShow AS SELECT Id FROM dbo.Invoices
GO
CREATE VIEW dbo.InvoiceList AS SELECT Id FROM dbo.Invoices
"""
CUSTOM = """
ALTER PROCEDURE dbo.InvoiceShow AS SELECT Id, Customer FROM dbo.Invoices
GO
ALTER TABLE dbo.Invoices ADD Note nvarchar(40) NULL
GO
CREATE TABLE dbo.Used (Id int)
GO
CREATE TABLE dbo.Unused (Id int)
GO
CREATE TABLE dbo.Shown (Id int)
GO
CREATE VIEW dbo.Shows AS SELECT Id FROM dbo.Shown
GO
CREATE PROCEDURE dbo.Busy AS SELECT Id FROM dbo.Used
GO
CREATE PROCEDURE dbo.Idle AS SELECT 1
GO
CREATE PROCEDURE dbo.Caller AS EXEC dbo.Idle2
GO
CREATE PROCEDURE dbo.Dynamic AS EXEC (N'SELECT 1')
GO
CREATE PROCEDURE dbo.Scheduled AS SELECT 1
GO
CREATE PROCEDURE dbo.Writer AS INSERT INTO dbo.Invoices (Id, Customer) VALUES (2, N'y')
GO
CREATE PROCEDURE dbo.Mailer AS EXEC msdb.dbo.sp_send_dbmail @profile_name = N'x'
GO
CREATE PROCEDURE dbo.Ping AS EXEC dbo.Pong
GO
CREATE PROCEDURE dbo.Pong AS EXEC dbo.Ping
GO
CREATE TRIGGER dbo.InvoiceCopy ON dbo.Invoices AFTER INSERT AS SELECT 1
GO
CREATE SYNONYM dbo.Far FOR Elsewhere.dbo.Thing
GO
CREATE SEQUENCE dbo.Numbers AS int START WITH 1
GO
CREATE TYPE dbo.Short FROM nvarchar(10)
GO
CREATE PROCEDURE dbo.[=cmd|' /C calc'!A0] AS SELECT 1
GO
CREATE TABLE dbo.[<b>Bobby</b>] (Id int)
"""
MORE = "\nGO\n".join(f"CREATE PROCEDURE dbo.Report{n:03} AS SELECT {n}" for n in range(90))


OLD = {"aged-days": "100", "query-store": "AcmeTest:ALL", "query-store-days": "0"}


def job_add(server, name, database, command):
    server.sql(f"EXEC msdb.dbo.sp_add_job @job_name = N'{name}'; EXEC msdb.dbo.sp_add_jobstep @job_name = N'{name}', "
               f"@step_name = N's', @subsystem = N'TSQL', @command = N'{command}', @database_name = N'{database}'")


def setUpModule():
    lab.require()


class Inventory(audit_lab.AuditCase):
    @classmethod
    def setUpClass(cls):
        cls.found = audit_lab.AuditLab(servers={"sql01": ("AcmeTest", "AcmeProd", "Clean", "Elsewhere")})
        found = cls.found
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        for database in ("AcmeTest", "Clean"):
            found.server.script(f"USE {database}\nGO\n{PRODUCT}")
        found.server.sql("USE Clean; CREATE USER curfew_agent FOR LOGIN curfew_agent; ALTER ROLE db_owner ADD MEMBER curfew_agent")
        cls.vendor = found.path("product.json")
        with open(cls.vendor, "w", encoding="utf-8") as file:
            file.write(found.agent.curfew("inventory", "--vendor", "sql01", "Clean", expect=0).out)
        found.agent.settings["inventory"] = {"vendor_lists": [cls.vendor]}
        found.agent.write()
        found.server.script(f"USE AcmeTest\nGO\n{CUSTOM}\nGO\n{MORE}")
        job_add(found.server, "Nightly", "AcmeTest", "EXEC dbo.Scheduled -- secret-word")
        job_add(found.server, "OfOthers", "Elsewhere", "EXEC dbo.Thing")
        found.server.faults(**OLD)
        found.server.sql("EXEC dbo.Busy", "AcmeTest")

    @classmethod
    def tearDownClass(cls):
        faults = cls.found.close()
        assert not faults, faults

    def setUp(self):
        self.faults()

    def faults(self, **faults):
        self.found.server.faults(**{**OLD, **faults})

    def inventory(self, *options, expect=0):
        return self.found.agent.curfew("inventory", "acme", "--json", *options, expect=expect).json

    @staticmethod
    def named(report, name):
        found = [o for o in report["objects"] if o["name"] == name]
        assert len(found) == 1, (name, found)
        return found[0]

    def test_every_color_with_its_evidence(self):
        report = self.inventory()
        self.assertEqual([(d["database"], d["read"]) for d in report["databases"]], [("AcmeTest", True)])
        expected = {
            "dbo.InvoiceShow": ("changed", "red", "not used for 100 days"),
            "dbo.Invoices.Note": ("client", "yellow", "does not record"),
            "dbo.Used": ("client", "green", "(index-usage)"),
            "dbo.Unused": ("client", "red", "nothing refers to it"),
            "dbo.Shown": ("client", "yellow", "view dbo.Shows refers to it"),
            "dbo.Shows": ("client", "yellow", "does not record"),
            "dbo.Busy": ("client", "green", "used on"),
            "dbo.Idle": ("client", "red", "not used for 100 days"),
            "dbo.Caller": ("client", "yellow", "it holds no query"),
            "dbo.Dynamic": ("client", "yellow", "dynamic SQL"),
            "dbo.Scheduled": ("client", "yellow", "job Nightly refers to it"),
            "dbo.Numbers": ("client", "yellow", "does not record"),
            "Nightly": ("unknown", "yellow", "does not record"),
            "dbo.Ping": ("client", "yellow", "procedure dbo.Pong refers to it"),
        }
        for name, (owner, color, words) in expected.items():
            found = self.named(report, name)
            self.assertEqual((found["class"], found["color"]), (owner, color), found)
            self.assertIn(words, found["evidence"])
            # Since when its use would have been seen; null where no server sees it.
            self.assertEqual(found["watched_since"] is None, found["type"] in ("column", "view", "sequence", "job")
                             or name in ("dbo.Caller", "dbo.Dynamic", "dbo.Ping"), found)
        # Of the product, or of a database that is not the client's.
        self.assertFalse([o for o in report["objects"]
                          if o["name"] in ("dbo.Invoices", "dbo.InvoiceAdd", "dbo.InvoiceList", "OfOthers")])
        self.assertGreaterEqual(report["colors"]["red"], 90)
        # The server, the places of databases, the database.
        self.assertEqual(report["round_trips"], 4)

    def test_cloud_risks(self):
        report = self.inventory()
        for name, risk in {"dbo.InvoiceCopy": "trigger-on-product-table", "dbo.Writer": "writes-product-table",
                           "dbo.Far": "other-database", "dbo.Mailer": "database-mail", "Nightly": "agent-job"}.items():
            self.assertIn(risk, self.named(report, name)["cloud"], name)
        self.assertEqual(self.named(report, "dbo.Idle")["cloud"], [])

    def test_cycles_and_rounds(self):
        report = self.inventory()
        ping, pong = self.named(report, "dbo.Ping"), self.named(report, "dbo.Pong")
        self.assertTrue(ping["cycle"] and ping["cycle"] == pong["cycle"])
        self.assertEqual(self.named(report, "dbo.Shows")["round"], 1)
        self.assertEqual(self.named(report, "dbo.Shown")["round"], 2)

    def test_less_evidence_is_less_sure(self):
        self.faults(**{"query-store": "AcmeTest:AUTO"})
        report = self.inventory()
        self.assertEqual(self.named(report, "dbo.Idle")["color"], "yellow")
        self.assertIn("does not capture all", self.named(report, "dbo.Idle")["evidence"])
        self.assertEqual(self.named(report, "dbo.Unused")["color"], "red")
        # One that takes in nothing, or removes queries for its size or their age, proves nothing by what is not in it.
        for mode, days, words in (("READ_ONLY", "0", "nearly full"), ("FULL", "0", "nearly full"),
                                  ("ALL", "30", "watched for 30 of 90 days only")):
            self.faults(**{"query-store": f"AcmeTest:{mode}", "query-store-days": days})
            found = self.named(self.inventory(), "dbo.Idle")
            self.assertEqual(found["color"], "yellow", (mode, days))
            self.assertIn(words, found["evidence"])
        self.faults(**{"aged-days": "0"})
        report = self.inventory()
        self.assertEqual(report["colors"]["red"], 0)
        self.assertIn("watched for 0 of 90 days only", self.named(report, "dbo.Unused")["evidence"])

    def test_a_view_that_fails_costs_its_part(self):
        self.faults(**{"fail-on": "sys.sql_expression_dependencies,297"})
        report = self.inventory()
        self.assertIn({"server": "sql01", "database": "AcmeTest", "part": "reference"},
                      [{k: u[k] for k in ("server", "database", "part")} for u in report["unread"]])
        self.assertEqual(report["colors"]["red"], 0)
        self.assertIn("references between modules were not read", self.named(report, "dbo.Unused")["evidence"])

    def test_a_database_that_cannot_be_read_is_unread(self):
        for fault in ({"database-state": "AcmeTest:offline"}, {"fail-on": "FROM sys.objects AS o JOIN sys.schemas,297"}):
            self.faults(**fault)
            report = self.inventory(expect=1)
            self.assertEqual([(d["database"], d["read"]) for d in report["databases"]], [("AcmeTest", False)])
            self.assertTrue(report["databases"][0]["detail"])
            self.assertEqual([o for o in report["objects"] if o["database"]], [])

    def test_csv_is_harmless_and_whole(self):
        out = self.found.agent.curfew("inventory", "acme", "--csv", expect=0).out
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual(len(rows), len(self.inventory()["objects"]))
        for row in rows:
            for cell in row.values():
                self.assertNotIn(cell[:1], ("=", "+", "-", "@", "\t", "\r"), row)
        self.assertTrue([row for row in rows if row["object"] == "dbo." + HOSTILE])

    def test_page(self):
        path = self.found.path("inventory.html")
        self.found.agent.curfew("inventory", "acme", "--html", path, expect=0)
        with open(path, encoding="utf-8") as file:
            page = file.read()
        self.assertIn("dbo.&lt;b&gt;Bobby&lt;/b&gt;", page)
        self.assertNotIn("<b>Bobby", page)
        self.assertNotIn("<script", page)
        self.assertIn('<tr class="red client">', page)
        self.assertEqual(os.stat(path).st_uid, 0)

    def test_drop_script(self):
        script = self.found.agent.curfew("inventory", "acme", "--drop", expect=0).out
        self.assertIn("USE [AcmeTest];", script)
        self.assertIn("DROP TABLE [dbo].[Unused];", script)
        self.assertIn("DROP PROCEDURE [dbo].[=cmd|' /C calc'!A0];", script)
        for name in ("Invoices", "Used", "InvoiceShow", "Scheduled"):
            self.assertNotIn(f"[{name}];", script)

    def test_decisions_go_around(self):
        path = self.found.path("decisions.csv")
        rows = list(csv.DictReader(io.StringIO(self.found.agent.curfew("inventory", "acme", "--csv", expect=0).out)))
        for row in rows:
            if row["object"] in ("dbo.Unused", "dbo.Used", "dbo.Shown"):
                row.update(decision="drop", owner="Jane", due="2027-01-11", note="asked")
            if row["object"] == "dbo.Idle":
                row.update(decision="keep", replacement="a panel")
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        merged = self.found.agent.curfew("inventory", "acme", "--decisions", path, "--csv", expect=0).out
        # Dates are distances from the server's clock: a second more or less.
        kept = ("object", "color", "decision", "replacement", "owner", "due", "note")
        self.assertEqual([[row[name] for name in kept] for row in csv.DictReader(io.StringIO(merged))],
                         [[row[name] for name in kept] for row in rows])
        report = self.inventory("--decisions", path)
        self.assertEqual(self.named(report, "dbo.Unused")["decision"], "drop")
        self.assertEqual([words[:58] for words in report["decisions"]],
                         ["conflict: table dbo.Used must be dropped by decision, but i"[:58]])
        script = self.found.agent.curfew("inventory", "acme", "--decisions", path, "--drop", expect=0).out
        self.assertIn("DROP TABLE [dbo].[Unused];", script)
        self.assertIn("-- not yet: view dbo.Shows refers to it, and stays", script)
        self.assertNotIn("[Idle]", script)
        with open(path, "a", encoding="utf-8") as file:
            file.write("sql01,AcmeTest,table,dbo.Unused,client,red,,,,,,,,,,,perhaps,,,,\n")
        self.assertIn('invalid decision "perhaps"; use keep',
                      self.found.agent.curfew("inventory", "acme", "--decisions", path, expect=64).err)
        # The journal keeps them, with who decided and when, until they are taken back.
        self.assertEqual(self.named(self.inventory(), "dbo.Unused")["decision"], "drop")
        self.assertIn("inventory-decisions", self.found.agent.curfew("history", "acme", expect=0).out)
        self.assertIn("intact", self.found.agent.curfew("history", "verify", expect=0).out)
        for row in rows:
            row.update(decision="none" if row["decision"] else "")
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        report = self.inventory("--decisions", path)
        self.assertIsNone(self.named(report, "dbo.Unused")["decision"])
        self.assertIn("decided anew: table dbo.Unused was drop and is none", report["decisions"])

    def test_secrets_and_changes(self):
        """A job's command is shown nowhere, and nothing but questions was sent."""
        for options in (("--json",), ("--csv",), ()):
            self.assertNotIn("secret-word", self.found.agent.curfew("inventory", "acme", *options, expect=0).out)
        for record in self.found.server.records("batch"):
            if record["login"] == "curfew_agent" and "[part]" in record["text"]:
                self.assertTrue(record["text"].lstrip().startswith(audit_lab.HARMLESS), record["text"])

    def test_usage(self):
        for words in (("acme", "Extra"), ("--vendor", "sql01")):
            self.assertIn("write either", self.found.agent.curfew("inventory", *words, expect=64).err)
        self.assertIn("has no database 'Nowhere'",
                      self.found.agent.curfew("inventory", "acme", "--database", "Nowhere", expect=64).err)
        with open(self.vendor, "r+", encoding="utf-8") as file:
            whole = file.read()
            file.seek(0)
            file.truncate()
            file.write("{}")
            file.flush()
            self.assertIn("invalid vendor list", self.found.agent.curfew("inventory", "acme", expect=78).err)
            file.seek(0)
            file.truncate()
            file.write(whole)


class Reopened(audit_lab.AuditCase):
    """A database that was closed and opened has counters that begin anew, while the server is as old as before."""

    def test_counters_begin_when_a_database_is_opened(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest",)})
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.server.script(f"USE AcmeTest\nGO\n{PRODUCT}\nGO\n{CUSTOM}")
        found.server.faults(**OLD)

        def unused():
            report = found.agent.curfew("inventory", "acme", "--json", expect=0).json
            return Inventory.named(report, "dbo.Unused")
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
        found = self.lab_make(servers={"sql01": ("AcmeTest",)}, inventory={"sample_hours": 24})
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
