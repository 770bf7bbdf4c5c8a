"""The token cursor of all parser parts, with the product's syntax errors."""
from .errors import error
from .events import SqlError
from .lexer import tokens_from
from .nodes import Stmt
from .sqltypes import type_named
from .utf16 import units

RESERVED = frozenset("""ADD ALL ALTER AND ANY AS ASC AUTHORIZATION BACKUP BEGIN BETWEEN BREAK BROWSE BULK
BY CASCADE CASE CHECK CHECKPOINT CLOSE CLUSTERED COALESCE COLLATE COLUMN COMMIT COMPUTE CONSTRAINT
CONTAINS CONTAINSTABLE CONTINUE CONVERT CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME
CURRENT_TIMESTAMP CURRENT_USER CURSOR DATABASE DBCC DEALLOCATE DECLARE DEFAULT DELETE DENY DESC DISK
DISTINCT DISTRIBUTED DOUBLE DROP DUMP ELSE END ERRLVL ESCAPE EXCEPT EXEC EXECUTE EXISTS EXIT EXTERNAL
FETCH FILE FILLFACTOR FOR FOREIGN FREETEXT FREETEXTTABLE FROM FULL FUNCTION GOTO GRANT GROUP HAVING
HOLDLOCK IDENTITY IDENTITY_INSERT IDENTITYCOL IF IN INDEX INNER INSERT INTERSECT INTO IS JOIN KEY KILL
LEFT LIKE LINENO LOAD MERGE NATIONAL NOCHECK NONCLUSTERED NOT NULL NULLIF OF OFF OFFSETS ON OPEN
OPENDATASOURCE OPENQUERY OPENROWSET OPENXML OPTION OR ORDER OUTER OVER PERCENT PIVOT PLAN PRECISION
PRIMARY PRINT PROC PROCEDURE PUBLIC RAISERROR READ READTEXT RECONFIGURE REFERENCES REPLICATION RESTORE
RESTRICT RETURN REVERT REVOKE RIGHT ROLLBACK ROWCOUNT ROWGUIDCOL RULE SAVE SCHEMA SECURITYAUDIT SELECT
SEMANTICKEYPHRASETABLE SESSION_USER SET SETUSER SHUTDOWN SOME STATISTICS SYSTEM_USER TABLE TABLESAMPLE
TEXTSIZE THEN TO TOP TRAN TRANSACTION TRIGGER TRUNCATE TRY_CONVERT TSEQUAL UNION UNIQUE UNPIVOT UPDATE
UPDATETEXT USE USER VALUES VARYING VIEW WAITFOR WHEN WHERE WHILE WITH WITHIN WRITETEXT""".split())
NILADIC = {"CURRENT_USER", "SESSION_USER", "SYSTEM_USER", "USER", "CURRENT_TIMESTAMP"}
MAX_DEPTH = 120      # nested parentheses and blocks; Python's own stack bounds the recursion


class ParserBase:
    def __init__(self, text, declared=(), quoted=True, unknown=()):
        self.text = text
        self.unknown = unknown          # statements that this server has no syntax for
        self.tokens = tokens_from(text, quoted)
        self.i = 0
        self.depth = 0
        self.marks = set()              # options after WITH of the module that is being read
        self.declared = {d.lower() for d in declared}

    @property
    def tok(self):
        return self.tokens[self.i]

    def ahead(self, n=1):
        return self.tokens[min(self.i + n, len(self.tokens) - 1)]

    def next(self):
        t = self.tokens[self.i]
        if t.kind != "eof":
            self.i += 1
        return t

    def fail(self, tok=None):
        tok = tok or self.tok
        if tok.kind == "eof":
            tok = self.tokens[self.i - 1] if self.i else tok
        if tok.word in RESERVED:
            raise SqlError(156, f"Incorrect syntax near the keyword '{tok.text}'.", 15, line=tok.line)
        raise SqlError(102, f"Incorrect syntax near '{tok.text}'.", 15, line=tok.line)

    def known(self, statement, tok):
        if statement in self.unknown:
            raise error(102, near=tok.text, line=tok.line)

    def at(self, *words):
        """True when the coming tokens are these words or operators, in this order."""
        for n, w in enumerate(words):
            t = self.ahead(n) if n else self.tok
            if not (t.word == w or (t.kind == "op" and t.text == w)):
                return False
        return True

    def at_any(self, *words):
        return self.tok.word in words or (self.tok.kind == "op" and self.tok.text in words)

    def accept(self, *words):
        if self.at(*words):
            self.i += len(words)
            return True
        return False

    def expect(self, *words):
        for w in words:
            if not self.at(w):
                self.fail()
            self.i += 1

    def choice(self, *words):
        """The word that comes, when it is one of `words`; else a syntax error."""
        if self.tok.word in words:
            return self.next().word
        return self.fail()

    def deeper(self):
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SqlError(191, "Some part of your SQL statement is nested too deeply. Rewrite the "
                                "query or break it up into smaller queries.", 15, line=self.tok.line)

    # ---- names and small things ----------------------------------------------------------------

    def is_name(self, tok=None):
        tok = tok or self.tok
        return tok.kind == "qid" or (tok.kind == "id" and tok.word not in RESERVED)

    def name(self):
        if not self.is_name():
            self.fail()
        t = self.next()
        if units(t.value) > 128:
            raise SqlError(103, f"The identifier that starts with '{t.value[:128]}' is too long. "
                                "Maximum length is 128.", 15, 4, line=t.line)
        return t.value

    def principal(self):
        """A principal's name: `public` is a keyword but a role as well."""
        if self.tok.word == "PUBLIC":
            return self.next().value
        return self.name()

    def dotted(self, limit=3):
        """A name of one to `limit` parts, padded with None at the front; `db..t` leaves None."""
        parts = [self.name()]
        while self.at("."):
            self.next()
            parts.append(None if self.at(".") else self.name())
            if len(parts) > 4:
                self.fail()
        if len(parts) == 4:
            raise SqlError(7202, f"Could not find server '{parts[0]}' in sys.servers. Verify that the "
                                 "correct server name was specified. If necessary, execute the "
                                 "stored procedure sp_addlinkedserver to add the server to "
                                 "sys.servers.", 11, 2, line=self.tok.line)
        if len(parts) > limit:
            self.fail()
        return tuple([None] * (limit - len(parts)) + parts)

    def string(self):
        if self.tok.kind not in ("str", "nstr"):
            self.fail()
        return self.next().value

    def integer(self):
        negative = self.accept("-")
        if self.tok.kind != "int":
            self.fail()
        return -self.next().value if negative else self.next().value

    def variable(self):
        t = self.tok
        if t.kind != "var" or t.text.startswith("@@"):
            self.fail()
        self.next()
        if t.text.lower() not in self.declared:
            raise SqlError(137, f'Must declare the scalar variable "{t.text}".', 15, line=t.line)
        return t.text.lower()

    def on_off(self):
        return self.choice("ON", "OFF") == "ON"

    def data_type(self):
        """A built-in type, or ('user', parts) for a name with a schema or one that is not built in."""
        line = self.tok.line
        if self.tok.word == "NATIONAL":
            self.fail()
        parts = [self.name()]
        while self.accept("."):
            parts.append(self.name())
        args = []
        if self.accept("("):
            while True:
                args.append(-1 if self.accept("MAX") else self.integer())
                if not self.accept(","):
                    break
            self.expect(")")
        if len(parts) > 1 and parts[0].lower() != "sys":
            return ("user", tuple(parts))
        try:
            return type_named(parts[-1], args, line)
        except SqlError as e:
            if e.number != 2715 or args:
                raise
            return ("user", (None, parts[-1]))

    def stmt(self, kind, tok, **fields):
        return Stmt(kind=kind, line=tok.line, **fields)

    def names_list(self):
        self.expect("(")
        out = [self.name()]
        while self.accept(","):
            out.append(self.name())
        self.expect(")")
        return out
