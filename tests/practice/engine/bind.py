"""Resolves names and translates queries to SQLite's SQL. Checks that names exist and that the user has the permissions.

Every source gets an alias (s1, s2, ...) and every result column a name (c0, c1, ...), so the SQL for SQLite does not
depend on how the T-SQL was spelled.
"""
from . import nodes as n
from .bind_collation import CollationBinder
from .bind_expr import ExprBinder
from .bind_from import FromBinder, QueryScope, SourceColumn
from .bind_types import typed_compatible
from .collations import COERCIBLE, as_column, implicit
from .errors import error
from .sqltypes import INT, is_string, widest


class Binder(FromBinder, CollationBinder, ExprBinder):
    def __init__(self, env):
        self.env, self.engine, self.db, self.chain = env, env.engine, env.db, env.chain
        self.params = {}
        self.counter = 0
        self.ctes = []
        self.nesting = 0

    def fresh(self, prefix):
        self.counter += 1
        return f"{prefix}{self.counter}"

    def literal(self, value):
        name = self.fresh("p")
        self.params[name] = value
        return ":" + name

    # ---- queries -------------------------------------------------------------------------------

    def query(self, q, outer=None, top_level=False):
        """(sql, columns) of a query; a derived one may not be ordered unless it is cut as well."""
        self.nesting += 1
        if self.nesting > 32:
            raise error(217, limit=32)
        mark = len(self.ctes)
        heads = []
        for name, cols, body in q.ctes:
            heads.append(self._cte(name, cols, body, outer))
        sql, columns = self._body(q.body, outer, top_level)
        del self.ctes[mark:]
        self.nesting -= 1
        if heads:
            sql = "WITH RECURSIVE " + ", ".join(heads) + " " + sql
        return sql, columns

    def _cte(self, name, cols, q, outer):
        phys = self.fresh("w")
        body = q.body
        if isinstance(body, n.SetOp) and body.op == "UNION ALL" and not q.ctes:
            left, lcols = self._body(body.left, outer, False)
            named = self._renamed(lcols, cols, name)
            self.ctes.append((name.casefold(), phys, named))
            right, rcols = self._body(body.right, outer, False)
            if len(lcols) != len(rcols):
                raise error(205)
            sql = f"{left} UNION ALL {right}"
        else:
            sql, lcols = self.query(q, outer)
            named = self._renamed(lcols, cols, name)
            self.ctes.append((name.casefold(), phys, named))
        names = ", ".join(f"c{i}" for i in range(len(named)))
        return f"{phys}({names}) AS ({sql})"

    def _renamed(self, columns, names, owner):
        if names and len(names) != len(columns):
            raise error(8158 if len(columns) > len(names) else 8159, name=owner)
        out = [SourceColumn(nm, c.type, "", 0, c.nullable, self._derived(c)) for nm, c in
               zip(names or [c.name for c in columns], columns)]
        seen = set()
        for i, c in enumerate(out, 1):
            if not c.name:
                raise error(8155, column=i, name=owner)
            if c.name.casefold() in seen:
                raise error(8156, column=c.name, name=owner)
            seen.add(c.name.casefold())
        return out

    def _derived(self, column):
        """Its label outside of the table that is made here: no page says whether a literal's stays one that gives way."""
        label = as_column(column.label)
        if self.engine.catalogue.features.derived_implicit and is_string(column.type) and label.kind == "coercible":
            return implicit(self.db.fields.collation)
        return label

    def _body(self, body, outer, top_level):
        if isinstance(body, n.Select):
            return self.select(body, outer, top_level)
        if isinstance(body, n.SetOp):
            return self._set_operation(body, outer, top_level)
        return self._values(body, outer)

    def _values(self, body, outer):
        scope = QueryScope(outer)
        rows = [[self.expr(e, scope) for e in row] for row in body.rows]
        types = [widest(r[i].type for r in rows) for i in range(len(rows[0]))]
        labels = [self.label_joined("UNION ALL", [r[i] for r in rows]) for i in range(len(types))]
        selects = []
        for row in rows:
            cells = ", ".join(f"{typed_compatible(e, t)} AS c{i}"
                              for i, (e, t) in enumerate(zip(row, types)))
            selects.append("SELECT " + cells)
        return " UNION ALL ".join(selects), [SourceColumn("", t, f"c{i}", label=x)
                                             for i, (t, x) in enumerate(zip(types, labels))]

    def _set_operation(self, body, outer, top_level):
        lsql, lcols = self._body(body.left, outer, False)
        rsql, rcols = self._body(body.right, outer, False)
        if len(lcols) != len(rcols):
            raise error(205)
        out, left, right = [], [], []
        for i, (a, b) in enumerate(zip(lcols, rcols)):
            t = widest([a.type, b.type])
            meet = self.label_joined if body.op == "UNION ALL" else self.label_settled
            label = meet(body.op, (a, b)) if is_string(t) else COERCIBLE
            self.label_shown(label, i + 1)
            collate = self.collate(label) if is_string(t) and body.op != "UNION ALL" else ""
            left.append(f"{self.coerced(f'c{i}', a.type, t)}{collate} AS c{i}")
            right.append(f"{self.coerced(f'c{i}', b.type, t)}{collate} AS c{i}")
            out.append(SourceColumn(a.name, t, f"c{i}", 0, a.nullable or b.nullable, label))
        sql = (f"SELECT {', '.join(left)} FROM ({lsql}) {body.op} "
               f"SELECT {', '.join(right)} FROM ({rsql})")
        if body.order:
            self._must_be_cut(body, top_level)
            keys = []
            for e, down in body.order:
                k = self._position(e, out)
                if k is None:
                    raise error(104)
                keys.append(self._order_key(f"c{k}", out[k], down))
            sql = f"SELECT * FROM ({sql}) ORDER BY {', '.join(keys)}{self._offset(body)}"
        return sql, out

    def _must_be_cut(self, body, top_level):
        if not top_level and body.offset is None and getattr(body, "top", None) is None:
            raise error(1033)

    def _position(self, e, columns):
        """Which result column an ORDER BY item names, by number or by name."""
        if isinstance(e, n.Lit) and isinstance(e.value, int):
            if not 1 <= e.value <= len(columns):
                raise error(108, position=e.value)
            return e.value - 1
        if isinstance(e, n.Col) and len(e.parts) == 1:
            for i, c in enumerate(columns):
                if c.name.casefold() == e.parts[0].casefold():
                    return i
        return None

    def _order_key(self, sql, b, down):
        """`b`, which has a type and a label, as a key of ORDER BY."""
        return sql + (self.collate(b.label) if is_string(b.type) else "") + (" DESC" if down else "")

    def _offset(self, body):
        if body.offset is None:
            return ""
        scope = QueryScope()
        skip = self.expr(body.offset, scope).sql
        take = self.expr(body.fetch, scope).sql if body.fetch is not None else "-1"
        return f" LIMIT {take} OFFSET {skip}"

    def select(self, s, outer=None, top_level=False):
        scope = QueryScope(outer)
        source = self.from_clause(s.source, scope) if s.source else ""
        where = self.condition(s.where, scope) if s.where else ""
        group = []
        if s.group:
            cols, exprs = set(), []
            for e in s.group:
                b = self.expr(e, scope)
                group.append(b.sql + (self.collate(self.label_settled("GROUP BY", (b,)))
                                      if is_string(b.type) else ""))
                exprs.append(e)
                if isinstance(e, n.Col):
                    cols.add(b.sql)
            scope.group = (cols, exprs)
        elif s.having or any(self.has_aggregate(i.expr) for i in s.items):
            scope.group = (set(), [])
        columns, cells = [], []
        for item in s.items:
            if isinstance(item.expr, n.Star):
                for c in self.expand(item.expr, scope):
                    if scope.group and c.sql not in scope.group[0]:
                        raise error(8120, column=c.name)
                    columns.append(SourceColumn(c.name, c.type, "", 0, c.nullable, c.label))
                    cells.append(c.sql)
                continue
            b = self.expr(item.expr, scope)
            name = item.alias or (item.expr.parts[-1] if isinstance(item.expr, n.Col) else "")
            if isinstance(item.expr, n.Col):
                name = item.alias or b.name or name
            self.label_shown(b.label, len(columns) + 1)
            columns.append(SourceColumn(name, b.type if b.type.name != "null" else INT, "", 0,
                                        b.nullable, b.label))
            cells.append(b.sql)
        having = self.condition(s.having, scope) if s.having else ""
        order = self._select_order(s, scope, columns, cells, top_level)
        out = []
        for i, (c, cell) in enumerate(zip(columns, cells)):
            collate = self.collate(c.label) if s.distinct and is_string(c.type) else ""
            out.append(f"{cell}{collate} AS c{i}")
            c.sql = f"c{i}"
        sql = "SELECT " + ("DISTINCT " if s.distinct else "") + ", ".join(out)
        if source:
            sql += " FROM " + source
        if where:
            sql += " WHERE " + where
        if group:
            sql += " GROUP BY " + ", ".join(group)
        if having:
            sql += " HAVING " + having
        sql += order
        if s.top is not None:
            sql += " LIMIT " + self.expr(s.top, QueryScope()).sql
        elif s.offset is not None:
            sql += self._offset(s)
        elif order:
            sql += " LIMIT -1"
        if (s.top is not None or order) and not top_level:
            sql = f"SELECT * FROM ({sql})"
        self.check_sources(scope)
        return sql, columns

    def _select_order(self, s, scope, columns, cells, top_level):
        if not s.order:
            return ""
        self._must_be_cut(s, top_level)
        keys = []
        for e, down in s.order:
            k = self._position(e, columns)
            if k is not None:
                keys.append(self._order_key(cells[k], columns[k], down))
                continue
            if isinstance(e, n.Lit):
                raise error(408)
            b = self.expr(e, scope)
            if s.distinct and b.sql not in cells:
                raise error(145)
            self.label_shown(b.label, len(keys) + 1, "ORDER BY")
            keys.append(self._order_key(b.sql, b, down))
        return " ORDER BY " + ", ".join(keys)

    def expand(self, star, scope):
        found = False
        for src in scope.sources:
            if star.parts and not src.answers_to(star.parts):
                continue
            found = True
            for c in src.columns:
                src.used.add(c.id)
                yield c
        if not found:
            if star.parts:
                raise error(107, name=".".join(star.parts))
            raise error(263)

    # ---- rights --------------------------------------------------------------------------------

    def check_sources(self, scope, permission="SELECT"):
        for src in scope.sources:
            if src.obj is not None and src.check:
                self.env.require_columns(src.db, src.obj, permission, sorted(i for i in src.used if i))
