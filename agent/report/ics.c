/* Coming changes as a calendar, RFC 5545. */
#include "report/ics_line.h"
#include "report/timeline.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

/* Depends on client and kind, never on the time: if go-live moves, its event moves. */
static void property_uid(FILE *to, const struct timeline *t, const struct timeline_mark *m)
{
	uint8_t hash[16], kind = (uint8_t)m->kind;
	char text[2 * sizeof(hash) + 1];
	crypto_generichash_state h;

	crypto_generichash_init(&h, NULL, 0, sizeof(hash));
	crypto_generichash_update(&h, &kind, 1);
	crypto_generichash_update(&h, (const uint8_t *)t->client->name, strlen(t->client->name));
	crypto_generichash_final(&h, hash, sizeof(hash));
	fprintf(to, "UID:%s@curfew\r\n", sodium_bin2hex(text, sizeof(text), hash, sizeof(hash)));
}

/* Nothing changes for who is out, until the user is reinstated. */
static bool user_is_revoked(const struct timeline *t, const struct user *u)
{
	for (size_t i = 0; t->overrides && i < t->overrides->n; i++) {
		const struct override *o = &t->overrides->items[i];
		if (o->login && override_blocks(o, t->client->name, u->login))
			return true;
	}
	return false;
}

/* "AcmeTest (staging): full, then read-only" for each database that changes; then the users. */
static void property_description(FILE *to, const struct timeline *t, const struct timeline_mark *m)
{
	struct ics_line l = {.to = to};

	ics_raw(&l, "DESCRIPTION:");
	for (size_t i = 0; i < t->client->n_databases; i++) {
		const struct database *d = &t->client->databases[i];
		enum level before = timeline_level(t, i, m->at - 1),
			   after = timeline_level(t, i, m->at);

		if (before == after)
			continue;
		ics_text(&l, d->name);
		ics_text(&l, " (");
		ics_text(&l, database_role_name(d->role));
		ics_text(&l, "): ");
		ics_text(&l, level_name(before));
		ics_text(&l, ", then ");
		ics_text(&l, level_name(after));
		ics_text(&l, "\n");
	}
	for (size_t i = 0, shown = 0; i < t->client->n_users; i++) {
		const struct user *u = &t->client->users[i];

		if (user_is_revoked(t, u))
			continue;
		ics_text(&l, shown++ ? ", " : "Users: ");
		ics_text(&l, u->first);
		ics_text(&l, *u->last ? " " : "");
		ics_text(&l, u->last);
		ics_text(&l, " <");
		ics_text(&l, u->email);
		ics_text(&l, ">");
	}
	ics_text(&l, "\nTicket: ");
	ics_text(&l, t->client->ticket ? t->client->ticket : "-");
	ics_end(&l);
}

/* Whether anything becomes read-only: without access before it, go-live reduces nothing. */
static bool narrows_at(const struct timeline *t, instant_t at)
{
	for (size_t i = 0; i < t->client->n_databases; i++)
		if (timeline_level(t, i, at - 1) > timeline_level(t, i, at))
			return true;
	return false;
}

static void event_print(
	const struct timeline *t, const struct timeline_mark *m, FILE *to, instant_t now)
{
	static const char *const words[] = {
		[MARK_START] = "SQL access starts",
		[MARK_GO_LIVE] = "go-live: SQL access becomes read-only",
		[MARK_STAGING_END] = "staging site and its SQL access end",
		[MARK_TESTING_END] = "testing window and all SQL access end",
		[MARK_END] = "all SQL access ends",
	};
	struct ics_line l = {.to = to};

	fputs("BEGIN:VEVENT\r\n", to);
	property_uid(to, t, m);
	ics_instant(to, "DTSTAMP", now);
	ics_instant(to, "DTSTART", m->at);
	ics_raw(&l, "SUMMARY:");
	ics_text(&l, t->client->name);
	ics_text(&l, ": ");
	ics_text(&l, m->kind == MARK_GO_LIVE && !narrows_at(t, m->at) ? "go-live" : words[m->kind]);
	ics_end(&l);
	property_description(to, t, m);
	ics_property(to, "TRANSP", "TRANSPARENT");
	fputs("END:VEVENT\r\n", to);
}

int timelines_ics(const struct timeline *all, size_t n, FILE *to, instant_t now)
{
	fputs("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Curfew//" CURFEW_VERSION
	      "//EN\r\nCALSCALE:GREGORIAN\r\n"
	      "METHOD:PUBLISH\r\nX-WR-CALNAME:SQL access\r\n",
		to);
	for (size_t i = 0; i < n; i++) {
		/* Revoked access has no coming changes except its reinstatement. */
		if (timeline_is_revoked(&all[i]) || !all[i].n_bars)
			continue;
		for (size_t k = 0; k < all[i].n_marks; k++)
			if (all[i].marks[k].at > now && all[i].marks[k].kind != MARK_REVOKED)
				event_print(&all[i], &all[i].marks[k], to, now);
	}
	fputs("END:VCALENDAR\r\n", to);
	return ferror(to) ? -EIO : 0;
}
