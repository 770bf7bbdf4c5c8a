"""CREATE, ALTER and DROP of databases and of what is in them; the complete Parser."""
from . import nodes as n
from .parse_security import SecurityParser

EVENT_GROUPS = {"LOGON"}
SIMPLE_DROPS = {"SCHEMA": "schema", "USER": "user", "ROLE": "role", "LOGIN": "login",
                "CERTIFICATE": "certificate", "ASSEMBLY": "assembly", "CREDENTIAL": "credential"}
OBJECT_DROPS = ("TABLE", "VIEW", "PROCEDURE", "PROC", "FUNCTION", "SEQUENCE", "SYNONYM", "TYPE")


class Parser(SecurityParser):
    def create_statement(self):
        t = self.next()
        return self._create(t, "create")

    def alter_statement(self):
        t = self.next()
        if self.accept("AUTHORIZATION"):
            return self.alter_authorization(t)
        if self.accept("LOGIN"):
            return self.alter_login(t)
        if self.accept("USER"):
            return self.alter_user(t)
        if self.accept("ROLE"):
            return self.alter_role(t)
        if self.accept("SERVER", "ROLE"):
            return self.alter_role(t, True)
        if self.accept("DATABASE"):
            return self._alter_database(t)
        if self.accept("TABLE"):
            return self._alter_table(t)
        if self.accept("SCHEMA"):
            name = self.name()
            self.expect("TRANSFER")
            if self.accept("OBJECT", "::") or self.accept("TYPE", "::"):
                pass
            return self.stmt("alter_schema", t, name=name, parts=self.dotted())
        if self.accept("SEQUENCE"):
            parts = self.dotted()
            return self.stmt("alter_sequence", t, parts=parts, options=self._sequence_options())
        return self._create(t, "alter")

    def _create(self, t, how):
        if how == "create" and self.accept("OR", "ALTER"):
            how = "create_or_alter"
        if self.at_any("PROC", "PROCEDURE", "VIEW", "FUNCTION", "TRIGGER"):
            word = self.next().word
            word = "PROCEDURE" if word == "PROC" else word
            return getattr(self, "_module_" + word.lower())(t, how)
        if how != "create":
            self.fail()
        table = (("LOGIN", self.create_login), ("USER", self.create_user), ("ROLE", self.create_role),
                 ("DATABASE", self._create_database), ("SCHEMA", self._create_schema),
                 ("TABLE", self._create_table), ("SEQUENCE", self._create_sequence),
                 ("SYNONYM", self._create_synonym), ("TYPE", self._create_type),
                 ("CERTIFICATE", self._create_certificate), ("ASSEMBLY", self._create_assembly),
                 ("CREDENTIAL", self._create_credential))
        for word, method in table:
            if self.at(word):
                self.next()
                return method(t)
        if self.accept("SERVER", "ROLE"):
            return self.create_role(t, True)
        if self.accept("APPLICATION", "ROLE"):
            return self.create_application_role(t)
        if self.at_any("SYMMETRIC", "ASYMMETRIC") and self.ahead().word == "KEY":
            return self._create_key(t)
        if self.accept("EVENT", "NOTIFICATION"):
            return self._create_notification(t)
        if self.at_any("UNIQUE", "CLUSTERED", "NONCLUSTERED", "INDEX"):
            return self._create_index(t)
        return self.fail()

    def drop_statement(self):
        t = self.next()
        if self.accept("SERVER", "ROLE"):
            return self.drop_security(t, "server_role")
        if self.accept("APPLICATION", "ROLE"):
            return self.drop_security(t, "application_role")
        if self.at_any("SYMMETRIC", "ASYMMETRIC") and self.ahead().word == "KEY":
            kind = self.next().word.lower()
            self.next()
            return self.drop_security(t, kind + "_key")
        if self.accept("EVENT", "NOTIFICATION"):
            name = self.name()
            self.expect("ON")
            return self.stmt("drop_notification", t, name=name,
                             scope=self.choice("SERVER", "DATABASE"))
        if self.tok.word in SIMPLE_DROPS:
            return self.drop_security(t, SIMPLE_DROPS[self.next().word])
        if self.accept("DATABASE"):
            exists = self.accept("IF", "EXISTS")
            return self.stmt("drop_database", t, names=self._name_list(), if_exists=exists)
        if self.accept("INDEX"):
            name = self.name()
            self.expect("ON")
            return self.stmt("drop_index", t, name=name, parts=self.dotted())
        if self.accept("TRIGGER"):
            exists = self.accept("IF", "EXISTS")
            names = [self.dotted()]
            while self.accept(","):
                names.append(self.dotted())
            return self.stmt("drop_trigger", t, names=names, if_exists=exists,
                             scope=self._scope() if self.accept("ON") else "TABLE")
        if self.tok.word in OBJECT_DROPS:
            word = self.next().word
            exists = self.accept("IF", "EXISTS")
            names = [self.dotted()]
            while self.accept(","):
                names.append(self.dotted())
            return self.stmt("drop_object", t, names=names, if_exists=exists,
                             what="PROCEDURE" if word == "PROC" else word)
        return self.fail()

    def _name_list(self):
        out = [self.name()]
        while self.accept(","):
            out.append(self.name())
        return out

    def _scope(self):
        if self.accept("ALL", "SERVER"):
            return "SERVER"
        self.expect("DATABASE")
        return "DATABASE"

    # ---- databases, schemas --------------------------------------------------------------------

    def _create_database(self, t):
        name = self.name()
        contained = False
        if self.accept("CONTAINMENT"):
            self.expect("=")
            contained = self.choice("NONE", "PARTIAL") == "PARTIAL"
        collation = self.name() if self.accept("COLLATE") else None
        return self.stmt("create_database", t, name=name, contained=contained, collation=collation)

    def _alter_database(self, t):
        name = None if self.accept("CURRENT") else self.name()
        if self.accept("MODIFY"):
            self.expect("NAME", "=")
            return self.stmt("alter_database", t, name=name, action="NAME", value=self.name())
        self.expect("SET")
        word = self.choice("ONLINE", "OFFLINE", "TRUSTWORTHY", "DB_CHAINING", "READ_ONLY", "READ_WRITE",
                           "SINGLE_USER", "MULTI_USER", "RESTRICTED_USER", "RECOVERY")
        value = True
        if word in ("TRUSTWORTHY", "DB_CHAINING"):
            value = self.on_off()
        elif word == "RECOVERY":
            value = self.choice("SIMPLE", "FULL", "BULK_LOGGED")
        if self.accept("WITH"):
            if not self.accept("NO_WAIT"):
                self.expect("ROLLBACK", "IMMEDIATE")
        return self.stmt("alter_database", t, name=name, action=word, value=value)

    def _create_schema(self, t):
        name = None if self.at("AUTHORIZATION") else self.name()
        owner = self.principal() if self.accept("AUTHORIZATION") else None
        return self.stmt("create_schema", t, name=name or owner, owner=owner)

    # ---- tables --------------------------------------------------------------------------------

    def _create_table(self, t):
        parts = self.dotted()
        return self.stmt("create_table", t, parts=parts, columns=self.column_definitions())

    def column_definitions(self):
        """[(name, type, options)] of a bracketed list; table constraints as (None, kind, columns)."""
        self.expect("(")
        out = []
        while True:
            if self.at_any("PRIMARY", "UNIQUE", "CONSTRAINT", "FOREIGN", "CHECK"):
                out.append(self._table_constraint())
            else:
                out.append(self._column_definition())
            if not self.accept(",") or self.at(")"):
                break
        self.expect(")")
        return out

    def _table_constraint(self):
        if self.accept("CONSTRAINT"):
            self.name()
        if self.accept("FOREIGN"):
            self.expect("KEY")
            cols = self.names_list()
            self._references()
            return None, "foreign", cols
        if self.accept("CHECK"):
            self.expect("(")
            cond = self.condition()
            self.expect(")")
            return None, "check", cond
        kind = self.choice("PRIMARY", "UNIQUE")
        if kind == "PRIMARY":
            self.expect("KEY")
        if self.at_any("CLUSTERED", "NONCLUSTERED"):
            self.next()
        return None, kind.lower(), self._key_columns()

    def _references(self):
        self.expect("REFERENCES")
        self.dotted()
        if self.at("("):
            self.names_list()

    def _key_columns(self):
        self.expect("(")
        cols = []
        while True:
            cols.append(self.name())
            if not self.accept("ASC"):
                self.accept("DESC")
            if not self.accept(","):
                break
        self.expect(")")
        return cols

    def _column_definition(self):
        name = self.name()
        typ = self.data_type()
        o = {"nullable": True, "identity": None, "default": None, "key": None, "check": None}
        while True:
            if self.accept("NOT"):
                self.expect("NULL")
                o["nullable"] = False
            elif self.accept("NULL"):
                o["nullable"] = True
            elif self.accept("IDENTITY"):
                o["identity"], o["nullable"] = (1, 1), False
                if self.accept("("):
                    seed = self.integer()
                    self.expect(",")
                    o["identity"] = (seed, self.integer())
                    self.expect(")")
            elif self.accept("CONSTRAINT"):
                self.name()
            elif self.accept("DEFAULT"):
                o["default"] = self.expr()
            elif self.accept("COLLATE"):
                self.name()
            elif self.at_any("PRIMARY", "UNIQUE"):
                o["key"] = self.next().word.lower()
                if o["key"] == "primary":
                    self.expect("KEY")
                    o["nullable"] = False
                if self.at_any("CLUSTERED", "NONCLUSTERED"):
                    self.next()
            elif self.at("REFERENCES"):
                self._references()
            elif self.accept("CHECK"):
                self.expect("(")
                o["check"] = self.condition()
                self.expect(")")
            else:
                return name, typ, o

    def _alter_table(self, t):
        parts = self.dotted()
        if self.accept("ADD"):
            if self.at_any("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK"):
                return self.stmt("alter_table", t, parts=parts, action="constraint",
                                 value=self._table_constraint())
            cols = [self._column_definition()]
            while self.accept(","):
                cols.append(self._column_definition())
            return self.stmt("alter_table", t, parts=parts, action="add", value=cols)
        if self.accept("DROP"):
            self.expect("COLUMN")
            return self.stmt("alter_table", t, parts=parts, action="drop", value=self._name_list())
        if self.accept("ALTER"):
            self.expect("COLUMN")
            return self.stmt("alter_table", t, parts=parts, action="alter",
                             value=self._column_definition())
        enable = self.choice("ENABLE", "DISABLE") == "ENABLE"
        self.expect("TRIGGER")
        name = "ALL" if self.accept("ALL") else self.name()
        return self.stmt("enable_trigger", t, names=[(None, None, name)], scope=parts, enable=enable)

    def _create_index(self, t):
        unique = self.accept("UNIQUE")
        if self.at_any("CLUSTERED", "NONCLUSTERED"):
            self.next()
        self.expect("INDEX")
        name = self.name()
        self.expect("ON")
        parts = self.dotted()
        return self.stmt("create_index", t, name=name, parts=parts, unique=unique,
                         columns=self._key_columns())

    # ---- modules -------------------------------------------------------------------------------

    def _module(self, t, how, what, parts, **fields):
        kind = "create_" + what
        return self.stmt(kind, t, how=how, parts=parts, definition=self.text[t.start:].rstrip(),
                         **fields)

    def _with_options(self):
        """WITH EXECUTE AS ..., SCHEMABINDING, ENCRYPTION, RECOMPILE: what EXECUTE AS said."""
        as_ = None
        if self.accept("WITH"):
            while True:
                if self.at_any("EXECUTE", "EXEC"):
                    self.next()
                    self.expect("AS")
                    as_ = ("USER", self.string()) if self.tok.kind in ("str", "nstr") else \
                        (self.choice("CALLER", "OWNER", "SELF"), None)
                else:
                    self.choice("SCHEMABINDING", "RECOMPILE", "ENCRYPTION", "VIEW_METADATA")
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
        return out

    def _module_procedure(self, t, how):
        parts = self.dotted(2)
        self.declared = set()
        bracket = self.accept("(")
        params = self._parameters()
        if bracket:
            self.expect(")")
        as_ = self._with_options()
        self.expect("AS")
        return self._module(t, how, "procedure", parts, params=params, execute_as=as_,
                            body=self._body())

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

    def _create_credential(self, t):
        name = self.name()
        self.expect("WITH", "IDENTITY", "=")
        identity = self.string()
        if self.accept(","):
            self.expect("SECRET", "=")
            self.string()
        return self.stmt("create_credential", t, name=name, identity=identity)

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

    STARTERS = {w: w.lower() + "_statement" for w in (
        "SELECT INSERT UPDATE DELETE TRUNCATE BEGIN IF WHILE BREAK CONTINUE RETURN PRINT DECLARE SET USE "
        "COMMIT ROLLBACK SAVE RAISERROR THROW WAITFOR KILL RECONFIGURE REVERT EXEC EXECUTE GRANT DENY "
        "REVOKE CREATE ALTER DROP BACKUP RESTORE ADD").split()}
    STARTERS["EXECUTE"] = "exec_statement"
    STARTERS["("] = "select_statement"


def parse_batch(text, declared=()):
    """The statements of a batch; raises the first syntax error, before anything has run."""
    return Parser(text, declared).batch()


