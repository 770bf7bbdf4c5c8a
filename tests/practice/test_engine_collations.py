"""Collations: labels through expressions, what the catalogue's columns have, names that are one name."""
import unittest

from engine import Server
from engine_base import EngineCase

GREEK, LATIN = "Greek_CI_AS", "Latin1_General_CS_AS"
NAMES = "SELECT {} FROM sys.database_permissions AS p JOIN sys.database_principals AS g " \
        "ON g.principal_id = p.grantee_principal_id"


class CollationCase(EngineCase):
    def setUp(self):
        super().setUp()
        self.server.features.collations = True


class Labels(CollationCase):
    SCRIPT = ("CREATE TABLE dbo.t (id int, g nvarchar(10) COLLATE Greek_CI_AS, "
              "l nvarchar(10) COLLATE Latin1_General_CS_AS); INSERT dbo.t VALUES (1, N'A', N'a')")

    def test_two_columns_cannot_be_compared(self):
        self.fails(self.sa, "SELECT 1 FROM dbo.t WHERE g = l", 468)
        self.fails(self.sa, "SELECT 1 FROM dbo.t WHERE g LIKE l", 468)
        self.fails(self.sa, "SELECT 1 FROM dbo.t WHERE g IN (l)", 468)
        self.fails(self.sa, "SELECT 1 FROM dbo.t AS a JOIN dbo.t AS b ON a.g = b.l", 468)

    def test_explicit_mends_it(self):
        self.assertEqual(self.ok(self.sa, "SELECT id FROM dbo.t WHERE g = l COLLATE Greek_CI_AS"), [(1,)])
        self.assertEqual(self.ok(self.sa, "SELECT id FROM dbo.t WHERE g = l COLLATE Latin1_General_CS_AS"), [])
        self.fails(self.sa, "SELECT (g COLLATE Greek_CI_AS) COLLATE Greek_CS_AS FROM dbo.t", 445)
        self.fails(self.sa, "SELECT 1 FROM dbo.t WHERE g COLLATE Greek_CI_AS = l COLLATE Latin1_General_CS_AS", 449)

    def test_literals_and_variables_give_way(self):
        self.ok(self.sa, "DECLARE @x nvarchar(9) = N'a'; SELECT 1 FROM dbo.t WHERE g = @x OR l = N'a'")

    def test_what_a_derived_table_is_made_of(self):
        """No page says which: a statement must work either way."""
        asked = "SELECT 1 FROM dbo.t JOIN (VALUES (N'a')) AS v(x) ON v.x = g"
        self.ok(self.sa, asked)
        self.server.features.derived_implicit = True
        self.fails(self.sa, asked, 468)
        self.ok(self.sa, asked + " COLLATE Latin1_General_BIN2")

    def test_no_collation_cannot_be_shown(self):
        self.fails(self.sa, "SELECT CASE WHEN id > 10 THEN g ELSE l END FROM dbo.t", 451)
        self.fails(self.sa, "SELECT g + l FROM dbo.t", 451)
        self.fails(self.sa, "SELECT COALESCE(g, l) FROM dbo.t", 451)
        self.fails(self.sa, "SELECT CONCAT(g, l) FROM dbo.t", 451)
        self.fails(self.sa, "SELECT QUOTENAME(g) + N'.' + QUOTENAME(l) FROM dbo.t", 451)
        self.fails(self.sa, "SELECT g FROM dbo.t UNION ALL SELECT l FROM dbo.t", 451)
        self.ok(self.sa, "SELECT (CASE WHEN id > 10 THEN g ELSE l END) COLLATE Latin1_General_CI_AS FROM dbo.t")
        self.ok(self.sa, "SELECT LEN(g + l) FROM dbo.t WHERE (g + l) IS NOT NULL")

    def test_no_collation_cannot_be_compared(self):
        self.fails(self.sa, "SELECT 1 FROM dbo.t WHERE CASE WHEN id > 10 THEN g ELSE l END = N'a'", 446)
        self.fails(self.sa, "SELECT CHARINDEX(CASE WHEN id > 10 THEN g ELSE l END, N'a') FROM dbo.t", 446)
        self.fails(self.sa, "SELECT g FROM dbo.t UNION SELECT l FROM dbo.t", 468)
        self.fails(self.sa, "SELECT MAX(g + l) FROM dbo.t", 446)

    def test_nothing_of_the_batch_has_run(self):
        self.fails(self.sa, "INSERT dbo.t (id) VALUES (2); SELECT 1 FROM dbo.t WHERE g = l", 468)
        self.fails(self.sa, "INSERT dbo.t (id) VALUES (2); IF 1 = 2 SELECT g + l FROM dbo.t", 451)
        self.fails(self.sa, "INSERT dbo.t (id) VALUES (2); BEGIN TRY SELECT g + l FROM dbo.t END TRY "
                            "BEGIN CATCH SELECT 1 END CATCH", 451)
        self.assertEqual(self.one(self.sa, "SELECT COUNT(*) FROM dbo.t"), 1)

    def test_dynamic_text_is_a_batch_of_its_own(self):
        rows, errors = self.run_batch(self.sa, "SELECT 7; EXEC (N'SELECT g + l FROM dbo.t'); SELECT 8")
        self.assertEqual((rows[0], errors), ((7,), [451]))

    def test_a_view_has_columns_like_a_table(self):
        self.ok(self.sa, "CREATE VIEW dbo.v AS SELECT g COLLATE French_CI_AS AS f, N'x' AS x FROM dbo.t")
        self.fails(self.sa, "SELECT 1 FROM dbo.v JOIN dbo.t ON f = g", 468)
        self.fails(self.sa, "SELECT 1 FROM dbo.v JOIN dbo.t ON x = g", 468)

    def test_shown_in_the_catalogue(self):
        self.assertEqual(self.ok(self.sa, "SELECT collation_name FROM sys.columns WHERE object_id = OBJECT_ID(N'dbo.t') "
                                          "ORDER BY column_id"), [(None,), (GREEK,), (LATIN,)])

    def test_not_kept_unless_asked_for(self):
        self.server.features.collations = False
        self.ok(self.sa, "SELECT g + l FROM dbo.t WHERE g = l")


class Catalogue(CollationCase):
    def test_lists_of_the_product_have_a_collation_of_their_own(self):
        for what in ("p.permission_name + N' TO ' + g.name", "CASE p.class WHEN 0 THEN p.state_desc ELSE g.name END",
                     "COALESCE(g.name, p.class_desc)", "QUOTENAME(p.permission_name) + QUOTENAME(g.name)"):
            with self.subTest(what):
                self.fails(self.sa, NAMES.format(what), 451)
        self.fails(self.sa, NAMES.format("1") + " WHERE g.name = g.type_desc", 468)
        self.ok(self.sa, NAMES.format("p.permission_name, g.name, p.state"))
        self.ok(self.sa, NAMES.format("1") + " WHERE p.permission_name = N'CONNECT' AND g.name IN (N'a', N'b')")

    def test_explicit_mends_it(self):
        for word in ("CATALOG_DEFAULT", "DATABASE_DEFAULT", "Latin1_General_BIN2"):
            self.ok(self.sa, NAMES.format(f"p.permission_name COLLATE {word} + N' TO ' + g.name"))

    def test_server_and_database(self):
        self.ok(self.sa, "CREATE DATABASE far COLLATE Polish_CI_AS")
        same = "SELECT 1 FROM sys.database_principals AS p JOIN sys.server_principals AS l ON l.name = p.name"
        self.ok(self.sa, same)
        self.fails(self.sa, "USE far; " + same, 468)
        self.ok(self.sa, "USE far; SELECT 1 FROM sys.database_principals AS p JOIN sys.server_principals AS l "
                         "ON l.sid = p.sid WHERE p.name = SUSER_SNAME()")
        self.fails(self.sa, "SELECT 1 FROM master.sys.objects AS a JOIN far.sys.objects AS b ON a.name = b.name", 468)

    def test_contained(self):
        self.ok(self.sa, "CREATE DATABASE apart CONTAINMENT = PARTIAL")
        same = "SELECT 1 FROM sys.database_principals AS p JOIN sys.server_principals AS l ON l.name = p.name"
        self.fails(self.sa, "USE apart; " + same, 468)
        self.ok(self.sa, "USE apart; " + same + " COLLATE CATALOG_DEFAULT")


class Names(unittest.TestCase):
    def server(self, collation, script=""):
        server = Server(sa_password="Sa!pass1", collation=collation)
        server.run_script(script)
        return server

    def rows(self, server, sql):
        session = server.sa_session()
        self.addCleanup(session.close)
        rows, errors = EngineCase.run_batch(session, sql)
        self.assertEqual(errors, [])
        return rows

    def test_case_sensitive_server(self):
        server = self.server("Latin1_General_CS_AS", "CREATE LOGIN Acme WITH PASSWORD = N'Str0ng!pass'\nGO\n"
                             "CREATE LOGIN ACME WITH PASSWORD = N'Str0ng!pass'\nGO\nCREATE DATABASE Shop\nGO\n"
                             "CREATE DATABASE SHOP\nGO\nALTER LOGIN ACME DISABLE")
        self.assertEqual(self.rows(server, "SELECT name, is_disabled FROM sys.server_principals WHERE name = N'Acme'"),
                         [("Acme", False)])
        self.assertEqual(self.rows(server, "SELECT DB_ID(N'shop'), SUSER_ID(N'acme')"), [(None, None)])
        self.assertEqual(self.rows(server, "SELECT name FROM sys.databases WHERE name = N'Shop'"), [("Shop",)])
        self.assertEqual(self.rows(server, "SELECT SERVERPROPERTY('Collation')"), [("Latin1_General_CS_AS",)])

    def test_one_name_where_case_does_not_count(self):
        server = self.server("Latin1_General_CI_AS", "CREATE LOGIN [É] WITH PASSWORD = N'Str0ng!pass'")
        session = server.sa_session()
        self.assertEqual(EngineCase.run_batch(session, "CREATE LOGIN [é] WITH PASSWORD = N'Str0ng!pass'")[1], [15025])
        self.assertEqual(self.rows(server, "SELECT SUSER_SNAME(SUSER_SID(N'é'))"), [("É",)])

    def test_accents(self):
        server = self.server("Latin1_General_CI_AI", "CREATE LOGIN [É] WITH PASSWORD = N'Str0ng!pass'")
        self.assertEqual(self.rows(server, "SELECT SUSER_SNAME(SUSER_SID(N'e'))"), [("É",)])
        self.assertEqual(self.rows(server, "SELECT 1 FROM sys.server_principals WHERE name = N'e'"), [(1,)])

    def test_turkish_i(self):
        server = self.server("Turkish_CI_AS", "CREATE LOGIN [INFO] WITH PASSWORD = N'Str0ng!pass'")
        self.assertEqual(self.rows(server, "SELECT SUSER_ID(N'info'), SUSER_SNAME(SUSER_SID(N'ınfo'))"),
                         [(None, "INFO")])

    def test_database_of_its_own_collation(self):
        server = self.server("Latin1_General_CI_AS", "CREATE DATABASE shop COLLATE Latin1_General_BIN2\nGO\n"
                             "USE shop\nGO\nCREATE USER a WITHOUT LOGIN\nGO\nCREATE USER A WITHOUT LOGIN")
        self.assertEqual(self.rows(server, "USE shop; SELECT name FROM sys.database_principals WHERE name = N'a'"),
                         [("a",)])

    def test_changed_collation(self):
        server = self.server("Latin1_General_CI_AS", "CREATE DATABASE shop\nGO\nALTER DATABASE shop COLLATE Polish_CS_AS")
        self.assertEqual(self.rows(server, "SELECT collation_name FROM sys.databases WHERE name = N'shop'"),
                         [("Polish_CS_AS",)])
        self.rows(server, "USE shop; CREATE USER a WITHOUT LOGIN; CREATE USER A WITHOUT LOGIN")


if __name__ == "__main__":
    unittest.main()
