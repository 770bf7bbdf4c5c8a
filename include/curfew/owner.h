/* Root works in a folder that another user can write into only as that user: what lies there may have been prepared. */
#ifndef CURFEW_OWNER_H
#define CURFEW_OWNER_H

#include "curfew/program.h"

/* Where root runs and `folder` belongs to another user: becomes that user, with the folder's group alone, and has no way
 * back. Of the capabilities, CAP_NET_ADMIN stays when `network` is set, for the kernel asks for it with every message.
 * 0 also where there is nothing to do: nobody but root does, and not for a folder of root's or one that is not there. */
int owner_become(const char *folder, bool network);
/* Whether owner_become() would change anything. */
bool owner_differs(const char *folder);

/* Opens every credential of the configuration that can be opened, for as long as the process lives. Workers are given
 * their server's alone. 0 or -ENOMEM. */
int credentials_hold(const struct program *p);
/* The descriptor of one that is held; 0: it is not. Read it with pread(), for its position is shared. */
int credential_held(const char *name);
/* One that the caller closes: of a held one, or of its file. Negative errno. */
int credential_open(const struct settings *s, const char *name);

#endif
