#!/usr/bin/python3
"""A table that somebody empties keeps the server from saying what its users may do: that costs others no access."""

import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import LabCase  # noqa: E402
from lab import days, local  # noqa: E402

DEADLINE = 20


def setUpModule():
    lab.require()


class Emptied(LabCase):
    def people(self, n):
        return [{"first": "Jane" + chr(ord("a") + i), "last": "Doe", "email": f"{i}@acme.example",
                 "sources": list(lab.JANE)} for i in range(n)]

    def test_many_users_of_the_database(self):
        """TRUNCATE TABLE and a load hold Sch-M to the end of their transaction."""
        found = self.lab_make(servers={"sql01": ("AcmeTest", "ZetaTest")}, limits={"server_deadline": DEADLINE},
                              program={"max_users": 20})
        golive = lab.now() + days(20)
        users = self.people(8)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], users=users, **self.dates(golive))
        found.client_add("zeta", [("staging", "sql01", "ZetaTest")], **self.dates(golive))
        found.server.sql("GRANT SELECT ON OBJECT::[dbo].[Orders] TO [public]", "AcmeTest")
        self.applied(found.agent)
        found.server.sql("CREATE LOGIN [dev] WITH PASSWORD = N'Some-Passw0rd-of-dev', CHECK_POLICY = OFF")
        found.server.sql("CREATE USER [dev] FOR LOGIN [dev]; ALTER ROLE [db_owner] ADD MEMBER [dev]", "AcmeTest")
        dev = found.person("jane")
        self.works(dev.login("dev", "Some-Passw0rd-of-dev", "AcmeTest"))
        self.works(dev.sql("BEGIN TRANSACTION; TRUNCATE TABLE dbo.Orders"))

        at, began = local(golive + days(1)), time.monotonic()
        told = found.agent.apply(at, expect=2)
        self.assertLess(time.monotonic() - began, DEADLINE)
        self.assertRegex(told.out, r"met a lock: another session holds a lock on its catalog \(1222\)")
        logins = [f"acme.{u['first'].lower()}.doe" for u in users]
        for login in logins:
            self.assertEqual(found.server.login(login)[1], True, "not verified")
            self.assertEqual(found.server.roles(login, "AcmeTest"), ["curfew_read_only"])
        self.assertEqual(found.server.login("zeta.jane.doe")[1], False)
        self.assertEqual(found.server.roles("zeta.jane.doe", "ZetaTest"), ["curfew_read_only"])
        self.works(dev.sql("ROLLBACK"))
        self.applied(found.agent, at)
        for login in logins:
            self.assertEqual(found.server.login(login)[1], False)


if __name__ == "__main__":
    unittest.main()
