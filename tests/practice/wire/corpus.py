"""The T-SQL that tests have seen the program send, print or propose, for the judges in tests/tsql.

Tests of every kind write to the folder that CURFEW_CORPUS names, each process to a file of its own, one JSON string a
line. Without CURFEW_CORPUS nothing is kept.
"""

import json
import os
import threading

PROGRAM = "curfew"      # how the program names itself to a server
_lock = threading.Lock()
_file = None
_seen = set()


def add(text):
    """Keeps one batch."""
    global _file
    folder = os.environ.get("CURFEW_CORPUS")
    if not folder or not text.strip():
        return
    with _lock:
        if text in _seen:
            return
        _seen.add(text)
        if _file is None:
            os.makedirs(folder, exist_ok=True)
            _file = open(os.path.join(folder, f"{os.getpid()}.jsonl"), "a", encoding="utf-8")
        # A parser cannot read text with half of a surrogate pair.
        _file.write(json.dumps(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")) + "\n")
        _file.flush()


def _is_tsql(text):
    """Not a command line, and no script, which is cut at its GO by who runs it."""
    return text[:1].isupper() and "\nGO" not in text


def add_proposals(text):
    """Keeps what answers in JSON offer as a statement, wherever it stands in them."""
    def walk(value):
        if isinstance(value, dict):
            for key, item in value.items():
                if key in ("statement", "remedy") and isinstance(item, str) and _is_tsql(item):
                    add(item)
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)
    if not os.environ.get("CURFEW_CORPUS"):
        return
    decoder = json.JSONDecoder()
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        walk(value)
        text = text[end:]


def read(folder):
    """Every batch that was kept there, once, in a steady order."""
    found = set()
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            found.update(json.loads(line) for line in file)
    return sorted(found)
