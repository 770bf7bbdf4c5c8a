/* An alarm of denied packets that look like a user's: of an address near an allowed one, or of a user who has no access
 * now. To the team and the account lead, for each user at most once a day. */
#include <errno.h>
#include <string.h>
#include "curfew/calendar.h"
#include "curfew/denied.h"
#include "curfew/text.h"
#include "service/internal.h"
#include "service/sending.h"
#include "service/sending_make.h"

/* A port scan can fill the kernel's list: one search ends after this time, and the next one continues there. */
#define LOOK_MOST_MS 100

struct denied_view {
	struct sending_view view;
	const struct firewall_state *state;
	const struct grants *grants;
};

/* A user who has access is allowed in a moment, or the pass reports why not. */
static bool is_worth_alarm(
	struct denied_hint *out, const struct denied_view *d, const struct refused *r)
{
	const struct program *p = d->view.program;

	if (r->last_seen_latest <= d->view.since || !denied_hint_find(out, p, NULL, &r->source))
		return false;
	const struct server *s = denied_server(p, &r->endpoint);
	const struct grant *g = s ? denied_grant(d->grants, out->user, s) : NULL;
	return !out->own || !g || g->level == LEVEL_NONE;
}

static bool source_may_be_of(const struct user *u, const struct source *refused)
{
	for (size_t i = 0; i < u->n_sources; i++)
		if (source_contains(&u->sources[i], refused->family, refused->addr) ||
			source_is_near(&u->sources[i], refused))
			return true;
	return false;
}

/* All that was denied of one user. Owned; NULL without memory. */
static char *denied_text(const struct denied_view *d, const struct denied_hint *of)
{
	const struct user *u = of->user;
	struct text t;

	if (!text_begin(&t))
		return NULL;
	for (size_t i = 0; i < d->state->n_refused; i++) {
		const struct refused *r = &d->state->refused[i];
		char source[SOURCE_TEXT_MAX], endpoint[ENDPOINT_TEXT_MAX], words[RECORD_TEXT_MAX];
		struct denied_hint h;

		if (!source_may_be_of(u, &r->source) || !is_worth_alarm(&h, d, r) || h.user != u)
			continue;
		denied_hint_words(words, &h, d->grants,
			denied_server(d->view.program, &r->endpoint), ANSWER_UNKNOWN, d->view.now);
		fprintf(t.to, "  %s to %s, %llu packets: %s\n", source_format(source, &r->source),
			endpoint_format(endpoint, &r->endpoint), (unsigned long long)r->packets,
			words);
	}
	fprintf(t.to,
		"\nRun `curfew denied` for all, and `curfew allow %s %s ADDRESS --reason TEXT --ticket ID` if the address is "
		"right.\n",
		of->client->name, u->login);
	return text_end(&t);
}

static int alarm_add(const struct denied_view *d, const struct denied_hint *h)
{
	const struct sending_view *v = &d->view;
	struct notice_values values = {{0}};
	char event[64 + 2 * MAX_NAME_BYTES], when[64];
	bool known;

	snprintf(event, sizeof(event), "alarm/%s/%s/%s/%lld", notice_alarm_key(ALARM_DENIED),
		h->client->name, h->user->login, (long long)(v->now / DAY));
	int rc = outbox_has(&known, v->journal, event, v->program->settings.notices.team);
	if (rc || known)
		return rc;
	values.items[VALUE_LIST] = denied_text(d, h);
	values.items[VALUE_HOST] = sending_host();
	values.items[VALUE_DATE] = strdup(
		instant_format_local(when, sizeof(when), v->now, v->program->settings.timezone));
	if (asprintf(&values.items[VALUE_REASON], "%s %s", notice_alarm_reason(ALARM_DENIED),
		    h->user->login) < 0)
		values.items[VALUE_REASON] = NULL;
	rc = values.items[VALUE_LIST] && values.items[VALUE_HOST] && values.items[VALUE_DATE] &&
			     values.items[VALUE_REASON]
		     ? leads_add(v, NOTICE_ALARM, event, h->client, &values)
		     : -ENOMEM;
	notice_values_free(&values);
	return rc;
}

void sending_denied(struct service *s)
{
	struct firewall_state state = {0};
	struct grants grants = {0};
	struct denied_view d = {.state = &state, .grants = &grants};

	if (!s->sending || !sending_is_on(s) || !s->firewall || s->stopping ||
		sending_view_make(&d.view, s) || s->gate.observe(&state, s, d.view.now) < 0)
		return;
	int64_t until = monotonic_ms() + LOOK_MOST_MS;
	int rc = schedule_at(&grants, d.view.program, d.view.overrides, d.view.now);
	for (size_t left = state.n_refused; left > 0 && rc >= 0 && monotonic_ms() < until; left--) {
		const struct refused *r = &state.refused[s->denied_at++ % state.n_refused];
		struct denied_hint h;

		if (is_worth_alarm(&h, &d, r))
			rc = alarm_add(&d, &h);
	}
	if (rc < 0)
		sending_fail_log(rc, "denied packets");
	grants_free(&grants);
	firewall_state_free(&state);
}
