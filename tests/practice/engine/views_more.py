"""Views that an audit reads: residual objects, and objects in use. Most are short, and some are always empty here."""
from .sqltypes import TYPE_IDS, T
from .views import view
from .views_database import seen_objects


def nothing(env, db):
    return ()


@view("stats", "object_id:i name:n stats_id:i auto_created:b user_created:b no_recompute:b has_filter:b")
def _stats(env, db):
    for o in seen_objects(env, db, "U"):
        for i, x in enumerate(o.indexes.values(), 2):
            yield o.id, x.name, 1 if x.clustered else i, 0, 0, 0, x.condition is not None


@view("index_columns", "object_id:i index_id:i index_column_id:i column_id:i key_ordinal:t is_descending_key:b "
      "is_included_column:b")
def _index_columns(env, db):
    for o in seen_objects(env, db, "U"):
        for i, x in enumerate(o.indexes.values(), 2):
            for k, column in enumerate(x.columns, 1):
                yield o.id, 1 if x.clustered else i, k, column, k, 0, 0


@view("parameters", "object_id:i name:n parameter_id:i system_type_id:t user_type_id:i is_output:b "
      "has_default_value:b")
def _parameters(env, db):
    for o in seen_objects(env, db, "P", "FN", "IF"):
        for i, (name, t, default, output) in enumerate(o.stmt.params, 1):
            id_ = TYPE_IDS.get(t.name, 0) if isinstance(t, T) else 0
            yield o.id, name, i, id_, id_, output, default is not None


ENDPOINT = "name:n endpoint_id:i principal_id:i protocol:t protocol_desc:d60 type:t type_desc:d60 state:t state_desc:d60 " \
           "is_admin_endpoint:b"


@view("endpoints", ENDPOINT)
def _endpoints(env, db):
    protocols, states = {2: (4, "SHARED_MEMORY"), 3: (3, "NAMED_PIPES"), 5: (5, "VIA")}, ("STARTED", "STOPPED", "DISABLED")
    for e in env.engine.catalogue.endpoints:
        if env.engine.security.sees_scoped(env.ctx, None, "ENDPOINT", e):
            yield (e.name, e.id, e.owner, *protocols.get(e.id, (2, "TCP")), 2, "TSQL", states.index(e.state), e.state,
                   int(e.id == 1))


@view("tcp_endpoints", ENDPOINT + " port:i is_dynamic_port:b ip_address:n48")
def _tcp_endpoints(env, db):
    ports = {e.id: e.port for e in env.engine.catalogue.endpoints}
    for e in _endpoints(env, db):
        if e[4] == "TCP":
            yield (*e, ports[e[1]], int(e[1] == 1), None)


@view("dm_db_session_space_usage", "session_id:s database_id:i user_objects_alloc_page_count:B "
      "user_objects_dealloc_page_count:B internal_objects_alloc_page_count:B "
      "internal_objects_dealloc_page_count:B", fixed=False)
def _space(env, db):
    if env.engine.security.has_server(env.ctx, env.engine.state_right("PERFORMANCE")):
        for s in list(env.engine.sessions.values()):
            yield s.spid, 2, 8 * len(s.temp_tables), 0, 0, 0


view("change_tracking_tables", "object_id:i is_track_columns_updated_on:b min_valid_version:B "
     "begin_version:B cleanup_version:B")(nothing)
view("conversation_endpoints", "conversation_handle:u conversation_id:u is_initiator:b state:c2 state_desc:d60 "
     "far_service:n256 principal_id:i lifetime:d")(nothing)
view("transmission_queue", "conversation_handle:u to_service_name:n256 from_service_name:n256 "
     "enqueue_time:d")(nothing)
view("master_key_passwords", "credential_id:i family_guid:u")(nothing)
view("server_audits", "audit_id:i name:n is_state_enabled:b")(nothing)
