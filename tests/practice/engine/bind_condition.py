"""Translates conditions to SQLite's SQL: both sides get one type and one collation."""
from . import nodes as n
from .bind_collation import OPERATIONS
from .bind_types import Bound, coerce, family
from .errors import error
from .sqltypes import T, widest


class ConditionBinder:
    def condition(self, e, scope):
        return getattr(self, "_c_" + type(e).__name__.lower())(e, scope)

    def _pair(self, a, b, operation="equal to"):
        """Both sides in one type, and " COLLATE x" to compare them with, or nothing."""
        fa, fb = family(a.type), family(b.type)
        t = widest([a.type, b.type])
        if {fa, fb} == {"number", "binary"} or {fa, fb} == {"string", "binary"}:
            t = a.type if fa != "binary" else b.type
            if "string" in (fa, fb):
                raise error(402, a=a.type.name, b=b.type.name, operator="equal to")
        if {fa, fb} == {"date"} and a.type.name != b.type.name:
            t = T("datetime2", 0, 0, 7) if "datetimeoffset" not in (a.type.name, b.type.name) else t
        if fa == fb == "string" or "sql_variant" in (fa, fb) or "null" in (fa, fb):
            return a.sql, b.sql, self.collate(self.label_settled(operation, (a, b)))
        collate = self.collate(self.label_settled(operation, (a, b))) if family(t) == "string" else ""
        left, right = coerce(a.sql, a.type, t), coerce(b.sql, b.type, t)
        if family(t) == "binary":
            return f"binary_key({left})", f"binary_key({right})", ""
        return left, right, collate

    def _c_compare(self, e, scope):
        a = self.expr(e.left, scope)
        if e.quantifier:
            sql, cols = self.query(e.right.query, scope)
            if len(cols) != 1:
                raise error(116)
            left, right, coll = self._pair(a, Bound("q.c0", cols[0].type, cols[0].label), OPERATIONS[e.op])
            if e.quantifier == "ALL":
                return f"(NOT EXISTS (SELECT 1 FROM ({sql}) q WHERE NOT ({left}{coll} {e.op} {right})))"
            return f"(EXISTS (SELECT 1 FROM ({sql}) q WHERE {left}{coll} {e.op} {right}))"
        b = self.expr(e.right, scope)
        left, right, coll = self._pair(a, b, OPERATIONS[e.op])
        op = self._null_operator(e) or e.op
        return f"({left}{coll} {op} {right})"

    def _null_operator(self, e):
        """Without ANSI_NULLS, = and <> find NULL where one side is NULL itself or a variable that is."""
        if e.op not in ("=", "<>") or self.env.session.option("ANSI_NULLS"):
            return None
        for side in (e.left, e.right):
            if isinstance(side, n.Lit) and side.value is None or \
                    isinstance(side, n.Var) and side.name not in self.env.parameters:
                return "IS" if e.op == "=" else "IS NOT"
        return None

    def _c_logic(self, e, scope):
        return "(" + f" {e.op} ".join(self.condition(i, scope) for i in e.items) + ")"

    def _c_not(self, e, scope):
        return f"(NOT {self.condition(e.arg, scope)})"

    def _c_in(self, e, scope):
        a = self.expr(e.arg, scope)
        word = "NOT IN" if e.negated else "IN"
        if not isinstance(e.items, list):
            sql, cols = self.query(e.items, scope)
            if len(cols) != 1:
                raise error(116)
            left, right, coll = self._pair(a, Bound("c0", cols[0].type, cols[0].label))
            return f"({left}{coll} {word} (SELECT {right} FROM ({sql})))"
        pairs = [self._pair(a, self.expr(i, scope)) for i in e.items]
        if len({(p[0], p[2]) for p in pairs}) == 1:
            left, coll = pairs[0][0], pairs[0][2]
            return f"({left}{coll} {word} ({', '.join(p[1] for p in pairs)}))"
        tests = " OR ".join(f"({p[0]}{p[2]} = {p[1]})" for p in pairs)
        return f"(NOT ({tests}))" if e.negated else f"({tests})"

    def _c_like(self, e, scope):
        a, p = self.expr(e.arg, scope), self.expr(e.pattern, scope)
        esc = self.expr(e.escape, scope).sql if e.escape is not None else "NULL"
        text = T("nvarchar", 4000)
        exact = int(self.collate(self.label_settled("like", (a, p))).endswith("RTRIM"))
        return (f"({'NOT ' if e.negated else ''}like_match({coerce(a.sql, a.type, text)}, "
                f"{coerce(p.sql, p.type, text)}, {esc}, {exact}))")

    def _c_between(self, e, scope):
        both = n.Logic("AND", [n.Compare(">=", e.arg, e.low), n.Compare("<=", e.arg, e.high)])
        return self.condition(n.Not(both) if e.negated else both, scope)

    def _c_isnull(self, e, scope):
        return f"({self.expr(e.arg, scope).sql} IS {'NOT ' if e.negated else ''}NULL)"

    def _c_exists(self, e, scope):
        return f"(EXISTS ({self.query(e.query, scope)[0]}))"
