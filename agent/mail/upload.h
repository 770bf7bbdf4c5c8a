/* Used only by mail/: what mail and webhook share of a transfer by libcurl. */
#ifndef CURFEW_MAIL_UPLOAD_H
#define CURFEW_MAIL_UPLOAD_H

#include "curfew/sender.h"

struct curl_slist;

struct upload {
	const char *message;
	size_t size, at;
	/* Bytes that go out only after `ask`. 0: what follows the message, which the library writes by itself. */
	size_t held;
	sender_ask_fn ask;
	void *context;
	bool asked, refused;
};
/* Verification of the server, time limits, the message. `curl` is a CURL. */
void upload_options_set(void *curl, const struct sender_hello *to, struct upload *u);
/* "HOST:PORT:ADDRESS,..." for CURLOPT_RESOLVE: libcurl would start a thread for the lookup, which the sandbox forbids.
 * NULL: `text` says why. */
struct curl_slist *host_addresses(char text[SENDER_TEXT_MAX], const char *host, uint16_t port);

#endif
