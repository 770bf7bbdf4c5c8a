"""SQL types on the wire: from a type and its size to TYPE_INFO and an encoder of values.

An encoder refuses (WireTypeError) a value that does not fit its declaration: SQL Server would
have truncated or refused it before, so such a value is a fault of the engine, never data.
"""

import datetime
import decimal
import struct
import uuid
from functools import lru_cache

from .tokens import COLLATION, ucs2

_INTEGERS = {"tinyint": (1, 0, 255), "smallint": (2, -2**15, 2**15 - 1),
             "int": (4, -2**31, 2**31 - 1), "bigint": (8, -2**63, 2**63 - 1)}
_STRINGS = {"nvarchar": 0xE7, "nchar": 0xEF, "varchar": 0xA7, "char": 0xAF,
            "varbinary": 0xA5, "binary": 0xAD}
# Older types, sent as their replacements, which clients handle in the same way.
_SUCCESSORS = {"sysname": ("nvarchar", 128), "timestamp": ("binary", 8), "text": ("varchar", -1),
               "ntext": ("nvarchar", -1), "xml": ("nvarchar", -1), "image": ("varbinary", -1)}
_PLP_NULL = b"\xFF" * 8
_EPOCH_DAYS = datetime.date(1900, 1, 1).toordinal()
_TIME_BYTES = (3, 3, 3, 4, 4, 5, 5, 5)


class WireTypeError(Exception):
    """A type that this server does not carry, or a value that its type cannot hold."""


def decimal_size(precision):
    return 5 if precision <= 9 else 9 if precision <= 19 else 13 if precision <= 28 else 17


# Values: each takes a value that is not None and returns its bytes without a length.

def _moment(value):
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value.strip())
    if isinstance(value, datetime.datetime):
        return value
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day)
    raise WireTypeError(f"{type(value).__name__} as a moment")


def datetime_bytes(value):
    value = _moment(value)
    if value.year < 1753:
        raise WireTypeError(f"datetime {value}")
    seconds = value.hour * 3600 + value.minute * 60 + value.second
    ticks = seconds * 300 + (value.microsecond * 3 + 5000) // 10000
    days = value.toordinal() - _EPOCH_DAYS
    if ticks == 86400 * 300:            # 23:59:59.999 rounds to the next day, as on SQL Server
        days, ticks = days + 1, 0
    return struct.pack("<iI", days, ticks)


def date_bytes(value):
    return (_moment(value).toordinal() - 1).to_bytes(3, "little")


def time_bytes(value, scale):
    if isinstance(value, str):
        value = datetime.time.fromisoformat(value)
    seconds = value.hour * 3600 + value.minute * 60 + value.second
    ticks = ((seconds * 1000000 + value.microsecond) * 10**scale) // 1000000
    return ticks.to_bytes(_TIME_BYTES[scale], "little")


def datetime2_bytes(value, scale):
    value = _moment(value)
    return time_bytes(value, scale) + date_bytes(value)


def datetimeoffset_bytes(value, scale):
    value = _moment(value)
    offset = value.utcoffset() or datetime.timedelta()
    utc = value.replace(tzinfo=None) - offset
    return datetime2_bytes(utc, scale) + struct.pack("<h", offset // datetime.timedelta(minutes=1))


def money_bytes(value):
    scaled = int((decimal.Decimal(str(value)) * 10000).to_integral_value(decimal.ROUND_HALF_UP))
    if not -2**63 <= scaled < 2**63:
        raise WireTypeError(f"{value} in money")
    return struct.pack("<iI", scaled >> 32, scaled & 0xFFFFFFFF)


def guid_bytes(value):
    return (value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))).bytes_le


def decimal_bytes(value, precision, scale):
    if isinstance(value, float):
        value = repr(value)
    with decimal.localcontext(decimal.Context(prec=80)) as context:
        context.rounding = decimal.ROUND_HALF_UP
        scaled = int(decimal.Decimal(value).scaleb(scale).to_integral_value())
    if abs(scaled) >= 10**precision:
        raise WireTypeError(f"{value} in decimal({precision},{scale})")
    size = decimal_size(precision) - 1
    return bytes((scaled >= 0,)) + abs(scaled).to_bytes(size, "little")


def _byte_length(convert):
    def encode(value):
        if value is None:
            return b"\0"
        raw = convert(value)
        return bytes((len(raw),)) + raw
    return encode


def _without_length(name, encode):
    def convert(value):
        if value is None:
            raise WireTypeError(f"NULL in {name} NOT NULL")
        return encode(value)[1:]
    return convert


def _integer(name):
    size, low, high = _INTEGERS[name]

    def convert(value):
        if isinstance(value, float) or not low <= value <= high:
            raise WireTypeError(f"{value!r} in {name}")
        return int(value).to_bytes(size, "little", signed=low < 0)
    return bytes((0x26, size)), _byte_length(convert)


def _bit(value):
    if value not in (0, 1):
        raise WireTypeError(f"{value!r} in bit")
    return bytes((int(value),))


def _raw(name, value):
    if name.endswith("binary"):
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise WireTypeError(f"{type(value).__name__} in {name}")
        return bytes(value)
    if not isinstance(value, str):
        raise WireTypeError(f"{type(value).__name__} in {name}")
    return ucs2(value) if name[0] == "n" else value.encode("cp1252", "replace")


def _string(name, size):
    collation = b"" if name.endswith("binary") else COLLATION
    unit = 2 if name[0] == "n" else 1
    if size == -1:
        def encode_max(value):
            if value is None:
                return _PLP_NULL
            raw = _raw(name, value)
            chunk = struct.pack("<I", len(raw)) + raw if raw else b""
            return struct.pack("<Q", len(raw)) + chunk + b"\0\0\0\0"
        return struct.pack("<BH", _STRINGS[name], 0xFFFF) + collation, encode_max
    limit = (size or 1) * unit
    if not 0 < limit <= 8000:
        raise WireTypeError(f"{name}({size})")
    fixed = "var" not in name
    pad = b"\0" if name == "binary" else b" \0" if unit == 2 else b" "

    def encode(value):
        if value is None:
            return b"\xFF\xFF"
        raw = _raw(name, value)
        if len(raw) > limit:
            raise WireTypeError(f"{len(raw) // unit} long value in {name}({limit // unit})")
        if fixed:
            raw += pad * ((limit - len(raw)) // unit)
        return struct.pack("<H", len(raw)) + raw
    return struct.pack("<BH", _STRINGS[name], limit) + collation, encode


def variant_encode(value):
    """sql_variant: the base type follows the Python value, as the catalogue functions need it."""
    if value is None:
        return b"\0\0\0\0"
    if isinstance(value, bool):
        body = b"\x32\0" + bytes((value,))
    elif isinstance(value, int):
        small = -2**31 <= value < 2**31
        body = (b"\x38\0" if small else b"\x7F\0") + value.to_bytes(4 if small else 8, "little",
                                                                    signed=True)
    elif isinstance(value, float):
        body = b"\x3E\0" + struct.pack("<d", value)
    elif isinstance(value, decimal.Decimal):
        scale = max(-value.as_tuple().exponent, 0)
        body = b"\x6C\x02" + bytes((38, scale)) + decimal_bytes(value, 38, scale)
    elif isinstance(value, str):
        raw = ucs2(value)
        body = b"\xE7\x07" + COLLATION + struct.pack("<H", min(max(len(raw), 2), 8000)) + raw
    elif isinstance(value, (bytes, bytearray)):
        body = b"\xA5\x02" + struct.pack("<H", max(len(value), 1)) + bytes(value)
    elif isinstance(value, uuid.UUID):
        body = b"\x24\0" + value.bytes_le
    elif isinstance(value, datetime.datetime):
        body = b"\x3D\0" + datetime_bytes(value)
    elif isinstance(value, datetime.date):
        body = b"\x28\0" + date_bytes(value)
    else:
        raise WireTypeError(f"{type(value).__name__} in sql_variant")
    if len(body) > 8016:
        raise WireTypeError("sql_variant over 8,016 bytes")
    return struct.pack("<I", len(body)) + body


def _scaled(kind, convert):
    def build(_size, _precision, scale):
        if not 0 <= scale <= 7:
            raise WireTypeError(f"{convert.__name__} with scale {scale}")
        return bytes((kind, scale)), _byte_length(lambda value: convert(value, scale))
    return build


def _decimal(_size, precision, scale):
    precision = precision or 18
    if not 1 <= precision <= 38 or not 0 <= scale <= precision:
        raise WireTypeError(f"decimal({precision},{scale})")
    info = bytes((0x6A, decimal_size(precision), precision, scale))
    return info, _byte_length(lambda value: decimal_bytes(value, precision, scale))


def _plain(info, convert):
    return lambda _size, _precision, _scale: (info, _byte_length(convert))


_BUILDERS = {
    "bit": _plain(b"\x68\x01", _bit),
    "float": _plain(b"\x6D\x08", lambda value: struct.pack("<d", value)),
    "real": _plain(b"\x6D\x04", lambda value: struct.pack("<f", value)),
    "datetime": _plain(b"\x6F\x08", datetime_bytes),
    "smalldatetime": _plain(b"\x6F\x08", datetime_bytes),
    "date": _plain(b"\x28", date_bytes),
    "money": _plain(b"\x6E\x08", money_bytes),
    "smallmoney": _plain(b"\x6E\x08", money_bytes),
    "uniqueidentifier": _plain(b"\x24\x10", guid_bytes),
    "time": _scaled(0x29, time_bytes),
    "datetime2": _scaled(0x2A, datetime2_bytes),
    "datetimeoffset": _scaled(0x2B, datetimeoffset_bytes),
    "decimal": _decimal,
    "numeric": _decimal,
}


# A column that cannot be NULL has these types without a length, and clients read them so by the column's flag alone.
_NEVER_NULL = {"tinyint": 0x30, "bit": 0x32, "smallint": 0x34, "int": 0x38, "real": 0x3B, "datetime": 0x3D,
               "smalldatetime": 0x3D, "float": 0x3E, "money": 0x3C, "smallmoney": 0x3C, "bigint": 0x7F}


@lru_cache(maxsize=512)
def type_encoder(name, size=0, precision=0, scale=0, nullable=True):
    """Returns (TYPE_INFO, function from a value or None to bytes); size -1 stands for max."""
    if not nullable and name in _NEVER_NULL:
        _, encode = type_encoder(name)
        return bytes((_NEVER_NULL[name],)), _without_length(name, encode)
    name, size = _SUCCESSORS.get(name, (name, size))
    if name in _INTEGERS:
        return _integer(name)
    if name in _STRINGS:
        return _string(name, size)
    if name == "sql_variant":
        return b"\x62" + struct.pack("<I", 8009), variant_encode
    if name in _BUILDERS:
        return _BUILDERS[name](size, precision, scale)
    raise WireTypeError(f"type {name}")
