"""Catalog locks: who waits, how waiting ends, and how long a rollback takes."""
import threading
import time
import unittest

from engine_base import EngineCase

VIEWS = {"ALTER TABLE dbo.t ADD y int": ("objects", "tables", "columns", "sql_modules"),
         "CREATE USER u WITHOUT LOGIN": ("database_principals",),
         "GRANT SELECT ON dbo.t TO public": ("database_permissions",),
         "ALTER ROLE db_datareader ADD MEMBER v": ("database_role_members",),
         "CREATE LOGIN l WITH PASSWORD = N'Str0ng!pass'": ("server_principals", "sql_logins")}
READABLE = ("dm_exec_sessions", "dm_exec_requests", "dm_tran_locks", "dm_exec_connections", "configurations")


class LockCase(EngineCase):
    SCRIPT = "CREATE TABLE dbo.t (x int)\nGO\nCREATE TABLE dbo.s (x int)\nGO\nCREATE USER v WITHOUT LOGIN"

    def setUp(self):
        super().setUp()
        self.server.features.catalogue_locks = True
        self.other = self.session("sa", "Sa!pass1")
        self.ok(self.sa, "SET LOCK_TIMEOUT 0")


class Catalogue(LockCase):
    def test_readers_wait_for_open_changes(self):
        for change, views in VIEWS.items():
            with self.subTest(change):
                self.ok(self.other, "BEGIN TRAN; " + change)
                for view in views:
                    self.fails(self.sa, f"SELECT COUNT(*) FROM sys.{view}", 1222)
                for view in READABLE:
                    self.ok(self.sa, f"SELECT COUNT(*) FROM sys.{view}")
                self.ok(self.other, "ROLLBACK")
                for view in views:
                    self.ok(self.sa, f"SELECT COUNT(*) FROM sys.{view}")

    def test_a_reader_that_waited_does_not_look_back(self):
        """What it had read before the row that it waited at may be another by the time it goes on."""
        for name in ("first", "second"):
            self.ok(self.sa, f"EXEC (N'CREATE TRIGGER {name} ON DATABASE FOR CREATE_TABLE AS SELECT 1'); "
                             f"DISABLE TRIGGER {name} ON DATABASE")
        ask = "SELECT name FROM sys.triggers WHERE is_disabled = 0 ORDER BY object_id"
        for waits_at, read in (("second", []), ("first", [("first",)])):
            with self.subTest(waits_at):
                self.ok(self.other, f"BEGIN TRAN; EXEC (N'ALTER TRIGGER {waits_at} ON DATABASE FOR CREATE_TABLE AS SELECT 2'); "
                                    f"DISABLE TRIGGER {waits_at} ON DATABASE")
                rows = []
                reader = threading.Thread(target=lambda: rows.extend(self.ok(self.sa, "SET LOCK_TIMEOUT 600000; " + ask)))
                reader.start()
                while not self.sa.blocked_by:
                    time.sleep(0.01)
                self.ok(self.session("sa", "Sa!pass1"), "ENABLE TRIGGER first ON DATABASE") if waits_at == "second" else \
                    self.ok(self.other, "ENABLE TRIGGER first ON DATABASE")
                self.ok(self.other, "COMMIT")
                reader.join()
                self.assertEqual(rows, read)
                self.assertEqual(self.ok(self.sa, ask), [("first",)])
                self.ok(self.sa, "DISABLE TRIGGER first ON DATABASE")

    def test_changes_wait_for_open_changes_of_the_same(self):
        self.ok(self.other, "BEGIN TRAN; ALTER ROLE db_datareader ADD MEMBER v")
        for change in ("ALTER ROLE db_datareader DROP MEMBER v", "DROP USER v"):
            self.fails(self.sa, change, 1222)
        self.ok(self.other, "ROLLBACK")
        self.ok(self.sa, "DROP USER v")

    def test_other_databases_and_kinds_go_on(self):
        self.ok(self.other, "BEGIN TRAN; ALTER TABLE dbo.t ADD y int")
        self.ok(self.sa, "SELECT 1 FROM master.sys.objects; SELECT 1 FROM sys.database_principals; "
                         "SELECT 1 FROM sys.server_principals; SELECT 1 FROM sys.databases")

    def test_the_log_is_held(self):
        ask = "SELECT log_reuse_wait_desc FROM sys.databases WHERE name = N'shop'"
        self.assertEqual(self.one(self.sa, ask), "NOTHING")
        self.ok(self.other, "BEGIN TRAN; ALTER TABLE dbo.t ADD y int")
        self.assertEqual(self.one(self.sa, ask), "ACTIVE_TRANSACTION")

    def test_no_hint_and_no_level_helps(self):
        self.ok(self.other, "BEGIN TRAN; ALTER TABLE dbo.t ADD y int")
        self.fails(self.sa, "SELECT 1 FROM sys.objects WITH (NOLOCK)", 1222)
        self.fails(self.sa, "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; SELECT 1 FROM sys.objects", 1222)

    def test_functions_wait_for_their_object_alone(self):
        self.ok(self.other, "BEGIN TRAN; ALTER TABLE dbo.t ADD y int")
        for ask in ("OBJECT_ID(N'dbo.{}')", "HAS_PERMS_BY_NAME(N'dbo.{}', N'OBJECT', N'SELECT')"):
            self.fails(self.sa, "SELECT " + ask.format("t"), 1222)
            self.ok(self.sa, "SELECT " + ask.format("s"))

    def test_functions_wait_for_who_empties_the_table(self):
        self.ok(self.other, "BEGIN TRAN; TRUNCATE TABLE dbo.t")
        for ask in ("OBJECT_ID(N'dbo.{}')", "HAS_PERMS_BY_NAME(N'dbo.{}', N'OBJECT', N'SELECT')"):
            self.fails(self.sa, "SELECT " + ask.format("t"), 1222)
            self.ok(self.sa, "SELECT " + ask.format("s"))
        self.ok(self.sa, "SELECT COUNT(*) FROM sys.tables")
        self.ok(self.other, "ROLLBACK; BEGIN TRAN; DELETE FROM dbo.t")
        self.ok(self.sa, "SELECT HAS_PERMS_BY_NAME(N'dbo.t', N'OBJECT', N'SELECT')")
        self.ok(self.other, "ROLLBACK")

    def test_functions_wait_and_go_on(self):
        self.ok(self.other, "BEGIN TRAN; ALTER TABLE dbo.t ADD y int")
        threading.Timer(0.2, self.ok, (self.other, "COMMIT")).start()
        self.assertEqual(self.one(self.sa, "SET LOCK_TIMEOUT 600000; SELECT COUNT(OBJECT_ID(N'dbo.t')) FROM (VALUES (1), (2)) v(x)"), 2)

    def test_new_names_are_unseen(self):
        self.ok(self.other, "BEGIN TRAN; CREATE TABLE dbo.fresh (x int)")
        self.fails(self.sa, "SELECT * FROM dbo.fresh", 1222)
        self.ok(self.other, "ROLLBACK")
        self.fails(self.sa, "SELECT * FROM dbo.fresh", 208)

    def test_permissions_of_the_object(self):
        self.ok(self.other, "BEGIN TRAN; GRANT SELECT ON dbo.t TO v")
        self.fails(self.sa, "SELECT HAS_PERMS_BY_NAME(N'dbo.t', N'OBJECT', N'SELECT')", 1222)
        self.ok(self.sa, "SELECT HAS_PERMS_BY_NAME(N'dbo.s', N'OBJECT', N'SELECT')")

    def test_roles_of_the_asked_one(self):
        a = self.login("a")
        self.ok(a, "SET LOCK_TIMEOUT 0")
        ask = "SELECT HAS_PERMS_BY_NAME(N'dbo.t', N'OBJECT', N'SELECT')"
        self.ok(self.sa, "GRANT VIEW DEFINITION ON dbo.t TO a")
        self.assertEqual(self.one(a, ask), 0)
        self.ok(self.other, "BEGIN TRAN; ALTER ROLE db_datareader ADD MEMBER a")
        self.fails(a, ask, 1222)
        self.fails(a, "SELECT * FROM dbo.t", 1222)
        self.ok(self.other, "ROLLBACK")
        self.assertEqual(self.one(a, ask), 0)

    def test_the_blocker_is_named(self):
        self.ok(self.other, "BEGIN TRAN; ALTER TABLE dbo.t ADD y int")
        waiter = threading.Thread(target=self.run_batch, args=(self.sa, "SET LOCK_TIMEOUT 600000; SELECT 1 FROM sys.objects"))
        waiter.start()
        watch = self.session("sa", "Sa!pass1")
        seen = []
        while not seen and waiter.is_alive():
            seen = self.ok(watch, "SELECT blocking_session_id, status FROM sys.dm_exec_requests "
                                  f"WHERE session_id = {self.sa.spid} AND blocking_session_id <> 0")
            time.sleep(0.01)
        self.assertEqual(seen, [(self.other.spid, "suspended")])
        self.ok(watch, f"KILL {self.other.spid}")
        waiter.join()

    def test_who_changes_what_is_a_view_of_memory(self):
        ask = "SELECT t.session_id, d.database_id FROM sys.dm_tran_session_transactions AS t " \
              "JOIN sys.dm_tran_database_transactions AS d ON d.transaction_id = t.transaction_id " \
              "WHERE d.database_transaction_log_record_count > 0"
        self.ok(self.other, "BEGIN TRAN; SELECT * FROM dbo.t")
        self.assertEqual(self.ok(self.sa, ask), [])
        self.ok(self.other, "ALTER TABLE dbo.t ADD y int; USE master")
        shop = self.one(self.sa, "SELECT DB_ID(N'shop')")
        self.assertEqual(self.ok(self.sa, ask), [(self.other.spid, shop)])
        self.ok(self.other, "ROLLBACK")
        self.assertEqual(self.ok(self.sa, ask), [])

    def test_timeout_ends_the_statement_alone(self):
        self.ok(self.other, "BEGIN TRAN; ALTER TABLE dbo.t ADD y int")
        rows, errors = self.run_batch(self.sa, "BEGIN TRAN; SELECT 1 FROM sys.objects; SELECT @@TRANCOUNT")
        self.assertEqual((rows, errors), ([(1,)], [1222]))
        self.ok(self.sa, "ROLLBACK")
        self.fails(self.sa, "SET XACT_ABORT ON; BEGIN TRAN; SELECT 1 FROM sys.objects; SELECT 5", 1222)
        self.assertEqual(self.one(self.sa, "SELECT @@TRANCOUNT"), 0)

    def test_set_up_does_not_wait_for_ever(self):
        self.assertGreater(self.server.sa_session().settings.lock_timeout, 0)

    def test_not_kept_unless_asked_for(self):
        self.server.features.catalogue_locks = False
        self.ok(self.other, "BEGIN TRAN; ALTER TABLE dbo.t ADD y int")
        self.ok(self.sa, "SELECT 1 FROM sys.objects")


class Logins(LockCase):
    """Anybody may lock its own row for as long as it likes."""

    def setUp(self):
        super().setUp()
        self.a, self.b = self.login("a"), self.login("b")
        self.ok(self.a, "BEGIN TRAN; ALTER LOGIN [a] WITH DEFAULT_LANGUAGE = us_english")
        self.sid = self.one(self.sa, f"SELECT original_security_id FROM sys.dm_exec_sessions WHERE session_id = {self.a.spid}")

    def test_who_closes_it_waits(self):
        self.fails(self.sa, "ALTER LOGIN [a] DISABLE", 1222)
        self.fails(self.sa, "DROP LOGIN [a]", 1222)
        self.ok(self.sa, "ALTER LOGIN [b] DISABLE")
        self.ok(self.sa, f"KILL {self.a.spid}")
        self.ok(self.sa, "ALTER LOGIN [a] DISABLE")

    def test_who_asks_for_it_waits(self):
        for ask in ("SUSER_SID(N'a')", f"SUSER_SNAME(0x{self.sid.hex()})", "IS_SRVROLEMEMBER(N'sysadmin', N'a')"):
            self.fails(self.sa, "SELECT " + ask, 1222)
        self.ok(self.sa, "SELECT SUSER_SID(N'b'), IS_SRVROLEMEMBER(N'sysadmin', N'b')")
        self.ok(self.a, "COMMIT")
        self.assertEqual(self.one(self.sa, "SELECT SUSER_SID(N'a')"), self.sid)


class Principals(LockCase):
    def test_a_running_statement_delays_changes_of_its_user(self):
        a = self.login("a")
        self.ok(self.other, "BEGIN TRAN; INSERT dbo.t VALUES (1)")
        self.ok(self.sa, "GRANT SELECT ON dbo.t TO a")
        runner = threading.Thread(target=self.run_batch, args=(a, "SELECT * FROM dbo.t"))
        runner.start()
        while not a.blocked_by:
            time.sleep(0.01)
        self.fails(self.sa, "ALTER ROLE db_datareader ADD MEMBER a", 1222)
        self.fails(self.sa, "DROP USER a", 1222)
        self.ok(self.sa, "ALTER ROLE db_datareader ADD MEMBER v")
        self.ok(self.other, "ROLLBACK")
        runner.join()
        self.ok(self.sa, "ALTER ROLE db_datareader ADD MEMBER a")


class Tables(LockCase):
    def test_a_reader_may_hold_a_table(self):
        self.ok(self.other, "BEGIN TRAN; SELECT * FROM dbo.t WITH (TABLOCKX, HOLDLOCK)")
        self.fails(self.sa, "SELECT * FROM dbo.t", 1222)
        self.assertEqual(self.ok(self.sa, "SELECT request_mode, request_session_id FROM sys.dm_tran_locks "
                                          "WHERE resource_type = N'OBJECT'"), [("X", self.other.spid)])
        self.ok(self.other, "COMMIT")
        self.ok(self.other, "BEGIN TRAN; SELECT * FROM dbo.t WITH (HOLDLOCK)")
        self.ok(self.sa, "SELECT * FROM dbo.t")
        self.fails(self.sa, "INSERT dbo.t VALUES (1)", 1222)

    def test_deadlock(self):
        self.ok(self.sa, "SET LOCK_TIMEOUT 600000; BEGIN TRAN; INSERT dbo.t VALUES (1)")
        self.ok(self.other, "SET LOCK_TIMEOUT 600000; BEGIN TRAN; INSERT dbo.s VALUES (1)")
        first = threading.Thread(target=self.run_batch, args=(self.other, "INSERT dbo.t VALUES (2)"))
        first.start()
        while not self.other.blocked_by:
            time.sleep(0.01)
        self.fails(self.sa, "INSERT dbo.s VALUES (2)", 1205)
        first.join()
        self.assertEqual(self.one(self.sa, "SELECT @@TRANCOUNT"), 0)

    def test_the_lower_priority_loses(self):
        """Whoever closes the circle: the other one is ended, wherever it waits."""
        self.ok(self.sa, "SET LOCK_TIMEOUT 600000; SET DEADLOCK_PRIORITY 10; BEGIN TRAN; INSERT dbo.t VALUES (1)")
        self.ok(self.other, "SET LOCK_TIMEOUT 600000; SET DEADLOCK_PRIORITY HIGH; BEGIN TRAN; INSERT dbo.s VALUES (1)")
        found = []
        first = threading.Thread(target=lambda: found.extend(self.run_batch(self.other, "INSERT dbo.t VALUES (2)")[1]))
        first.start()
        while not self.other.blocked_by:
            time.sleep(0.01)
        self.ok(self.sa, "INSERT dbo.s VALUES (2)")
        first.join()
        self.assertEqual(found, [1205])
        self.ok(self.sa, "COMMIT; SET DEADLOCK_PRIORITY -10")


class Rollback(LockCase):
    def setUp(self):
        super().setUp()
        self.server.features.rollback_milliseconds = 3600_000
        self.ok(self.other, "BEGIN TRAN; CREATE USER u WITHOUT LOGIN")
        self.ok(self.sa, f"KILL {self.other.spid}")

    def finish(self):
        self.server.features.rollback_milliseconds = 0

    def test_the_session_stays_until_its_work_is_undone(self):
        ask = f"SELECT command, status FROM sys.dm_exec_requests WHERE session_id = {self.other.spid}"
        self.assertEqual(self.ok(self.sa, ask), [("KILLED/ROLLBACK", "rollback")])
        self.fails(self.sa, "SELECT 1 FROM sys.database_principals", 1222)
        events = list(self.sa.execute(f"KILL {self.other.spid} WITH STATUSONLY"))
        self.assertIn("rollback in progress", events[0].text)
        self.ok(self.sa, f"KILL {self.other.spid}")
        self.finish()
        self.assertEqual(self.ok(self.sa, ask), [])
        self.assertEqual(self.ok(self.sa, "SELECT 1 FROM sys.database_principals WHERE name = N'u'"), [])
        self.fails(self.sa, f"KILL {self.other.spid}", 6106)

    def test_a_client_that_goes_away_as_well(self):
        gone = self.session("sa", "Sa!pass1")
        self.ok(gone, "BEGIN TRAN; CREATE USER w WITHOUT LOGIN")
        gone.close()
        self.assertEqual(self.ok(self.sa, f"SELECT 1 FROM sys.dm_exec_sessions WHERE session_id = {gone.spid}"), [(1,)])
        self.finish()
        self.assertEqual(self.ok(self.sa, f"SELECT 1 FROM sys.dm_exec_sessions WHERE session_id = {gone.spid}"), [])

    def test_nothing_to_take_back_ends_at_once(self):
        idle = self.session("sa", "Sa!pass1")
        self.ok(self.sa, f"KILL {idle.spid}")
        self.fails(self.sa, f"KILL {idle.spid} WITH STATUSONLY", 6106)
        self.fails(self.sa, f"KILL {self.session('sa', 'Sa!pass1').spid} WITH STATUSONLY", 6120)


class InDoubt(LockCase):
    UOW = "D5499C66-E398-45CA-BF7E-DC9C194B48CF"

    def test_unit_of_work(self):
        self.server.features.in_doubt = self.UOW
        ask = "SELECT CAST(request_owner_guid AS nvarchar(36)) FROM sys.dm_tran_locks WHERE request_session_id = -2"
        self.assertEqual(self.ok(self.sa, ask), [(self.UOW,)])
        self.fails(self.sa, "KILL -2", 6101)
        self.fails(self.sa, "KILL '00000000-0000-0000-0000-000000000001'", 6110)
        self.ok(self.sa, f"KILL '{self.UOW}'")
        self.assertEqual(self.ok(self.sa, ask), [])


class ApplicationLocks(LockCase):
    GET = "DECLARE @r int; EXEC @r = sp_getapplock @Resource = N'curfew', @LockMode = N'Exclusive', " \
          "@LockOwner = N'Session', @LockTimeout = 0{}; SELECT @r"

    def test_a_principals_lock_is_another_one(self):
        self.ok(self.sa, "CREATE ROLE keepers")
        a = self.login("a")
        self.assertEqual(self.one(a, self.GET.format("")), 0)
        self.assertEqual(self.one(self.sa, self.GET.format("")), -1)
        self.fails(a, self.GET.format(", @DbPrincipal = N'keepers'").replace("; SELECT @r", ""), 1202)
        self.assertEqual(self.one(self.sa, self.GET.format(", @DbPrincipal = N'keepers'")), 0)
        self.ok(self.sa, "EXEC sp_releaseapplock @Resource = N'curfew', @LockOwner = N'Session', @DbPrincipal = N'keepers'")


if __name__ == "__main__":
    unittest.main()
