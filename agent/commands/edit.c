/* curfew edit: opens a client file in an editor, as visudo does. A file with errors is not written. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands/amend.h"
#include "curfew/text.h"

/* A directory that only this user can read, with the file to edit. */
struct draft_file {
	char *folder, *path;
};

static void draft_remove(struct draft_file *d)
{
	if (d->path)
		unlink(d->path);
	if (d->folder)
		rmdir(d->folder);
	free(d->path);
	free(d->folder);
}

static int draft_write(const struct draft_file *d, const char *text)
{
	FILE *f = fopen(d->path, "we");

	if (!f)
		return -errno;
	fputs(text, f);
	return fclose(f) ? -errno : 0;
}

static int draft_make(struct draft_file *d, const struct amendment *a)
{
	const char *scratch = getenv("TMPDIR");
	char *folder = NULL;

	if (asprintf(&folder, "%s/curfew-edit-XXXXXX", scratch && *scratch ? scratch : "/tmp") < 0)
		return -ENOMEM;
	if (!mkdtemp(folder)) {
		int rc = -errno;
		free(folder);
		return rc;
	}
	d->folder = folder;
	if (asprintf(&d->path, "%s/%s", folder, base_name(a->path)) < 0) {
		d->path = NULL;
		return -ENOMEM;
	}
	return draft_write(d, a->before);
}

static const char *editor_name(void)
{
	static const char *const names[] = {"VISUAL", "EDITOR"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *name = getenv(names[i]);
		if (name && *name)
			return name;
	}
	return "editor";
}

/* EDITOR may contain options. 0 or exit code. */
static int editor_run(const struct cli *cli, const struct draft_file *d)
{
	_cleanup_free_ char *line = NULL;
	int status;

	if (asprintf(&line, "exec %s \"$1\"", editor_name()) < 0) {
		line = NULL;
		return EXIT_FAILED;
	}
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", line, "sh", d->path, (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return cli_fail(cli, EXIT_FAILED,
		"nothing done: the editor `%s` failed; choose another with the variable EDITOR",
		editor_name());
}

static int draft_read(struct amendment *a, const struct draft_file *d)
{
	free(a->after);
	a->after = amend_text_read(d->path, NULL);
	if (!a->after)
		return cli_fail(
			a->cli, EXIT_FAILED, "cannot read %s: %s", d->path, strerror(errno));
	return 0;
}

/* Whether to edit again. */
static bool edit_again(const struct amendment *a)
{
	char answer[16] = "";

	if (!isatty(STDIN_FILENO))
		return false;
	fprintf(stderr, "Edit again, or quit and leave %s as it is? [E/q] ", a->path);
	return fgets(answer, sizeof(answer), stdin) && *answer != 'q' && *answer != 'Q';
}

static int edit(struct amendment *a, const struct draft_file *d)
{
	int code;

	do {
		code = editor_run(a->cli, d);
		if (!code)
			code = draft_read(a, d);
		if (code || streq(a->before, a->after))
			return code;
		code = amend_check(a);
		if (!code)
			code = amend_look(a);
		if (code == AMEND_REOPENS)
			code = EXIT_FAILED;
	} while (code && edit_again(a));
	return code;
}

static int run(struct cli *cli)
{
	struct amendment a = {.may_be_broken = true};
	struct draft_file d = {0};
	int code = amend_open(&a, cli);
	int rc = code ? 0 : draft_make(&d, &a);

	if (rc)
		code = cli_fail(cli, EXIT_FAILED, "cannot make a file to edit: %s", strerror(-rc));
	if (!code)
		code = edit(&a, &d);
	if (!code)
		code = amend_finish(&a);
	draft_remove(&d);
	amend_close(&a);
	return code;
}

const struct command command_edit = {
	.name = "edit",
	.operands = "CLIENT",
	.required = "--reason TEXT --ticket ID",
	.min_operands = 1,
	.max_operands = 1,
	.options = AMEND_OPTIONS,
	.summary = "Edit a client file, and check it before it is written",
	.help = "Opens a copy in the editor that VISUAL or EDITOR names, as visudo does. A file with errors is not written: edit\n"
		"again, or leave the file as it is. Then shows the effect, asks, records, writes, and reloads. A file that has\n"
		"errors already is found by its name, without .conf.\n",
	.run = run,
};
