/* Who acts, as recorded in the journal. */
#ifndef CURFEW_ACTOR_H
#define CURFEW_ACTOR_H

#include <sys/types.h>

#include "curfew/base.h"

#define ACTOR_MAX 256
/* "root (uid 0), login ops7 (uid 1007), sudo by ops7": the user; the user who logged in, by the kernel's login uid of
 * the process, if different; and sudo's user (NULL: none). */
const char *actor_text(char buf[ACTOR_MAX], uid_t uid, pid_t pid, const char *sudo_user);

#endif
