/* One-time passwords. */
#include <string.h>

#include <sodium.h>

#include "curfew/sql.h"

/* No quote, bracket, brace, or semicolon, which have a meaning in T-SQL or in connection strings, and no characters
 * that look alike on a screen. 32 characters give about 190 bits. */
#define PASSWORD_CHARS 32
static const char *const kinds[] = {
	"ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789", "-_.+!"};

char *sql_password_new(void)
{
	char all[128];
	char *password;

	if (sodium_init() < 0 || !(password = sodium_malloc(PASSWORD_CHARS + 1)))
		return NULL;
	snprintf(all, sizeof(all), "%s%s%s%s", kinds[0], kinds[1], kinds[2], kinds[3]);
	for (size_t i = 0; i < PASSWORD_CHARS; i++) {
		/* Password policies ask for each kind of character: the first four have one of each, and begin with a
		 * letter. */
		const char *from = i < ARRAY_SIZE(kinds) ? kinds[i] : all;
		password[i] = from[randombytes_uniform((uint32_t)strlen(from))];
	}
	password[PASSWORD_CHARS] = '\0';
	return password;
}
