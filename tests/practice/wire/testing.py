"""Shared by the tests of the wire: a scripted engine, an in-process server, three clients.

The scripted engine knows only the batches that a test defines; every other text is a syntax error. So these tests check
the wire alone, whatever the real engine supports.
"""

import atexit
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import threading
from types import SimpleNamespace

from engine import events

from . import client, packets, prelogin
from .recorder import Recorder
from .server import WireServer

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PASSWORD = "Pa55-wörd"
_directory = None


def directory():
    """A directory for this test run; removed at its end."""
    global _directory
    if _directory is None:
        _directory = tempfile.mkdtemp(prefix="practice-wire-")
        atexit.register(shutil.rmtree, _directory, ignore_errors=True)
    return _directory


def certificates(name, *hosts):
    """The directory of a CA and a server certificate for hosts; made once per name."""
    path = os.path.join(directory(), name)
    if not os.path.exists(os.path.join(path, "server.pem")):
        subprocess.run([os.path.join(HERE, "make_certificates"), path, *hosts], check=True)
    return path


class ScriptedSession:
    def __init__(self, server, spid, login, database):
        self.server, self.spid, self.login, self.database = server, spid, login, database
        self.killed, self.cancelled = threading.Event(), threading.Event()
        self.closed = self.rolled_back = False
        self.tran_count = self.options = 0
        self.seen = []

    def _play(self, key):
        self.cancelled.clear()
        for word, count in (("BEGIN TRAN", 1), ("COMMIT", 0), ("ROLLBACK", 0)):
            if key.startswith(word):
                self.tran_count, self.rolled_back = count, word == "ROLLBACK"
        script = self.server.scripts.get(key)
        if script is None:
            raise events.SqlError(102, f"Incorrect syntax near '{str(key)[:20]}'.", 15)
        yield from script(self) if callable(script) else script

    def execute(self, sql, params=()):
        self.seen.append(sql)
        yield from self._play(sql.strip())

    def rpc(self, name, params):
        self.seen.append((name, params))
        yield from self._play("rpc " + name)

    def reset(self, keep_transaction=False):
        self.seen.append(("reset", keep_transaction))
        if not keep_transaction:
            self.tran_count = 0

    def cancel(self):
        self.cancelled.set()

    def close(self):
        self.closed = True


class ScriptedServer:
    def __init__(self, **_settings):
        self.scripts = {"BEGIN TRANSACTION": [events.Done(None, False, "")],
                        "COMMIT TRANSACTION": [events.Done(None, False, "")],
                        "ROLLBACK TRANSACTION": [events.Done(None, False, "")]}
        self.passwords = {"sa": PASSWORD}
        self.sessions, self.logins = [], []
        self._spids = itertools.count(300)      # over one byte, so that its order shows

    @staticmethod
    def counted(reset):
        return {}

    def login(self, **given):
        self.logins.append(given)
        if given["database"] == "gone":
            raise events.SqlError(4060, "Cannot open database \"gone\" requested by the login. "
                                  "The login failed.", 11)
        if self.passwords.get(given["user"]) != given["password"]:
            raise events.SqlError(18456, f"Login failed for user '{given['user']}'.", 14)
        if given["new_password"] is not None:
            self.passwords[given["user"]] = given["new_password"]
        session = ScriptedSession(self, next(self._spids), given["user"],
                                  given["database"] or "master")
        self.sessions.append(session)
        return session


class LocalServer:
    """A WireServer over a scripted engine on 127.0.0.1, with its record."""

    def __init__(self):
        self.certificates = certificates("good", "localhost", "127.0.0.1")
        handle, self.record_path = tempfile.mkstemp(dir=directory(), suffix=".jsonl")
        os.close(handle)
        module = SimpleNamespace(**{name: getattr(events, name) for name in vars(events)
                                    if not name.startswith("_")}, Server=ScriptedServer)
        self.wire = WireServer(engine_module=module, name="PRACTICE", sa_password=PASSWORD,
                               certificate=os.path.join(self.certificates, "server.pem"),
                               key=os.path.join(self.certificates, "server.key"),
                               recorder=Recorder(self.record_path))
        self.engine = self.wire.engine
        self.scripts = self.engine.scripts
        self.port = self.wire.listen("127.0.0.1", 0)[1]
        self.ca = os.path.join(self.certificates, "ca.pem")

    def stop(self):
        self.wire.stop()
        self.wire.recorder.close()

    def record(self, event=None):
        with open(self.record_path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        return [line for line in lines if event in (None, line["event"])]

    def record_wait(self, event, count=1):
        """The record's lines of that event, once there are `count` of them."""
        for _ in range(500):
            found = self.record(event)
            if len(found) >= count:
                return found
            threading.Event().wait(0.01)
        raise AssertionError(f"{len(found)} of {count} {event} records: {self.record()}")

    def pytds(self, **settings):
        import pytds
        given = {"dsn": "localhost", "port": self.port, "user": "sa", "password": PASSWORD,
                 "cafile": self.ca, "autocommit": True, "login_timeout": 60, "timeout": 60}
        return pytds.connect(**{**given, **settings})

    def tsql(self, batches, *, user="sa", password=PASSWORD, arguments=(), **settings):
        return tsql(self.port, self.ca, batches, user=user, password=password,
                    arguments=arguments, **settings)


def pytds_socket(connection):
    """What python-tds keeps of a connection below its API: newer ones keep it under another name."""
    return connection._tds_socket if hasattr(connection, "_tds_socket") else connection._conn


def pytds_spid(cursor):
    """The session's number in the headers: in newer versions cursor.spid is always 0, and the reader has it."""
    return cursor.spid or cursor._session._reader._spid


def tsql(port, ca, batches, *, user, password, host="localhost", database=None, arguments=(),
         **settings):
    """Runs FreeTDS' tsql with a configuration of its own; returns (exit status, output)."""
    given = {"host": host, "port": port, "tds version": "7.4", "encryption": "require",
             "ca file": ca, "client charset": "UTF-8"}
    given.update({key.replace("_", " "): value for key, value in settings.items()})
    handle, path = tempfile.mkstemp(dir=directory(), suffix=".conf")
    with os.fdopen(handle, "w") as file:
        file.write("[practice]\n" + "".join(f"{key} = {value}\n" for key, value in given.items()
                                            if value is not None))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TDS")}
    environment.update(FREETDSCONF=path, LC_ALL="C.UTF-8")
    command = ["tsql", "-S", "practice", "-U", user, "-P", password, "-o", "q", *arguments]
    if database:
        command += ["-D", database]
    text = "".join(f"{batch}\ngo\n" for batch in batches) + "exit\n"
    ran = subprocess.run(command, input=text, env=environment, timeout=120, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    return ran.returncode, ran.stdout


def login7_pack(**fields):
    """A login message that is right unless a test says otherwise."""
    return client.login7_pack(**{"user": "sa", "password": PASSWORD, **fields})


class RawClient(client.RawClient):
    """A client in the clear of a LocalServer, with the same defaults."""

    def __init__(self, port, host="127.0.0.1"):
        super().__init__(host, port)

    def login(self, **fields):
        return super().login(**{"user": "sa", "password": PASSWORD, **fields})


__all__ = ["LocalServer", "RawClient", "ScriptedServer", "certificates", "directory", "events",
           "login7_pack", "packets", "prelogin", "tsql", "HERE", "PASSWORD"]
