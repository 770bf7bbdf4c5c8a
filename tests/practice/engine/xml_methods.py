"""XML methods on text: value, query and exist, for plain paths such as (/EVENT_INSTANCE/ObjectName)[1]."""
import re
import xml.etree.ElementTree as ElementTree

from .events import SqlError
from .functions import function, strict
from .sqltypes import INT, NMAX

METHODS = ("value", "query", "exist")
_PATH = re.compile(r"\s*\(?\s*(?:data\()?\s*((?:/[\w.]+)+)(?:/text\(\))?\s*\)?\s*\)?\s*(?:\[(\d+)\])?\s*$")


def _found(text, path):
    """All elements of a path, of which `[n]` keeps one."""
    m = _PATH.match(path)
    if not m:
        raise SqlError(2217, f"XQuery: the practice server does not know the path '{path}'.", 16)
    try:
        root = ElementTree.fromstring(f"<r>{text}</r>")
    except ElementTree.ParseError as e:
        raise SqlError(9400, f"XML parsing: {e}", 16) from None
    found = root.findall("." + m.group(1))
    return found[int(m.group(2)) - 1:int(m.group(2))] if m.group(2) else found


@function("XML_VALUE", 2, 2, NMAX)
@strict
def _value(env, text, path):
    found = _found(text, path)
    return "".join(found[0].itertext()) if found else None


@function("XML_QUERY", 2, 2, NMAX)
@strict
def _query(env, text, path):
    return "".join(ElementTree.tostring(e, encoding="unicode") for e in _found(text, path))


@function("XML_EXIST", 2, 2, INT)
@strict
def _exist(env, text, path):
    return int(bool(_found(text, path)))
