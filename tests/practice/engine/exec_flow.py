"""Runs statements in order: errors, TRY, transactions, variables, results."""
import re
import time

from . import nodes as n
from .bind import Binder
from .bind_from import QueryScope
from .compile import Compiler
from .env import BatchEnd, Env, Return
from .errors import error, system_message
from .events import Column, Columns, Done, Message, Row, SqlError
from .exec_transactions import begins_transaction
from .sqltypes import INT, NMAX, convert, to_python
from .state import undo_to

FLOW = {"block", "if", "while", "try", "exec", "exec_string", "return", "break", "continue", "waitfor"}
MAX_NESTING = 32


def every_statement(statements):
    for s in statements:
        yield s
        for inner in ("body", "then", "other", "catch"):
            if isinstance(getattr(s, inner, None), list):
                yield from every_statement(getattr(s, inner))


class Break(Exception):
    pass


class Continue(Exception):
    pass


class FlowExecutor:
    def __init__(self, session):
        self.session, self.engine = session, session.engine

    # ---- statements and their errors -----------------------------------------------------------

    def before_kill(self, statements):
        """A batch that will KILL comes too late, where the switch says so: the id is a stranger's."""
        features = self.engine.catalogue.features
        if features.spid_reuse and any(x.kind == "kill" for x in every_statement(statements)):
            login, features.spid_reuse = features.spid_reuse, ""
            with self.engine.lock:
                self.engine.session_moves(login)

    def before_batch(self, text):
        """Where a switch says so, a transaction is open, damage shows, or a DBA exchanges the names of two databases: each keeps
        its id."""
        features = self.engine.catalogue.features
        if features.transaction_before and re.search(features.transaction_before, text, re.I):
            self.session.tran_count, features.transaction_before = 1, ""
        if features.damaged_after and re.search(features.damaged_after, text, re.I):
            features.damaged_after = ""
        pattern, _, names = features.names_swap.partition(",")
        if not pattern or not re.search(pattern, text, re.I):
            return
        features.names_swap = ""
        with self.engine.lock:
            databases = self.engine.catalogue.databases
            one, other = (databases.find(name) for name in names.split(","))
            one.fields.name, other.fields.name = other.name, one.name
            databases.rekey()
            self.engine.catalogue.note("databases", one.id, lambda: None)

    def compiled(self, env, statements):
        """Raises what compiling the whole finds; nothing of it has run then. The verdict is kept."""
        if not self.engine.catalogue.features.collations:
            return
        with self.engine.lock:
            engine, db = self.engine, self.session.database_object
            state = (id(db), engine.databases_version(), engine.catalogue.version)
            if state not in statements.compiled:
                Compiler(env).check(statements)
                if len(statements.compiled) > 8:
                    statements.compiled.clear()
                statements.compiled.add(state)

    def run(self, env, statements):
        for s in statements:
            self.statement(env, s)

    def statement(self, env, s):
        session = self.session
        session.interrupted()
        try:
            if s.kind in FLOW:
                getattr(self, "do_" + s.kind)(env, s)
            else:
                self._leaf(env, s)
        except SqlError as e:
            self._failed(env, s, e)

    def _leaf(self, env, s):
        session, engine = self.session, self.engine
        with engine.lock:
            engine.rollbacks_finish()
            session.catalogue_check()
            mark, outer = len(session.undo), engine.root.undo
            engine.root.undo = session.undo
            try:
                if not session.tran_count and begins_transaction(s) and \
                        session.option("IMPLICIT_TRANSACTIONS"):
                    session.tran_count = 1
                self._planned_faults(s)
                getattr(self, "do_" + s.kind)(env, s)
                if s.kind not in ("print", "set_option", "declare", "raiserror"):
                    session.last_error = 0
            except BaseException:       # an attention or KILL while waiting for a lock as well
                undo_to(session.undo, min(mark, len(session.undo)))
                raise
            finally:
                # Inside a function or trigger of another statement, that statement does the undo.
                if not session.tran_count and outer is None:
                    session.undo.clear()
                engine.root.undo = outer

    def _planned_faults(self, s):
        features, text = self.engine.catalogue.features, getattr(s, "text", "")
        limit, cost = self.session.settings.cost_limit, len(re.findall(r"\bJOIN\b", text, re.I))
        if 0 < limit < cost:
            raise error(8649, cost=cost, limit=limit)
        for rule in features.deadlock_on:
            if rule[1] > 0 and re.search(rule[0], text, re.I):
                rule[1] -= 1
                self.rollback_all()
                raise error(1205, spid=self.session.spid, state=51)
        for pattern, number in features.fail_on:
            if re.search(pattern, text, re.I):
                raise SqlError(int(number), f"Planned failure {number}.", 16)

    def _failed(self, env, s, e):
        """A statement's error: to an enclosing TRY, or to the client and perhaps the batch's end."""
        session = self.session
        if not getattr(e, "settled", False):
            e.settled = True
            e.number = int(self.engine.catalogue.features.error_map.get(e.number, e.number))
            e.line = e.line or s.line
            e.procedure = e.procedure or env.procedure
            e.env = e.env or env
            session.last_error = e.number
            if session.option("XACT_ABORT") and e.severity > 10 and session.tran_count and s.kind != "raiserror":
                if session.try_depth:
                    session.doomed = True
                else:
                    self.rollback_all()
                    e.aborts = True
        if session.try_depth:
            raise e
        self.report(e)
        if e.aborts:
            raise BatchEnd from e

    def report(self, e):
        self.session.out.append(Message(e.number, e.state, e.severity, e.text, e.procedure,
                                        e.line or 1))
        self.session.out.append(Done(None, True, ""))

    def message(self, text, env, s, number=0, severity=0, state=1):
        self.session.out.append(Message(number, state, severity, text, env.procedure, s.line))

    def done(self, count, command):
        self.session.row_count = count or 0
        self.session.out.append(Done(None if self.session.option("NOCOUNT") else count, True, command))

    # ---- control -------------------------------------------------------------------------------

    def do_block(self, env, s):
        self.run(env, s.body)

    def do_if(self, env, s):
        self.run(env, s.then if self.holds(env, s.condition) else s.other)

    def do_while(self, env, s):
        while self.holds(env, s.condition):
            self.session.interrupted()
            try:
                self.run(env, s.body)
            except Break:
                return
            except Continue:
                continue

    def do_break(self, env, s):
        raise Break

    def do_continue(self, env, s):
        raise Continue

    def do_return(self, env, s):
        value = self.value(env, s.value, INT) if s.value is not None else None
        raise Return(value)

    def do_try(self, env, s):
        session = self.session
        session.try_depth += 1
        depth = session.try_depth
        try:
            self.run(env, s.body)
        except SqlError as e:
            session.try_depth = depth - 1
            # A scope cannot catch its own binding errors; its caller can.
            if (e.compile and e.env is env) or e.severity >= 20:
                raise
            saved, env.error = env.error, e
            try:
                self.run(env, s.catch)
            finally:
                env.error = saved
            return
        finally:
            session.try_depth = depth - 1

    def do_throw(self, env, s):
        if not s.args:
            caught = env.caught()
            if caught is None:
                raise SqlError(10704, "To rethrow an error, a THROW statement must be used inside a "
                                      "CATCH block. Insert the THROW statement inside a CATCH block, "
                                      "or add error parameters to the THROW statement.", 15)
            again = SqlError(caught.number, caught.text, caught.severity, caught.state, caught.line,
                             caught.procedure, aborts=True)
            raise again
        number, text, state = (self.value(env, a, t) for a, t in zip(s.args, (INT, NMAX, INT)))
        if number < 50000:
            raise SqlError(35100, f"Error number {number} in the THROW statement is outside the valid "
                                  "range. Specify an error number in the valid range of 50000 to "
                                  "2147483647.", 16)
        raise SqlError(number, text or "", 16, state, aborts=True)

    def do_raiserror(self, env, s):
        first = self.value(env, s.args[0])
        severity, state = self.value(env, s.args[1], INT), self.value(env, s.args[2], INT)
        values = [self.value(env, a) for a in s.args[3:]]
        number, text = (50000, str(first)) if isinstance(first, str) else (first, system_message(first, severity, state))
        if values:
            text = re.sub(r"%(?:%|[-+0-9. #]*(?:l|h|I64)?[dioxXuscS])", lambda m: "%" if m.group() == "%%"
                          else str(values.pop(0) if values else "(null)"), text)
        if severity > 18 and not (s.log and self.engine.security.is_sysadmin(env.ctx)):
            raise SqlError(2754, "Error severity levels greater than 18 can only be specified by "
                                 "members of the sysadmin role, using the WITH LOG option.", 16)
        if severity <= 10:
            self.message(text, env, s, number if number != 50000 else 50000, severity, state)
            self.session.last_error = 0
            return
        raise SqlError(number, text, severity, state, aborts=severity >= 20)

    def do_print(self, env, s):
        text = self.value(env, s.value, NMAX)
        self.message("" if text is None else text, env, s)

    def do_waitfor(self, env, s):
        text = self.value(env, s.value, NMAX)
        m = re.fullmatch(r"(\d+):(\d+)(?::(\d+)(?:\.(\d+))?)?", text.strip())
        if not m:
            raise SqlError(148, f"Incorrect time syntax in time string '{text}' used with WAITFOR.", 15)
        h, mi, sec, frac = m.groups()
        end = time.monotonic() + int(h) * 3600 + int(mi) * 60 + int(sec or 0) + float(f"0.{frac or 0}")
        while time.monotonic() < end:
            time.sleep(min(0.05, max(end - time.monotonic(), 0)))
            self.session.interrupted()

    # ---- expressions and queries ---------------------------------------------------------------

    def holds(self, env, condition):
        with self.engine.lock:
            binder = Binder(env)
            sql = binder.condition(condition, QueryScope())
            return bool(self.engine.run(env, f"SELECT {sql}", binder.params)[0][0])

    def value(self, env, e, t=None):
        """The value of an expression that stands alone, converted to `t` when given."""
        if isinstance(e, n.Lit):
            return convert(e.value, e.type, t) if t else e.value
        with self.engine.lock:
            binder = Binder(env)
            b = binder.expr(e, QueryScope())
            value = self.engine.run(env, f"SELECT {b.sql}", binder.params)[0][0]
            return convert(value, b.type, t) if t else value

    def do_select(self, env, s):
        body = s.query.body
        while isinstance(body, n.SetOp):
            body = body.left
        items = body.items if isinstance(body, n.Select) else []
        into = getattr(body, "into", None)
        assigning = [i for i in items if i.variable]
        if assigning and len(assigning) != len(items):
            raise error(141)
        binder = Binder(env)
        sql, columns = binder.query(s.query, None, True)
        if into:
            self.select_into(env, into, sql, columns, binder.params)
            return
        rows = self.engine.run(env, sql, binder.params)
        if self.session.settings.row_limit:
            rows = rows[:self.session.settings.row_limit]
        if assigning:
            if rows:
                for item, c, v in zip(assigning, columns, rows[-1]):
                    env.assign(item.variable, v, c.type)
            self.session.row_count = len(rows)
            return
        self.emit(columns, rows)

    def emit(self, columns, rows):
        out = self.session.out
        types = [c.type for c in columns]
        out.append(Columns([Column(c.name, t.name, c.nullable, t.size, t.precision, t.scale)
                            for c, t in zip(columns, types)]))
        for row in rows:
            out.append(Row([to_python(v, t) for v, t in zip(row, types)]))
        self.done(len(rows), "SELECT")

    # ---- dynamic strings -----------------------------------------------------------------------

    def do_exec_string(self, env, s):
        text = self.value(env, s.string, NMAX) or ""
        depth = len(self.session.contexts)
        if s.context:
            self.impersonate(env, s.context[0], s.context[1])
        try:
            self.dynamic(env, text)
        finally:
            del self.session.contexts[depth:]

    def dynamic(self, env, text, declared=()):
        """Runs a string as a batch of its own; `declared` are (name, type, value)."""
        child = Env(self.session, env)
        self.nesting(child)
        try:
            statements = self.engine.parse(text, [d[0].lower() for d in declared],
                                           self.session.option("QUOTED_IDENTIFIER"))
        except SqlError as e:
            e.env = child                # of a scope of its own: its caller can catch it (TRY...CATCH (Transact-SQL))
            raise
        for name, t, value in declared:
            child.variables[name.lower()] = [t, value]
        saved, settings = self.session.database_object, self.session.settings
        self.session.settings = settings.copy()
        contexts = len(self.session.contexts)
        try:
            self.compiled(child, statements)
            self.run(child, statements)
        except Return:
            pass
        finally:
            del self.session.contexts[max(contexts, 1):]
            self.session.settings = settings
            self.session.use(saved)
        return child

    def nesting(self, env):
        if env.depth > MAX_NESTING:
            raise error(217, limit=MAX_NESTING)


