/* When access of a client is reduced or ends, and which preflight is due for it: that of 14 days, 3 days, or 1 day before. */
#include "curfew/notice.h"

#include "curfew/calendar.h"

instant_t days_before(instant_t at, int days, const char *zone)
{
	struct local_time local;
	instant_t found;

	if (instant_to_local(&local, at, zone) < 0)
		return at - days * DAY;
	local = local_add_days(local, -days);
	return local_to_instant(&found, &local, zone) < 0 ? at - days * DAY : found;
}

static int days_due(instant_t at, const char *zone, instant_t now)
{
	static const int ahead[] = {1, 3, 14};

	for (size_t i = 0; i < ARRAY_SIZE(ahead); i++) {
		/* No zone moves an hour by more than a day: most of a fleet's dates are farther away. */
		if (at - (ahead[i] + 1) * DAY > now)
			continue;
		if (days_before(at, ahead[i], zone) <= now)
			return ahead[i];
	}
	return 0;
}

size_t notice_reductions(struct notice_reduction out[NOTICE_REDUCTIONS],
	const struct notice_dates *d, const char *zone, instant_t now)
{
	const struct notice_reduction all[NOTICE_REDUCTIONS] = {
		{"access becomes read-only", d->read_only, 0},
		{"the staging site ends", d->staging_ends, 0},
		{"all access ends", d->ends, 0},
	};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		size_t k = n;

		if (all[i].at <= now)
			continue;
		for (; k > 0 && out[k - 1].at > all[i].at; k--)
			out[k] = out[k - 1];
		out[k] = all[i];
		out[k].days = days_due(all[i].at, zone, now);
		n++;
	}
	return n;
}
