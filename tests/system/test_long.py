#!/usr/bin/python3
"""A long run of the service with all kinds of trouble at once: no leaks, and constant memory.

Three times: as installed, with sanitizers, with valgrind. CURFEW_LONG_SECONDS sets how long each takes.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from agent import CURFEW  # noqa: E402
from case import LabCase  # noqa: E402
from lab import days  # noqa: E402
from practice import ROOT  # noqa: E402

SECONDS = int(os.environ.get("CURFEW_LONG_SECONDS", "30"))
SANITIZED = os.path.abspath(os.environ.get("CURFEW_SANITIZED", os.path.join(ROOT, "build", "clang-sanitize")))
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "long_service.c")
STARTS, ENDS = 120, 120
# A busy machine does less in that time: then it goes on, unless it hangs, until each third of the run has met each trouble.
# What happens for the first time is remembered by some library, which is not a leak.
THIRDS, PASSES, HANGS = 3, 12, 600
# Caches of an allocator come and go; what leaks at each of some hundred passes is far more than this.
GROWTH_KB = 512
# valgrind keeps what it translated of each piece of code that ran for the first time, late in the run, too. Small leaks
# it names by itself.
VALGRIND_GROWTH_KB = 8 * GROWTH_KB
# SQLite keeps what it has read of the journal, which grows, up to 2,000 kB and a little for each page.
CACHE_KB, CACHE_SHARE = 2000, 1.3
# libconfig loses a few bytes at some syntax errors, which are part of the run.
SUPPRESSED = {"lsan": "leak:libconfig.so\n",
              "valgrind": "{\n libconfig\n Memcheck:Leak\n ...\n obj:*libconfig.so*\n}\n"}


def setUpModule():
    lab.require()


def resident(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    raise AssertionError(f"process {pid} is gone")


def middle(values):
    return sorted(values)[len(values) // 2]


class LongRun(LabCase):
    def setUp(self):
        self.found = self.lab_make(limits={"interval": 10, "connect_timeout": 2, "server_deadline": 60})
        self.agent = self.found.agent
        self.agent.settings["metrics_file"] = self.agent.path("state", "curfew.prom")
        self.golive = lab.now() + days(20)
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("production", "sql01", "AcmeProd")],
                              **self.dates(self.golive))
        self.file = self.agent.path("clients.d", "client0.conf")
        with open(self.file, encoding="utf-8") as file:
            self.good = file.read()

    def program(self, build, *more):
        """The service without its confinement, over the library of a build."""
        target = os.path.join(build, "libcurfew.a")
        if not os.path.exists(target):
            subprocess.run(["make", "-s", "-C", ROOT, f"BUILD={os.path.relpath(build, ROOT)}", target[len(ROOT) + 1:],
                            *(["SANITIZE=1", "CC=clang"] if more else [])], check=True, stdout=subprocess.DEVNULL)
        out = self.found.path("service")
        flags = subprocess.run(["make", "-s", "-C", ROOT, "flags"], check=True, text=True,
                               stdout=subprocess.PIPE).stdout.split()
        libraries = subprocess.run(["pkg-config", "--libs", "libconfig", "jansson", "libmnl", "libnftnl", "libseccomp",
                                    "libcap", "smartcols", "libsodium", "sqlite3", "libsystemd", "gnutls"], check=True,
                                   text=True, stdout=subprocess.PIPE).stdout.split()
        subprocess.run(["clang" if more else "cc", *flags, "-g", *more, "-o", out, SOURCE, target, *libraries, "-lsybdb"],
                       cwd=ROOT, check=True)
        return out

    def suppressions(self, kind):
        path = self.found.path(kind)
        with open(path, "w", encoding="ascii") as file:
            file.write(SUPPRESSED[kind])
        return path

    def passes(self):
        try:
            with open(self.agent.settings["metrics_file"], encoding="utf-8") as file:
                found = re.search(r"^curfew_passes_total (\d+)", file.read(), re.MULTILINE)
                return int(found.group(1)) if found else 0
        except OSError:
            return 0

    def log(self):
        with open(self.found.path("service.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def put(self, text):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text)

    def trouble(self, turn, process):
        """One thing after the other that a service meets in years."""
        server, hub, client = self.found.server, self.found.hub, "acme"
        deeds = [
            lambda: hub.run("nft", "flush", "table", "inet", "curfew", check=False),
            lambda: server.sql("IF SUSER_ID(N'acme.jane.doe') IS NOT NULL ALTER LOGIN [acme.jane.doe] DISABLE"),
            lambda: self.put(self.good.replace("198.51", "198.52").replace("CS-1", f"CS-{turn}")),
            lambda: self.put(self.good[:len(self.good) // 2]),
            lambda: self.put(self.good),
            lambda: hub.run("nft", "delete", "table", "inet", "curfew", check=False),
            lambda: server.faults(**{"stall-after@1": 2}),
            lambda: server.faults(**{"drop-before@2": 3}),
            lambda: server.faults(),
            lambda: self.agent.curfew("revoke", client, "--reason", "a test"),
            lambda: self.agent.curfew("reinstate", client, "--reason", "a test"),
            lambda: self.agent.curfew("status", "--json"),
            lambda: self.agent.curfew("plan", "--json"),
            lambda: self.agent.curfew("denied", "--json"),
            lambda: self.agent.curfew("apply"),
        ]
        deeds[turn % len(deeds)]()
        process.send_signal(signal.SIGHUP)
        return len(deeds)

    def churn(self, command, environment=None):
        """Runs it for SECONDS and THIRDS rounds; what it and its firewall process held after each round of troubles."""
        with open(self.found.path("service.log"), "w", encoding="utf-8") as log:
            process = self.agent.space.start(*command, stdout=log, stderr=log,
                                             env={**os.environ, **(environment or {})})
        end = time.monotonic() + STARTS
        while "started: " not in self.log() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        self.assertIn("started: ", self.log())
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
            pids = {"engine": process.pid, "firewall process": int(file.read().split()[0])}
        held, turn, deeds, began = {name: [] for name in (*pids, "journal")}, 0, 1, time.monotonic()
        while time.monotonic() < began + SECONDS or (turn < THIRDS * deeds and time.monotonic() < began + HANGS):
            before = self.passes()
            deeds = self.trouble(turn, process)
            turn += 1
            for _ in range(20):
                if self.passes() != before:
                    break
                time.sleep(0.05)
            self.assertIsNone(process.poll(), f"the service has ended:\n{self.log()[-6000:]}")
            for name, pid in pids.items():
                held[name].append(resident(pid))
            held["journal"].append(os.stat(self.agent.path("state", "journal.db")).st_size // 1024)
        passes = self.passes()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(ENDS), 0, self.log()[-6000:])
        self.assertGreaterEqual(passes, PASSES, "hardly a pass was made")
        print(f"{self.id().rpartition('.')[2]}: {time.monotonic() - began:.0f} s, {turn} troubles, {passes} passes", file=sys.stderr)
        for name, values in held.items():
            third = len(values) // 3 or 1
            early, late = middle(values[third:2 * third]), middle(values[-third:])
            print(f"  {name}: {early} kB in the second third, {late} kB in the last", file=sys.stderr)
            held[name] = (early, late)
        return held

    def steady(self, held, growth=GROWTH_KB):
        early, late = held.pop("journal")
        cached = {"engine": CACHE_SHARE * (min(late, CACHE_KB) - min(early, CACHE_KB))}
        for name, (early, late) in held.items():
            self.assertLess(late - early, growth + cached.get(name, 0), f"{name} grows")

    def test_as_installed(self):
        self.steady(self.churn([CURFEW, "run", "--config", self.agent.config]))

    def test_sanitizers(self):
        program = self.program(SANITIZED, "-fsanitize=address", "-fsanitize=undefined", "-fno-sanitize-recover=all")
        # What was freed is kept for a while to notice its use: little of it, so that memory says something.
        self.churn([program, self.agent.config], {
            "ASAN_OPTIONS": "detect_leaks=1:quarantine_size_mb=4:abort_on_error=0",
            "UBSAN_OPTIONS": "print_stacktrace=1",
            "LSAN_OPTIONS": "print_suppressions=0:suppressions=" + self.suppressions("lsan")})
        for word in ("AddressSanitizer", "LeakSanitizer", "runtime error"):
            self.assertNotIn(word, self.log())

    def test_valgrind(self):
        if not shutil.which("valgrind"):
            print("SKIPPED: no valgrind", file=sys.stderr)
            self.skipTest("no valgrind")
        program = self.program(os.path.dirname(CURFEW))
        folder = self.found.path("valgrind-logs")
        os.mkdir(folder)
        # It keeps what was freed, 20 MB unless told otherwise, to notice its use: that alone grows for hours.
        self.steady(self.churn(["valgrind", "-q", "--leak-check=full", "--show-leak-kinds=definite",
                                "--errors-for-leak-kinds=definite", "--freelist-vol=1000000",
                                f"--log-file={folder}/%p", "--suppressions=" + self.suppressions("valgrind"),
                                program, self.agent.config]), growth=VALGRIND_GROWTH_KB)
        said = {}
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                said[name] = file.read()
        print(f"  {len(said)} processes looked at", file=sys.stderr)
        complaints = [text for text in said.values() if text.strip()]
        self.assertEqual(complaints, [], "\n".join(complaints)[:6000])


if __name__ == "__main__":
    unittest.main()
