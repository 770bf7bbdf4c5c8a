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
#include "visit/closing_run.h"
#include "proof/residual.h"
#include "proof/proof.h"
#include "visit/visit.h"

/* SQL Server's limit for a password, in bytes of UTF-8, with a reserve. */
#define PASSWORD_MAX 512

int sql_visit_prepare(void *context)
{
	struct sql_visit *p = context;
	struct stat st;
	ssize_t n;

	int fd = credential_held(p->server->credential)
			 ? WORKER_SECRET_FD
			 : credential_open(&p->program->settings, p->server->credential);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) ||
		(st.st_mode & (S_IRWXG | S_IRWXO) & ~(mode_t)S_IRGRP) || sodium_init() < 0 ||
		!(p->password = sodium_malloc(PASSWORD_MAX))) {
		close(fd);
		return -EPERM;
	}
	do
		n = pread(fd, p->password, PASSWORD_MAX - 1, 0);
	while (n < 0 && errno == EINTR);
	close(fd);
	if (n <= 0)
		return n ? -errno : -ENODATA;
	p->password[n] = '\0';
	p->password[strcspn(p->password, "\r\n")] = '\0';
	return 0;
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
	r.state = work_is_left(run) ? STATE_DRIFT : STATE_OK;
	if (rc)
		RECORD_PRINTF(&r, detail, "%s", error->text[0] ? error->text : strerror(-rc));
	worker_tell(run->worker, &r);
}

static int work(struct visit_run *run, struct sql_error *error)
{
	int rc = closings_run(run, error, run->visit->closings, run->visit->n_closings);

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
		return rc;
	case SQL_AUDIT:
		rc = verify_run(run, error, verify_all);
		if (!rc)
			rc = leftovers_tell(run, error);
		if (!rc)
			rc = baselines_tell(run, error, run->visit->baselines);
		return rc;
	case SQL_PLAN:
		plans_tell(run);
		return 0;
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
	return 0;
}

static void run_clear(struct visit_run *run)
{
	const struct sql_visit *p = run->visit;

	sql_session_close(run->session);
	for (size_t i = 0; i < run->touched.n; i++)
		free(run->touched.logins[i]);
	free(run->touched.logins);
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
		return;
	}
	tell_server(run,
		run->observed.n_missing_rights || run->observed.n_unreadable ? STATE_UNVERIFIED
									     : STATE_OK,
		"");
	tell_obstacles(run);
	tell_grants(run);
	tell_formers(run);
	tell_logins(run);
	tell_sessions(run);
	if (run->visit->mode == SQL_STATUS || run->visit->mode == SQL_PLAN)
		tell_passwords(run);
}

int sql_visit_run(struct worker *w, void *context)
{
	struct sql_visit *p = context;
	struct visit_run run = {.worker = w, .visit = p};
	struct sql_error error = {0};
	struct sql_session_options o = {
		.host = p->server->host,
		.port = p->server->port,
		.ca_file = p->server->ca_file,
		.login = p->server->login,
		.password = p->password,
		.connect_timeout = p->program->settings.connect_timeout,
		.read_timeout = p->program->settings.server_deadline,
	};
	int rc = run_prepare(&run);

	if (!rc)
		rc = sql_session_open(&run.session, &error, &o);
	sodium_free(p->password);
	p->password = NULL;
	if (!rc)
		rc = work(&run, &error);
	result_tell(&run, rc, &error);
	end_tell(&run, rc, &error);
	run_clear(&run);
	return 0;
}
