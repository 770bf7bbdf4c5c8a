#!/usr/bin/python3
"""Network access requires a verification: the server's own report of a login's effective permissions."""

import json
import os
import sqlite3
import sys
import unittest
from contextlib import closing

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import OWN_PASSWORD, USER, LabCase  # noqa: E402
from lab import days, local  # noqa: E402


def setUpModule():
    lab.require()


class Verified(LabCase):
    def read_only_lab(self, **options):
        """Jane reads AcmeTest since the go-live; with a session open. Returns laboratory, Jane, and now."""
        found = self.lab_make(**options)
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(golive))
        self.applied(found.agent)
        jane = found.person("jane")
        self.first_login(found, jane, found.agent.handover("acme", USER))
        at = local(golive + days(1))
        self.applied(found.agent, at)
        self.works(jane.login(USER, OWN_PASSWORD, "AcmeTest"))
        return found, jane, at

    def asked(self, found):
        return [r for r in found.server.records("batch") if "EXECUTE AS USER = N'acme" in r["text"]]

    def test_what_everybody_may_do_counts(self):
        """A grant to public stands in no role of hers: the server says it, and she is shut until it is taken back."""
        found, jane, at = self.read_only_lab(faults=("collations=on",))
        before = len(self.asked(found))
        self.assertEqual(found.agent.apply(at).code, 0)
        self.assertEqual(len(self.asked(found)), before, "what was verified holds while nothing changes")

        found.server.sql("GRANT CONTROL TO [public]", "AcmeTest")
        result = found.agent.apply(at, expect=(1, 2))
        self.assertEqual(found.server.login(USER)[1], True, result)
        self.assertEqual(found.server.sessions_of(USER), [])
        self.assertEqual(found.agent.elements(), [])
        again = found.agent.apply(at, expect=(1, 2))
        self.assertEqual(found.server.login(USER)[1], True, again)

        found.server.sql("REVOKE CONTROL FROM [public]", "AcmeTest")
        found.agent.apply(at)
        self.assertEqual(found.server.login(USER)[1], False)
        self.assertEqual(len(found.agent.elements()), len(lab.JANE))

    def test_a_fixed_role_that_owns_a_schema(self):
        """Who reads through it is verified as a reader, where its own schema was dropped, as anybody may do; given another one, it
        makes every reader the owner of that."""
        found, jane, at = self.read_only_lab()
        for text in ("DROP SCHEMA [db_datareader]", "CREATE SCHEMA [sales]"):
            found.server.sql(text, "AcmeTest")
        found.server.sql("ALTER ROLE [db_datareader] ADD MEMBER [curfew_read_only]", "AcmeTest")
        self.applied(found.agent, at)
        self.assertEqual(found.server.login(USER)[1], False)
        found.server.sql("ALTER AUTHORIZATION ON SCHEMA::[sales] TO [db_datareader]", "AcmeTest")
        found.agent.apply(at, expect=(1, 2))
        self.assertEqual(found.server.login(USER)[1], True)
        self.assertEqual((found.server.sessions_of(USER), found.agent.elements()), ([], []))

    def test_what_one_database_refuses_the_server_may_know(self):
        """The number of an unknown syntax, for one user alone: that is no server whose catalog is to be believed."""
        found = self.lab_make(servers={"sql01": ("AcmeTest", "BoltTest")})
        for client, database in (("acme", "AcmeTest"), ("bolt", "BoltTest")):
            found.client_add(client, [("staging", "sql01", database)], **self.dates(lab.now() + days(20)))
        found.agent.servers["sql01"]["evidence"] = "catalog"
        found.agent.write()
        for number in (102, 40517):
            with self.subTest(number):
                found.server.faults(fail_on=[[r"EXECUTE AS USER = N'acme", number]])
                found.agent.apply(expect=(1, 2))
                self.assertTrue(found.server.login(USER)[1])
                self.assertFalse(found.server.login("bolt.jane.doe")[1])
                proofs = {(e["client"], e["outcome"], e["detail"].split(":")[0])
                          for e in found.agent.curfew("history", "--json").json if e["kind"] == "proof"}
                self.assertIn(("acme", "unverified", f"the permission query failed ({number}"), proofs)
                self.assertEqual({p for p in proofs if p[1] == "verified"}, {("bolt", "verified", "impersonation check")})
                found.server.faults()

    def test_who_sees_the_hashes_of_passwords_has_more_than_to_look(self):
        found, jane, at = self.read_only_lab()
        for right, database in (("VIEW ANY CRYPTOGRAPHICALLY SECURED DEFINITION", "master"),
                                ("VIEW CRYPTOGRAPHICALLY SECURED DEFINITION", "AcmeTest")):
            with self.subTest(right):
                found.server.sql(f"GRANT {right} TO [public]", database)
                self.assertIn(right, found.agent.apply(at, expect=(1, 2)).out)
                self.assertEqual(found.server.login(USER)[1], True)
                found.server.sql(f"REVOKE {right} FROM [public]", database)
                self.applied(found.agent, at)
                self.assertEqual(found.server.login(USER)[1], False)
        found.server.sql("GRANT VIEW SERVER STATE TO [public]", "master")
        found.agent.apply(at)
        self.assertEqual(found.server.login(USER)[1], False)

    def test_what_is_not_told_is_not_verified(self):
        """A table's quoted name is longer than the function takes: its silence is not that nobody may write there."""
        found, jane, at = self.read_only_lab()
        table = "t" * 122
        found.server.sql(f"CREATE TABLE dbo.{table} (x int); GRANT UPDATE ON dbo.{table} TO [public]", "AcmeTest")
        result = found.agent.apply(at, expect=(1, 2))
        self.assertRegex(result.out, rf"the server did not answer whether the user has \w+ on OBJECT \[dbo\]\.\[{table}")
        self.assertEqual(found.server.login(USER)[1], True, result)
        self.assertEqual(found.server.sessions_of(USER), [])
        self.assertEqual(found.agent.elements(), [])
        found.server.sql(f"DROP TABLE dbo.{table}", "AcmeTest")
        found.agent.apply(at)
        self.assertEqual(found.server.login(USER)[1], False)

    def test_a_name_of_pairs_means_no_other(self):
        """A contained database counts a surrogate pair once, the function's sysname does not: cut, the name means another table."""
        found, jane, at = self.read_only_lab()
        found.server.sql("ALTER DATABASE [AcmeTest] SET CONTAINMENT = PARTIAL", "master")
        name = "\U0001f600" * 60
        found.server.sql(f"CREATE TABLE dbo.[{name}] (x int); CREATE TABLE dbo.[{name}]]zz] (x int); "
                         f"GRANT UPDATE ON dbo.[{name}]]zz] TO [public]", "AcmeTest")
        result = found.agent.apply(at, expect=(1, 2))
        self.assertIn("the server did not answer whether the user has", result.out)
        self.assertEqual(found.server.login(USER)[1], True, result)

    def test_who_takes_messages_out_of_a_queue_writes(self):
        found, jane, at = self.read_only_lab()
        found.server.sql("CREATE QUEUE dbo.orders_due; GRANT RECEIVE ON dbo.orders_due TO [public]", "AcmeTest")
        result = found.agent.apply(at, expect=(1, 2))
        self.assertIn("RECEIVE on OBJECT [dbo].[orders_due]", result.out)
        self.assertEqual(found.server.login(USER)[1], True, result)

    def test_what_everybody_may_do_to_rarer_things(self):
        """By their classes in the catalog, whichever they are; what a denial takes back is not held."""
        found, jane, at = self.read_only_lab()
        things = {"ROUTE": ("ROUTE::[away]", "CREATE ROUTE [away] WITH ADDRESS = N'LOCAL'"),
                  "XML_SCHEMA_COLLECTION": ("XML SCHEMA COLLECTION::dbo.Docs", "CREATE XML SCHEMA COLLECTION dbo.Docs AS N'<schema/>'"),
                  "MESSAGE_TYPE": ("MESSAGE TYPE::[due]", "CREATE MESSAGE TYPE [due]")}
        for described, (thing, create) in things.items():
            with self.subTest(described):
                found.server.sql(f"{create}; GRANT ALTER ON {thing} TO [public]", "AcmeTest")
                told = found.agent.apply(at, expect=(1, 2))
                self.assertIn(f"ALTER on {described}", told.out)
                self.assertTrue(found.server.login(USER)[1])
                found.server.sql(f"DENY ALTER ON {thing} TO [{USER}]", "AcmeTest")
                found.agent.apply(at, expect=(0, 2))
                self.assertFalse(found.server.login(USER)[1])

    def test_a_plan_says_first_who_would_be_shut(self):
        """As after an upgrade, whose journal has no fingerprints: the plan asks as the next pass will, and ends nothing."""
        found, jane, at = self.read_only_lab(faults=("collations=on",))
        self.assertNotIn("because it is not verified", found.agent.plan(at).out)
        before = len(self.asked(found))
        with closing(sqlite3.connect(found.agent.path("state", "journal.db"))) as journal, journal:
            journal.execute("UPDATE verification SET fingerprint = '', sid = x''")
        found.server.sql("GRANT CONTROL TO [public]", "AcmeTest")

        said = found.agent.plan(at, expect=2).out
        self.assertTrue(said.startswith("1 grant loses access before its end, because it is not verified.\n"), said)
        self.assertRegex(said, rf"{USER} on sql01 / AcmeTest .acme.\n +excess: CONTROL on DATABASE .*\n"
                               r" +to do: remove that permission; `curfew audit acme` shows the statement\n")
        self.assertIn("- 203.0.113.7", said.split("to do: ")[1], "the allowlist follows")
        whole = json.loads(found.agent.curfew("plan", "--json", "--at", at, expect=2).out)
        self.assertEqual(list(whole)[:2], ["at", "loses_access"])
        self.assertEqual([(one["client"], one["login"], one["server"], one["database"], one["state"])
                          for one in whole["loses_access"]], [("acme", USER, "sql01", "AcmeTest", "excess")])
        self.assertGreater(len(self.asked(found)), before)
        # A plan ends nothing.
        self.assertEqual(found.server.login(USER)[1], False)
        self.assertEqual(len(found.server.sessions_of(USER)), 1)
        self.assertEqual(len(found.agent.elements()), len(lab.JANE))

        said = found.agent.apply(at, expect=(1, 2)).out
        self.assertIn("1 grant lost access before its end, because it is not verified.", said)
        self.assertEqual(found.server.login(USER)[1], True)
        # Shut already: nobody loses anything by the next pass.
        self.assertNotIn("because it is not verified", found.agent.plan(at).out)

    def test_a_plan_knows_who_ends_by_the_schedule(self):
        """Who becomes read-only by a go-live has more than that until then, and is not among those who are not verified."""
        found = self.lab_make()
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(golive))
        self.applied(found.agent)
        for at in (local(golive + days(1)), local(golive + days(40))):
            said = found.agent.plan(at, expect=2).out
            self.assertNotIn("because it is not verified", said)
            self.assertIn("- ", said)

    def test_a_server_that_cannot_tell(self):
        """Nobody is enabled on the catalog alone unless the configuration says so."""
        found = self.lab_make(faults=("no-execute-as",))
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        found.agent.apply(expect=(0, 1, 2))
        self.assertEqual(found.server.login(USER)[1], True)
        self.assertEqual(found.agent.elements(), [])
        found.agent.servers["sql01"]["evidence"] = "catalog"
        found.agent.write()
        found.agent.apply()
        self.assertEqual(found.server.login(USER)[1], False)
        self.assertEqual(len(found.agent.elements()), len(lab.JANE))

    def test_a_server_that_answers_nothing(self):
        """No answer is not an answer of no: nobody is let in by it, nor let in again."""
        found = self.lab_make(faults=("no-permission-answers",))
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        found.agent.apply(expect=(0, 1, 2))
        self.nobody_is_in(found)
        found.server.faults()
        self.applied(found.agent)
        self.assertEqual(found.server.login(USER)[1], False)
        # Silent from go-live on: full access ends all the same.
        found.server.faults(no_permission_answers=True)
        found.agent.apply(local(lab.now() + days(21)), expect=(0, 1, 2))
        self.nobody_is_in(found)
        self.assertNotIn("curfew_full", found.server.roles(USER, "AcmeTest"))

    def test_a_server_that_lists_nothing(self):
        """What no list of ours names stands in the server's own: without that nobody is let in."""
        found = self.lab_make(faults=("no-own-permissions",))
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.assertIn("the server does not tell the permissions of the user", found.agent.apply(expect=(0, 1, 2)).out)
        self.nobody_is_in(found)
        found.server.faults()
        self.applied(found.agent)
        self.assertEqual(found.server.login(USER)[1], False)

    def test_the_list_where_case_counts(self):
        """There the server wants the class in lower case, and answers nothing to another; and no two texts meet by chance."""
        for collation in ("Latin1_General_CS_AS", "Latin1_General_BIN2"):
            with self.subTest(collation):
                found = self.lab_make(faults=("collations=on", "derived-implicit"))
                found.server.sql(f"ALTER DATABASE [AcmeTest] COLLATE {collation}")
                found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
                self.applied(found.agent)
                self.assertEqual(found.server.login(USER)[1], False)
                self.assertNotIn("cannot run check", found.agent.curfew("audit", expect=(0, 2)).out)
                found.server.sql("GRANT ALTER ANY SECURITY POLICY TO [public]", "AcmeTest")
                said = found.agent.apply(expect=(1, 2)).out
                self.assertIn("ALTER ANY SECURITY POLICY on DATABASE AcmeTest", said)
                self.nobody_is_in(found)

    def test_a_database_that_changed_its_name(self):
        """Between reading and proof two databases exchange their names: what the other one answers proves nothing."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        found.server.script("USE [AcmeProd]\nGO\nCREATE USER [curfew_agent] FOR LOGIN [curfew_agent]\nGO\n"
                            f"ALTER ROLE [db_owner] ADD MEMBER [curfew_agent]\nGO\nCREATE USER [{USER}] WITHOUT LOGIN\n")
        found.server.sql("GRANT CONTROL TO [public]", "AcmeTest")
        found.server.faults(names_swap="EXECUTE AS USER = N'acme,AcmeTest,AcmeProd")
        said = found.agent.apply(expect=(0, 1, 2)).out
        self.assertIn("another database", said)
        self.assertNotIn("impersonation check", said)
        self.nobody_is_in(found)

    def test_a_transaction_that_is_open(self):
        """Its end may undo what was seen inside it: no proof."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        found.server.faults(transaction_before="EXECUTE AS USER = N'acme")
        self.assertIn("A transaction is open", found.agent.apply(expect=(0, 1, 2)).out)
        self.nobody_is_in(found)

    def test_names_that_differ_only_in_case(self):
        """A server that tells them apart has two, and Curfew knows one: nobody is let in by what was asked of either."""
        for twin, said in ((f"CREATE LOGIN [{USER.upper()}] WITH PASSWORD = N'Str0ng-enough'", "is not managed by Curfew"),
                           ("CREATE DATABASE [ACMETEST]", "differs only in case")):
            with self.subTest(twin):
                found = self.lab_make(arguments=("--collation", "Latin1_General_CS_AS"))
                found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
                found.server.sql(twin)
                self.assertIn(said, found.agent.apply(expect=(0, 1, 2)).out)
                self.nobody_is_in(found)

    def test_an_audit_of_a_database_that_changed_its_name(self):
        """No finding there is none here: the checks say that they could not run."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.applied(found.agent)
        for question, said in (("is_linked", "cannot run check loginless-user in AcmeTest .50003: "),
                               ("ansi_nulls off", "cannot run check new-or-changed in AcmeTest .50003: ")):
            with self.subTest(question):
                found.server.faults(names_swap=f"{question},AcmeTest,AcmeProd")
                self.assertRegex(found.agent.curfew("audit", expect=(0, 1, 2)).out, said)
                found.server.faults(names_swap="sys,AcmeTest,AcmeProd")     # back, before its next batch
                found.agent.curfew("audit", expect=(0, 1, 2))
                found.server.faults()

    def test_a_session_of_nobody_known(self):
        """A server that does not tell whose a session is: it is not ended, and its login stays shut while it is open."""
        sid, name = "dm_exec_sessions.original_security_id", "dm_exec_sessions.original_login_name"
        found = self.lab_make()
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(golive))
        self.applied(found.agent)
        jane = found.person("jane")
        self.first_login(found, jane, found.agent.handover("acme", USER))
        self.works(jane.login(USER, OWN_PASSWORD, "AcmeTest"))
        found.server.faults(null_columns=sid)
        at = local(golive + days(1))
        found.agent.apply(at, expect=(0, 1, 2))
        self.assertTrue(found.server.login(USER)[1], "the session began with full access")
        self.assertEqual(len(found.server.sessions_of(USER)), 1, "it could be anybody's")
        found.server.faults(null_columns=f"{sid},{name}")
        self.assertRegex(found.agent.curfew("status").out, r"the logins of \d+ sessions")
        # With neither it could be hers: she is not let in beside it.
        self.nobody_gets_in_beside_it(found, at)
        found.server.faults()
        self.applied(found.agent, at)
        self.assertEqual(found.server.sessions_of(USER), [])
        self.assertFalse(found.server.login(USER)[1])

    def test_sessions_that_cannot_be_read(self):
        """As short of memory: nobody knows whether a session with full access is left, and it is not read as none."""
        found = self.lab_make()
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(golive))
        self.applied(found.agent)
        jane = found.person("jane")
        self.first_login(found, jane, found.agent.handover("acme", USER))
        self.works(jane.login(USER, OWN_PASSWORD, "AcmeTest"))
        self.works(jane.sql("BEGIN TRANSACTION; UPDATE dbo.Orders SET Customer = N'Late' WHERE Id = 1"))
        found.server.faults(fail_on=[[r"FROM sys\.dm_exec_sessions", 701]])
        at = local(golive + days(1))
        said = found.agent.apply(at, expect=(0, 1, 2)).out
        self.assertIn("the server does not tell whose sessions are open", said)
        self.assertNotIn("curfew_full", found.server.roles(USER, "AcmeTest"))
        self.nobody_gets_in_beside_it(found, at)
        found.server.faults()
        self.applied(found.agent, at)
        self.assertEqual(found.server.sessions_of(USER), [])
        self.assertFalse(found.server.login(USER)[1])

    def nobody_gets_in_beside_it(self, found, at):
        for _ in range(2):
            found.agent.apply(at, expect=(0, 1, 2))
            self.assertTrue(found.server.login(USER)[1], "an older session may be open")
            self.assertEqual(len(found.server.sessions_of(USER)), 1)
            self.assertEqual(found.agent.elements(), [])

    def test_collations_that_cannot_meet_are_our_fault(self):
        """A check that the server refuses for its collations is named as a defect; one that it refuses otherwise is not."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.applied(found.agent)
        for number, ours in ((449, True), (300, False)):
            found.server.faults(fail_on=f"is_linked,{number}")
            said = found.agent.curfew("audit", expect=(0, 1, 2)).out
            self.assertRegex(said, rf"cannot run check linked-server.* \({number}: ")
            self.assertEqual("this is a defect of Curfew" in said, ours, said)

    def nobody_is_in(self, found):
        login = found.server.login(USER)
        self.assertTrue(login is None or login[1], login)
        self.assertEqual(found.agent.elements(), [])


if __name__ == "__main__":
    unittest.main()
