"""Functions about permissions: HAS_PERMS_BY_NAME, memberships, HAS_DBACCESS."""
from .databases import refusal
from .functions import TABLE, Function, function, strict
from .owned import IN_SCHEMA, REGISTER
from .permissions import STORED_AS, securable_class
from .permtable import BUILTIN, permissions_of
from .resolver import split_name
from .sqltypes import INT
from .utf16 import cut


SYSNAME_LENGTH = 128


def securable(env, name, cls):
    """(class, id, database) that HAS_PERMS_BY_NAME means; None when there is none to be seen."""
    # It takes a sysname: of a longer name, as QUOTENAME makes it, the rest is cut off, and it means another or none.
    engine, cls, name = env.engine, cls.upper().strip(), cut(name, 0, SYSNAME_LENGTH)
    if cls == "DATABASE":
        parts = split_name(name)
        db = parts and len(parts) == 1 and engine.catalogue.databases.find(parts[0])
        if not db or engine.security.user_in(env.ctx, db) is None:
            return None
        return cls, 0, db
    if cls == "OBJECT":
        found = engine.resolver.any_object(env, env.db, name)
        return found and (cls, found[0].id, found[1])
    parts = split_name(name)
    if not parts:
        return None
    if cls in ("LOGIN", "SERVER ROLE"):
        p = engine.catalogue.principals.find(parts[-1])
        return p and (p.type == "R") == (cls == "SERVER ROLE") and (cls, p.id, None)
    if cls in ("USER", "ROLE", "APPLICATION ROLE"):
        p = env.db.principals.find(parts[-1])
        return p and securable_class(p) == cls and (cls, p.id, env.db)
    if cls == "SCHEMA":
        home = env.db if len(parts) == 1 else engine.catalogue.databases.find(parts[0])
        s = home and home.schemas.find(parts[-1])
        return s and (cls, s.id, home)
    if cls in IN_SCHEMA:
        s = engine.resolver.schema(env, env.db, parts[-2] if len(parts) > 1 else None)
        t = s and getattr(env.db, IN_SCHEMA[cls]).find_in(s.id, parts[-1])
        return t and (cls, t.id, env.db)
    register = REGISTER.get(cls)
    rec = register and getattr(env.db, register).find(parts[-1])
    return rec and (cls, rec.id, env.db)


@function("HAS_PERMS_BY_NAME", 3, 5, INT)
def _has_perms(env, name, cls, permission, sub=None, sub_class=None):
    """1, 0, or NULL where the securable or the permission is not known."""
    env.engine.counted["permission_checks"] += 1
    security = env.engine.security
    if permission is None or env.engine.catalogue.features.no_permission_answers:
        return None
    perm = permission.upper().strip()
    if cls is None:
        if name is not None:
            return None
        if perm == "ANY":
            return 1
        return int(security.has_server(env.ctx, perm)) if ("SERVER", perm) in BUILTIN else None
    if name is None:
        if cls.upper() != "DATABASE":
            return None
        found = ("DATABASE", 0, env.db)
    else:
        found = securable(env, name, cls)
    if not found:
        return None
    kind, id_, db = found
    env.engine.locks.judging(env, db, STORED_AS.get(kind, kind), id_)
    if kind == "OBJECT" and not security.sees_object(env.ctx, db, db.objects.get(id_)):
        return None
    if perm == "ANY":
        return int(any(security.has(env.ctx, db, kind, id_, p) for p in permissions_of(kind)))
    if (kind, perm) not in BUILTIN:
        return None
    if kind == "OBJECT" and sub is not None:
        if (sub_class or "").upper() != "COLUMN":
            return None
        obj = db.objects.get(id_)
        column = db.column(obj, sub) if hasattr(obj, "columns") else None
        if column is None:
            return None
        return int(security.columns(env.ctx, db, obj, perm, [column.id]) is None)
    return int(security.has(env.ctx, db, kind, id_, perm))


@function("HAS_DBACCESS", 1, 1, INT)
@strict
def _has_dbaccess(env, name):
    db = env.engine.catalogue.databases.find(name)
    if db is None:
        return None
    return int(refusal(env.engine, env.ctx, db, env.session) is None)


def _is_rolemember(env, role, principal=None):
    db = env.db
    r = db.principals.find(role)
    if r is None or r.type != "R":
        return None
    if principal is None:
        if env.engine.security.is_dbo(env.ctx, db):
            return int(r.fixed and r.name == "db_owner" or r.id == 0 or
                       r.id in env.engine.security.token(env.ctx, db))
        return int(r.id in env.engine.security.token(env.ctx, db))
    p = db.principals.find(principal)
    if p is None:
        return None
    from .permissions import closure
    return int(r.id in closure(db.members, [p.id]) or r.id == 0 or
               (p.id == 1 and r.name == "db_owner"))


TABLE["IS_MEMBER"] = Function(1, 1, INT, strict(_is_rolemember))
TABLE["IS_ROLEMEMBER"] = Function(1, 2, INT, strict(_is_rolemember))


@function("IS_SRVROLEMEMBER", 1, 2, INT)
@strict
def _is_srvrolemember(env, role, login=None):
    from .permissions import closure
    cat = env.engine.catalogue
    r = cat.principals.find(role)
    if r is None or r.type != "R":
        return None
    # "NULL: role or login is not valid, or you do not have permission to view the role membership"
    # (https://learn.microsoft.com/sql/t-sql/functions/is-srvrolemember-transact-sql)
    if not env.engine.security.sees_server_principal(env.ctx, r):
        return None
    if login is None:
        return int(r.id in env.engine.security.server_token(env.ctx))
    p = cat.principals.find(login)
    env.engine.locks.naming_login(env, p)
    # Of a Windows login the groups in which it is may be missing: no domain controller answers here.
    if p is None and cat.other_sid(login):
        return 0
    return None if p is None else int(r.id in closure(cat.members, [p.id, 2]))
