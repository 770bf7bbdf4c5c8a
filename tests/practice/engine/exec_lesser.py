"""Creates certificates, keys, assemblies, credentials, event notifications, and signatures, for an audit to find."""
import hashlib
import os

from .catalogue import DEFAULT_ENDPOINT, now_text
from .errors import error
from .events import SqlError
from .state import Rec


class LesserExecutor:
    def _owner(self, env, name):
        if name is None:
            return env.user_id(env.db)
        p = env.db.principals.find(name)
        if p is None:
            raise error(15151, verb="find", what="user", name=name)
        return p.id

    def _plant(self, env, register, what, permission, name, owner, **fields):
        if not env.has_db(permission):
            raise error(15247)
        if register.find(name):
            raise error(15530, what=what, name=name)
        db = env.db
        register.add(Rec(db, id=max([255] + list(register.by_id)) + 1, name=name,
                         owner=self._owner(env, owner), created=now_text(),
                         thumbprint=hashlib.sha1(os.urandom(16)).digest(),
                         sid=b"\x01\x06\0\0\0\0\0\x09\x01" + os.urandom(20), **fields))

    def do_create_certificate(self, env, s):
        self._plant(env, env.db.certificates, "certificate", "CREATE CERTIFICATE", s.name, s.owner,
                    subject=s.subject)

    def do_create_key(self, env, s):
        if s.what == "asymmetric_key":
            self._plant(env, env.db.asymmetric_keys, "asymmetric key", "CREATE ASYMMETRIC KEY", s.name,
                        s.owner, algorithm=s.algorithm)
        else:
            self._plant(env, env.db.symmetric_keys, "symmetric key", "CREATE SYMMETRIC KEY", s.name,
                        s.owner, algorithm=s.algorithm)

    def do_create_assembly(self, env, s):
        if s.level == "UNSAFE" and not env.has_server("UNSAFE ASSEMBLY"):
            raise SqlError(10327, f"CREATE ASSEMBLY for assembly '{s.name}' failed because assembly "
                                  f"'{s.name}' is not trusted.", 14)
        self._plant(env, env.db.assemblies, "assembly", "CREATE ASSEMBLY", s.name, s.owner,
                    level=s.level)

    def do_create_credential(self, env, s):
        cat = self.engine.catalogue
        if not env.has_server("ALTER ANY CREDENTIAL"):
            raise error(15247)
        if cat.credentials.find(s.name):
            raise error(15530, what="credential", name=s.name)
        cat.credentials.add(Rec(cat, id=max([65535] + list(cat.credentials.by_id)) + 1, name=s.name,
                                identity=s.identity, created=now_text(), modified=now_text()))

    def do_alter_credential(self, env, s):
        rec = self.engine.catalogue.credentials.find(s.name)
        if rec is None or not env.has_server("ALTER ANY CREDENTIAL"):
            raise error(15151, verb="alter", what="credential", name=s.name)
        rec.identity, rec.modified = s.identity, now_text()

    def _uproot(self, env, register, what, cls, s):
        rec = register.find(s.name)
        if rec is None and s.if_exists:
            return
        if rec is None or not env.has(env.db, cls, rec.id, "CONTROL"):
            raise error(15151, verb="drop", what=what, name=s.name)
        if what == "certificate" and any(t == rec.thumbprint for _, t in env.db.signatures):
            raise SqlError(15352, f"The {what} cannot be dropped because one or more entities are either "
                                  "signed or encrypted using it.", 16)
        env.db.forget_permissions(cls, rec.id)
        register.remove(rec)

    def do_drop_certificate(self, env, s):
        self._uproot(env, env.db.certificates, "certificate", "CERTIFICATE", s)

    def do_drop_symmetric_key(self, env, s):
        self._uproot(env, env.db.symmetric_keys, "symmetric key", "SYMMETRIC KEY", s)

    def do_drop_asymmetric_key(self, env, s):
        self._uproot(env, env.db.asymmetric_keys, "asymmetric key", "ASYMMETRIC KEY", s)

    def do_drop_assembly(self, env, s):
        self._uproot(env, env.db.assemblies, "assembly", "ASSEMBLY", s)

    def do_drop_credential(self, env, s):
        cat = self.engine.catalogue
        rec = cat.credentials.find(s.name)
        if rec is None or not env.has_server("ALTER ANY CREDENTIAL"):
            raise error(15151, verb="drop", what="credential", name=s.name)
        cat.credentials.remove(rec)

    def do_create_endpoint(self, env, s):
        cat = self.engine.catalogue
        if self.session.tran_count:
            raise error(574, what="CREATE ENDPOINT")
        if not env.has_server("CREATE ENDPOINT"):
            raise error(15247)
        if cat.endpoints.find(s.name):
            raise error(15530, what="endpoint", name=s.name)
        owner = cat.principals.find(s.owner or env.login_name())
        cat.endpoints.add(Rec(cat, id=max([65535] + list(cat.endpoints.by_id)) + 1, name=s.name, owner=owner.id,
                              state=s.state or "STOPPED", port=s.port))
        default = cat.endpoints.find(DEFAULT_ENDPOINT)
        entries = cat.entry("ENDPOINT", default.id)
        for key in [k for k in entries if k[:2] == (2, "CONNECT")]:
            del entries[key]

    def _endpoint(self, env, s, verb, right):
        if self.session.tran_count:
            raise error(574, what=f"{verb.upper()} ENDPOINT")
        rec = self.engine.catalogue.endpoints.find(s.name)
        if rec is None or not env.has(None, "ENDPOINT", rec.id, right):
            raise error(15151, verb=verb, what="endpoint", name=s.name)
        return rec

    def do_alter_endpoint(self, env, s):
        rec = self._endpoint(env, s, "alter", "ALTER")
        rec.state, rec.port = s.state or rec.state, s.port or rec.port

    def do_drop_endpoint(self, env, s):
        rec, cat = self._endpoint(env, s, "drop", "CONTROL"), self.engine.catalogue
        cat.forget_permissions("ENDPOINT", rec.id)
        cat.endpoints.remove(rec)

    def do_add_signature(self, env, s):
        db = env.db
        found = self.engine.resolver.object(env, db, s.parts, ("P", "FN", "IF", "TR"))
        if found is None or not env.has(db, "OBJECT", found[0].id, "ALTER"):
            raise error(15151, verb="find", what="object", name=s.parts[2])
        register = db.certificates if s.cls == "CERTIFICATE" else db.asymmetric_keys
        rec = register.find(s.cert)
        if rec is None:
            raise error(15151, verb="find", what=s.cls.lower(), name=s.cert)
        db.signatures[(found[0].id, rec.thumbprint)] = s.cls

    def do_create_notification(self, env, s):
        server = s.scope == "SERVER"
        scope = self.engine.catalogue if server else env.db
        allowed = env.has_server("CREATE DDL EVENT NOTIFICATION") if server else \
            env.has_db("CREATE DATABASE DDL EVENT NOTIFICATION")
        if not allowed:
            raise error(15247)
        if scope.notifications.find(s.name):
            raise error(2714, name=s.name)
        owner = env.ctx.login.id if server else env.user_id(env.db)
        scope.notifications.add(Rec(
            scope, id=env.db.next_object_id(), name=s.name, service=s.service, events=s.events,
            created=now_text(), parent_class=100 if server else 0,
            parent_desc="SERVER" if server else "DATABASE", owner=owner,
            creator_sid=env.ctx.login.sid if env.ctx.login else None))

    def do_drop_notification(self, env, s):
        scope = self.engine.catalogue if s.scope == "SERVER" else env.db
        rec = scope.notifications.find(s.name)
        allowed = env.has_server("ALTER ANY EVENT NOTIFICATION") if s.scope == "SERVER" else \
            env.has_db("ALTER ANY DATABASE EVENT NOTIFICATION")
        if rec is None or not allowed:
            raise error(3701, verb="drop", what="event notification", name=s.name)
        scope.notifications.remove(rec)
