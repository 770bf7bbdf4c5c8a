/* The service's end of the channel to the firewall process. An order that is not answered in time makes the process
 * late: until what it owes has come, every further order fails at once. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include "curfew/record.h"
#include "firewall/helper_client.h"

static int client_fail(struct firewall_client *c, int code, const char *text)
{
	record_set(c->error, sizeof(c->error), text);
	return code;
}

static int client_ended(struct firewall_client *c)
{
	return client_fail(c, -EPIPE, "the firewall process has ended");
}

static int client_late(struct firewall_client *c, bool owes)
{
	if (!c->late_since)
		c->late_since = monotonic_ms();
	c->owes |= owes;
	return client_fail(c, -ETIMEDOUT, "the firewall process does not answer");
}

/* Positive: there is something to do. 0: not within the time. */
static int client_wait(const struct firewall_client *c, short events, int patience)
{
	struct pollfd p = {.fd = c->channel, .events = events};
	int ready;

	do
		ready = poll(&p, 1, patience);
	while (ready < 0 && errno == EINTR);
	return ready;
}

static int client_flush(struct firewall_client *c)
{
	const size_t size = c->n_requests * sizeof(c->requests[0]);

	c->n_requests = 0;
	for (;;) {
		ssize_t n = send(c->channel, c->requests, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == (ssize_t)size)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n >= 0 || errno != EAGAIN)
			return client_ended(c);
		if (client_wait(c, POLLOUT, c->patience) == 0)
			return client_late(c, false);
	}
}

int firewall_client_add(struct firewall_client *c, const struct firewall_request *r)
{
	c->requests[c->n_requests++] = *r;
	return c->n_requests == MESSAGE_BATCH ? client_flush(c) : 0;
}

int firewall_client_send(struct firewall_client *c, const struct firewall_request *r)
{
	int rc = firewall_client_add(c, r);

	return rc == 0 && c->n_requests ? client_flush(c) : rc;
}

static void event_note(struct firewall_client *c, const struct firewall_answer *a)
{
	c->changed = true;
	if (a->text[0])
		record_set(c->who, sizeof(c->who), a->text);
}

/* Whole answers, one or more. */
static bool answers_take(struct firewall_client *c, ssize_t n)
{
	if (n <= 0 || n > (ssize_t)sizeof(c->answers) || n % (ssize_t)sizeof(c->answers[0]))
		return false;
	c->n_answers = (size_t)n / sizeof(c->answers[0]);
	c->next_answer = 0;
	return true;
}

int firewall_client_receive(struct firewall_client *c, struct firewall_answer *a)
{
	for (;;) {
		while (c->next_answer < c->n_answers) {
			*a = c->answers[c->next_answer++];
			if (a->kind != ANSWER_EVENT)
				return 0;
			event_note(c, a);
		}
		if (client_wait(c, POLLIN, c->patience) == 0)
			return client_late(c, true);
		ssize_t n =
			recv(c->channel, c->answers, sizeof(c->answers), MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == ECONNRESET))
			continue;
		if (!answers_take(c, n))
			return client_ended(c);
	}
}

int firewall_client_begin(struct firewall_client *c, bool closings_only)
{
	struct firewall_answer a;
	int rc = 0;

	c->patience = 0;
	c->n_requests = 0;
	while (rc == 0 && c->owes) {
		rc = firewall_client_receive(c, &a);
		c->owes = rc != 0 || a.kind != ANSWER_RESULT;
	}
	/* Half a list may have been sent; the next one begins anew. */
	if (rc == 0 && c->late_since && client_wait(c, POLLOUT, 0) == 0)
		rc = client_late(c, false);
	if (rc == 0)
		c->late_since = 0;
	c->patience = closings_only ? CLOSING_PATIENCE_NETWORK : ANSWER_PATIENCE;
	return rc;
}

int64_t firewall_client_late(const struct firewall_client *c)
{
	return c->late_since ? monotonic_ms() - c->late_since : -1;
}

int firewall_client_result(struct firewall_client *c, const struct firewall_answer *a)
{
	client_fail(c, 0, a->text);
	return a->code;
}

int firewall_client_read(bool *changed, char who[64], struct firewall_client *c)
{
	struct firewall_answer a;

	if (c->late_since && firewall_client_begin(c, false) == -EPIPE)
		return -EPIPE;
	while (!c->owes) {
		ssize_t n = recv(c->channel, &a, sizeof(a), MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0 && (errno == EINTR || errno == ECONNRESET))
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n != (ssize_t)sizeof(a) || a.kind != ANSWER_EVENT)
			return client_ended(c);
		event_note(c, &a);
	}
	*changed = c->changed;
	record_set(who, 64, c->who);
	c->changed = false;
	c->who[0] = '\0';
	return 0;
}
