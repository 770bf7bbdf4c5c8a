"""SELECT in all its forms, INSERT, UPDATE, DELETE and TRUNCATE."""
from . import nodes as n
from .events import SqlError
from .parse_expr import ExprParser

HINTS = {"NOLOCK", "READUNCOMMITTED", "READCOMMITTED", "HOLDLOCK", "SERIALIZABLE", "UPDLOCK", "ROWLOCK",
         "PAGLOCK", "TABLOCK", "TABLOCKX", "XLOCK", "READPAST", "REPEATABLEREAD", "NOWAIT"}


class QueryParser(ExprParser):
    def query(self):
        """[WITH ctes] select-expression [ORDER BY ...]."""
        ctes = self.ctes() if self.at("WITH") else []
        return n.Query(self._query_body(), ctes)

    def ctes(self):
        self.expect("WITH")
        out = []
        while True:
            name = self.name()
            cols = self.names_list() if self.at("(") else []
            self.expect("AS", "(")
            q = self.query()
            self.expect(")")
            out.append((name, cols, q))
            if not self.accept(","):
                return out

    def _query_body(self):
        self.deeper()
        body = self._intersections()
        while self.at_any("UNION", "EXCEPT"):
            op = self.next().word
            if op == "UNION" and self.accept("ALL"):
                op = "UNION ALL"
            body = n.SetOp(op, body, self._intersections())
        if self.at("ORDER"):
            if isinstance(body, n.Query):
                self.fail()
            body.order = self.order_list()
            if self.accept("OFFSET"):
                body.offset = self._additive()
                self.choice("ROWS", "ROW")
                if self.accept("FETCH"):
                    self.choice("NEXT", "FIRST")
                    body.fetch = self._additive()
                    self.choice("ROWS", "ROW")
                    self.expect("ONLY")
        if self.at("FOR") and self.ahead().word in ("XML", "JSON", "BROWSE"):
            self.fail()
        self.depth -= 1
        return body

    def _intersections(self):
        left = self._query_term()
        while self.accept("INTERSECT"):
            left = n.SetOp("INTERSECT", left, self._query_term())
        return left

    def _query_term(self):
        if self.accept("("):
            body = self._query_body()
            self.expect(")")
            return body
        return self._select()

    def _select(self):
        self.expect("SELECT")
        s = n.Select([])
        if self.accept("DISTINCT"):
            s.distinct = True
        else:
            self.accept("ALL")
        if self.accept("TOP"):
            if self.accept("("):
                s.top = self.expr()
                self.expect(")")
            else:
                s.top = self._primary()
            if self.at_any("PERCENT") or self.at("WITH", "TIES"):
                self.fail()
        s.items.append(self._item())
        while self.accept(","):
            s.items.append(self._item())
        if self.accept("INTO"):
            s.into = self.dotted()
        if self.accept("FROM"):
            s.source = self.from_list()
        if self.accept("WHERE"):
            s.where = self.condition()
        if self.accept("GROUP"):
            self.expect("BY")
            s.group.append(self.expr())
            while self.accept(","):
                s.group.append(self.expr())
        if self.accept("HAVING"):
            s.having = self.condition()
        return s

    def _item(self):
        if self.accept("*"):
            return n.Item(n.Star(()))
        t = self.tok
        if t.kind == "var" and not t.text.startswith("@@") and self.ahead().text == "=":
            name = self.variable()
            self.next()
            return n.Item(self.expr(), variable=name)
        if (self.is_name() or t.kind in ("str", "nstr")) and self.ahead().text == "=" and \
                self.ahead().kind == "op":
            alias = self.next().value
            self.next()
            return n.Item(self.expr(), alias)
        if self.is_name():
            k = 1
            while self.ahead(k).text == "." and self.ahead(k).kind == "op":
                if self.ahead(k + 1).text == "*":
                    parts = tuple(self.ahead(j).value for j in range(0, k, 2)) if k > 1 \
                        else (self.tok.value,)
                    self.i += k + 2
                    return n.Item(n.Star(parts))
                k += 2
        e = self.expr()
        return n.Item(e, self._alias(True))

    def _alias(self, strings=False):
        if self.accept("AS"):
            if strings and self.tok.kind in ("str", "nstr"):
                return self.next().value
            return self.name()
        if self.is_name() and not self._starts_statement():
            return self.name()
        if strings and self.tok.kind in ("str", "nstr"):
            return self.next().value
        return ""

    def _starts_statement(self):
        """Unreserved words that open a statement or clause here and so cannot be an alias."""
        w, nxt = self.tok.word, self.ahead().word
        return (w == "THROW" and self.ahead().kind in ("int", "eof", "op")) or \
            (w == "OFFSET" and self.ahead().kind in ("int", "var", "op")) or \
            (w == "DISABLE" and nxt == "TRIGGER") or (w == "ENABLE" and nxt == "TRIGGER")

    # ---- FROM ----------------------------------------------------------------------------------

    def from_list(self):
        src = self._joined()
        while self.accept(","):
            src = n.Join("CROSS", src, self._joined())
        return src

    def _joined(self):
        left = self._source()
        while True:
            if self.at_any("CROSS", "OUTER") and self.ahead().word == "APPLY":
                outer = self.next().word == "OUTER"
                self.next()
                left = n.Apply(outer, left, self._source())
            elif self.accept("CROSS"):
                self.expect("JOIN")
                left = n.Join("CROSS", left, self._source())
            elif self.at_any("INNER", "JOIN", "LEFT", "RIGHT", "FULL"):
                kind = "INNER"
                if not self.at("JOIN"):
                    kind = self.next().word
                    if kind != "INNER":
                        self.accept("OUTER")
                self.expect("JOIN")
                right = self._joined_operand()
                self.expect("ON")
                left = n.Join(kind, left, right, self.condition())
            else:
                return left

    def _joined_operand(self):
        return self._source()

    def _source(self):
        t = self.tok
        if t.kind == "var":
            self.next()
            if t.text.lower() not in self.declared:
                raise SqlError(1087, f'Must declare the table variable "{t.text}".', 15, line=t.line)
            return n.VarRef(t.text.lower(), self._alias())
        if self.accept("("):
            if self.at_any("SELECT", "WITH"):
                q = self.query()
                self.expect(")")
                return self._derived(q)
            if self.at("VALUES"):
                q = n.Query(self.values())
                self.expect(")")
                return self._derived(q)
            src = self._joined()
            self.expect(")")
            return src
        parts = self.dotted()
        if self.at("(") and not (self.ahead().word in HINTS):
            self.next()
            args = []
            while not self.at(")"):
                args.append(n.Lit(None, None) if self.accept("DEFAULT") else self.expr())
                if not self.accept(","):
                    break
            self.expect(")")
            alias = self._alias()
            cols = self.names_list() if alias and self.at("(") else []
            return n.FuncRef(parts, args, alias, cols, t.line)
        alias = self._alias()
        return n.TableRef(parts, alias, self._hints(), t.line)

    def _hints(self):
        if not (self.at("WITH", "(") or (self.at("(") and self.ahead().word in HINTS)):
            return ()
        self.accept("WITH")
        self.expect("(")
        out = [self.choice(*HINTS)]
        while self.accept(",") or self.tok.word in HINTS:
            out.append(self.choice(*HINTS))
        self.expect(")")
        return tuple(out)

    def _derived(self, q):
        alias = self._alias()
        if not alias:
            self.fail()
        return n.Derived(q, alias, self.names_list() if self.at("(") else [])

    def values(self):
        self.expect("VALUES")
        rows = []
        while True:
            self.expect("(")
            row = [self._value()]
            while self.accept(","):
                row.append(self._value())
            self.expect(")")
            if rows and len(row) != len(rows[0]):
                raise SqlError(10709, "The number of columns for each row in a table value "
                                      "constructor must be the same.", 16, line=self.tok.line)
            rows.append(row)
            if not self.accept(","):
                return n.Values(rows)

    def _value(self):
        return "DEFAULT" if self.accept("DEFAULT") else self.expr()

    # ---- statements ----------------------------------------------------------------------------

    def select_statement(self, ctes=()):
        t = self.tok
        q = n.Query(self._query_body(), list(ctes))
        self._option()
        return self.stmt("select", t, query=q)

    def _option(self):
        if self.accept("OPTION"):
            self.expect("(")
            self.choice("RECOMPILE", "MAXDOP", "MAXRECURSION")
            if self.tok.kind == "int":
                self.next()
            self.expect(")")

    def _target(self):
        """What INSERT, UPDATE and DELETE write to: a name or a table variable."""
        t = self.tok
        if t.kind == "var":
            self.next()
            if t.text.lower() not in self.declared:
                raise SqlError(1087, f'Must declare the table variable "{t.text}".', 15, line=t.line)
            return n.VarRef(t.text.lower())
        ref = n.TableRef(self.dotted(), line=t.line)
        ref.hints = self._hints()
        return ref

    def _output(self):
        """OUTPUT inserted.x, deleted.y: the items, without INTO."""
        if not self.accept("OUTPUT"):
            return []
        items = [self._item()]
        while self.accept(","):
            items.append(self._item())
        if self.at("INTO"):
            self.fail()
        return items

    def insert_statement(self, ctes=()):
        t = self.tok
        self.expect("INSERT")
        self.accept("INTO")
        target = self._target()
        cols = self.names_list() if self.at("(") and not self.ahead().word == "SELECT" else []
        output = self._output()
        source, execute = None, None
        if self.at("VALUES"):
            source = n.Query(self.values())
        elif self.accept("DEFAULT"):
            self.expect("VALUES")
        elif self.at_any("EXEC", "EXECUTE"):
            execute = self.exec_statement()
        else:
            source = self.query()
        self._option()
        return self.stmt("insert", t, target=target, columns=cols, source=source, execute=execute,
                         ctes=list(ctes), output=output)

    def update_statement(self, ctes=()):
        t = self.tok
        self.expect("UPDATE")
        top = self._top()
        target = self._target()
        self.expect("SET")
        sets = []
        while True:
            if self.tok.kind == "var":
                sets.append((self.variable(), self._assignment()))
            else:
                col = [self.name()]
                while self.accept("."):
                    col.append(self.name())
                sets.append((col[-1], self._assignment(n.Col((col[-1],), t.line))))
            if not self.accept(","):
                break
        output = self._output()
        source = self.from_list() if self.accept("FROM") else None
        where = self.condition() if self.accept("WHERE") else None
        self._option()
        return self.stmt("update", t, target=target, sets=sets, source=source, where=where, top=top,
                         ctes=list(ctes), output=output)

    def _assignment(self, col=None):
        op = self.tok.text
        if op in ("+=", "-=", "*=", "/=", "%=") and col is not None:
            self.next()
            return n.Binary(op[0], col, self.expr())
        self.expect("=")
        return "DEFAULT" if self.accept("DEFAULT") else self.expr()

    def _top(self):
        if not self.accept("TOP"):
            return None
        self.expect("(")
        e = self.expr()
        self.expect(")")
        return e

    def delete_statement(self, ctes=()):
        t = self.tok
        self.expect("DELETE")
        top = self._top()
        self.accept("FROM")
        target = self._target()
        output = self._output()
        source = self.from_list() if self.accept("FROM") else None
        where = self.condition() if self.accept("WHERE") else None
        self._option()
        return self.stmt("delete", t, target=target, source=source, where=where, top=top,
                         ctes=list(ctes), output=output)

    def truncate_statement(self):
        t = self.tok
        self.expect("TRUNCATE", "TABLE")
        return self.stmt("truncate", t, parts=self.dotted())
