"""Views of usage: what was read, written, and run, the size of tables, and since when the server has recorded it."""
import re

from .catalogue import now_text, older
from .views import view
from .views_database import OBJECT_DESC, seen_objects

USED = {"P": "dm_exec_procedure_stats", "FN": "dm_exec_function_stats", "TR": "dm_exec_trigger_stats"}
OFFSET = " +00:00"
# SQLite's name for a table of a database, as exec_tables.py sets it.
PHYSICAL = re.compile(r"\bt(\d+)_(\d+)_\d+\b")


class Usage:
    """What was run and read since the server started; a restart, and FREEPROCCACHE for modules, empty it."""

    def __init__(self):
        self.modules, self.tables, self.kept, self.opened = {}, {}, {}, {}

    def closed(self, db):
        """Detached, taken offline, or closed: the counters of the database begin anew. Query Store is in the database."""
        for register in (self.modules, self.tables):
            for key in [key for key in register if key[0] == db.id]:
                del register[key]
        self.opened[db.id] = now_text()

    def module(self, engine, db, obj):
        for register in (self.modules, self.kept) if capture_of(engine, db) else (self.modules,):
            count, first = register.get((db.id, obj.id), (0, now_text(), ""))[:2]
            register[(db.id, obj.id)] = (count + 1, first, now_text())

    @staticmethod
    def _index(catalogue, db_id, object_id):
        db = catalogue.databases.get(db_id)
        obj = db and db.objects.get(object_id)
        return None if obj is None else int(any(x.clustered for x in obj.indexes.values()))

    def read(self, catalogue, sql):
        for db_id, object_id in set(PHYSICAL.findall(sql)):
            index = self._index(catalogue, int(db_id), int(object_id))
            if index is not None:
                reads, _, writes, written = self.tables.get((int(db_id), int(object_id), index), (0, None, 0, None))
                self.tables[(int(db_id), int(object_id), index)] = (reads + 1, now_text(), writes, written)

    def written(self, catalogue, physical):
        for db_id, object_id in PHYSICAL.findall(physical):
            index = self._index(catalogue, int(db_id), int(object_id))
            if index is not None:
                reads, read, writes, _ = self.tables.get((int(db_id), int(object_id), index), (0, None, 0, None))
                self.tables[(int(db_id), int(object_id), index)] = (reads, read, writes + 1, now_text())


def _all(env):
    return env.engine.security.has_server(env.ctx, env.engine.state_right("PERFORMANCE"))


def _counts(env):
    """Query Store is in its database, and outlives a restart."""
    return _all(env) and not env.engine.catalogue.features.restarted


_STATS = "database_id:i object_id:i type:c2 type_desc:d60 cached_time:d last_execution_time:d execution_count:B"


def _module_stats(kind):
    def rows(env, db):
        if not _counts(env):
            return
        for (db_id, object_id), (count, first, last) in env.engine.usage.modules.items():
            home = env.engine.catalogue.databases.get(db_id)
            obj = home and home.objects.get(object_id)
            if obj is not None and obj.type == kind:
                yield db_id, object_id, kind, OBJECT_DESC[kind], first, last, count
    return rows


for _kind, _name in USED.items():
    view(_name, _STATS, fixed=False)(_module_stats(_kind))


def _gathered(env):
    """With `aged-days`, the first table of each database was scanned for its statistics when the database was opened."""
    catalogue, usage = env.engine.catalogue, env.engine.usage
    for db in catalogue.databases if catalogue.features.aged_days else ():
        tables = [o for o in db.objects if o.type == "U"]
        if tables:
            first = min(tables, key=lambda o: o.id)
            index = int(any(x.clustered for x in first.indexes.values()))
            at = usage.opened.get(db.id) or older(catalogue, max(catalogue.started, db.fields.created))
            yield (db.id, first.id, index), at


@view("dm_db_index_usage_stats", "database_id:s object_id:i index_id:i user_seeks:B user_scans:B user_lookups:B "
      "user_updates:B last_user_seek:d last_user_scan:d last_user_lookup:d last_user_update:d "
      "system_scans:B last_system_seek:d last_system_scan:d last_system_lookup:d last_system_update:d", fixed=False)
def _index_usage(env, db):
    if _counts(env):
        used, gathered = env.engine.usage.tables, dict(_gathered(env))
        for key in {**used, **gathered}:
            reads, read, writes, written = used.get(key, (0, None, 0, None))
            yield (*key, 0, reads, 0, writes, None, read, None, written,
                   int(key in gathered), None, gathered.get(key), None, None)


def _state(env, db):
    return _all(env) or env.engine.security.has_db(env.ctx, db, "VIEW DATABASE STATE")


def rows_of(env, obj):
    if "unmade" in obj.__dict__ or not obj.physical:
        return 0
    return env.engine.sqlite.execute(f"SELECT COUNT(*) FROM {obj.physical}").fetchone()[0]


@view("dm_db_partition_stats", "partition_id:B object_id:i index_id:i partition_number:i used_page_count:B "
      "reserved_page_count:B row_count:B", fixed=False)
def _partition_stats(env, db):
    if not _state(env, db):
        return
    for o in seen_objects(env, db, "U"):
        rows = rows_of(env, o)
        clustered = any(x.clustered for x in o.indexes.values())
        indexes = [1 if x.clustered else i for i, x in enumerate(o.indexes.values(), 2)]
        for index in indexes if clustered else [0, *indexes]:
            yield o.id * 100 + index, o.id, index, 1, rows // 50 + 1, rows // 50 + 2, rows


@view("dm_os_sys_info", "cpu_count:i ms_ticks:B sqlserver_start_time:d", fixed=False)
def _sys_info(env, db):
    if _all(env):
        catalogue = env.engine.catalogue
        yield 2, 0, now_text() if catalogue.features.restarted else older(catalogue, catalogue.started)


def mode_of(engine, db):
    """What the switch query-store says of the database, or None."""
    return engine.catalogue.features.query_store.get(db.name)


def capture_of(engine, db):
    """ALL or AUTO where Query Store takes in what runs; else None. One that is full takes in what it removes others for."""
    return {"ALL": "ALL", "AUTO": "AUTO", "FULL": "ALL"}.get(mode_of(engine, db))


MEGABYTES = 1000


@view("database_query_store_options", "desired_state:s desired_state_desc:d60 actual_state:s actual_state_desc:d60 "
      "readonly_reason:i current_storage_size_mb:B max_storage_size_mb:B stale_query_threshold_days:B "
      "query_capture_mode:s query_capture_mode_desc:d60 size_based_cleanup_mode:s size_based_cleanup_mode_desc:d60",
      fixed=False)
def _query_store_options(env, db):
    if _state(env, db):
        mode = mode_of(env.engine, db)
        wanted = (2, "READ_WRITE") if mode else (0, "OFF")
        actual = (1, "READ_ONLY") if mode == "READ_ONLY" else wanted
        full = mode in ("READ_ONLY", "FULL")
        yield (*wanted, *actual, 65536 if mode == "READ_ONLY" else 0, MEGABYTES * 85 // 100 if full else MEGABYTES // 10,
               MEGABYTES, env.engine.catalogue.features.query_store_days, *((2, "AUTO") if mode == "AUTO" else (1, "ALL")),
               1, "AUTO")


@view("query_store_query", "query_id:B query_text_id:B object_id:B is_internal_query:b "
      "initial_compile_start_time:o last_compile_start_time:o last_execution_time:o count_compiles:B", fixed=False)
def _query_store_query(env, db):
    if not _state(env, db) or not mode_of(env.engine, db):
        return
    first = older(env.engine.catalogue, env.engine.catalogue.started) + OFFSET
    yield 1, 1, 0, 0, first, first, first, 1
    for i, ((db_id, object_id), (_, compiled, last)) in enumerate(env.engine.usage.kept.items(), 2):
        if db_id == db.id:
            yield i, i, object_id, 0, compiled + OFFSET, compiled + OFFSET, last + OFFSET, 1


@view("sql_dependencies", "class:t class_desc:d60 object_id:i column_id:i referenced_major_id:i "
      "referenced_minor_id:i is_selected:b is_updated:b is_select_all:b")
def _sql_dependencies(env, db):
    from . import dependencies
    for obj, cls, target, parts in dependencies.rows(env, db):
        if cls == 1 and target is not None and parts[0] is None:
            yield (0, "OBJECT_OR_COLUMN_REFERENCE_NON_SCHEMA_BOUND", obj.id, 0, target.id, 0, 1,
                   target.id in dependencies.written(db, obj), 0)
