/* The removals that come first, as T-SQL: disable logins, list their sessions, KILL them. */
#include "sql/closing.h"
#include "sql/name.h"
#include "sql/session_settings.h"

/* Milliseconds, once a lock was held for all of CLOSING_PATIENCE. */
#define PATIENCE_AFTER 10

/* A session that is still logging in has login_time 1900-01-01. Its age is unknown; DATEDIFF would overflow. */
#define SESSION_COLUMNS_OF_SESSIONS                                                                \
	"SELECT N'session' AS [part], s.session_id, CONVERT(nvarchar(30), s.login_time, 126),\n"   \
	"  CAST(s.original_security_id AS varbinary(85)),\n"                                       \
	"  CAST(CAST(s.original_login_name AS nvarchar(128)) AS varbinary(256)),\n"                \
	"  CAST(CAST(s.login_name AS nvarchar(128)) AS varbinary(256)),\n"                         \
	"  CASE WHEN s.login_time < '19900101' THEN NULL\n"                                        \
	"    ELSE DATEDIFF(SECOND, s.login_time, GETDATE()) END,\n"                                \
	"  CAST(CAST(s.host_name AS nvarchar(128)) AS varbinary(256)),\n"                          \
	"  CAST(CAST(s.program_name AS nvarchar(128)) AS varbinary(256)), s.database_id,\n"

/* MARS gives a session several connections. The one without a parent is the real one. */
const char session_select[] = SESSION_COLUMNS_OF_SESSIONS
	"  CAST(c.client_net_address AS nvarchar(48)), s.open_transaction_count\n"
	"FROM sys.dm_exec_sessions AS s\n"
	"LEFT JOIN sys.dm_exec_connections AS c ON c.session_id = s.session_id AND c.parent_connection_id IS NULL\n";

const char session_select_plain[] =
	SESSION_COLUMNS_OF_SESSIONS "  NULL, NULL\nFROM sys.dm_exec_sessions AS s\n";

/* Never with the sessions: on a secondary replica, and while any database is restored, this view may fail (976, 978,
 * 927), and who reads it may make others' readings of it fail. */
static const char rollbacks[] =
	"BEGIN TRY\n"
	"SELECT N'rollback' AS [part], r.session_id, CAST(r.percent_complete AS int) FROM sys.dm_exec_requests AS r\n"
	"WHERE r.command LIKE N'KILLED%';\n"
	"END TRY\n"
	"BEGIN CATCH SELECT N'rollback' AS [part], NULL, NULL; END CATCH;\n";

/* A refused statement must not abort the other statements or end the session. */
static const char opening[] = "SET XACT_ABORT OFF;\n";

/* The answer is the error number. Many locked logins must not add up to the deadline of the server's visit. */
static void disable_caught_write(FILE *to, size_t number)
{
	fprintf(to,
		"END TRY\n"
		"BEGIN CATCH SELECT N'disable' AS [part], %zu, ERROR_NUMBER(), ERROR_MESSAGE(), NULL;\n"
		"IF ERROR_NUMBER() = %d SET LOCK_TIMEOUT %d; END CATCH;\n",
		number, ERROR_LOCK_TIMEOUT, PATIENCE_AFTER);
}

/* The login is managed by its SID, or if the SID is unknown, by the mark. */
static void guard_write(FILE *to, const struct sql_closing *c)
{
	if (c->sid.size) {
		fputs("SUSER_SID(", to);
		sql_write_string(to, c->login);
		fputs(") = ", to);
		sid_write(to, &c->sid);
	} else {
		fputs("IS_SRVROLEMEMBER(N'" MARK_ROLE "', ", to);
		sql_write_string(to, c->login);
		fputs(") = 1", to);
	}
}

/* Somebody may have renamed the login. Its SID stays. */
static void renamed_write(FILE *to, const struct sql_closing *c, size_t number)
{
	fputs("ELSE IF SUSER_SNAME(", to);
	sid_write(to, &c->sid);
	fputs(") IS NOT NULL\nBEGIN SET @renamed = N'ALTER LOGIN ' + QUOTENAME(SUSER_SNAME(", to);
	sid_write(to, &c->sid);
	fprintf(to, ")) + N' DISABLE'; EXEC (@renamed); SELECT N'disable' AS [part], %zu, 0, N'', ",
		number);
	sid_write(to, &c->sid);
	fputs("; END\n", to);
}

/* A server trigger of somebody may take its time with each ALTER LOGIN: behind so many seconds sessions are ended first. */
#define SPELL 2

static void disable_write(FILE *to, const struct sql_closing *c, size_t number, bool may_wait)
{
	fputs("BEGIN TRY\n", to);
	if (may_wait)
		fprintf(to,
			"IF DATEDIFF(SECOND, @began, GETDATE()) > %d SELECT N'disable' AS [part], %zu, %d, N'', NULL;\n"
			"ELSE ",
			SPELL, number, CLOSING_LATER);
	fputs("IF ", to);
	guard_write(to, c);
	fputs("\nBEGIN ALTER LOGIN ", to);
	sql_write_name(to, c->login);
	fprintf(to, " DISABLE; SELECT N'disable' AS [part], %zu, 0, N'', SUSER_SID(", number);
	sql_write_string(to, c->login);
	fputs("); END\n", to);
	if (c->sid.size)
		renamed_write(to, c, number);
	fprintf(to, "ELSE SELECT N'disable' AS [part], %zu, %d, N'', NULL;\n", number,
		CLOSING_NOT_OURS);
	disable_caught_write(to, number);
}

/* A source that left: the login stays, and its sessions are known by its SID. */
static void sid_ask_write(FILE *to, const struct sql_closing *c, size_t number)
{
	fputs("BEGIN TRY\nIF ", to);
	guard_write(to, c);
	fprintf(to, " SELECT N'disable' AS [part], %zu, %d, N'', SUSER_SID(", number,
		CLOSING_NOT_OURS);
	sql_write_string(to, c->login);
	fputs(");\n", to);
	disable_caught_write(to, number);
}

void closing_before_write(FILE *to, const struct sql_closing *closings, size_t n)
{
	const char *separator = "(";

	closing_patience_write(to, 0);
	fputs("BEGIN TRY\n"
	      "SELECT N'before' AS [part], CAST(p.sid AS varbinary(85)) FROM sys.server_principals AS p\n"
	      "WHERE p.is_disabled = 1 AND ",
		to);
	for (size_t i = 0; i < n; i++) {
		if (closing_keeps_login(&closings[i]))
			continue;
		fputs(separator, to);
		if (closings[i].sid.size) {
			fputs("p.sid = ", to);
			sid_write(to, &closings[i].sid);
		} else {
			fputs("p.name = ", to);
			sql_write_string(to, closings[i].login);
		}
		separator = "\n  OR ";
	}
	fprintf(to, "%s;\nEND TRY\nBEGIN CATCH END CATCH;\n", *separator == '(' ? "1 = 0" : ")");
}

void closing_patience_write(FILE *to, int milliseconds)
{
	fprintf(to, "SET LOCK_TIMEOUT %d;\n", milliseconds);
}

void closing_disables_write(
	FILE *to, const struct sql_closing *closings, const bool *wanted, size_t n)
{
	fputs(opening, to);
	closing_patience_write(to, CLOSING_PATIENCE);
	fputs("DECLARE @renamed nvarchar(300), @began datetime = GETDATE();\n", to);
	/* Never the first, so that each batch gets on, whatever the server's clock says. */
	for (size_t i = 0, written = 0; i < n; i++)
		if (wanted[i] && !closing_keeps_login(&closings[i]))
			disable_write(to, &closings[i], i, written++);
	for (size_t i = 0; i < n; i++)
		if (wanted[i] && closing_keeps_login(&closings[i]) && !closings[i].sid.size)
			sid_ask_write(to, &closings[i], i);
}

static void sessions_write(FILE *to, const char *select, const struct sql_closing *closings,
	size_t n, const struct sid *sids, size_t n_sids, bool acting)
{
	const char *separator = "WHERE ";

	fputs(select, to);
	if (n_sids) {
		fprintf(to, "%ss.original_security_id IN (", separator);
		sids_write(to, sids, n_sids);
		putc(')', to);
		separator = "\n  OR ";
	}
	if (n_sids && acting) {
		fprintf(to, "%ss.security_id IN (", separator);
		sids_write(to, sids, n_sids);
		putc(')', to);
	}
	for (size_t i = 0; i < n; i++) {
		if (closings[i].sid.size)
			continue;
		fprintf(to, "%s(s.original_security_id = SUSER_SID(", separator);
		sql_write_string(to, closings[i].login);
		fputs(") AND ", to);
		guard_write(to, &closings[i]);
		putc(')', to);
		separator = "\n  OR ";
	}
	fputs(n_sids || *separator == '\n' ? ";\n" : "WHERE 1 = 0;\n", to);
}

void closing_sessions_write(FILE *to, const char *select, const struct sql_closing *closings,
	size_t n, const struct sid *sids, size_t n_sids)
{
	sessions_write(to, select, closings, n, sids, n_sids, false);
}

void closing_observe_write(FILE *to, const char *select, const struct sql_closing *closings,
	size_t n, const struct sid *sids, size_t n_sids)
{
	sessions_write(to, select, closings, n, sids, n_sids, true);
}

void closing_rollbacks_write(FILE *to, bool behind_sessions)
{
	fprintf(to, "%s%s", behind_sessions ? "IF @@ROWCOUNT > 0\n" : "", rollbacks);
}

void closing_writers_write(
	FILE *to, const char *select, int database, const struct sid *sids, size_t n)
{
	fprintf(to, "%sWHERE ", select);
	if (n) {
		fputs("s.original_security_id IN (", to);
		sids_write(to, sids, n);
		fputs(")\n  AND ", to);
	}
	fprintf(to,
		"s.session_id IN (SELECT t.session_id FROM sys.dm_tran_session_transactions AS t\n"
		"    JOIN sys.dm_tran_database_transactions AS d ON d.transaction_id = t.transaction_id\n"
		"    WHERE d.database_id = %d AND d.database_transaction_log_record_count > 0);\n",
		database);
}

void closing_unknown_sessions_write(FILE *to, const char *select)
{
	fprintf(to, "%sWHERE s.original_security_id IS NULL;\n", select);
}

/* The id may belong to somebody else's session by now. Of the same login any session is ended: a pooled one logs in
 * again at each reset, so its login_time may be another by now. */
static void session_guard_write(FILE *to, const struct session_key *s)
{
	fprintf(to,
		"IF EXISTS (SELECT 1 FROM sys.dm_exec_sessions WHERE session_id = %u AND original_security_id = ",
		s->id);
	sid_write(to, &s->sid);
	putc(')', to);
}

void closing_kill_write(FILE *to, const struct session_key *s)
{
	session_guard_write(to, s);
	fprintf(to, " KILL %u;", s->id);
}

void closing_kills_write(FILE *to, const struct session_key *sessions, size_t n)
{
	fputs(opening, to);
	/* KILL is refused inside a transaction (6115). */
	fputs("IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;\n", to);
	for (size_t i = 0; i < n; i++) {
		fputs("BEGIN TRY\n", to);
		session_guard_write(to, &sessions[i]);
		fprintf(to, "\nBEGIN KILL %u; SELECT N'kill' AS [part], %zu, 0, N''; END\n",
			sessions[i].id, i);
		fprintf(to, "ELSE SELECT N'kill' AS [part], %zu, %d, N'';\n", i,
			CLOSING_SESSION_GONE);
		fprintf(to,
			"END TRY\n"
			"BEGIN CATCH SELECT N'kill' AS [part], %zu, ERROR_NUMBER(), ERROR_MESSAGE(); END CATCH;\n",
			i);
	}
}
