/* Offsets of IANA zones. Reads them through the C library, which also knows the rules for the far future. */
#include "program/zone.h"

#include "curfew/calendar.h"
#include "program/suggest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ZONE_FOLDER   "/usr/share/zoneinfo/"
#define ZONE_NAME_MAX 64

/* Names in the zone directory that are not places: links to the host's own zone, and the trees with leap seconds. */
static bool zone_is_special(const char *zone)
{
	static const char *const special[] = {"localtime", "posixrules", "Factory"};

	if (strncmp(zone, "posix/", 6) == 0 || strncmp(zone, "right/", 6) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(special); i++)
		if (streq(zone, special[i]))
			return true;
	return false;
}

/* Dots are not allowed, so no name leads out of the directory. */
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

uint64_t zone_identity(const char *zone)
{
	char path[sizeof(ZONE_FOLDER) + ZONE_NAME_MAX];
	struct stat st;

	if (!zone_is_wellformed(zone))
		return 0;
	snprintf(path, sizeof(path), ZONE_FOLDER "%s", zone);
	if (stat(path, &st) < 0)
		return 0;
	const uint64_t parts[] = {st.st_dev, st.st_ino, (uint64_t)st.st_size,
		(uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec};
	uint64_t sum = 14695981039346656037U; /* FNV-1a, a word at a time */
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		sum = (sum ^ parts[i]) * 1099511628211U;
	return sum;
}

/* Switches the process's zone and back. Each switch reads a file. */
struct switched {
	char *before; /* owned; NULL: TZ was not set */
};

static int zone_enter(struct switched *out, const char *zone)
{
	/* The whole path, so that TZDIR in the environment cannot select other rules. */
	char setting[sizeof(":" ZONE_FOLDER) + ZONE_NAME_MAX];
	const char *found = getenv("TZ");
	char *before = found ? strdup(found) : NULL;

	if (found && !before)
		return -ENOMEM;
	if (!zone_exists(zone)) {
		free(before);
		return -EINVAL;
	}
	snprintf(setting, sizeof(setting), ":" ZONE_FOLDER "%s", zone);
	if (setenv("TZ", setting, 1) < 0) {
		free(before);
		return -ENOMEM;
	}
	tzset();
	out->before = before;
	return 0;
}

static void zone_leave(struct switched *s)
{
	if (s->before)
		setenv("TZ", s->before, 1);
	else
		unsetenv("TZ");
	tzset();
	free(s->before);
}

/* Only within zone_enter(). Years outside the supported range read as UTC. */
static int64_t offset_here(char abbreviation[ZONE_ABBREVIATION_MAX], instant_t at)
{
	time_t t = (time_t)at;
	struct tm tm;

	if (!localtime_r(&t, &tm))
		tm = (struct tm){.tm_zone = "UTC"};
	if (abbreviation)
		snprintf(abbreviation, ZONE_ABBREVIATION_MAX, "%s", tm.tm_zone ? tm.tm_zone : "");
	return tm.tm_gmtoff;
}

/* What was read of a zone's file, for as long as the file is the same: a fleet has few zones and few dates, and each switch
 * to a zone reads it anew. */
#define REMEMBERED	    256
#define REMEMBERED_READINGS 4 /* no place has changed its offset so often within two days */
struct zone_memory {
	uint64_t identity; /* of the file; 0: nothing is remembered here */
	int64_t at;
	char zone[ZONE_NAME_MAX];
	union {
		struct zone_offset offset;
		struct zone_reading readings[REMEMBERED_READINGS];
	} is;
	int n; /* readings */
};

static struct zone_memory offsets[REMEMBERED], walls[REMEMBERED];

/* Its place in the table, and whether it holds just that. A zone without a file is never remembered. */
static bool remembered_find(
	struct zone_memory **place, struct zone_memory *table, int64_t at, const char *zone)
{
	struct zone_memory asked = {.identity = zone_identity(zone), .at = at};
	uint64_t hash = (uint64_t)at * 11400714819323198485U;

	for (const char *c = zone; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 1099511628211U;
	*place = &table[hash >> 32 & (REMEMBERED - 1)];
	if (asked.identity && (*place)->identity == asked.identity && (*place)->at == at &&
		streq((*place)->zone, zone))
		return true;
	snprintf(asked.zone, sizeof(asked.zone), "%s", zone);
	**place = asked;
	return false;
}

int zone_offset(struct zone_offset *out, instant_t at, const char *zone)
{
	struct zone_memory *r;
	struct switched s;

	if (!remembered_find(&r, offsets, at, zone)) {
		int rc = zone_enter(&s, zone);

		if (rc < 0) {
			r->identity = 0;
			return rc;
		}
		r->is.offset.seconds = offset_here(r->is.offset.abbreviation, at);
		zone_leave(&s);
	}
	*out = r->is.offset;
	return 0;
}

static int readings_here(struct zone_reading out[ZONE_READINGS], int64_t wall)
{
	int n = 0;

	for (int i = 0; i < ZONE_READINGS; i++) {
		int64_t offset = offset_here(NULL, wall - ZONE_REACH + (int64_t)i * ZONE_SAMPLE);

		if (n == 0 || offset != out[n - 1].offset)
			out[n++] = (struct zone_reading){wall - offset, offset, 0};
	}
	for (int i = 0; i < n; i++)
		out[i].there = offset_here(NULL, out[i].at);
	return n;
}

int zone_readings(struct zone_reading out[ZONE_READINGS], int64_t wall, const char *zone)
{
	struct zone_memory *r;
	struct switched s;

	if (!remembered_find(&r, walls, wall, zone)) {
		int n = zone_enter(&s, zone);

		if (n == 0) {
			n = readings_here(out, wall);
			zone_leave(&s);
		}
		if (n < 0 || n > REMEMBERED_READINGS) {
			r->identity = 0;
			return n;
		}
		r->n = n;
		memcpy(r->is.readings, out, (size_t)n * sizeof(*out));
	}
	memcpy(out, r->is.readings, (size_t)r->n * sizeof(*out));
	return r->n;
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
