#!/usr/bin/python3
"""check-server: a healthy server passes completely; each fault of a server fails its own line."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import LabCase  # noqa: E402
from lab import days  # noqa: E402
from practice import Certificates  # noqa: E402


def setUpModule():
    lab.require()


class CheckServer(LabCase):
    def made(self, faults=(), **options):
        found = self.lab_make(servers={"sql01": ("AcmeTest", "AcmeProd", "Scratch")}, faults=faults, **options)
        found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")],
                         **self.dates(lab.now() + days(20)))
        return found

    def check(self, found, *options, expect=0):
        return found.agent.curfew("check-server", "sql01", "--json", *options, expect=expect).json

    @staticmethod
    def lines(report, result):
        return {check["name"] for check in report["checks"] if check["result"] == result}

    def fails(self, found, *names, expect=2):
        """Exactly these lines fail, each with what to do."""
        report = self.check(found, expect=expect)
        failed = [check for check in report["checks"] if check["result"] == "FAIL"]
        self.assertEqual({check["name"] for check in failed}, set(names), failed)
        for check in failed:
            self.assertTrue(check["fix"] and check["detail"], check)
        return report

    def scratch(self, **options):
        found = self.made(**options)
        found.server.script("USE [Scratch]\nGO\nCREATE USER [curfew_agent] FOR LOGIN [curfew_agent]\nGO\n"
                            "ALTER ROLE [db_owner] ADD MEMBER [curfew_agent]\nGO\n"
                            "CREATE USER [curfew_users] FOR LOGIN [curfew_users]\nGO\n")
        return found


class Healthy(CheckServer):
    def test_everything_passes_and_nothing_is_changed(self):
        found = self.made()
        before = found.server.sql("SELECT name, is_disabled FROM sys.server_principals ORDER BY name")
        report = self.check(found)
        self.assertEqual((report["result"], report["failed"], report["skipped"]), ("ok", 0, 0))
        names = self.lines(report, "ok")
        self.assertLessEqual({"name", "tcp", "tls", "encryption", "login", "settings", "version", "collation", "clock",
                              "right.ALTER ANY LOGIN", "denials", "mark", "user-login", "trigger-references", "lock", "earlier-checks",
                              "read.principal", "read.session",
                              "audit.linked-server", "database.state", "database.user-login", "read.user", "audit.orphaned-user",
                              "audit.baseline", "inventory.server-start", "inventory.job", "inventory.object",
                              "inventory.reference", "inventory.index-usage", "inventory.query-store-use"}, names)
        for check in report["checks"]:
            if check["name"].startswith("inventory."):
                self.assertRegex(check["detail"], r"^\d+ rows?, \d+ ms$")
        self.assertEqual({c["database"] for c in report["checks"] if c["name"] == "read.user"}, {"AcmeTest", "AcmeProd"})
        self.assertEqual(found.server.sql("SELECT name, is_disabled FROM sys.server_principals ORDER BY name"), before)
        for batch in (r for r in found.server.records("batch") if r["login"] == "curfew_agent"):
            for word in ("CREATE ", "ALTER LOGIN", "DROP "):
                self.assertFalse(batch["text"].lstrip().startswith(word), batch["text"])
        text = found.agent.curfew("check-server", "sql01", expect=0).out
        self.assertIn("ok   tls: ", text)
        self.assertRegex(text, r"ok   read\.user \[AcmeTest\]: \d+ rows, \d+ ms\n")
        self.assertRegex(text.splitlines()[-1], r"^sql01: \d+ checks, 0 failed, 0 skipped$")


class Faults(CheckServer):
    # Of the server: what it does, and the lines that fail.
    OF_THE_SERVER = (({"no_applock": True}, ("lock",)),
                     ({"empty_permissions": True}, ("read.permission", "read.server-permission")),
                     ({"fail_on": "d\\.referencing_id = m\\.object_id,1222"}, ("read.runner",)),
                     ({"deadlock_on": "sys\\.linked|is_linked,1"}, ("audit.linked-server",)),
                     ({"database_state": {"AcmeProd": "offline"}}, ("database.state",)),
                     ({"database_state": {"AcmeProd": "suspect"}}, ("database.state",)),
                     ({"database_state": {"AcmeProd": "secondary"}}, ("database.access",)),
                     ({"database_state": {"AcmeProd": "standby"}}, ("database.state",)),
                     ({"listener_port": 14330}, ("port", "listeners")),
                     ({"second_port": 14331}, ("listeners",)),
                     ({"engine_edition": 8}, ("edition",)),
                     ({"contained_group": True}, ("contained-group",)),
                     ({"replicas": "SQL01,SQL02"}, ("replicas",)),
                     ({"drop_before_match": "is_auto_executed"}, ("connection", "audit.startup-procedure")))

    def test_of_the_way_there(self):
        found = self.made()
        wrong = Certificates(found.path("wrong"), "other.example")
        pair = f"{wrong.certificate},{wrong.key}"
        for faults, line, expect in (({"no_tls": True}, "tls", 2), ({"wrong_cert": pair}, "tls", 2),
                                     ({"login_only_tls": True}, "encryption", 2), ({"tds5_only": True}, "tls", 2),
                                     ({"drop_prelogin": True}, "tls", 2),
                                     ({"fail_on": "@@OPTIONS,50000"}, "settings", 2)):
            with self.subTest(faults=faults):
                found.server.faults(**faults)
                self.fails(found, line, expect=expect)
        with found.agent.impatient():
            found.server.faults(stall_prelogin=True)
            self.fails(found, "tls", expect=1)
        found.server.faults()
        with open(found.agent.path("credentials", "sql01"), "w", encoding="utf-8") as file:
            file.write("Not-The-Passw0rd\n")
        report = self.fails(found, "login")
        line, = (check for check in report["checks"] if check["name"] == "login")
        self.assertIn("curfew credential", line["fix"])
        self.assertEqual(self.lines(report, "skip"), {"encryption", "settings", "certificate"})
        found.agent.servers["sql01"]["port"] = 1
        found.agent.write()
        self.assertEqual(self.fails(found, "tcp", expect=1)["result"], "unreachable")
        found.agent.servers["sql01"].update(host="nowhere.invalid", port=1433)
        found.agent.write()
        self.fails(found, "name", expect=1)

    def test_of_rights(self):
        found = self.made()
        for right in ("ALTER ANY LOGIN", "ALTER ANY CONNECTION", "CONNECT ANY DATABASE"):
            with self.subTest(right=right):
                found.server.sql(f"REVOKE {right} FROM [curfew_agent]")
                self.fails(found, f"right.{right}")
                found.server.sql(f"GRANT {right} TO [curfew_agent]")
        for right, action in (("VIEW ANY DEFINITION", "REVOKE"), ("VIEW SERVER STATE", "REVOKE"),
                              ("VIEW ANY DATABASE", "DENY")):
            with self.subTest(right=right):
                found.server.sql(f"{action} {right} {'FROM' if action == 'REVOKE' else 'TO'} [curfew_agent]")
                report = self.check(found, expect=2)
                self.assertIn(f"right.{right}", self.lines(report, "FAIL"))
                found.server.sql(f"GRANT {right} TO [curfew_agent]")
        found.server.sql("ALTER ROLE [db_owner] DROP MEMBER [curfew_agent]", "AcmeProd")
        # What objects use is shown to the owners of a database alone.
        report = self.fails(found, "database.rights", "read.runner", "inventory.reference")
        line, = (check for check in report["checks"] if check["name"] == "read.runner" and check["result"] == "FAIL")
        self.assertIn("curfew bootstrap sql01", line["fix"])
        found.server.sql("ALTER ROLE [db_owner] ADD MEMBER [curfew_agent]", "AcmeProd")
        found.server.sql("DROP SERVER ROLE [curfew_logins]")
        self.fails(found, "mark")

    def test_of_the_place_that_no_endpoint_names(self):
        """The address is said with its port, once; to strangers the port alone."""
        found = self.made()
        found.server.faults(listener_port=14330)
        for more, said in (((), r"at [^ ,]+:14330, which"), (("--anonymous",), "at ADDRESS, port 14330, which")):
            report = found.agent.curfew("check-server", "sql01", "--json", *more, expect=2).json
            line, = (check for check in report["checks"] if check["name"] == "port")
            self.assertRegex(line["detail"], f"the server received this session {said} no endpoint names")

    def test_of_jobs(self):
        """The question catches the refusal itself, so that the reading goes on: its answer is none."""
        found = self.made()
        found.server.sql("REVOKE SELECT ON OBJECT::dbo.sysjobs FROM [curfew_agent]", "msdb")
        report = self.check(found, expect=2)
        line, = (check for check in report["checks"] if check["name"] == "read.job")
        self.assertEqual(line["result"], "FAIL")
        self.assertIn("cannot be read in msdb", line["detail"])
        self.assertIn("curfew bootstrap sql01", line["fix"])
        found.server.sql("GRANT SELECT ON OBJECT::dbo.sysjobs TO [curfew_agent]", "msdb")
        self.assertIn("read.job", self.lines(self.check(found), "ok"))

    def test_of_the_server(self):
        found = self.made()
        for faults, lines in self.OF_THE_SERVER:
            with self.subTest(faults=faults):
                found.server.faults(**faults)
                self.fails(found, *lines)
        found.server.faults()
        found.server.sql("CREATE LOGIN [curfew_check_0] WITH PASSWORD = N'Some-Passw0rd'")
        self.fails(found, "earlier-checks")

    def test_of_a_hoster(self):
        """Amazon RDS has the editions of an installed server, and a database by which it is known."""
        found = self.made()
        found.server.sql("CREATE DATABASE [rdsadmin]")
        self.fails(found, "edition")

    def test_of_its_addresses(self):
        """The guard goes by address: the other family is open, and so is the address to which the server has moved."""
        found = self.made()
        own = found.agent.servers["sql01"]["endpoints"]
        for endpoints, known, lines, told in ((own[:1], (), ("listeners",), "[::]:1433"),
                                              (own[:1], ("[::]:1433",), (), None),
                                              (["192.0.2.99:1433", own[1]], (), ("port",), own[0].split(":")[0]),
                                              (["192.0.2.99:1433", own[1]], (own[0],), (), None)):
            with self.subTest(endpoints=endpoints, known=known):
                found.agent.servers["sql01"].update(endpoints=endpoints, known_listeners=list(known))
                found.agent.write()
                if not lines:
                    self.check(found)
                    continue
                report = self.fails(found, *lines)
                self.assertIn(told, next(c["detail"] for c in report["checks"] if c["name"] == lines[0]))

    def test_of_the_inventory(self):
        found = self.made()
        found.server.faults(fail_on="sys\\.dm_exec_function_stats,208")
        report = self.check(found)
        self.assertEqual(self.lines(report, "skip"), {"inventory.function-stats"})
        found.server.faults(fail_on="sys\\.dm_exec_procedure_stats,300")
        self.fails(found, "inventory.procedure-stats")
        found.server.faults(fail_on="j\\.date_created,229")
        self.fails(found, "inventory.job")

    def test_of_collations_and_versions(self):
        found = self.made(arguments=("--collation", "Latin1_General_CS_AS", "--product-version", "12.0.6024.0"))
        self.fails(found, "collation", "version")


class Life(CheckServer):
    PRINCIPALS = "SELECT name, is_disabled FROM sys.server_principals ORDER BY name"
    USERS = "SELECT name FROM sys.database_principals ORDER BY name"
    FAULTS = (({"no_execute_as": True}, "life.full"),
              ({"no_must_change": True}, "life.one-time-password"),
              ({"no_kill": True}, "life.kill"), ({"no_deny": True}, "life.full"),
              ({"fail_on": "CREATE USER,15247"}, "life.full"),
              ({"fail_on": "curfew_write\\] ADD MEMBER,15151"}, "life.write"),
              ({"drop_before_match": "CREATE USER"}, "life.full"),
              ({"fail_on": "^DROP LOGIN,15434"}, "life.nothing-left"))

    def everything(self, found):
        return (found.server.sql(self.PRINCIPALS),
                *(found.server.sql(self.USERS, d) for d in ("AcmeTest", "AcmeProd", "Scratch")))

    def test_the_whole_life_leaves_nothing_behind(self):
        found = self.scratch()
        self.applied(found.agent)
        before = self.everything(found)
        report = self.check(found, "--life", "Scratch")
        life = [check["name"] for check in report["checks"] if check["name"].startswith("life.")]
        self.assertEqual(life, ["life.plan", "life.full", "life.verified-full", "life.one-time-password", "life.must-change",
                                "life.password", "life.login", "life.write", "life.verified-write", "life.login-write",
                                "life.session", "life.read-only", "life.kill",
                                "life.verified-read-only", "life.login-read-only", "life.removed", "life.verified-gone",
                                "life.login-gone", "life.nothing-left"])
        self.assertEqual((report["result"], report["failed"]), ("ok", 0))
        details = {check["name"]: check["detail"] for check in report["checks"]}
        for action in ("login-create", "login-mark", "user-create", "member-add", "login-enable"):
            self.assertIn(action, details["life.full"])
        self.assertEqual(self.everything(found), before)
        self.assertTrue(found.server.records("kill"))
        self.no_secret_was_told(found)
        self.applied(found.agent)

    def test_of_faults(self):
        found = self.scratch()
        before = self.everything(found)
        for faults, line in self.FAULTS:
            with self.subTest(faults=faults):
                found.server.faults(**faults)
                report = self.check(found, "--life", "Scratch", expect=2)
                self.assertIn(line, self.lines(report, "FAIL"), report)
                found.server.faults()
                if line != "life.nothing-left":
                    self.assertEqual(self.everything(found), before)
        left = found.server.sql("SELECT name, is_disabled FROM sys.server_principals WHERE name LIKE N'curfew[_]check[_]%'")
        self.assertEqual([row[1] for row in left], [True])
        self.fails(found, "earlier-checks")

    def test_of_a_server_that_cannot_impersonate(self):
        """Where the configuration accepts its catalog, that no database is changed as its owner is no fault."""
        found = self.scratch()
        found.server.faults(no_execute_as=True)
        said = [c for c in self.check(found, expect=2)["checks"] if c["name"] == "database.owner"]
        self.assertEqual({c["result"] for c in said}, {"FAIL"})
        self.assertIn("does not know EXECUTE AS", said[0]["detail"])
        self.assertIn("evidence", said[0]["fix"])
        found.agent.servers["sql01"]["evidence"] = "catalog"
        found.agent.write()
        self.assertIn("database.owner", self.lines(self.check(found, expect=None), "skip"))

    def test_is_refused_where_somebody_works(self):
        found = self.made()
        said = found.agent.curfew("check-server", "sql01", "--life", "AcmeTest", expect=64)
        self.assertIn("database AcmeTest is a client's", said.err)
        report = self.check(found, "--life", "Nowhere", expect=2)
        self.assertIn("life.full", self.lines(report, "FAIL"))


class Anonymous(CheckServer):
    """For somebody else to read. Whatever fails, no name is left in what is printed: each is looked for."""
    NAMES = ("sql01", "SQL01", "acme", "Acme", "Scratch", "curfew_agent", "nowhere", *lab.PUBLIC)

    def names_none(self, found, *options, failed=()):
        said = found.agent.curfew("check-server", "sql01", "--anonymous", *options, expect=(1, 2)).out
        for name in (*self.NAMES, found.directory):
            self.assertNotIn(name, said)
        for line in failed:
            self.assertIn(f"FAIL {line}", said)
        return said

    def test_of_the_way_there(self):
        found = self.made()
        wrong = Certificates(found.path("wrong"), "other.example")
        for faults, line in (({"no_tls": True}, "tls"), ({"wrong_cert": f"{wrong.certificate},{wrong.key}"}, "tls"),
                             ({"login_only_tls": True}, "encryption"), ({"fail_on": "@@OPTIONS,50000"}, "settings")):
            with self.subTest(faults=faults):
                found.server.faults(**faults)
                self.names_none(found, failed=(line,))
        found.server.faults()
        credential = found.agent.path("credentials", "sql01")
        with open(credential, "w", encoding="utf-8") as file:
            file.write("Not-The-Passw0rd\n")
        self.names_none(found, failed=("login",))
        os.truncate(credential, 0)
        self.names_none(found, failed=("password",))
        os.unlink(credential)
        self.names_none(found, failed=("password",))

    def test_of_a_name_that_nobody_knows(self):
        found = self.made()
        found.agent.servers["sql01"]["port"] = 1
        found.agent.write()
        self.names_none(found, failed=("tcp",))
        found.agent.servers["sql01"].update(host="nowhere.invalid", port=1433)
        found.agent.write()
        self.names_none(found, failed=("name",))

    def test_of_the_server(self):
        found = self.made()
        for faults, lines in (*Faults.OF_THE_SERVER, ({"fail_on": "is_trustworthy_on = 1,50000"}, ())):
            with self.subTest(faults=faults):
                found.server.faults(**faults)
                self.names_none(found, failed=lines)
        self.assertIn("[database 2]", self.names_none(found))
        self.names_none(found, "--json")
        found.server.faults()
        found.agent.servers["sql01"].update(endpoints=["192.0.2.99:1433"])
        found.agent.write()
        self.names_none(found, failed=("port", "listeners"))

    def test_of_rights(self):
        found = self.made()
        found.server.sql("REVOKE ALTER ANY LOGIN FROM [curfew_agent]")
        found.server.sql("ALTER ROLE [db_owner] DROP MEMBER [curfew_agent]", "AcmeProd")
        found.server.sql("DROP SERVER ROLE [curfew_logins]")
        self.names_none(found, failed=("right.ALTER ANY LOGIN", "database.rights", "mark"))

    def test_of_a_life(self):
        found = self.scratch()
        for faults, line in Life.FAULTS:
            with self.subTest(faults=faults):
                found.server.faults(**faults)
                self.names_none(found, "--life", "Scratch", failed=(line,))
                found.server.faults()


if __name__ == "__main__":
    unittest.main()
