#!/usr/bin/python3
"""Files that were broken or changed under a running service: commands use the loaded configuration, and say so."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from agent import Result  # noqa: E402
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from service import ServiceCase, until  # noqa: E402

SERVICE_USER = 12345  # any that is not root


def setUpModule():
    lab.require()


class Files(ServiceCase):
    def setUp(self):
        self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.elements_come(2)
        until(lambda: self.service.metric("curfew_passes_total"), "the pass at the start has ended")
        # As under systemd: what the service keeps belongs to its own user.
        self.kept_give(SERVICE_USER)

    def kept_give(self, user):
        for folder, _, files in os.walk(self.agent.path("state", "last-good")):
            for path in (folder, *(os.path.join(folder, name) for name in files)):
                os.chown(path, user, user)

    def curfew(self, *arguments, state=True):
        """As where the state lies in its usual place, which no faulty file has to say."""
        usual = f"STATE_DIRECTORY={self.agent.path('state')}" if state else "STATE_DIRECTORY="
        done = self.agent.space.run("env", usual, *self.agent.command(*arguments), check=False, timeout=120)
        return Result(done.returncode, done.stdout, done.stderr)

    def spoil(self, *path):
        with open(self.agent.path(*path), "a", encoding="utf-8") as file:
            file.write("oops = ;\n")

    def spoiled(self, said):
        """Commands work as before; `said` is what they say of the files."""
        for command, code in (("status", 0), ("plan", 0), ("apply", 0), ("audit", 0), ("denied", 0), ("clock", 0)):
            with self.subTest(command):
                result = self.curfew(command)
                self.assertEqual(result.code, code, str(result))
                self.assertIn(said, result.err)
                self.assertIn("syntax error", result.err)
        revoked = self.curfew("revoke", "acme", "--reason", "a laptop was stolen")
        self.assertEqual(revoked.code, 0, str(revoked))
        self.assertIn(said, revoked.err)
        self.elements_come(0)
        until(lambda: self.found.server.login(USER) is None, "the login is gone")
        given = self.curfew("reinstate", "acme", "--reason", "it was found again")
        self.assertEqual(given.code, 0, str(given))
        self.elements_come(2)

    def test_a_client_file_is_spoiled(self):
        self.spoil("clients.d", "client0.conf")
        self.spoiled("Curfew uses its last known good version")

    def test_a_new_file_has_errors(self):
        """Nobody is given access by it, which is no success: while it has errors, and until the service has loaded it."""
        said = "client file new.conf has errors and no last known good version, so nobody is given access by it"
        with open(self.agent.path("clients.d", "new.conf"), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write("client = { name = 7; };\n")

        def told(code):
            for command in ("status", "plan", "apply"):
                with self.subTest(command):
                    result = self.curfew(command)
                    self.assertEqual((result.code, said in result.err), (code, code == 2), str(result))
                    # The file of the client that is named is loaded.
                    result = self.curfew(command, "acme")
                    self.assertEqual((result.code, said in result.err), (0, False), str(result))
        told(2)
        self.kept_give(os.geteuid())  # whose the service is here
        self.assertEqual(self.agent.curfew("reload").code, 2)
        self.assertEqual(self.service.ask(command="service")["left_out"], "new.conf")
        os.unlink(self.agent.path("clients.d", "new.conf"))
        told(2)
        self.agent.curfew("reload", expect=0)
        told(0)
        # Without the service: the same of what is only shown.
        with open(self.agent.path("clients.d", "new.conf"), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write("client = { name = 7; };\n")
        self.service.stop()
        for command, code in (("status", 2), ("plan", 2), ("apply", 78)):
            result = self.curfew(command)
            self.assertEqual(result.code, code, str(result))
            self.assertIn("client file new.conf has errors and no last known good version", result.err)

    def test_the_main_file_is_spoiled(self):
        self.spoil("curfew.conf")
        self.spoiled("has errors; using the last known good version")

    def test_the_files_have_changed(self):
        note = "warning: configuration files changed since the last reload; showing the loaded configuration; " \
               "to load the files, run `systemctl reload curfew`\n"
        for command in ("status", "plan", "audit"):
            self.assertNotIn("changed since", self.curfew(command).err)
        self.agent.clients["acme"]["users"][0]["sources"] = ["198.51.100.77"]
        self.agent.client_add("beta", **{key: value for key, value in self.agent.clients["acme"].items()
                                         if key in ("approved_on", "starts", "go_live")},
                              databases=[{"role": "staging", "server": "sql01", "name": "AcmeProd"}],
                              users=[{"first": "Bea", "last": "Roe", "email": "bea@beta.example",
                                      "sources": ["198.51.100.78"]}])
        self.agent.write()
        for command in ("status", "plan", "apply", "audit"):
            with self.subTest(command):
                result = self.curfew(command, "--json")
                self.assertEqual(result.code, 0, str(result))
                self.assertEqual(result.err, f"curfew {command}: {note}")
                self.assertIsNotNone(result.json)
                self.assertNotIn("beta", result.out, "what the service has not taken is not in force")
                self.assertNotIn("198.51.100.77", result.out)
        self.kept_give(os.geteuid())  # whose the service is here
        self.agent.curfew("reload", expect=0)
        for command in ("status", "plan", "audit"):
            self.assertNotIn("changed since", self.curfew(command).err)

    def test_status_tells_of_the_service_and_of_passwords(self):
        self.kept_give(os.geteuid())  # whose the service is here
        found = self.agent.curfew("status", "--json", expect=0).json
        self.assertEqual(found["grants"][0]["password"], "not handed over")
        self.assertIsNotNone(found["service"]["since"])
        said = self.agent.curfew("status", "--utc", expect=0).out
        self.assertRegex(said, r"^service: running since .* UTC\n  last pass .* ago: .+\n  next change .* UTC\n")
        self.assertIn(f"  password of {USER} on sql01: not handed over\n", said)
        self.agent.handover("acme", USER)
        self.assertIn(self.agent.curfew("status", "--json", expect=0).json["grants"][0]["password"], ("set", "must change"))
        self.service.stop()
        self.assertTrue(self.agent.curfew("status", expect=0).out.startswith(
            "service: not running\n  the kernel still blocks addresses at their end times\n  until it is started, SQL access is neither"))
        self.assertIsNone(self.agent.curfew("status", "--json", expect=0).json["service"])

    def test_status_is_watched(self):
        """It goes on until somebody ends it."""
        child = self.agent.start("status", "--watch")
        said = ""
        while said.count("service: running since") < 2:
            line = child.stdout.readline()
            self.assertTrue(line, said)
            said += line
        child.terminate()
        child.wait()
        child.stdout.close()

    def replaced(self):
        """Jane leaves acme's file, John comes: not loaded yet."""
        self.agent.clients["acme"]["users"] = [{"first": "John", "last": "Roe", "email": "john@acme.example",
                                                "sources": ["198.51.100.77"]}]
        self.agent.write()
        self.kept_give(os.geteuid())  # whose the service is here

    def test_what_edited_files_would_change(self):
        self.assertEqual(self.agent.curfew("reload", "--dry-run", expect=0).out,
                         "Files: nobody loses or gains access or time.\n")
        self.replaced()
        said = self.agent.curfew("reload", "--dry-run", expect=2).out
        self.assertRegex(said, r"  - acme\.jane\.doe on sql01 / AcmeTest: no access; now: full until ")
        self.assertRegex(said, r"  \+ acme\.john\.roe on sql01 / AcmeTest: full until ")
        self.assertIn("Files: 1 of 2 changes of access take, 1 give.", said)
        effects = [(c["effect"], bool(c["before"]), bool(c["after"]))
                   for c in self.agent.curfew("reload", "--dry-run", "--json", expect=2).json]
        self.assertEqual(effects, [("takes", True, False), ("gives", False, True)])
        plan = self.agent.curfew("plan", "--files", expect=2).out
        self.assertIn("acme.jane.doe on sql01 / AcmeTest: no access", plan)
        self.assertIn("DROP LOGIN [acme.jane.doe]", plan)
        self.assertIn("CREATE LOGIN [acme.john.roe]", plan)
        self.assertIn("198.51.100.77", plan)
        self.assertEqual(len(self.agent.curfew("plan", "--files", "--json", expect=2).json["files"]), 2)
        # Nothing of it was loaded.
        self.assertIn("No changes", self.agent.curfew("plan", expect=0).out)

    def test_edited_files_excuse_nobody_who_is_late(self):
        """What only the edited files end is a change to make; what the loaded files ended and is left is overdue."""
        self.replaced()
        self.found.server.faults(fail_on=[[r"DROP MEMBER \[acme\.jane\.doe\]|DROP USER \[acme\.jane\.doe\]", 15151]])
        self.agent.curfew("plan", "--files", expect=2)
        self.agent.curfew("reload", "--yes")
        self.found.agent.curfew("apply", expect=1)
        self.assertIn("OVERDUE: access of 1 grant", self.agent.curfew("plan", "--files", expect=1).out)

    def test_edited_files_with_an_earlier_end(self):
        self.agent.clients["acme"]["go_live"] = lab.local(lab.now() - days(8))
        self.agent.write()
        self.kept_give(os.geteuid())
        said = self.agent.curfew("plan", "--files", expect=2).out
        self.assertNotIn("OVERDUE", said)
        self.assertIn("ALTER ROLE [curfew_full] DROP MEMBER [acme.jane.doe]", said)

    def test_a_client_that_vanished(self):
        self.kept_give(os.geteuid())
        os.unlink(self.agent.path("clients.d", "client0.conf"))
        said = self.agent.curfew("check", expect=0).out
        self.assertIn("warning: client acme has no file any more; with the next reload all access of its users ends", said)
        self.assertIn("acme: has no file any more; all its access ends",
                      self.agent.curfew("reload", "--dry-run", expect=2).out)

    def asked(self, answer, *more):
        """`reload` on a terminal, where somebody types this answer."""
        return self.agent.typed(("reload", *more), (answer,))

    def test_a_reload_on_a_terminal_asks(self):
        self.replaced()
        code, said = self.asked("n")
        self.assertEqual(code, 1, said)
        self.assertIn("no access; now: full", said)
        self.assertIn("This takes access or time in 1 case. Continue? [y/N]", said)
        self.assertIn("nothing done: the service keeps the loaded configuration", said)
        self.assertIsNotNone(self.found.server.login(USER))
        code, said = self.asked("y")
        self.assertEqual(code, 0, said)
        self.assertIn("configuration reloaded", said)
        # With nothing that ends there is nothing to ask; nor with --yes.
        self.assertEqual(self.asked("n")[0], 0)
        self.agent.clients["acme"]["users"][0]["first"] = "Jim"
        self.agent.write()
        code, said = self.asked("n", "--yes")
        self.assertEqual(code, 0, said)
        self.assertNotIn("Continue?", said)

    def test_without_the_service_nothing_is_done(self):
        self.spoil("curfew.conf")
        self.service.stop()
        for command, said in ((("status",), "nothing done: "), (("apply",), "nothing done: "),
                              (("revoke", "acme", "--reason", "a test"), "NOT revoked, no access removed: ")):
            result = self.curfew(*command)
            self.assertEqual(result.code, 78, str(result))
            self.assertIn(said, result.err)

    def test_the_service_goes_by_another_file(self):
        """A practice configuration that is spoiled must not lead to the real one's service."""
        other = self.agent.path("other.conf")
        with open(other, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write("oops = ;\n")
        done = self.agent.space.run("env", f"STATE_DIRECTORY={self.agent.path('state')}", *self.agent.command(
            "revoke", "acme", "--reason", "a test", "--config", other), check=False)
        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn(f"the running service uses {self.agent.config}", done.stderr)
        self.elements_come(2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
