"""States of databases, databases that cannot be changed, and who sees which rows of the server's views."""
import unittest

from engine import Server
from engine_base import PASSWORD, EngineCase

USE = {"restoring": 927, "recovering": 922, "recovery-pending": 945, "suspect": 926, "offline": 942,
       "in-transition": 952, "mirror": 954, "secondary": 976, "secondary-read-intent": 978,
       "secondary-resolving": 983}
SHOWN = {"restoring": (1, "RESTORING"), "recovering": (2, "RECOVERING"), "suspect": (4, "SUSPECT"),
         "emergency": (5, "EMERGENCY"), "offline": (6, "OFFLINE"), "secondary": (0, "ONLINE")}


class DatabaseCase(EngineCase):
    SCRIPT = "CREATE TABLE dbo.t (x int)\nGO\nCREATE USER u WITHOUT LOGIN"

    def setUp(self):
        super().setUp()
        self.server.features.hidden_databases = True
        self.boss = self.session("sa", "Sa!pass1", "master")
        self.agent = self.login("agent", "master", user=False)
        self.ok(self.boss, "GRANT CONNECT ANY DATABASE, VIEW ANY DEFINITION, ALTER ANY LOGIN, VIEW SERVER STATE TO agent")

    def put(self, word):
        self.server.features.database_state = {"shop": word}


class States(DatabaseCase):
    def test_use(self):
        for word, number in USE.items():
            with self.subTest(word):
                self.put(word)
                self.fails(self.boss, "USE shop SELECT 1", number)
                self.fails(self.boss, "SELECT 1 FROM shop.sys.objects", number)
                self.assertEqual(self.one(self.boss, "SELECT HAS_DBACCESS(N'shop'), DB_ID(N'shop')"), (0, 5))
                self.fails(self.sa, "SELECT 1", number)
                self.login_fails(4060, "agent", database="shop")
        self.put("online")
        self.ok(self.boss, "USE shop")

    def test_shown(self):
        for word, shown in SHOWN.items():
            self.put(word)
            self.assertEqual(self.one(self.boss, "SELECT state, state_desc FROM sys.databases WHERE name = N'shop'"), shown)
            self.assertEqual(self.one(self.boss, "SELECT DATABASEPROPERTYEX(N'shop', N'Status')"), shown[1])

    def test_damage(self):
        """No TRY catches it."""
        self.server.features.damaged = {"shop": "schemas"}
        self.ok(self.sa, "SELECT COUNT(*) FROM sys.objects")
        self.fails(self.sa, "BEGIN TRY SELECT name FROM sys.schemas END TRY BEGIN CATCH END CATCH SELECT 1", 824)
        self.ok(self.boss, "SELECT name FROM sys.schemas")

    def test_damage_that_comes(self):
        self.server.features.damaged, self.server.features.damaged_after = {"shop": "schemas"}, "SELECT 'now'"
        self.ok(self.sa, "SELECT name FROM sys.schemas")
        self.ok(self.boss, "SELECT 'now'")
        self.fails(self.sa, "SELECT name FROM sys.schemas", 824)

    def test_names_of_hidden_ones(self):
        """Its files are there for who may view definitions, whether or not the server tells the name."""
        self.put("offline")
        ask = "SELECT DB_NAME(5), DB_ID(N'shop'), (SELECT COUNT(*) FROM sys.master_files AS f WHERE f.database_id = 5)"
        self.assertEqual(self.one(self.agent, ask), ("shop", 5, 2))
        self.server.features.hidden_names = True
        self.assertEqual(self.one(self.agent, ask), (None, None, 2))
        self.assertEqual(self.one(self.boss, ask), ("shop", 5, 2))
        self.put("online")
        self.ok(self.boss, "DENY VIEW ANY DATABASE TO agent; DENY VIEW ANY DEFINITION TO agent")
        self.assertEqual(self.one(self.agent, ask), (None, None, 0))
        self.assertEqual(self.one(self.agent, "SELECT DB_NAME(), DB_NAME(2), DB_ID(N'master')"), ("master", "tempdb", 1))

    def test_exchanged_names(self):
        """Each keeps its id: a name alone does not say which database it was."""
        self.ok(self.boss, "CREATE DATABASE other")
        ask = "SELECT DB_ID(N'shop'), DB_ID(N'other')"
        before = self.one(self.boss, ask)
        self.server.features.names_swap = "SELECT 'now',shop,other"
        self.ok(self.boss, "SELECT 'now'")
        self.assertEqual(self.one(self.boss, ask), before[::-1])
        self.ok(self.boss, "USE other")
        self.assertEqual(self.one(self.boss, "SELECT DB_ID(), DB_NAME()"), (before[0], "other"))

    def test_unopened_columns(self):
        ask = "SELECT collation_name FROM sys.databases WHERE name = N'shop'"
        self.assertTrue(self.one(self.boss, ask))
        self.put("restoring")
        self.assertEqual(self.ok(self.boss, ask), [(None,)])
        self.put("online")
        self.ok(self.boss, "ALTER DATABASE shop SET AUTO_CLOSE ON")
        self.assertTrue(self.one(self.boss, ask))
        self.sa.close()
        self.assertEqual(self.ok(self.boss, ask), [(None,)])

    def test_a_secondary(self):
        self.put("secondary")
        self.assertEqual(self.one(self.boss, "SELECT state_desc, is_read_only, user_access_desc FROM sys.databases "
                                             "WHERE name = N'shop'"), ("ONLINE", False, "MULTI_USER"))
        self.assertEqual(self.one(self.boss, "SELECT DATABASEPROPERTYEX(N'shop', N'Updateability'), "
                                             "sys.fn_hadr_is_primary_replica(N'shop')"), ("READ_ONLY", False))
        self.put("primary")
        self.assertTrue(self.one(self.boss, "SELECT sys.fn_hadr_is_primary_replica(N'shop')"))
        self.put("online")
        self.assertIsNone(self.one(self.boss, "SELECT sys.fn_hadr_is_primary_replica(N'shop')"))

    def test_replicas(self):
        self.server.features.replicas = "SQL01,SQL02"
        self.assertEqual(self.ok(self.agent, "SELECT replica_server_name FROM sys.availability_replicas"),
                         [("SQL01",), ("SQL02",)])
        self.server.features.distributed_group = True
        self.assertEqual(self.ok(self.agent, "SELECT r.replica_server_name, g.is_distributed FROM sys.availability_replicas AS r "
                                             "JOIN sys.availability_groups AS g ON g.group_id = r.group_id"),
                         [("SQL01", False), ("SQL02", False), ("group1", True), ("group2", True)])

    def test_batch_may_go_on(self):
        self.put("offline")
        self.assertEqual(self.run_batch(self.boss, "USE shop; SELECT DB_NAME()"), ([], [942]))
        self.server.features.use_goes_on = True
        self.assertEqual(self.run_batch(self.boss, "USE shop; SELECT DB_NAME()"), ([("master",)], [942]))
        self.assertEqual(self.run_batch(self.boss, "EXEC shop.sys.sp_executesql N'SELECT 1'")[0], [])

    def test_default_database(self):
        self.ok(self.boss, f"CREATE LOGIN lost WITH PASSWORD = N'{PASSWORD}', DEFAULT_DATABASE = shop; "
                           "USE shop; CREATE USER lost FOR LOGIN lost; USE master")
        self.put("suspect")
        self.login_fails(4064, "lost", database=None)
        self.session("lost", database="master")


class Unchangeable(DatabaseCase):
    CHANGES = ("CREATE USER n WITHOUT LOGIN", "ALTER ROLE db_datareader ADD MEMBER u", "DROP USER u",
               "GRANT SELECT ON dbo.t TO u", "ALTER AUTHORIZATION ON SCHEMA::dbo TO u", "CREATE TABLE dbo.n (x int)",
               "INSERT dbo.t VALUES (1)", "ALTER USER u WITH DEFAULT_SCHEMA = x", "CREATE PROCEDURE dbo.p AS SELECT 1")

    def test_writes(self):
        for word, number in (("standby", 3906), ("secondary-readable", 3906), ("emergency", 3908)):
            self.put(word)
            for change in self.CHANGES:
                with self.subTest(word, change=change):
                    self.fails(self.sa, change, number)
        self.put("online")
        self.ok(self.sa, "ALTER DATABASE shop SET READ_ONLY")
        for change in self.CHANGES:
            self.fails(self.sa, change, 3906)
        self.ok(self.sa, "SELECT * FROM dbo.t; CREATE TABLE #t (x int); INSERT #t VALUES (1)")
        self.ok(self.sa, "ALTER DATABASE shop SET READ_WRITE; INSERT dbo.t VALUES (1)")

    def test_standby_shows(self):
        self.put("standby")
        self.assertEqual(self.one(self.boss, "SELECT is_in_standby, is_read_only FROM sys.databases WHERE name = N'shop'"),
                         (True, True))

    def test_snapshot(self):
        self.ok(self.sa, "INSERT dbo.t VALUES (7)")
        self.ok(self.boss, "CREATE DATABASE snap ON (NAME = shop, FILENAME = N'x.ss') AS SNAPSHOT OF shop")
        self.ok(self.sa, "DELETE dbo.t")
        self.assertEqual(self.one(self.boss, "SELECT source_database_id, is_read_only FROM sys.databases WHERE name = N'snap'"),
                         (5, True))
        self.assertEqual(self.ok(self.boss, "USE snap; SELECT x FROM dbo.t"), [(7,)])
        self.fails(self.boss, "USE snap; DROP USER u", 3906)


class Access(DatabaseCase):
    def test_single_user(self):
        self.fails(self.boss, "ALTER DATABASE shop SET SINGLE_USER WITH NO_WAIT", 5070)
        self.ok(self.boss, "ALTER DATABASE shop SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
        self.assertTrue(self.sa.closed)
        self.ok(self.agent, "USE shop")
        self.fails(self.boss, "USE shop", 924)
        self.assertEqual(self.one(self.boss, "SELECT HAS_DBACCESS(N'shop'), user_access FROM sys.databases "
                                             "WHERE name = N'shop'"), (0, 1))
        self.ok(self.agent, "USE master")
        self.ok(self.boss, "USE shop")
        self.assertEqual(self.server.counted()["single_user_taken"], 2)

    def test_restricted_user(self):
        self.ok(self.boss, "ALTER DATABASE shop SET RESTRICTED_USER")
        self.fails(self.agent, "USE shop", 923)
        self.ok(self.boss, "USE shop; CREATE USER agent FOR LOGIN agent; ALTER ROLE db_owner ADD MEMBER agent")
        self.ok(self.agent, "USE shop")

    def test_emergency(self):
        self.ok(self.boss, "ALTER DATABASE shop SET EMERGENCY")
        self.fails(self.agent, "USE shop", 916)
        self.ok(self.boss, "USE shop")


class Seen(DatabaseCase):
    def names(self, session):
        return {r[0] for r in self.ok(session, "SELECT name FROM sys.databases")}

    def test_offline_rows(self):
        self.ok(self.boss, "ALTER DATABASE shop SET OFFLINE")
        self.assertNotIn("shop", self.names(self.agent))
        self.assertEqual(self.one(self.agent, "SELECT DB_ID(N'shop'), DB_NAME(5)"), (5, "shop"))
        self.fails(self.agent, "USE shop", 942)
        self.ok(self.boss, "GRANT CREATE ANY DATABASE TO agent")
        self.assertIn("shop", self.names(self.agent))

    def test_view_any_database(self):
        self.ok(self.boss, "REVOKE VIEW ANY DATABASE FROM public")
        self.assertIn("shop", self.names(self.agent), "VIEW ANY DEFINITION covers it")
        self.ok(self.boss, "DENY VIEW ANY DATABASE TO agent")
        self.assertEqual(self.names(self.agent), {"master", "tempdb"})
        self.assertEqual(self.one(self.agent, "SELECT HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DATABASE')"), 0)
        self.assertEqual(self.names(self.session("agent")), {"master", "tempdb", "shop"})

    def test_split_state_right(self):
        a = self.login("a", "master", user=False)
        self.ok(self.boss, "GRANT VIEW SERVER PERFORMANCE STATE TO a")
        self.assertGreater(len(self.ok(a, "SELECT 1 FROM sys.dm_exec_sessions WHERE session_id > 50")), 1)
        self.fails(a, "SELECT 1 FROM sys.dm_exec_connections", 371)
        self.ok(self.boss, "GRANT VIEW SERVER SECURITY STATE TO a")
        self.ok(a, "SELECT 1 FROM sys.dm_exec_connections")

    def test_one_state_right_before_2022(self):
        server = Server(sa_password="Sa!pass1", product_version="15.0.4000.1")
        server.run_script(f"CREATE LOGIN a WITH PASSWORD = N'{PASSWORD}'")
        a = server.login(user="a", password=PASSWORD, address="192.0.2.1")
        self.assertEqual(self.run_batch(a, "SELECT session_id FROM sys.dm_exec_sessions")[0], [(a.spid,)])
        server.run_script("GRANT VIEW SERVER STATE TO a")
        self.ok(a, "SELECT 1 FROM sys.dm_exec_connections")

    def test_definitions(self):
        self.ok(self.sa, "CREATE PROCEDURE dbo.p AS SELECT 1")
        a = self.login("a")
        self.ok(self.sa, "GRANT EXECUTE ON dbo.p TO a; CREATE LOGIN other WITH PASSWORD = N'Str0ng!pass'")
        ask = "SELECT definition FROM sys.sql_modules"
        self.assertEqual(self.ok(a, ask), [(None,)])
        self.ok(self.boss, "GRANT VIEW ANY SECURITY DEFINITION TO a")
        self.assertEqual(self.ok(a, ask), [(None,)])
        self.assertTrue(self.ok(a, "SELECT 1 FROM sys.database_principals WHERE name = N'u'"))
        self.assertTrue(self.ok(a, "SELECT 1 FROM sys.server_principals WHERE name = N'other'"))
        self.ok(self.sa, "GRANT TAKE OWNERSHIP ON dbo.p TO a")
        self.assertEqual(len(self.one(a, ask)) > 9, True)

    def test_denied_definition_hides(self):
        self.ok(self.sa, "CREATE USER agent FOR LOGIN agent; ALTER ROLE db_owner ADD MEMBER agent")
        agent = self.session("agent")
        ask = "SELECT COUNT(*) FROM sys.database_principals WHERE name = N'u'"
        self.assertEqual(self.one(agent, ask), 1)
        self.ok(self.sa, "DENY VIEW DEFINITION TO agent")
        self.assertEqual(self.one(agent, ask), 0)

    def test_another_port(self):
        self.server.features.listener_port = 1533
        self.assertEqual(self.one(self.agent, "SELECT local_tcp_port FROM sys.dm_exec_connections WHERE session_id = @@SPID"), 1533)
        self.assertIn((1533,), self.ok(self.agent, "SELECT port FROM sys.dm_tcp_listener_states"))

    def test_listens_in_both_families(self):
        self.assertEqual(self.ok(self.agent, "SELECT is_ipv4, ip_address FROM sys.dm_tcp_listener_states WHERE port <> 1434 ORDER BY is_ipv4"),
                         [(False, "::"), (True, "0.0.0.0")])


if __name__ == "__main__":
    unittest.main()
