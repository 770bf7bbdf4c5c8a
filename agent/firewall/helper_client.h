/* The service's end of the channel, for the files that make it up. */
#ifndef FIREWALL_HELPER_CLIENT_H
#define FIREWALL_HELPER_CLIENT_H

#include "firewall/helper_message.h"

/* 100,000 elements take the kernel half a second. A process that is silent for this long hangs. */
#define ANSWER_TIMEOUT_MS 60000

struct firewall_client {
	int channel;
	pid_t pid;
	bool changed; /* an event arrived among the answers */
	char who[64];
	char error[256];
	struct firewall_request requests[MESSAGE_BATCH]; /* to send together */
	size_t n_requests;
	struct firewall_answer answers[MESSAGE_BATCH]; /* that were received together */
	size_t n_answers, next_answer;
};

/* Receives the next answer. Notes events on the way. 0, -ETIMEDOUT or -EPIPE. */
int firewall_client_receive(struct firewall_client *c, struct firewall_answer *a);
/* The code of a RESULT; its text becomes the client's error. */
int firewall_client_result(struct firewall_client *c, const struct firewall_answer *a);

#endif
