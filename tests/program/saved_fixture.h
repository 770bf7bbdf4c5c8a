/* An installation with two generations of last known good versions. */
#ifndef TESTS_PROGRAM_SAVED_FIXTURE_H
#define TESTS_PROGRAM_SAVED_FIXTURE_H

#include "fixture.h"

#include "curfew/last_good.h"
#include "program/saved.h"

static const char SAVED_CLIENT[] =
	"client = { name = \"c%02d\"; ticket = \"CS-%d\"; approved_by = \"a\"; approved_on = \"2026-08-03\";\n"
	" starts = \"2026-08-10\"; testing_until = \"2027-01-01\";\n"
	" databases = ( { role = \"staging\"; server = \"sqltest02\"; name = \"Db%02d\"; } );\n"
	" users = ( { first = \"Jane\"; last = \"Doe\"; email = \"jane@c%02d.example\"; sources = ( \"198.51.100.%d\" ); } );\n"
	"};\n";

static inline void saved_clients_write(const char *folder, int n, int ticket)
{
	for (int i = 0; i < n; i++) {
		_cleanup_free_ char *name = text_make("clients.d/c%02d.conf", i);
		_cleanup_free_ char *text = text_make(SAVED_CLIENT, i, ticket, i, i, i + 1);

		fixture_text(folder, name, text);
	}
}

static inline int saved_save(const char *folder, const struct last_good *g)
{
	_cleanup_free_ char *file = text_make("%s/curfew.conf", folder);
	struct program *p = fixture_program(folder, FIXTURE_NOW);
	struct strings none = {0};
	int rc = last_good_save(g, p, &none, file);

	program_free(p);
	return rc;
}

/* Its state directory is the installation's folder. */
static inline char *saved_make(struct last_good *g)
{
	char *folder = fixture_make();

	assert_int_equal(last_good_locate(g, folder), 0);
	return folder;
}

static inline void saved_remove(char *folder, struct last_good *g)
{
	last_good_free(g);
	fixture_remove(folder);
}

static inline char *saved_path(const struct last_good *g, const char *name)
{
	return text_make("%s/%s", g->folder, name);
}

static inline void saved_shell(const char *command)
{
	assert_int_equal(
		system(command), 0); /* NOLINT(cert-env33-c): in a folder that this test made */
}

/* What a generation holds. */
struct held {
	size_t n;
	char *names[8], *texts[8];
};

static inline struct held held_read(const struct saved *s)
{
	struct held h = {.n = s->base.index.n};
	size_t size;

	assert_true(h.n <= ARRAY_SIZE(h.names));
	for (size_t i = 0; i < h.n; i++) {
		h.names[i] = strdup(s->base.index.items[i].name);
		assert_non_null(h.names[i]);
		assert_true(saved_read(&h.texts[i], &size, s, h.names[i]) >= 0);
	}
	return h;
}

static inline struct held held_open(const struct last_good *g)
{
	struct saved *s;

	assert_int_equal(saved_open(&s, g->folder), 0);
	struct held h = held_read(s);
	saved_close(s);
	return h;
}

static inline bool held_equal(const struct held *a, const struct held *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; i < a->n && same; i++)
		same = streq(a->names[i], b->names[i]) && streq(a->texts[i], b->texts[i]);
	return same;
}

static inline void held_free(struct held *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->names[i]);
		free(h->texts[i]);
	}
}

#endif
