/* A pass on one server, in its worker: observe, compare, and with SQL_APPLY change under the server's application lock.
 * After each round observe again, until no change is left. If nothing differs, one observation is all. A change counts
 * as done when the next observation no longer asks for it, whatever its error number was. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "curfew/owner.h"
#include "curfew/secret.h"
#include "visit/closing_run.h"
#include "proof/residual.h"
#include "proof/proof.h"
#include "visit/visit.h"

/* As `curfew check` says it. */
static void secret_refuse(const struct sql_visit *p, const char *fault)
{
	char path[4096], why[sizeof(path) + 512];

	if (settings_credential(path, &p->program->settings, p->server->credential) < 0)
		return;
	snprintf(why, sizeof(why), "credential %s %s; run `curfew credential %s`, which writes it",
		path, fault, p->server->name);
	worker_unprepared(why);
}

/* As `curfew check` says it: a new password would not change the file's mode. */
static void mode_refuse(const struct sql_visit *p, const struct stat *st)
{
	char path[4096], why[2 * sizeof(path) + 128];

	if (settings_credential(path, &p->program->settings, p->server->credential) < 0)
		return;
	if (S_ISREG(st->st_mode))
		snprintf(why, sizeof(why),
			"credential %s must be readable by its owner only; run: chmod 0600 %s",
			path, path);
	else
		snprintf(why, sizeof(why),
			"credential %s must be a regular file; write it into a regular file of mode 0600",
			path);
	worker_unprepared(why);
}

int sql_visit_prepare(void *context)
{
	struct sql_visit *p = context;
	struct stat st = {0};
	ssize_t n;

	int fd = credential_held(p->server->credential)
			 ? WORKER_SECRET_FD
			 : credential_open(&p->program->settings, p->server->credential);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
		(st.st_mode & (S_IRWXG | S_IRWXO) & ~(mode_t)S_IRGRP)) {
		mode_refuse(p, &st);
		close(fd);
		return -EPERM;
	}
	if (sodium_init() < 0 || !(p->password = sodium_malloc(SECRET_BYTES))) {
		close(fd);
		return -ENOMEM;
	}
	do
		n = pread(fd, p->password, SECRET_BYTES - 1, 0);
	while (n < 0 && errno == EINTR);
	close(fd);
	if (n <= 0)
		return n ? -errno : -ENODATA;
	const char *fault = secret_line(p->password, (size_t)n, SECRET_SQL);
	if (fault)
		secret_refuse(p, fault);
	return fault ? -EINVAL : 0;
}

static void plans_tell(struct visit_run *run)
{
	for (size_t i = 0; i < run->difference.n_changes; i++) {
		struct record r;
		if (pass_is_for(run->visit, run->difference.changes[i].client)) {
			change_record(&r, run, &run->difference.changes[i]);
			worker_tell(run->worker, &r);
		}
	}
}

static void end_tell(const struct visit_run *run, int rc, const struct sql_error *error)
{
	struct record r;

	record_of(&r, run->visit, RECORD_END, NULL, NULL, NULL);
	r.code = rc == SQL_SERVER_ERROR ? error->number : rc;
	r.end.round_trips = run->session ? sql_session_round_trips(run->session) : 0;
	r.state = work_is_left(run) || run->additions_refused ? STATE_DRIFT : STATE_OK;
	if (rc)
		RECORD_PRINTF(&r, detail, "%s", error->text[0] ? error->text : strerror(-rc));
	worker_tell(run->worker, &r);
}

static int work(struct visit_run *run, struct sql_error *error)
{
	int rc = closings_run(run, error, run->visit->closings, run->visit->n_closings);

	visit_connected(run);
	if (!rc)
		rc = visit_observe(run, error);
	if (rc)
		return rc;
	switch (run->visit->mode) {
	case SQL_APPLY:
		if (work_is_left(run) || baselines_are_due(run))
			rc = visit_apply(run, error);
		/* Removed access is finished only when the server confirms it. */
		if (!rc)
			rc = verify_the_rest(run, error);
		if (!rc)
			rc = unseen_shut(run, error);
		return rc;
	case SQL_AUDIT:
		rc = verify_run(run, error, verify_all);
		if (!rc)
			rc = leftovers_tell(run, error);
		if (!rc)
			rc = baselines_tell(run, error, run->visit->baselines);
		return rc;
	case SQL_PLAN:
		rc = verify_ahead(run, error);
		if (!entered_goes_again(run, rc))
			plans_tell(run);
		return rc;
	case SQL_HANDOVER:
		return visit_handover(run, error);
	case SQL_STATUS:
		return 0;
	}
	return 0;
}

static size_t baselines_count(const struct sql_visit *p)
{
	size_t n = 0;

	while (p->baselines && p->baselines[n])
		n++;
	return n;
}

static int run_prepare(struct visit_run *run)
{
	const struct sql_visit *p = run->visit;

	run->claims = (struct claims){
		.items = calloc(p->claims.n + 1, sizeof(struct claim)), .n = p->claims.n};
	run->verdicts = calloc(p->wanted.n_grants + 1, sizeof(*run->verdicts));
	run->held = calloc(baselines_count(p) + 1, sizeof(*run->held));
	if (!run->claims.items || !run->verdicts || !run->held)
		return -ENOMEM;
	if (p->claims.n)
		memcpy(run->claims.items, p->claims.items, p->claims.n * sizeof(struct claim));
	return entries_recall(run);
}

static void touched_free(struct touched *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->logins[i]);
	free(t->logins);
}

static void run_clear(struct visit_run *run)
{
	const struct sql_visit *p = run->visit;

	sql_session_close(run->session);
	sodium_free(run->password);
	touched_free(&run->touched);
	free(run->entries);
	free(run->unread_entries);
	free(run->unseen_users);
	free(run->claims.items);
	for (size_t i = 0; run->verdicts && i < p->wanted.n_grants; i++)
		free(run->verdicts[i].evidence);
	free(run->verdicts);
	for (size_t i = 0; run->held && i < baselines_count(p); i++)
		free(run->held[i]);
	free(run->held);
	sql_blocked_free(&run->blocked);
	visit_ahead_forget(run);
	observed_free(&run->observed);
	difference_free(&run->difference);
}

static void result_tell(const struct visit_run *run, int rc, const struct sql_error *error)
{
	/* Never observed, or the session was lost, so that the last observation may no longer be true. */
	bool unknown = rc && !run->observed.version;

	if (unknown || (rc < 0 && rc != -ENOENT)) {
		/* The pass knows the grants: nothing is to be said of each of thousands. */
		tell_server(run, STATE_UNREACHABLE,
			error->text[0] ? error->text : strerror(rc < 0 ? -rc : EIO));
		tell_entries(run);
		return;
	}
	tell_server(run,
		observed_is_partial(&run->observed) || unreadable_is_of_all(&run->observed)
			? STATE_UNVERIFIED
			: STATE_OK,
		"");
	tell_obstacles(run);
	if (run->visit->mode != SQL_AUDIT)
		known_triggers_tell(run);
	tell_grants(run);
	tell_formers(run);
	tell_entries(run);
	tell_logins(run);
	tell_sessions(run);
	if (run->visit->mode == SQL_STATUS || run->visit->mode == SQL_PLAN)
		tell_passwords(run);
}

/* What was read is not told: the next visit of this pass reads all of it again, but for the sessions that were ended.
 * What these have shown already is told now too, for the server may not answer again. */
static void again_tell(const struct visit_run *run, int rc, const struct sql_error *error)
{
	struct record r;

	tell_entries(run);
	entries_carry(run);
	record_of(&r, run->visit, RECORD_END, NULL, NULL, run->entered.database);
	r.code = RECORD_CODE_AGAIN;
	/* The others behind this one were not read. */
	r.state = run->blocked.lost ? STATE_UNREAD : STATE_DRIFT;
	if (error->number)
		RECORD_PRINTF(&r, detail, "%s (%d)", error->text, error->number);
	else
		RECORD_PRINTF(&r, detail, "%s", error->text[0] ? error->text : strerror(-rc));
	worker_tell(run->worker, &r);
}

int sql_visit_run(struct worker *w, void *context)
{
	struct sql_visit *p = context;
	struct visit_run run = {.worker = w, .visit = p, .password = p->password};
	struct sql_error error = {0};

	p->password = NULL;
	int rc = run_prepare(&run);
	if (!rc)
		rc = visit_connect(&run, &error);
	if (!rc)
		rc = work(&run, &error);
	if (entered_goes_again(&run, rc)) {
		again_tell(&run, rc, &error);
	} else {
		result_tell(&run, rc, &error);
		end_tell(&run, rc, &error);
	}
	run_clear(&run);
	return 0;
}
