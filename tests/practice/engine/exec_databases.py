"""CREATE, ALTER, and DROP DATABASE; backup and restore, kept in memory."""
import copy

from .catalogue import Database, now_text
from .collations import canonical
from .errors import error
from .events import SqlError
from .settings import DATABASE_OPTIONS
from .state import JDict, Rec, Register


class DatabaseExecutor:
    def _database(self, env, name, permission="ALTER"):
        db = self.engine.catalogue.databases.find(name) if name is not None else env.db
        allowed = db is not None and (
            env.has_server("ALTER ANY DATABASE") or (
                self.engine.security.user_in(env.ctx, db) is not None
                and env.has_db(permission, db)))
        return db if allowed else None

    def do_create_database(self, env, s):
        cat = self.engine.catalogue
        self.not_in_transaction("CREATE DATABASE")
        if not env.has_server("CREATE ANY DATABASE"):
            raise error(262, permission="CREATE DATABASE", database="master")
        if cat.databases.find(s.name):
            raise error(1801, name=s.name, state=3)
        login = env.ctx.login or cat.principals.get(1)
        id_ = max(cat.databases.by_id) + 1
        db = Database(self.engine.root, id_, s.name, login.sid,
                      canonical(s.collation) if s.collation else cat.collation, s.contained)
        cat.databases.add(db)
        self.ddl_event(env, s, "CREATE_DATABASE", s.name)

    def _users_of(self, db):
        return [x for x in self.engine.sessions.values() if x.database_object is db]

    def do_drop_database(self, env, s):
        self.not_in_transaction("DROP DATABASE")
        for name in s.names:
            cat = self.engine.catalogue
            if cat.databases.find(name) is None and s.if_exists:
                continue
            db = self._database(env, name, "CONTROL")
            if db is None:
                raise error(3701, verb="drop", what="database", name=name)
            if db.is_system:
                raise error(3708, verb="drop", what="database", name=name)
            if self._users_of(db):
                raise error(3702, name=name, state=4)
            cat.databases.remove(db)
            self.ddl_event(env, s, "DROP_DATABASE", name)

    def do_alter_database(self, env, s):
        self.not_in_transaction("ALTER DATABASE")
        cat = self.engine.catalogue
        db = self._database(env, s.name)
        if db is None:
            raise error(5011, name=s.name, state=5)
        f = db.fields
        if s.action == "NAME":
            if cat.databases.find(s.value) not in (None, db):
                raise error(1801, name=s.value, state=3)
            if db.is_system:
                raise error(3708, verb="rename", what="database", name=db.name)
            del cat.databases.by_name[cat.databases.key(db)]
            f.name, f.created = s.value, now_text()
            cat.databases.by_name[cat.databases.key(db)] = db
        elif s.action in ("ONLINE", "OFFLINE"):
            if db.is_system:
                raise SqlError(5058, f"Option '{s.action}' cannot be set in database '{db.name}'.", 16)
            if s.action == "OFFLINE":
                self._clear_out(db)
                self.engine.usage.closed(db)
                if self.session.database_object is db:
                    self.session.use(cat.databases.get(1))
            f.state = s.action
        elif s.action in ("TRUSTWORTHY", "DB_CHAINING"):
            if not self.engine.security.is_sysadmin(env.ctx):
                raise SqlError(15247, "User does not have permission to perform this action.", 16)
            if s.action == "TRUSTWORTHY":
                f.trustworthy = s.value
            else:
                f.chaining = s.value
        elif s.action in ("READ_ONLY", "READ_WRITE"):
            f.read_only = s.action == "READ_ONLY"
        elif s.action == "RECOVERY":
            f.recovery = s.value
        elif s.action == "EMERGENCY":
            f.state = "EMERGENCY"
        elif s.action == "AUTO_CLOSE":
            f.auto_close = s.value
        elif s.action in ("COLLATE", "CONTAINMENT"):
            if s.action == "COLLATE":
                f.collation = canonical(s.value)
            else:
                f.contained = s.value
            db.names_compare_anew()
        elif s.action in DATABASE_OPTIONS:
            f.set_options = f.set_options | {s.action} if s.value else f.set_options - {s.action}
        else:
            if s.action == "SINGLE_USER" and any(x is not self.session for x in self._users_of(db)):
                if s.termination != "ROLLBACK":
                    raise error(5070, name=db.name)
                self._clear_out(db)
            f.access = s.action
        cat.note("databases", db.id, lambda: None)
        self.ddl_event(env, s, "ALTER_DATABASE", db.name)

    def _clear_out(self, db):
        """Ends all other sessions that are in a database."""
        for x in self._users_of(db):
            if x is not self.session:
                x.killed.set()
                x.close()

    def do_create_snapshot(self, env, s):
        cat = self.engine.catalogue
        self.not_in_transaction("CREATE DATABASE")
        source = cat.databases.find(s.source)
        if source is None:
            raise error(911, name=s.source)
        if not env.has_server("CREATE ANY DATABASE"):
            raise error(262, permission="CREATE DATABASE", database="master")
        if cat.databases.find(s.name):
            raise error(1801, name=s.name, state=3)
        db = self._clone(source, s.name, max(cat.databases.by_id) + 1)
        self._fill_tables(db, self._rows_of(source))
        db.fields.__dict__.update(source=source.id, read_only=True)
        cat.databases.add(db)
        self.ddl_event(env, s, "CREATE_DATABASE", s.name)

    # ---- backup and restore --------------------------------------------------------------------

    def do_backup(self, env, s):
        if self.session.tran_count:
            raise SqlError(3021, "Cannot perform a backup or restore operation within a transaction.", 16)
        db = self.engine.catalogue.databases.find(s.name)
        if db is None:
            raise error(911, name=s.name)
        self.engine.resolver.enter(env, db)
        if not env.has_db("BACKUP DATABASE", db):
            raise error(262, permission="BACKUP DATABASE", database=db.name)
        rows = self._rows_of(db)
        self.engine.backups[s.file.casefold()] = (db.name, self._clone(db, db.name, db.id), rows)

    def _rows_of(self, db):
        """{object id: (names of columns, rows)} of all its tables."""
        rows = {}
        for o in db.objects:
            if o.type == "U" and o.physical:
                cur = self.engine.sqlite.execute(f"SELECT * FROM {o.physical}")
                rows[o.id] = ([d[0] for d in cur.description], cur.fetchall())
        return rows

    def _fill_tables(self, db, every):
        """Tables of its own for a cloned database, with these rows."""
        for o in db.objects:
            if o.type == "U" and o.id in every:
                names, rows = every[o.id]
                o.__dict__["physical"] = f"t{db.id}_{o.id}_{id(o)}"
                cols = {c.physical: c for c in o.columns.values()}
                shape = ", ".join(nm + (" TEXT COLLATE CI" if nm in cols and "char" in
                                        cols[nm].type.name else "") for nm in names)
                self.engine.sqlite.execute(f"CREATE TABLE {o.physical} ({shape})")
                self.engine.sqlite.executemany(
                    f"INSERT INTO {o.physical} VALUES ({', '.join('?' * len(names))})", rows)

    def _clone(self, source, name, id_):
        """A database of its own with the same contents; the rows of its tables not included."""
        db = Database(self.engine.root, id_, name, source.fields.owner_sid)
        fields = dict(source.fields.__dict__, _scope=db, name=name)
        db.fields.__dict__.update(fields)
        db.fold = source.fold
        memo = {id(source): db, id(self.engine.root): self.engine.root}
        for key, value in source.__dict__.items():
            if isinstance(value, (Register, JDict)):
                db.__dict__[key] = self._deep(value, db, memo)
        db.last_id = source.last_id
        return db

    def _deep(self, value, db, memo):
        if id(value) in memo:
            return memo[id(value)]
        if isinstance(value, Rec):
            out = memo[id(value)] = Rec(db)
            for k, v in value.__dict__.items():
                if k != "_scope":
                    out.__dict__[k] = self._deep(v, db, memo)
            return out
        if isinstance(value, JDict):
            out = memo[id(value)] = JDict(db, value.kind, value.row)
            for k, v in value.items():
                dict.__setitem__(out, k, self._deep(v, db, memo))
            return out
        if isinstance(value, Register):
            out = memo[id(value)] = type(value)(db)
            out.kind = value.kind
            out.by_id = self._deep(value.by_id, db, memo)
            out.by_name = self._deep(value.by_name, db, memo)
            return out
        return copy.copy(value) if isinstance(value, (list, dict)) else value

    def do_restore(self, env, s):
        cat = self.engine.catalogue
        if self.session.tran_count:
            raise SqlError(3021, "Cannot perform a backup or restore operation within a transaction.", 16)
        if not env.has_server("CREATE ANY DATABASE"):
            raise error(262, permission="RESTORE DATABASE", database=s.name)
        kept = self.engine.backups.get(s.file.casefold())
        if kept is None:
            raise SqlError(3201, f"Cannot open backup device '{s.file}'. Operating system error 2(The "
                                 "system cannot find the file specified.).", 16, 2)
        old = cat.databases.find(s.name)
        if old is not None:
            if old.is_system:
                raise SqlError(3102, f"RESTORE cannot process database '{s.name}' because it is in use.",
                               16)
            if kept[0].casefold() != old.name.casefold() and not s.replace:
                raise SqlError(3154, "The backup set holds a backup of a database other than the existing"
                                     f" '{s.name}' database.", 16, 4)
            if self._users_of(old):
                raise SqlError(3101, "Exclusive access could not be obtained because the database is in "
                                     "use.", 16)
        id_ = old.id if old is not None else max(cat.databases.by_id) + 1
        db = self._clone(kept[1], old.name if old is not None else s.name, id_)
        db.fields.owner_sid = env.ctx.login.sid
        db.principals.get(1).__dict__["sid"] = env.ctx.login.sid
        db.fields.trustworthy = db.fields.chaining = False
        db.fields.state = "ONLINE"
        db.version = (old.version if old is not None else 0) + 1
        self._fill_tables(db, kept[2])
        if old is not None:
            cat.databases.remove(old)
        cat.databases.add(db)
        self.engine.usage.closed(db)
        cat.restores[len(cat.restores) + 1] = (now_text(), db.name, env.ctx.login.name, old is not None)
