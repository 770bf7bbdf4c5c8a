/* check-server --life: create a throwaway login, connect, reduce, end its session, remove it, and verify that it is
 * removed. */
#include "commands/check_server_life.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include <sodium.h>

#include "commands/check_server_job.h"
#include "commands/check_server_visit.h"

/* Milliseconds for an ended session to notice. */
#define END_PATIENCE 5000

/* ---- lines ---- */

static const char *fix_of(const struct life *l, char fix[RECORD_TEXT_MAX])
{
	snprintf(fix, RECORD_TEXT_MAX,
		"a DBA must run the output of `curfew bootstrap %s` again; in the scratch database the agent login must be in "
		"role db_owner, and login " USER_LOGIN " must have a user",
		l->check->shown);
	return fix;
}

/* True: the visit succeeded. */
static bool visit_tell(const struct life *l, const char *name, int rc)
{
	char fix[RECORD_TEXT_MAX];
	bool fine = !rc && !l->problem[0];

	check_report_add(l->report, fine ? CHECK_OK : CHECK_FAIL, name,
		rc	      ? strerror(-rc)
		: !fine	      ? l->problem
		: *l->actions ? l->actions
			      : "done",
		fine ? NULL : fix_of(l, fix));
	return fine;
}

/* Ask the server now, unless the visit has verified the login already. */
static void verified_tell(struct life *l, const char *name, enum level level)
{
	int rc = l->told ? 0 : life_visit(l, SQL_AUDIT, level, NULL, false);
	bool fine = !rc && l->told && l->verified == VERIFICATION_VERIFIED;
	const char *words =
		server_check_shown(l->check, l->told ? verification_name(l->verified) : "no answer",
			l->evidence[0] ? l->evidence : "the server was not asked");

	check_report_add(l->report, fine ? CHECK_OK : CHECK_FAIL, name, words,
		fine ? NULL
		     : "Curfew grants no access that this server does not verify; see the lines above that failed");
}

/* ---- steps ---- */

static int probe(struct life *l, const char *line, char *password, int refused)
{
	struct server_probe p = {.check = l->check,
		.line = line,
		.login = l->login,
		.database = l->scratch,
		.password = password,
		.refused = refused};

	struct check_job job;

	check_job_set(&job, l->check->visit.server, l->check->shown, NULL, server_probe_run, &p);
	return check_job_run(&job, check_report_take, l->report);
}

static bool password_set(struct life *l, const char *line, const char *password, bool must_change)
{
	return visit_tell(l, line, life_visit(l, SQL_HANDOVER, LEVEL_FULL, password, must_change));
}

/* First a password that must be changed at login, as a person gets it; then one with which the check can log in. */
static int passwords(struct life *l, char *password)
{
	enum { MUST_CHANGE = 18488 };
	int rc = 0;

	if (l->check->visit.server->must_change &&
		password_set(l, "life.one-time-password", password, true))
		rc = probe(l, "life.must-change", password, MUST_CHANGE);
	if (!rc && password_set(l, "life.password", password, false))
		rc = probe(l, "life.login", password, 0);
	return rc;
}

/* Waits for the next line of the report: the session has connected, or could not. */
static int session_await(struct workers *w, const struct check_report *report)
{
	struct pollfd p = {.fd = workers_fd(w), .events = POLLIN};
	size_t before = report->n;
	int rc = 0;

	while (!rc && report->n == before) {
		poll(&p, 1, 1000);
		rc = workers_dispatch(w);
	}
	return rc < 0 ? rc : 0;
}

static int session_end(struct workers *w, const struct life *l)
{
	struct pollfd p = {.fd = workers_fd(w), .events = POLLIN};
	int rc = 0, ready = 1;

	while (!rc && ready > 0) {
		ready = poll(&p, 1, END_PATIENCE);
		rc = workers_dispatch(w);
	}
	if (!rc)
		check_report_add(l->report, CHECK_FAIL, "life.kill",
			"a session from before the reduction is still open",
			"grant ALTER ANY CONNECTION and VIEW SERVER STATE to the agent login");
	return rc < 0 ? rc : 0;
}

static int narrow(struct life *l, char *password)
{
	struct server_probe p = {.check = l->check,
		.line = "life.session",
		.login = l->login,
		.database = l->scratch,
		.password = password,
		.hold = true};
	struct check_job job;
	struct workers *w;

	check_job_set(&job, l->check->visit.server, l->check->shown, NULL, server_probe_run, &p);
	int rc = workers_start(&w, &job.job, 1, 1, job.job.deadline, check_report_take, l->report);
	if (rc)
		return rc;
	rc = session_await(w, l->report);
	if (!rc) {
		visit_tell(l, "life.read-only",
			life_visit(l, SQL_APPLY, LEVEL_READ_ONLY, NULL, false));
		rc = session_end(w, l);
	}
	workers_free(w);
	if (!rc)
		verified_tell(l, "life.verified-read-only", LEVEL_READ_ONLY);
	return rc ? rc : probe(l, "life.login-read-only", password, 0);
}

/* The level between: what a person keeps who writes data and changes no code. */
static int write_level(struct life *l, char *password)
{
	/* A database gets the roles of the levels that it has in its course. */
	l->database.before_go_live = LEVEL_WRITE;
	visit_tell(l, "life.write", life_visit(l, SQL_APPLY, LEVEL_WRITE, NULL, false));
	verified_tell(l, "life.verified-write", LEVEL_WRITE);
	return probe(l, "life.login-write", password, 0);
}

static int steps(struct life *l, char *password)
{
	enum { LOGIN_FAILED = 18456 };
	int rc = life_visit(l, SQL_PLAN, LEVEL_FULL, NULL, false);

	if (rc || l->strangers || l->problem[0]) {
		l->problem[0] = l->strangers ? '\0' : l->problem[0];
		check_report_add(l->report, CHECK_FAIL, "life.plan",
			l->problem[0] ? l->problem
				      : "the check would change more than the throwaway login",
			"use an empty scratch database in which the agent login is in role db_owner");
		return rc;
	}
	check_report_add(l->report, CHECK_OK, "life.plan",
		"only the throwaway login and the scratch database change", NULL);
	bool made = visit_tell(l, "life.full", life_visit(l, SQL_APPLY, LEVEL_FULL, NULL, false));
	if (made) {
		verified_tell(l, "life.verified-full", LEVEL_FULL);
		rc = passwords(l, password);
		if (!rc)
			rc = write_level(l, password);
		if (!rc)
			rc = narrow(l, password);
	}
	visit_tell(l, "life.removed", life_visit(l, SQL_APPLY, LEVEL_NONE, NULL, false));
	if (made && !rc) {
		verified_tell(l, "life.verified-gone", LEVEL_NONE);
		rc = probe(l, "life.login-gone", password, LOGIN_FAILED);
	}
	return rc;
}

static int sweep(const struct life *l)
{
	struct server_sweep s = {.check = *l->check, .login = l->login, .database = l->scratch};

	memcpy(s.roles, l->roles, sizeof(s.roles));
	struct check_job job;
	check_job_set(&job, l->check->visit.server, l->check->shown, server_sweep_prepare,
		server_sweep_run, &s);
	return check_job_run(&job, check_report_take, l->report);
}

static void life_begin(struct life *l)
{
	unsigned char random[6];
	char hex[sizeof(random) * 2 + 1];

	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(hex, sizeof(hex), random, sizeof(random));
	snprintf(l->login, sizeof(l->login), CHECK_LOGIN_PREFIX "%s", hex);
	l->client = (struct client){.name = (char *)(uintptr_t) "(check-server)"};
	l->user = (struct user){.login = l->login};
	l->database = (struct database){.role = ROLE_STAGING,
		.name = (char *)(uintptr_t)l->scratch,
		.before_go_live = LEVEL_FULL};
}

int check_life(struct check_report *report, const struct server_check *check, const char *database)
{
	struct life l = {.report = report, .check = check, .scratch = database};
	sigset_t held, before;

	if (!report->entered) {
		check_report_add(report, CHECK_SKIP, "life", "not reached", NULL);
		return 0;
	}
	char *password = sql_password_new();
	if (!password)
		return -ENOMEM;
	/* Remove everything before an interrupt takes effect. */
	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, &before);
	life_begin(&l);
	int rc = steps(&l, password), cleared = sweep(&l);
	sigprocmask(SIG_SETMASK, &before, NULL);
	sodium_free(password);
	return rc ? rc : cleared;
}
