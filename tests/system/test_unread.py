#!/usr/bin/python3
"""What cannot be read counts as it was last; without a record, as the widest: the login stays shut in SQL Server itself."""

import os
import shutil
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import OWN_PASSWORD, USER, LabCase  # noqa: E402
from lab import days, local  # noqa: E402
from service import until  # noqa: E402


def setUpModule():
    lab.require()


class Unread(LabCase):
    def jane_at_work(self, **client):
        """Acme tests; Jane has a session. Everything is of before its go-live."""
        found = self.lab_make()
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")],
                         **self.dates(golive), **client)
        self.applied(found.agent)
        jane = found.person("jane")
        self.first_login(found, jane, found.agent.handover("acme", USER))
        self.works(jane.login(USER, OWN_PASSWORD, "AcmeTest"))
        return found, jane, golive

    def is_shut(self, found):
        self.assertEqual(found.server.login(USER)[1], True)
        self.assertEqual(found.server.sessions_of(USER), [])
        self.assertEqual(found.agent.elements(), [])

    def test_a_renamed_database_in_single_user_mode(self):
        """Under its new name nobody can read it; that others match the schedule does not let Jane back into it."""
        found, jane, golive = self.jane_at_work()
        found.server.sql("ALTER DATABASE [AcmeTest] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; "
                         "ALTER DATABASE [AcmeTest] MODIFY NAME = [AcmeOld]")
        self.works(found.person("jane").login(USER, OWN_PASSWORD, "AcmeOld"))
        at = local(golive + days(1))
        for _ in range(2):
            told = found.agent.apply(at, expect=(1, 2))
            self.is_shut(found)
        self.assertIn("it was renamed to [AcmeOld], which is not read: it is in single-user mode", told.out)
        found.server.sql("ALTER DATABASE [AcmeOld] MODIFY NAME = [AcmeTest]; ALTER DATABASE [AcmeTest] SET MULTI_USER")
        self.applied(found.agent, at)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.assertEqual(found.server.login(USER)[1], False)

    def renamed_and_offline(self, **faults):
        """No row shows it, and nobody has its name: it is there all the same, and has no end until it is read."""
        found, jane, golive = self.jane_at_work()
        found.server.faults(**faults)
        found.server.sql("ALTER DATABASE [AcmeTest] MODIFY NAME = [AcmeOld]; "
                         "ALTER DATABASE [AcmeOld] SET OFFLINE WITH ROLLBACK IMMEDIATE")
        at = local(golive + days(15))
        for _ in range(2):
            told = found.agent.apply(at, expect=(1, 2))
            self.assertIn(f"overdue: {USER} on AcmeTest: was full when last verified, should be none", told.out)
            self.is_shut(found)
        found.server.sql("ALTER DATABASE [AcmeOld] SET ONLINE")
        self.applied(found.agent, at)
        self.assertFalse(found.server.user(USER, "AcmeOld"))
        self.assertEqual(found.server.login(USER)[1], False)
        return told

    def test_a_renamed_database_that_is_offline(self):
        self.assertIn("it was renamed to [AcmeOld], which is not read: it is offline", self.renamed_and_offline().out)

    def test_a_renamed_database_whose_name_nobody_tells(self):
        told = self.renamed_and_offline(hidden_names=True)
        self.assertRegex(told.out, r"it was renamed to \[database_id \d+\], which is not read: "
                                   "the server tells neither its name nor its state")

    def test_a_renamed_database_that_is_offline_at_the_end(self):
        """No certificate before it was read."""
        found, jane, golive = self.jane_at_work()
        found.server.sql("ALTER DATABASE [AcmeTest] MODIFY NAME = [AcmeOld]; "
                         "ALTER DATABASE [AcmeOld] SET OFFLINE WITH ROLLBACK IMMEDIATE")
        at = local(golive + days(31))
        for _ in range(2):
            found.agent.apply(at, expect=(1, 2))
            self.assertIsNone(found.server.login(USER))
        told = found.agent.curfew("certificate", "acme", "--at", at, expect=(1, 2))
        self.assertIn("AcmeOld", told.out + told.err)
        found.server.sql("ALTER DATABASE [AcmeOld] SET ONLINE")
        self.applied(found.agent, at)
        self.assertFalse(found.server.user(USER, "AcmeOld"))
        found.agent.curfew("certificate", "acme", "--at", at, expect=0)

    def test_tempdb_at_the_end(self):
        """Nobody knows that she has no user there before it is read, or made anew: a start of the server may be months away."""
        found, jane, golive = self.jane_at_work()
        jane.logout()
        at = local(golive + days(31))
        found.server.sql(f"CREATE USER [{USER}] FOR LOGIN [{USER}]", "tempdb")
        found.server.faults(damaged={"tempdb": "database_principals"})
        found.agent.apply(at)
        self.assertIsNone(found.server.login(USER))
        told = found.agent.curfew("certificate", "acme", "--at", at, expect=2)
        self.assertIn("databases not read: [tempdb]", told.err)
        found.server.faults()
        self.assertTrue(found.server.user(USER, "tempdb"))
        found.server.sql(f"DROP USER [{USER}]", "tempdb")
        self.applied(found.agent, at)
        found.agent.curfew("certificate", "acme", "--at", at, expect=0)

    def test_a_copy_in_single_user_mode(self):
        """Restored under a name that nobody configured, with Jane's user, whose session has the only place in it."""
        found, jane, golive = self.jane_at_work()
        found.server.sql("BACKUP DATABASE [AcmeTest] TO DISK = N'acme.bak'")
        found.server.sql("RESTORE DATABASE [AcmeCopy] FROM DISK = N'acme.bak'; ALTER DATABASE [AcmeCopy] SET SINGLE_USER")
        self.works(found.person("jane").login(USER, OWN_PASSWORD, "AcmeCopy"))
        at = local(golive + days(1))
        for _ in range(2):
            told = found.agent.apply(at, expect=(1, 2))
            self.is_shut(found)
            self.assertRegex(told.out, r"cannot read database \[AcmeCopy\]|\[AcmeCopy\], where no access is configured")
        told = found.agent.curfew("status", expect=(1, 2))
        self.assertIn("AcmeCopy", told.out)
        told = found.agent.curfew("history", "acme", expect=0)
        self.assertRegex(told.out, "access: full for .* / AcmeCopy until .*; SQL: excess")
        found.agent.apply(local(golive + days(31)), expect=(1, 2))
        told = found.agent.curfew("certificate", "acme", "--at", local(golive + days(31)), expect=(1, 2))
        self.assertIn("AcmeCopy", told.out + told.err)

    def test_a_copy_is_seen_and_the_server_is_lost(self):
        """The session that shows the copy is ended first; the connection dies before the pass is over, and the copy stays
        on record all the same."""
        found, jane, golive = self.jane_at_work()
        found.server.sql("BACKUP DATABASE [AcmeTest] TO DISK = N'acme.bak'")
        found.server.sql("RESTORE DATABASE [AcmeCopy] FROM DISK = N'acme.bak'; ALTER DATABASE [AcmeCopy] SET SINGLE_USER")
        self.works(found.person("jane").login(USER, OWN_PASSWORD, "AcmeCopy"))
        found.server.faults(drop_before_match=r"ALTER ROLE \[curfew_read_only\] ADD")
        at = local(golive + days(1))
        told = found.agent.apply(at, expect=1)
        self.assertIn("ends the session", told.out)
        self.is_shut(found)
        found.server.faults()
        for _ in range(2):
            told = found.agent.apply(at, expect=(1, 2))
            self.assertIn("AcmeCopy", told.out)
            self.is_shut(found)

    def test_a_copy_that_is_renamed(self):
        """Its session is gone, and its name: by its id it is known, and nobody takes it for dropped."""
        found, jane, golive = self.jane_at_work()
        found.server.sql("BACKUP DATABASE [AcmeTest] TO DISK = N'acme.bak'")
        found.server.sql("RESTORE DATABASE [AcmeCopy] FROM DISK = N'acme.bak'; ALTER DATABASE [AcmeCopy] SET SINGLE_USER")
        self.works(found.person("jane").login(USER, OWN_PASSWORD, "AcmeCopy"))
        at = local(golive + days(1))
        found.agent.apply(at, expect=(1, 2))
        self.is_shut(found)
        found.server.sql("ALTER DATABASE [AcmeCopy] MODIFY NAME = [AcmeSecond]")
        for _ in range(2):
            told = found.agent.apply(at, expect=(1, 2))
            self.assertIn("AcmeCopy", told.out)
            self.is_shut(found)

    def test_a_copy_is_read_again(self):
        """Then nothing is left of Jane in it, and what she has elsewhere is open to her."""
        found, jane, golive = self.jane_at_work()
        found.server.sql("BACKUP DATABASE [AcmeTest] TO DISK = N'acme.bak'")
        found.server.sql("RESTORE DATABASE [AcmeCopy] FROM DISK = N'acme.bak'; ALTER DATABASE [AcmeCopy] SET SINGLE_USER")
        self.works(found.person("jane").login(USER, OWN_PASSWORD, "AcmeCopy"))
        at = local(golive + days(1))
        found.agent.apply(at, expect=(1, 2))
        self.is_shut(found)
        found.server.sql("ALTER DATABASE [AcmeCopy] SET MULTI_USER")
        found.agent.apply(at, expect=(0, 1, 2))
        self.applied(found.agent, at)
        self.assertFalse(found.server.user(USER, "AcmeCopy"))
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.assertEqual(found.server.login(USER)[1], False)

    def another_takes_the_name(self, found):
        """A new database where AcmeTest was; that is AcmeOld now, and Jane still has her user there."""
        found.server.sql("BACKUP DATABASE [AcmeTest] TO DISK = N'acme.bak'")
        found.server.sql("ALTER DATABASE [AcmeTest] SET SINGLE_USER WITH ROLLBACK IMMEDIATE; "
                         "ALTER DATABASE [AcmeTest] MODIFY NAME = [AcmeOld]")
        found.server.sql("RESTORE DATABASE [AcmeTest] FROM DISK = N'acme.bak'")
        self.works(found.person("jane").login(USER, OWN_PASSWORD, "AcmeOld"))

    def test_another_database_has_the_name(self):
        """What is verified in it says nothing about the one that had the name, where nobody can look."""
        found, jane, golive = self.jane_at_work()
        self.another_takes_the_name(found)
        at = local(golive + days(1))
        for _ in range(2):
            told = found.agent.apply(at, expect=(1, 2))
            self.is_shut(found)
            self.assertRegex(told.out, r"another database has this name now; the one that was verified is \[AcmeOld\], "
                                       "which is not read: it is in single-user mode")
        # Nor is it the end of the old one that staging has ended.
        told = found.agent.apply(local(golive + days(15)), expect=(1, 2))
        self.assertIn(f"overdue: {USER} on AcmeTest: was full when last verified, should be none", told.out)
        self.is_shut(found)
        found.server.sql("ALTER DATABASE [AcmeOld] SET MULTI_USER")
        found.agent.apply(at, expect=(0, 1, 2))
        self.applied(found.agent, at)
        self.assertFalse(found.server.user(USER, "AcmeOld"))
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.assertEqual(found.server.login(USER)[1], False)

    def test_the_old_database_is_kept_read_only(self):
        """Both are online. What is asked for is what helps."""
        found, jane, golive = self.jane_at_work()
        self.another_takes_the_name(found)
        found.server.sql("ALTER DATABASE [AcmeOld] SET MULTI_USER; ALTER DATABASE [AcmeOld] SET READ_ONLY")
        said = (r"a user is left in \[AcmeOld\], which was verified under this name and cannot be changed: it is read-only; "
                "a DBA makes it READ_WRITE for one pass, or drops or detaches it")
        at = local(golive + days(1))
        for when in ([], ["--at", at]):
            self.assertRegex(found.agent.curfew("apply", *when, expect=(1, 2)).out, said)
            self.assertEqual(found.server.login(USER)[1], True)
            told = found.agent.curfew("explain", "acme", USER, *when, expect=(1, 2)).out
            self.assertRegex(" ".join(told.split()), said)
            self.assertNotIn("bring it online", told)
        found.server.sql("ALTER DATABASE [AcmeOld] SET READ_WRITE")
        found.agent.apply(at, expect=(0, 1, 2))
        self.applied(found.agent, at)
        self.assertFalse(found.server.user(USER, "AcmeOld"))
        self.assertEqual(found.server.login(USER)[1], False)

    def test_a_golive_that_restores(self):
        """Over the database, then beside it with the old one renamed: it is verified anew, and everybody gets in."""
        found, jane, golive = self.jane_at_work()
        jane.logout()
        until(lambda: not found.server.sessions_of(USER), "the server has seen her leave")
        found.server.sql("BACKUP DATABASE [AcmeTest] TO DISK = N'acme.bak'")
        found.server.sql("RESTORE DATABASE [AcmeTest] FROM DISK = N'acme.bak' WITH REPLACE")
        at = local(golive + days(1))
        self.applied(found.agent, at)
        self.assertEqual(found.server.login(USER)[1], False)
        found.server.sql("ALTER DATABASE [AcmeTest] MODIFY NAME = [AcmeOld]")
        found.server.sql("RESTORE DATABASE [AcmeTest] FROM DISK = N'acme.bak'")
        found.agent.apply(at, expect=(0, 1, 2))
        self.applied(found.agent, at)
        self.assertFalse(found.server.user(USER, "AcmeOld"))
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.assertEqual(found.server.login(USER)[1], False)

    def test_renamed_and_read(self):
        """Nothing of Jane is left under the new name: what she has elsewhere is open to her."""
        found, jane, golive = self.jane_at_work()
        found.server.sql("ALTER DATABASE [AcmeTest] MODIFY NAME = [AcmeOld]")
        at = local(golive + days(1))
        for _ in range(2):
            found.agent.apply(at, expect=(0, 1, 2))
        self.assertFalse(found.server.user(USER, "AcmeOld"))
        self.assertEqual(found.server.login(USER)[1], False)
        self.assertEqual(found.agent.plan(at).out.count("ALTER LOGIN"), 0)

    def journal_is_lost(self, found):
        shutil.rmtree(found.agent.path("state"))
        os.mkdir(found.agent.path("state"), 0o700)

    def is_locked(self, found):
        """A DBA's open transaction keeps AcmeTest's catalog from being read."""
        found.server.sql("CREATE LOGIN [dev] WITH PASSWORD = N'Some-Passw0rd-of-dev', CHECK_POLICY = OFF")
        found.server.sql("CREATE USER [dev] FOR LOGIN [dev]; ALTER ROLE [db_owner] ADD MEMBER [dev]", "AcmeTest")
        dev = found.person("jane")
        self.works(dev.login("dev", "Some-Passw0rd-of-dev", "AcmeTest"))
        self.works(dev.sql("BEGIN TRANSACTION; ALTER TABLE dbo.Orders ADD Note int NULL"))

    @staticmethod
    def dev_is_ended(found):
        found.server.sql(f"KILL {found.server.sessions_of('dev')[0]['spid']}")

    def test_other_databases_do_not_let_in(self):
        """Production is verified, and staging, which had more, is offline at go-live."""
        found, jane, golive = self.jane_at_work()
        jane.logout()
        found.server.sql("ALTER DATABASE [AcmeTest] SET OFFLINE WITH ROLLBACK IMMEDIATE")
        at = local(golive + days(1))
        for _ in range(2):
            found.agent.apply(at, expect=(1, 2))
            self.is_shut(found)
        found.server.sql("ALTER DATABASE [AcmeTest] SET ONLINE")
        self.applied(found.agent, at)
        self.assertEqual(found.server.login(USER)[1], False)

    @staticmethod
    def john_is_added(found, **more):
        client = found.agent.clients["acme"]
        client["users"].append({"first": "John", "last": "Roe", "email": "john.roe@acme.example",
                                "sources": ["203.0.113.99"]})
        client["databases"] += more.get("databases", [])
        found.agent.write()

    def test_what_it_cannot_give_holds_nothing_back(self):
        """What is new on the server is given while a database that gives no more than is scheduled is away."""
        found = self.lab_make(servers={"sql01": ("AcmeTest", "AcmeMore")})
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(golive))
        self.applied(found.agent)
        jane = found.person("jane")
        self.first_login(found, jane, found.agent.handover("acme", USER))
        jane.logout()
        self.john_is_added(found, databases=[
            {"role": "staging", "server": "sql01", "name": "AcmeMore", "before_go_live": "write"}])
        found.agent.bootstrap("sql01", found.server)
        found.server.sql("ALTER DATABASE [AcmeTest] SET OFFLINE WITH ROLLBACK IMMEDIATE")
        result = found.agent.apply(expect=2)
        self.assertIn("cannot read database [AcmeTest]", result.out)
        for login in (USER, "acme.john.roe"):
            self.assertEqual(found.server.roles(login, "AcmeMore"), ["curfew_write"], result.out)
            self.assertEqual(found.server.login(login)[1], False, result.out)
        self.works(found.person("jane").login(USER, OWN_PASSWORD, "AcmeMore"))
        found.agent.apply(expect=2)
        self.assertEqual(len(found.server.sessions_of(USER)), 1, "nobody is shut by it again")
        # Where more was given than is scheduled from now on, everything waits for it.
        found.agent.apply(local(golive + days(1)), expect=(1, 2))
        self.assertEqual(found.server.login(USER)[1], True)
        self.assertEqual(found.server.sessions_of(USER), [])
        found.server.sql("ALTER DATABASE [AcmeTest] SET ONLINE")
        self.applied(found.agent, local(golive + days(1)))
        for login in (USER, "acme.john.roe"):
            self.assertEqual(found.server.roles(login, "AcmeMore"), ["curfew_read_only"])
            self.assertEqual(found.server.login(login)[1], False)

    def test_what_it_may_give_is_named(self):
        """Somebody may be in it, and nobody knows which users it has: the line says which database holds John back."""
        found = self.lab_make(servers={"sql01": ("AcmeTest", "AcmeMore")})
        golive = lab.now() + days(20)
        databases = [("staging", "sql01", "AcmeTest"), ("staging", "sql01", "AcmeMore")]
        found.client_add("acme", databases, **self.dates(golive))
        self.applied(found.agent)
        found.server.sql("ALTER DATABASE [AcmeTest] SET SINGLE_USER WITH ROLLBACK IMMEDIATE")
        self.john_is_added(found)
        for _ in range(2):
            found.agent.apply(expect=2)
            self.assertEqual(found.server.login("acme.john.roe")[1], True)
        for command in ("plan", "status"):
            said = " ".join(found.agent.curfew(command).out.split())
            self.assertIn("until database [AcmeTest] is read", said, command)
        # Whoever controls it can set that, so nobody knows what is given there meanwhile.
        self.assertEqual(found.server.login(USER)[1], True)
        found.server.sql("ALTER DATABASE [AcmeTest] SET MULTI_USER")
        self.applied(found.agent)
        for login in (USER, "acme.john.roe"):
            self.assertEqual(found.server.login(login)[1], False)

    def test_the_journal_is_lost_and_a_database_is_offline(self):
        found, jane, golive = self.jane_at_work()
        self.applied(found.agent, local(golive + days(1)))
        self.journal_is_lost(found)
        found.server.sql("ALTER DATABASE [AcmeTest] SET OFFLINE WITH ROLLBACK IMMEDIATE")
        at = local(golive + days(2))
        for _ in range(2):
            told = found.agent.apply(at, expect=(1, 2))
            self.is_shut(found)
            self.assertRegex(told.out, f"unread: {USER} on AcmeTest: .*offline")
        found.server.sql("ALTER DATABASE [AcmeTest] SET ONLINE")
        found.agent.curfew("accept-loss", "--reason", "the disk is new", expect=0)
        self.applied(found.agent, at)
        self.assertEqual(found.server.login(USER)[1], False)

    def test_the_journal_is_lost_and_a_database_is_locked_after_staging(self):
        found, jane, golive = self.jane_at_work()
        self.applied(found.agent, local(golive + days(1)))
        self.is_locked(found)
        self.journal_is_lost(found)
        at = local(golive + days(15))
        for _ in range(2):
            told = found.agent.apply(at, expect=(1, 2))
            self.is_shut(found)
            self.assertRegex(told.out, f"unread: {USER} on AcmeTest: .*holds a lock")
        self.dev_is_ended(found)
        found.agent.curfew("accept-loss", "--reason", "the disk is new", expect=0)
        self.applied(found.agent, at)
        self.assertFalse(found.server.user(USER, "AcmeTest"))
        self.assertEqual(found.server.login(USER)[1], False)

    def test_the_journal_is_lost_and_all_is_over(self):
        found, jane, golive = self.jane_at_work()
        self.journal_is_lost(found)
        found.server.sql("ALTER DATABASE [AcmeTest] SET OFFLINE WITH ROLLBACK IMMEDIATE")
        at = local(golive + days(31))
        told = found.agent.apply(at, expect=(1, 2))
        self.assertIsNone(found.server.login(USER))
        self.assertEqual(found.server.sessions_of(USER), [])
        self.assertRegex(told.out, f"unread: {USER} on AcmeTest: .*offline")

    def test_who_could_write_is_shut_too(self):
        """Somebody's lock hides at go-live whether a user of level write reads only by now."""
        found = self.lab_make()
        golive = lab.now() + days(20)
        found.client_add("acme", [("staging", "sql01", "AcmeTest", "write"), ("production", "sql01", "AcmeProd")],
                         **self.dates(golive))
        self.applied(found.agent)
        self.is_locked(found)
        at = local(golive + days(1))
        for _ in range(2):
            found.agent.apply(at, expect=(1, 2))
            self.is_shut(found)
        self.dev_is_ended(found)
        self.applied(found.agent, at)
        self.assertEqual(found.server.roles(USER, "AcmeTest"), ["curfew_read_only"])
        self.assertEqual(found.server.login(USER)[1], False)


if __name__ == "__main__":
    unittest.main()
