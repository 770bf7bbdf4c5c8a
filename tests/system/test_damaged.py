#!/usr/bin/python3
"""A database in which a reading ends the session: it is unread, and the rest of its server goes on in the same pass."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import OWN_PASSWORD, USER, LabCase  # noqa: E402
from lab import days, local  # noqa: E402

ZETA = "zeta.jane.doe"


def setUpModule():
    lab.require()


class Damaged(LabCase):
    def two_clients(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest", "ZetaTest")})
        golive = lab.now() + days(20)
        for name, database in (("acme", "AcmeTest"), ("zeta", "ZetaTest")):
            found.client_add(name, [("staging", "sql01", database)], **self.dates(golive))
        return found, local(golive + days(1))

    def zeta_reads(self, found):
        self.assertEqual(found.server.roles(ZETA, "ZetaTest"), ["curfew_read_only"])
        self.assertFalse(found.server.login(ZETA)[1])

    def test_its_catalog(self):
        found, at = self.two_clients()
        self.applied(found.agent)
        found.server.faults(damaged={"AcmeTest": "database_permissions"})
        told = found.agent.apply(at, expect=(1, 2))
        self.assertIn("ends the session", told.out)
        self.assertTrue(found.server.login(USER)[1])
        self.zeta_reads(found)
        for command in ("plan", "status", "audit"):
            result = found.agent.curfew(command, "--at", at) if command == "plan" else found.agent.curfew(command)
            self.assertIn("824", result.out, command)
            self.assertNotIn("nreachable", result.out, command)
        found.server.faults()
        self.applied(found.agent, at)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.assertFalse(found.server.login(USER)[1])

    def sessions_go_on(self, place, copied=False):
        """`place`: where a session of Zeta's login is when another client's database is damaged. Go-live narrows Zeta."""
        found, at = self.two_clients()
        self.applied(found.agent)
        zeta = found.person("jane")
        password = found.agent.handover("zeta", ZETA)
        zeta.login(ZETA, password, "ZetaTest", new_password=OWN_PASSWORD)
        if copied:
            found.server.sql("BACKUP DATABASE [ZetaTest] TO DISK = N'zeta.bak'; "
                             f"RESTORE DATABASE [{place}] FROM DISK = N'zeta.bak'; ALTER DATABASE [{place}] SET SINGLE_USER")
        self.works(zeta.login(ZETA, OWN_PASSWORD, place))
        found.server.faults(damaged={"AcmeTest": "database_permissions"})
        return found, at

    def test_sessions_are_elsewhere_meanwhile(self):
        """Everybody may be in a system database: a session there is no reason to read nothing."""
        for place in ("master", "tempdb", "ZetaTest"):
            with self.subTest(place=place):
                found, at = self.sessions_go_on(place)
                told = found.agent.apply(at, expect=(1, 2))
                self.assertNotIn("nreachable", told.out)
                self.zeta_reads(found)
                found.close()

    def test_an_ended_session_has_shown_a_copy(self):
        """No visit but the first sees the session, which it ends: the others know of it all the same."""
        found, at = self.sessions_go_on("ZetaCopy", copied=True)
        for _ in range(2):
            told = found.agent.apply(at, expect=(1, 2))
            self.assertNotIn("nreachable", told.out)
            self.assertIn("ZetaCopy", told.out)
            self.assertTrue(found.server.login(ZETA)[1])
            # Whoever is alone in it keeps it from being read; then somebody else has the place.
            found.server.sql("ALTER DATABASE [ZetaCopy] SET OFFLINE WITH ROLLBACK IMMEDIATE")

    def test_only_what_its_baseline_reads(self):
        """Nobody gets into it, for what is there before is not known; the others get in."""
        found, _ = self.two_clients()
        found.server.faults(damaged={"AcmeTest": "sql_modules"})
        found.agent.apply(expect=(1, 2))
        self.assertFalse(found.server.user(USER, "AcmeTest"))
        self.assertEqual(found.server.roles(ZETA, "ZetaTest"), ["curfew_full"])
        self.assertFalse(found.server.login(ZETA)[1])
        found.server.faults()
        self.applied(found.agent)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_full"])

    def test_only_what_an_audit_reads(self):
        """Each finding is told once."""
        found, at = self.two_clients()
        self.applied(found.agent)
        found.server.sql("GRANT SELECT ON SCHEMA::[dbo] TO [public]", "ZetaTest")
        before = found.agent.curfew("audit").out
        found.server.faults(damaged={"AcmeTest": "symmetric_keys"})
        told = found.agent.curfew("audit").out
        self.assertIn("824", told)
        self.assertEqual(told.count("public-grant"), before.count("public-grant"))
        self.assertIn("public-grant", told)

    def test_what_an_audit_reads_after_it_has_told(self):
        """Its visit is run again and again, and what it had told by then stands there once."""
        found, _ = self.two_clients()
        self.applied(found.agent)
        found.server.sql("GRANT SELECT ON SCHEMA::[dbo] TO [public]", "ZetaTest")
        found.server.faults(damaged={"AcmeTest": "plan_guides"})
        audit = found.agent.curfew("audit", "--json").json
        self.assertEqual([proof["login"] for proof in audit["proofs"]].count(ZETA), 1)
        self.assertEqual([proof["login"] for proof in audit["proofs"]].count(USER), 1)
        self.assertEqual([finding["name"] for finding in audit["findings"]].count("public-grant"), 1)

    def test_a_first_pass_knows_its_own_logins(self):
        """The visit that goes again finds them marked, and the journal empty: they are of this pass, and no record is missing."""
        found, _ = self.two_clients()
        found.server.faults(damaged={"AcmeTest": "database_permissions"}, damaged_after="CREATE LOGIN")
        told = " ".join(found.agent.apply(expect=(1, 2)).out.split())
        self.assertIn("824", told)
        self.assertNotIn("accept-loss", told)
        self.assertEqual(found.server.roles(ZETA, "ZetaTest"), ["curfew_full"])
        self.assertFalse(found.server.login(ZETA)[1])
        found.server.faults()
        self.applied(found.agent)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_full"])

    def test_a_first_pass_finds_anothers_login(self):
        """One that no visit of this pass made: records are missing, however often it is visited."""
        found, _ = self.two_clients()
        found.server.sql("CREATE LOGIN [old.jane.doe] WITH PASSWORD = N'Old-Password-1'; "
                         "ALTER SERVER ROLE [curfew_logins] ADD MEMBER [old.jane.doe]")
        found.server.faults(damaged={"AcmeTest": "database_permissions"})
        told = " ".join(found.agent.apply(expect=(1, 2)).out.split())
        self.assertIn("824", told)
        self.assertIn("accept-loss", told)
        self.assertFalse(found.server.login(ZETA))

    def test_two_of_them(self):
        found = self.lab_make(servers={"sql01": ("AcmeTest", "BetaTest", "ZetaTest")})
        golive = lab.now() + days(20)
        for name, database in (("acme", "AcmeTest"), ("beta", "BetaTest"), ("zeta", "ZetaTest")):
            found.client_add(name, [("staging", "sql01", database)], **self.dates(golive))
        self.applied(found.agent)
        found.server.faults(damaged={"AcmeTest": "schemas", "BetaTest": "database_principals"})
        found.agent.apply(local(golive + days(1)), expect=(1, 2))
        self.zeta_reads(found)
        for login in (USER, "beta.jane.doe"):
            self.assertTrue(found.server.login(login)[1])

    def test_very_many_of_them(self):
        """Each is found by a visit of its own; the one that is not damaged is served by the same pass."""
        damaged = [f"Acme{n:02}" for n in range(12)]
        found = self.lab_make(servers={"sql01": (*damaged[:6], "ZetaTest", *damaged[6:])})
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", database) for database in damaged], **self.dates(golive))
        found.client_add("zeta", [("staging", "sql01", "ZetaTest")], **self.dates(golive))
        self.applied(found.agent)
        found.server.faults(damaged={database: "database_permissions" for database in damaged})
        told = found.agent.apply(local(golive + days(1)), expect=(1, 2))
        self.assertNotIn("nreachable", told.out)
        self.zeta_reads(found)
        self.assertTrue(found.server.login(USER)[1])


if __name__ == "__main__":
    unittest.main()
