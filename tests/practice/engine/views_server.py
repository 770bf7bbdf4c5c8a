"""Views of the server: databases, principals, permissions, sessions and what else belongs to all."""
from .databases import is_open, is_seen, state_of
from .errors import error
from .permissions import type_code
from .permtable import CLASS_DESC, CLASS_NUMBER
from .settings import DATABASE_OPTIONS
from .views import view
from .views_replicas import GROUP

TYPE_DESC = {"S": "SQL_LOGIN", "R": "SERVER_ROLE", "C": "CERTIFICATE_MAPPED_LOGIN"}


def nothing(env, db):
    return ()


def own_rights(env, permission):
    """The error that a view of state gives to those who may not see state."""
    if not env.engine.security.has_server(env.ctx, permission):
        raise error(300, permission=permission)


@view("databases", "name:n database_id:i source_database_id:i owner_sid:v create_date:d "
      "compatibility_level:t collation_name:n user_access:t user_access_desc:d60 is_read_only:b "
      "is_auto_close_on:b state:t state_desc:d60 is_in_standby:b recovery_model:t "
      "recovery_model_desc:d60 is_trustworthy_on:b is_db_chaining_on:b is_published:b "
      "is_distributor:b is_broker_enabled:b containment:t containment_desc:d60 is_encrypted:b "
      "is_query_store_on:b is_cdc_enabled:b snapshot_isolation_state:t is_read_committed_snapshot_on:b "
      + " ".join(f"is_{o.lower()}_on:b" for o in DATABASE_OPTIONS), fixed=False)
def _databases(env, db):
    engine = env.engine
    for d in engine.catalogue.databases:
        if not is_seen(env, d):
            continue
        f, state = d.fields, state_of(engine, d)
        access = {"MULTI_USER": 0, "SINGLE_USER": 1, "RESTRICTED_USER": 2}
        recovery = {"FULL": 1, "BULK_LOGGED": 2, "SIMPLE": 3}
        yield (engine.catalogue.shown(f.name), d.id, f.source, f.owner_sid, f.created, 160,
               f.collation if is_open(env, d) else None, access[f.access], f.access,
               f.read_only or state.standby, f.auto_close, state.number, state.name, state.standby, recovery[f.recovery], f.recovery, f.trustworthy,
               f.chaining, 0, 0, 0, int(f.contained), "PARTIAL" if f.contained else "NONE", 0, 0, 0, 0,
               0) + tuple(o in f.set_options for o in DATABASE_OPTIONS)


def _logins(env):
    for p in env.engine.catalogue.principals:
        if env.engine.security.sees_server_principal(env.ctx, p):
            yield p


@view("server_principals", "name:n principal_id:i sid:v type:c1 type_desc:d60 is_disabled:b "
      "create_date:d modify_date:d default_database_name:n default_language_name:n credential_id:i "
      "owning_principal_id:i is_fixed_role:b")
def _server_principals(env, db):
    for p in _logins(env):
        login = p.type != "R"
        yield (p.name, p.id, p.sid, p.type, TYPE_DESC[p.type], p.disabled, p.created, p.modified,
               p.default_database if login else None, p.language if login else None, None,
               p.owner if not login else None, p.fixed)


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
    seen = {p.id for p in _logins(env)}
    for role, member in env.engine.catalogue.members:
        if role in seen and member in seen:
            yield role, member


@view("server_permissions", "class:t class_desc:d60 major_id:i minor_id:i grantee_principal_id:i "
      "grantor_principal_id:i type:c4 permission_name:n state:c1 state_desc:d60")
def _server_permissions(env, db):
    if env.engine.catalogue.features.empty_permissions:
        return
    seen = {p.id for p in _logins(env)}
    yield from permission_rows(env.engine.catalogue, seen, env.engine.catalogue.principals)


STATE_DESC = {"G": "GRANT", "D": "DENY", "W": "GRANT_WITH_GRANT_OPTION"}


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
            yield (t.id, t.definition, "ANSI_NULLS" in t.made_with, "QUOTED_IDENTIFIER" in t.made_with,
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
    for c in env.engine.catalogue.credentials:
        yield c.id, c.name, c.identity, c.created, c.created, None, None


# ---- sessions ----------------------------------------------------------------------------------

def _sessions(env, need_all=False):
    engine = env.engine
    right = engine.state_right("SECURITY" if need_all else "PERFORMANCE")
    allowed = engine.security.has_server(env.ctx, right)
    if need_all and not allowed:
        raise error(300, permission=right)
    for s in list(engine.sessions.values()):
        if allowed or s is env.session:
            yield s


SESSION_OPTIONS = ("QUOTED_IDENTIFIER", "ARITHABORT", "ANSI_NULL_DFLT_ON", "ANSI_WARNINGS",
                   "ANSI_PADDING", "ANSI_NULLS", "CONCAT_NULL_YIELDS_NULL")
ISOLATION = ("", "READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "SNAPSHOT")


@view("dm_exec_sessions", "session_id:s login_time:d host_name:n program_name:n host_process_id:i "
      "client_version:i client_interface_name:n security_id:v login_name:n nt_domain:n nt_user_name:n "
      "status:d60 context_info:v cpu_time:i memory_usage:i total_elapsed_time:i "
      "last_request_start_time:d last_request_end_time:d reads:B writes:B logical_reads:B "
      "is_user_process:b text_size:i language:n lock_timeout:i row_count:B prev_error:i "
      "original_security_id:v original_login_name:n database_id:s authenticating_database_id:i "
      "open_transaction_count:i transaction_isolation_level:s date_format:n date_first:s "
      "deadlock_priority:i contained_availability_group_id:u " + " ".join(f"{o.lower()}:b" for o in SESSION_OPTIONS), fixed=False)
def _dm_exec_sessions(env, db):
    if env.engine.security.has_server(env.ctx, env.engine.state_right("PERFORMANCE")):
        for spid in range(1, 51, 10):
            yield (spid, env.engine.catalogue.started, None, None, None, None, None, b"\x01", "sa",
                   None, None, "sleeping", None, 0, 0, 0, env.engine.catalogue.started,
                   env.engine.catalogue.started, 0, 0, 0, 0, 4096, "us_english", -1, 0, 0, b"\x01",
                   "sa", 1, 1, 0, 2, "mdy", 7, 0, None) + (1,) * len(SESSION_OPTIONS)
    for s in _sessions(env):
        ctx, o = s.contexts[-1], s.settings
        sid = ctx.login.sid if ctx.login else b"\0"
        yield (s.spid, s.login_time, s.host, s.app, 1, 7, "practice", sid, s.current_login_name(),
               None, None, "running" if s.running else "sleeping", None, 0, 2, 0, s.last_start,
               s.last_end, 0, 0, 0, 1, o.text_size, o.language, o.lock_timeout, s.row_count,
               s.last_error, s.original_sid, s.original_login, s.database.id, s.auth_database,
               s.tran_count, ISOLATION.index(o.isolation), o.date_format, o.date_first,
               o.deadlock_priority,
               GROUP if env.engine.catalogue.features.contained_group else None) + tuple(s.option(name) for name in SESSION_OPTIONS)


@view("dm_exec_connections", "session_id:i most_recent_session_id:i connect_time:d net_transport:n "
      "protocol_type:n protocol_version:i endpoint_id:i encrypt_option:n auth_scheme:n num_reads:i "
      "num_writes:i last_read:d last_write:d net_packet_size:i client_net_address:n48 "
      "client_tcp_port:i local_net_address:n48 local_tcp_port:i connection_id:u", fixed=False)
def _dm_exec_connections(env, db):
    for s in _sessions(env, True):
        if s.address is not None:
            yield (s.spid, s.spid, s.login_time, "TCP", "TSQL", 1946157060, 4,
                   "TRUE" if s.encrypted else "FALSE", "SQL", 0, 0, s.last_start, s.last_end, 4096,
                   s.address, s.client_port, s.local_address,
                   env.engine.catalogue.features.listener_port or s.local_port, s.connection_id)


@view("dm_exec_requests", "session_id:s request_id:i start_time:d status:n command:n database_id:s "
      "user_id:i blocking_session_id:s wait_type:n wait_time:i open_transaction_count:i "
      "percent_complete:r", fixed=False)
def _dm_exec_requests(env, db):
    for s in _sessions(env):
        if s.running or s.rollback:
            status = "rollback" if s.rollback else "suspended" if s.blocked_by else "running"
            percent = env.engine.rollback_progress(s)[0] if s.rollback else 0
            yield (s.spid, 0, s.last_start, status, "KILLED/ROLLBACK" if s.rollback else "SELECT",
                   s.database.id, 1, s.blocked_by.spid if s.blocked_by else 0,
                   "LCK_M_S" if s.blocked_by else None, 0, s.tran_count, float(percent))


NO_UNIT = "00000000-0000-0000-0000-000000000000"


@view("dm_tran_locks", "resource_type:d60 resource_subtype:d60 resource_database_id:i "
      "resource_description:n256 request_mode:d60 request_type:d60 request_status:d60 "
      "request_session_id:i request_owner_type:d60 request_owner_guid:u "
      "resource_associated_entity_id:B", fixed=False)
def _dm_tran_locks(env, db):
    own_rights(env, env.engine.state_right("PERFORMANCE"))
    modes = {"Exclusive": "X", "Shared": "S", "Update": "U", "IntentShared": "IS",
             "IntentExclusive": "IX"}
    for lock in env.engine.locks.applocks():
        yield ("APPLICATION", "", lock.db, f"{lock.principal}:[{lock.resource[:32]}]", modes[lock.mode],
               "LOCK", "GRANT", lock.spid, lock.owner.upper(), NO_UNIT, 0)
    for lock in env.engine.locks.table_locks():
        yield ("OBJECT", "", lock.db.id, "", lock.mode, "LOCK", "GRANT", lock.session.spid, "TRANSACTION",
               NO_UNIT, lock.obj.id)
    for s in list(env.engine.sessions.values()):
        for kind, scope in {(u.kind, u.scope) for u in s.undo if u.scope is not None}:
            yield ("METADATA", kind.upper(), getattr(scope, "id", 1), "", "X", "LOCK", "GRANT", s.spid,
                   "TRANSACTION", NO_UNIT, 0)
    if env.engine.catalogue.features.in_doubt:
        yield ("DATABASE", "", 1, "", "S", "LOCK", "GRANT", -2, "TRANSACTION",
               env.engine.catalogue.features.in_doubt.upper(), 0)


# ---- msdb --------------------------------------------------------------------------------------

@view("sysjobs", "job_id:u originating_server_id:i name:n enabled:t description:k start_step_id:i "
      "category_id:i owner_sid:v date_created:d date_modified:d version_number:i", "dbo", "msdb")
def _sysjobs(env, db):
    for j in env.engine.catalogue.jobs.values():
        yield j.id, 0, j.name, j.enabled, "", 1, 0, j.owner_sid, j.created, j.created, 1


@view("sysjobsteps", "job_id:u step_id:i step_name:n subsystem:n command:m database_name:n "
      "database_user_name:n proxy_id:i", "dbo", "msdb")
def _sysjobsteps(env, db):
    for j in env.engine.catalogue.jobs.values():
        for i, s in enumerate(j.steps, 1):
            yield j.id, i, s["name"], s["subsystem"], s["command"], s["database"], None, None
