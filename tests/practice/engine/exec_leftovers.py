"""Drops what a test can plant on a server: signatures, linked servers, Agent proxies. Also the tables of msdb, which only
logins with SELECT on them can read."""
from .catalogue import now_text
from .errors import error
from .events import SqlError
from .exec_procedures import SYSTEM
from .state import Rec
from .views import REGISTRY, view

MSDB_TABLES = ("sysjobs", "sysjobsteps", "sysproxies", "restorehistory")


def msdb_fill(msdb):
    """Objects by name, for GRANT; what is in them the views know."""
    for name in MSDB_TABLES:
        msdb.objects.add(Rec(msdb, id=msdb.next_object_id(), name=name, schema_id=1, type="U", owner=None,
                             columns={}, indexes={}, checks=[], constraints=[], created=now_text(), modified=now_text(),
                             identity_next=None, identity_last=None, physical=None))


def msdb_read(env, db, name):
    """229 as for any table, for who may not read it."""
    table = db.objects.find_in(1, name)
    env.require(db, "OBJECT", table.id, "SELECT", table)


def _guarded(name):
    """The view's rows, for those who may read the table."""
    v = REGISTRY[("dbo", name)]
    rows = v.rows

    def guarded(env, db):
        msdb_read(env, db, name)
        return rows(env, db)
    v.rows = guarded


@view("sysproxies", "proxy_id:i name:n credential_id:i enabled:t description:k user_sid:v "
      "credential_date_created:d", "dbo", "msdb")
def _sysproxies(env, db):
    for p in env.engine.catalogue.proxies.values():
        yield p.id, p.name, p.credential, p.enabled, "", None, p.created


@view("restorehistory", "restore_history_id:i restore_date:d destination_database_name:n user_name:n "
      "restore_type:c1 replace:b", "dbo", "msdb")
def _restorehistory(env, db):
    for id_, (when, database, user, replaced) in env.engine.catalogue.restores.items():
        yield id_, when, database, user, "D", replaced


for _name in MSDB_TABLES:
    _guarded(_name)


class LeftoverExecutor:
    def do_drop_signature(self, env, s):
        db = env.db
        found = self.engine.resolver.object(env, db, s.parts, ("P", "FN", "IF", "TR"))
        if found is None or not env.has(db, "OBJECT", found[0].id, "ALTER"):
            raise error(15151, verb="find", what="object", name=s.parts[2])
        register = db.certificates if s.cls == "CERTIFICATE" else db.asymmetric_keys
        rec = register.find(s.cert)
        if rec is None:
            raise error(15151, verb="find", what=s.cls.lower(), name=s.cert)
        if (found[0].id, rec.thumbprint) not in db.signatures:
            raise SqlError(15556, f"Cannot drop the signature: '{s.parts[2]}' is not signed by '{s.cert}'.", 16)
        del db.signatures[(found[0].id, rec.thumbprint)]

    def _sp_dropserver(self, env, g):
        cat = self.engine.catalogue
        if not env.has_server("ALTER ANY LINKED SERVER"):
            raise error(15247)
        server = cat.servers.find(g.get("server") or "")
        if server is None or not server.linked:
            raise SqlError(15015, f"The server '{g.get('server')}' does not exist. Use sp_helpserver to show "
                                  "available servers.", 16)
        logins = [key for key in cat.linked_logins if key[0] == server.id]
        if logins and (g.get("droplogins") or "").casefold() != "droplogins":
            raise SqlError(15190, f"There are still remote logins or linked logins for the server "
                                  f"'{server.name}'.", 16)
        for key in logins:
            del cat.linked_logins[key]
        cat.servers.remove(server)

    def _sp_add_proxy(self, env, g):
        cat = self.engine.catalogue
        if not self.engine.security.is_sysadmin(env.ctx):
            raise error(15247)
        credential = cat.credentials.find(g.get("credential_name") or "")
        if credential is None:
            raise SqlError(14262, f"The specified @credential_name ('{g.get('credential_name')}') does not "
                                  "exist.", 16)
        id_ = max([0] + list(cat.proxies)) + 1
        cat.proxies[id_] = Rec(cat, id=id_, name=g.get("proxy_name"), credential=credential.id,
                               enabled=g.get("enabled", 1), created=now_text())

    def _sp_delete_proxy(self, env, g):
        cat = self.engine.catalogue
        if not self.engine.security.is_sysadmin(env.ctx):
            raise error(15247)
        for id_, p in list(cat.proxies.items()):
            if p.name.casefold() == (g.get("proxy_name") or "").casefold():
                del cat.proxies[id_]
                return
        raise SqlError(14262, f"The specified @proxy_name ('{g.get('proxy_name')}') does not exist.", 16)


SYSTEM.update({
    "sp_dropserver": (["server", "droplogins"], "sp_dropserver"),
    "sp_add_proxy": (["proxy_name", "enabled", "description", "credential_name", "credential_id"],
                     "sp_add_proxy"),
    "sp_delete_proxy": (["proxy_id", "proxy_name"], "sp_delete_proxy")})
