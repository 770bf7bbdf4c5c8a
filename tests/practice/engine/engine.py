"""The core of the engine: one SQLite connection, the catalog, and the functions by which SQLite calls back."""
import json
import re
import sqlite3
import threading
import time

from . import collations, functions, functions_catalogue
from . import functions_rights, passwords, xml_methods  # noqa: F401  (they register their functions)
from . import (views_database, views_modules, views_more, views_replicas,  # noqa: F401  (they register)
               views_server, views_sessions, views_usage)  # noqa: F401
from .catalogue import ServerCatalogue
from .databases import refuse_changes
from .errors import error
from .events import Message, SqlError
from .exec_leftovers import master_fill, msdb_fill
from .locks import Blocked, Locks
from .parse_ddl import parse_batch
from .permissions import Security
from .resolver import Resolver
from .sqltypes import DATETIME2, STRINGS, T, by_date_format, convert, date_parts, date_text
from .state import Root
from .views import Views
from .table_functions import TABLE_FUNCTIONS

functions._register_sql()
CACHED_BATCHES = 2000


class StringAgg:
    """STRING_AGG: values, skipping NULL, in the order of the keys that follow value and separator."""

    def __init__(self):
        self.rows, self.sep = [], ""

    def step(self, value, sep, *keys):
        if value is not None:
            self.sep = sep or ""
            self.rows.append((keys, value))

    def finalize(self):
        if not self.rows:
            return None
        count = len(self.rows[0][0]) // 2
        for k in reversed(range(count)):
            down = self.rows[0][0][2 * k + 1]
            self.rows.sort(key=lambda r, k=k: _sort_key(r[0][2 * k]), reverse=bool(down))
        return self.sep.join(str(v) for _, v in self.rows)


def _sort_key(v):
    if v is None:
        return (0, 0)
    return (2, v.casefold()) if isinstance(v, str) else (1, v)


class Functions:
    table = functions.TABLE

    @staticmethod
    def global_variable(env, name):
        return functions_catalogue.global_variable(env, name)


class Engine:
    def __init__(self, name, sa_password, version, features, collation=collations.DEFAULT):
        self.root = Root()
        self.root.refuse_changes = lambda db: refuse_changes(self, db)
        self.product_version = version
        self.catalogue = ServerCatalogue(self.root, name, sa_password, features,
                                         collations.canonical(collation), self.major_version)
        master_fill(self.catalogue.databases.find("master"))
        msdb_fill(self.catalogue.databases.find("msdb"))
        self.security = Security(self.catalogue)
        self.resolver = Resolver(self)
        self.views = Views(self)
        self.functions = Functions()
        self.table_functions = TABLE_FUNCTIONS
        # A session holds the condition's lock while it runs a statement. Waiting releases it.
        self.lock = threading.Condition(threading.RLock())
        self.locks = Locks(self)
        self.sessions = {}
        self.usage = views_usage.Usage()
        self.current = None
        self.running = 0
        self.looks = 0
        # Counters for tests: KILLs that hit another login's session, calls of HAS_PERMS_BY_NAME, and entries
        # into a SINGLE_USER database, which keep all others out.
        self.counted = {"strangers_killed": 0, "permission_checks": 0, "single_user_taken": 0}
        self.failure = None
        self.applies = {}
        self.backups = {}
        self.parsed = {}
        self.sqlite = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._register()

    @property
    def tempdb(self):
        return self.catalogue.databases.get(2)

    @property
    def major_version(self):
        return int(self.product_version.split(".")[0])

    def state_right(self, half):
        """VIEW SERVER STATE, which 2022 splits into PERFORMANCE and SECURITY."""
        return f"VIEW SERVER {half} STATE" if self.major_version >= 16 else "VIEW SERVER STATE"

    def databases_version(self):
        """Moves when any database's own settings do: sys.databases shows those of all."""
        return sum(d.version for d in self.catalogue.databases) if self.catalogue.databases else 0

    def parse(self, text, declared=(), quoted=True):
        unknown = self.catalogue.features.unknown_statements()
        key = (text, tuple(declared), quoted, unknown)
        found = self.parsed.get(key)
        if found is None:
            try:
                found = parse_batch(text, declared, quoted, unknown)
            except RecursionError:
                raise SqlError(191, "Some part of your SQL statement is nested too deeply. Rewrite "
                                    "the query or break it up into smaller queries.", 15) from None
            if len(self.parsed) >= CACHED_BATCHES:
                self.parsed.clear()
            self.parsed[key] = found
        return found

    # ---- sessions ------------------------------------------------------------------------------

    def free_spid(self):
        spid = 51
        while spid in self.sessions:
            spid += 1
        return spid

    def sign_in_now(self):
        """Whether this look at the sessions meets one that is still logging in (switch sign-ins)."""
        every = self.catalogue.features.sign_ins
        self.looks += 1
        return bool(every) and self.looks % every == 0

    def session_moves(self, login):
        """What the ids of a login's sessions were is a stranger's now, and these have new ones."""
        for session in [s for s in self.sessions.values() if s.login == login]:
            old, session.spid = session.spid, self.free_spid()
            self.sessions[session.spid] = session
            stranger = type(session)(session.server, old, self.catalogue.principals.get(1),
                                     self.catalogue.databases.get(1), app="stranger", host="elsewhere",
                                     address="192.0.2.99")
            stranger.is_stranger = True
            self.sessions[old] = stranger

    # ---- rollbacks that take time ------------------------------------------------------------

    def rollback_begins(self, session):
        """True when an ended session stays until its work is taken back, however it was ended."""
        length = self.catalogue.features.rollback_milliseconds
        if session.rollback is None and length and session.undo:
            now = time.monotonic()
            session.rollback = (now, now + length / 1000)
            session.killed.set()
        return session.rollback is not None and self._still_rolling(session)

    def _still_rolling(self, session):
        return self.catalogue.features.rollback_milliseconds and time.monotonic() < session.rollback[1]

    def rollbacks_finish(self):
        """Lets go of the sessions whose time is over; switching the time off ends all at once."""
        for session in [s for s in self.sessions.values() if s.rollback]:
            if not self._still_rolling(session):
                session.close()

    @staticmethod
    def rollback_progress(session):
        """(percent done, seconds left)."""
        began, ends = session.rollback
        left = max(ends - time.monotonic(), 0)
        return int(100 * (1 - left / (ends - began))), int(left)

    # ---- SQLite --------------------------------------------------------------------------------

    def run(self, env, sql, params=()):
        """All rows of a translated query; an error that a function raised comes out as itself."""
        while True:
            try:
                return self._run_once(env, sql, params)
            except Blocked as wait:
                # A function of the query needs a lock. Wait only where no query is running in SQLite.
                if self.running:
                    raise
                self.locks.pass_when_free(env.session, wait.holder)

    def _run_once(self, env, sql, params):
        saved, self.current = self.current, env
        self.running += 1
        self.failure = None
        try:
            rows = self.sqlite.execute(sql, params).fetchall()
            self.usage.read(self.catalogue, sql)
            return rows
        except sqlite3.Error as e:
            if self.failure is not None:
                failure, self.failure = self.failure, None
                raise failure from None
            raise self._foreign(e, sql) from e
        finally:
            self.current = saved
            self.running -= 1
            if not self.running:
                self.views.clean()
                self.applies.clear()

    @staticmethod
    def _foreign(e, sql):
        if "integer overflow" in str(e):
            return SqlError(8115, "Arithmetic overflow error converting expression to data type "
                                  "bigint.", 16, 2)
        return SqlError(8624, f"Internal Query Processor Error: the practice server cannot run this "
                              f"query ({e}).", 16)

    def guarded(self, f):
        """A function for SQLite that keeps the error it raises, for run() to raise again."""
        def call(*args):
            try:
                return f(*args)
            except (SqlError, Blocked) as e:
                self.failure = self.failure or e
                raise
            except (RecursionError, ValueError, TypeError, OverflowError) as e:
                self.failure = self.failure or SqlError(
                    8116, f"Argument data type is invalid for an argument of a function ({e}).", 16)
                raise
        return call

    def _register(self):
        c = self.sqlite
        collations.register(c)
        c.create_aggregate("string_agg", -1, StringAgg)

        def add(name, f, count=-1):
            c.create_function(name, count, self.guarded(f))
        add("call", lambda name, *a: functions.TABLE[name].python(self.current, *a))
        add("convert_value", self._convert)
        add("try_convert_value", self._try_convert)
        add("like_match", _like)
        add("divide", lambda a, b, whole: self._arithmetic(_divide, a, b, whole))
        add("modulo", lambda a, b, whole: self._arithmetic(_modulo, a, b, whole))
        add("checked", _checked)
        add("concat_binary", lambda a, b: None if a is None or b is None else a + b)
        add("binary_key", lambda a: None if a is None else a.rstrip(b"\0"))
        add("one_value", self._one_value)
        add("date_plus", _date_plus)
        add("unj", _from_json)
        add("apply_rows", self._apply_rows)
        add("table_function", lambda name, *a: _to_json(
            self.table_functions[name].rows(self.current, *a)))
        add("user_function", self._user_function)

    @staticmethod
    def _one_value():
        raise error(512)

    def _arithmetic(self, f, a, b, whole):
        """A division, by zero as the session's options have it: an error, or NULL and a warning."""
        try:
            return f(a, b, whole)
        except SqlError as e:
            session, db = self.current.session, self.current.db
            if not session.settings.faults_are_null(db):
                e.aborts = not session.option("ANSI_WARNINGS")
                raise
            if not session.option("ARITHIGNORE"):
                session.out.append(Message(3607, 1, 10, "Division by zero occurred."))
            return None

    def _convert(self, value, source, source_scale, name, size, precision, scale, style):
        if name in ("datetime", "smalldatetime") and isinstance(value, str) and source in STRINGS:
            value = by_date_format(value, self.current.session.settings.date_format)
        return convert(value, T(source, 0, 0, source_scale), T(name, size, precision, scale), style)

    def _try_convert(self, value, *rest):
        try:
            return self._convert(value, *rest)
        except SqlError:
            return None

    def _user_function(self, db, obj, *args):
        env = self.current
        return env.session.executor.scalar_function(env, self.catalogue.databases.get(db), obj, args)

    def keep_apply(self, sql, names, params):
        key = f"a{len(self.applies)}_{id(params)}"
        self.applies[key] = (sql, [n[1:] for n in names], params)
        return key

    def _apply_rows(self, key, *args):
        sql, names, params = self.applies[key]
        given = dict(params)
        given.update(zip(names, args))
        return _to_json(self.sqlite.execute(sql, given).fetchall())

    def next_sequence_value(self, env, parts):
        found = self.resolver.object(env, env.db, parts, ("SO",))
        if found is None:
            raise error(208, name=parts[2])
        obj, db = found
        if not env.chained(db, obj, env.chain):
            env.require(db, "OBJECT", obj.id, "UPDATE", obj)
        value = obj.start if obj.current is None else obj.current + obj.increment
        obj.__dict__["current"] = value         # outside every transaction, as in the product
        return value, T("bigint")


_LIKES = {}


def _like(value, pattern, escape, exact):
    if value is None or pattern is None:
        return None
    key = (pattern, escape, exact)
    rx = _LIKES.get(key)
    if rx is None:
        rx = _LIKES[key] = re.compile(_like_regex(pattern, escape), re.S if exact else re.S | re.I)
    return int(rx.fullmatch(value) is not None)


def _like_regex(pattern, escape):
    out, i = "", 0
    while i < len(pattern):
        ch = pattern[i]
        if escape and ch == escape and i + 1 < len(pattern):
            out, i = out + re.escape(pattern[i + 1]), i + 2
            continue
        if ch == "%":
            out += ".*"
        elif ch == "_":
            out += "."
        elif ch == "[" and "]" in pattern[i + 1:]:
            end = pattern.index("]", i + 1)
            body = pattern[i + 1:end]
            negated, body = body.startswith("^"), body.lstrip("^")
            body = body.replace("\\", "\\\\").replace("[", "\\[")
            out += f"[{'^' if negated else ''}{body}]" if body else "(?!)"
            i = end
        else:
            out += re.escape(ch)
        i += 1
    return out + " *"


def _divide(a, b, whole):
    if a is None or b is None:
        return None
    if b == 0:
        raise error(8134)
    return int(abs(a) // abs(b)) * (1 if (a < 0) == (b < 0) else -1) if whole else a / b


def _modulo(a, b, whole):
    if a is None or b is None:
        return None
    if b == 0:
        raise error(8134)
    r = abs(a) % abs(b)
    return -r if a < 0 else r


def _checked(value, name):
    return value if value is None or isinstance(value, float) else convert(value, T("bigint"), T(name))


def _date_plus(a, b, op):
    if a is None or b is None:
        return None
    date, days = (a, b) if isinstance(a, str) else (b, a)
    import datetime
    base, ticks, _ = date_parts(date)
    return date_text(DATETIME2, base + datetime.timedelta(days=days if op == "+" else -days), ticks)


def _to_json(rows):
    """Rows as JSON; strings and bytes carry a letter so that they come back as what they were."""
    def cell(v):
        return "s" + v if isinstance(v, str) else "b" + v.hex() if isinstance(v, bytes) else v
    return json.dumps([[cell(v) for v in row] for row in rows])


def _from_json(v):
    if not isinstance(v, str):
        return v
    return v[1:] if v[0] == "s" else bytes.fromhex(v[1:])


