"""The control socket: one JSON object a line in, one out, for tests and demonstrations."""

import base64
import datetime
import json
import os
import socket
import threading
import uuid

from engine.failover import database_give, database_take
from engine.utf16 import inside, json_text

from .faults import FaultError


def value_json(value):
    """A value of a row as JSON can carry it: bytes as 0x..., moments as ISO 8601 text."""
    if isinstance(value, (bytes, bytearray)):
        return "0x" + bytes(value).hex().upper()
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value).upper()
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)


class Control:
    """Listens on a unix socket of mode 0600; its operations are the methods named op_..."""

    def __init__(self, server, path):
        self._server = server
        self._path = path
        if os.path.exists(path):
            os.unlink(path)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        os.chmod(path, 0o600)
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True, name="control").start()

    def close(self):
        self._listener.close()
        if os.path.exists(self._path):
            os.unlink(self._path)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, client.makefile("rw", encoding="utf-8") as lines:
            try:
                for line in lines:
                    answer = self._answer(line)
                    lines.write(json_text(json.dumps(answer, ensure_ascii=False)) + "\n")
                    lines.flush()
                    if answer.get("stopping"):
                        self._server.stopping.set()
            except OSError:
                return      # the caller went away before its answer

    def _answer(self, line):
        try:
            request = json.loads(line)
            operation = getattr(self, "op_" + str(request["op"]).replace("-", "_"), None)
            if operation is None:
                return {"ok": False, "error": f"unknown op {request['op']!r}"}
            return operation(request)
        except FaultError as error:
            return {"ok": False, "error": str(error)}
        except (ValueError, KeyError, TypeError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    def op_counters(self, request):
        return {"ok": True, **self._server.counter_values(bool(request.get("reset")))}

    def op_sessions(self, _request):
        return {"ok": True, "sessions": self._server.sessions()}

    def op_fault(self, request):
        if request.get("clear"):
            self._server.faults.clear()
        for name, value in (request.get("set") or {}).items():
            self._server.faults.set(name, value)
        return {"ok": True, "active": self._server.faults.active()}

    def op_stop(self, _request):
        return {"ok": True, "stopping": True}

    def op_database_give(self, request):
        """What a database holds, for database-take of another practice server: a replica."""
        content = database_give(self._server.engine, request["name"])
        return {"ok": True, "content": base64.b64encode(content).decode("ascii")}

    def op_database_take(self, request):
        database_take(self._server.engine, base64.b64decode(request["content"]))
        return {"ok": True}

    def op_sql(self, request):
        """Runs one batch as sa. errors holds what had a severity over 10, messages the rest."""
        engine = self._server.engine_module
        answer = {"ok": True, "results": [], "messages": [], "errors": []}

        def note(found):
            entry = {"number": found.number, "severity": found.severity, "state": found.state,
                     "text": found.text, "line": found.line}
            answer["errors" if found.severity > 10 else "messages"].append(entry)
        try:
            session = self._server.engine.sa_session(request.get("database"))
        except engine.SqlError as error:
            note(error)
            return {**answer, "ok": False}
        try:
            for event in session.execute(inside(request["text"])):
                if isinstance(event, engine.Columns):
                    answer["results"].append({"columns": [c.name for c in event.columns],
                                              "rows": []})
                elif isinstance(event, engine.Row):
                    answer["results"][-1]["rows"].append([value_json(v) for v in event.values])
                elif isinstance(event, engine.Message):
                    note(event)
        except engine.SqlError as error:
            note(error)
        finally:
            session.close()
        answer["ok"] = not answer["errors"]
        return answer
