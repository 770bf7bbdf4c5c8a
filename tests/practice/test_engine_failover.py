"""A database of an availability group goes from one practice server to another, with its users, rights, and rows."""
import unittest

from engine import Server
from engine.failover import database_give, database_take
from engine_base import PASSWORD, EngineCase

SID = "0x14585E90117152449347750164BA00A7"


class Failover(EngineCase):
    SCRIPT = """
CREATE TABLE dbo.t (x int, name nvarchar(20))
GO
INSERT INTO dbo.t VALUES (1, N'Ada'), (2, N'Bert')
GO
CREATE ROLE readers
GO
GRANT SELECT ON SCHEMA::dbo TO readers
GO
CREATE VIEW dbo.v AS SELECT name FROM dbo.t
"""

    def setUp(self):
        super().setUp()
        self.other = Server(sa_password="Sa!pass1")
        self.other.run_script("CREATE DATABASE shop")
        for server in (self.server, self.other):
            server.run_script(f"CREATE LOGIN jane WITH PASSWORD = N'{PASSWORD}', SID = {SID}")
        self.ok(self.sa, "CREATE USER jane FOR LOGIN jane")
        self.ok(self.sa, "ALTER ROLE readers ADD MEMBER jane")

    def fail_over(self):
        database_take(self.other, database_give(self.server, "shop"))
        self.server.features.database_state = {"shop": "secondary"}

    def there(self, user, password=PASSWORD):
        return self.other.login(user=user, password=password, database="shop", app="test", host="box",
                                address="192.0.2.7")

    def test_people_work_on(self):
        self.fail_over()
        jane = self.there("jane")
        self.assertEqual(self.ok(jane, "SELECT name FROM dbo.v ORDER BY name"), [("Ada",), ("Bert",)])
        self.fails(jane, "DELETE FROM dbo.t", 229)
        self.login_fails(4060, "jane")

    def test_two_copies_are_two(self):
        self.fail_over()
        boss = self.there("sa", "Sa!pass1")
        self.ok(boss, "INSERT INTO dbo.t VALUES (3, N'Cleo')")
        self.ok(boss, "DROP USER jane")
        self.ok(boss, "BEGIN TRAN; CREATE ROLE later; ROLLBACK")
        self.server.features.database_state = {}
        self.assertEqual(self.one(self.sa, "SELECT COUNT(*) FROM dbo.t"), 2)
        self.assertEqual(self.one(self.sa, "SELECT COUNT(*) FROM sys.database_principals WHERE name = N'jane'"), 1)

    def test_another_sid_is_an_orphan(self):
        self.other.run_script("DROP LOGIN jane")
        self.other.run_script(f"CREATE LOGIN jane WITH PASSWORD = N'{PASSWORD}'")
        self.fail_over()
        with self.assertRaises(Exception) as caught:
            self.there("jane")
        self.assertEqual(caught.exception.number, 4060)

    def test_a_sid_is_used_once(self):
        boss = self.there("sa", "Sa!pass1")
        self.fails(boss, f"CREATE LOGIN joe WITH PASSWORD = N'{PASSWORD}', SID = {SID}", 15433)


if __name__ == "__main__":
    unittest.main()
