/* The order of dropping: no reference is broken, circles are named, and the statements name what they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../corpus.h"
#include "../program/random.h"
#include "inventory_scene.h"

#define MOST 24

static void test_chains_and_circles(void **state)
{
	static const char *const list[] = {"table dbo.Orders", "procedure dbo.Ours A9", NULL};
	struct vendor vendor = {0};
	struct inventory v;

	(void)state;
	scene_vendor(&vendor, "1", list);
	scene_begin(&v);
	scene_item(&v, "procedure", 1, "a", "A1");
	scene_item(&v, "procedure", 2, "b", "A1");
	scene_item(&v, "table", 3, "c", "");
	scene_item(&v, "procedure", 4, "x", "A1");
	scene_item(&v, "procedure", 5, "y", "A1");
	scene_item(&v, "view", 6, "kept", "A1");
	scene_item(&v, "table", 7, "below", "");
	scene_item(&v, "procedure", 8, "Ours", "A9");
	scene_item_of(&v, "trigger", 9, 3, "tr", "A1", "", "");
	scene_reference(&v, "reference", 1, 2, "", "");
	scene_reference(&v, "reference", 2, 3, "", "");
	scene_reference(&v, "reference", 9, 3, "", "");
	scene_reference(&v, "reference", 4, 5, "", "");
	scene_reference(&v, "reference", 5, 4, "", "");
	scene_reference(&v, "reference", 8, 6, "", "");
	scene_reference(&v, "reference", 6, 7, "", "");
	assert_int_equal(inventory_finish(&v, &vendor), 0);
	assert_int_equal(scene_find(&v, "dbo.a")->round, 1);
	assert_int_equal(scene_find(&v, "dbo.b")->round, 2);
	assert_int_equal(scene_find(&v, "dbo.c")->round, 3);
	assert_int_equal(scene_find(&v, "dbo.x")->round, 1);
	assert_int_equal(scene_find(&v, "dbo.x")->cycle, 1);
	assert_int_equal(scene_find(&v, "dbo.y")->cycle, 1);
	assert_int_equal(scene_find(&v, "dbo.a")->cycle, 0);
	/* The product needs one, and through it the other. */
	assert_int_equal(scene_find(&v, "dbo.kept")->round, 0);
	assert_int_equal(scene_find(&v, "dbo.below")->round, 0);
	assert_int_equal(v.cycles, 1);
	inventory_free(&v);
	vendor_free(&vendor);
}

static void reach(bool to[MOST][MOST], size_t n)
{
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < n; j++)
				to[i][j] = to[i][j] || (to[i][k] && to[k][j]);
}

static size_t number_of(const struct inventory *v, size_t id)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->items[i].id == id)
			return i;
	return SIZE_MAX;
}

/* Against a plain closure: one cycle is the same as reaching each other; every reference outside of one goes to a later
 * round; and what anything refers to is never in the first. */
static void test_any_references_keep_the_order(void **state)
{
	struct prng p = prng_start();

	(void)state;
	for (int round = 0; round < 2000; round++) {
		bool direct[MOST][MOST] = {0}, far[MOST][MOST] = {0};
		size_t n = 1 + prng_below(&p, MOST);
		struct inventory v;
		scene_begin(&v);
		for (size_t i = 0; i < n; i++) {
			char name[8];
			snprintf(name, sizeof(name), "p%u", (unsigned)i);
			scene_item(&v, "procedure", i + 1, name, "A1");
		}
		for (size_t e = prng_below(&p, 2 * n + 1); e > 0; e--) {
			size_t from = prng_below(&p, n), to = prng_below(&p, n);
			scene_reference(&v, "reference", from + 1, to + 1, "", "");
			direct[from][to] = far[from][to] = from != to;
		}
		assert_int_equal(inventory_finish(&v, NULL), 0);
		reach(far, n);
		for (size_t i = 0; i < n; i++) {
			const struct inventory_item *a = &v.items[number_of(&v, i + 1)];
			assert_true(a->round > 0);
			for (size_t k = 0; k < n; k++) {
				const struct inventory_item *b = &v.items[number_of(&v, k + 1)];
				bool together = i != k && far[i][k] && far[k][i];
				if (together)
					assert_true(a->cycle && a->cycle == b->cycle &&
						    a->round == b->round);
				else if (i != k && a->cycle)
					assert_true(a->cycle != b->cycle);
				if (direct[i][k] && !together)
					assert_true(b->round > a->round);
			}
		}
		inventory_free(&v);
	}
}

static char *script_of(const struct inventory *v)
{
	struct text text;

	assert_non_null(text_begin(&text));
	assert_int_equal(inventory_drop_script(text.to, v), 0);
	return text_end(&text);
}

static void test_every_kind_has_its_statement(void **state)
{
	static const struct {
		const char *type, *name, *statement;
	} cases[] = {{"table", "t]x", "DROP TABLE [dbo].[t]]x];"},
		{"view", "v", "DROP VIEW [dbo].[v];"},
		{"procedure", "p", "DROP PROCEDURE [dbo].[p];"},
		{"function", "f", "DROP FUNCTION [dbo].[f];"},
		{"trigger", "tr", "DROP TRIGGER [dbo].[tr];"},
		{"ddl-trigger", "d", "DROP TRIGGER [d] ON DATABASE;"},
		{"sequence", "so", "DROP SEQUENCE [dbo].[so];"},
		{"synonym", "sn", "DROP SYNONYM [dbo].[sn];"},
		{"type", "ty", "DROP TYPE [dbo].[ty];"},
		{"aggregate", "ag", "DROP AGGREGATE [dbo].[ag];"},
		{"queue", "q", "DROP QUEUE [dbo].[q];"}, {"assembly", "as", "DROP ASSEMBLY [as];"},
		{"job", "it's", "EXEC msdb.dbo.sp_delete_job @job_name = N'it''s';"},
		{"linked-server", "ls",
			"EXEC sys.sp_dropserver @server = N'ls', @droplogins = 'droplogins';"},
		{"column", "c", "ALTER TABLE [dbo].[t]]x] DROP COLUMN [c];"},
		{"index", "ix", "DROP INDEX [ix] ON [dbo].[t]]x];"}};
	struct inventory v;

	(void)state;
	scene_begin(&v);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		scene_item_of(&v, cases[i].type, i + 1,
			streq(cases[i].type, "column") || streq(cases[i].type, "index") ? 1 : 0,
			cases[i].name, "A1", "", "");
	scene_item_of(&v, "index", 77, 1, "uq", "UNIQUE", "unique constraint", "");
	assert_int_equal(inventory_finish(&v, NULL), 0);
	for (size_t i = 0; i < v.n; i++) {
		struct text text;
		const char *wanted = "ALTER TABLE [dbo].[t]]x] DROP CONSTRAINT [uq];";
		assert_non_null(text_begin(&text));
		assert_true(inventory_drop_write(text.to, &v.items[i]));
		_cleanup_free_ char *statement = text_end(&text);
		for (size_t k = 0; k < ARRAY_SIZE(cases); k++)
			if (streq(cases[k].type, v.items[i].type) &&
				streq(cases[k].name, v.items[i].name))
				wanted = cases[k].statement;
		assert_memory_equal(statement, wanted, strlen(wanted));
		corpus_add(statement);
	}
	inventory_free(&v);
}

/* A name cannot end the comment that it stands in, nor the statement. */
static void test_a_script_lists_what_goes_in_order(void **state)
{
	struct inventory v;

	(void)state;
	scene_begin(&v);
	scene_item(&v, "procedure", 1, "a\nDROP TABLE x", "A1");
	scene_item(&v, "table", 2, "b", "");
	scene_item(&v, "table", 3, "shared", "");
	scene_item(&v, "procedure", 4, "busy", "A1");
	scene_item(&v, "procedure", 5, "wanted", "A1");
	scene_reference(&v, "reference", 1, 2, "", "");
	scene_reference(&v, "reference", 1, 3, "", "");
	scene_reference(&v, "reference", 4, 3, "", "");
	scene_use(&v, "procedure-stats", 4, 0, SCENE_NOW - 60, 0);
	assert_int_equal(inventory_finish(&v, NULL), 0);
	((struct inventory_item *)(uintptr_t)scene_find(&v, "dbo.b"))->decision = "drop";
	((struct inventory_item *)(uintptr_t)scene_find(&v, "dbo.shared"))->decision = "drop";
	((struct inventory_item *)(uintptr_t)scene_find(&v, "dbo.wanted"))->decision = "keep";
	_cleanup_free_ char *script = script_of(&v);
	corpus_add(script);
	const char *first = strstr(script, "-- Round 1\n"),
		   *second = strstr(script, "-- Round 2\n");
	assert_non_null(first);
	assert_non_null(second);
	assert_non_null(strstr(
		first, "USE [Acme];\n-- procedure dbo.a DROP TABLE x: not used for 200 days"));
	assert_non_null(strstr(second, "DROP TABLE [dbo].[b];"));
	assert_non_null(strstr(second,
		"-- table dbo.shared: decided to drop\n-- not yet: procedure dbo.busy refers to it, and stays\n"));
	assert_null(strstr(script, "DROP TABLE [dbo].[shared]"));
	assert_null(strstr(script, "busy];"));
	assert_null(strstr(script, "[wanted]"));
	inventory_free(&v);
}

static void decide(const struct inventory *v, const char *full, const char *decision)
{
	((struct inventory_item *)(uintptr_t)scene_find(v, full))->decision = decision;
}

static void column_scene(struct inventory *v)
{
	scene_begin(v);
	scene_item(v, "table", 1, "t", "");
	scene_item(v, "table", 2, "other", "");
	scene_item_of(v, "column", 5, 1, "c", "", "", "");
	scene_item_of(v, "column", 6, 1, "d", "", "", "");
	scene_item_of(v, "index", 5, 1, "ix", "NONCLUSTERED", "", "");
	scene_dependent(v, "index-column", 1, 1, 5, "ix");
	scene_dependent(v, "index-column", 1, 1, 6, "ix");
	scene_dependent(v, "default", 1, 1, 5, "df");
	scene_dependent(v, "check", 1, 1, 5, "ck]x");
	scene_dependent(v, "foreign-key-column", 1, 1, 5, "fk");
	scene_dependent(v, "foreign-key-target", 2, 1, 5, "fk of other");
	scene_dependent(v, "default", 1, 1, 7, "df of another column");
}

static void test_a_column_is_dropped_after_what_depends_on_it(void **state)
{
	struct inventory v;

	(void)state;
	column_scene(&v);
	assert_int_equal(inventory_finish(&v, NULL), 0);
	decide(&v, "dbo.t", "keep");
	decide(&v, "dbo.other", "keep");
	decide(&v, "dbo.t.c", "drop");
	decide(&v, "dbo.t.d", "drop");
	decide(&v, "dbo.t.ix", "drop");
	_cleanup_free_ char *script = script_of(&v);
	corpus_add(script);
	assert_non_null(strstr(script, "-- column dbo.t.c: decided to drop\n"
				       "ALTER TABLE [dbo].[other] DROP CONSTRAINT [fk of other];\n"
				       "ALTER TABLE [dbo].[t] DROP CONSTRAINT [fk];\n"
				       "ALTER TABLE [dbo].[t] DROP CONSTRAINT [ck]]x];\n"
				       "ALTER TABLE [dbo].[t] DROP CONSTRAINT [df];\n"
				       "DROP INDEX [ix] ON [dbo].[t];\n"
				       "ALTER TABLE [dbo].[t] DROP COLUMN [c];\n"));
	assert_non_null(strstr(script,
		"-- column dbo.t.d: decided to drop\nALTER TABLE [dbo].[t] DROP COLUMN [d];\n"));
	assert_non_null(strstr(
		script, "-- index dbo.t.ix: decided to drop\n-- dropped above, with a column\n"));
	assert_null(strstr(script, "df of another column"));
	inventory_free(&v);
}

static void test_a_column_stays_with_an_index_that_is_kept(void **state)
{
	struct inventory v;

	(void)state;
	column_scene(&v);
	assert_int_equal(inventory_finish(&v, NULL), 0);
	decide(&v, "dbo.t.c", "drop");
	decide(&v, "dbo.t.ix", "keep");
	_cleanup_free_ char *script = script_of(&v);
	assert_non_null(strstr(script,
		"-- column dbo.t.c: decided to drop\n-- not yet: an index that stays contains it\n"));
	assert_null(strstr(script, "DROP CONSTRAINT"));
	assert_null(strstr(script, "DROP COLUMN"));
	inventory_free(&v);
}

/* Without them the statement would be refused, or a key that nobody saw would be in its way. */
static void test_a_column_stays_where_its_constraints_were_not_read(void **state)
{
	struct inventory v;

	(void)state;
	column_scene(&v);
	for (size_t i = 0; i < v.n_coverage; i++)
		if (streq(v.coverage[i].part, "check"))
			v.coverage[i].seen = ANSWER_UNKNOWN;
	assert_int_equal(inventory_finish(&v, NULL), 0);
	decide(&v, "dbo.t.c", "drop");
	_cleanup_free_ char *script = script_of(&v);
	assert_non_null(strstr(script, "-- not yet: what depends on it was not read (check)\n"));
	assert_null(strstr(script, "DROP COLUMN"));
	inventory_free(&v);
}

static void cycle_scene(struct inventory *v)
{
	scene_begin(v);
	scene_item(v, "table", 1, "a", "");
	scene_item(v, "table", 2, "b", "");
	scene_item(v, "procedure", 3, "p", "A1");
	scene_reference(v, "foreign-key", 1, 2, "", "");
	scene_reference(v, "foreign-key", 2, 1, "", "");
	scene_reference(v, "reference", 3, 2, "", "");
	scene_dependent(v, "foreign-key-column", 1, 1, 5, "fk_a");
	scene_dependent(v, "foreign-key-target", 1, 2, 5, "fk_a");
	scene_dependent(v, "foreign-key-column", 2, 2, 6, "fk_b");
	scene_dependent(v, "foreign-key-column", 2, 2, 7, "fk_b");
	scene_dependent(v, "foreign-key-target", 2, 1, 6, "fk_b");
	assert_int_equal(inventory_finish(v, NULL), 0);
	decide(v, "dbo.a", "drop");
	decide(v, "dbo.b", "drop");
}

static void test_keys_of_a_cycle_are_dropped_before_its_tables(void **state)
{
	struct inventory v;

	(void)state;
	cycle_scene(&v);
	_cleanup_free_ char *script = script_of(&v);
	corpus_add(script);
	const char *first = strstr(script, "ALTER TABLE [dbo].[a] DROP CONSTRAINT [fk_a];\n"
					   "ALTER TABLE [dbo].[b] DROP CONSTRAINT [fk_b];\n");
	assert_non_null(first);
	assert_null(strstr(first + 1, "ALTER TABLE [dbo].[a]"));
	assert_non_null(strstr(first, "DROP TABLE [dbo].[a];"));
	assert_non_null(strstr(first, "DROP TABLE [dbo].[b];"));
	inventory_free(&v);
}

static void test_a_cycle_stays_with_one_of_its_tables(void **state)
{
	struct inventory v;

	(void)state;
	cycle_scene(&v);
	decide(&v, "dbo.p", "keep");
	_cleanup_free_ char *script = script_of(&v);
	assert_non_null(strstr(script, "-- not yet: procedure dbo.p refers to it, and stays\n"));
	assert_non_null(strstr(script, "-- not yet: table dbo.b refers to it, and stays\n"));
	assert_null(strstr(script, "DROP TABLE"));
	assert_null(strstr(script, "DROP CONSTRAINT"));
	inventory_free(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chains_and_circles),
		cmocka_unit_test(test_any_references_keep_the_order),
		cmocka_unit_test(test_every_kind_has_its_statement),
		cmocka_unit_test(test_a_script_lists_what_goes_in_order),
		cmocka_unit_test(test_a_column_is_dropped_after_what_depends_on_it),
		cmocka_unit_test(test_a_column_stays_with_an_index_that_is_kept),
		cmocka_unit_test(test_a_column_stays_where_its_constraints_were_not_read),
		cmocka_unit_test(test_keys_of_a_cycle_are_dropped_before_its_tables),
		cmocka_unit_test(test_a_cycle_stays_with_one_of_its_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
