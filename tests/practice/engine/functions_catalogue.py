"""Functions about the catalog, the session, or the security context."""
from .databases import is_named, is_open, state_of
from .events import SqlError
from .functions import GLOBALS, TABLE, Function, function, strict
from .resolver import split_name
from .sqltypes import BIT, INT, NMAX, SID, SYSNAME, T, VARIANT

VERSION_TEXT = ("Microsoft SQL Server 2022 (practice stand-in, not the product) - {version} (X64)")


@function("DB_NAME", 0, 1, SYSNAME)
def _db_name(env, id_=0):
    if not id_:
        return env.engine.catalogue.shown(env.session.database.name)
    db = env.engine.catalogue.databases.get(id_)
    return env.engine.catalogue.shown(db.name) if db and is_named(env, db) else None


@function("DB_ID", 0, 1, T("smallint"))
def _db_id(env, name=None):
    if name is None:
        return env.session.database.id
    db = env.engine.catalogue.databases.find(name)
    return db.id if db and is_named(env, db) else None


@function("SUSER_SNAME", 0, 1, SYSNAME)
def _suser_sname(env, sid=None):
    if sid is None:
        return env.login_name()
    p = env.engine.catalogue.login_of_sid(sid)
    env.engine.locks.naming_login(env, p)
    if p is None:
        cat = env.engine.catalogue
        return next((name for name in cat.features.other_logins if cat.other_sid(name) == bytes(sid)), None)
    return p.name


@function("SUSER_SID", 0, 2, SID)
def _suser_sid(env, name=None, check=None):
    if name is None:
        return env.session.contexts[-1].login.sid if env.ctx.login else None
    p = env.engine.catalogue.principals.find(name)
    env.engine.locks.naming_login(env, p)
    return p.sid if p else None


@function("SUSER_ID", 0, 1, INT)
def _suser_id(env, name=None):
    p = env.engine.catalogue.principals.find(env.login_name() if name is None else name)
    return p.id if p else None


@function("SUSER_NAME", 0, 1, SYSNAME)
def _suser_name(env, id_=None):
    if id_ is None:
        return env.login_name()
    p = env.engine.catalogue.principals.get(id_)
    return p.name if p else None


TABLE["SYSTEM_USER"] = Function(0, 0, SYSNAME, lambda e: e.login_name())
TABLE["ORIGINAL_LOGIN"] = Function(0, 0, SYSNAME, lambda e: e.session.original_login)


def _user_name(env, id_=None):
    db = env.db
    p = db.principals.get(env.user_id(db) if id_ is None else id_)
    return p.name if p else None


for _name in ("USER_NAME", "CURRENT_USER", "SESSION_USER", "USER"):
    TABLE[_name] = Function(0, 1 if _name == "USER_NAME" else 0, SYSNAME, _user_name)


def _principal_id(env, name=None):
    if name is None:
        return env.user_id(env.db)
    p = env.db.principals.find(name)
    return p.id if p else None


for _name in ("USER_ID", "DATABASE_PRINCIPAL_ID"):
    TABLE[_name] = Function(0, 1, INT, _principal_id)


@function("SCHEMA_NAME", 0, 1, SYSNAME)
def _schema_name(env, id_=None):
    s = env.engine.resolver.default_schema(env, env.db) if id_ is None else env.db.schemas.get(id_)
    return s and s.name


@function("SCHEMA_ID", 0, 1, INT)
def _schema_id(env, name=None):
    s = env.engine.resolver.schema(env, env.db, name)
    return s and s.id


_OBJECT_TYPES = {"U", "V", "P", "FN", "IF", "TR", "SN", "SO"}


@function("OBJECT_ID", 1, 2, INT)
def _object_id(env, name, type_=None):
    if name is None:
        return None
    parts = split_name(name)
    if parts and len(parts) >= 2 and parts[-2].casefold() == "sys":
        db = env.db if len(parts) < 3 else env.engine.catalogue.databases.find(parts[0])
        view = db and env.engine.views.find(db, "sys", parts[-1])
        return view and view.id
    found = env.engine.resolver.any_object(env, env.db, name)
    if not found or not env.engine.security.sees_object(env.ctx, found[1], found[0]):
        return None
    if type_ is not None and type_.strip().upper() != found[0].type.strip():
        return None
    return found[0].id


def _visible(env, id_, dbid=None):
    db = env.db if dbid is None else env.engine.catalogue.databases.get(dbid)
    obj = db and id_ is not None and db.objects.get(id_)
    if obj:
        env.engine.locks.naming(env, db, obj.schema_id, obj.name, obj)
    if obj and env.engine.security.sees_object(env.ctx, db, obj):
        return obj, db
    return None


@function("OBJECT_NAME", 1, 2, SYSNAME)
def _object_name(env, id_, dbid=None):
    found = _visible(env, id_, dbid)
    return found and found[0].name


@function("OBJECT_SCHEMA_NAME", 1, 2, SYSNAME)
def _object_schema_name(env, id_, dbid=None):
    found = _visible(env, id_, dbid)
    return found and found[1].schemas.get(found[0].schema_id).name


@function("OBJECT_DEFINITION", 1, 1, NMAX)
def _object_definition(env, id_):
    found = _visible(env, id_)
    if not found or not env.engine.security.sees_definition(env.ctx, env.db, found[0]):
        return None
    return getattr(found[0], "definition", None)


@function("OBJECTPROPERTY", 2, 2, INT)
@strict
def _object_property(env, id_, name):
    found = _visible(env, id_)
    if not found:
        return None
    obj, db = found
    kinds = {"istable": "U", "isusertable": "U", "isview": "V", "isprocedure": "P",
             "isscalarfunction": "FN", "isinlinefunction": "IF", "istrigger": "TR"}
    key = name.casefold()
    if key in kinds:
        return int(obj.type == kinds[key])
    if key == "ownerid":
        return db.owner_of(obj)
    if key in ("isencrypted", "isschemabound"):
        marks = getattr(getattr(obj, "stmt", None), "marks", ())
        return int({"isencrypted": "ENCRYPTION", "isschemabound": "SCHEMABINDING"}[key] in marks)
    if key == "ismsshipped":
        return 0
    if key == "execistriggerdisabled":
        return int(bool(getattr(obj, "disabled", False)))
    if key == "execisstartup":
        return int(bool(getattr(obj, "startup", False)))
    return None


# ---- properties --------------------------------------------------------------------------------

@function("SERVERPROPERTY", 1, 1, VARIANT)
@strict
def _serverproperty(env, name):
    version = env.engine.product_version
    major = version.split(".")[0]
    known = {"productversion": version, "productlevel": "RTM", "edition": "Developer Edition (64-bit)",
             "servername": env.engine.catalogue.name, "machinename": env.engine.catalogue.name,
             "engineedition": env.engine.catalogue.features.engine_edition, "productmajorversion": major, "isclustered": 0, "ishadrenabled": 0,
             "isintegratedsecurityonly": 0, "collation": env.engine.catalogue.collation,
             "productminorversion": version.split(".")[1], "isfulltextinstalled": 0,
             "instancename": None, "computernamephysicalnetbios": env.engine.catalogue.name,
             "processid": 1000, "issingleuser": 0, "productupdatelevel": None}
    return known.get(name.casefold())


@function("DATABASEPROPERTYEX", 2, 2, VARIANT)
@strict
def _databasepropertyex(env, name, prop):
    db = env.engine.catalogue.databases.find(name)
    if db is None:
        return None
    f, state = db.fields, state_of(env.engine, db)
    read_only = f.read_only or state.writes == 3906
    return {"status": state.name, "collation": f.collation if is_open(env, db) else None,
            "recovery": f.recovery, "updateability": "READ_ONLY" if read_only else "READ_WRITE",
            "useraccess": f.access, "isinstandby": int(state.standby),
            "isautoclose": int(f.auto_close),
            "version": 957 if is_open(env, db) else None}.get(prop.casefold())


@function("SYS.FN_HADR_IS_PRIMARY_REPLICA", 1, 1, BIT)
@strict
def _is_primary(env, name):
    db = env.engine.catalogue.databases.find(name)
    replica = db and state_of(env.engine, db).replica
    return int(replica == "PRIMARY") if replica else None


@function("CONNECTIONPROPERTY", 1, 1, VARIANT)
@strict
def _connectionproperty(env, name):
    s = env.session
    return {"encrypt_option": "TRUE" if s.encrypted else "FALSE", "client_net_address": s.address,
            "net_transport": "TCP", "protocol_type": "TSQL", "auth_scheme": "SQL",
            "local_tcp_port": s.local_port}.get(name.casefold())


@function("SESSIONPROPERTY", 1, 1, VARIANT)
@strict
def _sessionproperty(env, name):
    name = name.upper()
    known = ("ANSI_NULLS", "ANSI_PADDING", "ANSI_WARNINGS", "ARITHABORT", "CONCAT_NULL_YIELDS_NULL",
             "NUMERIC_ROUNDABORT", "QUOTED_IDENTIFIER")
    return int(env.session.option(name)) if name in known else None


TABLE["APP_NAME"] = Function(0, 0, SYSNAME, lambda e: e.session.app)
TABLE["HOST_NAME"] = Function(0, 0, SYSNAME, lambda e: e.session.host)
TABLE["XACT_STATE"] = Function(0, 0, T("smallint"), lambda e: 0 if not e.session.tran_count else
                               -1 if e.session.doomed else 1)
TABLE["SCOPE_IDENTITY"] = Function(0, 0, T("decimal", 0, 38, 0), lambda e: e.scope_identity)
TABLE["TYPE_NAME"] = Function(1, 1, SYSNAME, strict(lambda e, i: next(
    (t[0] for t in e.engine.views.type_rows() if t[1] == i), None)))
TABLE["EVENTDATA"] = Function(0, 0, NMAX, lambda e: e.event_data())
TABLE["TRIGGER_NESTLEVEL"] = Function(0, 3, INT, lambda e, *a: e.trigger_depth())
TABLE["IDENT_CURRENT"] = Function(1, 1, T("decimal", 0, 38, 0), strict(
    lambda e, name: (lambda f: f and getattr(f[0], "identity_next", None) and
                     f[0].identity_last)(e.engine.resolver.any_object(e, e.db, name))))


def _caught(field):
    def get(env):
        err = env.caught()
        return getattr(err, field) if err else None
    return get


for _name, _field, _type in (("ERROR_NUMBER", "number", INT), ("ERROR_MESSAGE", "text", NMAX),
                             ("ERROR_SEVERITY", "severity", INT), ("ERROR_STATE", "state", INT),
                             ("ERROR_LINE", "line", INT), ("ERROR_PROCEDURE", "procedure", SYSNAME)):
    TABLE[_name] = Function(0, 0, _type, _caught(_field))

GLOBALS.update({
    "@@SPID": (T("smallint"), lambda e: e.session.spid),
    "@@ROWCOUNT": (INT, lambda e: e.session.row_count),
    "@@ERROR": (INT, lambda e: e.session.last_error),
    "@@TRANCOUNT": (INT, lambda e: e.session.tran_count),
    "@@IDENTITY": (T("decimal", 0, 38, 0), lambda e: e.session.identity),
    "@@SERVERNAME": (SYSNAME, lambda e: e.engine.catalogue.name),
    "@@VERSION": (T("nvarchar", 300), lambda e: VERSION_TEXT.format(version=e.engine.product_version)),
    "@@LOCK_TIMEOUT": (INT, lambda e: e.session.settings.lock_timeout),
    "@@NESTLEVEL": (INT, lambda e: e.depth),
    "@@PROCID": (INT, lambda e: getattr(e, "object_id", 0)),
    "@@OPTIONS": (INT, lambda e: e.session.settings.bits(e.db)),
    "@@LANGUAGE": (SYSNAME, lambda e: e.session.settings.language),
    "@@MAX_PRECISION": (T("tinyint"), lambda e: 38),
    "@@MICROSOFTVERSION": (INT, lambda e: int(e.engine.product_version.split(".")[0]) << 24),
    "@@TEXTSIZE": (INT, lambda e: e.session.settings.text_size),
    "@@DATEFIRST": (T("tinyint"), lambda e: e.session.settings.date_first),
})


def global_variable(env, name):
    found = GLOBALS.get(name)
    if found is None:
        raise SqlError(137, f'Must declare the scalar variable "{name}".', 15, 2, compile=True)
    return found[0], found[1](env)


