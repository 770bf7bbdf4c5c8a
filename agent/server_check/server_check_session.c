/* Connects to a server step by step, with one line for each step, so that the failing step is obvious. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "curfew/calendar.h"
#include "server_check/server_check.h"
#include "server_check/tls_expiry.h"

static int connection_wait(int fd, unsigned timeout)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int failed = 0, rc = poll(&p, 1, (int)timeout * 1000);
	socklen_t size = sizeof(failed);

	if (rc <= 0)
		return rc ? -errno : -ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) ? -errno : -failed;
}

/* *out is connected. */
static int address_connect(int *out, const struct addrinfo *a, unsigned timeout)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	int rc = connect(fd, a->ai_addr, a->ai_addrlen) ? -errno : 0;
	if (rc == -EINPROGRESS)
		rc = connection_wait(fd, timeout);
	if (rc)
		close(fd);
	else
		*out = fd;
	return rc;
}

/* *out is connected when the result is 0. */
static int tcp_check(int *out, const struct check_run *c, const struct addrinfo *list)
{
	const struct server *s = c->check->visit.server;
	unsigned timeout = c->check->visit.program->settings.connect_timeout;
	int rc = -EADDRNOTAVAIL;

	for (const struct addrinfo *a = list; a && rc; a = a->ai_next)
		rc = address_connect(out, a, timeout);
	if (rc)
		check_tell(c, CHECK_FAIL, "tcp",
			"the server must listen for TCP/IP on this port, and every firewall in between must allow the agent",
			"port %u does not answer: %s", s->port, strerror(-rc));
	else
		check_tell(c, CHECK_OK, "tcp", NULL, "port %u answers", s->port);
	return rc;
}

/* Whether the certificate outlives what the server is needed for. */
static void certificate_check(const struct check_run *c, int fd)
{
	const struct sql_visit *v = &c->check->visit;
	instant_t at = c->check->needed_until ? c->check->needed_until : (instant_t)time(NULL);
	struct tls_expiry e;
	char until[INSTANT_TEXT_MAX], needed[INSTANT_TEXT_MAX];
	int rc = tls_expiry_read(&e, fd, v->server, v->program->settings.connect_timeout, at);

	if (rc)
		check_tell(c, CHECK_FAIL, "certificate",
			"look at the server's error log, then check again",
			"cannot read the certificate: %s%s%s", strerror(-rc), e.why[0] ? ": " : "",
			e.why);
	else if (!e.valid)
		check_tell(c, CHECK_FAIL, "certificate",
			"renew the certificate, and what ca_file holds of its authority, before that time",
			"valid until %s, and not trusted at %s: %s", instant_format(until, e.until),
			instant_format(needed, at), e.why);
	else
		check_tell(c, CHECK_OK, "certificate", NULL, "valid until %s",
			instant_format(until, e.until));
}

/* *out is connected when the result is 0. */
static int name_check(int *out, const struct check_run *c)
{
	const struct server *s = c->check->visit.server;
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	const char *host = server_check_shown(c->check, "HOST", s->host);
	struct addrinfo *list = NULL;
	char port[8];
	size_t n = 0;

	snprintf(port, sizeof(port), "%u", s->port);
	int rc = getaddrinfo(s->host, port, &hints, &list);
	if (rc) {
		check_tell(c, CHECK_FAIL, "name",
			"correct `host` of this server in curfew.conf, or name resolution on this host",
			"%s: %s", host, gai_strerror(rc));
		return -EHOSTUNREACH;
	}
	for (const struct addrinfo *a = list; a; a = a->ai_next)
		n++;
	check_tell(c, CHECK_OK, "name", NULL, "%s has %zu address%s", host, n, n == 1 ? "" : "es");
	rc = tcp_check(out, c, list);
	freeaddrinfo(list);
	return rc;
}

static void skip(const struct check_run *c, const char *const *names)
{
	for (; *names; names++)
		check_tell(c, CHECK_SKIP, *names, NULL, "not reached");
}

static void tls_tell(const struct check_run *c)
{
	check_tell(c, CHECK_OK, "tls", NULL,
		"TLS 1.2 or newer; the certificate names the host and is signed by the authority in ca_file");
}

/* Reports the failed step; all earlier ones have passed. */
static void failure_tell(const struct check_run *c)
{
	static const char *const names[] = {
		"tls", "encryption", "login", "settings", "certificate", NULL};
	const char *fix =
		"`host` must be the name in the certificate, ca_file must be its CA in PEM format, the certificate must be "
		"valid today, and the server must offer TLS 1.2 or newer";
	char words[RECORD_TEXT_MAX];
	size_t failed = 0;

	check_said(words, c);
	/* The login message is sent inside TLS, so a server error number proves that TLS works. */
	if (c->error.stage != SQL_STAGE_LOGIN || c->error.number) {
		tls_tell(c);
		failed = 1;
	}
	if (c->error.stage == SQL_STAGE_ENCRYPTION)
		fix = "set Force Encryption on the server";
	if (c->error.stage == SQL_STAGE_LOGIN && c->error.number) {
		check_tell(c, CHECK_SKIP, names[1], NULL, "not reached");
		failed = 2;
		fix = "the credential file must hold the password of the agent login (`curfew credential SERVER`), and that login must "
		      "exist (`curfew bootstrap SERVER`) and be enabled";
	}
	if (c->error.stage == SQL_STAGE_SETTINGS) {
		check_tell(
			c, CHECK_OK, "encryption", NULL, "all data after the login is encrypted");
		check_tell(c, CHECK_OK, "login", NULL, "the agent login is accepted");
		failed = 3;
		fix = "a DBA must find what changes the session: `user options`, a logon trigger, or a proxy";
	}
	check_tell(c, CHECK_FAIL, names[failed], fix, "%s", words);
	skip(c, names + failed + 1);
}

static void success_tell(const struct check_run *c)
{
	const char *unsettled = sql_session_unsettled(c->session);

	tls_tell(c);
	check_tell(c, CHECK_OK, "encryption", NULL, "all data after the login is encrypted");
	check_tell(c, CHECK_OK, "login", NULL, "the agent login is accepted");
	if (unsettled)
		check_tell(c, CHECK_FAIL, "settings",
			"nothing is verified on a server that does not return its session options",
			"cannot be read back: %s",
			server_check_shown(c->check, "an option of the session", unsettled));
	else
		check_tell(c, CHECK_OK, "settings", NULL,
			"SET options, lock timeout, language, database, and name encoding are as requested; no open "
			"transaction");
}

int check_session_open(struct check_run *c)
{
	static const char *const after[] = {
		"tls", "encryption", "login", "settings", "certificate", NULL};
	const struct sql_visit *v = &c->check->visit;
	int fd = -1, rc = name_check(&fd, c);

	if (rc) {
		skip(c, after);
		return rc;
	}
	const struct sql_session_options o = {.host = v->server->host,
		.port = v->server->port,
		.ca_file = v->server->ca_file,
		.login = v->server->login,
		.password = v->password,
		.connect_timeout = v->program->settings.connect_timeout,
		.read_timeout = v->program->settings.server_deadline};
	rc = sql_session_open(&c->session, &c->error, &o);
	if (rc) {
		failure_tell(c);
	} else {
		success_tell(c);
		certificate_check(c, fd);
	}
	close(fd);
	return rc;
}
