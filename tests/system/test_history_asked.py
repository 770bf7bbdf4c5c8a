#!/usr/bin/python3
"""`history` answers what was asked: of that moment, and of that person, whichever file has the records."""

import unittest

import audit_lab
import lab
from test_history import at


def setUpModule():
    lab.require()


class Asked(audit_lab.AuditCase):
    def logins(self, found, *asked):
        return {r["login"] for r in found.agent.curfew("history", *asked, "--json", expect=0).json}

    def test_in_the_time_zone_of_the_client(self):
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], timezone="America/Chicago")
        found.agent.apply()
        asked = found.agent.curfew("history", "acme", "--at", "2099-01-01T00:00", expect=1)
        self.assertIn("2099-01-01T06:00:00Z is in the future", asked.err)
        asked = found.agent.curfew("history", "--at", "2099-01-01T00:00", expect=1)
        self.assertIn("2099-01-01T00:00:00Z is in the future", asked.err)
        self.assertEqual(found.agent.curfew("audit", "acme", "--from", "2026-01-01T00:00", "--json").json["from"],
                         "2026-01-01T06:00:00Z")
        now = at(lab.now())
        self.assertIn(f"Access at {now}", found.agent.curfew("history", "--at", now, expect=0).out)

    def test_a_person_of_two_archives(self):
        """Each login of the same person is in the records of another file."""
        found = self.lab_make(servers={"sql01": ("AcmeTest", "BoltTest")})
        instants = []
        for name in ("acme", "bolt"):
            found.client_add(name, [("staging", "sql01", f"{name.capitalize()}Test")])
            found.agent.clients[name]["users"][0]["email"] = "jane@x.example"
            found.agent.write()
            found.agent.apply()
            lab.wait_past(lab.now())
            instants.append(lab.now())
            lab.wait_past(lab.now())
        for number, instant in enumerate(instants):
            found.agent.curfew("archive", found.path(f"{number}.db"), "--to", at(instant), expect=0)
        found.agent.clients.clear()
        found.agent.write()
        found.agent.apply()
        both = {"acme.jane.doe", "bolt.jane.doe"}
        asked = ("--at", at(instants[1] - lab.seconds(1)))
        self.assertEqual(self.logins(found, *asked), both)
        for more in (("--person", "jane@x.example"), ("--user", "jane.doe")):
            self.assertEqual(self.logins(found, *asked, *more), both, more)

    def test_a_login_that_passed_to_another_person(self):
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        lab.wait_past(lab.now())
        before = at(lab.now())
        lab.wait_past(lab.now())
        found.agent.clients["acme"]["users"][0]["email"] = "other@acme.example"
        found.agent.write()
        found.agent.apply()
        lab.wait_past(lab.now())
        for email, when, logins in (("jane.doe@acme.example", before, {"acme.jane.doe"}),
                                    ("jane.doe@acme.example", "now", set()),
                                    ("other@acme.example", "now", {"acme.jane.doe"})):
            self.assertEqual(self.logins(found, "--at", when, "--person", email), logins, (email, when))

    def test_an_end_that_the_record_of_the_next_person_confirms(self):
        """Only what is shown is of the person that was asked for; so it is with --limit."""
        found = self.lab_make()
        found.golive = lab.now() - lab.days(5)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply(at(lab.now() - lab.days(8)))
        found.agent.clients["acme"]["users"][0]["email"] = "other@acme.example"
        found.agent.write()
        found.agent.apply(at(lab.now() - lab.days(4)))
        for more in ("--person", "jane.doe@acme.example"), ("--limit", "1"):
            asked = ("history", "--at", at(found.golive + lab.seconds(60)), *more, "--json")
            [row] = [r for r in found.agent.curfew(*asked, expect=0).json if r["past_its_end"]]
            self.assertTrue(row["confirmed_closed"], more)
        self.assertEqual(self.logins(found, "--at", "now", "--person", "jane.doe@acme.example"), set())

    def test_a_client_that_had_another_name(self):
        """The same people had the same database, as a client of another name: "nobody" is no answer."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        lab.wait_past(lab.now())
        before = at(lab.now())
        lab.wait_past(lab.now())
        client = found.agent.clients.pop("acme")
        found.agent.clients["apex"] = {**client, "name": "apex"}
        found.agent.write()
        found.agent.curfew("apply")
        found.agent.apply()
        lab.wait_past(lab.now())
        for command in ("history", "apex", "--at", before), ("audit", "apex", "--from", before):
            self.assertIn("was of client acme then", found.agent.curfew(*command, expect=2).err)
        # Whoever has the page alone reads it there.
        page = found.path("period.html")
        audit = ("audit", "apex", "--from", before)
        found.agent.curfew(*audit, "--html", page, expect=2)
        with open(page, encoding="utf-8") as file:
            self.assertIn("was of client acme then", file.read())
        self.assertIn("Not listed: database AcmeTest on sql01", found.agent.curfew(*audit, expect=2).out)
        self.assertEqual(found.agent.curfew(*audit, "--json", expect=2).json["former_clients"],
                         [{"client": "acme", "server": "sql01", "database": "AcmeTest"}])
        found.agent.curfew("history", "apex", "--at", "now", expect=0)
        self.assertEqual(found.agent.curfew("history", "acme", "--at", before, expect=0).err, "")

    def test_a_client_that_was_renamed_while_the_logins_stayed(self):
        """The login is written in the file: it goes on under the new name of the client, and ends there once."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.clients["acme"]["users"][0]["login"] = "jdoe"
        found.agent.write()
        found.agent.apply()
        lab.wait_past(lab.now())
        before = at(lab.now())
        lab.wait_past(lab.now())
        found.agent.clients["apex"] = {**found.agent.clients.pop("acme"), "name": "apex"}
        found.agent.write()
        found.agent.apply()
        lab.wait_past(lab.now())

        def held(*asked):
            return [(r["client"], r["login"], r["level"]) for r in
                    found.agent.curfew("history", *asked, "--json", expect=0).json]

        self.assertEqual(held("apex", "--at", "now"), [("apex", "jdoe", "full")])
        self.assertEqual(held("--at", "now"), [("apex", "jdoe", "full")])
        self.assertEqual(held("--at", before), [("acme", "jdoe", "full")])
        self.assertEqual(held("acme", "--at", "now"), [])
        found.agent.apply()
        access = [r for r in found.agent.curfew("history", "--json").json if r["kind"] == "access"]
        self.assertEqual([(r["client"], r["level"]) for r in access],
                         [("acme", "full"), ("acme", "none"), ("apex", "full")])
        self.assertIn("client apex", access[1]["detail"])
        found.agent.curfew("revoke", "apex", "--reason", "left", expect=0)
        for _ in range(3):
            found.agent.apply()
        lab.wait_past(lab.now())
        self.assertEqual(held("--at", "now"), [])
        rows = found.agent.curfew("audit", "--from", before, "--json").json["rows"]
        self.assertEqual({(r["client"], r["login"]): bool(r["ended"]) for r in rows},
                         {("acme", "jdoe"): True, ("apex", "jdoe"): True})
        said = found.agent.curfew("certificate", "apex", "jdoe", expect=0).out
        self.assertNotIn("no record of access", said)
        access = [r for r in found.agent.curfew("history", "--json").json if r["kind"] == "access"]
        self.assertEqual([(r["client"], r["level"]) for r in access[3:]], [("apex", "none")])

    def test_a_client_that_was_revoked_and_renamed_while_the_logins_stayed(self):
        """Under its new name it is revoked too, whether a pass had removed the access by then or not, until it is reinstated."""
        for down in True, False:
            with self.subTest(down=down):
                found = self.lab_make()
                found.client_add("acme", [("staging", "sql01", "AcmeTest")])
                found.agent.clients["acme"]["users"][0]["login"] = "jdoe"
                found.agent.write()
                found.agent.apply()
                found.server.faults(drop_prelogin=down)
                found.agent.curfew("revoke", "acme", "--reason", "left")
                found.server.faults()
                found.agent.clients["apex"] = {**found.agent.clients.pop("acme"), "name": "apex"}
                found.agent.write()
                for _ in range(2):
                    found.agent.curfew("apply")
                self.assertFalse(found.server.login("jdoe"))
                self.assertEqual({g["level"] for g in found.agent.curfew("history", "--at", "now", "--json").json}, set())
                found.agent.curfew("reinstate", "apex", "--reason", "is back", expect=0)
                found.agent.apply()
                self.assertTrue(found.server.login("jdoe"))

    def test_a_consultant_of_a_revoked_client_who_works_for_others(self):
        """The login is written in each client's file: only a client that takes the revoked one's database is revoked."""
        found = self.lab_make(servers={"sql01": ("AcmeTest", "ZetaTest", "BetaTest")})
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.clients["acme"]["users"][0]["login"] = "jdoe"
        found.agent.write()
        found.agent.apply()
        found.agent.curfew("revoke", "acme", "--reason", "left", expect=0)
        del found.agent.clients["acme"]

        def client(name, *databases):
            found.client_add(name, [("staging", "sql01", d) for d in databases],
                             users=(("John", "Doe"), ("Kim", "Lee"), ("Lou", "Roe")))
            found.agent.clients[name]["users"][0]["login"] = "jdoe"
            found.agent.write()
            for _ in range(2):
                found.agent.curfew("apply")

        def held():
            return {(r["client"], r["login"]) for r in
                    found.agent.curfew("history", "--at", "now", "--json").json}

        def revoked():
            return {(r["client"], r.get("login")) for r in
                    found.agent.curfew("history", "--json").json if r["action"] == "revoke"}

        before = revoked()
        client("zeta", "ZetaTest")
        zeta = {("zeta", login) for login in ("jdoe", "zeta.kim.lee", "zeta.lou.roe")}
        self.assertEqual(held(), zeta)
        self.assertEqual(revoked(), before)
        # Kim and Lou had access under this name before it took the database: the revoked login is the consultant's.
        found.agent.clients["zeta"]["databases"].append({**found.agent.clients["zeta"]["databases"][0], "name": "AcmeTest"})
        found.agent.write()
        for _ in range(2):
            found.agent.curfew("apply")
        self.assertEqual(held(), zeta - {("zeta", "jdoe")})
        self.assertEqual(len(revoked()), len(before) + 1)

    def test_a_new_client_that_takes_a_revoked_ones_database(self):
        """All of its users are revoked, if nobody had access in it but by the revoked client's logins."""
        found = self.lab_make(servers={"sql01": ("AcmeTest", "BetaTest")})
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.clients["acme"]["users"][0]["login"] = "jdoe"
        found.agent.write()
        found.agent.apply()
        found.agent.curfew("revoke", "acme", "--reason", "left", expect=0)
        del found.agent.clients["acme"]
        found.client_add("beta", [("staging", "sql01", "BetaTest"), ("staging", "sql01", "acmetest")],
                         users=(("John", "Doe"), ("Kim", "Lee")))
        found.agent.clients["beta"]["users"][0]["login"] = "JDoe"
        found.agent.write()
        for _ in range(2):
            found.agent.curfew("apply")
        self.assertEqual(found.agent.curfew("history", "--at", "now", "--json").json, [])
        found.agent.curfew("reinstate", "beta", "--reason", "other people", expect=0)
        found.agent.apply()
        self.assertEqual({r["login"] for r in found.agent.curfew("history", "--at", "now", "--json").json},
                         {"JDoe", "beta.kim.lee"})

    def test_a_change_that_ended_after_the_period(self):
        """Its outcome belongs to it: "intended" would say that Curfew died in between."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        found.server.faults(delay=1500)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], users=(("Bob", "Roe"),))
        found.agent.curfew("apply")
        found.server.faults()
        records = found.agent.curfew("history", "--json", expect=0).json
        outcomes = {e["intent"]: e for e in records if e["kind"] == "outcome"}
        intent, outcome = next((e, outcomes[e["id"]]) for e in records
                               if e["id"] in outcomes and outcomes[e["id"]]["at"] > e["at"])
        shown = found.agent.curfew("history", "--to", outcome["at"], expect=0).out
        [line] = [k for k in shown.splitlines() if k.strip().startswith(f"{intent['id']} ")]
        self.assertIn(f": done ({outcome['id']})", line)
        later = found.agent.curfew("history", "--from", outcome["at"], "--json", expect=0).json
        self.assertNotIn(outcome["id"], [e["id"] for e in later])


if __name__ == "__main__":
    unittest.main()
