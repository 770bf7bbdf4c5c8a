/* Gives up root: opens what only root can open, then becomes the owner of the state directory. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "commands/remembered.h"
#include "curfew/control.h"
#include "curfew/owner.h"

/* Files of reports: root chooses their paths, and the state's owner may not be able to write there. */
static struct {
	const char *path;
	int fd;
} outputs[3];

static int outputs_hold(const struct cli *cli)
{
	const char *const paths[] = {cli->html, cli->svg, cli->ics};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		if (!paths[i] || streq(paths[i], "-"))
			continue;
		/* Truncated only when the report is written, so that a failed report leaves the last one intact. */
		outputs[i].fd = open(paths[i], O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
		if (outputs[i].fd < 0)
			return -errno;
		outputs[i].path = paths[i];
	}
	return 0;
}

static FILE *output_held(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(outputs); i++) {
		if (!outputs[i].path || !streq(outputs[i].path, path))
			continue;
		if (ftruncate(outputs[i].fd, 0) < 0 && errno != EINVAL)
			return NULL;
		outputs[i].path = NULL;
		return fdopen(outputs[i].fd, "w");
	}
	return fopen(path, "we");
}

FILE *cli_output(const struct cli *cli, const char *path)
{
	FILE *to = strcmp(path, "-") ? output_held(path) : stdout;

	if (!to)
		cli_fail(cli, EXIT_FAILED,
			"cannot write %s: %s; choose a writable file in an existing directory",
			path, strerror(errno));
	return to;
}

int cli_enter(const struct cli *cli, const char *folder, const struct program *p)
{
	remembered_open(p);
	if (!owner_differs(folder))
		return 0;
	cli_actor(); /* remember the user before the change */
	control_keep(p ? p->settings.runtime_directory : "/run/curfew");
	int rc = p ? credentials_hold(p) : 0;
	if (rc)
		return cli_fail(cli, EXIT_FAILED, "cannot open the credentials: %s", strerror(-rc));
	rc = outputs_hold(cli);
	if (rc)
		return cli_fail(cli, EXIT_FAILED,
			"cannot write the report: %s; choose a writable file in an existing directory",
			strerror(-rc));
	rc = owner_become(folder, p && p->settings.firewall.enabled);
	if (rc)
		return cli_fail(cli, EXIT_FAILED,
			"cannot become the owner of %s: %s; nothing in it was read or written",
			folder, strerror(-rc));
	return 0;
}
