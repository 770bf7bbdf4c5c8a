/* What was read of a zone is remembered only while its file is the same: an update of the time zones counts at once, also
 * for a service that runs for months. In a mount namespace of the test's own. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "curfew/base.h"
#include "program/zone.h"

#define FOLDER "/usr/share/zoneinfo/"
#define AT     INT64_C(1795869245)

static char *file_read(const char *path, size_t *size)
{
	static char bytes[65536];
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	*size = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	return bytes;
}

static void zone_put(const char *bytes, size_t size)
{
	FILE *f = fopen(FOLDER "Moved", "we");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static void test_an_updated_zone_counts_at_once(void **state)
{
	static const char *const places[] = {"Asia/Tokyo", "America/Chicago", "Asia/Tokyo"};
	static const int64_t hours[] = {9, -6, 9};
	static char copies[3][65536];
	size_t sizes[3];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char path[256];

		snprintf(path, sizeof(path), FOLDER "%s", places[i]);
		memcpy(copies[i], file_read(path, &sizes[i]), sizeof(copies[i]));
	}
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", FOLDER, "tmpfs", 0, NULL) < 0) {
		print_message("# SKIPPED: needs root, for a mount namespace of its own\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		zone_put(copies[i], sizes[i]);
		/* The second time it is remembered. */
		for (int again = 0; again < 2; again++) {
			struct zone_reading readings[ZONE_READINGS];
			struct zone_offset offset;

			assert_int_equal(zone_offset(&offset, AT, "Moved"), 0);
			assert_int_equal(offset.seconds, hours[i] * 3600);
			assert_int_equal(zone_readings(readings, AT, "Moved"), 1);
			assert_int_equal(readings[0].offset, hours[i] * 3600);
		}
		assert_int_equal(unlink(FOLDER "Moved"), 0);
		/* Without its file nothing of it is known. */
		struct zone_offset offset;
		assert_int_equal(zone_offset(&offset, AT, "Moved"), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_an_updated_zone_counts_at_once)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
