/* The outbox: notices to send and notices sent. A row is written in one transaction with the record of its event, and
 * each event reaches a recipient at most once. */
#ifndef CURFEW_OUTBOX_H
#define CURFEW_OUTBOX_H

#include "curfew/journal.h"

enum outbox_state {
	OUTBOX_QUEUED,
	OUTBOX_HANDED, /* the mail server may have it at any moment, so it is never sent again */
	OUTBOX_SENT,
	OUTBOX_FAILED,	  /* rejected, or given up */
	OUTBOX_UNCERTAIN, /* passed to the mail server, with unknown result */
};
const char *outbox_state_name(enum outbox_state s);

/* Strings may be NULL where they may be in a journal_entry. */
struct outbox_item {
	int64_t id;
	const char *event, *recipient, *client, *login, *notice, *message, *detail;
	instant_t created, next;
	enum outbox_state state;
	unsigned attempts;
};

/* 1: added, and recorded as event `notice`; 0: this recipient has a row for the event already; negative errno. */
int outbox_add(struct journal *j, const struct outbox_item *i);
/* Whether there is such a row. 0 or negative errno. */
int outbox_has(bool *out, struct journal *j, const char *event, const char *recipient);
/* The event of the last notice to that person, if it is of this kind; *out is NULL if not. The sheet of a handover
 * does not count: it says nothing about access. Owned. 0 or negative errno. */
int outbox_last_is(
	char **out, struct journal *j, const char *client, const char *login, const char *notice);
/* The first queued item that is due. -ENOENT: none. Owned; outbox_item_free(). */
int outbox_next(struct outbox_item *out, struct journal *j, instant_t now);
void outbox_item_free(struct outbox_item *i);
/* Records that an attempt started, failed, or ended. At an end it also records an event and deletes the message. */
int outbox_mark(struct journal *j, int64_t id, enum outbox_state s, const char *detail,
	instant_t next, instant_t now);
/* After a crash between sending and the answer: items in that state become uncertain. Returns their number, or
 * negative errno. */
int outbox_recover(struct journal *j, instant_t now);

/* The notices to the client's users between these times, oldest first. */
int outbox_told(struct journal *j, const char *client, instant_t from, instant_t to,
	int (*each)(void *context, const struct outbox_item *i), void *context);

struct outbox_counts {
	int64_t queued, failed, uncertain; /* failed and uncertain: of the last 30 days */
	instant_t oldest;		   /* of queued items; 0: none */
	char detail
		[512]; /* of the last attempt for the oldest queued item, or of the last failure */
};
/* A journal of an older version has no outbox: all zero. */
int outbox_count(struct outbox_counts *out, struct journal *j, instant_t now);

/* The time since which notices are on. 1: they were off, and are switched on; 0, or negative errno. */
int notices_since(instant_t *out, struct journal *j, instant_t now);
/* Drops what is queued, so that switching notices on again sends no backlog. */
int notices_off(struct journal *j, instant_t now);

/* What a user was told last. *sources and *dates are owned; -ENOENT: nothing. */
int last_notice_read(char **sources, char **dates, unsigned *sequence, struct journal *j,
	const char *client, const char *login);
int last_notice_save(struct journal *j, const char *client, const char *login, const char *sources,
	const char *dates, unsigned sequence);

/* Whom to tell that access was withdrawn when no file names the user any more. */
struct notified_person {
	const char *client, *login, *email, *first, *last, *timezone, *language;
	instant_t opens, ends; /* 0: none */
};
/* Writes only if it differs, and only for a user with last_notice_save(). 0 or negative errno. */
int notified_person_save(struct journal *j, const struct notified_person *p);
int notified_people_read(struct journal *j,
	int (*each)(void *context, const struct notified_person *p), void *context);
/* With what last_notice_save() keeps of the user. */
int notified_person_forget(struct journal *j, const char *client, const char *login);

#endif
