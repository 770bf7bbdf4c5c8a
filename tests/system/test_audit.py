#!/usr/bin/python3
"""Verification by effective permissions, the audit's report, and that an audit changes nothing."""

import re
import unittest

import audit_lab
import lab
from practice import SqlRefused
from service import until

USER = "acme.jane.doe"
# What a remedy meets when another one took the thing away before.
GONE = (3701, 15151)
# Routes by which a read-only user could have got a right to write: (what is done as sa, what the server then says).
ROUTES = {
    "direct grant, the denial gone": (
        ("REVOKE INSERT ON SCHEMA::dbo FROM [curfew_read_only]", f"GRANT INSERT ON OBJECT::dbo.Orders TO [{USER}]"),
        "INSERT on OBJECT [dbo].[Orders]"),
    "nested role": (("CREATE ROLE [outer]", "GRANT CREATE TABLE TO [outer]", "CREATE ROLE [inner]",
                     "ALTER ROLE [outer] ADD MEMBER [inner]", f"ALTER ROLE [inner] ADD MEMBER [{USER}]"),
                    "CREATE TABLE on DATABASE"),
    "fixed role": ((f"ALTER ROLE [db_owner] ADD MEMBER [{USER}]",), "CONTROL on DATABASE"),
    # (A denial on the schema would stand against it; one on the table would not.)
    "column grant": (("REVOKE UPDATE ON SCHEMA::dbo FROM [curfew_read_only]",
                      f"GRANT UPDATE ON OBJECT::dbo.Orders (Customer) TO [{USER}]",), "UPDATE on COLUMN [dbo].[Orders].[Customer]"),
    "schema grant": (("CREATE SCHEMA [side]", f"GRANT INSERT ON SCHEMA::side TO [{USER}]"), "INSERT on SCHEMA side"),
    "ownership of an object": ((f"ALTER AUTHORIZATION ON OBJECT::dbo.Orders TO [{USER}]",), "CONTROL on OBJECT [dbo].[Orders]"),
    "ownership of a schema": ((f"CREATE SCHEMA [hers] AUTHORIZATION [{USER}]",), "CONTROL on SCHEMA hers"),
    "ownership of a certificate": ((f"CREATE CERTIFICATE [c] AUTHORIZATION [{USER}] ENCRYPTION BY PASSWORD = "
                                    "N'Cert-Passw0rd' WITH SUBJECT = N'c'",), "CONTROL on CERTIFICATE [c]"),
    "database grant": ((f"GRANT ALTER ANY USER TO [{USER}]",), "ALTER ANY USER on DATABASE"),
    "right to execute": (("CREATE SCHEMA [side]", "CREATE PROCEDURE side.Write_ AS DELETE FROM dbo.Orders",
                          f"GRANT EXECUTE ON OBJECT::side.Write_ TO [{USER}]"), "EXECUTE on OBJECT [side].[Write_]"),
    "by way of public": (("CREATE SCHEMA [side]", "CREATE TABLE side.T (Id int NOT NULL)",
                          "GRANT DELETE ON OBJECT::side.T TO [public]"), "DELETE on OBJECT [side].[T]"),
    "impersonation": ((f"GRANT IMPERSONATE ON USER::dbo TO [{USER}]",), "IMPERSONATE on USER dbo"),
    "alteration of a role": ((f"GRANT ALTER ON ROLE::[curfew_full] TO [{USER}]",), "ALTER on ROLE curfew_full"),
    "grant option": ((f"GRANT SELECT ON OBJECT::dbo.Orders TO [{USER}] WITH GRANT OPTION",), "SELECT on GRANT OPTION"),
    "server role": ((f"ALTER SERVER ROLE [sysadmin] ADD MEMBER [{USER}]",), "member of server role sysadmin"),
    "server permission": ((f"USE [master]; GRANT CONTROL SERVER TO [{USER}]",), "CONTROL SERVER on the server"),
}
# Beyond the agent's own rights, or not of Curfew's own: a DBA has to follow the remedies.
FOREIGN = {"server role": (f"ALTER SERVER ROLE [sysadmin] DROP MEMBER [{USER}]",),
           "server permission": (f"USE [master]; REVOKE CONTROL SERVER FROM [{USER}]",),
           "by way of public": ("REVOKE DELETE ON OBJECT::side.T FROM [public]",)}


def setUpModule():
    lab.require()


class Accepted(audit_lab.AuditCase):
    def test_what_is_new_since_the_last_audit(self):
        """Seen once it is old news, until it changes; and it is on record when it was seen first."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        found.server.sql("CREATE USER [mallory] WITHOUT LOGIN", "AcmeTest")
        [first] = self.audit(found, 2)["findings"]
        self.assertIsNone(first["first_seen"])
        [known] = self.audit(found, 2)["findings"]
        seen = audit_lab.instant(known["first_seen"].rstrip("Z"))
        after = (seen + lab.seconds(1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.assertEqual(self.audit(found, 0, "--since", after)["findings"], [])
        self.assertIn("1 seen before ", found.agent.curfew("audit", "--since", after, expect=0).out)
        self.assertEqual([f["id"] for f in self.audit(found, 2, "--since", known["first_seen"])["findings"]],
                         [first["id"]])
        found.server.sql("ALTER ROLE [db_owner] ADD MEMBER [mallory]", "AcmeTest")
        self.assertEqual({f["name"] for f in self.audit(found, 2, "--since", after)["findings"]}, {"new-member"})
        records = [e for e in found.agent.curfew("history", "--json", expect=0).json if e["action"] == "finding"]
        self.assertEqual(records[0]["statement"], first["id"])
        self.assertIn("mallory: created", records[0]["detail"])
        self.assertEqual(len(records), 2)
        found.agent.curfew("audit", "--since", after, "--from", after, expect=64)

    def test_a_finding_that_was_reviewed(self):
        """It stays listed and fails no audit, until it changes or its time comes; it lets nobody in."""
        found = self.lab_make()
        found.golive = lab.now() - lab.days(3)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply(lab.local(lab.now() - lab.days(5)))
        found.agent.apply()
        self.clean(found)
        found.server.sql("ALTER PROCEDURE dbo.OrderAdd AS SELECT 666", "AcmeTest")
        [finding] = self.findings(self.audit(found, 2), "changed-definition")
        accept = ("accept", finding["id"], "--reason", "CS-9: agreed")
        until = lab.local(lab.now() + lab.days(30))
        self.assertIn("--until is required", found.agent.curfew(*accept, expect=64).err)
        self.assertIn("no finding 'abc'",
                      found.agent.curfew("accept", "abc", "--reason", "x", "--until", until, expect=64).err)
        found.agent.curfew(*accept, "--until", until, expect=0)
        [kept] = self.findings(self.audit(found, 0), "changed-definition")
        self.assertEqual(kept["accepted"]["reason"], "CS-9: agreed")
        self.assertIn("root", kept["accepted"]["actor"])
        said = found.agent.curfew("audit", expect=0).out
        self.assertIn("accepted until", said)
        # Made with `practice = true`: no audit of anything, and it says so first.
        self.assertTrue(said.startswith("PRACTICE: "), said)
        self.assertTrue(self.audit(found, 0)["practice"])
        records = [e for e in found.agent.curfew("history", "--json", expect=0).json if e["action"] == "accept-finding"]
        self.assertEqual([(e["statement"], e["reason"]) for e in records], [(finding["id"], "CS-9: agreed")])
        # Changed again it is another finding.
        found.server.sql("ALTER PROCEDURE dbo.OrderAdd AS SELECT 777", "AcmeTest")
        [again] = self.findings(self.audit(found, 2), "changed-definition")
        self.assertNotEqual(again["id"], finding["id"])
        self.assertIsNone(again["accepted"])
        # And an acceptance can be ended.
        found.agent.curfew("accept", again["id"], "--reason", "CS-9", "--until", until, expect=0)
        self.audit(found, 0)
        found.agent.curfew("accept", again["id"], "--reason", "not agreed after all", "--until", "now", expect=0)
        self.audit(found, 2)


class Proof(audit_lab.AuditCase):
    def read_only_lab(self, **options):
        found = self.lab_make(**options)
        found.golive = lab.now() - lab.days(3)
        # Access opened as full before, so that there is something to compare with.
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply(lab.local(lab.now() - lab.days(5)))
        found.agent.apply()
        return found

    def proof(self, found, expect=None):
        audit = self.audit(found, expect)
        self.assertEqual([s["state"] for s in audit["servers"]], [audit["servers"][0]["state"]])
        [proof] = audit["proofs"]
        return proof

    def test_read_only_is_proved(self):
        found = self.read_only_lab()
        proof = self.proof(found, 0)
        self.assertEqual((proof["outcome"], proof["level"]), ("verified", "read-only"))

    def test_every_route_is_refuted_and_mended(self):
        found = self.read_only_lab()
        for name, (batches, evidence) in ROUTES.items():
            with self.subTest(route=name):
                for batch in batches:
                    found.server.sql(batch, None if batch.startswith("USE") else "AcmeTest")
                proof = self.proof(found, 2)
                self.assertEqual(proof["outcome"], "excess", proof)
                self.assertIn(evidence, proof["detail"])
                # What is of Curfew's own users and roles, apply takes away by itself; the rest is a DBA's.
                found.agent.apply(expect=(0, 1) if name in FOREIGN else 0)
                for batch in FOREIGN.get(name, ()):
                    found.server.sql(batch, None if batch.startswith("USE") else "AcmeTest")
                found.agent.apply()
                self.assertEqual(self.proof(found)["outcome"], "verified")
                self.tidy(found)

    def tidy(self, found):
        for finding in self.audit(found)["findings"]:
            try:
                found.server.sql(finding["remedy"])
            except SqlRefused as error:
                self.assertIn(error.number, GONE, f"{finding['remedy']}: {error}")
        for batch in ("DROP PROCEDURE IF EXISTS side.Write_", "DROP TABLE IF EXISTS side.T",
                      "DROP SCHEMA IF EXISTS [side]", "DROP SCHEMA IF EXISTS [hers]"):
            found.server.sql(batch, "AcmeTest")
        self.clean(found)

    def test_mending_is_of_its_own_only(self):
        """Another's user with db_owner is reported and left alone; a stranger in Curfew's role is put out."""
        found = self.read_only_lab()
        found.server.sql("CREATE USER [stranger] WITHOUT LOGIN; ALTER ROLE [db_owner] ADD MEMBER [stranger]; "
                         "ALTER ROLE [curfew_full] ADD MEMBER [stranger]", "AcmeTest")
        found.agent.apply()
        self.assertEqual(found.server.roles("stranger", "AcmeTest"), ["db_owner"])
        audit = self.audit(found, 2)
        # One cause is one finding, with what each check has seen.
        self.assertEqual(sorted(audit_lab.checks(f) for f in audit["findings"]),
                         [["loginless-user", "new-principal"], ["new-member"]])
        [stranger] = self.findings(audit, "new-principal")
        self.assertEqual(stranger["severity"], "high")
        self.assertRegex(stranger["evidence"], r"^stranger: created .*\n\[stranger\]: SQL_USER")

    def test_server_that_cannot_impersonate(self):
        found = self.read_only_lab()
        found.server.faults(no_execute_as=True)
        proof = self.proof(found, 2)
        self.assertEqual(proof["outcome"], "unverified")
        self.assertIn("permission query failed", proof["detail"])
        # Nothing that was answered as the agent itself is taken for the user's.
        self.assertEqual(self.findings(self.audit(found), "effective-permission"), [])

    def test_permissions_that_the_server_does_not_show(self):
        found = self.read_only_lab()
        found.server.faults(empty_permissions=True)
        audit = self.audit(found, 2)
        self.assertIn("unverified", {g["state"] for g in audit["grants"]})

    def test_agent_without_rights(self):
        for right in ("VIEW ANY DEFINITION", "CONNECT ANY DATABASE", "VIEW SERVER STATE"):
            with self.subTest(right=right):
                found = self.read_only_lab()
                found.server.sql(f"USE [master]; REVOKE {right} FROM [curfew_agent]")
                result = found.agent.curfew("audit", "--json")
                self.assertEqual(result.code, 2, str(result))
                self.assertIn(right, result.out + result.err)
                # What the agent may not see is not said to be none.
                found.server.sql("USE [master]; REVOKE ALTER ANY LOGIN FROM [curfew_agent]")
                if right == "VIEW ANY DEFINITION":
                    hidden = found.agent.curfew("audit", "--json", expect=2).json["grants"]
                    self.assertEqual({(g["login"], g["observed"]) for g in hidden}, {(USER, None)})
                    shown = found.agent.curfew("status", "--json", expect=(1, 2)).out
                    self.assertNotIn('"observed": "none"', shown)
                    said = found.agent.curfew("explain", "acme", USER, expect=(0, 1, 2)).out
                    self.assertNotIn("does not exist", said)
                    self.assertIn("not read", said)
                    self.assertEqual({p["outcome"] for p in result.json["proofs"]} - {"unverified"}, set())

    def test_agent_that_may_not_impersonate(self):
        """The narrower rights that bootstrap names: enough to manage, not enough to prove."""
        found = self.read_only_lab()
        found.server.sql("ALTER ROLE [db_owner] DROP MEMBER [curfew_agent]; GRANT ALTER ANY USER TO [curfew_agent]; "
                         "GRANT ALTER ANY ROLE TO [curfew_agent]; GRANT CONTROL ON SCHEMA::dbo TO [curfew_agent]", "AcmeTest")
        audit = self.audit(found, 2)
        self.assertEqual([p["outcome"] for p in audit["proofs"]], ["unverified"])
        self.assertEqual(self.findings(audit, "strong-permission"), [])

    def test_error_in_the_middle(self):
        """The session is the agent's again before it asks anything else."""
        found = self.read_only_lab()
        found.server.faults(fail_on=[["GRANT OPTION", 1204]])
        proof = self.proof(found, 2)
        self.assertEqual(proof["outcome"], "unverified")
        texts = [r["text"] for r in found.server.records("batch") if r["login"] == "curfew_agent"]
        at = max(i for i, text in enumerate(texts) if "EXECUTE AS USER" in text)
        self.assertTrue(texts[at + 1].startswith("REVERT"), texts[at + 1][:80])

    def test_nothing_is_changed(self):
        """Every statement of an audit observes, or says as whom and where; nothing reaches the journal."""
        found = self.read_only_lab()
        before = len(found.server.records("batch"))
        head = self.audit(found)["journal"]
        self.assertEqual(self.audit(found)["journal"], head)
        batches = [r["text"] for r in found.server.records("batch")[before:] if r["login"] == "curfew_agent"]
        self.assertGreaterEqual(len(batches), 10)
        own = 0
        for text in batches:
            if text.startswith("SET ") and "[part]" not in text:
                continue  # FreeTDS's own at login
            own += 1
            # What only some versions parse stands in a text, and is judged as if it did not.
            text = re.sub(r"EXEC sys\.sp_executesql N'((?:[^']|'')*)'", lambda found: found[1].replace("''", "'"), text)
            # An error that is caught only says itself.
            text = re.sub(r"(?:BEGIN|END) (?:TRY|CATCH)\b;?", "", re.sub(r"N'(?:[^']|'')*'", "N''", text))
            # A transaction in which the server itself starts a session, before anything is asked.
            text = text.replace("IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;\n", "", 1 if text.startswith("SET ") else 0)
            for statement in re.split(r";\s*\n", text.strip()):
                self.assertRegex(statement.strip(" ;\n") or "SELECT", r"^(IF EXISTS \(SELECT 1 FROM sys\.\w+ AS \w WHERE [^()]*\)\s+SELECT|"
                                 r"IF CAST\(SERVERPROPERTY\(N''\) AS int\) >= \d+ SELECT|IF (DB_ID\(\)|@@TRANCOUNT) <> \d+ THROW|IF ERROR_NUMBER\(\) (?:= \d+ SET|NOT IN \([\d, ]+\) THROW)|"
                                 r"IF NOT \(ERROR_NUMBER\(\) = \d+ OR ERROR_NUMBER\(\) = \d+ AND EXISTS \(SELECT 1 FROM sys\.[^;]*\)\) THROW$|SELECT|USE|EXECUTE AS USER|REVERT|SET|DECLARE)\b")
                self.assertNotRegex(statement, r"\bINTO\b")
        self.assertGreaterEqual(own, 10)
        self.assertEqual(found.server.records("rpc"), [])

    def test_sessions(self):
        """Who is connected, from where; an address that is not hers, and somebody who acts as another."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        password = found.agent.handover("acme", USER)
        person = lab.Person(found.space, audit_lab.HOST, audit_lab.PORT,
                            found.server.certificates.ca, audit_lab.HOST)
        answer = person.login(USER, password, "AcmeTest", new_password="Jane's own pass-phrase 7")
        self.assertTrue(answer.ok, str(answer))
        audit = self.audit(found, 2)
        [session] = audit["sessions"]
        self.assertEqual((session["login"], session["address"]), (USER, audit_lab.HOST))
        self.assertIn("not one of the user's sources", session["detail"])
        [finding] = self.findings(audit, "session-address")
        found.server.sql(finding["remedy"])
        self.clean(found)
        # Handed over by Curfew: a password that she set is no finding. Set by somebody else without one: it is.
        self.assertEqual(person.login(USER, "Jane's own pass-phrase 7", "AcmeTest").ok, True)
        found.server.sql(f"GRANT IMPERSONATE ON USER::dbo TO [{USER}]", "AcmeTest")
        self.assertTrue(person.sql("EXECUTE AS USER = N'dbo'").ok)
        [finding] = self.findings(self.audit(found, 2), "session-impersonating")
        self.assertIn(f"logged in as {USER}", finding["evidence"])
        found.server.sql(finding["remedy"])
        self.assertEqual(self.findings(self.audit(found, 2), "session-impersonating"), [])

    def test_somebody_else_acts_as_her(self):
        """A login can be impersonated while it is disabled: the session is named, and nothing is certified while it lasts."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        found.server.sql("CREATE LOGIN [dev] WITH PASSWORD = N'Some-Passw0rd-of-dev', CHECK_POLICY = OFF; "
                         f"GRANT IMPERSONATE ON LOGIN::[{USER}] TO [dev]")
        dev = lab.Person(found.space, audit_lab.HOST, audit_lab.PORT, found.server.certificates.ca, audit_lab.HOST)
        self.assertTrue(dev.login("dev", "Some-Passw0rd-of-dev", "master").ok)
        self.assertTrue(dev.sql(f"EXECUTE AS LOGIN = N'{USER}'").ok)
        [finding] = self.findings(self.audit(found, 2), "session-impersonating")
        self.assertIn(f"logged in as dev, acts as {USER}", finding["evidence"])
        self.assertEqual(finding["login"], USER)
        found.agent.apply()
        self.assertTrue(dev.sql("SELECT 1").ok, "somebody else's session is named, not ended")
        found.server.sql(finding["remedy"])
        self.assertEqual(self.findings(self.audit(found, 2), "session-impersonating"), [])

    def test_password_and_enabling_behind_our_back(self):
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        # A password counts as set by somebody else if it is more than five seconds younger than its login, by the server's clock.
        age = f"SELECT DATEDIFF(SECOND, create_date, GETDATE()) FROM sys.server_principals WHERE name = N'{USER}'"
        until(lambda: int(found.server.sql(age)[0][0]) > 6, "a login that is old enough")
        self.clean(found)
        found.server.sql(f"ALTER LOGIN [{USER}] WITH PASSWORD = N'Known-to-a-DBA-7'")
        [finding] = self.findings(self.audit(found, 2), "password-set")
        self.assertEqual((finding["client"], finding["login"]), ("acme", USER))
        found.server.sql(finding["remedy"])
        self.assertEqual(self.findings(self.audit(found, 2), "password-set"), [])
        found.agent.apply()
        # Handed over by Curfew, the password is on record.
        found.agent.handover("acme", USER)
        self.clean(found)
        # Revoked while a trap keeps Curfew from taking everything away: the login stays, shut.
        found.server.sql("CREATE TRIGGER [trap] ON DATABASE FOR DROP_USER AS SELECT 1", "AcmeTest")
        found.agent.curfew("revoke", "acme", USER, "--reason", "a test")
        found.agent.apply(expect=1)
        self.assertEqual(found.server.login(USER)[1], 1)
        self.assertEqual(self.findings(self.audit(found, 2), "login-enabled"), [])
        found.server.sql(f"ALTER LOGIN [{USER}] ENABLE")
        [finding] = self.findings(self.audit(found, 2), "login-enabled")
        self.assertEqual(finding["severity"], "critical")
        found.server.sql(finding["remedy"])
        self.assertEqual(self.findings(self.audit(found, 2), "login-enabled"), [])

    def test_unreachable_and_waiting(self):
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.clients["acme"]["databases"].append(
            {"role": "production", "server": "sql01", "name": "NotYet", "before_go_live": "read-only"})
        found.agent.write()
        found.agent.apply(expect=(0, 2))
        audit = self.audit(found, 2)
        self.assertEqual(audit["state"], "waiting")
        found.servers["sql01"].stop()
        audit = self.audit(found, 2)
        self.assertEqual(audit["state"], "unreachable")
        self.assertEqual({g["state"] for g in audit["grants"]}, {"unreachable"})


if __name__ == "__main__":
    unittest.main()
