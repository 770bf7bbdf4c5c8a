/* Used only by server_check/: until when a server's certificate holds. */
#ifndef CURFEW_SERVER_CHECK_TLS_EXPIRY_H
#define CURFEW_SERVER_CHECK_TLS_EXPIRY_H

#include "curfew/record.h"

struct tls_expiry {
	instant_t until;	   /* of the server's own certificate */
	bool valid;		   /* at the time asked about: chain, authority, and name */
	char why[RECORD_TEXT_MAX]; /* where it is not, or where nothing could be read */
};
/* By a handshake on a fresh connection, which is the caller's to close; for one process that does nothing else
 * meanwhile. 0, or negative errno: the certificate was not read. */
int tls_expiry_read(struct tls_expiry *out, int fd, const struct server *server, unsigned timeout,
	instant_t at);

#endif
