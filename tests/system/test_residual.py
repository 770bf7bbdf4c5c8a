#!/usr/bin/python3
"""Nothing is forgotten before it is verified gone: what left the files is named by every command until then."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER, LabCase  # noqa: E402
from lab import day, days, local  # noqa: E402
from service import ServiceCase  # noqa: E402

TWO = {"sql01": ("AcmeTest", "AcmeProd"), "sql02": ("AcmeTest", "AcmeProd")}


def setUpModule():
    lab.require()


class Moved(LabCase):
    def acme_make(self):
        self.found = self.lab_make(shape="gateway", servers=TWO)
        self.agent = self.found.agent
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")],
                              **self.dates(lab.now() + days(3)))
        self.applied(self.agent)

    def end_comes(self):
        self.agent.clients["acme"].update(go_live=local(lab.now() - days(31)), starts=day(lab.now() - days(40)))
        self.agent.write()

    def is_named(self, server, database):
        """In each report, as a row and not as a text alone."""
        where = {"login": USER, "server": server, "database": database}
        for command in ("status", "audit"):
            result = self.agent.curfew(command, "acme", expect=(1, 2))
            self.assertIn("ot in the configuration, and not verified gone", result.out)
            self.assertRegex(result.out, rf"{USER} +{server}(/| +){database} ")
            found = json.loads(self.agent.curfew(command, "acme", "--json", expect=(1, 2)).out)
            rows = [{name: row[name] for name in where} for row in found["residual"]]
            self.assertIn(where, rows, command)
            self.assertEqual(found["residual"][0]["state"], "overdue")
        certificate = self.agent.curfew("certificate", "acme", expect=2)
        self.assertIn(server, certificate.out + certificate.err)

    def nothing_is_named(self):
        for command in ("status", "audit"):
            found = json.loads(self.agent.curfew(command, "acme", "--json", expect=0).out)
            self.assertEqual(found["residual"], [])

    def test_to_another_server_while_the_first_is_down(self):
        self.acme_make()
        self.found.servers["sql01"].faults(drop_prelogin=True)
        self.agent.clients["acme"]["databases"] = [{"role": "staging", "server": "sql02", "name": "AcmeTest"}]
        self.agent.write()
        self.agent.bootstrap("sql02", self.found.servers["sql02"])
        self.agent.apply(expect=1)
        self.assertEqual(self.found.servers["sql02"].roles(USER, "AcmeTest"), ["curfew_full"])
        self.end_comes()
        self.agent.apply(expect=1)
        self.assertIsNone(self.found.servers["sql02"].login(USER))
        self.is_named("sql01", "AcmeTest")
        # Nor when that server leaves curfew.conf.
        sql01 = self.agent.servers.pop("sql01")
        self.agent.write()
        self.agent.apply(expect=1)
        self.is_named("sql01", "AcmeTest")
        self.assertRegex(self.agent.curfew("check").out, f"{USER} on sql01/AcmeTest: ")
        self.assertRegex(self.agent.curfew("check").out, "guard .* of server sql01")
        self.agent.servers["sql01"] = sql01
        self.agent.write()
        self.found.servers["sql01"].faults()
        self.agent.apply(expect=0)
        self.assertIsNone(self.found.servers["sql01"].login(USER))
        self.nothing_is_named()
        certificate = self.agent.curfew("certificate", "acme", expect=0)
        self.assertIn("sql01", certificate.out)

    def test_an_entry_is_taken_out_while_its_database_is_offline(self):
        self.acme_make()
        server = self.found.servers["sql01"]
        server.sql("ALTER DATABASE [AcmeTest] SET OFFLINE")
        self.agent.clients["acme"]["databases"].pop(0)
        self.agent.write()
        self.agent.apply(expect=(1, 2))
        self.end_comes()
        self.agent.apply(expect=(1, 2))
        self.is_named("sql01", "AcmeTest")
        server.sql("ALTER DATABASE [AcmeTest] SET ONLINE")
        self.agent.apply(expect=0)
        self.assertFalse(server.user(USER, "AcmeTest"))
        self.nothing_is_named()
        self.agent.curfew("certificate", "acme", expect=0)

    def test_a_golive_moved_after_it_has_passed_is_named_by_check(self):
        self.acme_make()
        self.agent.clients["acme"].update(go_live=local(lab.now() - days(1)))
        self.agent.write()
        self.agent.apply(expect=(0, 1, 2))
        self.assertNotIn("reopens", self.agent.curfew("check").out)
        self.agent.clients["acme"].update(go_live=local(lab.now() + days(5)))
        self.agent.write()
        self.assertRegex(self.agent.curfew("check").out, "warning: acme: reopens access that ended on .*stays ended")


class Trusted(LabCase):
    def test_a_source_that_the_server_trusts(self):
        """It has no end: whoever comes from there reaches the server after the access, and every report says so."""
        found = self.lab_make()
        found.agent.servers["sql01"]["trusted"] = ["203.0.113.0/24"]
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(3)))
        self.applied(found.agent)
        audit = found.agent.curfew("audit", "--json", expect=2).json
        named = [(f["name"], f["login"], f["server"]) for f in audit["findings"]]
        self.assertEqual(named.count(("source-trusted", USER, "sql01")), 1, named)
        found.agent.clients["acme"].update(go_live=local(lab.now() - days(31)), starts=day(lab.now() - days(40)))
        found.agent.write()
        found.agent.apply(expect=0)
        certificate = found.agent.curfew("certificate", "acme", expect=0)
        self.assertEqual(" ".join(certificate.out.split()).count("overlaps a trusted source"), 1, certificate.out)


class Shared(LabCase):
    def test_a_source_that_somebody_else_has_too(self):
        """Her element is gone, her packets still pass by a colleague's prefix around it: the certificate says so."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], approved_on=day(lab.now() - days(62)),
                         starts=day(lab.now() - days(60)), go_live=local(lab.now() - days(40)))
        found.client_add("beta", [("staging", "sql01", "AcmeProd")], **self.dates(lab.now() + days(9)), users=[
            {"first": "Bob", "last": "Ray", "email": "b@beta.example", "sources": ["203.0.113.0/24"]}])
        found.agent.apply(local(lab.now() - days(41)))
        found.agent.apply()
        self.reaches(found.person("jane"))
        certificate = " ".join(found.agent.curfew("certificate", "acme", expect=0).out.split())
        self.assertEqual(certificate.count("overlaps an element of somebody else"), 1, certificate)
        self.assertNotIn("203.0.113.0/24", certificate)
        found.agent.clients.pop("beta")
        found.agent.write()
        found.agent.apply(expect=(0, 1, 2))
        self.silent(found.person("jane"))
        certificate = found.agent.curfew("certificate", "acme", expect=0)
        self.assertNotIn("overlaps", certificate.out)


class Revoked(LabCase):
    """A file that names its client or its people otherwise is no way around a revocation."""

    def named(self, found, client, login):
        """The same file under another name of the client, or with another login."""
        old = dict(next(iter(found.agent.clients.values())), name=client)
        old["users"] = [dict(old["users"][0], login=login)]
        found.agent.clients.clear()
        found.agent.clients[client] = old
        found.agent.write()

    def test_under_another_name(self):
        found = self.lab_make()
        server, agent = found.server, found.agent
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(9)))
        self.applied(agent)
        agent.curfew("revoke", "acme", USER, "--reason", "CS-7: stolen", expect=0)
        self.named(found, "acme2", USER.upper())
        self.assertNotIn("no file names it", agent.curfew("check").out, "the revocation holds")
        agent.apply()
        self.assertIsNone(server.login(USER))
        self.silent(found.person("jane"))
        grant, = agent.curfew("status", "--json").json["grants"]
        self.assertEqual((grant["client"], grant["revoked"]["reason"]), ("acme2", "CS-7: stolen"))
        self.assertIn("root (uid 0)", grant["revoked"]["by"])
        self.assertIn("CS-7: stolen", agent.curfew("status", "acme2").out)
        why = agent.curfew("explain", "acme2", USER).out
        self.assertIn("CS-7: stolen", why)
        self.assertIn("root (uid 0)", why)
        calendar = agent.curfew("timeline", "acme2", "--ics", "-", expect=0).out
        self.assertIn("VEVENT", calendar)
        self.assertNotIn("Users: ", calendar)
        # With the login that she would have had by the new name she is the same person.
        self.named(found, "acme2", "acme2.jane.doe")
        for command in ("check", "plan", "apply"):
            said = " ".join((agent.curfew(command).out + agent.curfew(command).err).split())
            if command != "apply":
                self.assertIn(f"revoked as acme / {USER}, which no file names now: CS-7: stolen", said)
        self.assertIsNone(server.login("acme2.jane.doe"))
        self.silent(found.person("jane"))
        self.assertIn("revoked", agent.curfew("status", "acme2").out)
        agent.curfew("history", "verify", expect=0)
        self.named(found, "acme2", USER)
        agent.curfew("reinstate", "acme2", USER, "--reason", "CS-8: found", expect=(0, 2))
        agent.apply()
        self.assertEqual(server.login(USER), [USER, False])
        self.reaches(found.person("jane"))
        agent.curfew("history", "verify", expect=0)

    def test_somebody_else_in_her_place(self):
        """Another person of the same client is let in, as the file says; a note asks who that is."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(9)))
        self.applied(found.agent)
        found.agent.curfew("revoke", "acme", USER, "--reason", "CS-7: left", expect=0)
        user = found.agent.clients["acme"]["users"][0]
        user.update(first="Bob", last="Ray", email="bob.ray@acme.example")
        found.agent.write()
        found.agent.apply(expect=0)
        self.assertEqual(found.server.login("acme.bob.ray"), ["acme.bob.ray", False])
        # She again, by another surname: her address is on record.
        user.update(first="Jane", last="Roe", email="Jane.Doe@acme.example")
        found.agent.write()
        found.agent.apply(expect=(0, 1, 2))
        self.assertIsNone(found.server.login("acme.jane.roe"))

    def test_a_client_under_another_name(self):
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(9)))
        self.applied(found.agent)
        found.agent.curfew("revoke", "acme", "--reason", "CS-7", expect=0)
        self.named(found, "acme2", "acme2.jane.doe")
        said = found.agent.curfew("check")
        self.assertIn("revoked as acme", said.out + said.err)
        found.agent.clients["acme2"]["databases"][0]["name"] = "AcmeProd"
        found.agent.write()
        said = found.agent.curfew("check")
        self.assertNotIn("revoked", said.out + said.err, "other databases are other people's")
        found.agent.clients["acme2"]["databases"][0]["name"] = "AcmeTest"
        found.agent.write()
        for _ in range(2):
            found.agent.apply(expect=(0, 2))
            self.assertIsNone(found.server.login("acme2.jane.doe"))
        self.named(found, "acme3", "acme3.jane.doe")
        found.agent.apply(expect=(0, 2))
        self.assertIsNone(found.server.login("acme3.jane.doe"), "a second name is no way around either")
        found.agent.curfew("reinstate", "acme3", "--reason", "CS-8: other people", expect=(0, 2))
        found.agent.apply(expect=(0, 2))
        self.assertEqual(found.server.login("acme3.jane.doe"), ["acme3.jane.doe", False])
        found.agent.curfew("history", "verify", expect=0)

    def test_an_end_that_passed_is_not_reopened_by_another_name(self):
        """Nor by another name with the old login: what passed takes a new ticket and a new approval."""
        found = self.lab_make()
        agent, server = found.agent, found.server
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(9)))
        self.applied(agent)
        agent.clients["acme"].update(go_live=local(lab.now() - days(2)))
        agent.write()
        agent.apply(expect=0)
        self.assertEqual(server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        for login in (USER, "acme2.jane.doe"):
            self.named(found, "acme2", login)
            agent.clients["acme2"].update(go_live=local(lab.now() + days(20)))
            agent.write()
            said = agent.curfew("plan")
            self.assertIn("acme2: reopens access that ended on", said.out + said.err)
            for _ in range(3):
                agent.apply(expect=(0, 2))
                self.assertEqual(server.roles(login, "AcmeTest"), ["curfew_read_only"])
        agent.clients["acme2"].update(ticket="CS-NEW", approved_on=day(lab.now() - days(1)))
        agent.write()
        agent.apply(expect=(0, 2))
        self.assertEqual(server.roles("acme2.jane.doe", "AcmeTest"), ["curfew_full"])
        agent.curfew("history", "verify", expect=0)


class Adopted(LabCase):
    def test_a_marked_login_that_nobody_names(self):
        """Left alone and shown, until an operator says that it is ours; then it goes."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(3)))
        self.applied(found.agent)
        # As another configuration on this server would have left it: with the same mark.
        server, left = found.server, "beta.rob.roe"
        mark = server.sql("SELECT r.name FROM sys.server_role_members AS m JOIN sys.server_principals AS r "
                          "ON r.principal_id = m.role_principal_id JOIN sys.server_principals AS l "
                          f"ON l.principal_id = m.member_principal_id WHERE l.name = N'{USER}'")[0][0]
        server.sql(f"CREATE LOGIN [{left}] WITH PASSWORD = N'Some-Passw0rd-of-rob', CHECK_POLICY = OFF; "
                   f"ALTER SERVER ROLE [{mark}] ADD MEMBER [{left}]")
        result = found.agent.apply(expect=(0, 1, 2))
        self.assertIn(left, result.out)
        self.assertEqual(server.login(left), [left, False], "not ours: left alone")
        self.assertNotEqual(found.agent.curfew("adopt", "sql01", left).code, 0)
        found.agent.curfew("adopt", "sql01", left, "--reason", "CS-3: the old gateway's", expect=0)
        found.agent.apply(expect=0)
        self.assertIsNone(server.login(left))
        self.assertIn("CS-3", found.agent.curfew("history").out)
        self.not_adopted(found, left, "shows no unknown member of curfew_logins named")
        found.agent.curfew("history", "verify", expect=0)

    def test_what_is_not_ours_is_refused(self):
        """It would be overdue for ever, and dropped: an administrator, the agent itself, a name that nobody has."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(3)))
        self.applied(found.agent)
        found.server.sql("CREATE LOGIN [somebody] WITH PASSWORD = N'Some-Passw0rd-of-s', CHECK_POLICY = OFF")
        for login, says in (("sa", "is a name that SQL Server reserves"), ("##MS_PolicyEventProcessingLogin##", "starts with ##"),
                            ("Curfew_Agent", "the one that Curfew itself uses"), (USER, "client acme names login"),
                            ("foo", 'shows no unknown member of curfew_logins named "foo"'),
                            ("somebody", "shows no unknown member")):
            self.not_adopted(found, login, says)
        found.server.stop()
        self.not_adopted(found, "beta.rob.roe", "cannot read sql01")

    def not_adopted(self, found, login, says):
        said = found.agent.curfew("adopt", "sql01", login, "--reason", "CS-3: a slip", expect=1)
        self.assertIn(says, said.err)
        adopted = [e["login"] for e in found.agent.curfew("history", "--json").json if e["action"] == "adopt"]
        self.assertNotIn(login, [name for name in adopted if name != "beta.rob.roe"])


class Renamed(ServiceCase):
    def test_renamed_and_broken_at_once(self):
        """The file of a client that is in has another name and an error, in one reload: nobody's access ends early."""
        self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.elements_come(2)
        folder = self.agent.path("clients.d")
        name, = os.listdir(folder)
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            text = file.read()
        os.unlink(os.path.join(folder, name))
        with open(os.path.join(folder, "renamed.conf"), "w", encoding="utf-8") as file:
            file.write(text.replace("ticket", "tikcet"))
        reloaded = self.agent.curfew("reload", expect=(2, 78))
        self.assertIn("curfew check", reloaded.err)
        self.agent.curfew("apply", expect=(0, 1, 2))
        self.assertEqual(self.found.server.login(USER), [USER, False])
        self.assertEqual(self.found.server.roles(USER, "AcmeTest"), ["curfew_full"])
        self.assertEqual(len(self.agent.elements()), 2)
        # The same when the service starts anew on those files.
        self.service.stop()
        self.service.start()
        self.agent.curfew("apply", expect=(0, 1, 2))
        self.assertEqual(self.found.server.login(USER), [USER, False])
        self.assertEqual(len(self.agent.elements()), 2)

    def test_a_revoked_client_under_another_name(self):
        """The running service holds it, also after its restart, until an operator reinstates it by the new name."""
        self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.agent.curfew("revoke", "acme", "--reason", "CS-7", expect=0)
        self.elements_come(0)
        client = dict(self.agent.clients.pop("acme"), name="acme2")
        self.agent.clients["acme2"] = client
        self.agent.write()
        self.agent.curfew("reload", expect=(0, 2))
        for again in (False, True):
            if again:
                self.service.stop()
                self.service.start()
            self.agent.curfew("apply", expect=(0, 1, 2))
            self.assertIsNone(self.found.server.login("acme2.jane.doe"))
            self.assertEqual(self.agent.elements(), [])
            self.assertIn("revoked as acme", self.agent.curfew("explain", "acme2", "acme2.jane.doe").out)
        self.agent.curfew("reinstate", "acme2", "--reason", "CS-8: other people", expect=(0, 2))
        self.elements_come(2)
        self.assertEqual(self.found.server.login("acme2.jane.doe"), ["acme2.jane.doe", False])
        self.agent.curfew("history", "verify", expect=0)


if __name__ == "__main__":
    unittest.main()
