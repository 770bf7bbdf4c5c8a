/* The worker's side of a sample of use, and what the service prepares for it. */
#include "service/sampling_job.h"

#include <errno.h>
#include <string.h>

#include "curfew/owner.h"

/* Seconds for one server. Long, because nothing waits for it. */
#define JOB_DEADLINE 600
#define HOUR	     3600

/* Reads the product's lists before the worker drops privileges. */
static int job_prepare(void *context)
{
	struct sampling_job *j = context;

	j->unlisted =
		vendor_load(&j->vendor, j->why, &j->reading.visit.program->settings.vendor_lists);
	return sql_inventory_prepare(&j->reading);
}

static void record_begin(
	struct record *r, const struct sampling_job *j, enum record_kind kind, const char *database)
{
	*r = (struct record){.kind = kind};
	RECORD_SET(r, server, j->reading.visit.server->name);
	RECORD_SET(r, database, database);
}

static void uses_tell(struct worker *w, const struct sampling_job *j, const struct sample *s)
{
	struct record r;

	for (size_t i = 0; i < s->n_uses; i++) {
		record_begin(&r, j, RECORD_SEEN, s->database);
		RECORD_SET(&r, used.type, s->uses[i].type);
		RECORD_SET(&r, used.name, s->uses[i].name);
		RECORD_SET(&r, used.source, s->uses[i].source);
		r.used.last = s->uses[i].last;
		worker_tell(w, &r);
	}
	for (size_t i = 0; i < s->n_watches; i++) {
		record_begin(&r, j, RECORD_WATCH, s->database);
		RECORD_SET(&r, watch.part, s->watches[i].part);
		r.watch.since = s->watches[i].since;
		r.watch.until = s->watches[i].until;
		r.watch.gap = (uint64_t)s->watches[i].gap;
		worker_tell(w, &r);
	}
}

static void tally_tell(struct worker *w, const struct sampling_job *j, const char *database,
	const struct sample_tally *t)
{
	struct record r;

	record_begin(&r, j, RECORD_TALLY, database);
	r.tally = (struct record_tally){
		t->red, t->yellow, t->green, t->undecided, t->keep, t->replace, t->drop, t->left};
	worker_tell(w, &r);
}

/* Jobs and linked servers that belong to no database. */
static void server_tell(struct worker *w, const struct sampling_job *j)
{
	const struct inventory *v = &j->inventory;
	const char *server = j->reading.visit.server->name;
	const struct inventory_coverage *c = inventory_coverage_of(v, server, "", "whole");
	struct sample_tally t;

	if (!c || c->seen != ANSWER_YES)
		return;
	inventory_tally(&t, v, server, "");
	tally_tell(w, j, "", &t);
}

static int database_tell(
	struct worker *w, const struct sampling_job *j, const struct inventory_database *d)
{
	struct record r;
	struct sample s;

	if (!d->read) {
		record_begin(&r, j, RECORD_COVERAGE, d->database);
		RECORD_SET(&r, coverage.part, "whole");
		RECORD_SET(&r, detail, d->why);
		worker_tell(w, &r);
		return 0;
	}
	int rc = inventory_sample(&s, &j->inventory, d->server, d->database);
	if (rc)
		return rc;
	uses_tell(w, j, &s);
	tally_tell(w, j, d->database, &s.tallies[0]);
	inventory_sample_clear(&s);
	return 0;
}

/* Without the product's list there is no result: the tally would count the product's own objects as custom. */
static int job_run(struct worker *w, void *context)
{
	struct sampling_job *j = context;
	struct inventory *v = &j->inventory;
	struct record end;
	int rc = j->unlisted;

	for (size_t i = 0; i < j->reading.n_databases && !rc; i++)
		rc = inventory_expect(v, j->reading.visit.server->name, j->databases[i], false);
	if (!rc)
		rc = sql_inventory_run(w, &j->reading);
	if (!rc)
		rc = inventory_finish(v, &j->vendor);
	for (size_t i = 0; i < v->n_databases && !rc; i++)
		rc = database_tell(w, j, &v->databases[i]);
	if (!rc)
		server_tell(w, j);
	record_begin(&end, j, RECORD_END, "");
	end.code = rc;
	end.end.round_trips = v->round_trips;
	if (rc)
		RECORD_SET(&end, detail, j->unlisted ? j->why : strerror(-rc));
	worker_tell(w, &end);
	return 0;
}

static bool is_listed(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (names_equal(*names, name))
			return true;
	return false;
}

static int databases_find(struct sampling_job *j, const struct program *p, size_t server,
	struct journal *journal, instant_t now)
{
	instant_t interval = (instant_t)p->settings.sample_hours * HOUR;
	size_t room = 1;
	int rc = 0;

	for (size_t i = 0; i < p->n_clients; i++)
		room += p->clients[i].n_databases;
	j->databases = calloc(room, sizeof(*j->databases));
	if (!j->databases)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_clients; i++)
		for (size_t k = 0; k < p->clients[i].n_databases && !rc; k++) {
			const struct database *d = &p->clients[i].databases[k];
			instant_t last = 0;
			if (d->server != server || is_listed(j->databases, d->name))
				continue;
			rc = sample_last(&last, journal, p->servers[server].name, d->name);
			/* last > now: the clock was set back, which must not delay the next sample. */
			if (!rc && (last > now || last + interval <= now))
				j->databases[j->reading.n_databases++] = d->name;
		}
	return rc ? rc : j->reading.n_databases ? 0 : -ENOENT;
}

int sampling_job_set(struct sampling_job *j, const struct program *p, const struct server *s,
	struct journal *journal, instant_t now)
{
	*j = (struct sampling_job){.read = {s->ca_file}, .connect = {s->port}};
	int rc = databases_find(j, p, (size_t)(s - p->servers), journal, now);

	for (size_t i = 0; i < j->reading.n_databases && !rc; i++)
		rc = sample_read(&j->before, journal, s->name, j->databases[i]);
	if (!rc)
		rc = sample_read(&j->before, journal, s->name, "");
	if (rc) {
		sampling_job_clear(j);
		return rc;
	}
	j->reading.databases = j->databases;
	j->reading.visit = (struct sql_visit){.program = p, .server = s, .now = now};
	j->reading.sink = inventory_take;
	j->reading.context = &j->inventory;
	j->inventory = (struct inventory){
		.at = now, .days = p->settings.unused_days, .samples = &j->before};
	j->paths = (struct sandbox_paths){.read = j->read, .connect = j->connect};
	j->job = (struct worker_job){.name = s->name,
		.prepare = job_prepare,
		.run = job_run,
		.context = j,
		.paths = &j->paths,
		.deadline = JOB_DEADLINE,
		.secret = credential_held(s->credential)};
	return 0;
}

void sampling_job_clear(struct sampling_job *j)
{
	samples_free(&j->before);
	free(j->databases);
	*j = (struct sampling_job){0};
}
