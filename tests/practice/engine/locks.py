"""Locks on tables, catalog rows, and application locks. A session that waits lets all others run.

A catalog row is locked by the session whose open transaction changed it. The transaction's undo list says which rows these
are, so a row that is rolled back is unlocked, and nothing is stored twice.
"""
import time
from dataclasses import dataclass

from .applocks import ApplicationLocks
from .errors import error
from .owned import OWNED_VIEWS, REGISTER

# The kinds of rows that a reader of these views waits for. Readers of other views wait for none.
READ = {"database_principals": ("principals",), "database_role_members": ("members",),
        "database_permissions": ("permissions",), "schemas": ("schemas",), "types": ("types",),
        "triggers": ("objects", "triggers"), "trigger_events": ("objects", "triggers"),
        "sql_modules": ("objects", "triggers"), "all_sql_modules": ("objects", "triggers"),
        "event_notifications": ("notifications",), "extended_properties": ("properties",),
        "crypt_properties": ("signatures",)}
READ.update({OWNED_VIEWS.get(x, x): (x,) for x in (*REGISTER.values(), "xml_collections")})
READ.update({name: ("objects",) for name in (
    "objects", "all_objects", "tables", "views", "procedures", "synonyms", "sequences", "columns",
    "identity_columns", "indexes", "TABLES", "COLUMNS")})
READ_SERVER = {"server_principals": ("principals",), "sql_logins": ("principals",),
               "server_role_members": ("members",), "server_permissions": ("permissions",),
               "databases": ("databases",), "server_triggers": ("triggers",),
               "server_sql_modules": ("triggers",), "servers": ("servers",)}
# Whose reader goes on behind a wait from the row that it waited at, and does not look again at those before it.
IN_ORDER = ("triggers", "server_triggers")


class Blocked(Exception):
    """A wait inside a running query: the query is given up, waited for, and run again."""

    def __init__(self, holder):
        super().__init__()
        self.holder = holder


@dataclass(eq=False)
class TableLock:
    session: object
    obj: object
    mode: str           # S or X
    db: object
    schema: bool = False    # Sch-M: who only names the object waits too


class Locks(ApplicationLocks):
    def __init__(self, engine):
        super().__init__()
        self.engine = engine
        self.tables = {}            # id of an object -> [TableLock]

    # ---- waiting -------------------------------------------------------------------------------

    def wait(self, session, holder, timeout_ms):
        """Waits until holder() is None or the time is over (-1: for ever); False when it is over."""
        engine = self.engine
        end = None if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000
        undo, env = engine.root.undo, engine.current
        try:
            while True:
                session.blocked_by = holder()
                if session.blocked_by is None:
                    return True
                self._deadlock(session)
                engine.root.undo = engine.current = None
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    return False
                engine.lock.wait(0.5 if left is None else min(left, 0.5))
                session.interrupted()
                engine.rollbacks_finish()
        finally:
            session.blocked_by = None
            engine.root.undo, engine.current = undo, env

    def _deadlock(self, session):
        """1205 for the lowest priority in a circle of waits, and of equal ones for whoever closes it."""
        other, circle = session.blocked_by, [session]
        while other is not None and other not in circle:
            circle.append(other)
            other = other.blocked_by
        if other is not session:
            return
        if min(circle, key=lambda s: s.settings.deadlock_priority) is session:
            session.executor.rollback_all()
            raise error(1205, spid=session.spid, state=51)
        self.engine.lock.notify_all()

    def pass_when_free(self, session, holder):
        """Waits as LOCK_TIMEOUT allows; 1222 after that."""
        if holder() is None:
            return
        if self.engine.running:
            raise Blocked(holder)
        if not self.wait(session, holder, session.settings.lock_timeout):
            raise error(1222, state=51)

    # ---- the catalogue -------------------------------------------------------------------------

    def _changing(self, session, scope, kinds, concerns=lambda key: True):
        """Another session with an open change of such rows in a database or the server; else None."""
        for other in self.engine.sessions.values():
            if other.transaction is session.transaction or not other.undo:
                continue
            for entry in other.undo:
                if entry.scope is scope and entry.kind in kinds and concerns(entry.key):
                    return other
        return None

    def _applies(self, session):
        return self.engine.catalogue.features.catalogue_locks and not session.compiling

    def reading_view(self, env, db, view):
        """Whoever reads a view of the catalogue waits for rows that are being changed. Returns the rows that a reader had
        passed before it waited, by their object_id, and the first id behind them."""
        session, passed = env.session, ([], None)
        features = self.engine.catalogue.features
        if not session.compiling and not features.damaged_after and features.damaged.get(db.name) == view.name:
            raise error(824, id=db.id)
        if self._applies(session):
            for scope, kinds in ((db, READ.get(view.name)), (self.engine.catalogue, READ_SERVER.get(view.name))):
                if kinds:
                    if view.name in IN_ORDER and self._changing(session, scope, kinds):
                        passed = self._passed(env, db, view, self._changed(session, scope, kinds))
                    self.pass_when_free(session, lambda: self._changing(session, scope, kinds))
        return passed

    def _changed(self, session, scope, kinds):
        return [entry.key for other in self.engine.sessions.values() if other.transaction is not session.transaction
                for entry in other.undo or () if entry.scope is scope and entry.kind in kinds and isinstance(entry.key, int)]

    @staticmethod
    def _passed(env, db, view, changed):
        """The rows before the first that is being changed, by id, as they are now."""
        if not changed:
            return [], None
        number = next(i for i, c in enumerate(view.columns) if c.name == "object_id")
        return [row for row in view.rows(env, db) if row[number] < min(changed)], min(changed)

    def naming(self, env, db, schema_id, name, obj):
        """Whoever names an object waits for who makes, changes or drops it."""
        session, key = env.session, (schema_id, db.fold(name))
        if self._applies(session):
            id_ = obj.id if obj is not None else None
            self.pass_when_free(session, lambda: (
                self._holding_schema(session, obj)
                or self._changing(session, db, ("objects by name",), lambda k: k == key)
                or self._changing(session, db, ("objects",), lambda k: k == id_)))

    def judging(self, env, db, cls, major):
        """Whoever is asked for a right on a securable waits for who changes permissions on it, or the
        roles that the asked one is in."""
        session, security = env.session, self.engine.security
        scope = db if db is not None else self.engine.catalogue

        def is_me(key):
            token = security.token(env.ctx, db) if db is not None else security.server_token(env.ctx)
            return key[1] in token

        def holder():
            return (cls == "OBJECT" and db is not None and self._holding_schema(session, db.objects.get(major))
                    or self._changing(session, scope, ("permissions",), lambda k: k == (cls, major))
                    or self._changing(session, scope, ("members",), is_me))
        if self._applies(session):
            self.pass_when_free(session, holder)

    def changing_principal(self, env, db, principal):
        """A principal's memberships and existence change once no statement of its runs any more, and nobody else is
        changing them."""
        session, security = env.session, self.engine.security

        def running():
            for other in self.engine.sessions.values():
                if other is not session and other.running and other.database_object is db and \
                        security.user_in(other.contexts[-1], db) == principal.id:
                    return other
            return (self._changing(session, db, ("members",), lambda key: principal.id in key)
                    or self._changing(session, db, ("principals",), lambda key: key == principal.id))
        if self._applies(session):
            self.pass_when_free(session, running)

    def naming_login(self, env, login):
        """Whoever changes a login, or asks for its name, SID or roles, waits for who is changing it."""
        session, cat = env.session, self.engine.catalogue
        if login is not None and self._applies(session):
            self.pass_when_free(session, lambda: self._changing(session, cat, ("principals",), lambda k: k == login.id))

    # ---- tables --------------------------------------------------------------------------------

    def _holding(self, session, obj, mode):
        for lock in self.tables.get(id(obj), ()):
            if lock.session.transaction is not session.transaction and "X" in (lock.mode, mode):
                return lock.session
        return None

    def _holding_schema(self, session, obj):
        for lock in self.tables.get(id(obj), ()):
            if lock.schema and lock.session.transaction is not session.transaction:
                return lock.session
        return None

    def emptying(self, env, obj):
        """TRUNCATE holds the table's definition too, to the end of its transaction."""
        self.writing(env, obj)
        for lock in self.tables.get(id(obj), ()):
            lock.schema |= lock.session is env.session

    def reading(self, env, db, obj, hints=()):
        hints, session = set(hints), env.session
        isolation = session.settings.isolation
        mode = "X" if hints & {"TABLOCKX"} else "S"
        if not hints & {"NOLOCK", "READUNCOMMITTED"} and (isolation != "READ UNCOMMITTED" or hints):
            self._take(session, obj, mode)
            if session.tran_count and (hints & {"TABLOCKX", "HOLDLOCK", "SERIALIZABLE", "REPEATABLEREAD"}
                                       or isolation in ("REPEATABLE READ", "SERIALIZABLE")):
                self._keep(session, db, obj, mode)

    def writing(self, env, obj):
        self._take(env.session, obj, "X")
        if env.session.tran_count:
            self._keep(env.session, env.db, obj, "X")

    def _keep(self, session, db, obj, mode):
        held = self.tables.setdefault(id(obj), [])
        for lock in held:
            if lock.session is session:
                lock.mode = max(lock.mode, mode)
                return
        held.append(TableLock(session, obj, mode, db))

    def _take(self, session, obj, mode):
        if not self.wait(session, lambda: self._holding(session, obj, mode), session.settings.lock_timeout):
            raise error(1222, state=56)

    def table_locks(self):
        return [lock for held in self.tables.values() for lock in held]

    def release_transaction(self, session):
        for key, held in list(self.tables.items()):
            left = [lock for lock in held if lock.session.transaction is not session.transaction]
            if left:
                self.tables[key] = left
            else:
                del self.tables[key]
        self.release_applocks(session, "Transaction")
        self.engine.lock.notify_all()

    def release_session(self, session):
        self.release_applocks(session)
        if not session.transaction.members:
            self.release_transaction(session)
        self.engine.lock.notify_all()
