"""Views of sessions: identities, connections, logins in progress, reused session ids."""
import datetime
import unittest

from engine_base import PASSWORD, EngineCase


class Identity(EngineCase):
    ASK = ("SELECT login_name, original_login_name, security_id, original_security_id FROM sys.dm_exec_sessions "
           "WHERE session_id = {}")

    def test_who_came_in_and_who_it_acts_as(self):
        a, b = self.login("a"), self.login("b")
        sids = [self.one(self.sa, f"SELECT SUSER_SID(N'{n}')") for n in "ab"]
        self.ok(self.sa, "GRANT IMPERSONATE ON USER::b TO a")
        self.assertEqual(self.one(self.sa, self.ASK.format(a.spid)), ("a", "a", sids[0], sids[0]))
        self.ok(a, "EXECUTE AS USER = N'b' WITH NO REVERT")
        self.assertEqual(self.one(self.sa, self.ASK.format(a.spid)), ("b", "a", sids[1], sids[0]))
        self.assertEqual(self.one(self.sa, self.ASK.format(b.spid)), ("b", "b", sids[1], sids[1]))

    def test_a_renamed_login_keeps_its_sid(self):
        a = self.login("a")
        sid = self.one(self.sa, "SELECT SUSER_SID(N'a')")
        self.ok(self.sa, "ALTER LOGIN a WITH NAME = z")
        row = self.one(self.sa, self.ASK.format(a.spid))
        self.assertEqual((row[1], row[3]), ("a", sid))

    def test_a_contained_user_is_told_by_its_database(self):
        self.ok(self.sa, "ALTER DATABASE shop SET CONTAINMENT = PARTIAL; "
                         f"CREATE USER c WITH PASSWORD = N'{PASSWORD}'")
        c = self.session("c")
        ask = "SELECT authenticating_database_id FROM sys.dm_exec_sessions WHERE session_id = {}"
        self.assertEqual(self.one(self.sa, ask.format(c.spid)), 5)
        self.assertEqual(self.one(self.sa, ask.format(self.sa.spid)), 1)


class Rows(EngineCase):
    def test_logins_in_progress(self):
        self.server.features.sign_ins = 2
        ask = "SELECT login_time FROM sys.dm_exec_sessions WHERE session_id > 50 AND login_time < '19100101'"
        self.assertEqual(self.ok(self.sa, ask), [])
        self.assertEqual(self.ok(self.sa, ask), [(datetime.datetime(1900, 1, 1),)])
        self.server.features.sign_ins = 1
        age = "SELECT {}(SECOND, login_time, GETDATE()) FROM sys.dm_exec_sessions"
        self.fails(self.sa, age.format("DATEDIFF"), 535)
        self.ok(self.sa, age.format("DATEDIFF_BIG"))

    def test_mars(self):
        self.server.features.mars = "sa"
        rows = self.ok(self.sa, "SELECT net_transport, client_net_address, CAST(connection_id AS nvarchar(36)), "
                                "CAST(parent_connection_id AS nvarchar(36)) FROM sys.dm_exec_connections")
        self.assertEqual([(r[0], r[1]) for r in rows], [("TCP", "192.0.2.7"), ("Session", None), ("Session", None)])
        self.assertEqual([r[3] for r in rows], [None, rows[0][2], rows[0][2]])

    def test_shared_memory(self):
        self.server.features.shared_memory = "sa"
        self.assertEqual(self.ok(self.sa, "SELECT client_net_address, client_tcp_port FROM sys.dm_exec_connections"),
                         [("<local machine>", None)])

    def test_null_columns_of_others(self):
        self.session("sa", "Sa!pass1")
        self.server.features.null_columns = "dm_exec_sessions.is_user_process,dm_exec_sessions.login_time"
        self.assertEqual(self.ok(self.sa, "SELECT session_id FROM sys.dm_exec_sessions WHERE is_user_process = 1"),
                         [(self.sa.spid,)])
        self.server.features.null_columns = ""
        self.assertEqual(len(self.ok(self.sa, "SELECT 1 FROM sys.dm_exec_sessions WHERE is_user_process = 1")), 2)


class Reuse(EngineCase):
    def setUp(self):
        super().setUp()
        self.a = self.login("a")
        self.old = self.a.spid
        self.server.features.spid_reuse = "a"

    def test_a_bare_kill_hits_a_stranger(self):
        self.ok(self.sa, f"KILL {self.old}")
        self.assertEqual(self.server.counted()["strangers_killed"], 1)
        self.assertFalse(self.a.closed)
        self.ok(self.sa, f"KILL {self.a.spid}")
        self.assertTrue(self.a.closed)

    def test_a_kill_that_looks_first_does_not(self):
        sid = "0x" + bytes(self.a.original_sid).hex()
        self.ok(self.sa, f"IF EXISTS (SELECT 1 FROM sys.dm_exec_sessions WHERE session_id = {self.old} "
                         f"AND original_security_id = {sid}) KILL {self.old}")
        self.assertEqual(self.server.counted()["strangers_killed"], 0)
        self.assertNotEqual(self.a.spid, self.old)


class Bound(EngineCase):
    SCRIPT = "CREATE TABLE dbo.t (x int)"

    def test_transaction_and_locks_are_shared(self):
        self.ok(self.sa, "GRANT INSERT, SELECT ON dbo.t TO public")
        a, b = self.login("a"), self.login("b")
        token = self.one(a, "DECLARE @t nvarchar(255); EXEC sp_getbindtoken @t OUTPUT; SELECT @t")
        self.ok(a, "BEGIN TRAN; INSERT dbo.t VALUES (1)")
        self.fails(self.sa, "SET LOCK_TIMEOUT 0; SELECT * FROM dbo.t", 1222)
        self.ok(b, f"EXEC sp_bindsession N'{token}'")
        self.assertEqual(self.ok(b, "SELECT x, @@TRANCOUNT FROM dbo.t"), [(1, 1)])
        self.assertEqual(self.one(b, "SELECT SUSER_SNAME()"), "b")
        self.assertEqual(self.ok(self.sa, "SELECT session_id, is_bound FROM sys.dm_tran_session_transactions "
                                          "ORDER BY session_id"), [(a.spid, True), (b.spid, True)])
        self.ok(self.sa, f"KILL {a.spid}")
        self.fails(self.sa, "SELECT * FROM dbo.t", 1222)
        self.ok(b, "COMMIT")
        self.assertEqual(self.ok(self.sa, "SELECT x FROM dbo.t"), [(1,)])

    def test_unknown_token(self):
        self.fails(self.sa, "EXEC sp_bindsession N'x'", 3924)


class Names(EngineCase):
    def test_halves_of_pairs_are_kept(self):
        from engine.utf16 import encode, inside
        bad = inside("x\ud800y")
        self.ok(self.sa, f"CREATE USER [{bad}] WITHOUT LOGIN")
        raw = encode(bad)
        self.assertEqual(raw, b"x\0\0\xd8y\0")
        self.assertEqual(self.one(self.sa, "SELECT CAST(name AS varbinary(256)) FROM sys.database_principals "
                                           "WHERE name LIKE N'x_y'"), raw)
        self.ok(self.sa, f"DECLARE @n sysname = CAST(0x{raw.hex()} AS sysname), @s nvarchar(max); "
                         "SET @s = N'DROP USER ' + QUOTENAME(@n); EXEC sys.sp_executesql @s")
        self.assertEqual(self.ok(self.sa, "SELECT 1 FROM sys.database_principals WHERE name LIKE N'x_y'"), [])

    def test_halves_become_whole(self):
        self.assertEqual(self.one(self.sa, "SELECT NCHAR(0xD83D) + NCHAR(0xDE00), LEN(NCHAR(0xD83D))")[1], 1)
        self.assertEqual(self.one(self.sa, "SELECT DATALENGTH(NCHAR(55357) + NCHAR(56832))"), 4)

    def test_control_characters(self):
        strange = "a\x1b[31m\0b\u202e"
        session = self.server.login(user="sa", password="Sa!pass1", app=strange, host=strange, address="192.0.2.7")
        self.assertEqual(self.one(self.sa, "SELECT host_name, program_name FROM sys.dm_exec_sessions "
                                           f"WHERE session_id = {session.spid}"), (strange, strange))


class Kill(EngineCase):
    def test_rules(self):
        self.fails(self.sa, f"KILL {self.sa.spid}", 6104)
        self.fails(self.sa, "KILL 20", 6107)
        self.fails(self.sa, "KILL 300", 6106)
        other = self.session("sa", "Sa!pass1")
        self.fails(self.sa, f"BEGIN TRAN; KILL {other.spid}", 6115)
        self.fails(self.login("a"), f"KILL {other.spid}", 6102)


if __name__ == "__main__":
    unittest.main()
