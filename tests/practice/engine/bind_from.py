"""What FROM may name: tables, views, functions, derived tables, APPLY; and the scopes they open."""
from . import nodes as n
from .collations import COERCIBLE, FIXED, implicit
from .errors import error
from .sqltypes import is_string


class SourceColumn:
    __slots__ = ("name", "type", "sql", "id", "nullable", "label")

    def __init__(self, name, type_, sql, id_=0, nullable=True, label=COERCIBLE):
        self.name, self.type, self.sql, self.id, self.nullable = name, type_, sql, id_, nullable
        self.label = label


class Source:
    """Something in FROM: its alias, what its columns are, and for a table which were used."""

    def __init__(self, alias, columns, parts=(None, None, None), obj=None, db=None, check=True):
        self.alias, self.columns, self.parts = alias, columns, parts
        self.obj, self.db, self.check = obj, db, check
        self.used = set()
        self.sql_alias = ""
        self.by_name = {}
        for c in columns:
            self.by_name.setdefault(c.name.casefold(), c)

    def answers_to(self, parts):
        """Whether a prefix ([db].[schema].name or alias) means this source."""
        if self.alias:
            return len(parts) == 1 and parts[0].casefold() == self.alias.casefold()
        mine = self.parts
        for given, own in zip(reversed(parts), reversed(mine)):
            if given is not None and own is not None and given.casefold() != own.casefold():
                return False
        return mine[-1] is not None


class QueryScope:
    def __init__(self, parent=None):
        self.parent, self.sources = parent, []
        self.group = None               # (columns, expressions) once the query aggregates
        self.in_aggregate = 0
        self.captured = None            # outer references of an APPLY: {sql: parameter}


def not_closed(obj):
    """8655 where the index that a table is kept in is switched off."""
    for x in obj.indexes.values():
        if x.clustered and x.disabled:
            raise error(8655, index=x.name, table=obj.name)


class FromBinder:
    def from_clause(self, ref, scope):
        if isinstance(ref, n.Join):
            before = len(scope.sources)
            left = self.from_clause(ref.left, scope)
            between = len(scope.sources)
            right = self.from_clause(ref.right, scope)
            self._outer(ref.kind, scope.sources[before:between], scope.sources[between:])
            if isinstance(ref.right, n.Join):
                right = f"({right})"
            if ref.kind == "CROSS":
                return f"{left} CROSS JOIN {right}"
            return f"{left} {ref.kind} JOIN {right} ON {self.condition(ref.on, scope)}"
        if isinstance(ref, n.Apply):
            left = self.from_clause(ref.left, scope)
            between = len(scope.sources)
            right = self._apply(ref, scope)
            self._outer("LEFT" if ref.outer else "CROSS", [], scope.sources[between:])
            return f"{left} LEFT JOIN {right} ON 1" if ref.outer else f"{left} CROSS JOIN {right}"
        sql, src = self.source(ref, scope)
        return self.place(sql, src, scope)

    def place(self, sql, src, scope):
        shown = src.alias or (src.parts[-1] or "")
        for other in scope.sources:
            if (other.alias or other.parts[-1] or "").casefold() == shown.casefold() and shown and \
                    (src.alias or other.alias or other.parts == src.parts):
                raise error(1011 if src.alias else 1013, name=shown)
        src.sql_alias = self.fresh("s")
        for c in src.columns:
            c.sql = f"{src.sql_alias}.{c.sql}"
        scope.sources.append(src)
        return f"{sql} AS {src.sql_alias}"

    @staticmethod
    def _outer(kind, left, right):
        """What an outer join may leave out can be NULL, whatever its columns say."""
        for sources, kinds in ((left, ("RIGHT", "FULL")), (right, ("LEFT", "FULL"))):
            for column in (c for s in sources for c in s.columns if kind.split()[0] in kinds):
                column.nullable = True

    def source(self, ref, scope):
        """(sql, Source) of one thing in FROM; its column sql is still without alias."""
        if isinstance(ref, n.Derived):
            sql, cols = self.query(ref.query, scope.parent)
            named = self._renamed(cols, ref.columns, ref.alias)
            for i, c in enumerate(named):
                c.sql = f"c{i}"
            return f"({sql})", Source(ref.alias, named)
        if isinstance(ref, n.VarRef):
            obj = self.env.table_variables[ref.name]
            return self._table(obj, Source(ref.alias or ref.name, self._columns(obj), check=False))
        if isinstance(ref, n.FuncRef):
            return self.function_source(ref, scope)
        if ref.parts[0] is None and ref.parts[1] is None:
            key = ref.parts[2].casefold()
            for name, phys, cols in reversed(self.ctes):
                if name == key:
                    out = [SourceColumn(c.name, c.type, f"c{i}", 0, c.nullable, c.label)
                           for i, c in enumerate(cols)]
                    return phys, Source(ref.alias or ref.parts[2], out)
        found = self.engine.resolver.table(self.env, self.db, ref.parts, ref.line)
        return self.object_source(found, ref)

    def object_source(self, found, ref):
        if found.kind == "catalogue":
            sql = self.view_rows(found)
            out = [SourceColumn(c.name, c.type, f'"{c.name}"', label=self.view_label(c, found.db))
                   for c in found.view.columns]
            return sql, Source(ref.alias, out, found.parts)
        obj, db = found.obj, found.db
        if obj.type == "V":
            return self._view(obj, db, ref.alias, found.parts)
        if obj.type not in ("U",):
            raise error(208, name=found.shown, line=ref.line)
        self.wait_for(db, obj, ref.hints)
        not_closed(obj)
        src = Source(ref.alias, self._columns(obj), found.parts, obj, db,
                     not self.env.chained(db, obj, self.chain) and not found.temporary)
        return self._table(obj, src)

    def view_rows(self, found):
        """SQLite's name for the rows that a catalogue view has for this viewer."""
        passed = self.engine.locks.reading_view(self.env, found.db, found.view)
        return self.engine.views.source(self.env, found.db, found.view, passed)

    def wait_for(self, db, obj, hints):
        self.engine.locks.reading(self.env, db, obj, hints)

    @staticmethod
    def _table(obj, src):
        return obj.physical, src

    @staticmethod
    def _columns(obj):
        return [SourceColumn(c.name, c.type, c.physical, c.id, c.nullable, implicit(c.collation))
                for c in sorted(obj.columns.values(), key=lambda c: c.id)]

    def _view(self, obj, db, alias, parts):
        """A view's query in place, bound in its own database and as part of its owner's chain."""
        check = not self.env.chained(db, obj, self.chain)
        saved = self.db, self.chain, self.ctes
        self.db, self.chain, self.ctes = db, (db, db.owner_of(obj)), []
        try:
            sql, cols = self.query(obj.stmt.query)
        finally:
            self.db, self.chain, self.ctes = saved
        named = self._renamed(cols, obj.stmt.columns, obj.name)
        by_name = {c.name.casefold(): c.id for c in obj.columns.values()}
        for i, c in enumerate(named):
            c.sql, c.id = f"c{i}", by_name.get(c.name.casefold(), 0)
            if is_string(c.type) and c.label.kind == "coercible":
                c.label = implicit(db.fields.collation)
        return f"({sql})", Source(alias, named, parts, obj, db, check)

    def function_source(self, ref, scope):
        name = ref.parts[2].casefold()
        table_function = self.engine.table_functions.get(name) if \
            ref.parts[1] is None or ref.parts[1].casefold() == "sys" else None
        if table_function:
            bound = [self.expr(a, QueryScope(scope.parent)) for a in ref.args]
            args = ", ".join(b.sql for b in bound)
            labels = [b.label for b in bound[:1]] if name == "string_split" else [implicit(FIXED)]
            cols = [SourceColumn(nm, t, f"unj(json_extract(#.value, '$[{i}]'))",
                                 label=labels[0] if is_string(t) and labels else COERCIBLE)
                    for i, (nm, t) in enumerate(table_function.columns)]
            comma = ", " if args else ""
            return self._json_rows(f"table_function('{name}'{comma}{args})", cols,
                                   ref.alias or ref.parts[2])
        found = self.engine.resolver.object(self.env, self.db, ref.parts, ("IF",))
        if found is None:
            raise error(208, name=".".join(p for p in ref.parts if p), line=ref.line)
        obj, db = found
        check = not self.env.chained(db, obj, self.chain)
        stmt = obj.stmt
        if len(ref.args) > len(stmt.params):
            raise error(8144, name=obj.name)
        if len(ref.args) < len(stmt.params):
            raise error(313, name=obj.name)
        given = [self.expr(a, QueryScope(scope.parent)) for a in ref.args]
        saved = self.db, self.chain, self.ctes, self.env.parameters
        self.env.parameters = {p[0].lower(): (self.coerced(g.sql, g.type, p[1]), p[1])
                               for p, g in zip(stmt.params, given)}
        self.db, self.chain, self.ctes = db, (db, db.owner_of(obj)), []
        try:
            sql, cols = self.query(stmt.body)
        finally:
            self.db, self.chain, self.ctes, self.env.parameters = saved
        named = self._renamed(cols, ref.columns, obj.name)
        for i, c in enumerate(named):
            c.sql, c.id = f"c{i}", i + 1
        src = Source(ref.alias or "", named, found_parts(ref), obj, db, check)
        return f"({sql})", src

    def _json_rows(self, call, cols, alias):
        """Rows that a Python function returns as JSON; usable beside what its arguments name."""
        mark = self.fresh("j")
        src = Source(alias, cols)
        src.sql_alias = mark
        for i, c in enumerate(cols):
            c.sql = f"c{i}"
        inner = ", ".join(f"unj(json_extract(value, '$[{i}]')) AS c{i}" for i in range(len(cols)))
        return f"(SELECT {inner} FROM json_each({call}))", src

    def _apply(self, ref, scope):
        right = ref.right
        inner = QueryScope(scope)
        inner.captured = {}
        holder = QueryScope(inner)
        sql, src = self.source(right, holder)
        if not inner.captured:
            return self.place(sql, src, scope)
        # SQLite has no lateral joins, but it passes the current row to a table function.
        sql = f"SELECT {', '.join(c.sql for c in src.columns)} FROM {sql}"
        key = self.engine.keep_apply(sql, list(inner.captured.values()), self.params)
        args = "".join(", " + outer for outer in inner.captured)
        for i, c in enumerate(src.columns):
            c.sql = f"unj(json_extract(value, '$[{i}]'))"
        src.sql_alias = self.fresh("s")
        for c in src.columns:
            c.sql = c.sql.replace("(value", f"({src.sql_alias}.value")
        scope.sources.append(src)
        if src.obj is not None:
            inner.sources.append(src)
        return f"json_each(apply_rows('{key}'{args})) AS {src.sql_alias}"


def found_parts(ref):
    return (None, ref.parts[1], ref.parts[2])
