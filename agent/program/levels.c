#include "program/levels.h"

#include "program/names.h"

#include <string.h>

/* The longest lists of the built-in levels. */
#define MAX_BUILT_IN 8

struct built_in {
	const char *role;
	const char *lists[4][MAX_BUILT_IN]; /* as PERMISSION_LISTS */
};

/* ALTER without CREATE lets people change and remove what is there and add nothing. */
static const struct built_in BUILT_IN[3] = {
	[LEVEL_READ_ONLY] = {"curfew_read_only",
		{{"SHOWPLAN"}, {NULL}, {"SELECT", "VIEW DEFINITION"},
			{"INSERT", "UPDATE", "DELETE", "EXECUTE", "ALTER"}}},
	[LEVEL_FULL] = {"curfew_full", {{"SHOWPLAN"}, {NULL},
					       {"SELECT", "INSERT", "UPDATE", "DELETE", "EXECUTE",
						       "VIEW DEFINITION", "ALTER"},
					       {"CREATE SEQUENCE"}}},
};

static const struct permission_list {
	const char *name;
	size_t offset;
	enum permission_scope scope;
	bool grants;
} PERMISSION_LISTS[] = {
	{"database_grants", offsetof(struct level_terms, database_grants), SCOPE_DATABASE, true},
	{"database_denies", offsetof(struct level_terms, database_denies), SCOPE_DATABASE, false},
	{"schema_grants", offsetof(struct level_terms, schema_grants), SCOPE_SCHEMA, true},
	{"schema_denies", offsetof(struct level_terms, schema_denies), SCOPE_SCHEMA, false},
};

static const char *const LEVEL_SETTING[3] = {"none", "read_only", "full"};

void strings_free(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i]);
	free(s->items);
	*s = (struct strings){0};
}

static void terms_free(struct level_terms *t)
{
	free(t->role);
	strings_free(&t->member_of);
	strings_free(&t->database_grants);
	strings_free(&t->database_denies);
	strings_free(&t->schema_grants);
	strings_free(&t->schema_denies);
	*t = (struct level_terms){0};
}

void levels_free(struct level_terms terms[3])
{
	for (size_t i = 0; i < 3; i++)
		terms_free(&terms[i]);
}

static struct strings *terms_list(struct level_terms *t, const struct permission_list *list)
{
	return (struct strings *)((char *)t + list->offset);
}

static void strings_put(struct reading *r, struct strings *s, const char *item)
{
	char *copy = reading_copy(r, item);

	if (copy)
		s->items[s->n++] = copy;
}

static void strings_copy(struct reading *r, struct strings *out, const char *const *items, size_t n)
{
	out->items = reading_array(r, n, sizeof(*out->items));
	for (size_t i = 0; out->items && i < n; i++)
		strings_put(r, out, items[i]);
}

static void list_default(struct reading *r, struct level_terms *t,
	const struct permission_list *list, enum level level, const struct level_terms *base)
{
	size_t index = (size_t)(list - PERMISSION_LISTS), n = 0;

	if (base && base->role) {
		const struct strings *from =
			(const struct strings *)((const char *)base + list->offset);

		strings_copy(r, terms_list(t, list), (const char *const *)from->items, from->n);
		return;
	}
	while (n < MAX_BUILT_IN && BUILT_IN[level].lists[index][n])
		n++;
	strings_copy(r, terms_list(t, list), BUILT_IN[level].lists[index], n);
}

/* Roles of every database, whose members could undo what Curfew does. */
static bool role_escapes(const char *role)
{
	return names_equal(role, "db_owner") || names_equal(role, "db_securityadmin") ||
	       names_equal(role, "db_accessadmin");
}

static bool role_changes(const char *role)
{
	return names_equal(role, "db_ddladmin") || names_equal(role, "db_datawriter") ||
	       names_equal(role, "db_backupoperator");
}

static void member_of_read(
	struct reading *r, struct level_terms *t, const config_setting_t *list, enum level level)
{
	int n = config_setting_length(list);

	t->member_of.items = reading_array(r, (size_t)n, sizeof(*t->member_of.items));
	for (int i = 0; t->member_of.items && i < n; i++) {
		const config_setting_t *at = config_setting_get_elem(list, (unsigned)i);
		const char *role = reading_item(r, list, i);

		if (!role)
			continue;
		if (role_escapes(role))
			reading_error(r, at,
				"members of %s could undo what Curfew does; use db_datareader, "
				"db_datawriter or db_ddladmin, or a role of your own",
				role);
		else if (level == LEVEL_READ_ONLY && role_changes(role))
			reading_error(r, at,
				"members of %s can do more than read; use db_datareader", role);
		else if (names_equal(role, "public"))
			reading_error(r, at, "everyone is a member of public; leave it out");
		strings_put(r, &t->member_of, role);
	}
	if (n == 0)
		reading_error(r, list, "\"member_of\" is empty; name at least one role");
}

static void permission_check(struct reading *r, const config_setting_t *at, const char *name,
	const struct permission_list *list, enum level level)
{
	const struct permission *p = permission_find(name);
	const char *near = p ? NULL : permission_nearest(name);

	if (!p && near)
		reading_error(r, at, "unknown permission \"%s\"; did you mean \"%s\"?", name, near);
	else if (!p)
		reading_error(r, at,
			"unknown permission \"%s\"; curfew.conf(5) lists those that are known",
			name);
	else if (list->grants && p->reach == PERMISSION_ESCAPES)
		reading_error(
			r, at, "%s would let people undo what Curfew does; leave it out", name);
	else if (!p->scopes)
		reading_error(
			r, at, "%s is no permission on a database or schema; leave it out", name);
	else if (!(p->scopes & list->scope))
		reading_error(r, at, "%s is no permission on a %s; move it to %s", name,
			list->scope == SCOPE_SCHEMA ? "schema" : "database",
			list->scope == SCOPE_SCHEMA ? "the database lists" : "the schema lists");
	else if (list->grants && level == LEVEL_READ_ONLY && p->reach != PERMISSION_READS)
		reading_error(r, at, "%s is more than reading; leave it out of read_only", name);
	else if (list->grants && p->reach == PERMISSION_CREATES)
		reading_warning(r, at,
			"%s lets people add new customisations, which the program forbids; leave it out "
			"unless that is meant",
			name);
}

static void permissions_read(struct reading *r, struct level_terms *t,
	const config_setting_t *group, const struct permission_list *list, enum level level)
{
	const config_setting_t *s = reading_list(r, group, list->name, NULL);
	struct strings *out = terms_list(t, list);
	int n = s ? config_setting_length(s) : 0;

	out->items = reading_array(r, (size_t)n, sizeof(*out->items));
	for (int i = 0; out->items && i < n; i++) {
		const char *name = reading_item(r, s, i);

		if (!name)
			continue;
		permission_check(r, config_setting_get_elem(s, (unsigned)i), name, list, level);
		if (strings_contain(out, name))
			reading_warning(r, config_setting_get_elem(s, (unsigned)i),
				"%s is written twice; keep one", name);
		else
			strings_put(r, out, name);
	}
}

static void role_read(struct reading *r, struct level_terms *t, const config_setting_t *group,
	enum level level, const struct level_terms *base)
{
	const char *role = reading_text(r, group, "role", NULL);

	if (role && login_fault(role))
		reading_error(r, config_setting_get_member(group, "role"),
			"role \"%s\" %s; choose a name of its own, as \"%s\"", role,
			login_fault(role), BUILT_IN[level].role);
	if (!role)
		role = base && base->role ? base->role : BUILT_IN[level].role;
	t->role = reading_copy(r, role);
}

static void level_read(struct reading *r, struct level_terms *t, const config_setting_t *group,
	enum level level, const struct level_terms *base)
{
	static const char *const names[] = {"role", "member_of", "database_grants",
		"database_denies", "schema_grants", "schema_denies"};
	const config_setting_t *member_of;

	reading_known(r, group, "a level", names, ARRAY_SIZE(names));
	member_of = reading_list(r, group, "member_of", NULL);
	if (member_of) {
		if (config_setting_length(group) > 1)
			reading_error(r, member_of,
				"a level is either \"member_of\" or a role with permissions, never both; "
				"remove one of the two");
		member_of_read(r, t, member_of, level);
		return;
	}
	role_read(r, t, group, level, base);
	for (size_t i = 0; i < ARRAY_SIZE(PERMISSION_LISTS); i++) {
		const struct permission_list *list = &PERMISSION_LISTS[i];

		if (config_setting_get_member(group, list->name))
			permissions_read(r, t, group, list, level);
		else
			list_default(r, t, list, level, base);
	}
}

static void level_default(
	struct reading *r, struct level_terms *t, enum level level, const struct level_terms *base)
{
	if (base && !base->role) {
		strings_copy(r, &t->member_of, (const char *const *)base->member_of.items,
			base->member_of.n);
		return;
	}
	t->role = reading_copy(r, base ? base->role : BUILT_IN[level].role);
	for (size_t i = 0; i < ARRAY_SIZE(PERMISSION_LISTS); i++)
		list_default(r, t, &PERMISSION_LISTS[i], level, base);
}

static bool strings_contain_folded(const struct strings *s, const char *item)
{
	for (size_t i = 0; i < s->n; i++)
		if (names_equal(s->items[i], item))
			return true;
	return false;
}

/* At go-live a user moves from the one to the other: if the second holds all of the first, nothing narrows. */
static void levels_compare(
	struct reading *r, const config_setting_t *at, const struct level_terms terms[3])
{
	const struct level_terms *full = &terms[LEVEL_FULL], *narrow = &terms[LEVEL_READ_ONLY];
	size_t shared = 0;

	if (full->role && narrow->role && names_equal(full->role, narrow->role))
		reading_error(r, at,
			"both levels use the role \"%s\", so nothing would narrow at go-live; give each "
			"its own",
			full->role);
	for (size_t i = 0; i < full->member_of.n; i++)
		shared += strings_contain_folded(&narrow->member_of, full->member_of.items[i]);
	if (full->member_of.n > 0 && shared == full->member_of.n)
		reading_error(r, at,
			"read_only has every role of full, so nothing would narrow at go-live; take out "
			"those that can change data");
	if ((full->role && strings_contain_folded(&narrow->member_of, full->role)) ||
		(narrow->role && strings_contain_folded(&full->member_of, narrow->role)))
		reading_error(
			r, at, "one level is a member of the other's role; give each its own");
}

void levels_read(struct level_terms out[3], struct reading *r, const config_setting_t *group,
	const struct level_terms *base)
{
	static const char *const names[] = {"full", "read_only"};

	memset(out, 0, 3 * sizeof(*out));
	if (group)
		reading_known(r, group, "levels", names, ARRAY_SIZE(names));
	for (enum level level = LEVEL_READ_ONLY; level <= LEVEL_FULL; level++) {
		const config_setting_t *own =
			group ? reading_group(r, group, LEVEL_SETTING[level], NULL) : NULL;
		const struct level_terms *under = base ? &base[level] : NULL;

		if (own)
			level_read(r, &out[level], own, level, under);
		else
			level_default(r, &out[level], level, under);
	}
	if (group)
		levels_compare(r, group, out);
}
