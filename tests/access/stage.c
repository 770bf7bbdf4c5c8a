/* How the stage is set, compared and carried on. See stage.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stage.h"

struct stage *stage_new(bool live)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct client *c;

	assert_non_null(s);
	scene_server(&s->scene, false);
	c = scene_client(&s->scene, "acme", SCENE_NOW - 40 * SCENE_DAY);
	scene_go_live(c, SCENE_NOW + (live ? -5 : 20) * SCENE_DAY);
	scene_database(c, "AcmeTest", ROLE_STAGING, LEVEL_FULL);
	scene_database(c, "AcmeProd", ROLE_PRODUCTION, LEVEL_NONE);
	scene_user(c, JANE);
	scene_finish(&s->scene);
	s->model.o.mark_role = s->model.o.sessions_visible = true;
	s->model.o.clock = SCENE_NOW;
	for (int i = 0; i < 2; i++) {
		struct observed_database *d =
			model_database(&s->model, i ? "AcmeProd" : "AcmeTest");
		d->managed = true;
		model_schema(d, "dbo", NULL);
		model_user(d, "dbo", model_sid(9000));
		scene_roles(&s->scene, d);
	}
	s->test = &s->model.o.databases[0];
	s->prod = &s->model.o.databases[1];
	return s;
}

void stage_free(struct stage *s)
{
	difference_free(&s->d);
	model_free(&s->model);
	scene_free(&s->scene);
	free(s);
}

struct observed_login *stage_jane(struct stage *s, const char *role)
{
	struct observed_login *l = model_login(&s->model, JANE, 1);

	l->marked = true;
	model_user(s->test, JANE, l->sid);
	if (role)
		model_member(s->test, role, JANE);
	return l;
}

struct observed_login *stage_claim(struct stage *s, struct observed_login *l)
{
	s->claims[s->n_claims++] =
		(struct claim){.server = "sql1", .login = l->name, .sid = l->sid, .living = true};
	return l;
}

void compare(struct stage *s)
{
	struct claims claims = {.items = s->claims, .n = s->n_claims};

	difference_free(&s->d);
	observed_claim(&s->model.o, &s->scene.wanted, &claims, 60);
	assert_int_equal(
		difference_build(&s->d, &s->scene.wanted, &s->model.o, &claims, SCENE_NOW), 0);
}

void apply_all(struct stage *s)
{
	for (size_t i = 0; i < s->d.n_changes; i++)
		assert_int_equal(model_apply(&s->model, &s->d.changes[i]), 0);
	compare(s);
}

char *kinds(const struct difference *d)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	assert_non_null(f);
	for (size_t i = 0; i < d->n_changes; i++)
		fprintf(f, "%s%s", i ? " " : "", change_name(d->changes[i].kind));
	fclose(f);
	return out;
}

void expect(struct stage *s, const char *wanted)
{
	compare(s);
	_cleanup_free_ char *text = kinds(&s->d);
	assert_string_equal(text, wanted);
}

const struct obstacle *obstacle_of(const struct stage *s, enum state state)
{
	for (size_t i = 0; i < s->d.n_obstacles; i++)
		if (s->d.obstacles[i].state == state)
			return &s->d.obstacles[i];
	return NULL;
}
