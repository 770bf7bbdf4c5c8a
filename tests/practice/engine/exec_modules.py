"""Procedures, views, and functions: creating and running them."""
from .bind import Binder
from .catalogue import now_text
from .env import Env, Return
from .errors import error
from .events import SqlError
from .sqltypes import convert
from .state import JDict, Rec


class ModuleExecutor:
    # ---- CREATE and ALTER ----------------------------------------------------------------------

    def _store(self, env, s, type_, permission, **fields):
        """Makes or replaces a module; a replaced one keeps its id, permissions and owner."""
        db = env.db
        parts = (None,) + s.parts
        found = self.engine.resolver.object(env, db, parts)
        if getattr(s, "number", 1) > 1:
            return self._store_numbered(env, s, found, permission)
        if s.how == "alter" or (s.how == "create_or_alter" and found):
            types = ("FN", "IF") if type_ in ("FN", "IF") else (type_,)
            if found is None or found[0].type not in types or \
                    not env.has(db, "OBJECT", found[0].id, "ALTER"):
                raise error(208, name=".".join(p for p in s.parts if p))
            self.writable(env)
            obj = found[0]
            self.not_guided(db, obj)
            as_ = self._execute_as_id(env, s, db.owner_of(obj))
            obj.type = type_
            obj.modified = now_text()
            for key in [k for k in db.signatures if k[0] == obj.id]:
                del db.signatures[key]
        else:
            schema = self.place_for(env, parts, permission)
            as_ = self._execute_as_id(env, s, schema.owner)
            obj = self.new_object(db, schema, s.parts[1], type_)
        obj.definition, obj.stmt = s.definition, s
        obj.made_with = self.session.settings.made_with(db)
        obj.execute_as = as_
        for k, v in fields.items():
            setattr(obj, k, v)
        verb = "ALTER" if s.how == "alter" else "CREATE"
        self.ddl_event(env, s, f"{verb}_{permission.split(' ')[1]}", obj.name)
        return obj

    def _store_numbered(self, env, s, found, permission):
        """`p;2`: a body of its own under the name, rights and owner of `p`; its text is seen apart."""
        name = s.parts[1]
        if found is None or found[0].type != "P":
            raise SqlError(2730, f"Cannot create procedure '{name}' with a group number of {s.number} because a "
                                 "procedure with the same name and a group number of 1 does not currently exist in the "
                                 f"database. Must execute CREATE PROCEDURE '{name}';1 first.", 11)
        obj = found[0]
        known = s.number in obj.numbered
        if s.how == "alter" and not known or not env.has(env.db, "OBJECT", obj.id, "ALTER"):
            raise error(208, name=name)
        if s.how == "create" and known:
            raise error(2004, name=name, number=s.number)
        if not known:
            env.require_db(permission)
        self.writable(env)
        s.execution = self._execute_as_id(env, s, env.db.owner_of(obj))
        s.made_with = self.session.settings.made_with(env.db)
        obj.numbered = {**obj.numbered, s.number: s}
        obj.modified = now_text()
        self.ddl_event(env, s, "ALTER_PROCEDURE" if known else "CREATE_PROCEDURE", name)
        return obj

    def _execute_as_id(self, env, s, owner=1):
        as_ = getattr(s, "execute_as", None)
        if as_ is None or as_[0] == "CALLER":
            return None
        return self.execution_context(env, as_, owner)

    def execution_context(self, env, as_, owner):
        """The principal that EXECUTE AS names, -2 for the owner; only whom one may impersonate."""
        kind, name = as_
        if kind == "SELF":
            return env.user_id(env.db)
        u = env.db.principals.get(owner) if kind == "OWNER" else env.db.principals.find(name)
        if u is None or u.type != "S" or not (
                u.id == env.user_id(env.db) or env.has(env.db, "USER", u.id, "IMPERSONATE")):
            raise error(15517, name=name or (u.name if u else ""))
        return -2 if kind == "OWNER" else u.id

    def do_create_procedure(self, env, s):
        self._store(env, s, "P", "CREATE PROCEDURE")

    def do_create_function(self, env, s):
        if s.returns is None:
            binder = Binder(env)
            env.parameters = {p[0].lower(): ("NULL", self.engine.resolver.data_type(env, env.db, p[1]))
                              for p in s.params}
            try:
                _, columns = binder.query(s.body)
            finally:
                env.parameters = {}
            named = binder._renamed(columns, [], s.parts[1])
            self._store(env, s, "IF", "CREATE FUNCTION", columns=self._result_columns(env, named))
            return
        if any(x.kind in ("insert", "update", "delete", "exec", "create_table") for x in s.body):
            raise SqlError(443, "Invalid use of a side-effecting operator within a function.", 16)
        self._store(env, s, "FN", "CREATE FUNCTION")

    def do_create_view(self, env, s):
        s.execute_as = None
        binder = Binder(env)
        # Binding checks that the objects exist and that the creator of the view may read them.
        _, columns = binder.query(s.query)
        named = binder._renamed(columns, s.columns, s.parts[1])
        self._store(env, s, "V", "CREATE VIEW", columns=self._result_columns(env, named))

    @staticmethod
    def _result_columns(env, named):
        """Records of the columns that a view or an inline function returns."""
        cols = JDict(env.db)
        for i, c in enumerate(named, 1):
            cols[i] = Rec(env.db, id=i, name=c.name, type=c.type, nullable=c.nullable, identity=None,
                          physical=f"c{i - 1}", default=None,
                          collation=c.label.name or env.db.fields.collation)
        return cols

    # ---- running -------------------------------------------------------------------------------

    def module_env(self, env, db, obj):
        child = Env(self.session, env)
        self.nesting(child)
        child.is_module, child.procedure = True, obj.name
        child.object_id, child.schema_id = obj.id, getattr(obj, "schema_id", None)
        if child.schema_id is not None:
            child.chain = (db, db.owner_of(obj))
        return child

    def in_module(self, env, db, obj, body, child, execute_as="own"):
        """Runs a module's body in its database and context; both are as before afterwards."""
        session = self.session
        self.engine.usage.module(self.engine, db, obj)
        saved, contexts = session.database_object, len(session.contexts)
        settings, session.settings = session.settings, session.settings.of_module(obj)
        execute_as = obj.execute_as if execute_as == "own" else execute_as
        if execute_as is not None:
            who = db.owner_of(obj) if execute_as == -2 and child.schema_id is not None else \
                1 if execute_as == -2 else execute_as
            session.contexts.append(child.module_context(who, db))
        session.database_object = db
        child.batch_collation = db.fields.collation
        try:
            self.compiled(child, body)
            self.run(child, body)
            return None
        except Return as r:
            return r.value
        finally:
            session.database_object, session.settings = saved, settings
            del session.contexts[contexts:]

    def scalar_function(self, env, db, obj_id, args):
        obj = db.objects.get(obj_id)
        self.engine.usage.module(self.engine, db, obj)
        child = self.module_env(env, db, obj)
        for p, v in zip(obj.stmt.params, args):
            t = self.engine.resolver.data_type(env, db, p[1])
            child.variables[p[0].lower()] = [t, convert(v, t, t)]
        contexts, saved = len(self.session.contexts), self.session.database_object
        settings = self.session.settings
        self.session.settings = settings.of_module(obj)
        out, self.session.out = self.session.out, []
        self.session.database_object = db
        self.session.try_depth += 1         # an error in a function ends the statement that calls it
        try:
            self._function_body(child, obj.stmt.body)
        except Return as r:
            return r.value
        finally:
            self.session.try_depth -= 1
            self.session.out = out
            self.session.database_object, self.session.settings = saved, settings
            del self.session.contexts[contexts:]
        raise SqlError(455, "The last statement included within a function must be a return statement.",
                       16)

    def _function_body(self, env, statements):
        for x in statements:
            if x.kind == "return" and x.value is not None:
                raise Return(self.value(env, x.value))
            self.statement(env, x)
