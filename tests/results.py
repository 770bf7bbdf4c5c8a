"""What the output of a test program says: how many tests passed, failed, or were skipped, and why."""
import re


class Result:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped, self.unsteady = passed, failed, skipped, 0
        self.reasons, self.notes = [], []

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.unsteady += other.unsteady
        self.reasons += other.reasons

    def passed_after_all(self, failure, later):
        """What `failure` counted for is as `later` found it."""
        self.passed += later.passed - failure.passed
        self.failed -= failure.failed
        self.skipped += later.skipped - failure.skipped
        self.unsteady += 1

    def text(self):
        unsteady = f", {self.unsteady} UNSTEADY" if self.unsteady else ""
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped{unsteady}"


def numbers(pattern, text):
    return sum(int(n) for n in re.findall(pattern, text, re.M))


def result_read(text, code):
    """What a program's output says; what it announced and did not finish has failed."""
    r = Result()
    announced = numbers(r"^\[=+\] (?:.*: )?Running (\d+) test", text)
    r.passed = numbers(r"^\[  PASSED  \] (?:.*: )?(\d+) test", text)
    r.failed = numbers(r"^\[  FAILED  \] (?:.*: )?(\d+) test", text)
    r.skipped = numbers(r"^\[  SKIPPED \] (?:.*: )?(\d+) test", text)
    r.failed += max(0, announced - r.passed - r.failed - r.skipped)

    for ran, verdict, detail in re.findall(
            r"^Ran (\d+) tests? in [^\n]*\n+(OK|FAILED)(?: \(([^)]*)\))?", text, re.M):
        kinds = dict(re.findall(r"([a-z ]+)=(\d+)", detail))
        kinds = {k.strip(): int(v) for k, v in kinds.items()}
        failed = kinds.get("failures", 0) + kinds.get("errors", 0) + kinds.get("unexpected successes", 0)
        skipped = kinds.get("skipped", 0)
        # An error outside a test (an import, setUpClass) is counted by no "Ran".
        r.passed += max(0, int(ran) - failed - skipped)
        r.failed += max(failed, verdict == "FAILED")
        r.skipped += skipped

    r.passed += len(re.findall(r"^ok\b(?!.*# SKIP)", text, re.M))
    # cmocka says "not ok N # SKIP NAME" of what it skipped.
    r.failed += len(re.findall(r"^not ok\b(?!.*# SKIP)", text, re.M))
    r.skipped += len(re.findall(r"^(?:skip - |(?:not )?ok\b.*# SKIP)", text, re.M))
    r.reasons = re.findall(r"(?:SKIPPED: |# SKIP |^skip - |\.\.\. skipped )(.*)", text, re.M)
    r.notes = re.findall(r"^note - (.*)", text, re.M)
    if code != 0 and not r.failed:
        r.failed = 1
    return r
