"""An answer to the client: turns the engine's events into tokens in a buffer.

Invariant: what has been sent plus what is buffered always ends between two tokens, so that
another thread may end the answer (KILL) at any moment with tokens of its own.
"""

from . import packets, tokens
from .sqltypes import WireTypeError, type_encoder

_FLUSH_AT = 65536
_COMMANDS = {"SELECT": 0xC1, "INSERT": 0xC3, "DELETE": 0xC4, "UPDATE": 0xC5, "MERGE": 0x117}
_NULLABLE = 0x01


class Stream:
    """Tokens towards one client; closed once its last packet is out."""

    def __init__(self, transport):
        self._transport = transport
        self._parts = []
        self._size = 0
        self.closed = False

    def write(self, data):
        with self._transport.write_lock:
            if self.closed:
                raise packets.Closed("answer ended by another thread")
            self._parts.append(data)
            self._size += len(data)
            if self._size >= _FLUSH_AT:
                whole = b"".join(self._parts)
                full = len(whole) - len(whole) % (self._transport.packet_size - 8)
                if full == len(whole):      # the last packet must be left for the end bit
                    full -= self._transport.packet_size - 8
                self._transport.send_packets(packets.REPLY, whole[:full], last=False)
                self._parts, self._size = [whole[full:]], len(whole) - full

    def finish(self, data=b""):
        with self._transport.write_lock:
            if self.closed:
                raise packets.Closed("answer ended by another thread")
            self.closed = True
            self._transport.send_packets(packets.REPLY, b"".join(self._parts) + data)


class Answer:
    """Translates the events of one request. by_rpc chooses the DONE tokens of a procedure."""

    def __init__(self, stream, server_name, events, by_rpc=False):
        self._stream = stream
        self._server_name = server_name
        self._events = events
        self._by_rpc = by_rpc
        self._pending = None            # a DONE that waits to know whether more follows
        self._failed = False            # an error was sent that no DONE has reported yet
        self._status = None
        self._values = []
        self._encoders = ()
        self.errors = []
        self.rows = 0
        self.fatal = False
        self._handlers = {
            events.Columns: self._columns, events.Row: self._row, events.Done: self._done,
            events.Message: self.message, events.DatabaseChanged: self._database,
            events.ReturnStatus: self._return_status, events.ReturnValue: self._return_value}

    def event(self, event):
        handler = self._handlers.get(type(event))
        if handler is None:
            raise WireTypeError(f"event {type(event).__name__}")
        handler(event)

    def _write(self, data):
        if self._pending is not None:
            token, status, count, command = self._pending
            self._pending = None
            self._stream.write(tokens.done(token, status | tokens.MORE, count, command))
        self._stream.write(data)

    def _columns(self, event):
        described, encoders = [], []
        for column in event.columns:
            info, encode = type_encoder(column.type, column.size, column.precision, column.scale,
                                        column.nullable)
            described.append((column.name, _NULLABLE if column.nullable else 0, info))
            encoders.append(encode)
        self._encoders = tuple(encoders)
        self._names = [column.name for column in event.columns]
        self._write(tokens.column_metadata(described))

    def _row(self, event):
        if len(event.values) != len(self._encoders):
            raise WireTypeError(f"{len(event.values)} values for {len(self._encoders)} columns")
        try:
            row = b"\xD1" + b"".join(
                [encode(value) for encode, value in zip(self._encoders, event.values)])
        except (WireTypeError, ValueError, TypeError, AttributeError, OverflowError) as error:
            raise WireTypeError(f"row {event.values!r} of {self._names}: {error}") from None
        self._write(row)
        self.rows += 1

    def message(self, event):
        if event.severity > 10:
            self.errors.append(event.number)
            self._failed = True
            self.fatal = self.fatal or event.severity >= 20
        self._write(tokens.message(event.number, event.state, event.severity, event.text,
                                   self._server_name, event.procedure, event.line))

    def failure(self, error):
        """An error that the engine raised: it ends the request."""
        self.message(self._events.Message(error.number, error.state, error.severity, error.text,
                                          error.procedure, error.line or 1))
        if self._by_rpc:
            self._status = error.number
            self.call_end(more=False)

    def _database(self, event):
        self._write(tokens.env_text(tokens.ENV_DATABASE, event.new, event.old))

    def environment(self, kind, new, old):
        """Goes before the DONE that is held back, so that it adds no result of its own."""
        self._stream.write(tokens.env_bytes(kind, new, old))

    def _done(self, event):
        token = tokens.DONE_IN_PROC if self._by_rpc else tokens.DONE
        if not self._by_rpc and self._status is not None:
            self._write(tokens.return_status(self._status))
            self._status, token = None, tokens.DONE_PROC
        elif self._pending is not None:
            self._write(b"")
        command = _COMMANDS.get((event.command or "").upper(), 0)
        self._pending = (token, self._take_failed(), event.count, command)

    def _take_failed(self):
        status = tokens.ERROR if self._failed else 0
        self._failed = False
        return status

    def _return_status(self, event):
        if self._by_rpc or self._status is None:
            self._status = event.value

    def _return_value(self, event):
        self._values.append(event)

    def call_end(self, more, outputs=()):
        """The end of one procedure call: status, output values, DONEPROC.

        outputs: where in the call each output parameter stood; its value bears that number.
        """
        self._write(tokens.return_status(self._status or 0))
        for ordinal, value in zip(outputs, self._values):
            info, encode = type_encoder(value.type, value.size, value.precision, value.scale)
            self._write(tokens.return_value(ordinal, value.name, info, encode(value.value)))
        status = self._take_failed() | (tokens.MORE if more else 0)
        self._status, self._values = None, []
        self._write(tokens.done(tokens.DONE_PROC, status))

    def finish(self, attention=False):
        """Sends the last token; after an attention that is the end of what was cut short."""
        if attention:
            self._write(tokens.done(tokens.DONE, 0))
        elif not self._by_rpc:
            if self._status is not None:
                self._write(tokens.return_status(self._status))
                self._pending = (tokens.DONE_PROC, 0, None, 0)
            if self._pending is not None and not self._failed:
                token, status, count, command = self._pending
                self._pending = None
                self._stream.write(tokens.done(token, status, count, command))
            else:
                self._write(tokens.done(tokens.DONE, self._take_failed()))
        self._stream.finish()
