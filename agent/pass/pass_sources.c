/* Sources that left, or ended, while their sessions could not be read: named until a reading has ended them. */
#include <errno.h>
#include <string.h>

#include "pass/pass_internal.h"

static bool user_has_source(const struct user *u, const struct source *s, instant_t now)
{
	for (size_t i = 0; i < u->n_sources; i++)
		if (!source_compare(&u->sources[i], s) && user_source_end(u, i) > now)
			return true;
	return false;
}

/* The sources in the text "203.0.113.7, 198.51.100.0/29" that the user does not have, or no longer. */
static int left_parse(struct last_access *l, const char *from, const struct user *u, instant_t now)
{
	_cleanup_free_ char *text = strdup(from);
	char *rest = text;

	if (!text)
		return -ENOMEM;
	for (char *one; (one = strsep(&rest, ",")) != NULL;) {
		struct source s;

		one += strspn(one, " ");
		if (!*one || source_parse(&s, one) || user_has_source(u, &s, now))
			continue;
		if (ARRAY_ADD(l->left, l->n_left, s))
			return -ENOMEM;
	}
	return 0;
}

int pass_sources_left(struct source **out, size_t *n, struct pass *p, const struct grant *g)
{
	int rc = p->o.journal && !p->memory_failed ? pass_lasts_read(p) : 0;

	*n = 0;
	if (rc || !p->lasts)
		return rc == -ENOMEM ? rc : 0;
	struct last_access *l = &p->lasts[pass_grant_number(p, g)];
	if (l->level == LEVEL_NONE || !l->sources)
		return 0;
	if (!l->left) {
		rc = left_parse(l, l->sources, g->user, p->o.now);
		if (!rc && l->unseen)
			rc = left_parse(l, l->unseen, g->user, p->o.now);
	}
	*out = l->left;
	*n = l->n_left;
	return rc;
}

/* Its record is that of the last reading: what it forgets is not looked for any more. */
bool pass_sources_unseen(struct pass *p, const struct grant *g)
{
	struct source *left;
	size_t n = 0;

	for (size_t i = 0; i < p->n_servers; i++)
		if (p->servers[i].server == g->server && p->servers[i].unended)
			return pass_sources_left(&left, &n, p, g) || n;
	return false;
}

void pass_sources_tell(struct pass *p)
{
	const struct grant *told = NULL;

	for (size_t i = 0; i < p->grants.n; i++) {
		const struct grant *g = &p->grants.items[i];
		struct record note = {.kind = RECORD_NOTE, .state = STATE_DRIFT};
		struct source *left;
		size_t n;

		/* A pass that has read the sessions has recorded the access. */
		if ((told && told->user == g->user && told->server == g->server) ||
			(p->o.client && !streq(p->o.client, g->client->name)) ||
			(p->o.mode == PASS_APPLY && p->works[i].on_record) ||
			pass_sources_left(&left, &n, p, g) || !n)
			continue;
		told = g;
		_cleanup_free_ char *text = sources_text(left, n);
		RECORD_SET(&note, server, g->server->name);
		RECORD_PRINTF(&note, detail,
			"sessions of %s from %s, which left its file or ended, are not seen to have ended: the next pass that reads "
			"the server ends them",
			g->user->login, text ? text : "its former sources");
		pass_tell(p, &note);
		p->result.drift++;
	}
}
