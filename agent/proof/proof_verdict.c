/* Where a grant's login and user are, and the server's answer about the grant: its verdict. */
#include <string.h>

#include "proof/proof.h"

bool grant_place(struct grant_place *out, const struct visit_run *run, const struct grant *g)
{
	const struct observed_login *l = observed_find_login(&run->observed, g->user->login);
	const struct observed_database *d =
		observed_find_database(&run->observed, g->database->name);

	*out = (struct grant_place){.login = l && l->ours ? l : NULL, .database = d};
	if (out->login && d && d->read)
		out->user = observed_user_of(d, l);
	return out->user != NULL;
}

void verdict_tell(struct visit_run *run, size_t number, const struct grant_place *place,
	enum verification result, enum state state, const char *evidence)
{
	const struct grant *g = run->visit->wanted.grants[number];
	struct verdict *v = &run->verdicts[number];
	struct record r;

	free(v->evidence);
	*v = (struct verdict){.asked = true, .result = result, .evidence = strdup(evidence)};
	if (place->user)
		observed_fingerprint(v->fingerprint, place->database, place->user);
	record_of(&r, run->visit, RECORD_VERIFICATION, g->client->name, g->user->login,
		g->database->name);
	r.verification = (struct record_verification){
		.level = g->level, .result = result, .at = run->visit->now};
	if (place->login)
		r.verification.sid = place->login->sid;
	if (place->user) {
		r.verification.database_id = (uint64_t)place->database->id;
		record_set(r.verification.made, sizeof(r.verification.made), place->database->made);
	}
	memcpy(r.verification.fingerprint, v->fingerprint, sizeof(v->fingerprint));
	r.state = state;
	RECORD_SET(&r, detail, evidence);
	worker_tell(run->worker, &r);
}
