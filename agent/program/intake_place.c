/* Which user of an intake a line of the written client file is about. */
#include "program/intake.h"

#include <string.h>

const struct intake_person *intake_person_at(const struct intake *i, const char *written, int line)
{
	size_t person = 0;
	bool within = false;

	for (int at = 1; *written && at <= line; at++) {
		size_t n = strcspn(written, "\n");

		/* intake_write() begins a user, and nothing else, with a line of one brace. */
		if (n == 3 && strncmp(written, "\t\t{", n) == 0) {
			within = true;
			person++;
		} else if (n && n < 4 && strncmp(written, "\t);", n) == 0) {
			within = false;
		}
		written += n + (written[n] == '\n');
	}
	return within && person <= i->n_people ? &i->people[person - 1] : NULL;
}

void intake_setting_at(char name[32], const char *written, int line)
{
	for (int at = 1; *written && at < line; at++)
		written += strcspn(written, "\n") + (strchr(written, '\n') != NULL);
	written += strspn(written, "\t {");
	snprintf(name, 32, "%.*s", (int)strcspn(written, " =\n"), written);
}
