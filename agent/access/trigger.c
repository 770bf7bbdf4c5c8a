/* DDL triggers of a database run with the permissions of whoever changes something there, so also with Curfew's. One is
 * known only while its text is exactly the reviewed one, and only if nothing outside its text decides what it does:
 * what it names in the database may be altered by a user with full access, who would then act as the agent login. One
 * that no statement of Curfew fires (sql/trigger_events.h) is left alone. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "curfew/access.h"

#define DIGEST " sha256:"

const char *trigger_unsafe(const struct observed_trigger *t)
{
	if (!t->digest[0])
		return "its definition is not visible";
	if (t->dynamic)
		return "it runs procedures or dynamic SQL with EXEC, and what these do may change";
	if (t->reaches)
		return "it uses other objects, which a user with full access may alter";
	return NULL;
}

void trigger_entry(char buf[TRIGGER_ENTRY_MAX], const struct observed_trigger *t)
{
	snprintf(buf, TRIGGER_ENTRY_MAX, "%s" DIGEST "%s", t->name, t->digest);
}

/* Hexadecimal digits count in either case. */
static bool entry_is_of_text(const char *entry, const struct observed_trigger *t)
{
	size_t size = strlen(t->name);

	return !strncmp(entry, t->name, size) && !strncmp(entry + size, DIGEST, strlen(DIGEST)) &&
	       !strcasecmp(entry + size + strlen(DIGEST), t->digest);
}

static bool any_has_text(const struct strings *known, const struct observed_trigger *t)
{
	for (size_t i = 0; i < known->n; i++)
		if (entry_is_of_text(known->items[i], t))
			return true;
	return false;
}

bool trigger_is_named(const struct strings *known, const char *name)
{
	size_t size = strlen(name);

	for (size_t i = 0; i < known->n; i++)
		if (!strncmp(known->items[i], name, size) &&
			(!known->items[i][size] ||
				!strncmp(known->items[i] + size, DIGEST, strlen(DIGEST))))
			return true;
	return false;
}

/* Only a principal with control of the server can create or alter a server trigger, so its name is enough to identify
 * its text. What it uses in other databases belongs to others, and only a review of the text shows what it runs with
 * EXEC. */
const char *server_trigger_refused(const struct strings *known, const struct observed_trigger *t)
{
	if (!t->digest[0])
		return "its definition is not visible";
	if (t->reaches)
		return "uses objects of other databases or servers, which others may alter";
	if (any_has_text(known, t))
		return NULL;
	if (!strings_contain(known, t->name))
		return trigger_is_named(known, t->name) ? "is not as it was reviewed"
							: "was not reviewed";
	return t->dynamic
		       ? "runs procedures or dynamic SQL with EXEC, so its name alone is not enough"
		       : NULL;
}

bool trigger_is_known(const struct strings *known, const struct observed_trigger *t)
{
	return !trigger_unsafe(t) && any_has_text(known, t);
}

bool triggers_are_shown(const struct observed_server *o)
{
	bool shown = !o->triggers_unknown && !observed_is_partial(o);

	for (size_t i = 0; shown && i < o->n_databases; i++) {
		const struct observed_database *d = &o->databases[i];
		shown = !d->managed || d->absent || (d->read && !d->triggers_unknown && !d->hidden);
	}
	return shown;
}

/* A name alone is enough for a trigger of the server, and for no other. */
bool trigger_entry_is_used(const char *entry, const struct observed_server *o)
{
	for (size_t i = 0; i < o->n_triggers; i++)
		if (streq(entry, o->triggers[i].name) || entry_is_of_text(entry, &o->triggers[i]))
			return true;
	for (size_t i = 0; i < o->n_databases; i++)
		for (size_t k = 0; k < o->databases[i].n_triggers; k++)
			if (entry_is_of_text(entry, &o->databases[i].triggers[k]))
				return true;
	return false;
}
