/* Lists the names in a directory of client files. */
#include "program/loading.h"

#include <errno.h>
#include <string.h>

bool name_is_client_file(const char *name)
{
	size_t n = strlen(name);

	return name[0] != '.' && n > 5 && streq(name + n - 5, ".conf");
}

static int entry_is_wanted(const struct dirent *entry)
{
	return !streq(entry->d_name, ".") && !streq(entry->d_name, "..");
}

static int entry_order(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int entries_list(struct dirent ***out, int folder)
{
	int n = scandirat(folder, ".", out, entry_is_wanted, entry_order);

	return n < 0 ? -errno : n;
}

bool entries_contain(struct dirent **entries, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (streq(entries[i]->d_name, name))
			return true;
	return false;
}

void entries_free(struct dirent **entries, int n)
{
	while (n > 0)
		free(entries[--n]);
	free(entries);
}
