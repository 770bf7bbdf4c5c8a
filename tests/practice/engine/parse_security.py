"""Logins, users, roles, permissions, ownership."""
from .owned import IN_SCHEMA, KINDS
from .parse_flow import FlowParser

CLASSES = {"OBJECT": "OBJECT", "SCHEMA": "SCHEMA", "DATABASE": "DATABASE", "USER": "USER",
           "ROLE": "ROLE", "LOGIN": "LOGIN", "TYPE": "TYPE", "ASSEMBLY": "ASSEMBLY",
           "CERTIFICATE": "CERTIFICATE", "ENDPOINT": "ENDPOINT"}
LONG_CLASSES = ((("SERVER", "ROLE"), "SERVER ROLE"), (("APPLICATION", "ROLE"), "APPLICATION ROLE"),
                (("SYMMETRIC", "KEY"), "SYMMETRIC KEY"), (("ASYMMETRIC", "KEY"), "ASYMMETRIC KEY"),
                (("AVAILABILITY", "GROUP"), "AVAILABILITY GROUP"),
                *((tuple(cls.split()), cls) for cls in KINDS))


class SecurityParser(FlowParser):
    def _options(self, known):
        """NAME = value pairs after WITH; `known` maps a word to the method that reads its value."""
        out = {}
        while True:
            t = self.tok
            word = t.word
            if word not in known:
                self.fail()
            self.next()
            if word in out:
                self.fail(t)
            self.expect("=")
            out[word] = known[word]()
            if not self.accept(","):
                return out

    def _password(self):
        t = self.tok
        hashed = t.kind == "bin"
        value = self.next().value if hashed else self.string()
        out = {"value": value, "hashed": False, "must_change": False, "unlock": False}
        while self.at_any("HASHED", "MUST_CHANGE", "UNLOCK"):
            out[self.next().word.lower()] = True
        if hashed and not out["hashed"]:
            self.fail(t)
        return out

    def _login_options(self):
        return {"PASSWORD": self._password, "SID": self._binary, "DEFAULT_DATABASE": self.name,
                "DEFAULT_LANGUAGE": self.name, "CHECK_POLICY": self.on_off,
                "CHECK_EXPIRATION": self.on_off}

    def _binary(self):
        if self.tok.kind != "bin":
            self.fail()
        return self.next().value

    def create_login(self, t):
        name = self.name()
        self.expect("WITH")
        if not self.at("PASSWORD"):
            self.fail()
        return self.stmt("create_login", t, name=name, options=self._options(self._login_options()))

    def alter_login(self, t):
        name = self.name()
        if self.at_any("ENABLE", "DISABLE"):
            return self.stmt("alter_login", t, name=name, enable=self.next().word == "ENABLE",
                             options={})
        self.expect("WITH")
        known = dict(self._login_options(), NAME=self.name, OLD_PASSWORD=self.string)
        del known["SID"]
        opts = {}
        while True:
            opts.update(self._options(known))
            # OLD_PASSWORD follows the password without a comma.
            if not self.at("OLD_PASSWORD"):
                break
        return self.stmt("alter_login", t, name=name, enable=None, options=opts)

    def create_user(self, t):
        name = self.name()
        source, login = "login", name
        if self.accept("WITHOUT"):
            self.expect("LOGIN")
            source = "without"
        elif self.accept("FOR") or self.accept("FROM"):
            kind = self.tok.word
            if kind in ("CERTIFICATE", "ASYMMETRIC"):
                self.next()
                if kind == "ASYMMETRIC":
                    self.expect("KEY")
                source, login = kind.lower(), self.name()
            else:
                self.expect("LOGIN")
                login = self.name()
        opts = {}
        if self.accept("WITH"):
            opts = self._options({"DEFAULT_SCHEMA": self.name, "PASSWORD": self._password,
                                  "SID": self._binary, "DEFAULT_LANGUAGE": self.name})
        if "PASSWORD" in opts:
            source = "password"
        return self.stmt("create_user", t, name=name, source=source, login=login, options=opts)

    def alter_user(self, t):
        name = self.name()
        self.expect("WITH")
        opts = self._options({"NAME": self.name, "DEFAULT_SCHEMA": self._nullable_name,
                              "LOGIN": self.name, "PASSWORD": self._password})
        return self.stmt("alter_user", t, name=name, options=opts)

    def _nullable_name(self):
        return None if self.accept("NULL") else self.name()

    def create_role(self, t, server=False):
        name = self.name()
        owner = self.principal() if self.accept("AUTHORIZATION") else None
        return self.stmt("create_server_role" if server else "create_role", t, name=name, owner=owner)

    def alter_role(self, t, server=False):
        kind = "alter_server_role" if server else "alter_role"
        name = self.principal()
        if self.accept("WITH"):
            self.expect("NAME", "=")
            return self.stmt(kind, t, name=name, action="rename", member=self.name())
        action = self.choice("ADD", "DROP").lower()
        self.expect("MEMBER")
        return self.stmt(kind, t, name=name, action=action, member=self.principal())

    def create_application_role(self, t):
        name = self.name()
        self.expect("WITH")
        opts = self._options({"PASSWORD": self._password, "DEFAULT_SCHEMA": self.name})
        if "PASSWORD" not in opts:
            self.fail()
        return self.stmt("create_application_role", t, name=name, options=opts)

    # ---- GRANT, DENY, REVOKE -------------------------------------------------------------------

    def grant_statement(self):
        t = self.next()
        perms, target = self._permissions("TO")
        grantees = self._grantees()
        option = self.accept("WITH", "GRANT", "OPTION")
        return self.stmt("grant", t, permissions=perms, target=target, grantees=grantees,
                         option=option, grantor=self._as())

    def deny_statement(self):
        t = self.next()
        self.known("DENY", t)
        perms, target = self._permissions("TO")
        grantees = self._grantees()
        cascade = self.accept("CASCADE")
        return self.stmt("deny", t, permissions=perms, target=target, grantees=grantees,
                         cascade=cascade, grantor=self._as())

    def revoke_statement(self):
        t = self.next()
        option = self.accept("GRANT", "OPTION", "FOR")
        perms, target = self._permissions("TO", "FROM")
        grantees = self._grantees()
        cascade = self.accept("CASCADE")
        return self.stmt("revoke", t, permissions=perms, target=target, grantees=grantees,
                         cascade=cascade, option=option, grantor=self._as())

    def _as(self):
        return self.principal() if self.accept("AS") else None

    def _grantees(self):
        out = [self.principal()]
        while self.accept(","):
            out.append(self.principal())
        return out

    def _permissions(self, *ends):
        """[(permission, [columns])], and the securable or None; stands behind TO or FROM."""
        perms = []
        while True:
            words, line = [], self.tok.line
            while self.tok.kind == "id" and not self.at_any("ON", *ends):
                words.append(self.next().word)
            if not words:
                self.fail()
            cols = self.names_list() if self.at("(") else []
            if words[0] == "EXEC":
                words[0] = "EXECUTE"
            if words == ["ALL", "PRIVILEGES"]:
                words = ["ALL"]
            perms.append((" ".join(words), cols, line))
            if not self.accept(","):
                break
        target = None
        if self.accept("ON"):
            target = self.securable()
            if self.at("("):
                cols = self.names_list()
                perms = [(p, c or cols, line) for p, c, line in perms]
        if not self.at_any(*ends):
            self.fail()
        self.next()
        return perms, target

    def securable(self):
        """(class, name parts) of CLASS::name, or of an object's name alone."""
        for words, cls in LONG_CLASSES:
            if self.at(*words, "::"):
                self.i += len(words) + 1
                return cls, self.dotted() if cls in IN_SCHEMA else (None, None, self.principal())
        if self.ahead().text == "::":
            word = self.tok.word
            if word not in CLASSES:
                self.fail()
            self.i += 2
            if word in IN_SCHEMA:
                return word, self.dotted()
            return word, (None, None, self.principal())
        return "OBJECT", self.dotted()

    def alter_authorization(self, t):
        self.expect("ON")
        cls, parts = self.securable()
        self.expect("TO")
        if self.accept("SCHEMA"):
            self.expect("OWNER")
            owner = None
        else:
            owner = self.principal()
        return self.stmt("alter_authorization", t, cls=cls, parts=parts, owner=owner)

    def drop_security(self, t, kind):
        exists = False
        if kind != "login" and self.accept("IF", "EXISTS"):
            exists = True
        return self.stmt("drop_" + kind, t, name=self.principal(), if_exists=exists)

    def add_signature(self, t, way="TO"):
        """ADD SIGNATURE TO module BY CERTIFICATE name [WITH PASSWORD = '..']; DROP SIGNATURE FROM .. BY .."""
        self.accept("COUNTER")
        self.expect("SIGNATURE", way)
        if self.at("OBJECT", "::"):
            self.i += 2
        parts = self.dotted()
        self.expect("BY")
        kind = self.choice("CERTIFICATE", "ASYMMETRIC")
        if kind == "ASYMMETRIC":
            self.expect("KEY")
        cert = self.name()
        if way == "TO" and self.accept("WITH"):
            self.expect("PASSWORD", "=")
            self.string()
        return self.stmt("add_signature" if way == "TO" else "drop_signature", t, parts=parts, cls=kind, cert=cert)
