/* What is denied to be seen is missing from the catalog views without any sign, and the rights on it stay. So where such a
 * denial reaches whoever looks, the user of a proof or the agent login, nothing is concluded from what is not shown. */
#include "proof/proof.h"

static bool server_permission_hides(const struct permission *p, const char *login)
{
	static const char *const names[] = {
		"VIEW ANY DEFINITION", "VIEW ANY SECURITY DEFINITION", "CONTROL SERVER"};

	if (p->state != 'D' || (!names_equal(p->grantee, login) && !streq(p->grantee, "public") &&
				       !names_equal(p->grantee, MARK_ROLE)))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(p->name, names[i]))
			return true;
	return false;
}

static const char *permission_words(
	char buf[RECORD_TEXT_MAX], const struct permission *p, const char *where)
{
	bool whole = p->class == 0 || p->class >= 100, named = p->schema || p->object;

	snprintf(buf, RECORD_TEXT_MAX,
		"%s%s%.128s%s%.128s is denied to [%.128s] in [%.128s], so permissions may be hidden: revoke that denial",
		p->name,
		whole	? ""
		: named ? " on "
			: " on something that the agent login does not see",
		p->schema ? p->schema : "", p->schema && p->object ? " " : "",
		p->object ? p->object : "", p->grantee, where);
	return buf;
}

const char *hidden_words(char buf[RECORD_TEXT_MAX], const struct visit_run *run,
	const struct observed_database *d, const struct grant_place *place)
{
	const struct observed_server *o = &run->observed;
	const struct observed_user *looking[] = {
		place ? place->user : NULL, observed_user_of_agent(o, d, run->visit->server)};
	const struct permission *by;

	for (size_t i = 0; place && i < o->n_permissions; i++)
		if (server_permission_hides(&o->permissions[i], place->login->name))
			return permission_words(buf, &o->permissions[i], "master");
	/* Without a user there the agent login is what public and guest are. */
	for (size_t i = place ? 0 : 1; i < ARRAY_SIZE(looking); i++) {
		int rc = observed_hides(&by, d, looking[i], !place);
		if (rc < 0)
			return "not enough memory to see whether permissions are hidden";
		if (rc)
			return permission_words(buf, by, d->name);
	}
	if (d->missed) {
		snprintf(buf, RECORD_TEXT_MAX, "%s", USERS_MISSED);
		return buf;
	}
	return NULL;
}
