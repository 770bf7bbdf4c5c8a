"""Collations: their names, how text compares under them, and the labels that expressions carry.

Explicit beats implicit (a column), which beats coercible-default (a literal, a variable). Two different
implicit ones make No-collation, which only an explicit one can mend.
"""
import re
import unicodedata
from dataclasses import dataclass

from .errors import error

# Collation of columns whose values the product defines.
FIXED = "Latin1_General_CI_AS_KS_WS"
DEFAULT = "SQL_Latin1_General_CP1_CI_AS"
# Collation of all names in a contained database.
CONTAINED = "Latin1_General_100_CI_AS_KS_WS_SC"
_FAMILIES = ("Latin1_General", "Turkish", "French", "Greek", "Polish", "Czech", "Hungarian",
             "German_PhoneBook", "Modern_Spanish", "Finnish_Swedish", "Danish_Norwegian",
             "Cyrillic_General", "Japanese", "Japanese_XJIS", "Chinese_PRC", "Korean_Wansung")
_NAME = re.compile(r"(SQL_)?(" + "|".join(_FAMILIES) + r")(_CP\d+)?(_90|_100|_140)?"
                   r"_(BIN2?|C[IS]_A[IS](_KS)?(_WS)?(_SC)?)(_UTF8)?$", re.I)


def canonical(name):
    """The collation's name as the product writes it; 448 when there is none of that name."""
    m = _NAME.match(name)
    if not m:
        raise error(448, name=name)
    sql, family, *rest = m.groups()
    known = next(f for f in _NAME.pattern.split("(")[2].rstrip("|)").split("|") + [family]
                 if f.casefold() == family.casefold())
    return ("SQL_" if sql else "") + known + name[m.end(2):].upper()


def physical(name):
    """The name of the SQLite collation that compares as this one does; RTRIM is binary."""
    upper = name.upper()
    if "_BIN" in upper or "_CS_" in upper:
        return "RTRIM"
    if "TURKISH" in upper:
        return "TR"
    return "AI" if "_AI" in upper else "CI"


def is_exact(name):
    """Whether upper and lower case differ under it."""
    return physical(name) == "RTRIM"


def _turkish(text):
    return text.replace("I", "ı").replace("İ", "i").casefold()


def _plain(text):
    apart = unicodedata.normalize("NFD", text.casefold())
    return "".join(c for c in apart if not unicodedata.combining(c))


_KEYS = {"RTRIM": str, "TR": _turkish, "AI": _plain, "CI": str.casefold}


def folding(name):
    """The function that gives two names the same key when the collation calls them equal."""
    key = _KEYS[physical(name)]
    return lambda text: key(text.rstrip(" "))


def register(sqlite):
    def comparing(key):
        def compare(a, b):
            if a == b:
                return 0
            a, b = key(a.rstrip(" ")), key(b.rstrip(" "))
            return (a > b) - (a < b)
        return compare
    for name in ("CI", "TR", "AI"):
        sqlite.create_collation(name, comparing(_KEYS[name]))


# ---- labels ------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Label:
    kind: str = "coercible"     # coercible, implicit, explicit or none
    name: str = ""
    other: str = ""             # none: the second collation, and the operator under which they met
    operator: str = ""


COERCIBLE = Label()


def implicit(name):
    return Label("implicit", name) if name else COERCIBLE


def as_column(label):
    """What a column of a derived table or view carries: nothing explicit comes out of one."""
    return Label("implicit", label.name) if label.kind == "explicit" else label


def joined(operator, labels):
    """The label of what an operator makes of operands with these."""
    out = COERCIBLE
    for label in labels:
        if label.kind == "coercible" or label == out:
            continue
        if out.kind == "explicit" and label.kind == "explicit":
            raise error(449, a=out.name, b=label.name)
        if out.kind == "coercible" or label.kind == "explicit":
            out = label
        elif out.kind == "implicit" and label.kind == "none":
            out = label
        elif out.kind == label.kind == "implicit":
            out = Label("none", out.name, label.name, operator)
    return out


def settled(operator, labels):
    """As joined(), for an operator that needs one collation: 446 and 468 where there is none."""
    for label in labels:
        if label.kind == "none" and not any(x.kind == "explicit" for x in labels):
            raise error(446, a=label.name, b=label.other, inner=label.operator, operator=operator)
    out = joined(operator, labels)
    if out.kind == "none":
        raise error(468, a=out.name, b=out.other, operator=operator)
    return out


def shown(label, statement, column):
    """451 for a column of a result that has no collation."""
    if label.kind == "none":
        raise error(451, a=label.name, b=label.other, operator=label.operator, statement=statement,
                    column=column)
