/* Opens what the firewall process remembers, while the command is still root. */
#include "commands/remembered.h"

#include <errno.h>

#include "curfew/firewall_record.h"

/* The units give the firewall process the directory beside the state directory. */
static int folder_name(char path[4096], const struct program *p)
{
	const char *given = getenv("CURFEW_FIREWALL_FOLDER");
	int n = given ? snprintf(path, 4096, "%s", given)
		      : snprintf(path, 4096, "%s-firewall", p->settings.state_directory);

	return n < 0 || n >= 4096 ? -ENAMETOOLONG : 0;
}

int remembered_open(const struct program *p)
{
	static bool asked;
	static int file = -ENOENT;
	char path[4096];

	if (asked || !p || !p->settings.firewall.enabled)
		return file;
	asked = true;
	file = folder_name(path, p);
	if (file == 0)
		file = firewall_memory_open(path);
	return file;
}
