/* A user's dates as a calendar (RFC 5545, published as in RFC 5546) that replaces the one before. */
#include "curfew/notice.h"

#include "curfew/text.h"
#include "report/ics_line.h"

#include <sodium.h>
#include <string.h>

enum calendar_event { EVENT_READ_ONLY, EVENT_STAGING_END, EVENT_END, CALENDAR_EVENTS };

/* Depends on user and kind, never on the time, so that a changed date moves the event. */
static void uid_print(FILE *to, const struct client *c, const struct user *u, enum calendar_event e)
{
	uint8_t hash[16], kind = (uint8_t)e;
	char text[2 * sizeof(hash) + 1];
	crypto_generichash_state h;

	crypto_generichash_init(&h, NULL, 0, sizeof(hash));
	crypto_generichash_update(&h, &kind, 1);
	crypto_generichash_update(&h, (const uint8_t *)c->name, strlen(c->name) + 1);
	crypto_generichash_update(&h, (const uint8_t *)u->login, strlen(u->login));
	crypto_generichash_final(&h, hash, sizeof(hash));
	fprintf(to, "UID:%s.person@curfew\r\n",
		sodium_bin2hex(text, sizeof(text), hash, sizeof(hash)));
}

static void event_print(FILE *to, const struct client *c, const char *summary, instant_t at,
	const char *organizer, unsigned sequence, bool canceled, instant_t now)
{
	struct ics_line l = {.to = to};

	ics_instant(to, "DTSTAMP", now);
	ics_instant(to, "DTSTART", at);
	fprintf(to, "SEQUENCE:%u\r\n", sequence);
	ics_raw(&l, "ORGANIZER:mailto:");
	ics_raw(&l, organizer);
	ics_end(&l);
	ics_raw(&l, "SUMMARY:");
	ics_text(&l, c->name);
	ics_text(&l, ": ");
	ics_text(&l, summary);
	ics_end(&l);
	ics_property(to, "STATUS", canceled ? "CANCELLED" : "CONFIRMED");
	ics_property(to, "TRANSP", "TRANSPARENT");
	fputs("END:VEVENT\r\n", to);
}

char *notice_calendar(const struct client *c, const struct user *u, const struct notice_dates *d,
	const char *organizer, unsigned sequence, bool cancel, instant_t now)
{
	static const char *const summaries[] = {"SQL access becomes read-only",
		"the staging site and its SQL access end", "SQL access ends"};
	const instant_t at[] = {d->read_only, d->staging_ends, d->ends};
	struct text t;

	if (!text_begin(&t))
		return NULL;
	fputs("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Curfew//" CURFEW_VERSION
	      "//EN\r\nCALSCALE:GREGORIAN\r\nMETHOD:PUBLISH\r\n",
		t.to);
	for (enum calendar_event e = 0; e < CALENDAR_EVENTS; e++) {
		/* The first version has nothing to cancel, because no event was sent before. */
		if (!at[e] && (!sequence || !d->ends))
			continue;
		fputs("BEGIN:VEVENT\r\n", t.to);
		uid_print(t.to, c, u, e);
		event_print(t.to, c, summaries[e], at[e] ? at[e] : d->ends, organizer, sequence,
			cancel || !at[e], now);
	}
	fputs("END:VCALENDAR\r\n", t.to);
	return text_end(&t);
}
