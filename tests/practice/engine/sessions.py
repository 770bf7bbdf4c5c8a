"""Sessions: batches, remote procedure calls, and how a session ends."""
import threading
import traceback
import uuid

from .catalogue import now_text
from .databases import state_of
from .env import BatchEnd, Env, Return
from .errors import error
from .events import DatabaseChanged, Done, Message, ReturnValue, SqlError
from .executor import Executor
from .permissions import Context
from .settings import Settings
from .sqltypes import T, to_python, to_stored, type_named
from .state import undo_to
from .transactions import InTransaction, Transaction


class Killed(Exception):
    pass


class Cancelled(Exception):
    pass


class Session(InTransaction):
    def __init__(self, server, spid, login, database, *, app="", host="", address=None, encrypted=True,
                 user=None):
        self.server, self.engine, self.spid = server, server.engine, spid
        self.app, self.host, self.address, self.encrypted = app or "", host or "", address, encrypted
        self.login = self.original_login = login.name if login else user.name
        self.original_sid = login.sid if login else user.sid
        self.database_object = database
        self.auth_database = 1 if login else database.id
        base = Context(login) if login else Context(None, user=user.id, database=database,
                                                    login_name=user.name)
        self.base = base
        self.login_database = database
        self.login_time = self.last_start = self.last_end = now_text()
        self.connection_id = str(uuid.uuid4()).upper()
        self.client_port, self.local_address, self.local_port = 0, None, 1433
        self.killed, self.cancelled = threading.Event(), threading.Event()
        self.transaction = Transaction(self)
        self.tran_name, self.try_depth = None, 0
        self.is_user, self.is_stranger, self.task = True, False, None
        self.mars_connections = [str(uuid.uuid4()).upper() for _ in range(2)]
        self.doomed = self.running = self.rolled_back = self.closed = self.compiling = False
        self.blocked_by = None          # the session whose lock this one waits for
        self.rollback = None            # (began, ends) while ended work is being taken back
        self.login_settings = Settings(self.engine.catalogue, odbc=True)
        self._begin()
        self.executor = Executor(self)

    def _begin(self):
        """What every session begins with, and has again after a reset."""
        self.contexts = [self.base]
        self.out, self.temp_tables, self.prepared = [], {}, {}
        self.row_count = self.last_error = self.in_trigger = 0
        self.identity = self.identity_insert = None
        self.settings = self.login_settings.copy()

    def reset(self, keep_transaction=False):
        """sp_reset_connection: a pooled connection becomes as it was after its login."""
        with self.engine.lock:
            if self.tran_count and not keep_transaction:
                self.executor.rollback_all()
                self.undo.clear()
                self.engine.root.undo = None
            if not self.tran_count:
                self.engine.locks.release_session(self)
                self.engine.lock.notify_all()
        self._begin()
        self.database_object = self.login_database
        p = self.base.login
        if p is not None:
            if p.disabled or p.id not in self.engine.catalogue.principals.by_id:
                raise SqlError(18056, f"The client was unable to reuse a session with SPID {self.spid}, which had been reset for "
                               "connection pooling.", 20)
        self.login_time = now_text()

    @property
    def database(self):
        return _DatabaseName(self.database_object, self.engine.catalogue.shown(
            self.database_object.name))

    @database.setter
    def database(self, db):
        self.database_object = db

    def option(self, name):
        return self.settings.is_on(name, self.database_object)

    @property
    def options(self):
        """What @@OPTIONS would answer."""
        return self.settings.bits(self.database_object)

    def current_login_name(self):
        return Env(self).login_name()

    def current_sid(self):
        """security_id: of the login, or of the user that was put on."""
        ctx = self.contexts[-1]
        if ctx.user is not None and ctx.database is not None:
            user = ctx.database.principals.get(ctx.user)
            return user.sid if user and user.sid else b"\0"
        return ctx.login.sid if ctx.login else self.original_sid

    def use(self, db):
        if db is not self.database_object:
            old, self.database_object = self.database_object, db
            shown = self.engine.catalogue.shown
            self.out.append(DatabaseChanged(shown(old.name), shown(db.name)))
            self.out.append(Message(5701, 2, 0, f"Changed database context to '{shown(db.name)}'."))

    def interrupted(self):
        if self.killed.is_set():
            raise Killed
        if self.cancelled.is_set():
            raise Cancelled

    def catalogue_check(self):
        """A session whose database is gone or shut has nowhere to run."""
        db = self.database_object
        if self.engine.catalogue.databases.get(db.id) is not db:
            self.database_object = self.engine.catalogue.databases.get(1)

    # ---- running -------------------------------------------------------------------------------

    def execute(self, sql, params=()):
        """Runs one batch; yields its events, the last of which is a Done with more=False."""
        return self._events(lambda env: self._batch(env, sql, params))

    def rpc(self, name, params):
        """Calls a procedure by name with [(name, type, value, is_output)]."""
        return self._events(lambda env: self.executor.remote_call(env, name, params))

    def _events(self, body):
        self.out = []
        self.cancelled.clear()
        self.running, self.last_start = True, now_text()
        env = Env(self)
        try:
            body(env)
        except BatchEnd:
            pass
        except Return:
            pass
        except Cancelled:
            pass
        except Killed:
            self.out = [Message(596, 1, 21, "Cannot continue the execution because the session is in "
                                            "the kill state.")]
        except SqlError as e:
            if not getattr(e, "settled", False):
                e.number = int(self.engine.catalogue.features.error_map.get(e.number, e.number))
            self.last_error = e.number
            self.executor.report(e)
        except Exception as e:  # a fault of ours must fail the client's statement, never its process
            traceback.print_exc()
            self.out.append(Message(8630, 1, 17, "Internal Query Processor Error: the practice server "
                                                 f"has a fault here ({type(e).__name__}: {e})."))
        finally:
            self._after_batch()
        yield from self._finished()

    def _after_batch(self):
        self.try_depth = 0
        with self.engine.lock:
            if self.doomed:
                self.executor.rollback_all()
                self.out.append(Message(3998, 1, 16, "Uncommittable transaction is detected at the end "
                                                     "of the batch. The transaction is rolled back."))
            if not self.tran_count:
                self.undo.clear()
            self.engine.root.undo = None
        self.running, self.last_end = False, now_text()

    def _finished(self):
        events = self.out
        if not any(isinstance(e, Done) for e in events[-1:]):
            events.append(Done(None, False, ""))
        last = max((i for i, e in enumerate(events) if isinstance(e, Done)), default=None)
        for i, e in enumerate(events):
            if isinstance(e, Done):
                e = Done(e.count, i != last, e.command)
            yield e

    def _batch(self, env, sql, params):
        declared = []
        for name, type_name, value, _ in params:
            t = type_of_wire(type_name)
            declared.append((name.lower(), t, to_stored(value, t)))
        self.executor.before_batch(sql)
        statements = self.engine.parse(sql, [d[0] for d in declared], self.option("QUOTED_IDENTIFIER"))
        for name, t, value in declared:
            env.variables[name] = [t, value]
        shut = state_of(self.engine, self.database_object).refuses
        if shut:
            raise error(shut, name=self.database_object.name)
        if self.engine.security.user_in(env.ctx, self.database_object) is None:
            raise error(916, login=env.login_name(), database=self.database_object.name)
        self.executor.before_kill(statements)
        self.executor.compiled(env, statements)
        self.executor.run(env, statements)
        for name, type_name, _, output in params:
            if output:
                t, value = env.variables[name.lower()]
                self.out.append(ReturnValue(name, t.name, to_python(value, t), t.size, t.precision,
                                            t.scale))

    def run_to_end(self, text):
        """What a queue's reader does: one batch whose answer nobody reads."""
        for _ in self.execute(text):
            pass
        self.close()

    def cancel(self):
        self.cancelled.set()
        with self.engine.lock:
            self.engine.lock.notify_all()

    def close(self):
        with self.engine.lock:
            if self.closed:
                return
            if self.engine.rollback_begins(self):
                return
            self.closed, self.rollback = True, None
            if self.transaction.leave(self):
                saved, self.engine.root.undo = self.engine.root.undo, None
                undo_to(self.undo, 0)
                self.engine.root.undo = saved
                self.tran_count = 0
            self.engine.locks.release_session(self)
            self.engine.sessions.pop(self.spid, None)
            self.engine.lock.notify_all()


class _DatabaseName(str):
    """The name of the current database; carries the database's id for the functions that need it."""

    def __new__(cls, db, shown):
        self = super().__new__(cls, shown)
        self.id, self.name = db.id, db.name
        return self


def type_of_wire(text):
    """A type from its declaration text, `nvarchar(30)` or `int`."""
    name, _, rest = text.strip().partition("(")
    args = [-1 if a.strip().lower() == "max" else int(a) for a in rest.rstrip(") ").split(",")
            if a.strip()]
    name = name.strip()
    if not args and name.lower() in ("nvarchar", "varchar", "varbinary"):
        return T(name.lower(), -1)
    return type_named(name, args)
