/* The service's end of the channel, for the files that make it up. */
#ifndef FIREWALL_HELPER_CLIENT_H
#define FIREWALL_HELPER_CLIENT_H

#include "firewall/helper_message.h"

/* Milliseconds without a word. 100,000 elements take the kernel half a second; the service watches nothing else meanwhile. */
#define ANSWER_PATIENCE 20000
/* What only ends access: the kernel's own timeouts hold meanwhile, and the servers wait behind it. */
#define CLOSING_PATIENCE_NETWORK 5000

struct firewall_client {
	int channel;
	pid_t pid;
	bool changed; /* an event arrived among the answers */
	char who[64];
	char error[256];
	int patience;	    /* of the order that is under way */
	int64_t late_since; /* monotonic milliseconds; 0: it is not */
	bool owes;	    /* an answer that nobody waits for any more */
	struct firewall_request requests[MESSAGE_BATCH]; /* to send together */
	size_t n_requests;
	struct firewall_answer answers[MESSAGE_BATCH]; /* that were received together */
	size_t n_answers, next_answer;
};

/* Before an order: 0, -ETIMEDOUT if it is late still, or -EPIPE. */
int firewall_client_begin(struct firewall_client *c, bool closings_only);
/* Goes with those that follow, at the latest with the one that is answered. All return as firewall_client_receive(). */
int firewall_client_add(struct firewall_client *c, const struct firewall_request *r);
int firewall_client_send(struct firewall_client *c, const struct firewall_request *r);
/* Receives the next answer. Notes events on the way. 0, -ETIMEDOUT (it is late from now on) or -EPIPE. */
int firewall_client_receive(struct firewall_client *c, struct firewall_answer *a);
/* The code of a RESULT; its text becomes the client's error. */
int firewall_client_result(struct firewall_client *c, const struct firewall_answer *a);

#endif
