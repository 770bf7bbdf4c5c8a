"""Tokens of the server's answers, each function one token as bytes."""

import struct

from engine import utf16

DONE, DONE_PROC, DONE_IN_PROC = 0xFD, 0xFE, 0xFF
ERROR_MESSAGE, INFO_MESSAGE, LOGIN_ACK = 0xAA, 0xAB, 0xAD
MORE, ERROR, IN_TRANSACTION, COUNT, ATTENTION, SERVER_ERROR = 0x01, 0x02, 0x04, 0x10, 0x20, 0x100
ENV_DATABASE, ENV_LANGUAGE, ENV_PACKET_SIZE, ENV_COLLATION = 1, 2, 4, 7
ENV_BEGIN, ENV_COMMIT, ENV_ROLLBACK, ENV_RESET = 8, 9, 10, 18
# SQL_Latin1_General_CP1_CI_AS: LCID 1033, ignore case, kana and width, sort id 52.
COLLATION = bytes((0x09, 0x04, 0xD0, 0x00, 0x34))
MAX_TEXT = 2048         # characters of one message; SQL Server cuts there as well


def ucs2(text):
    return utf16.encode(text)


def b_varchar(text):
    raw = ucs2(text[:255])
    return bytes((len(raw) // 2,)) + raw


def us_varchar(text):
    raw = ucs2(text)
    return struct.pack("<H", len(raw) // 2) + raw


def _sized(token, body):
    return bytes((token,)) + struct.pack("<H", len(body)) + body


def env_text(kind, new, old):
    return _sized(0xE3, bytes((kind,)) + b_varchar(new) + b_varchar(old))


def env_bytes(kind, new, old):
    return _sized(0xE3, bytes((kind, len(new))) + new + bytes((len(old),)) + old)


def message(number, state, severity, text, server, procedure="", line=1):
    """INFO up to severity 10, ERROR above."""
    body = struct.pack("<iBB", number, state & 0xFF, severity) + us_varchar(text[:MAX_TEXT])
    body += b_varchar(server) + b_varchar(procedure or "") + struct.pack("<I", line or 0)
    return _sized(ERROR_MESSAGE if severity > 10 else INFO_MESSAGE, body)


def login_ack(version, product, product_version):
    major, minor, build, _ = product_version
    body = b"\x01" + struct.pack(">I", version) + b_varchar(product)
    return _sized(LOGIN_ACK, body + struct.pack(">BBH", major, minor, build))


def done(token, status, count=None, command=0):
    if count is not None:
        status |= COUNT
    return struct.pack("<BHHQ", token, status, command, count or 0)


def column_metadata(columns):
    """columns: [(name, flags, type info bytes)]."""
    parts = [b"\x81", struct.pack("<H", len(columns))]
    for name, flags, info in columns:
        parts.append(struct.pack("<IH", 0, flags))
        parts.append(info)
        parts.append(b_varchar(name or ""))
    return b"".join(parts)


def return_status(value):
    return struct.pack("<Bi", 0x79, value)


def return_value(ordinal, name, info, data):
    return (b"\xAC" + struct.pack("<H", ordinal) + b_varchar(name) + b"\x01" +
            struct.pack("<IH", 0, 0) + info + data)
