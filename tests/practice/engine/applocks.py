"""Application locks: sp_getapplock and sp_releaseapplock. One is named by database, principal and resource."""
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
    principal: int
    resource: str
    mode: str
    owner: str
    spid: int
    session: object
    count: int = 1

    def named(self, db, principal, resource):
        return (self.db, self.principal, self.resource) == (db, principal, resource)


class ApplicationLocks:
    def __init__(self):
        self.app = []

    def applocks(self):
        return list(self.app)

    @staticmethod
    def _principal(env, name):
        """The id of the principal that a lock belongs to; only who is a member of it may use it."""
        p = env.db.principals.find(name or "public")
        if p is None or p.id not in env.engine.security.token(env.ctx, env.db) and \
                not env.has_db("CONTROL"):
            raise error(1202, name=name)
        return p

    def get(self, env, resource, mode, owner, timeout, principal=None):
        """The product's answers: 0 at once, 1 after waiting, -1 timeout, -999 bad parameters."""
        session, db = env.session, env.db.id
        modes = {m.casefold(): m for m in CONFLICTS}
        owners = {"session": "Session", "transaction": "Transaction"}
        mode, owner = modes.get((mode or "").casefold()), owners.get((owner or "").casefold())
        if mode is None or owner is None or resource is None:
            return -999
        if owner == "Transaction" and not session.tran_count:
            raise SqlError(3910, "Transaction context in use by another session.", 16)
        who = self._principal(env, principal).id
        for a in self.app:
            if a.named(db, who, resource) and (a.session, a.owner, a.mode) == (session, owner, mode):
                a.count += 1
                return 0

        def holder():
            return next((a.session for a in self.app if a.named(db, who, resource)
                         and a.session is not session and a.mode in CONFLICTS[mode]), None)
        at_once = holder() is None
        if not at_once and not self.wait(session, holder, session.settings.lock_timeout
                                         if timeout is None else timeout):
            return -1
        self.app.append(AppLock(db, who, resource, mode, owner, session.spid, session))
        return 0 if at_once else 1

    def release(self, env, resource, owner, principal=None):
        p = self._principal(env, principal)
        for a in self.app:
            if a.session is env.session and a.named(env.db.id, p.id, resource) and \
                    a.owner.casefold() == (owner or "").casefold():
                a.count -= 1
                if a.count == 0:
                    self.app.remove(a)
                    self.engine.lock.notify_all()
                return 0
        raise SqlError(1223, f"Cannot release the application lock (Database Principal: '{p.name}', "
                             f"Resource: '{resource}') because it is not currently held.", 16)

    def release_applocks(self, session, owner=None):
        self.app = [a for a in self.app if not (a.session is session and owner in (None, a.owner))]
