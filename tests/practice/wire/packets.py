"""TDS packets over one socket, in the clear or inside TLS.

A Transport reads whole messages (one or more packets up to the end-of-message bit) and writes
them. Invariant: bytes are taken from the socket exactly as far as the current layer owns them,
so that TLS can begin after a PRELOGIN and end after a login without losing or mixing bytes.
"""

import ssl
import struct
import threading

BATCH, OLD_LOGIN, RPC, REPLY, ATTENTION, BULK = 0x01, 0x02, 0x03, 0x04, 0x06, 0x07
TRANSACTION, LOGIN7, SSPI, PRELOGIN = 0x0E, 0x10, 0x11, 0x12
NAMES = {BATCH: "batch", OLD_LOGIN: "TDS 5 login", RPC: "rpc", REPLY: "reply",
         ATTENTION: "attention", BULK: "bulk load", TRANSACTION: "transaction",
         LOGIN7: "login", SSPI: "sspi", PRELOGIN: "prelogin"}

END_OF_MESSAGE, IGNORE, RESET, RESET_KEEP = 0x01, 0x02, 0x08, 0x10
FIRST_PACKET_SIZE = 4096        # MS-TDS: the size before LOGIN7 has agreed another one
MAX_PACKET = 32767              # the largest size a LOGIN7 can ask for
MAX_TLS_PACKET = 16383          # and the largest that an encrypted connection gets
MAX_MESSAGE = 64 * 1024 * 1024  # a bound against endless messages; far above any batch here
_HEADER = struct.Struct(">BBHHBB")
# A fatal TLS alert, so that a client that starts with TLS reports the reason itself.
_NO_SUCH_PROTOCOL = bytes((0x15, 0x03, 0x03, 0, 2, 2, 120))
_TLS_CONTENT = frozenset((0x14, 0x15, 0x16, 0x17))


class ProtocolError(Exception):
    """The peer sent what MS-TDS does not allow, or what this server does not offer."""


class Closed(Exception):
    """The peer, or this server by another thread, has ended the connection."""


class Transport:
    """One connection's bytes. One thread reads; several may write, each a whole message."""

    def __init__(self, sock):
        self._socket = sock
        self._raw = bytearray()         # received, not yet taken by any layer
        self._plain = bytearray()       # taken from TLS records, not yet read
        self._tls = None
        self._tls_in = self._tls_out = None
        self._tls_lock = threading.Lock()
        self._packet_number = 0
        self.write_lock = threading.RLock()
        self.packet_size = FIRST_PACKET_SIZE
        self.spid = 0

    @property
    def inside_tls(self):
        return self._tls is not None

    # Reading

    def _take(self, size):
        while len(self._raw) < size:
            try:
                chunk = self._socket.recv(65536)
            except OSError as error:
                raise Closed(f"receive: {error.strerror or error}") from None
            if not chunk:
                raise Closed("end of stream" if not self._raw else "end of stream inside a packet")
            self._raw += chunk
        data = bytes(self._raw[:size])
        del self._raw[:size]
        return data

    def discard(self):
        """Takes what comes and throws it away until the stream ends."""
        while True:
            self._raw.clear()
            self._take(1)

    def _read_record(self):
        header = self._take(5)
        if header[0] not in _TLS_CONTENT or header[1] != 3:
            raise ProtocolError(f"clear bytes {header.hex()} where TLS was agreed")
        body = self._take(int.from_bytes(header[3:5], "big"))
        with self._tls_lock:
            self._tls_in.write(header + body)
            try:
                while True:
                    self._plain += self._tls.read(65536)
            except ssl.SSLWantReadError:
                return
            except ssl.SSLZeroReturnError:
                raise Closed("TLS close") from None
            except ssl.SSLError as error:
                raise ProtocolError(f"TLS: {error.reason}") from None

    def _read(self, size):
        if self._tls is None:
            return self._take(size)
        while len(self._plain) < size:
            self._read_record()
        data = bytes(self._plain[:size])
        del self._plain[:size]
        return data

    def _read_packet(self):
        kind, status, length, _, _, _ = _HEADER.unpack(self._read(8))
        if kind == 0x16 and status == 0x03:
            self._send([_NO_SUCH_PROTOCOL])
            raise ProtocolError("TLS before PRELOGIN (TDS 8.0 strict) is not offered")
        if kind not in NAMES:
            raise ProtocolError(f"unknown packet type 0x{kind:02x}")
        if not 8 <= length <= MAX_PACKET:
            raise ProtocolError(f"packet length {length}")
        return kind, status, self._read(length - 8)

    def read_message(self):
        """Returns (packet type, status of the first packet, payload) of the next message."""
        while True:
            kind, first_status, payload = self._read_packet()
            status, parts, size = first_status, [payload], len(payload)
            while not status & END_OF_MESSAGE:
                more, status, payload = self._read_packet()
                if more != kind:
                    raise ProtocolError(f"packet type 0x{more:02x} inside a {NAMES[kind]}")
                parts.append(payload)
                size += len(payload)
                if size > MAX_MESSAGE:
                    raise ProtocolError(f"message over {MAX_MESSAGE} bytes")
            if not status & IGNORE:
                return kind, first_status, b"".join(parts)

    # Writing

    def send_packets(self, kind, payload, last=True):
        """Sends payload as packets of the agreed size; last sets the end-of-message bit."""
        room = self.packet_size - 8
        with self.write_lock:
            out = []
            for start in range(0, max(len(payload), 1), room):
                piece = payload[start:start + room]
                end = END_OF_MESSAGE if last and start + room >= len(payload) else 0
                self._packet_number = (self._packet_number + 1) & 0xFF
                out.append(_HEADER.pack(kind, end, len(piece) + 8, self.spid,
                                        self._packet_number, 0) + piece)
            self._send(out)

    def _send(self, pieces):
        """Each piece is encrypted apart: no TLS record holds the end of one packet and the beginning of another."""
        if self._tls is not None:
            with self._tls_lock:
                for piece in pieces:
                    self._tls.write(piece)
                pieces = [self._tls_out.read()]
        try:
            self._socket.sendall(b"".join(pieces))
        except OSError as error:
            raise Closed(f"send: {error.strerror or error}") from None

    # TLS

    def start_tls(self, context, client_of=None):
        """Runs the handshake inside PRELOGIN packets; returns (version, cipher).

        client_of: the server's name when this side is the client, which only tests are.
        """
        self._tls_in, self._tls_out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(self._tls_in, self._tls_out, server_side=client_of is None,
                               server_hostname=client_of)
        while True:
            try:
                tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                done = False
            except ssl.SSLError as error:
                alert = self._tls_out.read()
                if alert:
                    self.send_packets(PRELOGIN, alert)
                raise ProtocolError(f"TLS handshake: {error.reason}") from None
            flight = self._tls_out.read()
            if flight:
                self.send_packets(PRELOGIN, flight)
            if done:
                break
            kind, _, payload = self.read_message()
            if kind != PRELOGIN:
                raise ProtocolError(f"{NAMES[kind]} packet inside the TLS handshake")
            self._tls_in.write(payload)
        self._tls = tls
        return tls.version(), tls.cipher()[0]

    def end_tls(self):
        """Back to clear, as ENCRYPT_OFF does after the login message."""
        if self._plain:
            raise ProtocolError("bytes after the login inside TLS")
        self._tls = None
