/* Root works in a directory that another user can write to only as that user, because its files may be prepared to
 * mislead. */
#ifndef CURFEW_OWNER_H
#define CURFEW_OWNER_H

#include "curfew/program.h"

/* Where root runs and `folder` belongs to another user: becomes that user, with the folder's group alone, and has no way
 * back. Of the capabilities, CAP_NET_ADMIN stays when `network` is set, for the kernel asks for it with every message.
 * 0 also where there is nothing to do: nobody but root does, and not for a folder of root's or one that is not there. */
int owner_become(const char *folder, bool network);
/* Whether owner_become() would change the user. */
bool owner_differs(const char *folder);

/* Opens every credential of the configuration that can be opened, for the life of the process. A worker gets only its
 * server's. 0 or -ENOMEM. */
int credentials_hold(const struct program *p);
/* Descriptor of an open credential; 0: it is not open. Read it with pread(), because its position is shared. */
int credential_held(const char *name);
/* A descriptor that the caller closes: of an open credential, or of its file. Negative errno. */
int credential_open(const struct settings *s, const char *name);

#endif
