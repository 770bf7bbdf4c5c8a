#!/usr/bin/python3
"""`curfew explain`: the last line names the cause, with real packets and a server that answers, refuses, or is down."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import OWN_PASSWORD, USER, LabCase  # noqa: E402
from lab import days, local  # noqa: E402
from practice import Certificates  # noqa: E402

NEAR = "203.0.113.200"
FAR = "192.0.2.200"


def setUpModule():
    lab.require()


class Explain(LabCase):
    def setUp(self):
        self.found = self.lab_make()
        self.agent, self.server = self.found.agent, self.found.server
        self.golive = lab.now() + days(20)
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(self.golive))

    def cause(self, expected, words, *arguments):
        """The cause, its words in the last line, and the same from --json."""
        asked = self.agent.curfew("explain", "acme", USER, *arguments)
        answer = self.agent.curfew("explain", "acme", USER, "--json", *arguments)
        self.assertEqual(answer.json["cause"], expected, f"{asked}")
        self.assertEqual(asked.out.splitlines()[-1], answer.json["text"])
        self.assertIn(words, answer.json["text"])
        self.assertEqual(asked.code, 0 if expected == "none" else 2, f"{asked}")
        self.assertEqual(answer.code, asked.code)
        return answer.json

    def opened(self):
        self.agent.apply(expect=0)
        jane = self.found.person("jane")
        self.first_login(self.found, jane, self.agent.handover("acme", USER))
        return jane

    def test_before_and_after(self):
        """Before anything was applied, then through the schedule."""
        self.cause("login-missing", "`curfew apply acme`")
        self.agent.apply(expect=0)
        self.cause("never-handed-over", f"`curfew handover acme {USER}`")
        self.agent.handover("acme", USER)
        facts = self.cause("must-change", "must change the one-time password")
        self.assertEqual(facts["servers"][0]["network"], "allowed")
        self.assertIs(facts["servers"][0]["handed_over"], True)
        self.cause("not-started", "access has not started", "--at", local(lab.now() - days(11)))
        self.cause("ended", "access ended", "--at", local(self.golive + days(31)))

    def test_a_denial_of_the_server(self):
        """A DBA shut her out: the cause is named, and nobody but a DBA undoes it."""
        jane = self.opened()
        self.server.sql(f"DENY CONNECT SQL TO [{USER}]")
        self.refused(jane.login(USER, OWN_PASSWORD, "AcmeTest"), 18456)
        self.agent.apply(expect=(0, 1, 2))
        self.cause("not-as-scheduled", "the server denies CONNECT SQL")
        self.assertIn("the server denies CONNECT SQL", self.agent.curfew("status").out)
        self.agent.apply(expect=(0, 1, 2))
        self.refused(jane.login(USER, OWN_PASSWORD, "AcmeTest"), 18456)
        audit = self.agent.curfew("audit", "--json", expect=2).json
        remedy, = (f["remedy"] for f in audit["findings"] if f["name"] == "server-denial")
        self.server.sql(remedy)
        self.agent.apply(expect=0)
        self.works(jane.login(USER, OWN_PASSWORD, "AcmeTest"))
        self.cause("none", "")

    def test_an_open_transaction(self):
        """Before access is reduced an operator sees whose work would be rolled back."""
        jane = self.opened()
        self.works(jane.login(USER, OWN_PASSWORD, "AcmeTest"))
        self.works(jane.sql("BEGIN TRANSACTION; UPDATE dbo.Orders SET Customer = N'x'"))
        self.assertRegex(self.agent.curfew("status").out, rf"session \d+ of {USER} .*: 1 open transaction\n")
        self.works(jane.sql("COMMIT"))
        self.assertNotIn("open transaction", self.agent.curfew("status").out)

    def test_read_only(self):
        self.opened()
        self.agent.apply(local(self.golive), expect=0)
        self.cause("read-only", "so writing fails", "--at", local(self.golive + days(1)))

    def test_addresses(self):
        self.opened()
        self.cause("none", "blocks nothing")
        self.cause("none", "error message", "--address", lab.JANE[0])
        self.cause("address-near", f"near {lab.JANE[0]}", "--address", NEAR)
        self.cause("address-wrong", "not among the sources", "--address", FAR)
        self.agent.servers["sql01"]["trusted"] = ["192.0.2.192/28"]
        self.agent.write()
        self.agent.apply(expect=0)
        self.cause("trusted-only", "only as a trusted source", "--address", FAR)
        refused = self.agent.curfew("explain", "acme", USER, "--address", "jane", expect=64)
        self.assertIn("invalid address 'jane'", refused.err)
        # From somewhere else: the packets that were denied are shown to whoever names the address.
        self.silent(self.found.person("other"))
        facts = self.cause("address-wrong", lab.OTHER[0], "--address", lab.OTHER[0])
        self.assertEqual([d["source"] for d in facts["denied"]], [lab.OTHER[0]])
        # Whose they are is not known: they may be hers, from a hotel.
        said = self.agent.curfew("denied", "acme", expect=0).out
        self.assertIn("no denied packets from near an address of acme in the last 24 hours\n", said)
        self.assertRegex(said, r"[12] other sources?; see `curfew denied`\n")

    def test_revoked(self):
        self.opened()
        self.agent.curfew("revoke", "acme", USER, "--reason", "laptop stolen", expect=0)
        facts = self.cause("user-revoked", f"`curfew reinstate acme {USER} --reason TEXT`")
        self.assertIn("laptop stolen", facts["text"])
        self.assertIn("by root (uid 0)", facts["text"])
        self.agent.curfew("revoke", "acme", "--reason", "contract ended", expect=0)
        self.cause("client-revoked", "client acme is revoked")

    def test_server(self):
        """Certificate, agent's password, server gone: what the journal knows is still told."""
        self.opened()
        other = Certificates(self.found.path("other"), lab.CERTIFICATE_NAME, *lab.PUBLIC)
        self.server.faults(wrong_cert=f"{other.certificate},{other.key}")
        self.cause("certificate", "certificate of sql01 is not accepted")
        self.server.faults()
        password, path = self.agent.password, self.agent.path("credentials", "sql01")
        self.agent._write(path, "another password\n")
        self.cause("agent-refused", "`curfew bootstrap sql01`")
        os.chmod(path, 0o644)
        remedy = f"credential {path} must be readable by its owner only; run: chmod 0600 {path}"
        self.assertIn(f"FAIL password: {remedy}\n", self.agent.curfew("check-server", "sql01", expect=1).out)
        self.assertIn(remedy, self.agent.apply(expect=1).out)
        os.unlink(path)
        said = self.cause("agent-password", "run `curfew credential sql01`")["text"]
        self.assertNotIn("start the server", said)
        self.assertIn("FAIL password: cannot read the agent's password (No such file or directory); run `curfew "
                      "credential sql01`\n", self.agent.curfew("check-server", "sql01", expect=1).out)
        self.assertEqual(self.agent.apply(expect=1).out.count("cannot read the agent's password"), 1)
        self.agent._write(path, password + "\n")
        self.server.faults(stall_prelogin=True)
        with self.agent.impatient():
            facts = self.cause("server-down", "sql01 does not answer")
        self.assertIsNone(facts["databases"][0]["state"])
        self.assertEqual(facts["databases"][0]["verification"]["result"], "verified")
        self.assertEqual(facts["servers"][0]["network"], "allowed")
        self.server.faults()
        self.cause("none", "blocks nothing")

    def test_agent_that_may_not_verify(self):
        """Applying again would end in the same: the cause is what the last verification lacked, and a DBA's to mend."""
        self.server.faults(no_execute_as=True)
        self.agent.apply(expect=2)
        facts = self.cause("unverified", "a DBA must run the statements of `curfew bootstrap sql01`")
        self.assertIn("permission query failed", facts["text"])
        self.assertEqual(facts["servers"][0]["network"], "closed")
        self.assertIn(f"{USER} on sql01 / AcmeTest is not verified: the permission query failed",
                      self.agent.curfew("status", expect=2).out)
        self.server.faults()

    def test_agent_that_lacks_a_right(self):
        """One cause is said once, with the DBA's statement; what could not be done stands in `status` with its statement."""
        words = "the agent login lacks ALTER ANY LOGIN"
        self.opened()
        self.server.script("USE [master]\nGO\nREVOKE ALTER ANY LOGIN FROM [curfew_agent]\nGO\n")
        for command in (("plan",), ("status",)):
            said = self.agent.curfew(*command, expect=2).out
            self.assertEqual(said.count(words), 1, said)
            self.assertIn("`GRANT ALTER ANY LOGIN TO [curfew_agent];`", said)
        self.cause("none", "blocks nothing")
        revoked = self.agent.curfew("revoke", "acme", USER, "--reason", "left", expect=1)
        self.assertEqual(revoked.out.count(f"ALTER LOGIN [{USER}] DISABLE;"), 1, str(revoked))
        self.assertEqual(revoked.out.count("if the agent login lacks the right"), 1, str(revoked))
        applied = self.agent.apply(expect=1).out
        total = re.search(r"^(\d+) of (\d+) changes? made, (\d+) FAILED$", applied, re.M)
        self.assertEqual(int(total[1]) + int(total[3]), int(total[2]), applied)
        said = self.agent.curfew("status", expect=1).out
        self.assertIn("a DBA must run the output of `curfew bootstrap sql01`, or: "
                      f"ALTER LOGIN [{USER}] DISABLE; DROP LOGIN [{USER}];\n", said)
        grant = self.agent.curfew("status", "--json", expect=1).json["grants"][0]
        self.assertEqual(grant["remedy"], f"ALTER LOGIN [{USER}] DISABLE; DROP LOGIN [{USER}];")
        back = self.agent.curfew("reinstate", "acme", USER, "--reason", "back", expect=2)
        self.assertIn("reinstated: still blocked: access of 1 grant is not verified", back.out)
        self.assertEqual(self.agent.elements(), [])
        self.server.script("USE [master]\nGO\nGRANT ALTER ANY LOGIN TO [curfew_agent]\nGO\n")
        self.agent.apply(expect=0)
        self.assertNotIn("DBA", self.agent.curfew("status", expect=0).out)

    def test_what_is_held_is_named(self):
        """A server role that the agent may not take away: which it is, in status and in explain."""
        self.opened()
        self.server.sql(f"ALTER SERVER ROLE [dbcreator] ADD MEMBER [{USER}]")
        self.assertIn("holds server role dbcreator", self.agent.curfew("status", expect=2).out)
        failed = self.agent.apply(expect=1)
        self.assertIn("a DBA must run this statement", failed.out)
        self.assertIn("holds server role dbcreator", self.agent.curfew("status", expect=2).out)
        statement = f"ALTER SERVER ROLE [dbcreator] DROP MEMBER [{USER}];"
        self.assertIn(f"or: {statement}", self.agent.curfew("status", expect=2).out)
        facts = self.cause("excess", "server role dbcreator")
        self.assertIn(f"a DBA must run: {statement}", facts["text"])
        self.assertEqual(facts["servers"][0]["remedy"], statement)
        self.assertIn("dbcreator", facts["servers"][0]["last_failure"])
        self.server.sql(f"ALTER SERVER ROLE [dbcreator] DROP MEMBER [{USER}]")
        self.agent.apply(expect=0)
        self.assertIsNone(self.cause("none", "blocks nothing")["servers"][0]["last_failure"])

    def test_denied_goes_by_what_holds_now(self):
        """Packets of a time when she was shut out: after it they say so, and that she is allowed now."""
        self.opened()
        self.agent.curfew("revoke", "acme", "--reason", "a test", expect=0)
        self.silent(self.found.person("jane"))
        self.assertIn(f"belongs to {USER}: revoked since", self.agent.curfew("denied", expect=0).out)
        self.agent.curfew("reinstate", "acme", "--reason", "a test", expect=0)
        said = self.agent.curfew("denied", expect=0).out
        self.assertIn(f"belongs to {USER}, who is allowed now; these packets came before", said)
        self.assertRegex(said, r"\d+ \w+ ago\n")
        self.assertRegex(self.agent.curfew("denied", "--json", expect=0).json[0]["last_seen"], r"^20\d\d-\d\d-\d\dT")

    def test_database(self):
        self.opened()
        self.server.sql("ALTER DATABASE [AcmeTest] SET OFFLINE")
        self.cause("database-unread", "database AcmeTest on sql01 cannot be read")
        self.server.sql("ALTER DATABASE [AcmeTest] SET ONLINE")
        self.cause("none", "blocks nothing")
        self.server.sql("DROP DATABASE [AcmeTest]")
        facts = self.agent.curfew("explain", "acme", USER, "--json").json
        self.assertIn(facts["cause"], ("database-missing", "database-unread"))
        self.assertIn("AcmeTest", facts["text"])

    def test_excess(self):
        self.opened()
        self.server.sql(f"ALTER ROLE [db_owner] ADD MEMBER [{USER}]", database="AcmeTest")
        facts = self.agent.curfew("explain", "acme", USER, "--json", expect=2).json
        self.assertIn(facts["cause"], ("excess", "not-as-scheduled"))
        self.assertIn("AcmeTest", facts["text"])


if __name__ == "__main__":
    unittest.main()
