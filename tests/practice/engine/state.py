"""Records and dictionaries with undo: every change stores how to revert it.

While Root.undo is a list, changes append to it. A statement that fails, or a transaction that is rolled back, runs the
list backwards. Each change also increments the version of its scope, on which caches of catalog rows and of permissions
depend.
"""
from typing import NamedTuple


class Undo(NamedTuple):
    """One change and how to take it back; `kind` and `key` name the catalogue row that it locks."""
    scope: object
    function: object
    args: tuple
    kind: str = ""
    key: object = None


class Root:
    """One per server: the undo list of whoever is running now."""

    def __init__(self):
        self.undo = None
        self.refuse_changes = lambda scope: None    # raises where a database takes no changes


class Scope:
    """A server or a database: what versions are counted for."""

    def __init__(self, root):
        self.root = root
        self.version = 0
        self.fold = fold        # names with one key are one name

    def note(self, kind, key, function, *args):
        self.version += 1
        if self.root.undo is not None:
            self.root.undo.append(Undo(self, function, args, kind, key))

    def name_registers(self):
        """Lets what is kept in registers and dictionaries know the name of its kind."""
        for name, value in self.__dict__.items():
            if isinstance(value, (Register, JDict)):
                value.kind = name


def undo_to(undo, mark):
    """Takes back everything noted after the first `mark` entries."""
    while len(undo) > mark:
        entry = undo.pop()
        if entry.scope is not None:
            entry.scope.version += 1
        entry.function(*entry.args)


class Rec:
    """A record of named fields that belongs to a scope."""

    def __init__(self, scope, **fields):
        self.__dict__["_scope"] = scope
        self.__dict__.update(fields)

    def __setattr__(self, name, value):
        d = self.__dict__
        self._scope.note(d.get("_kind", ""), d.get("id"), d.__setitem__, name, d.get(name))
        d[name] = value


class TableRec(Rec):
    """A table. `unmade` makes what holds its rows, and says its name, when that is first asked for: SQLite takes the longer
    to make a table the more there are, and most tables of a large database never get rows."""

    def __getattr__(self, name):
        make = self.__dict__.pop("unmade", None) if name == "physical" else None
        if make is None:
            raise AttributeError(name)
        self.__dict__["physical"] = make()
        return self.__dict__["physical"]


class JDict(dict):
    """A dictionary that notes how to undo what is done to it."""

    def __init__(self, scope, kind="", row=None):
        super().__init__()
        self.scope, self.kind, self.row = scope, kind, row

    def _note(self, key, *how):
        self.scope.note(self.kind, self.row or key, *how)

    def __setitem__(self, key, value):
        if key in self:
            self._note(key, super().__setitem__, key, self[key])
        else:
            self._note(key, super().pop, key, None)
        super().__setitem__(key, value)

    def __delitem__(self, key):
        self.pop(key)

    def pop(self, key, *default):
        if key not in self and default:
            return default[0]
        self._note(key, super().__setitem__, key, self[key])     # may refuse: before anything is gone
        return super().pop(key)


def fold(name):
    """The key under which a name is found: case and trailing blanks do not count."""
    return name.rstrip(" ").casefold()


class Register:
    """Records by id and by name (or another key), kept in step."""

    def __init__(self, scope):
        self.by_id = JDict(scope)
        self.by_name = JDict(scope)

    @property
    def kind(self):
        return self.by_id.kind

    @kind.setter
    def kind(self, kind):
        self.by_id.kind, self.by_name.kind = kind, kind + " by name"
        for rec in self.by_id.values():
            rec.__dict__["_kind"] = kind

    def key(self, rec):
        return self.by_id.scope.fold(rec.name)

    def add(self, rec):
        rec.__dict__["_kind"] = self.kind
        self.by_id[rec.id] = rec
        self.by_name[self.key(rec)] = rec
        return rec

    def remove(self, rec):
        del self.by_id[rec.id]
        del self.by_name[self.key(rec)]

    def rename(self, rec, **changes):
        del self.by_name[self.key(rec)]
        for field, value in changes.items():
            setattr(rec, field, value)
        self.by_name[self.key(rec)] = rec

    def find(self, name):
        return self.by_name.get(self.by_id.scope.fold(name))

    def rekey(self):
        """After the scope's way of comparing names has changed; not to be undone."""
        self.by_name.clear()
        for rec in self.by_id.values():
            dict.__setitem__(self.by_name, self.key(rec), rec)

    def get(self, id_):
        return self.by_id.get(id_)

    def __iter__(self):
        return iter(list(self.by_id.values()))

    def __len__(self):
        return len(self.by_id)


class Objects(Register):
    """Objects of a database: one name a schema."""

    def key(self, rec):
        return rec.schema_id, self.by_id.scope.fold(rec.name)

    def find_in(self, schema_id, name):
        return self.by_name.get((schema_id, self.by_id.scope.fold(name)))
