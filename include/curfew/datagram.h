/* One datagram to a local socket, like those of the system log and of the service manager. sd_journal_sendv() and
 * sd_notify() wait without end while nobody reads there, for example because the disk of the system log hangs; removals
 * of access must not wait with them. */
#ifndef CURFEW_DATAGRAM_H
#define CURFEW_DATAGRAM_H

#include <sys/uio.h>

#include "curfew/base.h"

/* Milliseconds: enough for a busy reader. */
#define DATAGRAM_PATIENCE 200

/* `path`: of the socket; after `@` the name of an abstract one. `patience` in milliseconds. 0; -EAGAIN: nobody has read
 * there for so long; other negative errno. */
int datagram_send(const char *path, const struct iovec *parts, size_t n, int patience);

#endif
