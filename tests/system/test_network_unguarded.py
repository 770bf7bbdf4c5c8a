#!/usr/bin/python3
"""Without its table, or without a guard in it, the packet filter blocks nobody: no report says that it does."""

import json
import unittest

import lab
from case import LabCase
from lab import days


def setUpModule():
    lab.require()


class Unguarded(LabCase):
    def made(self, golive, at=None, started=30):
        found = self.lab_make(servers={"sql01": ("AcmeTest",)})
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(golive, started=started))
        found.agent.curfew("apply", *(("--at", lab.local(at)) if at else ()))
        return found

    def test_no_report_says_blocked(self):
        found = self.made(lab.now() + days(20))
        agent = found.agent
        [guard] = [g for g in agent.space.run("nft", "list", "map", "inet", "curfew", "server4").stdout.split("\n")
                   if "sql01" in g]
        for broken in ("delete table inet curfew",
                       f"delete element inet curfew server4 {{ {guard.split('{')[-1].rstrip(' }')} }}"):
            agent.apply()
            self.assertNotIn("not guarded", agent.curfew("status", expect=(0, 2)).out)
            agent.space.run("nft", broken)
            shown = agent.curfew("status", expect=1).out
            self.assertIn("not guarded", shown)
            self.assertNotIn("blocked", shown)
            self.assertNotIn("the kernel still blocks", shown)
            self.assertEqual(agent.curfew("status", "--json", expect=1).json["grants"][0]["network"], "unguarded")
            shown = agent.curfew("explain", "acme", "jane.doe").out
            self.assertIn("sql01: not guarded", shown)
            self.assertNotIn("the packet filter to sql01 blocks", shown)
            [finding] = [f for f in agent.curfew("audit", "acme", "--json", expect=2).json["findings"]
                         if f["name"] == "server-unguarded"]
            self.assertEqual((finding["severity"], finding["server"]), ("critical", "sql01"))

    def test_a_packet_filter_that_was_not_read(self):
        """Root, without the right to read it: nothing says that it blocks, and that nobody knows is no success."""
        agent = self.made(lab.now() + days(20)).agent
        shown = agent.curfew("status", expect=0)
        self.assertIn("the kernel still blocks", shown.out)
        self.assertFalse(agent.curfew("status", "--json", expect=0).json["network_unread"])
        blind = ("setpriv", "--inh-caps=-net_admin", "--bounding-set=-net_admin")
        done = agent.space.run(*blind, *agent.command("status"), check=False)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("packet filter not read; whether it blocks an address is not known\n", done.stdout)
        self.assertNotIn("the kernel still blocks", done.stdout)
        done = agent.space.run(*blind, *agent.command("status", "--json"), check=False)
        self.assertEqual(done.returncode, 1, done)
        self.assertTrue(json.loads(done.stdout)["network_unread"])

    def test_no_certificate(self):
        found = self.made(lab.now() - days(90), at=lab.now() - days(100), started=110)
        found.agent.apply()
        found.agent.curfew("certificate", "acme", expect=0)
        found.agent.space.run("nft", "delete table inet curfew")
        refused = found.agent.curfew("certificate", "acme", expect=2)
        self.assertIn("server sql01: the packet filter does not guard it", refused.err)
        self.assertEqual(refused.out, "")


if __name__ == "__main__":
    unittest.main()
