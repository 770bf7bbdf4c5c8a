"""The listener: accepts connections, holds what they share, and stops them."""

import itertools
import socket
import ssl
import sys
import threading
from collections import deque

from .connection import Connection
from .faults import FaultError, Faults
from .recorder import Counters

_KEPT_CLOSED = 1000     # connections whose round trips can still be asked for after their end


def tls_context_load(certificate, key):
    """TLS 1.2 at most: a TLS 1.3 handshake cannot be carried inside TDS 7.4 packets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


class WireServer:
    """One listening socket over one engine."""

    def __init__(self, *, engine_module, name, sa_password, certificate, key, recorder,
                 product_version="16.0.4135.4", **server):
        self.engine_module = engine_module
        self.name = name
        self.recorder = recorder
        self.counters = Counters()
        features = engine_module.Features()
        self.engine = engine_module.Server(name=name, sa_password=sa_password,
                                           product_version=product_version, features=features,
                                           **server)
        self.product_version = tuple(int(part) for part in product_version.split("."))
        self._context = tls_context_load(certificate, key)
        self._other_contexts = {}
        self.faults = Faults(features, self._certificate_check)
        self._listener = None
        self._lock = threading.Lock()
        self._connections = {}
        self._closed = deque(maxlen=_KEPT_CLOSED)
        self._transactions = itertools.count(0x0000_0100_0000_0001)
        self.stopping = threading.Event()

    def _certificate_check(self, certificate, key):
        try:
            self._other_contexts[certificate, key] = tls_context_load(certificate, key)
        except (OSError, ssl.SSLError) as error:
            raise FaultError(f"fault wrong-cert: {certificate}, {key}: {error}") from None

    def tls_context(self):
        pair = self.faults.fires("wrong-cert")
        return self._other_contexts[pair] if pair else self._context

    def next_transaction(self):
        return next(self._transactions)

    def listen(self, address, port):
        """Returns the (address, port) that it listens on and begins to accept."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        # "::" means every address of both families, as with other servers.
        self._listener = socket.create_server((address, port), family=family, backlog=512,
                                              dualstack_ipv6=address == "::")
        threading.Thread(target=self._accept, daemon=True, name="accept").start()
        return self._listener.getsockname()[:2]

    def _accept(self):
        for number in itertools.count(1):
            try:
                sock, address = self._listener.accept()
            except OSError as error:
                if not self.stopping.is_set():
                    print(f"practice_server: accept: {error}", file=sys.stderr, flush=True)
                    self.stopping.set()
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.counters.add("connections")
            connection = Connection(self, sock, address, number)
            with self._lock:
                self._connections[number] = connection
            threading.Thread(target=connection.run, daemon=True, name=f"reader-{number}").start()

    def connection_gone(self, connection):
        with self._lock:
            self._connections.pop(connection.number, None)
            self._closed.append(connection.describe())

    def sessions(self):
        with self._lock:
            connections = list(self._connections.values())
        return [c.describe() for c in connections if c.session is not None]

    def counter_values(self, reset=False):
        values = self.counters.values(reset)
        with self._lock:
            closed = list(self._closed)
            if reset:
                self._closed.clear()
            open_now = [c.describe() for c in self._connections.values()]
        values.update(self.engine.counted(reset))
        values["open"] = len(open_now)
        values["by_connection"] = closed + open_now
        return values

    def stop(self):
        self.stopping.set()
        if self._listener is not None:
            # shutdown wakes the accepting thread, which close alone would leave in accept().
            try:
                self._listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self._listener.close()
        with self._lock:
            connections = list(self._connections.values())
        for connection in connections:
            connection.end("server stopped")
