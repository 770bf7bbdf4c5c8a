"""Logins: who may log in, and the session that results."""
from .catalogue import DEFAULT_ENDPOINT, now_text, password_hash, password_matches
from .collations import DEFAULT
from .databases import refusal, state_of
from .engine import Engine
from .errors import error
from .events import Message, SqlError
from .features import Features
from .lexer import split_batches
from .passwords import is_expired
from .permissions import Context
from .sessions import Session
from .settings import Settings

SET_UP_PATIENCE = 60_000        # milliseconds


class Server:
    """One per process. Sessions may run in threads; one lock inside keeps statements apart."""

    def __init__(self, *, name="PRACTICE", sa_password, product_version="16.0.4135.4", features=None,
                 collation=DEFAULT):
        self.features = features or Features()
        self.engine = Engine(name, sa_password, product_version, self.features, collation)
        self.name, self.product_version = name, product_version
        self.next_spid = 51

    @property
    def sessions(self):
        return list(self.engine.sessions.values())

    def counted(self, reset=False):
        """What the engine counts, for tests."""
        with self.engine.lock:
            values = dict(self.engine.counted)
            if reset:
                self.engine.counted = dict.fromkeys(values, 0)
            return values

    def _error(self, e):
        e.number = int(self.features.error_map.get(e.number, e.number))
        return e

    def login(self, *, user, password, database=None, app="", host="", address=None, new_password=None,
              encrypted=True, odbc=True, language=None):
        try:
            with self.engine.lock:
                session = self._login(user, password, database, app, host, address, new_password,
                                      encrypted)
                self._settle(session, odbc, language)
                return session
        except SqlError as e:
            raise self._error(e) from None

    @staticmethod
    def _settle(session, odbc, language):
        """The settings that the client's login message and the login's own language make."""
        login = session.base.login
        session.login_settings = Settings(session.engine.catalogue, odbc,
                                          language or (login.language if login else None))
        session.settings = session.login_settings.copy()

    def _login(self, user, password, database, app, host, address, new_password, encrypted):
        cat = self.engine.catalogue
        failed = SqlError(18456, f"Login failed for user '{user}'.", 14, 1)
        # In a contained database its own user takes precedence, and a login of that name is not tried.
        if self._contained_user(user, database):
            session = self._contained(user, password, database, app, host, address, encrypted)
            if session is None:
                raise failed
            return session
        p = cat.principals.find(user)
        if p is None or p.type != "S":
            raise failed
        if p.locked and p.policy:
            raise SqlError(18486, f"Login failed for user '{user}' because the account is currently "
                                  "locked out. The system administrator can unlock it. ", 14)
        if not password_matches(p.hash, password):
            if p.policy:
                p.bad_count, p.bad_time = p.bad_count + 1, now_text()
                if p.bad_count >= self.features.lockout_threshold:
                    p.locked = True
            raise failed
        if p.disabled:
            raise SqlError(18470, f"Login failed for user '{user}'. Reason: The account is disabled.",
                           14)
        if is_expired(self.features, p) and new_password is None:
            raise SqlError(18487, f"Login failed for user '{user}'.  Reason: The password of the account "
                                  "has expired.", 14)
        if p.must_change:
            if new_password is None:
                raise SqlError(18488, f"Login failed for user '{user}'.  Reason: The password of the "
                                      "account must be changed.", 14)
            from .exec_logins import check_password
            check_password(p.name, new_password, p.policy)
        if new_password is not None:
            p.hash, p.must_change, p.password_set = password_hash(new_password), False, now_text()
        if p.bad_count:
            p.bad_count = 0
        ctx = Context(p)
        endpoint = cat.endpoints.find(DEFAULT_ENDPOINT)
        if not self.engine.security.has_server(ctx, "CONNECT SQL") or \
                not self.engine.security.has(ctx, None, "ENDPOINT", endpoint.id, "CONNECT"):
            raise failed
        return self._open(p, database, app, host, address, encrypted)

    def _open(self, p, database, app, host, address, encrypted):
        cat, ctx = self.engine.catalogue, Context(p)
        wanted = database or p.default_database
        db = cat.databases.find(wanted)
        usable = db is not None and refusal(self.engine, ctx, db) is None
        if not usable:
            if not database:
                raise error(4064)
            raise error(4060, name=database)
        session = Session(self, self._spid(), p, db, app=app, host=host, address=address,
                          encrypted=encrypted)
        self.engine.sessions[session.spid] = session
        try:
            session.executor.logon_triggers()
        except SqlError as e:
            session.close()
            raise SqlError(17892, f"Logon failed for login '{p.name}' due to trigger execution.",
                           14) from e
        return session

    def _contained_user(self, user, database):
        db = database and self.engine.catalogue.databases.find(database)
        u = db and db.fields.contained and db.principals.find(user)
        return u if u and u.hash else None

    def _contained(self, user, password, database, app, host, address, encrypted):
        db, u = self.engine.catalogue.databases.find(database), self._contained_user(user, database)
        if state_of(self.engine, db).refuses or not password_matches(u.hash, password):
            return None
        session = Session(self, self._spid(), None, db, app=app, host=host, address=address,
                          encrypted=encrypted, user=u)
        self.engine.sessions[session.spid] = session
        return session

    def _spid(self):
        return self.engine.free_spid()

    def sa_session(self, database="master"):
        """A session of sa from inside the process, for set-up and control."""
        with self.engine.lock:
            cat = self.engine.catalogue
            db = cat.databases.find(database or "master")
            if db is None:
                raise error(4060, name=database)
            session = Session(self, self._spid(), cat.principals.get(1), db, app="set-up")
            # If a test leaves a transaction open, fail with 1222 instead of waiting forever.
            session.settings.lock_timeout = SET_UP_PATIENCE
            self.engine.sessions[session.spid] = session
            return session

    def task_session(self, db, user, task):
        """A reader of a queue: a user without client or login."""
        session = Session(self, self._spid(), None, db, app="activation", user=user)
        session.is_user, session.task, session.auth_database = False, task, 1
        self.engine.sessions[session.spid] = session
        return session

    def run_script(self, text, database="master"):
        """Runs GO-separated batches as sa; raises the first error."""
        session = self.sa_session(database)
        try:
            for batch in split_batches(text):
                for e in session.execute(batch):
                    if isinstance(e, Message) and e.severity > 10:
                        raise SqlError(e.number, e.text, e.severity, e.state, e.line, e.procedure)
        finally:
            session.close()


