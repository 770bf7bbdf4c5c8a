"""What DML and ALTER on a schema allow beyond the permissions that were granted."""
import unittest

from engine_base import PASSWORD, EngineCase

GRANTED = "GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE, VIEW DEFINITION, ALTER ON SCHEMA::dbo TO a"
GUIDE = "EXEC sp_create_plan_guide N'g', N'SELECT 1', N'OBJECT', N'dbo.p', NULL, N'OPTION (MAXDOP 1)'"
ALLOWED = (
    "ALTER PROCEDURE dbo.p AS SELECT 2", "ALTER PROCEDURE dbo.p WITH EXECUTE AS SELF AS SELECT 2",
    "ALTER PROCEDURE dbo.p;2 AS SELECT 3", "ALTER VIEW dbo.v AS SELECT 1 AS x",
    "ALTER FUNCTION dbo.pred(@x int) RETURNS TABLE AS RETURN SELECT 1 AS ok",
    "CREATE TRIGGER dbo.fresh ON dbo.t FOR INSERT AS SELECT 1",
    "CREATE TRIGGER dbo.fresh ON dbo.v INSTEAD OF INSERT AS SELECT 1", "DISABLE TRIGGER dbo.audit ON dbo.t",
    "ALTER TABLE dbo.t DISABLE TRIGGER ALL", "ALTER TABLE dbo.t ADD y int", "ALTER TABLE dbo.t NOCHECK CONSTRAINT ALL",
    "CREATE UNIQUE INDEX i ON dbo.t (x)", "ALTER INDEX ALL ON dbo.t DISABLE", "EXEC sp_rename N'dbo.t', N'gone'",
    "EXEC sp_rename N'dbo.p', N'x]; DROP--\n'", "DROP TABLE dbo.t", "DROP SYNONYM dbo.s", "TRUNCATE TABLE dbo.t",
    "ALTER SEQUENCE dbo.n RESTART WITH 1", "ALTER QUEUE dbo.q WITH ACTIVATION (STATUS = ON, PROCEDURE_NAME = dbo.p, "
    "MAX_QUEUE_READERS = 1, EXECUTE AS SELF)", GUIDE, "CREATE SEQUENCE dbo.more",
    "EXEC sp_addextendedproperty N'x', N'y', N'SCHEMA', N'dbo', N'TABLE', N't'",
    "EXEC sp_getapplock N'curfew', N'Exclusive', N'Session'", "BEGIN TRAN; ALTER TABLE dbo.t ADD y int; ROLLBACK")
REFUSED = (
    ("ALTER PROCEDURE dbo.p WITH EXECUTE AS OWNER AS SELECT 2", 15517), ("CREATE PROCEDURE dbo.fresh AS SELECT 1", 262),
    ("CREATE PROCEDURE dbo.p;3 AS SELECT 3", 262), ("CREATE TABLE dbo.fresh (x int)", 262),
    ("CREATE VIEW dbo.fresh AS SELECT 1 AS x", 262), ("CREATE SYNONYM dbo.fresh FOR dbo.t", 262),
    ("ALTER SCHEMA other TRANSFER dbo.t", 15151), ("ALTER AUTHORIZATION ON dbo.t TO a", 15151),
    ("ALTER AUTHORIZATION ON SCHEMA::dbo TO a", 15151), ("GRANT SELECT ON dbo.t TO public", 4613),
    ("CREATE TRIGGER ddl ON DATABASE FOR CREATE_TABLE AS SELECT 1", 1088), ("CREATE USER b WITHOUT LOGIN", 15247),
    ("CREATE ROLE r", 15247), ("ALTER ROLE db_owner ADD MEMBER a", 15151), ("ALTER DATABASE shop SET TRUSTWORTHY ON", 5011),
    ("ALTER TABLE dbo.t ADD z AS (dbo.f(x))", 229), ("EXECUTE AS USER = N'dbo'", 15517), ("USE other", 916),
    ("CREATE SECURITY POLICY dbo.pol ADD FILTER PREDICATE dbo.pred(x) ON dbo.t", 15247),
    ("ALTER QUEUE dbo.q WITH ACTIVATION (STATUS = ON, PROCEDURE_NAME = dbo.p, EXECUTE AS OWNER)", 15517),
    ("EXEC sp_addextendedproperty N'x', N'y'", 15247), ("CREATE LOGIN b WITH PASSWORD = N'Str0ng!pass'", 15247),
    ("KILL 55", 6102), ("BACKUP DATABASE shop TO DISK = N'x'", 262))


class Reach(EngineCase):
    SCRIPT = ("CREATE TABLE dbo.t (x int CHECK (x > 0))\nGO\nCREATE TRIGGER dbo.audit ON dbo.t FOR INSERT AS SELECT 1\nGO\n"
              "CREATE PROCEDURE dbo.p AS SELECT 1\nGO\nCREATE PROCEDURE dbo.p;2 AS SELECT 2\nGO\n"
              "CREATE VIEW dbo.v AS SELECT x FROM dbo.t\nGO\nCREATE SYNONYM dbo.s FOR dbo.t\nGO\nCREATE SEQUENCE dbo.n\nGO\n"
              "CREATE FUNCTION dbo.f(@x int) RETURNS int AS BEGIN RETURN @x END\nGO\nCREATE QUEUE dbo.q\nGO\n"
              "CREATE FUNCTION dbo.pred(@x int) RETURNS TABLE AS RETURN SELECT 1 AS ok WHERE @x = 1\nGO\n"
              "CREATE SCHEMA other\nGO\nCREATE DATABASE other\nGO\nCREATE LOGIN a WITH PASSWORD = N'" + PASSWORD + "'\nGO\n"
              "CREATE USER a FOR LOGIN a\nGO\n" + GRANTED)

    def test_allowed(self):
        for statement in ALLOWED:
            with self.subTest(statement):
                self.setUp()
                self.ok(self.session("a"), statement)

    def test_refused(self):
        a = self.session("a")
        for statement, number in REFUSED:
            with self.subTest(statement):
                self.fails(a, statement, number)

    def test_a_denial_protects_what_it_names_but_not_from_drop(self):
        self.ok(self.sa, "DENY ALTER ON dbo.p TO a")
        a = self.session("a")
        self.fails(a, "ALTER PROCEDURE dbo.p AS SELECT 2", 208)
        self.ok(a, "DROP PROCEDURE dbo.p")


if __name__ == "__main__":
    unittest.main()
