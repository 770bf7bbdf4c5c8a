"""Modules at run time: execution contexts and ownership chains, triggers, queues, numbered procedures, and their views."""
import time
import unittest

from engine_base import PASSWORD, EngineCase


class Contexts(EngineCase):
    SCRIPT = "CREATE TABLE dbo.t (x int)\nGO\nCREATE USER u WITHOUT LOGIN\nGO\nCREATE USER w WITHOUT LOGIN"

    def setUp(self):
        super().setUp()
        self.a = self.login("a")
        self.ok(self.sa, "GRANT EXECUTE, ALTER ON SCHEMA::dbo TO a; GRANT CREATE PROCEDURE TO a")

    def test_owners_module_lends_to_what_it_calls(self):
        self.ok(self.sa, "CREATE PROCEDURE dbo.helper AS SELECT 1")
        self.ok(self.sa, "CREATE PROCEDURE dbo.outer_ WITH EXECUTE AS OWNER AS EXEC dbo.helper")
        self.ok(self.a, "ALTER PROCEDURE dbo.helper AS ALTER ROLE db_owner ADD MEMBER a")
        self.fails(self.a, "EXEC dbo.helper", 15151)
        self.ok(self.a, "EXEC dbo.outer_")
        self.assertEqual(self.one(self.sa, "SELECT IS_ROLEMEMBER(N'db_owner', N'a')"), 1)

    def test_nobody_puts_on_whom_it_may_not(self):
        self.fails(self.a, "CREATE PROCEDURE dbo.p WITH EXECUTE AS OWNER AS SELECT 1", 15517)
        self.fails(self.a, "CREATE PROCEDURE dbo.p WITH EXECUTE AS 'u' AS SELECT 1", 15517)
        self.ok(self.a, "CREATE PROCEDURE dbo.p WITH EXECUTE AS SELF AS SELECT USER_NAME()")
        self.fails(self.a, "ALTER PROCEDURE dbo.p WITH EXECUTE AS OWNER AS SELECT 1", 15517)
        self.assertEqual(self.one(self.sa, "EXEC dbo.p"), "a")
        self.fails(self.sa, "DROP USER a", 15136)

    def test_chains_skip_denials_but_not_in_dynamic_text(self):
        self.ok(self.sa, "DENY SELECT ON dbo.t TO a")
        self.ok(self.sa, "CREATE PROCEDURE dbo.chained AS SELECT * FROM dbo.t")
        self.ok(self.sa, "CREATE PROCEDURE dbo.dynamic AS EXEC (N'SELECT * FROM dbo.t')")
        self.ok(self.a, "EXEC dbo.chained")
        self.fails(self.a, "EXEC dbo.dynamic", 229)

    def test_chains_across_databases(self):
        self.ok(self.sa, "CREATE DATABASE other; USE other; CREATE TABLE dbo.far (x int); "
                         "CREATE USER a FOR LOGIN a; USE shop")
        self.ok(self.sa, "CREATE PROCEDURE dbo.p AS SELECT * FROM other.dbo.far")
        self.fails(self.a, "EXEC dbo.p", 229)
        self.ok(self.sa, "EXEC sp_configure N'cross db ownership chaining', 1; RECONFIGURE")
        self.ok(self.a, "EXEC dbo.p")
        self.ok(self.sa, "EXEC sp_configure N'cross db ownership chaining', 0; RECONFIGURE; "
                         "ALTER DATABASE shop SET DB_CHAINING ON; ALTER DATABASE other SET DB_CHAINING ON")
        self.ok(self.a, "EXEC dbo.p")

    def test_trustworthy_leads_to_the_server(self):
        self.ok(self.sa, "CREATE PROCEDURE dbo.p WITH EXECUTE AS OWNER AS "
                         "ALTER SERVER ROLE sysadmin ADD MEMBER a")
        self.fails(self.a, "EXEC dbo.p", 15151)
        self.ok(self.sa, "ALTER DATABASE shop SET TRUSTWORTHY ON")
        self.ok(self.a, "EXEC dbo.p")
        self.assertEqual(self.one(self.sa, "SELECT IS_SRVROLEMEMBER(N'sysadmin', N'a')"), 1)

    def test_cookies(self):
        self.ok(self.sa, "GRANT IMPERSONATE ON USER::u TO a")
        self.fails(self.a, "DECLARE @c varbinary(100); EXECUTE AS USER = N'u' WITH COOKIE INTO @c; REVERT", 15591)
        self.assertEqual(self.one(self.a, "SELECT USER_NAME()"), "u")
        b = self.session("a")
        self.assertEqual(self.one(b, "DECLARE @c varbinary(100); EXECUTE AS USER = N'u' WITH COOKIE INTO @c; "
                                     "REVERT WITH COOKIE = @c; SELECT USER_NAME()"), "a")
        self.fails(b, "EXECUTE AS USER = N'u' WITH NO REVERT; REVERT", 15196)

    def test_orphans_cannot_be_put_on(self):
        self.ok(self.sa, "EXECUTE AS USER = N'u'; REVERT; EXECUTE AS USER = N'a'; REVERT")
        self.a.close()
        self.ok(self.sa, "ALTER LOGIN a DISABLE; EXECUTE AS USER = N'a'; REVERT; DROP LOGIN a")
        self.fails(self.sa, "EXECUTE AS USER = N'a'", 15517)

    def test_an_owner_of_another_server_cannot_be_put_on(self):
        features = self.server.features
        self.ok(self.sa, "EXECUTE AS USER = N'dbo'; REVERT")
        features.foreign_dbo = "SHOP"
        self.fails(self.sa, "EXECUTE AS USER = N'dbo'", 15517)
        self.assertEqual(self.one(self.sa, "SELECT COUNT(*) FROM sys.databases AS d JOIN sys.database_principals AS o ON o.sid = d.owner_sid "
                                           "WHERE d.database_id = DB_ID() AND o.principal_id = 1"), 0)
        self.ok(self.sa, "ALTER AUTHORIZATION ON DATABASE::shop TO sa; EXECUTE AS USER = N'dbo'; REVERT")

    def test_an_impersonated_user_stays_in_its_database(self):
        self.ok(self.sa, "CREATE DATABASE other; USE other; CREATE USER a FOR LOGIN a; USE shop")
        self.ok(self.a, "USE other; USE shop")
        self.fails(self.sa, "EXECUTE AS USER = N'a'; USE other", 916)

    def test_application_roles(self):
        self.ok(self.sa, f"CREATE APPLICATION ROLE app WITH PASSWORD = N'{PASSWORD}'; GRANT SELECT ON dbo.t TO app; "
                         "DENY SELECT ON dbo.t TO a")
        self.fails(self.a, "EXEC sp_setapprole N'app', N'wrong'", 2764)
        self.ok(self.a, f"EXEC sp_setapprole N'app', N'{PASSWORD}'; SELECT * FROM dbo.t")
        self.fails(self.a, "REVERT", 15591)
        self.fails(self.a, "USE master", 505)
        self.assertEqual(self.one(self.a, "SELECT USER_NAME()"), "app")
        row = self.one(self.sa, f"SELECT login_name, original_login_name FROM sys.dm_exec_sessions WHERE session_id = {self.a.spid}")
        self.assertEqual(row, ("a", "a"))
        b = self.session("a")
        self.assertEqual(self.one(b, f"DECLARE @c varbinary(8000); EXEC sp_setapprole N'app', N'{PASSWORD}', N'none', 1, @c OUTPUT; "
                                     "EXEC sp_unsetapprole @c; SELECT USER_NAME()"), "a")


class Triggers(EngineCase):
    SCRIPT = "CREATE TABLE dbo.log_ (x nvarchar(99))\nGO\nCREATE LOGIN x WITH PASSWORD = N'Str0ng!pass'"

    def test_a_ddl_trigger_runs_as_who_fires_it(self):
        self.ok(self.sa, "CREATE TRIGGER watch ON DATABASE FOR CREATE_USER AS INSERT dbo.log_ VALUES (SUSER_SNAME())")
        a = self.login("a")
        self.ok(self.sa, "GRANT ALTER, INSERT ON SCHEMA::dbo TO a; GRANT SELECT ON dbo.log_ TO a; GRANT CREATE PROCEDURE TO a")
        self.ok(a, "CREATE TRIGGER dbo.trap ON dbo.log_ FOR INSERT AS ALTER LOGIN x DISABLE")
        self.ok(self.sa, "CREATE USER n WITHOUT LOGIN")
        self.assertTrue(self.one(self.sa, "SELECT is_disabled FROM sys.server_principals WHERE name = N'x'"))
        self.assertEqual([r[0] for r in self.ok(self.sa, "SELECT x FROM dbo.log_")][-1], "sa")

    def test_grants_on_the_server_are_the_servers_events(self):
        boss = self.session("sa", "Sa!pass1", "master")
        self.ok(boss, "CREATE TRIGGER mine ON DATABASE FOR GRANT_DATABASE AS SELECT N'database'")
        self.ok(boss, "CREATE TRIGGER its ON ALL SERVER FOR DDL_GDR_SERVER_EVENTS AS SELECT N'server'")
        self.assertEqual(self.ok(boss, "GRANT VIEW SERVER STATE TO x"), [("server",)])
        self.assertEqual(self.ok(boss, "GRANT SELECT TO public"), [("database",)])

    def test_instead_of_on_a_view(self):
        self.ok(self.sa, "CREATE VIEW dbo.v AS SELECT x FROM dbo.log_")
        self.fails(self.sa, "INSERT dbo.v VALUES (N'a')", 4406)
        self.ok(self.sa, "CREATE TRIGGER dbo.i ON dbo.v INSTEAD OF INSERT AS INSERT dbo.log_ SELECT N'>' + x FROM inserted")
        self.ok(self.sa, "INSERT dbo.v VALUES (N'a'), (N'b')")
        self.assertEqual(self.ok(self.sa, "SELECT x FROM dbo.log_ ORDER BY x"), [(">a",), (">b",)])
        self.assertTrue(self.one(self.sa, "SELECT is_instead_of_trigger FROM sys.triggers WHERE name = N'i'"))

    def test_rows_of_a_trigger_reach_the_client(self):
        self.ok(self.sa, "CREATE TRIGGER watch ON DATABASE FOR CREATE_USER AS SELECT N'login' AS part, N'x' AS name")
        self.assertEqual(self.ok(self.sa, "CREATE USER n WITHOUT LOGIN"), [("login", "x")])


class Parts(EngineCase):
    SCRIPT = ("CREATE TABLE dbo.t (x int, y int)\nGO\nCREATE PROCEDURE dbo.p AS SELECT 1\nGO\n"
              "CREATE FUNCTION dbo.f(@x int) RETURNS int AS BEGIN RETURN @x END\nGO\nCREATE USER u WITHOUT LOGIN")

    def test_numbered_procedures(self):
        self.fails(self.sa, "CREATE PROCEDURE dbo.q;2 AS SELECT 2", 2730)
        self.ok(self.sa, "CREATE PROCEDURE dbo.p;2 AS SELECT 2")
        self.assertEqual((self.one(self.sa, "EXEC dbo.p;2"), self.one(self.sa, "EXEC dbo.p")), (2, 1))
        self.ok(self.sa, "ALTER PROCEDURE dbo.p;2 AS SELECT 3")
        self.assertEqual(self.one(self.sa, "SELECT procedure_number, definition FROM sys.numbered_procedures"),
                         (2, "ALTER PROCEDURE dbo.p;2 AS SELECT 3"))
        self.assertIn("SELECT 1", self.one(self.sa, "SELECT definition FROM sys.sql_modules WHERE object_id = OBJECT_ID(N'dbo.p')"))
        self.fails(self.sa, "EXEC dbo.p;3", 2812)
        self.ok(self.sa, "EXEC dbo.p; SELECT 5")

    def test_plan_guides(self):
        self.ok(self.sa, "EXEC sp_create_plan_guide N'g', N'SELECT 1', N'OBJECT', N'dbo.p', NULL, N'OPTION (MAXDOP 1)'")
        self.assertEqual(self.one(self.sa, "SELECT name, scope_type_desc, is_disabled FROM sys.plan_guides"), ("g", "OBJECT", False))
        self.fails(self.sa, "ALTER PROCEDURE dbo.p AS SELECT 2", 10515)
        self.fails(self.sa, "DROP PROCEDURE dbo.p", 10515)
        self.ok(self.sa, "EXEC sp_control_plan_guide N'DROP', N'g'; DROP PROCEDURE dbo.p")

    def test_plan_guides_want_alter_on_the_module(self):
        a = self.login("a")
        create = "EXEC sp_create_plan_guide N'g', N'SELECT 1', N'OBJECT', N'dbo.p', NULL, N'OPTION (MAXDOP 1)'"
        self.fails(a, create, 15151)
        self.ok(self.sa, "GRANT ALTER ON dbo.p TO a")
        self.ok(a, create)

    def test_security_policies(self):
        self.ok(self.sa, "CREATE FUNCTION dbo.pred(@x int) RETURNS TABLE AS RETURN SELECT 1 AS ok WHERE @x = 1")
        self.ok(self.sa, "CREATE SECURITY POLICY dbo.pol ADD FILTER PREDICATE dbo.pred(x) ON dbo.t WITH (STATE = ON, SCHEMABINDING = OFF)")
        self.assertEqual(self.one(self.sa, "SELECT name, is_enabled, is_schema_bound FROM sys.security_policies"), ("pol", True, False))
        self.assertEqual(self.one(self.sa, "SELECT OBJECT_NAME(target_object_id) FROM sys.security_predicates"), "t")
        self.fails(self.login("a"), "CREATE SECURITY POLICY dbo.q ADD FILTER PREDICATE dbo.pred(x) ON dbo.t", 15247)

    def test_indexes_switched_off(self):
        self.ok(self.sa, "CREATE UNIQUE INDEX i ON dbo.t (x); INSERT dbo.t VALUES (1, 1); ALTER INDEX i ON dbo.t DISABLE; "
                         "INSERT dbo.t VALUES (1, 1)")
        self.assertEqual(self.one(self.sa, "SELECT name, is_disabled FROM sys.indexes WHERE name IS NOT NULL"), ("i", True))
        self.ok(self.sa, "CREATE CLUSTERED INDEX c ON dbo.t (y); ALTER INDEX c ON dbo.t DISABLE")
        self.fails(self.sa, "SELECT * FROM dbo.t", 8655)
        self.fails(self.sa, "INSERT dbo.t VALUES (2, 2)", 8655)
        self.ok(self.sa, "ALTER INDEX c ON dbo.t REBUILD; SELECT * FROM dbo.t")

    def test_encrypted_text_is_nobodys(self):
        self.ok(self.sa, "CREATE PROCEDURE dbo.secret WITH ENCRYPTION AS SELECT 1")
        self.assertEqual(self.one(self.sa, "SELECT definition, OBJECTPROPERTY(object_id, 'IsEncrypted') FROM sys.sql_modules "
                                           "WHERE object_id = OBJECT_ID(N'dbo.secret')"), (None, 1))
        self.ok(self.sa, "CREATE VIEW dbo.bound WITH SCHEMABINDING AS SELECT x FROM dbo.t")
        self.assertTrue(self.one(self.sa, "SELECT is_schema_bound FROM sys.sql_modules WHERE object_id = OBJECT_ID(N'dbo.bound')"))

    def test_computed_columns_want_references(self):
        a = self.login("a")
        self.ok(self.sa, "GRANT ALTER ON SCHEMA::dbo TO a")
        self.fails(a, "ALTER TABLE dbo.t ADD z AS (dbo.f(x))", 229)

    def test_dependencies(self):
        self.ok(self.sa, "CREATE PROCEDURE dbo.d AS BEGIN SELECT dbo.f(x) FROM dbo.t; IF 1 = 1 EXEC other.dbo.far; "
                         "SELECT name FROM sys.objects END")
        self.ok(self.sa, "CREATE TRIGGER watch ON DATABASE FOR CREATE_USER AS EXEC dbo.p")
        rows = self.ok(self.sa, "SELECT referencing_class, referenced_database_name, referenced_entity_name, "
                                "OBJECT_NAME(referenced_id) FROM sys.sql_expression_dependencies ORDER BY 1, 3")
        self.assertEqual(rows, [(1, None, "f", "f"), (1, "other", "far", None), (1, None, "t", "t"), (12, None, "p", "p")])

    def test_renamed_objects_keep_id_and_text(self):
        before = self.one(self.sa, "SELECT OBJECT_ID(N'dbo.p')")
        self.ok(self.sa, "EXEC sp_rename N'dbo.p', N'x]; DROP--\n'")
        self.assertEqual(self.one(self.sa, "SELECT o.object_id, m.definition FROM sys.objects AS o JOIN sys.sql_modules AS m "
                                           "ON m.object_id = o.object_id WHERE o.name LIKE N'x%'"),
                         (before, "CREATE PROCEDURE dbo.p AS SELECT 1"))

    def test_signatures_end_with_a_change(self):
        self.ok(self.sa, "CREATE CERTIFICATE c ENCRYPTION BY PASSWORD = N'x' WITH SUBJECT = N's'; ADD SIGNATURE TO dbo.p BY CERTIFICATE c")
        self.assertEqual(self.one(self.sa, "SELECT COUNT(*) FROM sys.crypt_properties"), 1)
        self.ok(self.sa, "ALTER PROCEDURE dbo.p AS SELECT 2")
        self.assertEqual(self.one(self.sa, "SELECT COUNT(*) FROM sys.crypt_properties"), 0)


class Constraints(EngineCase):
    def test_they_are_objects_of_their_table(self):
        self.ok(self.sa, "CREATE TABLE dbo.t (a int CONSTRAINT pk PRIMARY KEY, b int CONSTRAINT df DEFAULT 7, "
                         "c int CONSTRAINT ck CHECK (c > 0)); CREATE TABLE dbo.r (a int REFERENCES dbo.t)")
        self.assertEqual(self.ok(self.sa, "SELECT name, type FROM sys.objects WHERE parent_object_id = OBJECT_ID(N'dbo.t') ORDER BY 1"),
                         [("ck", "C"), ("df", "D"), ("pk", "PK")])
        self.assertEqual(self.ok(self.sa, "SELECT definition FROM sys.check_constraints UNION ALL SELECT definition FROM sys.default_constraints"),
                         [("([c] > 0)",), ("(7)",)])
        self.assertEqual(self.one(self.sa, "SELECT OBJECT_NAME(referenced_object_id) FROM sys.foreign_keys"), "t")
        self.fails(self.sa, "INSERT dbo.t (a, c) VALUES (1, 0)", 547)
        self.ok(self.sa, "ALTER TABLE dbo.t NOCHECK CONSTRAINT ck; INSERT dbo.t (a, c) VALUES (1, 0)")
        self.assertEqual(self.one(self.sa, "SELECT is_disabled, is_not_trusted FROM sys.check_constraints"), (True, True))
        self.ok(self.sa, "ALTER TABLE dbo.t CHECK CONSTRAINT ALL; ALTER TABLE dbo.t DROP CONSTRAINT df; INSERT dbo.t (a, c) VALUES (2, 2)")
        self.assertEqual(self.ok(self.sa, "SELECT b FROM dbo.t ORDER BY a"), [(7,), (None,)])
        self.ok(self.sa, "DROP TABLE dbo.r; DROP TABLE dbo.t")
        self.assertEqual(self.ok(self.sa, "SELECT name FROM sys.objects"), [])

    def test_what_depends_on_a_column_goes_first(self):
        self.ok(self.sa, "CREATE TABLE dbo.t (a int CONSTRAINT pk PRIMARY KEY, b int CONSTRAINT df DEFAULT 7, "
                         "c int, d int CONSTRAINT uq UNIQUE, e int, CONSTRAINT ck CHECK (c > 0 OR e > 0)); "
                         "CREATE TABLE dbo.r (a int CONSTRAINT fk REFERENCES dbo.t (a), x int); CREATE INDEX ix ON dbo.r (x)")
        self.assertEqual(self.one(self.sa, "SELECT OBJECT_NAME(constraint_object_id), parent_column_id, "
                                           "referenced_column_id FROM sys.foreign_key_columns"), ("fk", 1, 1))
        for column in "abcde":
            self.fails(self.sa, f"ALTER TABLE dbo.t DROP COLUMN {column}", 4922)
        for column in "ax":
            self.fails(self.sa, f"ALTER TABLE dbo.r DROP COLUMN {column}", 4922)
        self.fails(self.sa, "ALTER TABLE dbo.t DROP CONSTRAINT pk", 3725)
        self.fails(self.sa, "DROP TABLE dbo.t", 3726)
        self.ok(self.sa, "ALTER TABLE dbo.r DROP CONSTRAINT fk; ALTER TABLE dbo.t DROP CONSTRAINT pk, df, uq, ck; "
                         "DROP INDEX ix ON dbo.r; ALTER TABLE dbo.r DROP COLUMN a; ALTER TABLE dbo.t DROP COLUMN a, b, c, d")

    def test_tables_that_refer_to_each_other_go_after_their_keys(self):
        self.ok(self.sa, "CREATE TABLE dbo.t (a int PRIMARY KEY, b int, own int REFERENCES dbo.t); CREATE TABLE dbo.r (a int PRIMARY KEY REFERENCES dbo.t); "
                         "ALTER TABLE dbo.t ADD CONSTRAINT fk FOREIGN KEY (b) REFERENCES dbo.r (a)")
        self.fails(self.sa, "DROP TABLE dbo.t", 3726)
        self.fails(self.sa, "DROP TABLE dbo.r", 3726)
        self.ok(self.sa, "ALTER TABLE dbo.t DROP CONSTRAINT fk; DROP TABLE dbo.r; DROP TABLE dbo.t")


class Questions(EngineCase):
    """Plain questions on all that a person with ALTER could have planted: no text is built, so nothing spoils them."""
    EACH = ("SELECT DB_ID(), m.object_id, m.execute_as_principal_id FROM sys.sql_modules AS m WHERE m.execute_as_principal_id IS NOT NULL",
            "SELECT a.object_id, a.execute_as_principal_id FROM sys.assembly_modules AS a WHERE a.execute_as_principal_id IS NOT NULL",
            "SELECT q.object_id, q.execute_as_principal_id, q.is_activation_enabled, CAST(q.activation_procedure AS varbinary(1552)) "
            "FROM sys.service_queues AS q WHERE q.is_ms_shipped = 0",
            "SELECT t.object_id, t.is_disabled FROM sys.triggers AS t WHERE t.parent_class = 0",
            "SELECT d.referencing_id, d.referenced_id, d.referenced_class, d.is_ambiguous, d.is_caller_dependent, "
            "d.referenced_database_name, d.referenced_server_name FROM sys.sql_expression_dependencies AS d",
            "SELECT o.object_id, o.type, CAST(o.name AS varbinary(256)), m.uses_ansi_nulls, HASHBYTES('SHA2_256', m.definition) "
            "FROM sys.objects AS o LEFT JOIN sys.sql_modules AS m ON m.object_id = o.object_id WHERE o.is_ms_shipped = 0 OR m.object_id IS NOT NULL",
            "SELECT n.object_id, n.procedure_number, HASHBYTES('SHA2_256', n.definition) FROM sys.numbered_procedures AS n",
            "SELECT t.object_id, t.is_instead_of_trigger, e.type, e.is_first FROM sys.triggers AS t JOIN sys.trigger_events AS e ON e.object_id = t.object_id",
            "SELECT c.object_id, CAST(c.name AS varbinary(256)), c.is_computed, c.default_object_id FROM sys.columns AS c JOIN sys.tables AS u ON u.object_id = c.object_id",
            "SELECT i.index_id, i.type, i.is_unique, i.is_disabled, i.has_filter FROM sys.indexes AS i JOIN sys.tables AS u ON u.object_id = i.object_id",
            "SELECT k.parent_object_id, k.is_disabled, k.is_not_trusted, HASHBYTES('SHA2_256', k.definition) FROM sys.check_constraints AS k",
            "SELECT g.plan_guide_id, g.scope_object_id, g.is_disabled, HASHBYTES('SHA2_256', g.hints) FROM sys.plan_guides AS g",
            "SELECT y.object_id, y.is_enabled, y.is_schema_bound FROM sys.security_policies AS y",
            "SELECT x.class, x.major_id, x.crypt_type, x.thumbprint FROM sys.crypt_properties AS x",
            "SELECT s.session_id, s.original_security_id, CASE WHEN s.login_time < '19900101' THEN NULL ELSE DATEDIFF_BIG(SECOND, s.login_time, GETDATE()) END, "
            "CAST(s.host_name AS varbinary(256)), c.client_net_address FROM sys.dm_exec_sessions AS s LEFT JOIN sys.dm_exec_connections AS c "
            "ON c.session_id = s.session_id AND c.parent_connection_id IS NULL",
            "SELECT d.database_id, d.owner_sid, d.is_db_chaining_on, d.is_trustworthy_on, d.state, d.user_access, d.is_in_standby, d.source_database_id FROM sys.databases AS d",
            "SELECT l.server_id, l.local_principal_id, l.uses_self_credential FROM sys.linked_logins AS l WHERE l.server_id > 0")

    def test_every_question_has_an_answer_under_every_setting(self):
        self.server.features.collations = self.server.features.session_settings = True
        self.server.features.sign_ins = 1
        self.ok(self.sa, "CREATE DATABASE apart CONTAINMENT = PARTIAL COLLATE Turkish_CI_AS")
        for database in ("shop", "apart"):
            bare = self.session("sa", "Sa!pass1", database, odbc=False)
            for question in self.EACH:
                with self.subTest(question, database=database):
                    self.ok(bare, question)


class Queues(EngineCase):
    SCRIPT = "CREATE PROCEDURE dbo.p AS WAITFOR DELAY '01:00:00'\nGO\nCREATE QUEUE dbo.q"
    ACTIVE = ("ALTER QUEUE dbo.q WITH STATUS = ON, ACTIVATION (STATUS = ON, PROCEDURE_NAME = dbo.p, "
              "MAX_QUEUE_READERS = 1, EXECUTE AS {})")

    def test_alter_is_enough_for_oneself(self):
        a = self.login("a")
        self.fails(a, self.ACTIVE.format("SELF"), 15151)
        self.ok(self.sa, "GRANT ALTER ON SCHEMA::dbo TO a")
        self.fails(a, self.ACTIVE.format("OWNER"), 15517)
        self.ok(a, self.ACTIVE.format("SELF"))
        self.assertEqual(self.one(self.sa, "SELECT name, is_activation_enabled, USER_NAME(execute_as_principal_id), activation_procedure "
                                           "FROM sys.service_queues"), ("q", True, "a", "[dbo].[p]"))
        a.close()
        self.fails(self.sa, "DROP USER a", 15136)
        self.ok(self.sa, "ALTER QUEUE dbo.q WITH ACTIVATION (DROP); DROP USER a")

    def test_what_is_only_switched_off_is_switched_on_by_who_may_alter_it(self):
        a = self.login("a")
        self.ok(self.sa, self.ACTIVE.format("OWNER").replace("(STATUS = ON", "(STATUS = OFF") + "; GRANT ALTER ON SCHEMA::dbo TO a")
        self.ok(a, "ALTER QUEUE dbo.q WITH ACTIVATION (STATUS = ON)")
        self.assertEqual(self.one(self.sa, "SELECT is_activation_enabled, execute_as_principal_id FROM sys.service_queues"), (True, -2))

    def test_a_reader_runs_without_a_client(self):
        self.ok(self.sa, self.ACTIVE.format("SELF") + "; EXEC sp_practice_activate N'dbo.q'")
        end = time.monotonic() + 20
        while not any(s.running and s.task for s in self.server.sessions) and time.monotonic() < end:
            time.sleep(0.01)
        spid, = self.ok(self.sa, "SELECT spid FROM sys.dm_broker_activated_tasks")[0]
        self.assertFalse(self.one(self.sa, f"SELECT is_user_process FROM sys.dm_exec_sessions WHERE session_id = {spid}"))
        self.ok(self.sa, f"ALTER QUEUE dbo.q WITH ACTIVATION (STATUS = OFF); KILL {spid}")
        self.assertEqual(self.ok(self.sa, "SELECT spid FROM sys.dm_broker_activated_tasks"), [])


class Restores(EngineCase):
    def test_they_are_on_record(self):
        self.sa.close()
        boss = self.session("sa", "Sa!pass1", "master")
        self.ok(boss, "BACKUP DATABASE shop TO DISK = N'x'; RESTORE DATABASE shop FROM DISK = N'x' WITH REPLACE")
        self.assertEqual(self.one(boss, "SELECT destination_database_name, replace FROM msdb.dbo.restorehistory"), ("shop", True))


if __name__ == "__main__":
    unittest.main()
