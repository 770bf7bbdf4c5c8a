#!/usr/bin/python3
"""What a client's user with full access can do on a real server, done, and what Curfew makes of it.

Every case has a database and a user of its own on one practice server, and all cases go through one life together: what
lies there before, access as full, the attack in the user's own session by an independent client, go-live, audit, the end.
Judge is the server itself, asked by its sysadmin; what Curfew says is believed only where the case is about what it says.
"""

import os
import sys
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), folder) for folder in ("", os.path.join("..", "system"))]

import lab  # noqa: E402  (the path above makes it importable)
import test_alone  # noqa: E402
from attack_cases import CASES  # noqa: E402
from attack_life import Life  # noqa: E402

SEVERITIES = ("info", "low", "medium", "high", "critical")


LIFE = None


def setUpModule():
    global LIFE  # one life for all tests
    lab.require()
    LIFE = Life()
    try:
        LIFE.run()
    except BaseException:
        LIFE.close()
        raise


def tearDownModule():
    faults = LIFE.close()
    if faults:
        raise AssertionError(f"practice server's own faults: {faults}")


class Attacks(unittest.TestCase):
    maxDiff = None

    def test_the_table_is_whole(self):
        """Every case of the threat model is made."""
        alone = {name[len("test_"):][:2] for name in dir(test_alone.Alone) if name.startswith("test_")}
        made = {c.number[:2] for c in CASES} | alone
        self.assertEqual(sorted(made), [f"{n:02}" for n in range(1, 56)])

    def test_what_is_left_under_another_name_is_named(self):
        """Case 32b: neither taken for somebody else's login, nor for gone."""
        self.assertRegex(LIFE.end_result.out, r"overdue: c32b.jane.doe on Case32b: .*renamed to \[strong\]")


def case_attack(case):
    def test(self):
        seen = LIFE.seen[case.number]
        self.assertTrue(seen["entered"].ok, str(seen["entered"]))
        for number, answer in enumerate(seen["answers"]):
            if case.refused and number == len(case.attack) - 1:
                self.assertIn(answer.number, case.refused, str(answer))
            else:
                self.assertTrue(answer.ok, str(answer))
        for found, rows in seen["worked"]:
            self.assertEqual(found, [[case.text(v) if isinstance(v, str) else v for v in row] for row in rows])
    return test


def case_golive(case):
    def test(self):
        found = LIFE.seen[case.number]["golive"]
        self.assertEqual(found["sessions"], 0, found)
        if case.login != "any":
            self.assertEqual(found["login"] and found["login"][1], int(case.login == "disabled"), found)
        if case.role:
            self.assertEqual((found["roles"], found["held"], found["changes"]), (["curfew_read_only"], [], [[0, 0, 0]]))
        for rows, wanted in found.get("queries", ()):
            self.assertEqual(rows, wanted)
        if case.golive:
            self.assertNotIn("closed", found)
    return test


def case_audit(case):
    def test(self):
        told = [f for f in LIFE.audit["findings"] if f["database"] == case.db or f["login"] == case.user
                or case.db in f["evidence"]]
        for name, severity, evidence in case.finds:
            fitting = [f for f in told if name in (f["name"], *f["also"]) and case.text(evidence) in f["evidence"]]
            self.assertTrue(fitting, f"{name} with “{case.text(evidence)}” in {told}")
            self.assertGreaterEqual(SEVERITIES.index(fitting[0]["severity"]), SEVERITIES.index(severity), fitting)
    return test


def case_removed(case):
    def test(self):
        found = LIFE.seen[case.number]["removed"]
        self.assertEqual(found["sessions"], 0, found)
        if case.gone:
            self.assertIsNone(found["login"])
            self.assertNotIn("closed", found)
            self.assertEqual((found["roles"], found["held"]), ([], []))
            if not case.user_stays:
                self.assertFalse(found["user"])
        elif case.login == "disabled" and found["login"]:
            self.assertEqual(found["login"][1], 1, "what cannot be taken away stays shut")
        for rows, wanted in found.get("queries", ()):
            self.assertEqual(rows, wanted)
    return test


for _case in CASES:
    for _stage, _make in (("attack", case_attack), ("golive", case_golive), ("audit", case_audit), ("removed", case_removed)):
        if _stage == "audit" and not _case.finds:
            continue
        _test = _make(_case)
        _test.__doc__ = f"{_case.number} {_stage}: {_case.title}"
        setattr(Attacks, f"test_{_case.number}_{_stage}", _test)

if __name__ == "__main__":
    unittest.main()
