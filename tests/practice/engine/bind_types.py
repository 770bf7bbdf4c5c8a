"""Bound expressions and how values of two types come together."""
import re

from .errors import error
from .sqltypes import BINARIES, INTS, NUMBERS, STRINGS

_COLLATION = re.compile(r"(SQL_)?Latin1_General(_CP1|_CP1251|_100|_140)?_(BIN2?|C[IS]_A[IS](_KS)?(_WS)?"
                        r"(_SC)?(_UTF8)?)$", re.I)


class Bound:
    """A bound expression: SQLite's text, type, explicit collation, a column's own name."""
    __slots__ = ("sql", "type", "collation", "name", "nullable")

    def __init__(self, sql, type_, collation="", name="", nullable=True):
        self.sql, self.type, self.collation, self.name = sql, type_, collation, name
        self.nullable = nullable


def collation_named(name):
    """The SQLite collation that stands for a T-SQL one: CI, or RTRIM for binary and CS."""
    if name.upper() in ("DATABASE_DEFAULT", "CATALOG_DEFAULT"):
        return "CI"
    m = _COLLATION.match(name)
    if not m:
        raise error(448, name=name)
    return "RTRIM" if "_BIN" in name.upper() or "_CS_" in name.upper() else "CI"


def family(t):
    if t.name in STRINGS:
        return "string"
    if t.name in NUMBERS:
        return "number"
    if t.name in BINARIES:
        return "binary"
    return t.name if t.name in ("null", "sql_variant", "uniqueidentifier") else "date"


def convert_sql(sql, t_from, t, style="NULL", attempt=False):
    f = "try_convert_value" if attempt else "convert_value"
    return (f"{f}({sql}, '{t_from.name}', {t_from.scale}, '{t.name}', {t.size}, {t.precision}, "
            f"{t.scale}, {style})")


def typed_compatible(bound, t):
    """The expression's SQL, converted when its family differs from that of `t`."""
    return coerce(bound.sql, bound.type, t)


def coerce(sql, t_from, t):
    a, b = family(t_from), family(t)
    if "null" in (a, b) or "sql_variant" in (a, b):
        return sql
    if a == b and a != "date" and not (a == "number" and t.name in INTS and t_from.name not in INTS):
        return sql
    if t_from.name == t.name:
        return sql
    if a == "string" and b == "binary":
        raise error(257, source=t_from.name, target=t.name)
    if a == "binary" and b == "date":
        raise error(206, source=t_from.name, target=t.name)
    return convert_sql(sql, t_from, t)
