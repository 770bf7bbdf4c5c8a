/* The allowlist that a pass wants of the packet filter. It is made of the configuration, the schedule, and
 * verifications: as long as these are the same, the list is, and need neither be built nor sent. */
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "pass/pass_internal.h"

static void text_add(crypto_generichash_state *h, const char *text)
{
	crypto_generichash_update(h, (const uint8_t *)text, strlen(text) + 1);
}

/* How many of the user's sources have not ended: their ends are the configuration's, so that it tells which. */
static int64_t sources_left(const struct user *u, instant_t now)
{
	int64_t n = 0;

	for (size_t i = 0; u->source_ends && i < u->n_sources; i++)
		n += user_source_end(u, i) > now;
	return n;
}

static void guard_add(crypto_generichash_state *h, const struct kept_guard *k)
{
	char endpoint[ENDPOINT_TEXT_MAX], source[SOURCE_TEXT_MAX];

	text_add(h, k->server);
	text_add(h, endpoint_format(endpoint, &k->endpoint));
	for (size_t i = 0; i < k->n_trusted; i++)
		text_add(h, source_format(source, &k->trusted[i]));
	text_add(h, "");
}

uint64_t pass_list_number(struct pass *p, admission_fn admission)
{
	static uint8_t key[crypto_generichash_KEYBYTES]; /* zeros: not made yet */
	crypto_generichash_state h;
	uint8_t hash[crypto_generichash_BYTES];
	uint64_t number;

	if (sodium_is_zero(key, sizeof(key)))
		randombytes_buf(key, sizeof(key));
	crypto_generichash_init(&h, key, sizeof(key), sizeof(hash));
	text_add(&h, p->o.program->digest);
	for (size_t i = 0; i < p->grants.n; i++) {
		const struct grant *g = &p->grants.items[i];
		enum admission a = admission(g, p);
		/* At level none it counts only if the login must be blocked. */
		const int64_t made[] = {g->level, g->until, g->until > p->o.now,
			g->level == LEVEL_NONE ? a == ADMIT_NOBODY : (int64_t)a,
			sources_left(g->user, p->o.now)};

		crypto_generichash_update(&h, (const uint8_t *)made, sizeof(made));
	}
	for (size_t i = 0; i < p->guards.n; i++)
		if (pass_guard_is_kept(p, &p->guards.items[i]))
			guard_add(&h, &p->guards.items[i]);
	crypto_generichash_final(&h, hash, sizeof(hash));
	memcpy(&number, hash, sizeof(number));
	return number ? number : 1;
}

int pass_list_build(struct allowlist *out, struct pass *p, admission_fn admission)
{
	struct allowlist wanted;
	int rc = allowlist_build(&wanted, p->o.program, &p->grants, p->o.now, admission, p);

	if (rc)
		return rc;
	rc = pass_guards_keep(&wanted, p);
	if (rc)
		allowlist_free(&wanted);
	else
		*out = wanted;
	return rc;
}
