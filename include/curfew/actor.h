/* Who acts, for the journal. */
#ifndef CURFEW_ACTOR_H
#define CURFEW_ACTOR_H

#include <sys/types.h>

#include "curfew/base.h"

#define ACTOR_MAX 256
/* "root (uid 0), login ops7 (uid 1007), sudo by ops7": the user; who logged in to become that user, by the kernel's
 * login uid of that process (the audit session), where it has one that is another; and what sudo says (NULL: nothing). */
const char *actor_text(char buf[ACTOR_MAX], uid_t uid, pid_t pid, const char *sudo_user);

#endif
