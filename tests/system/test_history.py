#!/usr/bin/python3
"""Who had which access at a time, by the journal only: random lives, compared with their schedules."""

import csv
import datetime
import os
import random
import sqlite3
import unittest

import audit_lab
import lab

UTC = datetime.timezone.utc
DAY = datetime.timedelta(days=1)
# Each is of the chain, and lies where nobody but sqlite3 put it.
SEED = int(os.environ.get("CURFEW_SEED", "20261123"))
PEOPLE = (("Jane", "Doe"), ("John", "Roe"), ("Ann", "Lee"))


def setUpModule():
    lab.require()


def at(instant):
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


class History(audit_lab.AuditCase):
    def access(self, rows):
        return {(r["client"], r["login"], r["database"]): (r["level"], r["until"], sorted(r["sources"]))
                for r in rows if r["level"] != "none"}

    def scheduled(self, found, instant):
        return self.access(found.agent.curfew("schedule", "--at", at(instant), "--json", expect=0).json)

    def recorded(self, found, instant, *more):
        rows = found.agent.curfew("history", "--at", at(instant), "--json", *more, expect=0).json
        for row in rows:
            row["sources"] = row["sources"].split(", ") if isinstance(row["sources"], str) else row["sources"]
        return self.access(rows)

    def life_add(self, found, rng, name, databases, start):
        starts = start + rng.randrange(0, 40) * DAY
        golive = starts + rng.randrange(5, 90) * DAY + datetime.timedelta(minutes=rng.randrange(0, 1440))
        more = {"go_live": lab.local(golive)} if rng.random() < 0.8 else {}
        if more and rng.random() < 0.5:
            more["staging_until"] = lab.day(golive + rng.randrange(2, 29) * DAY)
        found.client_add(
            name, [("staging", "sql01", databases[0]),
                   ("production", "sql01", databases[1], rng.choice(("none", "read-only", "full")))],
            users=rng.sample(PEOPLE, rng.randrange(1, 4)), approved_on=lab.day(starts - DAY), starts=lab.day(starts),
            go_live=None, **more) if not more else found.client_add(
            name, [("staging", "sql01", databases[0]),
                   ("production", "sql01", databases[1], rng.choice(("none", "read-only", "full")))],
            users=rng.sample(PEOPLE, rng.randrange(1, 4)), approved_on=lab.day(starts - DAY), starts=lab.day(starts),
            **more)

    def transitions(self, found, start, end):
        """Every instant at which the schedule says something else, found by asking it."""
        instants, now = [], start
        while now < end:
            rows = found.agent.curfew("schedule", "--at", at(now), "--json", expect=0).json
            coming = [audit_lab.instant(r["until"].rstrip("Z")) for r in rows]
            # What begins later has no row that says when: days are looked at one by one.
            following = [t for t in coming if t > now] + [
                datetime.datetime(now.year, now.month, now.day, tzinfo=UTC) + DAY]
            now = min(following)
            instants.append(now)
        return instants

    def test_a_random_life(self):
        rng = random.Random(SEED)
        found = self.lab_make(servers={"sql01": ("ATest", "AProd", "BTest", "BProd")})
        start = datetime.datetime(2026, 9, 1, tzinfo=UTC)
        self.life_add(found, rng, "acme", ("ATest", "AProd"), start)
        self.life_add(found, rng, "beta", ("BTest", "BProd"), start)
        moments, before = [], {}
        for now in self.transitions(found, start, start + 200 * DAY):
            said = self.scheduled(found, now)
            if said != before:
                moments.append(now)
            before = said
        self.assertGreater(len(moments), 5, f"seed {SEED}")
        for now in moments:
            found.agent.apply(at(now))
        begin, last = moments[0], moments[-1]
        for _ in range(40):
            when = begin + datetime.timedelta(seconds=rng.randrange(0, int((last - begin).total_seconds())))
            self.assertEqual(self.recorded(found, when), self.scheduled(found, when), f"seed {SEED} at {when}")
        # At the very instants, and the second before each.
        for now in moments:
            for when in (now, now - datetime.timedelta(seconds=1)):
                if when < begin:
                    continue
                self.assertEqual(self.recorded(found, when), self.scheduled(found, when), f"seed {SEED} at {when}")

    def test_what_the_journal_cannot_know(self):
        """Before it began, and in what is to come, nobody having access would be no answer."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        first = min(e["at"] for e in found.agent.curfew("history", "--json", expect=0).json)
        before = found.agent.curfew("history", "--at", at(lab.now() - DAY), "--json", expect=1)
        self.assertEqual(before.out, "")
        self.assertIn(f"the journal begins at {first}", before.err)
        coming = at(lab.now() + DAY)
        later = found.agent.curfew("history", "--at", coming, expect=1)
        self.assertEqual(later.out, "")
        self.assertIn("is in the future", later.err)
        self.assertIn(f"curfew schedule --at {coming}", later.err)
        self.recorded(found, audit_lab.instant(first.rstrip("Z")))

    def test_overrides(self):
        """What a revocation took, and what came back, stands in history although the schedule says otherwise."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], users=PEOPLE[:2])
        found.agent.apply()
        times = []
        for command in (("revoke", "acme", "acme.jane.doe"), ("reinstate", "acme", "acme.jane.doe"),
                        ("revoke", "acme"), ("reinstate", "acme")):
            times.append(lab.now())
            lab.wait_past(times[-1])
            found.agent.curfew(*command, "--reason", "a test", expect=0)
            found.agent.apply()
            lab.wait_past(lab.now())
        times.append(lab.now())
        logins = [{key[1] for key in self.recorded(found, t)} for t in times]
        both = {"acme.jane.doe", "acme.john.roe"}
        self.assertEqual(logins, [both, {"acme.john.roe"}, both, set(), both])

    def test_who_holds_more_is_never_nobody(self):
        """Shut out by the network, and a sysadmin all the same: SQL and network are two facts, and both are on record."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        found.server.sql("ALTER SERVER ROLE [sysadmin] ADD MEMBER [acme.jane.doe]")
        found.server.sql("USE [master]; DENY ALTER ANY LOGIN TO [curfew_agent]")
        found.agent.apply(expect=1)
        rows = found.agent.curfew("history", "--at", at(lab.now()), "--json", expect=0).json
        self.assertEqual([(r["login"], r["outcome"], r["sources"]) for r in rows], [("acme.jane.doe", "excess", "")])
        self.assertIn("sysadmin", rows[0]["detail"])
        said = found.agent.curfew("history", "--at", at(lab.now()), expect=0).out
        self.assertIn("excess", said)
        self.assertNotIn("nobody had access", said)
        # A spreadsheet says it too.
        self.assertIn("excess: member of", found.agent.curfew("history", "--csv", expect=0).out)

    def test_filters(self):
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], users=PEOPLE[:2])
        found.agent.apply()
        later = lab.now() + DAY
        every = found.agent.curfew("history", "--json", expect=0).json
        jane = found.agent.curfew("history", "acme", "--user", "acme.jane.doe", "--json", expect=0).json
        self.assertEqual({e["login"] for e in jane}, {"acme.jane.doe"})
        self.assertEqual(jane, [e for e in every if e["login"] == "acme.jane.doe"])
        self.assertEqual(found.agent.curfew("history", "--from", at(later), "--json", expect=0).json, [])
        self.assertEqual(found.agent.curfew("history", "--to", at(later), "--json", expect=0).json, every)
        # No command but this one took the case of a name seriously, and nobody had access to ACME.
        for more in ((), ("--at", at(lab.now()))):
            self.assertEqual(*(found.agent.curfew("history", *more, name, "--json", expect=0).json for name in ("acme", "ACME")))
        self.assertEqual({key[1] for key in self.recorded(found, lab.now(), "ACME")}, {"acme.jane.doe", "acme.john.roe"})
        self.assertIn("unknown client 'beta'", found.agent.curfew("history", "beta", "--json", expect=64).err)
        self.assertEqual({key[1] for key in self.recorded(found, lab.now(), "--user", "acme.jane.doe", "acme")},
                         {"acme.jane.doe"})

    def test_who_left_and_what_is_asked_for(self):
        """By the short name, server, database and number; a summary and CSV; a name that nothing has is an error."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], users=PEOPLE[:2])
        found.agent.apply()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], users=PEOPLE[1:2])
        found.agent.apply()
        curfew = found.agent.curfew
        former = curfew("history", "--user", "jane.doe", "--json", expect=0).json
        self.assertEqual({e["login"] for e in former}, {"acme.jane.doe"})
        self.assertEqual(curfew("history", "--user", "acme.jane.doe", "--json", expect=0).json, former)
        # By any of her names, though no file has her any more: the records say who she was.
        for option, name in (("--user", "jane.doe@acme.example"), ("--user", "Jane Doe"), ("--user", "JANE.DOE"),
                             ("--person", "jane.doe@acme.example")):
            self.assertEqual(curfew("history", option, name, "--json", expect=0).json, former, name)
        self.assertIn("no record of a user 'jane.doe'", curfew("history", "--person", "jane.doe", expect=64).err)
        access = [e["person"] for e in former if e["kind"] == "access"]
        self.assertEqual({(p["user"], p["email"], p["ticket"], p["approved_by"]) for p in access},
                         {("Jane Doe", "jane.doe@acme.example", "CS-1", "account-lead@host.example")})
        every = curfew("history", "--json", expect=0).json
        self.assertEqual(curfew("history", "--json", "--limit", "3", expect=0).json, every[-3:])
        asked = curfew("history", "--json", "--database", "acmetest", expect=0).json
        self.assertEqual([e["id"] for e in asked if e["kind"] != "outcome"],
                         [e["id"] for e in every if e["database"] == "AcmeTest" and e["kind"] != "outcome"])
        intents = {e["id"] for e in asked}
        self.assertTrue(all(e["intent"] in intents for e in asked if e["kind"] == "outcome" and not e["database"]))
        for option, name in (("--user", "bob.miller"), ("--server", "sql99"), ("--database", "Nothing")):
            refused = curfew("history", option, name, expect=64)
            self.assertIn(f"'{name}'", refused.err)
            self.assertEqual(refused.out, "")
        self.assertIn("--limit", curfew("history", "--limit", "-1", expect=64).err)
        lines = curfew("history", "--summary", "--user", "jane.doe", expect=0).out.splitlines()
        self.assertLess(len(lines), len(former))
        self.assertRegex(lines[1], r"Z +full +acme +acme\.jane\.doe +sql01 +AcmeTest")
        curfew("revoke", "acme", "--reason", "=HYPERLINK(\"x\")", expect=0)
        rows = list(csv.reader(curfew("history", "--csv", expect=0).out.splitlines()))
        self.assertEqual(rows[0], ["TIME", "WHAT", "CLIENT", "LOGIN", "SERVER", "DATABASE", "ACTOR", "REASON"])
        self.assertIn("'=HYPERLINK(\"x\")", [row[7] for row in rows if row[1] == "revoke"])
        self.assertEqual({len(row) for row in rows}, {8})

    def test_an_end_that_nobody_confirmed(self):
        """The server was down at the end: that nobody had access then is not known, and not said."""
        found = self.lab_make()
        start = lab.now().replace(minute=0, second=0)
        golive = start + 5 * DAY
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], users=PEOPLE[:1],
                         approved_on=lab.day(start - 3 * DAY), starts=lab.day(start - 2 * DAY), go_live=lab.local(golive))
        found.agent.apply(at(golive))
        end, back = golive + 14 * DAY, golive + 14 * DAY + datetime.timedelta(hours=2)
        found.server.faults(drop_prelogin=True)
        found.agent.apply(at(end), expect=1)
        found.server.faults()
        found.agent.apply(at(back))
        said = found.agent.curfew("history", "--at", at(end + datetime.timedelta(hours=1)), expect=0).out
        self.assertIn(f"past its end: acme.jane.doe on sql01 / AcmeTest, read-only until {at(end)}; "
                      f"not confirmed closed until {at(back)}", said)
        self.assertNotIn("nobody had access", said)
        # A program is told the same.
        late = ("--at", at(end + datetime.timedelta(hours=1)))
        [row] = found.agent.curfew("history", *late, "--json", expect=0).json
        self.assertEqual((row["login"], row["level"], row["until"], row["past_its_end"], row["confirmed_closed"]),
                         ("acme.jane.doe", "read-only", at(end), True, at(back)))
        [row] = csv.DictReader(found.agent.curfew("history", *late, "--csv", expect=0).out.splitlines())
        self.assertEqual((row["LOGIN"], row["PAST ITS END"], row["CONFIRMED CLOSED"]), ("acme.jane.doe", "yes", at(back)))
        [row] = found.agent.curfew("history", "--at", at(end - datetime.timedelta(hours=1)), "--json", expect=0).json
        self.assertEqual((row["past_its_end"], row["confirmed_closed"]), (False, None))
        self.assertEqual(found.agent.curfew("history", "--at", at(back), "--json", expect=0).json, [])
        # Nothing has an `until` that gives no access.
        self.assertEqual({e["until"] for e in found.agent.curfew("history", "--json", expect=0).json if e["level"] == "none"}, {None})
        # Who has left the files is still in the journal, and the answer is the same.
        known = [found.agent.curfew("history", *late, *more, "--json", expect=0).json for more in ((), ("acme",), ("--server", "sql01"))]
        self.assertEqual(known, known[:1] * 3)
        clients, servers = dict(found.agent.clients), dict(found.agent.servers)
        found.agent.clients.clear()
        found.agent.servers["sql02"] = {**found.agent.servers.pop("sql01"), "name": "sql02"}
        found.agent.write()
        self.assertEqual([found.agent.curfew("history", *late, *more, "--json", expect=0).json
                          for more in ((), ("acme",), ("--server", "sql01"))], known)
        for more in (("acme",), ("--server", "sql01"), ("--database", "AcmeTest")):
            asked = found.agent.curfew("history", "--from", at(back + DAY), *more, "--json", expect=0)
            self.assertEqual(asked.json, [], more)
        found.agent.curfew("history", "--server", "sql99", expect=64)
        found.agent.clients.update(clients)
        found.agent.servers = servers
        found.agent.write()
        for when in (end - datetime.timedelta(hours=1), back):
            said = found.agent.curfew("history", "--at", at(when), expect=0).out
            self.assertNotIn("past its end", said)
        self.assertIn("nobody had access", said)

    def test_an_end_that_was_seen_not_to_be(self):
        """A pass that finds the login still there after its end closed nothing, and the auditor is told the same."""
        found = self.lab_make()
        start = lab.now().replace(minute=0, second=0)
        golive = start - 20 * DAY
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], users=PEOPLE[:1],
                         approved_on=lab.day(golive - 9 * DAY), starts=lab.day(golive - 8 * DAY), go_live=lab.local(golive))
        found.agent.apply(at(golive - 5 * DAY))
        found.server.faults(fail_on=[["DROP MEMBER|DROP USER|DROP LOGIN", 15434]])
        found.agent.apply(at(golive), expect=1)
        found.agent.apply(at(golive + DAY), expect=1)
        found.server.faults()
        found.agent.apply(at(golive + 3 * DAY))
        hour = datetime.timedelta(hours=1)
        said = found.agent.curfew("history", "--at", at(golive + hour), expect=0).out
        self.assertIn(f"full until {at(golive)}; not confirmed closed until {at(golive + 3 * DAY)}", said)
        self.assertNotIn("past its end", found.agent.curfew("history", "--at", at(golive + 4 * DAY), expect=0).out)
        rows = found.agent.curfew("audit", "--from", lab.day(golive - 10 * DAY), "--json", expect=2).json["rows"]
        self.assertEqual([(r["level"], r["outcome"], r["due"], r["ended"], r["late_seconds"]) for r in rows[:1]],
                         [("full", "excess", at(golive), at(golive + 3 * DAY), 3 * 86400)])

    def test_archive_is_read(self):
        """An archive answers like the journal, and is not touched by it."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], users=PEOPLE[:1])
        found.agent.apply()
        before = found.agent.curfew("history", "acme", "--json", expect=0).json
        lab.wait_past(lab.now())
        archive = found.path("old.db")
        found.agent.curfew("archive", archive, "--to", at(lab.now()), "--reason", "a test", expect=0)
        with open(archive, "rb") as file:
            content = file.read()
        os.chmod(archive, 0o444)
        kept = found.agent.curfew("history", "acme", "--journal", archive, "--json", expect=0).json
        self.assertEqual(kept, before[:len(kept)])
        self.assertGreater(len(kept), 3)
        found.agent.curfew("history", "verify", "--journal", archive, expect=0)
        # What is in the archive alone is not left out in silence, nor is its absence here an unknown name.
        for more in (("acme",), ("--user", "jane.doe")):
            self.assertIn(f"the last of them are in {archive}", found.agent.curfew("history", *more, expect=0).err)
        self.assertNotIn(archive, found.agent.curfew("history", "--from", at(lab.now()), expect=0).err)
        # Whom neither the journal nor the files know is an error as without an archive, and the archive is named.
        for unknown in (("--person", "bob@acme.example"), ("--user", "bob"), ("acne",), ("--server", "sql99"),
                        ("acme", "--database", "AcmeTets")):
            said = found.agent.curfew("history", *unknown, expect=64).err
            self.assertIn("were archived", said)
            self.assertIn(f"the last of those are in {archive}: use --journal FILE", said)
        # An instant of the archive's is looked up there, through the journal that names it.
        when = max(e["at"] for e in before if e["kind"] == "access")
        rows = found.agent.curfew("history", "--at", when, "--json", expect=0).json
        self.assertEqual([r["login"] for r in rows], ["acme.jane.doe"])
        with open(archive, "rb") as file:
            self.assertEqual(file.read(), content)

    def test_tampering(self):
        """Every column of every kind of record; a record gone, one added, the last one cut off."""
        found = self.lab_make()
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        found.agent.apply()
        self.assertTrue(found.agent.curfew("history", "verify", "--json", expect=0).json["intact"])
        path = found.agent.path("state", "journal.db")
        with open(path, "rb") as file:
            good = file.read()
        with sqlite3.connect(path) as db:
            table = "record"
            columns = {c[1]: c[2] for c in db.execute(f"PRAGMA table_info({table})")}
            rows = [r[0] for r in db.execute(f"SELECT id FROM {table}")]
        db.close()

        def verified(sql, *values):
            """What verify says after a change by somebody who knows how to get round the triggers."""
            with open(path, "wb") as file:
                file.write(good)
            db = sqlite3.connect(path)
            triggers = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            db.execute("PRAGMA ignore_check_constraints = ON")
            for name, _ in triggers:
                db.execute(f"DROP TRIGGER {name}")
            changed = db.execute(sql, values).rowcount
            for _, text in triggers:
                db.execute(text)
            db.commit()
            db.close()
            self.assertGreater(changed, 0, sql)
            return found.agent.curfew("history", "verify", "--json")

        middle = rows[len(rows) // 2]
        other = {"INTEGER": "COALESCE({0}, 0) + 1", "BLOB": "zeroblob(32)", "TEXT": "COALESCE({0}, '') || 'x'"}
        for column in columns:
            if column == "id":
                continue
            with self.subTest(column=column):
                value = "'event'" if column == "kind" else other[columns[column]].format(column)
                result = verified(f"UPDATE {table} SET {column} = {value} WHERE id = ?", middle)
                self.assertEqual(result.code, 2, str(result))
                self.assertFalse(result.json["intact"])
                self.assertEqual(result.json["first_broken"], middle, str(result))
        for name, sql, broken in (
                ("deleted", f"DELETE FROM {table} WHERE id = ?", middle + 1),
                ("renumbered", f"UPDATE {table} SET id = id + 1000000 WHERE id = ?", middle + 1)):
            with self.subTest(name):
                result = verified(sql, middle)
                self.assertEqual((result.code, result.json["intact"]), (2, False), str(result))
                self.assertIn(result.json["first_broken"], (middle, broken), str(result))
        # What is cut off at the end leaves a whole chain: the head in the system log tells.
        with self.subTest("cut off"):
            head = verified(f"UPDATE {table} SET id = id WHERE id = ?", middle).json
            shorter = verified(f"DELETE FROM {table} WHERE id = ?", rows[-1])
            self.assertTrue(shorter.code == 2 or shorter.json["head"] != head["head"], str(shorter))


if __name__ == "__main__":
    unittest.main()
