"""Views of availability groups: replicas, and the databases on them."""
import hashlib
import uuid

from .databases import state_of
from .errors import error
from .views import view

GROUP_NAME = "group1"
DISTRIBUTED = "4F1B6C2E-0000-4000-8000-00000000A602"
GROUP = "4F1B6C2E-0000-4000-8000-00000000A601"


def replica_id(name):
    return str(uuid.UUID(bytes=hashlib.md5(name.encode()).digest())).upper()


def replicas(env):
    return [name for name in env.engine.catalogue.features.replicas.split(",") if name]


def _may(env):
    return env.engine.security.has_server(env.ctx, "VIEW ANY DEFINITION")


@view("availability_groups", "group_id:u name:n resource_id:n is_contained:b is_distributed:b", fixed=False)
def _groups(env, db):
    if replicas(env) and _may(env):
        yield GROUP, GROUP_NAME, None, env.engine.catalogue.features.contained_group, 0
        if env.engine.catalogue.features.distributed_group:
            yield DISTRIBUTED, "both", None, 0, 1


@view("availability_replicas", "replica_id:u group_id:u replica_server_name:n256 owner_sid:v "
      "endpoint_url:n availability_mode:t availability_mode_desc:d60 failover_mode:t failover_mode_desc:d60 "
      "secondary_role_allow_connections:t secondary_role_allow_connections_desc:d60 read_only_routing_url:n256",
      fixed=False)
def _replicas(env, db):
    if _may(env):
        for name in replicas(env):
            yield (replica_id(name), GROUP, name, env.engine.catalogue.group_owners.get(GROUP_NAME, b"\x01"), f"TCP://{name}:5022", 1, "SYNCHRONOUS_COMMIT", 0,
                   "AUTOMATIC", 0, "NO", None)
        if replicas(env) and env.engine.catalogue.features.distributed_group:
            for name in (GROUP_NAME, "group2"):
                yield (replica_id(name), DISTRIBUTED, name, b"\x01", f"TCP://{name}:5022", 0, "ASYNCHRONOUS_COMMIT", 1,
                       "MANUAL", 0, "NO", None)


@view("dm_hadr_database_replica_states", "database_id:i group_id:u replica_id:u is_local:b "
      "is_primary_replica:b synchronization_state:t synchronization_state_desc:d60 is_suspended:b", fixed=False)
def _states(env, db):
    if env.engine.security.has_server(env.ctx, "VIEW SERVER STATE"):
        for d in env.engine.catalogue.databases:
            state = state_of(env.engine, d)
            if state.replica:
                yield (d.id, GROUP, replica_id(env.engine.catalogue.name), 1, state.replica == "PRIMARY", 2,
                       "SYNCHRONIZED", 0)


@view("dm_tcp_listener_states", "listener_id:i ip_address:n48 is_ipv4:b port:i type:t type_desc:d60 "
      "state:t state_desc:d60 start_time:d", fixed=False)
def _listeners(env, db):
    if not env.engine.security.has_server(env.ctx, env.engine.state_right("SECURITY")):
        raise error(300, permission=env.engine.state_right("SECURITY"))
    features = env.engine.catalogue.features
    port = features.listener_port or env.session.local_port
    yield 1, "0.0.0.0", 1, port, 0, "TSQL", 0, "ONLINE", env.engine.catalogue.started
    yield 4, "::", 0, port, 0, "TSQL", 0, "ONLINE", env.engine.catalogue.started
    if features.second_port:
        yield 3, "0.0.0.0", 1, features.second_port, 0, "TSQL", 0, "ONLINE", env.engine.catalogue.started
    yield 2, "127.0.0.1", 1, 1434, 0, "TSQL", 0, "ONLINE", env.engine.catalogue.started
