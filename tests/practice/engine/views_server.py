"""Views of the server: databases, principals, permissions, and settings."""
from .catalogue import older
from .databases import is_open, is_seen, state_of
from .permissions import type_code
from .permtable import CLASS_DESC, CLASS_NUMBER
from .settings import DATABASE_OPTIONS
from .views import view
from .views_replicas import replica_id

OTHER_DESC = {"U": "WINDOWS_LOGIN", "G": "WINDOWS_GROUP", "E": "EXTERNAL_LOGIN", "X": "EXTERNAL_GROUP"}
TYPE_DESC = {"S": "SQL_LOGIN", "R": "SERVER_ROLE", "C": "CERTIFICATE_MAPPED_LOGIN"}


def nothing(env, db):
    return ()


@view("databases", "name:n database_id:i source_database_id:i owner_sid:v create_date:d "
      "compatibility_level:t collation_name:n user_access:t user_access_desc:d60 is_read_only:b "
      "is_auto_close_on:b state:t state_desc:d60 is_in_standby:b recovery_model:t "
      "recovery_model_desc:d60 is_trustworthy_on:b is_db_chaining_on:b is_published:b "
      "is_distributor:b is_broker_enabled:b containment:t containment_desc:d60 is_encrypted:b "
      "is_query_store_on:b is_cdc_enabled:b snapshot_isolation_state:t is_read_committed_snapshot_on:b "
      "log_reuse_wait:t log_reuse_wait_desc:d60 replica_id:u group_database_id:u "
      + " ".join(f"is_{o.lower()}_on:b" for o in DATABASE_OPTIONS), fixed=False)
def _databases(env, db):
    engine = env.engine
    for d in engine.catalogue.databases:
        if not is_seen(env, d):
            continue
        f, state = d.fields, state_of(engine, d)
        replica = replica_id(engine.catalogue.name) if state.replica else None
        access = {"MULTI_USER": 0, "SINGLE_USER": 1, "RESTRICTED_USER": 2}
        recovery = {"FULL": 1, "BULK_LOGGED": 2, "SIMPLE": 3}
        yield (engine.catalogue.shown(f.name), d.id, f.source, f.owner_sid, older(engine.catalogue, f.created), 160,
               f.collation if is_open(env, d) else None, access[f.access], f.access,
               f.read_only or state.standby, f.auto_close, state.number, state.name, state.standby,
               recovery[f.recovery], f.recovery, f.trustworthy,
               f.chaining, 0, 0, 0, int(f.contained), "PARTIAL" if f.contained else "NONE", 0, 0, 0, 0,
               0, *_log_wait(engine, d), replica, None) + tuple(o in f.set_options for o in DATABASE_OPTIONS)


@view("master_files", "database_id:i file_id:i file_guid:u type:t type_desc:d60 data_space_id:i name:n "
      "physical_name:n state:t state_desc:d60 size:i max_size:i growth:i is_media_read_only:b is_read_only:b "
      "is_sparse:b is_percent_growth:b is_name_reserved:b", fixed=False)
def _master_files(env, db):
    """Of every database, in any state."""
    allowed = any(env.engine.security.has_server(env.ctx, p)
                  for p in ("VIEW ANY DEFINITION", "ALTER ANY DATABASE", "CREATE ANY DATABASE"))
    for d in env.engine.catalogue.databases if allowed else ():
        for id_, kind, end in ((1, "ROWS", ".mdf"), (2, "LOG", "_log.ldf")):
            yield (d.id, id_, None, id_ - 1, kind, 2 - id_, d.name + end[:-4], d.name + end, 0, "ONLINE", 1024, -1,
                   1024, 0, 0, 0, 0, 0)


def _log_wait(engine, db):
    """4 while an open transaction holds the log of a database."""
    held = any(u.scope is db for s in engine.sessions.values() for u in s.undo)
    return (4, "ACTIVE_TRANSACTION") if held else (0, "NOTHING")


def _logins(env):
    for p in env.engine.catalogue.principals:
        if env.engine.security.sees_server_principal(env.ctx, p):
            yield p


@view("server_principals", "name:n principal_id:i sid:v type:c1 type_desc:d60 is_disabled:b "
      "create_date:d modify_date:d default_database_name:n default_language_name:n credential_id:i "
      "owning_principal_id:i is_fixed_role:b", fixed=False)
def _server_principals(env, db):
    for p in _logins(env):
        login = p.type != "R"
        yield (p.name, p.id, p.sid, p.type, TYPE_DESC[p.type], p.disabled, p.created, p.modified,
               p.default_database if login else None, p.language if login else None, None,
               p.owner if not login else None, p.fixed)
    if env.engine.security.has_server(env.ctx, "ALTER ANY LOGIN") or \
            env.engine.security.has_server(env.ctx, "VIEW ANY DEFINITION"):
        now = env.engine.catalogue.started
        for i, (name, kind) in enumerate(env.engine.catalogue.features.other_logins.items(), 900):
            yield (name, i, env.engine.catalogue.other_sid(name), kind, OTHER_DESC[kind], 0, now, now, "master",
                   "us_english", None, None, 0)


@view("sql_logins", "name:n principal_id:i sid:v type:c1 type_desc:d60 is_disabled:b create_date:d "
      "modify_date:d default_database_name:n default_language_name:n credential_id:i "
      "is_policy_checked:b is_expiration_checked:b password_hash:V")
def _sql_logins(env, db):
    full = env.engine.security.has_server(env.ctx, "CONTROL SERVER")
    for p in _logins(env):
        if p.type == "S":
            yield (p.name, p.id, p.sid, p.type, TYPE_DESC[p.type], p.disabled, p.created, p.modified,
                   p.default_database, p.language, None, p.policy, p.expiration,
                   p.hash if full else None)


@view("server_role_members", "role_principal_id:i member_principal_id:i")
def _server_role_members(env, db):
    """Everybody sees the ids of those who are in a fixed role, also of whom a denial hides
    (https://learn.microsoft.com/sql/relational-databases/system-catalog-views/sys-server-role-members-transact-sql)."""
    cat, seen = env.engine.catalogue, {p.id for p in _logins(env)}
    for role, member in cat.members:
        if role in seen and (member in seen or cat.principals.get(role).fixed):
            yield role, member


@view("server_permissions", "class:t class_desc:d60 major_id:i minor_id:i grantee_principal_id:i "
      "grantor_principal_id:i type:c4 permission_name:n state:c1 state_desc:d60")
def _server_permissions(env, db):
    if env.engine.catalogue.features.empty_permissions:
        return
    seen = {p.id for p in _logins(env)}
    yield from permission_rows(env.engine.catalogue, seen, env.engine.catalogue.principals)


STATE_DESC = {"G": "GRANT", "D": "DENY", "W": "GRANT_WITH_GRANT_OPTION", "R": "REVOKE"}


def permission_rows(scope, seen, principals, sees=lambda cls, major: True):
    for (cls, major, minor), entries in list(scope.permissions.items()):
        for (grantee, perm, grantor), state in list(entries.items()):
            if grantee not in seen or not sees(cls, major):
                continue
            real = cls
            if cls in ("USER", "LOGIN"):
                p = principals.get(major)
                real = "ROLE" if p and p.type == "R" and cls == "USER" else \
                    "SERVER ROLE" if p and p.type == "R" else \
                    "APPLICATION ROLE" if p and p.type == "A" else cls
            number = CLASS_NUMBER[real]
            yield (number, CLASS_DESC[number], major, minor, grantee, grantor, type_code(real, perm),
                   perm, state, STATE_DESC[state])


@view("server_triggers", "name:n object_id:i parent_class:t parent_class_desc:d60 parent_id:i type:c2 "
      "type_desc:d60 create_date:d modify_date:d is_ms_shipped:b is_disabled:b")
def _server_triggers(env, db):
    s = env.engine.security
    if s.has_server(env.ctx, "VIEW ANY DEFINITION") or s.has_server(env.ctx, "CONTROL SERVER"):
        for t in env.engine.catalogue.triggers:
            yield (t.name, t.id, 100, "SERVER", 0, "TR", "SQL_TRIGGER", t.created, t.modified, 0,
                   t.disabled)


@view("server_trigger_events", "object_id:i type:i type_desc:d60 is_trigger_event:b "
      "event_group_type:i event_group_type_desc:d60")
def _server_trigger_events(env, db):
    for t in env.engine.catalogue.triggers:
        for e in t.events:
            yield t.id, 147 if e == "LOGON" else 0, e, 1, None, None


@view("server_sql_modules", "object_id:i definition:m uses_ansi_nulls:b uses_quoted_identifier:b "
      "execute_as_principal_id:i")
def _server_sql_modules(env, db):
    if env.engine.security.has_server(env.ctx, "VIEW ANY DEFINITION"):
        for t in env.engine.catalogue.triggers:
            shown = "ENCRYPTION" not in t.stmt.marks
            yield (t.id, t.definition if shown else None, "ANSI_NULLS" in t.made_with, "QUOTED_IDENTIFIER" in t.made_with,
                   t.execute_as)


def notifications(register):
    for e in register:
        yield (e.name, e.id, e.parent_class, e.parent_desc, 0, e.created, e.created, e.service, None,
               e.creator_sid, e.owner)


_NOTIFICATION = ("name:n object_id:i parent_class:t parent_class_desc:d60 parent_id:i create_date:d "
                 "modify_date:d service_name:n256 broker_instance:n creator_sid:v principal_id:i")


@view("server_event_notifications", _NOTIFICATION)
def _server_event_notifications(env, db):
    if env.engine.security.has_server(env.ctx, "VIEW ANY DEFINITION"):
        yield from notifications(env.engine.catalogue.notifications)


@view("event_notifications", _NOTIFICATION)
def _event_notifications(env, db):
    if env.engine.security.has_db(env.ctx, db, "VIEW DEFINITION"):
        yield from notifications(db.notifications)


@view("configurations", "configuration_id:i name:n value:x minimum:x maximum:x value_in_use:x "
      "description:n is_dynamic:b is_advanced:b")
def _configurations(env, db):
    for id_, c in env.engine.catalogue.configurations.items():
        yield id_, c.name, c.value, 0, 2147483647, c.in_use, c.name, 1, 1


@view("servers", "server_id:i name:n product:n provider:n data_source:k location:k "
      "provider_string:k catalog:n is_linked:b is_remote_login_enabled:b is_rpc_out_enabled:b "
      "is_data_access_enabled:b modify_date:d")
def _servers(env, db):
    for s in env.engine.catalogue.servers:
        yield (s.id, s.name, s.product, s.provider, s.source, None, None, None, s.linked, 1, 0, 1,
               s.modified)


@view("linked_logins", "server_id:i local_principal_id:i uses_self_credential:b remote_name:n "
      "modify_date:d")
def _linked_logins(env, db):
    for (server, local), remote in env.engine.catalogue.linked_logins.items():
        yield server, local, remote is None, remote, env.engine.catalogue.started


@view("credentials", "credential_id:i name:n credential_identity:k create_date:d modify_date:d "
      "target_type:n target_id:i")
def _credentials(env, db):
    rights = ("VIEW ANY DEFINITION", "ALTER ANY CREDENTIAL")
    if not any(env.engine.security.has_server(env.ctx, right) for right in rights):
        return
    for c in env.engine.catalogue.credentials:
        yield c.id, c.name, c.identity, c.created, c.modified, None, None
