"""Built-in functions: a table of name, argument count, type, and either SQL or Python."""
import hashlib
import os
import random
import re
import uuid
from dataclasses import dataclass

from . import utf16
from .catalogue import now_text
from .events import SqlError
from .sqltypes import (BIGINT, DATETIME, DATETIME2, FLOAT, INT, NMAX, OFFSET, T, UID, VMAX,
                       date_parts, date_text, is_string, widest)
from .utf16 import cut, find, units


@dataclass
class Function:
    low: int
    high: int
    returns: object
    python: object = None
    build: object = None


TABLE = {}
GLOBALS = {}


def function(name, low, high, returns):
    def keep(python):
        TABLE[name] = Function(low, high, returns, python)
        return python
    return keep


def _same(*types):
    t = types[0]
    return t if is_string(t) else T("nvarchar", 4000)


def _long(*types):
    base = "nvarchar" if types and types[0].name.startswith("n") else "varchar"
    return T(base, -1 if types and types[0].size == -1 else 4000 if base[0] == "n" else 8000)


def _widest(*types):
    return widest(types)


def _register_sql():
    from .bind_types import coerce, convert_sql

    def joined(name):
        def build(binder, args, t):
            return f"{name}({', '.join(coerce(a.sql, a.type, t) for a in args)})"
        return build

    def isnull(binder, args, t):
        a, b = args
        return f"ifnull({a.sql}, {convert_sql(b.sql, b.type, t) if b.type != t else b.sql})"

    def nullif(binder, args, t):
        left, right, coll = binder._pair(*args)
        return f"(CASE WHEN {left}{coll} = {right} THEN NULL ELSE {args[0].sql} END)"

    TABLE["COALESCE"] = Function(2, 99, _widest, build=joined("coalesce"))
    TABLE["ISNULL"] = Function(2, 2, lambda a, b: b if a.name == "null" else a, build=isnull)
    TABLE["NULLIF"] = Function(2, 2, lambda a, b: a, build=nullif)
    TABLE["ABS"] = Function(1, 1, lambda a: a, build=lambda b, a, t: f"abs({a[0].sql})")

    def len_(binder, args, t):
        """Under a collation with supplementary characters a surrogate pair counts once."""
        a = args[0]
        pairs = re.search("_SC|_140_", a.label.name or binder.env.batch_collation)
        return f"call('{'POINTS' if pairs else 'UNITS'}', rtrim({coerce(a.sql, a.type, NMAX)}, ' '))"
    TABLE["LEN"] = Function(1, 1, INT, build=len_)

    def datalength(binder, args, t):
        a = args[0]
        if a.type.name.startswith("n") and is_string(a.type):
            return f"(call('UNITS', {a.sql}) * 2)"
        fixed = {"int": 4, "bigint": 8, "smallint": 2, "tinyint": 1, "bit": 1, "datetime": 8,
                 "uniqueidentifier": 16}.get(a.type.name)
        return f"(CASE WHEN {a.sql} IS NULL THEN NULL ELSE {fixed} END)" if fixed else \
            f"length({a.sql})"
    TABLE["HASHBYTES"] = Function(2, 2, T("varbinary", 8000), build=lambda b, a, t: (
        f"call('HASHBYTES_OF', {a[0].sql}, {a[1].sql}, {int(a[1].type.name.startswith('n'))})"))
    TABLE["DATALENGTH"] = Function(1, 1, INT, build=datalength)


def text(value):
    return value if isinstance(value, str) else None if value is None else \
        utf16.decode(value[:len(value) // 2 * 2]) if isinstance(value, bytes) else str(value)


def strict(f):
    """NULL in, NULL out."""
    return lambda env, *args: None if any(a is None for a in args) else f(env, *args)


for _name, _high, _type, _f in (
        ("LOWER", 1, _same, lambda e, s: text(s).lower()),
        ("UPPER", 1, _same, lambda e, s: text(s).upper()),
        ("LTRIM", 1, _same, lambda e, s: text(s).lstrip(" ")),
        ("RTRIM", 1, _same, lambda e, s: text(s).rstrip(" ")),
        ("TRIM", 1, _same, lambda e, s: text(s).strip(" ")),
        ("REVERSE", 1, _same, lambda e, s: text(s)[::-1]),
        ("UNICODE", 1, INT, lambda e, s: int.from_bytes(utf16.encode(text(s))[:2], "little") if s else None),
        ("ASCII", 1, INT, lambda e, s: ord(text(s)[0]) if s else None),
        ("NCHAR", 1, T("nvarchar", 1), lambda e, i: utf16.inside(chr(
            int.from_bytes(i, "big") if isinstance(i, bytes) else i))),
        ("CHAR", 1, T("varchar", 1), lambda e, i: chr(i) if 0 <= i < 256 else None),
        ("SPACE", 1, VMAX, lambda e, i: " " * i),
        ("ISNUMERIC", 1, INT, lambda e, s: int(bool(re.fullmatch(r"\s*[+-]?\d+(\.\d*)?\s*", text(s))))),
):
    TABLE[_name] = Function(1, _high, _type, strict(_f))


# Helpers of LEN and DATALENGTH.
TABLE["POINTS"] = Function(1, 1, INT, strict(lambda e, s: len(text(s))))
TABLE["UNITS"] = Function(1, 1, INT, strict(lambda e, s: units(text(s))))


@function("REPLACE", 3, 3, _long)
@strict
def _replace(env, s, old, new):
    return re.sub(re.escape(text(old)), lambda m: text(new), text(s), flags=re.I) if old else s


@function("REPLACE_EXACT", 3, 3, _long)
@strict
def _replace_exact(env, s, old, new):
    return text(s).replace(text(old), text(new)) if old else s


@function("SUBSTRING", 3, 3, lambda a, b, c: a)
@strict
def _substring(env, s, start, length):
    if length < 0:
        raise SqlError(537, "Invalid length parameter passed to the LEFT or SUBSTRING function.", 16,
                       3)
    end = start - 1 + length
    start, end = max(start - 1, 0), max(end, 0)
    return s[start:end] if isinstance(s, bytes) else cut(text(s), start, end)


@function("STUFF", 4, 4, _long)
@strict
def _stuff(env, s, start, length, new):
    return cut(text(s), 0, start - 1) + text(new) + cut(text(s), start - 1 + length)


TABLE["LEFT"] = Function(2, 2, _same, strict(lambda e, s, k: cut(text(s), 0, max(k, 0))))
TABLE["RIGHT"] = Function(2, 2, _same, strict(
    lambda e, s, k: cut(text(s), max(units(text(s)) - k, 0)) if k > 0 else ""))
TABLE["REPLICATE"] = Function(2, 2, _long, strict(lambda e, s, k: text(s) * max(k, 0)))
TABLE["CHARINDEX"] = Function(2, 3, INT, strict(
    lambda e, s, t, start=1: find(text(t).casefold(), text(s).casefold(), max(start - 1, 0)) + 1))
TABLE["CHARINDEX_EXACT"] = Function(2, 3, INT, strict(
    lambda e, s, t, start=1: find(text(t), text(s), max(start - 1, 0)) + 1))
TABLE["CONCAT"] = Function(2, 254, lambda *t: T("nvarchar", -1 if any(x.size == -1 for x in t)
                                               else 4000),
                           lambda e, *a: "".join("" if x is None else text(x) for x in a))


@function("CONCAT_WS", 3, 254, NMAX)
def _concat_ws(env, sep, *values):
    return (sep or "").join(text(v) for v in values if v is not None)


@function("QUOTENAME", 1, 2, T("nvarchar", 258))
@strict
def _quotename(env, s, quote="["):
    if units(text(s)) > 128:
        return None
    pair = {"[": "[]", "]": "[]", "'": "''", '"': '""', "(": "()", "<": "<>"}.get(quote[:1])
    return pair and pair[0] + text(s).replace(pair[1], pair[1] * 2) + pair[1]


@function("HASHBYTES_OF", 3, 3, T("varbinary", 8000))
@strict
def _hashbytes(env, algorithm, value, wide):
    name = {"SHA2_256": "sha256", "SHA2_512": "sha512", "SHA1": "sha1", "SHA": "sha1",
            "MD5": "md5"}.get(algorithm.upper())
    if name is None:
        return None
    data = value if isinstance(value, bytes) else utf16.encode(str(value)) if wide else \
        str(value).encode("cp1252", "replace")
    return hashlib.new(name, data).digest()


TABLE["NEWID"] = Function(0, 0, UID, lambda e: str(uuid.uuid4()).upper())
# https://learn.microsoft.com/sql/t-sql/functions/crypt-gen-random-transact-sql: NULL for a length that it does not take.
TABLE["CRYPT_GEN_RANDOM"] = Function(1, 1, T("varbinary", 8000), lambda e, length: (
    os.urandom(length) if length is not None and 1 <= length <= 8000 else None))
TABLE["RAND"] = Function(0, 1, FLOAT, lambda e, s=None: random.random())
for _name in ("GETDATE", "GETUTCDATE", "CURRENT_TIMESTAMP"):
    TABLE[_name] = Function(0, 0, DATETIME, lambda e: now_text())
for _name in ("SYSDATETIME", "SYSUTCDATETIME"):
    TABLE[_name] = Function(0, 0, DATETIME2, lambda e: now_text("datetime2"))
TABLE["SYSDATETIMEOFFSET"] = Function(0, 0, OFFSET, lambda e: now_text("datetimeoffset"))
_PARTS = {"year": "year", "yy": "year", "yyyy": "year", "quarter": "quarter", "qq": "quarter",
          "month": "month", "mm": "month", "m": "month", "day": "day", "dd": "day", "d": "day",
          "week": "week", "wk": "week", "ww": "week", "hour": "hour", "hh": "hour",
          "minute": "minute", "mi": "minute", "n": "minute", "second": "second", "ss": "second",
          "s": "second", "millisecond": "millisecond", "ms": "millisecond",
          "microsecond": "microsecond", "mcs": "microsecond", "dayofyear": "dayofyear",
          "dy": "dayofyear", "weekday": "weekday", "dw": "weekday"}


def _part(word):
    if word not in _PARTS:
        raise SqlError(155, f"'{word}' is not a recognized dateadd option.", 15, aborts=True)
    return _PARTS[word]


def _instant(value):
    parts = date_parts(str(value))
    if parts is None:
        raise SqlError(241, "Conversion failed when converting date and/or time from character "
                            "string.", 16, aborts=True)
    return parts


def _datetype(part, count, t):
    return DATETIME if is_string(t) or t.name == "null" else t


@function("DATEADD", 3, 3, _datetype)
@strict
def _dateadd(env, part, count, value):
    import datetime
    part, (base, ticks, offset) = _part(part), _instant(value)
    count = int(count)
    try:
        if part in ("year", "quarter", "month"):
            months = base.year * 12 + base.month - 1 + count * {"year": 12, "quarter": 3}.get(part, 1)
            year, month = divmod(months, 12)
            last = (datetime.date(year + month // 11, (month + 1) % 12 + 1, 1)
                    - datetime.timedelta(days=1)).day
            base = base.replace(year=year, month=month + 1, day=min(base.day, last))
        else:
            unit = {"day": 86400, "dayofyear": 86400, "weekday": 86400, "week": 604800, "hour": 3600,
                    "minute": 60, "second": 1, "millisecond": 1e-3, "microsecond": 1e-6}[part]
            total = ticks + round(count * unit * 10 ** 7)
            base, ticks = base + datetime.timedelta(seconds=total // 10**7), total % 10**7
    except (OverflowError, ValueError):
        raise SqlError(517, "Adding a value to a 'datetime' column caused an overflow.", 16,
                       aborts=True) from None
    kind = DATETIME2 if len(str(value)) > 12 else T("date")
    if offset:
        kind = OFFSET
    return date_text(kind if kind.name != "date" else DATETIME2, base, ticks, offset)


def _diff(env, part, a, b):
    part, (x, xt, _), (y, yt, _) = _part(part), _instant(a), _instant(b)
    if part == "year":
        return y.year - x.year
    if part in ("month", "quarter"):
        k = 3 if part == "quarter" else 1
        return (y.year * 12 + y.month - 1) // k - (x.year * 12 + x.month - 1) // k
    if part in ("millisecond", "microsecond"):
        per = 10000 if part == "millisecond" else 10
        import datetime
        epoch = datetime.datetime(1970, 1, 1)
        return ((int((y - epoch).total_seconds()) * 10**7 + yt) // per
                - (int((x - epoch).total_seconds()) * 10**7 + xt) // per)
    unit = {"day": 86400, "dayofyear": 86400, "weekday": 86400, "week": 604800, "hour": 3600,
            "minute": 60, "second": 1}[part]
    sx, sy = (int((v - v.min).total_seconds()) // unit for v in (x, y))
    return sy - sx


@function("DATEDIFF", 3, 3, INT)
@strict
def _datediff(env, part, a, b):
    value = _diff(env, part, a, b)
    if not -2**31 <= value < 2**31:
        raise SqlError(535, "The datediff function resulted in an overflow. The number of dateparts "
                            "separating two date/time instances is too large. Try to use datediff with"
                            " a less precise datepart.", 16, aborts=True)
    return value


TABLE["DATEDIFF_BIG"] = Function(3, 3, BIGINT, strict(_diff))


@function("DATEPART", 2, 2, INT)
@strict
def _datepart(env, part, value):
    part, (base, ticks, _) = _part(part), _instant(value)
    return {"quarter": (base.month + 2) // 3, "dayofyear": base.timetuple().tm_yday,
            "weekday": base.isoweekday() % 7 + 1, "millisecond": ticks // 10**4,
            "microsecond": ticks // 10, "week": int(base.strftime("%U")) + 1}.get(
                part, getattr(base, part, 0))


for _name in ("YEAR", "MONTH", "DAY"):
    TABLE[_name] = Function(1, 1, INT, strict(
        lambda e, v, k=_name.lower(): getattr(_instant(v)[0], k)))

