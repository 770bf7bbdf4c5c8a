/* A configuration folder of a test's own, with owners and modes as an installation has them. */
#ifndef TESTS_PROGRAM_FIXTURE_H
#define TESTS_PROGRAM_FIXTURE_H

#include "curfew/calendar.h"
#include "curfew/program.h"

#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* Long enough for a key of the journal too. */
#define FIXTURE_SECRET "a secret of the fixture, not a real one"
#define FIXTURE_NOW    ((instant_t)1788220800) /* 2026-09-01T00:00:00Z */

#define FIXTURES "tests/program/"
/* Stands for the test's folder in fixtures and in expected messages. */
#define FOLDER_MARK "@FOLDER@"

/* The caller frees it. */
__attribute__((format(printf, 1, 2))) static inline char *text_make(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	assert_true(vasprintf(&text, format, args) >= 0);
	va_end(args);
	return text;
}

static inline char *text_replace(const char *text, const char *from, const char *to)
{
	size_t size = 0, from_size = strlen(from);
	char *out = NULL;
	FILE *f = open_memstream(&out, &size);

	assert_non_null(f);
	for (const char *hit; (hit = strstr(text, from)); text = hit + from_size) {
		fwrite(text, 1, (size_t)(hit - text), f);
		fputs(to, f);
	}
	fputs(text, f);
	fclose(f);
	return out;
}

static inline char *file_content(const char *path, size_t *size)
{
	FILE *f = fopen(path, "re");
	char *text = calloc(1, 1024 * 1024);

	if (!f)
		fail_msg("cannot read %s: %s; run the tests from the top folder", path,
			strerror(errno));
	assert_non_null(text);
	*size = fread(text, 1, 1024 * 1024 - 1, f);
	fclose(f);
	return text;
}

/* Size counts, not a zero byte: some fixtures hold one. */
static inline void fixture_chmod(const char *folder, const char *name, mode_t mode)
{
	_cleanup_free_ char *path = text_make("%s/%s", folder, name);

	assert_int_equal(chmod(path, mode), 0);
}

/* Size counts, not a zero byte: some fixtures hold one. */
static inline void fixture_write(
	const char *folder, const char *name, const char *text, size_t size)
{
	_cleanup_free_ char *path = text_make("%s/%s", folder, name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	/* Only fixtures without a zero byte name their folder. */
	if (memchr(text, '\0', size)) {
		fwrite(text, 1, size, f);
	} else {
		_cleanup_free_ char *here = text_replace(text, FOLDER_MARK, folder);

		fputs(here, f);
	}
	fclose(f);
	fixture_chmod(folder, name, 0640);
}

static inline void fixture_copy(const char *folder, const char *name)
{
	_cleanup_free_ char *path = text_make(FIXTURES "good/%s", name);
	size_t size;
	_cleanup_free_ char *text = file_content(path, &size);

	fixture_write(folder, name, text, size);
}

static inline void fixture_mkdir(const char *folder, const char *name, mode_t mode)
{
	_cleanup_free_ char *path = text_make("%s/%s", folder, name);

	assert_int_equal(mkdir(path, mode), 0);
}

/* The good configuration in a new folder, which fixture_remove() frees. */
static inline char *fixture_make(void)
{
	const char *scratch = getenv("TMPDIR");
	char *folder = text_make("%s/curfew-program-XXXXXX", scratch ? scratch : "/tmp");

	unsetenv("CREDENTIALS_DIRECTORY");
	assert_non_null(mkdtemp(folder));
	fixture_mkdir(folder, "clients.d", 0750);
	fixture_mkdir(folder, "credentials", 0700);
	fixture_write(folder, "ca.pem", "-----BEGIN CERTIFICATE-----\n", 28);
	fixture_write(
		folder, "credentials/secret", FIXTURE_SECRET "\n", strlen(FIXTURE_SECRET) + 1);
	fixture_chmod(folder, "credentials/secret", 0600);
	fixture_copy(folder, "curfew.conf");
	fixture_copy(folder, "clients.d/acme.conf");
	return folder;
}

static inline int fixture_remove_one(
	const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline void fixture_remove(char *folder)
{
	nftw(folder, fixture_remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(folder);
}

/* Loads the folder's configuration; the messages, which the caller frees, name it by its mark. */
static inline char *fixture_load(
	struct program **out, struct problems *problems, const char *folder, instant_t now)
{
	_cleanup_free_ char *path = text_make("%s/curfew.conf", folder);
	_cleanup_free_ char *slash = text_make("%s/", folder);
	_cleanup_free_ char *shown = NULL;
	char *text = NULL, *marked;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	*out = NULL;
	assert_int_equal(program_load(out, problems, path, now), 0);
	problems_print(problems, f);
	fclose(f);
	shown = text_replace(text, slash, "");
	marked = text_replace(shown, folder, FOLDER_MARK);
	free(text);
	return marked;
}

static inline void fixture_text(const char *folder, const char *name, const char *text)
{
	fixture_write(folder, name, text, strlen(text));
}

static inline instant_t instant_at(const char *text)
{
	instant_t t;

	assert_int_equal(instant_parse(&t, text, "UTC", 0), 0);
	return t;
}

/* That configuration, whatever it says of it. */
static inline struct program *fixture_program(const char *folder, instant_t now)
{
	struct problems problems;
	struct program *p;

	free(fixture_load(&p, &problems, folder, now));
	problems_free(&problems);
	assert_non_null(p);
	return p;
}

#endif
