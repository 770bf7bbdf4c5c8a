/* Who acts. The kernel's login uid is set once at login and survives su and sudo, so no process can take another's. */
#include "curfew/actor.h"

#include <inttypes.h>
#include <pwd.h>

#define LOGIN_UID_UNSET UINT32_MAX

static uint32_t login_uid(pid_t pid)
{
	char path[64];
	uint32_t uid = LOGIN_UID_UNSET;

	snprintf(path, sizeof(path), "/proc/%ld/loginuid", (long)pid);
	FILE *from = fopen(path, "re");
	if (!from)
		return LOGIN_UID_UNSET;
	bool known = fscanf(from, "%" SCNu32, &uid) == 1;
	fclose(from);
	return known ? uid : LOGIN_UID_UNSET;
}

static size_t user_append(char buf[ACTOR_MAX], size_t used, const char *before, uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	return used + (size_t)snprintf(buf + used, ACTOR_MAX - used, "%s%.64s (uid %u)", before,
			      pw ? pw->pw_name : "?", (unsigned)uid);
}

const char *actor_text(char buf[ACTOR_MAX], uid_t uid, pid_t pid, const char *sudo_user)
{
	uint32_t login = login_uid(pid);
	size_t used = user_append(buf, 0, "", uid);

	if (login != LOGIN_UID_UNSET && login != uid)
		used = user_append(buf, used, ", login ", login);
	if (sudo_user && *sudo_user)
		snprintf(buf + used, ACTOR_MAX - used, ", sudo by %.64s", sudo_user);
	return buf;
}
