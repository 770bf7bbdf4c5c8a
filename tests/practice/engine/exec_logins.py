"""Logins and server roles; impersonation; KILL."""
import os

from .catalogue import now_text, password_hash, password_matches, sid_in
from .errors import error
from .events import SqlError
from .permissions import Context, closure
from .sqltypes import BMAX


def check_password(login, password, policy):
    """15156, 15115 to 15119: what CHECK_POLICY asks of a password; length is always checked."""
    if len(password) > 128 or (not password and policy):
        raise error(15156)
    if not policy:
        return
    if len(password) < 8:
        raise error(15116)
    kinds = sum((any(c.isupper() for c in password), any(c.islower() for c in password),
                 any(c.isdigit() for c in password), any(not c.isalnum() for c in password)))
    if kinds < 3 or (len(login) > 2 and login.casefold() in password.casefold()):
        raise error(15118)


class LoginExecutor:
    def _server_name_free(self, name):
        if self.engine.catalogue.principals.find(name):
            raise error(15025, name=name)

    def do_create_login(self, env, s):
        cat, o = self.engine.catalogue, s.options
        if not (env.has_server("ALTER ANY LOGIN") or env.has_server("CREATE LOGIN")):
            raise error(15247)
        pw = o["PASSWORD"]
        if pw["must_change"] and cat.features.no_must_change:
            raise error(15195)
        policy, expiration = o.get("CHECK_POLICY", True), o.get("CHECK_EXPIRATION", False)
        self._login_options(pw, policy, expiration, "CHECK_POLICY" in o)
        if pw["unlock"]:
            raise error(102, near="UNLOCK", line=s.line)
        self._server_name_free(s.name)
        database = o.get("DEFAULT_DATABASE", "master")
        if not cat.databases.find(database):
            raise error(911, name=database)
        sid = o.get("SID")
        if sid is not None and len(sid) != cat.features.sid_length:
            raise error(15419)
        if sid is not None and cat.login_of_sid(sid):
            raise error(15433)
        if pw["hashed"]:
            policy = o.get("CHECK_POLICY", False)
            hash_ = pw["value"]
        else:
            check_password(s.name, pw["value"], policy)
            hash_ = password_hash(pw["value"])
        p = cat.add_login(cat.next_principal_id(), s.name, sid or cat.new_sid(), hash_,
                          default_database=database, policy=policy, expiration=expiration,
                          must_change=pw["must_change"])
        cat.entry("SERVER", 0)[(p.id, "CONNECT SQL", 1)] = "G"
        self.ddl_event(env, s, "CREATE_LOGIN", s.name)

    @staticmethod
    def _login_options(pw, policy, expiration, policy_given):
        if pw and pw["must_change"]:
            if pw["hashed"]:
                raise SqlError(102, "Incorrect syntax near 'MUST_CHANGE'.", 15)
            if not expiration:
                raise error(15099)
        if expiration and not policy:
            raise error(15122)
        if pw and pw["hashed"] and policy_given and policy:
            raise SqlError(15600, "An invalid parameter or option was specified for procedure "
                                  "'CREATE LOGIN': HASHED excludes CHECK_POLICY ON.", 15)

    def _login_to_alter(self, env, name, verb):
        p = self.engine.catalogue.principals.find(name)
        if p is None or p.type == "R" or not env.has(None, "LOGIN", p.id, "ALTER"):
            raise error(15151, verb=verb, what="login", name=name)
        self.engine.locks.naming_login(env, p)
        # A login with fewer permissions must not take over a sysadmin.
        above = 3 in closure(self.engine.catalogue.members, [p.id]) or \
            self.engine.security.has_server(Context(p), "CONTROL SERVER")
        if above and not env.has_server("CONTROL SERVER"):
            raise error(15151, verb=verb, what="login", name=name)
        return p

    def do_alter_login(self, env, s):
        cat, o = self.engine.catalogue, s.options
        own = cat.principals.find(s.name)
        mine = own is not None and env.ctx.login is own and s.enable is None and (
            set(o) == {"PASSWORD", "OLD_PASSWORD"} or set(o) <= {"DEFAULT_DATABASE", "DEFAULT_LANGUAGE"})
        p = own if mine else self._login_to_alter(env, s.name, "alter")
        if s.enable is not None:
            p.disabled, p.modified = not s.enable, now_text()
            return self.ddl_event(env, s, "ALTER_LOGIN", s.name)
        pw = o.get("PASSWORD")
        policy = o.get("CHECK_POLICY", p.policy)
        # CHECK_POLICY also switches CHECK_EXPIRATION, unless the statement sets that too.
        as_policy = policy if policy != p.policy else p.expiration
        expiration = o.get("CHECK_EXPIRATION", as_policy)
        if pw and pw["must_change"] and cat.features.no_must_change:
            raise error(15195)
        if p.must_change and not pw and (not policy or not expiration):
            raise error(15128)
        self._login_options(pw, policy, expiration, "CHECK_POLICY" in o)
        if "OLD_PASSWORD" in o and not password_matches(p.hash, o["OLD_PASSWORD"]):
            raise SqlError(15151, f"Cannot alter the login '{s.name}', because it does not exist or "
                                  "you do not have permission.", 16)
        if "NAME" in o:
            if cat.principals.find(o["NAME"]) not in (None, p):
                raise error(15025, name=o["NAME"])
            cat.principals.rename(p, name=o["NAME"])
        if "DEFAULT_DATABASE" in o:
            if not cat.databases.find(o["DEFAULT_DATABASE"]):
                raise error(911, name=o["DEFAULT_DATABASE"])
            p.default_database = o["DEFAULT_DATABASE"]
        p.language = o.get("DEFAULT_LANGUAGE", p.language)
        if pw:
            if p.locked and not pw["unlock"] and policy and not env.has_server("CONTROL SERVER"):
                raise error(15113)
            if pw["hashed"]:
                p.hash, policy = pw["value"], o.get("CHECK_POLICY", False)
            else:
                check_password(p.name, pw["value"], policy)
                p.hash = password_hash(pw["value"])
            p.must_change, p.password_set = pw["must_change"], now_text()
            if pw["unlock"]:
                p.locked, p.bad_count = False, 0
        if not policy and p.policy:
            p.locked, p.bad_count = False, 0
        p.policy, p.expiration, p.modified = policy, expiration, now_text()
        self.ddl_event(env, s, "ALTER_LOGIN", s.name)

    def do_drop_login(self, env, s):
        cat = self.engine.catalogue
        p = self._login_to_alter(env, s.name, "drop")
        if p.id == 1:
            raise error(15150, verb="drop", what="login", name=s.name)
        if any(x.base.login is p for x in self.engine.sessions.values()):
            raise error(15434, name=p.name)
        jobs = sum(bytes(j.owner_sid) == bytes(p.sid) for j in cat.jobs.values())
        if jobs:
            raise error(15170, count=jobs)
        if any(bytes(d.fields.owner_sid) == bytes(p.sid) for d in cat.databases):
            raise error(15174, name=p.name)
        if any(r.type == "R" and r.owner == p.id for r in cat.principals):
            raise error(15141, what="server role")
        if any(bytes(sid) == bytes(p.sid) for sid in cat.group_owners.values()):
            raise error(15141, what="availability group")
        if any(e.owner == p.id for e in cat.endpoints):
            raise error(15141, what="endpoint")
        if any(n.owner == p.id for n in cat.notifications):
            raise error(15141, what="event notification")
        for entries in cat.permissions.values():
            if any(grantor == p.id and grantee != p.id for grantee, _, grantor in entries):
                raise error(15173, name=p.name)
        if any(t.execute_as == p.id for t in cat.triggers):
            raise error(15186)
        self._forget_server_principal(p)
        self.ddl_event(env, s, "DROP_LOGIN", s.name)

    def _forget_server_principal(self, p):
        cat = self.engine.catalogue
        cat.forget_permissions("LOGIN", p.id)
        for entries in cat.permissions.values():
            for key in [k for k in entries if k[0] == p.id]:
                del entries[key]
        for key in [k for k in cat.members if p.id in k]:
            del cat.members[key]
        cat.principals.remove(p)

    # ---- server roles --------------------------------------------------------------------------

    def _need_server_roles(self, s):
        if self.engine.catalogue.features.no_server_roles:
            raise error(102, near="SERVER", line=s.line)

    def do_create_server_role(self, env, s):
        cat = self.engine.catalogue
        self._need_server_roles(s)
        if not env.has_server("CREATE SERVER ROLE"):
            raise error(15247)
        self._server_name_free(s.name)
        owner = env.ctx.login
        if s.owner:
            owner = cat.principals.find(s.owner)
            if owner is None:
                raise error(15151, verb="find", what="server principal", name=s.owner)
        cat.server_role(cat.next_principal_id(), s.name, owner.id)
        self.ddl_event(env, s, "CREATE_SERVER_ROLE", s.name)

    def _server_role(self, env, name, verb):
        r = self.engine.catalogue.principals.find(name)
        if r is None or r.type != "R":
            raise error(15151, verb=verb, what="server role", name=name)
        return r

    def do_alter_server_role(self, env, s):
        cat = self.engine.catalogue
        self._need_server_roles(s)
        r = self._server_role(env, s.name, "alter")
        if r.id == 2 or (r.fixed and s.action == "rename"):
            raise error(15150, verb="alter", what="server role", name=s.name)
        allowed = env.has(None, "SERVER ROLE", r.id, "ALTER") if not r.fixed else \
            env.has_server("CONTROL SERVER") or (r.id in self.engine.security.server_token(env.ctx))
        if not allowed:
            raise error(15151, verb="alter", what="server role", name=s.name)
        if s.action == "rename":
            self._server_name_free(s.member)
            cat.principals.rename(r, name=s.member)
            return
        m = cat.principals.find(s.member)
        if m is None or m.id in (1, 2) or (m.type == "R" and m.fixed):
            raise error(15151, verb=s.action, what="server principal", name=s.member)
        if s.action == "add":
            if m.type == "R" and r.id in (closure(cat.members, [r.id]) & {m.id}) or m is r:
                raise error(15413)
            cat.members[(r.id, m.id)] = True
            self.ddl_event(env, s, "ADD_SERVER_ROLE_MEMBER", s.name)
        else:
            if (r.id, m.id) not in cat.members:
                raise error(15151, verb="drop", what="member", name=s.member)
            del cat.members[(r.id, m.id)]
            self.ddl_event(env, s, "DROP_SERVER_ROLE_MEMBER", s.name)

    def do_drop_server_role(self, env, s):
        cat = self.engine.catalogue
        self._need_server_roles(s)
        if s.if_exists and not cat.principals.find(s.name):
            return
        r = self._server_role(env, s.name, "drop")
        if r.fixed or r.id == 2:
            raise error(15150, verb="drop", what="server role", name=s.name)
        if not env.has(None, "SERVER ROLE", r.id, "CONTROL") and \
                not env.has_server("ALTER ANY SERVER ROLE"):
            raise error(15151, verb="drop", what="server role", name=s.name)
        if any(k[0] == r.id for k in cat.members):
            raise error(15144)
        self._forget_server_principal(r)

    # ---- impersonation -------------------------------------------------------------------------

    def do_execute_as(self, env, s):
        if s.target == "CALLER":
            return
        if s.no_revert and env.parent is not None:
            raise error(15590)
        if s.cookie is not None and env.parent is not None:
            raise error(15590)
        self.impersonate(env, s.target, self.value(env, s.name))
        ctx = self.session.contexts[-1]
        ctx.no_revert = s.no_revert
        if s.cookie is not None:
            ctx.cookie = os.urandom(100)
            env.assign(s.cookie, ctx.cookie, BMAX)

    def impersonate(self, env, target, name):
        session, cat, db = self.session, self.engine.catalogue, env.db
        if target == "LOGIN":
            # "This option isn't available in a contained database"
            # (https://learn.microsoft.com/sql/t-sql/statements/execute-as-transact-sql, LOGIN).
            if db.fields.contained:
                raise error(15406, name=name)
            p = cat.principals.find(name or "")
            if p is None or p.type != "S" or not env.has(None, "LOGIN", p.id, "IMPERSONATE"):
                raise error(15406, name=name)
            ctx = Context(p)
            if self.engine.security.user_in(ctx, db) is None:
                raise error(916, login=p.name, database=cat.shown(db.name))
            session.contexts.append(ctx)
            return
        u = db.principals.find(name or "")
        if u is None or u.type not in "S" or u.id in (3, 4) or \
                not env.has(db, "USER", u.id, "IMPERSONATE"):
            raise error(15517, name=name)
        if u.auth == 1 and u.id > 4 and cat.login_of_sid(u.sid) is None:
            raise error(15517, name=name)       # an orphan; a user WITHOUT LOGIN is none
        # dbo is an orphan too where the owner has no login here ("If the user is orphaned": EXECUTE AS (Transact-SQL)).
        if u.id == 1 and cat.login_of_sid(sid_in(cat.features, db, u)) is None:
            raise error(15517, name=name)
        if u.id == 2 and not self.engine.security._may_connect(db, {2, 0}):
            raise error(15517, name=name)
        session.contexts.append(Context(env.ctx.login, user=u.id, database=db))

    def do_revert(self, env, s):
        if len(self.session.contexts) > 1:
            ctx = self.session.contexts[-1]
            if ctx.database is not None and ctx.database is not env.db:
                raise SqlError(15357, "The current security context was set by \"EXECUTE AS\" in "
                                      "another database. It cannot be reverted statement.", 16)
            if ctx.no_revert and not ctx.app_role:
                raise error(15196)
            if ctx.app_role or ctx.cookie is not None and ctx.cookie != (
                    self.value(env, s.cookie) if s.cookie is not None else None):
                raise error(15591)
            self.session.contexts.pop()

    # ---- application roles ---------------------------------------------------------------------

    def _sp_setapprole(self, env, g):
        """The session is the role from now on, and nothing of its own; only a cookie leads back."""
        role = env.db.principals.find(g.get("rolename") or "")
        if env.is_module:
            raise SqlError(15422, "Application roles can only be activated at the ad hoc level.", 16)
        if role is None or role.type != "A" or not password_matches(role.hash, str(g.get("password") or "")):
            raise SqlError(2764, f"Incorrect password supplied for application role '{g.get('rolename')}'.", 16)
        ctx = Context(env.ctx.login, app_role=(env.db.id, role.id))
        ctx.no_revert, ctx.cookie = True, os.urandom(50)
        self.session.contexts.append(ctx)
        wanted = "out:cookie" in g and g.get("fcreatecookie")
        return 0, [(g["out:cookie"], ctx.cookie, BMAX)] if wanted else []

    def _sp_unsetapprole(self, env, g):
        ctx = self.session.contexts[-1]
        if not ctx.app_role or ctx.cookie != g.get("cookie"):
            raise SqlError(15592, "Cannot unset application role because none was set or the cookie is invalid.",
                           16)
        self.session.contexts.pop()

    # ---- KILL ----------------------------------------------------------------------------------

    def do_kill(self, env, s):
        if self.engine.catalogue.features.no_kill:
            raise error(102, near="KILL", line=s.line)
        if self.session.tran_count:
            raise error(6115)
        if not env.has_server("ALTER ANY CONNECTION"):
            raise error(6102)
        if s.uow is not None:
            return self._kill_unit_of_work(s)
        if s.spid == self.session.spid:
            raise error(6104)
        if 0 < s.spid <= 50:
            raise error(6107)
        if s.spid <= 0 or s.spid > 32767:
            raise error(6101, spid=s.spid)
        target = self.engine.sessions.get(s.spid)
        if target is not None and target.is_stranger:
            self.engine.counted["strangers_killed"] += 1
        if target is None:
            raise error(6106, spid=s.spid)
        if s.status_only:
            return self._rollback_status(env, s, target)
        if target.rollback:
            return self._rollback_status(env, s, target)
        # The killed session's thread may be busy, so roll back its transaction here to release its locks.
        target.killed.set()
        target.close()

    def _rollback_status(self, env, s, target):
        if not target.rollback:
            raise error(6120, spid=s.spid)
        percent, left = self.engine.rollback_progress(target)
        self.message(f"SPID {s.spid}: transaction rollback in progress. Estimated rollback completion: "
                     f"{percent}%. Estimated time remaining: {left} seconds.", env, s)

    def _kill_unit_of_work(self, s):
        features = self.engine.catalogue.features
        if features.in_doubt.casefold() != s.uow.casefold():
            raise error(6110, uow=s.uow)
        features.in_doubt = ""
