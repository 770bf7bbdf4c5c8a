"""Application locks and table locks, with waiting; a waiter lets everybody else run."""
import time
from dataclasses import dataclass

from .errors import error
from .events import SqlError

# Which held modes a wanted mode must wait for.
CONFLICTS = {"Shared": {"Exclusive", "IntentExclusive"},
             "Update": {"Exclusive", "Update", "IntentExclusive"},
             "Exclusive": {"Shared", "Update", "Exclusive", "IntentShared", "IntentExclusive"},
             "IntentShared": {"Exclusive"},
             "IntentExclusive": {"Exclusive", "Shared", "Update"}}


@dataclass
class AppLock:
    db: int
    resource: str
    mode: str
    owner: str
    spid: int
    session: object
    count: int = 1


class Locks:
    def __init__(self, engine):
        self.engine = engine
        self.app = []
        self.tables = {}            # object -> session that changed it in an open transaction

    def wait(self, session, ready, timeout_ms):
        """Waits until ready() or the time is over (-1: for ever); False when it is over."""
        engine = self.engine
        end = None if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000
        undo, env = engine.root.undo, engine.current
        try:
            while not ready():
                engine.root.undo = engine.current = None
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    return False
                engine.lock.wait(0.5 if left is None else min(left, 0.5))
                session.interrupted()
            return True
        finally:
            engine.root.undo, engine.current = undo, env

    # ---- tables --------------------------------------------------------------------------------

    def _free(self, session, obj):
        holder = self.tables.get(id(obj))
        return holder is None or holder is session

    def reading(self, env, db, obj, hints=()):
        if not hints or not set(hints) & {"NOLOCK", "READUNCOMMITTED"}:
            if env.session.settings.isolation != "READ UNCOMMITTED":
                self._take(env.session, obj)

    def writing(self, env, obj):
        self._take(env.session, obj)
        if env.session.tran_count:
            self.tables[id(obj)] = env.session

    def _take(self, session, obj):
        if not self.wait(session, lambda: self._free(session, obj), session.settings.lock_timeout):
            raise error(1222, state=56)

    def release_transaction(self, session):
        self.tables = {k: s for k, s in self.tables.items() if s is not session}
        self.app = [a for a in self.app if not (a.session is session and a.owner == "Transaction")]
        self.engine.lock.notify_all()

    # ---- application locks ---------------------------------------------------------------------

    def applocks(self):
        return list(self.app)

    def get(self, env, resource, mode, owner, timeout):
        """The product's answers: 0 at once, 1 after waiting, -1 timeout, -999 bad parameters."""
        session, db = env.session, env.db.id
        modes = {m.casefold(): m for m in CONFLICTS}
        owners = {"session": "Session", "transaction": "Transaction"}
        mode, owner = modes.get((mode or "").casefold()), owners.get((owner or "").casefold())
        if mode is None or owner is None or resource is None:
            return -999
        if owner == "Transaction" and not session.tran_count:
            raise SqlError(3910, "Transaction context in use by another session.", 16)
        mine = [a for a in self.app if a.session is session and a.resource == resource
                and a.db == db and a.owner == owner and a.mode == mode]
        if mine:
            mine[0].count += 1
            return 0

        def free():
            return not any(a.resource == resource and a.db == db and a.session is not session
                           and a.mode in CONFLICTS[mode] for a in self.app)
        at_once = free()
        if not at_once and not self.wait(session, free, session.settings.lock_timeout if timeout is None
                                         else timeout):
            return -1
        self.app.append(AppLock(db, resource, mode, owner, session.spid, session))
        return 0 if at_once else 1

    def release(self, env, resource, owner):
        for a in self.app:
            if a.session is env.session and a.resource == resource and a.db == env.db.id and \
                    a.owner.casefold() == (owner or "").casefold():
                a.count -= 1
                if a.count == 0:
                    self.app.remove(a)
                    self.engine.lock.notify_all()
                return 0
        raise SqlError(1223, "Cannot release the application lock (Database Principal: 'public', "
                             f"Resource: '{resource}') because it is not currently held.", 16)

    def release_session(self, session):
        self.app = [a for a in self.app if a.session is not session]
        self.release_transaction(session)
