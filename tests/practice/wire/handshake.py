"""The first half of a connection: PRELOGIN, TLS and LOGIN7, up to a session of the engine.

Invariant: a login is recorded with whether its packet was inside TLS before its password is
looked at, so that the record shows a password on a clear wire although the login failed.
"""

from . import login7, packets, prelogin, tokens
from .faults import ConnectionDropped
from .packets import ProtocolError

PRODUCT = "Microsoft SQL Server"
# SQL Server sends 18456 after these, and clients look for that number.
_FOLLOWED_BY_18456 = (4060, 4064)


class LoginRefused(Exception):
    """The client has been told why; the connection ends."""


class Handshake:
    """Runs on the connection's reading thread; `connection` gives its transport and its peer."""

    def __init__(self, connection, engine_error):
        self._connection = connection
        self._server = connection.server
        self._transport = connection.transport
        self._engine_error = engine_error
        self._encryption = prelogin.NOT_SUPPORTED

    def run(self):
        """Returns (Login, engine session) with the answer to the login already sent."""
        kind, _, payload = self._transport.read_message()
        if kind == packets.OLD_LOGIN:
            self._old_login(payload)
        if kind in (packets.PRELOGIN, packets.LOGIN7):
            self._server.faults.old_server(packets.NAMES[kind])
        if kind == packets.PRELOGIN:
            self._prelogin(payload)
            kind, _, payload = self._transport.read_message()
        if kind != packets.LOGIN7:
            raise ProtocolError(f"{packets.NAMES[kind]} packet where a login belongs")
        return self._login(payload)

    def _prelogin(self, payload):
        options = prelogin.options_parse(payload)
        asked = prelogin.encryption_asked(options)
        fires = self._server.faults.fires
        answer = prelogin.encryption_answer(
            asked, offered=fires("no-tls") is None,
            forced=fires("force-encryption") is not None,
            login_only=fires("login-only-tls") is not None)
        names = prelogin.ENCRYPTION_NAMES
        self._connection.record("prelogin", asked=names[asked], answered=names[answer],
                                options=sorted(options),
                                client_version=options.get(prelogin.VERSION, b"").hex())
        if fires("stall-prelogin") is not None:
            self._connection.stall("stall-prelogin")
        if fires("drop-prelogin") is not None:
            raise ConnectionDropped("drop-prelogin")
        self._connection.delay()
        reply = prelogin.answer_pack(self._server.product_version, answer, options)
        self._transport.send_packets(packets.REPLY, reply)
        self._encryption = answer
        if answer == prelogin.NOT_SUPPORTED:
            return
        if answer == prelogin.REQUIRED and asked == prelogin.NOT_SUPPORTED:
            raise ProtocolError("client without encryption where it is forced")
        version, cipher = self._transport.start_tls(self._server.tls_context())
        self._connection.record("tls", version=version, cipher=cipher)

    def _old_login(self, payload):
        user, length = login7.old_login_parse(payload)
        self._connection.record("login", tds="5.0", user=user, tls=False, accepted=False,
                                clear_password=length > 0, password_length=length)
        self._server.counters.add("logins_refused")
        raise ConnectionDropped("TDS 5 login")

    def _login(self, payload):
        inside = self._transport.inside_tls
        login = login7.login_parse(payload)
        self._seen = dict(tds=login7.version_text(login.tds_version), user=login.user,
                          database=login.database, app=login.app, host=login.host,
                          library=login.library, tls=inside,
                          clear_password=bool(login.password) and not inside,
                          change_password=login.new_password is not None,
                          features=list(login.features))
        if inside and self._encryption == prelogin.OFF:
            self._transport.end_tls()
        self._connection.delay()
        if login.tds_version != login7.TDS_74:
            self._refuse(17832, 20, 1, "The login packet used to open the connection is not of "
                         f"TDS 7.4 but {self._seen['tds']}.")
        if login.integrated:
            self._refuse(18452, 14, 1, "Login failed. The login is from an untrusted domain and "
                         "cannot be used with Integrated authentication.")
        try:
            session = self._server.engine.login(
                user=login.user, password=login.password, database=login.database,
                app=login.app, host=login.host, address=self._connection.address[0],
                new_password=login.new_password, encrypted=self._transport.inside_tls,
                odbc=login.odbc, language=login.language or None)
        except self._engine_error as error:
            self._refuse(error.number, error.severity, error.state, error.text)
        self._connection.record("login", accepted=True, spid=session.spid, **self._seen)
        self._server.counters.add("logins_accepted")
        return login, session

    def _refuse(self, number, severity, state, text):
        errors = [(number, severity, state, text)]
        if number in _FOLLOWED_BY_18456:
            user = self._seen["user"]
            errors.append((18456, 14, 1, f"Login failed for user '{user}'."))
        self._connection.record("login", accepted=False, errors=[e[0] for e in errors],
                                **self._seen)
        self._server.counters.add("logins_refused")
        answer = b"".join(tokens.message(n, st, sev, tx, self._server.name)
                          for n, sev, st, tx in errors)
        answer += tokens.done(tokens.DONE, tokens.ERROR)
        self._transport.send_packets(packets.REPLY, answer)
        raise LoginRefused(str(number))

    def accept(self, login, session):
        """The client's answer; sent when the session can be listed and killed, for a client may look at once."""
        size = login.packet_size or packets.FIRST_PACKET_SIZE
        size = min(max(size, 512), packets.MAX_TLS_PACKET if self._transport.inside_tls else packets.MAX_PACKET)
        self._transport.spid = session.spid & 0xFFFF
        name, env = self._server.name, tokens.env_text
        language = "us_english"         # the only one here, whatever the client asked for
        answer = b"".join((
            env(tokens.ENV_DATABASE, session.database, "master"),
            tokens.message(5701, 2, 0, f"Changed database context to '{session.database}'.", name),
            tokens.env_bytes(tokens.ENV_COLLATION, tokens.COLLATION, b""),
            env(tokens.ENV_LANGUAGE, language, ""),
            tokens.message(5703, 1, 0, f"Changed language setting to {language}.", name),
            tokens.login_ack(login.tds_version, PRODUCT, self._server.product_version),
            env(tokens.ENV_PACKET_SIZE, str(size), str(packets.FIRST_PACKET_SIZE)),
            tokens.done(tokens.DONE, 0)))
        self._transport.send_packets(packets.REPLY, answer)
        self._transport.packet_size = size
