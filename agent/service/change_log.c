/* Counts the changes of a pass by server and kind, and tells in one line what had no line of its own. */
#include <string.h>
#include "curfew/text.h"
#include "service/change_log.h"

#define KINDS (CHANGE_KINDS + FIREWALL_CHANGE_KINDS)

struct change_tally {
	char *server;
	bool failed;
	size_t total, of_kind[KINDS];
};

static struct change_tally *tally_of(struct change_log *l, const char *server, bool failed)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->tallies[i].failed == failed && streq(l->tallies[i].server, server))
			return &l->tallies[i];
	char *copy = strdup(server);
	struct change_tally *t = copy ? ARRAY_MORE(l->tallies, l->n) : NULL;
	if (t)
		*t = (struct change_tally){.server = copy, .failed = failed};
	else
		free(copy);
	return t;
}

static size_t kind_of(const struct record *r)
{
	return r->kind == RECORD_OUTCOME ? (size_t)r->change.kind
					 : CHANGE_KINDS + (size_t)r->network.kind;
}

static const char *kind_name(size_t kind)
{
	return kind < CHANGE_KINDS
		       ? change_name((enum change_kind)kind)
		       : firewall_change_name((enum firewall_change_kind)(kind - CHANGE_KINDS));
}

bool change_log_take(struct change_log *l, const struct record *r)
{
	struct change_tally *t = tally_of(l, r->server, r->state != STATE_OK);

	if (!t || kind_of(r) >= KINDS)
		return true;
	t->of_kind[kind_of(r)]++;
	return ++t->total <= CHANGE_LINES;
}

/* "login-create 450, user-create 450" */
static char *kinds_text(const struct change_tally *t)
{
	const char *between = "";
	struct text text;

	if (!text_begin(&text))
		return NULL;
	for (size_t i = 0; i < KINDS; i++) {
		if (!t->of_kind[i])
			continue;
		fprintf(text.to, "%s%s %zu", between, kind_name(i), t->of_kind[i]);
		between = ", ";
	}
	return text_end(&text);
}

static void tally_log(
	const struct change_tally *t, enum log_message made, const struct log_fields *about)
{
	_cleanup_free_ char *kinds = kinds_text(t);
	struct log_fields f = *about;

	f.server = t->server;
	log_send(t->failed ? LOG_CHANGE_FAILED : made, &f,
		"%s: %zu changes %s, the first %d of them with a line each: %s; `curfew history` has all",
		t->server, t->total, t->failed ? "failed" : "made", CHANGE_LINES,
		kinds ? kinds : "out of memory");
}

void change_log_end(struct change_log *l, enum log_message made, const struct log_fields *f)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->tallies[i].total > CHANGE_LINES)
			tally_log(&l->tallies[i], made, f);
		free(l->tallies[i].server);
	}
	free(l->tallies);
	*l = (struct change_log){0};
}
