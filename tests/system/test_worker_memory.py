#!/usr/bin/python3
"""What a worker that talks to one server has in its memory: that server's password, no other's, and no key of the journal."""

import hashlib
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from lab import days  # noqa: E402
from service import Service, ServiceCase, until  # noqa: E402

KEY = "5f1c0e9a7b3d48260f9e8d7c6b5a49382716059483726150af9e8d7c6b5a4938"
PASSWORDS = {"sql01": "first-Server-4711-canary", "sql02": "other-Server-0815-canary"}


def setUpModule():
    lab.require()


def memory(pid):
    """All that a process could read or write of its own, file by file mapped aside."""
    parts = []
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            where, mode = line.split()[:2]
            begin, end = (int(part, 16) for part in where.split("-"))
            if mode[:2] != "rw":
                continue
            try:
                parts.append(os.pread(mem.fileno(), end - begin, begin))
            except OSError:
                pass
    return parts


def found(parts, secret):
    """In the codings in which it is read or sent."""
    return [name for name, coded in (("bytes", secret), ("UTF-16", secret.decode("latin-1").encode("utf-16-le")))
            if any(coded in part for part in parts)]


class Memory(ServiceCase):
    def setUp(self):
        self.found = self.lab_make(shape="gateway", servers={"sql01": ("AcmeTest",), "sql02": ("AcmeMore",)},
                                   limits={"connect_timeout": 60, "server_deadline": 120, "interval": 86400})
        self.agent = self.found.agent
        self.agent.settings["metrics_file"] = self.agent.path("state", "curfew.prom")
        self.credential("journal", KEY)
        self.agent.settings["journal_key"] = "journal"
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest"), ("staging", "sql02", "AcmeMore")],
                              **self.dates(lab.now() + days(20)))
        self.service = Service(self.found)
        self.addCleanup(self.service.close)
        until(lambda: self.service.metric("curfew_passes_total"), "the pass at the start has ended")

    def credential(self, name, text):
        path = self.agent.path("credentials", name)
        with open(path, "w", encoding="ascii") as file:
            file.write(text + "\n")
        os.chmod(path, 0o600)

    def workers(self):
        for name, password in PASSWORDS.items():
            self.credential(name, password)
            self.found.servers[name].faults(stall_prelogin=True)
        child = self.agent.start("apply")
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        workers = {}

        def all_are_there():
            workers.clear()
            workers.update(self.own_passwords())
            return len(workers) == len(PASSWORDS)

        until(all_are_there, "a worker for each server has its password")
        return workers

    def own_passwords(self):
        """{server: memory} of the processes that have a server's password."""
        out = {}
        for pid in self.service.children():
            try:
                parts = memory(pid)
            except OSError:
                continue
            for name, password in PASSWORDS.items():
                if found(parts, password.encode()):
                    self.assertNotIn(name, out)
                    out[name] = parts
        return out

    def test_only_its_own_password(self):
        workers = self.workers()
        secrets = {"the key's text": KEY.encode(), "the key": hashlib.blake2b(KEY.encode(), digest_size=32).digest()}
        self.assertEqual(found(memory(self.service.process.pid), secrets["the key"]), ["bytes"], "where it belongs")
        for name, parts in workers.items():
            for other, password in PASSWORDS.items():
                self.assertEqual(bool(found(parts, password.encode())), other == name, f"{other}'s password for {name}")
            for what, secret in secrets.items():
                self.assertEqual(found(parts, secret), [], f"{what} in the worker for {name}")
        service = memory(self.service.process.pid)
        for what, secret in {"the key's text": KEY.encode(), **{n: p.encode() for n, p in PASSWORDS.items()}}.items():
            self.assertEqual(found(service, secret), [], f"{what} in the service")


if __name__ == "__main__":
    unittest.main(verbosity=2)
