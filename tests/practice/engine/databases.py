"""States of databases, and the errors that they give to whoever enters or writes.

ALTER DATABASE sets the states that a DBA can set. The switch `database-state` sets the others: NAME:WORD, one of STATES.
"""
from dataclasses import dataclass

from .errors import error


@dataclass(frozen=True)
class State:
    number: int             # sys.databases.state
    name: str
    refuses: int = 0        # the error that USE answers
    writes: int = 0         # the error that a change answers
    standby: bool = False
    replica: str = ""       # PRIMARY or SECONDARY, in an availability group


STATES = {
    "online": State(0, "ONLINE"),
    "restoring": State(1, "RESTORING", 927),
    "recovering": State(2, "RECOVERING", 922),
    "recovery-pending": State(3, "RECOVERY_PENDING", 945),
    "suspect": State(4, "SUSPECT", 926),
    "emergency": State(5, "EMERGENCY", 0, 3908),
    "offline": State(6, "OFFLINE", 942),
    "in-transition": State(0, "ONLINE", 952),
    "mirror": State(1, "RESTORING", 954),
    "standby": State(0, "ONLINE", 0, 3906, standby=True),
    "primary": State(0, "ONLINE", replica="PRIMARY"),
    # A secondary replica is ONLINE, READ_WRITE, and MULTI_USER in its own sys.databases.
    "secondary": State(0, "ONLINE", 976, 3906, replica="SECONDARY"),
    "secondary-read-intent": State(0, "ONLINE", 978, 3906, replica="SECONDARY"),
    "secondary-resolving": State(0, "ONLINE", 983, 3906, replica="SECONDARY"),
    "secondary-readable": State(0, "ONLINE", 0, 3906, replica="SECONDARY"),
}


def state_of(engine, db):
    given = engine.catalogue.features.database_state
    word = next((w for name, w in given.items() if engine.catalogue.fold(name) == engine.catalogue.fold(db.name)),
                None)
    return STATES[word] if word in STATES else STATES[db.fields.state.lower()]


def refusal(engine, ctx, db, session=None, login=""):
    """The error that keeps a context out of a database, or None."""
    security, state = engine.security, state_of(engine, db)
    if state.refuses:
        return error(state.refuses, name=db.name)
    no_user = error(916, login=login, database=db.name)
    if state.name == "EMERGENCY" and not security.is_sysadmin(ctx):
        return no_user
    if security.user_in(ctx, db) is None:
        return no_user
    if db.fields.access == "RESTRICTED_USER" and not _is_privileged(security, ctx, db):
        return error(923, name=db.name)
    if db.fields.access == "SINGLE_USER" and any(
            s.database_object is db and s is not session for s in engine.sessions.values()):
        return error(924, name=db.name)
    return None


def _is_privileged(security, ctx, db):
    return security.has_server(ctx, "ALTER ANY DATABASE") or security.has_db(ctx, db, "CONTROL")


def refuse_changes(engine, db):
    """3906 or 3908 where nothing can be changed."""
    state = state_of(engine, db)
    if state.writes:
        raise error(state.writes, name=db.name)
    if db.fields.read_only:
        raise error(3906, name=db.name)


def is_named(env, db):
    """Whether DB_ID and DB_NAME answer. Both ask for what the row asks for; an OFFLINE database is not spoken of there."""
    return is_seen(env, db, env.engine.catalogue.features.hidden_names)


def is_seen(env, db, offline_hides=True):
    """Whether the row of a database is there for who asks."""
    security, ctx = env.engine.security, env.ctx
    maker = security.has_server(ctx, "ALTER ANY DATABASE") or security.has_server(ctx, "CREATE ANY DATABASE")
    if offline_hides and env.engine.catalogue.features.hidden_databases and not maker and \
            state_of(env.engine, db).name == "OFFLINE":
        return False
    owns = ctx.login and bytes(ctx.login.sid) == bytes(db.fields.owner_sid)
    return bool(security.has_server(ctx, "VIEW ANY DATABASE") or security.has_server(ctx, "ALTER ANY DATABASE")
                or db.id in (1, 2) or db is env.db or owns)


def is_open(env, db):
    """Columns of sys.databases that must be read inside a database are NULL where it is not open."""
    if state_of(env.engine, db).name != "ONLINE":
        return False
    return not db.fields.auto_close or any(s.database_object is db for s in env.engine.sessions.values())
