"""EXEC: user procedures with parameters, and the supported system procedures."""
from . import nodes as n
from .bind import Binder
from .bind_from import QueryScope
from .catalogue import now_text
from .env import Env
from .errors import error
from .events import ReturnStatus, ReturnValue, SqlError
from .sqltypes import INT, NMAX, convert, to_python, to_stored
from .state import Rec


class ProcedureExecutor:
    def do_exec(self, env, s):
        """A failure of the call itself belongs to the caller; what fails inside says so itself."""
        parts = s.parts
        if isinstance(parts[2], n.Var):
            from .resolver import split_name
            names = split_name(str(self.value(env, parts[2], NMAX) or "")) or [""]
            parts = tuple([None] * (3 - len(names)) + [x or None for x in names])
        args = [(name, "DEFAULT" if e == "DEFAULT" else self._typed(env, e), output, e)
                for name, e, output in s.args]
        status, outputs = self.call(env, parts, args, s.number)
        for e, value, t in outputs:
            if isinstance(e, n.Var):
                env.assign(e.name, value, t)
        if s.result:
            env.assign(s.result, status, INT)

    def _typed(self, env, e):
        """(value, type) of an argument."""
        with self.engine.lock:
            binder = Binder(env)
            b = binder.expr(e, QueryScope())
            return self.engine.run(env, f"SELECT {b.sql}", binder.params)[0][0], b.type

    def call(self, env, parts, args, number=1):
        """(return status, [(argument expression, value, type)] of OUTPUT parameters)."""
        name = parts[2].casefold()
        system = SYSTEM.get(name) if parts[1] in (None, "sys", "dbo") or \
            (parts[1] or "").casefold() in ("sys", "dbo") else None
        if system is not None:
            return self._system(env, parts, system, args)
        found = self.engine.resolver.object(env, env.db, parts, ("P",))
        if found is None:
            if parts[0] is not None and not self.engine.catalogue.databases.find(parts[0]):
                raise error(911, name=parts[0])
            raise error(2812, name=".".join(p for p in parts if p), state=62)
        obj, db = found
        if not env.chained(db, obj, env.chain):
            env.require(db, "OBJECT", obj.id, "EXECUTE", obj)
        child, stmt, execute_as = self.module_env(env, db, obj), obj.stmt, obj.execute_as
        if number > 1:
            stmt = obj.numbered.get(number)
            if stmt is None:
                raise error(2812, name=f"{obj.name};{number}", state=62)
            execute_as = stmt.execution
        outputs = self._bind_arguments(env, child, obj.name, stmt.params, args)
        value = self.in_module(env, db, obj, stmt.body, child, execute_as)
        return value or 0, [(e, child.variables[p][1], child.variables[p][0]) for e, p in outputs]

    def _bind_arguments(self, env, child, name, params, args):
        given, outputs = {}, []
        for i, (arg_name, value, output, e) in enumerate(args):
            if not arg_name and i >= len(params):
                raise error(8144, name=name)
            key = arg_name.lower() or params[i][0].lower()
            found = next((p for p in params if p[0].lower() == key), None)
            if found is None:
                raise error(8145, parameter=arg_name, name=name)
            if output and not found[3]:
                raise SqlError(8162, f"The formal parameter \"{found[0]}\" was not declared as an OUTPUT "
                                     "parameter, but the actual parameter passed in requested output.",
                               16, 2)
            given[key] = value
            if output:
                outputs.append((e, key))
        for pname, t, default, _ in params:
            t = self.engine.resolver.data_type(env, env.db, t)
            key = pname.lower()
            value = given.get(key, "DEFAULT")
            if value == "DEFAULT":
                if default is None:
                    raise error(201, name=name, parameter=pname, state=4)
                child.variables[key] = [t, convert(default.value, default.type, t)]
            else:
                child.variables[key] = [t, convert(value[0], value[1], t)]
        return outputs

    def _system(self, env, parts, system, args):
        names, method = system
        given = {}
        for i, (name, value, output, e) in enumerate(args):
            if method in BY_PLACE and i >= len(names):
                given.setdefault("rest", []).append((name, value, output, e))
                continue
            if not name and i >= len(names):
                raise error(8144, name=parts[2])
            key = names[i] if method in BY_PLACE else (name or "@" + names[i]).lower()[1:]
            if key not in names:
                raise error(8145, parameter=name, name=parts[2])
            if value != "DEFAULT":
                given[key] = value[0]
            if output:
                given["out:" + key] = e
        features = self.engine.catalogue.features
        if method in ("sp_getapplock", "sp_releaseapplock") and features.no_applock:
            raise error(2812, name=parts[2], state=62)
        session = self.session
        if method == "sp_executesql":
            return self._in_database(env, parts[0], lambda: self._sp_executesql(env, given))
        if method in BY_PLACE:
            return getattr(self, "_" + method)(env, given)
        with self.engine.lock:
            mark, outer = len(session.undo), self.engine.root.undo
            self.engine.root.undo = session.undo
            try:
                answer = getattr(self, "_" + method)(env, given) or 0
                return answer if isinstance(answer, tuple) else (answer, [])
            except SqlError:
                from .state import undo_to
                undo_to(session.undo, mark)
                raise
            finally:
                if not session.tran_count and outer is None:
                    session.undo.clear()
                self.engine.root.undo = outer

    def _in_database(self, env, name, work):
        """[db].sys.sp_executesql runs its string in that database."""
        if name is None:
            return work()
        with self.engine.lock:
            db = self.engine.resolver.database(env, name)
            if db is None:
                raise error(911, name=name)
        saved, self.session.database_object = self.session.database_object, db
        try:
            return work()
        finally:
            self.session.database_object = saved

    # ---- sp_executesql and calls from the wire -------------------------------------------------

    def _sp_executesql(self, env, given):
        text, declaration = given.get("stmt"), given.get("params") or ""
        params = self._declared(declaration)
        values = given.get("rest", [])
        child = Env(self.session, env)
        outputs = self._bind_arguments(env, child, "sp_executesql", [
            (p, t, None, o) for p, t, o in params], values)
        declared = [(k, v[0], v[1]) for k, v in child.variables.items()]
        ran = self.dynamic(env, text or "", declared)
        return 0, [(e, ran.variables[p][1], ran.variables[p][0]) for e, p in outputs]

    # A prepared statement is kept as text with its declaration: sp_execute runs it as sp_executesql would.

    def _sp_prepare(self, env, given):
        handles = self.session.prepared
        handle = max(handles, default=0) + 1
        self._declared(given.get("params") or "")
        handles[handle] = {"stmt": given.get("stmt"), "params": given.get("params")}
        return 0, [(given.get("out:handle"), handle, INT)]

    def _sp_prepexec(self, env, given):
        status, handle = self._sp_prepare(env, given)
        _, outputs = self._sp_executesql(env, given)
        return status, handle + outputs

    def _sp_execute(self, env, given):
        return self._sp_executesql(env, {**self._prepared(given), "rest": given.get("rest", [])})

    def _sp_unprepare(self, env, given):
        self._prepared(given)
        del self.session.prepared[given["handle"]]
        return 0, []

    def _sp_reset_connection(self, env, given):
        self.session.reset()
        return 0, []

    def _prepared(self, given):
        found = self.session.prepared.get(given.get("handle"))
        if found is None:
            raise SqlError(8179, f"Could not find prepared statement with handle {given.get('handle')}.", 16, 2)
        return found

    def _declared(self, text):
        """[(name, type, output)] of a parameter declaration string."""
        if not text.strip():
            return []
        from .parse_ddl import Parser
        parser = Parser(text)
        params = parser._parameters()
        if parser.tok.kind != "eof":
            parser.fail()
        return [(p[0], p[1], p[3]) for p in params]

    def remote_call(self, env, name, params):
        """A procedure called by RPC: arguments arrive as typed values."""
        from .resolver import split_name
        from .sessions import type_of_wire
        parts = split_name(name)
        if not parts:
            raise error(2812, name=name, state=62)
        parts = tuple([None] * (3 - len(parts)) + [p or None for p in parts])
        args = []
        for pname, type_name, value, output in params:
            t = type_of_wire(type_name)
            args.append((pname or "", (to_stored(value, t), t), bool(output), pname))
        status, outputs = self.call(env, parts, args)
        for pname, value, t in outputs:
            self.session.out.append(ReturnValue(pname or "", t.name, to_python(value, t), t.size,
                                                t.precision, t.scale))
        self.session.out.append(ReturnStatus(status))

    # ---- system procedures ---------------------------------------------------------------------

    def _sp_getapplock(self, env, g):
        return self.engine.locks.get(env, g.get("resource"), g.get("lockmode"),
                                     g.get("lockowner", "Transaction"), g.get("locktimeout"),
                                     g.get("dbprincipal"))

    def _sp_releaseapplock(self, env, g):
        return self.engine.locks.release(env, g.get("resource"), g.get("lockowner", "Transaction"),
                                         g.get("dbprincipal"))

    def _sp_getbindtoken(self, env, g):
        return 0, [(g["out:out_token"], self._bind_token(self.session), NMAX)] if "out:out_token" in g else []

    @staticmethod
    def _bind_token(session):
        return f"practice-{id(session.transaction)}"

    def _sp_bindsession(self, env, g):
        """Shares another session's transaction and locks; nothing said ends that."""
        token = g.get("bind_token")
        if not token:
            return self.session.unbind()
        for other in self.engine.sessions.values():
            if self._bind_token(other) == token and other is not self.session:
                return self.session.bind(other)
        raise SqlError(3924, "Session binding token is invalid.", 16)

    def _role_member(self, env, role, member, action):
        from .nodes import Stmt
        self.do_alter_role(env, Stmt(kind="alter_role", line=1, name=role or "", action=action,
                                     member=member or "", text=""))

    def _sp_addrolemember(self, env, g):
        self._role_member(env, g.get("rolename"), g.get("membername"), "add")

    def _sp_droprolemember(self, env, g):
        self._role_member(env, g.get("rolename"), g.get("membername"), "drop")

    def _sp_addlinkedserver(self, env, g):
        cat = self.engine.catalogue
        if not env.has_server("ALTER ANY LINKED SERVER"):
            raise error(15247)
        name = g.get("server") or ""
        if cat.servers.find(name):
            raise SqlError(15028, f"The server '{name}' already exists.", 16)
        cat.servers.add(Rec(cat, id=max(cat.servers.by_id) + 1, name=name, linked=True,
                            product=g.get("srvproduct") or "SQL Server",
                            provider=g.get("provider") or "SQLNCLI", source=g.get("datasrc") or name,
                            modified=now_text()))

    def _sp_addlinkedsrvlogin(self, env, g):
        cat = self.engine.catalogue
        if not env.has_server("ALTER ANY LOGIN"):
            raise error(15247)
        server = cat.servers.find(g.get("rmtsrvname") or "")
        if server is None:
            raise SqlError(15015, f"The server '{g.get('rmtsrvname')}' does not exist. Use sp_helpserver "
                                  "to show available servers.", 16)
        local = cat.principals.find(g["locallogin"]) if g.get("locallogin") else None
        cat.linked_logins[(server.id, local.id if local else 0)] = g.get("rmtuser")

    def _sp_procoption(self, env, g):
        if not self.engine.security.is_sysadmin(env.ctx):
            raise error(15247)
        found = self.engine.resolver.any_object(env, env.db, g.get("procname") or "")
        if found is None or found[0].type != "P" or found[1].id != 1:
            raise SqlError(15398, "Only objects in the master database owned by dbo can have the startup "
                                  "setting changed.", 11)
        found[0].startup = (g.get("optionvalue") or "").casefold() in ("on", "true")

    def _sp_configure(self, env, g):
        cat = self.engine.catalogue
        if not env.has_server("ALTER SETTINGS"):
            raise error(15247)
        for c in cat.configurations.values():
            if c.name.casefold() == (g.get("configname") or "").casefold():
                c.value = int(g.get("configvalue", c.value))
                return 0
        raise SqlError(15123, f"The configuration option '{g.get('configname')}' does not exist, or it "
                              "may be an advanced option.", 16)

    def _sp_addextendedproperty(self, env, g):
        """On the database, a schema or an object, whichever of them one may ALTER."""
        db, key, place = env.db, (0, 0, 0, g.get("name")), ("DATABASE", 0)
        if g.get("level0type") is not None:
            schema = db.schemas.find(g.get("level0name") or "") if g["level0type"].upper() == "SCHEMA" else None
            obj = schema and g.get("level1name") and db.objects.find_in(schema.id, g["level1name"])
            if schema is None or g.get("level1name") and obj is None:
                raise SqlError(15135, "Object is invalid. Extended properties are not permitted on "
                                      f"'{g.get('level1name') or g.get('level0name')}', or the object does "
                                      "not exist.", 16)
            key = (1, obj.id, 0, g.get("name")) if obj else (3, schema.id, 0, g.get("name"))
            place = ("OBJECT", obj.id) if obj else ("SCHEMA", schema.id)
        if not env.has(db, *place, "ALTER"):
            raise error(15247)
        if key in db.properties:
            raise error(15233, name=g.get("name"), object="object specified")
        db.properties[key] = g.get("value")

    def _sp_rename(self, env, g):
        found = self.engine.resolver.any_object(env, env.db, g.get("objname") or "")
        if found is None or not env.has(found[1], "OBJECT", found[0].id, "ALTER"):
            raise SqlError(15225, f"No item by the name of '{g.get('objname')}' could be found in the "
                                  f"current database '{env.db.name}', given that @itemtype was input as "
                                  "'(null)'.", 11)
        obj, db = found
        if db.objects.find_in(obj.schema_id, g["newname"]):
            raise error(15335, name=g["newname"], what="object")
        db.objects.rename(obj, name=g["newname"], modified=now_text())

    def _sp_changedbowner(self, env, g):
        from .nodes import Stmt
        self.do_alter_authorization(env, Stmt(kind="x", line=1, cls="DATABASE", text="",
                                              parts=(None, None, env.db.name), owner=g.get("loginame")))


def _system_procedures():
    table = {
        "sp_executesql": "stmt params", "sp_prepare": "handle params stmt options",
        "sp_prepexec": "handle params stmt", "sp_execute": "handle", "sp_unprepare": "handle",
        "sp_reset_connection": "", "sp_getapplock": "resource lockmode lockowner locktimeout "
        "dbprincipal", "sp_releaseapplock": "resource lockowner dbprincipal",
        "sp_getbindtoken": "out_token", "sp_bindsession": "bind_token",
        "sp_addrolemember": "rolename membername", "sp_droprolemember": "rolename membername",
        "sp_addlinkedserver": "server srvproduct provider datasrc location provstr catalog",
        "sp_addlinkedsrvlogin": "rmtsrvname useself locallogin rmtuser rmtpassword",
        "sp_procoption": "procname optionname optionvalue", "sp_configure": "configname configvalue",
        "sp_create_plan_guide": "name stmt type module_or_batch params hints",
        "sp_control_plan_guide": "operation name", "sp_practice_activate": "queue",
        "sp_setapprole": "rolename password encrypt fcreatecookie cookie", "sp_unsetapprole": "cookie",
        "sp_addextendedproperty": "name value level0type level0name level1type level1name",
        "sp_rename": "objname newname objtype", "sp_changedbowner": "loginame map"}
    return {k: (v.split(), k) for k, v in table.items()}


SYSTEM = _system_procedures()
# These use the position of their arguments, because clients name the first ones differently or not at all.
BY_PLACE = {"sp_executesql", "sp_prepare", "sp_prepexec", "sp_execute", "sp_unprepare", "sp_reset_connection"}
