#!/usr/bin/python3
"""An availability group: two servers, one set of databases. Logins have one SID on both, a failover locks nobody out and
orphans nobody, and what ends is closed on both."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import OWN_PASSWORD, USER, LabCase  # noqa: E402
from lab import days, local  # noqa: E402

DATABASES = ("AcmeTest", "AcmeProd")
SECOND_PORT = 1434      # of sql02, on the gateway
LISTENER = "10.20.9.9:1433"


def setUpModule():
    lab.require()


class Replicas(LabCase):
    def group_make(self, secondary="secondary", users=None):
        found = self.lab_make(shape="gateway", servers={"sql01": DATABASES, "sql02": DATABASES}, replicas=("sql02",))
        self.found, self.secondary = found, secondary
        self.golive = lab.now() + days(20)
        self.shown("sql02")
        found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")],
                         users=users, **self.dates(self.golive))
        return found

    def shown(self, name):
        """`name` is the secondary replica of both databases, and the other the primary."""
        for server in self.found.servers.values():
            word = self.secondary if server.name == name else "primary"
            server.faults(database_state={d: word for d in DATABASES}, replicas="SQL01,SQL02")

    def copied(self, source, target):
        for database in DATABASES:
            content = self.found.servers[source].control(op="database-give", name=database)["content"]
            self.assertTrue(self.found.servers[target].control(op="database-take", content=content)["ok"])

    def failed_over(self, source, target):
        self.copied(source, target)
        self.shown(source)

    def sid(self, name):
        return self.found.servers[name].sql(f"SELECT sid FROM sys.server_principals WHERE name = N'{USER}'")[0][0]

    def user_sid(self, name, database="AcmeTest"):
        return self.found.servers[name].sql(
            f"SELECT sid FROM sys.database_principals WHERE name = N'{USER}'", database)[0][0]

    def person(self, server):
        return self.found.person("jane", port=1433 if server == "sql01" else SECOND_PORT)

    def texts(self, name):
        return [r["text"] for r in self.found.servers[name].records("batch") if r["login"] == "curfew_agent"]

    def test_failover(self):
        found = self.group_make()
        agent, sql01, sql02 = found.agent, found.servers["sql01"], found.servers["sql02"]
        self.applied(agent)
        self.assertEqual(self.sid("sql01"), self.sid("sql02"))
        self.assertEqual(sql01.login(USER), [USER, False])
        self.assertEqual(sql02.login(USER), [USER, True])
        status = agent.curfew("status")
        self.assertIn("secondary replica", status.out)
        self.assertNotIn("unread", status.out)

        password = agent.handover("acme", USER)
        jane = self.person("sql01")
        self.first_login(found, jane, password)
        self.silent(self.person("sql02"))

        self.failed_over("sql01", "sql02")
        self.applied(agent)
        self.assertEqual(self.user_sid("sql02"), self.sid("sql02"))
        self.assertFalse([t for t in self.texts("sql02") if "ALTER USER" in t or "CREATE USER" in t])
        # On the new primary the one-time password still waits to be changed.
        again = self.person("sql02")
        self.refused(again.login(USER, password, "AcmeTest"), 18488)
        self.works(again.login(USER, password, "AcmeTest", new_password=OWN_PASSWORD))
        self.works_as_full(again)

        # Go-live while sql02 is the primary: both are narrowed, and a failover back widens nothing.
        self.applied(agent, local(self.golive))
        self.reads_only(self.person("sql02"), "AcmeProd")
        self.failed_over("sql02", "sql01")
        self.assertFalse(self.person("sql01").login(USER, OWN_PASSWORD, "AcmeTest").ok)
        self.applied(agent, local(self.golive + days(1)))
        self.reads_only(self.person("sql01"), "AcmeProd")

        # The end: gone on both, proved where the primary is, also with the file away.
        end = local(self.golive + days(30))
        agent.apply(end, expect=(0, 1, 2))
        self.applied(agent, end)
        self.nothing_is_left(found, ("sql01", "AcmeTest"), ("sql01", "AcmeProd"))
        grants = [r for r in agent.curfew("apply", "--at", end, "--json", expect=0).json["records"] if r["kind"] == "grant"]
        self.assertEqual({(g["server"], g["state"], g["level"]) for g in grants},
                         {("sql01", "ok", "none"), ("sql02", "ok", "none")})
        self.assertEqual({g["detail"] for g in grants if g["server"] == "sql02"},
                         {"no login here, and on sql01 it is verified that no user is left in the database"})

    def listener_allows(self):
        return [e for e in self.found.agent.elements() if str(e[1]) == LISTENER]

    def test_listener(self):
        """Both have its address. Go-live while the former primary, which was verified with full access, is a secondary."""
        found = self.group_make()
        agent = found.agent
        for settings in agent.servers.values():
            settings["endpoints"] = [*settings["endpoints"], LISTENER]
        agent.write()
        self.applied(agent)
        self.assertTrue(self.listener_allows())
        self.failed_over("sql01", "sql02")
        self.applied(agent)
        self.assertTrue(self.listener_allows())
        # Its databases are neither read nor a secondary's: then they may have more than is scheduled.
        found.servers["sql01"].faults(database_state={d: "offline" for d in DATABASES}, replicas="SQL01,SQL02")
        agent.apply(local(self.golive), expect=(0, 1, 2))
        self.assertFalse(self.listener_allows())
        self.shown("sql01")
        for later in (1, 2):
            self.applied(agent, local(self.golive + days(later)))
            self.assertTrue(self.listener_allows())
            self.assertTrue(found.servers["sql01"].login(USER)[1])
        # Back where nobody has looked since: closed, then verified, then let in.
        self.failed_over("sql02", "sql01")
        self.applied(agent, local(self.golive + days(3)))
        self.assertTrue(self.listener_allows())
        self.assertFalse(found.servers["sql01"].login(USER)[1])
        self.assertEqual(found.servers["sql01"].roles(USER, "AcmeProd"), ["curfew_read_only"])

    def audited(self, expect):
        report = self.found.agent.curfew("audit", "--json", expect=expect).json
        return {(f["name"], f["server"], f["database"]) for f in report["findings"]}, report

    def test_audit(self):
        """The server's own things are audited on each replica, what is in a database where its primary is."""
        found = self.group_make()
        self.applied(found.agent)
        clean, report = self.audited(0)
        self.assertEqual(clean, set(), report)
        grants = {(g["server"], g["database"]): g["state"] for g in report["grants"]}
        self.assertEqual({grants[("sql01", d)] for d in DATABASES} | {grants[("sql02", d)] for d in DATABASES}, {"ok", "waiting"})
        # A third that the configuration does not name.
        for server in found.servers.values():
            server.faults(database_state={d: "primary" if server.name == "sql01" else self.secondary for d in DATABASES},
                          replicas="SQL01,SQL02,SQL03")
        told, report = self.audited(2)
        self.assertEqual(told, {("unnamed-replica", "sql01", None), ("unnamed-replica", "sql02", None)}, report)
        self.shown("sql02")
        # Planted on the secondary alone, on the primary alone, and in a database.
        found.servers["sql02"].sql("CREATE LOGIN [eve] WITH PASSWORD = N'Str0ng-enough'")
        found.servers["sql02"].sql("ALTER SERVER ROLE [sysadmin] ADD MEMBER [eve]")
        found.servers["sql01"].sql("CREATE TRIGGER [logon] ON ALL SERVER FOR LOGON AS SELECT 1")
        found.servers["sql01"].sql("CREATE USER [mallory] WITHOUT LOGIN", "AcmeTest")
        found.servers["sql01"].sql(f"ALTER AUTHORIZATION ON AVAILABILITY GROUP::[group1] TO [{USER}]")
        planted = {("new-login", "sql02", "master"), ("new-server-member", "sql02", "master"), ("server-trigger", "sql01", None),
                   ("loginless-user", "sql01", "AcmeTest"), ("server-owner", "sql01", None)}
        told, report = self.audited(2)
        self.assertLessEqual(planted, told, report)
        self.assertFalse({f for f in told if f[1] == "sql02" and f[2] in DATABASES}, told)
        [remedy] = [f["remedy"] for f in report["findings"] if f["name"] == "server-owner"]
        found.servers["sql01"].sql(remedy)
        # After a failover the database is audited at its new primary, and each server still by itself.
        found.servers["sql01"].sql("DROP TRIGGER [logon] ON ALL SERVER")
        self.failed_over("sql01", "sql02")
        found.agent.apply(expect=(0, 2))
        told, report = self.audited(2)
        self.assertIn(("loginless-user", "sql02", "AcmeTest"), told, report)
        self.assertIn(("new-server-member", "sql02", "master"), told, report)
        self.assertNotIn("server-owner", {name for name, _, _ in told}, report)
        self.assertNotIn(("loginless-user", "sql01", "AcmeTest"), told, report)

    def test_file_goes_away(self):
        """Who left the files is looked for on both, also on the one that was the primary once."""
        found = self.group_make()
        agent = found.agent
        self.applied(agent)
        self.failed_over("sql01", "sql02")
        self.applied(agent)
        self.assertFalse(found.servers["sql02"].login(USER)[1])
        agent.clients.clear()
        agent.write()
        agent.apply(expect=(0, 1, 2))
        self.applied(agent)
        for server in found.servers.values():
            self.assertIsNone(server.login(USER))
        for database in DATABASES:
            self.assertFalse(found.servers["sql02"].user(USER, database))
        self.assertEqual(agent.curfew("status", "--json").json["residual"], [])

    def test_readable_secondary(self):
        """Where a secondary can be read, the login gets in there to read, by the rights that came along."""
        found = self.group_make("secondary-readable")
        agent = found.agent
        agent.apply(expect=(0, 1, 2))
        self.copied("sql01", "sql02")
        agent.apply(expect=(0, 1, 2))
        agent.apply(expect=(0, 1, 2))
        self.assertEqual(self.sid("sql01"), self.sid("sql02"))
        self.assertEqual(self.user_sid("sql02"), self.sid("sql02"))
        self.assertEqual(found.servers["sql02"].login(USER), [USER, False])

    def test_another_sid_is_told(self):
        found = self.group_make()
        agent, sql02 = found.agent, found.servers["sql02"]
        self.applied(agent)
        sql02.sql(f"DROP LOGIN [{USER}]; CREATE LOGIN [{USER}] WITH PASSWORD = N'An0ther-Passw0rd'; "
                  f"ALTER SERVER ROLE curfew_logins ADD MEMBER [{USER}]; ALTER LOGIN [{USER}] DISABLE")
        said = agent.curfew("status").out
        self.assertIn("another SID", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
