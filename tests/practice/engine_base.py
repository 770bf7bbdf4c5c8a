"""Shared by all tests of the engine: a server, sessions, and short functions to run SQL."""
import unittest

from engine import Message, Row, Server, SqlError

PASSWORD = "Str0ng!pass"


class EngineCase(unittest.TestCase):
    SCRIPT = ""

    def setUp(self):
        self.server = Server(sa_password="Sa!pass1")
        self.server.run_script("CREATE DATABASE shop")
        if self.SCRIPT:
            self.server.run_script(self.SCRIPT, "shop")
        self.sa = self.session("sa", "Sa!pass1", "shop")

    def session(self, user, password=PASSWORD, database="shop", **more):
        return self.server.login(user=user, password=password, database=database, app="test",
                                 host="box", address="192.0.2.7", **more)

    def login(self, name, database="shop", user=True):
        """A session of a new login with a user in the database."""
        self.ok(self.sa, f"CREATE LOGIN [{name}] WITH PASSWORD = N'{PASSWORD}'")
        if user:
            self.ok(self.sa, f"CREATE USER [{name}] FOR LOGIN [{name}]")
        return self.session(name, database=database)

    @staticmethod
    def run_batch(session, sql, params=()):
        """(rows, error numbers) of a batch."""
        rows, errors = [], []
        for e in session.execute(sql, params):
            if isinstance(e, Row):
                rows.append(tuple(e.values))
            elif isinstance(e, Message) and e.severity > 10:
                errors.append(e.number)
        return rows, errors

    def ok(self, session, sql, params=()):
        rows, errors = self.run_batch(session, sql, params)
        self.assertEqual(errors, [], sql)
        return rows

    def one(self, session, sql):
        rows = self.ok(session, sql)
        self.assertEqual(len(rows), 1, sql)
        return rows[0][0] if len(rows[0]) == 1 else rows[0]

    def fails(self, session, sql, *numbers):
        self.assertEqual(self.run_batch(session, sql)[1], list(numbers), sql)

    def login_fails(self, number, user, password=PASSWORD, database="shop", **more):
        with self.assertRaises(SqlError) as caught:
            self.session(user, password, database, **more)
        self.assertEqual(caught.exception.number, number)
