/* Coming changes as a calendar, RFC 5545: CRLF, lines of at most 75 octets, text escaped. */
#include "report/timeline.h"

#include "program/visible_text.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#define LINE_MAX_OCTETS 75

/* One content line being written, folded between characters. */
struct line {
	FILE *to;
	size_t octets;
};

static void line_put(struct line *l, const char *bytes, size_t n)
{
	if (l->octets + n > LINE_MAX_OCTETS) {
		fputs("\r\n ", l->to);
		l->octets = 1;
	}
	fwrite(bytes, 1, n, l->to);
	l->octets += n;
}

static void line_raw(struct line *l, const char *text)
{
	for (; *text; text++)
		line_put(l, text, 1);
}

static void line_text(struct line *l, const char *text)
{
	uint32_t c;

	while ((c = text_next(&text)) != 0) {
		char out[TEXT_SHOWN_MAX];
		size_t n = text_put_shown(out, c);

		if (c == '\n')
			line_put(l, "\\n", 2);
		else if (c == '\\' || c == ';' || c == ',')
			line_put(l, (char[]){'\\', (char)c}, 2);
		else
			line_put(l, out, n);
	}
}

static void line_end(struct line *l)
{
	fputs("\r\n", l->to);
	l->octets = 0;
}

static void property(FILE *to, const char *name, const char *value)
{
	struct line l = {.to = to};

	line_raw(&l, name);
	line_raw(&l, ":");
	line_text(&l, value);
	line_end(&l);
}

/* "20261123T150000Z" */
static void property_instant(FILE *to, const char *name, instant_t at)
{
	char text[INSTANT_TEXT_MAX], basic[INSTANT_TEXT_MAX];
	char *p = basic;

	for (const char *s = instant_format(text, at); *s; s++)
		if (*s != '-' && *s != ':')
			*p++ = *s;
	*p = '\0';
	fprintf(to, "%s:%s\r\n", name, basic);
}

/* By client and kind, never by instant: a go-live that is moved moves the event, and adds none. */
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

/* "AcmeTest (staging): full, then read-only" for each database that changes; then who is concerned. */
static void property_description(FILE *to, const struct timeline *t, const struct timeline_mark *m)
{
	struct line l = {.to = to};

	line_raw(&l, "DESCRIPTION:");
	for (size_t i = 0; i < t->client->n_databases; i++) {
		const struct database *d = &t->client->databases[i];
		enum level before = timeline_level(t, i, m->at - 1),
			   after = timeline_level(t, i, m->at);

		if (before == after)
			continue;
		line_text(&l, d->name);
		line_text(&l, " (");
		line_text(&l, database_role_name(d->role));
		line_text(&l, "): ");
		line_text(&l, level_name(before));
		line_text(&l, ", then ");
		line_text(&l, level_name(after));
		line_text(&l, "\n");
	}
	for (size_t i = 0; i < t->client->n_users; i++) {
		const struct user *u = &t->client->users[i];

		line_text(&l, i ? ", " : "Users: ");
		line_text(&l, u->first);
		line_text(&l, *u->last ? " " : "");
		line_text(&l, u->last);
		line_text(&l, " <");
		line_text(&l, u->email);
		line_text(&l, ">");
	}
	line_text(&l, "\nTicket: ");
	line_text(&l, t->client->ticket ? t->client->ticket : "-");
	line_end(&l);
}

/* Without access before it, nothing becomes read-only at go-live. */
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
	struct line l = {.to = to};

	fputs("BEGIN:VEVENT\r\n", to);
	property_uid(to, t, m);
	property_instant(to, "DTSTAMP", now);
	property_instant(to, "DTSTART", m->at);
	line_raw(&l, "SUMMARY:");
	line_text(&l, t->client->name);
	line_text(&l, ": ");
	line_text(
		&l, m->kind == MARK_GO_LIVE && !narrows_at(t, m->at) ? "go-live" : words[m->kind]);
	line_end(&l);
	property_description(to, t, m);
	property(to, "TRANSP", "TRANSPARENT");
	fputs("END:VEVENT\r\n", to);
}

int timelines_ics(const struct timeline *all, size_t n, FILE *to, instant_t now)
{
	fputs("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Curfew//" CURFEW_VERSION
	      "//EN\r\nCALSCALE:GREGORIAN\r\n"
	      "METHOD:PUBLISH\r\nX-WR-CALNAME:SQL access\r\n",
		to);
	for (size_t i = 0; i < n; i++) {
		/* What is revoked stays closed: nothing is to come but its reinstatement. */
		if (timeline_is_revoked(&all[i]) || !all[i].n_bars)
			continue;
		for (size_t k = 0; k < all[i].n_marks; k++)
			if (all[i].marks[k].at > now && all[i].marks[k].kind != MARK_REVOKED)
				event_print(&all[i], &all[i].marks[k], to, now);
	}
	fputs("END:VCALENDAR\r\n", to);
	return ferror(to) ? -EIO : 0;
}
