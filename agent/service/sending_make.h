/* What is due, made into mails and put into the outbox. */
#ifndef SERVICE_SENDING_MAKE_H
#define SERVICE_SENDING_MAKE_H

#include "curfew/outbox.h"
#include "curfew/notice.h"

struct sending_view {
	struct journal *journal;
	const struct program *program;
	const struct overrides *overrides;
	instant_t now, since;
};
/* To people: the course of their access as servers have confirmed it, revocations, other addresses, other dates. 0 or
 * more, or negative errno. */
int people_add(const struct sending_view *v);
/* One mail a day and client, of what people were told. */
int digests_add(const struct sending_view *v);
/* To the team, or of the team's to one address. `client` may be NULL. */
int team_add(const struct sending_view *v, enum notice_kind kind, const char *key,
	const char *client, const char *recipient, struct notice_values *values);

#endif
