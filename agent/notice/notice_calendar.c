/* A user's dates as a calendar (RFC 5545, published as in RFC 5546) that replaces the one before. */
#include "curfew/notice.h"

#include "curfew/text.h"
#include "report/ics_line.h"

#include <sodium.h>
#include <string.h>

enum calendar_event { EVENT_READ_ONLY, EVENT_STAGING_END, EVENT_END, CALENDAR_EVENTS };

/* Depends on user and kind, never on the time, so that a changed date moves the event. */
static void uid_print(FILE *to, const char *client, const struct user *u, enum calendar_event e)
{
	uint8_t hash[16], kind = (uint8_t)e;
	char text[2 * sizeof(hash) + 1];
	crypto_generichash_state h;

	crypto_generichash_init(&h, NULL, 0, sizeof(hash));
	crypto_generichash_update(&h, &kind, 1);
	crypto_generichash_update(&h, (const uint8_t *)client, strlen(client) + 1);
	crypto_generichash_update(&h, (const uint8_t *)u->login, strlen(u->login));
	crypto_generichash_final(&h, hash, sizeof(hash));
	fprintf(to, "UID:%s.person@curfew\r\n",
		sodium_bin2hex(text, sizeof(text), hash, sizeof(hash)));
}

struct calendar {
	FILE *to;
	const struct user *user;
	const char *organizer;
	instant_t now;
};

static void event_print(const struct calendar *k, enum calendar_event e, const char *client,
	instant_t at, unsigned sequence, bool canceled)
{
	static const char *const summaries[] = {"SQL access becomes read-only",
		"the staging site and its SQL access end", "SQL access ends"};
	struct ics_line l = {.to = k->to};

	fputs("BEGIN:VEVENT\r\n", k->to);
	uid_print(k->to, client, k->user, e);
	ics_instant(k->to, "DTSTAMP", k->now);
	ics_instant(k->to, "DTSTART", at);
	fprintf(k->to, "SEQUENCE:%u\r\n", sequence);
	ics_raw(&l, "ORGANIZER:mailto:");
	ics_raw(&l, k->organizer);
	ics_end(&l);
	ics_raw(&l, "SUMMARY:");
	ics_text(&l, client);
	ics_text(&l, ": ");
	ics_text(&l, summaries[e]);
	ics_end(&l);
	ics_property(k->to, "STATUS", canceled ? "CANCELLED" : "CONFIRMED");
	ics_property(k->to, "TRANSP", "TRANSPARENT");
	fputs("END:VEVENT\r\n", k->to);
}

static void events_print(const struct calendar *k, const char *client, const struct notice_dates *d,
	unsigned sequence, bool cancel)
{
	const instant_t at[] = {d->read_only, d->staging_ends, d->ends};

	/* The first version has nothing to cancel, because no event was sent before. */
	for (enum calendar_event e = 0; e < CALENDAR_EVENTS; e++)
		if (at[e] || (sequence && d->ends))
			event_print(
				k, e, client, at[e] ? at[e] : d->ends, sequence, cancel || !at[e]);
}

char *notice_calendar(const struct client *c, const struct user *u, const struct notice_dates *d,
	const char *organizer, unsigned sequence, bool cancel, const struct notice_former *former,
	instant_t now)
{
	struct text t;

	if (!text_begin(&t))
		return NULL;
	const struct calendar k = {t.to, u, organizer, now};
	fputs("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Curfew//" CURFEW_VERSION
	      "//EN\r\nCALSCALE:GREGORIAN\r\nMETHOD:PUBLISH\r\n",
		t.to);
	events_print(&k, c->name, d, sequence, cancel);
	if (former)
		events_print(&k, former->client, &former->dates, former->sequence, true);
	fputs("END:VCALENDAR\r\n", t.to);
	return text_end(&t);
}
