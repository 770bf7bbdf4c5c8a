#!/usr/bin/python3
"""A quiet pass takes three round trips, however many users and databases there are. A database that cannot be read still
concerns its own logins alone: that is tests/sql/test_catalog.c and test_sql_blocked.py."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import LabCase  # noqa: E402
from lab import days, local  # noqa: E402

PHASES = {"opening": 10, "go-live": 10, "end": 10}
OBJECTS = int(os.environ.get("CURFEW_OBJECTS", 3000))   # 50000: less than a minute
AT_MOST = 3   # settings, server, databases


def setUpModule():
    lab.require()


class RoundTrips(LabCase):
    def quiet(self, clients, users_each):
        databases = [f"Db{number:02}" for number in range(clients)]
        found = self.lab_make(servers={"sql01": databases}, program={"max_users": users_each},
                              limits={"server_deadline": 600})
        for number, database in enumerate(databases):
            found.agent.client_add(
                f"client{number:02}",
                databases=[{"role": "staging", "server": "sql01", "name": database}],
                users=[{"first": f"User{user}", "last": "Doe",
                        "email": f"user{user}@client{number}.example",
                        "sources": [f"203.0.113.{user + 1}"]} for user in range(users_each)],
                **self.dates(lab.now() + days(20)))
        found.agent.write()
        found.agent.bootstrap("sql01", found.server)
        began = time.monotonic()
        found.agent.curfew("apply", expect=0, seconds=600)
        opened = time.monotonic() - began
        logins = found.server.sql("SELECT COUNT(*) FROM sys.server_principals "
                                  "WHERE name LIKE N'client%' AND is_disabled = 0")
        self.assertEqual(logins, [[clients * users_each]])
        found.server.counters(reset=True)
        began = time.monotonic()
        result = found.agent.curfew("apply", "--json", expect=0, seconds=600).json
        took = time.monotonic() - began
        counted = found.server.counters()["round_trips"]
        self.assertEqual(result["planned"], 0)
        self.assertEqual(result["round_trips"], counted, "what it says and what the server counts")
        self.assertLessEqual(counted, AT_MOST)
        print(f"{clients * users_each} users over {clients} databases: quiet pass {counted} round trips, "
              f"{took:.2f} s; opening them all {opened:.1f} s", file=sys.stderr)

    def test_one_user(self):
        self.quiet(1, 1)

    def test_three_hundred_users(self):
        self.quiet(20, 15)


class Proof(LabCase):
    """What a user may do is asked of the objects on which somebody holds something, and of schemas and the database for all
    others: a database with many objects costs no more questions of HAS_PERMS_BY_NAME than one with few."""

    def asked(self, found, database):
        found.server.counters(reset=True)
        found.agent.apply(expect=0)
        return found.server.counters()["permission_checks"]

    def test_many_objects(self):
        counts = {}
        for objects in (20, OBJECTS):
            found = self.lab_make(limits={"server_deadline": 600})
            for first in range(0, objects, 500):
                found.server.sql("".join(f"CREATE TABLE dbo.T{number} (Id int);"
                                         for number in range(first, min(first + 500, objects))), "AcmeTest")
            found.server.sql("GRANT SELECT ON OBJECT::dbo.T7 TO [public]", "AcmeTest")
            found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
            began = time.monotonic()
            counts[objects] = self.asked(found, "AcmeTest")
            print(f"{objects} objects: {counts[objects]} questions of HAS_PERMS_BY_NAME in an opening, "
                  f"{time.monotonic() - began:.1f} s", file=sys.stderr)
        self.assertEqual(counts[20], counts[OBJECTS])
        self.assertGreater(counts[20], 30)


class Phases(LabCase):
    """Thirty users on ten databases: the number of statements does not change the number of round trips."""

    def counted(self, found, at=None):
        found.server.counters(reset=True)
        result = found.agent.curfew("apply", "--json", *(["--at", local(at)] if at else []), expect=0).json
        counted = found.server.counters()["round_trips"]
        self.assertEqual(result["round_trips"], counted)
        self.assertGreaterEqual(result["done"], 30)
        return counted

    def test_opening_go_live_and_end(self):
        databases = [f"Db{number:02}" for number in range(10)]
        found = self.lab_make(servers={"sql01": databases}, program={"max_users": 3},
                              limits={"server_deadline": 600})
        golive = lab.now() + days(20)
        for number, database in enumerate(databases):
            found.agent.client_add(
                f"client{number:02}", databases=[{"role": "staging", "server": "sql01", "name": database}],
                users=[{"first": f"User{user}", "last": "Doe", "email": f"user{user}@client{number}.example",
                        "sources": [f"203.0.113.{user + 1}"]} for user in range(3)], **self.dates(golive))
        found.agent.write()
        found.agent.bootstrap("sql01", found.server)
        trips = {"opening": self.counted(found), "go-live": self.counted(found, golive),
                 "end": self.counted(found, golive + days(400))}
        print(trips, file=sys.stderr)
        for phase, counted in trips.items():
            self.assertLessEqual(counted, PHASES[phase], phase)


if __name__ == "__main__":
    unittest.main()
