/* The outbox: notices that wait to be sent, and those that were. A row is written with its event's record, in one
 * transaction, and each event reaches a recipient once at most. */
#ifndef CURFEW_OUTBOX_H
#define CURFEW_OUTBOX_H

#include "curfew/journal.h"

enum outbox_state {
	OUTBOX_QUEUED,
	OUTBOX_HANDED, /* the server may have it any moment: never sent again */
	OUTBOX_SENT,
	OUTBOX_FAILED,	  /* refused, or given up */
	OUTBOX_UNCERTAIN, /* handed over, and nobody knows what came of it */
};
const char *outbox_state_name(enum outbox_state s);

/* Strings may be NULL where a record's may. */
struct outbox_item {
	int64_t id;
	const char *event, *recipient, *client, *login, *notice, *message, *detail;
	instant_t created, next;
	enum outbox_state state;
	unsigned attempts;
};

/* 1: added, with an event `notice` of it; 0: that event has reached this recipient's row before; negative errno. */
int outbox_add(struct journal *j, const struct outbox_item *i);
/* Whether there is a row of it already. 0 or negative errno. */
int outbox_has(bool *out, struct journal *j, const char *event, const char *recipient);
/* The first that is queued and due. -ENOENT: there is none. Owned; outbox_item_free(). */
int outbox_next(struct outbox_item *out, struct journal *j, instant_t now);
void outbox_item_free(struct outbox_item *i);
/* An attempt has begun, failed, or come to its end: with an end, an event on record, and without the message. */
int outbox_mark(struct journal *j, int64_t id, enum outbox_state s, const char *detail,
	instant_t next, instant_t now);
/* The service died between handing over and hearing of it: what is handed becomes uncertain. How many, or negative. */
int outbox_recover(struct journal *j, instant_t now);

/* What the client's people were told within those instants, oldest first. */
int outbox_told(struct journal *j, const char *client, instant_t from, instant_t to,
	int (*each)(void *context, const struct outbox_item *i), void *context);

struct outbox_counts {
	int64_t queued, failed, uncertain; /* the last two: of the last 30 days */
	instant_t oldest;		   /* of the queued; 0: none */
	char detail[512]; /* of the oldest queued one's last attempt, or of the last that failed */
};
/* A journal of an older version has none. */
int outbox_count(struct outbox_counts *out, struct journal *j, instant_t now);

/* Since when notices are on; they are switched on by this when they were off. 0 or negative errno. */
int notices_since(instant_t *out, struct journal *j, instant_t now);
/* Nothing that was queued is sent any more, and switching on again mails no backlog. */
int notices_off(struct journal *j, instant_t now);

/* What a person was told last. *sources and *dates are owned; -ENOENT: nothing. */
int told_read(char **sources, char **dates, unsigned *sequence, struct journal *j,
	const char *client, const char *login);
int told_put(struct journal *j, const char *client, const char *login, const char *sources,
	const char *dates, unsigned sequence);

#endif
