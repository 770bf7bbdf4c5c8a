#!/usr/bin/python3
"""The certificate: refused, with the reasons, while anything is unverified; issued after the end with its records."""

import os
import unittest

import audit_lab
import lab

USER = "acme.jane.doe"


def setUpModule():
    lab.require()


class Certificate(audit_lab.AuditCase):
    def client_write(self, found, golive):
        found.golive = golive
        found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")],
                         approved_on=lab.day(lab.now() - lab.days(120)), starts=lab.day(lab.now() - lab.days(110)))

    def ended_lab(self, removed=True):
        """A client whose access opened a hundred days ago and ended two months ago."""
        found = self.lab_make(servers={"sql01": ("AcmeTest", "AcmeProd", "Elsewhere")})
        self.client_write(found, lab.now() - lab.days(90))
        found.agent.apply(lab.local(lab.now() - lab.days(100)))
        if removed:
            found.agent.apply()
        return found

    def test_issued(self):
        found = self.ended_lab()
        issued = self.certificate(found, "--json").json
        kinds = {(i["what"], i["name"], i.get("database")) for i in issued["items"]}
        self.assertLessEqual({("login", USER, None), ("session", USER, None), ("user", USER, "AcmeTest"),
                              ("user", USER, "AcmeProd")}, kinds)
        records = {e["id"]: e for e in found.agent.curfew("history", "acme", "--json").json}
        for item in issued["items"]:
            self.assertEqual((records[item["record"]]["outcome"], records[item["record"]]["level"]), ("verified", "none"))
            self.assertEqual(records[item["record"]]["at"], item["at"])
        # Nobody looked for two months, and the end of the file's date is not what was seen.
        confirmed = max(e["at"] for e in records.values() if e["kind"] == "access" and e["level"] == "none")
        self.assertEqual(issued["ended"], confirmed)
        self.assertLess(issued["scheduled_end"], confirmed)
        self.assertIn("end confirmed:", self.certificate(found).out)
        head = found.agent.curfew("history", "verify", "--json", expect=0).json
        self.assertIn(head["hash"], str(issued))
        self.assertIn(head["hash"], self.certificate(found).out)

    def test_html(self):
        found = self.ended_lab()
        page = found.path("certificate.html")
        self.certificate(found, "--html", page)
        with open(page, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(USER, text)
        self.assertNotIn("<script", text)
        # A refusal leaves no page that could be taken for a certificate.
        found.server.sql(f"CREATE LOGIN [{USER}] WITH PASSWORD = N'Str0ng-enough'")
        other = found.path("refused.html")
        self.certificate(found, "--html", other, expect=2)
        self.assertFalse(os.path.exists(other))

    def test_where_full_access_equaled_db_owner(self):
        """Accepted beforehand, and named at the end with what made it so."""
        found = self.lab_make()
        found.golive = lab.now() - lab.days(90)
        for text in ("CREATE PROCEDURE dbo.Helper AS SELECT 1", "CREATE PROCEDURE dbo.Nightly WITH EXECUTE AS OWNER AS EXEC dbo.Helper"):
            found.server.sql(text, "AcmeTest")
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], approved_on=lab.day(lab.now() - lab.days(120)),
                         starts=lab.day(lab.now() - lab.days(110)))
        found.agent.clients["acme"]["databases"][0]["full_waiver"] = {"approved_by": "lead@host.example", "ticket": "CS-7"}
        found.agent.write()
        found.agent.apply(lab.local(lab.now() - lab.days(100)))
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_full"])
        found.agent.apply()
        [place] = self.certificate(found, "--json").json["equal_to_db_owner"]
        self.assertEqual({k: place[k] for k in ("server", "database", "approved_by", "ticket")},
                         {"server": "sql01", "database": "AcmeTest", "approved_by": "lead@host.example", "ticket": "CS-7"})
        self.assertIn("[dbo].[Nightly] uses other objects and runs as its owner", place["because"][0])
        text = self.certificate(found).out
        self.assertIn("sql01/AcmeTest by lead@host.example (CS-7)", text)
        self.assertIn("because: [dbo].[Nightly] uses other objects", text)
        page = found.path("certificate.html")
        self.certificate(found, "--html", page)
        with open(page, encoding="utf-8") as file:
            self.assertIn("[dbo].[Nightly] uses other objects", file.read())

    def test_access_of_others_is_named(self):
        """Whoever made a user of another name can still sign in: no clean certificate until it is removed or accepted."""
        plants = (
            ("contained-user", "AcmeProd", "eve", ("CREATE USER [eve] WITH PASSWORD = N'Str0ng-enough'",)),
            ("application-role", "AcmeTest", "side", ("CREATE APPLICATION ROLE [side] WITH PASSWORD = N'Str0ng-enough'",)),
            ("new-principal", "AcmeTest", "sleeper", ("CREATE USER [sleeper] WITHOUT LOGIN",)),
            ("new-server-member", "master", "[mallory] in [sysadmin]", ("CREATE LOGIN [mallory] WITH PASSWORD = N'Str0ng-enough'",
                                                                    "ALTER SERVER ROLE [sysadmin] ADD MEMBER [mallory]")),
        )
        found = self.ended_lab(removed=False)
        found.server.sql("ALTER DATABASE [AcmeProd] SET CONTAINMENT = PARTIAL")
        for _, database, _, statements in plants:
            for text in statements:
                found.server.sql(text, database)
        found.agent.apply(expect=(0, 1, 2))
        page = found.path("certificate.html")
        result = self.certificate(found, "--json", expect=2)
        listed = result.json["not_covered"]["found"]
        for name, database, evidence, _ in plants:
            [one] = [f for f in listed if name in (f["name"], *(f["also"] or "").split(", ")) and evidence in f["evidence"]]
            self.assertEqual((one["server"], one["database"]), ("sql01", database), one)
        self.assertIn("`curfew accept FINDING --reason TEXT --until TIME`", result.err)
        self.assertNotIn("None was found", self.certificate(found, "--html", page, expect=2).out)
        with open(page, encoding="utf-8") as file:
            self.assertIn("Access of others was found beside it", file.read())
        # One person's certificate says the same: any of them may have made it.
        self.assertIn("eve: created", self.certificate(found, USER, expect=2).out)
        for one in listed:
            found.agent.curfew("accept", one["id"], "--reason", "CS-9: agreed", "--until", "2099-01-01", expect=0)
        said = self.certificate(found).out
        self.assertIn("eve: created", said)
        self.assertIn("CS-9: agreed", said)
        # Another one is not accepted by that.
        found.server.sql("CREATE USER [eve2] WITH PASSWORD = N'Str0ng-enough'", "AcmeProd")
        self.assertIn("eve2: created", self.certificate(found, expect=2).out)

    def test_a_date_that_was_moved_after_the_end(self):
        """Without a new approval it gives nothing again: the end that was is the one that the certificate names."""
        found = self.ended_lab()
        end = self.certificate(found, "--json").json["scheduled_end"]
        self.client_write(found, lab.now() + lab.days(5))
        moved = self.certificate(found, "--json", expect=2).json
        self.assertEqual(moved["scheduled_end"], end)
        self.assertIn("access stays ended", str(moved["not_covered"]))

    def test_refused_before_the_end(self):
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        self.refused(found, "access does not end before")

    def test_refused_while_something_is_there(self):
        self.refused(self.ended_lab(removed=False), "the login still exists")

    def test_refused_while_the_person_is_there_under_a_former_name(self):
        """Of the client before its file was renamed; a pass of the new one alone asks for nothing of the former."""
        found = self.ended_lab(removed=False)
        found.agent.clients["acme2"] = {**found.agent.clients.pop("acme"), "name": "acme2"}
        found.agent.write()
        found.agent.curfew("apply", "acme2", expect=(0, 1, 2))
        self.assertIn(f"{USER} on sql01: a former name of the same person",
                      found.agent.curfew("certificate", "acme2", expect=2).err)
        found.agent.curfew("apply", expect=(0, 1, 2))
        self.assertNotIn("former name", found.agent.curfew("certificate", "acme2", expect=(0, 2)).err)

    def test_refused_when_somebody_made_the_login_again(self):
        found = self.ended_lab()
        found.server.sql(f"CREATE LOGIN [{USER}] WITH PASSWORD = N'Str0ng-enough'")
        self.refused(found, "the login still exists")

    def test_refused_when_a_restore_brought_the_user_back(self):
        """By its SID, under another name, in a database that was never the client's."""
        found = self.ended_lab(removed=False)
        found.server.sql(f"ALTER USER [{USER}] WITH NAME = [innocent]", "AcmeTest")
        found.server.sql("BACKUP DATABASE [AcmeTest] TO DISK = N'kept.bak'")
        found.agent.apply()
        self.certificate(found)
        found.server.sql("RESTORE DATABASE [Elsewhere] FROM DISK = N'kept.bak' WITH REPLACE")
        self.refused(found, "its user [innocent] still exists in [Elsewhere]")
        found.agent.apply()
        self.certificate(found)

    def test_refused_when_the_server_cannot_be_seen_whole(self):
        found = self.ended_lab()
        found.server.sql("USE [master]; REVOKE VIEW SERVER STATE FROM [curfew_agent]")
        self.refused(found, "unverified")
        found.server.sql("USE [master]; GRANT VIEW SERVER STATE TO [curfew_agent]")
        self.certificate(found)
        found.server.stop()
        self.refused(found, "unreachable")

    def dropped(self, found):
        found.server.sql("BACKUP DATABASE [AcmeTest] TO DISK = N'old.bak'")
        found.server.sql("ALTER DATABASE [AcmeTest] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; DROP DATABASE [AcmeTest]")

    def test_a_database_that_nobody_finds_is_no_database_that_was_read(self):
        """Dropped with her user in it; restored, it loses that."""
        found = self.ended_lab(removed=False)
        self.dropped(found)
        found.agent.apply()
        issued = " ".join(self.certificate(found).out.split())
        self.assertIn("the server has no database [AcmeTest] now, so its users were not read", issued)
        self.assertNotIn("no database [AcmeProd]", issued)
        found.server.sql("RESTORE DATABASE [Old] FROM DISK = N'old.bak'")
        self.assertTrue(found.server.user(USER, "Old"))
        self.refused(found, f"user [{USER}] still exists in [Old]")
        found.agent.apply()
        self.assertFalse(found.server.user(USER, "Old"))

    def test_a_former_database_that_nobody_finds(self):
        """The same of one that has left the client's file: the proof says what the server showed, not what was not read."""
        found = self.ended_lab(removed=False)
        found.client_add("acme", [("production", "sql01", "AcmeProd")],
                         approved_on=lab.day(lab.now() - lab.days(120)), starts=lab.day(lab.now() - lab.days(110)))
        self.dropped(found)
        found.agent.apply()
        proofs = [e["detail"] for e in found.agent.curfew("history", "acme", "--json").json
                  if (e["kind"], e["database"], e["level"]) == ("proof", "AcmeTest", "none")]
        self.assertEqual(proofs, ["the server has no database [AcmeTest] any more"])
        issued = " ".join(self.certificate(found).out.split())
        self.assertIn("the server has no database [AcmeTest] any more", issued)

    def test_a_user_that_is_hidden_in_a_database_of_nobody_here(self):
        """Of a database that is no client's the users alone are read, and one that may not be seen is not absent."""
        found = self.ended_lab(removed=False)
        found.server.sql("CREATE DATABASE [Foreign]")
        found.server.sql(f"CREATE USER [{USER}] FOR LOGIN [{USER}]; DENY VIEW DEFINITION ON USER::[{USER}] TO [public]", "Foreign")
        found.agent.apply(expect=(0, 1, 2))
        self.assertTrue(found.server.user(USER, "Foreign"))
        self.refused(found, "VIEW DEFINITION on something that the agent login does not see is denied to [public] in [Foreign]")
        found.server.sql(f"REVOKE VIEW DEFINITION ON USER::[{USER}] FROM [public]", "Foreign")
        self.refused(found, f"its user [{USER}] still exists in [Foreign]")
        found.server.sql(f"DROP USER [{USER}]", "Foreign")
        found.agent.apply()
        self.certificate(found)

    def test_what_is_hidden_in_its_database_is_not_searched(self):
        """Whoever controls the database hides what was left there by a denial on its schema, its object, or to a role."""
        left = ("CREATE SCHEMA [x]", "CREATE PROCEDURE x.door WITH EXECUTE AS OWNER AS SELECT 1",
                "CREATE ROLE [watched]; ALTER ROLE [watched] ADD MEMBER [curfew_agent]")
        found = self.ended_lab(removed=False)
        for text in left:
            found.server.sql(text, "AcmeTest")
        found.agent.apply()
        self.assertEqual([f["severity"] for f in self.findings(self.audit(found, 2), "execute-as-module")], ["high"])
        for on, to in (("SCHEMA::x", "curfew_agent"), ("OBJECT::x.door", "public"), ("OBJECT::x.door", "watched")):
            found.server.sql(f"DENY VIEW DEFINITION ON {on} TO [{to}]", "AcmeTest")
            audit = self.audit(found, 2)
            self.assertEqual(self.findings(audit, "execute-as-module"), [])
            denial, = self.findings(audit, "hiding-denial")
            self.assertEqual((denial["severity"], denial["database"]), ("high", "AcmeTest"))
            said = self.certificate(found, expect=2).out
            self.assertIn("not read: whatever 1 denial there hides from the agent login", " ".join(said.split()))
            self.assertNotIn("None was found", said)
            found.server.sql(denial["remedy"])
            self.assertTrue(self.findings(self.audit(found, 2), "execute-as-module"))

    def test_a_user_of_the_same_name_in_a_database_of_others(self):
        """Whoever controls one makes such a user without a login, or for another: no end of this client waits for that."""
        found = self.ended_lab(removed=False)
        found.client_add("bolt", [("staging", "sql01", "Elsewhere")], users=(("Bo", "Li"),),
                         approved_on=lab.day(lab.now() - lab.days(120)), starts=lab.day(lab.now() - lab.days(110)))
        found.server.sql("CREATE LOGIN [mallory] WITH PASSWORD = N'Str0ng-enough'; "
                         "ALTER AUTHORIZATION ON DATABASE::[Elsewhere] TO [mallory]")
        found.agent.apply(lab.local(lab.now() - lab.days(100)))
        for made in ("WITHOUT LOGIN", "FOR LOGIN [mallory2]"):
            found.server.sql("CREATE LOGIN [mallory2] WITH PASSWORD = N'Str0ng-enough'")
            found.server.sql(f"CREATE USER [{USER}] {made}", "Elsewhere")
            found.agent.apply(expect=(0, 2))
            self.certificate(found)
            self.assertEqual(found.agent.curfew("status", "acme").code, 0)
            told, = self.findings(self.audit(found, 2), "namesake-user")
            self.assertEqual((told["database"], told["client"]), ("Elsewhere", None))
            self.assertIn("an administrator of this database made it, owned by login [mallory]", told["evidence"])
            self.assertEqual(self.findings(self.audit(found, None, "acme"), "namesake-user"), [])
            self.assertTrue(self.findings(self.audit(found, 2, "bolt"), "namesake-user"))
            found.server.sql(told["remedy"])
            self.assertEqual(self.findings(self.audit(found), "namesake-user"), [])
            found.server.sql("DROP LOGIN [mallory2]")
        # In a database of its own it counts, and who removes it is said.
        found.server.sql(f"CREATE USER [{USER}] WITHOUT LOGIN", "AcmeProd")
        self.refused(found, f"its user [{USER}] still exists in [AcmeProd]", "a DBA runs DROP USER there")
        found.server.sql(f"DROP USER [{USER}]", "AcmeProd")
        found.agent.apply(expect=(0, 2))
        self.certificate(found)

    def test_a_login_that_the_agent_may_not_see_is_not_gone(self):
        found = self.lab_make()
        found.golive = lab.now() + lab.days(20)
        databases = [("staging", "sql01", "AcmeTest")]
        found.client_add("acme", databases, users=(("Jane", "Doe"), ("John", "Roe")))
        found.agent.apply()
        found.client_add("acme", databases)
        found.server.script("USE [master]\nGO\nREVOKE ALTER ANY LOGIN FROM [curfew_agent]\nGO\n"
                            "REVOKE VIEW ANY DEFINITION FROM [curfew_agent]\nGO\n")
        found.agent.apply(expect=(1, 2))
        self.assertTrue(found.server.login("acme.john.roe"))
        said = [e for e in found.agent.curfew("history", "acme", "--json").json
                if (e["kind"], e["login"], e["database"]) == ("proof", "acme.john.roe", None)]
        self.assertEqual(said, [])
        self.assertIn("acme.john.roe", found.agent.curfew("status", "acme", expect=(1, 2)).out)

    def test_somebody_who_was_replaced(self):
        """A user who left the client's file long before the end belongs to what is certified."""
        found = self.lab_make()
        found.golive = lab.now() - lab.days(90)
        more = {"approved_on": lab.day(lab.now() - lab.days(120)), "starts": lab.day(lab.now() - lab.days(110))}
        databases = [("staging", "sql01", "AcmeTest")]
        found.client_add("acme", databases, users=(("Jane", "Doe"), ("John", "Roe")), **more)
        found.agent.apply(lab.local(lab.now() - lab.days(100)))
        found.client_add("acme", databases, **more)
        # The server keeps him while nobody makes a pass.
        self.refused(found, "acme.john.roe on sql01: no longer in the configuration")
        found.agent.apply()
        items = self.certificate(found, "--json").json["items"]
        [john] = [i for i in items if i["name"] == "acme.john.roe" and i["what"] == "login"]
        self.assertEqual(john["what"], "login")
        self.assertTrue(john["record"])

    def test_one_person_while_the_client_goes_on(self):
        """Replaced, or revoked: what was verified of them is on record, and they have a certificate of their own."""
        found = self.lab_make()
        databases = [("staging", "sql01", "AcmeTest")]
        found.client_add("acme", databases, users=(("Jane", "Doe"), ("John", "Roe")))
        found.agent.apply()
        result = self.certificate(found, USER, expect=2)
        self.assertIn(f"access of {USER} does not end before", result.err)
        found.client_add("acme", databases)
        result = self.certificate(found, "john.roe", expect=2)
        self.assertIn("acme.john.roe on sql01: no longer in the configuration", result.err)
        found.agent.apply()
        issued = self.certificate(found, "john.roe", "--json").json
        self.assertEqual({i["name"] for i in issued["items"]}, {"acme.john.roe"})
        self.assertEqual(issued["login"], "acme.john.roe")
        records = {e["id"]: e for e in found.agent.curfew("history", "acme", "--json").json}
        for item in issued["items"]:
            self.assertEqual(records[item["record"]]["kind"], "proof", item)
            self.assertEqual(records[item["record"]]["login"], "acme.john.roe")
            self.assertIn("does not name it any more", records[item["record"]]["reason"])
        # The client has none, and neither has she.
        self.certificate(found, expect=2)
        found.agent.curfew("revoke", "acme", USER, "--reason", "a laptop was stolen", expect=0)
        found.agent.apply()
        issued = self.certificate(found, USER, "--json").json
        self.assertEqual((issued["email"], issued["ticket"], issued["approved_by"]),
                         ("jane.doe@acme.example", "CS-1", "account-lead@host.example"))
        self.assertTrue(all(i["record"] for i in issued["items"] if i["what"] in ("login", "user", "session")))
        self.assertIn("person:         Jane Doe <jane.doe@acme.example>", self.certificate(found, USER).out)
        self.assertIn("and the journal knows none of that name", self.certificate(found, "nobody", expect=64).err)

    def test_refused_without_a_record(self):
        """Gone, but nobody saw it go: not what a certificate says."""
        found = self.lab_make()
        found.golive = lab.now() - lab.days(90)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], starts=lab.day(lab.now() - lab.days(110)),
                         approved_on=lab.day(lab.now() - lab.days(120)))
        self.refused(found, "no proof record")


if __name__ == "__main__":
    unittest.main()
