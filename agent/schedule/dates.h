/* The dates that hold for a client, and comparing instants. Not for other modules. */
#ifndef CURFEW_SCHEDULE_DATES_H
#define CURFEW_SCHEDULE_DATES_H

#include "curfew/schedule.h"

struct client_dates {
	bool has_go_live;
	instant_t go_live;
	instant_t staging_end; /* holds only with a go-live */
	instant_t end;
};
/* The files', but for what has passed and may not be reopened. `o` may be NULL. */
struct client_dates client_dates(const struct client *c, const struct overrides *o, instant_t now);

/* When access to the database ends, whatever its level is until then. */
instant_t database_end(const struct client_dates *dates, const struct program *p,
	const struct client *c, const struct database *d, const struct overrides *o, instant_t now);

static inline instant_t later(instant_t a, instant_t b)
{
	return a > b ? a : b;
}

static inline instant_t earlier(instant_t a, instant_t b)
{
	return a < b ? a : b;
}

#endif
