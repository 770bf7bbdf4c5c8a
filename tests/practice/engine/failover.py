"""A database of an availability group on two practice servers: what the primary holds goes to the other.

A secondary replica that cannot be read shows nothing of what it holds, so it is enough to bring it up to date when it
becomes the primary, or when a test wants to read it. Users come along with their SIDs, tables with their rows.
"""
import io
import pickle

from . import collations
from .exec_databases import DatabaseExecutor
from .state import JDict


def _jdict_fill(made, state):
    items, made.scope, made.kind, made.row = state
    dict.update(made, items)


class _Giving(pickle.Pickler):
    """Leaves out what belongs to the server: its root, and how names compare."""

    def __init__(self, file, root, fold):
        super().__init__(file, protocol=4)
        self._root, self._fold = root, fold

    def persistent_id(self, obj):
        return "root" if obj is self._root else "fold" if obj is self._fold else None

    def reducer_override(self, obj):
        if isinstance(obj, JDict):
            state = (dict(obj), obj.scope, obj.kind, obj.row)
            return type(obj).__new__, (type(obj),), state, None, None, _jdict_fill
        return NotImplemented


class _Taking(pickle.Unpickler):
    def __init__(self, file, root, fold):
        super().__init__(file)
        self._known = {"root": root, "fold": fold}

    def persistent_load(self, pid):
        return self._known[pid]


def _tables(session):
    """What fills tables, for an engine without a client."""
    executor = DatabaseExecutor.__new__(DatabaseExecutor)
    executor.engine = session.engine
    return executor


def database_give(server, name):
    """Everything that a database holds, as bytes."""
    engine = server.engine
    with engine.lock:
        db = engine.catalogue.databases.find(name)
        file = io.BytesIO()
        file.write(db.catalogue_collation.encode() + b"\n")
        _Giving(file, engine.root, db.fold).dump((db, _tables(server)._rows_of(db)))
        return file.getvalue()


def database_take(server, content):
    """Puts it in place of the server's own copy, or beside its databases when there was none."""
    engine = server.engine
    collation, _, rest = content.partition(b"\n")
    with engine.lock:
        db, rows = _Taking(io.BytesIO(rest), engine.root, collations.folding(collation.decode())).load()
        cat = engine.catalogue
        old = cat.databases.find(db.name)
        undo, engine.root.undo = engine.root.undo, None
        try:
            db.id = old.id if old is not None else max(cat.databases.by_id) + 1
            db.version = (old.version if old is not None else 0) + 1
            _tables(server)._fill_tables(db, rows)
            if old is not None:
                cat.databases.remove(old)
            cat.databases.add(db)
        finally:
            engine.root.undo = undo
