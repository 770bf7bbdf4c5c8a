"""Checks of a batch before any of it runs: collation conflicts.

All other names are resolved when their statement runs, so every other error is left for then.
"""
from . import nodes as n
from .bind import Binder
from .bind_from import QueryScope
from .bind_types import Bound
from .events import SqlError
from .sqltypes import NMAX, T

FOUND = {445, 446, 449, 451, 468}


class CheckingBinder(Binder):
    """Binds without reading: no rows, no locks, no rights, no values."""

    def __init__(self, env, types):
        super().__init__(env)
        self.types = types

    def view_rows(self, found):
        return "nothing"

    def wait_for(self, db, obj, hints):
        pass

    def check_sources(self, scope, permission="SELECT"):
        pass

    def _e_var(self, e, scope):
        if e.name in self.env.parameters:
            return super()._e_var(e, scope)
        return Bound("NULL", self.types.get(e.name, NMAX))

    def _e_nextvalue(self, e, scope):
        return Bound("0", T("bigint"))

    def _e_xmlmethod(self, e, scope):
        return Bound("NULL", e.args[1] if e.method == "value" else NMAX)


class Compiler:
    def __init__(self, env):
        self.env, self.engine, self.session = env, env.engine, env.session
        self.types = {name: slot[0] for name, slot in env.variables.items()}

    def check(self, statements):
        """Raises the first error of compilation. USE counts, as it does when a batch is compiled."""
        home, self.session.compiling = self.session.database_object, True
        try:
            self._all(statements)
        finally:
            self.session.database_object, self.session.compiling = home, False

    def _all(self, statements):
        for s in statements:
            try:
                self._one(s)
            except SqlError as e:
                if e.number in FOUND:
                    e.line = e.line or s.line
                    raise

    def _one(self, s):
        if s.kind == "use":
            self.session.database_object = self.engine.resolver.database(self.env, s.name) or \
                self.session.database_object
        elif s.kind == "declare":
            for name, t, init in s.items:
                if t != "table":
                    self.types[name] = self.engine.resolver.data_type(self.env, self.env.db, t)
                    self._value(init)
        elif s.kind in ("if", "while"):
            self._binder().condition(s.condition, QueryScope())
            self._all(s.then + s.other if s.kind == "if" else s.body)
        elif s.kind in ("block", "try"):
            self._all(s.body + getattr(s, "catch", []))
        elif s.kind == "select":
            self._binder().query(s.query, None, True)
        elif s.kind in ("assign", "print", "return"):
            self._value(s.value)
        elif s.kind == "insert" and s.source is not None and not isinstance(s.source.body, n.Values):
            self._binder().query(s.source, None, True)

    def _binder(self):
        return CheckingBinder(self.env, self.types)

    def _value(self, e):
        if e is not None:
            self._binder().expr(e, QueryScope())
