"""Modules, triggers, catalogue views, visibility, and the departures that can be switched on."""
import unittest

from engine import Features, Server, SqlError
from engine.views import REGISTRY
from engine_base import EngineCase


class Modules(EngineCase):
    SCRIPT = """CREATE TABLE dbo.t (i int); CREATE TABLE dbo.log (what nvarchar(100))"""

    def test_first_in_its_batch(self):
        self.fails(self.sa, "SELECT 1; CREATE PROCEDURE dbo.p AS SELECT 1", 111)
        self.fails(self.sa, "ALTER PROCEDURE dbo.p AS SELECT 1", 208)
        self.ok(self.sa, "CREATE OR ALTER PROCEDURE dbo.p AS SELECT 1")
        self.ok(self.sa, "CREATE OR ALTER PROCEDURE dbo.p AS SELECT 2")
        self.assertEqual(self.one(self.sa, "EXEC dbo.p"), 2)
        self.fails(self.sa, "CREATE PROCEDURE dbo.p AS SELECT 1", 2714)

    def test_execute_as(self):
        a = self.login("a")
        self.ok(self.sa, "CREATE PROCEDURE dbo.up WITH EXECUTE AS OWNER AS EXEC (N'INSERT dbo.t VALUES (1)'); "
                         "SELECT USER_NAME(), ORIGINAL_LOGIN()")
        self.ok(self.sa, "GRANT EXECUTE ON dbo.up TO a")
        self.assertEqual(self.one(a, "EXEC dbo.up"), ("dbo", "a"))
        self.assertEqual(self.one(a, "SELECT USER_NAME()"), "a")
        self.assertEqual(self.one(self.sa, "SELECT execute_as_principal_id FROM sys.sql_modules"), -2)

    def test_table_trigger(self):
        self.ok(self.sa, "CREATE TRIGGER dbo.g ON dbo.t AFTER INSERT, DELETE AS INSERT dbo.log SELECT "
                         "CONCAT(N'+', i) FROM inserted UNION ALL SELECT CONCAT(N'-', i) FROM deleted")
        self.ok(self.sa, "INSERT dbo.t VALUES (1), (2); DELETE dbo.t WHERE i = 1")
        self.assertEqual(self.ok(self.sa, "SELECT what FROM dbo.log ORDER BY what"),
                         [("-1",), ("+1",), ("+2",)] if "-" < "+" else [("+1",), ("+2",), ("-1",)])
        self.ok(self.sa, "DISABLE TRIGGER dbo.g ON dbo.t; INSERT dbo.t VALUES (3)")
        self.assertEqual(self.one(self.sa, "SELECT COUNT(*) FROM dbo.log"), 3)
        self.assertEqual(self.one(self.sa, "SELECT is_disabled FROM sys.triggers"), True)

    def test_ddl_trigger_runs_as_whoever_fires_it(self):
        a = self.login("a")
        self.ok(self.sa, "ALTER ROLE db_ddladmin ADD MEMBER a")
        self.ok(a, "CREATE TRIGGER trap ON DATABASE FOR CREATE_USER AS ALTER ROLE db_owner ADD MEMBER a")
        self.ok(self.sa, "CREATE USER victim WITHOUT LOGIN")
        self.assertEqual(self.one(a, "SELECT IS_MEMBER(N'db_owner')"), 1)

    def test_ddl_trigger_that_rolls_back(self):
        self.ok(self.sa, "CREATE TRIGGER no ON DATABASE FOR DDL_TABLE_EVENTS AS ROLLBACK")
        rows, errors = self.run_batch(self.sa, "CREATE TABLE dbo.n (i int); SELECT 1")
        self.assertEqual((rows, errors), ([], [3609]))
        self.assertEqual(self.one(self.sa, "SELECT COUNT(*) FROM sys.tables WHERE name = N'n'"), 0)
        self.ok(self.sa, "DISABLE TRIGGER no ON DATABASE; CREATE TABLE dbo.n (i int)")

    def test_server_and_logon_triggers(self):
        self.login("a").close()
        self.ok(self.sa, "CREATE TRIGGER gate ON ALL SERVER FOR LOGON AS IF ORIGINAL_LOGIN() = N'a' ROLLBACK")
        self.login_fails(17892, "a")
        self.session("sa", "Sa!pass1")
        self.ok(self.sa, "DISABLE TRIGGER gate ON ALL SERVER")
        self.session("a")
        self.ok(self.sa, "CREATE TRIGGER nl ON ALL SERVER FOR CREATE_LOGIN AS ROLLBACK")
        self.fails(self.sa, "CREATE LOGIN n WITH PASSWORD = N'Good#pass1'", 3609)
        self.assertIsNone(self.one(self.sa, "SELECT SUSER_ID(N'n')"))


class Catalogue(EngineCase):
    SCRIPT = "CREATE TABLE dbo.t (i int, n nvarchar(7) NOT NULL); CREATE ROLE r; CREATE USER w WITHOUT LOGIN"

    def test_every_view_answers(self):
        for v in REGISTRY.values():
            with self.subTest(v.name):
                self.ok(self.sa, f"SELECT * FROM {'msdb.' if v.only else ''}[{v.schema}].[{v.name}]")

    def test_fewer_rights_are_fewer_rows_not_errors(self):
        a = self.login("a")
        self.ok(self.sa, "CREATE LOGIN hidden WITH PASSWORD = N'Good#pass1'; GRANT SELECT ON dbo.t TO w")
        for sql in ("SELECT name FROM sys.tables", "SELECT name FROM sys.sql_logins WHERE name = N'hidden'",
                    "SELECT name FROM sys.database_principals WHERE name IN (N'w', N'r')",
                    "SELECT 1 FROM sys.database_permissions WHERE class = 1"):
            self.assertEqual(self.ok(a, sql), [], sql)
        self.assertEqual(self.ok(a, "SELECT login_name FROM sys.dm_exec_sessions"), [("a",)])
        self.fails(a, "SELECT * FROM sys.dm_exec_connections", 371)
        self.ok(self.sa, "GRANT VIEW DEFINITION TO a")
        self.assertEqual(self.ok(a, "SELECT name FROM sys.tables"), [("t",)])
        self.assertEqual(len(self.ok(a, "SELECT 1 FROM sys.database_permissions WHERE class = 1")), 1)

    def test_other_databases_by_name(self):
        self.ok(self.sa, "CREATE DATABASE other")
        a = self.login("a")
        self.fails(a, "SELECT * FROM other.sys.tables", 916)
        self.fails(a, "USE other", 916)
        self.ok(self.sa, "ALTER DATABASE other SET OFFLINE")
        self.fails(self.sa, "USE other", 942)
        self.ok(self.sa, "ALTER DATABASE other SET ONLINE; USE other; USE shop; DROP DATABASE other")

    def test_rows(self):
        self.assertEqual(self.ok(self.sa, "SELECT c.name, t.name, c.max_length, c.is_nullable FROM sys.columns c "
                                          "JOIN sys.types t ON t.user_type_id = c.user_type_id WHERE "
                                          "c.object_id = OBJECT_ID(N'dbo.t') ORDER BY c.column_id"),
                         [("i", "int", 4, True), ("n", "nvarchar", 14, False)])
        self.ok(self.sa, "GRANT SELECT, INSERT ON dbo.t TO w; DENY UPDATE ON SCHEMA::dbo TO r")
        self.assertEqual(self.ok(self.sa, "SELECT class, permission_name, type, state FROM "
                                          "sys.database_permissions WHERE class > 0 ORDER BY class, type"),
                         [(1, "INSERT", "IN  ", "G"), (1, "SELECT", "SL  ", "G"), (3, "UPDATE", "UP  ", "D")])

    def test_effective_rights_as_a_set(self):
        self.login("a")
        self.ok(self.sa, "CREATE TABLE dbo.u (i int); GRANT SELECT ON SCHEMA::dbo TO a; GRANT INSERT ON dbo.u TO a")
        rows = self.ok(self.sa, """EXECUTE AS USER = N'a';
            SELECT o.name, p.perm FROM sys.objects o
            CROSS APPLY (VALUES (N'SELECT'), (N'INSERT'), (N'ALTER')) p(perm)
            WHERE HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME(o.schema_id)) + N'.' + QUOTENAME(o.name),
                                    N'OBJECT', p.perm) = 1 ORDER BY 1, 2""")
        self.assertEqual(rows, [("t", "SELECT"), ("u", "INSERT"), ("u", "SELECT")])
        self.assertEqual(self.one(self.sa, "REVERT; SELECT HAS_PERMS_BY_NAME(N'dbo.nothing', 'OBJECT', "
                                           "'SELECT')"), None)

    def test_leftovers_can_be_planted(self):
        self.ok(self.sa, "CREATE APPLICATION ROLE ar WITH PASSWORD = N'Good#pass1'; CREATE SYNONYM dbo.s FOR "
                         "other.dbo.x; CREATE CERTIFICATE c ENCRYPTION BY PASSWORD = N'x' WITH SUBJECT = N's'; "
                         "CREATE USER cu FOR CERTIFICATE c; CREATE ASSEMBLY a FROM 0x00 WITH PERMISSION_SET = "
                         "UNSAFE; CREATE ASYMMETRIC KEY k WITH ALGORITHM = RSA_2048 ENCRYPTION BY PASSWORD = "
                         "N'x'; ALTER DATABASE shop SET TRUSTWORTHY ON; ALTER DATABASE shop SET DB_CHAINING ON; "
                         "GRANT CONNECT TO guest; CREATE EVENT NOTIFICATION n ON DATABASE FOR CREATE_TABLE TO "
                         "SERVICE N'svc', N'current database'; EXEC sp_addlinkedserver @server = N'far'")
        self.ok(self.sa, "CREATE PROCEDURE dbo.p AS SELECT 1")
        self.ok(self.sa, "ADD SIGNATURE TO dbo.p BY CERTIFICATE c WITH PASSWORD = N'x'")
        for sql in ("sys.synonyms", "sys.certificates", "sys.assemblies", "sys.asymmetric_keys",
                    "sys.crypt_properties", "sys.event_notifications"):
            self.assertEqual(self.one(self.sa, f"SELECT COUNT(*) FROM {sql}"), 1, sql)
        self.assertEqual(self.one(self.sa, "SELECT is_trustworthy_on, is_db_chaining_on FROM sys.databases "
                                           "WHERE name = DB_NAME()"), (True, True))
        self.assertEqual(self.one(self.sa, "SELECT name FROM sys.servers WHERE is_linked = 1"), "far")
        self.login("g", user=False)       # guest lets it in


class Departures(unittest.TestCase):
    def case(self, **features):
        case = EngineCase()
        case.server = Server(sa_password="Sa!pass1", features=Features(**features))
        case.server.run_script("CREATE DATABASE Shop")
        case.sa = case.session("sa", "Sa!pass1", "Shop")
        return case

    def test_each(self):
        for features, sql, number in (
                ({"no_deny": True}, "DENY SELECT TO public", 102),
                ({"no_execute_as": True}, "EXECUTE AS USER = N'dbo'", 102),
                ({"no_sql_logins": True}, "SELECT * FROM sys.sql_logins", 208),
                ({"no_must_change": True}, "CREATE LOGIN a WITH PASSWORD = N'Good#pass1' MUST_CHANGE, "
                                           "CHECK_EXPIRATION = ON", 15195),
                ({"no_server_roles": True}, "CREATE SERVER ROLE r", 102), ({"no_kill": True}, "KILL 77", 102),
                ({"no_applock": True}, "EXEC sp_getapplock @Resource = N'x', @LockMode = N'Shared'", 2812),
                ({"error_map": {208: 33001}}, "SELECT * FROM nowhere", 33001),
                ({"fail_on": [("CREATE\\s+USER", 4711)]}, "CREATE USER u WITHOUT LOGIN", 4711)):
            with self.subTest(str(features)):
                case = self.case(**features)
                case.fails(case.sa, sql, number)

    def test_unknown_statements_are_syntax_errors(self):
        """No statement of the batch has run, no CATCH of it gets the error; that of a text which it runs does."""
        for features, sql in (({"no_deny": True}, "DENY SELECT TO public"), ({"no_execute_as": True}, "REVERT"),
                              ({"no_execute_as": True}, "EXECUTE AS USER = N'dbo' WITH COOKIE INTO @c"),
                              ({"no_execute_as": True}, "EXEC (N'CREATE PROCEDURE dbo.p WITH EXECUTE AS OWNER AS SELECT 1')")):
            with self.subTest(sql):
                case = self.case(**features)
                batch = ("CREATE USER u WITHOUT LOGIN; DECLARE @c varbinary(8000); BEGIN TRY IF 1 = 0 {} END TRY "
                         "BEGIN CATCH SELECT ERROR_NUMBER() END CATCH")
                if not sql.startswith("EXEC ("):
                    case.fails(case.sa, batch.format(sql), 102)
                    self.assertEqual(case.one(case.sa, "SELECT COUNT(*) FROM sys.database_principals WHERE name = N'u'"), 0)
                    sql = "EXEC (N'DECLARE @c varbinary(8000); " + sql.replace("'", "''") + "')"
                self.assertEqual(case.one(case.sa, batch.replace("IF 1 = 0 ", "").format(sql)), 102)
                case.server.features.no_deny = case.server.features.no_execute_as = False
                case.ok(case.sa, "DROP USER u")
                case.ok(case.sa, batch.format("DENY SELECT TO public"))

    def test_names_sids_and_empty_permissions(self):
        case = self.case(lowercase_databases=True, sid_length=28, empty_permissions=True)
        self.assertEqual(case.one(case.sa, "SELECT DB_NAME()"), "shop")
        case.ok(case.sa, "CREATE LOGIN a WITH PASSWORD = N'Good#pass1'; CREATE USER a; GRANT SELECT TO a")
        self.assertEqual(case.one(case.sa, "SELECT DATALENGTH(sid) FROM sys.server_principals WHERE "
                                           "name = N'a'"), 28)
        self.assertEqual(case.ok(case.sa, "SELECT * FROM sys.database_permissions"), [])
        self.assertEqual(case.one(case.sa, "EXECUTE AS USER = N'a'; SELECT HAS_PERMS_BY_NAME(NULL, "
                                           "'DATABASE', 'SELECT')"), 1)

    def test_deadlocks_run_out(self):
        case = self.case(deadlock_on=[["CREATE USER", 2]])
        for _ in range(2):
            case.fails(case.sa, "CREATE USER u WITHOUT LOGIN", 1205)
        case.ok(case.sa, "CREATE USER u WITHOUT LOGIN")

    def test_error_map_reaches_the_login(self):
        case = self.case(error_map={18456: 28000})
        with self.assertRaises(SqlError) as caught:
            case.session("nobody")
        self.assertEqual(caught.exception.number, 28000)


class Large(EngineCase):
    def test_tables_get_their_place_when_it_is_needed(self):
        """SQLite takes the longer to make a table the more there are: fifty thousand took minutes."""
        made = "SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 't%'"
        before = self.server.engine.sqlite.execute(made).fetchone()[0]
        self.ok(self.sa, "".join(f"CREATE TABLE dbo.t{n} (a int, b nvarchar(9));" for n in range(100)))
        self.ok(self.sa, "SELECT p.row_count FROM sys.dm_db_partition_stats AS p; SELECT COUNT(*) FROM sys.columns")
        self.assertEqual(self.server.engine.sqlite.execute(made).fetchone()[0], before)
        self.ok(self.sa, "INSERT dbo.t7 VALUES (1, N'x'); ALTER TABLE dbo.t8 ADD c int")
        self.assertEqual(self.ok(self.sa, "SELECT a, b FROM dbo.t7; SELECT a, b, c FROM dbo.t8"), [(1, "x")])
        self.assertEqual(self.server.engine.sqlite.execute(made).fetchone()[0], before + 2)

    def test_a_join_of_views_takes_their_index(self):
        """Found by the key alone, every row of one was compared with every row of the other."""
        said = []
        self.server.engine.sqlite.set_trace_callback(lambda q: said.append(q) if "cv_sys_columns" in q else None)
        self.ok(self.sa, "SELECT c.name FROM sys.columns AS c JOIN sys.objects AS o ON o.object_id = c.object_id")
        self.server.engine.sqlite.set_trace_callback(None)
        query = [q for q in said if q.startswith(("SELECT", "WITH")) and "cv_sys_objects" in q][-1]
        plan = [row[3] for row in self.server.engine.sqlite.execute("EXPLAIN QUERY PLAN " + query)]
        self.assertTrue(any("object_id=?" in step for step in plan), plan)

if __name__ == "__main__":
    unittest.main()
