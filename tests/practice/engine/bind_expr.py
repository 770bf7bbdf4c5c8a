"""Translates expressions and conditions to SQLite's SQL, each with its type."""
from . import nodes as n
from .bind_condition import ConditionBinder
from .bind_types import Bound, coerce, convert_sql, family
from .collations import COERCIBLE, Label
from .errors import error
from .sqltypes import FLOAT, INT, INTS, NMAX, RANK, T, is_string, widest

AGGREGATES = {"COUNT", "COUNT_BIG", "MIN", "MAX", "SUM", "AVG", "STRING_AGG"}
RANKING = {"ROW_NUMBER", "RANK", "DENSE_RANK"}
# Functions by collation: those that need one, those that use that of any text argument, those that return the first's.
SENSITIVE = {"CHARINDEX", "PATINDEX", "REPLACE", "STUFF", "NULLIF"}
TAKING_ALL = {"CONCAT", "CONCAT_WS", "COALESCE", "ISNULL"}
PASSING = {"LOWER", "UPPER", "LTRIM", "RTRIM", "TRIM", "REVERSE", "SUBSTRING", "LEFT", "RIGHT", "REPLICATE",
           "QUOTENAME"}
EXACT = {"CHARINDEX", "REPLACE"}


class ExprBinder(ConditionBinder):
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
                return Bound(sql, c.type, c.label, c.name, c.nullable)
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
            label = self.label_joined("add", (a, b))
            if not self.env.session.option("CONCAT_NULL_YIELDS_NULL"):
                return Bound(f"(ifnull({a.sql}, '') || ifnull({b.sql}, ''))", t, label)
            return Bound(f"({a.sql} || {b.sql})", t, label)
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
        self.once_explicit(b.label)
        return Bound(b.sql, b.type, Label("explicit", self.collation_named(e.name)), b.name, b.nullable)

    def _e_xmlmethod(self, e, scope):
        session = self.env.session
        session.settings.require_for_indexes(self.env.db, "SELECT")
        b = self.expr(e.arg, scope)
        sql = f"call('XML_{e.method.upper()}', {b.sql}, {self.literal(e.args[0])})"
        if e.method != "value":
            return Bound(sql, INT if e.method == "exist" else NMAX)
        return Bound(convert_sql(sql, NMAX, e.args[1]), e.args[1])

    def _e_cast(self, e, scope):
        b = self.expr(e.arg, scope)
        t = self.engine.resolver.data_type(self.env, self.db, e.type)
        style = self.expr(e.style, scope).sql if e.style is not None else "NULL"
        fa, fb = family(b.type), family(t)
        if fa != fb and {fa, fb} & {"uniqueidentifier"} and {fa, fb} & {"number", "date"}:
            raise error(529, source=b.type.name, target=t.name)
        return Bound(convert_sql(b.sql, b.type, t, style, e.attempt), t,
                     b.label if is_string(t) else COERCIBLE)

    def _e_case(self, e, scope):
        whens = []
        for w, value in e.whens:
            cond = self.condition(n.Compare("=", e.operand, w) if e.operand is not None else w, scope)
            whens.append((cond, self.expr(value, scope)))
        other = self.expr(e.other, scope) if e.other is not None else Bound("NULL", T("null"))
        t = widest([v.type for _, v in whens] + [other.type])
        parts = " ".join(f"WHEN {c} THEN {coerce(v.sql, v.type, t)}" for c, v in whens)
        label = self.label_joined("CASE", [v for _, v in whens] + [other])
        return Bound(f"(CASE {parts} ELSE {coerce(other.sql, other.type, t)} END)", t, label)

    def _e_sub(self, e, scope):
        sql, cols = self.query(e.query, scope)
        if len(cols) != 1:
            raise error(116)
        # MAX of a single row is that row. A second row is an error, as in the product.
        return Bound(f"(SELECT CASE WHEN COUNT(*) > 1 THEN one_value() ELSE MAX(c0) END FROM ({sql}))",
                     cols[0].type, cols[0].label)

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
        builtin = self.engine.functions.table.get(".".join(p or "" for p in e.parts).upper())
        if builtin:
            return self._builtin(".".join(e.parts).upper(), builtin, e, scope)
        return self._user_function(e, scope)

    def _builtin(self, name, f, e, scope):
        if not f.low <= len(e.args) <= f.high:
            raise error(174, name=name.lower(), count=f.low, line=e.line)
        args = [self.expr(a, scope) for a in e.args]
        t = f.returns(*[a.type for a in args]) if callable(f.returns) else f.returns
        label = self._function_label(name, args, t)
        if f.build:
            return Bound(f.build(self, args, t), t, label)
        given = "".join(", " + a.sql for a in args)
        exact = name in EXACT and self.collate(label).endswith("RTRIM")
        return Bound(f"call('{name}{'_EXACT' if exact else ''}'{given})", t, label)

    def _function_label(self, name, args, t):
        """Of what a function makes of text: its input's; what names the catalogue's things has none."""
        if name in SENSITIVE:
            return self.label_settled(name.lower(), [a for a in args if is_string(a.type)])
        if name in TAKING_ALL:
            return self.label_joined(name.lower(), [a for a in args if is_string(a.type)])
        if is_string(t) and name in PASSING and args:
            return args[0].label
        return COERCIBLE

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
        if name in ("MIN", "MAX") and is_string(b.type):
            self.label_settled(name.lower(), (b,))
        sql = b.sql + (self.collate(b.label) if is_string(b.type) else "")
        distinct = "DISTINCT " if e.distinct else ""
        if name in ("COUNT", "COUNT_BIG"):
            return Bound(f"COUNT({distinct}{sql}){over}", T("bigint") if name == "COUNT_BIG" else INT)
        if name in ("MIN", "MAX"):
            return Bound(f"{name}({sql}){over}", b.type, b.label)
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
        return Bound(f"string_agg({value}, {sep.sql}{order})", T(wide.name, size),
                     self.label_joined("string_agg", (b, sep)))

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
        return b.sql + (self.collate(b.label) if is_string(b.type) else "")
