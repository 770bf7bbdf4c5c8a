/* The facts about a user whom nothing keeps out, for tests that make one thing wrong. */
#ifndef EXPLAIN_SCENE_H
#define EXPLAIN_SCENE_H

#include "report_fixture.h"

#include "curfew/explain.h"

/* Jane, who is let in and is well on both servers, at whatever time; then one thing is made wrong. */
struct scene {
	struct report_fixture *sample;
	struct grants grants;
	struct explain_server servers[2];
	struct explain_database databases[2];
	struct explain_denied denied[1];
	struct refused refused;
	struct source address;
	struct verified verified;
	struct override revoked;
	struct explain_facts facts;
};

static inline void scene_open(struct scene *s, instant_t now)
{
	*s = (struct scene){.sample = sample_new()};
	assert_int_equal(schedule_at(&s->grants, &s->sample->program, NULL, now), 0);
	s->facts = (struct explain_facts){.client = &s->sample->clients[0],
		.user = &s->sample->users[0][0],
		.now = now,
		.filters = true,
		.servers = s->servers,
		.databases = s->databases,
		.denied = s->denied};
	for (size_t i = 0; i < s->grants.n; i++) {
		const struct grant *g = &s->grants.items[i];
		if (g->user != s->facts.user)
			continue;
		size_t n = s->facts.n_databases++;
		s->databases[n] = (struct explain_database){
			.grant = g, .seen = true, .state = STATE_OK, .observed = g->level};
		s->servers[s->facts.n_servers++] = (struct explain_server){.server = g->server,
			.reach = REACH_READ,
			.network_known = true,
			.allowed = true,
			.allowed_until = now + DAY,
			.login = EXPLAIN_LOGIN_ENABLED,
			.locked = ANSWER_NO,
			.must_change = ANSWER_NO,
			.expired = ANSWER_NO,
			.handed_over = ANSWER_YES};
	}
	assert_int_equal(s->facts.n_databases, 2);
}

static inline void scene_close(struct scene *s)
{
	grants_free(&s->grants);
	free(s->sample);
}

#endif
