/* See pass_scene.h. */
#include "pass_scene.h"

#include "../firewall/table.h"

#include <errno.h>

static int sink(void *context, const struct record *r)
{
	struct scene *s = context;

	assert_true(s->n_told < ARRAY_SIZE(s->told));
	s->told[s->n_told++] = *r;
	return 0;
}

static int port_observe(struct firewall_state *out, void *context, instant_t now)
{
	const struct scene *s = context;

	(void)now;
	*out = (struct firewall_state){0};
	if (!s->element)
		return 0;
	const struct observed_allow held = {.source = s->program->clients[0].users[0].sources[0],
		.endpoint = s->program->servers[0].endpoints[0],
		.has_timeout = true,
		.remaining_ms = 3600 * 1000};
	out->read_ms = monotonic_ms();
	out->present = out->intact = true;
	out->allows = calloc(1, sizeof(*out->allows));
	assert_non_null(out->allows);
	out->allows[0] = held;
	out->allows[0].comment = s->element;
	out->n_allows = 1;
	return 0;
}

static int port_plan(struct firewall_changes *out, void *context, const struct allowlist *wanted,
	instant_t now, bool closings_only)
{
	struct scene *s = context;
	struct firewall_state state;
	size_t kept = 0;
	int rc = s->port.observe(&state, context, now);

	if (rc < 0)
		return rc;
	s->number = wanted->number;
	s->n_planned++;
	rc = firewall_diff(out, wanted, &state, now);
	firewall_state_free(&state);
	for (size_t i = 0; i < out->n; i++)
		if (!closings_only || !firewall_change_opens(out->items[i].kind))
			out->items[kept++] = out->items[i];
	out->n = kept;
	return rc < 0 ? rc : s->planned;
}

static int port_again(void *context, uint64_t number, instant_t now, bool closings_only)
{
	const struct scene *s = context;

	(void)now;
	(void)closings_only;
	return number == s->number ? s->planned : -ESTALE;
}

static int port_apply(struct firewall_changes *done, void *context, const struct allowlist *wanted,
	instant_t now, bool closings_only)
{
	struct scene *s = context;

	s->closings_only = closings_only;
	if (s->n_applied < ARRAY_SIZE(s->n_let_in))
		s->n_let_in[s->n_applied] = wanted->n_allows;
	s->n_applied++;
	s->n_allows = wanted->n_allows;
	*done = (struct firewall_changes){0};
	if (s->applies >= 0 && s->in_part) {
		const struct firewall_state nothing = {0};
		assert_int_equal(firewall_diff(done, wanted, &nothing, now), 0);
		assert_true(done->n > 1);
		done->items[done->n - 1].endpoint.port++;
	}
	return s->applies;
}

int scene_setup(void **state)
{
	return scene_setup_with(state, NULL);
}

int scene_setup_with(void **state, void (*prepare)(const char *folder))
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->folder = fixture_make();
	if (prepare)
		prepare(s->folder);
	_cleanup_free_ char *config = text_make("%s/curfew.conf", s->folder);
	_cleanup_free_ char *path = text_make("%s/journal", s->folder);
	const struct journal_options o = {.path = path};
	struct problems problems = {0};
	assert_int_equal(program_load(&s->program, &problems, config, TESTING), 0);
	assert_non_null(s->program);
	problems_free(&problems);
	assert_int_equal(journal_open(&s->journal, &o), 0);
	s->port = (struct firewall_port){port_observe, port_plan, port_apply, port_again, s};
	s->options = (struct pass_options){.mode = PASS_APPLY,
		.program = s->program,
		.journal = s->journal,
		.network = &s->port,
		.now = TESTING,
		.stale = &s->stale,
		.actor = "a test",
		.reason = "a test",
		.sink = sink,
		.context = s};
	*state = s;
	return 0;
}

int scene_teardown(void **state)
{
	struct scene *s = *state;

	journal_close(s->journal);
	program_free(s->program);
	fixture_remove(s->folder);
	free(s);
	return 0;
}

struct record scene_record(enum record_kind kind, const char *server)
{
	struct record r = {.kind = kind};

	RECORD_SET(&r, server, server);
	return r;
}

const struct record *scene_told(const struct scene *s, enum record_kind kind, const char *server)
{
	const struct record *found = NULL;

	for (size_t i = 0; i < s->n_told; i++)
		if (s->told[i].kind == kind && !strcmp(s->told[i].server, server)) {
			assert_null(found);
			found = &s->told[i];
		}
	assert_non_null(found);
	return found;
}

struct collected scene_journal(const struct scene *s, enum journal_kind kind)
{
	const struct journal_filter all = {.kind = (int)kind};
	struct collected c = {0};

	assert_int_equal(journal_read(s->journal, &all, collect, &c), 0);
	return c;
}

struct record scene_plan(
	const char *server, uint64_t number, enum change_kind kind, const char *login)
{
	struct record r = scene_record(RECORD_PLAN, server);

	r.change.number = number;
	r.change.kind = kind;
	RECORD_SET(&r, login, login);
	return r;
}

struct record scene_verification(const char *server, const char *database, enum level level)
{
	struct record r = scene_record(RECORD_VERIFICATION, server);

	RECORD_SET(&r, login, "acme.jane.doe");
	RECORD_SET(&r, database, database);
	r.verification.level = level;
	r.verification.result = VERIFICATION_VERIFIED;
	RECORD_SET(&r, verification.fingerprint, "00ff");
	return r;
}

struct record scene_grant(const char *server, const char *database, enum level level)
{
	struct record r = scene_record(RECORD_GRANT, server);

	RECORD_SET(&r, login, "acme.jane.doe");
	RECORD_SET(&r, database, database);
	r.grant.level = level;
	return r;
}

void scene_remember(struct scene *s, const char *server, const char *database, enum level level)
{
	const struct verified_level seen = {.server = server,
		.login = "acme.jane.doe",
		.database = database,
		.level = level,
		.at = TESTING - 1};
	const struct verified verified = {.server = server,
		.login = "acme.jane.doe",
		.database = database,
		.level = level,
		.result = VERIFICATION_VERIFIED,
		.at = TESTING - 1};

	assert_int_equal(verified_level_save(s->journal, &seen), 0);
	assert_int_equal(verified_save(s->journal, &verified), 0);
}

void scene_work(struct pass *p, void (*between)(struct pass *p, struct scene *s), struct scene *s)
{
	struct record plan = scene_plan("sqltest02", 1, CHANGE_USER_CREATE, "acme.jane.doe");
	struct record r = scene_record(RECORD_INTENT, "sqltest02");

	assert_int_equal(pass_record(p, &plan), 0);
	r.intent.number = 1;
	assert_int_equal(pass_record(p, &r), 0);
	between(p, s);
	plan.kind = RECORD_OUTCOME;
	assert_int_equal(pass_record(p, &plan), 0);
	r = scene_record(RECORD_SERVER, "sqltest02");
	assert_int_equal(pass_record(p, &r), 0);
	r = scene_verification("sqltest02", "AcmeTest", LEVEL_FULL);
	assert_int_equal(pass_record(p, &r), 0);
	r = scene_grant("sqltest02", "AcmeTest", LEVEL_FULL);
	r.grant.admission = ADMIT;
	assert_int_equal(pass_record(p, &r), 0);
	r = scene_record(RECORD_END, "sqltest02");
	assert_int_equal(pass_record(p, &r), 0);
}

void nothing_happens(struct pass *p, struct scene *s)
{
	(void)p;
	(void)s;
}
