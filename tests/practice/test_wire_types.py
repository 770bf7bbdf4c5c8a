"""Every type as python-tds and FreeTDS decode it: values, NULLs, Unicode, long values."""

import datetime
import decimal
import unittest
import uuid

from wire.sqltypes import WireTypeError, type_encoder
from wire.testing import LocalServer, events

MOMENT = datetime.datetime(2026, 11, 23, 9, 0, 59, 997000)
FINE = datetime.datetime(2026, 11, 23, 9, 0, 59, 123456)
GUID = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")
TEXT = "Zoë €𝄞漢"
D = decimal.Decimal

# (type, size, precision, scale), value of the engine, what python-tds reads, what tsql prints
VALUES = (
    (("bit",), True, True, "1"),
    (("bit",), False, False, "0"),
    (("tinyint",), 255, 255, "255"),
    (("smallint",), -32768, -32768, "-32768"),
    (("int",), -2**31, -2**31, "-2147483648"),
    (("int",), 2**31 - 1, 2**31 - 1, "2147483647"),
    (("bigint",), -2**63, -2**63, "-9223372036854775808"),
    (("float",), -1.25e100, -1.25e100, "-1.25e+100"),
    (("real",), 0.5, 0.5, "0.5"),
    (("decimal", 0, 10, 2), D("-12345678.90"), D("-12345678.90"), "-12345678.90"),
    (("decimal", 0, 38, 0), D(10**38 - 1), D(10**38 - 1), str(10**38 - 1)),
    (("numeric", 0, 18, 4), 1.5, D("1.5"), "1.5000"),
    (("money",), D("-1.5"), D("-1.5"), "-1.5000"),
    (("nvarchar", 128), TEXT, TEXT, TEXT),
    (("nvarchar", 128), "", "", ""),
    (("nvarchar", 4000), "é" * 4000, "é" * 4000, "é" * 4000),
    (("nvarchar", -1), TEXT * 20000, TEXT * 20000, TEXT * 20000),
    (("nvarchar", -1), "", "", ""),
    (("varchar", 10), "Zoë €", "Zoë €", "Zoë €"),
    (("varchar", -1), "ü" * 100000, "ü" * 100000, "ü" * 100000),
    (("varchar", 10), "漢", "?", "?"),
    (("char", 5), "ab", "ab   ", "ab   "),
    (("nchar", 5), "äb", "äb   ", "äb   "),
    (("varbinary", 85), b"\x01\x00\xff", b"\x01\x00\xff", "0100ff"),
    (("varbinary", -1), bytes(range(256)) * 100, bytes(range(256)) * 100, None),
    (("binary", 4), b"\xab", b"\xab\0\0\0", "ab000000"),
    (("datetime",), MOMENT, MOMENT, "Nov 23 2026 09:00AM"),
    (("datetime",), datetime.datetime(1753, 1, 1), datetime.datetime(1753, 1, 1), None),
    (("datetime2", 0, 0, 7), FINE, FINE, "Nov 23 2026 09:00AM"),
    (("datetime2", 0, 0, 0), FINE, FINE.replace(microsecond=0), None),
    (("datetime2", 0, 0, 3), datetime.datetime(1, 1, 1), datetime.datetime(1, 1, 1), None),
    (("date",), datetime.date(9999, 12, 31), datetime.date(9999, 12, 31), None),
    (("time", 0, 0, 3), datetime.time(1, 2, 3, 4000), datetime.time(1, 2, 3, 4000), None),
    (("uniqueidentifier",), GUID, GUID, str(GUID).upper()),
    (("sql_variant",), 5, 5, "5"),
    (("sql_variant",), 2**40, 2**40, str(2**40)),
    (("sql_variant",), True, True, "1"),
    (("sql_variant",), "16.0.4135.4 é", "16.0.4135.4 é", "16.0.4135.4 é"),
    (("sql_variant",), D("1.25"), D("1.25"), "1.25"),
    (("sql_variant",), 1.5, 1.5, "1.5"),
    (("sql_variant",), b"\x01\x02", b"\x01\x02", "0102"),
    (("sql_variant",), MOMENT, MOMENT, None),
    (("sql_variant",), GUID, GUID, None),
)

# Values that no server could have put into a column of that type.
IMPOSSIBLE = (
    (("tinyint",), -1), (("int",), 2**31), (("int",), 1.5), (("bit",), 2),
    (("nvarchar", 2), "abc"), (("varchar", 2), b"a"), (("varbinary", 2), "a"),
    (("varbinary", 2), b"abc"), (("decimal", 0, 3, 1), D("123")),
    (("datetime",), datetime.datetime(1752, 12, 31)), (("nvarchar", 4001), "a"),
    (("geography",), b""), (("sql_variant",), "x" * 5000),
)


def column(declared, name="c"):
    kind, size, precision, scale = (*declared, 0, 0, 0)[:4]
    return events.Column(name, kind, True, size, precision, scale)


def one_row(columns, values):
    return [events.Columns(columns), events.Row(values), events.Done(1, False, "SELECT")]


class Types(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = LocalServer()
        for index, (declared, value, _, _) in enumerate(VALUES):
            cls.server.scripts[f"value {index}"] = one_row([column(declared)], [value])
            cls.server.scripts[f"null {index}"] = one_row([column(declared)], [None])

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def test_python_tds(self):
        connection = self.server.pytds()
        cursor = connection.cursor()
        for index, (declared, value, expected, _) in enumerate(VALUES):
            with self.subTest(declared=declared, value=str(value)[:40]):
                cursor.execute(f"value {index}")
                found = cursor.fetchall()[0][0]
                self.assertEqual(found, expected)
                self.assertIs(type(found), type(expected))
                cursor.execute(f"null {index}")
                self.assertIsNone(cursor.fetchall()[0][0])
        connection.close()

    def test_freetds(self):
        for index, (declared, value, _, expected) in enumerate(VALUES):
            if expected is None:
                continue
            with self.subTest(declared=declared, value=str(value)[:40]):
                status, out = self.server.tsql([f"value {index}", f"null {index}"])
                self.assertEqual(status, 0, out)
                self.assertEqual(out.splitlines(), ["c", expected, "c", "NULL"])

    def test_every_type_in_one_row(self):
        """A wrong length anywhere would shift every later column."""
        columns = [column(declared, f"c{i}") for i, (declared, *_) in enumerate(VALUES)]
        self.server.scripts["all"] = one_row(columns, [value for _, value, _, _ in VALUES])
        self.server.scripts["all null"] = one_row(columns, [None] * len(VALUES))
        connection = self.server.pytds()
        cursor = connection.cursor()
        cursor.execute("all")
        self.assertEqual(list(cursor.fetchall()[0]), [expected for _, _, expected, _ in VALUES])
        self.assertEqual([d[0] for d in cursor.description], [c.name for c in columns])
        cursor.execute("all null")
        self.assertEqual(set(cursor.fetchall()[0]), {None})
        connection.close()

    def test_impossible_values(self):
        for declared, value in IMPOSSIBLE:
            with self.subTest(declared=declared, value=str(value)[:40]):
                kind, size, precision, scale = (*declared, 0, 0, 0)[:4]
                with self.assertRaises(WireTypeError):
                    type_encoder(kind, size, precision, scale)[1](value)

    def test_many_rows(self):
        """Some megabytes, so that answers span many packets and several flushes."""
        columns = [column(("int",), "n"), column(("nvarchar", 200), "t")]
        self.server.scripts["many"] = lambda session: iter(
            [events.Columns(columns)] + [events.Row([i, f"row {i} €" * 10]) for i in range(20000)]
            + [events.Done(20000, False, "SELECT")])
        connection = self.server.pytds()
        cursor = connection.cursor()
        cursor.execute("many")
        rows = cursor.fetchall()
        self.assertEqual(len(rows), 20000)
        self.assertEqual(tuple(rows[-1]), (19999, "row 19999 €" * 10))
        connection.close()
        status, out = self.server.tsql(["many"])
        self.assertEqual(status, 0)
        self.assertEqual(len(out.splitlines()), 20001)
        self.assertEqual(out.splitlines()[-1], "19999\t" + "row 19999 €" * 10)


if __name__ == "__main__":
    unittest.main()
