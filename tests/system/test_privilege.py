#!/usr/bin/python3
"""Files that the service's user plants in its own directory must not mislead commands that root runs."""

import glob
import json
import os
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from agent import CURFEW, libconfig  # noqa: E402
from case import USER, LabCase  # noqa: E402
from lab import days  # noqa: E402
from service import Service, until  # noqa: E402

OWNER, GROUP = 23456, 23457
MAGIC = bytes.fromhex("d9d505f920a163d7")
READERS = (("status",), ("history",), ("history", "verify"), ("certificate", "acme"), ("audit",), ("timeline", "acme"),
           ("clock",), ("plan",))


def setUpModule():
    lab.require()


def as_owner(*command):
    subprocess.run(["setpriv", f"--reuid={OWNER}", f"--regid={GROUP}", "--clear-groups", *command], check=True)


def give(folder):
    for path in (folder, *glob.glob(folder + "/**", recursive=True)):
        os.chown(path, OWNER, GROUP, follow_symlinks=False)


class State(unittest.TestCase):
    """No server answers: it is the state folder that matters."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="curfew-privilege-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        os.chmod(self.directory, 0o755)
        for name in ("state", "clients.d", "run"):
            os.mkdir(self.path(name))
        os.mkdir(self.path("credentials"), mode=0o700)
        self.write("ca.pem", "-----BEGIN CERTIFICATE-----\n")
        self.write("credentials/sql01", "Agent-Passw0rd\n", 0o600)
        self.write("curfew.conf", "".join(f"{key} = {libconfig(value)};\n" for key, value in {
            "state_directory": self.path("state"), "runtime_directory": self.path("run"),
            "credential_directory": self.path("credentials"), "firewall": {"enabled": False},
            "servers": [{"name": "sql01", "host": "127.0.0.1", "port": 1, "ca_file": self.path("ca.pem")}]}.items()))
        client = {"name": "acme", "ticket": "CS-1", "approved_by": "a@host.example", "approved_on": "2026-08-03",
                  "timezone": "UTC", "starts": "2026-08-10",
                  "databases": [{"role": "staging", "server": "sql01", "name": "AcmeTest"}],
                  "users": [{"first": "Jane", "last": "Doe", "email": "jane@acme.example",
                             "sources": ["203.0.113.7"]}]}
        self.write("clients.d/acme.conf", f"client = {libconfig(client)};\n")
        self.curfew("apply", expect=(1,))  # the server cannot be reached; the records are there
        give(self.path("state"))
        # Where both may write: root what is its own, the owner what it made.
        self.write("victim", "important\n", 0o600)

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)

    def curfew(self, *arguments, expect=None):
        name, *rest = arguments
        done = subprocess.run([CURFEW, name, "--config", self.path("curfew.conf"), *rest], capture_output=True,
                              timeout=120, check=False)
        # Not text=True: a carriage return is something that is looked for.
        done.stdout, done.stderr = (said.decode("utf-8", "surrogateescape") for said in (done.stdout, done.stderr))
        if expect is not None:
            self.assertIn(done.returncode, expect, done.stdout + done.stderr)
        return done


class Prepared(State):
    """Files of the owner's that are none."""

    def victim_is_whole(self, what):
        with self.subTest(what), open(self.path("victim"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "important\n")
            self.assertEqual(os.stat(self.path("victim")).st_uid, 0)

    def forge(self):
        """A rollback journal of nothing that names the victim as its super-journal, as the owner can write it."""
        name = self.path("victim").encode()
        with open(self.path("state", "journal.db"), "rb") as file:
            whole = file.read()
        size = struct.unpack(">H", whole[16:18])[0]
        text = (MAGIC + struct.pack(">IIIII", 0, 0, len(whole) // size, 512, size)).ljust(512, b"\0")
        text += struct.pack(">I", 0x40000000 // size + 1) + name + struct.pack(">II", len(name), sum(name)) + MAGIC
        with open(self.path("forged"), "wb") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(text)
        as_owner("cp", self.path("forged"), self.path("state", "journal.db-journal"))

    def test_a_forged_rollback_journal_deletes_nothing(self):
        for command in (*READERS, ("apply",), ("revoke", "acme", "--reason", "x"),
                        ("reinstate", "acme", "--reason", "x"),
                        ("archive", self.path("state", "old.db"), "--to", "2026-01-01")):
            self.forge()
            self.curfew(*command)
            self.victim_is_whole(command)
        # What would have happened: SQLite itself, as root.
        self.forge()
        with sqlite3.connect(self.path("state", "journal.db")) as db:
            db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        self.assertFalse(os.path.exists(self.path("victim")), "the forged file deletes nothing of itself: no test")

    def test_nobody_reads_or_writes_through_a_link(self):
        for name in ("journal.db", "clock", "revocations", "clock.new"):
            place = self.path("state", name)
            as_owner("sh", "-c", f"rm -f '{place}'; ln -s '{self.path('victim')}' '{place}'")
            for command in (*READERS, ("apply",), ("revoke", "acme", "--reason", "x")):
                done = self.curfew(*command)
                self.assertNotIn("important", done.stdout + done.stderr, command)
                self.victim_is_whole((name, command))
        self.assertIn("journal.db is a symbolic link", self.curfew("history", expect=(1,)).stderr)

    def test_what_root_makes_belongs_to_the_owner(self):
        for command in (*READERS, ("apply",), ("revoke", "acme", "--reason", "x")):
            self.curfew(*command)
        owners = {os.stat(path).st_uid for path in glob.glob(self.path("state", "**"), recursive=True)}
        self.assertEqual(owners, {OWNER})

    def test_root_is_named_and_its_reports_are_roots(self):
        self.curfew("revoke", "acme", "--reason", "a laptop was stolen")
        self.assertIn("root (uid 0)", self.curfew("history", "--json", expect=(0,)).stdout)
        os.mkdir(self.path("reports"), mode=0o700)
        report = self.path("reports", "audit.html")
        self.curfew("audit", "--html", report)
        with open(report, encoding="utf-8") as file:
            self.assertIn("</html>", file.read())
        self.assertEqual(os.stat(report).st_uid, 0)

    def test_the_service_is_not_run_as_root_there(self):
        for command in (("run",), ("apply", "--boot")):
            done = self.curfew(*command, expect=(1,))
            self.assertIn("belongs to another user", done.stdout + done.stderr)


class Shown(State):
    """Text from outside is shown by every command, and obeyed by no terminal."""

    HOSTILE = "stolen\x1b]0;owned\x07\x1b[2J\r\u009b31m\u202ecod\u2066.exe\u200b\U000e0041\x7f"

    def harmless(self, text, what):
        for character in text:
            number = ord(character)
            if number >= 0x20 and not 0x7f <= number < 0xa0 and character not in "\u202e\u2066\u200b\U000e0041":
                continue
            self.assertEqual(character, "\n", f"U+{number:04X} in what {what} says:\n{text!r}")

    def test_every_command(self):
        hostile = self.HOSTILE
        self.curfew("revoke", "acme", "--reason", hostile)
        said = ""
        for command in (*READERS, ("revoke", hostile, "--reason", "x"), ("status", hostile), ("denied",),
                        ("schedule",), ("check",), ("bootstrap", hostile), ("forget", hostile, "--reason", "x"),
                        ("history", "--from", hostile), ("timeline", "acme", "--svg", "-"),
                        ("timeline", "acme", "--ics", "-"), ("audit", "--html", "-"),
                        ("audit", "--html", "/" + hostile), ("apply",)):
            for extra in ((), ("--json",)):
                done = self.curfew(*command, *extra)
                text = (done.stdout + done.stderr).replace("\r\n", "\n") if "--ics" in command else \
                    done.stdout + done.stderr
                self.harmless(text, command)
                said += text
        self.assertIn("<U+202E>", said)
        self.assertIn("\\u202E", said)
        reasons = [entry["reason"] for entry in json.loads(self.curfew("history", "--json", expect=(0,)).stdout)]
        self.assertTrue(any("\u202e" in (reason or "") for reason in reasons), "it is not kept as it was")


class Owned(LabCase):
    """Everything else goes on: passwords are root's alone, the packet filter is written, the state is another user's."""

    def test_root_does_all_that_it_did(self):
        found = self.lab_make()
        agent = found.agent
        found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        for folder in (found.directory, agent.directory, os.path.dirname(found.certificates.ca)):
            os.chmod(folder, 0o711)
        os.chmod(found.certificates.ca, 0o644)
        give(agent.path("state"))
        self.applied(agent)
        self.assertEqual(len(agent.elements()), 2)
        jane = found.person("jane")
        self.first_login(found, jane, agent.handover("acme", USER))
        agent.curfew("audit", expect=0)
        agent.curfew("status", expect=0)
        agent.curfew("revoke", "acme", "--reason", "a laptop was stolen", expect=0)
        self.assertEqual(agent.elements(), [])
        self.silent(found.person("jane"))
        agent.curfew("history", "verify", expect=0)
        owners = {os.stat(path).st_uid for path in glob.glob(agent.path("state", "**"), recursive=True)}
        self.assertEqual(owners, {OWNER})


class Apart(LabCase):
    """As the units have it: the packet filter's process is one user's, the service another's."""

    FILTER = 23458

    def setUp(self):
        self.found = self.lab_make()
        agent = self.found.agent
        self.found.client_add("acme", [("staging", "sql01", "AcmeTest")], **self.dates(lab.now() + days(20)))
        self.elsewhere = agent.path("elsewhere")
        for folder in ("run", "elsewhere"):
            os.makedirs(agent.path(folder), exist_ok=True)
        self.own = agent.path("own")
        os.makedirs(self.own, 0o700)
        for folder in (self.elsewhere, self.own):
            os.chown(folder, self.FILTER, self.FILTER)
        for folder, mode in ((self.found.directory, 0o711), (agent.directory, 0o755),
                             (agent.path("clients.d"), 0o755), (os.path.dirname(self.found.certificates.ca), 0o711)):
            os.chmod(folder, mode)
        for file in (self.found.certificates.ca, agent.config, *glob.glob(agent.path("clients.d", "*"))):
            os.chmod(file, 0o644)
        for folder in ("state", "credentials", "run"):
            give(agent.path(folder))
        os.chmod(agent.path("state"), 0o750)
        self.socket = os.path.join(self.elsewhere, "engine")

    def filter_start(self, mode):
        """Waits on its socket, which is the service's user's, as the service manager would make it."""
        agent = self.found.agent
        child = self.found.hub.start(
            "setpriv", f"--reuid={self.FILTER}", f"--regid={self.FILTER}", f"--groups={GROUP}",
            "--inh-caps=-all,+net_admin", "--ambient-caps=-all,+net_admin", "--bounding-set=-all,+net_admin",
            "systemd-socket-activate", "--seqpacket", "-E", f"STATE_DIRECTORY={self.own}", "-l", self.socket, "--",
            *agent.command("firewall"),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        until(lambda: os.path.exists(self.socket), "the socket", lambda: child.poll() is None)
        os.chown(self.socket, OWNER, GROUP)
        os.chmod(self.socket, mode)
        return child

    def test_the_service_reaches_a_filter_of_another_user(self):
        service = self.service_start()
        child = self.filter
        for process, user, rights in ((child, self.FILTER, 1 << 12), (service.process, OWNER, 0)):
            with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
                status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
            self.assertEqual(set(status["Uid"].split()), {str(user)})
            self.assertEqual(int(status["CapPrm"], 16), rights)
        self.found.agent.curfew("revoke", "acme", "--reason", "a laptop was stolen", expect=0)
        self.assertEqual(self.found.agent.elements(), [])

    def service_start(self, elements=2):
        self.filter = self.filter_start(0o600)
        service = Service(self.found, under=("setpriv", f"--reuid={OWNER}", f"--regid={GROUP}", "--clear-groups",
                                             "--bounding-set=-all", "env", f"CURFEW_FIREWALL={self.socket}"))
        self.addCleanup(service.close)
        if elements:
            until(lambda: len(self.found.agent.elements()) == elements, "both addresses are let in")
        return service

    def file_break(self):
        name = "client0.conf"
        path = self.found.agent.path("clients.d", name)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("ticket", "tikcet"))
        return name

    def test_a_file_with_errors_stays_as_it_was_for_both(self):
        self.service_start()
        self.file_break()
        reloaded = self.found.agent.curfew("reload", expect=2)
        self.assertIn("last known good version", reloaded.err)
        self.assertEqual(len(self.found.agent.elements()), 2)
        folder = os.path.join(self.own, "last-good")
        self.assertEqual(os.stat(folder).st_uid, self.FILTER)
        self.assertEqual(os.stat(self.own).st_mode & 0o777, 0o700)

    def test_the_filter_believes_nothing_that_the_service_keeps(self):
        """Whoever has taken the service over writes another version of a file that has errors: nobody new is let in."""
        agent = self.found.agent
        service = self.service_start()
        before = agent.elements()
        kept = agent.path("state", "last-good", "clients.d", self.file_break())
        with open(kept, encoding="utf-8") as file:
            text = file.read()
        with open(kept, "w", encoding="utf-8") as file:
            file.write(text.replace(lab.JANE[0], lab.OTHER[0]))
        agent.curfew("reload", expect=(1, 2, 78))
        agent.curfew("apply", expect=(0, 1, 2))
        # Without the files as both read them, the service does not start either; the kernel keeps what it has.
        sources = {source for source, _, _ in agent.elements()}
        self.assertNotIn(lab.OTHER[0], sources, service.log())
        self.assertLessEqual(sources, {source for source, _, _ in before})

    def test_a_filter_without_a_version_of_its_own(self):
        """After an upgrade: one file has errors, and the packet filter's process never had a good version of it."""
        agent = self.found.agent
        service = self.service_start()
        service.close()
        self.filter.communicate(timeout=60)
        shutil.rmtree(os.path.join(self.own, "last-good"))
        os.unlink(self.socket)
        agent.client_add("beta", databases=[{"role": "staging", "server": "sql01", "name": "AcmeProd"}],
                         users=[{"first": "Bea", "last": "Roe", "email": "bea@beta.example",
                                 "sources": ["198.51.100.78"]}], **self.dates(lab.now() + days(20)))
        agent.write()
        for file in (agent.config, *glob.glob(agent.path("clients.d", "*"))):
            os.chmod(file, 0o644)
        agent.bootstrap("sql01", self.found.server)
        name = self.file_break()
        with open(agent.path("clients.d", name), encoding="utf-8") as file:
            whole = file.read()
        service = self.service_start(elements=None)
        # What was let in stays until its end; the other client is served as ever.
        until(lambda: len(agent.elements()) == 3, service.log)
        service.says("the firewall process has another last known good version")
        # Closing goes on; what was closed is not opened again, because nobody whom the process believes says so.
        agent.curfew("revoke", "acme", "--reason", "a laptop was stolen", expect=0)
        self.assertEqual([source for source, _, _ in agent.elements()], ["198.51.100.78"])
        agent.curfew("reinstate", "acme", "--reason", "it was found again", expect=(0, 1, 2))
        applied = agent.curfew("apply", expect=2)
        self.assertIn("the firewall process has no good version of its client's file", applied.out + applied.err)
        self.assertEqual([source for source, _, _ in agent.elements()], ["198.51.100.78"])
        self.assertIsNotNone(self.found.server.login(USER))
        # The file is mended.
        with open(agent.path("clients.d", name), "w", encoding="utf-8") as file:
            file.write(whole.replace("tikcet", "ticket"))
        agent.curfew("reload", expect=0)
        until(lambda: len(agent.elements()) == 3, service.log)

    def pair_restart(self, service, state=None):
        """Both end; with `state`, everything that the service keeps is put back as it was then; both start."""
        service.close()
        self.filter.communicate(timeout=60)
        os.unlink(self.socket)
        if state:
            shutil.rmtree(self.found.agent.path("state"))
            shutil.copytree(state, self.found.agent.path("state"))
            give(self.found.agent.path("state"))
        return self.service_start(elements=None)

    def test_what_was_revoked_is_witnessed(self):
        """Every file of the service is put back to before a revocation, consistently: the packet filter's process
        remembers it, and how far the journal was."""
        agent = self.found.agent
        service = self.service_start()
        service = self.pair_restart(service)
        until(lambda: len(agent.elements()) == 2, service.log)
        before = agent.path("before")
        service.close()
        self.filter.communicate(timeout=60)
        os.unlink(self.socket)
        shutil.copytree(agent.path("state"), before)
        service = self.service_start()
        agent.curfew("revoke", "acme", "--reason", "a laptop was stolen", expect=0)
        self.assertEqual(agent.elements(), [])
        service = self.pair_restart(service, before)
        service.says("the firewall process remembers it: it stays in force")
        service.says("not the one that the firewall process saw")
        until(lambda: "last pass" in agent.curfew("status").out, "a pass")
        self.assertEqual(agent.elements(), [])
        self.assertIn("accept-loss", agent.curfew("apply", expect=1).out)
        # An operator goes on deliberately: the loss is accepted, the revocation is not.
        agent.curfew("accept-loss", "--reason", "a backup was put back", expect=0)
        agent.curfew("apply", expect=0)
        self.assertEqual(agent.elements(), [])
        agent.curfew("reinstate", "acme", "--reason", "it was found again", expect=0)
        self.assertEqual(len(agent.elements()), 2)
        service = self.pair_restart(service)
        until(lambda: len(agent.elements()) == 2, service.log)
        self.assertNotIn("is not in the journal", service.log().rpartition("stopped; the kernel")[2])
        with open(os.path.join(self.own, "records"), encoding="utf-8") as file:
            words = [line.split("\t")[0] for line in file]
        self.assertEqual([word for word in words if word != "head"][-1], "reinstate")

    def test_a_filter_that_has_never_read_the_configuration(self):
        """Nothing is allowed by it, and nothing is kept longer: it says so, and how to go on."""
        agent = self.found.agent
        self.service_start().close()
        self.filter.communicate(timeout=60)
        before = agent.elements()
        shutil.rmtree(os.path.join(self.own, "last-good"))
        os.unlink(self.socket)
        with open(agent.config, "a", encoding="utf-8") as file:
            file.write("oops")
        child = self.filter_start(0o600)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.connect(self.socket)
            said = child.communicate(timeout=60)[0]
        self.assertEqual(child.returncode, 78, said)
        self.assertIn("the packet filter keeps every end that it has, and nobody new is allowed", said)
        self.assertIn("correct the file as `curfew check` says", said)
        self.assertEqual(agent.elements(), before)

    def test_a_stranger_is_refused_whatever_the_mode(self):
        child = self.filter_start(0o666)
        subprocess.run(["setpriv", f"--reuid={OWNER + 9}", f"--regid={OWNER + 9}", "--clear-groups", "/usr/bin/python3",
                        "-c", "import socket, sys\ns = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
                        "s.connect(sys.argv[1])\ns.settimeout(60)\nsys.exit(bool(s.recv(65536)))", self.socket], check=False,
                       stderr=subprocess.DEVNULL)
        said = child.communicate(timeout=60)[0]
        self.assertIn("accepting the service's connection", said)
        self.assertIn("Permission denied", said)


if __name__ == "__main__":
    unittest.main()
