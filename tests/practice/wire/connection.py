"""One client connection from accept to close, with its counters."""

import socket
import sys
import threading
import traceback

from .faults import ConnectionDropped
from .handshake import Handshake, LoginRefused
from .packets import Closed, ProtocolError, Transport
from .requests import Requests


def address_plain(address):
    """An IPv4 peer of a [::] listener is known by its IPv4 address, as elsewhere."""
    return address.removeprefix("::ffff:") if "." in address else address


def event_hook(event, action):
    """Makes event.set() also run `action`; at once when it was set before."""
    original = event.set

    def set_and_act():
        original()
        action()
    event.set = set_and_act
    if event.is_set():
        action()


class Connection:
    """Runs on its own thread; ends once, and the first reason given is the recorded one."""

    def __init__(self, server, sock, address, number):
        self.server = server
        self.address = address_plain(address[0]), address[1]
        self.number = number
        self.round_trips = 0
        self.login = self.session = None
        self._socket = sock
        self.transport = Transport(sock)
        self._requests = None
        self._ended = threading.Event()
        self._reason = None
        self._lock = threading.Lock()

    def record(self, event, **fields):
        self.server.recorder.write(event, connection=self.number, **fields)

    def own_fault(self, trace):
        """A mistake in this program: on record and on stderr, without ending anything else."""
        self.record("own-fault", trace=trace)
        print(f"practice_server: connection {self.number}: {trace}", file=sys.stderr, flush=True)

    def delay(self):
        milliseconds = self.server.faults.fires("delay")
        if milliseconds and self._ended.wait(milliseconds / 1000):
            raise Closed("ended during the delay")

    def stall(self, fault):
        """Reads on and answers nothing until the client gives up."""
        self.record("fault", fault=fault)
        self.transport.discard()

    def end(self, reason, counter=None):
        if self.session is not None and self.session.killed.is_set():
            reason = "killed"           # whichever thread notices first
        with self._lock:
            if self._reason is not None:
                return
            self._reason = reason
        if counter:
            self.server.counters.add(counter)
        self._ended.set()
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass        # the peer was faster

    def end_malformed(self, error):
        """Ends a connection whose client broke the protocol, with a record that says how."""
        self.record("malformed", why=str(error))
        self.end(str(error), counter="malformed")

    def _killed(self):
        # KILL runs on another session's thread, perhaps under the engine's lock: never wait there.
        threading.Thread(target=self._kill, daemon=True, name=f"kill-{self.number}").start()

    def _kill(self):
        self.record("kill", spid=self.session.spid)
        self.server.counters.add("kills")
        if self._requests is not None:
            self._requests.kill_answer()
        self.end("killed")

    def run(self):
        self.record("connect", address=f"{self.address[0]}:{self.address[1]}")
        try:
            engine = self.server.engine_module
            handshake = Handshake(self, engine.SqlError)
            self.login, self.session = handshake.run()
            self.session.client_port = self.address[1]
            local, self.session.local_port = self._socket.getsockname()[:2]
            self.session.local_address = address_plain(local)
            self._requests = Requests(self, self.session, engine)
            event_hook(self.session.killed, self._killed)
            handshake.accept(self.login, self.session)
            self._requests.serve()
        except LoginRefused as error:
            self.end(f"login refused: {error}")
        except ConnectionDropped as fault:
            self.end(str(fault), counter="dropped")
        except ProtocolError as error:
            self.end_malformed(error)
        except Closed as error:
            self.end(str(error))
        except Exception:               # ends this connection, never the server
            self.own_fault(traceback.format_exc())
            self.end("fault of the practice server")
        finally:
            self._finish()

    def _finish(self):
        spid = None
        if self.session is not None:
            spid = self.session.spid
            try:
                self.session.close()
            except Exception:
                self.own_fault(traceback.format_exc())
        self._socket.close()
        self.record("disconnect", reason=self._reason, spid=spid, round_trips=self.round_trips)
        self.server.connection_gone(self)

    def describe(self):
        """What the control socket tells of an open connection."""
        about = {"connection": self.number, "address": self.address[0], "port": self.address[1],
                 "tls": self.transport.inside_tls, "round_trips": self.round_trips}
        if self.session is not None:
            about.update(spid=self.session.spid, login=self.session.login,
                         database=self.session.database, app=self.login.app, host=self.login.host)
        return about
