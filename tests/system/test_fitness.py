#!/usr/bin/python3
"""What full access is worth in a database is looked at before it is given for the first time."""

import unittest

import audit_lab
import lab

USER, SECOND = "acme.jane.doe", "acme.john.roe"
WAIVER = {"approved_by": "lead@host.example", "ticket": "CS-7"}
NIGHTLY = ("CREATE PROCEDURE dbo.Helper AS SELECT 1", "CREATE PROCEDURE dbo.Nightly WITH EXECUTE AS OWNER AS EXEC dbo.Helper")
POLICY = ("CREATE FUNCTION dbo.Mine (@c nvarchar(50)) RETURNS TABLE AS RETURN SELECT 1 AS ok WHERE @c = N'Ada'",
          "CREATE SECURITY POLICY dbo.Rows_ ADD FILTER PREDICATE dbo.Mine(Customer) ON dbo.Orders WITH (STATE = ON, "
          "SCHEMABINDING = OFF)")
STEP = "EXEC msdb.dbo.sp_add_jobstep @job_name = N'Nightly', @step_name = N'x', @database_name = N'{}', @command = N'EXEC dbo.OrderAdd'"
LOG = "CREATE TABLE dbo.Log_ (Id int)"
AUDIT = "CREATE TRIGGER [Audit] ON DATABASE {}FOR {} AS {}"
# What lies there, and the words for it.
UNFIT = {
    "a module of the owner's": (NIGHTLY, "[dbo].[Nightly] uses other objects and runs as its owner"),
    "a trigger of the owner's on a table": (
        ("CREATE TABLE dbo.Log_ (Id int)",
         "CREATE TRIGGER dbo.Audit ON dbo.Orders WITH EXECUTE AS OWNER AFTER INSERT AS INSERT INTO dbo.Log_ VALUES (1)"),
        "[dbo].[Audit] uses other objects and runs as its owner"),
    "a DDL trigger on what users with full access do": (
        (LOG, AUDIT.format("WITH EXECUTE AS 'dbo' ", "ALTER_TABLE", "INSERT INTO dbo.Log_ VALUES (1)")),
        "DDL trigger [Audit] uses other objects and runs as another user"),
    "one whose text is hidden": (
        (AUDIT.format("WITH ENCRYPTION, EXECUTE AS 'dbo' ", "CREATE_TABLE", "PRINT N'x'"),),
        "DDL trigger [Audit] uses other objects and runs as another user"),
    "one that calls something": (
        ("CREATE PROCEDURE dbo.Helper AS SELECT 1", AUDIT.format("WITH EXECUTE AS 'dbo' ", "DROP_TABLE", "EXEC dbo.Helper")),
        "DDL trigger [Audit] uses other objects and runs as another user"),
    "another user's": (("CREATE USER [worker] WITHOUT LOGIN", "CREATE PROCEDURE dbo.Nightly WITH EXECUTE AS 'worker' AS "
                        "EXEC (N'SELECT 1')"), "[dbo].[Nightly] uses other objects and runs as another user"),
    "a queue": (("CREATE QUEUE dbo.Inbox", "CREATE PROCEDURE dbo.Reader AS SELECT 1",
                 "ALTER QUEUE dbo.Inbox WITH ACTIVATION (STATUS = ON, PROCEDURE_NAME = dbo.Reader, MAX_QUEUE_READERS = 1, "
                 "EXECUTE AS OWNER)"), "queue [dbo].[Inbox] runs a procedure as its owner"),
    "a queue that is switched off": (
        ("CREATE QUEUE dbo.Inbox", "CREATE PROCEDURE dbo.Reader AS SELECT 1",
         "ALTER QUEUE dbo.Inbox WITH ACTIVATION (STATUS = OFF, PROCEDURE_NAME = dbo.Reader, MAX_QUEUE_READERS = 1, "
         "EXECUTE AS OWNER)"), "queue [dbo].[Inbox] runs a procedure as its owner"),
    "a policy": (POLICY, "security policy [dbo].[Rows_] uses a function that is not schema-bound"),
    "a job of a sysadmin": (("EXEC msdb.dbo.sp_add_job @job_name = N'Nightly'", STEP.format("AcmeTest")),
                            "Agent job [Nightly] runs there as a sysadmin"),
    "TRUSTWORTHY": (("ALTER DATABASE [AcmeTest] SET TRUSTWORTHY ON",), "the database is TRUSTWORTHY"),
    "chains": (("ALTER DATABASE [AcmeTest] SET DB_CHAINING ON", "ALTER DATABASE [Other] SET DB_CHAINING ON"),
               "databases of the same owner, among them [Other]"),
}
FIT = {
    "a module that uses nothing": ("CREATE PROCEDURE dbo.Nightly WITH EXECUTE AS OWNER AS SELECT 1",),
    "a policy that is bound": (POLICY[0].replace("RETURNS TABLE AS", "RETURNS TABLE WITH SCHEMABINDING AS"),
                               POLICY[1].replace("SCHEMABINDING = OFF", "SCHEMABINDING = ON")),
    "a job elsewhere": ("EXEC msdb.dbo.sp_add_job @job_name = N'Nightly'", STEP.format("Other")),
    "a job of somebody else": ("CREATE LOGIN [app] WITH PASSWORD = N'Str0ng-enough'",
                               "EXEC msdb.dbo.sp_add_job @job_name = N'Nightly', @owner_login_name = N'app'", STEP.format("AcmeTest")),
    "a job that is disabled": ("EXEC msdb.dbo.sp_add_job @job_name = N'Nightly', @enabled = 0", STEP.format("AcmeTest")),
    "a DDL trigger that uses nothing": (AUDIT.format("WITH EXECUTE AS 'dbo' ", "DROP_TABLE", "ROLLBACK"),),
    "one that runs as its caller, as the product's do": (LOG, AUDIT.format("", "ALTER_TABLE", "INSERT INTO dbo.Log_ VALUES (1)")),
    "one that is disabled": (LOG, AUDIT.format("WITH EXECUTE AS 'dbo' ", "ALTER_TABLE", "INSERT INTO dbo.Log_ VALUES (1)"),
                             "DISABLE TRIGGER [Audit] ON DATABASE"),
    "a queue that nobody reads": ("CREATE QUEUE dbo.Inbox",),
}


def setUpModule():
    lab.require()


class Fitness(audit_lab.AuditCase):
    def acme(self, before, users=(("Jane", "Doe"),), **database):
        found = self.lab_make(servers={"sql01": ("AcmeTest", "Other")})
        for batch in before:
            found.server.sql(batch, "AcmeTest")
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], users=users)
        self.database(found).update(database)
        found.agent.write()
        return found

    @staticmethod
    def database(found):
        return found.agent.clients["acme"]["databases"][0]

    def test_the_first_grant_is_refused(self):
        for title, (before, words) in UNFIT.items():
            with self.subTest(title):
                found = self.acme(before)
                out = found.agent.apply(expect=2).out
                self.assertIn(words, out)
                self.assertIn('full_waiver = { approved_by = "NAME"; ticket = "TICKET"; };', out)
                self.assertFalse(found.server.user(USER, "AcmeTest"))
                self.assertIn(words, found.agent.curfew("status", expect=2).out)
                self.database(found)["before_go_live"] = "write"
                found.agent.write()
                found.agent.apply(expect=0)
                self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_write"])

    def test_what_harms_nothing_is_fit(self):
        for title, before in FIT.items():
            with self.subTest(title):
                found = self.acme(before)
                self.assertNotIn("equals db_owner", found.agent.apply(expect=0).out)
                self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_full"])

    def test_a_job_of_a_windows_login(self):
        """It may be a sysadmin by a Windows group, of which the server need not know."""
        found = self.lab_make(servers={"sql01": ("AcmeTest", "Other")})
        found.server.faults(other_logins={"CONTOSO\\ann": "U"})
        found.server.sql("EXEC msdb.dbo.sp_add_job @job_name = N'Nightly', @owner_login_name = N'CONTOSO\\ann'")
        found.server.sql(STEP.format("AcmeTest"))
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        self.assertIn("Agent job [Nightly] runs there as a sysadmin", found.agent.apply(expect=2).out)
        self.assertFalse(found.server.user(USER, "AcmeTest"))

    def test_jobs_that_cannot_be_read(self):
        """Not seen is not that there are none."""
        found = self.acme(())
        found.server.sql("DENY SELECT ON dbo.sysjobsteps TO [curfew_agent]", "msdb")
        self.assertIn("what Agent jobs of a sysadmin run there cannot be read", found.agent.apply(expect=2).out)
        self.assertFalse(found.server.user(USER, "AcmeTest"))
        found.server.sql("REVOKE SELECT ON dbo.sysjobsteps FROM [curfew_agent]; GRANT SELECT ON dbo.sysjobsteps TO [curfew_agent]", "msdb")
        found.agent.apply(expect=0)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_full"])

    def test_who_writes_is_not_raised(self):
        """What is there stays as it is, with its login, when more is scheduled than may be given."""
        found = self.acme(NIGHTLY, before_go_live="write")
        found.agent.apply(expect=0)
        self.database(found)["before_go_live"] = "full"
        found.agent.write()
        found.agent.apply(expect=2)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_write"])
        self.assertEqual(found.server.login(USER)[1], 0)

    def test_accepted(self):
        """Everything that a person reads says so, and by whom it was accepted."""
        found = self.acme(NIGHTLY, full_waiver=WAIVER)
        found.agent.apply(expect=0)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_full"])
        words = "full access equals db_owner in database [AcmeTest], accepted by lead@host.example (CS-7), because " \
            "[dbo].[Nightly] uses other objects and runs as its owner"
        self.assertIn(words, found.agent.plan(expect=0).out)
        self.assertIn(words, found.agent.curfew("status", expect=0).out)
        [finding] = self.findings(self.audit(found, 2), "execute-as-closure")
        self.assertEqual(finding["severity"], "critical")
        self.assertIn("accepted by lead@host.example (CS-7)", finding["evidence"])
        self.assertEqual(finding["database"], "AcmeTest")

    def test_what_came_later_alarms(self):
        """Access in force is not taken away, nor is it kept from a colleague; it is said each time."""
        found = self.acme((), users=(("Jane", "Doe"),))
        found.agent.apply(expect=0)
        for batch in NIGHTLY:
            found.server.sql(batch, "AcmeTest")
        found.agent.clients["acme"]["users"].append(
            {"first": "John", "last": "Roe", "email": "john.roe@acme.example", "sources": ["203.0.113.8"]})
        found.agent.write()
        out = found.agent.apply(expect=2).out
        self.assertIn("full access was given to database [AcmeTest], where it equals db_owner", out)
        for user in (USER, SECOND):
            self.assertEqual(found.server.roles(user, "AcmeTest"), ["curfew_full"])
            self.assertEqual(found.server.login(user)[1], 0)
        self.assertIn("unverified", found.agent.curfew("status", expect=2).out)
        self.assertEqual(found.agent.apply(expect=2).out.count("full access was given"), 2,
                         "each time, and once for each of them")


if __name__ == "__main__":
    unittest.main()
