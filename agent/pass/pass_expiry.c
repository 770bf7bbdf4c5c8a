/* Records allowlist entries that the kernel has removed at their timeout, which it does even while Curfew is not running.
 * Reads the packet filter to confirm it. The record says only that network access has ended; nothing new is known about
 * SQL. Entries that this pass had to remove itself have records of their own. */
#include <errno.h>
#include <string.h>

#include "curfew/calendar.h"
#include "curfew/text.h"
#include "pass/pass_internal.h"

static bool is_unconfirmed(const struct last_access *l)
{
	return l->network && streq(l->network, ACCESS_UNCONFIRMED);
}

/* What was not confirmed to be allowed may have been let in all the same. */
static bool may_be_let_in(const struct last_access *l)
{
	return (l->network && streq(l->network, ACCESS_ALLOWED)) || is_unconfirmed(l);
}

/* The last record allows network access until a time that has passed. */
static bool is_due(const struct pass *p, const struct last_access *l)
{
	return l->level != LEVEL_NONE && l->until && l->until <= p->o.now && l->sources &&
	       *l->sources && may_be_let_in(l);
}

/* The end of a temporary source that has ended while the grant continues; 0: it is none. */
static instant_t source_ended(const struct grant *g, const struct source *s, instant_t now)
{
	for (size_t i = 0; i < g->user->n_sources; i++)
		if (!source_compare(&g->user->sources[i], s) && user_source_end(g->user, i) <= now)
			return user_source_end(g->user, i);
	return 0;
}

/* Whether the last record still lists such a source. */
static bool part_is_due(struct pass *p, const struct grant *g, const struct last_access *l)
{
	struct source *left;
	size_t n = 0;

	if (l->level == LEVEL_NONE || (l->until && l->until <= p->o.now) || !may_be_let_in(l) ||
		pass_sources_left(&left, &n, p, g))
		return false;
	for (size_t i = 0; i < n; i++)
		if (source_ended(g, &left[i], p->o.now))
			return true;
	return false;
}

static bool any_is_due(struct pass *p)
{
	for (size_t i = 0; i < p->grants.n; i++)
		if (is_due(p, &p->lasts[i]) || part_is_due(p, &p->grants.items[i], &p->lasts[i]))
			return true;
	return false;
}

/* Whether an entry of the packet filter still allows the grant: by a source of the file, or by one that only the record
 * names. 0, 1, or -ENOMEM. */
static int is_let_in(struct pass *p, const struct firewall_state *s, const struct grant *g)
{
	struct source *left;
	size_t n;
	int rc = pass_sources_left(&left, &n, p, g);

	for (size_t i = 0; i < s->n_allows && !rc; i++)
		rc = grant_is_behind(g, &s->allows[i].source, &s->allows[i].endpoint);
	for (size_t k = 0; k < n && !rc; k++)
		rc = pass_is_let_in(s, g, &left[k], 0);
	return rc;
}

int pass_removed_note(struct pass *p, const struct firewall_changes *done)
{
	for (size_t i = 0; i < done->n; i++)
		if (done->items[i].kind == FIREWALL_ALLOW_REMOVE &&
			ARRAY_ADD(p->removed, p->n_removed, done->items[i]))
			return -ENOMEM;
	return 0;
}

static bool was_removed(const struct pass *p, const struct grant *g)
{
	for (size_t i = 0; i < p->n_removed; i++)
		if (grant_is_behind(g, &p->removed[i].source, &p->removed[i].endpoint))
			return true;
	return false;
}

static int event_write(struct pass *p, const struct grant *g, const char *sources, instant_t ended)
{
	struct journal_entry e = pass_entry(p, JOURNAL_EVENT);
	char until[INSTANT_TEXT_MAX], before[INSTANT_TEXT_MAX + 16];
	_cleanup_free_ char *statement = NULL;
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	fprintf(text.to, "%s ->", sources);
	for (size_t i = 0; i < g->server->n_endpoints; i++) {
		char endpoint[ENDPOINT_TEXT_MAX];
		fprintf(text.to, "%s %s", i ? "," : "",
			endpoint_format(endpoint, &g->server->endpoints[i]));
	}
	statement = text_end(&text);
	if (!statement)
		return -ENOMEM;
	snprintf(before, sizeof(before), "until %s", instant_format(until, ended));
	e.client = g->client->name;
	e.login = g->user->login;
	e.server = JOURNAL_NETWORK;
	e.action = "allow-expire";
	e.statement = statement;
	e.before = before;
	e.after = ACCESS_CLOSED;
	e.outcome = "done";
	e.detail = "the kernel's own deadline; read back, the entries are gone";
	return journal_write(NULL, p->o.journal, &e);
}

/* The SQL side is recorded as it was last observed: this step reads only the packet filter. A client's new name is recorded
 * with what a server shows under it. */
static struct journal_entry expiry_entry(
	const struct pass *p, const struct grant *g, const struct last_access *l)
{
	struct journal_entry e = pass_access_entry(p, g);

	e.client = l->client;
	e.level = level_name(l->level);
	e.until = l->until;
	e.before = l->person;
	e.reason = "the kernel's own deadline";
	return e;
}

static int closed_write(
	struct pass *p, const struct grant *g, const struct last_access *l, bool by_kernel)
{
	struct journal_entry e = expiry_entry(p, g, l);

	e.sources = "";
	e.outcome = verification_name(VERIFICATION_UNVERIFIED);
	e.after = ACCESS_CLOSED;
	if (!by_kernel)
		e.reason = p->o.reason;
	return journal_write(NULL, p->o.journal, &e);
}

static int last_close(struct last_access *l)
{
	char *sources = strdup(""), *network = strdup(ACCESS_CLOSED);
	char *outcome = strdup(verification_name(VERIFICATION_UNVERIFIED));

	if (!sources || !network || !outcome) {
		free(sources);
		free(network);
		free(outcome);
		return -ENOMEM;
	}
	free(l->sources);
	free(l->network);
	free(l->outcome);
	l->sources = sources;
	l->network = network;
	l->outcome = outcome;
	return 0;
}

/* The recorded sources: those that have ended and have no entry any more, and the others. */
struct parted {
	struct text ended, others;
	instant_t last;
};

static int sources_part(struct parted *out, struct pass *p, const struct firewall_state *s,
	const struct grant *g, const struct last_access *l)
{
	_cleanup_free_ char *text = strdup(l->sources);
	char *rest = text;

	if (!text)
		return -ENOMEM;
	for (char *one; (one = strsep(&rest, ",")) != NULL;) {
		struct source source;
		one += strspn(one, " ");
		instant_t end = source_parse(&source, one) ? 0 : source_ended(g, &source, p->o.now);
		struct text *to =
			end && !pass_is_let_in(s, g, &source, 0) ? &out->ended : &out->others;
		fprintf(to->to, "%s%s", ftell(to->to) > 0 ? ", " : "", one);
		if (to == &out->ended && end > out->last)
			out->last = end;
	}
	return 0;
}

/* Records that access continues from the other sources. Needs no answer of the SQL server. */
static int part_close(struct pass *p, const struct grant *g, struct last_access *l, char *ended,
	char *others, instant_t last, bool tell)
{
	struct journal_entry e = expiry_entry(p, g, l);
	int rc = tell ? event_write(p, g, ended, last) : 0;
	_cleanup_free_ char *detail = NULL;

	if (asprintf(&detail, "%s%s%s%s", UNSEEN, l->unseen ? l->unseen : "", l->unseen ? ", " : "",
		    ended) < 0)
		return -ENOMEM;
	e.detail = detail;
	e.sources = others;
	e.outcome = l->outcome;
	e.after = *others ? l->network : ACCESS_CLOSED;
	if (!rc)
		rc = journal_write(NULL, p->o.journal, &e);
	/* If this pass reads the sessions, it says so in a record of its own. */
	char *unseen = rc ? NULL : strdup(detail + strlen(UNSEEN));
	if (!unseen)
		return rc ? rc : -ENOMEM;
	free(l->unseen);
	l->unseen = unseen;
	return 0;
}

static int part_write(struct pass *p, const struct firewall_state *s, const struct grant *g,
	struct last_access *l, bool *told)
{
	struct parted parted = {0};

	if (!text_begin(&parted.ended) || !text_begin(&parted.others)) {
		text_drop(&parted.ended);
		return -ENOMEM;
	}
	int rc = sources_part(&parted, p, s, g, l);
	char *ended = text_end(&parted.ended), *others = text_end(&parted.others);
	if (!rc && (!ended || !others))
		rc = -ENOMEM;
	if (!rc && *ended) {
		const bool tell = !*told && !is_unconfirmed(l);
		rc = part_close(p, g, l, ended, others, parted.last, tell);
		*told |= tell;
		free(l->sources);
		l->sources = others;
		others = NULL;
	}
	free(ended);
	free(others);
	return rc;
}

/* An allowlist entry covers all databases of a server, so its end is recorded once. */
static int parts_write(struct pass *p, const struct firewall_state *s)
{
	const struct grant *before = NULL;
	bool told = false;
	int rc = pass_journal_begin(p);

	for (size_t i = 0; i < p->grants.n && !rc; i++) {
		const struct grant *g = &p->grants.items[i];

		if (!part_is_due(p, g, &p->lasts[i]))
			continue;
		told &= before && before->user == g->user && before->server == g->server;
		before = g;
		rc = part_write(p, s, g, &p->lasts[i], &told);
	}
	return rc;
}

static int expired_write(struct pass *p, const struct firewall_state *s)
{
	const struct grant *told = NULL;
	int rc = pass_journal_begin(p);

	for (size_t i = 0; i < p->grants.n && !rc; i++) {
		const struct grant *g = &p->grants.items[i];
		struct last_access *l = &p->lasts[i];

		int let_in = is_due(p, l) ? is_let_in(p, s, g) : 1;
		if (let_in < 0)
			rc = let_in;
		if (let_in)
			continue;
		/* What was not confirmed to be there is not said to have been ended by the kernel. */
		bool by_kernel = !was_removed(p, g) && !is_unconfirmed(l);
		/* An allowlist entry covers all databases of a server, so its end is recorded once. */
		if (by_kernel && (!told || told->user != g->user || told->server != g->server)) {
			rc = event_write(p, g, l->sources, l->until);
			told = g;
		}
		if (!rc)
			rc = closed_write(p, g, l, by_kernel);
		if (!rc)
			rc = last_close(l);
	}
	return rc;
}

int pass_record_expired(struct pass *p)
{
	struct firewall_state state;
	bool looks = p->o.network && p->o.journal && !p->memory_failed && !p->expiry_seen;
	int rc = looks ? pass_lasts_read(p) : -ENODEV;

	p->expiry_seen = true;
	if (rc || !any_is_due(p))
		return rc == -ENODEV ? 0 : rc;
	rc = p->o.network->observe(&state, p->o.network->context, p->o.now);
	/* Not read does not mean removed. The next pass reads again. */
	if (rc)
		return 0;
	rc = expired_write(p, &state);
	if (!rc)
		rc = parts_write(p, &state);
	firewall_state_free(&state);
	if (rc && !p->journal_error)
		p->journal_error = rc;
	return rc ? rc : pass_journal_commit(p);
}
