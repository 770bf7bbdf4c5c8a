"""GRANT, DENY and REVOKE on every class of securable."""
from .errors import error
from .events import SqlError
from .owned import IN_SCHEMA, REGISTER
from .permissions import STORED_AS, securable_class
from .permtable import BUILTIN

# The permissions of ALL, by class; for other classes ALL is an error.
ALL = {"U": ("SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES"),
       "V": ("SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES"), "P": ("EXECUTE",),
       "FN": ("EXECUTE", "REFERENCES"), "IF": ("SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES")}
FITTING = {"EXECUTE": ("P", "FN", "SN", "X"), "SELECT": ("U", "V", "IF", "SN"),
           "INSERT": ("U", "V", "IF", "SN"), "UPDATE": ("U", "V", "IF", "SN", "SO"),
           "DELETE": ("U", "V", "IF", "SN")}
SERVER_CLASSES = ("SERVER", "LOGIN", "SERVER ROLE", "ENDPOINT")


def _owner_of(scope, cls, rec):
    """Who owns the securable; a user is its own."""
    if cls == "USER":
        return rec.id
    return scope.owner_of(rec) if cls in IN_SCHEMA else getattr(rec, "owner", None)


class GrantExecutor:
    def find_securable(self, env, cls, parts):
        """(class, id, record) of a securable; 15151 when there is none."""
        db, cat = env.db, self.engine.catalogue
        name = parts[2]
        if cls == "OBJECT":
            found = self.engine.resolver.object(env, db, parts)
            # A synonym is a securable itself; its target is not affected.
            s = self.engine.resolver.schema(env, db, parts[1])
            own = s and db.objects.find_in(s.id, name)
            obj = own if own and own.type == "SN" else found[0] if found else None
            if obj is None or (found and found[1] is not db and obj is found[0]) or \
                    not self.engine.security.sees_object(env.ctx, db, obj):
                raise error(15151, verb="find", what="object", name=name)
            return cls, obj.id, obj
        if cls == "DATABASE":
            if db.name.casefold() != name.casefold():
                raise error(15151, verb="find", what="database", name=name)
            return cls, 0, None
        if cls in ("LOGIN", "SERVER ROLE"):
            p = cat.principals.find(name)
            if p is None or (p.type == "R") != (cls == "SERVER ROLE"):
                raise error(15151, verb="find", what=cls.lower(), name=name)
            return cls, p.id, p
        if cls in ("USER", "ROLE", "APPLICATION ROLE"):
            p = db.principals.find(name)
            if p is None or securable_class(p) != cls:
                raise error(15151, verb="find", what=cls.lower(), name=name)
            return cls, p.id, p
        if cls == "ENDPOINT":
            rec = cat.endpoints.find(name)
        elif cls in IN_SCHEMA:
            s = self.engine.resolver.schema(env, db, parts[1])
            rec = s and getattr(db, IN_SCHEMA[cls]).find_in(s.id, name)
        else:
            rec = (db.schemas if cls == "SCHEMA" else getattr(db, REGISTER[cls])).find(name)
        if rec is None:
            raise error(15151, verb="find", what=cls.lower(), name=name)
        return cls, rec.id, rec

    def _addressed(self, env, s):
        """(scope, class, id, record) of the statement; without ON the permission's name decides."""
        db = env.db
        if s.target is not None:
            cls, id_, rec = self.find_securable(env, *s.target)
        else:
            cls, id_, rec = "DATABASE", 0, None
            first = s.permissions[0][0]
            if ("SERVER", first) in BUILTIN and ("DATABASE", first) not in BUILTIN:
                cls = "SERVER"
        if cls in SERVER_CLASSES:
            if db.id != 1:
                raise error(4621)
            return self.engine.catalogue, cls, id_, rec
        return db, cls, id_, rec

    def _expand(self, s, cls, rec):
        """[(permission, columns)], each known to the class and fitting the object."""
        out = []
        for perm, cols, line in s.permissions:
            names = [perm]
            if perm == "ALL":
                if cls == "OBJECT":
                    names = ALL.get(rec.type, ())
                elif cls == "DATABASE":
                    names = [p for p in ("BACKUP DATABASE", "BACKUP LOG", "CREATE FUNCTION",
                                         "CREATE PROCEDURE", "CREATE TABLE", "CREATE VIEW")]
                else:
                    raise error(102, near="ALL", line=line)
            for p in names:
                if not any(known == p for _, known in BUILTIN):
                    raise error(102, near=p.split(" ")[0].lower() if " " not in p else p, line=line)
                if (cls, p) not in BUILTIN:
                    raise SqlError(4630, f"The permission '{p}' is not supported in this version of SQL "
                                         "Server. Alternatively, use the server level permission.", 16) \
                        if cls == "SERVER" else SqlError(
                            102, f"Incorrect syntax near '{p}'.", 15, line=line)
                if cls == "OBJECT" and p in FITTING and rec.type not in FITTING[p]:
                    raise SqlError(4606, f"Granted or revoked privilege {p} is not compatible with "
                                         "object.", 16)
                if cols and p not in ("SELECT", "UPDATE", "REFERENCES"):
                    raise SqlError(1020, "Sub-entity lists (such as column or security expressions) "
                                         "cannot be specified for entity-level permissions.", 15)
                out.append((p, cols))
        return out

    def _grantee(self, env, s, scope, cls, rec, name):
        """None, and a message, for who needs nothing: nothing is done then, and no TRY hears of it."""
        server = cls in SERVER_CLASSES
        p = scope.principals.find(name)
        if p is None:
            what = "login" if server else "user"
            raise error(15151, verb="find", what=what, name=name)
        if server:
            if p.id == 1 or p is env.ctx.login:
                return self._nothing_done(env, s)
            if p.type == "R" and p.fixed:
                raise error(4617)
            return p
        me = self.engine.security.user_in(env.ctx, scope)
        owner = _owner_of(scope, cls, rec)
        if p.id in (1, 3, 4) or p.id == owner or (p.id == me and p.id != 0):
            return self._nothing_done(env, s)
        if p.fixed:
            raise error(4617)
        return p

    def _nothing_done(self, env, s):
        told = error(4624)
        self.message(told.text, env, s, told.number, told.severity)

    def _grantor(self, env, scope, cls, id_, rec, perm, named):
        """As whom it is granted; 15151 or 4613 when one may not."""
        security, server = self.engine.security, cls in SERVER_CLASSES
        db = None if server else scope
        token = security.server_token(env.ctx) if server else security.token(env.ctx, scope)
        owner = _owner_of(scope, cls, rec) or 1
        control = security.has(env.ctx, db, cls, id_, "CONTROL SERVER" if cls == "SERVER" else "CONTROL")
        if not control and server:
            control = security.has_server(env.ctx, "CONTROL SERVER") or \
                (4 in token and cls in ("SERVER", "LOGIN"))
            # https://learn.microsoft.com/sql/t-sql/statements/deny-server-principal-permissions-transact-sql
            of_all = {"LOGIN": "ALTER ANY LOGIN", "SERVER ROLE": "ALTER ANY SERVER ROLE"}.get(cls)
            control = control or (of_all is not None and security.has_server(env.ctx, of_all))
        if not control and not server and 16386 in token:
            control = True              # db_securityadmin manages permissions
        if named is not None:
            g = scope.principals.find(named)
            if g is None or not (control or g.id in token):
                raise error(15151, verb="find", what="principal", name=named)
            if not self._may_grant(scope, g, cls, id_, perm, owner):
                raise error(4613)
            return g.id
        if control:
            return owner
        for g in token:
            for (grantee, p, _), state in scope.permissions.get(
                    (STORED_AS.get(cls, cls), id_, 0), {}).items():
                if grantee == g and p == perm and state == "W":
                    return g
        if security.has(env.ctx, db, cls, id_, perm):
            raise error(4613)
        raise error(15151, verb="find", what=cls.lower(), name=rec.name if rec else
                    getattr(scope, "name", ""))

    @staticmethod
    def _may_grant(scope, g, cls, id_, perm, owner):
        if g.id in (1, owner):
            return True
        entries = scope.permissions.get((STORED_AS.get(cls, cls), id_, 0), {})
        return any(grantee == g.id and p in (perm, "CONTROL") and state == "W"
                   for (grantee, p, _), state in entries.items())

    def _places(self, env, scope, cls, id_, rec, cols):
        """The dictionaries of entries that a permission on these columns is kept in."""
        stored = STORED_AS.get(cls, cls)
        if not cols:
            return [(scope.entry(stored, id_, 0), 0)]
        out = []
        for name in cols:
            c = scope.column(rec, name) if cls == "OBJECT" and hasattr(rec, "columns") else None
            if c is None:
                raise error(207, name=name)
            out.append((scope.entry(stored, id_, c.id), c.id))
        return out

    def _each(self, env, s):
        scope, cls, id_, rec = self._addressed(env, s)
        for perm, cols in self._expand(s, cls, rec):
            grantor = self._grantor(env, scope, cls, id_, rec, perm, s.grantor)
            places = self._places(env, scope, cls, id_, rec, cols)
            for name in s.grantees:
                p = self._grantee(env, s, scope, cls, rec, name)
                if p is None:
                    continue
                for entries, minor in places:
                    yield scope, (STORED_AS.get(cls, cls), id_), perm, grantor, p, entries, minor

    def _event(self, env, s, verb):
        scope = self._addressed(env, s)[0]
        self.ddl_event(env, s, f"{verb}_{'DATABASE' if scope is env.db else 'SERVER'}", "")

    def do_grant(self, env, s):
        for _, _, perm, grantor, p, entries, _ in list(self._each(env, s)):
            key = (p.id, perm, grantor)
            # A GRANT without the option keeps an earlier WITH GRANT OPTION.
            state = "W" if s.option or entries.get(key) == "W" else "G"
            if entries.get(key) != state:
                entries[key] = state
        self._event(env, s, "GRANT")

    def do_deny(self, env, s):
        for scope, where, perm, grantor, p, entries, minor in list(self._each(env, s)):
            key = (p.id, perm, grantor)
            if entries.get(key) == "W" and not s.cascade:
                raise error(4611)
            if s.cascade:
                self._cascade(entries, p.id, perm, True)
            # A DENY on the object removes grants on its columns.
            if minor == 0:
                for (cls, id_, m), other in list(scope.permissions.items()):
                    if (cls, id_) == where and m and key in other:
                        del other[key]
            entries[key] = "D"
        self._event(env, s, "DENY")

    def do_revoke(self, env, s):
        for scope, where, perm, grantor, p, entries, minor in list(self._each(env, s)):
            places = [entries]
            if minor == 0:
                places += [v for (cls, id_, m), v in scope.permissions.items()
                           if (cls, id_) == where and m]
            key = (p.id, perm, grantor)
            if minor and key not in entries and not s.option:
                self._except_column(scope, where, entries, key)
                continue
            for place in places:
                state = place.get(key)
                if state is None:
                    continue
                if state == "W":
                    if not s.cascade:
                        raise error(4611)
                    for each in places:
                        self._cascade(each, p.id, perm)
                if s.option:
                    place[key] = "G" if state == "W" else state
                else:
                    del place[key]
        self._event(env, s, "REVOKE")

    @staticmethod
    def _except_column(scope, where, entries, key):
        """A column that a grant on its table is taken back for: a row of its own, of state R."""
        cls, id_ = where
        if scope.permissions.get((cls, id_, 0), {}).get(key) in ("G", "W"):
            entries[key] = "R"

    def _cascade(self, entries, grantor, perm, deny=False):
        """Takes back what `grantor` granted and denied, and what those granted in turn."""
        for key in [k for k in entries if k[2] == grantor and k[1] == perm]:
            if key in entries:
                self._cascade(entries, key[0], perm, deny)
                if deny:
                    entries[key] = "D"
                else:
                    del entries[key]
