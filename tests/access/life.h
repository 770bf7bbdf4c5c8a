/* One random case of the difference's property test: a configuration, a server as a model, what is on record. */
#ifndef TESTS_ACCESS_LIFE_H
#define TESTS_ACCESS_LIFE_H

#include "../program/random.h"
#include "scene.h"

#define MAX_LOGINS  24
#define STRANGE_SID 1000 /* and above: principals that Curfew did not make */

struct life {
	struct prng p;
	struct scene scene;
	struct model model;
	struct claim claims[2 * MAX_LOGINS];
	size_t n_claims;
	char texts[128][48];
	size_t n_texts;
	/* What each login of ours could do where, at the start of a pass. */
	struct {
		char login[48], database[48];
		unsigned can;
	} before[256];
	size_t n_before;
	bool quiet; /* nobody connects in between */
};

static inline bool chance(struct life *l, unsigned percent)
{
	return prng_below(&l->p, 100) < percent;
}

/* life_random.c: configuration and server, people's and other people's things mixed. */
void random_life(struct life *l);
void claim_add(struct life *l, const char *login, struct sid sid);

/* life_check.c: each fails the test. */
bool sid_is_strange(const struct sid *s);
/* What must never change: everything that belongs to others, as text (the caller frees it); and how many permissions
 * others have of others. */
char *others_dump(const struct life *l);
size_t others_permissions(const struct life *l);
/* What must hold at every moment of a pass, before_note() being its beginning. */
void before_note(struct life *l);
void moment_check(const struct life *l, const struct change *c);
void aim_check(const struct life *l, const struct change *c);
void order_check(const struct difference *d);
/* What must hold at the end, when nothing is left to do but for the obstacles. */
void end_check(const struct life *l, const struct difference *d);

#endif
