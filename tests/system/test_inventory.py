#!/usr/bin/python3
"""The inventory of a database with custom objects of all colors and kinds: each color with the evidence behind it, what
cannot be read is said, and nothing is changed."""

import csv
import io
import os
import unittest

import audit_lab
import lab
from inventory_objects import CUSTOM, DEPENDENT, HOSTILE, MORE, OLD, PRODUCT, job_add, named


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
            found = named(report, name)
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
            self.assertIn(risk, named(report, name)["cloud"], name)
        self.assertEqual(named(report, "dbo.Idle")["cloud"], [])

    def test_cycles_and_rounds(self):
        report = self.inventory()
        ping, pong = named(report, "dbo.Ping"), named(report, "dbo.Pong")
        self.assertTrue(ping["cycle"] and ping["cycle"] == pong["cycle"])
        self.assertEqual(named(report, "dbo.Shows")["round"], 1)
        self.assertEqual(named(report, "dbo.Shown")["round"], 2)

    def test_less_evidence_is_less_sure(self):
        self.faults(**{"query-store": "AcmeTest:AUTO"})
        report = self.inventory()
        self.assertEqual(named(report, "dbo.Idle")["color"], "yellow")
        self.assertIn("does not capture all", named(report, "dbo.Idle")["evidence"])
        self.assertEqual(named(report, "dbo.Unused")["color"], "red")
        # One that takes in nothing, or removes queries for its size or their age, proves nothing by what is not in it.
        for mode, days, words in (("READ_ONLY", "0", "nearly full"), ("FULL", "0", "nearly full"),
                                  ("ALL", "30", "watched for 30 of 90 days only")):
            self.faults(**{"query-store": f"AcmeTest:{mode}", "query-store-days": days})
            found = named(self.inventory(), "dbo.Idle")
            self.assertEqual(found["color"], "yellow", (mode, days))
            self.assertIn(words, found["evidence"])
        self.faults(**{"aged-days": "0"})
        report = self.inventory()
        self.assertEqual(report["colors"]["red"], 0)
        self.assertIn("watched for 0 of 90 days only", named(report, "dbo.Unused")["evidence"])

    def test_a_view_that_fails_costs_its_part(self):
        self.faults(**{"fail-on": "sys.sql_expression_dependencies,297"})
        report = self.inventory()
        self.assertIn({"server": "sql01", "database": "AcmeTest", "part": "reference"},
                      [{k: u[k] for k in ("server", "database", "part")} for u in report["unread"]])
        self.assertEqual(report["colors"]["red"], 0)
        self.assertIn("references between modules were not read", named(report, "dbo.Unused")["evidence"])

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
        self.assertEqual(named(report, "dbo.Unused")["decision"], "drop")
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
        self.assertEqual(named(self.inventory(), "dbo.Unused")["decision"], "drop")
        self.assertIn("inventory-decisions", self.found.agent.curfew("history", "acme", expect=0).out)
        self.assertIn("intact", self.found.agent.curfew("history", "verify", expect=0).out)
        for row in rows:
            row.update(decision="none" if row["decision"] else "")
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        report = self.inventory("--decisions", path)
        self.assertIsNone(named(report, "dbo.Unused")["decision"])
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


class Dropping(audit_lab.AuditCase):
    """The script of what is to go, run by a DBA: SQL Server refuses none of it."""
    @classmethod
    def setUpClass(cls):
        cls.found = found = audit_lab.AuditLab(servers={"sql01": ("AcmeTest", "AcmeProd")})
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.server.script(f"USE AcmeTest\nGO\n{PRODUCT}")
        vendor = found.path("product.json")
        with open(vendor, "w", encoding="utf-8") as file:
            file.write(found.agent.curfew("inventory", "--vendor", "sql01", "AcmeTest", expect=0).out)
        found.agent.settings["inventory"] = {"vendor_lists": [vendor]}
        found.agent.write()
        found.server.script(f"USE AcmeTest\nGO\n{DEPENDENT}")

    @classmethod
    def tearDownClass(cls):
        faults = cls.found.close()
        assert not faults, faults

    def drop(self, *names):
        path = self.found.path("decisions.csv")
        out = self.found.agent.curfew("inventory", "acme", "--csv", expect=0).out
        rows = list(csv.DictReader(io.StringIO(out)))
        for row in rows:
            row["decision"] = "drop" if row["object"] in names else "keep"
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        return self.found.agent.curfew("inventory", "acme", "--decisions", path, "--drop", expect=0).out

    def test_columns_go_after_what_depends_on_them(self):
        script = self.drop("dbo.Parties.Code", "dbo.Parties.Price", "dbo.Parties.Half", "dbo.Parties.uq_Code", "dbo.Parties.ix_Price")
        self.found.server.script(script)
        left = self.found.server.sql("SELECT name FROM sys.columns WHERE object_id = OBJECT_ID(N'dbo.Parties')", "AcmeTest")
        self.assertEqual(left, [["Id"]])
        self.assertIn("DROP CONSTRAINT [fk_Code];", script)

    def test_tables_in_a_cycle_go_after_their_keys(self):
        self.found.server.script(self.drop("dbo.First", "dbo.Second"))
        left = self.found.server.sql("SELECT name FROM sys.tables WHERE name IN (N'First', N'Second')", "AcmeTest")
        self.assertEqual(left, [])


if __name__ == "__main__":
    unittest.main()
