/* Turns due notices into mails in the outbox. */
#ifndef SERVICE_SENDING_MAKE_H
#define SERVICE_SENDING_MAKE_H

#include "curfew/outbox.h"
#include "curfew/notice.h"

/* A turn's time limit, because passes wait meanwhile. The next turn does the rest. */
struct sending_turn {
	int64_t until; /* monotonic milliseconds */
	size_t client; /* the client to continue with */
	bool more;     /* the turn ended before all clients were compared */
};
struct sending_view {
	struct sending_turn *turn; /* only for people_add() and digests_add() */
	struct journal *journal;
	const struct program *program;
	const struct overrides *overrides;
	instant_t now, since;
};
/* Call after each write: whether the turn ends here. */
bool turn_ends(const struct sending_view *v);
/* Calls `add` for each client until the turn ends. `add` returns more than 0 after a write, or negative errno. */
int clients_each(const struct sending_view *v,
	int (*add)(const struct sending_view *v, const struct client *c));
/* Notices to users: their access as servers confirmed it, revocations, changed addresses and dates. Returns 0 or
 * more, or negative errno. */
int people_add(const struct sending_view *v);
/* When notices are switched on: users are known as they are, and told only of what comes. 0 or negative errno. */
int people_note(const struct sending_view *v);
/* Adds a notice to a user. 1: added, 0: known, negative errno. */
int person_notice_add(const struct sending_view *v, const struct notice *n, const char *event,
	const struct notice_dates *dates, unsigned sequence);
/* The same; the calendar cancels what it has under the client's former name. */
int person_notice_renamed(const struct sending_view *v, const struct notice *n, const char *event,
	const struct notice_dates *dates, unsigned sequence, const struct notice_former *former);
/* Tells users whom no file names any more that their access was withdrawn. As people_add(). */
int removed_add(const struct sending_view *v);
/* One mail a day and client: the notices that its users received. */
int digests_add(const struct sending_view *v);
/* Before a go-live: what is left of the customizations, while some are undecided or unused. */
int customizations_add(const struct sending_view *v);
/* A notice to the team, or to one address. `client` may be NULL. */
int team_add(const struct sending_view *v, enum notice_kind kind, const char *key,
	const char *client, const char *recipient, struct notice_values *values);

/* To the webhook; the recipient of `item` does not count. */
int hook_add(
	const struct sending_view *v, const struct notice_mail *m, const struct outbox_item *item);
/* To the team and the client's account lead. */
int leads_add(const struct sending_view *v, enum notice_kind kind, const char *key,
	const struct client *c, struct notice_values *values);

/* The name of this host, for an alarm. NULL: no memory. */
char *sending_host(void);

#endif
