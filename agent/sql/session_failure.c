/* Why a session could not be opened. FreeTDS reports every TLS fault with the same sentence. So known causes are
 * checked before connecting, and for the rest the message lists all requirements. */
#include "sql/session_failure.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sybdb.h>

#include "curfew/certificate.h"

static int ca_file_unread(struct sql_error *error, const char *path, int rc)
{
	if (rc == -EACCES || rc == -EPERM)
		snprintf(error->text, sizeof(error->text),
			"this process cannot read ca_file %s: %s; set mode 0644 on the file and 0755 on every directory "
			"above it, because the service runs as user curfew",
			path, strerror(-rc));
	else
		snprintf(error->text, sizeof(error->text),
			"this process cannot read ca_file %s: %s; save the CA certificate there",
			path, strerror(-rc));
	return rc;
}

int ca_file_check(struct sql_error *error, const char *path)
{
	_cleanup_fclose_ FILE *from = NULL;
	_cleanup_free_ char *line = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t size = 0;
	bool found = false;
	struct stat st;

	if (fd < 0)
		return ca_file_unread(error, path, -errno);
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		close(fd);
		snprintf(
			error->text, sizeof(error->text), "ca_file %s is not a regular file", path);
		return -EINVAL;
	}
	from = fdopen(fd, "r");
	if (!from) {
		int rc = -errno;
		close(fd);
		return ca_file_unread(error, path, rc);
	}
	while (!found && getline(&line, &size, from) >= 0)
		found = certificate_begins(line);
	if (ferror(from))
		return ca_file_unread(error, path, -EIO);
	if (found)
		return 0;
	snprintf(error->text, sizeof(error->text),
		"ca_file %s contains no certificate (-----BEGIN CERTIFICATE-----); convert it to PEM",
		path);
	return -EINVAL;
}

/* The server's own login error is the best text. */
static int login_refused(const struct sql_error *e)
{
	switch (e->number) {
	case 18456: /* wrong name or password */
	case 18470: /* disabled */
	case 18486: /* locked */
	case 18487: /* expired */
	case 18488: /* must change */
	case 4060:
	case 4064:
		return -EACCES;
	}
	return e->os_error ? e->os_error : -ECONNREFUSED;
}

int session_failure(struct sql_error *e, const struct sql_session_options *o)
{
	/* Cut the section name of the private configuration, which means nothing to a reader. */
	char *section = strstr(e->text, " (");
	char words[RECORD_TEXT_MAX];

	if (e->number)
		return login_refused(e);
	switch (e->library) {
	case SYBETIME:
		snprintf(e->text, sizeof(e->text), "did not answer within %u seconds: %s port %u",
			o->connect_timeout, o->host, o->port);
		return -ETIMEDOUT;
	case SYBECONN:
		snprintf(e->text, sizeof(e->text), "cannot connect to %s port %u: %s", o->host,
			o->port, strerror(-e->os_error));
		return e->os_error;
	case SYBESEOF:
		snprintf(e->text, sizeof(e->text),
			"%s port %u closed the connection before it answered the login: it must speak TDS 7.4 (SQL Server "
			"2012 or newer) inside TLS 1.2",
			o->host, o->port);
		return -EPROTO;
	case SYBEFCON:
	case SYBEPWD:
		/* Connected, but no message from the server: TLS failed. */
		snprintf(e->text, sizeof(e->text),
			"no TLS session with %s port %u: its certificate must be valid now, name %s and be signed by the "
			"authority in %s; the server must offer TLS 1.2 or newer",
			o->host, o->port, o->host, o->ca_file);
		return -EPROTO;
	default:
		snprintf(words, sizeof(words), "%.*s: %.255s port %u",
			section ? (int)(section - e->text) : 200, e->text, o->host, o->port);
		memcpy(e->text, words, sizeof(words));
		return e->os_error ? e->os_error : -ECONNREFUSED;
	}
}
