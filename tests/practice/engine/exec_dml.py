"""INSERT, UPDATE, DELETE, TRUNCATE and SELECT INTO: rights, constraints, identity, triggers."""
from . import nodes as n
from .bind import Binder
from .bind_from import QueryScope, Source, SourceColumn, not_closed
from .collations import implicit, physical as physical_name
from .errors import error
from .events import Columns, Message, Row, SqlError
from .sqltypes import T, convert, is_string, to_stored
from .state import Undo
from .utf16 import units


class DmlExecutor:
    # ---- targets -------------------------------------------------------------------------------

    def _target(self, env, ref, verb, aliases=None):
        """(object, database, checked) that a statement writes to; simple views lead to their table."""
        if isinstance(ref, n.VarRef):
            return env.table_variables[ref.name], self.engine.tempdb, False
        if aliases and ref.parts[0] is None and ref.parts[1] is None:
            for source in aliases:
                if source.alias and source.alias.casefold() == ref.parts[2].casefold():
                    ref = source
                    break
        found = self.engine.resolver.table(env, env.db, ref.parts, ref.line)
        if found.kind == "catalogue":
            raise SqlError(259, "Ad hoc updates to system catalogs are not allowed.", 16)
        obj, db = found.obj, found.db
        if obj.type == "V" and not self.instead_triggers(db, obj, verb):
            raise error(4406, name=obj.name)
        if obj.type not in ("U", "V"):
            raise error(208, name=found.shown, line=ref.line)
        if not found.temporary:
            self.writable(env, db)
        return obj, db, not found.temporary and not env.chained(db, obj, env.chain)

    @staticmethod
    def _leaves(ref):
        if isinstance(ref, (n.Join, n.Apply)):
            return DmlExecutor._leaves(ref.left) + DmlExecutor._leaves(ref.right)
        return [ref] if isinstance(ref, n.TableRef) else []

    def snapshot(self, obj):
        """Notes how to put a table's rows back: before each statement, which a savepoint may follow, or an error end."""
        c = self.engine.sqlite
        self.engine.usage.written(self.engine.catalogue, obj.physical)
        rows = c.execute(f"SELECT rowid, * FROM {obj.physical}").fetchall()
        self.session.undo.append(Undo(None, self._restore, (obj, rows)))

    def _restore(self, obj, rows):
        c = self.engine.sqlite
        c.execute(f"DELETE FROM {obj.physical}")
        if rows:
            width = len(c.execute(f"SELECT * FROM {obj.physical} LIMIT 0").description)
            rows = [r + (None,) * (width + 1 - len(r)) for r in rows]
            names = ", ".join(["rowid"] + [d[0] for d in c.execute(
                f"SELECT * FROM {obj.physical} LIMIT 0").description])
            marks = ", ".join("?" * (width + 1))
            c.executemany(f"INSERT INTO {obj.physical} ({names}) VALUES ({marks})", rows)

    def convert_column(self, env, obj, c, t):
        rows = self.engine.run(env, f"SELECT rowid, {c.physical} FROM {obj.physical}")
        changed = [(convert(v, c.type, t), rowid) for rowid, v in rows]
        self.engine.sqlite.executemany(
            f"UPDATE {obj.physical} SET {c.physical} = ? WHERE rowid = ?", changed)

    # ---- values --------------------------------------------------------------------------------

    def _fit(self, obj, c, value, t_from, verb):
        """A value as column `c` keeps it; 515 and 2628 where it cannot."""
        if value is None:
            if not c.nullable:
                raise error(515, column=c.name, table=obj.name, verb=verb)
            return None
        if c.type.size > 0 and (is_string(c.type) or "binary" in c.type.name) and \
                isinstance(value, (str, bytes)):
            length = units(value.rstrip(" ")) if isinstance(value, str) else len(value)
            if length > c.type.size and self.session.option("ANSI_WARNINGS"):
                raise error(2628, table=obj.name, column=c.name, value=str(value)[:c.type.size])
        return convert(value, t_from, c.type)

    def _check_rows(self, env, obj, verb, db, before):
        """Unique indexes and CHECK constraints, over the whole table after the change."""
        for x in obj.indexes.values():
            if not x.unique or x.disabled:
                continue
            cols = ", ".join(f"{obj.columns[i].physical}" + (
                f" COLLATE {physical_name(obj.columns[i].collation)}" if is_string(obj.columns[i].type)
                else "") for i in x.columns)
            where, params = "", ()
            if x.condition is not None:
                place, cond, params = self._row_condition(env, obj, x.condition)
                where = f" WHERE rowid IN (SELECT rowid FROM {place} WHERE {cond})"
            if self.engine.run(env, f"SELECT 1 FROM {obj.physical}{where} GROUP BY {cols} "
                                    "HAVING COUNT(*) > 1 LIMIT 1", params):
                table = f"{db.schemas.get(obj.schema_id).name}.{obj.name}"
                if x.kind:
                    raise error(2627, kind="PRIMARY KEY" if x.kind == "PK" else "UNIQUE KEY",
                                index=x.name, table=table)
                raise error(2601, table=table, index=x.name)
        for check in obj.checks + [x.check for x in self._checks_of(db, obj)]:
            if self._breaking(env, obj, check) > before.get(id(check), 0):
                raise error(547, verb=verb, table=obj.name)

    @staticmethod
    def _checks_of(db, obj):
        made = (db.objects.get(i) for i in obj.constraints)
        return [x for x in made if x.type == "C" and not x.disabled]

    def _breaking(self, env, obj, check):
        """How many rows of a table break a CHECK."""
        place, cond, params = self._row_condition(env, obj, check)
        return self.engine.run(env, f"SELECT COUNT(*) FROM {place} WHERE NOT ({cond})", params)[0][0]

    @staticmethod
    def _row_condition(env, obj, condition):
        """(place, condition, parameters) in SQLite's words, over the rows of a table."""
        binder, scope = Binder(env), QueryScope()
        cols = [SourceColumn(c.name, c.type, c.physical, c.id, label=implicit(c.collation))
                for c in obj.columns.values()]
        place = binder.place(obj.physical, Source("", cols, (None, None, obj.name)), scope)
        return place, binder.condition(condition, scope), binder.params

    def _write(self, env, obj, db, verb, change):
        """Runs `change` under the table's lock, undoably, then checks and fires triggers."""
        self.not_doomed()
        not_closed(obj)
        if any(x.condition is not None for x in obj.indexes.values()):
            self.session.settings.require_for_indexes(db, verb)
        self.engine.locks.writing(env, obj)
        self.snapshot(obj)
        physical = obj.physical
        c = self.engine.sqlite
        triggers = self.table_triggers(env, db, obj, verb)
        before = dict((r[0], r[1:]) for r in c.execute(
            f"SELECT rowid, * FROM {physical}").fetchall()) if triggers else None
        # Rows may already violate a constraint that is not trusted, so check only new rows.
        broken = {id(x.check): self._breaking(env, obj, x.check) for x in self._checks_of(db, obj)
                  if not x.trusted}
        count = change()
        self._check_rows(env, obj, verb, db, broken)
        self.session.row_count = count
        if triggers:
            after = dict((r[0], r[1:]) for r in c.execute(
                f"SELECT rowid, * FROM {physical}").fetchall())
            deleted = [r for k, r in before.items() if after.get(k) != r]
            inserted = [r for k, r in after.items() if before.get(k) != r]
            self.fire_table_triggers(env, db, obj, triggers, deleted, inserted)
        return count

    # ---- INSERT --------------------------------------------------------------------------------

    def do_insert(self, env, s):
        obj, db, check = self._target(env, s.target, "INSERT")
        if s.output:
            raise SqlError(40517, "The practice server does not have OUTPUT.", 16)
        columns = sorted(obj.columns.values(), key=lambda c: c.id)
        explicit = self.session.identity_insert is obj
        if s.columns:
            chosen = []
            for name in s.columns:
                c = db.column(obj, name)
                if c is None:
                    raise error(207, name=name)
                if c in chosen:
                    raise error(264, name=name)
                chosen.append(c)
        else:
            chosen = [c for c in columns if explicit or not c.identity]
        if check:
            env.require_columns(db, obj, "INSERT", [])
        for c in chosen:
            if c.identity and not explicit:
                raise error(544, table=obj.name)
        rows = self._rows_to_insert(env, s, chosen)
        instead = self.instead_triggers(db, obj, "INSERT")
        if instead and not any(e.special for e in env.chain_of_callers() if e.object_id == instead[0].id):
            place = {c.id: i for i, c in enumerate(chosen)}
            cells = [[None if c.id not in place or row[place[c.id]] == "DEFAULT" else
                      convert(*row[place[c.id]], c.type) for c in columns] for row in rows]
            if obj.type == "U":
                cells = [[None] + row for row in cells]
            self.fire_table_triggers(env, db, obj, instead, [], cells)
            return self.done(len(rows), "INSERT")

        def change():
            self._insert_rows(env, obj, columns, chosen, rows)
            return len(rows)
        count = self._write(env, obj, db, "INSERT", change)
        self.done(count, "INSERT")

    def _rows_to_insert(self, env, s, chosen):
        """[[(value, type) or DEFAULT]], one item a chosen column."""
        if s.execute is not None:
            return self._rows_of_call(env, s.execute, chosen)
        if s.source is None:
            return [["DEFAULT"] * len(chosen)]
        body = s.source.body
        if isinstance(body, n.Values):
            if len(body.rows[0]) != len(chosen):
                raise error(213 if not s.columns else
                            120 if len(body.rows[0]) < len(chosen) else 121)
            out = []
            for row in body.rows:
                binder, scope = Binder(env), QueryScope()
                bound = [None if e == "DEFAULT" else binder.expr(e, scope) for e in row]
                cells = ", ".join("NULL" if b is None else b.sql for b in bound)
                values = self.engine.run(env, f"SELECT {cells}", binder.params)[0]
                out.append(["DEFAULT" if b is None else (v, b.type) for b, v in zip(bound, values)])
            return out
        s.source.ctes = s.ctes or s.source.ctes
        binder = Binder(env)
        sql, cols = binder.query(s.source, None, True)
        if len(cols) != len(chosen):
            raise error(213 if not s.columns else 120 if len(cols) < len(chosen) else 121)
        return [[(v, c.type) for v, c in zip(row, cols)]
                for row in self.engine.run(env, sql, binder.params)]

    def _rows_of_call(self, env, call, chosen):
        """INSERT EXEC: every row that the call returns; what it says besides goes to the client."""
        session = self.session
        out, session.out = session.out, []
        try:
            getattr(self, "do_" + call.kind)(env, call)
        finally:
            events, session.out = session.out, out
        rows, types = [], []
        for e in events:
            if isinstance(e, Columns):
                types = [T(c.type, c.size, c.precision, c.scale) for c in e.columns]
                if len(types) != len(chosen):
                    raise error(213)
            elif isinstance(e, Row):
                rows.append([(to_stored(v, t), t) for v, t in zip(e.values, types)])
            elif isinstance(e, Message):
                out.append(e)
        return rows

    def _insert_rows(self, env, obj, columns, chosen, rows):
        place = {c.id: i for i, c in enumerate(chosen)}
        names = ", ".join(c.physical for c in columns)
        marks = ", ".join("?" * len(columns))
        out = []
        for row in rows:
            cells = []
            for c in columns:
                given = row[place[c.id]] if c.id in place else "DEFAULT"
                if c.identity and c.id not in place:
                    value = obj.__dict__["identity_next"]
                    obj.__dict__["identity_next"] = value + c.identity[1]
                    obj.__dict__["identity_last"] = value
                    env.scope_identity = self.session.identity = value
                elif given == "DEFAULT":
                    value = self.value(env, c.default, c.type) if c.default is not None else None
                    value = self._fit(obj, c, value, c.type, "INSERT")
                else:
                    value = self._fit(obj, c, given[0], given[1], "INSERT")
                cells.append(value)
            out.append(cells)
        self.engine.sqlite.executemany(f"INSERT INTO {obj.physical} ({names}) VALUES ({marks})", out)

    def do_identity_insert(self, env, s):
        obj, _ = self.altered(env, s.parts, ("U",), 1088)
        self.session.identity_insert = obj if s.on else None

    def select_into(self, env, parts, sql, columns, params):
        rows = self.engine.run(env, sql, params)
        definitions = [(c.name, c.type, {
            "nullable": True, "identity": None, "default": None, "constraints": []})
            for c in columns]
        if any(not c.name for c in columns):
            raise SqlError(1038, "An object or column name is missing or empty. For SELECT INTO "
                                 "statements, verify each column has a name.", 15)
        schema = None if parts[2].startswith("#") else self.place_for(env, parts, "CREATE TABLE")
        obj = self.make_table(env, parts[2], definitions, schema)
        if schema is None:
            self.session.temp_tables[parts[2].casefold()] = obj
        names = ", ".join(c.physical for c in sorted(obj.columns.values(), key=lambda c: c.id))
        if rows:
            self.engine.sqlite.executemany(f"INSERT INTO {obj.physical} ({names}) VALUES "
                                           f"({', '.join('?' * len(columns))})", rows)
        self.done(len(rows), "SELECT INTO")

    # ---- UPDATE, DELETE ------------------------------------------------------------------------

    def _rows_to_change(self, env, s, verb, extra):
        """(object, database, rows of rowid and the values of `extra`), rights checked."""
        if s.output:
            raise SqlError(40517, "The practice server does not have OUTPUT.", 16)
        leaves = self._leaves(s.source) if s.source else []
        obj, db, check = self._target(env, s.target, verb, leaves)
        if self.instead_triggers(db, obj, verb):
            raise SqlError(40517, f"The practice server does not run INSTEAD OF {verb} triggers.", 16)
        # Lock before reading, because the new values depend on the current ones.
        self.engine.locks.writing(env, obj)
        binder, scope = Binder(env), QueryScope()
        heads = [binder._cte(name, cols, q, None) for name, cols, q in s.ctes]
        if s.source is not None:
            sql = binder.from_clause(s.source, scope)
            mine = [x for x in scope.sources if x.obj is obj]
            if not mine and isinstance(s.target, n.VarRef):
                raise error(208, name=s.target.name)
            if not mine:
                raise error(208, name=s.target.parts[2])
            src = mine[0]
        else:
            cols = binder._columns(obj)
            parts = (db.name, None, obj.name) if isinstance(s.target, n.VarRef) else \
                (db.name, db.schemas.get(obj.schema_id).name, obj.name)
            src = Source("", cols, parts, obj, db, check)
            sql = binder.place(obj.physical, src, scope)
        items = extra(binder, scope, src, db)
        where = binder.condition(s.where, scope) if s.where is not None else "1"
        limit = f" LIMIT {binder.expr(s.top, QueryScope()).sql}" if s.top is not None else ""
        if check and src.used:
            # Columns that are read need SELECT; a plain DELETE or UPDATE without WHERE does not.
            binder.check_sources(scope)
        cells = "".join(", " + i for i in items)
        head = "WITH RECURSIVE " + ", ".join(heads) + " " if heads else ""
        rows = self.engine.run(env, f"{head}SELECT {src.sql_alias}.rowid{cells} FROM {sql} "
                                    f"WHERE {where}{limit}", binder.params)
        return obj, db, check, {r[0]: r[1:] for r in rows}

    def do_update(self, env, s):
        targets = []

        def extra(binder, scope, src, db):
            items = []
            for name, e in s.sets:
                if name.startswith("@"):
                    b = binder.expr(e, scope)
                    targets.append((name, b.type))
                    items.append(b.sql)
                    continue
                c = src.obj and db.column(src.obj, name)
                if c is None:
                    raise error(207, name=name)
                if c.identity:
                    raise SqlError(8102, f"Cannot update identity column '{c.name}'.", 16)
                if e == "DEFAULT":
                    targets.append((c, c.type))
                    items.append(binder.expr(c.default, QueryScope()).sql if c.default is not None
                                 else "NULL")
                else:
                    b = binder.expr(e, scope)
                    targets.append((c, b.type))
                    items.append(b.sql)
            if src.check:
                ids = [c.id for c, _ in targets if not isinstance(c, str)]
                env.require_columns(db, src.obj, "UPDATE", ids)
            return items
        obj, db, check, rows = self._rows_to_change(env, s, "UPDATE", extra)

        def change():
            cols = [c for c, _ in targets if not isinstance(c, str)]
            out = []
            for rowid, values in rows.items():
                cells = []
                for (c, t), v in zip(targets, values):
                    if isinstance(c, str):
                        env.assign(c, v, t)
                    else:
                        cells.append(self._fit(obj, c, v, t, "UPDATE"))
                out.append(cells + [rowid])
            if cols:
                sets = ", ".join(f"{c.physical} = ?" for c in cols)
                self.engine.sqlite.executemany(
                    f"UPDATE {obj.physical} SET {sets} WHERE rowid = ?", out)
            return len(rows)
        self.done(self._write(env, obj, db, "UPDATE", change), "UPDATE")

    def do_delete(self, env, s):
        def extra(binder, scope, src, db):
            if src.check and src.obj is not None:
                env.require(db, "OBJECT", src.obj.id, "DELETE", src.obj)
            return []
        obj, db, check, rows = self._rows_to_change(env, s, "DELETE", extra)

        def change():
            self.engine.sqlite.executemany(f"DELETE FROM {obj.physical} WHERE rowid = ?",
                                           [(r,) for r in rows])
            return len(rows)
        self.done(self._write(env, obj, db, "DELETE", change), "DELETE")

    def do_truncate(self, env, s):
        obj, _ = self.altered(env, s.parts, ("U",), 4701)
        self.not_doomed()
        self.engine.locks.emptying(env, obj)
        self.snapshot(obj)
        self.engine.sqlite.execute(f"DELETE FROM {obj.physical}")
        for c in obj.columns.values():
            if c.identity:
                obj.identity_next = c.identity[0]
        self.done(None, "TRUNCATE TABLE")
