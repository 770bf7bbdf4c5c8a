"""RPC requests and batches as the client sends them: headers, procedure, typed parameters."""

import datetime
import decimal
import struct
import uuid
from dataclasses import dataclass

from engine import utf16

from .packets import ProtocolError

BY_REFERENCE, DEFAULT = 0x01, 0x02
PROCEDURES = {1: "sp_cursor", 2: "sp_cursoropen", 3: "sp_cursorprepare", 4: "sp_cursorexecute",
              5: "sp_cursorprepexec", 6: "sp_cursorunprepare", 7: "sp_cursorfetch",
              8: "sp_cursoroption", 9: "sp_cursorclose", 10: "sp_executesql", 11: "sp_prepare",
              12: "sp_execute", 13: "sp_prepexec", 14: "sp_prepexecrpc", 15: "sp_unprepare"}
BEGIN, COMMIT, ROLLBACK, SAVE = 5, 7, 8, 9
ISOLATION = {0: None, 1: "READ UNCOMMITTED", 2: "READ COMMITTED", 3: "REPEATABLE READ",
             4: "SERIALIZABLE", 5: "SNAPSHOT"}
_DAY_ZERO = datetime.datetime(1900, 1, 1)
_FIXED = {0x30: 1, 0x32: 1, 0x34: 2, 0x38: 4, 0x7F: 8, 0x3B: 4, 0x3E: 8, 0x3D: 8, 0x3A: 4}
_INTEGER_NAMES = {1: "tinyint", 2: "smallint", 4: "int", 8: "bigint"}
_STRING_NAMES = {0xE7: "nvarchar", 0xEF: "nchar", 0xA7: "varchar", 0xAF: "char",
                 0xA5: "varbinary", 0xAD: "binary"}


class UnknownType(Exception):
    """A parameter type that is not a SQL Server type: answered with 8009, not by closing."""


@dataclass
class Parameter:
    name: str
    type: str
    value: object
    output: bool
    default: bool


class Reader:
    """A cursor over one message; every read is checked against its end."""

    def __init__(self, data):
        self._data = data
        self._at = 0

    def take(self, size):
        end = self._at + size
        if size < 0 or end > len(self._data):
            raise ProtocolError("request cut short")
        piece = self._data[self._at:end]
        self._at = end
        return piece

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def byte(self):
        return self.take(1)[0]

    def text(self, characters):
        return text_decode(self.take(2 * characters))

    @property
    def left(self):
        return len(self._data) - self._at


def text_decode(raw):
    try:
        return utf16.decode(raw)
    except UnicodeDecodeError:
        raise ProtocolError("text is not UTF-16") from None


def headers_skip(reader):
    """Reads ALL_HEADERS and returns the transaction descriptor that the request claims."""
    total = reader.number("<I")
    if total < 4 or total > 4 + reader.left:
        raise ProtocolError(f"ALL_HEADERS of {total} bytes")
    inner = Reader(reader.take(total - 4))
    descriptor = None
    while inner.left:
        length, kind = inner.number("<I"), inner.number("<H")
        body = inner.take(length - 6)
        if kind == 2:
            if len(body) != 12:
                raise ProtocolError("transaction header")
            descriptor = int.from_bytes(body[:8], "little")
    if descriptor is None:
        raise ProtocolError("ALL_HEADERS without a transaction header")
    return descriptor


def batch_parse(payload):
    """Returns (transaction descriptor, text)."""
    reader = Reader(payload)
    descriptor = headers_skip(reader)
    return descriptor, text_decode(reader.take(reader.left))


def _plp(reader):
    total = reader.number("<Q")
    if total == 0xFFFFFFFFFFFFFFFF:
        return None
    parts = []
    while True:
        size = reader.number("<I")
        if not size:
            break
        parts.append(reader.take(size))
    raw = b"".join(parts)
    if total != 0xFFFFFFFFFFFFFFFE and total != len(raw):
        raise ProtocolError(f"value of {len(raw)} bytes announced as {total}")
    return raw


def _moment(raw):
    if len(raw) == 4:
        days, minutes = struct.unpack("<HH", raw)
        return _DAY_ZERO + datetime.timedelta(days=days, minutes=minutes)
    days, ticks = struct.unpack("<iI", raw)
    milliseconds = round(ticks % 300 * 10 / 3)
    return _DAY_ZERO + datetime.timedelta(days=days, seconds=ticks // 300,
                                          milliseconds=milliseconds)


def _date(raw):
    return datetime.date.fromordinal(int.from_bytes(raw, "little") + 1)


def _datetime2(raw, scale):
    ticks = int.from_bytes(raw[:-3], "little")
    return (datetime.datetime.combine(_date(raw[-3:]), datetime.time()) +
            datetime.timedelta(microseconds=ticks * 10**6 // 10**scale))


def _time(raw, scale):
    ticks = int.from_bytes(raw, "little")
    return (_DAY_ZERO + datetime.timedelta(microseconds=ticks * 10**6 // 10**scale)).time()


def _datetimeoffset(raw, scale):
    """Sent in UTC, with the minutes that its own clock is ahead."""
    zone = datetime.timezone(datetime.timedelta(minutes=int.from_bytes(raw[-2:], "little", signed=True)))
    return _datetime2(raw[:-2], scale).replace(tzinfo=datetime.timezone.utc).astimezone(zone)


def _decimal(raw, scale):
    value = decimal.Decimal(int.from_bytes(raw[1:], "little")).scaleb(-scale)
    return value if raw[0] else -value


def _number(kind, raw):
    if kind in (0x3B, 0x3E, 0x6D):
        return struct.unpack("<f" if len(raw) == 4 else "<d", raw)[0]
    if kind in (0x32, 0x68):
        return bool(raw[0])
    return int.from_bytes(raw, "little", signed=len(raw) > 1)


def _number_name(kind, size):
    if kind in (0x3B, 0x3E, 0x6D):
        return {4: "real", 8: "float"}.get(size)
    if kind in (0x32, 0x68):
        return {1: "bit"}.get(size)
    return _INTEGER_NAMES.get(size)


def _string_value(reader, kind):
    name = _STRING_NAMES[kind]
    limit = reader.number("<H")
    if not name.endswith("binary"):
        reader.take(5)
    if limit == 0xFFFF:
        raw, declared = _plp(reader), "max"
    else:
        length = reader.number("<H")
        raw = None if length == 0xFFFF else reader.take(length)
        if raw is not None and length > limit:
            raise ProtocolError(f"{length} bytes in a {name} of {limit}")
        declared = max(limit // 2 if name[0] == "n" else limit, 1)
    if raw is not None and not name.endswith("binary"):
        raw = text_decode(raw) if name[0] == "n" else raw.decode("cp1252", "replace")
    return f"{name}({declared})", raw


_SCALED = {0x29: ("time", _time), 0x2A: ("datetime2", _datetime2), 0x2B: ("datetimeoffset", _datetimeoffset)}


def value_read(reader):
    """Reads TYPE_INFO and the value behind it; returns (declaration, value or None)."""
    kind = reader.byte()
    if kind in _STRING_NAMES:
        return _string_value(reader, kind)
    if kind in (0x3A, 0x3D):
        return "datetime", _moment(reader.take(_FIXED[kind]))
    if kind in _FIXED:
        raw = reader.take(_FIXED[kind])
        return _number_name(kind, len(raw)), _number(kind, raw)
    if kind == 0x28:
        declared, convert = "date", _date
    elif kind in _SCALED:
        (name, of), scale = _SCALED[kind], reader.byte()
        declared, convert = f"{name}({scale})", lambda raw: of(raw, scale)
    elif kind in (0x26, 0x68, 0x6D):
        declared, convert = _number_name(kind, reader.byte()), lambda raw: _number(kind, raw)
    elif kind in (0x6A, 0x6C):
        _, precision, scale = reader.take(3)
        declared, convert = f"decimal({precision},{scale})", lambda raw: _decimal(raw, scale)
    elif kind == 0x6F:
        reader.byte()
        declared, convert = "datetime", _moment
    elif kind == 0x24:
        reader.byte()
        declared, convert = "uniqueidentifier", lambda raw: uuid.UUID(bytes_le=raw)
    else:
        raise UnknownType(f"Data type 0x{kind:02X} is unknown.")
    if declared is None:
        raise ProtocolError(f"parameter type 0x{kind:02x} of an impossible size")
    raw = reader.take(reader.byte())
    try:
        return declared, convert(raw) if raw else None
    except (ValueError, OverflowError, struct.error):
        raise ProtocolError(f"{declared} parameter of {len(raw)} bytes") from None


def rpc_parse(payload):
    """Returns (transaction descriptor, [(procedure name, [Parameter])])."""
    reader = Reader(payload)
    descriptor = headers_skip(reader)
    calls = []
    while reader.left:
        length = reader.number("<H")
        if length == 0xFFFF:
            number = reader.number("<H")
            if number not in PROCEDURES:
                raise ProtocolError(f"RPC procedure id {number}")
            name = PROCEDURES[number]
        else:
            name = reader.text(length)
        reader.number("<H")
        parameters, more = [], False
        while reader.left:
            length = reader.byte()
            if length in (0xFE, 0xFF):      # no parameter has such a name: another call follows
                more = True
                break
            parameter_name = reader.text(length)
            status = reader.byte()
            try:
                declared, value = value_read(reader)
            except UnknownType as error:
                raise UnknownType(
                    "The incoming tabular data stream (TDS) remote procedure call (RPC) protocol "
                    f"stream is incorrect. Parameter {len(parameters) + 1} "
                    f"(\"{parameter_name}\"): {error}") from None
            parameters.append(Parameter(parameter_name, declared, value,
                                        bool(status & BY_REFERENCE), bool(status & DEFAULT)))
        calls.append((name, parameters))
        if not more:
            break
    if not calls:
        raise ProtocolError("RPC without a procedure")
    return descriptor, calls


def transaction_parse(payload):
    """Returns (descriptor, request type, name, isolation, begin again, its name) of a transaction request.

    Names are counted in bytes, unlike all other texts of so short a length.
    """
    reader = Reader(payload)
    descriptor = headers_skip(reader)
    kind = reader.number("<H")
    isolation, again, next_name = 0, False, ""

    def name_read():
        return text_decode(reader.take(reader.byte()))
    if kind == BEGIN:
        isolation, name = reader.byte(), name_read()
    elif kind in (COMMIT, ROLLBACK):
        name = name_read()
        again = bool(reader.byte() & 1)
        if again:
            isolation, next_name = reader.byte(), name_read()
    elif kind == SAVE:
        name = name_read()
    else:
        raise ProtocolError(f"transaction manager request {kind} is not offered")
    if isolation not in ISOLATION:
        raise ProtocolError(f"isolation level {isolation}")
    return descriptor, kind, name, isolation, again, next_name
