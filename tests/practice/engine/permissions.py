"""Permission checks: tokens, covering permissions, DENY over GRANT, ownership, column permissions.

As in the product, a GRANT on a column takes precedence over a DENY on its table.
"""
from .catalogue import NEWER_SERVER_ROLES
from .owned import IN_SCHEMA, REGISTER
from .permtable import (BUILTIN, CLASS_NUMBER, DENIED_DATABASE, FIXED_DATABASE, FIXED_SERVER,
                        IMPLIED_BY, PARENT, permissions_of)

STORED_AS = {"ROLE": "USER", "APPLICATION ROLE": "USER", "SERVER ROLE": "LOGIN"}
ROLE_ID = {"db_owner": 16384, "db_accessadmin": 16385, "db_securityadmin": 16386,
           "db_ddladmin": 16387, "db_backupoperator": 16389, "db_datareader": 16390,
           "db_datawriter": 16391, "db_denydatareader": 16392, "db_denydatawriter": 16393}
SERVER_ROLE_ID = {"sysadmin": 3, "securityadmin": 4, "serveradmin": 5, "setupadmin": 6,
                  "processadmin": 7, "diskadmin": 8, "dbcreator": 9, "bulkadmin": 10,
                  **{name: id_ for id_, name in NEWER_SERVER_ROLES.items()}}


def securable_class(p):
    """The class that a database principal is a securable of; None for fixed roles, INFORMATION_SCHEMA and sys, which are none."""
    if p.fixed or p.id in (3, 4):
        return None
    return {"R": "ROLE", "A": "APPLICATION ROLE"}.get(p.type, "USER")


_FIXED = {}
for _table, _ids, _cls, _state in ((FIXED_DATABASE, ROLE_ID, "DATABASE", "G"),
                                   (DENIED_DATABASE, ROLE_ID, "DATABASE", "D"),
                                   (FIXED_SERVER, SERVER_ROLE_ID, "SERVER", "G")):
    for _role, _perms in _table.items():
        for _p in _perms:
            _FIXED.setdefault((_cls, _p), []).append((_ids[_role], _state))


class Context:
    """As whom statements run: a login, or only a database's user when that was impersonated."""

    def __init__(self, login, user=None, database=None, app_role=None, login_name=None):
        self.login = login              # server principal or None
        self.user = user                # user id that is fixed by EXECUTE AS USER or a module
        self.database = database        # the database that `user` belongs to
        self.app_role = app_role        # (database id, role id)
        self.login_name = login_name    # what SUSER_SNAME says when there is no login
        self.no_revert, self.cookie = False, None

    @property
    def key(self):
        return (self.login.id if self.login else 0, self.user, self.app_role,
                self.database.id if self.database else 0)



def closure(members, start):
    """`start` and every role that it is in, directly or through other roles."""
    out, pending = set(start), list(start)
    up = {}
    for role, member in members:
        up.setdefault(member, []).append(role)
    while pending:
        for role in up.get(pending.pop(), ()):
            if role not in out:
                out.add(role)
                pending.append(role)
    return out


class Security:
    def __init__(self, server):
        self.server = server
        self._cache = {}

    def _memo(self, db, key, make):
        versions = (self.server.version, db.version if db else 0)
        slot = self._cache.get(db.id if db else 0)
        if slot is None or slot[0] != versions or slot[2] is not db:
            slot = self._cache[db.id if db else 0] = (versions, {}, db)
        if key not in slot[1]:
            slot[1][key] = make()
        return slot[1][key]

    # ---- tokens --------------------------------------------------------------------------------

    def login_of(self, ctx):
        """The login whose rights on the server count. EXECUTE AS USER and application roles leave them
        behind, but where the owner of a TRUSTWORTHY database vouches for its users."""
        if ctx.app_role or ctx.user is None:
            return None if ctx.app_role else ctx.login
        db = ctx.database
        if db is None or not db.fields.trustworthy:
            return None
        owner, user = self.server.login_of_sid(db.fields.owner_sid), db.principals.get(ctx.user)
        if owner is None or user is None or not self.has_server(Context(owner), "AUTHENTICATE SERVER"):
            return None
        return self.server.login_of_sid(user.sid)

    def server_token(self, ctx):
        def make():
            login = self.login_of(ctx)
            return frozenset(closure(self.server.members, [login.id, 2])) if login else frozenset([2])
        return self._memo(None, ("token", ctx.key), make)

    def is_sysadmin(self, ctx):
        return 3 in self.server_token(ctx)

    def user_in(self, ctx, db):
        """The id of the user that `ctx` is in `db`; None when it may not come in at all."""
        return self._memo(db, ("user", ctx.key), lambda: self._user_in(ctx, db))

    def _user_in(self, ctx, db):
        if ctx.app_role:
            if ctx.app_role[0] == db.id:
                return ctx.app_role[1]
            return 2 if self._may_connect(db, {2, 0}) else None
        if ctx.user is not None:
            if ctx.database is db:
                return ctx.user if ctx.user in db.principals.by_id else None
            # An impersonated user has access outside its database only if the database is TRUSTWORTHY.
            if self.login_of(ctx) is None:
                return 2 if db.id in (1, 2, 4) else None
        login = self.login_of(ctx)
        if login is None:
            return 2 if self._may_connect(db, {2, 0}) else None
        if 3 in closure(self.server.members, [login.id, 2]) or \
                bytes(db.fields.owner_sid) == bytes(login.sid):
            return 1
        user = db.user_of_sid(login.sid)
        if user is not None:
            token = closure(db.members, [user.id, 0])
            if self._may_connect(db, token):
                return user.id
            return user.id if self.has_server(ctx, "CONNECT ANY DATABASE") else None
        if self._may_connect(db, {2, 0}) or self.has_server(ctx, "CONNECT ANY DATABASE"):
            return 2
        return None

    def _may_connect(self, db, token):
        states = [s for (g, p, _), s in db.permissions.get(("DATABASE", 0, 0), {}).items()
                  if g in token and p == "CONNECT"]
        return "D" not in states and (bool(states) or 16384 in token or 16385 in token)

    def token(self, ctx, db):
        """The ids of all principals of `db` whose rights `ctx` has."""
        return self._memo(db, ("token", ctx.key), lambda: self._token(ctx, db))

    def _token(self, ctx, db):
        user = self.user_in(ctx, db)
        if user is None:
            return frozenset()
        return frozenset(closure(db.members, [user, 0]))

    def is_dbo(self, ctx, db):
        return self.user_in(ctx, db) == 1

    # ---- checks --------------------------------------------------------------------------------

    def has_server(self, ctx, permission):
        return self.has(ctx, None, "SERVER", 0, permission)

    def has_db(self, ctx, db, permission):
        return self.has(ctx, db, "DATABASE", 0, permission)

    def has(self, ctx, db, cls, major, permission):
        """Whether `permission` on the securable is in effect, columns aside."""
        scope = db if cls not in ("SERVER", "LOGIN", "SERVER ROLE", "ENDPOINT") else None
        return self._memo(scope, (ctx.key, cls, major, permission),
                          lambda: self._state(ctx, scope, cls, major, permission)[0])

    def _owner(self, db, cls, major):
        if cls in IN_SCHEMA:
            obj = getattr(db, IN_SCHEMA[cls]).get(major)
            return obj and db.owner_of(obj)
        if cls == "SCHEMA":
            schema = db.schemas.get(major)
            return schema and schema.owner
        if cls in ("ROLE", "USER", "APPLICATION ROLE"):
            p = db.principals.get(major)
            return p and p.owner
        if cls in ("SERVER ROLE", "LOGIN"):
            p = self.server.principals.get(major)
            return p and p.owner
        if cls == "ENDPOINT":
            endpoint = self.server.endpoints.get(major)
            return endpoint and endpoint.owner
        register = REGISTER.get(cls)
        rec = getattr(db, register).get(major) if register else None
        return rec and rec.owner

    def levels(self, db, cls, major):
        """The securable and what encloses it, as (class, id)."""
        out = [(cls, major)]
        while cls in PARENT:
            if cls in IN_SCHEMA:
                rec = getattr(db, IN_SCHEMA[cls]).get(major)
                cls, major = "SCHEMA", rec.schema_id if rec else -1
            else:
                cls, major = PARENT[cls], 0
            out.append((cls, major))
        return out

    def _entries(self, db, key, permission):
        """[(grantee, state)] for one permission; a database holds a CONNECT entry for every user."""
        def index():
            out = {}
            for (g, p, _), s in (db or self.server).permissions.get(key, {}).items():
                out.setdefault(p, []).append((g, s))
            return out
        return self._memo(db, ("entries", key), index).get(permission, ())

    def _state(self, ctx, db, cls, major, permission):
        """(allowed, denied where: steps up or None); allowed needs a grant and no denial."""
        if self.is_sysadmin(ctx):
            return True, None
        if db is not None and self.is_dbo(ctx, db):
            return True, None
        token = self.token(ctx, db) if db is not None else frozenset()
        if db is not None and not token:
            return False, None
        server_token = self.server_token(ctx)
        levels = self.levels(db, cls, major)
        granted, denied, denied_at = False, False, None
        for up, p in IMPLIED_BY.get((cls, permission), ()):
            if up >= len(levels):
                continue
            lcls, lmajor = levels[up]
            server = lcls in ("SERVER", "LOGIN", "SERVER ROLE", "ENDPOINT")
            who = server_token if server else token
            if p == "CONTROL" and lcls not in ("DATABASE", "SERVER") and \
                    self._owner(db, lcls, lmajor) in who:
                if up == 0:
                    return True, None
                granted = True
            for g, s in self._entries(None if server else db, (STORED_AS.get(lcls, lcls), lmajor, 0), p):
                if g in who:
                    if s == "D":
                        denied, denied_at = True, max(up, denied_at or 0)
                    else:
                        granted = True
            for role, s in _FIXED.get((lcls, p), ()):
                if role in who:
                    if s == "D":
                        denied, denied_at = True, max(up, denied_at or 0)
                    else:
                        granted = True
        return granted and not denied, denied_at if denied else None

    def columns(self, ctx, db, obj, permission, column_ids):
        """None when allowed, 0 when the object is refused, else the id of the refused column."""
        allowed, denied_at = self._state(ctx, db, "OBJECT", obj.id, permission)
        if self.is_sysadmin(ctx) or self.is_dbo(ctx, db):
            return None
        token = self.token(ctx, db)
        if db.owner_of(obj) in token:
            return None
        states = {}
        for column in obj.columns:
            for (g, p, _), s in db.permissions.get(("OBJECT", obj.id, column), {}).items():
                if p == permission and g in token:
                    states[column] = max(s.replace("W", "G"), states.get(column, ""), key="_RGD".find)
        if not states:
            return None if allowed else 0
        grants_hold = denied_at is None or denied_at == 0
        any_column = "G" in states.values() and grants_hold
        if not column_ids:
            return None if allowed or any_column else 0
        for column in column_ids:
            state = states.get(column)
            ok = (state == "G" and grants_hold) or (state is None and allowed) or (
                state == "R" and allowed and self.has(ctx, db, "SCHEMA", obj.schema_id, permission))
            if not ok:
                return column if allowed or any_column else 0
        return None

    # ---- metadata visibility -------------------------------------------------------------------

    def sees_object(self, ctx, db, obj):
        return self._memo(db, (ctx.key, "sees", obj.id), lambda: self._sees_object(ctx, db, obj))

    def _sees_object(self, ctx, db, obj):
        if self.is_sysadmin(ctx) or self.is_dbo(ctx, db):
            return True
        target = obj
        if obj.type in ("PK", "UQ", "D", "C", "F", "TR") and obj.parent in db.objects.by_id:
            target = db.objects.get(obj.parent)
        ok, denied = self._state(ctx, db, "OBJECT", target.id, "VIEW DEFINITION")
        if ok or denied is not None:
            return ok
        if any(self._state(ctx, db, "OBJECT", target.id, p)[0] for p in
               ("SELECT", "EXECUTE", "INSERT", "UPDATE", "DELETE", "ALTER", "REFERENCES",
                "TAKE OWNERSHIP", "RECEIVE")):
            return True
        token = self.token(ctx, db)
        return any(k[0] == "OBJECT" and k[1] == target.id and k[2] and any(
            g in token and s in "GW" for (g, _, _), s in v.items())
            for k, v in db.permissions.items())

    def sees_definition(self, ctx, db, obj):
        if "ENCRYPTION" in getattr(getattr(obj, "stmt", None), "marks", ()):
            return False
        ok, denied = self._state(ctx, db, "OBJECT", obj.id, "VIEW DEFINITION")
        return ok or denied is None and any(self.has(ctx, db, "OBJECT", obj.id, p)
                                            for p in ("ALTER", "TAKE OWNERSHIP"))

    def sees_principal(self, ctx, db, p):
        token = self.token(ctx, db)
        if p.id in token or p.id < 5 or p.fixed:
            return True
        if self.server.features.hidden_between.get(db.name) == p.name and not (self.is_sysadmin(ctx) or
                                                                               self.is_dbo(ctx, db)):
            return False
        cls = {"R": "ROLE", "A": "APPLICATION ROLE"}.get(p.type, "USER")
        ok, denied = self._state(ctx, db, cls, p.id, "VIEW DEFINITION")
        if ok or denied is not None:
            return ok
        return self.has_db(ctx, db, "VIEW SECURITY DEFINITION") or \
            any(self.has(ctx, db, cls, p.id, x) for x in permissions_of(cls))

    def sees_server_principal(self, ctx, p):
        """A denial on one login or role hides it from the holder of VIEW ANY DEFINITION too
        (https://learn.microsoft.com/previous-versions/sql/sql-server-2008-r2/ms175808(v=sql.105), "VIEW DEFINITION Permission")."""
        if p.id in self.server_token(ctx) or p.id == 1 or (p.type == "R" and (p.fixed or p.id == 2)):
            return True
        cls = "SERVER ROLE" if p.type == "R" else "LOGIN"
        ok, denied = self._state(ctx, None, cls, p.id, "VIEW DEFINITION")
        if ok or denied is not None:
            return ok
        return self.has_server(ctx, "VIEW ANY SECURITY DEFINITION") or \
            any(self.has(ctx, None, cls, p.id, x) for x in permissions_of(cls))

    def sees_scoped(self, ctx, db, cls, rec):
        return any(self.has(ctx, db, cls, rec.id, x) for x in permissions_of(cls))


def class_number(cls):
    return CLASS_NUMBER[cls]


def type_code(cls, permission):
    return BUILTIN[(cls, permission)][0].ljust(4)
