"""CREATE, ALTER, and DROP of databases and their objects; the complete Parser."""
from .nodes import Batch
from .parse_tables import TableParser
from .settings import DATABASE_OPTIONS

SIMPLE_DROPS = {"SCHEMA": "schema", "USER": "user", "ROLE": "role", "LOGIN": "login",
                "CERTIFICATE": "certificate", "ASSEMBLY": "assembly", "CREDENTIAL": "credential",
                "ENDPOINT": "endpoint"}
OBJECT_DROPS = ("QUEUE", "TABLE", "VIEW", "PROCEDURE", "PROC", "FUNCTION", "SEQUENCE", "SYNONYM", "TYPE")


class Parser(TableParser):
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
        if self.accept("QUEUE"):
            return self.alter_queue(t)
        if self.accept("ENDPOINT"):
            return self._endpoint(t, "alter_endpoint")
        if self.accept("CREDENTIAL"):
            return self._credential(t, "alter_credential")
        if self.accept("INDEX"):
            return self.alter_index(t)
        if self.accept("SECURITY", "POLICY"):
            return self.alter_policy(t)
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
                 ("CREDENTIAL", lambda t: self._credential(t, "create_credential")),
                 ("ENDPOINT", lambda t: self._endpoint(t, "create_endpoint")))
        for word, method in table:
            if self.at(word):
                self.next()
                return method(t)
        if self.accept("SERVER", "ROLE"):
            return self.create_role(t, True)
        if self.accept("QUEUE"):
            return self.create_queue(t)
        if self.accept("SECURITY", "POLICY"):
            return self.create_policy(t)
        if self.accept("APPLICATION", "ROLE"):
            return self.create_application_role(t)
        owned = self.at_owned()
        if owned:
            return self.create_owned(t, owned)
        if self.at_any("SYMMETRIC", "ASYMMETRIC") and self.ahead().word == "KEY":
            return self._create_key(t)
        if self.accept("EVENT", "NOTIFICATION"):
            return self._create_notification(t)
        if self.at_any("UNIQUE", "CLUSTERED", "NONCLUSTERED", "INDEX"):
            return self._create_index(t)
        return self.fail()

    def drop_statement(self):
        t = self.next()
        if self.at("SIGNATURE") or self.at("COUNTER", "SIGNATURE"):
            return self.add_signature(t, "FROM")
        if self.accept("SERVER", "ROLE"):
            return self.drop_security(t, "server_role")
        if self.accept("APPLICATION", "ROLE"):
            return self.drop_security(t, "application_role")
        if self.at_any("SYMMETRIC", "ASYMMETRIC") and self.ahead().word == "KEY":
            kind = self.next().word.lower()
            self.next()
            return self.drop_security(t, kind + "_key")
        if self.accept("SECURITY", "POLICY"):
            exists = self.accept("IF", "EXISTS")
            return self.stmt("drop_object", t, names=[self.dotted()], if_exists=exists, what="SECURITY POLICY")
        if self.accept("EVENT", "NOTIFICATION"):
            name = self.name()
            self.expect("ON")
            return self.stmt("drop_notification", t, name=name,
                             scope=self.choice("SERVER", "DATABASE"))
        owned = self.at_owned()
        if owned:
            return self.drop_owned(t, owned)
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
        if self.accept("ON"):
            return self._create_snapshot(t, name)
        collation = self.name() if self.accept("COLLATE") else None
        return self.stmt("create_database", t, name=name, contained=contained, collation=collation)

    def _create_snapshot(self, t, name):
        """ON (NAME = x, FILENAME = 'y') AS SNAPSHOT OF z."""
        self.expect("(", "NAME", "=")
        self.name()
        self.expect(",", "FILENAME", "=")
        self.string()
        self.expect(")", "AS", "SNAPSHOT", "OF")
        return self.stmt("create_snapshot", t, name=name, source=self.name())

    def _alter_database(self, t):
        name = None if self.accept("CURRENT") else self.name()
        if self.accept("MODIFY"):
            self.expect("NAME", "=")
            return self.stmt("alter_database", t, name=name, action="NAME", value=self.name())
        if self.accept("COLLATE"):
            return self.stmt("alter_database", t, name=name, action="COLLATE", value=self.name())
        self.expect("SET")
        if self.accept("CONTAINMENT"):
            self.expect("=")
            return self.stmt("alter_database", t, name=name, action="CONTAINMENT",
                             value=self.choice("NONE", "PARTIAL") == "PARTIAL")
        word = self.choice("ONLINE", "OFFLINE", "TRUSTWORTHY", "DB_CHAINING", "READ_ONLY", "READ_WRITE",
                           "SINGLE_USER", "MULTI_USER", "RESTRICTED_USER", "RECOVERY", "EMERGENCY",
                           "AUTO_CLOSE", *DATABASE_OPTIONS)
        value = True
        if word in ("TRUSTWORTHY", "DB_CHAINING", "AUTO_CLOSE") + DATABASE_OPTIONS:
            value = self.on_off()
        elif word == "RECOVERY":
            value = self.choice("SIMPLE", "FULL", "BULK_LOGGED")
        termination = ""
        if self.accept("WITH"):
            termination = "NO_WAIT" if self.accept("NO_WAIT") else "ROLLBACK"
            if termination == "ROLLBACK":
                self.expect("ROLLBACK", "IMMEDIATE")
        return self.stmt("alter_database", t, name=name, action=word, value=value, termination=termination)

    def _create_schema(self, t):
        name = None if self.at("AUTHORIZATION") else self.name()
        owner = self.principal() if self.accept("AUTHORIZATION") else None
        return self.stmt("create_schema", t, name=name or owner, owner=owner)

    STARTERS = {w: w.lower() + "_statement" for w in (
        "SELECT INSERT UPDATE DELETE TRUNCATE BEGIN IF WHILE BREAK CONTINUE RETURN PRINT DECLARE SET USE "
        "COMMIT ROLLBACK SAVE RAISERROR THROW WAITFOR KILL RECONFIGURE REVERT EXEC EXECUTE GRANT DENY "
        "REVOKE CREATE ALTER DROP BACKUP RESTORE ADD DBCC").split()}
    STARTERS["EXECUTE"] = "exec_statement"
    STARTERS["("] = "select_statement"


def parse_batch(text, declared=(), quoted=True, unknown=()):
    """The statements of a batch; raises the first syntax error, before anything has run, so that no CATCH of it gets it
    (TRY...CATCH (Transact-SQL): "Compile errors, such as syntax errors, that prevent a batch from running"); that of an
    EXEC inside of it does."""
    return Batch(Parser(text, declared, quoted, unknown).batch())


