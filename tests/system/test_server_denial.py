#!/usr/bin/python3
"""A denial on one login or server role hides it from the agent, which holds VIEW ANY DEFINITION all the same: whoever is hidden
is not gone, what a hidden role gives is not verified, and nobody else's access ends for it."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from audit_lab import checks  # noqa: E402
from case import OWN_PASSWORD, USER, LabCase  # noqa: E402
from lab import day, days, local, seconds  # noqa: E402

JOHN = "acme.john.roe"
PEOPLE = tuple({"first": first, "last": last, "email": f"{first}@acme.example".lower(), "sources": list(where)}
               for first, last, where in (("Jane", "Doe", lab.JANE), ("John", "Roe", lab.OTHER), ("Ann", "Lee", lab.OTHER)))
PLACES = [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd", "full")]


def setUpModule():
    lab.require()


class Hidden(LabCase):
    def made(self, users=PEOPLE[:1], **options):
        """Full access of the users, who go live in five days; Jane has her own password."""
        found = self.lab_make(limits={"connect_timeout": 10, "server_deadline": 60}, **options)
        found.client_add("acme", PLACES, users=users, **self.dates(lab.now() + days(5)))
        self.applied(found.agent)
        jane = found.person("jane")
        self.first_login(found, jane, found.agent.handover("acme", USER))
        return found, jane

    def went_live(self, found, ago):
        found.agent.clients["acme"].update(go_live=local(lab.now() - ago), starts=day(lab.now() - ago - days(10)),
                                           approved_on=day(lab.now() - ago - days(12)))
        found.agent.write()

    def named(self, found, statement, *words):
        """In status, in the finding, and by check-server, each with what a DBA runs."""
        status = found.agent.curfew("status", expect=(1, 2))
        self.assertIn(statement, status.out)
        for word in words:
            self.assertIn(word, status.out)
        audit = found.agent.curfew("audit", "--json", expect=2).json
        self.assertIn(statement, "\n".join(f["remedy"] for f in audit["findings"] if "server-denial" in checks(f)))
        check = found.agent.curfew("check-server", "sql01", "--json", expect=2).json
        line, = (c for c in check["checks"] if c["name"] == "denials")
        self.assertEqual(line["result"], "FAIL")
        self.assertIn(statement, line["fix"])

    def certificate(self, found, expect):
        return found.agent.curfew("certificate", "acme", expect=expect)

    def removal(self, permission, to, refused):
        """After the end: closed at each pass, not certified, and certified once a DBA has revoked the denial."""
        found, jane = self.made()
        found.server.sql(f"DENY {permission} ON LOGIN::[{USER}] TO [{to}]", "master")
        self.went_live(found, days(31))
        for _ in range(2):
            result = found.agent.curfew("apply", expect=(1, 2))
            self.assertNotIn("it was gone already", result.out)
            self.assertEqual(found.server.login(USER)[1], not refused)
            self.assertEqual(found.server.sessions_of(USER), [])
        self.named(found, f"REVOKE {permission} ON LOGIN::[{USER}] FROM [{to}]", USER)
        self.assertNotEqual(self.certificate(found, (1, 2)).code, 0)
        if refused:
            self.assertNotIn("login dropped", found.agent.curfew("history", "acme").out)
        found.server.sql(f"REVOKE {permission} ON LOGIN::[{USER}] FROM [{to}]", "master")
        found.agent.apply()
        self.assertIsNone(found.server.login(USER))
        self.certificate(found, 0)

    def test_a_hidden_login_is_not_gone(self):
        self.removal("VIEW DEFINITION", "curfew_agent", False)

    def test_nor_one_that_cannot_be_disabled(self):
        self.removal("CONTROL", "curfew_agent", True)

    def test_nor_one_that_is_hidden_from_everybody(self):
        self.removal("CONTROL", "public", True)

    def test_nor_one_that_is_hidden_from_a_role_of_the_agent(self):
        found, _ = self.made()
        found.server.sql("CREATE SERVER ROLE [watchers]; ALTER SERVER ROLE [watchers] ADD MEMBER [curfew_agent]; "
                         f"DENY VIEW DEFINITION ON LOGIN::[{USER}] TO [watchers]", "master")
        self.went_live(found, days(31))
        found.agent.curfew("apply", expect=(1, 2))
        self.named(found, f"REVOKE VIEW DEFINITION ON LOGIN::[{USER}] FROM [watchers]")
        self.certificate(found, (1, 2))

    def test_a_hidden_member_of_a_fixed_role_does_not_hide_the_server(self):
        """Everybody sees the members of fixed roles by their ids."""
        found, _ = self.made(users=PEOPLE[:2])
        found.server.sql(f"DENY VIEW DEFINITION ON LOGIN::[{USER}] TO [curfew_agent]; "
                         f"ALTER SERVER ROLE [dbcreator] ADD MEMBER [{USER}]", "master")
        found.agent.clients["acme"]["users"] = found.agent.clients["acme"]["users"][:1]
        found.agent.write()
        found.agent.curfew("apply", expect=(1, 2))
        self.assertIsNone(found.server.login(JOHN), "what ended is removed where somebody else is hidden")
        self.named(found, f"REVOKE VIEW DEFINITION ON LOGIN::[{USER}] FROM [curfew_agent]")

    def test_whoever_is_hidden_is_shut_and_nobody_else(self):
        """By a DBA who may only manage logins. Those who are verified keep what they have; what is new waits."""
        found, jane = self.made(users=PEOPLE[:2])
        john = found.person("other")
        secret = found.agent.handover("acme", JOHN)
        self.refused(john.login(JOHN, secret, "AcmeTest"), 18488)
        self.works(john.login(JOHN, secret, "AcmeTest", new_password=OWN_PASSWORD))
        elements = len(found.agent.elements())
        found.server.sql("CREATE LOGIN [low] WITH PASSWORD = N'Some-Passw0rd-7'; GRANT ALTER ANY LOGIN TO [low]; "
                         "EXECUTE AS LOGIN = N'low'; "
                         f"DENY VIEW DEFINITION ON LOGIN::[{USER}] TO [curfew_agent]; REVERT", "master")
        found.server.sql("CREATE DATABASE [LaterTest]")
        found.client_add("later", [("staging", "sql01", "LaterTest")], users=PEOPLE[2:],
                         **self.dates(lab.now() + days(5)))
        for _ in range(2):
            found.agent.curfew("apply", expect=(1, 2))
            self.assertTrue(found.server.login(USER)[1], "hidden, so disabled")
            self.assertFalse(found.server.login(JOHN)[1])
            self.works(john.sql("SELECT COUNT(*) FROM dbo.Orders"))
            self.assertIsNone(found.server.login("later.ann.lee"))
        self.assertEqual(found.server.sessions_of(USER), [])
        self.silent(jane)
        self.reaches(john)
        self.assertLess(len(found.agent.elements()), elements)
        audit = found.agent.curfew("audit", "acme", "--json", expect=2).json
        self.assertEqual({p["outcome"] for p in audit["proofs"] if p["login"] == JOHN}, {"verified"})
        found.server.sql(f"REVOKE VIEW DEFINITION ON LOGIN::[{USER}] FROM [curfew_agent] AS [sa]", "master")
        found.agent.apply()
        self.assertFalse(found.server.login(USER)[1])
        self.assertEqual(len(found.agent.elements()), elements)
        self.assertIsNotNone(found.server.login("later.ann.lee"))

    def test_what_a_hidden_role_gives_is_not_verified(self):
        found, jane = self.made()
        jane.logout()
        for statement in ("CREATE SERVER ROLE [boss]", "GRANT CONTROL SERVER TO [boss]",
                          "DENY VIEW DEFINITION ON SERVER ROLE::[boss] TO [curfew_agent]",
                          f"ALTER SERVER ROLE [boss] ADD MEMBER [{USER}]"):
            found.server.sql(statement, "master")
        found.agent.curfew("apply", expect=(1, 2))
        self.assertFalse(found.server.login(USER)[1], "what is verified holds while nothing changes")
        self.went_live(found, seconds(5))
        for _ in range(2):
            found.agent.curfew("apply", expect=(1, 2))
            self.assertEqual(found.agent.elements(), [])
        self.named(found, "REVOKE VIEW DEFINITION ON LOGIN::[boss] FROM [curfew_agent]", "of a server role: ON SERVER ROLE::")
        proofs = found.agent.curfew("audit", "--json", expect=2).json["proofs"]
        self.assertEqual({p["outcome"] for p in proofs}, {"unverified"})


if __name__ == "__main__":
    unittest.main()
