/* What the managed roles have on thousands of schemas is found as if each permission were looked at, and at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../program/random.h"
#include "access/difference.h"
#include "stage.h"

/* ---- the same as by looking at each ---- */

static const char *const schemas[] = {"dbo", "DBO", "sales", "Sales", "sales2"};
static const char *const roles[] = {FULL, "CURFEW_FULL", READ_ONLY, "public"};
static const char *const names[] = {"SELECT", "select", "INSERT", "VIEW DEFINITION"};
static const char states[] = {'G', 'W', 'D', 'R'};

#define ONE_OF(p, items) ((items)[prng_below(p, ARRAY_SIZE(items))])

static bool one_stands(const struct observed_database *d, const char *role, const char *schema,
	const char *name, char state)
{
	for (size_t i = 0; i < d->n_permissions; i++) {
		const struct permission *p = &d->permissions[i];
		bool there =
			schema ? p->class == CLASS_SCHEMA && p->schema && !strcmp(p->schema, schema)
			       : p->class == CLASS_DATABASE;
		if (there && p->state == state && names_equal(p->grantee, role) &&
			names_equal(p->name, name))
			return true;
	}
	return false;
}

static bool one_owns(const struct observed_database *d, const char *role, const char *schema)
{
	for (size_t i = 0; i < d->n_owned; i++)
		if (!strcmp(d->owned[i].kind, "SCHEMA") && !strcmp(d->owned[i].name, schema) &&
			names_equal(d->owned[i].owner, role))
			return true;
	return false;
}

static void random_database(struct prng *p, struct observed_database *d)
{
	static const char *const kinds[] = {"SCHEMA", "OBJECT", "TYPE"};
	size_t n_permissions = prng_below(p, 60), n_owned = prng_below(p, 12);

	d->permissions = calloc(n_permissions + 1, sizeof(*d->permissions));
	assert_non_null(d->permissions);
	while (d->n_permissions < n_permissions) {
		static const uint8_t classes[] = {
			CLASS_DATABASE, CLASS_OBJECT, CLASS_SCHEMA, CLASS_SCHEMA};
		struct permission *at = &d->permissions[d->n_permissions++];
		*at = (struct permission){.class = ONE_OF(p, classes), .state = ONE_OF(p, states)};
		at->name = strdup(ONE_OF(p, names));
		at->schema = prng_below(p, 8) ? strdup(ONE_OF(p, schemas)) : NULL;
		at->grantee = strdup(ONE_OF(p, roles));
		at->grantor = strdup(ONE_OF(p, roles));
	}
	while (d->n_owned < n_owned)
		model_owned(d, ONE_OF(p, kinds), NULL, ONE_OF(p, schemas), ONE_OF(p, roles));
}

static void all_compared(const struct role_index *x, const struct observed_database *d)
{
	for (size_t r = 0; r < ARRAY_SIZE(roles); r++)
		for (size_t s = 0; s <= ARRAY_SIZE(schemas); s++) {
			const char *schema = s ? schemas[s - 1] : NULL;
			for (size_t k = 0; k < ARRAY_SIZE(names) * ARRAY_SIZE(states); k++) {
				const char *name = names[k / ARRAY_SIZE(states)];
				char state = states[k % ARRAY_SIZE(states)];
				assert_int_equal(
					permission_stands(x, roles[r], schema, name, state),
					one_stands(d, roles[r], schema, name, state));
			}
			if (schema)
				assert_int_equal(role_owns(x, roles[r], schema),
					one_owns(d, roles[r], schema));
		}
}

static void test_as_if_each_were_looked_at(void **state)
{
	struct prng p = prng_start();

	(void)state;
	for (unsigned i = 0; i < cases_wanted(500); i++) {
		struct model m = {0};
		struct observed_database *d = model_database(&m, "AcmeTest");
		struct role_index x;
		random_database(&p, d);
		assert_true(role_index_build(&x, d));
		all_compared(&x, d);
		role_index_free(&x);
		model_free(&m);
	}
}

/* ---- thousands of schemas ---- */

static char *copy(const char *text)
{
	char *to = strdup(text);

	assert_non_null(to);
	return to;
}

/* Each with the permissions that the roles have on dbo. They are put there as they are: the model looks for each first. */
static void schemas_add(struct observed_database *d, size_t count)
{
	size_t n = d->n_permissions, room = n * (count + 1);
	struct permission *all = realloc(d->permissions, room * sizeof(*all));

	assert_non_null(all);
	d->permissions = all;
	for (size_t i = 0; i < count; i++) {
		char name[16];
		snprintf(name, sizeof(name), "s%zu", i);
		model_schema(d, name, NULL);
		for (size_t k = 0; k < n; k++) {
			if (all[k].class != CLASS_SCHEMA)
				continue;
			all[d->n_permissions++] = (struct permission){.class = CLASS_SCHEMA,
				.state = all[k].state,
				.name = copy(all[k].name),
				.schema = copy(name),
				.grantee = copy(all[k].grantee),
				.grantor = copy(all[k].grantor)};
		}
	}
}

/* Whoever may make schemas may make thousands, and each visit compares what the roles have on each of them: in a tenth of a
 * second, or thirty times that under valgrind. Looking through all for each takes twenty. */
static void test_many_schemas_take_no_time(void **state)
{
	enum { SCHEMAS = 2000, MOST_SECONDS = 8 };
	struct stage *s = stage_new(false);

	(void)state;
	stage_jane(s, FULL);
	schemas_add(s->test, SCHEMAS);
	assert_true(s->test->n_permissions > 10 * SCHEMAS);
	clock_t start = clock();
	expect(s, "");
	assert_true(clock() - start < MOST_SECONDS * CLOCKS_PER_SEC);
	/* One of them in another state is still seen. */
	struct permission *last = &s->test->permissions[s->test->n_permissions - 1];
	last->state = last->state == 'D' ? 'G' : 'D';
	compare(s);
	assert_true(s->d.n_changes > 0);
	/* None of them stands yet. */
	for (size_t i = 0; i < s->test->n_permissions; i++)
		permission_free(&s->test->permissions[i]);
	s->test->n_permissions = 0;
	model_permission(s->test, 'G', "CONNECT", NULL, NULL, JANE, "dbo");
	start = clock();
	compare(s);
	assert_true(clock() - start < MOST_SECONDS * CLOCKS_PER_SEC);
	assert_true(s->d.n_changes > 10 * SCHEMAS);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_if_each_were_looked_at),
		cmocka_unit_test(test_many_schemas_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
