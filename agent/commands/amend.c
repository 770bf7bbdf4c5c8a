/* Changes a client file: checks the new text, shows the effect, asks, records, writes, reloads. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands/amend.h"
#include "commands/new_place.h"
#include "commands/reload_ask.h"
#include "curfew/patch.h"
#include "curfew/text.h"
#include "program/file_write.h"
#include "program/loading.h"
#include "program/visible_text.h"

static int words_require(const struct amendment *a)
{
	const struct cli *cli = a->cli;

	if (cli->print || cli->dry_run)
		return 0;
	if (!a->optional_reason && (!cli->reason || !*cli->reason))
		return cli_fail(cli, EXIT_USAGE,
			"option --reason is required, for example --reason \"tests take longer\"; recorded in the journal");
	if (!a->optional_reason && (!cli->ticket || !*cli->ticket))
		return cli_fail(cli, EXIT_USAGE,
			"option --ticket is required, for example --ticket CS-48211; recorded in the journal");
	if (!cli->yes && !isatty(STDIN_FILENO))
		return cli_fail(cli, EXIT_USAGE,
			"standard input is not a terminal, so nobody can confirm; use --yes, or --dry-run to see the effect");
	return 0;
}

int amend_load(struct amendment *a, struct cli *cli)
{
	a->cli = cli;
	int code = words_require(a);
	if (code)
		return code;
	int rc = program_load(&a->program, &a->problems, cli->config, (instant_t)time(NULL));
	if (rc)
		return cli_fail(cli, EXIT_FAILED, "cannot read %s: %s", cli->config, strerror(-rc));
	if (a->program)
		return 0;
	problems_print(&a->problems, stderr);
	return cli_fail(cli, EXIT_CONFIG, "nothing done: %s has errors", cli->config);
}

/* Another tool would write the old text again, and removed access could come back. */
static int managed_refuse(const struct amendment *a)
{
	int line = edit_managed_line(a->before);

	if (!line || a->cli->print)
		return 0;
	fprintf(stderr, "%s:%d: error: another tool manages this file; use --print for a patch\n",
		a->path, line);
	return cli_fail(a->cli, EXIT_CONFIG, "nothing done");
}

#define TEXT_MAX_BYTES ((size_t)1024 * 1024)

char *amend_text_read(const char *path, size_t *size)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	struct text text;
	int c;

	if (!f || !text_begin(&text))
		return NULL;
	for (size_t n = 0; (c = fgetc(f)) != EOF; n++) {
		/* limit of a client file */
		if (n == TEXT_MAX_BYTES) {
			text_drop(&text);
			errno = EFBIG;
			return NULL;
		}
		fputc(c, text.to);
	}
	char *bytes = text_end(&text);
	if (size)
		*size = text.size;
	return bytes;
}

/* A file of that name that defines no loaded client, because it has errors. */
static const char *broken_find(const struct amendment *a)
{
	const char *name = a->cli->operands[0];
	size_t n = strlen(name);

	if (program_client(a->program, name))
		return NULL;
	for (size_t i = 0; i < a->program->n_files; i++) {
		const char *file = base_name(a->program->files[i]);

		if (!strncmp(file, name, n) && streq(file + n, ".conf") &&
			!streq(a->program->files[i], a->cli->config))
			return a->program->files[i];
	}
	return NULL;
}

int amend_open(struct amendment *a, struct cli *cli)
{
	int code = amend_load(a, cli);

	if (code)
		return code;
	const char *file = a->may_be_broken ? broken_find(a) : NULL;
	if (!file)
		code = cli_client(&a->client, cli, a->program);
	if (code)
		return code;
	a->path = strdup(file ? file : a->client->file);
	a->before = a->path ? amend_text_read(a->path, NULL) : NULL;
	a->after = a->before ? strdup(a->before) : NULL;
	if (!a->after)
		return cli_fail(cli, EXIT_FAILED, "cannot read %s: %s",
			a->path ? a->path : "the file", strerror(errno));
	return managed_refuse(a);
}

int amend_edit(struct amendment *a, const struct edit *e)
{
	char *text;
	int rc = edit_apply(&text, a->after, e);

	if (rc == 0) {
		free(a->after);
		a->after = text;
		return 0;
	}
	if (rc == -ENOMEM)
		return cli_fail(a->cli, EXIT_FAILED, "%s", strerror(-rc));
	return cli_fail(a->cli, EXIT_FAILED,
		"cannot change %s in place, because of how it is written; use `curfew edit %s --reason TEXT --ticket ID`",
		a->path, a->client->name);
}

int amend_set(struct amendment *a, const char *name, const char *after, const char *value)
{
	_cleanup_free_ char *quoted = value ? edit_quote(value) : NULL;
	const struct edit e = {.kind = value ? EDIT_SET : EDIT_UNSET,
		.path = "client",
		.name = name,
		.after = after,
		.value = quoted};

	if (value && !quoted)
		return EXIT_FAILED;
	return amend_edit(a, &e);
}

static bool problem_is_known(const struct problems *known, const struct problem *p)
{
	for (size_t i = 0; i < known->n; i++)
		if (known->items[i].severity == p->severity &&
			streq(known->items[i].file, p->file) &&
			streq(known->items[i].text, p->text))
			return true;
	return false;
}

static void fresh_print(const struct amendment *a, const struct problems *fresh)
{
	for (size_t i = 0; i < fresh->n; i++) {
		const struct problems one = {.items = &fresh->items[i], .n = 1};

		/* No line of a file that nobody has written yet. */
		if (a->intake && streq(fresh->items[i].file, a->path))
			intake_problem_print(a->cli, a->intake, a->after, &fresh->items[i]);
		else
			problems_print(&one, stderr);
	}
}

/* Reports only problems that the change causes; `curfew check` reports the others. Returns the number of new errors. */
static size_t problems_fresh(struct amendment *a, const struct problems *now)
{
	struct problems fresh = {0};
	struct text text;
	size_t errors = 0;

	fresh.items = calloc(now->n + 1, sizeof(*fresh.items));
	for (size_t i = 0; i < now->n; i++) {
		bool known = problem_is_known(&a->problems, &now->items[i]);

		errors += !known && now->items[i].severity == SEVERITY_ERROR;
		if (!known && fresh.items)
			fresh.items[fresh.n++] = now->items[i];
	}
	free(a->fresh);
	a->fresh = NULL;
	if (errors)
		fresh_print(a, &fresh);
	else if (text_begin(&text)) {
		problems_print(&fresh, text.to);
		a->fresh = text_end(&text);
	}
	free(fresh.items);
	return errors;
}

int amend_check(struct amendment *a)
{
	const struct edited_file edited = {a->path, a->after};
	struct problems problems = {0};

	program_free(a->edited);
	a->edited = NULL;
	a->changed = NULL;
	int rc = program_load_edited(
		&a->edited, &problems, a->cli->config, &edited, (instant_t)time(NULL));
	if (rc)
		return cli_fail(a->cli, EXIT_FAILED, "%s", strerror(-rc));
	size_t errors = problems_fresh(a, &problems);
	problems_free(&problems);
	for (size_t i = 0; a->edited && i < a->edited->n_clients; i++)
		if (streq(a->edited->clients[i].file, a->path))
			a->changed = &a->edited->clients[i];
	if (errors || !a->changed)
		return cli_fail(a->cli, EXIT_CONFIG, "nothing done: the change would be an error");
	return 0;
}

static int agree(const struct amendment *a)
{
	if (a->cli->yes || cli_agrees("This is what the file will say."))
		return 0;
	return cli_fail(a->cli, EXIT_FAILED, "nothing done: the file stays as it is");
}

static int write_refuse(const struct amendment *a, int rc)
{
	const char *words =
		rc == -ESTALE ? "it has changed meanwhile; run the command again"
		: rc == -EBUSY
			? "another process has the lock on the folder, as a command does while it changes a file; run this again, "
			  "and if it stays so, `lslocks` names the process"
		: rc == -ELOOP	? "it is a symbolic link; change the file that it names"
		: rc == -EEXIST ? "it exists already, and is not overwritten; choose another name"
		: rc == -EACCES || rc == -EPERM ? "permission denied; run this as root"
						: strerror(-rc);

	return cli_fail(a->cli, EXIT_FAILED, "cannot write %s: %s", a->path, words);
}

static int record_done(struct amendment *a)
{
	return amend_record(a, "done");
}

static int record_failed(struct amendment *a)
{
	return amend_record(a, "failed");
}

/* Record first, then write: there must be no grant without a record. A change that removes access is written even if
 * it cannot be recorded. */
static int carry_out(struct amendment *a)
{
	int recorded = amend_apart(a, record_done);

	if (recorded && !a->closes)
		return cli_fail(a->cli, EXIT_FAILED, "nothing done: the change cannot be recorded");
	int rc = file_replace(a->path, a->after, a->before);
	if (rc < 0) {
		if (!recorded)
			amend_apart(a, record_failed);
		return write_refuse(a, rc);
	}
	text_printf(stdout, "%s written\n", a->path);
	fflush(stdout);
	int code = reload_after(a->cli, a->program);
	if (recorded && !code)
		code = cli_fail(
			a->cli, EXIT_FAILED, "the file is written, but the change is not recorded");
	return code;
}

/* Unchanged for patch(1); escaped on a terminal. */
static int patch_show(const struct amendment *a)
{
	struct text text;

	if (!text_begin(&text))
		return EXIT_FAILED;
	int rc = patch_print(text.to, a->path, a->before ? a->before : "", a->after);
	_cleanup_free_ char *patch = text_end(&text);
	_cleanup_free_ char *clean = patch && !a->cli->print ? text_clean(patch) : NULL;
	if (rc < 0 || !patch || (!clean && !a->cli->print))
		return EXIT_FAILED;
	fputs(a->cli->print ? patch : clean, stdout);
	return EXIT_FINE;
}

int amend_finish(struct amendment *a)
{
	struct cli *cli = a->cli;

	if (cli->print)
		return patch_show(a);
	if (a->before && streq(a->before, a->after))
		return cli_fail(cli, EXIT_FINE, "nothing to do: %s says that already", a->path);
	if (patch_show(a))
		return EXIT_FAILED;
	fflush(stdout);
	fputs(a->fresh ? a->fresh : "", stderr);
	if (cli->dry_run)
		return EXIT_FINE;
	int code = agree(a);
	return code ? code : carry_out(a);
}

void amend_close(struct amendment *a)
{
	program_free(a->program);
	program_free(a->edited);
	problems_free(&a->problems);
	free(a->path);
	free(a->before);
	free(a->after);
	free(a->fresh);
}

int amend_end(struct amendment *a, int code)
{
	if (!code)
		code = amend_look(a);
	if (!code)
		code = amend_finish(a);
	amend_close(a);
	return code == AMEND_REOPENS ? EXIT_FAILED : code;
}
