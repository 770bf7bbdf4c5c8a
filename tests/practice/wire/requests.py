"""The second half of a connection: runs its requests on a thread of their own.

The connection's reading thread hands requests over and stays free to see an attention, a KILL or
the end of the stream while the engine works. Where two locks are needed, the transport's write
lock is taken before the state lock; neither is held while the engine runs.
"""

import queue
import threading
import traceback

from . import corpus, packets, parameters, tokens
from .answer import Answer, Stream
from .faults import ConnectionDropped
from .packets import ProtocolError

_STOP = object()
_OWN_FAULT = 50000      # with severity 20: the practice server itself is wrong


class CallEnd:
    """Stands between the events of an RPC's calls."""

    def __init__(self, more, values):
        self.more = more
        self.outputs = [index for index, value in enumerate(values) if value.output]


class Requests:
    """Runs the requests of one logged-in connection in order."""

    def __init__(self, connection, session, engine):
        self._connection = connection
        self._server = connection.server
        self._transport = connection.transport
        self._session = session
        self._engine = engine
        self._queue = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._busy = self._attention = self._stalled = self._gone = self._resets = False
        self._stream = None
        self._number = 0
        self._descriptor = 0
        self._thread = threading.Thread(target=self._run, daemon=True,
                                        name=f"requests-{connection.number}")

    # On the reading thread

    def serve(self):
        """Reads messages until either side ends the connection."""
        self._thread.start()
        try:
            while True:
                kind, status, payload = self._transport.read_message()
                if kind == packets.ATTENTION:
                    self._attend()
                elif kind in (packets.BATCH, packets.RPC, packets.TRANSACTION):
                    self._hand_over(kind, payload, status & (packets.RESET | packets.RESET_KEEP))
                else:
                    raise ProtocolError(f"{packets.NAMES[kind]} packet after the login")
        except ProtocolError as error:
            self._connection.end_malformed(error)
        except packets.Closed as error:
            self._connection.end(str(error))
        finally:
            with self._lock:
                busy, self._gone = self._busy, True
            if busy:
                self._session.cancel()
            self._queue.put(_STOP)
            self._thread.join()

    def _hand_over(self, kind, payload, reset):
        with self._lock:
            if self._stalled:
                return
            if self._busy:
                raise ProtocolError("a second request before the answer to the first")
            self._busy, self._attention = True, False
        self._queue.put((kind, payload, self._transport.inside_tls, reset))

    def _attend(self):
        self._server.counters.add("attentions")
        self._connection.record("attention")
        with self._lock:
            if self._stalled:
                return
            busy = self._attention = self._busy
        if busy:
            self._session.cancel()
        else:
            self._acknowledge()

    # On any thread

    def kill_answer(self):
        """Ends the answer under way with error 596, as a client sees a KILL inside a batch."""
        with self._lock:
            stream = self._stream if self._busy else None
        if stream is None:
            return
        self._session.cancel()
        text = "Cannot continue the execution because the session is in the kill state."
        # A client that does not read must not keep its killed connection open.
        if self._transport.write_lock.acquire(timeout=1):
            try:
                stream.finish(tokens.message(596, 1, 21, text, self._server.name) +
                              tokens.done(tokens.DONE, tokens.ERROR | tokens.SERVER_ERROR))
            except packets.Closed:
                pass    # the answer was complete, or the client is gone: nothing to tell it
            finally:
                self._transport.write_lock.release()

    # On the requests' own thread

    def _run(self):
        while True:
            item = self._queue.get()
            if item is _STOP:
                return
            try:
                self._request(*item)
            except ConnectionDropped as fault:
                self._connection.end(str(fault), counter="dropped")
            except ProtocolError as error:
                self._connection.end_malformed(error)
            except packets.Closed as error:
                self._connection.end(str(error))
            except Exception:       # ends this connection, never the server
                self._connection.own_fault(traceback.format_exc())
                self._connection.end("fault of the practice server")

    def _request(self, kind, payload, inside_tls, reset):
        self._resets = bool(reset)
        if reset:
            keep = bool(reset & packets.RESET_KEEP)
            self._connection.record("reset", keep_transaction=keep, spid=self._session.spid)
            try:
                self._session.reset(keep)
            except self._engine.SqlError as error:
                # The login is redone, and refused: the connection ends.
                return self._connection.end(f"reset refused: {error}")
        if kind == packets.TRANSACTION:
            return self._transaction(payload, inside_tls)
        if kind == packets.BATCH:
            _, text = parameters.batch_parse(payload)
            calls, fields = None, {}
        else:
            try:
                _, calls = parameters.rpc_parse(payload)
            except parameters.UnknownType as error:
                return self._answer(self._refusal(8009, str(error)), by_rpc=True)
            text = _call_text(calls)
            fields = {"procedures": [name for name, _ in calls],
                      "parameters": [[p.name, p.type, p.value] for _, ps in calls for p in ps]}
        if self._connection.login.app == corpus.PROGRAM:
            corpus.add(text)
        self._number += 1
        self._connection.record("rpc" if calls else "batch", number=self._number,
                                spid=self._session.spid, login=self._session.login,
                                database=self._session.database, tls=inside_tls, text=text,
                                options=self._session.options,
                                transactions=self._session.tran_count,
                                **fields)
        faults = self._server.faults
        cut = faults.request_drop("before", self._number, text)
        if cut:
            raise ConnectionDropped(cut)
        stall = faults.request_stall(self._number, text)
        if stall:
            with self._lock:
                self._stalled = True
            return self._connection.record("fault", fault=stall, number=self._number)
        self._connection.delay()
        work = self._calls(calls) if calls else self._batch(text)
        cut = faults.request_drop("after", self._number, text)
        if cut:
            self._run_unseen(work)
            raise ConnectionDropped(cut)
        answer = self._answer(work, by_rpc=bool(calls), before_end=self._count)
        if answer.fatal:
            self._connection.end(f"error {answer.errors[-1]} of severity 20 or more")

    def _count(self, answer):
        # Before the last packet, so that the request is counted and recorded when the client has its answer.
        self._server.counters.add("round_trips")
        self._connection.round_trips += 1
        self._connection.record("answer", number=self._number, errors=answer.errors,
                                rows=answer.rows)

    def _batch(self, text):
        yield from self._session.execute(text)

    def _calls(self, calls):
        for index, (name, values) in enumerate(calls):
            yield from self._session.rpc(
                name, [(p.name, p.type, p.value, p.output) for p in values])
            yield CallEnd(index + 1 < len(calls), values)

    def _refusal(self, number, text):
        self._connection.record("refused", errors=[number], text=text, spid=self._session.spid)
        raise self._engine.SqlError(number, text)
        yield                   # makes this a generator like every other work

    def _run_unseen(self, work):
        try:
            for _ in work:
                pass
        except self._engine.SqlError:
            pass        # whatever the answer would have been, the client does not get it

    def _answer(self, work, by_rpc=False, before_end=None):
        """Runs one request to its end and sends its answer; returns the Answer."""
        stream = Stream(self._transport)
        answer = Answer(stream, self._server.name, self._engine, by_rpc)
        with self._lock:
            self._stream = stream
        if self._resets:
            answer.environment(tokens.ENV_RESET, b"", b"")
        try:
            for event in work:
                if self._attention:
                    break
                if isinstance(event, CallEnd):
                    answer.call_end(event.more, event.outputs)
                else:
                    answer.event(event)
        except self._engine.SqlError as error:
            if not self._attention:
                answer.failure(error)
        except packets.Closed:
            raise
        except Exception as error:
            self._connection.own_fault(traceback.format_exc())
            answer.failure(self._engine.SqlError(
                _OWN_FAULT, f"Practice server: {type(error).__name__}: {error}", 20))
        finally:
            work.close()        # the engine lets go before the client hears of the end
        if self._session.killed.is_set():
            self.kill_answer()
            raise packets.Closed("killed")
        if self._gone:
            raise packets.Closed("client gone before its answer")
        if before_end:
            before_end(answer)
        self._transaction_tell(answer)
        with self._transport.write_lock:
            with self._lock:
                attention = self._attention
                self._busy = self._attention = False
                self._stream = None
            answer.finish(attention)
            if attention:
                self._acknowledge()
        return answer

    def _acknowledge(self):
        """Of an attention: a message of its own, whatever answer was cut short before it."""
        Stream(self._transport).finish(tokens.done(tokens.DONE, tokens.ATTENTION))

    def _transaction(self, payload, inside_tls):
        _, kind, name, isolation, again, next_name = parameters.transaction_parse(payload)
        verbs = {parameters.BEGIN: "BEGIN", parameters.COMMIT: "COMMIT",
                 parameters.ROLLBACK: "ROLLBACK", parameters.SAVE: "SAVE"}
        self._connection.record("transaction", request=verbs[kind], name=name, again=again,
                                spid=self._session.spid, tls=inside_tls)
        self._server.counters.add("transactions")
        self._connection.delay()
        statements = [_transaction_text(verbs[kind], name)]
        if again:
            statements.append(_transaction_text("BEGIN", next_name))
        if isolation:
            statements.insert(-1, "SET TRANSACTION ISOLATION LEVEL "
                              + parameters.ISOLATION[isolation])

        ended = False

        def work():
            nonlocal ended
            for statement in statements:
                failed = False
                for event in self._session.execute(statement):
                    if isinstance(event, self._engine.Message):
                        failed = failed or event.severity > 10
                        yield event
                if failed:
                    return
                ended = ended or not self._session.tran_count

        # A transaction that ends and begins again in one request must show as both. After a rollback to a savepoint,
        # or the end of a nested transaction, it continues.
        def tell(answer):
            if ended and kind != parameters.BEGIN:
                self._transaction_end(answer, rolled_back=kind == parameters.ROLLBACK)
        self._answer(work(), before_end=tell)

    def _transaction_tell(self, answer):
        """Tells the client by ENVCHANGE when its transaction has begun or is over."""
        if self._session.tran_count and not self._descriptor:
            self._descriptor = self._server.next_transaction()
            self._session.rolled_back = False
            answer.environment(tokens.ENV_BEGIN, self._descriptor.to_bytes(8, "little"), b"")
        elif self._descriptor and not self._session.tran_count:
            self._transaction_end(answer, self._session.rolled_back)

    def _transaction_end(self, answer, rolled_back):
        if self._descriptor:
            answer.environment(tokens.ENV_ROLLBACK if rolled_back else tokens.ENV_COMMIT, b"",
                               self._descriptor.to_bytes(8, "little"))
            self._descriptor = 0


def _transaction_text(verb, name):
    return f"{verb} TRANSACTION" + (" [" + name.replace("]", "]]") + "]" if name else "")


def _call_text(calls):
    """What an RPC would be as text, for the record and for faults that match text."""
    parts = []
    for name, values in calls:
        statement = values[0].value if name.lower() == "sp_executesql" and values else None
        parts.append(f"EXEC {name}" if statement is None else str(statement))
    return "; ".join(parts)
