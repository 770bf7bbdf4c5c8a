/* What is due, made into mails and put into the outbox. */
#ifndef SERVICE_SENDING_MAKE_H
#define SERVICE_SENDING_MAKE_H

#include "curfew/outbox.h"
#include "curfew/notice.h"

/* A look has its time, for passes wait while it lasts: what is left then is the next one's. */
struct sending_turn {
	int64_t until; /* monotonic milliseconds */
	size_t client; /* with whom comparing goes on */
	bool more;     /* something is left */
};
struct sending_view {
	struct sending_turn *turn; /* people_add() and digests_add() have one */
	struct journal *journal;
	const struct program *program;
	const struct overrides *overrides;
	instant_t now, since;
};
/* After something was written: whether the turn ends here. */
bool turn_ends(const struct sending_view *v);
/* To people: the course of their access as servers have confirmed it, revocations, other addresses, other dates. 0 or
 * more, or negative errno. */
int people_add(const struct sending_view *v);
/* One mail a day and client, of what people were told. */
int digests_add(const struct sending_view *v);
/* To the team, or of the team's to one address. `client` may be NULL. */
int team_add(const struct sending_view *v, enum notice_kind kind, const char *key,
	const char *client, const char *recipient, struct notice_values *values);

#endif
