"""Schemas, tables, columns, indexes, sequences, synonyms, types: CREATE, ALTER, DROP."""
from . import dependencies
from .catalogue import now_text
from .collations import canonical
from .databases import refuse_changes
from .errors import error
from .events import SqlError
from .nodes import Stmt
from .sqltypes import is_string
from .state import JDict, Rec, Undo

DROP_TYPES = {"TABLE": ("U",), "VIEW": ("V",), "PROCEDURE": ("P",), "FUNCTION": ("FN", "IF"),
              "SEQUENCE": ("SO",), "SYNONYM": ("SN",), "QUEUE": ("SQ",), "SECURITY POLICY": ("SP",)}
WHAT = {"U": "table", "V": "view", "P": "procedure", "FN": "function", "IF": "function",
        "SO": "sequence object", "SN": "synonym", "TR": "trigger", "SQ": "queue", "SP": "security policy"}


class ObjectExecutor:
    # ---- where new objects go ------------------------------------------------------------------

    def writable(self, env, db=None):
        self.not_doomed()
        refuse_changes(self.engine, db or env.db)

    def place_for(self, env, parts, permission, also=True):
        """The schema in which a new object may be made: the CREATE right and ALTER on the schema."""
        if parts[0] is not None and env.db.name.casefold() != parts[0].casefold():
            raise SqlError(166, f"'CREATE {permission.split(' ')[-1]}' does not allow specifying the "
                                "database name as a prefix to the object name.", 15)
        self.writable(env)
        if permission == "CREATE SEQUENCE":
            schema = self.engine.resolver.schema(env, env.db, parts[1])
            if schema is None or not env.has(env.db, "SCHEMA", schema.id, permission):
                raise error(2760, name=parts[1] or "dbo")
        else:
            env.require_db(permission)
            schema = self.engine.resolver.schema(env, env.db, parts[1])
            if schema is None or not env.has(env.db, "SCHEMA", schema.id, "ALTER"):
                raise error(2760, name=parts[1] or "dbo")
        if also and env.db.objects.find_in(schema.id, parts[2]):
            raise error(2714, name=parts[2], state=6)
        return schema

    def new_object(self, db, schema, name, type_, **fields):
        now = now_text()
        values = dict(id=db.next_object_id(), name=name, schema_id=schema.id, type=type_, owner=None,
                      created=now, modified=now, parent=0, definition=None, execute_as=None,
                      startup=False, numbered={})
        values.update(fields)
        return db.objects.add(Rec(db, **values))

    def altered(self, env, parts, types, number=4902, permission="ALTER"):
        """An existing object that may be altered; the error that hides whether it exists if not."""
        found = self.engine.resolver.object(env, env.db, parts, types)
        if found is None or not (env.has(found[1], "OBJECT", found[0].id, permission)
                                 or parts[2].startswith("#")):
            raise error(number, name=".".join(p for p in parts if p))
        self.writable(env)
        return found

    # ---- schemas -------------------------------------------------------------------------------

    def do_create_schema(self, env, s):
        db = env.db
        self.writable(env)
        env.require_db("CREATE SCHEMA")
        if db.schemas.find(s.name):
            raise error(2714, name=s.name, state=6)
        owner = env.user_id(db)
        if s.owner:
            p = db.principals.find(s.owner)
            if p is None or not (env.has_db("CONTROL") or p.id in self.engine.security.token(
                    env.ctx, db) or env.has(db, "USER", p.id, "IMPERSONATE") or
                    env.has(db, "ROLE", p.id, "ALTER")):
                raise error(15151, verb="find", what="user", name=s.owner)
            owner = p.id
        db.schemas.add(Rec(db, id=db.next_id(db.schemas), name=s.name, owner=owner))
        self.ddl_event(env, s, "CREATE_SCHEMA", s.name)

    def do_drop_schema(self, env, s):
        db = env.db
        schema = db.schemas.find(s.name)
        if schema is None and s.if_exists:
            return
        if schema is None or not env.has(db, "SCHEMA", schema.id, "CONTROL"):
            raise error(15151, verb="drop", what="schema", name=s.name)
        if schema.id < 5 or schema.id >= 16384:
            raise error(15150, verb="drop", what="schema", name=s.name)
        for o in list(db.objects) + list(db.types):
            if o.schema_id == schema.id:
                raise error(3729, name=s.name, object=o.name)
        db.forget_permissions("SCHEMA", schema.id)
        db.schemas.remove(schema)
        self.ddl_event(env, s, "DROP_SCHEMA", s.name)

    def do_alter_schema(self, env, s):
        db = env.db
        schema = db.schemas.find(s.name)
        if schema is None or not env.has(db, "SCHEMA", schema.id, "ALTER"):
            raise error(15151, verb="alter", what="schema", name=s.name)
        found = self.engine.resolver.object(env, db, s.parts)
        if found is None or not env.has(db, "OBJECT", found[0].id, "CONTROL"):
            raise error(15151, verb="find", what="object", name=s.parts[2])
        if db.objects.find_in(schema.id, found[0].name):
            raise error(15530, what="object", name=found[0].name)
        db.objects.rename(found[0], schema_id=schema.id)
        db.forget_permissions("OBJECT", found[0].id)

    # ---- tables --------------------------------------------------------------------------------

    def do_create_table(self, env, s):
        name = s.parts[2]
        if name.startswith("#"):
            if name.casefold() in self.session.temp_tables:
                raise error(2714, name=name, state=6)
            obj = self.make_table(env, name, s.columns, None)
            self.session.temp_tables[name.casefold()] = obj
            self.session.undo.append(Undo(None, self.session.temp_tables.pop, (name.casefold(), None)))
            return
        schema = self.place_for(env, s.parts, "CREATE TABLE")
        self.make_table(env, name, s.columns, schema)
        self.ddl_event(env, s, "CREATE_TABLE", name)

    def make_table(self, env, name, definitions, schema):
        """A table in SQLite and its record; without a schema one that only its maker sees."""
        engine, db = self.engine, env.db if schema else self.engine.tempdb
        fields = dict(columns=JDict(db), indexes=JDict(db), identity_next=None, identity_last=None,
                      checks=[], next_column=1)
        if schema:
            obj = self.new_object(db, schema, name, "U", **fields)
        else:
            obj = Rec(db, id=db.next_object_id(), name=name, schema_id=1, type="U", owner=None,
                      **fields)
        obj.__dict__["physical"] = f"t{db.id}_{obj.id}_{id(obj)}"
        engine.sqlite.execute(f"CREATE TABLE {obj.physical} (z_ INTEGER)")
        for d in definitions:
            if d[0] is not None:
                self.add_column(env, db, obj, d)
        for d in definitions:
            if d[0] is None:
                self._constraint(db, obj, d)
        return obj

    def add_column(self, env, db, obj, definition):
        name, t, o = definition
        if db.column(obj, name):
            raise error(2705, name=name, table=obj.name)
        if o.get("computed") is not None:
            self._may_compute(env, o["computed"])
        t = self.engine.resolver.data_type(env, env.db, t)
        id_ = obj.next_column
        obj.next_column = id_ + 1
        physical = f"c{id_}"
        self.engine.sqlite.execute(f"ALTER TABLE {obj.physical} ADD COLUMN {physical}"
                                   + (" TEXT COLLATE CI" if is_string(t) else ""))
        c = Rec(db, id=id_, name=name, type=t, nullable=o["nullable"], identity=o["identity"],
                default=o["default"], physical=physical,
                collation=self._column_collation(env, obj, t, o.get("collation")))
        obj.columns[id_] = c
        if o["identity"]:
            obj.identity_next = o["identity"][0]
        if o["check"] is not None:
            obj.checks = obj.checks + [o["check"]]
        if o["key"]:
            self._constraint(db, obj, (None, o["key"], [name]))
        return c

    def _may_compute(self, env, e):
        """Functions of a computed column want REFERENCES; what is allowed is not on this server."""
        holder = Stmt(kind="computed", line=0, e=e)
        for parts in dependencies.named(holder):
            found = self.engine.resolver.object(env, env.db, parts, ("FN",))
            if found is None:
                raise error(4121, prefix=parts[1], name=".".join(p for p in parts if p))
            env.require(found[1], "OBJECT", found[0].id, "REFERENCES", found[0])
        raise SqlError(40517, "The practice server does not have computed columns.", 16)

    @staticmethod
    def _column_collation(env, obj, t, named):
        """As it was named, else the database's; a temporary table's is tempdb's, but not in a contained one."""
        if not is_string(t):
            return None
        home = env.db
        if obj.name.startswith("#") and not env.db.fields.contained:
            home = env.engine.tempdb
        if named is None or named.upper() == "DATABASE_DEFAULT":
            return home.fields.collation if named is None else env.db.fields.collation
        return env.db.catalogue_collation if named.upper() == "CATALOG_DEFAULT" else canonical(named)

    def _constraint(self, db, obj, d):
        _, kind, cols = d
        if kind == "check":
            obj.checks = obj.checks + [cols]
        elif kind in ("primary", "unique"):
            name = f"{'PK' if kind == 'primary' else 'UQ'}__{obj.name[:20]}__{len(obj.indexes) + 1}"
            self._index(db, obj, name, cols, True, "PK" if kind == "primary" else "UQ",
                        clustered=kind == "primary")
            for col in cols if kind == "primary" else ():
                db.column(obj, col).nullable = False

    def _index(self, db, obj, name, cols, unique, kind="", condition=None, clustered=False):
        found = [db.column(obj, c) for c in cols]
        if None in found:
            raise SqlError(1911, f"Column name '{cols[found.index(None)]}' does not exist in the target "
                                 "table or view.", 16)
        obj.indexes[name.casefold()] = Rec(db, name=name, columns=[c.id for c in found],
                                           unique=unique, kind=kind, condition=condition,
                                           clustered=clustered, disabled=False)

    def do_create_index(self, env, s):
        obj, db = self.altered(env, s.parts, ("U",), 1088)
        if s.name.casefold() in obj.indexes:
            raise error(1913, name=s.name, table=obj.name)
        if s.condition is not None:
            self.session.settings.require_for_indexes(db, "CREATE INDEX")
        self._index(db, obj, s.name, s.columns, s.unique, "", s.condition, s.clustered)
        obj.modified = now_text()
        self.ddl_event(env, s, "CREATE_INDEX", s.name)

    def do_drop_index(self, env, s):
        found = self.engine.resolver.object(env, env.db, s.parts, ("U",))
        if found is None or s.name.casefold() not in found[0].indexes or \
                not env.has(found[1], "OBJECT", found[0].id, "ALTER"):
            raise error(3701, verb="drop", what="index", name=f"{s.parts[2]}.{s.name}")
        del found[0].indexes[s.name.casefold()]
        found[0].modified = now_text()
        self.ddl_event(env, s, "DROP_INDEX", s.name)

    def do_alter_table(self, env, s):
        obj, db = self.altered(env, s.parts, ("U",))
        self.engine.locks.writing(env, obj)
        if s.action == "add":
            for d in s.value:
                c = self.add_column(env, db, obj, d)
                default = self.value(env, c.default, c.type) if c.default is not None else None
                rows = self.engine.run(env, f"SELECT COUNT(*) FROM {obj.physical}")[0][0]
                if default is not None and not c.nullable:
                    self.engine.run(env, f"UPDATE {obj.physical} SET {c.physical} = ?", (default,))
                elif not c.nullable and rows and default is None and not c.identity:
                    raise SqlError(4901, "ALTER TABLE only allows columns to be added that can contain "
                                         "nulls, or have a DEFAULT definition specified. Column "
                                         f"'{c.name}' cannot be added to non-empty table "
                                         f"'{obj.name}' because it does not satisfy these conditions.",
                                   16)
        elif s.action == "drop":
            for name in s.value:
                c = db.column(obj, name)
                if c is None:
                    raise error(4924, verb="DROP", column=name, table=obj.name)
                if any(c.id in x.columns for x in obj.indexes.values()):
                    raise error(4922, name=name)
                del obj.columns[c.id]
                for key in [k for k in db.permissions if k == ("OBJECT", obj.id, c.id)]:
                    del db.permissions[key]
        elif s.action == "alter":
            name, t, o = s.value
            c = db.column(obj, name)
            if c is None:
                raise error(4924, verb="ALTER", column=name, table=obj.name)
            t = self.engine.resolver.data_type(env, env.db, t)
            self.snapshot(obj)
            self.convert_column(env, obj, c, t)
            c.type, c.nullable = t, o["nullable"]
        else:
            self._constraint(db, obj, s.value)
        obj.modified = now_text()
        self.ddl_event(env, s, "ALTER_TABLE", obj.name)

    # ---- drop ----------------------------------------------------------------------------------

    def do_drop_object(self, env, s):
        if s.what == "TYPE":
            return self._drop_types(env, s)
        for parts in s.names:
            what = s.what.lower()
            if parts[2].startswith("#"):
                obj = self.session.temp_tables.pop(parts[2].casefold(), None)
                if obj is None and not s.if_exists:
                    raise error(3701, verb="drop", what=what, name=parts[2])
                continue
            db = env.db
            if parts[0] is not None:
                db = self.engine.resolver.database(env, parts[0]) or db
            schema = self.engine.resolver.schema(env, db, parts[1])
            obj = schema and db.objects.find_in(schema.id, parts[2])
            if obj is None and parts[1] is None:
                obj = db.objects.find_in(1, parts[2])
            if obj is None and s.if_exists:
                continue
            shown = ".".join(p for p in parts if p)
            if obj is None or not (env.has(db, "OBJECT", obj.id, "CONTROL") or
                                   env.has(db, "SCHEMA", obj.schema_id, "ALTER")):
                raise error(3701, verb="drop", what=what, name=shown, state=5)
            if obj.type not in DROP_TYPES[s.what]:
                raise SqlError(3705, f"Cannot use DROP {s.what} with '{shown}' because '{shown}' is a "
                                     f"{WHAT.get(obj.type, 'object')}. Use DROP "
                                     f"{WHAT.get(obj.type, 'object').upper()}.", 16)
            self.writable(env)
            self.not_guided(db, obj)
            self.drop_object(db, obj)
            self.ddl_event(env, s, "DROP_" + s.what, obj.name)

    def drop_object(self, db, obj):
        for trigger in [t for t in db.objects if t.type == "TR" and t.parent == obj.id]:
            self.drop_object(db, trigger)
        db.forget_permissions("OBJECT", obj.id)
        for key in [k for k in db.signatures if k[0] == obj.id]:
            del db.signatures[key]
        db.objects.remove(obj)

    def _drop_types(self, env, s):
        for parts in s.names:
            schema = self.engine.resolver.schema(env, env.db, parts[1])
            t = schema and env.db.types.find_in(schema.id, parts[2])
            if t is None and s.if_exists:
                continue
            if t is None or not (env.has(env.db, "TYPE", t.id, "CONTROL")
                                 or env.has(env.db, "SCHEMA", schema.id, "ALTER")):
                raise error(3701, verb="drop", what="type", name=parts[2])
            env.db.forget_permissions("TYPE", t.id)
            env.db.types.remove(t)

    # ---- sequences, synonyms, types ------------------------------------------------------------

    def do_create_sequence(self, env, s):
        schema = self.place_for(env, s.parts, "CREATE SEQUENCE")
        o = s.options
        self.new_object(env.db, schema, s.parts[2], "SO", start=o.get("start", -2**63),
                        increment=o.get("increment", 1), current=None)
        self.ddl_event(env, s, "CREATE_SEQUENCE", s.parts[2])

    def do_alter_sequence(self, env, s):
        obj, _ = self.altered(env, s.parts, ("SO",), 4902)
        if "start" in s.options:
            obj.start, obj.current = s.options["start"] if s.options["start"] is not None \
                else obj.start, None
        obj.increment = s.options.get("increment", obj.increment)

    def do_create_synonym(self, env, s):
        schema = self.place_for(env, (None,) + s.parts, "CREATE SYNONYM")
        self.new_object(env.db, schema, s.parts[1], "SN", base=s.base, shown=s.shown)
        self.ddl_event(env, s, "CREATE_SYNONYM", s.parts[1])

    def do_create_type(self, env, s):
        schema = self.place_for(env, (None,) + s.parts, "CREATE TYPE")
        if env.db.types.find_in(schema.id, s.parts[1]):
            raise SqlError(219, f"The type '{s.parts[1]}' already exists, or you do not have permission "
                                "to create it.", 16)
        env.db.types.add(Rec(env.db, id=max([256] + list(env.db.types.by_id)) + 1, name=s.parts[1],
                             schema_id=schema.id, owner=None, nullable=s.nullable,
                             base=self.engine.resolver.data_type(env, env.db, s.type)))
        self.ddl_event(env, s, "CREATE_TYPE", s.parts[1])
