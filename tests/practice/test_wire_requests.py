"""Batches, RPC, transactions, attention and KILL after the login."""

import contextlib
import datetime
import decimal
import io
import struct
import threading
import unittest
import uuid

import pytds

from wire.testing import LocalServer, RawClient, events, packets, pytds_socket

ERROR, ATTENTION_DONE = 0x02, 0x20


def number(value):
    return [events.Columns([events.Column("n", "int")]), events.Row([value]),
            events.Done(1, False, "SELECT")]


def until_cancelled(session):
    """A statement that runs until it is cancelled; ten seconds are its limit."""
    yield events.Columns([events.Column("n", "int")])
    yield events.Row([1])
    session.server.running.set()
    session.cancelled.wait(120)
    yield events.Done(1, False, "SELECT")


def done_statuses(answer):
    """(token, status) of the trailing DONE tokens of an answer."""
    return [struct.unpack("<BH", answer[at:at + 3]) for at in range(len(answer) - 13, -1, -13)
            if answer[at] in (0xFD, 0xFE, 0xFF)]


class Requests(unittest.TestCase):
    def setUp(self):
        self.server = LocalServer()
        self.addCleanup(self.server.stop)
        self.server.engine.running = threading.Event()
        self.scripts = self.server.scripts

    def connect(self, **settings):
        connection = self.server.pytds(**settings)
        self.addCleanup(connection.close)
        return connection

    def raw(self):
        client = RawClient(self.server.port)
        self.addCleanup(client.close)
        client.login()
        return client

    def test_several_results(self):
        self.scripts["two"] = [*number(1), events.Message(0, 1, 0, "hello"), *number(2),
                               events.Done(7, False, "UPDATE")]
        status, out = self.server.tsql(["two"])
        self.assertEqual(status, 0)
        self.assertEqual(sorted(out.splitlines()), ["1", "2", "hello", "n", "n"])
        cursor = self.connect().cursor()
        cursor.execute("two")
        self.assertEqual(cursor.fetchall()[0][0], 1)
        self.assertTrue(cursor.nextset())
        self.assertEqual(cursor.fetchall()[0][0], 2)
        self.assertFalse(cursor.nextset())
        self.assertEqual(cursor.rowcount, 7)

    def test_batch_without_events(self):
        self.scripts["nothing"] = []
        self.connect().cursor().execute("nothing")
        self.assertEqual(done_statuses(self.raw().batch("nothing")), [(0xFD, 0)])

    def test_error_in_the_middle(self):
        """The batch goes on after an error of one statement, whose DONE carries the error bit."""
        self.scripts["bad"] = [events.Message(208, 1, 16, "Invalid object name 'x'.", "p", 3),
                               events.Done(None, False, ""), *number(5)]
        status, out = self.server.tsql(["bad"])
        self.assertIn("Msg 208 (severity 16, state 1) from PRACTICE, Procedure p Line 3:", out)
        self.assertIn("\n5\n", out)
        cursor = self.connect().cursor()
        with self.assertRaisesRegex(pytds.ProgrammingError, "Invalid object name 'x'") as caught:
            cursor.execute("bad")
        self.assertEqual((caught.exception.number, caught.exception.severity,
                          caught.exception.line), (208, 16, 3))
        self.assertEqual(self.server.record_wait("answer")[0]["errors"], [208])

    def test_raised_error(self):
        cursor = self.connect().cursor()
        with self.assertRaises(pytds.ProgrammingError) as caught:
            cursor.execute("what is this")
        self.assertEqual(caught.exception.number, 102)
        self.assertEqual(done_statuses(self.raw().batch("what"))[0], (0xFD, ERROR))

    def test_severity_20_ends_the_connection(self):
        self.scripts["fatal"] = [events.Message(9001, 1, 21, "The log is not available.")]
        client = self.raw()
        self.assertIn(b"\xAA", client.batch("fatal"))
        self.assertTrue(client.ended())

    def test_fault_of_the_engine(self):
        """A value that its column cannot hold is told to the client and kept on record."""
        self.scripts["wrong"] = [events.Columns([events.Column("n", "int")]), events.Row(["x"])]
        cursor = self.connect().cursor()
        with contextlib.redirect_stderr(io.StringIO()) as told, \
                self.assertRaisesRegex(Exception, "Practice server: WireTypeError"):
            cursor.execute("wrong")
            cursor.fetchall()
        self.assertIn("row ['x'] of ['n']", told.getvalue())
        self.assertEqual(len(self.server.record_wait("own-fault")), 1)
        self.connect()

    def test_long_batch(self):
        text = "select '" + "é𝄞" * 50000 + "'"
        self.scripts[text] = number(1)
        cursor = self.connect().cursor()
        cursor.execute(text)
        self.assertEqual(cursor.fetchall()[0][0], 1)
        status, out = self.server.tsql([text])
        self.assertEqual((status, out), (0, "n\n1\n"))

    def test_use_database(self):
        self.scripts["use d2"] = [events.DatabaseChanged("master", "d2"),
                                  events.Message(5701, 2, 0, "Changed database context to 'd2'."),
                                  events.Done(None, False, "")]
        connection = self.connect()
        connection.cursor().execute("use d2")
        self.assertEqual(pytds_socket(connection).env.database, "d2")

    def test_parameters_by_id(self):
        """python-tds calls sp_executesql by its number, with typed parameters."""
        self.scripts["rpc sp_executesql"] = [*number(3), events.ReturnStatus(0)]
        cursor = self.connect().cursor()
        moment = datetime.datetime(2026, 11, 23, 9, 0, 0, 123456)
        values = ("ä", 5, 2**40, 1.5, decimal.Decimal("-1.25"), True, pytds.Binary(b"\1"),
                  "x" * 9000, moment, moment.date(), uuid.UUID(int=7))
        cursor.execute("select " + ", ".join(["%s"] * len(values)), values)
        self.assertEqual(cursor.fetchall()[0][0], 3)
        name, given = self.server.engine.sessions[0].seen[0]
        self.assertEqual(name, "sp_executesql")
        self.assertEqual([p[2] for p in given[2:]], list(values))
        self.assertEqual([p[0] for p in given[2:4]], ["@P1", "@P2"])
        self.assertEqual([p[1] for p in given[3:6]], ["int", "bigint", "float"])
        self.assertEqual([p[1] for p in given[-3:]],
                         ["datetime2(6)", "date", "uniqueidentifier"])
        self.assertTrue(self.server.record("rpc")[0]["text"].startswith("select @P1, @P2"))
        self.assertEqual(self.server.wire.counter_values()["round_trips"], 1)

    def test_procedure_by_name(self):
        """The output value says where in the call its parameter stood."""
        self.scripts["rpc p"] = [events.ReturnStatus(-3),
                                 events.ReturnValue("@o", "nvarchar", "aus", 20)]
        cursor = self.connect().cursor()
        result = cursor.callproc("p", (None, pytds.output(param_type="nvarchar(20)")))
        self.assertEqual(list(result), [None, "aus"])
        self.assertEqual(cursor.get_proc_return_status(), -3)
        given = self.server.engine.sessions[0].seen[0][1]
        self.assertEqual([(p[2], p[3]) for p in given], [(None, False), (None, True)])

    def test_unknown_procedure(self):
        cursor = self.connect().cursor()
        with self.assertRaises(pytds.ProgrammingError):
            cursor.callproc("nope")
        self.assertEqual(self.server.record_wait("answer")[0]["errors"], [102])

    def test_parameter_of_no_sql_server_type(self):
        """0x67 is what FreeTDS sends for SYBNVARCHAR; SQL Server knows no such type."""
        client = self.raw()
        body = struct.pack("<HH", 0xFFFF, 10) + b"\0\0" + b"\0\0\x67\x08\0\0"
        client.request(packets.RPC, body)
        answer = client.transport.read_message()[2]
        self.assertIn("Data type 0x67 is unknown".encode("utf-16-le"), answer)
        self.assertEqual(client.batch("x")[0], 0xAA)       # the connection goes on

    def test_transactions(self):
        """python-tds without autocommit sends transaction manager requests."""
        self.scripts["x"] = []
        connection = self.connect(autocommit=False)
        self.assertNotEqual(pytds_socket(connection).tds72_transaction, 0)
        connection.cursor().execute("x")
        connection.commit()
        connection.rollback()
        connection.close()
        seen = self.server.engine.sessions[0].seen
        self.assertEqual(seen[:2], ["BEGIN TRANSACTION", "x"])
        self.assertEqual(seen[2:6], ["COMMIT TRANSACTION", "BEGIN TRANSACTION",
                                     "ROLLBACK TRANSACTION", "BEGIN TRANSACTION"])
        self.assertEqual(self.server.wire.counter_values()["round_trips"], 1)

    def test_transaction_of_a_batch(self):
        """A client learns of a transaction that it began or ended by text, and of nothing more."""
        self.scripts["BEGIN TRAN"] = [events.Done(None, False, "")]
        client = self.raw()
        began, ended = client.batch("BEGIN TRAN"), client.batch("ROLLBACK TRANSACTION")
        self.assertEqual(began[:5], b"\xE3\x0B\0\x08\x08")
        self.assertEqual(began[-14:-12], b"\0\xFD")
        self.assertEqual(ended[:5], b"\xE3\x0B\0\x0A\0")
        self.assertEqual(ended[6:14], began[5:13])
        connection = self.connect()
        connection.cursor().execute("BEGIN TRAN")
        self.assertNotEqual(pytds_socket(connection).tds72_transaction, 0)
        connection.cursor().execute("COMMIT TRANSACTION")
        self.assertEqual(pytds_socket(connection).tds72_transaction, 0)

    def transaction(self, client, kind, name="", more=b""):
        """A transaction manager request; its name is counted in bytes."""
        raw = name.encode("utf-16-le")
        before = b"\0" if kind == 5 else b""
        client.request(packets.TRANSACTION, struct.pack("<H", kind) + before + bytes((len(raw),)) + raw + more)
        return client.transport.read_message()[2]

    def test_named_transactions(self):
        for text in ("BEGIN TRANSACTION [é]]]", "SAVE TRANSACTION [p]", "COMMIT TRANSACTION [é]]]"):
            self.scripts[text] = []
        client = self.raw()
        self.assertEqual(self.transaction(client, 5, "é]")[:5], b"\xE3\x0B\0\x08\x08")
        self.assertEqual(self.transaction(client, 9, "p")[0], 0xFD)
        self.assertEqual(self.transaction(client, 7, "é]", b"\0")[:5], b"\xE3\x0B\0\x09\0")
        self.assertEqual([r["name"] for r in self.server.record("transaction")], ["é]", "p", "é]"])

    def test_a_savepoint_ends_no_transaction(self):
        """Clients believe the ENVCHANGE: told of an end, they would go on outside the transaction."""
        self.scripts["ROLLBACK TRANSACTION [p]"] = []
        self.scripts["COMMIT TRANSACTION"] = []
        client = self.raw()
        client.batch("BEGIN TRANSACTION")
        session = self.server.engine.sessions[0]
        play, session._play = session._play, lambda key: iter(()) if "[p]" in key else play(key)
        self.assertEqual(self.transaction(client, 8, "p", b"\0")[0], 0xFD)
        self.assertEqual(self.transaction(client, 8, "", b"\0")[:5], b"\xE3\x0B\0\x0A\0")

    def test_reset_of_a_pooled_connection(self):
        """The bit stands on the next request, whose answer begins with the acknowledgement."""
        self.scripts["x"] = []
        client = self.raw()
        for bit, keep in ((packets.RESET, False), (packets.RESET_KEEP, True)):
            body = struct.pack("<IIHQI", 22, 18, 2, 0, 1) + "x".encode("utf-16-le")
            client.socket.sendall(struct.pack(">BBHHBB", packets.BATCH, 1 | bit, len(body) + 8, 0, 1, 0) + body)
            answer = client.transport.read_message()[2]
            self.assertEqual(answer[:6], b"\xE3\x03\0\x12\0\0")
            self.assertEqual(self.server.engine.sessions[0].seen[-2:], [("reset", keep), "x"])
        self.assertEqual(client.batch("x")[0], 0xFD)

    def test_columns_that_are_never_null(self):
        """Clients read them without a length, by the column's flag alone."""
        self.scripts["x"] = [events.Columns([events.Column("n", "int", nullable=False)]), events.Row([7]),
                             events.Done(1, False, "SELECT")]
        answer = self.raw().batch("x")
        self.assertEqual(answer[:10], b"\x81\1\0\0\0\0\0\0\0\x38")
        self.assertEqual(answer[13:18], b"\xD1\7\0\0\0")
        cursor = self.connect().cursor()
        cursor.execute("x")
        self.assertEqual(cursor.fetchall()[0][0], 7)

    def test_each_packet_is_encrypted_apart(self):
        """Microsoft's client loses its place where a TLS record holds parts of two packets."""
        self.scripts["x"] = [events.Columns([events.Column("t", "nvarchar", size=-1)]), events.Row(["x" * 20000]),
                             events.Done(1, False, "SELECT")]
        client = RawClient(self.server.port, host="localhost")
        self.addCleanup(client.close)
        client.encrypt(self.server.ca)
        client.login(packet_size=32767)
        client.request(packets.BATCH, "x".encode("utf-16-le"))
        sizes, end = [], 0
        while not end:
            record = client.transport._take(5)
            body = client.transport._take(int.from_bytes(record[3:5], "big"))
            client.transport._tls_in.write(record + body)
            plain = client.transport._tls.read(65536)
            self.assertEqual(int.from_bytes(plain[2:4], "big"), len(plain))
            sizes.append(len(plain))
            end = plain[1] & packets.END_OF_MESSAGE
        self.assertEqual(sizes[0], packets.MAX_TLS_PACKET)

    def test_time_and_offset_parameters(self):
        self.scripts["rpc p"] = [events.ReturnStatus(0)]
        client = self.raw()
        moment = (36001 * 10**7).to_bytes(5, "little")
        body = (struct.pack("<H", 1) + "p".encode("utf-16-le") + b"\0\0" + b"\0\0\x29\7\5" + moment +
                b"\0\0\x2B\7\x0A" + moment + (738000).to_bytes(3, "little") + struct.pack("<h", 120))
        client.request(packets.RPC, body)
        client.transport.read_message()
        given = self.server.engine.sessions[0].seen[0][1]
        self.assertEqual([p[1] for p in given], ["time(7)", "datetimeoffset(7)"])
        self.assertEqual(given[0][2], datetime.time(10, 0, 1))
        self.assertEqual(given[1][2].isoformat()[10:], "T12:00:01+02:00")

    def test_attention_while_running(self):
        self.scripts["long"] = until_cancelled
        client = self.raw()
        client.request(packets.BATCH, "long".encode("utf-16-le"))
        self.assertTrue(self.server.engine.running.wait(60))
        client.transport.send_packets(packets.ATTENTION, b"")
        self.assertEqual(done_statuses(client.transport.read_message()[2])[0], (0xFD, 0))
        # A message of its own: tedious waits for it, and leaves it for the next answer where it does not come.
        self.assertEqual(done_statuses(client.transport.read_message()[2]), [(0xFD, ATTENTION_DONE)])
        self.assertEqual(client.batch("x")[0], 0xAA)

    def test_attention_after_the_answer(self):
        self.scripts["x"] = []
        client = self.raw()
        client.batch("x")
        client.transport.send_packets(packets.ATTENTION, b"")
        answer = client.transport.read_message()[2]
        self.assertEqual(done_statuses(answer), [(0xFD, ATTENTION_DONE)])

    def test_timeout_of_python_tds(self):
        """Its timeout sends an attention; the same connection is usable afterwards."""
        self.scripts["long"] = until_cancelled
        self.scripts["n"] = number(9)
        cursor = self.connect(timeout=2).cursor()
        with self.assertRaises(Exception):
            cursor.execute("long")
            cursor.fetchall()
        self.assertEqual(len(self.server.record_wait("attention")), 1)
        cursor.execute("n")
        self.assertEqual(cursor.fetchall()[0][0], 9)

    def test_kill_of_an_idle_session(self):
        client = self.raw()
        self.server.engine.sessions[0].killed.set()
        self.assertTrue(client.ended())
        self.assertEqual(self.server.record_wait("disconnect")[0]["reason"], "killed")
        self.assertTrue(self.server.engine.sessions[0].closed)

    def test_kill_in_a_batch(self):
        self.scripts["long"] = until_cancelled
        client = self.raw()
        client.request(packets.BATCH, "long".encode("utf-16-le"))
        self.assertTrue(self.server.engine.running.wait(60))
        self.server.engine.sessions[0].killed.set()
        answer = client.transport.read_message()[2]
        self.assertIn(struct.pack("<iBB", 596, 1, 21), answer)
        self.assertTrue(client.ended())
        self.assertEqual(self.server.record_wait("disconnect")[0]["reason"], "killed")

    def test_client_gone_while_running(self):
        self.scripts["long"] = until_cancelled
        client = self.raw()
        client.request(packets.BATCH, "long".encode("utf-16-le"))
        self.assertTrue(self.server.engine.running.wait(60))
        client.close()
        self.server.record_wait("disconnect")
        self.assertTrue(self.server.engine.sessions[0].closed)

    def test_malformed(self):
        text = "x".encode("utf-16-le")
        cases = (("ALL_HEADERS", packets.BATCH, b"\xFF\xFF\0\0" + text),
                 ("transaction header", packets.BATCH, struct.pack("<I", 4) + text),
                 ("not UTF-16", packets.BATCH, struct.pack("<IIHQI", 22, 18, 2, 0, 1) + b"\0"),
                 ("after the login", packets.BULK, b""),
                 ("after the login", packets.LOGIN7, b""),
                 ("cut short", packets.RPC, struct.pack("<IIHQI", 22, 18, 2, 0, 1) + b"\x09\0a"),
                 ("procedure id 99", packets.RPC, struct.pack("<IIHQIHHH", 22, 18, 2, 0, 1, 0xFFFF,
                                                              99, 0)),
                 ("request 0 ", packets.TRANSACTION, struct.pack("<IIHQIH", 22, 18, 2, 0, 1, 0)))
        for count, (why, kind, body) in enumerate(cases, 1):
            with self.subTest(why=why, kind=kind):
                client = self.raw()
                client.transport.send_packets(kind, body)
                self.assertTrue(client.ended())
                self.assertIn(why, self.server.record_wait("disconnect", count)[-1]["reason"])
        self.assertEqual(self.server.record("own-fault"), [])

    def test_request_before_the_answer(self):
        self.scripts["long"] = until_cancelled
        client = self.raw()
        for _ in range(2):
            client.request(packets.BATCH, "long".encode("utf-16-le"))
        self.assertIn("second request", self.server.record_wait("disconnect")[0]["reason"])


if __name__ == "__main__":
    unittest.main()
