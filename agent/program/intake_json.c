/* Reads the intake form as JSON: a list of people, or one client with people, databases, milestones, and settings. */
#include "program/intake.h"
#include "curfew/milestones.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

static const char *member(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "";
}

static int unknown_refuse(char why[256], const char *what, const char *name,
	const char *const *names, size_t n, const char *more)
{
	size_t at = (size_t)snprintf(why, 256, "%s: unknown member \"%.40s\"; known:", what, name);

	for (size_t k = 0; k < n && at < 256; k++)
		at += (size_t)snprintf(why + at, 256 - at, "%s %s", k ? "," : "", names[k]);
	if (at < 256)
		snprintf(why + at, 256 - at, "%s", more);
	return -EINVAL;
}

/* A misspelled member would be a user without it, as one without addresses. */
static int person_check(const json_t *o, size_t number, char why[256])
{
	static const char *const names[] = {"client", "first", "last", "email", "addresses"};
	const char *name;
	json_t *value, *one;
	char what[40];
	size_t k;

	snprintf(what, sizeof(what), "user %zu", number);
	json_object_foreach((json_t *)o, name, value)
	{
		bool list = streq(name, "addresses") && json_is_array(value), fits = true;

		json_array_foreach(value, k, one) fits = fits && json_is_string(one);
		for (k = 0; k < ARRAY_SIZE(names) && !streq(names[k], name);)
			k++;
		if (k == ARRAY_SIZE(names))
			return unknown_refuse(why, what, name, names, ARRAY_SIZE(names), "");
		if (!fits || (!list && !json_is_string(value))) {
			snprintf(why, 256, "%s: \"%s\" must be a text%s", what, name,
				k + 1 == ARRAY_SIZE(names) ? " or a list of texts" : "");
			return -EINVAL;
		}
	}
	return 0;
}

static int person_read(struct intake *i, const json_t *o, size_t number, char why[256])
{
	const json_t *addresses = json_object_get(o, "addresses"), *one;
	size_t k;
	int rc = person_check(o, number, why);

	if (rc == 0)
		rc = intake_person_take(i, (int)number, member(o, "first"), member(o, "last"),
			member(o, "email"), member(o, "addresses"));

	json_array_foreach(addresses, k, one)
	{
		if (rc == 0 && json_is_string(one))
			rc = intake_addresses_add(
				&i->people[i->n_people - 1], json_string_value(one));
	}
	return rc;
}

static int people_read(struct intake *i, const json_t *list, char why[256])
{
	const json_t *o;
	size_t k;
	int rc = 0;

	json_array_foreach(list, k, o)
	{
		if (rc == 0 && !json_is_object(o)) {
			snprintf(why, 256,
				"user %zu is not an object; write {\"first\": ..., \"last\": ..., \"email\": ..., \"addresses\": [...]}",
				k + 1);
			rc = -EINVAL;
		}
		if (rc == 0 && intake_is_of_client(i, member(o, "client")))
			rc = person_read(i, o, k + 1, why);
	}
	return rc;
}

static int text_copy(char **out, const json_t *value)
{
	*out = strdup(json_string_value(value));
	return *out ? 0 : -ENOMEM;
}

/* Each member of `o` is text and has one of these names; `more` names others that were read before. */
static int texts_read(const json_t *o, const char *what, const char *const *names,
	char **const *out, size_t n, const char *more, char why[256])
{
	const char *name;
	json_t *value;
	int rc = 0;

	json_object_foreach((json_t *)o, name, value)
	{
		size_t k = 0;

		while (k < n && !streq(names[k], name))
			k++;
		if (rc == 0 && k == n) {
			rc = unknown_refuse(why, what, name, names, n, more);
		} else if (rc == 0 && !json_is_string(value)) {
			snprintf(why, 256, "%s: \"%s\" must be a text", what, name);
			rc = -EINVAL;
		}
		/* An option of the command line counts more. */
		if (rc == 0 && !*out[k])
			rc = text_copy(out[k], value);
	}
	return rc;
}

static int databases_read(struct intake *i, const json_t *list, char why[256])
{
	static const char *const names[] = {"role", "server", "name", "before_go_live"};
	const json_t *o;
	bool given = i->n_databases > 0;
	size_t k;
	int rc = 0;

	json_array_foreach(list, k, o)
	{
		struct intake_database *d = rc || given ? NULL : intake_database_add(i);
		char what[40];

		if (rc || given)
			break;
		if (!d)
			return -ENOMEM;
		char **const out[] = {&d->role, &d->server, &d->name, &d->before_go_live};
		snprintf(what, sizeof(what), "database %zu", k + 1);
		rc = texts_read(o, what, names, out, ARRAY_SIZE(names), "", why);
		if (rc == 0 && (!d->role || !d->server || !d->name)) {
			snprintf(why, 256, "%s: role, server, and name are required", what);
			rc = -EINVAL;
		}
	}
	return rc;
}

static int milestones_read(struct intake *i, const json_t *o, char why[256])
{
	const char *names[MILESTONES];
	char **out[MILESTONES];
	size_t n = 0;

	for (size_t m = 0; m < MILESTONES; m++) {
		if (milestone_is_automatic((enum milestone)m))
			continue;
		names[n] = milestone_name((enum milestone)m);
		out[n++] = &i->milestones[m];
	}
	return texts_read(o, "milestones", names, out, n, "", why);
}

static int client_read(struct intake *i, json_t *root, char why[256])
{
	static const char *const names[] = {
		"client", "ticket", "approved_by", "approved_on", "timezone", "starts", "go_live"};
	char *client = NULL;
	char **const out[] = {&client, &i->ticket, &i->approved_by, &i->approved_on, &i->timezone,
		&i->starts, &i->go_live};
	json_t *users = json_incref(json_object_get(root, "users")),
	       *databases = json_incref(json_object_get(root, "databases")),
	       *milestones = json_incref(json_object_get(root, "milestones"));
	int rc = -EINVAL;

	if (!json_is_array(users))
		snprintf(why, 256, "no list \"users\" with first, last, email, and addresses");
	else if (databases && !json_is_array(databases))
		snprintf(why, 256,
			"\"databases\" is not a list of objects with role, server, and name");
	else if (milestones && !json_is_object(milestones))
		snprintf(why, 256, "\"milestones\" is not an object of names and dates");
	else
		rc = 0;
	json_object_del(root, "users");
	json_object_del(root, "databases");
	json_object_del(root, "milestones");
	if (rc == 0)
		rc = texts_read(root, "the client", names, out, ARRAY_SIZE(names),
			", milestones, databases, users", why);
	if (rc == 0 && client && !intake_is_of_client(i, client))
		rc = -ENOENT;
	if (rc == 0)
		rc = databases_read(i, databases, why);
	if (rc == 0)
		rc = milestones_read(i, milestones, why);
	if (rc == 0)
		rc = people_read(i, users, why);
	free(client);
	json_decref(users);
	json_decref(databases);
	json_decref(milestones);
	return rc;
}

int intake_read_json(struct intake *i, const char *text, char why[256])
{
	size_t before = i->n_people;
	json_error_t error = {.line = 1, .text = "must be a list or an object"};
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	int rc = -EINVAL;

	i->numbered = true;
	if (json_is_array(root))
		rc = people_read(i, root, why);
	else if (json_is_object(root))
		rc = client_read(i, root, why);
	else
		snprintf(why, 256, "line %d: %s", error.line, error.text);
	json_decref(root);
	return rc ? rc : i->n_people == before ? -ENOENT : 0;
}
