/* A journal in a folder of its own for each test, and the same file through plain SQLite. */
#ifndef TESTS_JOURNAL_FIXTURE_H
#define TESTS_JOURNAL_FIXTURE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <unistd.h>

#include "curfew/journal.h"
#include "journal/database.h"

struct fixture {
	char folder[64];
	char path[96];
	struct journal *j;
};

struct collected {
	struct journal_entry *items;
	size_t n;
};

static inline char *copy_or_null(const char *s)
{
	return s ? strdup(s) : NULL;
}

static inline int collect(void *context, const struct journal_entry *e)
{
	struct collected *c = context;
	struct journal_entry *i;

	c->items = reallocarray(c->items, c->n + 1, sizeof(*c->items));
	assert_non_null(c->items);
	i = &c->items[c->n++];
	*i = *e;
	for (size_t n = 0; n < n_record_columns; n++) {
		char **field = (char **)(void *)((char *)i + record_columns[n].offset);

		if (record_columns[n].type == COLUMN_TEXT)
			*field = copy_or_null(*field);
	}
	return 0;
}

static inline void collected_free(struct collected *c)
{
	for (size_t k = 0; k < c->n; k++)
		for (size_t n = 0; n < n_record_columns; n++)
			if (record_columns[n].type == COLUMN_TEXT)
				free(*(char **)(void *)((char *)&c->items[k] +
							record_columns[n].offset));
	free(c->items);
	*c = (struct collected){0};
}

static inline void write_intent(struct journal *j, const char *client, instant_t at)
{
	assert_int_equal(journal_write(NULL, j,
				 &(struct journal_entry){.kind = JOURNAL_INTENT,
					 .client = client,
					 .at = at,
					 .action = "login-create",
					 .statement = "CREATE LOGIN [x]"}),
		0);
}

static inline void write_outcome(struct journal *j, int64_t intent, instant_t at)
{
	assert_int_equal(journal_write(NULL, j,
				 &(struct journal_entry){.kind = JOURNAL_OUTCOME,
					 .intent = intent,
					 .at = at,
					 .outcome = "done"}),
		0);
}

static inline void write_access(struct journal *j, const char *client, const char *login,
	const char *database, enum level level, instant_t at, instant_t until)
{
	assert_int_equal(journal_write(NULL, j,
				 &(struct journal_entry){.kind = JOURNAL_ACCESS,
					 .client = client,
					 .login = login,
					 .server = "sql07",
					 .database = database,
					 .level = level_name(level),
					 .at = at,
					 .until = until,
					 .sources = "203.0.113.7"}),
		0);
}

/* What somebody with plain SQLite and the right to write can do. */
static inline void sql(const char *path, const char *statement)
{
	sqlite3 *db;
	char *error = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, statement, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", statement, error);
	sqlite3_close(db);
}

static inline int64_t sql_number(const char *path, const char *query)
{
	sqlite3 *db;
	sqlite3_stmt *s;
	int64_t n;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, query, -1, &s, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	sqlite3_close(db);
	return n;
}

static inline int64_t count_records(const char *path)
{
	return sql_number(path, "SELECT count(*) FROM record");
}

static inline void sql_limit_pages(struct journal *j, int pages)
{
	char pragma[64];

	snprintf(pragma, sizeof(pragma), "PRAGMA max_page_count = %d", pages);
	assert_int_equal(sqlite3_exec(j->db, pragma, NULL, NULL, NULL), SQLITE_OK);
}

static inline void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline void assert_verifies(struct journal *j)
{
	int64_t first = -1;
	char why[256] = "";
	int r = journal_verify(&first, why, j);

	if (r)
		fail_msg("%d, first %lld: %s", r, (long long)first, why);
}

/* Each of these changes behind the journal's back, made in a copy of the file, shows when the copy is verified. */
static inline void assert_notices(struct fixture *f, const char *const *changes, size_t n)
{
	journal_close(f->j);
	f->j = NULL;
	for (size_t i = 0; i < n; i++) {
		char copy[128], command[300], why[256] = "";
		struct journal *j;
		int64_t first = -1;

		snprintf(copy, sizeof(copy), "%s.copy", f->path);
		snprintf(command, sizeof(command), "cp '%s' '%s'", f->path, copy);
		assert_int_equal(system(command), 0);
		sql(copy, changes[i]);
		assert_int_equal(journal_open(&j, &(struct journal_options){.path = copy,
							  .read_only = true}),
			0);
		if (journal_verify(&first, why, j) != JOURNAL_BROKEN)
			fail_msg("not noticed: %s", changes[i]);
		journal_close(j);
	}
}

static const uint8_t fixture_key[JOURNAL_KEY_SIZE] = {1, 2, 3};

/* Every column of a record set to something, so that each can be changed to something else. */
static inline void fixture_fill(struct journal *j)
{
	for (int i = 0; i < 4; i++) {
		write_intent(j, "acme", 100 * i);
		assert_int_equal(journal_write(NULL, j,
					 &(struct journal_entry){.kind = JOURNAL_OUTCOME,
						 .at = 100 * i + 1,
						 .intent = 4 * i + 1,
						 .actor = "root",
						 .reason = "r",
						 .phase = "testing",
						 .client = "acme",
						 .login = "l",
						 .server = "s",
						 .database = "d",
						 .action = "a",
						 .statement = "st",
						 .before = "b",
						 .after = "",
						 .outcome = "done",
						 .detail = NULL,
						 .level = "full",
						 .sources = "x",
						 .configuration = "c"}),
			0);
		write_access(j, "acme", "l", "d", LEVEL_FULL, 100 * i + 2, 1000);
		assert_int_equal(journal_write(NULL, j,
					 &(struct journal_entry){.kind = JOURNAL_EVENT,
						 .at = 100 * i + 3,
						 .action = "start"}),
			0);
	}
}

static inline void fixture_keyed(struct fixture *f)
{
	journal_close(f->j);
	unlink(f->path);
	assert_int_equal(
		journal_open(&f->j, &(struct journal_options){.path = f->path, .key = fixture_key}),
		0);
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	const char *scratch = getenv("TMPDIR");
	snprintf(f->folder, sizeof(f->folder), "%s/curfew-journal-XXXXXX",
		scratch ? scratch : "/tmp");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/journal.db", f->folder);
	assert_int_equal(journal_open(&f->j, &(struct journal_options){.path = f->path}), 0);
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	journal_close(f->j);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->folder);
	if (system(command) != 0)
		return -1;
	free(f);
	return 0;
}

#define WITH_JOURNAL(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

#endif
