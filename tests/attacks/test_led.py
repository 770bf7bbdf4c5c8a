#!/usr/bin/python3
"""What a client's user with full access leads a DBA to do: a trigger on a table runs as whoever writes there next. A sysadmin
who mends an order before go-live leaves behind, on the server, what outlives every login of the client's."""

import contextlib
import os
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))

import audit_lab  # noqa: E402  (the path above makes it importable)
import lab  # noqa: E402
import test_alone  # noqa: E402

JOB = "EXEC msdb.dbo.sp_add_job @job_name = N'Nightly'; EXEC msdb.dbo.sp_add_jobstep @job_name = N'Nightly', " \
      "@step_name = N'Backup', @command = N'BACKUP DATABASE [AcmeTest] TO DISK = N''x.bak'''"
AGENT = "curfew_agent"


def setUpModule():
    lab.require()


class Led(audit_lab.AuditCase):
    live, person, does, narrowed = (getattr(test_alone.Alone, name) for name in ("live", "person", "does", "narrowed"))

    def led(self, found, *statements):
        """Her trigger, and a sysadmin who mends an order."""
        body = " ".join("EXEC (N'" + s.replace("'", "''") + "')" for s in statements)
        self.does(self.person(found), "CREATE TRIGGER dbo.Trojan ON dbo.Orders AFTER UPDATE AS "
                                      f"IF IS_SRVROLEMEMBER(N'sysadmin') = 1 BEGIN {body} END")
        found.server.sql("UPDATE dbo.Orders SET Customer = N'Ada' WHERE Id = 1", "AcmeTest")
        found.server.sql("DROP TRIGGER dbo.Trojan", "AcmeTest")

    def told(self, found, check, *words):
        found.agent.apply(expect=(0, 1, 2))
        self.narrowed(found)
        told = self.audit(found, 2)["findings"]
        fitting = [f for f in told if check in audit_lab.checks(f) and all(w in f["evidence"] for w in words)]
        self.assertEqual(len(fitting), 1, f"{check} with {words} in {told}")
        self.assertIn(fitting[0]["severity"], ("medium", "high", "critical"))
        return fitting[0]

    def job_server(self):
        found = self.live(script=JOB + "\nGO\n")
        self.assertEqual(found.server.sql("SELECT COUNT(*) FROM msdb.dbo.sysjobsteps"), [[1]])
        return found

    def test_the_step_of_a_job_of_sa(self):
        found = self.job_server()
        self.led(found, "EXEC msdb.dbo.sp_update_jobstep @job_name = N'Nightly', @step_id = 1, "
                        "@command = N'ALTER SERVER ROLE [sysadmin] ADD MEMBER [hers]'")
        self.assertIn("[hers]", found.server.sql("SELECT command FROM msdb.dbo.sysjobsteps")[0][0])
        finding = self.told(found, "changed-job", "[Nightly] step 1")
        self.assertEqual(found.server.sql(finding["remedy"])[0][0], "Nightly", "it shows the step")

    def test_another_step(self):
        found = self.job_server()
        self.led(found, "EXEC msdb.dbo.sp_add_jobstep @job_name = N'Nightly', @step_name = N'more', @command = N'SELECT 666'")
        self.told(found, "changed-job", "[Nightly] step 2")

    def test_a_job_of_its_own(self):
        """One finding for all of it, and a remedy that takes it away."""
        found = self.job_server()
        self.led(found, "EXEC msdb.dbo.sp_add_job @job_name = N'hers', @owner_login_name = N'sa'",
                 "EXEC msdb.dbo.sp_add_jobstep @job_name = N'hers', @step_name = N'1', @command = N'SELECT 666'",
                 "EXEC msdb.dbo.sp_add_jobschedule @job_name = N'hers', @name = N'later', @freq_type = 1, "
                 "@active_start_date = 20991231")
        finding = self.told(found, "new-job", "[hers]: ")
        found.server.sql(finding["remedy"])
        self.assertEqual(found.server.sql("SELECT name FROM msdb.dbo.sysjobs"), [["Nightly"]])
        self.assertEqual(self.findings(self.audit(found), "new-job") + self.findings(self.audit(found), "changed-job"), [])

    def test_when_a_job_runs(self):
        found = self.job_server()
        self.led(found, "EXEC msdb.dbo.sp_add_jobschedule @job_name = N'Nightly', @name = N'later', @freq_type = 1, "
                        "@active_start_date = 20991231",
                 "EXEC msdb.dbo.sp_add_alert @name = N'when', @severity = 10, @job_name = N'Nightly'")
        self.told(found, "changed-job", "[Nightly] schedule", "later")
        self.told(found, "new-alert", "[when]: ", "[Nightly]")

    def test_whose_job_it_is(self):
        found = self.job_server()
        found.server.sql("CREATE LOGIN [app] WITH PASSWORD = N'Str0ng-enough'; EXEC msdb.dbo.sp_add_job @job_name = N'Old', "
                         "@owner_login_name = N'app', @enabled = 0")
        self.led(found, "EXEC msdb.dbo.sp_update_job @job_name = N'Nightly', @enabled = 0")
        self.told(found, "changed-job", "[Nightly]: ", "was JOB enabled")

    def test_who_may_use_a_proxy(self):
        found = self.live(script="CREATE CREDENTIAL [cred] WITH IDENTITY = N'svc', SECRET = N'Svc-Passw0rd'; EXEC msdb.dbo.sp_add_proxy @proxy_name = N'prox', "
                                 "@credential_name = N'cred'\nGO\n")
        found.server.sql("CREATE LOGIN [app] WITH PASSWORD = N'Str0ng-enough'")
        self.led(found, "EXEC msdb.dbo.sp_grant_login_to_proxy @login_name = N'app', @proxy_name = N'prox'")
        self.told(found, "changed-proxy", "[prox] for [app]")

    def test_code_in_msdb(self):
        found = self.live()
        self.led(found, "USE msdb; EXEC (N'CREATE PROCEDURE dbo.sp_helpful AS SELECT 666'); EXEC sp_MS_marksystemobject N'sp_helpful'")
        self.assertEqual(found.server.sql("SELECT is_ms_shipped FROM sys.objects WHERE name = N'sp_helpful'", "msdb"), [[1]])
        self.told(found, "new-server-module", "[dbo].[sp_helpful]: ")

    def test_a_trigger_on_a_table_of_msdb(self):
        found = self.live()
        found.server.sql("CREATE TABLE dbo.Log (Id int)", "msdb")
        self.led(found, "USE msdb; EXEC (N'CREATE TRIGGER dbo.Trojan ON dbo.Log AFTER INSERT AS SELECT 666')")
        self.told(found, "new-server-module", "[dbo].[Trojan]: ")

    def test_a_right_in_msdb(self):
        found = self.live()
        found.server.sql("CREATE LOGIN [app] WITH PASSWORD = N'Str0ng-enough'")
        self.led(found, "USE msdb; EXEC (N'CREATE USER [app] FOR LOGIN [app]; ALTER ROLE [db_owner] ADD MEMBER [app]')")
        self.told(found, "new-member", "[app] in [db_owner]")

    def test_code_in_master_with_the_mark_of_what_is_shipped(self):
        found = self.live()
        self.led(found, "USE master; EXEC (N'CREATE PROCEDURE dbo.sp_helpful AS SELECT 666'); "
                        "EXEC sp_MS_marksystemobject N'sp_helpful'")
        self.assertEqual(found.server.sql("SELECT is_ms_shipped FROM sys.objects WHERE name = N'sp_helpful'", "master"), [[1]])
        self.told(found, "new-server-module", "[dbo].[sp_helpful]: ")

    def test_code_that_was_shipped_has_another_text(self):
        found = self.live(script="USE [master]\nGO\nCREATE PROCEDURE dbo.sp_Tool AS SELECT 1\nGO\nEXEC sp_MS_marksystemobject N'sp_Tool'\nGO\n")
        self.led(found, "USE master; EXEC (N'ALTER PROCEDURE dbo.sp_Tool AS SELECT 666')")
        self.told(found, "changed-server-module", "[dbo].[sp_Tool]: ")

    def test_a_way_to_another_server(self):
        found = self.live(script="EXEC sp_addlinkedserver @server = N'REPORTING', @srvproduct = N'', @provider = N'MSOLEDBSQL', "
                                 "@datasrc = N'192.0.2.99'\nGO\n")
        found.agent.servers["sql01"]["known_linked_servers"] = ["REPORTING"]
        found.agent.write()
        self.led(found, "EXEC sp_addlinkedsrvlogin @rmtsrvname = N'REPORTING', @useself = N'false', @locallogin = NULL, "
                        "@rmtuser = N'sa', @rmtpassword = N'Their-Passw0rd-7'")
        finding = self.told(found, "new-linked-login", "[REPORTING] for everybody", "as sa")
        self.assertIn("sp_droplinkedsrvlogin", finding["remedy"])
        found.server.sql(finding["remedy"])
        self.assertEqual(self.findings(self.audit(found), "new-linked-login"), [])

    def test_another_way_into_the_server(self):
        """No trigger can make one, but whoever was led to run a script can."""
        found = self.live(script="CREATE ENDPOINT [old] AS TCP (LISTENER_PORT = 14331) FOR TSQL ()\nGO\n"
                                 "USE master\nGO\nGRANT CONNECT ON ENDPOINT::[TSQL Default TCP] TO [public]\nGO\n")
        found.server.sql("CREATE ENDPOINT [hers] STATE = STARTED AS TCP (LISTENER_PORT = 14330) FOR TSQL ()", "master")
        self.assertIn("Login failed for user", found.agent.curfew("audit", expect=2).out)
        found.server.sql("GRANT CONNECT ON ENDPOINT::[TSQL Default TCP] TO [public]", "master")
        found.server.sql("ALTER ENDPOINT [old] STATE = STARTED", "master")
        finding = self.told(found, "new-endpoint", "[hers]: TSQL TCP STARTED, of 0x01, port 14330")
        self.told(found, "changed-endpoint", "[old]: TSQL TCP STARTED", "was TSQL TCP STOPPED")
        found.server.sql(finding["remedy"])
        found.server.sql("ALTER ENDPOINT [old] STATE = STOPPED", "master")
        left = self.audit(found)
        self.assertEqual(self.findings(left, "new-endpoint") + self.findings(left, "changed-endpoint"), [])

    def test_as_whom_the_server_goes_elsewhere(self):
        found = self.live(script="CREATE CREDENTIAL [cred] WITH IDENTITY = N'svc', SECRET = N'Svc-Passw0rd'\nGO\n")
        self.led(found, "ALTER CREDENTIAL [cred] WITH IDENTITY = N'hers', SECRET = N'Known-to-her-7'",
                 "CREATE CREDENTIAL [more] WITH IDENTITY = N'hers', SECRET = N'Known-to-her-7'")
        self.told(found, "changed-credential", "[cred]: identity hers", "was identity svc")
        finding = self.told(found, "new-credential", "[more]: identity hers")
        found.server.sql(finding["remedy"])
        self.assertEqual(found.server.sql("SELECT name FROM sys.credentials"), [["cred"]])

    def test_an_owner_of_master(self):
        """A login that is nobody's: it waits there for the next sysadmin."""
        found = self.live(script="CREATE LOGIN [app] WITH PASSWORD = N'An-application-s-own-7', CHECK_POLICY = OFF\nGO\n")
        self.led(found, "USE master; EXEC (N'CREATE USER [app] FOR LOGIN [app]; ALTER ROLE [db_owner] ADD MEMBER [app]')")
        finding = self.told(found, "new-member", "[app] in [db_owner]")
        self.assertEqual(finding["database"], "master")
        found.server.sql(finding["remedy"])
        found.server.sql(self.told(found, "new-principal", "[app]")["remedy"])
        self.ended(found, 0)

    def test_the_agents_own_name(self):
        """Whoever has the user of that name now may be anybody. An agent that is sysadmin needs none, and reads on."""
        for place in ("AcmeTest", "master", "msdb"):
            with self.subTest(place):
                found = self.live(script="CREATE LOGIN [app] WITH PASSWORD = N'An-application-s-own-7', CHECK_POLICY = OFF\nGO\n")
                agent = AGENT
                found.server.sql(f"ALTER SERVER ROLE [sysadmin] ADD MEMBER [{agent}]")
                self.led(found, f"USE [{place}]; IF USER_ID(N'{agent}') IS NULL CREATE USER [{agent}] FOR LOGIN [app] "
                                f"ELSE ALTER USER [{agent}] WITH LOGIN = [app]; ALTER ROLE [db_owner] ADD MEMBER [{agent}]")
                self.assertEqual(found.server.sql(f"SELECT SUSER_SNAME(sid) FROM sys.database_principals WHERE name = N'{agent}'",
                                                  place), [["app"]])
                self.ended(found, 2)
                told = [f for f in self.audit(found, 2)["findings"] if f["severity"] == "high" and f["database"] == place and
                        "replaced-principal" in audit_lab.checks(f) and f"[{agent}]: SQL_USER" in f["evidence"]]
                self.assertEqual(len(told), 1, told)
                found.server.sql(told[0]["remedy"])

    def test_another_case_of_the_agents_name(self):
        found = self.live(arguments=("--collation", "Latin1_General_CS_AS"))
        other = AGENT.upper()
        self.led(found, f"CREATE LOGIN [{other}] WITH PASSWORD = N'Str0ng-enough'",
                 f"CREATE USER [{other}] FOR LOGIN [{other}]; ALTER ROLE [db_owner] ADD MEMBER [{other}]")
        self.ended(found, 2)
        told = self.audit(found)["findings"]
        self.assertTrue([f for f in told if f"[{other}] in [db_owner]" in f["evidence"] and f["severity"] == "high"], told)

    def test_a_grant_in_master(self):
        found = self.live(script="USE [master]\nGO\nCREATE PROCEDURE dbo.sp_Tool AS SELECT 1\nGO\n")
        self.led(found, "USE master; GRANT EXECUTE ON dbo.sp_Tool TO [public]")
        finding = self.told(found, "new-permission", "EXECUTE", "public")
        self.assertEqual(finding["database"], "master")
        found.server.sql(finding["remedy"])
        self.ended(found, 0)

    def test_an_extended_procedure_for_everybody(self):
        """What everybody could run before is no finding."""
        found = self.live()
        self.led(found, "USE master; GRANT EXECUTE ON sys.xp_cmdshell TO [public]")
        finding = self.told(found, "new-permission", "xp_cmdshell", "public")
        self.assertEqual(finding["database"], "master")
        found.server.sql(finding["remedy"])
        self.ended(found, 0)

    def test_an_event_notification_of_her_own(self):
        """It keeps her user in the database: she is stripped, the certificate waits, and the audit has the statement for a DBA."""
        found = self.live()
        self.led(found, f"GRANT CREATE DATABASE DDL EVENT NOTIFICATION TO [{test_alone.USER}]")
        self.does(self.person(found), "CREATE EVENT NOTIFICATION [ear] ON DATABASE FOR CREATE_USER TO SERVICE N'//ear', "
                                      "N'current database'")
        finding = self.told(found, "event-notification", "ear")
        told = found.agent.apply(lab.local(found.golive + lab.days(31)), expect=(0, 1, 2))
        self.assertIn("event notification", told.out)
        self.assertIn("`curfew audit` shows", told.out)
        self.ended(found, (1, 2))
        self.assertEqual(found.server.roles(test_alone.USER, "AcmeTest"), [])
        found.server.sql(finding["remedy"])
        self.ended(found, 0)

    def test_a_ddl_trigger_in_master(self):
        found = self.live()
        self.led(found, "USE master; EXEC (N'CREATE TRIGGER [Trojan] ON DATABASE FOR CREATE_TABLE AS SELECT 666')")
        self.told(found, "new-server-module", "[Trojan]: ")

    def test_what_each_new_database_begins_with(self):
        found = self.live()
        self.led(found, "USE model; EXEC (N'CREATE PROCEDURE dbo.Everywhere AS SELECT 666')")
        finding = self.told(found, "new-object", "[dbo].[Everywhere]: ")
        self.assertEqual(finding["database"], "model")

    def test_an_agent_that_may_not_read_jobs(self):
        """As one whose bootstrap is of an earlier version: access begins, and what is not seen is said."""
        found = self.lab_make(servers={"sql01": ("AcmeTest",)}, script=JOB + "\nGO\n")
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.server.sql("REVOKE SELECT ON OBJECT::dbo.sysalerts FROM [curfew_agent]", "msdb")
        self.assertIn("cannot run check new-or-changed in msdb (229", found.agent.apply(expect=(0, 2)).out)
        self.assertEqual(found.server.roles(test_alone.USER, "AcmeTest"), ["curfew_full"])
        self.assertEqual([f["database"] for f in self.audit(found)["findings"] if f["name"] == "not-shown"], ["msdb"])
        found.server.sql("GRANT SELECT ON OBJECT::dbo.sysalerts TO [curfew_agent]", "msdb")
        said = [f for f in self.audit(found)["findings"] if f["name"] == "not-shown"]
        self.assertEqual([f["database"] for f in said], ["msdb"])
        self.assertIn("no baseline", said[0]["evidence"])

    def test_a_baseline_of_an_earlier_version(self):
        """Nothing that was there is told as new, and the audit says what it cannot compare."""
        found = self.lab_make(servers={"sql01": ("AcmeTest",)}, script="EXEC sp_addlinkedserver @server = N'away', @srvproduct = N'', "
                              "@provider = N'MSOLEDBSQL', @datasrc = N'192.0.2.99'; EXEC sp_addlinkedsrvlogin @rmtsrvname = N'away', "
                              "@useself = N'false', @locallogin = N'sa', @rmtuser = N'x', @rmtpassword = N'Str0ng-enough'\nGO\n")
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply(expect=0)
        with sqlite3.connect(found.agent.path("state", "journal.db")) as db:
            db.execute("DELETE FROM baseline_item WHERE kind IN ('linked-login', 'shipped-module') OR name = 'kinds'")
        told = self.audit(found)["findings"]
        self.assertEqual(sorted(f["name"] for f in told), ["linked-server", "not-shown"])
        [told] = [f for f in told if f["name"] == "not-shown"]
        self.assertIn("of an earlier version of Curfew: logins of linked servers, ", told["evidence"])

    def test_a_server_of_before_an_upgrade_is_reviewed_once(self):
        """Without a baseline of msdb nobody can tell who came: the audit says what to do, and then who did it, and why. The
        journal of the earlier version is made by hand here, so it gives no certificate."""
        found = self.live()
        with contextlib.closing(sqlite3.connect(found.agent.path("state", "journal.db"))) as db, db:
            for table in ("baseline_item", "baseline"):
                db.execute(f"DELETE FROM {table} WHERE database = 'msdb'")
            db.execute("UPDATE baseline_item SET hash = '2' WHERE database = 'master' AND name = 'kinds'")

        def told():
            return [f for f in self.audit(found)["findings"] if f["name"] == "not-shown"]
        findings = told()
        self.assertEqual(sorted(f["database"] for f in findings), ["master", "msdb"])
        for finding in findings:
            self.assertIn("review it yourself, then run `curfew accept NUMBER --reason TEXT --until TIME` with the number", finding["evidence"])
            self.assertNotIn("logins of linked servers", finding["evidence"])
            found.agent.curfew("accept", finding["id"], "--reason", "CS-9: jobs reviewed", "--until", "2099-01-01", expect=0)
        accepted = [f["accepted"] for f in told()]
        self.assertEqual([(a["reason"], a["actor"].split()[0]) for a in accepted], 2 * [("CS-9: jobs reviewed", "root")])
        with contextlib.closing(sqlite3.connect(found.agent.path("state", "journal.db"))) as db:
            kept = db.execute("SELECT reason, actor, detail FROM v_events WHERE action = 'accept-finding'").fetchall()
        self.assertEqual([(reason, actor.split()[0]) for reason, actor, _ in kept], 2 * [("CS-9: jobs reviewed", "root")])
        self.assertIn("not-shown: ", kept[0][2])
        self.assertIn("BROKEN", self.ended(found, 1))

    def ended(self, found, expect):
        """After the end: what the certificate does not cover, and the audit's findings."""
        for _ in range(2):
            found.agent.apply(lab.local(found.golive + lab.days(31)), expect=(0, 1, 2))
        self.assertIsNone(found.server.login(test_alone.USER))
        at = lab.local(found.golive + lab.days(32))
        result = found.agent.curfew("certificate", "acme", "--at", at, "--json", expect=expect)
        return result.json["not_covered"]["found"] if result.out else result.err

    def test_certificate_after_a_job_was_changed(self):
        found = self.job_server()
        self.led(found, "EXEC msdb.dbo.sp_update_jobstep @job_name = N'Nightly', @step_id = 1, @command = N'SELECT 666'")
        self.assertEqual([f["name"] for f in self.ended(found, 2)], ["changed-job"])

    def test_certificate_while_any_later_login_may_be_a_user(self):
        """A user of a login that is gone: whoever makes a login with its SID, which she knows, lets her in again."""
        found = self.live()
        self.led(found, "CREATE LOGIN [hers] WITH PASSWORD = N'Str0ng-enough', SID = 0x0102030405060708090A0B0C0D0E0F10",
                 "CREATE USER [hers] FOR LOGIN [hers]; ALTER ROLE [db_owner] ADD MEMBER [hers]", "DROP LOGIN [hers]")
        told = self.ended(found, 2)
        self.assertIn("hers: SID 0x0102030405060708090A0B0C0D0E0F10", [line for f in told for line in f["evidence"].split("\n")])

    def test_certificate_when_a_login_is_made_for_a_user_who_was_there(self):
        """The user came with a restore, long before; its orphan was accepted. Then somebody makes it a login."""
        sid = "0x0102030405060708090A0B0C0D0E0F10"
        made = f"CREATE LOGIN [{{}}] WITH PASSWORD = N'Str0ng-enough', SID = {sid}"
        found = self.live(prepare=(made.format("old"), "CREATE USER [old] FOR LOGIN [old]; ALTER ROLE [db_owner] ADD MEMBER [old]",
                                   "DROP LOGIN [old]"))
        [orphan] = self.ended(found, 2)
        self.assertEqual((orphan["name"], orphan["severity"]), ("orphaned-user", "medium"))
        found.agent.curfew("accept", orphan["id"], "--reason", "CS-9: of the product", "--until", "2099-01-01", expect=0)
        self.ended(found, 0)
        found.server.sql(made.format("innocent"))
        [adopted] = [f for f in self.ended(found, 2) if f["severity"] == "high"]
        self.assertEqual(adopted["name"], "adopted-user")
        self.assertIn("[AcmeTest]", adopted["evidence"])

    def test_certificate_while_the_database_belongs_to_a_login_of_hers(self):
        """Whoever owns it is dbo there, and needs no user."""
        found = self.live()
        self.led(found, "CREATE LOGIN [hers] WITH PASSWORD = N'Str0ng-enough'; ALTER AUTHORIZATION ON DATABASE::[AcmeTest] TO [hers]")
        [told] = [f for f in self.ended(found, 2) if f["severity"] == "high"]
        self.assertEqual((told["name"], told["database"]), ("new-owner", "AcmeTest"))

    def test_certificate_while_a_strangers_login_bears_a_known_name(self):
        """As John was called, who left: a user of his name is hers, and in db_owner. Names are no proof of whose it is."""
        for name in (test_alone.SECOND, "curfew_full"):
            with self.subTest(name):
                found = self.live(users=(("Jane", "Doe"), ("John", "Roe")))
                self.ended(found, 0)
                found.server.sql(f"CREATE LOGIN [hers] WITH PASSWORD = N'Str0ng-enough'; USE [AcmeTest]; IF USER_ID(N'{name}') IS NOT "
                                 f"NULL DROP ROLE [{name}]; CREATE USER [{name}] FOR LOGIN [hers]; ALTER ROLE [db_owner] ADD MEMBER [{name}]")
                self.assertIn(name, str(self.ended(found, 2)), "refused, or named")
                told = self.audit(found)["findings"]
                self.assertTrue([f for f in told if f"[{name}] in [db_owner]" in f["evidence"] and f["severity"] == "high"], told)

    def test_certificate_on_a_server_where_case_counts(self):
        found = self.live(arguments=("--collation", "Latin1_General_CS_AS"))
        other = test_alone.USER.upper()
        self.led(found, f"CREATE LOGIN [{other}] WITH PASSWORD = N'Str0ng-enough'",
                 f"CREATE USER [{other}] FOR LOGIN [{other}]; ALTER ROLE [db_owner] ADD MEMBER [{other}]")
        self.ended(found, 2)
        told = self.audit(found)["findings"]
        self.assertTrue([f for f in told if f"[{other}] in [db_owner]" in f["evidence"] and f["severity"] == "high"], told)

    def test_certificate_while_another_login_was_enabled(self):
        found = self.live(script="CREATE LOGIN [old] WITH PASSWORD = N'Str0ng-enough';\nGO\nALTER SERVER ROLE [sysadmin] ADD MEMBER [old]; "
                                 "ALTER LOGIN [old] DISABLE\nGO\n")
        self.led(found, "ALTER LOGIN [old] ENABLE")
        [told] = [f for f in self.ended(found, 2) if f["severity"] == "high"]
        self.assertEqual(told["name"], "changed-login")

    def test_certificate_while_she_may_know_a_sysadmins_password(self):
        found = self.live(script="CREATE LOGIN [boss] WITH PASSWORD = N'Str0ng-enough';\nGO\nALTER SERVER ROLE [sysadmin] ADD MEMBER "
                                 "[boss]\nGO\n")
        self.led(found, "ALTER LOGIN [boss] WITH PASSWORD = N'Known-to-her-7'")
        [told] = [f for f in self.ended(found, 2) if f["severity"] == "high"]
        self.assertEqual(told["name"], "changed-password")

    def test_certificate_while_a_login_is_called_as_the_servers_own(self):
        """A name that begins as one of the server's is no excuse."""
        sid = "0x0102030405060708090A0B0C0D0E0F10"
        found = self.live(prepare=(f"CREATE LOGIN [old] WITH PASSWORD = N'Str0ng-enough', SID = {sid}",
                                   "CREATE USER [old] FOR LOGIN [old]; ALTER ROLE [db_owner] ADD MEMBER [old]", "DROP LOGIN [old]"))
        self.led(found, f"CREATE LOGIN [##MS_Helper##] WITH PASSWORD = N'Str0ng-enough', SID = {sid}")
        self.assertIn("adopted-user", [f["name"] for f in self.ended(found, 2)])


if __name__ == "__main__":
    unittest.main()
