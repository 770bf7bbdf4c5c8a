#!/usr/bin/python3
"""Preflight: what would keep access from ending on time, each fault by its name and with what to do."""

import ctypes
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER, LabCase  # noqa: E402
from lab import days  # noqa: E402
from practice import TOOLS  # noqa: E402
from service import COMES, until  # noqa: E402


CLONE_NEWNS = 0x00020000
HOUR = 3600


def setUpModule():
    lab.require()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise unittest.SkipTest("no mount namespace of our own")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


class Preflight(LabCase):
    def made(self, **options):
        found = self.lab_make(**options)
        found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")],
                         **self.dates(lab.now() + days(20)))
        self.applied(found.agent)
        return found

    def fails(self, found, *names, expect=2, client="acme"):
        """Exactly these fail. Whether this machine's clock is synchronized is not the test's."""
        report = found.agent.curfew("preflight", client, "--json")
        failed = [c for c in report.json["checks"] if c["result"] == "FAIL" and c["name"] != "clock-synchronized"]
        self.assertEqual({c["name"] for c in failed}, set(names), failed)
        for check in failed:
            self.assertTrue(check["detail"], check)
        if names:
            self.assertEqual(report.code, expect)
        return failed

    def test_healthy(self):
        """Nothing fails, nothing is changed, and what it looked at is told by name."""
        found = self.made()
        self.fails(found)
        before = found.server.sql("SELECT name, is_disabled FROM sys.server_principals ORDER BY name")
        report = found.agent.curfew("preflight", "acme", "--json").json
        self.assertRegex(report["at"], r"^[0-9-]+T[0-9:]+Z$")
        self.assertLessEqual({"name", "tcp", "certificate", "tls", "login", "clock", "right.ALTER ANY CONNECTION",
                              "database.state", "database.rights", "disk", "journal", "metrics", "mail",
                              "clock-synchronized"}, {c["name"] for c in report["checks"]})
        self.assertEqual({c["database"] for c in report["checks"] if c["name"] == "database.rights"},
                         {"AcmeTest", "AcmeProd"})
        self.assertEqual([d["what"] for d in report["dates"]],
                         ["access becomes read-only", "the staging site ends", "all access ends"])
        self.assertEqual({c["name"] for c in report["checks"] if c["result"] == "skip"}, {"mail", "metrics"})
        self.assertEqual(found.server.sql("SELECT name, is_disabled FROM sys.server_principals ORDER BY name"), before)
        text = found.agent.curfew("preflight", "acme").out
        self.assertIn("acme: access becomes read-only on ", text)
        self.assertRegex(text, r"acme: \d+ checks, [01] failed, 2 skipped\n$")
        self.no_secret_was_told(found)

    def test_certificate(self):
        """One that ends before access does, though it is good today, and one of another authority."""
        found = self.made()
        short = found.path("short")
        os.mkdir(short)
        for name in ("ca.pem", "ca.key"):
            shutil.copy(found.path("tls", name), short)
        subprocess.run([os.path.join(TOOLS, "make_certificates"), short, lab.CERTIFICATE_NAME, *lab.PUBLIC], check=True,
                       env={**os.environ, "CERTIFICATE_DAYS": "40"})
        found.server.faults(wrong_cert=f"{short}/server.pem,{short}/server.key")
        [failed] = self.fails(found, "certificate")
        self.assertIn("expired", failed["detail"])
        self.assertIn("renew", failed["fix"])
        # With what is left to come ending before it does, it is good enough.
        found.agent.clients["acme"]["go_live"] = lab.local(lab.now() + days(5))
        found.agent.write()
        self.fails(found)

    def test_way_there(self):
        found = self.made()
        with open(found.agent.path("credentials", "sql01"), "w", encoding="utf-8") as file:
            file.write("Not-The-Passw0rd\n")
        self.fails(found, "login", "unreachable", expect=1)
        found.agent.servers["sql01"]["port"] = 1
        found.agent.write()
        self.fails(found, "tcp", "unreachable", expect=1)

    def test_rights_and_databases(self):
        found = self.made()
        found.server.sql("REVOKE ALTER ANY CONNECTION FROM [curfew_agent]")
        self.assertIn("right.ALTER ANY CONNECTION", {c["name"] for c in self.failing(found)})
        found.server.sql("GRANT ALTER ANY CONNECTION TO [curfew_agent]")
        found.server.faults(database_state={"AcmeProd": "offline"})
        failed = self.failing(found)
        self.assertEqual({(c["name"], c["database"]) for c in failed},
                         {("database.state", "AcmeProd"), ("unread", "AcmeProd")})

    def failing(self, found):
        report = found.agent.curfew("preflight", "acme", "--json").json
        return [c for c in report["checks"] if c["result"] == "FAIL" and c["name"] != "clock-synchronized"]

    def test_what_holds_a_removal_up(self):
        """Each as a DBA or a user would leave it behind; named, with the reason and the remedy."""
        found = self.made()
        for name, make, undo in (
                ("server-trigger", "CREATE TRIGGER [trap] ON ALL SERVER FOR LOGON AS SELECT 1",
                 "DROP TRIGGER [trap] ON ALL SERVER"),
                ("agent-job", f"EXEC msdb.dbo.sp_add_job @job_name = N'nightly', @owner_login_name = N'{USER}'",
                 "EXEC msdb.dbo.sp_delete_job @job_name = N'nightly'"),
                ("database-owner", f"CREATE DATABASE [Theirs]\nGO\nALTER AUTHORIZATION ON DATABASE::[Theirs] TO [{USER}]",
                 "DROP DATABASE [Theirs]")):
            with self.subTest(name=name):
                found.server.script(make)
                mine = [c for c in self.failing(found) if c["name"] == name]
                self.assertEqual(len(mine), 1, self.failing(found))
                self.assertTrue(mine[0]["why"] and mine[0]["fix"] and mine[0]["detail"], mine)
                found.server.sql(undo)
        self.fails(found)

    def test_long_transaction(self):
        """A minute of it; the rest of the list has its own test in tests/report/test_preflight.c."""
        found = self.made()
        password = found.agent.handover("acme", USER)
        jane = found.person("jane")
        self.first_login(found, jane, password)
        self.assertTrue(jane.sql("BEGIN TRANSACTION; UPDATE dbo.Orders SET Customer = N'x' WHERE Id = 1").ok)
        until(lambda: "long-transaction" in {c["name"] for c in self.failing(found)}, "it is named", seconds=2 * COMES)

    def test_clock(self):
        found = self.made(arguments=("--clock-ahead", "300"))
        [failed] = [c for c in self.failing(found) if c["name"] == "clock"]
        self.assertIn("ahead of this host's clock", failed["detail"])

    def test_disk(self):
        """Room for less than months of records, and none for files."""
        for options, figure in (("size=100m", " MB free"), ("size=1g,nr_inodes=200", " MB free")):
            with self.subTest(options=options):
                found = self.made()
                state, kept = found.agent.path("state"), found.path("kept")
                shutil.copytree(state, kept)
                subprocess.run(["mount", "-t", "tmpfs", "-o", f"{options},mode=0700", "tmpfs", state], check=True)
                try:
                    shutil.copytree(kept, state, dirs_exist_ok=True)
                    [failed] = self.fails(found, "disk")
                finally:
                    subprocess.run(["umount", "-l", state], check=True)
                self.assertIn(figure, failed["detail"])
                self.assertIn("at least 256 MB", failed["fix"])
                self.fails(found)

    def test_metrics(self):
        """Written by no pass for longer than one may take to come, and not there at all."""
        found = self.made()
        metrics = found.agent.settings["metrics_file"] = found.agent.path("state", "curfew.prom")
        found.agent.write()
        [failed] = self.fails(found, "metrics")
        self.assertIn("cannot read", failed["detail"])
        with open(metrics, "w", encoding="ascii"):
            pass
        self.fails(found)
        os.utime(metrics, (time.time() - HOUR, time.time() - HOUR))
        [failed] = self.fails(found, "metrics")
        self.assertRegex(failed["detail"], r"was written 36\d\d s ago")

    def test_mail(self):
        """What waits in the outbox for more than an hour; the reason of the last attempt stands there."""
        found = self.made()
        found.agent.settings["notices"] = {"server": "127.0.0.1", "from": "access@host.example",
                                           "team": "cloud@host.example"}
        found.agent.write()
        self.fails(found)
        for ago, failing in ((HOUR // 2, ()), (2 * HOUR, ("mail",))):
            with sqlite3.connect(found.agent.path("state", "journal.db")) as db:
                db.execute("INSERT INTO outbox (event, recipient, notice, created, next, state, attempts, detail, message) "
                           "VALUES (?1, 'a@b.example', 'test', ?1, 0, 'queued', 3, 'connection refused', 'x')",
                           (int(time.time()) - ago,))
            failed = self.fails(found, *failing)
        self.assertIn("2 not sent yet", failed[0]["detail"])
        self.assertIn("connection refused", failed[0]["detail"])
        self.assertIn("curfew notice test", failed[0]["fix"])

    def test_kernel_clock(self):
        """The kernel's own word on it: what a daemon that steers the clock has set."""
        found = self.made()
        library = found.path("kernel_clock.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kernel_clock.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
        for says, result in (("synchronized", "ok"), ("unsynchronized", "FAIL"), ("error", "FAIL")):
            done = found.agent.space.run("env", f"LD_PRELOAD={library}", f"KERNEL_CLOCK={says}",
                                         *found.agent.command("preflight", "acme", "--json"), check=False)
            self.assertEqual(done.returncode, 0 if result == "ok" else 2, done.stderr)
            [check] = [c for c in json.loads(done.stdout)["checks"] if c["name"] == "clock-synchronized"]
            self.assertEqual(check["result"], result, check)
            self.assertEqual("timedatectl" in check["fix"], result == "FAIL", check)


if __name__ == "__main__":
    unittest.main()
