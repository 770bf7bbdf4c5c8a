/* Dates of a client file, and the new approval that moving a passed date requires. */
#include "commands/amend_dates.h"

#include <errno.h>
#include <string.h>

#include "curfew/calendar.h"

int amend_date_check(const struct cli *cli, const char *what, const char *text)
{
	struct local_time t;
	int rc = local_parse(&t, text);

	if (rc == -ERANGE)
		return cli_fail(cli, EXIT_USAGE,
			"invalid date for %s: '%s' is not in the calendar; use a date such as 2026-11-23",
			what, text);
	if (rc < 0)
		return cli_fail(cli, EXIT_USAGE,
			"invalid date for %s: '%s'; use 2026-11-23 or 2026-11-23T09:00, in the client's time zone",
			what, text);
	return 0;
}

int amend_instant(instant_t *out, const char *text, const char *zone, bool ends)
{
	struct local_time t;
	int rc = local_parse(&t, text);

	if (rc < 0)
		return rc;
	if (ends && t.hour < 0)
		t = local_add_days(t, 1);
	rc = local_to_instant(out, &t, zone);
	return rc < 0 ? rc : 0;
}

/* Writes the new approval, if the options have one that the file lacks. */
static int decision_write(struct amendment *a)
{
	const struct cli *cli = a->cli;
	int code = 0;

	if (cli->ticket && *cli->ticket)
		code = amend_set(a, "ticket", "name", cli->ticket);
	if (!code && cli->approved_by)
		code = amend_set(a, "approved_by", "ticket", cli->approved_by);
	if (!code && cli->approved_on)
		code = amend_set(a, "approved_on", "approved_by", cli->approved_on);
	return code;
}

int amend_decide(struct amendment *a, int (*change)(struct amendment *a))
{
	if (a->cli->approved_on) {
		int code = amend_date_check(a->cli, "--approved-on", a->cli->approved_on);
		if (code)
			return code;
	}
	a->hushed = true;
	int code = change(a);
	a->hushed = false;
	if (code != AMEND_REOPENS)
		return code;
	free(a->after);
	a->after = strdup(a->before);
	code = a->after ? decision_write(a) : EXIT_FAILED;
	if (!code)
		code = change(a);
	return code == AMEND_REOPENS ? EXIT_FAILED : code;
}
