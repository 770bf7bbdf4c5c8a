"""What the checks on a booted machine assert, wait for, and keep."""

import time

import booted_machine

WAIT = 15


def equal(found, wanted, what):
    if found != wanted:
        raise AssertionError(f"{what}: {found!r} instead of {wanted!r}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def wait(condition, what, seconds=WAIT):
    """Waits for a thing to become true and returns it; a bound against hanging, not a measurement."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.1)


def log_keep(machine, path):
    """What the machine's units said, for who looks for the reason."""
    booted_machine.write(path, machine.run("journalctl", "--no-pager", "-o", "short-monotonic", check=False).out)
    print(f"# the machine's log: {path}")
