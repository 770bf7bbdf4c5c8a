"""Users, database roles, application roles, and ownership."""
import os

from .catalogue import now_text, password_hash
from .errors import error
from .events import SqlError
from .owned import IN_SCHEMA, REGISTER
from .permissions import STORED_AS, closure
from .views_replicas import GROUP_NAME

SPECIAL_USERS = {"dbo", "guest", "sys", "information_schema", "public"}


class UserExecutor:
    def _free_name(self, db, name):
        if db.principals.find(name):
            raise error(15023, name=name)

    def _principal(self, env, name, verb="find", what="user", types="SACKR"):
        p = env.db.principals.find(name)
        if p is None or p.type not in types:
            raise error(15151, verb=verb, what=what, name=name)
        return p

    def do_create_user(self, env, s):
        db, cat, o = env.db, self.engine.catalogue, s.options
        if not (env.has_db("ALTER ANY USER") or env.has_db("CREATE USER")):
            raise error(15247)
        sid, auth, type_, hash_ = None, 1, "S", None
        if s.source == "login":
            login = cat.principals.find(s.login)
            if login is None or login.type != "S" or \
                    not self.engine.security.sees_server_principal(env.ctx, login):
                raise error(15007, name=s.login)
            if login.id == 1 or login.sid == db.fields.owner_sid:
                raise error(15063)
            if db.user_of_sid(login.sid):
                raise error(15063)
            sid = login.sid
        elif s.source == "without":
            sid, auth = b"\x01\x05\0\0\0\0\0\x09\x03" + os.urandom(19), 0
        elif s.source == "password":
            if not db.fields.contained:
                raise error(33233)
            sid = o.get("SID", b"\x01\x05\0\0\0\0\0\x09\x03" + os.urandom(19))
            auth, hash_ = 2, password_hash(o["PASSWORD"]["value"])
        else:
            register = db.certificates if s.source == "certificate" else db.asymmetric_keys
            rec = register.find(s.login)
            if rec is None:
                raise error(15151, verb="find", what=s.source, name=s.login)
            sid, auth, type_ = rec.sid, 0, "C" if s.source == "certificate" else "K"
        if s.name.casefold() in SPECIAL_USERS:
            raise error(15023, name=s.name)
        self._free_name(db, s.name)
        # The schema need not exist yet.
        schema = o.get("DEFAULT_SCHEMA", "dbo") if type_ == "S" else None
        p = db.principal(db.next_id(db.principals), s.name, type_, sid, None, schema, auth=auth)
        p.hash = hash_
        db.entry("DATABASE", 0)[(p.id, "CONNECT", 1)] = "G"
        self.ddl_event(env, s, "CREATE_USER", s.name)

    def do_alter_user(self, env, s):
        db, cat, o = env.db, self.engine.catalogue, s.options
        p = db.principals.find(s.name)
        own = p is not None and p.id == env.user_id(db) and set(o) <= {"DEFAULT_SCHEMA", "NAME"}
        if p is None or p.type == "R" or p.id in (1, 3, 4) or not (
                env.has(db, "USER", p.id, "ALTER") or own):
            raise error(15151, verb="alter", what="user", name=s.name)
        if "LOGIN" in o:
            # "To change the target login of a user requires the CONTROL permission on the database"
            # (https://learn.microsoft.com/sql/t-sql/statements/alter-user-transact-sql, Permissions).
            if not env.has_db("CONTROL"):
                raise error(15151, verb="alter", what="user", name=s.name)
            login = cat.principals.find(o["LOGIN"])
            if login is None or login.type != "S" or \
                    not self.engine.security.sees_server_principal(env.ctx, login):
                raise error(15007, name=o["LOGIN"])
            if p.auth == 0 and p.type == "S" and len(p.sid or b"") > 16 or p.type != "S" or p.id == 2:
                raise SqlError(33016, "The user cannot be remapped to a login. Remapping can only be "
                                      "done for users that were mapped to Windows or SQL logins.", 16)
            other = db.user_of_sid(login.sid)
            if other is not None and other is not p:
                raise error(15063)
            p.sid = login.sid
        if "NAME" in o:
            if db.principals.find(o["NAME"]) not in (None, p):
                raise error(15023, name=o["NAME"])
            db.principals.rename(p, name=o["NAME"])
        if "DEFAULT_SCHEMA" in o:
            p.default_schema = o["DEFAULT_SCHEMA"]
        if "PASSWORD" in o:
            if p.auth != 2:
                raise error(33233)
            p.hash = password_hash(o["PASSWORD"]["value"])
        p.modified = now_text()
        self.ddl_event(env, s, "ALTER_USER", s.name)

    def do_drop_user(self, env, s):
        db = env.db
        p = db.principals.find(s.name)
        if p is None and s.if_exists:
            return
        if p is None or p.type in "RA" or not env.has(db, "USER", p.id, "ALTER"):
            raise error(15151, verb="drop", what="user", name=s.name)
        if p.id in (1, 3, 4) or (p.id == 2 and db.id in (1, 2)):
            raise error(15150, verb="drop", what="user", name=s.name)
        if p.id == 2:
            entries = db.entry("DATABASE", 0)
            if (2, "CONNECT", 1) in entries:
                del entries[(2, "CONNECT", 1)]
            return
        self.no_possessions(db, p)
        self.engine.locks.changing_principal(env, db, p)
        self.forget_principal(db, p)
        self.ddl_event(env, s, "DROP_USER", s.name)

    def no_possessions(self, db, p):
        """The errors that keep a principal from being dropped, in the product's order."""
        if any(x.owner == p.id for x in db.schemas):
            raise error(15138)
        if any(getattr(x, "owner", None) == p.id for x in db.objects):
            raise error(15183)
        if any(x.owner == p.id for x in db.types):
            raise error(15184)
        if any(x.owner == p.id for x in db.principals):
            raise error(15421)
        for what, register in (*REGISTER.items(), ("XML SCHEMA COLLECTION", "xml_collections"),
                               ("EVENT NOTIFICATION", "notifications")):
            if any(x.owner == p.id for x in getattr(db, register)):
                raise error(15154, what=what.lower())
        for key, entries in db.permissions.items():
            if any(grantor == p.id for _, _, grantor in entries):
                raise error(15284)
        if any(getattr(x, "execute_as", None) == p.id for x in list(db.objects) + list(db.triggers)):
            raise error(15136)

    def forget_principal(self, db, p):
        db.forget_permissions("USER", p.id)
        for entries in list(db.permissions.values()):
            for key in [k for k in entries if k[0] == p.id]:
                del entries[key]
        for key in [k for k in db.members if p.id in k]:
            del db.members[key]
        db.principals.remove(p)

    # ---- roles ---------------------------------------------------------------------------------

    def do_create_role(self, env, s):
        db = env.db
        if not env.has_db("CREATE ROLE"):
            raise error(15247)
        self._free_name(db, s.name)
        owner = env.user_id(db)
        if s.owner:
            o = self._principal(env, s.owner, what="user")
            mine = o.id in self.engine.security.token(env.ctx, db)
            if not (mine or env.has(db, "USER", o.id, "IMPERSONATE") or env.has_db("CONTROL")):
                raise error(15151, verb="find", what="user", name=s.owner)
            owner = o.id
        db.principal(db.next_id(db.principals), s.name, "R", b"\x01\x05\0\0\0\0\0\x09\x04" +
                     os.urandom(19), owner)
        self.ddl_event(env, s, "CREATE_ROLE", s.name)

    def do_alter_role(self, env, s):
        db = env.db
        r = db.principals.find(s.name)
        allowed = r is not None and r.type == "R" and (
            env.has(db, "ROLE", r.id, "ALTER") if not r.fixed else env.has_db("CONTROL"))
        if not allowed:
            raise error(15151, verb="alter", what="role", name=s.name)
        if r.id == 0 or (r.fixed and s.action == "rename"):
            raise error(15150, verb="alter", what="role", name=s.name)
        if s.action == "rename":
            self._free_name(db, s.member)
            db.principals.rename(r, name=s.member)
            return
        m = db.principals.find(s.member)
        if m is None or not self.engine.security.sees_principal(env.ctx, db, m):
            raise error(15151, verb=s.action, what="principal", name=s.member)
        if m.type == "A" or m.id in (0, 1, 3, 4) or (m.type == "R" and m.fixed):
            raise error(15405, name=s.member)
        self.engine.locks.changing_principal(env, db, m)
        if s.action == "add":
            if m is r or m.id in closure(db.members, [r.id]):
                raise error(15413)
            if (r.id, m.id) not in db.members:
                db.members[(r.id, m.id)] = True
            self.ddl_event(env, s, "ADD_ROLE_MEMBER", s.name)
        else:
            if (r.id, m.id) not in db.members:
                raise error(15151, verb="drop", what="member", name=s.member)
            del db.members[(r.id, m.id)]
            self.ddl_event(env, s, "DROP_ROLE_MEMBER", s.name)

    def do_drop_role(self, env, s):
        db = env.db
        r = db.principals.find(s.name)
        if r is None and s.if_exists:
            return
        if r is None or r.type != "R" or not (env.has(db, "ROLE", r.id, "CONTROL")
                                              or env.has(db, "ROLE", r.id, "ALTER")):
            raise error(15151, verb="drop", what="role", name=s.name)
        if r.fixed or r.id == 0:
            raise error(15150, verb="drop", what="role", name=s.name)
        if any(k[0] == r.id for k in db.members):
            raise error(15144)
        self.no_possessions(db, r)
        self.forget_principal(db, r)
        self.ddl_event(env, s, "DROP_ROLE", s.name)

    def do_create_application_role(self, env, s):
        db = env.db
        if not env.has_db("ALTER ANY APPLICATION ROLE"):
            raise error(15247)
        self._free_name(db, s.name)
        p = db.principal(db.next_id(db.principals), s.name, "A", b"\x01\x05\0\0\0\0\0\x09\x05" +
                         os.urandom(19), None, s.options.get("DEFAULT_SCHEMA", "dbo"))
        p.hash = password_hash(s.options["PASSWORD"]["value"])
        db.entry("DATABASE", 0)[(p.id, "CONNECT", 1)] = "G"

    def do_drop_application_role(self, env, s):
        db = env.db
        p = db.principals.find(s.name)
        if p is None or p.type != "A" or not env.has(db, "APPLICATION ROLE", p.id, "ALTER"):
            raise error(15151, verb="drop", what="application role", name=s.name)
        self.no_possessions(db, p)
        self.forget_principal(db, p)

    # ---- ownership -----------------------------------------------------------------------------

    def do_alter_authorization(self, env, s):
        db, cat = env.db, self.engine.catalogue
        if s.cls == "DATABASE":
            target = cat.databases.find(s.parts[2])
            login = cat.principals.find(s.owner or "")
            if target is None or not env.has_db("TAKE OWNERSHIP", target):
                raise error(15151, verb="find", what="database", name=s.parts[2])
            if login is None or login.type != "S":
                raise error(15151, verb="find", what="principal", name=s.owner)
            if target.user_of_sid(login.sid):
                raise SqlError(15110, "The proposed new database owner is already a user or aliased in "
                                      "the database.", 16)
            target.fields.owner_sid = login.sid
            target.principals.get(1).sid = login.sid
            if cat.features.foreign_dbo.casefold() == target.name.casefold():
                cat.features.foreign_dbo = ""
            return
        if s.cls == "SERVER ROLE":
            r, login = self._server_role(env, s.parts[2], "alter"), cat.principals.find(s.owner)
            if login is None or not env.has(None, "SERVER ROLE", r.id, "TAKE OWNERSHIP"):
                raise error(15151, verb="alter", what="server role", name=s.parts[2])
            r.owner = login.id
            return
        if s.cls == "AVAILABILITY GROUP":
            login = cat.principals.find(s.owner or "")
            if not cat.features.replicas or s.parts[2] != GROUP_NAME or login is None or \
                    not env.has_server("CONTROL SERVER"):
                raise error(15151, verb="find", what="availability group", name=s.parts[2])
            cat.group_owners[GROUP_NAME] = login.sid
            return
        if s.cls == "ENDPOINT":
            _, id_, rec = self.find_securable(env, s.cls, s.parts)
            login = cat.principals.find(s.owner or "")
            if login is None or not env.has(None, "ENDPOINT", id_, "TAKE OWNERSHIP"):
                raise error(15151, verb="find", what="endpoint", name=s.parts[2])
            rec.owner = login.id
            if cat.features.ownership_moves:
                cat.forget_permissions("ENDPOINT", id_)
            return
        cls, id_, _ = self.find_securable(env, s.cls, s.parts)
        rec = self._record(db, cls, id_)
        if cls == "USER" or (cls == "ROLE" and rec.fixed):
            raise error(15150, verb="alter", what=cls.lower(), name=s.parts[2])
        new = None
        if s.owner is not None:
            new = self._principal(env, s.owner, what="principal", types="SRAC")
        elif cls not in IN_SCHEMA:
            raise error(102, near="SCHEMA", line=s.line)
        if not env.has(db, cls, id_, "TAKE OWNERSHIP"):
            raise error(15151, verb="find", what=cls.lower(), name=s.parts[2])
        if new is not None and not (env.has_db("CONTROL") or new.id in self.engine.security.token(
                env.ctx, db) or env.has(db, "USER", new.id, "IMPERSONATE") or (
                new.type == "R" and env.has(db, "ROLE", new.id, "ALTER"))):
            raise error(15151, verb="find", what="principal", name=s.owner)
        if cls == "OBJECT" and rec.parent:
            raise error(15346)
        if cls == "OBJECT" and rec.type == "SQ":
            raise error(15344, what="service queue")
        rec.owner = new.id if new is not None else None
        self._permissions_end(db, cls, id_)
        self.ddl_event(env, s, "ALTER_AUTHORIZATION_DATABASE", s.parts[2])

    def _permissions_end(self, db, cls, id_):
        """What was granted on something that changes hands is gone, for a schema also on what is in it."""
        everything = self.engine.catalogue.features.ownership_moves
        if cls != "ROLE" or everything:
            db.forget_permissions(STORED_AS.get(cls, cls), id_)
        if cls == "SCHEMA" and everything:
            for kind, register in IN_SCHEMA.items():
                for x in getattr(db, register):
                    if x.schema_id == id_ and x.owner is None:
                        db.forget_permissions(kind, x.id)

    @staticmethod
    def _record(db, cls, id_):
        register = {**IN_SCHEMA, **REGISTER, "SCHEMA": "schemas"}.get(cls, "principals")
        return getattr(db, register).get(id_)
