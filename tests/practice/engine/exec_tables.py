"""Tables: columns, constraints, indexes; CREATE and ALTER TABLE."""
import re

from . import dependencies
from . import nodes as n
from .catalogue import now_text
from .collations import canonical
from .errors import error
from .events import SqlError
from .sqltypes import is_string
from .state import JDict, Rec, TableRec, Undo

# Types as in sys.objects, and the prefix of names that the server generates.
CONSTRAINTS = {"C": "CK", "D": "DF", "PK": "PK", "UQ": "UQ", "F": "FK"}


class TableExecutor:
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
        """A table; without a schema one that only its maker sees."""
        engine, db = self.engine, env.db if schema else self.engine.tempdb
        fields = dict(columns=JDict(db), indexes=JDict(db), identity_next=None, identity_last=None,
                      checks=[], next_column=1, constraints=[])
        if schema:
            obj = self.new_object(db, schema, name, "U", TableRec, **fields)
        else:
            obj = TableRec(db, id=db.next_object_id(), name=name, schema_id=1, type="U", owner=None,
                      **fields)
        columns = [d for d in definitions if not isinstance(d, n.Constraint)]
        made = [self.add_column(env, db, obj, d, False) for d in columns]
        # One statement for the whole table, because SQLite reads its whole schema after each change.
        shape = "".join(f", {c.physical}{self._affinity(c.type)}" for c in made)

        def rows_make(physical=f"t{db.id}_{obj.id}_{id(obj)}"):
            engine.sqlite.execute(f"CREATE TABLE {physical} (z_ INTEGER{shape})")
            return physical
        obj.__dict__["unmade"] = rows_make
        for k in [k for d in columns for k in d[2]["constraints"]] + [
                d for d in definitions if isinstance(d, n.Constraint)]:
            self._constraint(env, db, obj, k, schema is not None)
        return obj

    @staticmethod
    def _affinity(t):
        return " TEXT COLLATE CI" if is_string(t) else ""

    def add_column(self, env, db, obj, definition, physically=True):
        name, t, o = definition
        if db.column(obj, name):
            raise error(2705, name=name, table=obj.name)
        if o.get("computed") is not None:
            self._may_compute(env, o["computed"])
        t = self.engine.resolver.data_type(env, env.db, t)
        id_ = obj.next_column
        obj.next_column = id_ + 1
        physical = f"c{id_}"
        if physically:
            self.engine.sqlite.execute(f"ALTER TABLE {obj.physical} ADD COLUMN {physical}{self._affinity(t)}")
        c = Rec(db, id=id_, name=name, type=t, nullable=o["nullable"], identity=o["identity"],
                default=o["default"], physical=physical,
                collation=self._column_collation(env, obj, t, o.get("collation")))
        obj.columns[id_] = c
        if o["identity"]:
            obj.identity_next = o["identity"][0]
        return c

    def _may_compute(self, env, e):
        """Functions of a computed column want REFERENCES; what is allowed is not on this server."""
        holder = n.Stmt(kind="computed", line=0, e=e)
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

    def _constraint(self, env, db, obj, k, kept=True):
        """Makes a constraint: an index for keys, and an object of its own where the table is one."""
        name = k.name or f"{CONSTRAINTS[k.kind]}__{obj.name[:20]}__{db.last_id % 0xFFFFFFF:08X}{len(obj.indexes)}"
        if k.kind in ("PK", "UQ"):
            clustered = k.kind == "PK" if k.clustered is None else k.clustered
            self._index(db, obj, name, k.value, True, k.kind, clustered=clustered)
            for col in k.value if k.kind == "PK" else ():
                db.column(obj, col).nullable = False
        if k.kind == "D":
            column = db.column(obj, k.value[0])
            if column is None:
                raise error(1752, name=k.value[0], table=obj.name)
            column.default = k.value[1]
        if not kept:
            obj.checks = obj.checks + [k.value] if k.kind == "C" else obj.checks
            return
        if db.objects.find_in(obj.schema_id, name):
            raise error(2714, name=name, state=5)
        target = self.engine.resolver.object(env, db, k.referenced, ("U",)) if k.kind == "F" else None
        if k.kind == "F" and target is None:
            raise SqlError(1767, f"Foreign key '{name}' references invalid table "
                                 f"'{'.'.join(p for p in k.referenced if p)}'.", 16)
        text = self._bracketed(obj, k.text) if k.kind == "C" else k.text
        made = self.new_object(db, db.schemas.get(obj.schema_id), name, k.kind, parent=obj.id,
                               definition=text or None, targets=self._targets(target, k), disabled=False, trusted=True, check=k.value,
                               column=column.id if k.kind == "D" else 0,
                               referenced=target[0].id if target else 0)
        obj.constraints = obj.constraints + [made.id]

    @staticmethod
    def _bracketed(obj, text):
        """The names of columns in brackets, as sys.check_constraints shows a definition."""
        names = sorted((re.escape(c.name) for c in obj.columns.values()), key=len, reverse=True)
        word = rf"('[^']*'|\[[^\]]*\])|(?<![\w@])({'|'.join(names)})(?![\w(.])"
        return re.sub(word, lambda m: m[1] or f"[{m[2]}]", text, flags=re.IGNORECASE) if names else text

    @staticmethod
    def _targets(target, k):
        """The numbers of the columns to which a foreign key refers."""
        if target is None:
            return []
        table, db = target[0], target[1]
        if k.targets:
            return [db.column(table, name).id for name in k.targets]
        return next((list(x.columns) for x in table.indexes.values() if x.kind == "PK"), [])

    @staticmethod
    def foreign_keys_to(db, obj):
        return [x for x in db.objects if x.type == "F" and x.referenced == obj.id]

    def _not_dependent(self, db, obj, c):
        """No constraint and no index may be on a column that is dropped: errors 5074 and 4922
        (https://learn.microsoft.com/sql/t-sql/statements/alter-table-transact-sql, DROP COLUMN)."""
        own = [db.objects.get(i) for i in obj.constraints]
        named = [x for x in own if x.type == "D" and x.column == c.id
                 or x.type == "C" and f"[{c.name}]".casefold() in (x.definition or "").casefold()
                 or x.type == "F" and db.fold(c.name) in map(db.fold, x.check)]
        named += [x for x in self.foreign_keys_to(db, obj) if c.id in x.targets]
        if named or any(c.id in x.columns for x in obj.indexes.values()):
            raise SqlError(4922, f"ALTER TABLE DROP COLUMN {c.name} failed because one or more objects access this column.", 16)

    def _constraints_of(self, db, obj, name, kinds):
        found = [db.objects.get(i) for i in obj.constraints]
        found = [x for x in found if x.type in kinds and (name is None or db.fold(x.name) == db.fold(name))]
        if name is not None and not found:
            raise SqlError(4917, f"Constraint '{name}' does not exist.", 16)
        return found

    def _drop_constraint(self, db, obj, name):
        x, = self._constraints_of(db, obj, name, CONSTRAINTS)
        if x.type == "D":
            obj.columns[x.column].default = None
        if x.type in ("PK", "UQ"):
            columns = sorted(obj.indexes[x.name.casefold()].columns)
            for key in self.foreign_keys_to(db, obj):
                if sorted(key.targets) == columns:
                    # "Database Engine events and errors (3000 to 3999)"
                    raise SqlError(3725, f"The constraint '{x.name}' is being referenced by table "
                                         f"'{db.objects.get(key.parent).name}', foreign key constraint '{key.name}'.", 16)
            del obj.indexes[x.name.casefold()]
        obj.constraints = [i for i in obj.constraints if i != x.id]
        self.drop_object(db, x)

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
                for k in d[2]["constraints"]:
                    self._constraint(env, db, obj, k)
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
                self._not_dependent(db, obj, c)
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
        elif s.action == "check":
            for x in self._constraints_of(db, obj, s.value[1], ("C", "F")):
                x.disabled, x.trusted = not s.value[0], False
        elif s.action == "drop_constraint":
            for name in s.value:
                self._drop_constraint(db, obj, name)
        else:
            self._constraint(env, db, obj, s.value)
        obj.modified = now_text()
        self.ddl_event(env, s, "ALTER_TABLE", obj.name)
