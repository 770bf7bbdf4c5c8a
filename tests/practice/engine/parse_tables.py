"""Tables: their columns, constraints and indexes."""
from . import nodes as n
from .parse_modules import ModuleParser
from .sqltypes import INT


class TableParser(ModuleParser):
    def _create_table(self, t):
        parts = self.dotted()
        return self.stmt("create_table", t, parts=parts, columns=self.column_definitions())

    def column_definitions(self):
        """[(name, type, options)] of a bracketed list; constraints of the table are Constraint."""
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
        name = self.name() if self.accept("CONSTRAINT") else ""
        if self.accept("FOREIGN"):
            self.expect("KEY")
            cols = self.names_list()
            return n.Constraint("F", name, cols, **self._references())
        if self.at("CHECK"):
            return self._check(name)
        if self.accept("DEFAULT"):
            start = self.tok.start
            value = self.expr()
            text = self._since(start)
            self.expect("FOR")
            return n.Constraint("D", name, (self.name(), value), text)
        return self._key(name, None)

    def _check(self, name):
        self.expect("CHECK")
        start = self.tok.start
        self.expect("(")
        cond = self.condition()
        self.expect(")")
        return n.Constraint("C", name, cond, self._since(start))

    def _since(self, start):
        """The text from a place to the last token, in brackets as the catalogue shows it."""
        text = self.text[start:self.tokens[self.i - 1].end]
        return text if text.startswith("(") else f"({text})"

    def _key(self, name, columns):
        """PRIMARY KEY or UNIQUE; its columns follow where they are not known."""
        kind = self.choice("PRIMARY", "UNIQUE")
        if kind == "PRIMARY":
            self.expect("KEY")
        clustered = True if self.accept("CLUSTERED") else False if self.accept("NONCLUSTERED") else None
        return n.Constraint("PK" if kind == "PRIMARY" else "UQ", name, columns or self._key_columns(),
                            clustered=clustered)

    def _references(self):
        self.expect("REFERENCES")
        parts = self.dotted()
        return {"referenced": parts, "targets": tuple(self.names_list()) if self.at("(") else ()}

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
        o = {"nullable": True, "identity": None, "default": None, "constraints": []}
        if self.accept("AS"):
            self.expect("(")
            e = self.expr()
            self.expect(")")
            return name, INT, dict(o, computed=e)
        typ, label = self.data_type(), ""
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
                label = self.name()
                continue
            elif self.accept("DEFAULT"):
                start = self.tok.start
                o["default"] = self.expr()
                o["constraints"].append(n.Constraint("D", label, (name, o["default"]), self._since(start)))
            elif self.accept("COLLATE"):
                o["collation"] = self.next().value if self.at("DATABASE_DEFAULT") else self.name()
            elif self.at_any("PRIMARY", "UNIQUE"):
                o["constraints"].append(self._key(label, [name]))
                if o["constraints"][-1].kind == "PK":
                    o["nullable"] = False
            elif self.at("REFERENCES"):
                o["constraints"].append(n.Constraint("F", label, [name], **self._references()))
            elif self.at("CHECK"):
                o["constraints"].append(self._check(label))
            else:
                return name, typ, o
            label = ""

    def _alter_table(self, t):
        parts = self.dotted()
        if self.accept("ADD"):
            if self.at_any("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "DEFAULT"):
                return self.stmt("alter_table", t, parts=parts, action="constraint",
                                 value=self._table_constraint())
            cols = [self._column_definition()]
            while self.accept(","):
                cols.append(self._column_definition())
            return self.stmt("alter_table", t, parts=parts, action="add", value=cols)
        if self.at_any("CHECK", "NOCHECK"):
            check = self.next().word == "CHECK"
            self.expect("CONSTRAINT")
            name = None if self.accept("ALL") else self.name()
            return self.stmt("alter_table", t, parts=parts, action="check", value=(check, name))
        if self.accept("DROP"):
            if self.accept("CONSTRAINT"):
                return self.stmt("alter_table", t, parts=parts, action="drop_constraint", value=self._name_list())
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
        clustered = self.accept("CLUSTERED") or (self.accept("NONCLUSTERED") and False)
        self.expect("INDEX")
        name = self.name()
        self.expect("ON")
        parts = self.dotted()
        columns = self._key_columns()
        condition = self.condition() if self.accept("WHERE") else None
        return self.stmt("create_index", t, name=name, parts=parts, unique=unique, columns=columns,
                         clustered=clustered, condition=condition)
