"""T-SQL: results, how errors end batches, and what is refused."""
import datetime
import time
import unittest

from engine import Columns, DatabaseChanged, Done, Message, ReturnValue, Row
from engine_base import EngineCase


class Values(EngineCase):
    def test_expressions(self):
        for sql, value in (
                ("1 + 2 * 3", 7), ("7 / 2", 3), ("-7 % 3", -1), ("N'a' + N'b'", "ab"),
                ("ISNULL(NULL, N'x')", "x"), ("COALESCE(NULL, NULL, 4)", 4), ("NULLIF(N'a', N'A ')", None),
                ("IIF(N'a' = N'A  ', 1, 2)", 1), ("LEN(N'ab  ')", 2), ("DATALENGTH(N'ab')", 4),
                ("CASE WHEN N'a' COLLATE Latin1_General_BIN2 = N'A' THEN 1 ELSE 0 END", 0),
                ("CONVERT(varchar(max), 0x0AFF, 1)", "0x0AFF"), ("CONVERT(varchar(max), 0x0AFF, 2)", "0AFF"),
                ("CONVERT(varbinary(8), '0x0AFF', 1)", b"\x0a\xff"), ("QUOTENAME(N'a]b')", "[a]]b]"),
                ("CAST(N'42' AS int)", 42), ("TRY_CAST(N'x' AS int)", None), ("CAST(1.5 AS int)", 1),
                ("REPLACE(N'aXa', N'x', N'-')", "a-a"), ("SUBSTRING(N'hello', 2, 3)", "ell"),
                ("CHARINDEX(N'L', N'hello')", 3), ("LEFT(N'abc', 2) + RIGHT(N'abc', 1)", "abc"),
                ("CONCAT(N'a', NULL, 1)", "a1"), ("CAST(N'2026-02-28' AS date)", datetime.date(2026, 2, 28)),
                ("DATEADD(MONTH, 1, CAST(N'2026-01-31' AS date))", datetime.date(2026, 2, 28)),
                ("DATEDIFF(SECOND, '2026-01-01T00:00:00', '2026-01-01T00:01:01')", 61),
                ("CAST(1 AS bit)", True), ("(SELECT MAX(x) FROM (VALUES (1), (3)) v(x))", 3)):
            with self.subTest(sql):
                value_seen = self.one(self.sa, "SELECT " + sql)
                if isinstance(value, datetime.date) and isinstance(value_seen, datetime.datetime):
                    value_seen = value_seen.date()
                self.assertEqual(value_seen, value)

    def test_zero_bytes_at_the_end_of_binary_strings_do_not_count(self):
        for condition, holds in (
                ("0x = 0x00", 1), ("0x00 <> 0x", 0), ("0x00 NOT IN (0x)", 0), ("0x00 IN (0x01, 0x0000)", 1), ("0x0100 = 0x01", 1),
                ("0x0001 = 0x01", 0), ("0x01 > 0x", 1), ("HASHBYTES('SHA2_256', N'a') = 0x", 0), ("0x02 BETWEEN 0x0100 AND 0x0200", 1),
                ("0x IN (SELECT CAST(0x00 AS varbinary(8)))", 1), ("NULL NOT IN (0x)", 0)):
            with self.subTest(condition):
                self.assertEqual(self.one(self.sa, f"SELECT CASE WHEN {condition} THEN 1 ELSE 0 END"), holds)

    def test_strict_errors(self):
        for sql, number in (
                ("SELECT 1 FROM nowhere", 208), ("SELECT x FROM sys.objects", 207), ("SELECT nof(1)", 195),
                ("SELECT dbo.nof(1)", 4121), ("SELECT o.name FROM sys.objects o, sys.columns c WHERE name "
                                              "= N'x'", 209),
                ("SELECT q.name FROM sys.objects o", 4104), ("SELECT CAST(N'x' AS int)", 245),
                ("SELECT 1 / 0", 8134), ("SELECT (SELECT x FROM (VALUES (1), (2)) v(x))", 512),
                ("SELECT name, COUNT(*) FROM sys.objects", 8120), ("SELECT FROM x", 156), ("SELECT 'x", 105),
                ("/* open", 113), ("SELECT 1 WHERE 1", 4145), ("SELECT @nothing", 137),
                ("PRINT 1 PRINT", 156), ("EXEC nothing", 2812), ("SELECT * FROM (SELECT 1) v", 8155),
                ("SELECT * FROM (SELECT 1 a ORDER BY a) v", 1033), ("SELECT 1 UNION SELECT 1, 2", 205),
                ("SELECT * FROM sys.nothing", 208), ("SELECT 1 COLLATE nonsense", 447),
                ("SELECT N'a' COLLATE nonsense", 448), ("SET NOSUCH ON", 195), ("SELECT GETDATE(1)", 174),
                ("SELECT name FROM a.b.c.d", 7202), ("DECLARE @a int, @a int", 134),
                ("CREATE TABLE dbo.t (a nosuchtype)", 2715), ("MERGE x USING y ON 1 = 1", 156),
                ("SELECT 1 AS a FOR XML PATH", 156), ("SELECT @@NOSUCH", 137)):
            with self.subTest(sql):
                self.fails(self.sa, sql, number)

    def test_error_carries_its_line(self):
        events = list(self.sa.execute("SELECT 1\n\nSELECT FROM"))
        self.assertEqual([(e.number, e.line) for e in events if isinstance(e, Message)], [(156, 3)])
        self.assertFalse(any(isinstance(e, Columns) for e in events), "nothing ran")
        events = list(self.sa.execute("SELECT 1\nSELECT 1 / 0"))
        self.assertEqual([e.line for e in events if isinstance(e, Message)], [2])

    def test_queries(self):
        self.ok(self.sa, "CREATE TABLE dbo.p (id int IDENTITY PRIMARY KEY, name nvarchar(9), boss int); "
                         "INSERT dbo.p (name, boss) VALUES (N'a', NULL), (N'B', 1), (N'c ', 1), (N'd', 2)")
        self.assertEqual(self.one(self.sa, "SELECT COUNT(*) FROM dbo.p WHERE name IN (N'b', N'C')"), 2)
        self.assertEqual(self.ok(self.sa, "SELECT b.name, STRING_AGG(p.name, N'+') WITHIN GROUP (ORDER BY "
                                          "p.name DESC) FROM dbo.p p JOIN dbo.p b ON b.id = p.boss GROUP BY "
                                          "b.name ORDER BY b.name"), [("a", "c +B"), ("B", "d")])
        tree = ("WITH up AS (SELECT id, boss, 0 AS depth FROM dbo.p WHERE boss IS NULL UNION ALL SELECT "
                "p.id, p.boss, up.depth + 1 FROM dbo.p p JOIN up ON up.id = p.boss) SELECT MAX(depth) FROM up")
        self.assertEqual(self.one(self.sa, tree), 2)
        self.assertEqual(self.ok(self.sa, "SELECT p.name, x.n FROM dbo.p p OUTER APPLY (SELECT COUNT(*) n "
                                          "FROM dbo.p c WHERE c.boss = p.id HAVING COUNT(*) > 0) x "
                                          "WHERE p.id < 4 ORDER BY p.id"),
                         [("a", 2), ("B", 1), ("c ", None)])
        self.assertEqual(self.ok(self.sa, "SELECT TOP (2) id FROM dbo.p ORDER BY id DESC"), [(4,), (3,)])
        self.assertEqual(self.ok(self.sa, "SELECT id FROM dbo.p EXCEPT SELECT boss FROM dbo.p ORDER BY id"),
                         [(3,), (4,)])
        self.fails(self.sa, "INSERT dbo.p (id) VALUES (9)", 544)
        self.fails(self.sa, "INSERT dbo.p (name) VALUES (N'0123456789')", 2628)
        self.assertEqual(self.one(self.sa, "INSERT dbo.p (name) VALUES (N'z'); SELECT SCOPE_IDENTITY()"), 6)

    def test_events_in_wire_order(self):
        events = list(self.sa.execute("USE master; SELECT 1 AS a; UPDATE shop.dbo.none SET a = 1"))
        self.assertIsInstance(events[0], DatabaseChanged)
        self.assertIsInstance(events[-1], Done)
        self.assertEqual([e.more for e in events if isinstance(e, Done)][-1], False)
        self.assertTrue(all(e.more for e in events if isinstance(e, Done) and e is not events[-1]))


class Flow(EngineCase):
    def test_statement_errors_go_on_others_end_the_batch(self):
        self.assertEqual(self.run_batch(self.sa, "SELECT 1 / 0; SELECT 5")[0], [(5,)])
        for sql in ("SELECT * FROM nowhere", "USE nowhere", "SELECT CAST(N'x' AS int)",
                    "THROW 50001, N'x', 1"):
            self.assertEqual(self.run_batch(self.sa, sql + "; SELECT 5")[0], [], sql)
        self.assertEqual(self.run_batch(self.sa, "RAISERROR(N'x %d', 16, 1, 3); SELECT 5"),
                         ([(5,)], [50000]))

    def test_try_catch(self):
        caught = "BEGIN CATCH SELECT ERROR_NUMBER(), ERROR_LINE() END CATCH"
        self.assertEqual(self.one(self.sa, f"BEGIN TRY\nSELECT 1 / 0 END TRY {caught}")[0], 8134)
        self.fails(self.sa, f"BEGIN TRY SELECT * FROM nowhere END TRY {caught}", 208)
        self.assertEqual(self.one(self.sa, "BEGIN TRY EXEC (N'SELECT * FROM nowhere') END TRY " + caught)[0],
                         208)
        self.fails(self.sa, "BEGIN TRY SELECT CAST(N'x' AS int) END TRY BEGIN CATCH THROW END CATCH", 245)

    def test_an_error_by_its_number(self):
        """Those of the server's own messages from 13000 on, as whoever may run RAISERROR raises them."""
        for number, raised in ((15151, 15151), (40517, 40517), (1222, 2732), (12999, 2732), (50000, 2732), (60001, 18054),
                               (33557097, 18054)):
            self.fails(self.sa, f"RAISERROR({number}, 16, 1, N'drop', N'user', N'x')", raised)
        self.assertEqual(self.one(self.sa, "BEGIN TRY RAISERROR(15023, 16, 1, N'x') END TRY BEGIN CATCH SELECT ERROR_MESSAGE() END CATCH"),
                         "User, group, or role 'x' already exists in the current database.")

    def test_loops_and_variables(self):
        self.assertEqual(self.one(self.sa, "DECLARE @i int = 0, @s nvarchar(max) = N''; WHILE @i < 9 BEGIN "
                                           "SET @i += 1; IF @i = 3 CONTINUE; IF @i = 6 BREAK; SET @s += "
                                           "CAST(@i AS nvarchar(9)) END SELECT @s"), "1245")

    def test_transactions(self):
        self.ok(self.sa, "CREATE TABLE dbo.t (i int)")
        self.ok(self.sa, "BEGIN TRAN; INSERT dbo.t VALUES (1); CREATE USER u WITHOUT LOGIN; DROP TABLE dbo.t;"
                         " CREATE LOGIN l WITH PASSWORD = N'Good#pass1'")
        self.ok(self.sa, "ROLLBACK")
        self.assertEqual(self.one(self.sa, "SELECT COUNT(*), USER_ID(N'u'), SUSER_ID(N'l') FROM dbo.t"),
                         (0, None, None))
        self.fails(self.sa, "COMMIT", 3902)
        self.fails(self.sa, "ROLLBACK", 3903)
        self.fails(self.sa, "BEGIN TRAN CREATE DATABASE x", 226)
        self.ok(self.sa, "SET XACT_ABORT ON; INSERT dbo.t VALUES (2)")
        self.fails(self.sa, "INSERT dbo.t VALUES (1 / 0)", 8134)
        self.assertEqual(self.one(self.sa, "SELECT @@TRANCOUNT, COUNT(*) FROM dbo.t"), (0, 0))

    def test_savepoints(self):
        self.ok(self.sa, "CREATE TABLE dbo.sp (id int NOT NULL PRIMARY KEY)")
        self.ok(self.sa, "BEGIN TRANSACTION [outer]; INSERT INTO dbo.sp (id) VALUES (1); SAVE TRANSACTION p; "
                         "INSERT INTO dbo.sp (id) VALUES (2); ROLLBACK TRANSACTION p; INSERT INTO dbo.sp (id) VALUES (3)")
        self.fails(self.sa, "INSERT INTO dbo.sp (id) VALUES (4), (3)", 2627)
        self.fails(self.sa, "ROLLBACK TRANSACTION [another]", 6401)
        self.ok(self.sa, "COMMIT TRANSACTION")
        self.assertEqual(self.ok(self.sa, "SELECT id FROM dbo.sp ORDER BY id"), [(1,), (3,)])
        self.ok(self.sa, "BEGIN TRANSACTION [outer]; DELETE FROM dbo.sp; ROLLBACK TRANSACTION [outer]")
        self.assertEqual(self.one(self.sa, "SELECT COUNT(*) FROM dbo.sp"), 2)

    def test_reset(self):
        """A pooled connection becomes as it was after its login."""
        x = self.login("pooled")
        self.ok(self.sa, "CREATE TABLE dbo.r (id int NOT NULL); GRANT INSERT, SELECT ON dbo.r TO pooled; "
                         "CREATE USER other WITHOUT LOGIN; GRANT IMPERSONATE ON USER::other TO pooled")
        self.ok(x, "SET LOCK_TIMEOUT 7; CREATE TABLE #mine (id int); EXEC sys.sp_getapplock N'a', N'Exclusive', N'Session'")
        self.ok(x, "BEGIN TRANSACTION; INSERT INTO dbo.r (id) VALUES (1); USE master; USE shop; "
                   "EXECUTE AS USER = N'other'")
        x.reset()
        self.assertEqual(self.one(x, "SELECT USER_NAME(), @@TRANCOUNT, @@LOCK_TIMEOUT"), ("pooled", 0, -1))
        self.ok(x, "USE master")
        x.reset()
        self.assertEqual(self.one(x, "SELECT DB_NAME()"), "shop")
        self.fails(x, "SELECT id FROM #mine", 208)
        self.assertEqual(self.one(x, "SELECT COUNT(*) FROM dbo.r"), 0)
        self.assertEqual(self.server.engine.locks.app, [])
        self.ok(x, "BEGIN TRANSACTION; INSERT INTO dbo.r (id) VALUES (1)")
        x.reset(keep_transaction=True)
        self.assertEqual(self.one(x, "SELECT @@TRANCOUNT"), 1)

    def test_closing_rolls_back(self):
        a = self.login("a")
        self.ok(self.sa, "CREATE TABLE dbo.t (i int); GRANT CONTROL TO a")
        self.ok(a, "BEGIN TRAN; INSERT dbo.t VALUES (1)")
        a.close()
        self.assertEqual(self.one(self.sa, "SELECT COUNT(*) FROM dbo.t"), 0)

    @staticmethod
    def call(session, name, *values):
        """(values of rows and of OUTPUT parameters, error numbers) of a call by name."""
        found, errors = [], []
        for e in session.rpc(name, list(values)):
            if isinstance(e, (Row, ReturnValue)):
                found.append(e.values[0] if isinstance(e, Row) else e.value)
            elif isinstance(e, Message) and e.severity > 10:
                errors.append(e.number)
        return found, errors

    def test_executesql_goes_by_place(self):
        """Clients name its first two parameters as they like, or not at all."""
        for first, second in (("@stmt", "@params"), ("@statement", "@params"), ("", "")):
            found = self.call(self.sa, "sp_executesql", (first, "nvarchar(max)", "SELECT @a + 1", False),
                              (second, "nvarchar(max)", "@a int", False), ("@a", "int", 6, False))
            self.assertEqual(found, ([7], []))

    def test_prepared_statements(self):
        sa, text = self.sa, ("", "nvarchar(max)", "SELECT @a * 2", False)
        declared, handle = ("", "nvarchar(max)", "@a int", False), ("", "int", None, True)
        self.assertEqual(self.call(sa, "sp_prepexec", handle, declared, text, ("@a", "int", 4, False)), ([8, 1], []))
        self.assertEqual(self.call(sa, "sp_prepare", handle, declared, text), ([2], []))
        self.assertEqual(self.call(sa, "sp_execute", ("", "int", 2, False), ("@a", "int", 5, False)), ([10], []))
        self.assertEqual(self.call(sa, "sp_unprepare", ("", "int", 2, False)), ([], []))
        self.assertEqual(self.call(sa, "sp_execute", ("", "int", 2, False), ("@a", "int", 5, False))[1], [8179])

    def test_text_is_counted_in_utf16_units(self):
        face = "\U0001F600"
        self.assertEqual(self.one(self.sa, f"SELECT LEN(N'{face}' COLLATE Latin1_General_100_CI_AS_KS_WS_SC)"), 1)
        self.assertEqual(self.one(self.sa, f"SELECT LEN(N'{face}'), DATALENGTH(N'{face}'), UNICODE(N'{face}')"),
                         (2, 4, 0xD83D))
        self.assertEqual(self.one(self.sa, f"SELECT SUBSTRING(N'{face}b', 3, 1), LEFT(N'{face}b', 2), "
                                           f"RIGHT(N'b{face}', 2), STUFF(N'{face}b', 3, 1, N'c'), CHARINDEX(N'b', N'{face}b')"),
                         ("b", face, face, face + "c", 3))
        self.assertEqual(self.one(self.sa, f"SELECT CONVERT(nvarchar(3), N'{face}bc'), LEN(CONVERT(nchar(3), N'{face}'))"),
                         (face + "b", 2))
        self.ok(self.sa, "CREATE TABLE dbo.faces (name nvarchar(3) NOT NULL)")
        self.ok(self.sa, f"INSERT INTO dbo.faces (name) VALUES (N'{face}b')")
        self.fails(self.sa, f"INSERT INTO dbo.faces (name) VALUES (N'{face}{face}')", 2628)
        self.fails(self.sa, f"SELECT 1 AS [{face * 65}]", 103)

    def test_what_an_outer_join_leaves_out_can_be_null(self):
        self.ok(self.sa, "CREATE TABLE dbo.o (id int NOT NULL); INSERT INTO dbo.o (id) VALUES (1)")
        for join, wanted in (("JOIN", [False, False]), ("LEFT JOIN", [False, True]), ("RIGHT JOIN", [True, False]),
                             ("FULL JOIN", [True, True])):
            events = list(self.sa.execute(f"SELECT a.id, b.id FROM dbo.o AS a {join} dbo.o AS b ON a.id = b.id"))
            columns = next(e for e in events if isinstance(e, Columns)).columns
            self.assertEqual([c.nullable for c in columns], wanted, join)

    def test_parameters(self):
        self.assertEqual(self.ok(self.sa, "SELECT @a + 1, @b", [("@a", "int", 4, False),
                                                               ("@b", "nvarchar(9)", "x", False)]), [(5, "x")])
        self.assertEqual(self.one(self.sa, "DECLARE @o int; EXEC sp_executesql N'SET @x = @y * 2', "
                                           "N'@x int OUTPUT, @y int', @x = @o OUTPUT, @y = 21; SELECT @o"), 42)
        self.ok(self.sa, "CREATE PROCEDURE dbo.p @a int, @b int = 7, @c int OUTPUT AS SET @c = @a + @b; "
                         "RETURN 3")
        events = list(self.sa.rpc("dbo.p", [("@a", "int", 1, False), ("@c", "int", None, True)]))
        self.assertEqual([e.value for e in events if isinstance(e, ReturnValue)], [8])
        self.fails(self.sa, "EXEC dbo.p", 201)
        self.fails(self.sa, "EXEC dbo.p @nosuch = 1", 8145)

    def test_settings_of_real_clients(self):
        self.ok(self.sa, "SET TEXTSIZE 2147483647; SET ARITHABORT ON; SET ANSI_NULLS ON; SET "
                         "QUOTED_IDENTIFIER ON; SET CURSOR_CLOSE_ON_COMMIT OFF; SET LANGUAGE us_english; SET "
                         "DATEFORMAT mdy; SET LOCK_TIMEOUT -1; SET ROWCOUNT 0; SET IMPLICIT_TRANSACTIONS OFF;"
                         " SET ANSI_WARNINGS, ANSI_PADDING ON; SET TRANSACTION ISOLATION LEVEL READ COMMITTED;"
                         " SET CONCAT_NULL_YIELDS_NULL ON; SET NOCOUNT OFF; SET XACT_ABORT OFF")

    def test_waiting_can_be_cancelled(self):
        import threading
        threading.Timer(0.05, self.sa.cancel).start()
        start = time.monotonic()
        list(self.sa.execute("WAITFOR DELAY '00:01:00'"))
        self.assertLess(time.monotonic() - start, 30)


if __name__ == "__main__":
    unittest.main()
