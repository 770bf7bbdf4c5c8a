/* Edits of a client file's text, for all edits of files laid out at random: this side knows where it put everything. */
#include "program/edit.h"
#include "program/edit_check.h"
#include "curfew/text.h"

#include "random.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <libconfig.h>

struct spot {
	size_t begin, end; /* of a value or an element */
};
struct laid {
	struct text text;
	struct prng random;
	unsigned comments;
	struct spot dates[3];
	struct spot users[3];
	struct spot sources[3][4];
	size_t n_users, n_sources[3];
	bool missing[3];
};

static size_t laid_size(struct laid *l)
{
	fflush(l->text.to);
	return l->text.size;
}

static unsigned pick(struct laid *l, unsigned n)
{
	return (unsigned)(prng_next(&l->random) % n);
}

/* Blanks, newlines and comments, or nothing. */
static void gap(struct laid *l)
{
	static const char *const blanks[] = {"", " ", "\t", "\n", "\n\t\t", "  "};

	for (unsigned n = pick(l, 3); n > 0; n--) {
		unsigned kind = pick(l, 12);

		fputs(blanks[pick(l, 6)], l->text.to);
		if (kind == 0)
			fprintf(l->text.to, "# c%u; \"} ) = \n", l->comments++);
		else if (kind == 1)
			fprintf(l->text.to, "/* c%u users = ( \n */", l->comments++);
		else if (kind == 2)
			fprintf(l->text.to, "// go_live = \"c%u\";\n", l->comments++);
	}
}

static void word(struct laid *l, const char *text)
{
	fputs(text, l->text.to);
	gap(l);
}

static void setting_begin(struct laid *l, const char *name)
{
	word(l, name);
	word(l, pick(l, 4) ? "=" : ":");
}

static void setting_end(struct laid *l)
{
	word(l, pick(l, 8) ? ";" : ",");
}

static void string_lay(struct laid *l, struct spot *out, const char *text)
{
	out->begin = laid_size(l);
	fprintf(l->text.to, "\"%s\"", text);
	out->end = laid_size(l);
}

static void user_lay(struct laid *l, size_t u)
{
	char address[32];
	struct spot ignored;
	bool array = pick(l, 2);

	l->users[u].begin = laid_size(l);
	word(l, "{");
	setting_begin(l, "first");
	string_lay(l, &ignored, "J \\\" # } ,");
	gap(l);
	setting_end(l);
	setting_begin(l, "sources");
	word(l, array ? "[" : "(");
	l->n_sources[u] = 1 + pick(l, 4);
	for (size_t i = 0; i < l->n_sources[u]; i++) {
		snprintf(address, sizeof(address), "203.0.113.%zu%zu", u, i);
		string_lay(l, &l->sources[u][i], address);
		gap(l);
		if (i + 1 < l->n_sources[u])
			word(l, ",");
	}
	word(l, array ? "]" : ")");
	setting_end(l);
	fputs("}", l->text.to);
	l->users[u].end = laid_size(l);
}

static const char *const date_names[3] = {"starts", "go_live", "staging_until"};

static char *file_lay(struct laid *l, struct prng random)
{
	*l = (struct laid){.random = random};
	assert_non_null(text_begin(&l->text));
	gap(l);
	setting_begin(l, "client");
	word(l, "{");
	for (size_t i = 0; i < 3; i++) {
		l->missing[i] = i > 0 && !pick(l, 3);
		if (l->missing[i])
			continue;
		setting_begin(l, date_names[i]);
		string_lay(l, &l->dates[i], "2026-08-10");
		gap(l);
		setting_end(l);
	}
	setting_begin(l, "users");
	word(l, "(");
	l->n_users = 1 + pick(l, 3);
	for (size_t i = 0; i < l->n_users; i++) {
		user_lay(l, i);
		gap(l);
		if (i + 1 < l->n_users)
			word(l, ",");
	}
	word(l, ")");
	setting_end(l);
	word(l, "}");
	setting_end(l);
	return text_end(&l->text);
}

/* Without blanks and what stands between values. */
static char *bare(const char *text)
{
	char *out = strdup(text), *to = out;

	assert_non_null(out);
	for (; *text; text++)
		if (!strchr(" \t\r\n,;", *text))
			*to++ = *text;
	*to = '\0';
	return out;
}

/* Exactly: the text with [begin, end) exchanged. */
static void assert_exchanged(const char *text, const char *out, struct spot s, const char *value)
{
	size_t n = strlen(value);

	if (strncmp(text, out, s.begin) != 0 || strncmp(out + s.begin, value, n) != 0 ||
		strcmp(out + s.begin + n, text + s.end) != 0)
		fail_msg("<<%s>> became <<%s>>", text, out);
}

/* Nothing is gone but that place and what separates it from others. */
static void assert_gone(const char *text, const char *out, struct spot s)
{
	_cleanup_free_ char *cut = NULL, *a = NULL, *b = bare(out);

	assert_true(asprintf(&cut, "%.*s%s", (int)s.begin, text, text + s.end) >= 0);
	a = bare(cut);
	if (!streq(a, b) || strlen(out) > strlen(cut))
		fail_msg("<<%s>> became <<%s>>", text, out);
}

/* All of it is there still, and besides only what was put in, with what separates it. */
static void assert_put_in(const char *text, const char *out, const char *put)
{
	_cleanup_free_ char *a = bare(text), *b = bare(out), *new = bare(put);
	size_t n = strlen(new), at = 0;

	/* Where they part is the place, give or take what it has in common with its neighbors. */
	while (a[at] && a[at] == b[at])
		at++;
	for (;; at--) {
		if (!strncmp(b + at, new, n) && !strcmp(b + at + n, a + at))
			break;
		if (at == 0)
			fail_msg("<<%s>> became <<%s>>", text, out);
	}
	/* In order, with each of its blanks. */
	for (const char *t = out; *text; text++, t++) {
		t = strchr(t, *text);
		if (!t)
			fail_msg("a character is gone: <<%s>>", out);
	}
}

static void dates_edit(struct laid *l, const char *text)
{
	for (size_t i = 0; i < 3; i++) {
		char *out = NULL, put[64];
		struct edit e = {EDIT_SET, "client", date_names[i], "starts", 0, "\"2027-01-02\""};

		assert_int_equal(edit_apply(&out, text, &e), 0);
		snprintf(put, sizeof(put), "%s=\"2027-01-02\"", date_names[i]);
		if (l->missing[i])
			assert_put_in(text, out, put);
		else
			assert_exchanged(text, out, l->dates[i], e.value);
		free(out);
		out = NULL;
		e = (struct edit){EDIT_UNSET, "client", date_names[i], NULL, 0, NULL};
		assert_int_equal(edit_apply(&out, text, &e), 0);
		if (l->missing[i])
			assert_string_equal(out, text);
		free(out);
	}
}

static void users_edit(struct laid *l, const char *text)
{
	for (size_t u = 0; u < l->n_users; u++) {
		char path[64], *out = NULL;
		const char *person = "{ first = \"New\"; sources = ( \"192.0.2.9\" ); }";

		assert_int_equal(edit_apply(&out, text,
					 &(struct edit){EDIT_REPLACE, "client.users", NULL, NULL, u,
						 person}),
			0);
		assert_exchanged(text, out, l->users[u], person);
		free(out);
		assert_int_equal(
			edit_apply(&out, text,
				&(struct edit){EDIT_REMOVE, "client.users", NULL, NULL, u, NULL}),
			0);
		assert_gone(text, out, l->users[u]);
		free(out);
		snprintf(path, sizeof(path), "client.users.[%zu].sources", u);
		assert_int_equal(
			edit_apply(&out, text,
				&(struct edit){EDIT_ADD, path, NULL, NULL, 0, "\"192.0.2.9\""}),
			0);
		assert_put_in(text, out, "\"192.0.2.9\"");
		free(out);
		for (size_t i = 0; i < l->n_sources[u]; i++) {
			assert_int_equal(
				edit_apply(&out, text,
					&(struct edit){EDIT_REMOVE, path, NULL, NULL, i, NULL}),
				0);
			assert_gone(text, out, l->sources[u][i]);
			free(out);
		}
	}
}

static void test_every_edit_leaves_the_rest(void **state)
{
	const unsigned n = cases_wanted(3000);
	struct prng random = prng_start();

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		struct laid l;
		_cleanup_free_ char *text = file_lay(&l, (struct prng){prng_next(&random)});
		config_t c;

		assert_non_null(text);
		config_init(&c);
		/* Else the generator is wrong, and nothing would be tried. */
		if (!config_read_string(&c, text))
			fail_msg("no configuration: <<%s>>", text);
		config_destroy(&c);
		dates_edit(&l, text);
		users_edit(&l, text);
	}
}

/* Whatever is in a file, the answer is an error or a text that was read again: never a crash. */
static void test_hostile_files_are_refused(void **state)
{
	static const char *const edges[] = {"\"", "\\", "/*", "*/", "{", "}", "(", ")", "#", "\n",
		"=", ",", ";", "\xff", "@include \"x\"\n"};
	struct prng random = prng_start();

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		struct laid l;
		_cleanup_free_ char *text = file_lay(&l, (struct prng){prng_next(&random)}),
				    *bad = NULL, *out = NULL;
		size_t at = prng_next(&random) % strlen(text);
		size_t skip = prng_next(&random) % 4;

		skip = skip > strlen(text + at) ? 0 : skip;
		assert_true(asprintf(&bad, "%.*s%s%s", (int)at, text,
				    edges[prng_next(&random) % ARRAY_SIZE(edges)],
				    text + at + skip) >= 0);
		const struct edit e = {
			EDIT_ADD, "client.users.[0].sources", NULL, NULL, 0, "\"192.0.2.9\""};
		int r = edit_apply(&out, bad, &e);
		if (r == 0)
			assert_int_equal(edit_check(bad, out, &e), 0);
		else
			assert_true(r == -EINVAL || r == -ENOENT || r == -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_edit_leaves_the_rest),
		cmocka_unit_test(test_hostile_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
