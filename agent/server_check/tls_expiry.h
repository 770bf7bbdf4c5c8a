/* Used only by server_check/: when a server's certificate expires, and whether it will be valid at a given time. */
#ifndef CURFEW_SERVER_CHECK_TLS_EXPIRY_H
#define CURFEW_SERVER_CHECK_TLS_EXPIRY_H

#include "curfew/record.h"

struct tls_expiry {
	instant_t until;	   /* of the server's own certificate */
	bool valid;		   /* at the time asked about: chain, authority, and name */
	char why[RECORD_TEXT_MAX]; /* why it is not valid, or could not be read */
};
/* Makes a handshake on a new connection, which the caller closes. Sets the library's clock, so nothing else in this process
 * may use TLS meanwhile. 0, or negative errno: the certificate was not read. */
int tls_expiry_read(struct tls_expiry *out, int fd, const struct server *server, unsigned timeout,
	instant_t at);

#endif
