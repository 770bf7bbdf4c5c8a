"""Running one test program, with its whole output in a log, and what is printed of the parts that they belong to."""
import contextlib
import functools
import os
import re
import signal
import subprocess
import threading
import time

from results import Result, result_read

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOGS = "build/logs"
# Where tests of all parts keep the T-SQL that they saw, for the part tsql.
CORPUS = "build/corpus"
# Beyond it a program counts as failed: it hangs.
DEADLINE = int(os.environ.get("TEST_DEADLINE", "1800"))
TAIL = 40


class Job:
    """One program; `counts` is False for a build, which is worth a line only when it fails."""

    def __init__(self, name, command, counts=True, env=None, whole=False, deadline=DEADLINE):
        self.name, self.command, self.counts = name, command, counts
        self.env, self.whole, self.deadline = env or {}, whole, deadline


def times_path():
    """Where stands what each program took: seconds, and seconds of CPU, its own and of what it waited for."""
    return f"{LOGS}/times"


@functools.cache
def scratch():
    """Scratch folders in memory, where there is room: what a disk makes of fsync() takes minutes, and is not what is tested."""
    memory = "/dev/shm"
    try:
        there = os.statvfs(memory)
    except OSError:
        return {}
    fit = not there.f_flag & (os.ST_NOEXEC | os.ST_RDONLY) and there.f_bavail * there.f_frsize >= 1 << 30
    return {"TMPDIR": memory} if fit and os.path.ismount(memory) and os.access(memory, os.W_OK) else {}


def ended(process, deadline):
    """Waits for a program and ends it at the deadline, with all that it started; its exit code, its CPU seconds, whether it ended."""
    late = threading.Event()

    def end():
        late.set()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    guard = threading.Timer(deadline, end)
    guard.start()
    try:
        _, status, used = os.wait4(process.pid, 0)
    finally:
        guard.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime, not late.is_set()


def job_run(job, part, kindly=False):
    path = f"{LOGS}/{part}-{re.sub('[^A-Za-z0-9_.-]+', '-', job.name)}.log"
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    env.update({**scratch(), "CURFEW_CORPUS": os.path.join(TOP, CORPUS), **job.env})
    note, command = "", (["nice", "-n", "5"] if kindly else []) + job.command
    start, cpu = time.monotonic(), 0
    with open(path, "w", encoding="utf-8") as log:
        print("$", " ".join(job.command), file=log, flush=True)
        try:
            # A group of its own, so that what hangs ends with all that it started.
            process = subprocess.Popen(command, cwd=TOP, env=env, stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
            code, cpu, in_time = ended(process, job.deadline)
            note = "" if in_time else f"stopped after {job.deadline} s"
        except OSError as e:
            code, note = 127, str(e)
        if code < 0 and not note:
            note = f"ended by {signal.Signals(-code).name}"
        if note:
            print(note, file=log)
    with open(times_path(), "a", encoding="utf-8") as times:
        print(f"{time.monotonic() - start:7.1f} {cpu:7.1f}  {part} {job.name}", file=times)
    with open(path, encoding="utf-8", errors="replace") as log:
        text = log.read()
    if job.whole:
        result = Result(passed=code == 0, failed=code != 0)
    else:
        result = result_read(text, code)
        if not job.counts:
            result = Result(failed=result.failed if code else 0)
        elif not (result.passed or result.failed or result.skipped):
            result.failed, note = 1, "it ran no test"
    return job, result, path, note, text


class PartRun:
    """One part of a run: what it prints is held back until it is over, so that parts side by side can be read."""

    def __init__(self, name):
        self.name, self.total, self.left, self.start = name, Result(), 0, time.monotonic()
        self.lines, self.failures = [f"== {name}"], []

    def failed(self, job, path, note, text):
        self.lines.append(f"  FAILED {job.name}{': ' + note if note else ''}; whole log: {path}")
        self.lines += ["  | " + line for line in text.splitlines()[-TAIL:]]

    def take(self, job, result, path, note, text):
        self.total.add(result)
        if result.failed:
            self.failed(job, path, note, text)
            # What a random case has found is no race: its seed stands in the log.
            if "CURFEW_SEED=" not in text:
                self.failures.append((job, result))
        self.lines += [f"  skipped {job.name}: {reason}" for reason in sorted(set(result.reasons))]
        self.lines += [f"  {job.name}: {note}" for note in result.notes]

    def broken(self, error):
        self.lines.append(f"  FAILED: {error!r}")
        self.total.failed += 1

    def end(self):
        if not (self.total.passed or self.total.failed or self.total.skipped):
            self.lines.append("  FAILED: this part ran no test")
            self.total.failed = 1
        self.lines.append(f"   {self.name}: {self.total.text()} ({time.monotonic() - self.start:.0f} s)")
        print("\n".join(self.lines), flush=True)
