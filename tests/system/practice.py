"""A practice server in a namespace: start, control, record, stop."""

import contextlib
import json
import os
import re
import select
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = os.path.join(ROOT, "tests", "practice")
SA_PASSWORD = "Sa-Passw0rd-of-the-lab"
# How much slower than a machine of its own the tests may find this one.
SLOW = int(os.environ.get("CURFEW_SLOW", "1"))
# Its start, and each request to it: a guard against hanging.
START_SECONDS = 240 * SLOW

# What every database of a client holds before anybody gets access.
DATABASE = """
CREATE DATABASE [{name}];
GO
USE [{name}];
GO
CREATE TABLE dbo.Orders (Id int NOT NULL PRIMARY KEY, Customer nvarchar(50) NOT NULL);
GO
INSERT INTO dbo.Orders (Id, Customer) VALUES (1, N'Ada'), (2, N'Bert');
GO
CREATE PROCEDURE dbo.OldImport AS SELECT Id FROM dbo.Orders;
GO
CREATE PROCEDURE dbo.OrderAdd AS INSERT INTO dbo.Orders (Id, Customer) VALUES (99, N'Eve');
GO
"""


def quoted(name):
    return "[" + name.replace("]", "]]") + "]"


def batches(script):
    """The batches of a script, as sqlcmd would cut it at its GO lines."""
    found = [[]]
    for line in script.splitlines():
        if line.strip().upper() == "GO":
            found.append([])
        else:
            found[-1].append(line)
    return ["\n".join(lines) for lines in found if "".join(lines).strip()]


class Certificates:
    """A CA and the certificate of one server: `ca`, `certificate`, `key`."""

    # Making one takes longer than all else here: the servers of one test program have the same.
    made_key = None

    def __init__(self, directory, *names):
        self.ca = os.path.join(directory, "ca.pem")
        self.certificate = os.path.join(directory, "server.pem")
        self.key = os.path.join(directory, "server.key")
        if Certificates.made_key:
            os.makedirs(directory, exist_ok=True)
            with open(os.open(self.key, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(Certificates.made_key)
        subprocess.run([os.path.join(TOOLS, "make_certificates"), directory, *names], check=True)
        with open(self.key, "rb") as file:
            Certificates.made_key = file.read()


class SqlRefused(Exception):
    """What sa was told; for a person's errors there is an Answer."""

    def __init__(self, error):
        super().__init__(f"{error['number']}: {error['text']}")
        self.number = error["number"]


class PracticeServer:
    def __init__(self, space, directory, certificates, *, name="sql01", address="::", port=1433,
                 databases=(), script="", faults=(), arguments=()):
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self.name, self.port, self.certificates = name, port, certificates
        self._control = os.path.join(directory, "control")
        self._record = os.path.join(directory, "record")
        self._log = open(os.path.join(directory, "stderr"), "w+", encoding="utf-8")
        password, start = os.path.join(directory, "sa"), os.path.join(directory, "start.sql")
        with open(password, "w", encoding="utf-8") as file:
            file.write(SA_PASSWORD + "\n")
        with open(start, "w", encoding="utf-8") as file:
            file.writelines(DATABASE.format(name=d.replace("]", "]]")) for d in databases)
            file.write(script)
        listen = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        self._process = space.start(
            "/usr/bin/python3", os.path.join(TOOLS, "practice_server"), "--listen", listen,
            "--cert", certificates.certificate, "--key", certificates.key,
            "--sa-password-file", password, "--name", name.upper(), "--script", start,
            "--record", self._record, "--control", self._control,
            *(part for fault in faults for part in ("--fault", fault)), *arguments,
            stdout=subprocess.PIPE, stderr=self._log, text=True)
        self._wait_ready()

    def _wait_ready(self):
        readable, _, _ = select.select([self._process.stdout], [], [], START_SECONDS)
        line = self._process.stdout.readline() if readable else ""
        if not line.startswith("ready "):
            self.stop()
            raise AssertionError(f"practice server {self.name} did not start: {self.words()}")

    @property
    def pid(self):
        return self._process.pid

    def words(self):
        """What it said on standard error."""
        with open(self._log.name, encoding="utf-8") as file:
            return file.read()

    def control(self, **request):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(START_SECONDS)
            s.connect(self._control)
            s.sendall((json.dumps(request) + "\n").encode())
            with s.makefile(encoding="utf-8") as file:
                return json.loads(file.readline())

    def sql(self, text, database=None):
        """Rows of one batch, run as sa."""
        answer = self.control(op="sql", text=text, database=database)
        if answer.get("errors"):
            raise SqlRefused(answer["errors"][0])
        if not answer["ok"]:
            raise AssertionError(f"{text}: {answer}")
        return [row for result in answer["results"] for row in result["rows"]]

    def script(self, text):
        """Batches between GO lines; USE lasts to the end, as in a session."""
        database = None
        for batch in batches(text):
            found = re.fullmatch(r"\s*USE (?:(\w+)|\[((?:[^]]|\]\])+)\]);?\s*", re.sub(r"(?m)^--.*", "", batch), re.IGNORECASE)
            if found:
                database = found.group(1) or found.group(2).replace("]]", "]")
                continue
            self.sql(batch, database)

    def faults(self, **faults):
        """Replaces the faults in force; names with '_' for '-'."""
        wanted = {name.replace("_", "-"): value for name, value in faults.items()}
        answer = self.control(op="fault", clear=True, set=wanted)
        assert answer["ok"], answer

    def let_nobody_in(self, login, **fault):
        """By this fault of the handshake; this login's sessions are ended, also one that had passed it by then."""
        self.faults(**fault)
        end = time.monotonic() + START_SECONDS
        while self._begun(login):
            if time.monotonic() > end:
                raise AssertionError(f"sessions of {login} that do not end: {self.sessions_of(login)}")
            for session in self.sessions_of(login):
                # It may have ended meanwhile, and its number be another's, or ours.
                with contextlib.suppress(SqlRefused):
                    self.sql(f"KILL {session['spid']}")
            time.sleep(0.02)

    def _begun(self, login):
        """Connections that are this login's, or may be yet."""
        found = set()
        for record in self.records():
            if record["event"] == "prelogin":
                found.add(record["connection"])
            elif record["event"] in ("disconnect", "fault") or \
                    record["event"] == "login" and (record["user"] != login or not record["accepted"]):
                found.discard(record["connection"])
        return found

    def counters(self, reset=False):
        return self.control(op="counters", reset=reset)

    def sessions_of(self, login):
        return [s for s in self.control(op="sessions")["sessions"] if s["login"] == login]

    def records(self, event=None):
        with open(self._record, encoding="utf-8") as file:
            # What the server is just writing is seen in parts.
            found = [json.loads(line) for line in file if line.endswith("\n")]
        return [r for r in found if event in (None, r["event"])]

    # What is there of a login: by name, asked as sa.
    def login(self, login):
        rows = self.sql("SELECT name, is_disabled FROM sys.server_principals "
                        f"WHERE name = N'{login.replace(chr(39), chr(39) * 2)}'")
        return rows[0] if rows else None

    def user(self, login, database):
        return bool(self.sql("SELECT name FROM sys.database_principals "
                             f"WHERE name = N'{login.replace(chr(39), chr(39) * 2)}'", database))

    def roles(self, login, database):
        rows = self.sql("SELECT r.name FROM sys.database_role_members AS m "
                        "JOIN sys.database_principals AS r ON r.principal_id = m.role_principal_id "
                        "JOIN sys.database_principals AS u ON u.principal_id = m.member_principal_id "
                        f"WHERE u.name = N'{login.replace(chr(39), chr(39) * 2)}'", database)
        return sorted(row[0] for row in rows)

    def stop(self):
        """Ends it; returns what it recorded about mistakes of its own: tests want that empty."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process.stdout.close()
        self._log.close()
        return self.records("own-fault") if os.path.exists(self._record) else []
