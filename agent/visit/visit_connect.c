/* Opens the session of a visit: at once, or ahead of the instant that the visit waits for. */
#include <errno.h>

#include <sodium.h>

#include "visit/visit.h"

static int session_open(struct visit_run *run, struct sql_error *error)
{
	const struct sql_visit *v = run->visit;
	const struct sql_session_options o = {
		.host = v->server->host,
		.port = v->server->port,
		.ca_file = v->server->ca_file,
		.login = v->server->login,
		.password = run->password,
		.connect_timeout = v->program->settings.connect_timeout,
		.read_timeout = v->program->settings.server_deadline,
	};

	return sql_session_open(&run->session, error, &o);
}

static void password_forget(struct visit_run *run)
{
	sodium_free(run->password);
	run->password = NULL;
}

int visit_connect(struct visit_run *run, struct sql_error *error)
{
	int rc = -ENOTCONN;

	if (worker_is_held(run->worker)) {
		rc = session_open(run, error);
		run->is_early = !rc;
		if (!rc)
			sql_session_watch(run->session, true);
		worker_wait(run->worker);
	}
	/* Without one from before the instant as without a wait. */
	if (rc)
		rc = session_open(run, error);
	if (!run->is_early)
		password_forget(run);
	run->began = monotonic_ms();
	return rc;
}

int visit_connect_again(struct visit_run *run, struct sql_error *error)
{
	if (!run->is_early)
		return -ENOTCONN;
	run->is_early = false;
	sql_session_close(run->session);
	run->session = NULL;
	int rc = session_open(run, error);
	password_forget(run);
	return rc;
}

void visit_connected(struct visit_run *run)
{
	if (run->is_early) {
		run->is_early = false;
		sql_session_watch(run->session, false);
		password_forget(run);
	}
	worker_answered(run->worker);
}
