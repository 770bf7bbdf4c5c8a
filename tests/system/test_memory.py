"""What a pass knows from the journal: unread databases, former access, reopened dates, missing records."""
import os
import shutil
import unittest

import lab
from case import OWN_PASSWORD, USER, LabCase
from lab import day, days, local, seconds

STATES = ("OFFLINE", "ONLINE")


class MemoryCase(LabCase):
    def stage(self, golive=None, **options):
        found = self.lab_make(limits={"connect_timeout": 2, "server_deadline": 8}, **options)
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


if __name__ == "__main__":
    unittest.main()
