/* One mail a day and client to the account lead and the team: the notices that the client's users received. */
#include <errno.h>
#include <string.h>
#include "curfew/calendar.h"
#include "curfew/text.h"
#include "service/sending_make.h"

/* Yesterday, in the client's time zone. */
static int day_of(
	instant_t *from, instant_t *to, char name[32], const struct client *c, instant_t now)
{
	struct local_time t;

	if (instant_to_local(&t, now, c->timezone) < 0)
		return -EINVAL;
	t.hour = t.minute = t.second = 0;
	int rc = local_to_instant(to, &t, c->timezone);
	t = local_add_days(t, -1);
	if (rc >= 0)
		rc = local_to_instant(from, &t, c->timezone);
	snprintf(name, 32, "%04d-%02d-%02d", t.year, t.month, t.day);
	return rc < 0 ? rc : 0;
}

struct digest {
	struct text text;
	const char *zone;
};

static int line_add(void *context, const struct outbox_item *i)
{
	struct digest *d = context;
	char when[64];

	fprintf(d->text.to, "  %s  %s to %s: %s%s%s\n",
		instant_format_local(when, sizeof(when), i->created, d->zone), i->notice,
		i->recipient, outbox_state_name(i->state), i->detail ? ", " : "",
		i->detail ? i->detail : "");
	return 0;
}

static int client_add(const struct sending_view *v, const struct client *c)
{
	struct digest d = {.zone = c->timezone};
	struct notice_values values = {{0}};
	char day[32], event[64 + MAX_NAME_BYTES];
	instant_t from, to;
	bool known;
	int rc = day_of(&from, &to, day, c, v->now);

	snprintf(event, sizeof(event), "%s/digest/%s", c->name, day);
	if (rc == 0)
		rc = outbox_has(&known, v->journal, event, v->program->settings.notices.team);
	if (rc || known || to <= v->since)
		return rc;
	if (!text_begin(&d.text))
		return -ENOMEM;
	rc = outbox_told(v->journal, c->name, from, to, line_add, &d);
	values.items[VALUE_LIST] = text_end(&d.text);
	values.items[VALUE_CLIENT] = strdup(c->name);
	values.items[VALUE_TICKET] = strdup(c->ticket);
	values.items[VALUE_DATE] = strdup(day);
	if (rc >= 0 && values.items[VALUE_LIST] && *values.items[VALUE_LIST])
		rc = leads_add(v, NOTICE_DIGEST, event, c, &values);
	notice_values_free(&values);
	return rc;
}

int digests_add(const struct sending_view *v)
{
	return clients_each(v, client_add);
}
