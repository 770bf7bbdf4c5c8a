"""The precedence of GRANT, DENY, ownership and roles, as a table and case by case."""
import unittest

from engine import Message, Row
from engine_base import EngineCase

OBJECTS = """CREATE TABLE dbo.t (id int, secret nvarchar(20))
GO
INSERT dbo.t VALUES (1, N'x')
GO
CREATE PROCEDURE dbo.writer AS INSERT dbo.t VALUES (2, N'w')
GO
CREATE PROCEDURE dbo.dynamic AS EXEC (N'INSERT dbo.t VALUES (3, N''d'')')
GO
CREATE VIEW dbo.v AS SELECT id FROM dbo.t
GO
CREATE ROLE r1; CREATE ROLE r2"""

# What is granted and denied (to u or through roles), then the error of four statements; 0 = allowed.
TABLE = [
    # set-up                                                          SELECT INSERT UPDATE DELETE
    ("", (229, 229, 229, 229)),
    ("GRANT SELECT ON dbo.t TO u", (0, 229, 229, 229)),
    ("GRANT SELECT ON SCHEMA::dbo TO u", (0, 229, 229, 229)),
    ("GRANT SELECT TO u", (0, 229, 229, 229)),
    ("GRANT SELECT ON DATABASE::shop TO u", (0, 229, 229, 229)),
    ("GRANT CONTROL ON dbo.t TO u", (0, 0, 0, 0)),
    ("GRANT CONTROL ON SCHEMA::dbo TO u", (0, 0, 0, 0)),
    ("GRANT CONTROL TO u", (0, 0, 0, 0)),
    ("GRANT ALTER ON SCHEMA::dbo TO u", (229, 229, 229, 229)),
    ("GRANT SELECT TO public", (0, 229, 229, 229)),
    ("GRANT SELECT ON dbo.t TO u; DENY SELECT ON dbo.t TO public", (229, 229, 229, 229)),
    ("GRANT SELECT ON dbo.t TO u; DENY SELECT ON SCHEMA::dbo TO u", (229, 229, 229, 229)),
    ("GRANT SELECT ON dbo.t TO u; DENY SELECT TO u", (229, 229, 229, 229)),
    ("GRANT CONTROL ON dbo.t TO u; DENY SELECT ON SCHEMA::dbo TO u", (229, 0, 229, 229)),
    ("DENY CONTROL ON SCHEMA::dbo TO u; GRANT SELECT ON dbo.t TO u", (229, 229, 229, 229)),
    ("GRANT SELECT ON dbo.t TO u; DENY SELECT ON dbo.t TO u", (229, 229, 229, 229)),
    ("DENY SELECT ON dbo.t TO u; GRANT SELECT ON dbo.t TO u", (0, 229, 229, 229)),
    ("GRANT SELECT ON dbo.t TO u; REVOKE SELECT ON dbo.t FROM u", (229, 229, 229, 229)),
    ("ALTER ROLE r1 ADD MEMBER u; GRANT SELECT, INSERT ON dbo.t TO r1", (0, 0, 229, 229)),
    ("ALTER ROLE r1 ADD MEMBER u; ALTER ROLE r2 ADD MEMBER r1; GRANT DELETE, SELECT TO r2",
     (0, 229, 229, 0)),
    ("ALTER ROLE r1 ADD MEMBER u; ALTER ROLE r2 ADD MEMBER r1; GRANT SELECT TO u; "
     "DENY SELECT ON dbo.t TO r2", (229, 229, 229, 229)),
    ("ALTER ROLE db_owner ADD MEMBER u", (0, 0, 0, 0)),
    ("ALTER ROLE db_owner ADD MEMBER u; DENY INSERT ON dbo.t TO u", (0, 229, 0, 0)),
    ("ALTER ROLE db_datareader ADD MEMBER u", (0, 229, 229, 229)),
    ("ALTER ROLE db_datawriter ADD MEMBER u", (229, 0, 229, 229)),
    ("ALTER ROLE db_datareader ADD MEMBER u; ALTER ROLE db_datawriter ADD MEMBER u", (0, 0, 0, 0)),
    ("GRANT CONTROL TO u; ALTER ROLE db_denydatawriter ADD MEMBER u", (0, 229, 229, 229)),
    ("GRANT CONTROL TO u; ALTER ROLE db_denydatareader ADD MEMBER u", (229, 0, 229, 229)),
    ("ALTER ROLE db_ddladmin ADD MEMBER u", (229, 229, 229, 229)),
    ("ALTER AUTHORIZATION ON dbo.t TO u", (0, 0, 0, 0)),
    ("ALTER AUTHORIZATION ON dbo.t TO u; DENY SELECT ON SCHEMA::dbo TO public", (0, 0, 0, 0)),
    ("CREATE ROLE own; ALTER ROLE own ADD MEMBER u; ALTER AUTHORIZATION ON dbo.t TO own",
     (0, 0, 0, 0)),
]
STATEMENTS = ("SELECT * FROM dbo.t", "INSERT dbo.t VALUES (5, N'n')",
              "UPDATE dbo.t SET id = id WHERE id = 1", "DELETE dbo.t WHERE id = 9")


class Precedence(EngineCase):
    SCRIPT = OBJECTS

    def test_table(self):
        for setup, expected in TABLE:
            with self.subTest(setup):
                self.setUp()
                u = self.login("u")
                if setup:
                    self.ok(self.sa, setup)
                got = tuple((self.run_batch(u, s)[1] or [0])[0] for s in STATEMENTS)
                self.assertEqual(got, expected)
                # The question and the deed agree, except where columns also need SELECT.
                for perm, number in zip(("SELECT", "INSERT"), got):
                    asked = self.one(u, f"SELECT HAS_PERMS_BY_NAME(N'dbo.t', N'OBJECT', N'{perm}')")
                    self.assertEqual(asked or 0, int(number == 0), perm)

    def test_who_is_no_securable(self):
        """Fixed roles and the two users of the system are in the catalog, and not found as securables."""
        u = self.login("u")
        for cls, name in (("ROLE", "db_owner"), ("ROLE", "db_datareader"), ("USER", "sys"), ("USER", "INFORMATION_SCHEMA")):
            with self.subTest(name):
                self.fails(self.sa, f"GRANT CONTROL ON {cls}::{name} TO u", 15151)
                for permission in ("CONTROL", "ANY"):
                    self.assertIsNone(self.one(u, f"SELECT HAS_PERMS_BY_NAME(N'{name}', N'{cls}', N'{permission}')"))
        self.ok(self.sa, "GRANT CONTROL ON ROLE::r1 TO u")
        self.assertEqual(self.one(u, "SELECT HAS_PERMS_BY_NAME(N'r1', N'ROLE', N'CONTROL')"), 1)
        self.assertEqual(self.one(u, "SELECT HAS_PERMS_BY_NAME(N'dbo', N'USER', N'IMPERSONATE')"), 0)

    def test_names_that_are_too_long(self):
        """The rest is cut off: with the last bracket it means nothing, and at a schema's last one it means another thing."""
        u = self.login("u")
        long, schema = "t" * 122, "s" * 126
        self.ok(self.sa, f"CREATE TABLE dbo.{long} (x int); GRANT UPDATE ON dbo.{long} TO u; CREATE TABLE dbo.{schema} (x int)")
        self.ok(self.sa, f"CREATE SCHEMA {schema}")
        self.ok(self.sa, f"CREATE TABLE {schema}.t (x int); GRANT UPDATE ON {schema}.t TO u")
        ask = "SELECT HAS_PERMS_BY_NAME(N'{}', N'OBJECT', N'{}')"
        for permission in ("UPDATE", "ANY"):
            self.assertIsNone(self.one(u, ask.format(f"[dbo].[{long}]", permission)))
        self.assertEqual(self.one(u, ask.format(f"dbo.{long}", "UPDATE")), 1)
        self.ok(self.sa, f"GRANT SELECT ON dbo.{schema} TO u")
        self.assertEqual(self.one(u, ask.format(f"[{schema}].[t]", "UPDATE")), 0)

    def test_the_list_of_ones_own(self):
        u = self.login("u")
        self.ok(self.sa, "GRANT ALTER ANY SECURITY POLICY TO public; GRANT SELECT TO u")
        own = "SELECT permission_name FROM sys.fn_my_permissions(NULL, N'DATABASE')"
        for rows in (self.ok(u, own), self.ok(self.sa, f"EXECUTE AS USER = N'u'; {own}; REVERT")):
            self.assertLessEqual({("CONNECT",), ("SELECT",), ("ALTER ANY SECURITY POLICY",)}, {tuple(r) for r in rows})
            self.assertNotIn(("CONTROL",), {tuple(r) for r in rows})

    def test_the_list_is_of_a_class_in_lower_case(self):
        own = "SELECT COUNT(*) FROM sys.fn_my_permissions(NULL, N'{}') AS m WHERE m.permission_name = N'CONNECT'"
        self.assertEqual(self.one(self.sa, own.format("DATABASE")), 1)
        self.ok(self.sa, "ALTER DATABASE shop COLLATE Latin1_General_CS_AS")
        self.assertEqual([self.one(self.sa, own.format(cls)) for cls in ("database", "DATABASE", "Database")], [1, 0, 0])
        self.server.features.no_own_permissions = True
        self.assertEqual(self.ok(self.sa, "SELECT permission_name FROM sys.fn_my_permissions(NULL, N'database')"),
                         [(None,)])

    def test_sysadmin_is_never_denied(self):
        u = self.login("u")
        self.ok(self.sa, "DENY SELECT ON dbo.t TO public; ALTER SERVER ROLE sysadmin ADD MEMBER u")
        self.ok(u, "SELECT * FROM dbo.t")
        self.ok(self.sa, "SELECT * FROM dbo.t")


class Columns(EngineCase):
    SCRIPT = OBJECTS

    def test_column_grant_beats_denial_on_the_table(self):
        u = self.login("u")
        self.ok(self.sa, "DENY SELECT ON dbo.t TO u; GRANT SELECT ON dbo.t (id) TO u")
        self.ok(u, "SELECT id FROM dbo.t")
        self.fails(u, "SELECT secret FROM dbo.t", 230)

    def test_column_grant_does_not_beat_denial_on_the_schema(self):
        u = self.login("u")
        self.ok(self.sa, "GRANT SELECT ON dbo.t (id) TO u; DENY SELECT ON SCHEMA::dbo TO u")
        self.fails(u, "SELECT id FROM dbo.t", 229)

    def test_column_denial_beats_grant_on_the_table(self):
        u = self.login("u")
        self.ok(self.sa, "GRANT SELECT ON dbo.t TO u; DENY SELECT ON dbo.t (secret) TO u")
        self.ok(u, "SELECT id FROM dbo.t")
        self.fails(u, "SELECT * FROM dbo.t", 230)
        self.fails(u, "SELECT id FROM dbo.t WHERE secret = N'x'", 230)

    def test_table_denial_sweeps_column_grants_away(self):
        u = self.login("u")
        self.ok(self.sa, "GRANT SELECT ON dbo.t (id) TO u; DENY SELECT ON dbo.t TO u")
        self.fails(u, "SELECT id FROM dbo.t", 229)

    def test_only_some_columns_may_be_updated(self):
        u = self.login("u")
        self.ok(self.sa, "GRANT UPDATE ON dbo.t (id) TO u")
        self.ok(u, "UPDATE dbo.t SET id = 7")
        self.fails(u, "UPDATE dbo.t SET secret = N'y'", 230)


class Levels(EngineCase):
    """The two levels that the agent gives, as the people who have them see them."""
    SCRIPT = OBJECTS

    def test_full_changes_what_is_there_but_creates_nothing(self):
        u = self.login("u")
        self.ok(self.sa, "CREATE ROLE full_; ALTER ROLE full_ ADD MEMBER u; GRANT SELECT, INSERT, UPDATE,"
                         " DELETE, EXECUTE, VIEW DEFINITION, ALTER ON SCHEMA::dbo TO full_")
        self.ok(u, "TRUNCATE TABLE dbo.t; ALTER TABLE dbo.t ADD extra int; DROP PROCEDURE dbo.writer")
        self.ok(u, "DROP TABLE dbo.t")
        for what in ("TABLE dbo.n (i int)", "SYNONYM dbo.s FOR dbo.v", "ROLE x"):
            self.fails(u, "CREATE " + what, 262 if "ROLE" not in what else 15247)
        self.fails(u, "CREATE VIEW dbo.n AS SELECT 1 AS a", 262)
        self.fails(u, "CREATE PROCEDURE dbo.n AS SELECT 1", 262)
        self.fails(u, "CREATE FUNCTION dbo.n() RETURNS int AS BEGIN RETURN 1 END", 262)
        self.ok(u, "CREATE SEQUENCE dbo.s")
        self.ok(self.sa, "DENY CREATE SEQUENCE ON SCHEMA::dbo TO full_")
        self.fails(u, "CREATE SEQUENCE dbo.s2", 2760)

    def test_read_only_role(self):
        u = self.login("u")
        self.ok(self.sa, "CREATE ROLE ro; ALTER ROLE ro ADD MEMBER u; GRANT SELECT, VIEW DEFINITION ON "
                         "SCHEMA::dbo TO ro; DENY INSERT, UPDATE, DELETE, EXECUTE, ALTER ON SCHEMA::dbo "
                         "TO ro; GRANT EXECUTE ON dbo.writer TO u")
        self.ok(u, "SELECT * FROM dbo.t")
        self.fails(u, "INSERT dbo.t VALUES (1, N'')", 229)
        self.fails(u, "EXEC dbo.writer", 229)
        self.fails(u, "TRUNCATE TABLE dbo.t", 4701)

    def test_ownership_chain_skips_denials_but_not_for_dynamic_sql(self):
        u = self.login("u")
        self.ok(self.sa, "ALTER ROLE db_denydatawriter ADD MEMBER u; GRANT EXECUTE ON SCHEMA::dbo TO u; "
                         "GRANT SELECT ON dbo.v TO u")
        self.ok(u, "EXEC dbo.writer; SELECT * FROM dbo.v")
        self.fails(u, "EXEC dbo.dynamic", 229)
        self.fails(u, "SELECT * FROM dbo.t", 229)

    def test_broken_chain_asks_again(self):
        u = self.login("u")
        self.ok(self.sa, "CREATE USER other WITHOUT LOGIN; ALTER AUTHORIZATION ON dbo.t TO other; "
                         "GRANT EXECUTE ON dbo.writer TO u")
        self.fails(u, "EXEC dbo.writer", 229)

    def test_changing_hands_drops_permissions(self):
        self.login("u")
        self.ok(self.sa, "GRANT SELECT ON dbo.t TO u; CREATE USER o WITHOUT LOGIN")
        self.ok(self.sa, "ALTER AUTHORIZATION ON OBJECT::dbo.t TO o")
        self.assertEqual(self.ok(self.sa, "SELECT 1 FROM sys.database_permissions WHERE major_id = "
                                          "OBJECT_ID(N'dbo.t')"), [])


class Granting(EngineCase):
    SCRIPT = OBJECTS

    def test_grant_option_and_cascade(self):
        u, w = self.login("u"), self.login("w")
        self.fails(u, "GRANT SELECT ON dbo.t TO w", 15151)
        self.ok(self.sa, "GRANT SELECT ON dbo.t TO u")
        self.fails(u, "GRANT SELECT ON dbo.t TO w", 4613)
        self.ok(self.sa, "GRANT SELECT ON dbo.t TO u WITH GRANT OPTION")
        self.ok(u, "GRANT SELECT ON dbo.t TO w")
        self.ok(w, "SELECT * FROM dbo.t")
        self.fails(self.sa, "REVOKE SELECT ON dbo.t FROM u", 4611)
        self.fails(self.sa, "DROP USER u", 15284)
        self.ok(self.sa, "REVOKE SELECT ON dbo.t FROM u CASCADE")
        self.fails(w, "SELECT * FROM dbo.t", 229)

    def test_a_user_is_the_grantor_of_what_is_granted_on_it(self):
        self.login("u"), self.login("w")
        self.ok(self.sa, "GRANT IMPERSONATE ON USER::u TO w; DENY VIEW DEFINITION ON USER::u TO [public]")
        self.assertEqual(self.ok(self.sa, "SELECT USER_NAME(grantor_principal_id) FROM sys.database_permissions WHERE class = 4"),
                         [("u",), ("u",)])
        self.fails(self.sa, "DROP USER u", 15284)
        self.ok(self.sa, "REVOKE IMPERSONATE ON USER::u TO w AS u; REVOKE VIEW DEFINITION ON USER::u TO [public] AS u; DROP USER u")

    def test_revoke_as_the_grantor(self):
        u, w = self.login("u"), self.login("w")
        self.ok(self.sa, "GRANT SELECT ON dbo.t TO u WITH GRANT OPTION")
        self.ok(u, "GRANT SELECT ON dbo.t TO w")
        self.ok(self.sa, "REVOKE SELECT ON dbo.t FROM w")      # another grantor's row: nothing happens
        self.ok(w, "SELECT * FROM dbo.t")
        self.ok(self.sa, "REVOKE SELECT ON dbo.t FROM w CASCADE AS u")
        self.fails(w, "SELECT * FROM dbo.t", 229)

    def nothing_is_done(self, session, statement):
        """4624 is a message: no TRY hears of it, and nothing is written down."""
        count = "SELECT COUNT(*) FROM sys.database_permissions"
        before = self.one(self.sa, count)
        events = list(session.execute(f"BEGIN TRY {statement} END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH"))
        self.assertEqual([(e.number, e.severity) for e in events if isinstance(e, Message)], [(4624, 10)])
        self.assertFalse(any(isinstance(e, Row) for e in events))
        self.assertEqual(self.one(self.sa, count), before)

    def test_nobody_grants_to_himself_or_to_dbo(self):
        u = self.login("u")
        self.ok(self.sa, "GRANT CONTROL ON dbo.t TO u")
        self.nothing_is_done(u, "GRANT SELECT ON dbo.t TO u")
        self.nothing_is_done(self.sa, "GRANT SELECT ON dbo.t TO dbo")
        self.ok(self.sa, "CREATE ROLE r; ALTER AUTHORIZATION ON dbo.t TO r")
        self.nothing_is_done(self.sa, "DENY INSERT ON dbo.t TO r")
        self.fails(self.sa, "GRANT SELECT ON dbo.t TO db_owner", 4617)

    def test_what_does_not_fit_is_refused(self):
        self.login("u")
        self.fails(self.sa, "GRANT EXECUTE ON dbo.t TO u", 4606)
        self.fails(self.sa, "GRANT SELEKT ON dbo.t TO u", 102)
        self.fails(self.sa, "GRANT CREATE TABLE ON SCHEMA::dbo TO u", 102)
        self.fails(self.sa, "GRANT SELECT ON dbo.t TO nobody", 15151)
        self.fails(self.sa, "GRANT SELECT ON dbo.nothing TO u", 15151)
        self.fails(self.sa, "GRANT ALTER ANY LOGIN TO u", 4621)

    def test_fixed_roles_that_manage(self):
        a, s = self.login("a"), self.login("s")
        self.ok(self.sa, "ALTER ROLE db_accessadmin ADD MEMBER a; ALTER ROLE db_securityadmin ADD MEMBER s")
        self.ok(a, "CREATE USER x WITHOUT LOGIN; DROP USER x")
        self.fails(a, "ALTER ROLE r1 ADD MEMBER a", 15151)
        self.ok(s, "GRANT SELECT ON dbo.t TO a; ALTER ROLE r1 ADD MEMBER a")
        self.fails(s, "CREATE USER x WITHOUT LOGIN", 15247)
        self.fails(s, "ALTER ROLE db_owner ADD MEMBER s", 15151)


if __name__ == "__main__":
    unittest.main()
