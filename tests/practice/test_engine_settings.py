"""SET options: where a session gets them from, what they change, and which ones modules store."""
import os
import unittest

from engine import Features, Server
from engine_base import EngineCase

SSMS = 5496             # what an administrator's tool has on
DB_LIB_WANTS = ("SET IMPLICIT_TRANSACTIONS, CURSOR_CLOSE_ON_COMMIT, NUMERIC_ROUNDABORT OFF; "
                "SET QUOTED_IDENTIFIER, ANSI_NULLS, ANSI_PADDING, ANSI_WARNINGS, ANSI_NULL_DFLT_ON, "
                "CONCAT_NULL_YIELDS_NULL, ARITHABORT, XACT_ABORT ON")


class SettingsCase(EngineCase):
    """`self.bare` is a session whose login said nothing of ODBC, as db-lib's."""
    FEATURES = {}

    def setUp(self):
        super().setUp()
        self.server.features.session_settings = True
        for name, value in self.FEATURES.items():
            setattr(self.server.features, name, value)
        self.bare = self.session("sa", "Sa!pass1", odbc=False)


class Login(SettingsCase):
    def test_the_flag_in_the_login_decides(self):
        self.assertEqual(self.one(self.bare, "SELECT @@OPTIONS"), 0)
        odbc = self.session("sa", "Sa!pass1")
        self.assertEqual(self.one(odbc, "SELECT @@OPTIONS"), SSMS - 64)
        self.server.features.session_settings = False
        self.assertEqual(self.one(self.session("sa", "Sa!pass1", odbc=False), "SELECT @@OPTIONS"), SSMS)

    def test_several_options_in_one_set(self):
        self.ok(self.bare, DB_LIB_WANTS)
        self.assertEqual(self.one(self.bare, "SELECT @@OPTIONS"), SSMS + 16384)

    def test_each_session_has_its_own(self):
        self.ok(self.bare, "SET XACT_ABORT ON")
        self.assertEqual(self.one(self.session("sa", "Sa!pass1", odbc=False), "SELECT @@OPTIONS"), 0)

    def test_they_are_shown(self):
        self.ok(self.bare, "SET LOCK_TIMEOUT 7; SET LANGUAGE British; SET ARITHABORT ON")
        self.assertEqual(self.one(self.bare, "SELECT arithabort, quoted_identifier, lock_timeout, language, "
                                             "date_format FROM sys.dm_exec_sessions WHERE session_id = @@SPID"),
                         (True, False, 7, "British", "dmy"))
        self.assertEqual(self.one(self.bare, "SELECT SESSIONPROPERTY('ANSI_NULLS')"), 0)

    def test_useroptions(self):
        self.ok(self.bare, "SET ARITHABORT ON; SET LOCK_TIMEOUT 9")
        rows = dict(self.ok(self.bare, "DBCC USEROPTIONS"))
        self.assertEqual((rows["arithabort"], rows["lock_timeout"], rows.get("ansi_nulls")), ("SET", "9", None))

    def test_database_option_counts_unless_set(self):
        self.ok(self.sa, "ALTER DATABASE shop SET CONCAT_NULL_YIELDS_NULL ON")
        null = "SELECT CASE WHEN N'a' + CAST(NULL AS nvarchar(9)) IS NULL THEN 1 ELSE 0 END"
        self.assertEqual(self.one(self.bare, null), 1)
        self.ok(self.bare, "USE master")
        self.assertEqual(self.one(self.bare, null), 0)
        self.ok(self.bare, "USE shop; SET CONCAT_NULL_YIELDS_NULL OFF")
        self.assertEqual(self.one(self.bare, null), 0)


class UserOptions(SettingsCase):
    FEATURES = {"user_options": 2 + 512}

    def test_implicit_transactions_for_db_library_alone(self):
        self.assertEqual(self.one(self.bare, "SELECT @@OPTIONS"), 514)
        self.assertFalse(self.one(self.session("sa", "Sa!pass1"), "SELECT @@OPTIONS") & 2)

    def test_uncommitted_work_is_gone_with_the_session(self):
        self.ok(self.bare, "CREATE USER u WITHOUT LOGIN")
        self.assertEqual(self.one(self.bare, "SELECT @@TRANCOUNT"), 1)
        self.assertEqual(self.one(self.bare, "SELECT COUNT(*) FROM sys.database_principals WHERE name = N'u'"), 1)
        self.fails(self.bare, f"KILL {self.sa.spid}", 6115)
        self.bare.close()
        self.assertEqual(self.one(self.sa, "SELECT COUNT(*) FROM sys.database_principals WHERE name = N'u'"), 0)

    def test_a_select_of_nothing_begins_none(self):
        self.ok(self.bare, "SELECT GETDATE()")
        self.assertEqual(self.one(self.bare, "SELECT @@TRANCOUNT"), 0)

    def test_configured(self):
        self.server.features.user_options = 0
        self.ok(self.sa, "EXEC sp_configure N'user options', 512; RECONFIGURE")
        self.assertEqual(self.one(self.session("sa", "Sa!pass1", odbc=False), "SELECT @@OPTIONS"), 512)


class Effects(SettingsCase):
    def test_text_and_null(self):
        text = "SELECT COALESCE(N'OBJECT::' + QUOTENAME(CAST(NULL AS sysname)), N'SCHEMA')"
        self.assertEqual(self.one(self.bare, text), "OBJECT::")
        self.ok(self.bare, "SET CONCAT_NULL_YIELDS_NULL ON")
        self.assertEqual(self.one(self.bare, text), "SCHEMA")

    def test_equal_to_null(self):
        null = "SELECT COUNT(*) FROM (SELECT CAST(NULL AS int) AS x) AS d WHERE x = NULL"
        self.assertEqual(self.one(self.bare, null), 1)
        self.ok(self.bare, "SET ANSI_NULLS ON")
        self.assertEqual(self.one(self.bare, null), 0)

    def test_division_by_zero(self):
        self.assertEqual(self.ok(self.bare, "SELECT 1 / 0"), [(None,)])
        self.ok(self.bare, "SET ARITHABORT ON")
        self.fails(self.bare, "SELECT 1 / 0", 8134)
        self.ok(self.bare, "SET ARITHABORT OFF; SET ANSI_WARNINGS ON")
        self.fails(self.bare, "SELECT 1 / 0", 8134)

    def test_too_long_a_text(self):
        self.ok(self.bare, "CREATE TABLE dbo.t (x nvarchar(2)); INSERT dbo.t VALUES (N'abc')")
        self.assertEqual(self.one(self.bare, "SELECT x FROM dbo.t"), "ab")
        self.fails(self.bare, "SET ANSI_WARNINGS ON; INSERT dbo.t VALUES (N'abc')", 2628)

    def test_double_quotes(self):
        self.assertEqual(self.one(self.bare, 'SELECT "name"'), "name")
        self.assertEqual(self.one(self.bare, 'SET QUOTED_IDENTIFIER ON; SELECT "name" FROM '
                                             "sys.databases WHERE database_id = 1"), "master")

    def test_dates_follow_the_language(self):
        self.assertEqual(self.one(self.bare, "SELECT DATEPART(month, CAST('2026-03-04 00:00:00' AS datetime))"), 3)
        self.ok(self.bare, "SET LANGUAGE Deutsch")
        self.assertEqual(self.one(self.bare, "SELECT DATEPART(month, CAST('2026-03-04 00:00:00' AS datetime))"), 4)
        self.assertEqual(self.one(self.bare, "SELECT DATEPART(month, CAST('2026-03-04T00:00:00' AS datetime))"), 3)
        self.fails(self.bare, "SELECT CAST('2026-03-31' AS datetime)", 242)
        self.fails(self.bare, "SET LANGUAGE Klingon", 2740)

    def test_rowcount(self):
        self.assertEqual(len(self.ok(self.bare, "SET ROWCOUNT 2; SELECT name FROM sys.databases")), 2)

    def test_settings_of_dynamic_text_end_with_it(self):
        self.ok(self.bare, "EXEC sys.sp_executesql N'SET ANSI_NULLS ON'")
        self.assertEqual(self.one(self.bare, "SELECT @@OPTIONS"), 0)


class Indexes(SettingsCase):
    def test_filtered_index(self):
        self.ok(self.sa, "SET ARITHABORT ON; CREATE TABLE dbo.t (x int, y int); "
                         "CREATE UNIQUE INDEX i ON dbo.t (x) WHERE y = 1; INSERT dbo.t VALUES (1, 2), (1, 2), (1, 1)")
        self.fails(self.bare, "INSERT dbo.t VALUES (5, 5)", 1934)
        self.fails(self.sa, "INSERT dbo.t VALUES (1, 1)", 2601)


class Triggers(SettingsCase):
    TRIGGER = ("CREATE TRIGGER keeps ON DATABASE FOR DDL_DATABASE_LEVEL_EVENTS AS "
               "DECLARE @x nvarchar(128) = EVENTDATA().value(N'(/EVENT_INSTANCE/ObjectName)[1]', N'nvarchar(128)'); "
               "INSERT dbo.seen VALUES (@x)")

    def setUp(self):
        super().setUp()
        self.ok(self.sa, "CREATE TABLE dbo.seen (x nvarchar(128))")
        self.ok(self.sa, self.TRIGGER)

    def test_xml_methods_want_options(self):
        self.fails(self.bare, "CREATE USER u WITHOUT LOGIN SELECT 1", 1934)
        self.assertEqual(self.ok(self.sa, "SELECT name FROM sys.database_principals WHERE name = N'u'"), [])
        self.ok(self.bare, DB_LIB_WANTS)
        self.ok(self.bare, "CREATE USER u WITHOUT LOGIN")
        self.assertEqual(self.ok(self.sa, "SELECT x FROM dbo.seen"), [("u",)])

    def test_two_options_are_the_modules_own(self):
        self.ok(self.bare, "SET QUOTED_IDENTIFIER, ANSI_NULLS OFF; SET ANSI_PADDING, ANSI_WARNINGS, "
                           "CONCAT_NULL_YIELDS_NULL ON")
        self.ok(self.bare, "CREATE USER u WITHOUT LOGIN")
        self.ok(self.bare, "EXEC (N'CREATE PROCEDURE dbo.p AS SELECT \"x\"')")
        self.assertEqual(self.one(self.bare, "SELECT uses_quoted_identifier, uses_ansi_nulls FROM sys.sql_modules "
                                             "WHERE object_id = OBJECT_ID(N'dbo.p')"), (False, False))
        self.assertEqual(self.one(self.sa, "EXEC dbo.p"), "x")

    def test_a_query_that_costs_too_much(self):
        self.server.features.cost_limit = 1
        session = self.session("sa", "Sa!pass1")
        join = "SELECT COUNT(*) FROM sys.objects AS a JOIN sys.objects AS b ON a.object_id = b.object_id"
        self.ok(session, join)
        self.fails(session, f"{join} JOIN sys.objects AS c ON c.object_id = b.object_id", 8649)
        self.ok(session, f"SET QUERY_GOVERNOR_COST_LIMIT 0; {join} JOIN sys.objects AS c ON c.object_id = b.object_id")


class FromTheStart(unittest.TestCase):
    def test_the_server_itself_has_what_it_needs(self):
        server = Server(sa_password="Sa!pass1", features=Features(session_settings=True))
        server.run_script("CREATE DATABASE shop\nGO\nUSE shop\nGO\nCREATE TABLE dbo.[x y] (a int)")


class Sources(unittest.TestCase):
    def test_nothing_rests_on_memory_alone(self):
        """A rule that is only remembered says why the agent works whichever is true; every other names its source."""
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "README.md")
        with open(path, encoding="utf-8") as file:
            rules = file.read().split("## Rules and their sources")[1]
        rows = [line for line in rules.splitlines() if line.startswith("| ") and not line.startswith("| rule |")]
        self.assertGreater(len(rows), 90)
        for row in rows:
            self.assertRegex(row, r"\[[DIMR]\]")
            if "[R]" in row:
                self.assertIn("either", row)

if __name__ == "__main__":
    unittest.main()
