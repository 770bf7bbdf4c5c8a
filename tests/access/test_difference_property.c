/* The difference, by property: random configurations over random servers, people's and other people's things mixed. The
 * changes are carried out on a model of the server, in their order, round after round as a pass does, while people keep
 * connecting. Then nothing is left to do, what is there is what was wanted, nothing of anybody else's was touched, and
 * at no moment could anybody do more than before or than wanted.
 *
 * CURFEW_CASES sets how many, CURFEW_SEED the first one's seed; a failure names the seed of its own case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "life.h"

#define MAX_ROUNDS 8 /* as agent/visit/visit_apply.c */

/* ---- rounds, as a pass makes them ---- */

static void people_connect(struct life *l)
{
	for (size_t i = 0; !l->quiet && i < l->model.o.n_logins; i++)
		if (!l->model.o.logins[i].disabled && !sid_is_strange(&l->model.o.logins[i].sid) &&
			chance(l, 4))
			model_session(&l->model, l->model.o.logins[i].name, 0);
}

static bool is_moot(const struct difference *d, const bool *failed, size_t i)
{
	const struct change *c = &d->changes[i];

	for (size_t k = 0; k < i; k++) {
		const struct change *f = &d->changes[k];
		if (failed[k] && (!change_closes(c->kind) || f->kind == CHANGE_LOGIN_CREATE) &&
			(f->login ? c->login && names_equal(f->login, c->login)
				  : c->database && f->database &&
						names_equal(f->database, c->database)))
			return true;
	}
	return false;
}

static bool round_run(struct life *l, const struct difference *d)
{
	bool *failed = calloc(d->n_changes + 1, sizeof(*failed)), any = false;

	assert_non_null(failed);
	for (size_t i = 0; i < d->n_changes; i++) {
		const struct change *c = &d->changes[i];
		people_connect(l);
		aim_check(l, c);
		if (is_moot(d, failed, i)) {
			failed[i] = any = true;
			continue;
		}
		int error = model_apply(&l->model, c);
		/* A session may have gone by itself, or come; a transfer may name a user that the same round
		 * drops. Anything else the server must not have to refuse. */
		if (error && error != 6106 && error != 15434 &&
			!(c->kind == CHANGE_OWNER && c->n_regrants) &&
			!(c->kind == CHANGE_USER_DROP && (error == 15138 || error == 15284)))
			fail_msg("%s of %s in %s: error %d", change_name(c->kind),
				c->login ? c->login : "-", c->database ? c->database : "-", error);
		if (getenv("CURFEW_SHOW"))
			print_message("  %s %s %s %s %s: %d (%s)\n", change_name(c->kind),
				c->login ? c->login : "-", c->database ? c->database : "-",
				c->principal ? c->principal : "-",
				c->role		     ? c->role
				: c->permission.name ? c->permission.name
						     : "-",
				error, c->reason);
		failed[i] = error != 0;
		any = any || error;
		moment_check(l, c);
	}
	free(failed);
	return any;
}

static void observe(struct life *l, struct difference *out)
{
	struct claims claims = {.items = l->claims, .n = l->n_claims};

	/* What we made is put on record before it is made. */
	for (size_t i = 0; i < l->model.o.n_logins; i++) {
		const struct observed_login *o = &l->model.o.logins[i];
		if (!sid_is_strange(&o->sid) && !claims_have_sid(&claims, &o->sid) && !o->marked)
			claim_add(l, wanted_find(&l->scene.wanted, o->name)->login, o->sid);
	}
	claims.n = l->n_claims;
	observed_claim(&l->model.o, &l->scene.wanted, &claims, 60);
	assert_int_equal(
		difference_build(out, &l->scene.wanted, &l->model.o, &claims, SCENE_NOW), 0);
	order_check(out);
}

/* ---- a life ---- */

static void life_live(struct life *l)
{
	struct difference d = {0};
	_cleanup_free_ char *others = others_dump(l);
	size_t permissions = others_permissions(l);
	uint64_t before = 0;
	int rounds = 0;
	bool failed = false;

	before_note(l);
	for (observe(l, &d); d.n_changes && rounds < MAX_ROUNDS; observe(l, &d), rounds++) {
		assert_false(failed && difference_digest(&d) == before);
		before = difference_digest(&d);
		failed = round_run(l, &d);
		difference_free(&d);
		l->quiet = l->quiet || rounds >= 3; /* nobody connects for ever */
	}
	for (size_t i = 0; i < d.n_changes; i++)
		print_message("  left: %s %s %s %s\n", change_name(d.changes[i].kind),
			d.changes[i].login ? d.changes[i].login : "-",
			d.changes[i].database ? d.changes[i].database : "-", d.changes[i].reason);
	assert_int_equal(d.n_changes, 0);
	_cleanup_free_ char *after = others_dump(l);
	assert_string_equal(after, others);
	assert_true(others_permissions(l) >= permissions);
	end_check(l, &d);
	difference_free(&d);
}

static void test_life(void **state)
{
	struct prng first = prng_start();

	(void)state;
	for (size_t i = 0; i < cases_wanted(1000); i++) {
		struct life *l = calloc(1, sizeof(*l));
		assert_non_null(l);
		l->p.state = first.state + i;
		/* Known before it may fail. */
		char again[64];
		snprintf(again, sizeof(again), "%llu", (unsigned long long)l->p.state);
		setenv("CURFEW_FAILED_SEED", again, 1);
		random_life(l);
		life_live(l);
		model_free(&l->model);
		scene_free(&l->scene);
		free(l);
	}
	unsetenv("CURFEW_FAILED_SEED");
}

static int seed_say(void **state)
{
	(void)state;
	if (getenv("CURFEW_FAILED_SEED"))
		print_message("  to run the failed case alone: CURFEW_CASES=1 CURFEW_SEED=%s\n",
			getenv("CURFEW_FAILED_SEED"));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(test_life, seed_say)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
