"""Logins, passwords, sessions, server roles, KILL, impersonation, users and their orphans."""
import threading
import unittest

from engine import Message, SqlError
from engine_base import PASSWORD, EngineCase


class Logins(EngineCase):
    def test_password_rules(self):
        for sql, number in (
                ("WITH PASSWORD = N'short'", 15116), ("WITH PASSWORD = N'allsmallletters'", 15118),
                ("WITH PASSWORD = N''", 15156), (f"WITH PASSWORD = N'{'Aa1!' * 33}'", 15156),
                ("WITH PASSWORD = N'Good#pass1' MUST_CHANGE", 15099),
                ("WITH PASSWORD = N'Good#pass1' MUST_CHANGE, CHECK_POLICY = OFF, CHECK_EXPIRATION = ON",
                 15122),
                ("WITH PASSWORD = N'Good#pass1', CHECK_POLICY = OFF, CHECK_EXPIRATION = ON", 15122),
                ("WITH PASSWORD = N'Good#pass1', DEFAULT_DATABASE = nowhere", 911),
                ("WITH PASSWORD = N'Good#pass1', NOSUCH = ON", 102), ("", 102)):
            self.fails(self.sa, "CREATE LOGIN a " + sql, number)
        self.ok(self.sa, "CREATE LOGIN a WITH PASSWORD = N'x', CHECK_POLICY = OFF")
        self.fails(self.sa, "CREATE LOGIN A WITH PASSWORD = N'Good#pass1'", 15025)

    def test_must_change(self):
        self.ok(self.sa, "CREATE LOGIN a WITH PASSWORD = N'Good#pass1' MUST_CHANGE, "
                         "CHECK_EXPIRATION = ON; CREATE USER a")
        self.assertEqual(self.one(self.sa, "SELECT CAST(LOGINPROPERTY(N'a', 'IsMustChange') AS int)"), 1)
        self.fails(self.sa, "ALTER LOGIN a WITH CHECK_EXPIRATION = OFF", 15128)
        self.login_fails(18488, "a", "Good#pass1")
        self.login_fails(15116, "a", "Good#pass1", new_password="x")
        self.session("a", "Good#pass1", new_password="Other#pass2")
        self.login_fails(18456, "a", "Good#pass1")
        self.session("a", "Other#pass2")

    def test_refusals_at_the_door(self):
        self.login("a").close()
        self.login_fails(18456, "nobody")
        self.login_fails(18456, "a", "wrong")
        self.login_fails(4060, "a", database="nowhere")
        self.ok(self.sa, "ALTER LOGIN a DISABLE")
        self.login_fails(18470, "a")
        self.login_fails(18456, "a", "wrong")

    def test_lock_out_and_unlock(self):
        self.login("a").close()
        for _ in range(5):
            self.login_fails(18456, "a", "wrong")
        self.login_fails(18486, "a")
        self.ok(self.sa, f"ALTER LOGIN a WITH PASSWORD = N'{PASSWORD}' UNLOCK")
        self.session("a")

    def test_default_database_that_vanished(self):
        self.ok(self.sa, f"CREATE LOGIN a WITH PASSWORD = N'{PASSWORD}', DEFAULT_DATABASE = shop")
        self.login_fails(4064, "a", database=None)

    def test_drop_login_while_it_holds_on(self):
        a = self.login("a")
        self.fails(self.sa, "DROP LOGIN a", 15434)
        a.close()
        self.ok(self.sa, "CREATE DATABASE owned; ALTER AUTHORIZATION ON DATABASE::owned TO a")
        self.fails(self.sa, "DROP LOGIN a", 15174)
        self.ok(self.sa, "ALTER AUTHORIZATION ON DATABASE::owned TO sa; "
                         "EXEC msdb.dbo.sp_add_job @job_name = N'j', @owner_login_name = N'a'")
        self.fails(self.sa, "DROP LOGIN a", 15170)
        self.ok(self.sa, "EXEC msdb.dbo.sp_delete_job @job_name = N'j'; CREATE SERVER ROLE r AUTHORIZATION a")
        self.fails(self.sa, "DROP LOGIN a", 15141)
        self.ok(self.sa, "DROP SERVER ROLE r; DROP LOGIN a")
        self.fails(self.sa, "DROP LOGIN a", 15151)

    def test_sid_and_hash(self):
        self.ok(self.sa, f"CREATE LOGIN a WITH PASSWORD = N'{PASSWORD}', SID = 0x{'0B' * 16}")
        self.fails(self.sa, f"CREATE LOGIN b WITH PASSWORD = N'{PASSWORD}', SID = 0x{'0B' * 16}", 15433)
        self.fails(self.sa, f"CREATE LOGIN b WITH PASSWORD = N'{PASSWORD}', SID = 0x0B", 15419)
        stored = self.one(self.sa, "SELECT CONVERT(varchar(max), password_hash, 1) FROM sys.sql_logins "
                                   "WHERE name = N'a'")
        self.assertNotIn(PASSWORD.encode("utf-16-le").hex().upper(), stored)
        self.ok(self.sa, f"CREATE LOGIN c WITH PASSWORD = {stored} HASHED; USE shop; CREATE USER c")
        self.session("c")

    def test_least_privilege_of_an_agent(self):
        a = self.login("agent", "master", user=False)
        self.fails(a, f"CREATE LOGIN x WITH PASSWORD = N'{PASSWORD}'", 15247)
        self.ok(self.sa, "USE master; GRANT ALTER ANY LOGIN, ALTER ANY CONNECTION, VIEW SERVER STATE, "
                         "CONNECT ANY DATABASE, VIEW ANY DEFINITION TO agent")
        self.ok(a, f"CREATE LOGIN x WITH PASSWORD = N'{PASSWORD}'; ALTER LOGIN x DISABLE; USE shop")
        self.fails(a, "CREATE USER x FOR LOGIN x", 15247)
        self.ok(self.sa, "USE shop; CREATE USER agent; GRANT ALTER ANY USER TO agent; CREATE ROLE r; "
                         "GRANT ALTER ON ROLE::r TO agent")
        self.ok(a, "USE shop; CREATE USER x FOR LOGIN x; ALTER ROLE r ADD MEMBER x")
        self.fails(a, "ALTER ROLE db_owner ADD MEMBER x", 15151)
        self.fails(a, "ALTER LOGIN sa DISABLE", 15151)
        self.fails(a, "ALTER SERVER ROLE sysadmin ADD MEMBER agent", 15151)


class Sessions(EngineCase):
    def test_kill(self):
        a = self.login("a")
        self.fails(a, f"KILL {self.sa.spid}", 6102)
        self.fails(self.sa, f"KILL {self.sa.spid}", 6104)
        self.fails(self.sa, "KILL 5", 6107)
        self.fails(self.sa, "KILL 9999", 6106)
        self.fails(self.sa, "KILL 0", 6101)
        self.fails(self.sa, f"BEGIN TRAN; KILL {a.spid}", 6115)
        self.ok(self.sa, "ROLLBACK")
        self.ok(self.sa, f"KILL {a.spid}")
        self.assertTrue(a.killed.is_set())
        self.assertEqual([e.number for e in a.execute("SELECT 1") if isinstance(e, Message)], [596])
        self.assertEqual(self.ok(self.sa, "SELECT 1 FROM sys.dm_exec_sessions WHERE login_name = N'a'"), [])

    def test_kill_rolls_back_and_frees(self):
        a = self.login("a")
        self.ok(self.sa, "CREATE TABLE dbo.t (i int); GRANT CONTROL TO a")
        self.ok(a, "BEGIN TRAN; INSERT dbo.t VALUES (1)")
        self.fails(self.sa, "SET LOCK_TIMEOUT 0; SELECT * FROM dbo.t", 1222)
        self.ok(self.sa, f"KILL {a.spid}")
        self.assertEqual(self.one(self.sa, "SELECT COUNT(*) FROM dbo.t"), 0)

    def test_disabling_leaves_open_sessions_alone(self):
        a = self.login("a")
        self.ok(self.sa, "ALTER LOGIN a DISABLE")
        self.ok(a, "SELECT 1")

    def test_a_reset_logs_in_again(self):
        """A pooled connection of a disabled login is not had again, and login_time is no name of a session."""
        session = self.login("pooled")
        session.login_time = ""
        session.reset()
        self.assertNotEqual(session.login_time, "")
        self.ok(self.sa, "ALTER LOGIN [pooled] DISABLE")
        self.ok(session, "SELECT 1")
        with self.assertRaises(SqlError) as refused:
            session.reset()
        self.assertEqual(refused.exception.number, 18056)

    def test_application_lock(self):
        a = self.login("a")
        take = ("DECLARE @r int; EXEC @r = sp_getapplock @Resource = N'x', @LockMode = N'Exclusive', "
                "@LockOwner = N'Session', @LockTimeout = {}; SELECT @r")
        self.ok(a, "USE master"), self.ok(self.sa, "USE master")
        self.assertEqual(self.one(a, take.format(0)), 0)
        self.assertEqual(self.one(self.sa, take.format(0)), -1)
        got = []
        waiter = threading.Thread(target=lambda: got.append(self.one(self.sa, take.format(600000))))
        waiter.start()
        a.close()
        waiter.join(120)
        self.assertIn(got, ([0], [1]))
        self.ok(self.sa, "EXEC sp_releaseapplock @Resource = N'x', @LockOwner = N'Session'")
        self.fails(self.sa, "EXEC sp_releaseapplock @Resource = N'x', @LockOwner = N'Session'", 1223)

    def test_impersonation(self):
        a = self.login("a")
        self.fails(a, "EXECUTE AS USER = N'dbo'", 15517)
        self.fails(a, "EXECUTE AS LOGIN = N'sa'", 15406)
        seen = self.one(self.sa, "EXECUTE AS LOGIN = N'a'; SELECT SUSER_SNAME(), ORIGINAL_LOGIN(), "
                                 "HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER ANY LOGIN')")
        self.assertEqual(seen, ("a", "sa", 0))
        self.assertEqual(self.one(self.sa, "REVERT; SELECT SUSER_SNAME()"), "sa")
        # A user of one database is nobody in the next.
        self.ok(self.sa, "CREATE DATABASE other")
        self.fails(self.sa, "EXECUTE AS USER = N'a'; USE other", 916)
        self.ok(self.sa, "REVERT")
        self.ok(self.sa, "CREATE USER b WITHOUT LOGIN; GRANT IMPERSONATE ON USER::b TO a")
        self.assertEqual(self.one(a, "EXECUTE AS USER = N'b'; SELECT USER_NAME()"), "b")


    def test_a_disabled_login_is_acted_as_where_it_may_enter(self):
        a = self.login("a")
        self.ok(self.sa, "ALTER ROLE db_owner ADD MEMBER a; CREATE LOGIN p WITH PASSWORD = N'Good#pass1'; "
                         "CREATE LOGIN maker WITH PASSWORD = N'Good#pass1'; ALTER LOGIN maker DISABLE; CREATE USER maker FOR LOGIN maker; "
                         "REVOKE CONNECT FROM maker; USE master; GRANT VIEW ANY DEFINITION TO maker; USE shop")
        act = ("DECLARE @c varbinary(8000); EXECUTE AS LOGIN = N'maker' WITH COOKIE INTO @c; BEGIN TRY {} END TRY "
               "BEGIN CATCH REVERT WITH COOKIE = @c; THROW; END CATCH; REVERT WITH COOKIE = @c")
        self.fails(a, act.format("SELECT 1"), 15406)
        self.ok(self.sa, "USE master; GRANT IMPERSONATE ON LOGIN::maker TO a; USE shop")
        self.fails(a, act.format("SELECT 1"), 916)
        self.ok(a, "GRANT CONNECT TO maker")
        self.fails(a, act.format("CREATE USER p FOR LOGIN p"), 15247)
        self.ok(a, "GRANT ALTER ANY USER TO maker")
        self.ok(a, act.format("CREATE USER p FOR LOGIN p"))
        # The owner inside of the database sees no login; nor is the right to alter users enough to give one another login.
        self.fails(a, "EXECUTE AS USER = N'dbo'; CREATE USER q FOR LOGIN p", 15007)
        self.ok(a, "REVERT")
        self.fails(a, "EXECUTE AS USER = N'dbo'; ALTER USER p WITH LOGIN = p", 15007)
        self.ok(a, "REVERT")
        self.fails(a, act.format("ALTER USER p WITH LOGIN = p"), 15151)
        self.ok(a, "GRANT CONTROL TO maker")
        self.ok(a, act.format("ALTER USER p WITH LOGIN = p"))
        self.assertEqual(self.one(a, "SELECT SUSER_SNAME()"), "a")


class Users(EngineCase):
    def test_creation(self):
        self.login("a").close()
        self.fails(self.sa, "CREATE USER a2 FOR LOGIN a", 15063)
        self.fails(self.sa, "CREATE USER a WITHOUT LOGIN", 15023)
        self.fails(self.sa, "CREATE USER n FOR LOGIN nobody", 15007)
        self.fails(self.sa, "CREATE USER p WITH PASSWORD = N'Good#pass1'", 33233)

    def test_what_keeps_a_user(self):
        for setup, number in (
                ("CREATE SCHEMA s AUTHORIZATION u", 15138), ("CREATE ROLE r AUTHORIZATION u", 15421),
                ("CREATE TABLE dbo.t (i int); ALTER AUTHORIZATION ON dbo.t TO u", 15183),
                ("CREATE TYPE dbo.y FROM int; ALTER AUTHORIZATION ON TYPE::dbo.y TO u", 15184),
                ("CREATE CERTIFICATE c AUTHORIZATION u ENCRYPTION BY PASSWORD = N'x' "
                 "WITH SUBJECT = N's'", 15154)):
            with self.subTest(setup):
                self.setUp()
                self.ok(self.sa, "CREATE USER u WITHOUT LOGIN")
                for part in setup.split("; "):
                    self.ok(self.sa, part)
                self.fails(self.sa, "DROP USER u", number)
        self.setUp()
        self.ok(self.sa, "CREATE USER u WITHOUT LOGIN")
        self.ok(self.sa, "CREATE PROCEDURE dbo.p WITH EXECUTE AS 'u' AS SELECT USER_NAME()")
        self.assertEqual(self.one(self.sa, "EXEC dbo.p"), "u")
        self.fails(self.sa, "DROP USER u", 15136)
        self.ok(self.sa, "DROP PROCEDURE dbo.p; DROP USER u")

    def test_restore_brings_orphans_not_access(self):
        self.ok(self.sa, "CREATE DATABASE production; CREATE TABLE dbo.t (i int); INSERT dbo.t VALUES (4)")
        a = self.login("a")
        self.ok(self.sa, "GRANT CONTROL TO a; BACKUP DATABASE shop TO DISK = N'b'")
        a.close()
        self.ok(self.sa, "DROP USER a; DROP LOGIN a; USE master; RESTORE DATABASE production FROM DISK = "
                         "N'b' WITH REPLACE")
        self.fails(self.sa, "RESTORE DATABASE shop FROM DISK = N'nothing'", 3201)
        self.ok(self.sa, f"CREATE LOGIN a WITH PASSWORD = N'{PASSWORD}'")
        self.login_fails(4060, "a", database="production")
        self.assertEqual(self.ok(self.sa, "SELECT u.name FROM production.sys.database_principals u WHERE "
                                          "u.type = 'S' AND u.principal_id > 4 AND NOT EXISTS (SELECT 1 "
                                          "FROM sys.server_principals l WHERE l.sid = u.sid)"), [("a",)])
        self.ok(self.sa, "USE production; ALTER USER a WITH LOGIN = a")
        self.assertEqual(self.one(self.session("a", database="production"), "SELECT i FROM dbo.t"), 4)


if __name__ == "__main__":
    unittest.main()
