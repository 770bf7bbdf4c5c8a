"""Who may alter which principal, what a change of owner moves, what REVOKE leaves, and when passwords expire."""
import unittest

from engine import Server
from engine_base import PASSWORD, EngineCase

ROWS = ("SELECT p.class, p.minor_id, p.permission_name, p.state, USER_NAME(p.grantee_principal_id), "
        "USER_NAME(p.grantor_principal_id) FROM sys.database_permissions AS p WHERE p.major_id <> 0 ORDER BY 1, 2, 3, 5")


class Ownership(EngineCase):
    SCRIPT = ("CREATE SCHEMA own\nGO\nCREATE TABLE own.t (a int, b int)\nGO\nCREATE TABLE own.mine (a int)\nGO\n"
              "CREATE TYPE own.y FROM int\nGO\nCREATE ROLE r\nGO\nCREATE USER u WITHOUT LOGIN\nGO\nCREATE USER v WITHOUT LOGIN\nGO\n"
              "ALTER AUTHORIZATION ON own.mine TO u\nGO\n"
              "GRANT SELECT ON SCHEMA::own TO v; GRANT SELECT ON own.t (a) TO v; GRANT SELECT ON own.mine TO v; "
              "GRANT EXECUTE ON TYPE::own.y TO v; GRANT ALTER ON ROLE::r TO v")

    def classes(self):
        return [(r[0], r[1]) for r in self.ok(self.sa, ROWS)]

    def test_a_schema_takes_permissions_in_it_along(self):
        self.assertEqual(self.classes(), [(1, 0), (1, 1), (3, 0), (4, 0), (6, 0)])
        self.ok(self.sa, "ALTER AUTHORIZATION ON SCHEMA::own TO u")
        self.assertEqual(self.classes(), [(1, 0), (4, 0)], "what has an owner of its own keeps them")
        self.ok(self.sa, "ALTER AUTHORIZATION ON ROLE::r TO u")
        self.assertEqual(self.classes(), [(1, 0)])

    def test_only_its_own_where_it_is_switched_off(self):
        self.server.features.ownership_moves = False
        self.ok(self.sa, "ALTER AUTHORIZATION ON SCHEMA::own TO u")
        self.assertEqual(self.classes(), [(1, 0), (1, 1), (4, 0), (6, 0)])

    def test_parts_of_a_table_have_its_owner(self):
        self.ok(self.sa, "CREATE TRIGGER own.g ON own.t FOR INSERT AS SELECT 1")
        self.fails(self.sa, "ALTER AUTHORIZATION ON own.g TO u", 15346)


class Lesser(EngineCase):
    """Each other kind of thing that has an owner: it keeps its owner from being dropped, and a move ends what was granted."""

    SCRIPT = "CREATE USER u WITHOUT LOGIN\nGO\nCREATE USER v WITHOUT LOGIN\nGO\nCREATE QUEUE dbo.q"
    MADE = (("CREATE CERTIFICATE x ENCRYPTION BY PASSWORD = N'Str0ng!pass' WITH SUBJECT = N's'", "CERTIFICATE", 25),
            ("CREATE MESSAGE TYPE x VALIDATION = NONE", "MESSAGE TYPE", 15),
            ("CREATE CONTRACT x ([DEFAULT] SENT BY ANY)", "CONTRACT", 16), ("CREATE SERVICE x ON QUEUE dbo.q", "SERVICE", 17),
            ("CREATE REMOTE SERVICE BINDING x TO SERVICE N's' WITH USER = u", "REMOTE SERVICE BINDING", 18),
            ("CREATE ROUTE x WITH ADDRESS = N'LOCAL'", "ROUTE", 19), ("CREATE FULLTEXT CATALOG x", "FULLTEXT CATALOG", 23),
            ("CREATE FULLTEXT STOPLIST x FROM SYSTEM STOPLIST", "FULLTEXT STOPLIST", 29),
            ("CREATE SEARCH PROPERTY LIST x", "SEARCH PROPERTY LIST", 31))

    def test_owners(self):
        for create, cls, number in self.MADE:
            with self.subTest(cls):
                self.ok(self.sa, f"{create}; GRANT VIEW DEFINITION ON {cls}::x TO v")
                self.assertIn((number, 0, "VIEW DEFINITION", "G", "v", "dbo"), self.ok(self.sa, ROWS))
                self.ok(self.sa, f"ALTER AUTHORIZATION ON {cls}::x TO u")
                self.assertEqual(self.ok(self.sa, ROWS), [])
                self.fails(self.sa, "DROP USER u", 15154)
                self.fails(self.sa, f"ALTER AUTHORIZATION ON {cls}::x TO SCHEMA OWNER", 102)
                self.ok(self.sa, f"DROP {cls} x")
        self.ok(self.sa, "DROP USER u")

    def test_a_collection_of_schemas_is_in_a_schema(self):
        self.ok(self.sa, "CREATE SCHEMA own")
        self.ok(self.sa, "CREATE XML SCHEMA COLLECTION own.x AS N'<schema/>'; GRANT EXECUTE ON XML SCHEMA COLLECTION::own.x TO v")
        self.assertEqual([r[0] for r in self.ok(self.sa, ROWS)], [10])
        self.ok(self.sa, "ALTER AUTHORIZATION ON SCHEMA::own TO u")
        self.assertEqual(self.ok(self.sa, ROWS), [])
        self.fails(self.sa, "DROP SCHEMA own", 3729)
        self.ok(self.sa, "ALTER AUTHORIZATION ON SCHEMA::own TO dbo; ALTER AUTHORIZATION ON XML SCHEMA COLLECTION::own.x TO u")
        self.fails(self.sa, "DROP USER u", 15154)
        self.ok(self.sa, "ALTER AUTHORIZATION ON XML SCHEMA COLLECTION::own.x TO SCHEMA OWNER; DROP USER u")

    def test_endpoints_for_sql(self):
        a = self.login("a")
        made = "CREATE ENDPOINT e AS TCP (LISTENER_PORT = 14330) FOR TSQL ()"
        shown = "SELECT e.state_desc, t.port FROM sys.endpoints AS e JOIN sys.tcp_endpoints AS t ON t.endpoint_id = e.endpoint_id " \
                "WHERE e.endpoint_id > 65535"
        self.fails(a, made, 15247)
        self.fails(self.sa, f"BEGIN TRAN; {made}", 574)
        self.ok(self.sa, "IF @@TRANCOUNT > 0 ROLLBACK")
        self.ok(self.sa, made)
        self.assertEqual(self.ok(self.sa, shown), [("STOPPED", 14330)])
        self.assertEqual(self.ok(a, shown), [], "metadata that it has no right on")
        self.fails(a, "ALTER ENDPOINT e STATE = STARTED", 15151)
        self.ok(self.sa, "ALTER ENDPOINT e STATE = STARTED AS TCP (LISTENER_PORT = 14331) FOR TSQL ()")
        self.assertEqual(self.ok(self.sa, shown), [("STARTED", 14331)])
        self.fails(a, "DROP ENDPOINT e", 15151)
        self.ok(self.sa, "DROP ENDPOINT e")
        self.assertEqual(self.ok(self.sa, shown), [])

    def test_a_new_endpoint_takes_the_default_one_from_public(self):
        held = "SELECT e.name FROM sys.server_permissions AS p JOIN sys.endpoints AS e ON e.endpoint_id = p.major_id " \
               "WHERE p.class = 105 AND p.permission_name = N'CONNECT' AND p.grantee_principal_id = 2 ORDER BY p.major_id"
        before = self.ok(self.sa, held)
        a = self.login("a")
        self.ok(self.sa, "CREATE ENDPOINT e AS TCP (LISTENER_PORT = 14330) FOR TSQL ()")
        self.assertEqual([n for n in before if n not in self.ok(self.sa, held)], [("TSQL Default TCP",)])
        self.ok(a, "SELECT 1")      # who is in stays
        for right in ("GRANT CONNECT ON ENDPOINT::[TSQL Default TCP] TO {}", "ALTER AUTHORIZATION ON ENDPOINT::[TSQL Default TCP] TO {}"):
            self.login_fails(18456, "a")
            self.session("sa", "Sa!pass1", "master")
            self.ok(self.sa, f"USE master; {right.format('a')}")
            self.session("a")
            self.ok(self.sa, "REVOKE CONNECT ON ENDPOINT::[TSQL Default TCP] FROM a" if right.startswith("GRANT") else right.format("sa"))
        # It comes back with no DROP of the other, but with a grant.
        self.ok(self.sa, "DROP ENDPOINT e")
        self.login_fails(18456, "a")
        self.ok(self.sa, "GRANT CONNECT ON ENDPOINT::[TSQL Default TCP] TO public")
        self.assertEqual(self.ok(self.sa, held), before)
        self.session("a")

    def test_credentials(self):
        a = self.login("a")
        self.fails(a, "CREATE CREDENTIAL c WITH IDENTITY = N'x', SECRET = N'y'", 15247)
        self.ok(self.sa, "CREATE CREDENTIAL c WITH IDENTITY = N'x', SECRET = N'y'")
        self.fails(a, "ALTER CREDENTIAL c WITH IDENTITY = N'z'", 15151)
        self.ok(self.sa, "ALTER CREDENTIAL c WITH IDENTITY = N'z'")
        shown = "SELECT credential_identity FROM sys.credentials"
        self.assertEqual((self.ok(self.sa, shown), self.ok(a, shown)), ([("z",)], []))
        self.ok(self.sa, "USE master; GRANT VIEW ANY DEFINITION TO a")
        self.assertEqual(self.ok(a, shown), [("z",)])

    def test_an_endpoint_keeps_its_owner(self):
        boss = self.session("sa", "Sa!pass1", "master")
        self.ok(boss, f"CREATE LOGIN x WITH PASSWORD = N'{PASSWORD}'; ALTER AUTHORIZATION ON ENDPOINT::[TSQL Default TCP] TO x")
        self.assertEqual(self.ok(boss, "SELECT p.state FROM sys.server_permissions AS p WHERE p.class = 105 AND p.major_id = 4"), [])
        self.fails(boss, "DROP LOGIN x", 15141)
        self.ok(boss, "ALTER AUTHORIZATION ON ENDPOINT::[TSQL Default TCP] TO sa; DROP LOGIN x")


class Revocation(EngineCase):
    SCRIPT = ("CREATE TABLE dbo.t (a int, b int)\nGO\nCREATE USER u WITHOUT LOGIN\nGO\nCREATE USER v WITHOUT LOGIN\nGO\n"
              "CREATE USER w WITHOUT LOGIN")

    def test_a_column_taken_out_of_a_grant(self):
        a = self.login("a")
        self.ok(self.sa, "GRANT SELECT ON dbo.t TO a; REVOKE SELECT ON dbo.t (b) FROM a")
        self.assertEqual(self.ok(self.sa, ROWS), [(1, 0, "SELECT", "G", "a", "dbo"), (1, 2, "SELECT", "R", "a", "dbo")])
        self.ok(a, "SELECT a FROM dbo.t")
        self.fails(a, "SELECT b FROM dbo.t", 230)
        self.ok(self.sa, "GRANT SELECT ON SCHEMA::dbo TO a")
        self.ok(a, "SELECT b FROM dbo.t")
        self.ok(self.sa, "REVOKE SELECT ON dbo.t FROM a")
        self.assertEqual([r[0] for r in self.ok(self.sa, ROWS)], [3])

    def test_cascade_takes_denials_too(self):
        self.ok(self.sa, "GRANT SELECT ON dbo.t TO u WITH GRANT OPTION; GRANT SELECT ON dbo.t TO v AS u; "
                         "DENY SELECT ON dbo.t TO w AS u; GRANT SELECT ON dbo.t (a) TO w AS u")
        self.assertEqual(len(self.ok(self.sa, ROWS)), 4)
        self.fails(self.sa, "REVOKE SELECT ON dbo.t FROM u", 4611)
        self.ok(self.sa, "REVOKE SELECT ON dbo.t FROM u CASCADE")
        self.assertEqual(self.ok(self.sa, ROWS), [])

    def test_the_owner_is_the_grantor(self):
        a = self.login("a")
        self.ok(self.sa, "ALTER ROLE db_owner ADD MEMBER a")
        self.ok(a, "GRANT SELECT ON dbo.t TO u")
        self.assertEqual(self.ok(self.sa, ROWS), [(1, 0, "SELECT", "G", "u", "dbo")])

    def test_a_column_grant_beats_a_table_denial(self):
        a = self.login("a")
        self.ok(self.sa, "DENY SELECT ON dbo.t TO a; GRANT SELECT ON dbo.t (a) TO a")
        self.ok(a, "SELECT a FROM dbo.t")
        self.fails(a, "SELECT b FROM dbo.t", 230)


class Agents(EngineCase):
    """What an agent with ALTER ANY LOGIN and ALTER ANY SERVER ROLE cannot do."""

    def setUp(self):
        super().setUp()
        self.boss = self.session("sa", "Sa!pass1", "master")
        self.agent = self.login("agent", "master", user=False)
        self.ok(self.boss, "GRANT ALTER ANY LOGIN, ALTER ANY SERVER ROLE, VIEW ANY DEFINITION TO agent; "
                           "GRANT VIEW SERVER STATE TO agent WITH GRANT OPTION")
        self.ok(self.boss, f"CREATE LOGIN x WITH PASSWORD = N'{PASSWORD}'")

    def test_whoever_may_do_all(self):
        for way in ("ALTER SERVER ROLE sysadmin ADD MEMBER x", "GRANT CONTROL SERVER TO x"):
            self.ok(self.boss, way)
            for change in ("DISABLE", f"WITH PASSWORD = N'{PASSWORD}2'", "WITH NAME = y", "WITH CHECK_POLICY = OFF"):
                self.fails(self.agent, f"ALTER LOGIN x {change}", 15151)
            self.ok(self.boss, "ALTER SERVER ROLE sysadmin DROP MEMBER x" if "ROLE" in way else "REVOKE CONTROL SERVER FROM x")
            self.ok(self.agent, "ALTER LOGIN x DISABLE; ALTER LOGIN x ENABLE")

    def test_members_of_fixed_roles(self):
        self.ok(self.boss, "ALTER SERVER ROLE processadmin ADD MEMBER x")
        self.fails(self.agent, "ALTER SERVER ROLE processadmin DROP MEMBER x", 15151)
        self.ok(self.boss, "ALTER SERVER ROLE processadmin ADD MEMBER agent")
        self.ok(self.agent, "ALTER SERVER ROLE processadmin DROP MEMBER x")

    def test_permissions_of_the_server(self):
        self.ok(self.boss, "GRANT ALTER ANY LOGIN, VIEW SERVER STATE TO x")
        self.fails(self.agent, "REVOKE ALTER ANY LOGIN FROM x", 4613)
        self.ok(self.agent, "REVOKE VIEW SERVER STATE FROM x")
        state = "SELECT COUNT(*) FROM sys.server_permissions AS p WHERE grantee_principal_id = SUSER_ID(N'x') " \
                "AND permission_name = N'VIEW SERVER STATE'"
        self.assertEqual(self.one(self.boss, state), 1, "sa granted it, not the agent")
        self.ok(self.agent, "GRANT VIEW SERVER STATE TO x; REVOKE VIEW SERVER STATE FROM x")

    def test_a_denial_on_one_login_or_role_hides_it(self):
        """Also from the holder of VIEW ANY DEFINITION; whoever is in a fixed role stays there by its id."""
        self.ok(self.sa, f"USE master; CREATE LOGIN j WITH PASSWORD = N'{PASSWORD}'; CREATE SERVER ROLE boss; "
                         "ALTER SERVER ROLE boss ADD MEMBER j; ALTER SERVER ROLE dbcreator ADD MEMBER j")
        looks = self.login("looks", "master", user=False)
        self.ok(self.sa, "USE master; GRANT VIEW ANY DEFINITION TO looks; GRANT ALTER ANY LOGIN TO looks")
        seen = "SELECT name FROM sys.server_principals WHERE name IN (N'j', N'boss') ORDER BY name"
        members = ("SELECT SUSER_NAME(m.role_principal_id) FROM sys.server_role_members AS m "
                   "WHERE m.member_principal_id = SUSER_ID(N'j') ORDER BY 1")
        self.assertEqual(self.ok(looks, seen), [("boss",), ("j",)])
        for denied in ("VIEW DEFINITION", "CONTROL"):
            for to in ("looks", "public"):
                self.ok(self.sa, f"USE master; DENY {denied} ON LOGIN::j TO {to}")
                self.assertEqual(self.ok(looks, seen), [("boss",)])
                self.assertEqual(self.ok(looks, members), [("dbcreator",)])
                self.ok(self.sa, f"USE master; REVOKE {denied} ON LOGIN::j FROM {to}")
        self.ok(self.sa, "USE master; DENY CONTROL ON LOGIN::j TO looks")
        self.fails(looks, "ALTER LOGIN j DISABLE", 15151)
        self.ok(self.sa, "USE master; REVOKE CONTROL ON LOGIN::j FROM looks; DENY VIEW DEFINITION ON SERVER ROLE::boss TO looks")
        self.assertEqual(self.ok(looks, seen), [("j",)])
        self.assertEqual(self.ok(looks, members), [("dbcreator",)])
        self.assertEqual(self.ok(looks, "SELECT permission_name FROM sys.server_permissions WHERE state = 'D'"),
                         [("VIEW DEFINITION",)])

    def test_whoever_may_deny_on_a_login_or_a_role(self):
        self.ok(self.sa, f"USE master; CREATE LOGIN j WITH PASSWORD = N'{PASSWORD}'; CREATE LOGIN k WITH PASSWORD = N'{PASSWORD}'; "
                         "CREATE SERVER ROLE boss")
        low = self.login("low", "master", user=False)
        for right, on in (("ALTER ANY LOGIN", "LOGIN::j"), ("ALTER ANY SERVER ROLE", "SERVER ROLE::boss")):
            self.fails(low, f"DENY VIEW DEFINITION ON {on} TO k", 15151)
            self.ok(self.sa, f"USE master; GRANT {right} TO low")
            self.ok(low, f"DENY VIEW DEFINITION ON {on} TO k")
        self.fails(low, "DENY VIEW ANY DEFINITION TO k", 15151)

    def test_ones_own_login(self):
        self.ok(self.session("x", database="master"), "ALTER LOGIN x WITH DEFAULT_DATABASE = tempdb")
        self.fails(self.session("x", database="master"), "ALTER LOGIN x WITH NAME = y", 15151)

    def test_roles_of_2022(self):
        self.ok(self.boss, "ALTER SERVER ROLE [##MS_DatabaseConnector##] ADD MEMBER x")
        self.ok(self.session("x", database="master"), "USE shop")
        old = Server(sa_password="Sa!pass1", product_version="15.0.4000.1")
        self.assertEqual(self.run_batch(old.sa_session(), "SELECT name FROM sys.server_principals WHERE name LIKE N'##%'")[0], [])

    def test_other_kinds_of_logins(self):
        self.server.features.other_logins = {"people@contoso": "X"}
        self.assertEqual(self.ok(self.agent, "SELECT name, type_desc FROM sys.server_principals WHERE type NOT IN ('S', 'R')"),
                         [("people@contoso", "EXTERNAL_GROUP")])


class Passwords(EngineCase):
    def setUp(self):
        super().setUp()
        self.ok(self.sa, f"CREATE LOGIN x WITH PASSWORD = N'{PASSWORD}', CHECK_EXPIRATION = ON; CREATE USER x FOR LOGIN x")

    def about(self, *names):
        return self.one(self.sa, "SELECT " + ", ".join(f"LOGINPROPERTY(N'x', N'{n}')" for n in names))

    def test_expiry(self):
        self.session("x")
        self.server.features.password_age = {"x": "40"}
        self.assertEqual(self.about("DaysUntilExpiration", "IsExpired"), (2, 0))
        self.server.features.password_age = {"x": "43"}
        self.assertEqual(self.about("DaysUntilExpiration", "IsExpired"), (0, 1))
        self.login_fails(18487, "x")
        self.ok(self.sa, "ALTER LOGIN x WITH CHECK_EXPIRATION = OFF")
        self.session("x")

    def test_lock_out(self):
        for _ in range(5):
            self.login_fails(18456, "x", "wrong")
        self.login_fails(18486, "x")
        self.assertEqual(self.about("IsLocked", "BadPasswordCount"), (1, 5))
        self.ok(self.sa, "ALTER LOGIN x WITH CHECK_POLICY = OFF")
        self.session("x")

    def test_policy_and_expiration_go_together(self):
        ask = "SELECT is_policy_checked, is_expiration_checked FROM sys.sql_logins WHERE name = N'x'"
        self.ok(self.sa, "ALTER LOGIN x WITH CHECK_POLICY = OFF")
        self.assertEqual(self.one(self.sa, ask), (False, False))
        self.ok(self.sa, "ALTER LOGIN x WITH CHECK_POLICY = ON")
        self.assertEqual(self.one(self.sa, ask), (True, True))
        self.ok(self.sa, "ALTER LOGIN x WITH CHECK_POLICY = OFF; ALTER LOGIN x WITH CHECK_POLICY = ON, CHECK_EXPIRATION = OFF")
        self.assertEqual(self.one(self.sa, ask), (True, False))

    def test_a_server_that_tells_less(self):
        self.server.features.bare_login_properties = True
        self.assertEqual(self.about("IsLocked", "IsMustChange"), (0, 0))
        self.ok(self.sa, "ALTER LOGIN x WITH CHECK_EXPIRATION = OFF")
        self.assertEqual(self.about("IsLocked", "IsMustChange"), (None, None))
        self.assertIsNotNone(self.about("PasswordLastSetTime"))


class Contained(EngineCase):
    def test_the_databases_own_user_comes_first(self):
        self.ok(self.sa, f"CREATE LOGIN x WITH PASSWORD = N'{PASSWORD}'; ALTER DATABASE shop SET CONTAINMENT = PARTIAL; "
                         f"CREATE USER x WITH PASSWORD = N'{PASSWORD}2'")
        self.assertIsNone(self.session("x", PASSWORD + "2").base.login)
        self.login_fails(18456, "x", PASSWORD)
        self.assertIsNotNone(self.session("x", PASSWORD, "master").base.login)
        self.ok(self.sa, "ALTER LOGIN x DISABLE")
        self.session("x", PASSWORD + "2")


if __name__ == "__main__":
    unittest.main()
