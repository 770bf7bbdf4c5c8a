/* Notices: which ones a schedule yields, when they are due, and the mail for each. Pure: data and the time in, data
 * and text out. */
#ifndef CURFEW_NOTICE_H
#define CURFEW_NOTICE_H

#include "curfew/access.h"
#include "curfew/notice_template.h"
#include "curfew/schedule.h"

/* One notice to one user. Borrows from the program. */
struct notice {
	enum notice_kind kind;
	const struct client *client;
	const struct user *user;
	instant_t when; /* due from this time on */
	instant_t at;	/* the time that the notice is about */
	/* For a notice ahead: superseded by the next notice from this time on. INT64_MAX: never. */
	instant_t until;
};
struct notices {
	struct notice *items; /* sorted by when, client, login, kind */
	size_t n;
};
/* All notices of `only` (NULL: of every client), whatever the time: access starts, is reduced, ends. "Days ahead" are
 * calendar days in the client's zone; a notice that would come before the access starts is left out. A revoked user
 * gets none. `o` may be NULL. 0 or -ENOMEM. */
int notices_scheduled(struct notices *out, const struct program *p, const struct client *only,
	const struct overrides *o, instant_t now);
/* Notices of current revocations, for users whose access has not ended. */
int notices_revoked(struct notices *out, const struct program *p, const struct client *only,
	const struct overrides *o, instant_t now);
void notices_free(struct notices *n);
/* Whether to send the notice at `now`, if it was not sent yet and notices are on since `since`. */
static inline bool notice_is_due(const struct notice *n, instant_t since, instant_t now)
{
	return n->when > since && n->when <= now && now < n->until;
}

/* The coming dates of a client's users; 0: none. */
struct notice_dates {
	instant_t opens, read_only, staging_ends, ends;
};
/* 0 or -ENOMEM. */
int notice_dates_find(struct notice_dates *out, const struct program *p, const struct client *c,
	const struct overrides *o, instant_t now);

/* The same time of day, so many calendar days before. */
instant_t days_before(instant_t at, int days, const char *zone);

/* When access is reduced or ends: what a preflight looks ahead to. */
struct notice_reduction {
	const char *words; /* "access ends" */
	instant_t at;
	int days; /* the preflight that is due: that of so many days before; 0: none yet */
};
#define NOTICE_REDUCTIONS 3
/* Those to come, the next one first, with what is due at `now`: 14 days, 3 days, and 1 day before. How many. */
size_t notice_reductions(struct notice_reduction out[NOTICE_REDUCTIONS],
	const struct notice_dates *d, const char *zone, instant_t now);

/* The values of the placeholders. Owned; NULL is shown as "-". */
struct notice_values {
	char *items[NOTICE_VALUES];
};
/* For a notice to a user. `seen`: a database without a verification that lets the user in is not available yet, and how to
 * connect to a server with no other is left out; NULL: as scheduled. 0 or -ENOMEM. */
int notice_values(struct notice_values *out, const struct program *p, const struct notice *n,
	const struct notice_dates *dates, const struct overrides *o,
	const struct verified_list *seen, instant_t now);
void notice_values_free(struct notice_values *v);
/* "7 days": days of the zone's calendar until then; "less than a day" on the same one. Owned; NULL without memory. */
char *notice_days_text(instant_t at, instant_t now, const char *zone);

/* The template for this kind and language: the operator's or Curfew's own. *html is NULL if it is made from the text. */
struct notice_texts {
	const char *text, *html;
};
struct notice_texts notice_texts(
	const struct settings *s, const char *language, enum notice_kind kind);
/* Curfew's own, in English. */
const char *notice_template_text(enum notice_kind kind);

/* What the team is alarmed of. The key tells one alarm from another, and stands in no text. */
enum notice_alarm {
	ALARM_OVERDUE,
	ALARM_EXCESS,
	ALARM_UNVERIFIED,
	ALARM_UNREACHABLE,
	ALARM_DRIFT_SQL,
	ALARM_DRIFT_NETWORK,
	ALARM_HELD,
	ALARM_FILTER,
	ALARM_JOURNAL,
	ALARM_CLOCK,
	ALARM_DENIED, /* followed by the login */
};
#define NOTICE_ALARMS (ALARM_DENIED + 1)
const char *notice_alarm_key(enum notice_alarm a);
const char *notice_alarm_reason(enum notice_alarm a);

/* The parts of a mail. Owned. */
struct notice_mail {
	char *subject; /* one line, without control characters */
	char *text, *html;
	char *calendar; /* or NULL */
	char *attached; /* or NULL: a file, encrypted where it has a secret */
	const char *attached_name;
};
/* 0 or -ENOMEM. */
int notice_render(struct notice_mail *out, const struct notice_texts *t,
	const struct notice_values *v, const char *language);
void notice_mail_free(struct notice_mail *m);

/* What a user's calendar has under the name that the client had before. */
struct notice_former {
	const char *client;
	struct notice_dates dates;
	unsigned sequence; /* greater than that of the last version */
};
/* The user's dates as a calendar. An event keeps its UID when it moves; `sequence` grows with each version; events
 * that no longer happen are canceled, and those of a former name: `former`, or NULL. NULL without memory. */
char *notice_calendar(const struct client *c, const struct user *u, const struct notice_dates *d,
	const char *organizer, unsigned sequence, bool cancel, const struct notice_former *former,
	instant_t now);

/* Depends on event and recipient, never on the time of sending. Hexadecimal, without angle brackets or domain. */
#define NOTICE_ID_MAX 33
const char *notice_id(char buf[NOTICE_ID_MAX], const char *event, const char *recipient);
/* The whole message by RFC 5322, with CRLF. `from` and `to` must satisfy name_is_email(), else -EINVAL. -ENOMEM
 * without memory. */
int notice_message(char **out, size_t *size, const struct notice_mail *m, const char *from,
	const char *to, const char *id, instant_t now);

#endif
