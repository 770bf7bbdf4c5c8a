/* A session over FreeTDS db-lib with its traps closed.
 *
 * Nothing of the user's or the system's FreeTDS settings counts: a private configuration in memory names the one server,
 * requires encryption, verifies the certificate against the host's name and pins TDS 7.4. `require` alone can be talked
 * down to a login in TLS and the rest in clear, so the first answer's first byte is looked at on the socket before
 * anything secret is sent. A session that timed out is never used again. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <sybdb.h>

#include "sql/session_failure.h"

/* FreeTDS cuts longer lines of its configuration without a word. */
#define CONF_LINE_MAX	   255
#define TLS_RECORD_DATA	   0x17
#define SEVERITY_ERROR_MIN 11 /* below are messages for information */
#define DATABASE_CHANGED   5701
#define LANGUAGE_CHANGED   5703

struct sql_session {
	DBPROCESS *process;
	LOGINREC *login;
	int conf; /* memory file that the library reads */
	bool proved;
	bool dead;
	unsigned round_trips;
	unsigned read_timeout;
	struct sql_error *error; /* where the handlers write */
};

/* db-lib's handlers get no context while dbopen() runs: this is it, for that call alone. */
static struct sql_error *opening;

static void error_note(struct sql_error *e, int number, int severity, const char *text)
{
	/* The worst one is told; of equals, the first: what follows is its consequence. */
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

/* The library's own handler would end the process. */
static int on_error(
	DBPROCESS *p, int severity, int number, int os_number, char *text, char *os_text)
{
	struct sql_session *s = p ? (struct sql_session *)dbgetuserdata(p) : NULL;
	struct sql_error *e = s ? s->error : opening;

	(void)severity, (void)os_text;
	if (number == SYBESMSG)
		return INT_CANCEL; /* "check messages": they were told already */
	if (e && !e->os_error) {
		e->library = number;
		e->os_error = number == SYBETIME ? -ETIMEDOUT
			      : os_number > 0	 ? -os_number
						 : -ECONNRESET;
		if (!e->number)
			snprintf(e->text, sizeof(e->text), "%s", text ? text : "connection failed");
	}
	if (s)
		s->dead = true;
	return INT_CANCEL;
}

/* Settings of other programs that FreeTDS would listen to; TDSDUMP would even write the password to a file. */
static void environment_clear(void)
{
	static const char *const names[] = {"FREETDSCONF", "FREETDS", "TDSVER", "TDSHOST",
		"TDSPORT", "TDSQUERY", "DSQUERY", "TDSDUMP", "TDSDUMPCONFIG"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unsetenv(names[i]);
}

static int conf_line(FILE *to, const char *key, const char *value)
{
	if (strlen(key) + strlen(value) + 4 > CONF_LINE_MAX || strpbrk(value, "\r\n"))
		return -ENAMETOOLONG;
	fprintf(to, "%s = %s\n", key, value);
	return 0;
}

#define CONF_SECTION "curfew-server"

/* The private configuration: one section, kept in memory, found by the library through /proc/self/fd. */
static int conf_write(int *out, const struct sql_session_options *o)
{
	_cleanup_fclose_ FILE *to = NULL;
	char port[8];
	int rc, fd = memfd_create("curfew-freetds", MFD_CLOEXEC), copy;

	if (fd < 0)
		return -errno;
	copy = dup(fd);
	to = copy < 0 ? NULL : fdopen(copy, "w");
	if (!to) {
		rc = -errno;
		goto fail;
	}
	snprintf(port, sizeof(port), "%u", o->port);
	fputs("[" CONF_SECTION "]\n", to);
	rc = conf_line(to, "host", o->host);
	if (!rc)
		rc = conf_line(to, "port", port);
	if (!rc)
		rc = conf_line(to, "tds version", "7.4");
	if (!rc)
		rc = conf_line(to, "encryption", "require");
	if (!rc)
		rc = conf_line(to, "ca file", o->ca_file);
	if (!rc)
		rc = conf_line(to, "check certificate hostname", "yes");
	if (!rc)
		rc = conf_line(to, "client charset", "UTF-8");
	if (!rc && fflush(to))
		rc = -EIO;
	if (rc)
		goto fail;
	*out = fd;
	return 0;
fail:
	close(fd);
	return rc;
}

static int login_make(LOGINREC **out, const struct sql_session_options *o)
{
	LOGINREC *l = dblogin();

	if (!l)
		return -ENOMEM;
	if (DBSETLUSER(l, o->login) == FAIL || DBSETLPWD(l, o->password) == FAIL ||
		DBSETLAPP(l, "curfew") == FAIL || DBSETLCHARSET(l, "UTF-8") == FAIL ||
		dbsetlversion(l, DBVERSION_74) == FAIL) {
		dbloginfree(l);
		return -ENAMETOOLONG;
	}
	*out = l;
	return 0;
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
	/* After dbinit(), which sets the library's own. */
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
	rc = conf_write(&s->conf, o);
	if (!rc)
		rc = login_make(&s->login, o);
	if (rc) {
		snprintf(error->text, sizeof(error->text), "%s",
			rc == -ENAMETOOLONG ? "host, ca_file or login is too long for FreeTDS"
					    : strerror(-rc));
		goto fail;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->conf);
	dbsetifile(path);
	dbsetlogintime((int)o->connect_timeout);
	dbsettime((int)o->read_timeout);
	opening = error;
	s->process = dbopen(s->login, CONF_SECTION);
	opening = NULL;
	if (!s->process) {
		rc = session_failure(error, o);
		goto fail;
	}
	dbsetuserdata(s->process, (BYTE *)s);
	if (dbtds(s->process) != DBTDS_7_4) {
		snprintf(error->text, sizeof(error->text),
			"the server speaks an older TDS than 7.4: refused");
		rc = -EPROTO;
		goto fail;
	}
	*out = s;
	return 0;
fail:
	sql_session_close(s);
	return rc;
}

/* Waits for the first byte of the first answer, without taking it: a TLS record of data, or the session is in clear. */
static int encryption_prove(struct sql_session *s, struct sql_error *error)
{
	struct pollfd p = {.fd = dbiordesc(s->process), .events = POLLIN};
	unsigned char first;
	int rc = poll(&p, 1, (int)s->read_timeout * 1000);

	if (rc < 0 && errno != EINTR)
		return -errno;
	if (rc <= 0) {
		snprintf(
			error->text, sizeof(error->text), "no answer within %u s", s->read_timeout);
		return -ETIMEDOUT;
	}
	if (recv(p.fd, &first, 1, MSG_PEEK) != 1) {
		snprintf(error->text, sizeof(error->text), "connection closed by the server");
		return -ECONNRESET;
	}
	if (first != TLS_RECORD_DATA) {
		snprintf(error->text, sizeof(error->text),
			"the server answered in clear after the login: refused; set the server to force encryption");
		return -EPROTO;
	}
	s->proved = true;
	return 0;
}

#define MAX_COLUMNS 32

/* One row's values as text or raw bytes. Conversions are kept in `room` until the row is told. */
static int row_tell(struct sql_session *s, sql_row_fn each, void *context)
{
	struct sql_value values[MAX_COLUMNS];
	char *room[MAX_COLUMNS] = {0};
	int n = dbnumcols(s->process), rc = 0;

	if (n > MAX_COLUMNS)
		return -EMSGSIZE;
	for (int i = 0; i < n && !rc; i++) {
		const BYTE *data = dbdata(s->process, i + 1);
		DBINT size = dbdatlen(s->process, i + 1);
		int type = dbcoltype(s->process, i + 1);
		values[i] = (struct sql_value){0};
		if (!data)
			continue;
		bool binary = type == SYBVARBINARY || type == SYBBINARY || type == SYBIMAGE;
		/* The longest text of a number or date is far below this. */
		size_t max = binary || type == SYBCHAR || type == SYBVARCHAR || type == SYBTEXT
				     ? (size_t)size
				     : 64;
		room[i] = malloc(max + 1);
		if (!room[i]) {
			rc = -ENOMEM;
			break;
		}
		DBINT got = size;
		if (max == (size_t)size)
			memcpy(room[i], data, max);
		else
			got = dbconvert(s->process, type, data, size, SYBCHAR, (BYTE *)room[i], 64);
		if (got < 0) {
			rc = -EBADMSG;
			break;
		}
		room[i][got] = '\0';
		values[i] = (struct sql_value){.data = room[i], .size = (size_t)got};
	}
	if (!rc)
		rc = each(context, values, n);
	for (int i = 0; i < n; i++)
		free(room[i]);
	return rc;
}

/* Reads to the end whatever happens: a batch can go on after an error. */
static int answer_read(struct sql_session *s, sql_row_fn each, void *context)
{
	RETCODE more;
	int rc = 0;

	while ((more = dbresults(s->process)) != NO_MORE_RESULTS) {
		if (s->dead)
			return -ECONNRESET;
		if (more == FAIL)
			continue;
		STATUS row;
		while ((row = dbnextrow(s->process)) != NO_MORE_ROWS) {
			if (row == FAIL || s->dead)
				break;
			if (!rc && each)
				rc = row_tell(s, each, context);
		}
		if (s->dead)
			return -ECONNRESET;
	}
	return s->dead ? -ECONNRESET : rc;
}

int sql_session_run(struct sql_session *s, struct sql_error *error, const char *batch,
	sql_row_fn each, void *context)
{
	int rc = 0;

	*error = (struct sql_error){0};
	if (s->dead)
		return -ENOTCONN;
	s->error = error;
	s->round_trips++;
	dbfreebuf(s->process);
	if (dbcmd(s->process, batch) == FAIL || dbsqlsend(s->process) == FAIL)
		rc = s->dead ? -ECONNRESET : -EIO;
	if (!rc && !s->proved)
		rc = encryption_prove(s, error);
	/* dbsqlok() fails on an error in the answer too: the rest is still to be read. */
	if (!rc) {
		dbsqlok(s->process);
		rc = answer_read(s, each, context);
	}
	dbfreebuf(s->process);
	s->error = NULL;
	if (rc == -ECONNRESET && error->os_error)
		rc = error->os_error;
	if (rc < 0 && rc != -ENOMEM && rc != -EBADMSG) {
		/* A session in an unknown state is not used again. */
		if (!error->text[0])
			snprintf(error->text, sizeof(error->text), "%s", strerror(-rc));
		error->os_error = rc;
		s->dead = true;
		return rc;
	}
	return rc ? rc : error->number ? SQL_SERVER_ERROR : 0;
}

unsigned sql_session_round_trips(const struct sql_session *s)
{
	return s->round_trips;
}

void sql_session_close(struct sql_session *s)
{
	if (!s)
		return;
	s->error = NULL; /* nobody asks any more what went wrong */
	if (s->process)
		dbclose(s->process);
	if (s->login)
		dbloginfree(s->login);
	if (s->conf >= 0)
		close(s->conf);
	free(s);
}
