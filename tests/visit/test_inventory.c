/* The inventory against servers that answer in part, from elsewhere, or not at all: what was not read is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../sql/played.h"
#include "visit/inventory_read.h"

static struct record told[64];
static size_t n_told;

void worker_tell(struct worker *w, const struct record *r)
{
	(void)w;
	assert_true(n_told < ARRAY_SIZE(told));
	told[n_told++] = *r;
}

#define PLACE(state, access, has)                                                                  \
	{                                                                                          \
		"N'place'",                                                                        \
		{                                                                                  \
			"place", "0", "7", state, access, has, "0", "600", "1"                     \
		}                                                                                  \
	}
#define OBJECTS "FROM sys.objects AS o JOIN sys.schemas"
#define PROCEDURE                                                                                  \
	{                                                                                          \
		OBJECTS,                                                                           \
		{                                                                                  \
			"inventory", "0", "7", "11", "0", "=dbo", "=p", "P ", "#AB01", "",         \
				" execute-as", "~", "100", "50"                                    \
		}                                                                                  \
	}

/* Each part's marker, which the server sends after its rows. */
static struct played_row rows[64];
static size_t n_rows;

static void part_read(const char *database, const struct inventory_question *all)
{
	static char words[2][32][64], numbers[32][24];
	size_t which = all == inventory_server_questions;

	for (size_t i = 0; all[i].name; i++) {
		snprintf(words[which][i], sizeof(words[which][i]), "SELECT N'read' AS [part], %zu,",
			i);
		snprintf(numbers[i], sizeof(numbers[i]), "%zu", i);
		rows[n_rows++] =
			(struct played_row){words[which][i], {"read", numbers[i], database}};
	}
}

static int inventory_take(void)
{
	static const char *const databases[] = {"Acme"};
	static struct server server = {.name = (char *)"sql01"};
	static const struct program program;
	struct sql_inventory i = {.databases = databases,
		.n_databases = 1,
		.visit = {.program = &program, .server = &server, .now = 1000}};

	n_told = 0;
	questions = 0;
	played_rows = rows;
	n_played_rows = n_rows;
	struct sql_error error;
	return inventory_read(NULL, &i, NULL, &error);
}

static const struct record *coverage_of(const char *database, const char *part)
{
	const struct record *found = NULL;

	for (size_t i = 0; i < n_told; i++)
		if (told[i].kind == RECORD_COVERAGE && streq(told[i].database, database) &&
			streq(told[i].coverage.part, part)) {
			assert_null(found);
			found = &told[i];
		}
	assert_non_null(found);
	return found;
}

static const struct record *item_named(const char *name)
{
	for (size_t i = 0; i < n_told; i++)
		if (told[i].kind == RECORD_ITEM && streq(told[i].item.name, name))
			return &told[i];
	return NULL;
}

static int reset(void **state)
{
	(void)state;
	refused = ended_in = ended_at = NULL;
	refused_number = 208;
	n_rows = 0;
	rows[n_rows++] = (struct played_row)PLACE("0", "0", "1");
	return 0;
}

static void test_rows_become_records(void **state)
{
	(void)state;
	rows[n_rows++] = (struct played_row)PROCEDURE;
	rows[n_rows++] = (struct played_row){"sys.dm_db_index_usage_stats",
		{"inventory", "11", "7", "12", "1", "9", "30", "~", "20", "~"}};
	rows[n_rows++] = (struct played_row){"u.last_system_update",
		{"inventory", "12", "7", "1", "30", "~", "20", "~", "~", "700", "~", "~"}};
	rows[n_rows++] = (struct played_row){
		"sys.database_query_store_options", {"inventory", "16", "7", "1", "600", "500"}};
	part_read("7", inventory_database_questions);
	inventory_take();
	const struct record *p = item_named("p");
	assert_non_null(p);
	assert_string_equal(p->database, "Acme");
	assert_string_equal(p->item.type, "procedure");
	assert_string_equal(p->item.schema, "dbo");
	assert_string_equal(p->item.hash, "AB01");
	assert_string_equal(p->item.facts, "execute-as");
	assert_int_equal(p->item.created, 900);
	assert_int_equal(p->item.writable, ANSWER_YES);
	assert_int_equal(coverage_of("Acme", "whole")->coverage.seen, ANSWER_YES);
	/* As old as its oldest query, and no older than it keeps one. */
	assert_int_equal(coverage_of("Acme", "query-store")->coverage.since, 500);
	assert_int_equal(coverage_of("Acme", "counted-since")->coverage.since, 300);
	assert_int_equal(coverage_of("Acme", "one-replica")->coverage.seen, ANSWER_YES);
	for (size_t i = 0; i < n_told; i++)
		if (told[i].kind == RECORD_USE) {
			assert_int_equal(told[i].use.count, 9);
			assert_int_equal(told[i].use.last, 980); /* the latest of the four */
		}
}

/* Two names that differ by halves of surrogates alone stay two, and no statement is written for them. */
static void test_names_that_are_no_text_are_marked(void **state)
{
	(void)state;
	rows[n_rows++] = (struct played_row){
		"FROM sys.assemblies", {"inventory", "5", "7", "3", "#410000DC", " clr", "1", "1"}};
	part_read("7", inventory_database_questions);
	inventory_take();
	size_t n = 0;
	for (size_t i = 0; i < n_told; i++)
		if (told[i].kind == RECORD_ITEM) {
			assert_int_equal(told[i].item.writable, ANSWER_NO);
			assert_non_null(strstr(told[i].item.name, "410000DC"));
			n++;
		}
	assert_int_equal(n, 1);
}

/* One question alone is refused: the others are asked by themselves, and the database counts. */
static void test_a_view_that_is_missing_costs_its_part(void **state)
{
	(void)state;
	refused = "sys.dm_exec_function_stats";
	rows[n_rows++] = (struct played_row)PROCEDURE;
	part_read("7", inventory_database_questions);
	inventory_take();
	assert_int_equal(coverage_of("Acme", "function-stats")->coverage.seen, ANSWER_UNKNOWN);
	assert_int_equal(coverage_of("Acme", "function-stats")->code, 208);
	assert_int_equal(coverage_of("Acme", "whole")->coverage.seen, ANSWER_YES);
	assert_int_equal(coverage_of("Acme", "reference")->coverage.seen, ANSWER_YES);
	assert_non_null(item_named("p"));
	/* The server, its parts, the places, the batch, and each question once. */
	assert_true(questions < 32);
}

static void test_without_objects_a_database_is_unread(void **state)
{
	(void)state;
	refused = OBJECTS;
	part_read("7", inventory_database_questions);
	inventory_take();
	assert_int_equal(coverage_of("Acme", "whole")->coverage.seen, ANSWER_UNKNOWN);
	assert_string_equal(coverage_of("Acme", "whole")->detail, "refused");
}

/* A lock is waited for once, and not by each question. */
static void test_a_locked_catalog_is_not_asked_again(void **state)
{
	(void)state;
	refused = OBJECTS;
	refused_number = 1222;
	part_read("7", inventory_database_questions);
	inventory_take();
	assert_int_equal(coverage_of("Acme", "whole")->coverage.seen, ANSWER_UNKNOWN);
	assert_string_equal(coverage_of("Acme", "whole")->detail,
		"another session holds a lock on its catalog");
	assert_true(questions < 8);
}

/* The USE failed and the batch went on in the database before. */
static void test_rows_from_elsewhere_do_not_count(void **state)
{
	(void)state;
	rows[n_rows++] =
		(struct played_row){OBJECTS, {"inventory", "0", "1", "11", "0", "=dbo", "=stranger",
						     "P ", "#AB01", "", "", "~", "100", "50"}};
	part_read("7", inventory_database_questions);
	inventory_take();
	assert_null(item_named("stranger"));
	assert_int_equal(coverage_of("Acme", "whole")->coverage.seen, ANSWER_UNKNOWN);
}

static void test_a_missing_marker_is_no_answer(void **state)
{
	(void)state;
	rows[n_rows++] = (struct played_row)PROCEDURE;
	inventory_take();
	assert_int_equal(coverage_of("Acme", "whole")->coverage.seen, ANSWER_UNKNOWN);
	assert_int_equal(coverage_of("Acme", "object")->coverage.seen, ANSWER_UNKNOWN);
}

static void test_closed_databases_are_not_entered(void **state)
{
	static const struct {
		const char *state, *access, *has, *words;
	} cases[] = {{"6", "0", "1", "it is offline"}, {"0", "1", "1", "it is in single-user mode"},
		{"0", "0", "0", "the agent login has no user there"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		n_rows = 0;
		rows[n_rows++] =
			(struct played_row)PLACE(cases[i].state, cases[i].access, cases[i].has);
		rows[n_rows++] = (struct played_row)PROCEDURE;
		inventory_take();
		assert_null(item_named("p"));
		assert_string_equal(coverage_of("Acme", "whole")->detail, cases[i].words);
	}
	n_rows = 0;
	inventory_take();
	assert_string_equal(coverage_of("Acme", "whole")->detail,
		"the server has no database of this name, or hides it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_rows_become_records, reset),
		cmocka_unit_test_setup(test_names_that_are_no_text_are_marked, reset),
		cmocka_unit_test_setup(test_a_view_that_is_missing_costs_its_part, reset),
		cmocka_unit_test_setup(test_without_objects_a_database_is_unread, reset),
		cmocka_unit_test_setup(test_a_locked_catalog_is_not_asked_again, reset),
		cmocka_unit_test_setup(test_rows_from_elsewhere_do_not_count, reset),
		cmocka_unit_test_setup(test_a_missing_marker_is_no_answer, reset),
		cmocka_unit_test_setup(test_closed_databases_are_not_entered, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
