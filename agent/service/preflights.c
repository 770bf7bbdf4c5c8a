/* Starts the preflights that are due, and reports those that have ended. The journal records each, so that a restart of the
 * service repeats none. */
#include <errno.h>
#include <string.h>

#include "curfew/calendar.h"
#include "curfew/notice.h"
#include "curfew/preflight.h"
#include "curfew/text.h"
#include "program/levels.h"
#include "service/internal.h"
#include "service/preflights.h"

#define ACTION "preflight"
/* How often the clients are searched for one that is due; the first time after the service's first pass. */
#define LOOK_MS (60 * 1000)
/* A search stops after this time, because passes wait meanwhile. The next one continues after the pause. */
#define LOOK_MOST_MS  100
#define LOOK_PAUSE_MS 500
/* Days of records that are read after a restart: more than the 14 days of the earliest preflight. */
#define REMEMBERED_DAYS 15

struct preflights {
	int64_t next_look;   /* monotonic milliseconds */
	size_t at;	     /* the client to continue with */
	bool remembers;	     /* `made` was read from the journal */
	struct strings made; /* "acme: 3 days before all access ends at 2026-12-23T15:00:00Z" */
	/* of the current preflight: */
	char *key;
	struct sending_preflight mail; /* its texts are borrowed */
	char *client;
	struct text failed;
	size_t n_checks, n_failed;
};

int preflights_open(struct service *s)
{
	s->preflights = calloc(1, sizeof(*s->preflights));
	if (!s->preflights)
		return -ENOMEM;
	s->preflights->next_look = monotonic_ms() + LOOK_MS;
	return 0;
}

static void current_drop(struct preflights *p)
{
	if (p->failed.to)
		text_drop(&p->failed);
	p->failed = (struct text){0};
	free(p->key);
	free(p->client);
	p->key = p->client = NULL;
	p->n_checks = p->n_failed = 0;
}

void preflights_close(struct service *s)
{
	if (!s->preflights)
		return;
	current_drop(s->preflights);
	strings_free(&s->preflights->made);
	free(s->preflights);
	s->preflights = NULL;
}

int64_t preflights_next(const struct service *s)
{
	return s->preflights->next_look;
}

/* ---- which one ---- */

static int made_take(void *made, const struct journal_entry *e)
{
	return e->reason ? strings_add(made, e->reason) : 0;
}

static bool memory_read(struct service *s)
{
	struct preflights *p = s->preflights;
	const struct journal_filter f = {.kind = JOURNAL_EVENT,
		.action = ACTION,
		.has_from = true,
		.from = service_now(s) - REMEMBERED_DAYS * DAY};

	if (!p->remembers && s->journal)
		p->remembers = journal_read(s->journal, &f, made_take, &p->made) == 0;
	return p->remembers;
}

/* Identifies a preflight by client, days, and date, so that a date that moves gets new preflights. */
static char *key_of(const struct client *c, const struct notice_reduction *t)
{
	char at[INSTANT_TEXT_MAX], *key = NULL;

	return asprintf(&key, "%s: %d day%s before %s at %s", c->name, t->days,
		       t->days == 1 ? "" : "s", t->words, instant_format(at, t->at)) < 0
		       ? NULL
		       : key;
}

static bool client_take(struct service *s, const struct client *c, instant_t now)
{
	struct preflights *p = s->preflights;
	struct notice_reduction reductions[NOTICE_REDUCTIONS];
	struct notice_dates dates;

	if (notice_dates_find(&dates, s->loaded.program, c, &s->overrides, now))
		return false;
	/* Access has not started, so nothing can fail to end. */
	if (dates.opens > now)
		return false;
	size_t n = notice_reductions(reductions, &dates, c->timezone, now);
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *key = reductions[i].days ? key_of(c, &reductions[i]) : NULL;

		if (!key || strings_contain(&p->made, key))
			continue;
		p->client = strdup(c->name);
		p->mail = (struct sending_preflight){.what = reductions[i].words,
			.at = reductions[i].at,
			.days = reductions[i].days};
		if (!p->client || !text_begin(&p->failed)) {
			current_drop(p);
			return false;
		}
		p->key = key;
		key = NULL;
		return true;
	}
	return false;
}

bool preflights_take(struct request *out, struct service *s)
{
	struct preflights *p = s->preflights;
	size_t n = s->loaded.program->n_clients;
	int64_t began = monotonic_ms();

	if (p->next_look > began || p->key)
		return false;
	p->next_look = began + LOOK_MS;
	if (!memory_read(s))
		return false;
	instant_t now = service_now(s);
	for (p->at = p->at < n ? p->at : 0; p->at < n; p->at++) {
		if (client_take(s, &s->loaded.program->clients[p->at], now)) {
			*out = (struct request){.mode = PASS_PREFLIGHT,
				.client = strdup(s->loaded.program->clients[p->at].name),
				.actor = strdup("service"),
				.reason = strdup(ACTION),
				.asked = began};
			return true;
		}
		if (monotonic_ms() - began > LOOK_MOST_MS) {
			p->at++;
			p->next_look = monotonic_ms() + LOOK_PAUSE_MS;
			return false;
		}
	}
	return false;
}

/* ---- its result ---- */

int preflights_record(void *service, const struct record *r)
{
	struct preflights *p = ((struct service *)service)->preflights;
	struct preflight_line l;

	if (!preflight_line(&l, r))
		return 0;
	p->n_checks++;
	if (l.result != CHECK_FAIL)
		return 0;
	p->n_failed++;
	fputs("  ", p->failed.to);
	preflight_line_write(p->failed.to, &l);
	return 0;
}

void preflights_ended(struct service *s, bool whole)
{
	struct preflights *p = s->preflights;
	_cleanup_free_ char *failed = text_end(&p->failed);
	char detail[RECORD_TEXT_MAX];

	p->failed = (struct text){0};
	if (whole && failed) {
		record_printf(detail, sizeof(detail), "%zu checks, %zu failed%s%s", p->n_checks,
			p->n_failed, *failed ? ":\n" : "", failed);
		strings_add(&p->made, p->key);
		service_event(s, ACTION, p->client, NULL, "service", p->key, detail);
		if (p->n_failed) {
			const struct log_fields f = {.client = p->client, .reason = p->key};
			log_send(LOG_PREFLIGHT, &f, "%s: %zu of %zu checks failed:\n%s", p->key,
				p->n_failed, p->n_checks, failed);
			p->mail.client = p->client;
			p->mail.failed = failed;
			sending_preflight_failed(s, &p->mail);
		}
		/* Search for the next client soon. */
		p->next_look = monotonic_ms() + LOOK_PAUSE_MS;
	}
	current_drop(p);
}
