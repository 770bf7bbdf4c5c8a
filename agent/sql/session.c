/* A session over FreeTDS db-lib with its traps closed.
 *
 * Nothing of the user's or the system's FreeTDS settings counts: a private configuration in memory names the one server,
 * requires encryption, verifies the certificate against the host's name and pins TDS 7.4. `require` alone can be talked
 * down to a login in TLS and the rest in clear, so the first answer's first byte is looked at on the socket before
 * anything secret is sent. Nor do the server's settings count: the first batch sets our own, and is the one that proves
 * the encryption. */
#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <unistd.h>

#include <syberror.h>

#include "sql/session_failure.h"
#include "sql/session_internal.h"

#define SEVERITY_ERROR_MIN 11 /* lower severities are informational */
#define DATABASE_CHANGED   5701
#define LANGUAGE_CHANGED   5703

/* db-lib's handlers have no context while dbopen() runs. Set only during that call. */
static struct sql_error *opening;

static void error_note(struct sql_error *e, int number, int severity, const char *text)
{
	/* Keep the most severe error, and of equal ones the first; the later ones follow from it. */
	if (!e || severity < e->severity || (e->number && severity == e->severity))
		return;
	e->number = number;
	e->severity = severity;
	snprintf(e->text, sizeof(e->text), "%s", text ? text : "");
}

static int on_message(DBPROCESS *p, DBINT number, int state, int severity, char *text, char *server,
	char *procedure, int line)
{
	struct sql_session *s = p ? (struct sql_session *)dbgetuserdata(p) : NULL;

	(void)state, (void)server, (void)procedure, (void)line;
	if (number != DATABASE_CHANGED && number != LANGUAGE_CHANGED &&
		severity >= SEVERITY_ERROR_MIN)
		error_note(s ? s->error : opening, number, severity, text);
	return 0;
}

/* A text that is not valid UTF-16 (programs choose their own names) breaks only this text: db-lib writes a question
 * mark and reads on. An error of the connection ends the session. */
static bool library_error_is_of_a_value(int number, int severity)
{
	return severity == EXCONVERSION || (number >= 2400 && number <= 2404);
}

static bool library_error_ends_session(DBPROCESS *p, int number, int severity)
{
	return !p || number == SYBETIME || severity >= EXCOMM || dbdead(p);
}

/* db-lib's default handler would end the process. */
static int on_error(
	DBPROCESS *p, int severity, int number, int os_number, char *text, char *os_text)
{
	struct sql_session *s = p ? (struct sql_session *)dbgetuserdata(p) : NULL;
	struct sql_error *e = s ? s->error : opening;

	(void)os_text;
	if (number == SYBESMSG)
		return INT_CANCEL; /* "check messages": already reported */
	if (library_error_is_of_a_value(number, severity)) {
		if (s)
			s->broken_values++;
		return INT_CANCEL;
	}
	if (e && !e->library) {
		e->library = number;
		if (!e->number)
			snprintf(e->text, sizeof(e->text), "%s", text ? text : "connection failed");
	}
	if (!library_error_ends_session(p, number, severity))
		return INT_CANCEL;
	if (e && !e->os_error)
		e->os_error = number == SYBETIME ? -ETIMEDOUT
			      : os_number > 0	 ? -os_number
						 : -ECONNRESET;
	if (s)
		s->dead = true;
	return INT_CANCEL;
}

/* Environment variables that FreeTDS reads. TDSDUMP would write the password to a file. */
static void environment_clear(void)
{
	static const char *const names[] = {"FREETDSCONF", "FREETDS", "TDSVER", "TDSHOST",
		"TDSPORT", "TDSQUERY", "DSQUERY", "TDSDUMP", "TDSDUMPCONFIG"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unsetenv(names[i]);
}

static int login_make(LOGINREC **out, const struct sql_session_options *o)
{
	LOGINREC *l = dblogin();

	if (!l)
		return -ENOMEM;
	if (DBSETLUSER(l, o->login) == FAIL || DBSETLPWD(l, o->password) == FAIL ||
		DBSETLAPP(l, "curfew") == FAIL ||
		/* With a default database that cannot be opened the login would fail (4064). */
		DBSETLDBNAME(l, "master") == FAIL || DBSETLCHARSET(l, "UTF-8") == FAIL ||
		dbsetlversion(l, DBVERSION_74) == FAIL) {
		dbloginfree(l);
		return -ENAMETOOLONG;
	}
	*out = l;
	return 0;
}

void sql_conversions_hold(void)
{
	static const char *const sets[] = {"UTF-16LE", "ISO-8859-1"};
	static iconv_t held[ARRAY_SIZE(sets)];

	/* One that is not there is the worker's to miss. */
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		if (!held[i])
			held[i] = iconv_open("UTF-8", sets[i]);
}

int sql_session_open(
	struct sql_session **out, struct sql_error *error, const struct sql_session_options *o)
{
	struct sql_session *s;
	char path[64];
	int rc;

	*error = (struct sql_error){0};
	environment_clear();
	if (dbinit() == FAIL)
		return -ENOMEM;
	/* After dbinit(), which sets its own handlers. */
	dberrhandle(on_error);
	dbmsghandle(on_message);
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->conf = -1;
	s->read_timeout = o->read_timeout;
	rc = ca_file_check(error, o->ca_file);
	if (rc)
		goto fail;
	rc = session_conf_write(&s->conf, o);
	if (!rc)
		rc = login_make(&s->login, o);
	if (rc) {
		snprintf(error->text, sizeof(error->text), "%s",
			rc == -ENAMETOOLONG
				? "host, ca_file, login, or password is too long for FreeTDS"
				: strerror(-rc));
		goto fail;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->conf);
	dbsetifile(path);
	dbsetlogintime((int)o->connect_timeout);
	dbsettime((int)o->read_timeout);
	opening = error;
	s->process = dbopen(s->login, SESSION_CONF_SECTION);
	opening = NULL;
	if (!s->process) {
		rc = session_failure(error, o);
		goto fail;
	}
	dbsetuserdata(s->process, (BYTE *)s);
	if (dbtds(s->process) != DBTDS_7_4) {
		snprintf(error->text, sizeof(error->text),
			"the server speaks an older version than TDS 7.4; refused");
		rc = -EPROTO;
		goto fail;
	}
	rc = session_settle(s, error);
	if (rc)
		goto fail;
	*out = s;
	return 0;
fail:
	error->stage = !s->process  ? SQL_STAGE_LOGIN
		       : !s->proved ? SQL_STAGE_ENCRYPTION
				    : SQL_STAGE_SETTINGS;
	sql_session_close(s);
	return rc;
}

const char *sql_session_unsettled(const struct sql_session *s)
{
	return s->unsettled[0] ? s->unsettled : NULL;
}

void sql_session_limit(struct sql_session *s, unsigned milliseconds)
{
	unsigned seconds = (milliseconds + 999) / 1000;

	s->limit = milliseconds;
	/* The library's own time is for each part of an answer. */
	dbsettime((int)(seconds && seconds < s->read_timeout ? seconds : s->read_timeout));
}

unsigned sql_session_round_trips(const struct sql_session *s)
{
	return s->round_trips;
}

void sql_session_close(struct sql_session *s)
{
	if (!s)
		return;
	s->error = NULL; /* later errors have no reader */
	if (s->process)
		dbclose(s->process);
	if (s->login)
		dbloginfree(s->login);
	if (s->conf >= 0)
		close(s->conf);
	free(s);
}
