"""Expressions and conditions to SQLite's SQL, with the type that each has."""
import re

from . import nodes as n
from .errors import error
from .sqltypes import (BINARIES, FLOAT, INT, INTS, NUMBERS, RANK, STRINGS, T, is_string,
                       widest)

_COLLATION = re.compile(r"(SQL_)?Latin1_General(_CP1|_CP1251|_100|_140)?_(BIN2?|C[IS]_A[IS](_KS)?(_WS)?"
                        r"(_SC)?(_UTF8)?)$", re.I)
AGGREGATES = {"COUNT", "COUNT_BIG", "MIN", "MAX", "SUM", "AVG", "STRING_AGG"}
RANKING = {"ROW_NUMBER", "RANK", "DENSE_RANK"}


class Bound:
    """A bound expression: SQLite's text, type, explicit collation, a column's own name."""
    __slots__ = ("sql", "type", "collation", "name", "nullable")

    def __init__(self, sql, type_, collation="", name="", nullable=True):
        self.sql, self.type, self.collation, self.name = sql, type_, collation, name
        self.nullable = nullable


def collation_named(name):
    """The SQLite collation that stands for a T-SQL one: CI, or RTRIM for binary and CS."""
    if name.upper() in ("DATABASE_DEFAULT", "CATALOG_DEFAULT"):
        return "CI"
    m = _COLLATION.match(name)
    if not m:
        raise error(448, name=name)
    return "RTRIM" if "_BIN" in name.upper() or "_CS_" in name.upper() else "CI"


def family(t):
    if t.name in STRINGS:
        return "string"
    if t.name in NUMBERS:
        return "number"
    if t.name in BINARIES:
        return "binary"
    return t.name if t.name in ("null", "sql_variant", "uniqueidentifier") else "date"


def convert_sql(sql, t_from, t, style="NULL", attempt=False):
    f = "try_convert_value" if attempt else "convert_value"
    return (f"{f}({sql}, '{t_from.name}', {t_from.scale}, '{t.name}', {t.size}, {t.precision}, "
            f"{t.scale}, {style})")


def typed_compatible(bound, t):
    """The expression's SQL, converted when its family differs from that of `t`."""
    return coerce(bound.sql, bound.type, t)


def coerce(sql, t_from, t):
    a, b = family(t_from), family(t)
    if "null" in (a, b) or "sql_variant" in (a, b):
        return sql
    if a == b and a != "date" and not (a == "number" and t.name in INTS and t_from.name not in INTS):
        return sql
    if t_from.name == t.name:
        return sql
    if a == "string" and b == "binary":
        raise error(257, source=t_from.name, target=t.name)
    if a == "binary" and b == "date":
        raise error(206, source=t_from.name, target=t.name)
    return convert_sql(sql, t_from, t)


class ExprBinder:
    coerced = staticmethod(coerce)

    def expr(self, e, scope):
        method = getattr(self, "_e_" + type(e).__name__.lower(), None)
        if method is None:
            raise error(102, near=type(e).__name__.lower())
        if scope.group and scope.group[1] and not scope.in_aggregate and not isinstance(
                e, (n.Lit, n.Var)) and e in scope.group[1]:
            saved, scope.group = scope.group, None
            try:
                return method(e, scope)
            finally:
                scope.group = saved
        return method(e, scope)

    # ---- leaves --------------------------------------------------------------------------------

    def _e_lit(self, e, scope):
        if e.value is None:
            return Bound("NULL", T("null"))
        if isinstance(e.value, int):
            return Bound(str(e.value), e.type, nullable=False)
        return Bound(self.literal(e.value), e.type, nullable=False)

    def _e_var(self, e, scope):
        if e.name in self.env.parameters:
            sql, t = self.env.parameters[e.name]
            return Bound(f"({sql})", t)
        t, value = self.env.variable(e.name)
        return Bound(self.literal(value), t)

    def _e_globalvar(self, e, scope):
        t, value = self.engine.functions.global_variable(self.env, e.name)
        return Bound(self.literal(value), t)

    def _e_nextvalue(self, e, scope):
        value, t = self.engine.next_sequence_value(self.env, e.parts)
        return Bound(str(value), t)

    def _e_star(self, e, scope):
        raise error(102, near="*")

    def _e_col(self, e, scope):
        found, s, captured = self._find(e, scope), scope, []
        while s is not None:
            hit = [(src, c) for src, c in found if src in s.sources]
            if s.captured is not None:
                captured.append(s)
            if len(hit) > 1:
                raise error(209, name=e.parts[-1], line=e.line)
            if hit:
                src, c = hit[0]
                src.used.add(c.id)
                grouped = s.group is not None and not s.in_aggregate and s is scope
                if grouped and c.sql not in s.group[0]:
                    raise error(8120, column=f"{src.alias or src.parts[-1] or ''}.{c.name}".lstrip("."))
                sql = c.sql
                for cap in reversed(captured):
                    sql = cap.captured.setdefault(sql, ":" + self.fresh("o"))
                return Bound(sql, c.type, "", c.name, c.nullable)
            s = s.parent
        if len(e.parts) > 1:
            prefix = ".".join(p for p in e.parts if p)
            known, s = False, scope
            while s is not None:
                known |= any(src.answers_to(e.parts[:-1]) for src in s.sources)
                s = s.parent
            if not known:
                raise error(4104, name=prefix, line=e.line)
        raise error(207, name=e.parts[-1], line=e.line)

    def _find(self, e, scope):
        out, s, key = [], scope, e.parts[-1].rstrip(" ").casefold()
        while s is not None:
            for src in s.sources:
                if len(e.parts) > 1 and not src.answers_to(e.parts[:-1]):
                    continue
                c = src.by_name.get(key)
                if c is not None:
                    out.append((src, c))
            if out:
                return out
            s = s.parent
        return out

    # ---- operators -----------------------------------------------------------------------------

    def _e_unary(self, e, scope):
        b = self.expr(e.arg, scope)
        if family(b.type) == "string":
            b = Bound(coerce(b.sql, b.type, INT), INT)
        elif family(b.type) not in ("number", "null"):
            raise error(8117, type=b.type.name, operator=e.op)
        return Bound(f"({e.op} {b.sql})", b.type)

    def _e_binary(self, e, scope):
        a, b = self.expr(e.left, scope), self.expr(e.right, scope)
        fa, fb = family(a.type), family(b.type)
        if e.op == "+" and {fa, fb} <= {"string", "null"}:
            t = self._concat_type(a.type, b.type)
            return Bound(f"({a.sql} || {b.sql})", t, a.collation or b.collation)
        if e.op == "+" and {fa, fb} == {"binary"}:
            size = -1 if -1 in (a.type.size, b.type.size) else min(a.type.size + b.type.size, 8000)
            return Bound(f"concat_binary({a.sql}, {b.sql})", T("varbinary", size))
        if "sql_variant" in (fa, fb) or "uniqueidentifier" in (fa, fb):
            raise error(402, a=a.type.name, b=b.type.name, operator=e.op)
        if "date" in (fa, fb):
            if e.op not in "+-" or (fa == "date") == (fb == "date"):
                raise error(402, a=a.type.name, b=b.type.name, operator=e.op)
            return Bound(f"date_plus({a.sql}, {b.sql}, '{e.op}')", a.type if fa == "date" else b.type)
        t = widest([a.type, b.type])
        if family(t) == "string":
            raise error(8117, type=t.name, operator=e.op)
        if t.name == "null":
            t = INT
        left, right = coerce(a.sql, a.type, t), coerce(b.sql, b.type, t)
        if t.name in ("bit", "tinyint", "smallint") and e.op not in "&|^":
            t = INT if t.name == "bit" else t
        if e.op in "/%":
            f = "divide" if e.op == "/" else "modulo"
            return Bound(f"{f}({left}, {right}, {1 if t.name in INTS else 0})",
                         t if t.name in INTS else FLOAT if t.name == "float" else
                         T("decimal", 0, 38, 6))
        if e.op == "^":
            return Bound(f"(({left} | {right}) - ({left} & {right}))", t)
        if t.name in ("decimal", "numeric"):
            t = T("decimal", 0, 38, max(a.type.scale, b.type.scale) if e.op != "*" else
                  a.type.scale + b.type.scale)
        return Bound(f"checked({left} {e.op} {right}, '{t.name}')" if t.name in INTS else
                     f"({left} {e.op} {right})", t)

    @staticmethod
    def _concat_type(a, b):
        wide = "nvarchar" if "n" in (a.name[0], b.name[0]) and (
            a.name.startswith("nv") or b.name.startswith("nv") or a.name.startswith("nc")
            or b.name.startswith("nc")) else "varchar"
        if -1 in (a.size, b.size):
            return T(wide, -1)
        return T(wide, min(max(a.size + b.size, 1), 4000 if wide == "nvarchar" else 8000))

    def _e_collate(self, e, scope):
        b = self.expr(e.arg, scope)
        if family(b.type) not in ("string", "null"):
            raise error(447, type=b.type.name)
        return Bound(b.sql, b.type, collation_named(e.name), b.name, b.nullable)

    def _e_cast(self, e, scope):
        b = self.expr(e.arg, scope)
        t = self.engine.resolver.data_type(self.env, self.db, e.type)
        style = self.expr(e.style, scope).sql if e.style is not None else "NULL"
        fa, fb = family(b.type), family(t)
        if fa != fb and {fa, fb} & {"uniqueidentifier"} and {fa, fb} & {"number", "date"}:
            raise error(529, source=b.type.name, target=t.name)
        return Bound(convert_sql(b.sql, b.type, t, style, e.attempt), t, b.collation)

    def _e_case(self, e, scope):
        whens = []
        for w, value in e.whens:
            cond = self.condition(n.Compare("=", e.operand, w) if e.operand is not None else w, scope)
            whens.append((cond, self.expr(value, scope)))
        other = self.expr(e.other, scope) if e.other is not None else Bound("NULL", T("null"))
        t = widest([v.type for _, v in whens] + [other.type])
        parts = " ".join(f"WHEN {c} THEN {coerce(v.sql, v.type, t)}" for c, v in whens)
        return Bound(f"(CASE {parts} ELSE {coerce(other.sql, other.type, t)} END)", t)

    def _e_sub(self, e, scope):
        sql, cols = self.query(e.query, scope)
        if len(cols) != 1:
            raise error(116)
        # MAX of the only row is that row; a second row is an error, as in the product.
        return Bound(f"(SELECT CASE WHEN COUNT(*) > 1 THEN one_value() ELSE MAX(c0) END FROM ({sql}))",
                     cols[0].type)

    # ---- functions -----------------------------------------------------------------------------

    def has_aggregate(self, e):
        """Whether an aggregate stands in `e` itself, not inside a subquery of it."""
        if isinstance(e, n.Func):
            if e.parts[-1].upper() in AGGREGATES and len(e.parts) == 1 and e.over is None:
                return True
            return any(self.has_aggregate(a) for a in e.args)
        if isinstance(e, n.Case):
            parts = [e.operand, e.other] + [x for w in e.whens for x in w]
            return any(self.has_aggregate(x) for x in parts if x is not None)
        if isinstance(e, n.Logic):
            return any(self.has_aggregate(x) for x in e.items)
        return any(self.has_aggregate(getattr(e, f)) for f in
                   ("arg", "left", "right", "low", "high", "pattern") if hasattr(e, f))

    def _e_func(self, e, scope):
        name = e.parts[-1].upper()
        if len(e.parts) == 1:
            if name in AGGREGATES or (e.over is not None and name in RANKING):
                return self._aggregate(name, e, scope)
            builtin = self.engine.functions.table.get(name)
            if builtin:
                return self._builtin(name, builtin, e, scope)
            raise error(195, name=e.parts[0], line=e.line)
        return self._user_function(e, scope)

    def _builtin(self, name, f, e, scope):
        if not f.low <= len(e.args) <= f.high:
            raise error(174, name=name.lower(), count=f.low, line=e.line)
        args = [self.expr(a, scope) for a in e.args]
        t = f.returns(*[a.type for a in args]) if callable(f.returns) else f.returns
        if f.build:
            return Bound(f.build(self, args, t), t)
        given = "".join(", " + a.sql for a in args)
        return Bound(f"call('{name}'{given})", t, next((a.collation for a in args if a.collation), ""))

    def _user_function(self, e, scope):
        parts = tuple([None] * (3 - len(e.parts))) + tuple(e.parts)
        if len(e.parts) > 3:
            raise error(4121, prefix=e.parts[0], name=".".join(p or "" for p in e.parts))
        found = self.engine.resolver.object(self.env, self.db, parts, ("FN",))
        if found is None:
            raise error(4121, prefix=e.parts[0], name=".".join(p or "" for p in e.parts))
        obj, db = found
        if not self.env.chained(db, obj, self.chain):
            self.env.require(db, "OBJECT", obj.id, "EXECUTE", obj)
        params = obj.stmt.params
        if len(e.args) != len(params):
            raise error(313 if len(e.args) < len(params) else 8144, name=obj.name)
        args = [self.expr(a, scope) for a in e.args]
        given = "".join(", " + coerce(a.sql, a.type, p[1]) for a, p in zip(args, params))
        return Bound(f"user_function({db.id}, {obj.id}{given})", obj.stmt.returns)

    def _aggregate(self, name, e, scope):
        if scope.in_aggregate and e.over is None:
            raise error(130)
        if scope.group is None and e.over is None:
            raise error(147)
        over = self._over(e, scope)
        if name in RANKING:
            return Bound(f"{name.lower()}(){over}", T("bigint"))
        scope.in_aggregate += 1
        try:
            if e.args and isinstance(e.args[0], n.Star):
                return Bound(f"COUNT(*){over}", T("bigint") if name == "COUNT_BIG" else INT)
            if len(e.args) != (2 if name == "STRING_AGG" else 1):
                raise error(174, name=name.lower(), count=1, line=e.line)
            b = self.expr(e.args[0], scope)
            if name == "STRING_AGG":
                return self._string_agg(b, e, scope)
        finally:
            scope.in_aggregate -= 1
        if b.type.name == "bit" and name not in ("COUNT", "COUNT_BIG"):
            raise error(8117, type="bit", operator=name.lower())
        sql = b.sql + (f" COLLATE {b.collation or 'CI'}" if is_string(b.type) else "")
        distinct = "DISTINCT " if e.distinct else ""
        if name in ("COUNT", "COUNT_BIG"):
            return Bound(f"COUNT({distinct}{sql}){over}", T("bigint") if name == "COUNT_BIG" else INT)
        if name in ("MIN", "MAX"):
            return Bound(f"{name}({sql}){over}", b.type)
        if family(b.type) not in ("number", "null"):
            raise error(8117, type=b.type.name, operator=name.lower())
        t = b.type if RANK[b.type.name] >= RANK["int"] else INT
        if name == "AVG" and t.name in INTS:
            return Bound(f"CAST(AVG({distinct}{sql}){over} AS INTEGER)", t)
        return Bound(f"{name}({distinct}{sql}){over}", t)

    def _string_agg(self, b, e, scope):
        sep = self.expr(e.args[1], scope)
        wide = b.type if is_string(b.type) else T("nvarchar", 4000)
        size = -1 if wide.size == -1 else (8000 if wide.name == "varchar" else 4000)
        value = coerce(b.sql, b.type, wide)
        keys = [(self.expr(k, scope), down) for k, down in e.within or []]
        order = "".join(f", {k.sql}, {int(down)}" for k, down in keys)
        return Bound(f"string_agg({value}, {sep.sql}{order})", T(wide.name, size))

    def _over(self, e, scope):
        if e.over is None:
            return ""
        partition, order = e.over
        parts = []
        if partition:
            parts.append("PARTITION BY " + ", ".join(self._key(p, scope) for p in partition))
        if order:
            parts.append("ORDER BY " + ", ".join(self._key(k, scope) + (" DESC" if d else "")
                                                 for k, d in order))
        return f" OVER ({' '.join(parts)})"

    def _key(self, e, scope):
        b = self.expr(e, scope)
        return b.sql + (f" COLLATE {b.collation or 'CI'}" if is_string(b.type) else "")

    # ---- conditions ----------------------------------------------------------------------------

    def condition(self, e, scope):
        return getattr(self, "_c_" + type(e).__name__.lower())(e, scope)

    def _pair(self, a, b):
        """Both sides in one type, and the collation to compare them with."""
        fa, fb = family(a.type), family(b.type)
        t = widest([a.type, b.type])
        if {fa, fb} == {"number", "binary"} or {fa, fb} == {"string", "binary"}:
            t = a.type if fa != "binary" else b.type
            if "string" in (fa, fb):
                raise error(402, a=a.type.name, b=b.type.name, operator="equal to")
        if {fa, fb} == {"date"} and a.type.name != b.type.name:
            t = T("datetime2", 0, 0, 7) if "datetimeoffset" not in (a.type.name, b.type.name) else t
        if fa == fb == "string" or "sql_variant" in (fa, fb) or "null" in (fa, fb):
            return a.sql, b.sql, a.collation or b.collation or "CI"
        return coerce(a.sql, a.type, t), coerce(b.sql, b.type, t), \
            (a.collation or b.collation or "CI") if family(t) == "string" else ""

    def _c_compare(self, e, scope):
        a = self.expr(e.left, scope)
        if e.quantifier:
            sql, cols = self.query(e.right.query, scope)
            if len(cols) != 1:
                raise error(116)
            left, right, coll = self._pair(a, Bound("q.c0", cols[0].type))
            coll = f" COLLATE {coll}" if coll else ""
            if e.quantifier == "ALL":
                return f"(NOT EXISTS (SELECT 1 FROM ({sql}) q WHERE NOT ({left}{coll} {e.op} {right})))"
            return f"(EXISTS (SELECT 1 FROM ({sql}) q WHERE {left}{coll} {e.op} {right}))"
        b = self.expr(e.right, scope)
        left, right, coll = self._pair(a, b)
        return f"({left}{' COLLATE ' + coll if coll else ''} {e.op} {right})"

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
            left, right, coll = self._pair(a, Bound("c0", cols[0].type))
            coll = f" COLLATE {coll}" if coll else ""
            return f"({left}{coll} {word} (SELECT {right} FROM ({sql})))"
        pairs = [self._pair(a, self.expr(i, scope)) for i in e.items]
        if len({(p[0], p[2]) for p in pairs}) == 1:
            left, coll = pairs[0][0], pairs[0][2]
            coll = f" COLLATE {coll}" if coll else ""
            return f"({left}{coll} {word} ({', '.join(p[1] for p in pairs)}))"
        tests = " OR ".join(f"({p[0]}{' COLLATE ' + p[2] if p[2] else ''} = {p[1]})" for p in pairs)
        return f"(NOT ({tests}))" if e.negated else f"({tests})"

    def _c_like(self, e, scope):
        a, p = self.expr(e.arg, scope), self.expr(e.pattern, scope)
        esc = self.expr(e.escape, scope).sql if e.escape is not None else "NULL"
        text = T("nvarchar", 4000)
        exact = 1 if (a.collation or p.collation) == "RTRIM" else 0
        return (f"({'NOT ' if e.negated else ''}like_match({coerce(a.sql, a.type, text)}, "
                f"{coerce(p.sql, p.type, text)}, {esc}, {exact}))")

    def _c_between(self, e, scope):
        both = n.Logic("AND", [n.Compare(">=", e.arg, e.low), n.Compare("<=", e.arg, e.high)])
        return self.condition(n.Not(both) if e.negated else both, scope)

    def _c_isnull(self, e, scope):
        return f"({self.expr(e.arg, scope).sql} IS {'NOT ' if e.negated else ''}NULL)"

    def _c_exists(self, e, scope):
        return f"(EXISTS ({self.query(e.query, scope)[0]}))"


