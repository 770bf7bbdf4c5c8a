/* A visit as in a pass, with one grant as schedule. */
#include "commands/check_server_visit.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "commands/check_server_job.h"

static void problem_take(struct life *l, const struct record *r, const char *what)
{
	char number[32], text[RECORD_TEXT_MAX];

	if (l->problem[0])
		return;
	snprintf(number, sizeof(number), "error %d", (int)r->code);
	snprintf(text, sizeof(text), "%s%.300s", r->code > 0 ? "the server refused it: " : "",
		r->detail);
	RECORD_PRINTF(l, problem, "%s: %s", what, server_check_shown(l->check, number, text));
}

static void role_take(struct life *l, const struct record *r)
{
	const struct server *s = l->check->visit.server;

	for (size_t i = 0; i < ARRAY_SIZE(l->roles); i++) {
		const char *role = s->terms[i].role;
		if (role && strstr(r->change.statement, role))
			l->roles[i] = role;
	}
}

static void plan_take(struct life *l, const struct record *r)
{
	bool ours = names_equal(r->login, l->login) || names_equal(r->database, l->scratch);

	l->strangers = l->strangers || !ours;
	if (ours && r->change.kind == CHANGE_ROLE_CREATE)
		role_take(l, r);
}

static void outcome_take(struct life *l, const struct record *r)
{
	const char *name = change_name(r->change.kind);

	if (r->state != STATE_OK)
		problem_take(l, r, name);
	else if (!strstr(l->actions, name)) {
		char before[RECORD_TEXT_MAX];
		memcpy(before, l->actions, sizeof(before));
		RECORD_PRINTF(l, actions, "%.400s%s%s", before, *before ? ", " : "", name);
	}
}

static void verification_take(struct life *l, const struct record *r)
{
	l->told = true;
	l->verified = r->verification.result;
	RECORD_SET(l, evidence, r->detail);
}

static int life_take(void *life, const struct record *r)
{
	struct life *l = life;
	bool ours = names_equal(r->login, l->login);

	if (r->kind == RECORD_PLAN)
		plan_take(l, r);
	if (r->kind == RECORD_OUTCOME && (ours || names_equal(r->database, l->scratch)))
		outcome_take(l, r);
	if (r->kind == RECORD_LOGIN && ours && r->identity.sid.size)
		l->sid = r->identity.sid;
	if (r->kind == RECORD_VERIFICATION && ours)
		verification_take(l, r);
	if (r->kind == RECORD_GRANT && ours && l->applies && r->state != STATE_OK)
		problem_take(l, r, state_name(r->state));
	if (r->kind == RECORD_END && r->code)
		problem_take(l, r, "visit");
	return 0;
}

static void grant_set(struct life *l, enum level level, instant_t now)
{
	static const enum phase phases[] = {[LEVEL_NONE] = PHASE_ENDED,
		[LEVEL_READ_ONLY] = PHASE_LIVE,
		[LEVEL_WRITE] = PHASE_TESTING,
		[LEVEL_FULL] = PHASE_TESTING};

	l->grant = (struct grant){.client = &l->client,
		.user = &l->user,
		.server = l->check->visit.server,
		.database = &l->database,
		.phase = phases[level],
		.level = level,
		.next_level = LEVEL_NONE,
		.from = now,
		.until = level == LEVEL_NONE ? now : now + DAY,
		.end = now + DAY};
}

static int visit_run(struct life *l, struct sql_visit *visit)
{
	const struct server *s = l->check->visit.server;
	struct check_job job;

	check_job_set(&job, s, s->name, sql_visit_prepare, sql_visit_run, visit);
	return check_job_run(&job, life_take, l);
}

int life_visit(struct life *l, enum sql_visit_mode mode, enum level level, const char *password,
	bool must_change)
{
	struct server server = *l->check->visit.server;
	const struct grants grants = {.items = &l->grant, .n = 1};
	instant_t now = (instant_t)time(NULL);
	struct claim claim = {.server = server.name,
		.login = l->login,
		.sid = l->sid,
		.intended = now,
		.living = true};
	const struct sql_closing closing = {.login = l->login,
		.sid = l->sid,
		.client = l->client.name,
		.reason = "the check narrows its login",
		.since = now};

	grant_set(l, level, now);
	l->actions[0] = l->problem[0] = l->evidence[0] = '\0';
	l->told = false;
	l->applies = mode == SQL_APPLY;
	server.must_change = must_change;
	struct sql_visit visit = {.mode = mode,
		.program = l->check->visit.program,
		.server = &server,
		.now = now,
		.claims = {.items = &claim, .n = l->sid.size ? 1 : 0},
		.closings = &closing,
		.n_closings = mode == SQL_APPLY && level != LEVEL_FULL && l->sid.size ? 1 : 0,
		.only_client = l->client.name,
		.handover_login = l->login,
		.handover_password = password};
	int rc = wanted_build(&visit.wanted, l->check->visit.server, &grants);
	if (!rc)
		rc = visit_run(l, &visit);
	wanted_free(&visit.wanted);
	return rc;
}
