"""Drops what a test can plant on a server: signatures, linked servers. Also the tables of msdb, which only
logins with SELECT on them can read."""
from . import exec_jobs  # noqa: F401  (its tables are guarded here)
from .catalogue import now_text
from .errors import error
from .events import SqlError
from .exec_procedures import SYSTEM
from .state import Rec
from .views import REGISTRY, view

SYS = 4                     # schema_id of sys
DEPENDENCIES_ID = -213      # ids of the system's own objects are negative
EXTENDED = {-311: ("xp_cmdshell", False), -312: ("xp_dirtree", True)}    # whether public may execute it from the start
MSDB_TABLES = ("sysjobs", "sysjobsteps", "sysschedules", "sysjobschedules", "sysalerts", "sysproxies", "sysproxylogin",
               "restorehistory")


def msdb_fill(msdb):
    """Objects by name, for GRANT; what is in them the views know."""
    for name in MSDB_TABLES:
        msdb.objects.add(Rec(msdb, id=msdb.next_object_id(), name=name, schema_id=1, type="U", owner=None,
                             columns={}, indexes={}, checks=[], constraints=[], created=now_text(), modified=now_text(),
                             identity_next=None, identity_last=None, physical=None))


def master_fill(master):
    """The one view of the system on which somebody may need a permission of its own, and two extended procedures, which
    only exist."""
    master.objects.add(Rec(master, id=DEPENDENCIES_ID, name="sql_expression_dependencies", schema_id=SYS, type="V", owner=None,
                           columns={}, created=now_text(), modified=now_text()))
    for id_, (name, everybody) in EXTENDED.items():
        master.objects.add(Rec(master, id=id_, name=name, schema_id=SYS, type="X", owner=None, shipped=1,
                               created=now_text(), modified=now_text()))
        if everybody:
            master.entry("OBJECT", id_)[(0, "EXECUTE", 1)] = "G"


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

    def _sp_droplinkedsrvlogin(self, env, g):
        cat = self.engine.catalogue
        if not env.has_server("ALTER ANY LOGIN"):
            raise error(15247)
        server, local = cat.servers.find(g.get("rmtsrvname") or ""), g.get("locallogin")
        local = cat.principals.find(local).id if local else 0
        if server is None or (server.id, local) not in cat.linked_logins:
            raise SqlError(15015, f"The server '{g.get('rmtsrvname')}' does not exist. Use sp_helpserver to show "
                                  "available servers.", 16)
        del cat.linked_logins[(server.id, local)]

    def _sp_ms_marksystemobject(self, env, g):
        """Puts the mark of what the product ships on anything: for the database's owner."""
        found = self.engine.resolver.any_object(env, env.db, g.get("objname") or "")
        if found is None or not env.has(found[1], "OBJECT", found[0].id, "CONTROL"):
            raise SqlError(15001, f"Object '{g.get('objname')}' does not exist or is not a valid object for this "
                                  "operation.", 16)
        found[0].shipped = 1


SYSTEM.update({
    "sp_dropserver": (["server", "droplogins"], "sp_dropserver"),
    "sp_droplinkedsrvlogin": (["rmtsrvname", "locallogin"], "sp_droplinkedsrvlogin"),
    "sp_ms_marksystemobject": (["objname"], "sp_ms_marksystemobject")})
