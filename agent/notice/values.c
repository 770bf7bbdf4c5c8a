/* The values of placeholders in a notice to a user. */
#include "curfew/notice.h"

#include "curfew/calendar.h"
#include "curfew/report.h"
#include "curfew/text.h"
#include "report/connection.h"

#include <errno.h>
#include <string.h>

/* Removes blank lines at both ends: the template decides where they are. */
static char *trimmed(char *text)
{
	if (!text)
		return NULL;
	size_t lead = strspn(text, "\n"), n = strlen(text);

	while (n > lead && text[n - 1] == '\n')
		n--;
	memmove(text, text + lead, n - lead);
	text[n - lead] = '\0';
	return text;
}

static char *date_text(instant_t at, const char *zone)
{
	char buf[64];

	return strdup(instant_format_local(buf, sizeof(buf), at, zone));
}

static char *name_text(const struct user *u)
{
	char *text = NULL;

	return asprintf(&text, "%s%s%s", u->first, *u->last ? " " : "", u->last) < 0 ? NULL : text;
}

/* Days of the calendar, because a notice is due that many of them before: with the clocks going back, more than 24 hours
 * each. */
static int64_t days_left(instant_t at, instant_t now, const char *zone)
{
	struct local_time from, until;
	instant_t first, last;

	if (instant_to_local(&from, now, zone) < 0 || instant_to_local(&until, at, zone) < 0)
		return (at - now + DAY - 1) / DAY;
	from.hour = until.hour = -1; /* midnight */
	if (local_to_instant(&first, &from, "UTC") < 0 ||
		local_to_instant(&last, &until, "UTC") < 0)
		return (at - now + DAY - 1) / DAY;
	return (last - first) / DAY;
}

char *notice_days_text(instant_t at, instant_t now, const char *zone)
{
	char *text = NULL;
	const int64_t left = at > now ? days_left(at, now, zone) : 0;

	if (at > now && !left)
		return strdup("less than a day");
	return asprintf(&text, "%lld day%s", (long long)left, left == 1 ? "" : "s") < 0 ? NULL
											: text;
}

static void coming_print(FILE *to, const char *what, instant_t at, instant_t now, const char *zone)
{
	char buf[64];

	if (at > now)
		fprintf(to, "  %s  %s\n", instant_format_local(buf, sizeof(buf), at, zone), what);
}

static char *dates_text(const struct notice_dates *d, instant_t now, const char *zone)
{
	struct text t;

	if (!text_begin(&t))
		return NULL;
	coming_print(t.to, "access starts", d->opens, now, zone);
	coming_print(t.to, "go-live: access becomes read-only", d->read_only, now, zone);
	coming_print(t.to, "the staging site ends", d->staging_ends, now, zone);
	coming_print(t.to, "all access ends", d->ends, now, zone);
	if (ftell(t.to) == 0)
		fputs("  nothing\n", t.to);
	return text_end(&t);
}

static bool is_available(const struct grant *g, const struct verified_list *seen)
{
	return !seen || verified_admission(seen, g) == ADMIT;
}

static char *databases_text(
	const struct grants *g, const struct notice *n, const struct verified_list *seen)
{
	struct text t;
	const char *before = "";

	if (!text_begin(&t))
		return NULL;
	for (size_t i = 0; i < g->n; i++) {
		const struct grant *k = &g->items[i];

		if (k->client != n->client || k->user != n->user || k->level == LEVEL_NONE)
			continue;
		fprintf(t.to, "%s  %s (%s): %s", before, k->database->name,
			database_role_name(k->database->role),
			is_available(k, seen) ? level_name(k->level) : "not available yet");
		before = "\n";
	}
	if (!*before)
		fputs("  none", t.to);
	return text_end(&t);
}

static void available_keep(struct grants *g, const struct verified_list *seen)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++)
		if (is_available(&g->items[i], seen))
			g->items[n++] = g->items[i];
	g->n = n;
}

static char *connection_text(
	const struct program *p, const struct grants *g, const struct notice *n)
{
	struct text t;

	if (!text_begin(&t))
		return NULL;
	for (size_t s = 0; s < p->n_servers; s++)
		for (size_t i = 0; i < g->n; i++) {
			const struct grant *k = &g->items[i];

			if (k->server != &p->servers[s] || k->user != n->user ||
				k->level == LEVEL_NONE)
				continue;
			connection_print(
				&p->servers[s], n->user, g, p->settings.firewall.hooks, t.to);
			break;
		}
	return text_end(&t);
}

int notice_values(struct notice_values *out, const struct program *p, const struct notice *n,
	const struct notice_dates *dates, const struct overrides *o,
	const struct verified_list *seen, instant_t now)
{
	const struct client *c = n->client;
	const struct user *u = n->user;
	struct notice_values v = {0};
	struct grants g;

	if (schedule_at(&g, p, o, now))
		return -ENOMEM;
	v.items[VALUE_CLIENT] = strdup(c->name);
	v.items[VALUE_TICKET] = strdup(c->ticket ? c->ticket : "-");
	v.items[VALUE_NAME] = name_text(u);
	v.items[VALUE_FIRST] = strdup(u->first);
	v.items[VALUE_LAST] = strdup(u->last);
	v.items[VALUE_LOGIN] = strdup(u->login);
	v.items[VALUE_DATABASES] = databases_text(&g, n, seen);
	available_keep(&g, seen);
	v.items[VALUE_SOURCES] = user_sources_words(u, now, c->timezone);
	v.items[VALUE_DATE] = date_text(n->at, c->timezone);
	v.items[VALUE_IN] = notice_days_text(n->at, now, c->timezone);
	v.items[VALUE_DATES] = trimmed(dates_text(dates, now, c->timezone));
	v.items[VALUE_CONNECTION] = trimmed(connection_text(p, &g, n));
	v.items[VALUE_REASON] = strdup("-");
	v.items[VALUE_LIST] = strdup("-");
	v.items[VALUE_HOST] = strdup("-");
	v.items[VALUE_CONTACT] =
		strdup(p->settings.notices.team ? p->settings.notices.team : "your contact");
	grants_free(&g);
	for (size_t i = 0; i < NOTICE_VALUES; i++)
		if (!v.items[i]) {
			notice_values_free(&v);
			return -ENOMEM;
		}
	*out = v;
	return 0;
}

void notice_values_free(struct notice_values *v)
{
	for (size_t i = 0; i < NOTICE_VALUES; i++)
		free(v->items[i]);
	*v = (struct notice_values){0};
}
