#!/usr/bin/python3
"""Residual access of a former full-access user or a DBA: each kind is planted by T-SQL, found by its check with evidence and
remedy, and gone after a DBA runs the remedy. A clean server has no findings."""

import re
import unittest
from dataclasses import dataclass

import audit_lab
import lab
from practice import SqlRefused

USER = "acme.jane.doe"
# What a remedy may meet when another one took the thing away before: it is not there any more.
GONE = (208, 3701, 14262, 15015, 15151, 15007, 15404, 15009, 14277)


def setUpModule():
    lab.require()


@dataclass
class Plant:
    """`batches` run as sa in `database`; `check` must then say `evidence`. `undo`: what no remedy takes away."""
    check: str
    batches: tuple
    evidence: str
    database: str = "AcmeTest"
    undo: tuple = ()
    mended: bool = False   # by `curfew apply` as well: it concerns Curfew's own users
    shown: bool = False    # the remedy shows it: a person must judge what holds data


MALLORY = "CREATE USER [mallory] WITHOUT LOGIN"
NO_MALLORY = "DROP USER [mallory]"
TABLE = "ON OBJECT::dbo.Orders"
PLANTS = (
    # users
    Plant("orphaned-user", ("CREATE LOGIN [eve] WITH PASSWORD = N'Str0ng-enough'", "CREATE USER [eve] FOR LOGIN [eve]",
                            "DROP LOGIN [eve]"), "eve: SID 0x"),
    Plant("renamed-user", (f"ALTER USER [{USER}] WITH NAME = [innocent]",), f"maps to login {USER}"),
    Plant("renamed-user", ("CREATE LOGIN [eve] WITH PASSWORD = N'Str0ng-enough'", "CREATE USER [bob] FOR LOGIN [eve]"),
          "bob: maps to login eve", undo=("DROP LOGIN [eve]",)),
    Plant("contained-user", ("CREATE USER [eve] WITH PASSWORD = N'Str0ng-enough'",), "eve: created", "AcmeProd"),
    Plant("loginless-user", (MALLORY,), "mallory: created"),
    Plant("stale-user", (f"CREATE USER [{USER}] FOR LOGIN [{USER}]",), USER, "Elsewhere", mended=True),
    Plant("stale-user", (f"CREATE USER [{USER}] FOR LOGIN [{USER}]",), USER, "msdb", mended=True),
    Plant("application-role", ("CREATE APPLICATION ROLE [backdoor] WITH PASSWORD = N'Back-Passw0rd'",), "backdoor: created"),
    Plant("certificate-user", ("CREATE CERTIFICATE [c] ENCRYPTION BY PASSWORD = N'Cert-Passw0rd' WITH SUBJECT = N'c'",
                               "CREATE USER [signer] FROM CERTIFICATE [c]"), "signer: type C"),
    # since the baseline
    Plant("new-principal", ("CREATE ROLE [sleepers]",), "[sleepers]: DATABASE_ROLE"),
    Plant("new-login", ("CREATE LOGIN [eve] WITH PASSWORD = N'Str0ng-enough'",), "[eve]: SQL_LOGIN"),
    Plant("new-server-member", ("CREATE LOGIN [eve] WITH PASSWORD = N'Str0ng-enough'",
                                "ALTER SERVER ROLE [sysadmin] ADD MEMBER [eve]"), "[eve] in [sysadmin]"),
    Plant("new-server-module", ("CREATE PROCEDURE dbo.sp_Helper AS SELECT 1",), "[dbo].[sp_Helper]: SQL_STORED_PROCEDURE", "master"),
    Plant("changed-server-module", ("ALTER PROCEDURE dbo.sp_Tool AS SELECT 666",), "[dbo].[sp_Tool]: SQL_STORED_PROCEDURE", "master",
          shown=True, undo=("ALTER PROCEDURE dbo.sp_Tool AS SELECT 1",)),
    Plant("new-server-permission", ("CREATE LOGIN [eve] WITH PASSWORD = N'Str0ng-enough'",
                                    "GRANT CONTROL SERVER TO [eve]"), "CONTROL SERVER TO [eve]", "master"),
    Plant("new-member", ("ALTER ROLE [db_owner] ADD MEMBER [helper]",), "[helper] in [db_owner]"),
    Plant("new-permission", (f"GRANT SELECT {TABLE} TO [helper]",), "SELECT ON OBJECT::[dbo].[Orders] TO [helper]"),
    Plant("new-permission", ("GRANT VIEW DEFINITION TO [helper]",), "VIEW DEFINITION TO [helper]"),
    Plant("new-object", ("CREATE TABLE dbo.Mine (Id int NOT NULL)",), "[dbo].[Mine]: USER_TABLE",
          undo=("DROP TABLE dbo.Mine",), shown=True),
    Plant("new-object", ("CREATE PROCEDURE dbo.Mine AS SELECT 1",), "[dbo].[Mine]: SQL_STORED_PROCEDURE"),
    Plant("new-object", ("CREATE TRIGGER dbo.Mine ON dbo.Orders AFTER INSERT AS SELECT 1",), "[dbo].[Mine]: SQL_TRIGGER"),
    Plant("new-object", ("CREATE SEQUENCE dbo.Mine AS int START WITH 1",), "[dbo].[Mine]: SEQUENCE_OBJECT"),
    Plant("new-object", ("CREATE VIEW dbo.Mine AS SELECT Id FROM dbo.Orders",), "[dbo].[Mine]: VIEW"),
    Plant("new-object", ("CREATE TYPE dbo.Mine FROM int",), "[dbo].[Mine]: TYPE"),
    Plant("new-certificate", ("CREATE CERTIFICATE [c] ENCRYPTION BY PASSWORD = N'Cert-Passw0rd' WITH SUBJECT = N'c'",),
          "[c]: CERTIFICATE"),
    Plant("changed-definition", ("ALTER PROCEDURE dbo.OrderAdd AS SELECT 666",), "[dbo].[OrderAdd]: SQL_STORED_PROCEDURE",
          undo=("DROP PROCEDURE dbo.OrderAdd", "CREATE PROCEDURE dbo.OrderAdd AS INSERT INTO dbo.Orders (Id, Customer) VALUES (99, N'Eve');",)),
    Plant("changed-definition", ("ALTER TRIGGER dbo.OldTrigger ON dbo.Orders AFTER DELETE AS SELECT 666",),
          "[dbo].[OldTrigger]: SQL_TRIGGER",
          undo=("DROP TRIGGER dbo.OldTrigger", "CREATE TRIGGER dbo.OldTrigger ON dbo.Orders AFTER DELETE AS SELECT 1;",)),
    Plant("trigger-disabled", ("DISABLE TRIGGER dbo.OldTrigger ON dbo.Orders",), "disabled",
          undo=("ENABLE TRIGGER dbo.OldTrigger ON dbo.Orders",), shown=True),
    Plant("numbered-changed", ("ALTER PROCEDURE dbo.Twice;2 AS SELECT 666",), "[dbo].[Twice];2: ",
          undo=("ALTER PROCEDURE dbo.Twice;2 AS SELECT 2",), shown=True),
    Plant("changed-table", ("CREATE UNIQUE INDEX ix ON dbo.Orders (Customer)",), "[dbo].[Orders].[ix]: ",
          undo=("DROP INDEX ix ON dbo.Orders",), shown=True),
    Plant("plan-guide", ("EXEC sp_create_plan_guide N'g', N'SELECT Id FROM dbo.Orders', N'OBJECT', N'dbo.OldImport', NULL, "
                         "N'OPTION (MAXDOP 1)'",), "g: on object_id"),
    Plant("queue-activation", ("ALTER QUEUE dbo.Inbox WITH ACTIVATION (STATUS = ON, PROCEDURE_NAME = dbo.OldImport, "
                               "MAX_QUEUE_READERS = 1, EXECUTE AS SELF)",), "[dbo].[Inbox]: runs [dbo].[OldImport] as dbo",
          undo=("ALTER QUEUE dbo.Inbox WITH ACTIVATION (DROP)",)),
    Plant("renamed", ("EXEC sp_rename 'dbo.Customers', 'z'; EXEC sp_rename 'dbo.Suppliers', 'Customers'; "
                      "EXEC sp_rename 'dbo.z', 'Suppliers'",), "[dbo].[Customers]: object_id",
          undo=("EXEC sp_rename 'dbo.Customers', 'z'; EXEC sp_rename 'dbo.Suppliers', 'Customers'; "
                "EXEC sp_rename 'dbo.z', 'Suppliers'",), shown=True),
    Plant("changed-setting", ("EXEC sp_configure 'xp_cmdshell', 1; RECONFIGURE",), "xp_cmdshell: 1, was 0", "master",
          undo=("EXEC sp_configure 'xp_cmdshell', 0; RECONFIGURE",)),
    Plant("replaced-principal", ("DROP USER [helper]", "CREATE USER [helper] WITHOUT LOGIN"), "[helper]: SQL_USER",
          undo=("DROP USER [helper]", "RESTORE HELPER")),
    # roles and permissions
    Plant("nested-role", ("CREATE ROLE [inner]", "ALTER ROLE [db_owner] ADD MEMBER [inner]"), "inner: member of db_owner"),
    Plant("extra-role", (f"ALTER ROLE [db_owner] ADD MEMBER [{USER}]",), "role db_owner", mended=True),
    Plant("extra-role", ("ALTER ROLE [curfew_full] ADD MEMBER [helper]",), "role curfew_full", mended=True),
    Plant("server-role-member", (f"ALTER SERVER ROLE [sysadmin] ADD MEMBER [{USER}]",), "role sysadmin", mended=True),
    Plant("server-role-nested", ("ALTER SERVER ROLE [securityadmin] ADD MEMBER [curfew_logins]",), "member of securityadmin",
          "master"),
    Plant("server-permission", (f"GRANT CONTROL SERVER TO [{USER}]",), "CONTROL SERVER", "master", mended=True),
    Plant("server-permission", (f"GRANT IMPERSONATE ON LOGIN::sa TO [{USER}]",), "IMPERSONATE", "master", mended=True),
    Plant("server-grant", ("GRANT ALTER ANY LOGIN TO [public]",), "ALTER ANY LOGIN by sa", "master"),
    Plant("server-grant", ("GRANT CONTROL SERVER TO [curfew_logins]",), "CONTROL SERVER", "master"),
    Plant("server-denial", (f"DENY CONNECT SQL TO [{USER}]",), "DENY CONNECT SQL by sa", "master"),
    Plant("server-denial", ("DENY VIEW ANY DATABASE TO [curfew_logins]",), "DENY VIEW ANY DATABASE by sa", "master"),
    Plant("server-denial", (f"DENY VIEW DEFINITION ON LOGIN::[{USER}] TO [public]",), "DENY VIEW DEFINITION ON LOGIN", "master"),
    Plant("extra-permission", (f"GRANT DELETE {TABLE} TO [{USER}]",), "DELETE on dbo.Orders", mended=True),
    Plant("extra-permission", (f"GRANT UPDATE {TABLE} (Customer) TO [{USER}]",), "UPDATE on dbo.Orders.Customer", mended=True),
    Plant("extra-permission", ("GRANT CREATE TABLE TO [curfew_full]",), "curfew_full: CREATE TABLE", mended=True),
    Plant("extra-permission", (f"GRANT SELECT {TABLE} TO [{USER}] WITH GRANT OPTION",
                               f"GRANT SELECT {TABLE} TO [helper] AS [{USER}]"), f"granted by {USER}", mended=True),
    Plant("denial-missing", ("REVOKE INSERT ON SCHEMA::dbo FROM [curfew_read_only]",), "INSERT on dbo is not denied",
          mended=True),
    Plant("public-grant", (f"GRANT DELETE {TABLE} TO [public]",), "DELETE: GRANT ON OBJECT::[dbo].[Orders]"),
    Plant("public-grant", ("GRANT CREATE TABLE TO [public]",), "CREATE TABLE: GRANT"),
    Plant("public-grant", ("GRANT INSERT ON SCHEMA::dbo TO [public]",), "INSERT: GRANT ON SCHEMA::[dbo]"),
    Plant("guest-connect", ("GRANT CONNECT TO [guest]",), "CONNECT: GRANT"),
    Plant("guest-connect", (f"GRANT SELECT {TABLE} TO [guest]",), "SELECT: GRANT ON OBJECT::[dbo].[Orders]"),
    Plant("grant-option", (f"GRANT SELECT {TABLE} TO [helper] WITH GRANT OPTION",), "helper: SELECT ON OBJECT"),
    Plant("column-grant", (f"GRANT UPDATE {TABLE} (Customer) TO [helper]",), "helper: UPDATE on Orders.Customer"),
    Plant("strong-permission", ("GRANT IMPERSONATE ON USER::dbo TO [helper]",), "IMPERSONATE ON USER::[dbo]"),
    Plant("strong-permission", (f"GRANT CONTROL {TABLE} TO [helper]",), "CONTROL ON OBJECT::[dbo].[Orders]"),
    Plant("strong-permission", ("GRANT TAKE OWNERSHIP ON SCHEMA::dbo TO [helper]",), "TAKE OWNERSHIP ON SCHEMA::[dbo]"),
    Plant("strong-permission", ("GRANT ALTER ANY USER TO [helper]",), "helper: ALTER ANY USER"),
    Plant("strong-permission", ("GRANT ALTER ANY ROLE TO [helper]",), "helper: ALTER ANY ROLE"),
    Plant("strong-permission", ("GRANT CONTROL ON ROLE::[curfew_full] TO [helper]",), "CONTROL ON ROLE::[curfew_full]"),
    Plant("execute-for-all", ("GRANT EXECUTE ON OBJECT::dbo.OrderAdd TO [public]",), "[dbo].[OrderAdd]: GRANT to public"),
    # ownership
    Plant("owned-by-user", (f"CREATE SCHEMA [hers] AUTHORIZATION [{USER}]",), "owns the SCHEMA hers", undo=("DROP SCHEMA [hers]",),
          mended=True),
    Plant("owned-by-user", (f"ALTER AUTHORIZATION {TABLE} TO [{USER}]",), "owns the OBJECT Orders",
          undo=("ALTER AUTHORIZATION ON OBJECT::dbo.Orders TO SCHEMA OWNER",), mended=True),
    Plant("foreign-owner", ("ALTER AUTHORIZATION ON OBJECT::dbo.Orders TO [helper]",), "OBJECT owned by helper",
          undo=("ALTER AUTHORIZATION ON OBJECT::dbo.Orders TO SCHEMA OWNER",)),
    Plant("foreign-owner", ("CREATE ROLE [own] AUTHORIZATION [helper]",), "ROLE owned by helper"),
    Plant("foreign-owner", ("CREATE TYPE dbo.Mine FROM int", "ALTER AUTHORIZATION ON TYPE::dbo.Mine TO [helper]"),
          "TYPE owned by helper"),
    Plant("foreign-owner", ("CREATE CERTIFICATE [c] AUTHORIZATION [helper] ENCRYPTION BY PASSWORD = N'Cert-Passw0rd' "
                            "WITH SUBJECT = N'c'",), "CERTIFICATE owned by helper"),
    Plant("foreign-owner", ("CREATE SYMMETRIC KEY [k] AUTHORIZATION [helper] WITH ALGORITHM = AES_256 "
                            "ENCRYPTION BY PASSWORD = N'Key-Passw0rd'",), "SYMMETRIC KEY owned by helper",
          undo=("DROP SYMMETRIC KEY [k]",)),
    Plant("foreign-owner", ("CREATE XML SCHEMA COLLECTION dbo.Docs AS N'<schema/>'",
                            "ALTER AUTHORIZATION ON XML SCHEMA COLLECTION::dbo.Docs TO [helper]"),
          "XML SCHEMA COLLECTION owned by helper"),
    Plant("foreign-owner", ("CREATE ROUTE [away] AUTHORIZATION [helper] WITH ADDRESS = N'TCP://203.0.113.99:4022'",),
          "ROUTE owned by helper", undo=("DROP ROUTE [away]",)),
    Plant("strong-permission", ("CREATE SERVICE [tell] ON QUEUE dbo.Inbox", "GRANT CONTROL ON SERVICE::[tell] TO [helper]"),
          "CONTROL ON SERVICE::[tell]", undo=("DROP SERVICE [tell]",)),
    Plant("server-owner", (f"ALTER AUTHORIZATION ON ENDPOINT::[TSQL Default TCP] TO [{USER}]",),
          f"TSQL Default TCP: ENDPOINT owned by {USER}", "master",
          undo=("GRANT CONNECT ON ENDPOINT::[TSQL Default TCP] TO [public]",)),
    Plant("server-owner", (f"CREATE SERVER ROLE [hers] AUTHORIZATION [{USER}]",), f"SERVER ROLE owned by {USER}", "master",
          undo=("DROP SERVER ROLE [hers]",)),
    Plant("database-owner", (f"ALTER AUTHORIZATION ON DATABASE::Elsewhere TO [{USER}]",), f"owned by {USER}", "Elsewhere"),
    # what runs by itself, or as somebody else
    Plant("execute-as-module", ("CREATE PROCEDURE dbo.Up WITH EXECUTE AS OWNER AS DELETE FROM dbo.Orders",),
          "[dbo].[Up]: EXECUTE AS OWNER"),
    Plant("execute-as-module", ("CREATE PROCEDURE dbo.Up WITH EXECUTE AS N'dbo' AS SELECT 1",), "EXECUTE AS dbo"),
    Plant("signed-module", ("CREATE CERTIFICATE [c] ENCRYPTION BY PASSWORD = N'Cert-Passw0rd' WITH SUBJECT = N'c'",
                            "ADD SIGNATURE TO dbo.OrderAdd BY CERTIFICATE [c] WITH PASSWORD = N'Cert-Passw0rd'"),
          "[dbo].[OrderAdd]: SIGNATURE BY CERTIFICATE"),
    Plant("ddl-trigger", ("CREATE TRIGGER [trap] ON DATABASE FOR CREATE_USER AS SELECT 1",), "trap: enabled"),
    Plant("ddl-trigger", ("CREATE TRIGGER [trap] ON DATABASE FOR CREATE_USER AS SELECT 1", "DISABLE TRIGGER [trap] ON DATABASE"),
          "trap: disabled"),
    Plant("server-trigger", ("CREATE TRIGGER [trap] ON ALL SERVER FOR LOGON AS SELECT 1",), "trap: enabled", "master"),
    Plant("event-notification", ("CREATE EVENT NOTIFICATION [ear] ON DATABASE FOR CREATE_USER TO SERVICE N'//ear', "
                                 "N'current database'",), "ear: service //ear"),
    Plant("server-event-notification", ("CREATE EVENT NOTIFICATION [ear] ON SERVER FOR CREATE_LOGIN TO SERVICE N'//ear', "
                                        "N'current database'",), "ear: service //ear", "master"),
    Plant("synonym-outward", ("CREATE SYNONYM dbo.Away FOR [Elsewhere].[dbo].[T]",), "[dbo].[Away]: [Elsewhere].[dbo].[T]"),
    Plant("assembly", ("CREATE ASSEMBLY [code] FROM 0x4D5A90 WITH PERMISSION_SET = SAFE",), "code: SAFE"),
    Plant("agent-job", (f"EXEC msdb.dbo.sp_add_job @job_name = N'nightly', @owner_login_name = N'{USER}'",),
          f"nightly: owned by {USER}", "master"),
    Plant("agent-proxy", ("CREATE CREDENTIAL [cred] WITH IDENTITY = N'svc', SECRET = N'Svc-Passw0rd'",
                          "EXEC msdb.dbo.sp_add_proxy @proxy_name = N'prox', @credential_name = N'cred', @enabled = 1"),
          "prox: enabled", "master", undo=("DROP CREDENTIAL [cred]",)),
    Plant("startup-procedure", ("CREATE PROCEDURE dbo.Wake AS SELECT 1",
                                "EXEC sp_procoption @ProcName = N'Wake', @OptionName = 'startup', @OptionValue = 'on'"),
          "Wake: in master", "master", undo=("DROP PROCEDURE dbo.Wake",)),
    Plant("linked-server", ("EXEC sp_addlinkedserver @server = N'away', @srvproduct = N'', @provider = N'MSOLEDBSQL', "
                            "@datasrc = N'192.0.2.99'",), "away: 192.0.2.99", "master"),
    # the database
    Plant("trustworthy", ("ALTER DATABASE [AcmeTest] SET TRUSTWORTHY ON",), "AcmeTest: is_trustworthy_on = 1", "master"),
    Plant("db-chaining", ("ALTER DATABASE [AcmeTest] SET DB_CHAINING ON",), "AcmeTest: is_db_chaining_on = 1", "master"),
)


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
        if not p.shown and p.check not in ("changed-definition", "changed-setting", "replaced-principal"):
            self.remedy_run(finding, strict=True)
            left = [f for f in self.told() if p.check in audit_lab.checks(f) and p.evidence in f["evidence"]]
            self.assertEqual(left, [], "the remedy did not help")
        else:
            self.remedy_run(finding, strict=p.check != "changed-setting")
        for batch in p.undo:
            if batch != "RESTORE HELPER":
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
        self.assertIn("port 14331", told["unguarded-listener"]["evidence"])
        self.assertIn("replicas", told["contained-group"]["remedy"])

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

    def test_each_is_found_and_its_remedy_helps(self):
        self.assertEqual(self.told(), [])
        self.assertEqual(self.last.code, 2, "helper is a finding, and nothing else is")
        for p in PLANTS:
            if p.check == "replaced-principal":
                continue
            with self.subTest(check=p.check, evidence=p.evidence):
                self.clean_up(p, self.plant(p))
                self.assertEqual(self.told(), [])


if __name__ == "__main__":
    unittest.main()
