/* Passwords that nobody has to remember. */
#include <string.h>

#include <sodium.h>

#include "curfew/sql.h"

/* No quote, bracket, brace or semicolon: nothing that T-SQL or a connection string reads as its own. Characters that
 * people confuse when they read them from a screen are left out. 32 of 62 are about 190 bits. */
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
		/* The first four are one of each kind, as password policies ask; a letter comes first. */
		const char *from = i < ARRAY_SIZE(kinds) ? kinds[i] : all;
		password[i] = from[randombytes_uniform((uint32_t)strlen(from))];
	}
	password[PASSWORD_CHARS] = '\0';
	return password;
}
