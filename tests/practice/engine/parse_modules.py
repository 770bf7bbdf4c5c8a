"""Procedures, views, functions, triggers, and the rarer objects of a database."""
from .nodes import Batch
from .parse_services import ServiceParser


class ModuleParser(ServiceParser):
    def _module(self, t, how, what, parts, **fields):
        kind = "create_" + what
        fields["marks"] = frozenset(self.marks)
        return self.stmt(kind, t, how=how, parts=parts, definition=self.text[t.start:].rstrip(),
                         **fields)

    def _with_options(self):
        """WITH EXECUTE AS ..., SCHEMABINDING, ENCRYPTION, RECOMPILE: what EXECUTE AS said."""
        as_, self.marks = None, set()
        if self.accept("WITH"):
            while True:
                if self.at_any("EXECUTE", "EXEC"):
                    self.known("EXECUTE AS", self.next())
                    self.expect("AS")
                    as_ = ("USER", self.string()) if self.tok.kind in ("str", "nstr") else \
                        (self.choice("CALLER", "OWNER", "SELF"), None)
                else:
                    self.marks.add(self.choice("SCHEMABINDING", "RECOMPILE", "ENCRYPTION", "VIEW_METADATA"))
                if not self.accept(","):
                    break
        return as_

    def _parameters(self):
        params = []
        while self.tok.kind == "var":
            v = self.next()
            self.accept("AS")
            typ = self.data_type()
            default = self._unary() if self.accept("=") else None
            output = self.at_any("OUTPUT", "OUT") and bool(self.next())
            if self.at_any("READONLY"):
                self.fail()
            params.append((v.text, typ, default, output))
            self.declared.add(v.text.lower())
            if not self.accept(","):
                break
        return params

    def _body(self):
        """Everything to the end of the batch."""
        out = []
        while self.tok.kind != "eof":
            if not self.accept(";"):
                out.append(self.statement())
        if not out:
            self.fail()
        return Batch(out)

    def _module_procedure(self, t, how):
        parts = self.dotted(2)
        number = self.procedure_number()
        self.declared = set()
        bracket = self.accept("(")
        params = self._parameters()
        if bracket:
            self.expect(")")
        as_ = self._with_options()
        self.expect("AS")
        return self._module(t, how, "procedure", parts, params=params, execute_as=as_,
                            number=number, body=self._body())

    def _module_view(self, t, how):
        parts = self.dotted(2)
        cols = self.names_list() if self.at("(") else []
        self._with_options()
        self.expect("AS")
        self.declared = set()
        q = self.query()
        if self.accept("WITH"):
            self.expect("CHECK", "OPTION")
        self.accept(";")
        return self._module(t, how, "view", parts, columns=cols, query=q)

    def _module_function(self, t, how):
        parts = self.dotted(2)
        self.declared = set()
        self.expect("(")
        params = self._parameters()
        self.expect(")")
        self.expect("RETURNS")
        if self.accept("TABLE"):
            as_ = self._with_options()
            self.accept("AS")
            self.expect("RETURN")
            bracket = self.accept("(")
            q = self.query()
            if bracket:
                self.expect(")")
            self.accept(";")
            return self._module(t, how, "function", parts, params=params, returns=None,
                                execute_as=as_, body=q)
        returns = self.data_type()
        as_ = self._with_options()
        self.accept("AS")
        return self._module(t, how, "function", parts, params=params, returns=returns, execute_as=as_,
                            body=self._body())

    def _module_trigger(self, t, how):
        parts = self.dotted(2)
        self.declared = set()
        self.expect("ON")
        if self.at("ALL", "SERVER") or self.at("DATABASE"):
            scope, table = self._scope(), None
        else:
            scope, table = "TABLE", self.dotted(2)
        as_ = self._with_options()
        timing = "FOR"
        if self.at_any("FOR", "AFTER"):
            self.next()
        else:
            self.expect("INSTEAD", "OF")
            timing = "INSTEAD OF"
        events = [self.next().word]
        while self.accept(","):
            events.append(self.next().word)
        if not all(events) or (scope == "TABLE" and set(events) - {"INSERT", "UPDATE", "DELETE"}):
            self.fail(self.tokens[self.i - 1])
        self.expect("AS")
        return self._module(t, how, "trigger", parts, scope=scope, table=table, timing=timing,
                            events=events, execute_as=as_, body=self._body())

    def enable_trigger(self):
        t = self.next()
        self.expect("TRIGGER")
        names = [(None, None, "ALL")] if self.accept("ALL") else [self.dotted()]
        while self.accept(","):
            names.append(self.dotted())
        self.expect("ON")
        scope = self._scope() if self.at("ALL") or self.at("DATABASE") else self.dotted()
        return self.stmt("enable_trigger", t, names=names, scope=scope, enable=t.word == "ENABLE")

    # ---- lesser objects ------------------------------------------------------------------------

    def _sequence_options(self):
        o = {}
        while True:
            if self.accept("START"):
                self.expect("WITH")
                o["start"] = self.integer()
            elif self.accept("INCREMENT"):
                self.expect("BY")
                o["increment"] = self.integer()
            elif self.accept("RESTART"):
                o["start"] = self.integer() if self.accept("WITH") else None
            elif self.at_any("MINVALUE", "MAXVALUE", "CACHE"):
                word = self.next().word
                o[word.lower()] = self.integer()
            elif self.at("NO") and self.ahead().word in ("CYCLE", "CACHE", "MINVALUE", "MAXVALUE"):
                self.i += 2
            else:
                return o

    def _create_sequence(self, t):
        parts = self.dotted()
        typ = self.data_type() if self.accept("AS") else None
        return self.stmt("create_sequence", t, parts=parts, type=typ,
                         options=self._sequence_options())

    def _create_synonym(self, t):
        parts = self.dotted(2)
        self.expect("FOR")
        names, shown = [self.name()], None
        while self.accept("."):
            names.append(None if self.at(".") else self.name())
        shown = ".".join("[" + (p or "").replace("]", "]]") + "]" if p else "" for p in names)
        return self.stmt("create_synonym", t, parts=parts, base=names, shown=shown)

    def _create_type(self, t):
        parts = self.dotted(2)
        self.expect("FROM")
        typ = self.data_type()
        nullable = not self.accept("NOT")
        if not nullable or self.at("NULL"):
            self.expect("NULL")
        return self.stmt("create_type", t, parts=parts, type=typ, nullable=nullable)

    def _create_certificate(self, t):
        name = self.name()
        owner = self.principal() if self.accept("AUTHORIZATION") else None
        if self.accept("ENCRYPTION"):
            self.expect("BY", "PASSWORD", "=")
            self.string()
        self.expect("WITH", "SUBJECT", "=")
        return self.stmt("create_certificate", t, name=name, owner=owner, subject=self.string())

    def _create_key(self, t):
        kind = self.next().word.lower() + "_key"
        self.expect("KEY")
        name = self.name()
        owner = self.principal() if self.accept("AUTHORIZATION") else None
        self.expect("WITH", "ALGORITHM", "=")
        algorithm = self.name()
        self.expect("ENCRYPTION", "BY")
        if self.accept("CERTIFICATE"):
            self.name()
        else:
            self.expect("PASSWORD", "=")
            self.string()
        return self.stmt("create_key", t, name=name, owner=owner, what=kind, algorithm=algorithm)

    def _create_assembly(self, t):
        name = self.name()
        owner = self.principal() if self.accept("AUTHORIZATION") else None
        self.expect("FROM")
        content = self._binary()
        level = "SAFE"
        if self.accept("WITH"):
            self.expect("PERMISSION_SET", "=")
            level = self.choice("SAFE", "EXTERNAL_ACCESS", "UNSAFE")
        return self.stmt("create_assembly", t, name=name, owner=owner, content=content, level=level)

    def _credential(self, t, what):
        name = self.name()
        self.expect("WITH", "IDENTITY", "=")
        identity = self.string()
        if self.accept(","):
            self.expect("SECRET", "=")
            self.string()
        return self.stmt(what, t, name=name, identity=identity)

    def _endpoint(self, t, what):
        """For T-SQL alone: the others (mirroring, Service Broker) let no login in."""
        name, state, port = self.name(), None, None
        owner = self.principal() if what == "create_endpoint" and self.accept("AUTHORIZATION") else None
        if self.accept("STATE"):
            self.expect("=")
            state = self.choice("STARTED", "STOPPED", "DISABLED")
        if what == "create_endpoint" or self.at("AS"):
            self.expect("AS", "TCP", "(", "LISTENER_PORT", "=")
            port = self.integer()
            self.expect(")", "FOR", "TSQL", "(", ")")
        return self.stmt(what, t, name=name, state=state, port=port, owner=owner)

    def _create_notification(self, t):
        name = self.name()
        self.expect("ON")
        scope = self.choice("SERVER", "DATABASE")
        self.expect("FOR")
        events = [self.next().word]
        while self.accept(","):
            events.append(self.next().word)
        self.expect("TO", "SERVICE")
        service = self.string()
        self.expect(",")
        self.string()
        return self.stmt("create_notification", t, name=name, scope=scope, events=events,
                         service=service)

    def backup_statement(self):
        t = self.next()
        self.expect("DATABASE")
        name = self.name()
        self.expect("TO", "DISK", "=")
        file = self.string()
        if self.accept("WITH"):
            self._media_options()
        return self.stmt("backup", t, name=name, file=file)

    def restore_statement(self):
        t = self.next()
        self.expect("DATABASE")
        name = self.name()
        self.expect("FROM", "DISK", "=")
        file = self.string()
        replace = "REPLACE" in self._media_options() if self.accept("WITH") else False
        return self.stmt("restore", t, name=name, file=file, replace=replace)

    def _media_options(self):
        out = [self.choice("REPLACE", "INIT", "COPY_ONLY", "RECOVERY", "COMPRESSION")]
        while self.accept(","):
            out.append(self.choice("REPLACE", "INIT", "COPY_ONLY", "RECOVERY", "COMPRESSION"))
        return out

    def add_statement(self):
        return self.add_signature(self.next())
