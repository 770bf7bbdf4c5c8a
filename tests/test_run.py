"""What tests/run reads out of a program's output: nothing that failed or was skipped may count as passed."""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import sys
import tempfile
import unittest
from unittest import mock

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run")
sys.path.insert(0, os.path.dirname(PATH))
import jobs  # noqa: E402  (beside it)
import results  # noqa: E402

LOADER = importlib.machinery.SourceFileLoader("run", PATH)
run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", LOADER))
LOADER.exec_module(run)


def counts(text, code=0):
    r = results.result_read(text, code)
    return r.passed, r.failed, r.skipped


class ResultRead(unittest.TestCase):
    def test_cmocka(self):
        self.assertEqual(counts("[==========] tests: Running 3 test(s).\n"
                                "[  PASSED  ] tests: 2 test(s).\n[  SKIPPED ] tests: 1 test(s), listed below:\n"),
                         (2, 0, 1))

    def test_cmocka_that_never_ended(self):
        self.assertEqual(counts("[==========] tests: Running 3 test(s).\n", -11), (0, 3, 0))

    def test_cmocka_as_tap(self):
        self.assertEqual(counts("1..3\nok 1 - test_a\n# SKIPPED: no owners here\n"
                                "not ok 2 # SKIP test_b\nnot ok 3 - test_c\n", 1), (1, 1, 1))

    def test_reasons_are_kept(self):
        self.assertEqual(results.result_read("# SKIPPED: no owners here\nnot ok 2 # SKIP test_b\nskip - x: why\n", 0).reasons,
                         ["no owners here", "test_b", "x: why"])

    def test_notes(self):
        r = results.result_read("Ran 1 test in 1.0s\n\nOK\nnote - 5 of them\n", 0)
        self.assertEqual((r.passed, r.failed, r.notes), (1, 0, ["5 of them"]))

    def test_unittest(self):
        self.assertEqual(counts("Ran 5 tests in 1.0s\n\nFAILED (failures=1, errors=1, skipped=1)\n", 1), (2, 2, 1))

    def test_unittest_whose_import_failed(self):
        self.assertEqual(counts("Ran 0 tests in 0.0s\n\nFAILED (errors=1)\n", 1), (0, 1, 0))

    def test_lines(self):
        self.assertEqual(counts("ok - one\nnot ok - two\nskip - three: no kernel\n", 1), (1, 1, 1))

    def test_a_bad_exit_is_a_failure(self):
        self.assertEqual(counts("ok - one\n", 1), (1, 1, 0))


def shell(line, **more):
    return jobs.Job(line, ["sh", "-c", line], **more)


def broken():
    raise OSError("not to be had")


class Lanes(unittest.TestCase):
    """What goes wrong beside a test is a failure of its part, and takes no other part with it."""

    def lanes(self, parts):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as self.out, \
                mock.patch.object(jobs, "LOGS", folder), mock.patch.multiple(run, PARTS=parts, WAITING=("waits",), AGAIN=("waits",), APART={}):
            found = run.lanes_run([*parts], True)
            with open(jobs.times_path(), encoding="utf-8") as times:
                self.times = [line.split(maxsplit=2) for line in times]
        return {name: (r.passed, r.failed, r.skipped) for name, r in found.items()}

    def test_side_by_side(self):
        self.assertEqual(self.lanes({"first": lambda: [shell("echo ok - a"), shell("echo not ok - b; exit 1")],
                                     "waits": lambda: [shell("echo skip - c: why")],
                                     "last": lambda: [shell("echo ok - d")]}),
                         {"first": (1, 1, 0), "waits": (0, 0, 1), "last": (1, 0, 0)})

    def test_what_each_took(self):
        self.lanes({"first": lambda: [shell("i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; echo ok - a")]})
        [[seconds, cpu, name]] = self.times
        self.assertTrue(name.startswith("first i=0"), name)
        self.assertTrue(float(seconds) >= 0 and float(cpu) > 0, self.times)

    def test_what_is_no_test(self):
        self.assertEqual(self.lanes({"build": lambda: [shell("exit 1", counts=False), shell("echo ok - a")],
                                     "list": broken, "none": lambda: [], "waits": broken,
                                     "silent": lambda: [shell("true")],
                                     "hangs": lambda: [shell("sleep 600", deadline=0.1)],
                                     "missing": lambda: [jobs.Job("x", ["/nowhere"])],
                                     "good": lambda: [shell("true", counts=False), shell("echo ok - a")]}),
                         {"build": (0, 1, 0), "list": (0, 1, 0), "none": (0, 1, 0), "waits": (0, 1, 0),
                          "silent": (0, 1, 0), "hangs": (0, 1, 0), "missing": (0, 1, 0), "good": (1, 0, 0)})
        self.assertIn("not to be had", self.out.getvalue())

    def test_what_passes_by_itself_is_named_as_unsteady(self):
        with tempfile.TemporaryDirectory() as folder:
            first = f"{folder}/ran"
            once = f"if test -e {first}; then echo ok - a; echo ok - b; else touch {first}; echo ok - a; echo not ok - b; exit 1; fi"
            self.assertEqual(self.lanes({"waits": lambda: [shell(once), shell("echo ok - c")]}), {"waits": (3, 0, 0)})
        self.assertIn("UNSTEADY", self.out.getvalue())
        self.assertIn("not ok - b", self.out.getvalue())

    @staticmethod
    def turns(folder, words):
        """Passes ("y") and fails ("n") in this order."""
        return shell(f"n=$(cat {folder}/n 2>/dev/null || echo 1); echo $((n + 1)) >{folder}/n; "
                     f"if test \"$(echo {words} | cut -c$n)\" = y; then echo ok - a; else echo not ok - a; exit 1; fi")

    def test_two_of_three_decide(self):
        for words, passed in (("nyy", True), ("nyny", True), ("nnyy", True), ("nnn", False), ("nynn", False), ("nnyn", False)):
            with self.subTest(words), tempfile.TemporaryDirectory() as folder:
                self.assertEqual(self.lanes({"waits": lambda: [self.turns(folder, words)]}), {"waits": (int(passed), int(not passed), 0)})
                with open(f"{folder}/n", encoding="ascii") as count:
                    self.assertEqual(int(count.read()) - 1, len(words))
                self.assertEqual("UNSTEADY" in self.out.getvalue(), passed)

    def test_many_are_no_chance(self):
        with tempfile.TemporaryDirectory() as folder:
            def jobs():
                return [shell(f"test -e {folder}/{n} && echo ok - a || {{ touch {folder}/{n}; echo not ok - a; exit 1; }}")
                        for n in range(run.MOST_UNSTEADY + 1)]
            self.assertEqual(self.lanes({"waits": jobs}), {"waits": (0, run.MOST_UNSTEADY + 1, 0)})

    def test_what_a_random_case_found_is_no_race(self):
        with tempfile.TemporaryDirectory() as folder:
            once = f"echo CURFEW_SEED=7; test -e {folder}/ran && echo ok - a || {{ touch {folder}/ran; echo not ok - a; exit 1; }}"
            self.assertEqual(self.lanes({"waits": lambda: [shell(once)]}), {"waits": (0, 1, 0)})

    def test_a_part_that_does_not_wait_is_not_run_again(self):
        with tempfile.TemporaryDirectory() as folder:
            once = f"test -e {folder}/ran && echo ok - a || {{ touch {folder}/ran; echo not ok - a; exit 1; }}"
            self.assertEqual(self.lanes({"lint": lambda: [shell(once)]}), {"lint": (0, 1, 0)})


class Usage(unittest.TestCase):
    def test_help_names_every_part_and_runs_none(self):
        with contextlib.redirect_stdout(io.StringIO()) as out, mock.patch.object(run, "lanes_run") as lanes:
            self.assertEqual([run.main(["--help"]), run.main(["unit", "-h"])], [0, 0])
        lanes.assert_not_called()
        self.assertLessEqual({*run.PARTS, *run.APART}, set(out.getvalue().split()))

    def test_an_unknown_part_is_an_error(self):
        with contextlib.redirect_stderr(io.StringIO()) as out:
            self.assertEqual(run.main(["unti"]), 64)
        self.assertIn("no part unti", out.getvalue())


if __name__ == "__main__":
    unittest.main()
