"""PRELOGIN: the options that both sides exchange before TLS and the login."""

import struct

from .packets import ProtocolError

VERSION, ENCRYPTION, INSTANCE, THREAD, MARS, TRACE, FEDAUTH, NONCE = range(8)
TERMINATOR = 0xFF
OFF, ON, NOT_SUPPORTED, REQUIRED = range(4)
ENCRYPTION_NAMES = {OFF: "off", ON: "on", NOT_SUPPORTED: "not-supported", REQUIRED: "required"}
_ENTRY = struct.Struct(">BHH")


def options_parse(payload):
    """Returns {token: bytes}; raises ProtocolError for anything that lies outside the payload."""
    options = {}
    at = 0
    while True:
        if at >= len(payload):
            raise ProtocolError("PRELOGIN without a terminator")
        if payload[at] == TERMINATOR:
            return options
        if at + _ENTRY.size > len(payload):
            raise ProtocolError("PRELOGIN option cut short")
        token, offset, length = _ENTRY.unpack_from(payload, at)
        if token in options or offset + length > len(payload):
            raise ProtocolError(f"PRELOGIN option {token} repeated or outside the packet")
        options[token] = payload[offset:offset + length]
        at += _ENTRY.size


def options_pack(options):
    """The reverse of options_parse; options is a list of (token, bytes)."""
    offset = len(options) * _ENTRY.size + 1
    head, data = [], []
    for token, value in options:
        head.append(_ENTRY.pack(token, offset, len(value)))
        data.append(value)
        offset += len(value)
    return b"".join(head) + bytes((TERMINATOR,)) + b"".join(data)


def encryption_asked(options):
    """The client's encryption byte without the client-certificate bit, which we do not offer."""
    value = options.get(ENCRYPTION, bytes((NOT_SUPPORTED,)))
    if len(value) != 1 or value[0] not in ENCRYPTION_NAMES:
        raise ProtocolError(f"PRELOGIN encryption {value.hex()}")
    return value[0]


def encryption_answer(asked, *, offered=True, forced=False, login_only=False):
    """The server's side of the table in MS-TDS 2.2.6.5; login_only talks encryption down."""
    if not offered:
        return NOT_SUPPORTED
    if login_only:
        return OFF if asked != NOT_SUPPORTED else NOT_SUPPORTED
    if asked in (ON, REQUIRED):
        return ON
    if forced:
        return REQUIRED
    return asked


def answer_pack(product_version, encryption, asked_options):
    """The reply: options that the client sent are answered, MARS always with no."""
    major, minor, build, sub = product_version
    options = [(VERSION, struct.pack(">BBHH", major, minor, build, sub)),
               (ENCRYPTION, bytes((encryption,))),
               (INSTANCE, b"\0"),
               (THREAD, b"")]
    if MARS in asked_options:
        options.append((MARS, b"\0"))
    if FEDAUTH in asked_options:
        options.append((FEDAUTH, b"\0"))
    return options_pack(options)
