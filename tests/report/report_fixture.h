/* A small program with a client in every stage, and what a report prints caught as text. */
#ifndef TESTS_REPORT_FIXTURE_H
#define TESTS_REPORT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <sys/socket.h>

#include "curfew/report.h"

#define GO_LIVE	   1795446000 /* 2026-11-23T15:00:00Z, 09:00 in Chicago */
#define GOLDEN_NOW (GO_LIVE - 12 * DAY)
#define HOSTILE	   "</td><script>alert('x')</script>&\"\xe2\x80\xae\x1b[31m"

struct report_fixture {
	struct program program;
	struct server servers[2];
	struct client clients[3];
	struct database databases[3][2];
	struct user users[3][2];
	struct source sources[3];
};

static inline void sample_source(struct source *s, const char *address, uint8_t prefix)
{
	s->family = strchr(address, ':') ? AF_INET6 : AF_INET;
	s->prefix = prefix;
	assert_int_equal(inet_pton(s->family, address, s->addr), 1);
}

static inline void sample_client(struct report_fixture *s, size_t i, const char *name,
	const char *first, const char *last, const char *login, const char *email,
	instant_t go_live)
{
	struct client *c = &s->clients[i];

	s->databases[i][0] = (struct database){.role = ROLE_PRODUCTION,
		.server = 0,
		.name = (char *)"AcmeProd",
		.before_go_live = LEVEL_NONE};
	s->databases[i][1] = (struct database){.role = ROLE_STAGING,
		.server = 1,
		.name = (char *)"AcmeTest",
		.before_go_live = LEVEL_FULL};
	s->users[i][0] = (struct user){.first = (char *)first,
		.last = (char *)last,
		.login = (char *)login,
		.email = (char *)email,
		.sources = s->sources,
		.n_sources = 3};
	*c = (struct client){.name = (char *)name,
		.ticket = (char *)"CS-48211",
		.approved_by = (char *)"lead@host.example",
		.timezone = (char *)"America/Chicago",
		.approved = GO_LIVE - 112 * DAY,
		.starts = GO_LIVE - 105 * DAY,
		.has_go_live = go_live != 0,
		.go_live = go_live,
		.testing_end = GO_LIVE + 75 * DAY,
		.databases = s->databases[i],
		.n_databases = 2,
		.users = s->users[i],
		.n_users = 1};
	if (go_live) {
		c->staging_end = go_live + 14 * DAY;
		c->end = go_live + 30 * DAY;
	} else {
		c->end = c->testing_end;
	}
}

static inline struct report_fixture *sample_new(void)
{
	struct report_fixture *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->servers[0] = (struct server){
		.name = (char *)"sql07", .host = (char *)"sql07.host.example", .port = 1433};
	s->servers[1] = (struct server){.name = (char *)"sqltest02",
		.host = (char *)"sqltest02.host.example",
		.port = 1433};
	sample_source(&s->sources[0], "203.0.113.7", 32);
	sample_source(&s->sources[1], "198.51.100.0", 29);
	sample_source(&s->sources[2], "2001:db8:7::", 64);
	sample_client(
		s, 0, "acme", "Jane", "Doe", "acme.jane.doe", "jane.doe@acme.example", GO_LIVE);
	sample_client(s, 1, "lumen", "Zo\xc3\xab", "\xc3\x85ngstr\xc3\xb6m", "lumen.zoe.angstroem",
		"zoe@lumen.example", 0);
	sample_client(s, 2, HOSTILE, "<b>Bobby</b>", "Tables'; DROP", HOSTILE,
		"x\"onmouseover=\"alert(1)@x", GO_LIVE - 20 * DAY);
	s->program = (struct program){
		.servers = s->servers, .n_servers = 2, .clients = s->clients, .n_clients = 3};
	s->program.settings.firewall.enabled = true;
	return s;
}

/* What `call` prints to the stream `to`. */
#define CAPTURED(text, call)                                                                       \
	do {                                                                                       \
		size_t captured_size;                                                              \
		FILE *to = open_memstream(&(text), &captured_size);                                \
		assert_non_null(to);                                                               \
		assert_int_equal((call), 0);                                                       \
		assert_int_equal(fclose(to), 0);                                                   \
	} while (0)

/* Compares with tests/report/golden/NAME; with CURFEW_GOLDEN=write in the environment writes it instead. */
static inline void assert_golden(const char *name, const char *text)
{
	char path[256], *expected;
	const char *mode = getenv("CURFEW_GOLDEN");
	FILE *f;
	long size;

	snprintf(path, sizeof(path), "tests/report/golden/%s", name);
	if (mode && strcmp(mode, "write") == 0) {
		f = fopen(path, "w");
		assert_non_null(f);
		assert_true(fputs(text, f) >= 0);
		assert_int_equal(fclose(f), 0);
		return;
	}
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s: cannot be read; run from the top of the tree", path);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	size = ftell(f);
	rewind(f);
	expected = calloc(1, (size_t)size + 1);
	assert_non_null(expected);
	assert_int_equal(fread(expected, 1, (size_t)size, f), size);
	fclose(f);
	if (strcmp(expected, text) != 0)
		fail_msg("differs from %s:\n%s", path, text);
	free(expected);
}

/* Nothing of a hostile name may stand as markup, and no control or turning mark as itself. */
static inline void assert_harmless(const char *page)
{
	assert_null(strstr(page, "<script"));
	assert_null(strstr(page, "</td><script"));
	assert_null(strstr(page, "<b>Bobby"));
	assert_null(strstr(page, "\"onmouseover"));
	assert_null(strchr(page, '\x1b'));
	assert_null(strstr(page, "\xe2\x80\xae"));
}

#endif
