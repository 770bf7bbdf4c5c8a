"""Views of usage: which there are, since when they count, and what resets them."""
import datetime
import unittest

from engine_base import EngineCase


class Usage(EngineCase):
    SCRIPT = """CREATE TABLE dbo.t (x int)
GO
CREATE TABLE dbo.quiet (x int)
GO
CREATE PROCEDURE dbo.p AS INSERT INTO dbo.t VALUES (1)
GO
CREATE PROCEDURE dbo.reader AS SELECT x FROM dbo.t
GO
CREATE FUNCTION dbo.f() RETURNS int AS BEGIN RETURN 1 END
GO
CREATE TRIGGER dbo.tr ON dbo.t AFTER INSERT AS SELECT 1"""

    def features(self, **values):
        for name, value in values.items():
            setattr(self.server.engine.catalogue.features, name, value)

    def stats(self, view):
        return self.ok(self.sa, f"SELECT OBJECT_NAME(s.object_id), s.execution_count FROM sys.{view} AS s "
                                "WHERE s.database_id = DB_ID()")

    def test_modules_are_counted_by_kind(self):
        self.assertEqual(self.stats("dm_exec_procedure_stats"), [])
        self.ok(self.sa, "EXEC dbo.p; EXEC dbo.p; SELECT dbo.f()")
        self.assertEqual(self.stats("dm_exec_procedure_stats"), [("p", 2)])
        self.assertEqual(self.stats("dm_exec_trigger_stats"), [("tr", 2)])
        self.assertEqual(self.stats("dm_exec_function_stats"), [("f", 1)])

    def usage(self):
        return self.ok(self.sa, "SELECT OBJECT_NAME(u.object_id), u.index_id, u.user_scans, u.user_updates "
                                "FROM sys.dm_db_index_usage_stats AS u WHERE u.database_id = DB_ID()")

    def test_tables_are_counted_when_used_and_not_by_looking(self):
        self.ok(self.sa, "CREATE VIEW dbo.v AS SELECT x FROM dbo.quiet")
        self.ok(self.sa, "SELECT p.row_count FROM sys.dm_db_partition_stats AS p")
        self.assertEqual(self.usage(), [])
        self.ok(self.sa, "EXEC dbo.p; EXEC dbo.reader")
        self.assertEqual(self.usage(), [("t", 0, 1, 1)])

    def test_a_database_that_is_opened_counts_anew(self):
        self.features(aged_days=50)
        oldest = ("SELECT MAX(DATEDIFF(DAY, u.last_user_update, GETDATE())), MAX(DATEDIFF(DAY, u.last_system_scan, GETDATE())) "
                  "FROM shop.sys.dm_db_index_usage_stats AS u WHERE u.database_id = DB_ID(N'shop')")
        self.ok(self.sa, "EXEC dbo.p")
        self.assertEqual(self.ok(self.sa, oldest), [(0, 50)])
        for state in ("OFFLINE WITH ROLLBACK IMMEDIATE", "ONLINE"):
            self.ok(self.sa, f"USE master; ALTER DATABASE shop SET {state}")
        self.assertEqual(self.ok(self.sa, oldest), [(None, 0)])

    def test_a_restart_empties_the_counters_and_not_the_query_store(self):
        start = "SELECT DATEDIFF(DAY, i.sqlserver_start_time, GETDATE()) FROM sys.dm_os_sys_info AS i"
        self.features(query_store={"shop": "ALL"}, aged_days=50)
        self.ok(self.sa, "EXEC dbo.p")
        self.assertEqual(self.ok(self.sa, start), [(50,)])
        self.features(restarted=True)
        self.assertEqual(self.ok(self.sa, start), [(0,)])
        self.assertEqual((self.usage(), self.stats("dm_exec_procedure_stats")), ([], []))
        self.assertIn(("p",), self.ok(self.sa, "SELECT OBJECT_NAME(q.object_id) FROM sys.query_store_query AS q"))

    def test_who_may_not_see_state_sees_none(self):
        a = self.login("a")
        self.ok(self.sa, "EXEC dbo.p")
        for name in ("dm_exec_procedure_stats", "dm_db_index_usage_stats", "dm_os_sys_info", "dm_db_partition_stats",
                     "database_query_store_options"):
            self.assertEqual(self.ok(a, f"SELECT 1 FROM sys.{name}"), [], name)

    def test_query_store_keeps_what_ran_while_it_was_on(self):
        self.ok(self.sa, "EXEC dbo.reader")
        self.features(query_store={"shop": "ALL"})
        self.ok(self.sa, "EXEC dbo.p")
        self.assertEqual(self.ok(self.sa, "SELECT OBJECT_NAME(q.object_id) FROM sys.query_store_query AS q "
                                          "WHERE q.object_id <> 0 ORDER BY q.query_id"), [("p",), ("tr",)])
        options = "SELECT q.actual_state, q.query_capture_mode FROM sys.database_query_store_options AS q"
        self.assertEqual(self.one(self.sa, options), (2, 1))
        size = "SELECT o.stale_query_threshold_days, o.current_storage_size_mb * 100 / o.max_storage_size_mb, o.actual_state " \
               "FROM sys.database_query_store_options AS o"
        self.assertEqual(self.one(self.sa, size), (30, 10, 2))
        self.features(query_store={"shop": "FULL"}, query_store_days=0)
        self.assertEqual(self.one(self.sa, size), (0, 85, 2))
        self.features(query_store={"shop": "READ_ONLY"})
        self.assertEqual(self.one(self.sa, size)[2], 1)
        self.ok(self.sa, "EXEC dbo.reader")
        self.assertNotIn(("reader",), self.ok(self.sa, "SELECT OBJECT_NAME(q.object_id) FROM sys.query_store_query AS q"))
        self.features(query_store={})
        self.assertEqual(self.one(self.sa, options), (0, 1))

    def test_age(self):
        self.features(aged_days=100)
        for what in ("o.create_date FROM sys.objects AS o WHERE o.name = N't'",
                     "i.sqlserver_start_time FROM sys.dm_os_sys_info AS i"):
            at = self.one(self.sa, f"SELECT {what}")
            self.assertEqual((datetime.datetime.now() - at).days // 10, 10, what)

    def test_writes_of_modules(self):
        self.assertEqual(self.ok(self.sa, "SELECT OBJECT_NAME(d.object_id), OBJECT_NAME(d.referenced_major_id), d.is_updated "
                                          "FROM sys.sql_dependencies AS d ORDER BY d.object_id"),
                         [("p", "t", True), ("reader", "t", False)])


if __name__ == "__main__":
    unittest.main()
