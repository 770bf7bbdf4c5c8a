"""SQL types, how their values are stored in SQLite, and every conversion between them.

Stored form: integers and bit as int; decimal, money, float as float (int when whole and scale 0);
character types as str; binary types as bytes; dates as text of fixed shape, so that they compare.
"""
import datetime
import decimal
import re
import uuid
from dataclasses import dataclass

from .events import SqlError
from . import utf16
from .utf16 import cut, units


@dataclass(frozen=True)
class T:
    name: str
    size: int = 0
    precision: int = 0
    scale: int = 0

    def shown(self):
        if self.name in ("nvarchar", "varchar", "varbinary", "nchar", "char", "binary"):
            return f"{self.name}({'max' if self.size == -1 else self.size})"
        return self.name


BIT, TINYINT, SMALLINT, INT, BIGINT = T("bit"), T("tinyint"), T("smallint"), T("int"), T("bigint")
FLOAT, DATETIME, DATE, UID = T("float"), T("datetime"), T("date"), T("uniqueidentifier")
DATETIME2, OFFSET, VARIANT, NULL = (T("datetime2", 0, 0, 7), T("datetimeoffset", 0, 0, 7),
                                    T("sql_variant"), T("null"))
SYSNAME, NMAX, VMAX, SID = T("nvarchar", 128), T("nvarchar", -1), T("varchar", -1), T("varbinary", 85)
BMAX = T("varbinary", -1)
STRINGS = {"nvarchar", "varchar", "nchar", "char", "text", "ntext", "xml"}
INTS = {"bit", "tinyint", "smallint", "int", "bigint"}
NUMBERS = INTS | {"decimal", "numeric", "money", "smallmoney", "float", "real"}
BINARIES = {"varbinary", "binary", "image", "timestamp"}
DATES = {"datetime", "datetime2", "smalldatetime", "date", "time", "datetimeoffset"}
RANGES = {"bit": (0, 1), "tinyint": (0, 255), "smallint": (-2**15, 2**15 - 1),
          "int": (-2**31, 2**31 - 1), "bigint": (-2**63, 2**63 - 1)}
# The higher wins where two types meet, as in the product's table of precedence.
RANK = {n: i for i, n in enumerate(
    "null binary varbinary image timestamp char varchar nchar nvarchar text ntext uniqueidentifier "
    "bit tinyint smallint int bigint smallmoney money decimal numeric real float time date "
    "smalldatetime datetime datetime2 datetimeoffset xml sql_variant".split())}
TYPE_IDS = {"image": 34, "text": 35, "uniqueidentifier": 36, "date": 40, "time": 41, "datetime2": 42,
            "datetimeoffset": 43, "tinyint": 48, "smallint": 52, "int": 56, "smalldatetime": 58,
            "real": 59, "money": 60, "datetime": 61, "float": 62, "sql_variant": 98, "ntext": 99,
            "bit": 104, "decimal": 106, "numeric": 108, "smallmoney": 122, "bigint": 127,
            "varbinary": 165, "varchar": 167, "binary": 173, "char": 175, "timestamp": 189,
            "nvarchar": 231, "nchar": 239, "xml": 241, "sysname": 231}


def type_named(name, args=(), line=0):
    """The type written `name(args)`; 2715 when there is none of that name, -1 stands for max."""
    n = {"integer": "int", "dec": "decimal", "double": "float", "character": "char",
         "rowversion": "timestamp"}.get(name.lower(), name.lower())
    if n == "sysname":
        return SYSNAME
    if n not in TYPE_IDS:
        raise SqlError(2715, f"Column, parameter, or variable: Cannot find data type {name}.", 16,
                       line=line, aborts=True)
    if n in ("nvarchar", "varchar", "varbinary", "nchar", "char", "binary"):
        size = args[0] if args else 1
        if size != -1 and (size < 1 or size > (4000 if n[0] == "n" else 8000)):
            raise SqlError(131, f"The size ({size}) given to the type '{n}' exceeds the maximum "
                                f"allowed ({4000 if n[0] == 'n' else 8000}).", 15, line=line)
        return T(n, size)
    if n in ("decimal", "numeric"):
        return T(n, 0, args[0] if args else 18, args[1] if len(args) > 1 else 0)
    if n in ("datetime2", "time", "datetimeoffset"):
        return T(n, 0, 0, args[0] if args else 7)
    return T(n)


def is_string(t):
    return t.name in STRINGS


def widest(types):
    """The type in which values of all `types` meet."""
    best = NULL
    for t in types:
        if RANK[t.name] > RANK[best.name]:
            small, big = best, t
        else:
            small, big = t, best
        if (is_string(big) or big.name in BINARIES) and small.name != "null":
            size = -1 if -1 in (small.size, big.size) else max(small.size, big.size)
            big = T(big.name, size)
        best = big
    return best


def _fail(value, t_from, t_to):
    if t_to.name in INTS:
        return SqlError(245, f"Conversion failed when converting the {t_from.name} value '{value}' "
                             f"to data type {t_to.name}.", 16, aborts=True)
    if t_to.name in DATES:
        return SqlError(241, "Conversion failed when converting date and/or time from character "
                             "string.", 16, aborts=True)
    if t_to.name == "uniqueidentifier":
        return SqlError(8169, "Conversion failed when converting from a character string to "
                              "uniqueidentifier.", 16, 2, aborts=True)
    return SqlError(8114, f"Error converting data type {t_from.name} to {t_to.name}.", 16, 5,
                    aborts=True)


_DATE = re.compile(r"\s*(\d{4})-?(\d\d)-?(\d\d)(?:[T ]+(\d\d?):(\d\d)(?::(\d\d)(?:[.](\d{1,9}))?)?)?"
                   r"\s*(Z|[+-]\d\d:\d\d)?\s*$")
_TIME = re.compile(r"\s*(\d\d?):(\d\d)(?::(\d\d)(?:[.](\d{1,9}))?)?\s*$")


def date_parts(text):
    """(datetime, 100-nanosecond ticks of the second, offset text) of a date's text; None if bad."""
    m, offset = _DATE.match(text), ""
    if m:
        y, mo, d, h, mi, s, f, offset = m.groups()
    else:
        m = _TIME.match(text)
        if not m:
            return None
        (h, mi, s, f), (y, mo, d) = m.groups(), (1900, 1, 1)
    try:
        base = datetime.datetime(int(y), int(mo), int(d), int(h or 0), int(mi or 0), int(s or 0))
    except ValueError:
        return None
    return base, int((f or "0").ljust(7, "0")[:7]), offset or ""


_SEPARATED = re.compile(r"\s*(\d{4})-(\d\d)-(\d\d)( .*)?$")


def by_date_format(text, order):
    """A date with separators as datetime reads it: where days come first, as year, day, month."""
    m = _SEPARATED.match(text)
    if not m or not order.startswith("d"):
        return text
    year, day, month, rest = m.groups()
    if int(month) > 12:
        raise SqlError(242, "The conversion of a varchar data type to a datetime data type resulted in an "
                            "out-of-range value.", 16, 3, aborts=True)
    return f"{year}-{month}-{day}{rest or ''}"


def date_text(t, base, ticks=0, offset=""):
    """The stored form of an instant, rounded to what type `t` keeps."""
    if t.name == "datetime":
        ticks = round(ticks * 3 / 100000) * 100000 // 3     # 1/300 second
        ticks = (ticks + 5000) // 10000 * 10000
    elif t.name == "smalldatetime":
        base, ticks = base + datetime.timedelta(seconds=30), 0
        base = base.replace(second=0)
    elif t.name in ("datetime2", "datetimeoffset", "time"):
        unit = 10 ** (7 - t.scale)
        ticks = (ticks + unit // 2) // unit * unit
    if ticks >= 10 ** 7:
        base, ticks = base + datetime.timedelta(seconds=1), 0
    if t.name == "date":
        return base.strftime("%Y-%m-%d").rjust(10, "0")
    if t.name == "time":
        return base.strftime("%H:%M:%S") + f".{ticks:07d}"
    text = f"{base.year:04d}-" + base.strftime("%m-%d %H:%M:%S") + f".{ticks:07d}"
    return text + (" " + (offset if offset and offset != "Z" else "+00:00")
                   if t.name == "datetimeoffset" else "")


def _to_text(value, t, style, wide=False):
    if isinstance(value, bytes):
        if style == 1:
            return "0x" + value.hex().upper()
        if style == 2:
            return value.hex().upper()
        return utf16.decode(value[:len(value) // 2 * 2]) if wide else value.decode("latin-1")
    if t.name in ("datetime", "datetime2", "smalldatetime", "datetimeoffset"):
        base, ticks, offset = date_parts(value)
        if style in (120, 20):
            return value[:19]
        if style in (121, 21, 25):
            return value[:23] if t.name == "datetime" else value
        if style in (126, 127):
            frac = value[19:23] if t.name == "datetime" else value[19:27]
            frac = "" if not frac.strip(".0") else frac
            return value[:10] + "T" + value[11:19] + frac + ("Z" if style == 127 else "")
        if style == 112:
            return value[:10].replace("-", "")
        if style == 23:
            return value[:10]
        if t.name in ("datetime", "smalldatetime"):
            return (base.strftime("%b ") + f"{base.day:2d} {base.year} " +
                    f"{(base.hour + 11) % 12 + 1:2d}:{base.minute:02d}" + base.strftime("%p"))
        return value
    if t.name == "date" and style == 112:
        return value.replace("-", "")
    if t.name in ("decimal", "numeric"):
        return f"{value:.{t.scale}f}"
    if t.name in ("money", "smallmoney"):
        return f"{value:.2f}"
    if t.name in ("float", "real"):
        return f"{value:.6g}"
    return str(value)


def _binary(value, t_from, t, style):
    if isinstance(value, str):
        if style in (1, 2):
            digits = value[2:] if style == 1 and value[:2].lower() == "0x" else value
            if style == 1 and value[:2].lower() != "0x":
                raise _fail(value, t_from, t)
            try:
                value = bytes.fromhex(digits)
            except ValueError:
                raise _fail(value, t_from, t) from None
        elif t_from.name == "uniqueidentifier":
            value = uuid.UUID(value).bytes_le
        else:
            value = utf16.encode(value) if t_from.name[0] == "n" else value.encode("latin-1", "replace")
    elif isinstance(value, (int, float)):
        width = {"bigint": 8, "smallint": 2, "tinyint": 1, "bit": 1}.get(t_from.name, 4)
        value = (int(value) & (256 ** width - 1)).to_bytes(width, "big")
        if t.size not in (-1, 0) and t.name == "binary":
            value = value[-t.size:].rjust(t.size, b"\0")
    return value


def convert(value, t_from, t, style=None):
    """`value` of type `t_from` as a stored value of type `t`; raises the product's errors."""
    if value is None or t.name in ("sql_variant", "null"):
        return value
    if t.name in STRINGS:
        text = value if isinstance(value, str) and t_from.name not in DATES \
            else _to_text(value, t_from, style, t.name[0] == "n")
        if t.size not in (-1, 0):
            if units(text) > t.size and t_from.name in NUMBERS:
                if t_from.name in INTS:
                    return "*"
                raise SqlError(8115, f"Arithmetic overflow error converting {t_from.name} to data "
                                     f"type {t.name}.", 16, 5, aborts=True)
            text = cut(text, 0, t.size)
            if t.name in ("char", "nchar"):
                text += " " * (t.size - units(text))
        return text
    if t.name in BINARIES:
        value = _binary(value, t_from, t, style)
        if t.size not in (-1, 0):
            value = value[:t.size]
            if t.name == "binary":
                value = value.ljust(t.size, b"\0")
        return value
    if t.name in NUMBERS:
        return _number(value, t_from, t)
    if t.name in DATES:
        if isinstance(value, (int, float)):
            base = datetime.datetime(1900, 1, 1) + datetime.timedelta(days=value)
            return date_text(t, base.replace(microsecond=0), base.microsecond * 10)
        parts = date_parts(value) if isinstance(value, str) else None
        if not parts:
            if isinstance(value, str) and value.strip() == "":
                parts = (datetime.datetime(1900, 1, 1), 0, "")
            else:
                raise _fail(value, t_from, t)
        return date_text(t, *parts)
    if t.name == "uniqueidentifier":
        try:
            if isinstance(value, bytes):
                return str(uuid.UUID(bytes_le=value[:16].ljust(16, b"\0"))).upper()
            return str(uuid.UUID(value)).upper()
        except (ValueError, AttributeError):
            raise _fail(value, t_from, t) from None
    return value


def _number(value, t_from, t):
    if isinstance(value, bytes):
        value = int.from_bytes(value[-8:], "big", signed=len(value) >= 8)
    elif isinstance(value, str):
        text = value.strip()
        try:
            if t.name in INTS:
                if t.name == "bit" and text.lower() in ("true", "false"):
                    return int(text.lower() == "true")
                value = int(text) if text else 0
            else:
                value = float(text)
        except ValueError:
            raise _fail(value, t_from, t) from None
    if t.name == "bit":
        return int(value != 0)
    if t.name in INTS:
        value = int(value)
        low, high = RANGES[t.name]
        if not low <= value <= high:
            raise SqlError(8115 if t.name != "tinyint" else 220, "Arithmetic overflow error "
                           f"converting expression to data type {t.name}.", 16, 2, aborts=True)
        return value
    if t.name in ("decimal", "numeric"):
        value = round(float(value), t.scale)
        if abs(value) >= 10 ** (t.precision - t.scale):
            raise SqlError(8115, f"Arithmetic overflow error converting {t_from.name} to data type "
                                 f"{t.name}.", 16, 8, aborts=True)
        return int(value) if t.scale == 0 else value
    return float(value)


def to_python(value, t):
    """A stored value as the wire wants it."""
    if value is None:
        return None
    n = t.name
    if n == "bit":
        return bool(value)
    if n in INTS:
        return int(value)
    if n in ("decimal", "numeric", "money", "smallmoney"):
        scale = t.scale if n in ("decimal", "numeric") else 4
        return decimal.Decimal(repr(value)).quantize(decimal.Decimal(1).scaleb(-scale))
    if n in ("float", "real"):
        return float(value)
    if n in DATES and isinstance(value, str):
        base, ticks, offset = date_parts(value)
        base = base.replace(microsecond=ticks // 10)
        if n == "date":
            return base.date()
        if n == "time":
            return base.time()
        if n == "datetimeoffset":
            sign = -1 if offset.startswith("-") else 1
            delta = datetime.timedelta(hours=int(offset[1:3] or 0), minutes=int(offset[4:6] or 0))
            return base.replace(tzinfo=datetime.timezone(sign * delta))
        return base
    if n == "uniqueidentifier" and isinstance(value, str):
        return uuid.UUID(value)
    return value


def to_stored(value, t):
    """A Python value from outside (a parameter) in stored form of type `t`."""
    if isinstance(value, bool):
        value = int(value)
    elif isinstance(value, decimal.Decimal):
        value = float(value)
    elif isinstance(value, uuid.UUID):
        value = str(value).upper()
    elif isinstance(value, datetime.datetime):
        offset = value.strftime("%z")
        offset = f"{offset[:3]}:{offset[3:5]}" if offset else ""
        value = date_text(T("datetimeoffset" if offset else "datetime2", 0, 0, 7),
                          value.replace(microsecond=0, tzinfo=None), value.microsecond * 10, offset)
    elif isinstance(value, (datetime.date, datetime.time)):
        value = value.isoformat()
    return convert(value, type_of(value), t)


def type_of(value):
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BIT
    if isinstance(value, int):
        return INT if -2**31 <= value < 2**31 else BIGINT
    if isinstance(value, float):
        return FLOAT
    if isinstance(value, bytes):
        return BMAX
    return NMAX if units(value) > 4000 else T("nvarchar", max(units(value), 1))
