/* Notices: which ones a schedule yields, when, and as which mail. Pure: data and "now" in, data and texts out. */
#ifndef CURFEW_NOTICE_H
#define CURFEW_NOTICE_H

#include "curfew/notice_template.h"
#include "curfew/schedule.h"

/* One notice to one person. Borrows from the program. */
struct notice {
	enum notice_kind kind;
	const struct client *client;
	const struct user *user;
	instant_t when; /* from when on it is to be sent */
	instant_t at;	/* what it is about */
	/* Of a notice ahead: it is pointless from then on, because the next one says it better. INT64_MAX: never. */
	instant_t until;
};
struct notices {
	struct notice *items; /* sorted by when, client, login, kind */
	size_t n;
};
/* Every notice that the schedule of `only` (NULL: of every client) yields, whatever the time: of access that starts,
 * narrows and ends. Days ahead are calendar days in the client's zone, and a notice that would come before the access
 * itself is none. Nothing for whom a revocation stops. `o` may be NULL. 0 or -ENOMEM. */
int notices_scheduled(struct notices *out, const struct program *p, const struct client *only,
	const struct overrides *o, instant_t now);
/* The revocations in force of people that have not come to their end. */
int notices_revoked(struct notices *out, const struct program *p, const struct client *only,
	const struct overrides *o, instant_t now);
void notices_free(struct notices *n);
/* To be sent at `now` if it was not sent yet, when notices were switched on at `since`. */
static inline bool notice_is_due(const struct notice *n, instant_t since, instant_t now)
{
	return n->when > since && n->when <= now && now < n->until;
}

/* What a client's people have before them, each 0 when it does not come. */
struct notice_dates {
	instant_t opens, read_only, staging_ends, ends;
};
/* 0 or -ENOMEM. */
int notice_dates(struct notice_dates *out, const struct program *p, const struct client *c,
	const struct overrides *o, instant_t now);

/* The texts for the placeholders. Owned; NULL is shown as "-". */
struct notice_values {
	char *items[NOTICE_VALUES];
};
/* For a notice to a person. 0 or -ENOMEM. */
int notice_values(struct notice_values *out, const struct program *p, const struct notice *n,
	const struct notice_dates *dates, const struct overrides *o, instant_t now);
void notice_values_free(struct notice_values *v);

/* The template that holds for the language: the operator's, or ours. *html is NULL where the text makes it. */
struct notice_texts {
	const char *text, *html;
};
struct notice_texts notice_texts(
	const struct settings *s, const char *language, enum notice_kind kind);
/* Ours, in English. */
const char *notice_template_text(enum notice_kind kind);

/* A mail before it is put together. Owned. */
struct notice_mail {
	char *subject; /* one line, harmless */
	char *text, *html;
	char *calendar; /* or NULL */
};
/* 0 or -ENOMEM. */
int notice_render(struct notice_mail *out, const struct notice_texts *t,
	const struct notice_values *v, const char *language);
void notice_mail_free(struct notice_mail *m);

/* The person's dates as a calendar: each event keeps its UID when it moves, `sequence` grows with each version, and what
 * does not come (any more) is canceled. NULL without memory. */
char *notice_calendar(const struct client *c, const struct user *u, const struct notice_dates *d,
	const char *organizer, unsigned sequence, bool cancel, instant_t now);

/* By the event and the recipient, never by the time of sending: hex, without angle brackets or a domain. */
#define NOTICE_ID_MAX 33
const char *notice_id(char buf[NOTICE_ID_MAX], const char *event, const char *recipient);
/* The whole message, RFC 5322, with CRLF. `from` and `to` are addresses as name_is_email() has them: -EINVAL for
 * others. NULL without memory: -ENOMEM. */
int notice_message(char **out, size_t *size, const struct notice_mail *m, const char *from,
	const char *to, const char *id, instant_t now);

#endif
