#!/usr/bin/python3
"""A person at a keyboard, somewhere in the network: JSON requests in, JSON answers out, a line each.

Logs in with python-tds, which shares nothing with the agent or with the practice server. What that client
cannot do, changing a password at the login, is done by the practice server's own small client.

{"op": "reach", "host", "port", "timeout"}                        can a TCP connection be made?
{"op": "login", "host", "port", "name", "ca", "user", "password", "database", "new_password", "timeout"}
{"op": "strange", "host", "port", "ca", "user", "password", "database", "calls_itself", "timeout"}
{"op": "sql", "text", "timeout"}                                  on the session that is open
{"op": "logout"}
Answers: {"ok": true, "rows": [...], "address": ...}
         {"ok": false, "number": N, "text": T}      refused by the server
         {"ok": false, "network": T}                nothing answered
"""

import json
import os
import socket
import sys
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "practice"))

warnings.simplefilter("ignore", DeprecationWarning)


class Person:
    def __init__(self):
        self.socket = self.connection = self.raw = None

    def reach(self, r):
        with socket.create_connection((r["host"], r["port"]), timeout=r["timeout"]) as s:
            return {"address": s.getsockname()[0]}

    def login(self, r):
        import pytds  # pylint: disable=import-outside-toplevel  (half a second: most only try to connect)
        self.logout(r)
        if r.get("new_password"):
            answer = self._password_change(r)
            if not answer["ok"]:
                return answer
            r["password"] = r["new_password"]
        self.socket = socket.create_connection((r["host"], r["port"]), timeout=r["timeout"])
        address = self.socket.getsockname()[0]
        self.connection = pytds.connect(
            r["name"], database=r.get("database"), user=r["user"], password=r["password"],
            cafile=r["ca"], sock=self.socket, autocommit=True, disable_connect_retry=True,
            login_timeout=r["timeout"], appname="SQL Server Management Studio")
        return {"address": address}

    def strange(self, r):
        """As login, by a client that calls itself and its host whatever it likes, also what is no text."""
        from wire import client  # pylint: disable=import-outside-toplevel
        self.raw = client.RawClient(r["host"], r["port"], timeout=r["timeout"])
        self.raw.encrypt(r["ca"])
        accepted, messages = self.raw.messages(self.raw.login(
            user=r["user"], password=r["password"], database=r["database"], host=r["calls_itself"]))
        return {"ok": accepted, "text": str(messages)}

    @staticmethod
    def _password_change(r):
        from wire import client  # pylint: disable=import-outside-toplevel
        raw = client.RawClient(r["host"], r["port"], timeout=r["timeout"])
        try:
            raw.encrypt(r["ca"])
            accepted, messages = raw.messages(raw.login(
                user=r["user"], password=r["password"], new_password=r["new_password"],
                database=r.get("database") or ""))
        finally:
            raw.close()
        worst = max(messages, key=lambda m: m[1], default=(0, 0, "no answer"))
        return {"ok": accepted, "number": worst[0], "text": worst[2]}

    def sql(self, r):
        if self.socket is None:
            raise ConnectionError("not logged in")
        self.socket.settimeout(r["timeout"])
        with self.connection.cursor() as cursor:
            cursor.execute(r["text"])
            rows = []
            while True:
                if cursor.description:
                    rows += cursor.fetchall()
                if not cursor.nextset():
                    return {"rows": [list(row) for row in rows]}

    def logout(self, _request):
        # Not a word to the server: it may be out of reach, and python-tds would wait for it.
        if self.socket is not None:
            self.socket.close()
        self.socket = self.connection = None
        return {}


def answer(person, request):
    try:
        found = getattr(person, request["op"])(request)
        return {"ok": True, **found}
    except OSError as error:
        return {"ok": False, "network": f"{type(error).__name__}: {error}"}
    except Exception as error:  # pylint: disable=broad-except
        return said_no(error)


def said_no(error):
    """What the libraries raise: the connection has ended, or the server refuses."""
    import pytds  # pylint: disable=import-outside-toplevel
    from wire import packets  # pylint: disable=import-outside-toplevel
    if isinstance(error, (pytds.ClosedConnectionError, packets.Closed, packets.ProtocolError)):
        return {"ok": False, "network": f"{type(error).__name__}: {error}"}
    if isinstance(error, pytds.Error):
        number = getattr(error, "number", None) or getattr(error, "msg_no", None)
        return {"ok": False, "number": number, "text": str(error)}
    raise error


def main():
    person = Person()
    for line in sys.stdin:
        print(json.dumps(answer(person, json.loads(line)), default=str), flush=True)


if __name__ == "__main__":
    main()
