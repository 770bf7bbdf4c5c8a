"""The record: one JSON object a line for everything that a test may want to prove."""

import json
import threading
import time

from engine.utf16 import json_text


class Recorder:
    """Thread-safe. Passwords never reach it, except inside a batch text that a client sent."""

    def __init__(self, path=None):
        self._file = open(path, "a", encoding="utf-8") if path else None
        self._lock = threading.Lock()

    def write(self, event, **fields):
        if self._file is None:
            return
        line = json_text(json.dumps({"time": round(time.time(), 6), "event": event, **fields},
                                    ensure_ascii=False, default=str))
        with self._lock:
            if self._file:
                self._file.write(line + "\n")
                self._file.flush()

    def close(self):
        with self._lock:
            if self._file:
                self._file.close()
                self._file = None


class Counters:
    """Totals of the server; each connection keeps its own round trips."""

    NAMES = ("connections", "logins_accepted", "logins_refused", "round_trips", "transactions",
             "attentions", "dropped", "malformed", "kills")

    def __init__(self):
        self._lock = threading.Lock()
        self._values = dict.fromkeys(self.NAMES, 0)

    def add(self, name):
        with self._lock:
            self._values[name] += 1

    def values(self, reset=False):
        with self._lock:
            values = dict(self._values)
            if reset:
                self._values = dict.fromkeys(self.NAMES, 0)
            return values
