/* What the servers confirmed of an event that a mail is about. */
#include "service/sending_confirmed.h"

int confirmed_read(struct confirmed *out, struct journal *j, const struct program *p,
	const struct overrides *o, instant_t now)
{
	struct confirmed c = {0};
	int rc = verified_level_read(&c.levels, j);

	if (rc == 0)
		rc = verified_load(&c.verified, j);
	if (rc == 0)
		rc = ledger_read(&c.ledger, j);
	if (rc == 0)
		rc = schedule_at(&c.grants, p, o, now);
	if (rc)
		confirmed_free(&c);
	else
		*out = c;
	return rc;
}

void confirmed_free(struct confirmed *c)
{
	grants_free(&c->grants);
	identities_free(&c->ledger);
	verified_list_free(&c->verified);
	verified_level_list_free(&c->levels);
}

static bool is_above(const struct confirmed *c, const struct grant *g)
{
	const struct verified_level *p = verified_level_find(&c->levels, g);
	const struct verified *v = verified_find(&c->verified, g);

	return (p && p->level > g->level) || (v && v->result == VERIFICATION_EXCESS);
}

static bool login_exists(const struct confirmed *c, const char *login)
{
	for (size_t i = 0; i < c->ledger.n; i++)
		if (!c->ledger.items[i].removed && names_equal(c->ledger.items[i].login, login))
			return true;
	return false;
}

bool confirmed_is(const struct confirmed *c, const struct notice *n)
{
	bool some = false, above = false;

	for (size_t i = 0; i < c->grants.n; i++) {
		const struct grant *g = &c->grants.items[i];

		if (g->user != n->user)
			continue;
		some = some || verified_admission(&c->verified, g) == ADMIT;
		above = above || is_above(c, g);
	}
	if (n->kind == NOTICE_OPENED)
		return some;
	if (n->kind == NOTICE_ENDED)
		return !above && !login_exists(c, n->user->login);
	return n->kind != NOTICE_READ_ONLY || !above;
}
