"""A minimal client that sends whatever a test says, valid or not, with or without TLS.

For tests, and for what neither FreeTDS nor python-tds can do: change a password at login.
"""

import socket
import ssl
import struct

from . import packets, parameters, prelogin, tokens


def login7_pack(user, password, *, database="", new_password=None, version=0x74000004,
                packet_size=4096, flags2=0, features=b"", app="raw",
                host="rawhost"):
    """A LOGIN7 message as a client would build it."""
    def hidden(text):
        return bytes((((b << 4) | (b >> 4)) & 0xFF) ^ 0xA5 for b in text.encode("utf-16-le"))
    fields = [host.encode("utf-16-le", "surrogatepass"), user.encode("utf-16-le"), hidden(password),
              app.encode("utf-16-le"), b"", b"\0\0\0\0" if features else b"", b"", b"",
              database.encode("utf-16-le")]
    flags3 = (1 if new_password is not None else 0) | (0x10 if features else 0)
    at, pairs = 94, b""
    for index, field in enumerate(fields):
        length = len(field) if index == 5 else len(field) // 2
        pairs += struct.pack("<HH", at, length)
        at += len(field)
    changed = hidden(new_password) if new_password is not None else b""
    pairs += b"\0" * 6 + struct.pack("<HHHHHHI", at, 0, at, 0, at, len(changed) // 2, 0)
    at += len(changed)
    if features:
        fields[5] = struct.pack("<I", at)
    body = struct.pack("<IIIIIBBBBiI", version, packet_size, 7, 0, 0, 0xE0, flags2, 0, flags3, 0,
                       0x409) + pairs + b"".join(fields) + changed + features
    return struct.pack("<I", len(body) + 4) + body


class RawClient:
    """One connection of a client that checks nothing but the TLS certificate."""

    def __init__(self, host, port, timeout=60):
        self._host = host
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.transport = packets.Transport(self.socket)

    def prelogin(self, encryption=prelogin.NOT_SUPPORTED):
        """Returns the server's encryption byte."""
        self.transport.send_packets(packets.PRELOGIN, prelogin.options_pack(
            [(prelogin.VERSION, bytes(6)), (prelogin.ENCRYPTION, bytes((encryption,))),
             (prelogin.MARS, b"\1")]))
        options = prelogin.options_parse(self.transport.read_message()[2])
        return options[prelogin.ENCRYPTION][0]

    def encrypt(self, ca):
        """PRELOGIN that asks for encryption, then TLS with a verified certificate."""
        answer = self.prelogin(prelogin.ON)
        if answer not in (prelogin.ON, prelogin.REQUIRED):
            raise packets.ProtocolError(f"encryption {prelogin.ENCRYPTION_NAMES.get(answer)}")
        context = ssl.create_default_context(cafile=ca)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return self.transport.start_tls(context, client_of=self._host)

    def login(self, **fields):
        """Returns the tokens that answer the login."""
        self.transport.send_packets(packets.LOGIN7, login7_pack(**fields))
        return self.transport.read_message()[2]

    def request(self, kind, body, descriptor=0):
        headers = struct.pack("<IIHQI", 22, 18, 2, descriptor, 1)
        self.transport.send_packets(kind, headers + body)

    def batch(self, text):
        self.request(packets.BATCH, text.encode("utf-16-le"))
        return self.transport.read_message()[2]

    @staticmethod
    def messages(answer):
        """(accepted, [(number, severity, text)]) of a login's answer."""
        reader, accepted, found = parameters.Reader(answer), False, []
        while reader.left:
            token = reader.byte()
            if token in (tokens.DONE, tokens.DONE_PROC, tokens.DONE_IN_PROC):
                reader.take(12)
                continue
            body = parameters.Reader(reader.take(reader.number("<H")))
            if token == tokens.LOGIN_ACK:
                accepted = True
            elif token in (tokens.INFO_MESSAGE, tokens.ERROR_MESSAGE):
                number, _, severity = body.number("<i"), body.byte(), body.byte()
                found.append((number, severity, body.text(body.number("<H"))))
        return accepted, found

    def ended(self):
        """True once the server has closed the connection without another answer."""
        try:
            self.transport.read_message()
        except packets.Closed:
            return True
        return False

    def close(self):
        self.socket.close()
