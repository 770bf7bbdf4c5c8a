"""What the manual says of the JSON of each command: the members of its objects, as `{ a b c }` in the items about the command."""

import functools
import json
import os
import re

MANUAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "man", "curfew.8")
# An item of several commands names them all: "accept , adopt , clock Fl -reset , notice Cm test".
ITEM = re.compile(r"^\.It Cm ([^\n]*)\n(.*?)(?=^\.(?:It Cm|S[hs]) )", re.M | re.S)
SHAPE = re.compile(r"^\.Ql \{ ([a-z_ ]+) \}", re.M)
# "what schedule has of a grant", "as apply has it but for files"
OTHER = re.compile(r"^\.Cm ([a-z-]+)\nha(?:s|ve)\b(?:[^.\n]* but for\n\.Ql (\w+))?", re.M)
# What apply prints is said of plan.
SAME = {"apply": "plan"}


def _items():
    with open(MANUAL, encoding="utf-8") as file:
        text = file.read()
    for heads, body in ITEM.findall(text):
        for head in heads.split(" , "):
            name = re.match(r"[a-z-]+", head)
            if name:
                yield name[0], body


ITEMS = list(_items())


@functools.cache
def shapes(command, others=True):
    """The members of each object, as a set; with those of the commands to which the manual refers."""
    found = set()
    for name, body in ITEMS:
        if name not in (command, SAME.get(command)):
            continue
        found |= {frozenset(words.split()) for words in SHAPE.findall(body)}
        if others:
            for other, without in OTHER.findall(body):
                found |= {shape - {without} for shape in shapes(other, False)}
    return found


def objects(value):
    """Every object in a value, with the member that holds it."""
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        if isinstance(inner, dict):
            yield name, inner
        yield from objects(inner)


def used(command, found):
    """The shapes that an object has all members of, if it has no member beside; else None."""
    members = set(found)
    whole = {shape for shape in shapes(command) if shape <= members}
    return whole if set().union(*whole) == members else None


def everything(value):
    """The value itself, if it is an object, and every object in it."""
    return [found for _, found in [*([("", value)] if isinstance(value, dict) else []), *objects(value)] if found]


def undocumented(command, value):
    """The members of each object that the manual does not describe."""
    return sorted({" ".join(sorted(found)) for found in everything(value) if used(command, found) is None})


def require(command, out):
    """Whatever any test asks for as JSON is described."""
    found = undocumented(command, json.loads(out)) if out.strip() else []
    if found:
        raise AssertionError(f"curfew(8) does not describe these objects of `curfew {command} --json`: {found}")
