/* A pass: created, its steps in order, freed. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "curfew/owner.h"
#include "curfew/server_check.h"
#include "pass/pass_again.h"
#include "pass/pass_internal.h"

/* The client was given something there that is not verified gone. */
static bool client_has_former(const struct pass *p, const struct server *s)
{
	for (size_t i = 0; i < p->n_formers; i++)
		if (pass_former_may_be_of(&p->formers[i], p->o.client) &&
			streq(p->formers[i].server, s->name))
			return true;
	return false;
}

static bool server_is_asked(const struct pass *p, const struct server *s)
{
	const struct pass_options *o = &p->o;

	for (size_t i = 0; o->servers && o->servers[i]; i++)
		if (streq(o->servers[i], s->name))
			return true;
	if (o->servers)
		return false;
	/* Without a client visit every server, because a user who left the configuration may still have access there. */
	for (size_t i = 0; o->client && i < p->grants.n; i++) {
		const struct grant *g = &p->grants.items[i];
		if (g->server == s && streq(g->client->name, o->client))
			return o->mode != PASS_HANDOVER || streq(g->user->login, o->handover_login);
	}
	return !o->client || (o->mode != PASS_HANDOVER && client_has_former(p, s));
}

static enum sql_visit_mode sql_mode(enum pass_mode m)
{
	static const enum sql_visit_mode modes[] = {
		[PASS_PLAN] = SQL_PLAN,
		[PASS_APPLY] = SQL_APPLY,
		[PASS_STATUS] = SQL_STATUS,
		[PASS_HANDOVER] = SQL_HANDOVER,
		[PASS_AUDIT] = SQL_AUDIT,
		[PASS_PREFLIGHT] = SQL_AUDIT,
	};

	return modes[m];
}

static int claims_build(struct claims *out, const struct identities *ids)
{
	struct claim *items = calloc(ids->n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < ids->n; i++) {
		items[i] = (struct claim){.server = ids->items[i].server,
			.login = ids->items[i].login,
			.intended = ids->items[i].intended,
			.living = !ids->items[i].removed};
		if (ids->items[i].sid && ids->items[i].sid_size <= SID_MAX) {
			memcpy(items[i].sid.bytes, ids->items[i].sid, ids->items[i].sid_size);
			items[i].sid.size = (uint8_t)ids->items[i].sid_size;
		}
	}
	*out = (struct claims){.items = items, .n = ids->n};
	return 0;
}

static unsigned reading_deadline(const struct pass *p)
{
	unsigned most = p->o.program->settings.server_deadline;

	if (p->o.mode != PASS_PLAN && p->o.mode != PASS_STATUS)
		return most;
	return most < PASS_READING_DEADLINE ? most : PASS_READING_DEADLINE;
}

static int server_add(struct pass *p, const struct server *s)
{
	struct server_work *w = &p->servers[p->n_servers];
	struct worker_job *job = &p->jobs[p->n_servers];

	w->server = s;
	w->sql = (struct sql_visit){
		.mode = sql_mode(p->o.mode),
		.program = p->o.program,
		.server = s,
		.now = p->o.now,
		.seconds = reading_deadline(p),
		.only_client = p->o.client,
		.handover_login = p->o.handover_login,
		.handover_password = p->o.handover_password,
	};
	int rc = wanted_build(&w->sql.wanted, s, &p->grants);
	if (rc)
		return rc;
	p->n_servers++;
	w->sql.wanted.hold = p->hold[0] ? p->hold : NULL;
	w->sql.wanted.first_start = p->first_start;
	w->sql.wanted.looked_at = w->sql.mode == SQL_AUDIT;
	pass_sids_choose(p, w);
	w->sql.claims = p->claims;
	w->sql.wanted.records_lost = p->records_lost || p->first_start;
	rc = pass_remembered(&w->remembered, &w->sql.wanted.n_remembered, p, s->name);
	w->sql.wanted.remembered = w->remembered;
	if (!rc)
		rc = pass_refused_build(p, w);
	if (!rc && p->o.mode == PASS_APPLY)
		rc = pass_closings_build(p, w);
	if (!rc)
		rc = pass_formers_ask(p, w);
	if (!rc)
		rc = pass_forgotten_ask(p, w);
	if (!rc)
		rc = pass_baselines_ask(p, w);
	if (rc)
		return rc;
	w->sql.verified = pass_verified_of(&w->sql.n_verified, p, w->server->name);
	w->read[0] = s->ca_file;
	w->connect[0] = s->port;
	w->paths = (struct sandbox_paths){.read = w->read, .connect = w->connect};
	*job = (struct worker_job){.name = s->name,
		.deadline = reading_deadline(p),
		.prepare = sql_visit_prepare,
		.run = p->o.mode == PASS_PREFLIGHT ? sql_preflight_run : sql_visit_run,
		.context = &w->sql,
		.paths = &w->paths,
		.early = w->sql.n_closings > 0,
		.secret = credential_held(s->credential)};
	return 0;
}

/* When the second `now` began, on the monotonic clock. That may be a while ago, because reading the journal takes time.
 * If `now` is not the current time (practice, or a clock that was set back), take the start of the system clock's
 * second. */
static int64_t second_began_ms(instant_t now)
{
	struct timespec real;

	clock_gettime(CLOCK_REALTIME, &real);
	int64_t passed = ((int64_t)real.tv_sec - now) * 1000 + real.tv_nsec / 1000000;
	if (passed < 0 || passed > 10000)
		passed = real.tv_nsec / 1000000;
	return monotonic_ms() - passed;
}

/* A request may revoke or reinstate while the pass is under way: it keeps to what it began with. */
static int revocations_copy(struct pass *p, const struct overrides *from)
{
	int rc = 0;

	for (size_t i = 0; !rc && from && i < from->n; i++) {
		const struct override *o = &from->items[i];
		rc = overrides_add(&p->overrides, o->client, o->login, o->at, o->reason);
	}
	return rc;
}

/* Behind every other reason, which says more about what is known. */
static void unfiltered_hold(struct pass *p)
{
	p->unfiltered = !pass_is_held(p);
	pass_hold(p,
		"the packet filter cannot be used: no access is granted until it can; access on SQL servers ends on "
		"time; see `systemctl status curfew-firewall`");
}

static size_t works_size(size_t n)
{
	return (n + 1) * sizeof(struct grant_work);
}

/* Written while workers are forked and end, and not theirs: the kernel would copy it, page for page, after each fork. */
static struct grant_work *works_new(size_t n)
{
	void *works = mmap(
		NULL, works_size(n), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (works == MAP_FAILED)
		return NULL;
	madvise(works, works_size(n), MADV_DONTFORK);
	return works;
}

int pass_new(struct pass **out, const struct pass_options *o)
{
	struct pass *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	p->o = *o;
	p->zero_ms = second_began_ms(p->o.now);
	rc = pass_state_read(p);
	if (!rc) {
		rc = revocations_copy(p, o->overrides);
		p->overrides.passed = p->kept.passed;
		p->overrides.n_passed = p->kept.n_passed;
		p->overrides.n_sorted = p->kept.n_sorted;
	}
	if (!rc)
		rc = schedule_at(&p->grants, o->program, &p->overrides, o->now);
	if (!rc) {
		p->works = works_new(p->grants.n);
		p->servers = calloc(o->program->n_servers + 1, sizeof(*p->servers));
		p->jobs = calloc(o->program->n_servers + 1, sizeof(*p->jobs));
		rc = p->works && p->servers && p->jobs ? 0 : -ENOMEM;
	}
	if (!rc)
		rc = pass_index_build(p);
	if (!rc)
		pass_verified_begin(p);
	if (!rc)
		rc = pass_renamed_hold(p);
	if (!rc && o->unfiltered)
		unfiltered_hold(p);
	if (!rc)
		rc = pass_formers_build(p);
	if (!rc)
		rc = pass_formers_spread(p);
	for (size_t i = 0; !rc && i < p->grants.n; i++)
		p->works[i].before = pass_admission(&p->grants.items[i], p);
	if (!rc)
		rc = claims_build(&p->claims, &p->identities);
	for (size_t i = 0; !rc && i < o->program->n_servers; i++)
		if (server_is_asked(p, &o->program->servers[i]))
			rc = server_add(p, &o->program->servers[i]);
	if (rc) {
		pass_free(p);
		return rc;
	}
	if (p->n_servers)
		sql_conversions_hold();
	pass_host_check(p);
	*out = p;
	return 0;
}

bool pass_is_writing(const struct pass *p)
{
	return p->in_journal;
}

void pass_settle(struct pass *p)
{
	pass_record_network(p);
	pass_journal_commit(p);
}

bool pass_is_held(const struct pass *p)
{
	return p->hold[0] != '\0';
}

bool pass_holds_at(const struct pass *p, instant_t now)
{
	instant_t next;

	return now >= p->o.now && (!schedule_next(&next, &p->grants, p->o.now) || now < next);
}

void pass_now_correct(struct pass *p, instant_t now)
{
	p->o.now = now;
	p->zero_ms = second_began_ms(p->o.now);
}

static void work_free(struct grant_work *w)
{
	free(w->shown);
	free(w->noted);
}

void pass_free(struct pass *p)
{
	if (!p)
		return;
	firewall_changes_free(&p->closed.planned);
	firewall_changes_free(&p->closed.done);
	pass_journal_drop(p);
	for (size_t i = 0; i < p->n_servers; i++) {
		struct server_work *w = &p->servers[i];
		for (size_t k = 0; k < w->n_plans; k++)
			free(w->plans[k].login);
		free(w->plans);
		pass_baselines_free(w);
		pass_again_free(w);
		pass_made_free(w);
		pass_closings_free(w);
		free(w->formers);
		free(w->forgotten);
		free(w->remembered);
		pass_refused_free(w);
		wanted_free(&w->sql.wanted);
	}
	free(p->servers);
	free(p->claims.items);
	free(p->jobs);
	pass_lasts_free(p);
	free(p->removed);
	for (size_t i = 0; p->works && i < p->grants.n; i++)
		work_free(&p->works[i]);
	if (p->works)
		munmap(p->works, works_size(p->grants.n));
	free(p->index);
	grants_free(&p->grants);
	pass_formers_free(p);
	pass_baselines_forget(p);
	forgotten_databases_free(&p->forgotten);
	free(p->passed);
	p->overrides.passed = NULL; /* borrowed */
	p->overrides.n_passed = 0;
	overrides_free(&p->overrides);
	pass_state_free(p);
	free(p);
}

const struct worker_job *pass_jobs(const struct pass *p, size_t *n)
{
	*n = p->n_servers;
	return p->jobs;
}

int pass_run(struct pass_result *out, const struct pass_options *o)
{
	struct pass *p;
	int rc = pass_new(&p, o);

	if (rc)
		return rc;
	if (o->mode == PASS_APPLY)
		pass_close_network(
			p); /* a failure is counted, and SQL access is removed all the same */
	size_t n;
	const struct worker_job *jobs = pass_jobs(p, &n);
	rc = workers_run(jobs, n, o->program->settings.workers,
		o->program->settings.server_deadline, pass_record, p);
	if (!rc)
		rc = pass_finish(out, p);
	pass_free(p);
	return rc;
}
