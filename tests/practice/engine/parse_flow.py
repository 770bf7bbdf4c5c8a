"""Batches, blocks, variables, SET, EXEC, and transactions."""
from . import nodes as n
from .events import SqlError
from .parse_query import QueryParser
from .sqltypes import T

SWITCHES = {"NOCOUNT", "XACT_ABORT", "ANSI_NULLS", "ANSI_PADDING", "ANSI_WARNINGS", "ANSI_DEFAULTS",
            "ANSI_NULL_DFLT_ON", "ANSI_NULL_DFLT_OFF", "QUOTED_IDENTIFIER", "IMPLICIT_TRANSACTIONS",
            "ARITHABORT", "ARITHIGNORE", "CONCAT_NULL_YIELDS_NULL", "CURSOR_CLOSE_ON_COMMIT",
            "NUMERIC_ROUNDABORT", "NOEXEC", "FMTONLY", "PARSEONLY", "SHOWPLAN_TEXT", "SHOWPLAN_ALL",
            "SHOWPLAN_XML", "IDENTITY_INSERT", "REMOTE_PROC_TRANSACTIONS"}
NUMERIC = {"LOCK_TIMEOUT", "TEXTSIZE", "ROWCOUNT", "QUERY_GOVERNOR_COST_LIMIT", "DATEFIRST"}
WORDS = {"LANGUAGE", "DATEFORMAT", "DEADLOCK_PRIORITY"}
ISOLATION = (("READ", "UNCOMMITTED"), ("READ", "COMMITTED"), ("REPEATABLE", "READ"), ("SNAPSHOT",),
             ("SERIALIZABLE",))


class FlowParser(QueryParser):
    STARTERS = {}        # word -> method name; filled by the complete parser

    def batch(self):
        out = []
        while self.tok.kind != "eof":
            if self.accept(";"):
                continue
            # A batch may start with a procedure's bare name; arguments may follow it.
            if not out and self.is_name() and self.tok.word not in self.STARTERS \
                    and self.tok.word not in ("THROW", "DISABLE", "ENABLE"):
                out.append(self._exec_body(self.tok))
            else:
                out.append(self.statement())
        for k, s in enumerate(out):
            if s.kind in ("create_procedure", "create_view", "create_function", "create_trigger",
                          "create_schema") and (k or (s.kind == "create_view" and len(out) > 1)):
                what = s.kind[7:].upper()
                if what == "SCHEMA" or k:
                    shown = what if what == "SCHEMA" else f"CREATE/ALTER {what}"
                    shown = "CREATE SCHEMA" if what == "SCHEMA" else \
                        ("CREATE VIEW" if what == "VIEW" else shown)
                    raise SqlError(111, f"'{shown}' must be the first statement in a query batch.",
                                   15, line=s.line)
                self.fail(self.tokens[-1])
        return out

    def statement(self):
        t = self.tok
        self.deeper()
        try:
            if t.word == "WITH":
                s = self._with_ctes()
            elif t.word in ("ENABLE", "DISABLE") and self.ahead().word == "TRIGGER":
                s = self.enable_trigger()
            elif t.word in self.STARTERS:
                s = getattr(self, self.STARTERS[t.word])()
            else:
                return self.fail()
        finally:
            self.depth -= 1
        s.text = self.text[t.start:self.tokens[self.i - 1].end]
        self.accept(";")
        return s

    def _with_ctes(self):
        ctes = self.ctes()
        if self.at("SELECT") or self.at("("):
            return self.select_statement(ctes)
        word = self.choice("INSERT", "UPDATE", "DELETE")
        self.i -= 1
        return getattr(self, word.lower() + "_statement")(ctes)

    def block(self):
        """The body of IF, ELSE, WHILE: one statement, which may be BEGIN ... END."""
        return [self.statement()]

    def begin_statement(self):
        t = self.tok
        self.expect("BEGIN")
        if self.at_any("TRAN", "TRANSACTION"):
            self.next()
            name = self.name() if self.is_name() else ""
            return self.stmt("begin_tran", t, name=name)
        if self.at("TRY"):
            self.next()
            body = self._until_end()
            self.expect("TRY")
            self.accept(";")
            self.expect("BEGIN", "CATCH")
            catch = self._until_end(True)
            self.expect("CATCH")
            return self.stmt("try", t, body=body, catch=catch)
        return self.stmt("block", t, body=self._until_end())

    def _until_end(self, may_be_empty=False):
        out = []
        while not self.at("END"):
            if self.tok.kind == "eof":
                self.fail()
            if not self.accept(";"):
                out.append(self.statement())
        if not out and not may_be_empty:
            self.fail()
        self.expect("END")
        return out

    def if_statement(self):
        t = self.tok
        self.expect("IF")
        cond = self.condition()
        then = self.block()
        other = self.block() if self.accept("ELSE") else []
        return self.stmt("if", t, condition=cond, then=then, other=other)

    def while_statement(self):
        t = self.tok
        self.expect("WHILE")
        cond = self.condition()
        return self.stmt("while", t, condition=cond, body=self.block())

    def break_statement(self):
        return self.stmt("break", self.next())

    def continue_statement(self):
        return self.stmt("continue", self.next())

    def return_statement(self):
        t = self.next()
        value = None
        if self.tok.kind in ("int", "var", "str", "nstr", "dec") or self.at_any("-", "(", "CASE") or \
                (self.is_name() and self.tok.word not in self.STARTERS) or \
                (self.tok.word in ("CONVERT", "COALESCE", "LEFT", "RIGHT", "NULLIF", "NULL")):
            value = self.expr()
        return self.stmt("return", t, value=value)

    def print_statement(self):
        t = self.next()
        return self.stmt("print", t, value=self.expr())

    def declare_statement(self):
        t = self.next()
        items = []
        while True:
            v = self.tok
            if v.kind != "var" or v.text.startswith("@@"):
                self.fail()
            self.next()
            name = v.text.lower()
            if name in self.declared:
                raise SqlError(134, f"The variable name '{v.text}' has already been declared. Variable "
                                    "names must be unique within a query batch or stored procedure.",
                               15, line=v.line)
            self.accept("AS")
            if self.accept("TABLE"):
                items.append((name, "table", self.column_definitions()))
            elif self.at("CURSOR"):
                self.fail()
            else:
                typ = self.data_type()
                items.append((name, typ, self.expr() if self.accept("=") else None))
            self.declared.add(name)
            if not self.accept(","):
                break
        return self.stmt("declare", t, items=items)

    def set_statement(self):
        t = self.next()
        if self.tok.kind == "var":
            name = self.variable()
            op = self.tok.text
            if op in ("+=", "-=", "*=", "/="):
                self.next()
                return self.stmt("assign", t, name=name,
                                 value=n.Binary(op[0], n.Var(name), self.expr()))
            self.expect("=")
            return self.stmt("assign", t, name=name, value=self.expr())
        if self.accept("TRANSACTION"):
            self.expect("ISOLATION", "LEVEL")
            for words in ISOLATION:
                if self.accept(*words):
                    return self.stmt("set_option", t, names=["ISOLATION"], value=" ".join(words))
            self.fail()
        word = self.tok.word
        if word in NUMERIC:
            self.next()
            value = n.Var(self.variable()) if self.tok.kind == "var" else \
                n.Lit(self.integer(), T("int"))
            return self.stmt("set_option", t, names=[word], value=value)
        if word in WORDS:
            self.next()
            value = self.string() if self.tok.kind in ("str", "nstr") else \
                ("-" if self.accept("-") else "") + self.next().text
            return self.stmt("set_option", t, names=[word], value=value)
        if word == "STATISTICS":
            self.next()
            names = ["STATISTICS " + self.choice("IO", "TIME", "XML", "PROFILE")]
            return self.stmt("set_option", t, names=names, value=self.on_off())
        names = []
        while True:
            if self.tok.word not in SWITCHES:
                if self.is_name() and not names:
                    raise SqlError(195, f"'{self.tok.text}' is not a recognized SET option.", 15, 5,
                                   line=self.tok.line)
                self.fail()
            names.append(self.next().word)
            if not self.accept(","):
                break
        if names == ["IDENTITY_INSERT"]:
            parts = self.dotted()
            return self.stmt("identity_insert", t, parts=parts, on=self.on_off())
        return self.stmt("set_option", t, names=names, value=self.on_off())

    def use_statement(self):
        t = self.next()
        return self.stmt("use", t, name=self.name())

    def commit_statement(self):
        return self._end_tran("commit")

    def rollback_statement(self):
        return self._end_tran("rollback")

    def _end_tran(self, kind):
        t = self.next()
        if self.at_any("TRAN", "TRANSACTION", "WORK"):
            self.next()
            name = self.name() if self.is_name() and self.tok.word not in self.STARTERS else ""
            return self.stmt(kind, t, name=name)
        return self.stmt(kind, t, name="")

    def save_statement(self):
        t = self.next()
        self.choice("TRAN", "TRANSACTION")
        return self.stmt("save_tran", t, name=self.name())

    def raiserror_statement(self):
        t = self.next()
        self.expect("(")
        args = [self.expr()]
        while self.accept(","):
            args.append(self.expr())
        self.expect(")")
        log = False
        if self.accept("WITH"):
            while True:
                log |= self.choice("NOWAIT", "LOG", "SETERROR") == "LOG"
                if not self.accept(","):
                    break
        if len(args) < 3:
            self.fail()
        return self.stmt("raiserror", t, args=args, log=log)

    def throw_statement(self):
        t = self.next()
        args = []
        if self.tok.kind in ("int", "var"):
            args = [self.expr()]
            for _ in range(2):
                self.expect(",")
                args.append(self.expr())
        return self.stmt("throw", t, args=args)

    def waitfor_statement(self):
        t = self.next()
        self.expect("DELAY")
        value = n.Var(self.variable()) if self.tok.kind == "var" else n.Lit(self.string(),
                                                                            T("varchar", 30))
        return self.stmt("waitfor", t, value=value)

    def kill_statement(self):
        t = self.next()
        if self.tok.kind in ("str", "nstr"):
            return self.stmt("kill", t, spid=0, uow=self.string(), status_only=self._status_only())
        return self.stmt("kill", t, spid=self.integer(), uow=None, status_only=self._status_only())

    def _status_only(self):
        return self.accept("WITH", "STATUSONLY") or (self.accept("WITH", "COMMIT") and False)

    def reconfigure_statement(self):
        t = self.next()
        if self.accept("WITH"):
            self.expect("OVERRIDE")
        return self.stmt("reconfigure", t)

    def dbcc_statement(self):
        t = self.next()
        if self.tok.word != "USEROPTIONS":
            raise SqlError(2526, f"Incorrect DBCC statement: '{self.tok.text}'.", 16, line=t.line)
        self.next()
        if self.accept("WITH"):
            self.expect("NO_INFOMSGS")
        return self.stmt("dbcc_useroptions", t)

    def revert_statement(self):
        t = self.next()
        self.known("EXECUTE AS", t)
        cookie = n.Var(self.variable()) if self.accept("WITH", "COOKIE", "=") else None
        return self.stmt("revert", t, cookie=cookie)

    # ---- EXEC ----------------------------------------------------------------------------------

    def exec_statement(self):
        t = self.next()
        if self.at("AS"):
            return self._execute_as(t)
        if self.at("("):
            self.next()
            e = self.expr()
            self.expect(")")
            context = None
            if self.accept("AS"):
                kind = self.choice("USER", "LOGIN")
                self.expect("=")
                context = (kind, self.string())
            if self.at("AT"):
                self.fail()
            return self.stmt("exec_string", t, string=e, context=context)
        return self._exec_body(t)

    def _exec_body(self, t):
        result = None
        if self.tok.kind == "var" and self.ahead().text == "=":
            result = self.variable()
            self.next()
        if self.tok.kind == "var":
            parts = (None, None, n.Var(self.variable()))
        else:
            parts = self.dotted()
        number = self.procedure_number()
        args, seen_named = [], False
        if self.tok.kind in ("var", "str", "nstr", "int", "dec", "float", "bin") or self.at("-") or \
                self.at_any("NULL", "DEFAULT") or \
                (self.is_name() and self.tok.word not in self.STARTERS):
            while True:
                name = ""
                if self.tok.kind == "var" and self.ahead().text == "=" and self.ahead().kind == "op":
                    name = self.next().text.lower()
                    self.next()
                    seen_named = True
                elif seen_named:
                    raise SqlError(119, f"Must pass parameter number {len(args) + 1} and subsequent "
                                        "parameters as '@name = value'. After the form '@name = value'"
                                        " has been used, all subsequent parameters must be passed in "
                                        "the form '@name = value'.", 15, line=self.tok.line)
                args.append((name,) + self._argument())
                if not self.accept(","):
                    break
        if self.accept("WITH"):
            self.expect("RECOMPILE")
        return self.stmt("exec", t, result=result, parts=parts, number=number, args=args)

    def procedure_number(self):
        """The 2 of `p;2`: a number right behind the semicolon that follows the name."""
        semicolon, number = self.tok, self.ahead()
        if semicolon.text == ";" and number.kind == "int" and number.start == semicolon.end \
                and semicolon.start == self.tokens[self.i - 1].end:
            self.i += 2
            return number.value
        return 1

    def _argument(self):
        """(value, output) of one argument: a constant, a variable or a bare word; no expressions."""
        if self.accept("DEFAULT"):
            return "DEFAULT", False
        t = self.tok
        if t.kind == "var":
            value = n.GlobalVar(self.next().text.upper()) if t.text.startswith("@@") \
                else n.Var(self.variable())
            output = self.at_any("OUTPUT", "OUT") and bool(self.next())
            return value, output
        if t.kind in ("str", "nstr", "int", "dec", "float", "bin") or self.at("-") or t.word == "NULL":
            value = self._unary()
            return value, False
        if self.is_name() or t.word in ("ON", "OFF"):
            self.next()
            return n.Lit(t.value, T("nvarchar", max(len(t.value), 1))), False
        return self.fail()

    def _execute_as(self, t):
        self.known("EXECUTE AS", self.tok)
        self.expect("AS")
        if self.accept("CALLER"):
            return self.stmt("execute_as", t, target="CALLER", name=None, no_revert=False)
        target = self.choice("USER", "LOGIN")
        self.expect("=")
        name = n.Var(self.variable()) if self.tok.kind == "var" else n.Lit(self.string(),
                                                                           T("nvarchar", 128))
        no_revert, cookie = False, None
        if self.accept("WITH"):
            if self.accept("COOKIE", "INTO"):
                cookie = self.variable()
            else:
                self.expect("NO", "REVERT")
                no_revert = True
        return self.stmt("execute_as", t, target=target, name=name, no_revert=no_revert, cookie=cookie)
