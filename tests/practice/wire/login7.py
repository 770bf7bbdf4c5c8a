"""LOGIN7: what a TDS 7 client says about itself. Also the fixed record of a TDS 5 login."""

import struct
from dataclasses import dataclass, field

from engine import utf16

from .packets import ProtocolError

TDS_74 = 0x74000004
_FIXED = struct.Struct("<IIIIIIBBBBII")         # up to the offset/length pairs
_HEADER_SIZE = 94
_CHANGE_PASSWORD, _EXTENSION = 0x01, 0x10          # in the third byte of flags
_ODBC, _INTEGRATED = 0x02, 0x80                    # in the second
# Every nibble swap and XOR 0xA5 of a password byte undone, as one translation table.
_PASSWORD = bytes((((b ^ 0xA5) << 4) | ((b ^ 0xA5) >> 4)) & 0xFF for b in range(256))


@dataclass
class Login:
    tds_version: int
    packet_size: int
    host: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    new_password: str = field(default=None, repr=False)
    app: str = ""
    server: str = ""
    library: str = ""
    language: str = ""
    database: str = ""
    integrated: bool = False
    odbc: bool = False
    features: tuple = ()


def version_text(version):
    """0x74000004 as "7.4"; the older ones by their high byte."""
    names = {0x70: "7.0", 0x71: "7.1", 0x72: "7.2", 0x73: "7.3", 0x74: "7.4", 0x08: "8.0",
             0x07: "7.x", 0x05: "5.0"}
    return names.get(version >> 24, f"0x{version:08x}")


def _text(payload, pair, secret=False):
    offset, length = struct.unpack_from("<HH", payload, _FIXED.size + 4 * pair)
    raw = payload[offset:offset + 2 * length] if length else b""
    if len(raw) != 2 * length:
        raise ProtocolError(f"LOGIN7 field {pair} lies outside the packet")
    if secret:
        raw = raw.translate(_PASSWORD)
    try:
        return utf16.decode(raw)
    except UnicodeDecodeError:
        raise ProtocolError(f"LOGIN7 field {pair} is not UTF-16") from None


def _features(payload):
    """The ids in FeatureExt. None is acknowledged, which every client takes as "not supported"."""
    offset, length = struct.unpack_from("<HH", payload, _FIXED.size + 4 * 5)
    if length != 4 or offset + 4 > len(payload):
        raise ProtocolError("LOGIN7 FeatureExt pointer")
    at = int.from_bytes(payload[offset:offset + 4], "little")
    ids = []
    while True:
        if at >= len(payload):
            raise ProtocolError("LOGIN7 FeatureExt without a terminator")
        if payload[at] == 0xFF:
            return tuple(ids)
        ids.append(payload[at])
        if at + 5 > len(payload):
            raise ProtocolError("LOGIN7 FeatureExt cut short")
        at += 5 + int.from_bytes(payload[at + 1:at + 5], "little")


def login_parse(payload):
    """Returns a Login; the version is left to the caller to judge."""
    if len(payload) < _FIXED.size:
        raise ProtocolError(f"LOGIN7 of {len(payload)} bytes")
    (length, version, size, _, _, _, _, flags2, _, flags3, _, _) = _FIXED.unpack_from(payload)
    if length != len(payload):
        raise ProtocolError(f"LOGIN7 says {length} bytes, has {len(payload)}")
    if len(payload) < _HEADER_SIZE:
        return Login(version, size)
    login = Login(version, size,
                  host=_text(payload, 0), user=_text(payload, 1),
                  password=_text(payload, 2, secret=True), app=_text(payload, 3),
                  server=_text(payload, 4), library=_text(payload, 6),
                  language=_text(payload, 7), database=_text(payload, 8),
                  integrated=bool(flags2 & _INTEGRATED), odbc=bool(flags2 & _ODBC))
    if flags3 & _CHANGE_PASSWORD:
        # The pair stands after ClientID (6 bytes) and the SSPI and attach-file pairs.
        offset, count = struct.unpack_from("<HH", payload, _FIXED.size + 4 * 9 + 6 + 8)
        raw = payload[offset:offset + 2 * count]
        if len(raw) != 2 * count:
            raise ProtocolError("LOGIN7 new password lies outside the packet")
        login.new_password = raw.translate(_PASSWORD).decode("utf-16-le", "replace")
    if flags3 & _EXTENSION:
        login.features = _features(payload)
    return login


def old_login_parse(payload):
    """(user, password length) of a TDS 4.2/5.0 login record, whose fields are of fixed size."""
    def fixed(at):
        if len(payload) < at + 31:
            raise ProtocolError(f"TDS 5 login of {len(payload)} bytes")
        return payload[at:at + 30][:payload[at + 30]]
    return fixed(31).decode("utf-8", "replace"), len(fixed(62))
