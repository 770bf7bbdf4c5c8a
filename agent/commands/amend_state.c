/* Reads and writes the state for a changed client file, in a child process that gives up root first. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands/amend.h"
#include "curfew/calendar.h"
#include "curfew/patch.h"
#include "curfew/preview.h"
#include "curfew/report.h"
#include "program/visible_text.h"

int amend_apart(struct amendment *a, int (*what)(struct amendment *a))
{
	int status;

	fflush(stdout);
	pid_t pid = fork();
	if (pid < 0)
		return cli_fail(a->cli, EXIT_FAILED, "%s", strerror(errno));
	if (pid == 0) {
		int code = what(a);
		fflush(stdout);
		_exit(code);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return cli_fail(a->cli, EXIT_FAILED, "%s", strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
}

struct amend_state {
	instant_t now;
	struct overrides overrides; /* from the state */
	struct overrides before,
		after; /* with dates that pass now, by the old and by the new text */
};

static void passed_merge(struct overrides *o, const struct passed *p)
{
	size_t i = 0;

	while (i < o->n_passed && !passed_is_same(&o->passed[i], p))
		i++;
	o->passed[i] = *p;
	o->n_passed += i == o->n_passed;
}

/* Updates passed dates as a pass at this time would: a recorded date stays unless the client's file changes it. Texts
 * are borrowed. 0 or exit code. */
static int passed_update(struct overrides *out, const struct overrides *o, const struct program *p,
	const struct client *c, instant_t now)
{
	struct passed fresh[PASSED_WHATS], of_database;
	size_t n = c ? client_passed(fresh, c, o, now) : 0, n_databases = c ? c->n_databases : 0;

	*out = *o;
	out->passed = calloc(o->n_passed + n + n_databases + 1, sizeof(*out->passed));
	if (!out->passed)
		return EXIT_FAILED;
	if (o->n_passed)
		memcpy(out->passed, o->passed, o->n_passed * sizeof(*o->passed));
	for (size_t i = 0; i < n; i++)
		passed_merge(out, &fresh[i]);
	for (size_t i = 0; i < n_databases; i++)
		if (database_passed(&of_database, p, c, &c->databases[i], o, now))
			passed_merge(out, &of_database);
	return 0;
}

static int state_read(struct amend_state *out, const struct amendment *a)
{
	struct journal *j = NULL;
	int code = cli_enter(a->cli, a->program->settings.state_directory, a->program);

	if (!code)
		code = cli_now(&out->now, a->cli, a->program, NULL);
	if (!code)
		code = cli_journal(&j, a->cli, a->program, false);
	if (!code)
		code = cli_overrides(&out->overrides, a->cli, a->program, j);
	journal_close(j);
	if (code)
		return code;
	return passed_update(&out->before, &out->overrides, a->program, a->client, out->now);
}

static bool reopening_is_among(const struct reopening *list, size_t n, const struct reopening *r)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].what == r->what && list[i].wanted == r->wanted && !list[i].approved)
			return true;
	return false;
}

/* Finds access that the new text would grant again without a new approval, and that the old text would not. NULL:
 * none. */
static const struct reopening *reopening_find(struct reopening out[REOPENINGS_MAX],
	const struct amendment *a, const struct amend_state *s)
{
	struct reopening before[REOPENINGS_MAX];
	size_t known =
		a->client ? client_reopenings(before, a->program, a->client, &s->before, s->now)
			  : 0;
	size_t n = client_reopenings(out, a->edited, a->changed, &s->before, s->now);

	for (size_t i = 0; i < n; i++)
		if (!out[i].approved && !reopening_is_among(before, known, &out[i]))
			return &out[i];
	return NULL;
}

static void reopening_print(const struct amendment *a, const struct reopening *r)
{
	const char *names[] = {"go-live", "the end of staging", "the end of all access"};
	const char *rule =
		r->what == PASSED_STAGING_END
			? "to move it takes a new ticket: --ticket, other than the file's"
			: "to move it takes a new ticket (--ticket, other than the file's) and an approval of that day or later (--approved-on, --approved-by)";
	char at[64];

	text_printf(stderr, "curfew %s: %s of %s has passed (%s) with ticket %s; %s\n",
		a->cli->command->name, names[r->what], a->changed->name,
		instant_format_local(at, sizeof(at), r->passed, a->changed->timezone),
		a->client && a->client->ticket ? a->client->ticket : "-", rule);
}

/* For a new client, prints the whole schedule. */
static int picture_print(const struct amendment *a, const struct amend_state *s)
{
	struct timeline t;

	if (timeline_make(&t, a->edited, a->changed, &s->before, s->now))
		return -ENOMEM;
	putchar('\n');
	int rc = timeline_print(&t, stdout, 0);
	timeline_free(&t);
	putchar('\n');
	return rc;
}

static int effect_print(const struct amendment *a, const struct amend_state *s)
{
	struct preview preview;

	if (preview_make(&preview, a->program, a->edited, &s->before, s->now))
		return cli_fail(a->cli, EXIT_FAILED, "%s", strerror(ENOMEM));
	int rc = preview_print(&preview, stdout);
	preview_free(&preview);
	if (!rc && !a->before)
		rc = picture_print(a, s);
	return rc ? EXIT_FAILED : 0;
}

static int look(struct amendment *a)
{
	struct amend_state s = {0};
	struct reopening reopenings[REOPENINGS_MAX];
	int code = state_read(&s, a);

	if (!code) {
		const struct reopening *r = reopening_find(reopenings, a, &s);

		if (r && !a->hushed)
			reopening_print(a, r);
		code = r ? AMEND_REOPENS : a->cli->print ? 0 : effect_print(a, &s);
	}
	free(s.before.passed);
	overrides_free(&s.overrides);
	return code;
}

int amend_look(struct amendment *a)
{
	int code = amend_apart(a, look);

	/* A change that only removes access does not wait for the journal. */
	if (a->closes && code == EXIT_FAILED)
		return cli_fail(a->cli, 0,
			"warning: the effect cannot be shown; going on, because this takes access away");
	return code;
}

/* Enough for a change of a few users; a longer text is truncated visibly. */
#define LINES_MAX 4096

static const char *lines_bound(char *text)
{
	if (text && strlen(text) > LINES_MAX)
		memcpy(text + LINES_MAX - 4, "...", 4);
	return text && *text ? text : NULL;
}

int amend_record(struct amendment *a, const char *outcome)
{
	_cleanup_free_ char *was = patch_lines(a->before ? a->before : "", a->after, '-');
	_cleanup_free_ char *is = patch_lines(a->before ? a->before : "", a->after, '+');
	_cleanup_free_ char *detail = NULL;
	struct journal *j = NULL;
	instant_t now = 0;

	if (!was || !is ||
		asprintf(&detail, "%s%s%s", a->path, a->cli->ticket ? ", ticket " : "",
			a->cli->ticket ? a->cli->ticket : "") < 0)
		return cli_fail(a->cli, EXIT_FAILED, "%s", strerror(ENOMEM));
	int code = cli_enter(a->cli, a->program->settings.state_directory, a->program);
	if (!code)
		code = cli_now(&now, a->cli, a->program, NULL);
	if (!code)
		code = cli_journal(&j, a->cli, a->program, true);
	if (code)
		return code;
	const struct journal_entry e = {.kind = JOURNAL_EVENT,
		.at = now,
		.actor = cli_actor(),
		.reason = a->cli->reason,
		.client = a->changed->name,
		.login = a->login,
		.action = a->cli->command->name,
		.before = lines_bound(was),
		.after = lines_bound(is),
		.outcome = outcome,
		.detail = detail,
		.configuration = a->edited->digest};
	int rc = journal_write(NULL, j, &e);
	cli_journal_end(j);
	return rc ? cli_fail(a->cli, EXIT_FAILED, "%s", journal_problem(rc)) : 0;
}
