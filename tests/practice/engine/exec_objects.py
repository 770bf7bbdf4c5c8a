"""Schemas, tables, columns, indexes, sequences, synonyms, types: CREATE, ALTER, DROP."""
from .catalogue import now_text
from .databases import refuse_changes
from .errors import error
from .events import SqlError
from .state import Rec

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

    def new_object(self, db, schema, name, type_, kind=Rec, **fields):
        now = now_text()
        values = dict(id=db.next_object_id(), name=name, schema_id=schema.id, type=type_, owner=None,
                      created=now, modified=now, parent=0, definition=None, execute_as=None,
                      startup=False, numbered={})
        values.update(fields)
        return db.objects.add(kind(db, **values))

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
        if schema.id < 5:
            raise error(15150, verb="drop", what="schema", name=s.name)
        for o in list(db.objects) + list(db.types) + list(db.xml_collections):
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
            # https://learn.microsoft.com/sql/t-sql/statements/drop-table-transact-sql: the key, or its table, goes first.
            if obj.type == "U" and any(x.parent != obj.id for x in self.foreign_keys_to(db, obj)):
                raise SqlError(3726, f"Could not drop object '{shown}' because it is referenced by a FOREIGN KEY constraint.", 16)
            self.drop_object(db, obj)
            self.ddl_event(env, s, "DROP_" + s.what, obj.name)

    def drop_object(self, db, obj):
        for part in [x for x in db.objects if getattr(x, "parent", 0) == obj.id]:
            self.drop_object(db, part)
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
