"""Variables, SET, USE, and transactions: begin, commit, roll back, save."""
from . import nodes as n
from .bind_from import SourceColumn
from .errors import error
from .events import SqlError
from .settings import BITS
from .sqltypes import INT, T
from .state import undo_to

NUMBERS = {"LOCK_TIMEOUT": "lock_timeout", "ROWCOUNT": "row_limit", "TEXTSIZE": "text_size",
           "DATEFIRST": "date_first", "QUERY_GOVERNOR_COST_LIMIT": "cost_limit"}
# Under IMPLICIT_TRANSACTIONS these begin one; so does a SELECT that reads from something.
BEGINNING = {"insert", "update", "delete", "truncate", "grant", "deny", "revoke"}
OUTSIDE = {"create_database", "alter_database", "drop_database"}


def begins_transaction(s):
    if s.kind == "select":
        body = s.query.body
        return not isinstance(body, n.Select) or body.source is not None
    return s.kind in BEGINNING or (s.kind not in OUTSIDE and s.kind.split("_")[0] in (
        "create", "alter", "drop"))


class TransactionExecutor:
    # ---- variables and options -----------------------------------------------------------------

    def do_declare(self, env, s):
        for name, t, init in s.items:
            if t == "table":
                env.table_variables[name] = self.make_table(env, name, init, None)
                continue
            t = self.engine.resolver.data_type(env, env.db, t)
            env.variables[name] = [t, None]
            if init is not None:
                env.variables[name][1] = self.value(env, init, t)

    def do_assign(self, env, s):
        env.variables[s.name][1] = self.value(env, s.value, env.variables[s.name][0])

    def do_set_option(self, env, s):
        settings = self.session.settings
        for name in s.names:
            if name in BITS or name == "ANSI_DEFAULTS":
                settings.set(name, s.value)
            elif name in NUMBERS:
                setattr(settings, NUMBERS[name], self.value(env, s.value, INT))
            elif name == "ISOLATION":
                settings.isolation = s.value
            elif name == "LANGUAGE":
                settings.set_language(s.value)
                self.message(f"Changed language setting to {settings.language}.", env, s, 5703)
            elif name == "DEADLOCK_PRIORITY":
                settings.set_deadlock_priority(s.value)
            elif name == "DATEFORMAT":
                settings.set_date_format(s.value)
            elif name in ("NOEXEC", "FMTONLY", "PARSEONLY", "SHOWPLAN_TEXT", "SHOWPLAN_ALL",
                          "SHOWPLAN_XML") and s.value:
                raise SqlError(40517, f"The practice server does not have SET {name} ON.", 16)

    def do_dbcc_useroptions(self, env, s):
        """One row an option that is on, and those that have a value."""
        o = self.session.settings
        rows = [("textsize", str(o.text_size)), ("language", o.language), ("dateformat", o.date_format),
                ("datefirst", str(o.date_first)), ("lock_timeout", str(o.lock_timeout))]
        rows += [(name.lower(), "SET") for name in BITS if self.session.option(name)]
        rows.append(("isolation level", o.isolation.lower()))
        self.emit([SourceColumn("Set Option", T("nvarchar", 128), ""), SourceColumn("Value", T("nvarchar", 128), "")],
                  rows)

    def do_reconfigure(self, env, s):
        if not env.has_server("ALTER SETTINGS"):
            raise SqlError(5812, "You do not have permission to run the RECONFIGURE statement.", 14)
        for c in self.engine.catalogue.configurations.values():
            c.in_use = c.value

    def do_use(self, env, s):
        if env.is_module:
            raise SqlError(154, "a USE database statement is not allowed in a procedure, function or "
                                "trigger.", 15, aborts=True)
        if env.ctx.app_role:
            raise error(505)
        try:
            db = self.engine.resolver.database(env, s.name)
            if db is None:
                raise error(911, name=s.name)
        except SqlError as e:
            e.aborts = not self.engine.catalogue.features.use_goes_on
            raise
        if db.fields.access == "SINGLE_USER" and db is not self.session.database_object:
            self.engine.counted["single_user_taken"] += 1
        self.session.use(db)

    # ---- transactions --------------------------------------------------------------------------

    def do_begin_tran(self, env, s):
        if not self.session.tran_count:
            self.session.tran_name = s.name
        self.session.tran_count += 1

    def do_commit(self, env, s):
        session = self.session
        if not session.tran_count:
            raise error(3902)
        if session.doomed:
            raise error(3930)
        session.tran_count -= 1
        if not session.tran_count:
            session.undo.clear()
            session.savepoints.clear()
            self.engine.locks.release_transaction(session)

    def do_rollback(self, env, s):
        session = self.session
        if not session.tran_count:
            raise error(3903)
        if s.name and s.name.casefold() in session.savepoints:
            undo_to(session.undo, session.savepoints[s.name.casefold()])
            return
        # Only the outermost transaction's name counts.
        if s.name and s.name.casefold() != (session.tran_name or "").casefold():
            raise SqlError(6401, f"Cannot roll back {s.name}. No transaction or savepoint of that name was found.", 16)
        self.rollback_all()

    def rollback_all(self):
        session = self.session
        with self.engine.lock:
            self.engine.root.undo = None
            undo_to(session.undo, 0)
            session.tran_count, session.doomed = 0, False
            session.savepoints.clear()
            session.rolled_back = True
            self.engine.locks.release_transaction(session)
            self.engine.root.undo = session.undo

    def do_save_tran(self, env, s):
        if not self.session.tran_count:
            raise SqlError(628, "Cannot issue SAVE TRANSACTION when there is no active transaction.", 16)
        self.session.savepoints[s.name.casefold()] = len(self.session.undo)

    def not_in_transaction(self, what):
        if self.session.tran_count:
            raise error(226, what=what, state=6)

    def not_doomed(self):
        if self.session.doomed:
            raise error(3930)
