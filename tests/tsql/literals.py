"""The T-SQL that stands in the program's sources, as the string literals that the compiler sees.

The preprocessor has joined macros and neighbours; a literal is T-SQL when it has the words of a statement and no words of
a sentence. Every branch that writes T-SQL writes a literal of its own: what no test has recorded was never judged.
"""

import glob
import os
import re
import subprocess

# The journal speaks SQLite's language; commands send nothing to a server, and their operands are words in capitals.
OTHER_DIALECT = ("agent/journal/", "agent/commands/")
STATEMENT = re.compile(
    r"\b(?:SELECT|FROM|WHERE|JOIN|UNION|GROUP BY|ALTER|CREATE|DROP|GRANT|DENY|REVOKE|EXEC|EXECUTE|REVERT|DECLARE|USE|KILL|SET|"
    r"BEGIN(?!:)|COMMIT|ROLLBACK|AUTHORIZATION|CASCADE|DISABLE|ENABLE|MEMBER|LOGIN|PASSWORD|UNLOCK|OPTION)\b")
SENTENCE = re.compile(
    r"\b(?:the|of|for|is|are|its|it|that|by|to|on|with|and|or|not|in|from|what|who|whose|cannot|no|was|must|has|does)\b")
QUOTED = re.compile(r"N?'(?:[^']|'')*'|\[[^]]*\]|--[^\n]*")
# What printf(), and the program's own templates, put values in the place of.
PLACE = re.compile(r"%%|%[-+ #0-9.*]*(?:hh|h|ll|l|z|j|t)?[a-zA-Z]")
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"|\'(?:[^\'\\]|\\.)*\'')
LINE = re.compile(r'^# (\d+) "([^"]*)".*$')
ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r"}


def _unescaped(text):
    def one(match):
        what = match.group(1)
        if what[:1] == b"x":
            return bytes((int(what[1:], 16) & 0xFF,))
        return bytes((int(what, 8) & 0xFF,)) if what[:1].isdigit() else ESCAPES.get(what, what)
    raw = re.sub(rb"\\(x[0-9a-fA-F]+|[0-7]{1,3}|.)", one, text.encode())
    return raw.decode("utf-8", "replace")


def _of_source(command, source):
    """{literal: "file:line"} of one source, macros included."""
    done = subprocess.run([*command, "-E", source], check=True, stdout=subprocess.PIPE, text=True)
    found, parts, place, ours, number = {}, [], None, False, 0

    def end():
        if parts:
            found.setdefault("".join(parts), place)
            parts.clear()
    for line in done.stdout.splitlines():
        marker = LINE.match(line)
        if marker:
            number, ours = int(marker.group(1)) - 1, marker.group(2).startswith("agent/")
            file = marker.group(2)
            continue
        number += 1
        if not ours:
            continue
        at = 0
        for match in LITERAL.finditer(line):
            if line[at:match.start()].strip():
                end()
            at = match.end()
            if match.group(1) is not None:
                place = place if parts else f"{file}:{number}"
                parts.append(_unescaped(match.group(1)))
        if line[at:].strip():
            end()
    end()
    return found


def statements(command):
    """{T-SQL literal: "file:line"} of all sources; `command` is the compiler with its flags."""
    found = {}
    for source in sorted(glob.glob("agent/**/*.c", recursive=True)):
        if not source.startswith(OTHER_DIALECT):
            found.update(_of_source(command, source))
    return {text: place for text, place in found.items() if is_statement(text) and not place.startswith(OTHER_DIALECT)}


def is_statement(text):
    bare = QUOTED.sub(" ", text)
    return bool(STATEMENT.search(bare)) and not SENTENCE.search(bare)


def spaces(text):
    return re.sub(r"\s+", " ", text)


def contains(batch, pieces):
    """All of them, in their order, with anything between them: where values stand in the literal."""
    at = 0
    for piece in pieces:
        at = batch.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True


def missing(literals, batches):
    """Those that no batch contains."""
    batches = [spaces(batch) for batch in batches]
    left = {}
    for text, place in literals.items():
        pieces = [spaces(piece) for piece in PLACE.split(text.strip())]
        if not any(contains(batch, pieces) for batch in batches):
            left[text] = place
    return left


def compiler():
    flags = subprocess.run(["make", "-s", "flags"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    return [os.environ.get("CC", "cc").split()[0], *(flag.replace("'", "") for flag in flags)]
