#!/usr/bin/python3
"""Attack cases that need a server of their own: what they do, or what the server is like, concerns all who are on it."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))

import audit_lab  # noqa: E402  (the path above makes it importable)
import lab  # noqa: E402
import test_replicas  # noqa: E402

USER, SECOND = "acme.jane.doe", "acme.john.roe"
PASSWORD = "Known-to-the-user-7"
UNIT = "5C8A1F04-7F4E-4B8E-9A55-1D2E3F405162"
FOUND_SECONDS = 150


def setUpModule():
    lab.require()


class Alone(audit_lab.AuditCase):
    def live(self, prepare=(), users=(("Jane", "Doe"),), script="", arguments=(), database="AcmeTest", servers=None):
        """Acme with full access; the go-live is over by now, and the next pass is the first to know."""
        found = self.lab_make(servers=servers or {"sql01": (database,)}, script=script, arguments=arguments)
        found.golive = lab.now() - lab.days(3)
        for text in prepare:
            found.server.sql(text, database)
        found.client_add("acme", [("staging", "sql01", database)], users=users)
        found.agent.apply(lab.local(found.golive - lab.days(2)))
        for first, last in users:
            found.server.sql(f"ALTER LOGIN [acme.{first.lower()}.{last.lower()}] WITH PASSWORD = N'{PASSWORD}'")
        self.assertEqual(found.server.roles(USER, database), ["curfew_full"])
        return found

    def person(self, found, user=USER, database="AcmeTest"):
        person = lab.Person(found.space, audit_lab.HOST, audit_lab.PORT, found.server.certificates.ca, audit_lab.HOST)
        self.assertTrue(person.login(user, PASSWORD, database).ok)
        return person

    def does(self, person, *batches):
        for text in batches:
            answer = person.sql(text)
            self.assertTrue(answer.ok, f"{text}: {answer}")
        return answer.rows

    def narrowed(self, found, database="AcmeTest", user=USER):
        """As the server's sysadmin sees it."""
        self.assertEqual(found.server.roles(user, database), ["curfew_read_only"])
        self.assertEqual(found.server.sql(
            f"EXECUTE AS USER = N'{user}'; SELECT HAS_PERMS_BY_NAME(N'dbo', N'SCHEMA', N'ALTER'), "
            "HAS_PERMS_BY_NAME(N'dbo', N'SCHEMA', N'UPDATE'); REVERT", database), [[0, 0]])
        self.assertEqual(found.server.login(user)[1], 0, "the reader may come in")
        self.assertEqual(found.server.sessions_of(user), [])

    def finding(self, found, name, *words):
        """Told by the audit, sooner or later."""
        until = time.monotonic() + FOUND_SECONDS
        while True:
            told = self.audit(found)["findings"]
            fitting = [f for f in told if name in (f["name"], *f["also"]) and all(w in f["evidence"] for w in words)]
            if fitting or time.monotonic() > until:
                self.assertTrue(fitting, f"{name} with {words} in {told}")
                return fitting[0]
            time.sleep(2)

    def test_13_task_of_a_queue(self):
        found = self.live(("CREATE QUEUE dbo.Inbox", "CREATE PROCEDURE dbo.Reader AS WAITFOR DELAY '00:30:00'"))
        self.does(self.person(found), "ALTER QUEUE dbo.Inbox WITH ACTIVATION (STATUS = ON, PROCEDURE_NAME = dbo.Reader, "
                                      "MAX_QUEUE_READERS = 1, EXECUTE AS SELF)")
        found.server.sql("EXEC sp_practice_activate N'dbo.Inbox'", "AcmeTest")
        task = self.finding(found, "activated-task")["evidence"].rsplit(" ", 1)[1]
        self.assertEqual(found.server.sql("SELECT spid FROM sys.dm_broker_activated_tasks"), [[int(task)]])
        finding = self.finding(found, "activated-task", f"session {task}")
        self.assertEqual((finding["severity"], finding["remedy"]), ("high", f"USE [AcmeTest]; KILL {task};"))
        found.agent.apply(expect=(0, 1, 2))
        self.assertEqual(found.server.sql("SELECT spid FROM sys.dm_broker_activated_tasks"), [], "it ran as her")
        self.narrowed(found)

    def test_33_a_contained_user_of_her_name(self):
        """Somebody else's account, though of her name: not ended as hers, named, and in the way of the certificate."""
        found = self.live(servers={"sql01": ("AcmeTest", "AcmeProd")})
        found.server.sql("ALTER DATABASE [AcmeProd] SET CONTAINMENT = PARTIAL", "master")
        found.server.sql(f"CREATE USER [{USER}] WITH PASSWORD = N'{PASSWORD}'", "AcmeProd")
        found.client_add("beta", [("staging", "sql01", "AcmeProd")], users=(("Bea", "Roe"),))
        hers = self.person(found)
        other = self.person(found, database="AcmeProd")
        found.agent.apply(expect=(0, 1, 2))
        self.assertFalse(hers.sql("SELECT 1").ok)
        self.assertTrue(other.sql("SELECT 1").ok, "no session of the login's")
        self.assertEqual([s["database"] for s in found.server.sessions_of(USER)], ["AcmeProd"])
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.assertEqual(self.finding(found, "contained-user", USER)["severity"], "high")

    def test_26_long_rollback(self):
        found = self.live()
        self.does(self.person(found), "BEGIN TRANSACTION; ALTER TABLE dbo.Orders ADD x int NULL")
        found.server.faults(rollback_milliseconds=600000)
        result = found.agent.apply(expect=1)
        self.assertEqual(found.server.login(USER)[1], 1, "disabled while it rolls back")
        [[command]] = found.server.sql("SELECT command FROM sys.dm_exec_requests WHERE command LIKE N'KILLED%'")
        self.assertEqual(command, "KILLED/ROLLBACK")
        self.assertNotIn("curfew_read_only", found.server.roles(USER, "AcmeTest")[1:], str(result))
        self.assertEqual(found.agent.curfew("status").code, 1, "overdue")
        found.server.faults()
        found.agent.apply(expect=0)
        self.narrowed(found)
        self.assertEqual(found.server.sql("SELECT COUNT(*) FROM sys.columns WHERE name = N'x'", "AcmeTest"), [[0]])

    def test_28_somebody_is_always_logging_in(self):
        found = self.live()
        self.person(found)
        found.server.faults(sign_ins=1)
        found.agent.apply(expect=0)
        self.narrowed(found)

    def test_29_the_number_of_a_session_is_a_strangers(self):
        found = self.live()
        jane = self.person(found)
        found.server.faults(spid_reuse=USER)
        found.agent.apply(expect=(0, 1, 2))
        found.server.faults()
        found.agent.apply(expect=(0, 1, 2))
        self.assertEqual(found.server.counters()["strangers_killed"], 0)
        self.assertFalse(jane.sql("SELECT 1").ok)
        self.narrowed(found)

    def test_35_strangers_try_the_agents_password(self):
        found = self.live()
        stranger = lab.Person(found.space, audit_lab.HOST, audit_lab.PORT, found.server.certificates.ca, audit_lab.HOST)
        for _ in range(7):
            self.assertFalse(stranger.login("curfew_agent", "a-guess", "master").ok)
        found.agent.apply(expect=0)
        self.narrowed(found)

    def test_36_what_a_client_calls_itself(self):
        found = self.live()
        for name in ("pc\ud800", "\ud800pc", "pc\x1b[2J", "p\u202ec", "p\nc"):
            strange = lab.Person(found.space, audit_lab.HOST, audit_lab.PORT, found.server.certificates.ca, audit_lab.HOST)
            self.assertTrue(strange.strange(USER, PASSWORD, "AcmeTest", name).ok)
        hosts = found.server.sql(f"SELECT host_name FROM sys.dm_exec_sessions WHERE original_login_name = N'{USER}'")
        self.assertEqual(sorted(len(host) for host, in hosts), [3, 3, 3, 3, 6])
        for command in ("status", "audit"):
            self.assertNotRegex(found.agent.curfew(command).out, "[\x00-\x09\x0b-\x1f\x7f\u202e]")
        found.agent.apply(expect=0)
        self.narrowed(found)

    def test_37_a_colleague_holds_her_transaction(self):
        found = self.live(users=(("Jane", "Doe"), ("John", "Roe")))
        jane, john = self.person(found), self.person(found, SECOND)
        [[token]] = self.does(jane, "DECLARE @t nvarchar(255); EXEC sp_getbindtoken @t OUTPUT; SELECT @t")
        self.does(jane, "BEGIN TRANSACTION; UPDATE dbo.Orders SET Customer = N'Eve'")
        self.does(john, f"EXEC sp_bindsession N'{token}'")
        for user in (USER, SECOND):
            self.assertEqual(self.finding(found, "bound-session", user)["severity"], "high")
        found.agent.apply(expect=(0, 1, 2))
        found.agent.apply(expect=(0, 1, 2))
        for user in (USER, SECOND):
            self.narrowed(found, user=user)
        self.assertEqual(found.server.sql("SELECT COUNT(*) FROM dbo.Orders WHERE Customer = N'Eve'", "AcmeTest"), [[0]])
        self.assertEqual(self.findings(self.audit(found), "bound-session"), [])

    def test_38_a_transaction_in_doubt(self):
        found = self.live()
        found.server.faults(in_doubt=UNIT)
        finding = self.finding(found, "in-doubt", UNIT)
        self.assertEqual((finding["severity"], finding["remedy"]), ("high", f"KILL '{UNIT}';"))
        found.server.faults()
        self.assertEqual(self.findings(self.audit(found), "in-doubt"), [])

    def test_40_a_right_on_the_server_for_everybody(self):
        """By public or by the mark each login of ours holds it: nobody is let in until it is taken back."""
        found = self.live()
        found.agent.apply(expect=0)
        self.narrowed(found)
        for give, take, by in (("GRANT CONTROL SERVER TO [public]", "REVOKE CONTROL SERVER FROM [public]", "by public"),
                               ("GRANT IMPERSONATE ON LOGIN::[sa] TO [curfew_logins]",
                                "REVOKE IMPERSONATE ON LOGIN::[sa] FROM [curfew_logins]", "by curfew_logins"),
                               ("ALTER SERVER ROLE [securityadmin] ADD MEMBER [curfew_logins]",
                                "ALTER SERVER ROLE [securityadmin] DROP MEMBER [curfew_logins]", "by curfew_logins")):
            with self.subTest(give):
                jane = self.person(found)
                found.server.sql(give, "master")
                result = found.agent.apply(expect=(0, 1, 2))
                self.assertIn("excess: acme.jane.doe", result.out)
                self.assertIn(by, result.out)
                self.assertFalse(jane.sql("SELECT 1").ok, str(result))
                result = found.agent.apply(expect=(0, 1, 2))
                self.assertEqual(found.server.login(USER)[1], 1, str(result))
                found.server.sql(take, "master")
                found.agent.apply(expect=0)
                self.narrowed(found)

    def test_45_a_replica_that_cannot_be_read(self):
        """It was the primary, where she came in; now nothing in it can be read. Her login is shut there at go-live, and what
        she is left with is certified only once a replica was read."""
        group = test_replicas.Replicas("test_failover")
        self.addCleanup(group.doCleanups)
        found = group.group_make()
        agent, servers = found.agent, found.servers
        group.applied(agent)
        group.failed_over("sql01", "sql02")
        for _ in range(3):
            agent.apply(expect=(0, 1, 2))
        self.assertEqual(servers["sql02"].login(USER), [USER, False])
        self.assertEqual(servers["sql02"].roles(USER, "AcmeTest"), ["curfew_full"])
        servers["sql02"].sql(f"ALTER LOGIN [{USER}] WITH PASSWORD = N'{PASSWORD}'")
        self.assertTrue(group.person("sql02").login(USER, PASSWORD).ok)
        group.failed_over("sql02", "sql01")
        golive = group.golive
        agent.apply(lab.local(golive), expect=(0, 1, 2))
        self.assertTrue(servers["sql02"].login(USER)[1], "shut where nothing can be read")
        self.assertEqual(servers["sql02"].sessions_of(USER), [])
        agent.apply(lab.local(golive), expect=(0, 1, 2))
        self.assertEqual(servers["sql01"].roles(USER, "AcmeTest"), ["curfew_read_only"])
        for server in servers.values():
            server.faults(database_state={d: "secondary" for d in test_replicas.DATABASES}, replicas="SQL01,SQL02")
        end = lab.local(golive + lab.days(31))
        agent.apply(end, expect=(0, 1, 2))
        for server in servers.values():
            self.assertTrue(server.login(USER) is None or server.login(USER)[1])
        grants = [r for r in agent.curfew("apply", "--at", end, "--json").json["records"] if r["kind"] == "grant"]
        self.assertNotIn("ok", {g["state"] for g in grants}, f"none of them was read: {grants}")
        group.shown("sql02")
        for _ in range(3):
            agent.apply(end, expect=(0, 1, 2))
        for server in servers.values():
            self.assertIsNone(server.login(USER))
        self.assertFalse(servers["sql01"].user(USER, "AcmeTest"))
        grants = [r for r in agent.curfew("apply", "--at", end, "--json").json["records"] if r["kind"] == "grant"]
        self.assertEqual({(g["state"], g["level"]) for g in grants}, {("ok", "none")})

    def test_46_taken_by_a_dba_alone(self):
        found = self.live()
        found.server.sql("ALTER DATABASE [AcmeTest] SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
        found.agent.apply(expect=(1, 2))
        self.assertEqual(found.server.counters()["single_user_taken"], 0, "the DBA's place is left to him")
        self.assertEqual(found.server.login(USER)[1], 1, "what is not seen narrowed stays shut")
        found.server.sql("ALTER DATABASE [AcmeTest] SET MULTI_USER")
        found.agent.apply(expect=0)
        self.narrowed(found)

    def test_47_without_the_right_to_see_databases(self):
        found = self.live()
        jane = self.person(found)
        found.server.sql("REVOKE VIEW ANY DATABASE FROM [public]; DENY VIEW ANY DATABASE TO [curfew_agent]", "master")
        self.assertIn("VIEW ANY DATABASE", found.agent.apply(expect=None).out)
        self.assertFalse(jane.sql("SELECT 1").ok)
        self.assertEqual(found.server.login(USER)[1], 1, "closed, and nothing is opened that cannot be seen")
        found.server.sql("REVOKE VIEW ANY DATABASE FROM [curfew_agent]", "master")
        found.agent.apply(expect=0)
        self.narrowed(found)

    def test_48_sessions_that_begin_inside_a_transaction(self):
        found = self.live()
        found.server.sql("ALTER DATABASE [AcmeTest] SET CONCAT_NULL_YIELDS_NULL OFF")
        found.server.faults(user_options=2)
        found.agent.apply(expect=0)
        found.server.faults()
        self.narrowed(found)
        found.server.sql(f"GRANT INSERT ON SCHEMA::dbo TO [{USER}]", "AcmeTest")
        finding = self.finding(found, "extra-permission", "INSERT on dbo")
        self.assertIn(f"REVOKE INSERT ON SCHEMA::[dbo] FROM [{USER}] CASCADE AS [dbo]", finding["remedy"])

    def test_49_names_that_differ_by_case_alone(self):
        found = self.live(arguments=("--collation", "Latin1_General_CS_AS"))
        other = USER.upper()
        found.server.sql(f"CREATE LOGIN [{other}] WITH PASSWORD = N'{PASSWORD}'")
        found.server.sql(f"CREATE USER [{other}] FOR LOGIN [{other}]; ALTER ROLE [db_owner] ADD MEMBER [{other}]", "AcmeTest")
        stranger = self.person(found, other)
        self.person(found)
        said = str(found.agent.apply(expect=(0, 1, 2)))
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_read_only"], said)
        self.assertEqual(found.server.roles(other, "AcmeTest"), ["db_owner"])
        self.assertEqual(found.server.login(other)[1], 0)
        self.assertTrue(stranger.sql("SELECT 1").ok)
        self.assertEqual(found.server.sessions_of(USER), [])

    def test_50_a_database_of_another_collation(self):
        for made in ("CREATE DATABASE [Elsewhere] COLLATE Turkish_CI_AS",
                     "CREATE DATABASE [Elsewhere] CONTAINMENT = PARTIAL"):
            with self.subTest(made):
                begin = "EXEC sp_configure 'contained database authentication', 1\nGO\nRECONFIGURE\nGO\n"
                found = self.live(script=f"{begin}{made}\nGO\nUSE [Elsewhere]\nGO\nCREATE TABLE dbo.Orders (Id int, Customer nvarchar(50))"
                                         "\nGO\nUSE [master]\nGO\n", database="Elsewhere", servers={"sql01": ()})
                self.person(found, database="Elsewhere")
                found.agent.apply(expect=0)
                self.narrowed(found, "Elsewhere")
                audit = self.audit(found)
                self.assertEqual([f for f in audit["findings"] if f["name"] == "not-shown"], [])
                self.assertNotIn("cannot run check", str(audit))

    def test_53_a_reader_holds_a_lock(self):
        found = self.live()
        found.agent.apply(expect=0)
        self.does(self.person(found), "BEGIN TRANSACTION; SELECT COUNT(*) FROM dbo.Orders WITH (TABLOCKX, HOLDLOCK)")
        finding = self.finding(found, "long-transaction", USER)
        self.assertEqual(finding["severity"], "medium")
        found.server.sql(finding["remedy"])
        self.assertEqual(found.server.sql(f"SELECT COUNT(*) FROM sys.dm_exec_sessions WHERE original_login_name = N'{USER}'"), [[0]])


if __name__ == "__main__":
    unittest.main()
