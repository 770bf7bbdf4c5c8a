/* Reads access levels, and rejects permissions that would undo what Curfew does. */
#include "program/levels.h"

#include "program/names.h"

#include <errno.h>
#include <string.h>

/* Length of the longest list of a built-in level. */
#define MAX_BUILT_IN 8

struct built_in {
	const char *role;
	const char *lists[4][MAX_BUILT_IN]; /* in the order of PERMISSION_LISTS */
};

/* ALTER without CREATE lets users change and drop existing objects, but not add any. */
static const struct built_in BUILT_IN[LEVELS] = {
	[LEVEL_READ_ONLY] = {"curfew_read_only",
		{{"SHOWPLAN"}, {NULL}, {"SELECT", "VIEW DEFINITION"},
			{"INSERT", "UPDATE", "DELETE", "EXECUTE", "ALTER"}}},
	/* Without ALTER nobody can change code that runs with other users' permissions. */
	[LEVEL_WRITE] = {"curfew_write",
		{{"SHOWPLAN"}, {NULL},
			{"SELECT", "INSERT", "UPDATE", "DELETE", "EXECUTE", "VIEW DEFINITION"},
			{"ALTER"}}},
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

static const char *const LEVEL_SETTING[LEVELS] = {"none", "read_only", "write", "full"};

/* The most that a level may grant. */
static const enum permission_reach LEVEL_REACH[LEVELS] = {
	[LEVEL_READ_ONLY] = PERMISSION_READS,
	[LEVEL_WRITE] = PERMISSION_WRITES,
	[LEVEL_FULL] = PERMISSION_CREATES,
};

int strings_add(struct strings *s, const char *item)
{
	char **items = reallocarray(s->items, s->n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	s->items = items;
	items[s->n] = strdup(item);
	return items[s->n++] ? 0 : -ENOMEM;
}

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

void levels_free(struct level_terms terms[LEVELS])
{
	for (size_t i = 0; i < LEVELS; i++)
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

/* Fixed database roles whose members could undo what Curfew does. */
static bool role_escapes(const char *role)
{
	return names_equal(role, "db_owner") || names_equal(role, "db_securityadmin") ||
	       names_equal(role, "db_accessadmin");
}

/* The lowest level that may use a fixed role. */
static enum level role_level(const char *role)
{
	if (names_equal(role, "db_ddladmin") || names_equal(role, "db_backupoperator"))
		return LEVEL_FULL;
	return names_equal(role, "db_datawriter") ? LEVEL_WRITE : LEVEL_READ_ONLY;
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
				"members of %s could undo Curfew's changes; use db_datareader, "
				"db_datawriter, or db_ddladmin, or a role of your own",
				role);
		else if (role_level(role) > level)
			reading_error(r, at, "members of %s can do more than %s allows; use %s",
				role, LEVEL_SETTING[level],
				level == LEVEL_WRITE ? "db_datareader and db_datawriter"
						     : "db_datareader");
		else if (names_equal(role, "public"))
			reading_error(r, at, "every user is a member of public; remove it");
		strings_put(r, &t->member_of, role);
	}
	if (n == 0)
		reading_error(r, list, "\"member_of\" is empty; add at least one role");
}

static void permission_check(struct reading *r, const config_setting_t *at, const char *name,
	const struct permission_list *list, enum level level)
{
	const struct permission_rule *p = permission_find(name);
	const char *near = p ? NULL : permission_nearest(name);

	if (!p && near)
		reading_error(r, at, "unknown permission \"%s\"; did you mean \"%s\"?", name, near);
	else if (!p)
		reading_error(r, at,
			"unknown permission \"%s\"; curfew.conf(5) lists the known permissions",
			name);
	else if (list->grants && p->reach == PERMISSION_ESCAPES)
		reading_error(r, at,
			"%s is not allowed, because users could undo Curfew's changes; remove it",
			name);
	else if (!p->scopes)
		reading_error(
			r, at, "%s is not a permission on a database or schema; remove it", name);
	else if (!(p->scopes & list->scope))
		reading_error(r, at, "%s is not a permission on a %s; move it to %s", name,
			list->scope == SCOPE_SCHEMA ? "schema" : "database",
			list->scope == SCOPE_SCHEMA ? "the database lists" : "the schema lists");
	else if (list->grants && p->reach > LEVEL_REACH[level])
		reading_error(r, at, "%s allows more than %s; remove it from %s", name,
			level == LEVEL_WRITE ? "reading and writing data" : "reading",
			LEVEL_SETTING[level]);
	else if (list->grants && p->reach == PERMISSION_CREATES)
		reading_warning(r, at,
			"%s lets users create new customizations, which the access program forbids; remove "
			"it unless that is meant",
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
				"duplicate permission %s; remove one", name);
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
			"role \"%s\" %s; use a different name, for example \"%s\"", role,
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
				"a level must have either \"member_of\" or a role with permissions; remove one of "
				"the two");
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

/* A user who moves from the higher to the lower level must lose permissions, and role membership must show the level. */
static void levels_compare(struct reading *r, const config_setting_t *at,
	const struct level_terms terms[LEVELS], enum level wide, enum level narrow)
{
	const struct level_terms *w = &terms[wide], *n = &terms[narrow];
	size_t shared = 0;

	if (w->role && n->role && names_equal(w->role, n->role))
		reading_error(r, at,
			"levels %s and %s both use role \"%s\", so access would not change between them; "
			"use a different role for each level",
			LEVEL_SETTING[wide], LEVEL_SETTING[narrow], w->role);
	for (size_t i = 0; i < w->member_of.n; i++)
		shared += strings_contain_folded(&n->member_of, w->member_of.items[i]);
	if (w->member_of.n > 0 && shared == w->member_of.n)
		reading_error(r, at,
			"%s has every role of %s, so access would not change between them; remove the "
			"roles that allow more than %s",
			LEVEL_SETTING[narrow], LEVEL_SETTING[wide],
			narrow == LEVEL_READ_ONLY ? "reading" : "writing data");
	if ((w->role && strings_contain_folded(&n->member_of, w->role)) ||
		(n->role && strings_contain_folded(&w->member_of, n->role)))
		reading_error(r, at,
			"one of the levels %s and %s is a member of the other's role; use a different "
			"role for each level",
			LEVEL_SETTING[wide], LEVEL_SETTING[narrow]);
}

void levels_read(struct level_terms out[LEVELS], struct reading *r, const config_setting_t *group,
	const struct level_terms *base)
{
	static const char *const names[] = {"full", "read_only", "write"};

	memset(out, 0, LEVELS * sizeof(*out));
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
	for (enum level wide = LEVEL_FULL; group && wide > LEVEL_READ_ONLY; wide--)
		for (enum level narrow = wide - 1; narrow > LEVEL_NONE; narrow--)
			levels_compare(r, group, out, wide, narrow);
}
