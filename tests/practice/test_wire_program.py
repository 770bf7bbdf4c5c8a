"""The whole program: started, queried by both clients, and stopped."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import unittest

import pytds

from wire.testing import HERE, PASSWORD, certificates, directory, pytds_spid, tsql

SCRIPT = """
CREATE DATABASE shop;
GO
USE shop;
GO
CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, name nvarchar(50) NULL);
INSERT INTO dbo.t (id, name) VALUES (1, N'Zoë'), (2, NULL);
GO
"""


class Program:
    """One practice_server process with its record and control socket."""

    def __init__(self, *arguments):
        self.certificates = certificates("good", "localhost", "127.0.0.1")
        self.ca = os.path.join(self.certificates, "ca.pem")
        base = os.path.join(directory(), f"program-{id(self)}")
        self.control, self.record_path = base + ".ctl", base + ".jsonl"
        with open(base + ".sa", "w", encoding="utf-8") as file:
            file.write(PASSWORD + "\n")
        with open(base + ".sql", "w", encoding="utf-8") as file:
            file.write(SCRIPT)
        self.process = subprocess.Popen(
            [os.path.join(HERE, "practice_server"), "--listen", "127.0.0.1:0",
             "--cert", os.path.join(self.certificates, "server.pem"),
             "--key", os.path.join(self.certificates, "server.key"),
             "--sa-password-file", base + ".sa", "--script", base + ".sql",
             "--record", self.record_path, "--control", self.control, *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            raise AssertionError(line + self.process.communicate()[1])
        self.port = int(line.rsplit(":", 1)[1])

    def ask(self, *arguments):
        ran = subprocess.run([os.path.join(HERE, "practice_control"), self.control, *arguments],
                             stdout=subprocess.PIPE, text=True, timeout=120)
        return json.loads(ran.stdout)

    def record(self, event):
        with open(self.record_path, encoding="utf-8") as file:
            return [line for line in map(json.loads, file) if line["event"] == event]

    def connect(self, **settings):
        given = {"dsn": "localhost", "port": self.port, "user": "sa", "password": PASSWORD,
                 "cafile": self.ca, "autocommit": True, "login_timeout": 60, "timeout": 60}
        return pytds.connect(**{**given, **settings})

    def tsql(self, batches, *, user="sa", password=PASSWORD, **settings):
        return tsql(self.port, self.ca, batches, user=user, password=password, **settings)

    def stop(self):
        """Returns what it wrote to stderr."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        errors = self.process.communicate(timeout=60)[1]
        return errors


class OneProgram(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = Program()

    @classmethod
    def tearDownClass(cls):
        errors = cls.program.stop() or cls.program.record("own-fault")
        if errors or cls.program.process.returncode:
            raise AssertionError(f"exit {cls.program.process.returncode}: {errors}")

    def cursor(self, **settings):
        connection = self.program.connect(**settings)

        def close():
            with contextlib.suppress(Exception):    # python-tds minds a connection that was killed
                connection.close()
        self.addCleanup(close)
        return connection.cursor()

    def one(self, cursor, text, values=()):
        cursor.execute(text, values)
        return cursor.fetchall()[0][0]

    def test_control_sql(self):
        answer = self.program.ask("sql", "SELECT id, name FROM dbo.t ORDER BY id", "shop")
        self.assertEqual(answer["results"], [{"columns": ["id", "name"],
                                              "rows": [[1, "Zoë"], [2, None]]}])
        answer = self.program.ask("sql", "SELECT nothing FROM dbo.missing", "shop")
        self.assertEqual((answer["ok"], answer["errors"][0]["number"]), (False, 208))

    def test_half_a_surrogate_through_it_all(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
            control.connect(self.program.control)
            with control.makefile("rw", encoding="utf-8") as lines:
                def sql(text):
                    lines.write(json.dumps({"op": "sql", "text": text, "database": "shop"}) + "\n")
                    lines.flush()
                    return json.loads(lines.readline())
                self.assertTrue(sql("CREATE USER [h\ud800f] WITHOUT LOGIN")["ok"])
                self.assertEqual(sql("SELECT name, CAST(name AS varbinary(256)) FROM sys.database_principals WHERE "
                                     "name = N'h\ud800f'")["results"][0]["rows"], [["h\ud800f", "0x680000D86600"]])

    def test_settings_come_from_the_login(self):
        cursor = self.cursor()
        self.assertEqual(self.one(cursor, "SELECT @@OPTIONS & 4096"), 4096)
        batch = [b for b in self.program.record("batch") if "@@OPTIONS & 4096" in b["text"]][-1]
        self.assertEqual((batch["options"] & 4096, batch["transactions"]), (4096, 0))

    def test_control_faults(self):
        self.assertEqual(self.program.ask("fault", "no-deny", "delay=1")["active"],
                         {"no-deny": True, "delay": "1"})
        self.assertEqual(self.program.ask("clear-faults")["active"], {})
        self.assertFalse(self.program.ask("fault", "nonsense")["ok"])

    def test_freetds(self):
        status, out = self.program.tsql(["SELECT id, name FROM dbo.t ORDER BY id"],
                                        database="shop")
        self.assertEqual((status, out), (0, "id\tname\n1\tZoë\n2\tNULL\n"))

    def test_python_tds(self):
        cursor = self.cursor(database="shop")
        cursor.execute("SELECT id, name FROM dbo.t ORDER BY id")
        self.assertEqual([tuple(row) for row in cursor.fetchall()], [(1, "Zoë"), (2, None)])
        self.assertEqual(self.one(cursor, "SELECT DB_NAME()"), "shop")

    def test_spid_is_the_one_in_the_headers(self):
        cursor = self.cursor()
        spid = self.one(cursor, "SELECT @@SPID")
        self.assertEqual(spid, pytds_spid(cursor))
        self.assertGreater(spid, 50)
        self.assertIn(spid, [s["spid"] for s in self.program.ask("sessions")["sessions"]])

    def test_parameters(self):
        cursor = self.cursor(database="shop")
        self.assertEqual(self.one(cursor, "SELECT name FROM dbo.t WHERE id = %s", (1,)), "Zoë")
        self.assertEqual(self.one(cursor, "SELECT id FROM dbo.t WHERE name = %s", ("Zoë",)), 1)

    def test_types(self):
        """What the engine makes of each type, through both clients."""
        cases = (("CAST(1 AS bit)", True, "1"), ("CAST(255 AS tinyint)", 255, "255"),
                 ("CAST(-5 AS smallint)", -5, "-5"), ("CAST(7 AS int)", 7, "7"),
                 ("CAST(1099511627776 AS bigint)", 2**40, str(2**40)),
                 ("CAST(N'Zoë €' AS nvarchar(20))", "Zoë €", "Zoë €"),
                 ("CAST(N'Zoë' AS nvarchar(max))", "Zoë", "Zoë"),
                 ("CAST('abc' AS varchar(20))", "abc", "abc"),
                 ("CAST(0x01FF AS varbinary(85))", b"\x01\xff", "01ff"),
                 ("CAST(1.5 AS float)", 1.5, "1.5"),
                 ("CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128))", "16.0.4135.4",
                  "16.0.4135.4"))
        cursor = self.cursor()
        for text, value, shown in cases:
            kind = text.rsplit(" AS ", 1)[1].rstrip(")")
            with self.subTest(text=text):
                self.assertEqual(self.one(cursor, f"SELECT {text} AS v"), value)
                self.assertEqual(self.program.tsql([f"SELECT {text} AS v"]), (0, f"v\n{shown}\n"))
                null = f"SELECT CAST(NULL AS {kind}{')' if '(' in kind else ''}) AS v"
                self.assertIsNone(self.one(cursor, null))

    def test_procedure(self):
        """Status and output value of a procedure called by name; a lock through RPC."""
        self.program.ask("sql", "CREATE PROCEDURE dbo.twice @n int, @out int OUTPUT AS "
                                "BEGIN SET @out = @n * 2; RETURN 7 END", "shop")
        cursor = self.cursor(database="shop")
        result = cursor.callproc("dbo.twice", (21, pytds.output(param_type="int")))
        self.assertEqual(list(result), [21, 42])
        self.assertEqual(cursor.get_proc_return_status(), 7)
        lock = {"@Resource": "curfew", "@LockMode": "Exclusive", "@LockOwner": "Session",
                "@LockTimeout": 0}
        other = self.cursor(database="shop")
        for asking, status in ((cursor, 0), (other, -1)):
            asking.callproc("sp_getapplock", lock)
            self.assertEqual(asking.get_proc_return_status(), status)

    def test_transactions(self):
        connection = self.program.connect(database="shop", autocommit=False)
        self.addCleanup(connection.close)
        cursor = connection.cursor()
        cursor.execute("INSERT INTO dbo.t (id, name) VALUES (3, N'x')")
        self.assertEqual(self.one(cursor, "SELECT COUNT(*) FROM dbo.t"), 3)
        connection.rollback()
        self.assertEqual(self.one(cursor, "SELECT COUNT(*) FROM dbo.t"), 2)
        connection.rollback()

    def test_login_and_kill(self):
        self.program.ask("sql", "CREATE LOGIN probe WITH PASSWORD = N'Pr0be-Pass'")
        self.addCleanup(self.program.ask, "sql", "DROP LOGIN probe")
        victim = self.cursor(user="probe", password="Pr0be-Pass")
        spid = self.one(victim, "SELECT @@SPID")
        self.assertTrue(self.program.ask("sql", f"KILL {spid}")["ok"])
        with self.assertRaises(Exception):
            self.one(victim, "SELECT 1")
        self.assertNotIn(spid, [s["spid"] for s in self.program.ask("sessions")["sessions"]])

    def test_kill_in_a_batch(self):
        victim = self.cursor()
        spid = self.one(victim, "SELECT @@SPID")
        raised = []

        def wait():
            try:
                victim.execute("WAITFOR DELAY '00:10:00'")
            except Exception as error:
                raised.append(error)
        waiting = threading.Thread(target=wait)
        waiting.start()
        while not any("WAITFOR" in line["text"] and line["spid"] == spid
                      for line in self.program.record("batch")):
            waiting.join(0.01)
        self.assertTrue(self.program.ask("sql", f"KILL {spid}")["ok"])
        waiting.join(60)
        self.assertEqual(getattr(raised[0], "number", raised[0]), 596)

    def test_attention(self):
        cursor = self.cursor(timeout=2)
        with self.assertRaises(Exception):
            cursor.execute("WAITFOR DELAY '00:00:20'")
        self.assertEqual(self.one(cursor, "SELECT 5"), 5)

    def test_refused_login(self):
        status, out = self.program.tsql(["SELECT 1"], user="nobody", password="x")
        self.assertEqual(status, 1)
        self.assertIn("Msg 18456 (severity 14", out)
        status, out = self.program.tsql(["SELECT 1"], database="missing")
        self.assertIn("Msg 4060 (severity 11", out)


class Start(unittest.TestCase):
    def run_failing(self, *arguments):
        with self.assertRaises(AssertionError) as failed:
            Program(*arguments)
        return str(failed.exception)

    def test_bad_start(self):
        self.assertIn("unknown fault", self.run_failing("--fault", "nonsense"))
        self.assertIn("No such file", self.run_failing("--cert", "/nowhere"))
        self.assertIn("not ADDR:PORT", self.run_failing("--listen", "here"))

    def test_error_in_a_script(self):
        path = os.path.join(directory(), "broken.sql")
        with open(path, "w", encoding="utf-8") as file:
            file.write("SELECT 1;\nGO\nCREATE NONSENSE x;\nGO\n")
        self.assertIn("broken.sql: line", self.run_failing("--script", path))

    def test_both_address_families(self):
        program = Program("--listen", "[::]:0")
        text = "SELECT client_net_address FROM sys.dm_exec_connections WHERE session_id = @@SPID"
        for host, shown in (("127.0.0.1", "127.0.0.1"), ("::1", "::1")):
            connection = program.connect(dsn=host, validate_host=False)
            cursor = connection.cursor()
            cursor.execute(text)
            self.assertEqual(cursor.fetchall()[0][0], shown)
            connection.close()
        self.assertEqual(program.stop(), "")

    def test_stop(self):
        program = Program("--fault", "no-tls@1")
        connection = program.connect(cafile=None)
        self.assertTrue(program.ask("stop")["stopping"])
        self.assertEqual(program.process.wait(60), 0)
        with self.assertRaises(Exception):
            connection.cursor().execute("SELECT 1")
        self.assertEqual(program.stop(), "")
        self.assertFalse(os.path.exists(program.control))
        self.assertEqual(program.record("stopped")[0]["event"], "stopped")


if __name__ == "__main__":
    unittest.main()
