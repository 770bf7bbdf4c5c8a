"""What a pass knows from the journal: unread databases, former access, reopened dates, missing records."""
import contextlib
import os
import shutil
import sqlite3
import unittest

import lab
from case import OWN_PASSWORD, USER, LabCase
from lab import day, days, local, seconds

STATES = ("OFFLINE", "ONLINE")


class MemoryCase(LabCase):
    def stage(self, golive=None, **options):
        found = self.lab_make(limits={"connect_timeout": 10, "server_deadline": 60}, **options)
        found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")],
                         **self.dates(golive or lab.now() + days(5)))
        return found

    def go_live_was(self, agent, ago):
        agent.clients["acme"].update(go_live=local(lab.now() - ago), starts=day(lab.now() - ago - days(10)),
                                     approved_on=day(lab.now() - ago - days(12)))
        agent.write()


class Unread(MemoryCase):
    """A database that cannot be seen counts as it was verified last."""

    def test_offline_at_golive(self):
        found = self.stage()
        agent, server = found.agent, found.server
        self.applied(agent)
        jane = found.person("jane")
        self.first_login(found, jane, agent.handover("acme", USER))
        jane.logout()
        server.sql("ALTER DATABASE [AcmeTest] SET OFFLINE")
        self.go_live_was(agent, seconds(5))
        result = agent.curfew("apply")
        self.assertNotEqual(result.code, 0, result)
        self.assertEqual(agent.elements(), [], "nobody comes in while the narrowing is not seen")
        self.assertEqual(int(server.login(USER)[1]), 1, result)
        server.sql("ALTER DATABASE [AcmeTest] SET ONLINE")
        self.assertFalse(jane.login(USER, OWN_PASSWORD, "AcmeTest").ok)
        self.applied(agent)
        self.works(jane.login(USER, OWN_PASSWORD, "AcmeTest"))
        self.reads_only(jane, "AcmeTest")

    def test_offline_at_the_end(self):
        found = self.stage()
        agent, server = found.agent, found.server
        self.applied(agent)
        server.sql("ALTER DATABASE [AcmeTest] SET OFFLINE")
        self.go_live_was(agent, days(31))
        agent.curfew("apply")
        status = agent.curfew("status", "acme")
        self.assertNotEqual(status.code, 0, status)
        certificate = agent.curfew("certificate", "acme")
        self.assertEqual(certificate.code, 2, certificate)
        self.assertIn("AcmeTest", certificate.out + certificate.err)
        server.sql("ALTER DATABASE [AcmeTest] SET ONLINE")
        agent.curfew("apply")
        self.assertFalse(server.user(USER, "AcmeTest"))
        agent.curfew("certificate", "acme", expect=0)


class Left(MemoryCase):
    """What has left the files is looked for until it is verified gone."""

    def test_server_that_left_stays_guarded(self):
        found = self.lab_make(shape="gateway", servers={"sql01": ("AcmeTest",), "sql02": ("BoltTest",)})
        agent, server = found.agent, found.servers["sql01"]
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(5)))
        self.applied(agent)
        self.silent(found.person("other"))
        gone = agent.servers.pop("sql01")
        agent.clients.clear()
        agent.write()
        plan = agent.curfew("plan")
        self.assertIn("curfew unguard sql01", plan.out + plan.err)
        result = agent.curfew("apply")
        self.assertNotEqual(result.code, 0, result)
        self.assertIn(USER, result.out + result.err)
        self.silent(found.person("other"))
        agent.curfew("unguard", "sql01", "--reason", "a test", expect=0)
        agent.curfew("forget", "sql01", "--reason", "a test", expect=0)
        agent.curfew("apply", expect=0)
        self.assertIsNotNone(gone)
        self.assertIsNotNone(server.login(USER), "nobody could reach it to remove it")

    def test_what_the_configuration_names_is_not_forgotten(self):
        """Curfew goes on looking there: without its records, what it removes later would never end in them."""
        found = self.stage()
        agent = found.agent
        self.applied(agent)
        for place, says in ((("sql01",), "server sql01 is in the configuration, so Curfew goes on looking there"),
                            (("sql01", "AcmeTest"), "client acme names sql01 / AcmeTest")):
            said = agent.curfew("forget", *place, "--reason", "a test", expect=1)
            self.assertIn(says, said.err)
        self.assertNotIn("forget", [e["action"] for e in agent.curfew("history", "--json").json])
        agent.clients.clear()
        agent.write()
        agent.curfew("forget", "sql01", "--reason", "a test", expect=1)
        agent.curfew("apply", expect=0)
        self.ended(agent)

    def ended(self, agent):
        last = {}
        for e in agent.curfew("history", "--json", expect=0).json:
            if e["kind"] == "access":
                last[e["login"], e["database"]] = (e["level"], e["outcome"])
        self.assertEqual(set(last.values()), {("none", "verified")}, last)

    def test_what_is_removed_after_a_forget_has_ended(self):
        """The server comes back: its logins are known by their SIDs, and go."""
        found = self.lab_make(shape="gateway", servers={"sql01": ("AcmeTest",), "sql02": ("BoltTest",)})
        agent, server = found.agent, found.servers["sql01"]
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(5)))
        self.applied(agent)
        gone = agent.servers.pop("sql01")
        agent.clients.clear()
        agent.write()
        agent.curfew("forget", "sql01", "--reason", "a test", expect=0)
        agent.servers["sql01"] = gone
        agent.write()
        agent.curfew("apply", expect=0)
        self.assertIsNone(server.login(USER))
        self.ended(agent)
        proofs = [e for e in agent.curfew("history", "--json").json if e["kind"] == "proof" and e["level"] == "none"]
        self.assertEqual([(e["login"], e["database"]) for e in proofs], [(USER, None)])
        agent.curfew("apply", expect=0)
        again = [e for e in agent.curfew("history", "--json").json if e["kind"] == "proof" and e["level"] == "none"]
        self.assertEqual(again, proofs)

    def test_database_that_left_while_offline(self):
        found = self.stage()
        agent, server = found.agent, found.server
        self.applied(agent)
        server.sql("ALTER DATABASE [AcmeTest] SET OFFLINE")
        agent.clients["acme"]["databases"].pop(0)
        agent.write()
        result = agent.curfew("apply")
        self.assertNotEqual(result.code, 0, result)
        self.assertIn("AcmeTest", result.out + result.err)
        self.go_live_was(agent, days(31))
        agent.curfew("apply")
        self.assertEqual(agent.curfew("certificate", "acme").code, 2)
        server.sql("ALTER DATABASE [AcmeTest] SET ONLINE")
        agent.curfew("apply")
        self.assertFalse(server.user(USER, "AcmeTest"))
        agent.curfew("certificate", "acme", expect=0)

    def test_never_given_is_certified(self):
        found = self.lab_make()
        agent = found.agent
        found.client_add("acme", [("staging", "sql01", "NeverThere")], **self.dates(lab.now() - days(31)))
        self.go_live_was(agent, days(31))
        agent.curfew("apply", expect=0)
        agent.curfew("certificate", "acme", expect=0)


class Reopened(MemoryCase):
    def test_golive_moved_after_it_passed(self):
        found = self.stage()
        agent = found.agent
        self.applied(agent)
        jane = found.person("jane")
        self.first_login(found, jane, agent.handover("acme", USER))
        self.go_live_was(agent, days(2))
        agent.curfew("apply", expect=0)
        jane.logout()
        agent.clients["acme"]["go_live"] = local(lab.now() + days(100))
        agent.write()
        plan = agent.curfew("plan")
        self.assertIn("reopens access that ended on", plan.out + plan.err)
        agent.curfew("apply")
        self.works(jane.login(USER, OWN_PASSWORD, "AcmeTest"))
        self.assertFalse(jane.sql("INSERT INTO dbo.Orders (Id, Customer) VALUES (51, N'x')").ok)
        jane.logout()
        agent.clients["acme"].update(ticket="CS-NEW", approved_on=day(lab.now() - days(1)))
        agent.write()
        agent.curfew("apply", expect=0)
        self.works(jane.login(USER, OWN_PASSWORD, "AcmeTest"))
        self.works(jane.sql("INSERT INTO dbo.Orders (Id, Customer) VALUES (52, N'x')"))


class Lost(MemoryCase):
    def journal(self, agent, name="journal.db"):
        return agent.path("state", name)

    def test_journal_that_is_gone_opens_nothing(self):
        found = self.stage()
        agent = found.agent
        self.applied(agent)
        shutil.copy(self.journal(agent), self.journal(agent, "older"))
        agent.curfew("revoke", "acme", "--reason", "laptop stolen", expect=0)
        self.assertIsNone(found.server.login(USER))
        for replace in (os.remove, lambda path: shutil.copy(self.journal(agent, "older"), path)):
            replace(self.journal(agent))
            result = agent.curfew("apply")
            self.assertNotEqual(result.code, 0, result)
            self.assertIn("curfew accept-loss", result.out + result.err)
            self.assertEqual(agent.elements(), [])
            self.assertIsNone(found.server.login(USER), "nobody who was revoked is let in again")
        agent.curfew("accept-loss", "--reason", "no backup", expect=0)
        agent.curfew("apply", expect=0)

    def test_a_copy_on_a_new_host(self):
        """Nothing there tells how old it is: who was revoked since is not let in before somebody has looked."""
        found = self.stage()
        agent = found.agent
        self.applied(agent)
        older = found.path("older")
        shutil.copy(self.journal(agent), older)
        agent.curfew("revoke", "acme", "--reason", "laptop stolen", expect=0)
        for folder in (agent.path("state"), agent.path("state-firewall")):
            shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(agent.path("state"))
        shutil.copy(older, self.journal(agent))
        for _ in range(2):
            result = agent.curfew("apply", expect=(1, 2))
            self.assertIn("the journal was never used on this host", result.out + result.err)
            self.assertIn("curfew accept-loss", result.out + result.err)
            self.assertEqual(agent.elements(), [])
            self.assertIsNone(found.server.login(USER))
        agent.curfew("revoke", "acme", "--reason", "laptop stolen", expect=(0, 1, 2))
        agent.curfew("accept-loss", "--reason", "restored from a backup", expect=0)
        agent.curfew("apply", expect=0)
        self.assertIsNone(found.server.login(USER))

    def test_it_is_said_although_nothing_differs(self):
        """An older copy of the journal, and access that is as scheduled: a check that reads exit codes must see it."""
        found = self.stage()
        agent = found.agent
        self.applied(agent)
        agent.curfew("status", expect=0)
        shutil.copy(self.journal(agent), self.journal(agent, "older"))
        agent.clients["acme"]["users"][0]["sources"].append("203.0.113.8")
        agent.write()
        agent.curfew("apply", expect=0)
        shutil.copy(self.journal(agent, "older"), self.journal(agent))
        # Also before anything has been written into it.
        self.assertIs(agent.curfew("status", "--json", expect=1).json["held"], True)
        self.assertIs(agent.curfew("plan", "--json", expect=1).json["held"], True)
        self.assertIn("is not known", agent.curfew("history", "--at", "now", expect=1).err)
        yesterday = f"@{int(lab.now().timestamp()) - 86400}"
        population = agent.curfew("audit", "--from", yesterday, "--json", expect=2).json
        self.assertIsNone(population["missing"][0]["accepted_by"])
        agent.curfew("apply", expect=1)
        self.assertEqual(len(agent.curfew("audit", "--from", yesterday, "--json", expect=2).json["missing"]), 1)
        status = agent.curfew("status", expect=1)
        self.assertIn("\nunverified: the journal ", status.out)
        self.assertNotIn("\n: ", status.out)
        self.assertIs(agent.curfew("status", "--json", expect=1).json["held"], True)
        plan = agent.curfew("plan", expect=1)
        self.assertIn("No changes.\nerror: no access is granted, because records are missing", plan.out)
        self.assertIs(agent.curfew("plan", "--json", expect=1).json["held"], True)
        # A new colleague: `curfew apply` would grant nothing.
        agent.clients["acme"]["users"].append({"first": "Bob", "last": "Roe", "email": "bob.roe@acme.example",
                                               "sources": ["203.0.113.9"]})
        agent.write()
        explained = agent.curfew("explain", "acme", "bob.roe", "--json", expect=2).json
        self.assertEqual(explained["cause"], "held", explained)
        self.assertIn("curfew accept-loss", explained["text"])
        agent.curfew("accept-loss", "--reason", "no backup", expect=0)
        agent.curfew("apply", expect=0)
        agent.curfew("status", expect=0)

    def test_a_command_that_writes_saves_what_was_last_seen(self):
        """Or a copy of the journal from just before it would be taken for the newest."""
        found = self.lab_make(limits={"connect_timeout": 30, "server_deadline": 120})
        agent = found.agent
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(5)))
        agent.curfew("apply", expect=0)

        def saved():
            with contextlib.closing(sqlite3.connect(self.journal(agent))) as db:
                newest = db.execute("SELECT max(id) FROM record").fetchone()[0]
            with open(self.journal(agent, "journal.db.head"), encoding="ascii") as file:
                self.assertEqual(int(file.read().split()[0]), newest)
            return newest
        before = saved()
        agent.handover("acme", USER)
        handed = saved()
        self.assertGreater(handed, before)
        found.server.sql("CREATE LOGIN [acme.other] WITH PASSWORD = N'Some-Passw0rd-of-o', CHECK_POLICY = OFF; "
                         "ALTER SERVER ROLE [curfew_logins] ADD MEMBER [acme.other]")
        agent.curfew("adopt", "sql01", "acme.other", "--reason", "a test", expect=0)
        self.assertGreater(saved(), handed)


if __name__ == "__main__":
    unittest.main()
