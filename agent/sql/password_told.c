/* Whether a server's message repeats a one-time password. */
#include <string.h>

#include <sodium.h>

#include "curfew/sql.h"

/* A message that was cut may end within it. */
#define TELLING 6

bool sql_password_is_told(const char *text, const char *password)
{
	char beginning[TELLING + 1];

	if (!password || !*password)
		return false;
	snprintf(beginning, sizeof(beginning), "%s", password);
	bool told = strstr(text, beginning) != NULL;
	sodium_memzero(beginning, sizeof(beginning));
	return told;
}
