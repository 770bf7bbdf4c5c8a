/* Whoever may alter a database can make any number of things in it: each visit compares them all, and none of it takes
 * more than some seconds. The bounds are for a slow machine; what is compared with each other takes a minute and
 * more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../program/random.h"
#include "access/difference.h"
#include "stage.h"

#define MOST_SECONDS 12

/* ---- the same as by looking at each ---- */

static const char *const names[] = {"", "A", "a", "b", "b2", "jane"};

#define ONE_OF(p, items) ((items)[prng_below(p, ARRAY_SIZE(items))])

static size_t count(const struct name_index *x, const char *name, const char *second)
{
	size_t n = 0, last = 0;

	for (size_t i = name_first(x, name, second); name_is_at(x, i, name, second); i++, n++) {
		/* Of one name in the order of the observation. */
		assert_true(!n || last < x->items[i].at);
		last = x->items[i].at;
	}
	return n;
}

static size_t looked_at(const struct observed_database *d, const char *schema, const char *object)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n_permissions; i++) {
		const struct permission *p = &d->permissions[i];
		n += !strcmp(p->schema ? p->schema : "", schema) &&
		     (!object || !strcmp(p->object ? p->object : "", object));
	}
	return n;
}

static void test_as_if_each_were_looked_at(void **state)
{
	struct prng p = prng_start();

	(void)state;
	for (unsigned i = 0; i < cases_wanted(300); i++) {
		struct model m = {0};
		struct observed_database *d = model_database(&m, "AcmeTest");
		struct database_index x = {0};
		for (size_t n = prng_below(&p, 40); n-- > 0;) {
			struct permission *at = ARRAY_MORE(d->permissions, d->n_permissions);
			assert_non_null(at);
			at->name = strdup("SELECT");
			at->schema = prng_below(&p, 8) ? strdup(ONE_OF(&p, names)) : NULL;
			at->object = prng_below(&p, 8) ? strdup(ONE_OF(&p, names)) : NULL;
			at->grantee = strdup(ONE_OF(&p, names));
			at->grantor = strdup("dbo");
		}
		assert_true(database_index_build(&x, d));
		for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
			assert_int_equal(
				count(&x.schemas, names[k], NULL), looked_at(d, names[k], NULL));
			for (size_t o = 0; o < ARRAY_SIZE(names); o++)
				assert_int_equal(count(&x.securables, names[k], names[o]),
					looked_at(d, names[k], names[o]));
		}
		database_index_free(&x);
		model_free(&m);
	}
}

/* ---- very many things in one database ---- */

/* Room for n more: the model's own lists have none to spare. */
#define ROOM(items, count, n)                                                                      \
	assert_non_null((items) = realloc((items), ((count) + (n)) * sizeof(*(items))))

static char *numbered(const char *text, size_t number)
{
	char name[32];

	snprintf(name, sizeof(name), "%s%zu", text, number);
	char *copy = strdup(name);
	assert_non_null(copy);
	return copy;
}

static void permissions_add(struct observed_database *d, size_t n, const char *grantee)
{
	ROOM(d->permissions, d->n_permissions, n);
	for (size_t i = 0; i < n; i++) {
		struct permission *p = &d->permissions[d->n_permissions++];
		*p = (struct permission){.class = CLASS_OBJECT, .state = 'G'};
		p->name = strdup("REFERENCES");
		p->schema = strdup("dbo");
		p->object = numbered("w", i / 1000);
		p->column = numbered("c", i % 1000);
		p->grantee = strdup(grantee);
		p->grantor = strdup("dbo");
	}
}

static void owned_add(struct observed_database *d, size_t n)
{
	ROOM(d->owned, d->n_owned, n);
	for (size_t i = 0; i < n; i++)
		d->owned[d->n_owned++] =
			(struct observed_owned){.kind = strdup(i % 2 ? "TYPE" : "OBJECT"),
				.schema = strdup("dbo"),
				.name = numbered("w", i),
				.owner = strdup(JANE)};
}

static void timed_compare(struct stage *s)
{
	clock_t start = clock();

	compare(s);
	assert_true(clock() - start < MOST_SECONDS * CLOCKS_PER_SEC);
}

static struct stage *stage_ready(void)
{
	struct stage *s = stage_new(false);

	stage_jane(s, FULL);
	for (int i = 0; i < 4; i++)
		apply_all(s);
	assert_int_equal(s->d.n_changes, 0);
	return s;
}

static void test_owned_things_and_permissions(void **state)
{
	enum { OWNED = 10000, PERMISSIONS = 100000 };
	struct stage *s = stage_ready();
	size_t regrants = 0;

	(void)state;
	permissions_add(s->test, PERMISSIONS, "public");
	owned_add(s->test, OWNED);
	timed_compare(s);
	assert_true(s->d.n_changes >= OWNED);
	/* Those on tables that are hers are granted again: every second of a hundred. */
	for (size_t i = 0; i < s->d.n_changes; i++)
		regrants += s->d.changes[i].n_regrants;
	assert_int_equal(regrants, PERMISSIONS / 2);
	stage_free(s);
}

static void test_members_and_users(void **state)
{
	enum { MEMBERS = 100000 };
	struct stage *s = stage_ready();

	(void)state;
	ROOM(s->test->users, s->test->n_users, MEMBERS);
	ROOM(s->test->members, s->test->n_members, MEMBERS);
	for (size_t i = 0; i < MEMBERS; i++) {
		s->test->users[s->test->n_users++] =
			(struct observed_user){.name = numbered("user_without_login_", i),
				.type = 'S',
				.sid = model_sid((uint32_t)(100000 + i))};
		s->test->members[s->test->n_members++] = (struct observed_member){
			.role = strdup(FULL), .member = numbered("user_without_login_", i)};
	}
	timed_compare(s);
	assert_int_equal(s->d.n_changes, MEMBERS);
	stage_free(s);
}

/* A user's sessions and permissions. */
static void test_sessions_and_closings(void **state)
{
	enum { SESSIONS = 10000, PERMISSIONS = 100000 };
	struct stage *s = stage_ready();
	const struct observed_login *jane = observed_find_login(&s->model.o, JANE);
	size_t kills = 0;

	(void)state;
	permissions_add(s->test, PERMISSIONS, JANE);
	ROOM(s->model.o.sessions, s->model.o.n_sessions, SESSIONS);
	for (size_t i = 0; i < SESSIONS; i++)
		s->model.o.sessions[s->model.o.n_sessions++] = (struct observed_session){
			.key = {.id = (uint32_t)(60 + i), .sid = jane->sid},
			.login = strdup(JANE),
			.acting = strdup(JANE),
			.age = 3600};
	timed_compare(s);
	for (size_t i = 0; i < s->d.n_changes; i++)
		kills += s->d.changes[i].kind == CHANGE_SESSION_KILL;
	assert_int_equal(kills, SESSIONS);
	assert_true(s->d.n_changes > PERMISSIONS);
	stage_free(s);
}

/* Each login is looked for among the users of each database, and each user among the logins and the inventory. */
static void test_users_and_logins(void **state)
{
	enum { USERS = 500000, LOGINS = 8000 };
	struct stage *s = stage_ready();
	struct claim *claims = calloc(LOGINS, sizeof(*claims));
	struct observed_server *o = &s->model.o;
	size_t drops = 0;

	(void)state;
	assert_non_null(claims);
	ROOM(s->test->users, s->test->n_users, USERS);
	for (size_t i = 0; i < USERS; i++)
		s->test->users[s->test->n_users++] =
			(struct observed_user){.name = numbered("made_there_", i),
				.type = 'S',
				.sid = model_sid((uint32_t)(100000 + i))};
	ROOM(o->logins, o->n_logins, LOGINS);
	for (size_t i = 0; i < LOGINS; i++) {
		struct observed_login *l = &o->logins[o->n_logins++];
		*l = (struct observed_login){.name = numbered("ended_", i),
			.type = 'S',
			.disabled = true,
			.ours = true,
			.sid = model_sid((uint32_t)(900000 + i))};
		claims[i] = (struct claim){.server = "sql1", .login = l->name, .sid = l->sid};
	}
	/* Of one of them somebody has made a user, and of one that is gone. */
	s->test->users[s->test->n_users - 1].sid = model_sid(900000);
	s->test->users[s->test->n_users - 2].sid = model_sid(800000);
	claims[LOGINS - 1].sid = model_sid(800000);
	difference_free(&s->d);
	clock_t start = clock();
	assert_int_equal(difference_build(&s->d, &s->scene.wanted, o,
				 &(struct claims){claims, LOGINS}, SCENE_NOW),
		0);
	assert_true(clock() - start < MOST_SECONDS * CLOCKS_PER_SEC);
	for (size_t i = 0; i < s->d.n_changes; i++)
		drops += s->d.changes[i].kind == CHANGE_USER_DROP;
	assert_int_equal(drops, 2);
	free(claims);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_if_each_were_looked_at),
		cmocka_unit_test(test_owned_things_and_permissions),
		cmocka_unit_test(test_members_and_users),
		cmocka_unit_test(test_sessions_and_closings),
		cmocka_unit_test(test_users_and_logins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
