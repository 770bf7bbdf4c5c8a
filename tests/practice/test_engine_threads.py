"""Concurrent sessions: no lost and no partial changes, and locks that wait and end."""
import threading
import unittest

from engine_base import EngineCase


class Threads(EngineCase):
    def together(self, jobs):
        failures = []

        def run(job):
            try:
                job()
            except BaseException as e:      # a thread's assertion must reach the test
                failures.append(e)
        threads = [threading.Thread(target=run, args=(j,)) for j in jobs]
        for t in threads:
            t.start()
        for t in threads:
            t.join(60)
            self.assertFalse(t.is_alive())
        if failures:
            raise failures[0]

    def test_counter_in_transactions(self):
        self.ok(self.sa, "CREATE TABLE dbo.c (n int); INSERT dbo.c VALUES (0)")

        def worker():
            s = self.session("sa", "Sa!pass1")
            for k in range(20):
                self.ok(s, "BEGIN TRAN; UPDATE dbo.c SET n = n + 1; " + ("COMMIT" if k % 2 else "ROLLBACK"))
            s.close()
        self.together([worker] * 6)
        self.assertEqual(self.one(self.sa, "SELECT n FROM dbo.c"), 60)

    def test_ddl_side_by_side(self):
        def worker(k):
            s = self.session("sa", "Sa!pass1")
            for i in range(20):
                self.ok(s, f"CREATE LOGIN l{k}_{i} WITH PASSWORD = N'Good#pass1'; CREATE USER l{k}_{i}")
                if i % 2:
                    self.ok(s, f"DROP USER l{k}_{i}; DROP LOGIN l{k}_{i}")
            s.close()
        self.together([lambda k=k: worker(k) for k in range(5)])
        self.assertEqual(self.one(self.sa, "SELECT COUNT(*) FROM sys.database_principals u JOIN "
                                           "sys.server_principals l ON l.sid = u.sid WHERE u.name LIKE "
                                           "N'l[0-9]%'"), 50)

    def test_one_application_lock_serves_one_at_a_time(self):
        inside, seen = [0], []

        def worker():
            s = self.session("sa", "Sa!pass1")
            for _ in range(10):
                got = self.one(s, "DECLARE @r int; EXEC @r = sp_getapplock @Resource = N'w', @LockMode = "
                                  "N'Exclusive', @LockOwner = N'Session', @LockTimeout = 30000; SELECT @r")
                self.assertGreaterEqual(got, 0)
                inside[0] += 1
                seen.append(inside[0])
                inside[0] -= 1
                self.ok(s, "EXEC sp_releaseapplock @Resource = N'w', @LockOwner = N'Session'")
            s.close()
        self.together([worker] * 5)
        self.assertEqual(set(seen), {1})

    def test_failed_statement_inside_a_function_undoes_all(self):
        self.ok(self.sa, "CREATE TABLE dbo.c (n int); INSERT dbo.c VALUES (1), (0)")
        self.ok(self.sa, "CREATE FUNCTION dbo.inv(@n int) RETURNS int AS BEGIN DECLARE @r int; SELECT @r = "
                         "10 / @n; RETURN @r END")
        self.fails(self.sa, "UPDATE dbo.c SET n = dbo.inv(n)", 8134)
        self.assertEqual(self.ok(self.sa, "SELECT n FROM dbo.c ORDER BY n"), [(0,), (1,)])
        self.ok(self.sa, "UPDATE dbo.c SET n = dbo.inv(n) WHERE n > 0")
        self.assertEqual(self.ok(self.sa, "SELECT n FROM dbo.c ORDER BY n"), [(0,), (10,)])

    def test_string_in_another_database(self):
        self.ok(self.sa, "CREATE DATABASE other")
        self.assertEqual(self.one(self.sa, "EXEC [other].sys.sp_executesql N'SELECT DB_NAME()'"), "other")
        self.assertEqual(self.one(self.sa, "SELECT DB_NAME()"), "shop")
        self.ok(self.sa, "CREATE TABLE #x (n sysname); INSERT #x EXEC other.sys.sp_executesql N'SELECT name "
                         "FROM sys.database_principals WHERE principal_id = 1'")
        self.assertEqual(self.one(self.sa, "SELECT n FROM #x"), "dbo")


if __name__ == "__main__":
    unittest.main()
