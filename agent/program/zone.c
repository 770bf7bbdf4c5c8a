/* Offsets of IANA zones, read through the C library so that rules of the far future are right too. */
#include "program/zone.h"

#include "curfew/calendar.h"
#include "program/nearest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ZONE_FOLDER   "/usr/share/zoneinfo/"
#define ZONE_NAME_MAX 64

/* Names in the zone folder that are no places: links to the machine's own choice, and the trees whose
 * clocks count leap seconds. */
static bool zone_is_special(const char *zone)
{
	static const char *const special[] = {"localtime", "posixrules", "Factory"};

	if (strncmp(zone, "posix/", 6) == 0 || strncmp(zone, "right/", 6) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(special); i++)
		if (strcmp(zone, special[i]) == 0)
			return true;
	return false;
}

/* No dot is allowed at all, so no name leads out of the folder. */
static bool zone_is_wellformed(const char *zone)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789+-_/";
	size_t length = strlen(zone);

	return length > 0 && length < ZONE_NAME_MAX && zone[0] != '/' &&
	       strspn(zone, allowed) == length;
}

bool zone_exists(const char *zone)
{
	char path[sizeof(ZONE_FOLDER) + ZONE_NAME_MAX];
	char magic[4];
	struct stat st;
	bool found;
	int fd;

	if (!zone_is_wellformed(zone) || zone_is_special(zone))
		return false;
	snprintf(path, sizeof(path), ZONE_FOLDER "%s", zone);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	found = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		read(fd, magic, sizeof(magic)) == (ssize_t)sizeof(magic) &&
		memcmp(magic, "TZif", sizeof(magic)) == 0;
	close(fd);
	return found;
}

int zone_offsets(struct zone_offset *out, const instant_t *at, size_t n, const char *zone)
{
	/* The whole path, so that TZDIR in the environment cannot put other rules in its place. */
	char setting[sizeof(":" ZONE_FOLDER) + ZONE_NAME_MAX];
	const char *found = getenv("TZ");
	_cleanup_free_ char *before = found ? strdup(found) : NULL;
	int result = 0;

	if (found && !before)
		return -ENOMEM;
	if (!zone_exists(zone))
		return -EINVAL;
	snprintf(setting, sizeof(setting), ":" ZONE_FOLDER "%s", zone);
	if (setenv("TZ", setting, 1) < 0)
		return -ENOMEM;
	tzset();
	for (size_t i = 0; i < n; i++) {
		time_t t = (time_t)at[i];
		struct tm tm;

		if (!localtime_r(&t, &tm)) {
			result = -EINVAL;
			break;
		}
		out[i].seconds = tm.tm_gmtoff;
		snprintf(out[i].abbreviation, sizeof(out[i].abbreviation), "%s",
			tm.tm_zone ? tm.tm_zone : "");
	}
	if (before)
		setenv("TZ", before, 1);
	else
		unsetenv("TZ");
	tzset();
	return result;
}

char *zone_nearest(const char *zone)
{
	_cleanup_fclose_ FILE *f = fopen(ZONE_FOLDER "zone.tab", "re");
	_cleanup_free_ char *line = NULL;
	char best[ZONE_NAME_MAX] = "";
	size_t size = 0, distance = SIZE_MAX;

	if (!f)
		return NULL;
	while (getline(&line, &size, f) > 0) {
		char name[ZONE_NAME_MAX];
		size_t d;

		if (line[0] == '#' || sscanf(line, "%*s %*s %63s", name) != 1)
			continue;
		d = edit_distance(zone, name);
		if (d < distance) {
			distance = d;
			memcpy(best, name, sizeof(best));
		}
	}
	return distance <= strlen(zone) / 3 ? strdup(best) : NULL;
}
