"""Bound expressions, and the type that results from two types."""
from .collations import COERCIBLE
from .errors import error
from .sqltypes import BINARIES, INTS, NUMBERS, STRINGS

class Bound:
    """A bound expression: SQLite's text, type, collation label, a column's own name."""
    __slots__ = ("sql", "type", "label", "name", "nullable")

    def __init__(self, sql, type_, label=COERCIBLE, name="", nullable=True):
        self.sql, self.type, self.label, self.name = sql, type_, label, name
        self.nullable = nullable


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
