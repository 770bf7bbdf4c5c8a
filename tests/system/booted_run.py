"""Runs the checks on the booted machine in their order, and says how each went."""

import os
import subprocess
import sys
import time
import traceback

import booted_lab
import booted_machine
from booted_asserts import log_keep
from booted_checks import Booted
from booted_lab import PASSWORD


def prepare(lab):
    """A DBA's part: runs what bootstrap prints, with the password where it belongs."""
    text = lab.machine.run("curfew", "bootstrap", "sql01").out
    lab.practice.script(text.replace("<the password, as N'...'>", f"N'{PASSWORD}'"))
    lab.machine.run("systemctl", "restart", "curfew.service")


def checks_run(lab, counts):
    booted = Booted(lab)
    booted.verdict = lab.boot()
    prepare(lab)
    for name, check in booted.CHECKS:
        try:
            check(booted)
        except (AssertionError, OSError, KeyError, ValueError, TypeError, subprocess.SubprocessError) as error:
            counts["failed"] += 1
            print(f"not ok - {name}: {error}", flush=True)
            if not isinstance(error, AssertionError):
                traceback.print_exc(file=sys.stdout)
        else:
            counts["passed"] += 1
            print(f"ok - {name}", flush=True)


def main(group_name, program, base, folder):
    start, counts, lab = time.monotonic(), {"passed": 0, "failed": 0}, None
    group = booted_machine.ControlGroup(group_name)
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        lab = booted_lab.Lab(program, base, folder)
        checks_run(lab, counts)
    except Exception as error:  # pylint: disable=broad-except
        counts["failed"] += 1
        traceback.print_exc(file=sys.stdout)
        print(f"not ok - booted: {error}", flush=True)
    finally:
        if counts["failed"] and lab and lab.machine.leader:
            log_keep(lab.machine, os.path.join(folder, "journal.txt"))
        faults = lab.close() if lab else []
        group.close()
    if faults:
        counts["failed"] += 1
        print(f"not ok - the practice server made no mistake of its own: {faults}")
    print(f"# {time.monotonic() - start:.0f} s")
    print(f"{counts['passed']} passed, {counts['failed']} failed, 0 skipped")
    return 1 if counts["failed"] else 0
