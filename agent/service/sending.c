/* From the outbox to the sender. A message is passed on only after that is recorded on disk, so that a message which
 * the mail server may have is never sent twice, whichever process dies. */
#include <errno.h>
#include <string.h>
#include "curfew/calendar.h"
#include "curfew/sender.h"
#include "service/internal.h"
#include "service/sending.h"
#include "service/sending_make.h"

#define LOOK_MS (60 * 1000)
/* Making due notices takes at most this long at a time, because passes wait meanwhile. The rest follows after a
 * pause. */
#define LOOK_MOST_MS  200
#define LOOK_PAUSE_MS 500
/* A failed mail is tried again after a minute, then after twice as long each time, up to an hour. */
#define RETRY_LEAST 60
#define RETRY_MAX   3600
/* After this time a mail is given up and logged as an error, because its content is out of date. */
#define GIVE_UP (3 * DAY)

struct sending {
	struct sender_port *port; /* NULL: notices are off */
	struct binding listener, channel;
	int64_t next_look, next_try; /* monotonic milliseconds */
	struct outbox_item item;     /* the message that the sender has; id 0: none */
	bool handed;
	struct sending_turn turn;
};

bool sending_is_on(const struct service *s)
{
	return notices_are_on(&s->loaded.program->settings.notices);
}

static struct journal *outbox_of(struct service *s)
{
	/* Commit the current pass's batch first: if that is rolled back, this must not be lost. */
	if (s->journal)
		lane_settle(s->passes.lane);
	return s->journal;
}

void sending_fail_log(int rc, const char *what)
{
	log_send(LOG_NOTICE_FAILED, NULL, "notices: %s: %s", what, journal_problem(rc));
}

static void item_end(struct service *s, enum outbox_state state, const char *detail, instant_t next)
{
	struct sending *g = s->sending;
	struct log_fields f = {.client = g->item.client, .login = g->item.login};
	struct journal *j = outbox_of(s);
	int rc = j ? outbox_mark(j, g->item.id, state, detail, next, service_now(s)) : -ENODEV;

	if (rc < 0)
		sending_fail_log(rc,
			"cannot record the outcome of a notice; after a restart it counts as uncertain");
	if (state == OUTBOX_FAILED || state == OUTBOX_UNCERTAIN)
		log_send(LOG_NOTICE_FAILED, &f, "notice %s to %s %s: %s", g->item.notice,
			g->item.recipient,
			state == OUTBOX_FAILED
				? "was not delivered"
				: "may or may not have been delivered, and is not sent again",
			detail);
	outbox_item_free(&g->item);
	g->handed = false;
}

static void item_retry(struct service *s, const char *detail)
{
	const struct outbox_item *i = &s->sending->item;
	instant_t now = service_now(s);
	int64_t delay = RETRY_LEAST;
	char text[SENDER_TEXT_MAX + 64];

	for (unsigned k = 0; k < i->attempts && delay < RETRY_MAX; k++)
		delay *= 2;
	if (delay > RETRY_MAX)
		delay = RETRY_MAX;
	if (now - i->created < GIVE_UP) {
		item_end(s, OUTBOX_QUEUED, detail, now + delay);
		return;
	}
	snprintf(text, sizeof(text), "given up after %u attempts: %s", i->attempts + 1, detail);
	item_end(s, OUTBOX_FAILED, text, now);
}

static void channel_drop(struct service *s, const char *why)
{
	struct sending *g = s->sending;

	if (sender_channel(g->port) >= 0)
		dispatcher_remove(s->dispatcher, &g->channel);
	sender_drop(g->port);
	if (g->item.id && g->handed)
		item_end(s, OUTBOX_UNCERTAIN, why, service_now(s));
	else if (g->item.id)
		item_end(s, OUTBOX_QUEUED, why, service_now(s));
}

void sending_give(struct service *s)
{
	struct sending *g = s->sending;
	struct journal *j;

	if (!g->port || sender_channel(g->port) < 0 || g->item.id || !(j = outbox_of(s)))
		return;
	int rc = outbox_next(&g->item, j, service_now(s));
	if (rc < 0 && rc != -ENOENT)
		sending_fail_log(rc, "cannot read the outbox");
	if (rc < 0)
		return;
	if (streq(g->item.recipient, WEBHOOK_RECIPIENT) &&
		!s->loaded.program->settings.notices.webhook) {
		item_end(s, OUTBOX_FAILED, "no webhook is configured any more", service_now(s));
		return;
	}
	rc = sender_give(g->port, g->item.id, g->item.recipient, g->item.message);
	if (rc == -E2BIG)
		item_end(s, OUTBOX_FAILED, "the message is too large", service_now(s));
	else if (rc < 0)
		channel_drop(s, "lost the connection to the sender");
}

/* The mail server may have the message from the next call on, so record that on disk first. */
static int hand_over(struct service *s)
{
	struct sending *g = s->sending;
	struct journal *j = outbox_of(s);
	int rc = j ? outbox_mark(j, g->item.id, OUTBOX_HANDED, NULL, service_now(s), service_now(s))
		   : -ENODEV;

	if (rc == 0) {
		g->handed = true;
		rc = sender_go(g->port, g->item.id);
	}
	return rc;
}

static void report_handle(struct service *s, const struct sender_report *r)
{
	struct sending *g = s->sending;

	if (r->id != g->item.id || !g->item.id || (r->word == SENDER_HANDING && g->handed)) {
		channel_drop(s, "the sender sent an unexpected message");
		return;
	}
	if (r->word == SENDER_HANDING) {
		if (hand_over(s) < 0)
			channel_drop(s, "the transmission could not be recorded");
		return;
	}
	if (r->result == SENDER_SENT)
		item_end(s, OUTBOX_SENT, NULL, service_now(s));
	else if (r->result == SENDER_REFUSED)
		item_end(s, OUTBOX_FAILED, r->text, service_now(s));
	/* If the server rejects the complete message with 4yz, it does not have it. If it does not answer, it may
	 * have it. */
	else if (g->handed && r->result != SENDER_NOT_TAKEN && r->text[0] != '4')
		item_end(s, OUTBOX_UNCERTAIN, r->text, service_now(s));
	else
		item_retry(s, r->text);
	sending_give(s);
}

static void channel_ready(void *context)
{
	struct service *s = context;
	struct sender_report r;
	int rc = sender_read(&r, s->sending->port);

	if (rc > 0)
		report_handle(s, &r);
	else if (rc < 0)
		channel_drop(s, "lost the connection to the sender");
}

static void listener_ready(void *context)
{
	struct service *s = context;
	struct sending *g = s->sending;

	if (!sender_accept(g->port, &s->loaded.program->settings))
		return;
	g->channel = (struct binding){sender_channel(g->port), channel_ready, s};
	if (dispatcher_add(s->dispatcher, &g->channel) < 0)
		sender_drop(g->port);
	sending_give(s);
}

static void port_open(struct service *s)
{
	struct sending *g = s->sending;
	int rc;

	if (g->port || !sending_is_on(s))
		return;
	rc = sender_listen(&g->port, s->loaded.program->settings.runtime_directory);
	if (rc < 0) {
		log_send(LOG_NOTICE_FAILED, NULL, "notices: cannot listen for the sender: %s",
			strerror(-rc));
		return;
	}
	g->listener = (struct binding){sender_listener(g->port), listener_ready, s};
	dispatcher_add(s->dispatcher, &g->listener);
}

static void port_close(struct service *s)
{
	struct sending *g = s->sending;

	if (!g->port)
		return;
	channel_drop(s, "the service closed the connection");
	dispatcher_remove(s->dispatcher, &g->listener);
	sender_close(g->port);
	g->port = NULL;
}

int sending_open(struct service *s)
{
	struct sending *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	s->sending = g;
	int lost = s->journal ? outbox_recover(s->journal, service_now(s)) : 0;
	if (lost > 0)
		log_send(LOG_NOTICE_FAILED, NULL,
			"%d notices may or may not have been delivered when the service ended, and are not sent again",
			lost);
	port_open(s);
	return 0;
}

void sending_close(struct service *s)
{
	if (!s->sending)
		return;
	port_close(s);
	free(s->sending);
	s->sending = NULL;
}

int sending_view_make(struct sending_view *out, struct service *s)
{
	struct sending_view v = {.journal = outbox_of(s),
		.program = s->loaded.program,
		.overrides = &s->overrides,
		.now = service_now(s)};
	int rc = v.journal ? journal_begin(v.journal) : -ENODEV;

	if (rc)
		return rc;
	/* Switched on, and who had access before, are one commit: without it they would all be told that access has
	 * started. */
	rc = notices_since(&v.since, v.journal, v.now);
	if (rc > 0)
		rc = people_note(&v);
	if (rc == 0)
		rc = journal_commit(v.journal);
	else
		journal_rollback(v.journal);
	if (rc == 0)
		*out = v;
	return rc;
}

void sending_look(struct service *s)
{
	struct sending_turn *turn = &s->sending->turn;
	struct sending_view v = {0};
	int rc;

	s->sending->next_look = monotonic_ms() + LOOK_MS;
	if (!s->journal)
		return;
	if (!sending_is_on(s)) {
		rc = notices_off(outbox_of(s), service_now(s));
	} else {
		rc = sending_view_make(&v, s);
		turn->until = monotonic_ms() + LOOK_MOST_MS;
		turn->more = false;
		v.turn = turn;
		if (rc == 0)
			rc = people_add(&v);
		if (rc >= 0 && !turn->more)
			rc = removed_add(&v);
		if (rc >= 0 && !turn->more)
			rc = digests_add(&v);
		if (rc >= 0 && !turn->more)
			rc = customizations_add(&v);
		if (rc >= 0 && turn->more)
			s->sending->next_look = monotonic_ms() + LOOK_PAUSE_MS;
	}
	if (rc < 0)
		sending_fail_log(rc, "cannot write the outbox; tried again in a minute");
	sending_give(s);
}

int64_t sending_next(const struct service *s)
{
	return s->sending->next_look;
}

void sending_tick(struct service *s)
{
	/* The end of the pass makes due notices anyway. */
	if (s->sending->next_look > monotonic_ms())
		return;
	sending_look(s);
}

void sending_reload(struct service *s)
{
	port_close(s);
	port_open(s);
	s->sending->turn.client = 0;
	s->sending->next_look = monotonic_ms();
}
