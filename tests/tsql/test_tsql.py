#!/usr/bin/python3
"""Every T-SQL statement that the program sends, prints or proposes, before judges that are not ours.

Tests of all parts have written down what they saw (wire/corpus.py). Microsoft.SqlServer.TransactSql.ScriptDom, SQL Server's own
parser, reads each at every language level that Curfew promises, and a rule on its tree lets no statement name anything that
a database's owner could have put in the place of what is meant. What stands in the sources and was never seen is a fault too.
"""

import json
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE), os.path.join(HERE, "..", "practice")]

import literals  # noqa: E402  (the path above makes them importable)
import packages  # noqa: E402
from wire import corpus  # noqa: E402

LEVELS = ("130", "140", "150", "160")
FOLDER = os.environ.get("CURFEW_CORPUS") or os.path.join(packages.TOP, "build", "corpus")


class Judge:
    """The parser's program; `verdicts` are what it found wrong, `counts` what it read."""

    def __init__(self, command, batches):
        done = subprocess.run(command, input="".join(json.dumps(batch) + "\n" for batch in batches), check=True,
                              text=True, stdout=subprocess.PIPE)
        *self.verdicts, self.counts = [json.loads(line) for line in done.stdout.splitlines()]


class Statements(unittest.TestCase):
    note = None

    @classmethod
    def setUpClass(cls):
        cls.batches = corpus.read(FOLDER)

    @classmethod
    def tearDownClass(cls):
        if cls.note:
            print(f"note - {cls.note}", file=sys.stderr)

    def judge(self, batches):
        try:
            return Judge(packages.dotnet_program("tsql/judge"), batches)
        except packages.Unavailable as why:
            self.skipTest(str(why))

    def test_parser(self):
        if not self.batches:
            self.skipTest("no test has recorded a statement: run `make check`, or parts of it, before")
        judge = self.judge(self.batches)
        for verdict in judge.verdicts:
            with self.subTest(level=verdict["level"], error=verdict["error"]):
                self.fail(verdict["text"])
        counts = judge.counts
        self.assertEqual(counts["parsed"], dict.fromkeys(LEVELS, counts["templates"]))
        type(self).note = (f"{counts['templates']} templates of {len(self.batches)} batches; statements: " +
                           ", ".join(f"{counts['statements'][level]} at level {level}" for level in LEVELS))

    def test_judge_refuses(self):
        """The judge can say no: to what does not parse, at which level, and to each kind of name."""
        wrong = {"SELECT FROM sys.objects": "46010", "EXEC sp_who": "sp_who is neither", "SELECT 1 FROM dbo.t": "dbo.t is neither",
                 "SELECT 1 FROM objects": "objects is neither", "SELECT dbo.f()": "dbo is not quoted", "USE x": "x is not quoted",
                 "SELECT 1 FROM srv.db.sys.objects": "srv.db.sys.objects is neither", "DROP USER x": "x is not quoted",
                 "SELECT 1 FROM [objects]": "objects is neither", "ALTER LOGIN x DISABLE": "x is not quoted",
                 "GRANT SELECT ON SCHEMA::x TO [y]": "x is not quoted", "GRANT SELECT TO x": "x is not quoted",
                 "ALTER ROLE [r] ADD MEMBER x": "x is not quoted", "DROP TABLE [t]": "t is neither",
                 "DECLARE @t dbo.own; SELECT 1": "dbo.own is neither", "CREATE USER [x] FOR LOGIN y": "y is not quoted"}
        judge = self.judge(list(wrong))
        for text, words in wrong.items():
            self.assertTrue(any(words in v["error"] for v in judge.verdicts if v["text"] == text), (text, judge.verdicts))
        right = ["SELECT o.name FROM sys.objects AS o", "EXEC [d].sys.sp_executesql N'x'", "SELECT 1 FROM msdb.dbo.sysjobs AS j",
                 "WITH x AS (SELECT 1 AS a) SELECT a FROM x", "DROP PROCEDURE [s].[p]", "DECLARE @n sysname = N'x'; SELECT @n",
                 "SELECT 1 FROM master.sys.databases AS d WHERE d.name COLLATE Latin1_General_BIN2 = N'x'"]
        self.assertEqual(self.judge(right).verdicts, [])

    def test_nothing_was_left_out(self):
        """Each literal of T-SQL in the sources stands in a statement that a test has seen."""
        if not os.environ.get("CURFEW_CORPUS_WHOLE"):
            self.skipTest("only a run of all parts (`make check`) records all")
        found = literals.statements(literals.compiler())
        self.assertGreater(len(found), 50)
        for text, place in sorted(literals.missing(found, self.batches).items(), key=lambda item: item[1]):
            with self.subTest(place=place):
                self.fail(f"no test has recorded: {text}")

    def test_literals_that_were_not_seen_are_noticed(self):
        wanted = {" WITH GRANT OPTION": "a", "GRANT %s TO ": "b", "DROP\n  USER %zu": "c", "KILL %u": "d"}
        self.assertEqual(literals.missing(wanted, ["GRANT SELECT TO [x];", "DROP USER 5"]),
                         {" WITH GRANT OPTION": "a", "KILL %u": "d"})
        for text, verdict in ((" CASCADE", True), ("USE ", True), ("cannot SET this", False), ("EXECUTE for public", False),
                              ("REVOKE", True), ("the login", False), ("BEGIN:VEVENT", False), ("N'x' AS", False)):
            self.assertEqual(literals.is_statement(text), verdict, text)


if __name__ == "__main__":
    unittest.main()
