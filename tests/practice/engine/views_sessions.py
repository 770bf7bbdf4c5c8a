"""Views of sessions: logins, addresses, requests, locks."""
from .errors import error
from .views import view
from .views_replicas import GROUP

SESSION_OPTIONS = ("QUOTED_IDENTIFIER", "ARITHABORT", "ANSI_NULL_DFLT_ON", "ANSI_WARNINGS",
                   "ANSI_PADDING", "ANSI_NULLS", "CONCAT_NULL_YIELDS_NULL")
ISOLATION = ("", "READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "SNAPSHOT")
LOGGING_IN = "1900-01-01 00:00:00.0000000"
NO_UNIT = "00000000-0000-0000-0000-000000000000"


def _sessions(env, half="PERFORMANCE", need_all=False, number=300):
    """The sessions that who asks may see; an error where a view is for who may see all."""
    engine = env.engine
    right = engine.state_right(half)
    allowed = engine.security.has_server(env.ctx, right)
    if need_all and not allowed:
        raise error(number, permission=right)
    for s in list(engine.sessions.values()):
        if allowed or s is env.session:
            yield s


def _sees_all(env):
    return env.engine.security.has_server(env.ctx, env.engine.state_right("PERFORMANCE"))


@view("dm_exec_sessions", "session_id:s login_time:d host_name:n program_name:n host_process_id:i "
      "client_version:i client_interface_name:n security_id:v login_name:n nt_domain:n nt_user_name:n "
      "status:d60 context_info:v cpu_time:i memory_usage:i total_elapsed_time:i "
      "last_request_start_time:d last_request_end_time:d reads:B writes:B logical_reads:B "
      "is_user_process:b text_size:i language:n lock_timeout:i row_count:B prev_error:i "
      "original_security_id:v original_login_name:n database_id:s authenticating_database_id:i "
      "open_transaction_count:i transaction_isolation_level:s date_format:n date_first:s "
      "deadlock_priority:i contained_availability_group_id:u "
      + " ".join(f"{o.lower()}:b" for o in SESSION_OPTIONS), fixed=False)
def _dm_exec_sessions(env, db):
    options = (1,) * len(SESSION_OPTIONS)
    started = env.engine.catalogue.started
    if _sees_all(env):
        for spid in range(1, 51, 10):
            yield (spid, started, None, None, None, None, None, b"\x01", "sa", None, None, "sleeping",
                   None, 0, 0, 0, started, started, 0, 0, 0, 0, 4096, "us_english", -1, 0, 0, b"\x01",
                   "sa", 1, 1, 0, 2, "mdy", 7, 0, None) + options
        if env.engine.sign_in_now():
            yield (env.engine.free_spid(), LOGGING_IN, None, None, None, None, None, b"\0", "", None,
                   None, "running", None, 0, 0, 0, LOGGING_IN, LOGGING_IN, 0, 0, 0, 1, 4096, "us_english",
                   -1, 0, 0, b"\0", "", 1, 0, 0, 2, "mdy", 7, 0, None) + options
    group = GROUP if env.engine.catalogue.features.contained_group else None
    for s in _sessions(env):
        o = s.settings
        yield (s.spid, s.login_time, s.host, s.app, 1, 7, "practice", s.current_sid(),
               s.current_login_name(), None, None, "running" if s.running or s.rollback else "sleeping",
               None, 0, 2, 0, s.last_start, s.last_end, 0, 0, 0, s.is_user, o.text_size, o.language,
               o.lock_timeout, s.row_count, s.last_error, s.original_sid, s.original_login, s.database.id,
               s.auth_database, s.tran_count, ISOLATION.index(o.isolation), o.date_format, o.date_first,
               o.deadlock_priority, group) + tuple(s.option(name) for name in SESSION_OPTIONS)


@view("dm_exec_connections", "session_id:i most_recent_session_id:i connect_time:d net_transport:n "
      "protocol_type:n protocol_version:i endpoint_id:i encrypt_option:n auth_scheme:n num_reads:i "
      "num_writes:i last_read:d last_write:d net_packet_size:i client_net_address:n48 "
      "client_tcp_port:i local_net_address:n48 local_tcp_port:i connection_id:u "
      "parent_connection_id:u", fixed=False)
def _dm_exec_connections(env, db):
    features = env.engine.catalogue.features
    number = 371 if env.engine.major_version >= 16 else 300
    for s in _sessions(env, "SECURITY", True, number):
        if s.address is None:
            continue
        encrypted = "TRUE" if s.encrypted else "FALSE"
        head = (s.spid, s.spid, s.login_time)
        rest = ("TSQL", 1946157060, 4, encrypted, "SQL", 0, 0, s.last_start, s.last_end, 4096)
        if s.login == features.shared_memory:
            yield head + ("Shared memory",) + rest + ("<local machine>", None, None, None, s.connection_id, None)
            continue
        yield head + ("TCP",) + rest + (s.address, s.client_port, s.local_address,
                                        features.listener_port or s.local_port, s.connection_id, None)
        if s.login == features.mars:
            for child in s.mars_connections:
                yield head + ("Session",) + rest + (None, None, None, None, child, s.connection_id)


@view("dm_exec_requests", "session_id:s request_id:i start_time:d status:n command:n database_id:s "
      "user_id:i blocking_session_id:s wait_type:n wait_time:i open_transaction_count:i "
      "percent_complete:r", fixed=False)
def _dm_exec_requests(env, db):
    number = env.engine.catalogue.features.requests_fail
    if number:
        fault = error(number, name="another")
        fault.aborts = False
        raise fault
    for s in _sessions(env):
        if s.running or s.rollback:
            status = "rollback" if s.rollback else "suspended" if s.blocked_by else "running"
            percent = env.engine.rollback_progress(s)[0] if s.rollback else 0
            yield (s.spid, 0, s.last_start, status, "KILLED/ROLLBACK" if s.rollback else "SELECT",
                   s.database.id, 1, s.blocked_by.spid if s.blocked_by else 0,
                   "LCK_M_S" if s.blocked_by else None, 0, s.tran_count, float(percent))


@view("dm_tran_session_transactions", "session_id:i transaction_id:B transaction_descriptor:V "
      "enlist_count:i is_user_transaction:b is_local:b is_enlisted:b is_bound:b open_transaction_count:i",
      fixed=False)
def _dm_tran_session_transactions(env, db):
    for s in _sessions(env, need_all=True):
        if s.tran_count:
            id_ = s.transaction.id
            yield (s.spid, id_, id_.to_bytes(8, "little"), 0, 1, 1, 0, s.is_bound, s.tran_count)


@view("dm_tran_active_transactions", "transaction_id:B name:n transaction_begin_time:d "
      "transaction_type:i transaction_state:i", fixed=False)
def _dm_tran_active_transactions(env, db):
    seen = set()
    for s in _sessions(env, need_all=True):
        t = s.transaction
        if t.count and t.id not in seen:
            seen.add(t.id)
            yield t.id, s.tran_name or "user_transaction", t.began, 1, 2


@view("dm_tran_database_transactions", "transaction_id:B database_id:i database_transaction_begin_time:d "
      "database_transaction_type:i database_transaction_state:i database_transaction_log_record_count:B", fixed=False)
def _dm_tran_database_transactions(env, db):
    """Who changed something in which database, in a transaction that is open."""
    for s in _sessions(env, need_all=True):
        changed = [getattr(u.scope, "id", 1) for u in s.undo if u.scope is not None]
        changed += [lock.db.id for lock in env.engine.locks.table_locks() if lock.session is s and lock.mode == "X"]
        for id_ in sorted(set(changed)) if s.tran_count else ():
            yield s.transaction.id, id_, s.transaction.began, 1, 4, changed.count(id_)


@view("dm_tran_locks", "resource_type:d60 resource_subtype:d60 resource_database_id:i "
      "resource_description:n256 request_mode:d60 request_type:d60 request_status:d60 "
      "request_session_id:i request_owner_type:d60 request_owner_guid:u "
      "resource_associated_entity_id:B", fixed=False)
def _dm_tran_locks(env, db):
    sessions = list(_sessions(env, need_all=True))
    modes = {"Exclusive": "X", "Shared": "S", "Update": "U", "IntentShared": "IS",
             "IntentExclusive": "IX"}
    for lock in env.engine.locks.applocks():
        yield ("APPLICATION", "", lock.db, f"{lock.principal}:[{lock.resource[:32]}]", modes[lock.mode],
               "LOCK", "GRANT", lock.spid, lock.owner.upper(), NO_UNIT, 0)
    for lock in env.engine.locks.table_locks():
        yield ("OBJECT", "", lock.db.id, "", lock.mode, "LOCK", "GRANT", lock.session.spid, "TRANSACTION",
               NO_UNIT, lock.obj.id)
    for s in sessions:
        for kind, scope in {(u.kind, u.scope) for u in s.undo if u.scope is not None}:
            yield ("METADATA", kind.upper(), getattr(scope, "id", 1), "", "X", "LOCK", "GRANT", s.spid,
                   "TRANSACTION", NO_UNIT, 0)
    if env.engine.catalogue.features.in_doubt:
        yield ("DATABASE", "", 1, "", "S", "LOCK", "GRANT", -2, "TRANSACTION",
               env.engine.catalogue.features.in_doubt.upper(), 0)


@view("dm_broker_activated_tasks", "spid:i database_id:s queue_id:i procedure_name:n256 execute_as:i",
      fixed=False)
def _dm_broker_activated_tasks(env, db):
    for s in _sessions(env, need_all=True):
        if s.task is not None:
            queue, procedure, as_ = s.task
            yield s.spid, s.database.id, queue.id, procedure, as_
