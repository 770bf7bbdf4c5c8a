"""Catalog views: their columns, who sees which rows, and how SQLite reads them.

A view is a line of column specifications and a generator of rows for a context and a database. The rows are stored in one
SQLite table for each view, under a key. The same viewer reads the same key again until the server or the database changes.
"""
from .sqltypes import (BIGINT, BIT, DATETIME, INT, NMAX, OFFSET, SID, SYSNAME, TYPE_IDS, UID, VARIANT, T,
                       is_string)

_CODES = {"n": SYSNAME, "i": INT, "b": BIT, "s": T("smallint"), "t": T("tinyint"), "B": BIGINT,
          "d": DATETIME, "o": OFFSET, "v": SID, "m": NMAX, "V": T("varbinary", 256), "u": UID, "x": VARIANT,
          "d60": T("nvarchar", 60), "c1": T("char", 1), "c2": T("char", 2), "c4": T("char", 4),
          "k": T("nvarchar", 4000), "r": T("real"), "n48": T("varchar", 48), "M": T("varbinary", -1),
          "n256": T("nvarchar", 256), "v32": T("varbinary", 32)}
# Columns whose values the product defines have the same collation everywhere. Names of server objects have the
# server's collation.
_FIXED = ("d60", "c1", "c2", "c4")
_FIXED_NAMES = ("permission_name", "masking_function")
_SERVER = ("server", "dm_", "databases", "sql_logins", "configurations", "linked_logins", "credentials",
           "availability_", "master_files", "endpoints", "tcp_endpoints")
# Columns by which views are joined; without an index a join of two long ones takes too long.
_JOINED = ("object_id", "principal_id", "schema_id", "session_id")
REGISTRY = {}
FIRST_VIEW_ID = -400


class ViewColumn:
    __slots__ = ("name", "type", "collation")

    def __init__(self, name, type_, collation):
        self.name, self.type, self.collation = name, type_, collation


class View:
    def __init__(self, schema, name, spec, rows, only=None, fixed=True):
        self.schema, self.name, self.rows, self.only, self.fixed = schema, name, rows, only, fixed
        self.columns = []
        for item in spec.split():
            column, _, code = item.rpartition(":")
            t = _CODES[code]
            kind = "" if not is_string(t) else "fixed" if code in _FIXED or column in _FIXED_NAMES \
                else "server" if schema == "sys" and name.startswith(_SERVER) else "database"
            self.columns.append(ViewColumn(column, t, kind))
        self.id = FIRST_VIEW_ID - len(REGISTRY)


def view(name, spec, schema="sys", only=None, fixed=True):
    """Registers a view; `fixed` ones depend on the catalogue alone and may be kept."""
    def keep(rows):
        REGISTRY[(schema.casefold(), name.casefold())] = View(schema, name, spec, rows, only, fixed)
        return rows
    return keep


class Views:
    def __init__(self, engine):
        self.engine = engine
        self.made = set()
        self.kept = {}          # (view, database, viewer) -> (versions, key)
        self.next_key = 0
        self.stale = []

    def find(self, db, schema, name):
        if schema is None:
            return None
        found = REGISTRY.get((schema.casefold(), name.casefold()))
        if found is None or (found.only and db.name != found.only):
            return None
        if found.name == "sql_logins" and self.engine.catalogue.features.no_sql_logins:
            return None
        return found

    def source(self, env, db, v, passed=([], None)):
        """SQLite's words for a view as this viewer sees it now, but for rows that it has passed before it waited."""
        table = f"cv_{v.schema}_{v.name}".lower()
        if table not in self.made:
            cols = ", ".join(f'"{c.name}"' + (" TEXT COLLATE CI" if is_string(c.type) else "")
                             for c in v.columns)
            self.engine.sqlite.execute(f"CREATE TABLE {table} (k_ INTEGER, r_ INTEGER, {cols}, "
                                       "PRIMARY KEY (k_, r_)) WITHOUT ROWID")
            for c in v.columns:
                if c.name in _JOINED:
                    self.engine.sqlite.execute(f"CREATE INDEX i_{table}_{c.name} ON {table} (k_, {c.name})")
            self._indexes_prefer(table)
            self.made.add(table)
        viewer = (v.name, id(db), env.ctx.key)
        f = self.engine.catalogue.features
        versions = (self.engine.catalogue.version, db.version,
                    f.lowercase_databases, f.empty_permissions, f.null_columns, f.aged_days)
        kept = self.kept.get(viewer)
        rows, behind = passed
        if behind is not None:
            number = next(i for i, c in enumerate(v.columns) if c.name == "object_id")
            rows = rows + [row for row in v.rows(env, db) if row[number] >= behind]
            versions = None
        elif v.fixed and kept and kept[0] == versions:
            return self._select(table, kept[1])
        if kept:
            self.stale.append((table, kept[1]))
        self.next_key += 1
        marks = ", ".join("?" * (len(v.columns) + 2))
        self.engine.sqlite.executemany(
            f"INSERT INTO {table} VALUES ({marks})",
            ((self.next_key, i) + tuple(self._plain(x) for x in row)
             for i, row in enumerate(self._blanked(env, v, v.rows(env, db) if behind is None else rows))))
        self.kept[viewer] = (versions, self.next_key)
        return self._select(table, self.next_key)

    def _indexes_prefer(self, table):
        """Tells SQLite, which knows no sizes here, that one viewer's rows are many and those of one id few."""
        sqlite = self.engine.sqlite
        if not self.made:
            sqlite.execute("ANALYZE sqlite_master")
        for (index,) in sqlite.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND "
                                       "name LIKE 'i\\_%' ESCAPE '\\'", (table,)).fetchall():
            sqlite.execute("INSERT INTO sqlite_stat1 VALUES (?, ?, '100000 1000 2')", (table, index))
        sqlite.execute("INSERT INTO sqlite_stat1 VALUES (?, ?, '100000 1000 1')", (table, table))
        sqlite.execute("ANALYZE sqlite_master")

    @staticmethod
    def _blanked(env, v, rows):
        """Rows with NULL in the columns that the switch null-columns names; one's own session's are whole."""
        named = [x.partition(".") for x in env.engine.catalogue.features.null_columns.split(",") if x]
        blank = {c for name, _, c in named if name == v.name}
        places = [i for i, c in enumerate(v.columns) if c.name in blank]
        mine = next((i for i, c in enumerate(v.columns) if c.name == "session_id"), None)
        for row in rows:
            if places and (mine is None or row[mine] != env.session.spid):
                row = tuple(None if i in places else x for i, x in enumerate(row))
            yield row

    @staticmethod
    def _plain(x):
        return int(x) if isinstance(x, bool) else x

    @staticmethod
    def _select(table, key):
        return f"(SELECT * FROM {table} WHERE k_ = {key})"

    def clean(self):
        """Deletes rows that no later statement can ask for; only while no query is running."""
        for table, key in self.stale:
            self.engine.sqlite.execute(f"DELETE FROM {table} WHERE k_ = ?", (key,))
        self.stale.clear()

    @staticmethod
    def type_rows():
        out = []
        for name, id_ in TYPE_IDS.items():
            t = _CODES["n"] if name == "sysname" else T(name)
            user_id = 256 if name == "sysname" else id_
            out.append((name, user_id, id_, max_length(t), t.precision, t.scale))
        return out


def max_length(t):
    """sys.columns.max_length: bytes, -1 for max."""
    fixed = {"bit": 1, "tinyint": 1, "smallint": 2, "int": 4, "bigint": 8, "datetime": 8, "date": 3,
             "uniqueidentifier": 16, "float": 8, "real": 4, "datetime2": 8, "datetimeoffset": 10,
             "money": 8, "sql_variant": 8016, "smalldatetime": 4, "decimal": 9, "numeric": 9,
             "time": 5, "text": 16, "ntext": 16, "image": 16, "xml": -1, "timestamp": 8}
    if t.name in fixed:
        return fixed[t.name]
    if t.size == -1:
        return -1
    return t.size * 2 if t.name in ("nvarchar", "nchar") else t.size
