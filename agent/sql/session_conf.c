/* The FreeTDS configuration of one session, in memory. Files of the user and the system are not used. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sql/session_internal.h"

/* FreeTDS silently cuts longer lines. */
#define CONF_LINE_MAX 255

static int conf_line(FILE *to, const char *key, const char *value)
{
	if (strlen(key) + strlen(value) + 4 > CONF_LINE_MAX || strpbrk(value, "\r\n"))
		return -ENAMETOOLONG;
	fprintf(to, "%s = %s\n", key, value);
	return 0;
}

int session_conf_write(int *out, const struct sql_session_options *o)
{
	char port[8];
	const struct {
		const char *key, *value;
	} lines[] = {
		{"host", o->host},
		{"port", port},
		{"tds version", "7.4"},
		{"encryption", "require"},
		{"ca file", o->ca_file},
		{"check certificate hostname", "yes"},
		{"client charset", "UTF-8"},
	};
	_cleanup_fclose_ FILE *to = NULL;
	int rc = 0, fd = memfd_create("curfew-freetds", MFD_CLOEXEC), copy;

	if (fd < 0)
		return -errno;
	copy = dup(fd);
	to = copy < 0 ? NULL : fdopen(copy, "w");
	if (!to)
		rc = -errno;
	snprintf(port, sizeof(port), "%u", o->port);
	if (to)
		fputs("[" SESSION_CONF_SECTION "]\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(lines) && to && !rc; i++)
		rc = conf_line(to, lines[i].key, lines[i].value);
	if (!rc && fflush(to))
		rc = -EIO;
	if (rc)
		close(fd);
	else
		*out = fd;
	return rc;
}
