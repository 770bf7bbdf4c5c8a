"""Expressions and conditions. Both are parsed into one tree, and the end of the tree decides which one it must be."""
from . import nodes as n
from .events import SqlError
from .parse_base import NILADIC, RESERVED, ParserBase
from .sqltypes import BIGINT, FLOAT, INT, T
from .utf16 import units

COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">=",
               "!<": ">=", "!>": "<="}
# Keywords that are functions when a bracket follows.
CALLABLE = {"LEFT", "RIGHT", "COALESCE", "NULLIF", "CONVERT", "TRY_CONVERT", "USER"}


class ExprParser(ParserBase):
    def expr(self):
        """A value; a condition in its place is a syntax error."""
        start = self.tok
        e = self._or()
        if isinstance(e, n.CONDITIONS):
            self.fail(start if start.word == "EXISTS" else self.tokens[self.i - 1])
        return e

    def condition(self):
        e = self._or()
        return self._must_hold(e)

    def _must_hold(self, e):
        if not isinstance(e, n.CONDITIONS):
            t = self.tok if self.tok.kind != "eof" else self.tokens[self.i - 1]
            raise SqlError(4145, "An expression of non-boolean type specified in a context where a "
                                 f"condition is expected, near '{t.text}'.", 15, line=t.line)
        return e

    def _or(self):
        self.deeper()
        e = self._and()
        if self.at("OR"):
            items = [self._must_hold(e)]
            while self.accept("OR"):
                items.append(self._must_hold(self._and()))
            e = n.Logic("OR", items)
        self.depth -= 1
        return e

    def _and(self):
        e = self._not()
        if self.at("AND"):
            items = [self._must_hold(e)]
            while self.accept("AND"):
                items.append(self._must_hold(self._not()))
            e = n.Logic("AND", items)
        return e

    def _not(self):
        if self.accept("NOT"):
            return n.Not(self._must_hold(self._not()))
        return self._predicate()

    def _predicate(self):
        if self.accept("EXISTS"):
            self.expect("(")
            q = self.query()
            self.expect(")")
            return n.Exists(q)
        left = self._additive()
        if isinstance(left, n.CONDITIONS):
            return left
        if self.tok.kind == "op" and self.tok.text in COMPARISONS:
            op = COMPARISONS[self.next().text]
            quantifier = ""
            if self.tok.word in ("ALL", "ANY", "SOME"):
                quantifier = self.next().word
                if not self.at("("):
                    self.fail()
            right = self._additive()
            if isinstance(right, n.CONDITIONS) or (quantifier and not isinstance(right, n.Sub)):
                self.fail()
            return n.Compare(op, left, right, quantifier)
        if self.accept("IS"):
            negated = self.accept("NOT")
            self.expect("NULL")
            return n.IsNull(left, negated)
        negated = False
        if self.at("NOT") and self.ahead().word in ("IN", "LIKE", "BETWEEN"):
            self.next()
            negated = True
        if self.accept("IN"):
            self.expect("(")
            if self.at_any("SELECT", "WITH"):
                items = self.query()
            else:
                items = [self.expr()]
                while self.accept(","):
                    items.append(self.expr())
            self.expect(")")
            return n.In(left, items, negated)
        if self.accept("LIKE"):
            pattern = self._additive()
            escape = self._additive() if self.accept("ESCAPE") else None
            return n.Like(left, pattern, escape, negated)
        if self.accept("BETWEEN"):
            low = self._additive()
            self.expect("AND")
            return n.Between(left, low, self._additive(), negated)
        return left

    def _additive(self):
        e = self._product()
        while self.tok.kind == "op" and self.tok.text in ("+", "-", "&", "|", "^"):
            op = self.next().text
            e = n.Binary(op, e, self._product())
        return e

    def _product(self):
        e = self._unary()
        while self.tok.kind == "op" and self.tok.text in ("*", "/", "%"):
            op = self.next().text
            e = n.Binary(op, e, self._unary())
        return e

    def _unary(self):
        if self.tok.kind == "op" and self.tok.text in ("-", "+", "~"):
            op = self.next().text
            arg = self._unary()
            if op == "-" and isinstance(arg, n.Lit) and isinstance(arg.value, (int, float)):
                return n.Lit(-arg.value, arg.type)
            return n.Unary(op, arg)
        e = self._primary()
        while isinstance(e, (n.Var, n.Func, n.XmlMethod)) and self.at(".") and \
                self.ahead().text in ("value", "query", "exist"):
            self.next()
            e = self._xml_method(e, self.next().text)
        while self.accept("COLLATE"):
            e = n.Collate(e, self.next().value if self.at("DATABASE_DEFAULT") else self.name())
        return e

    def _primary(self):
        t = self.tok
        if t.kind in ("str", "nstr"):
            self.next()
            base = "nvarchar" if t.kind == "nstr" else "varchar"
            return n.Lit(t.value, T(base, max(units(t.value), 1) if units(t.value) <= 4000 else -1))
        if t.kind == "int":
            self.next()
            return n.Lit(t.value, INT if t.value < 2**31 else BIGINT)
        if t.kind == "dec":
            self.next()
            whole, _, frac = t.text.partition(".")
            return n.Lit(t.value, T("decimal", 0, max(len(whole) + len(frac), 1), len(frac)))
        if t.kind == "float":
            self.next()
            return n.Lit(t.value, FLOAT)
        if t.kind == "bin":
            self.next()
            return n.Lit(t.value, T("varbinary", max(len(t.value), 1)))
        if t.kind == "var":
            if t.text.startswith("@@"):
                self.next()
                return n.GlobalVar(t.text.upper())
            return n.Var(self.variable())
        if self.accept("("):
            if self.at_any("SELECT", "WITH"):
                e = n.Sub(self.query())
            else:
                self.deeper()
                e = self._or()
                self.depth -= 1
            self.expect(")")
            return e
        if t.word == "NULL":
            self.next()
            return n.Lit(None, T("null"))
        if t.word == "CASE":
            return self._case()
        if t.word in NILADIC and not (t.word == "USER" and self.ahead().text == "("):
            self.next()
            return n.Func((t.word,), [], line=t.line)
        if t.word == "NEXT" and self.ahead().word == "VALUE":
            self.next(), self.next()
            self.expect("FOR")
            return n.NextValue(self.dotted())
        if self.ahead().text == "(" and self.ahead().kind == "op" and \
                (self.is_name() or t.word in CALLABLE):
            return self._call((self.next().value,), t)
        if self.is_name():
            return self._column_or_call()
        return self.fail()

    def _xml_method(self, arg, method):
        """.value('path', 'type'), .query('path'), .exist('path'); their names are lower case."""
        self.expect("(")
        args = [self.string()]
        if method == "value":
            self.expect(",")
            args.append(type(self)(self.string()).data_type())
        self.expect(")")
        return n.XmlMethod(arg, method, args)

    def _column_or_call(self):
        t = self.tok
        parts = [self.name()]
        while self.at("."):
            if self.ahead().text == "*":
                break
            self.next()
            if self.at("."):
                parts.append(None)
                continue
            parts.append(self.next().value if self.tok.word in RESERVED and self.tok.word in NILADIC
                         else self.name())
        if self.at("("):
            return self._call(tuple(parts), t)
        return n.Col(tuple(parts), t.line)

    def _call(self, parts, tok):
        name = parts[-1].upper() if len(parts) == 1 and tok.kind == "id" else ""
        self.expect("(")
        if name in ("CAST", "TRY_CAST"):
            e = self.expr()
            self.expect("AS")
            t = self._cast_type()
            self.expect(")")
            return n.Cast(e, t, None, name == "TRY_CAST")
        if name in ("CONVERT", "TRY_CONVERT"):
            t = self._cast_type()
            self.expect(",")
            e = self.expr()
            style = self.expr() if self.accept(",") else None
            self.expect(")")
            return n.Cast(e, t, style, name == "TRY_CONVERT")
        if name == "IIF":
            c = self.condition()
            self.expect(",")
            a = self.expr()
            self.expect(",")
            b = self.expr()
            self.expect(")")
            return n.Case(None, [(c, a)], b)
        distinct, args = False, []
        if self.accept("DISTINCT"):
            distinct = True
        elif self.at("ALL"):
            self.next()
        if name in ("DATEADD", "DATEDIFF", "DATEPART", "DATENAME", "DATEDIFF_BIG"):
            args.append(n.Lit(self.name().lower(), T("varchar", 30)))
            self.expect(",")
        if name in ("COUNT", "COUNT_BIG") and self.accept("*"):
            args.append(n.Star(()))
        elif not self.at(")"):
            args.append(n.Lit(None, T("null")) if self.accept("DEFAULT") else self.expr())
            while self.accept(","):
                args.append(n.Lit(None, T("null")) if self.accept("DEFAULT") else self.expr())
        self.expect(")")
        f = n.Func(parts, args, distinct, line=tok.line)
        if name == "STRING_AGG" and self.at("WITHIN"):
            self.expect("WITHIN", "GROUP", "(")
            f.within = self.order_list()
            self.expect(")")
        if self.accept("OVER"):
            self.expect("(")
            partition, order = [], []
            if self.accept("PARTITION"):
                self.expect("BY")
                partition = [self.expr()]
                while self.accept(","):
                    partition.append(self.expr())
            if self.at("ORDER"):
                order = self.order_list()
            self.expect(")")
            f.over = (partition, order)
        return f

    def _cast_type(self):
        t = self.data_type()
        # CAST and CONVERT without a length take 30, unlike a declaration, which takes 1.
        if isinstance(t, T) and t.size == 1 and self.tokens[self.i - 1].text != ")":
            return T(t.name, 30)
        return t

    def _case(self):
        self.expect("CASE")
        operand = None if self.at("WHEN") else self.expr()
        whens = []
        while self.accept("WHEN"):
            w = self.condition() if operand is None else self.expr()
            self.expect("THEN")
            whens.append((w, self.expr()))
        if not whens:
            self.fail()
        other = self.expr() if self.accept("ELSE") else None
        self.expect("END")
        return n.Case(operand, whens, other)

    def order_list(self):
        self.expect("ORDER", "BY")
        out = []
        while True:
            e = self.expr()
            down = self.accept("DESC")
            if not down:
                self.accept("ASC")
            out.append((e, down))
            if not self.accept(","):
                return out
