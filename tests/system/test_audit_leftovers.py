#!/usr/bin/python3
"""Residual access of a former full-access user or a DBA: each kind is planted by T-SQL, found by its check with evidence and
remedy, and gone after a DBA runs the remedy. A clean server has no findings."""

import re
import unittest

import audit_lab
import lab
from leftover_plants import OWNERSHIP, RIGHTS, SINCE_THE_BASELINE, USERS, WHAT_RUNS
from practice import SqlRefused

# What a remedy may meet when another one took the thing away before: it is not there any more.
GONE = (208, 3701, 14262, 15015, 15151, 15007, 15404, 15009, 14277)


def setUpModule():
    lab.require()


class Leftovers(audit_lab.AuditCase):
    @classmethod
    def setUpClass(cls):
        # One database of the client may hold users with passwords of their own, one of the server is nobody's here.
        cls.lab = audit_lab.AuditLab({"sql01": ("AcmeTest", "Elsewhere")},
                                     script="CREATE DATABASE [AcmeProd] CONTAINMENT = PARTIAL;\nGO\n")
        cls.addClassCleanup(cls.lab.close)
        cls.server = cls.lab.server
        cls.server.sql("CREATE USER [helper] WITHOUT LOGIN", "AcmeTest")
        for verb in ("CREATE", "ALTER"):
            cls.server.sql(f"{verb} PROCEDURE dbo.sp_Tool AS SELECT 1", "master")
        for batch in ("CREATE PROCEDURE dbo.Twice AS SELECT 1", "CREATE PROCEDURE dbo.Twice;2 AS SELECT 1", "ALTER PROCEDURE dbo.Twice;2 AS SELECT 2",
                      "CREATE QUEUE dbo.Inbox", "CREATE TABLE dbo.Customers (Id int)", "CREATE TABLE dbo.Suppliers (Id int)"):
            cls.server.sql(batch, "AcmeTest")
        cls.server.sql("CREATE TRIGGER dbo.OldTrigger ON dbo.Orders AFTER DELETE AS SELECT 1;", "AcmeTest")
        cls.lab.client_add("acme", [("staging", "sql01", "AcmeTest"),
                                    ("production", "sql01", "AcmeProd", "read-only")])
        cls.lab.agent.apply()

    def told(self):
        """What there is to say; `helper`, who was there from the beginning, is no news, and a table's date moves on."""
        result = self.lab.agent.curfew("audit", "--json")
        self.last = result
        return [f for f in result.json["findings"]
                if not (f["name"] == "loginless-user" and f["evidence"].startswith("helper:"))
                and not (f["name"] == "changed-table" and ": USER_TABLE" in f["evidence"])]

    def remedy_run(self, finding, strict):
        if finding["name"] == "effective-permission":
            return  # what it rests on has a finding of its own
        try:
            self.server.sql(finding["remedy"])
        except SqlRefused as error:
            if strict or error.number not in GONE:
                raise AssertionError(f"{finding['name']}: {finding['remedy']}: {error}") from error

    def plant(self, p):
        for batch in p.batches:
            self.server.sql(batch, p.database)
        found = [f for f in self.told() if p.check in audit_lab.checks(f) and p.evidence in f["evidence"]]
        self.assertEqual(len(found), 1, f"{p.check} with “{p.evidence}” in\n{self.last}")
        self.assertIn(found[0]["severity"], ("low", "medium", "high", "critical"))
        self.assertTrue(found[0]["remedy"])
        self.assertEqual(found[0]["server"], "sql01")
        if found[0]["severity"] != "low":
            self.assertEqual(self.last.code, 2)
        return found[0]

    def clean_up(self, p, finding):
        self.assertNotIn("DROP TABLE", finding["remedy"])
        if not p.shown and p.check not in ("changed-definition", "changed-setting"):
            self.remedy_run(finding, strict=True)
            left = [f for f in self.told() if p.check in audit_lab.checks(f) and p.evidence in f["evidence"]]
            self.assertEqual(left, [], "the remedy did not help")
        else:
            self.remedy_run(finding, strict=p.check != "changed-setting")
        for batch in p.undo:
            self.server.sql(batch, p.database)
        for other in self.told():
            self.remedy_run(other, strict=False)

    def test_what_the_operator_has_reviewed(self):
        """What the configuration names is told as information, with where it leads; its neighbor is a finding."""
        settings = self.lab.agent.servers["sql01"]
        self.addCleanup(self.lab.agent.write)
        for check, setting, batches, undo in (
                ("linked-server", "known_linked_servers",
                 ("EXEC sp_addlinkedserver @server = N'{0}', @srvproduct = N'', @provider = N'MSOLEDBSQL', "
                  "@datasrc = N'192.0.2.99'",), ()),
                ("agent-proxy", "known_proxies",
                 ("CREATE CREDENTIAL [{0}] WITH IDENTITY = N'svc', SECRET = N'Svc-Passw0rd'",
                  "EXEC msdb.dbo.sp_add_proxy @proxy_name = N'{0}', @credential_name = N'{0}', @enabled = 1"),
                 ("DROP CREDENTIAL [{0}]",)),
                ("server-trigger", "known_triggers",
                 ("CREATE TRIGGER [{0}] ON ALL SERVER FOR LOGON AS SELECT 1",), ()),
                ("ddl-trigger", "known_triggers",
                 ("USE [AcmeTest]; EXEC (N'CREATE TRIGGER [{0}] ON DATABASE FOR CREATE_USER AS SELECT 1')",), ())):
            with self.subTest(check):
                for name in ("ours", "theirs"):
                    for batch in batches:
                        self.server.sql(batch.format(name), "master")
                # When it was first seen is not asked here: the first audit has no answer yet.
                def found_now(check=check):
                    return {f["evidence"].split(":")[0]: {**f, "first_seen": None} for f in self.told() if f["name"] == check}
                unknown = found_now()
                self.assertEqual(set(unknown), {"ours", "theirs"})
                settings[setting] = ["ours"]
                self.lab.agent.write()
                if check == "ddl-trigger":  # reviewed is a text, not a name
                    self.assertEqual(found_now(), unknown)
                    settings[setting] = re.findall(r'"(ours sha256:[0-9a-f]{64})"', self.lab.agent.plan().out)[:1]
                    self.lab.agent.write()
                found = found_now()
                del settings[setting]
                self.lab.agent.write()
                self.assertEqual(found["theirs"], unknown["theirs"])
                self.assertEqual(found["ours"]["severity"], "info")
                self.assertEqual(found["ours"]["evidence"], f"{unknown['ours']['evidence']}; reviewed: listed in {setting}")
                self.assertFalse(found["ours"]["remedy"])
                for finding in unknown.values():
                    self.remedy_run(finding, strict=True)
                for name, batch in ((n, b) for n in unknown for b in undo):
                    self.server.sql(batch.format(name), "master")
                for other in self.told():
                    self.remedy_run(other, strict=False)
                self.assertEqual(self.told(), [])

    def test_reviewed_names_that_nothing_bears(self):
        """Each is a finding that fails nothing, and none where the question was not answered."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        self.clean(found)
        lists = {"known_triggers": "gone", "known_linked_servers": "far", "known_proxies": "mailer"}
        found.agent.servers["sql01"].update({setting: [name] for setting, name in lists.items()})
        found.agent.write()
        findings = self.audit(found, 0)["findings"]
        self.assertEqual({(f["name"], f["severity"]) for f in findings}, {("unused-review", "low")})
        self.assertEqual(sorted(f["evidence"].split(",")[0] for f in findings),
                         sorted(f'{setting} lists "{name}"' for setting, name in lists.items()))
        for finding in findings:
            self.assertIn("remove the entry", finding["remedy"])
        found.server.faults(fail_on=[["FROM msdb.dbo.sysproxies", 229]])
        self.assertEqual({f["name"] for f in self.audit(found, 2)["findings"]}, {"not-shown"})

    def test_a_server_trigger_known_by_its_name_has_another_text(self):
        found = self.lab_make()
        found.server.sql("CREATE TRIGGER [watch] ON ALL SERVER FOR CREATE_DATABASE AS SELECT 1", "master")
        found.agent.servers["sql01"]["known_triggers"] = ["watch"]
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        self.assertEqual([f["name"] for f in self.audit(found, 0)["findings"]], ["server-trigger"])
        found.server.sql("ALTER TRIGGER [watch] ON ALL SERVER FOR CREATE_DATABASE AS SELECT 666", "master")
        finding = next(f for f in self.audit(found, 2)["findings"] if "changed-server-module" in audit_lab.checks(f))
        self.assertIn("[watch]: ", finding["evidence"])
        shown = [f for f in found.server.sql("SELECT m.definition FROM sys.server_sql_modules AS m", "master")]
        self.assertIn("666", shown[0][0])

    def test_ways_past_the_packet_filter(self):
        """Another port, and the listener of a contained group: what is guarded and closed is not all that there is."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        self.clean(found)
        found.server.faults(second_port=14331, contained_group=True)
        told = {f["name"]: f for f in self.audit(found, 2)["findings"]}
        self.assertEqual(set(told), {"unguarded-listener", "contained-group"})
        self.assertIn("0.0.0.0:14331", told["unguarded-listener"]["evidence"])
        self.assertIn("replicas", told["contained-group"]["remedy"])

    def test_the_other_family(self):
        """A server listens in both families; where only one is an endpoint, the other is open."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        del found.agent.servers["sql01"]["endpoints"][1]
        found.agent.write()
        told, = self.audit(found, 2)["findings"]
        self.assertEqual((told["name"], told["severity"]), ("unguarded-listener", "high"))
        self.assertIn("[::]:1433", told["evidence"])
        found.agent.servers["sql01"]["known_listeners"] = ["[::]:1433"]
        found.agent.write()
        self.assertEqual([f["severity"] for f in self.audit(found, 0)["findings"]], ["info"])

    def test_reviewed_is_no_reason_for_exit_2(self):
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        self.clean(found)
        found.server.sql("EXEC sp_addlinkedserver @server = N'REPORTING', @srvproduct = N'', "
                         "@provider = N'MSOLEDBSQL', @datasrc = N'192.0.2.99'", "master")
        self.audit(found, 2)
        found.agent.servers["sql01"]["known_linked_servers"] = ["REPORTING"]
        found.agent.write()
        self.assertEqual([f["severity"] for f in self.audit(found, 0)["findings"]], ["info"])
        # Letter by letter: another name is another server.
        found.agent.servers["sql01"]["known_linked_servers"] = ["reporting"]
        found.agent.write()
        self.audit(found, 2)

    def test_what_was_changed_is_shown(self):
        """What has no text is shown by the catalog: a remedy that yields nothing but NULL is none."""
        found = self.lab_make()
        found.server.sql("CREATE USER [helper] WITHOUT LOGIN; CREATE SYNONYM dbo.Away FOR dbo.Orders", "AcmeTest")
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        found.server.sql("WAITFOR DELAY '00:00:00.02'; ALTER TABLE dbo.Orders ADD Note nvarchar(9) NULL", "AcmeTest")
        for batch in ("DROP USER [helper]", "CREATE USER [helper] WITHOUT LOGIN", "DROP SYNONYM dbo.Away",
                      "CREATE SYNONYM dbo.Away FOR dbo.Customers"):
            found.server.sql(batch, "AcmeTest")
        told = {f["evidence"].split(":")[0]: f for f in self.audit(found)["findings"]
                if f["name"].startswith(("changed-", "replaced-"))}
        for name, check, shown in (("[dbo].[Orders]", "changed-table", "Note"),
                                   ("[dbo].[Away]", "changed-definition", "[dbo].[Customers]"),
                                   ("[helper]", "replaced-principal", "helper")):
            with self.subTest(name):
                self.assertEqual(told[name]["name"], check)
                rows = found.server.sql(told[name]["remedy"])
                self.assertIn(shown, [value for row in rows for value in row])

    def test_another_clients_database_is_left_out(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest", "GammaTest", "Elsewhere")})
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.client_add("gamma", [("staging", "sql01", "GammaTest")], users=(("Bo", "Li"),))
        found.agent.apply()
        self.assertEqual(found.agent.curfew("audit", "gamma", "--json", expect=0).json["findings"], [])
        found.server.sql("CREATE USER [mallory] WITHOUT LOGIN", "AcmeTest")
        # By name it is gamma's, wherever she turns up.
        found.server.sql("CREATE USER [gamma.bo.li] FOR LOGIN [gamma.bo.li]", "Elsewhere")

        def databases(*client):
            audit = found.agent.curfew("audit", *client, "--json").json
            return {f["database"] for f in audit["findings"]}

        self.assertEqual(databases(), {"AcmeTest", "Elsewhere"})
        self.assertEqual(databases("acme"), {"AcmeTest"})
        self.assertEqual(databases("gamma"), {"Elsewhere"})
        found.server.sql("DROP USER [gamma.bo.li]", "Elsewhere")
        self.assertEqual(found.agent.curfew("audit", "gamma", "--json", expect=0).json["findings"], [])
        found.server.sql("EXEC sp_addlinkedserver @server = N'away', @srvproduct = N'', @provider = N'MSOLEDBSQL', "
                         "@datasrc = N'192.0.2.99'", "master")
        told = found.agent.curfew("audit", "gamma", "--json", expect=2).json["findings"]
        self.assertEqual([f["name"] for f in told], ["linked-server"])

    def each_is_found_and_its_remedy_helps(self, plants):
        self.assertEqual(self.told(), [])
        self.assertEqual(self.last.code, 2, "helper is a finding, and nothing else is")
        for p in plants:
            with self.subTest(check=p.check, evidence=p.evidence):
                self.clean_up(p, self.plant(p))
                self.assertEqual(self.told(), [])

    def test_users(self):
        self.each_is_found_and_its_remedy_helps(USERS)

    def test_since_the_baseline(self):
        self.each_is_found_and_its_remedy_helps(SINCE_THE_BASELINE)

    def test_rights(self):
        self.each_is_found_and_its_remedy_helps(RIGHTS)

    def test_ownership(self):
        self.each_is_found_and_its_remedy_helps(OWNERSHIP)

    def test_what_runs(self):
        self.each_is_found_and_its_remedy_helps(WHAT_RUNS)


if __name__ == "__main__":
    unittest.main()
