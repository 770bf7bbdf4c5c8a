"""Triggers on tables and views, on a database, on the server, and at logon: creating and firing them."""
from .catalogue import now_text
from .env import Env
from .errors import error
from .events import SqlError
from .state import Rec

GROUPS = {
    "DDL_EVENTS": (), "DDL_SERVER_LEVEL_EVENTS": (), "DDL_DATABASE_LEVEL_EVENTS": (),
    "DDL_TABLE_EVENTS": ("CREATE_TABLE", "ALTER_TABLE", "DROP_TABLE"),
    "DDL_VIEW_EVENTS": ("CREATE_VIEW", "ALTER_VIEW", "DROP_VIEW"),
    "DDL_PROCEDURE_EVENTS": ("CREATE_PROCEDURE", "ALTER_PROCEDURE", "DROP_PROCEDURE"),
    "DDL_FUNCTION_EVENTS": ("CREATE_FUNCTION", "ALTER_FUNCTION", "DROP_FUNCTION"),
    "DDL_TRIGGER_EVENTS": ("CREATE_TRIGGER", "ALTER_TRIGGER", "DROP_TRIGGER"),
    "DDL_USER_EVENTS": ("CREATE_USER", "ALTER_USER", "DROP_USER"),
    "DDL_ROLE_EVENTS": ("CREATE_ROLE", "DROP_ROLE", "ADD_ROLE_MEMBER", "DROP_ROLE_MEMBER"),
    "DDL_LOGIN_EVENTS": ("CREATE_LOGIN", "ALTER_LOGIN", "DROP_LOGIN"),
    "DDL_GDR_DATABASE_EVENTS": ("GRANT_DATABASE", "DENY_DATABASE", "REVOKE_DATABASE"),
    "DDL_GDR_SERVER_EVENTS": ("GRANT_SERVER", "DENY_SERVER", "REVOKE_SERVER"),
    "DDL_DATABASE_EVENTS": ("CREATE_DATABASE", "ALTER_DATABASE", "DROP_DATABASE"),
    "DDL_SCHEMA_EVENTS": ("CREATE_SCHEMA", "ALTER_SCHEMA", "DROP_SCHEMA"),
}
GROUPS["DDL_DATABASE_SECURITY_EVENTS"] = GROUPS["DDL_USER_EVENTS"] + GROUPS["DDL_ROLE_EVENTS"] + \
    GROUPS["DDL_GDR_DATABASE_EVENTS"] + ("ALTER_AUTHORIZATION_DATABASE",) + GROUPS["DDL_SCHEMA_EVENTS"]
GROUPS["DDL_TABLE_VIEW_EVENTS"] = GROUPS["DDL_TABLE_EVENTS"] + GROUPS["DDL_VIEW_EVENTS"] + \
    ("CREATE_INDEX", "DROP_INDEX")
SERVER_EVENTS = {"CREATE_LOGIN", "ALTER_LOGIN", "DROP_LOGIN", "CREATE_DATABASE", "ALTER_DATABASE",
                 "DROP_DATABASE", "CREATE_SERVER_ROLE", "ADD_SERVER_ROLE_MEMBER",
                 "DROP_SERVER_ROLE_MEMBER", "GRANT_SERVER", "DENY_SERVER", "REVOKE_SERVER"}
SINGLE_EVENTS = {e for g in GROUPS.values() for e in g} | SERVER_EVENTS | {
    "ALTER_INDEX", "CREATE_QUEUE", "ALTER_QUEUE",
    "CREATE_INDEX", "DROP_INDEX", "LOGON", "CREATE_SEQUENCE", "CREATE_SYNONYM", "CREATE_TYPE"}


def resolved(events):
    """Each single event, with the group that the trigger names for it, or None."""
    for e in events:
        group = e if e in GROUPS else None
        for single in (GROUPS[e] or sorted(SINGLE_EVENTS)) if group else (e,):
            yield single, group


class TriggerExecutor:
    # ---- creating --------------------------------------------------------------------------------

    def do_create_trigger(self, env, s):
        if s.scope == "TABLE":
            return self._table_trigger(env, s)
        for e in s.events:
            if e not in GROUPS and e not in SINGLE_EVENTS or (e == "LOGON" and s.scope != "SERVER"):
                raise SqlError(1084, f"'{e}' is an invalid event type.", 15)
        scope, right = (env.db, "ALTER ANY DATABASE DDL TRIGGER") if s.scope == "DATABASE" else \
            (self.engine.catalogue, "CONTROL SERVER")
        allowed = env.has_db(right) if s.scope == "DATABASE" else env.has_server(right)
        if not allowed:
            raise error(1088, name=s.scope) if s.scope == "DATABASE" else error(15247)
        old = scope.triggers.find(s.parts[1])
        if old is None and s.how == "alter":
            raise error(208, name=s.parts[1])
        if old is not None and s.how == "create":
            raise error(2714, name=s.parts[1], state=2)
        as_ = self._execute_as_id(env, s) if s.scope == "DATABASE" else self._login_id(env, s)
        if old is not None:
            old.stmt, old.definition, old.events, old.modified = s, s.definition, s.events, now_text()
            old.execute_as, old.made_with = as_, self.session.settings.made_with(env.db)
        else:
            now = now_text()
            scope.triggers.add(Rec(scope, id=env.db.next_object_id(), name=s.parts[1], stmt=s,
                                   definition=s.definition, events=s.events, created=now, modified=now,
                                   disabled=False, execute_as=as_,
                                   made_with=self.session.settings.made_with(env.db)))

    def _login_id(self, env, s):
        if s.execute_as is None or s.execute_as[0] in ("CALLER",):
            return None
        if s.execute_as[0] == "SELF":
            return env.ctx.login.id
        p = self.engine.catalogue.principals.find(s.execute_as[1] or "")
        if p is None or not env.has(None, "LOGIN", p.id, "IMPERSONATE"):
            raise error(15406, name=s.execute_as[1])
        return p.id

    def _table_trigger(self, env, s):
        db = env.db
        found = self.engine.resolver.object(env, db, (None,) + s.table, ("U", "V"))
        if found is None or not env.has(db, "OBJECT", found[0].id, "ALTER"):
            raise error(1088, name=s.table[1])
        table = found[0]
        if s.timing != "INSTEAD OF" and table.type == "V":
            raise error(2110, name=s.parts[1], table=table.name)
        old = db.objects.find_in(table.schema_id, s.parts[1])
        if old is not None and (old.type != "TR" or s.how == "create"):
            raise error(2714, name=s.parts[1], state=2)
        if old is None and s.how == "alter":
            raise error(208, name=s.parts[1])
        as_ = self._execute_as_id(env, s, db.owner_of(table))
        if old is None:
            old = self.new_object(db, db.schemas.get(table.schema_id), s.parts[1], "TR",
                                  parent=table.id, disabled=False)
        old.stmt, old.definition, old.events, old.timing = s, s.definition, s.events, s.timing
        old.execute_as, old.modified = as_, now_text()
        old.made_with = self.session.settings.made_with(db)
        self.ddl_event(env, s, "CREATE_TRIGGER" if s.how != "alter" else "ALTER_TRIGGER", s.parts[1])

    def _trigger(self, env, scope, parts):
        """(register or None, trigger, may alter it) of a trigger's name in a scope."""
        if scope == "SERVER":
            t = self.engine.catalogue.triggers.find(parts[2])
            return self.engine.catalogue.triggers, t, env.has_server("CONTROL SERVER")
        if scope == "DATABASE":
            return env.db.triggers, env.db.triggers.find(parts[2]), \
                env.has_db("ALTER ANY DATABASE DDL TRIGGER")
        found = self.engine.resolver.object(env, env.db, parts, ("TR",))
        t = found[0] if found else None
        return None, t, t is not None and env.has(env.db, "OBJECT", t.parent, "ALTER")

    def do_enable_trigger(self, env, s):
        if s.names[0][2] == "ALL":
            if isinstance(s.scope, tuple):
                table, db = self.altered(env, s.scope, ("U", "V"), 1088)
                every = [t for t in db.objects if t.type == "TR" and t.parent == table.id]
            else:
                register, _, allowed = self._trigger(env, s.scope, (None, None, "ALL"))
                if not allowed:
                    raise error(1088, name=s.scope)
                every = list(register)
        else:
            every = []
            for parts in s.names:
                _, t, allowed = self._trigger(env, s.scope, parts)
                if t is None or not allowed:
                    raise error(1088, name=parts[2])
                every.append(t)
        for t in every:
            t.disabled, t.modified = not s.enable, now_text()

    def do_drop_trigger(self, env, s):
        for parts in s.names:
            register, t, allowed = self._trigger(env, s.scope, parts)
            if t is None and s.if_exists:
                continue
            if t is None or not allowed:
                raise error(3701, verb="drop", what="trigger", name=parts[2])
            if register is not None:
                register.remove(t)
            else:
                self.drop_object(env.db, t)

    # ---- firing ----------------------------------------------------------------------------------

    def table_triggers(self, env, db, obj, verb):
        return [t for t in db.objects if t.type == "TR" and t.parent == obj.id and not t.disabled
                and verb in t.events and t.timing != "INSTEAD OF"]

    def instead_triggers(self, db, obj, verb):
        return [t for t in db.objects if t.type == "TR" and t.parent == obj.id and not t.disabled
                and verb in t.events and t.timing == "INSTEAD OF"]

    def fire_table_triggers(self, env, db, obj, triggers, deleted, inserted):
        tables = {}
        for name, rows in (("deleted", deleted), ("inserted", inserted)):
            copy = Rec(self.engine.tempdb, **{k: v for k, v in obj.__dict__.items() if k != "_scope"})
            copy.__dict__.update(physical=f"x{id(copy)}_{name}", type="U", indexes={})
            c = self.engine.sqlite
            shape = [d[0] for d in c.execute(f"SELECT * FROM {obj.physical} LIMIT 0").description] \
                if obj.type == "U" else [x.physical for x in db.columns(obj)]
            c.execute(f"CREATE TABLE {copy.physical} ({', '.join(shape)})")
            c.executemany(f"INSERT INTO {copy.physical} VALUES ({', '.join('?' * len(shape))})", rows)
            tables[name] = copy
        for t in triggers:
            child = self.module_env(env, db, t)
            child.chain = (db, db.owner_of(obj))
            child.special = tables
            self._fire(env, db, t, child)
        for copy in tables.values():
            self.engine.sqlite.execute(f"DROP TABLE {copy.physical}")

    def _fire(self, env, db, trigger, child):
        """A trigger runs in its statement's transaction; when it rolls back, the batch ends."""
        session = self.session
        autocommit = not session.tran_count
        if autocommit:
            session.tran_count = 1
        session.in_trigger += 1
        session.rolled_back = False
        depth, session.try_depth = session.try_depth, session.try_depth + 1
        try:
            self.in_module(env, db, trigger, trigger.stmt.body, child)
        except SqlError:
            # An error in a trigger rolls back the whole transaction.
            self.rollback_all()
            raise
        finally:
            session.in_trigger -= 1
            session.try_depth = depth
            self.engine.root.undo = session.undo
            if autocommit:
                session.tran_count = 0
                self.engine.locks.release_transaction(session)
        if session.rolled_back:
            session.rolled_back = False
            raise error(3609)

    def ddl_event(self, env, s, event, name):
        """Fires the enabled DDL triggers of the database and the server that this event concerns."""
        session, cat = self.session, self.engine.catalogue
        server = event in SERVER_EVENTS

        def concerned(t):
            for e in t.events:
                if e == event or event in GROUPS.get(e, ()) or e == "DDL_EVENTS" or \
                        (e == "DDL_SERVER_LEVEL_EVENTS") or \
                        (e == "DDL_DATABASE_LEVEL_EVENTS" and not server):
                    return not t.disabled
            return False
        here = [] if server else [t for t in env.db.triggers if concerned(t)]
        for t in here + [t for t in cat.triggers if concerned(t)]:
            db = env.db if t in here else cat.databases.get(1)
            child = self.module_env(env, db, t)
            child.event = (f"<EVENT_INSTANCE><EventType>{event}</EventType><SPID>{session.spid}</SPID>"
                           f"<LoginName>{_xml(env.login_name())}</LoginName><DatabaseName>"
                           f"{_xml(env.db.name)}</DatabaseName><ObjectName>{_xml(name)}</ObjectName>"
                           f"<TSQLCommand><CommandText>{_xml(getattr(s, 'text', ''))}</CommandText>"
                           "</TSQLCommand></EVENT_INSTANCE>")
            self._fire(env, db, t, child)

    def logon_triggers(self):
        cat = self.engine.catalogue
        for t in list(cat.triggers):
            if "LOGON" in t.events and not t.disabled:
                env = Env(self.session)
                child = self.module_env(env, cat.databases.get(1), t)
                child.event = "<EVENT_INSTANCE><EventType>LOGON</EventType></EVENT_INSTANCE>"
                self.engine.root.undo = self.session.undo
                self._fire(env, cat.databases.get(1), t, child)
        self.session.undo.clear()
        self.session.out.clear()


def _xml(text):
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
