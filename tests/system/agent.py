"""Curfew as an operator uses it: configuration files, credentials, the command line."""

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
from dataclasses import dataclass

import documented
from practice import ROOT, SLOW, TOOLS, batches

sys.path.insert(0, TOOLS)

from wire import corpus  # noqa: E402  (the path above makes it importable)

# Not an instrumented build by accident: what `make` builds, or what CURFEW names.
CURFEW = os.path.abspath(
    os.environ.get("CURFEW", os.path.join(ROOT, "build", "cc", "curfew")))
RUN_SECONDS = 600 * SLOW
# The limits of whoever looks at a server that never answers.
IMPATIENT = {"connect_timeout": 2, "server_deadline": 5}
AGENT_PASSWORD = "Agent-Passw0rd-of-the-lab"


def libconfig(value, depth=0):
    """A Python value as libconfig writes it: a dict is a group, in a list on a line of its own."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    pad = "\t" * depth
    if isinstance(value, dict):
        return "{\n" + "".join(f"{pad}\t{key} = {libconfig(item, depth + 1)};\n"
                               for key, item in value.items() if item is not None) + pad + "}"
    if not any(isinstance(item, dict) for item in value):
        return "( " + ", ".join(libconfig(item) for item in value) + " )"
    return "(\n" + ",\n".join(f"{pad}\t{inline(item)}" for item in value) + f"\n{pad})"


def inline(group):
    return "{ " + " ".join(f"{key} = {libconfig(item)};" for key, item in group.items()
                           if item is not None) + " }"


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"exit {self.code}\n{self.out}{self.err}"


def allowed_elements(listing):
    """(source, endpoint, seconds left): who is in a server's sets reaches every endpoint that leads to its chain."""
    endpoints, found = {}, []
    for item in listing:
        for (where, verdict) in item.get("map", {}).get("elem", []):
            address, port = where["concat"]
            host = f"[{address}]" if ":" in address else address
            endpoints.setdefault((verdict["goto"]["target"], ":" in address), []).append(f"{host}:{port}")
    for item in listing:
        chain, _, kind = item.get("set", {}).get("name", "").rpartition(".")
        if not kind.startswith("allow"):
            continue
        for element in item["set"].get("elem", []):
            inner = element["elem"]
            for endpoint in endpoints.get((chain, kind.startswith("allow6")), []):
                found.append((inner["val"], endpoint, inner.get("expires")))
    return found


class Agent:
    """One installation: its configuration, its state, the machine that it runs on."""

    def __init__(self, space, directory, **settings):
        self.space, self.directory = space, directory
        self.servers, self.clients, self.password = {}, {}, AGENT_PASSWORD
        self.settings = {"state_directory": self.path("state"),
                         "runtime_directory": os.path.join(directory[:60], "run"),
                         "credential_directory": self.path("credentials"),
                         # Tests count the service's children; those of samples ask for samples.
                         "inventory": {"sample_hours": 0}, "practice": True, **settings}
        self.said = []  # everything that any command printed, for the search for secrets
        for name in ("", "clients.d", "credentials", "state"):
            os.makedirs(self.path(name), mode=0o700, exist_ok=True)

    def path(self, *names):
        return os.path.join(self.directory, *names)

    @property
    def config(self):
        return self.path("curfew.conf")

    def server_add(self, name, *, host, ca, port=1433, **more):
        self.servers[name] = {"name": name, "host": host, "port": port, "ca_file": ca, **more}
        self._write(self.path("credentials", name), self.password + "\n")

    def client_add(self, name, **client):
        """A client with what every client has, unless it is given."""
        self.clients[name] = {"name": name, "ticket": "CS-1",
                              "approved_by": "account-lead@host.example",
                              "approved_on": "2026-08-03", "timezone": "UTC",
                              "starts": "2026-08-10", **client}

    def write(self):
        self._write(self.config, "".join(
            f"{key} = {libconfig(value)};\n" for key, value in
            {**self.settings, "servers": list(self.servers.values())}.items()))
        for old in os.listdir(self.path("clients.d")):
            os.unlink(self.path("clients.d", old))
        for number, client in enumerate(self.clients.values()):
            self._write(self.path("clients.d", f"client{number}.conf"),
                        f"client = {libconfig(client)};\n")

    @staticmethod
    def _write(path, text):
        with open(path, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)

    def command(self, *arguments):
        name, *rest = arguments
        return [CURFEW, name, "--config", self.config, *rest]

    def curfew(self, *arguments, expect=None, seconds=RUN_SECONDS):
        """One command to its end; `expect` is the exit code, or a tuple of those that would do."""
        done = self.space.run(*self.command(*arguments), check=False, timeout=seconds)
        result = Result(done.returncode, done.stdout, done.stderr)
        self.said.append(str(result))
        if "--json" in arguments:
            corpus.add_proposals(result.out)
            documented.require(arguments[0], result.out)
        wanted = (expect,) if isinstance(expect, int) else expect
        if wanted is not None and result.code not in wanted:
            raise AssertionError(f"curfew {' '.join(arguments)}: wanted exit {expect}\n{result}")
        return result

    @contextlib.contextmanager
    def impatient(self):
        """Commands that give a server up soon, for one that never answers: a test that waits for others to answer must not."""
        kept = self.settings.get("limits")
        self.settings["limits"] = {**(kept or {}), **IMPATIENT}
        self.write()
        try:
            yield
        finally:
            self.settings.pop("limits")
            if kept:
                self.settings["limits"] = kept
            self.write()

    def start(self, *arguments, **more):
        return self.space.start(*self.command(*arguments), stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, **more)

    def apply(self, at=None, expect=0):
        return self.curfew("apply", *(["--at", at] if at else []), expect=expect)

    def plan(self, at=None, expect=None):
        return self.curfew("plan", *(["--at", at] if at else []), expect=expect)

    def handover(self, client, user, expect=0):
        """The one-time password that the operator reads from the screen."""
        result = self.curfew("handover", client, user, "--json", "--no-terminal", expect=expect)
        self.said.pop()  # the one place where a password may stand
        return result.json["password"] if result.code == 0 else result

    def bootstrap(self, server, practice, others=None):
        """A DBA's part: puts the password where it belongs and runs what bootstrap printed."""
        text = self.curfew("bootstrap", server, expect=0).out
        script = text.replace("<the password, as N'...'>", f"N'{self.password}'")
        for asked, login, first in re.findall(r"(<the SID of (\S+) that the script of (\S+) printed, as 0x...>)", script):
            printed = others[first].sql(f"SELECT sid FROM sys.server_principals WHERE name = N'{login}'")[0][0]
            script = script.replace(asked, printed)
        practice.script(script)
        for batch in batches(script):
            corpus.add(batch)

    def typed(self, arguments, lines, prompts=None):
        """(exit code, what a terminal showed) of a command while somebody types these lines: at once, or each when one of
        the prompts is shown."""
        ours, theirs = pty.openpty()
        child = self.space.start(*self.command(*arguments), stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        said, left = b"", list(lines)
        while left and not prompts:
            os.write(ours, left.pop(0).encode() + b"\n")
        while True:
            if left and said.endswith(prompts):
                os.write(ours, left.pop(0).encode() + b"\n")
            try:
                some = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not some:
                break
            said += some
        os.close(ours)
        return child.wait(), said.decode()

    def listing(self):
        """The table as nft prints it in JSON; it prints half of it when the table is changed meanwhile: then again."""
        for _ in range(20):
            listing = self.space.run("nft", "-j", "list", "table", "inet", "curfew", check=False)
            if listing.returncode != 0:
                return []
            try:
                return json.loads(listing.stdout)["nftables"]
            except json.JSONDecodeError:
                broken = listing.stdout
        raise AssertionError(f"nft prints no JSON: {broken}")

    def elements(self):
        """(source, endpoint, seconds left) of the allowlist, as the kernel shows it."""
        return allowed_elements(self.listing())


__all__ = ["Agent", "AGENT_PASSWORD", "CURFEW", "Result", "allowed_elements", "batches", "libconfig"]
