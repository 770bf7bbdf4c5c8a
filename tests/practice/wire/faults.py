"""Faults: the ways in which the practice server is told to misbehave.

A fault is NAME or NAME=ARG, and NAME@COUNT acts COUNT times and is gone. Engine faults are
switches of the engine's Features object; all may change while connections are open.
"""

import dataclasses
import re
import threading

from engine.features import PENDING

# name: what the argument must be (None: a flag)
WIRE = {"no-tls": None, "login-only-tls": None, "force-encryption": None, "wrong-cert": "pair",
        "stall-prelogin": None, "drop-prelogin": None, "stall-after": "number", "drop-after": "number",
        "drop-before": "number", "drop-after-match": "regex", "drop-before-match": "regex", "stall-match": "regex",
        "tds5-only": None, "delay": "number"}
# The switches of the Features object, and `real`, which sets all rules that are off by default.
REAL = "real"


def engine_forms(features):
    """{name with dashes: form}, as for WIRE; bool fields are "switch", which also takes on and off."""
    kinds = {bool: "switch", int: "number", str: "text"}
    return {f.name.replace("_", "-"): f.metadata.get("form") or kinds[f.type]
            for f in dataclasses.fields(features)}


class FaultError(Exception):
    """A fault that does not exist, or an argument that it cannot take."""


class ConnectionDropped(Exception):
    """A fault ended the connection; the text says which."""


def _argument(name, form, value):
    try:
        if form is None:
            if value not in (None, True, ""):
                raise ValueError("takes no argument")
            return True
        if form == "switch":
            return {None: True, True: True, "": True, "on": True, "off": False}[value]
        if form == "text":
            return str(value)
        if form == "number":
            return int(value)
        if form == "regex":
            return re.compile(value, re.IGNORECASE)
        if form == "pair":
            certificate, key = value.split(",")
            return certificate, key
        if form == "map":
            pairs = value.items() if isinstance(value, dict) else (
                pair.split(":") for pair in value.split(","))
            return {int(number): int(other) for number, other in pairs}
        if form == "words":
            pairs = value.items() if isinstance(value, dict) else (
                pair.rsplit(":", 1) for pair in value.split(","))
            return {str(key): str(word) for key, word in pairs}
        pairs = value if isinstance(value, (list, tuple)) else [value.rsplit(",", 1)]
        return [[re.compile(pattern).pattern, int(number)] for pattern, number in pairs]
    except (ValueError, KeyError, TypeError, AttributeError, re.error) as error:
        raise FaultError(f"fault {name}: {value!r}: {error}") from None


class Faults:
    """The faults in force. One lock; connections ask at each step."""

    def __init__(self, features, certificate_check):
        self._features = features
        self._certificate_check = certificate_check
        self._engine = engine_forms(features)
        self._lock = threading.Lock()
        self._wire = {}         # name: [value, times left or None, value as it was given]
        self._engine_given = {}

    def set(self, key, value=True):
        """Arms NAME or NAME@COUNT; a value of None or False disarms it."""
        name, _, count = key.partition("@")
        if name == REAL:
            for rule in PENDING:
                self.set(rule.replace("_", "-"), value)
            return
        form = WIRE.get(name, self._engine.get(name, "unknown"))
        if form == "unknown":
            raise FaultError(f"unknown fault {name}")
        if value is None or value is False:
            return self._disarm(name)
        if count and (name in self._engine or not count.isdigit() or int(count) < 1):
            raise FaultError(f"fault {key}: no such count")
        parsed = _argument(name, form, value)
        if name == "wrong-cert":
            self._certificate_check(*parsed)
        with self._lock:
            if name in WIRE:
                self._wire[name] = [parsed, int(count) if count else None, value]
            else:
                setattr(self._features, name.replace("-", "_"), parsed)
                self._engine_given[name] = value

    def _disarm(self, name):
        with self._lock:
            if name in WIRE:
                self._wire.pop(name, None)
            elif self._engine_given.pop(name, None) is not None:
                attribute = name.replace("-", "_")
                setattr(self._features, attribute, getattr(type(self._features)(), attribute))

    def clear(self):
        for name in list(self._wire) + list(self._engine_given):
            self._disarm(name)

    def active(self):
        with self._lock:
            wire = {name + (f"@{left}" if left else ""): given
                    for name, (_, left, given) in self._wire.items()}
            return {**wire, **self._engine_given}

    def fires(self, name, test=lambda value: True):
        """The fault's value when it is armed and test(value) holds, counting it; else None."""
        with self._lock:
            entry = self._wire.get(name)
            if entry is None or not test(entry[0]):
                return None
            if entry[1] is not None:
                entry[1] -= 1
                if not entry[1]:
                    del self._wire[name]
            return entry[0]

    def request_drop(self, moment, number, text):
        """Why request `number` is to be cut `before` or `after` it runs, or None."""
        if self.fires(f"drop-{moment}", lambda value: value == number) is not None:
            return f"drop-{moment}={number}"
        found = self.fires(f"drop-{moment}-match", lambda value: value.search(text))
        return f"drop-{moment}-match={found.pattern}" if found else None

    def request_stall(self, number, text):
        """Why request `number` and those behind it are neither run nor answered, or None."""
        if self.fires("stall-after", lambda after: number > after) is not None:
            return "stall-after"
        return "stall-match" if self.fires("stall-match", lambda value: value.search(text)) else None

    def old_server(self, packet_name):
        """tds5-only: a server that knows nothing of TDS 7 ends the connection at its first word."""
        if self.fires("tds5-only") is not None:
            raise ConnectionDropped(f"tds5-only: {packet_name}")
