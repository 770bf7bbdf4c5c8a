/* Observes a server: its version, the agent login's permissions, principals, databases, and sessions of managed logins.
 * A server that lacks one of the views fails the whole batch (catalog_whole.c). Then each question is asked by itself, and
 * `unreadable` names the views that are missing. That is not an error, but nothing is verified on such a server. */
#include "catalog/catalog.h"

#include <errno.h>
#include <string.h>

#include "sql/agent_permissions.h"
#include "sql/rows.h"
#include "sql/question.h"

static void reading_forget(struct server_reading *r)
{
	observed_free(r->o);
	raw_catalog_free(&r->raw);
	free(r->conditions);
	r->conditions = NULL;
	r->n_conditions = 0;
	memset(r->rights, -1, sizeof(r->rights));
}

static int ask(
	struct server_reading *r, struct sql_error *error, struct sql_session *s, const char *batch)
{
	return sql_session_run(s, error, batch, catalog_server_row, r);
}

/* ---- version and permissions ---- */

static bool right_is_missing(const struct server_reading *r, size_t right)
{
	const signed char *held = r->rights[right];
	bool others = server_rights[right].permissions[1] != NULL;

	for (size_t k = 1; k < RIGHT_ALTERNATIVES && server_rights[right].permissions[k]; k++)
		others = others && held[k] == 1;
	return held[0] == 0 && !others;
}

static int rights_judge(struct server_reading *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(server_rights); i++) {
		if (!right_is_missing(r, i))
			continue;
		char **name = ARRAY_MORE(r->o->missing_rights, r->o->n_missing_rights);
		if (!name || !(*name = strdup(server_rights[i].permissions[0])))
			return -ENOMEM;
	}
	return 0;
}

static int probe(struct server_reading *r, struct sql_error *error, struct sql_session *s)
{
	struct text batch;

	if (!text_begin(&batch))
		return -ENOMEM;
	memset(r->rights, -1, sizeof(r->rights));
	catalog_probe_write(batch.to);
	int rc = question_ask(s, error, &batch, catalog_server_row, r);
	if (!rc)
		return rights_judge(r);
	if (rc != SQL_SERVER_ERROR)
		return rc;
	/* A server that does not have HAS_PERMS_BY_NAME may still grant everything. */
	rc = ask(r, error, s, catalog_probe_plain);
	return rc ? rc
		  : catalog_unreadable_add(r->o, "the agent login's permissions", NULL,
			    "the permission query failed");
}

/* ---- the server ---- */

/* Asks each question by itself. An unreadable part is added to `unreadable`; an unreadable part that is needed ends the
 * reading. */
static int parts_ask(struct server_reading *r, struct sql_error *error, struct sql_session *s)
{
	for (const struct part *p = server_parts; p->name; p++) {
		int rc = ask(r, error, s, p->text);
		if (rc < 0 || (rc && p->needed))
			return rc;
		r->o->triggers_unknown |= rc && streq(p->name, "server-trigger");
		r->o->jobs_unknown |= rc && streq(p->name, "job");
		if (rc && catalog_unreadable_add(r->o, p->name, NULL, error->text))
			return -ENOMEM;
	}
	return 0;
}

/* Parts of a failed batch may have been answered. Drop them before asking again, but keep the answers of the first
 * question. */
static int parts_forget(struct server_reading *r)
{
	struct observed_server kept = {.version = r->o->version,
		.clock = r->o->clock,
		.missing_rights = r->o->missing_rights,
		.n_missing_rights = r->o->n_missing_rights,
		.unreadable = r->o->unreadable,
		.n_unreadable = r->o->n_unreadable};

	r->o->version = NULL;
	r->o->missing_rights = NULL;
	r->o->unreadable = NULL;
	r->o->n_missing_rights = r->o->n_unreadable = 0;
	reading_forget(r);
	*r->o = kept;
	return 0;
}

static int server_ask(struct server_reading *r, struct sql_error *error, struct sql_session *s)
{
	struct text batch;

	if (!text_begin(&batch))
		return -ENOMEM;
	for (const struct part *p = server_parts; p->name; p++)
		fputs(p->text, batch.to);
	int rc = question_ask(s, error, &batch, catalog_server_row, r);
	if (rc != SQL_SERVER_ERROR)
		return rc;
	rc = parts_forget(r);
	return rc ? rc : parts_ask(r, error, s);
}

/* ---- each question by itself ---- */

static int names_ask(struct server_reading *r, struct sql_error *error, struct sql_session *s)
{
	struct text batch;

	if (!r->n_names)
		return 0;
	if (!text_begin(&batch))
		return -ENOMEM;
	catalog_names_write(batch.to, r->names, r->n_names);
	int rc = question_ask(s, error, &batch, catalog_server_row, r);
	return rc < 0 ? rc : 0;
}

static int steps_ask(struct server_reading *r, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct claims *c)
{
	int rc = probe(r, error, s);

	if (!rc)
		rc = server_ask(r, error, s);
	/* The server changed between two of its views: read once more. */
	if (!rc && (rc = catalog_server_join(r->o, &r->raw)) == -ESTALE) {
		rc = parts_forget(r);
		if (!rc)
			rc = server_ask(r, error, s);
		if (!rc)
			rc = catalog_server_join(r->o, &r->raw);
	}
	if (!rc)
		rc = names_ask(r, error, s);
	return rc ? rc : catalog_managed_ask(r, error, s, w, c);
}

int sql_observe_server(struct observed_server *out, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct claims *c, const struct sql_former *formers,
	size_t n_formers, const struct sql_head *head)
{
	struct observed_server o = {0};
	struct server_reading r = {.o = &o};
	int rc = catalog_names_collect(&r, w, formers, n_formers);

	memset(r.rights, -1, sizeof(r.rights));
	if (!rc)
		rc = catalog_whole_read(&r, error, s, w, c, head);
	if (!rc)
		rc = rights_judge(&r);
	bool locked = head && head->hasty && rc == SQL_SERVER_ERROR &&
		      error->number == ERROR_LOCK_TIMEOUT;
	if (!locked && (rc == SQL_SERVER_ERROR || rc == -EBADMSG || rc == -ESTALE)) {
		reading_forget(&r);
		rc = steps_ask(&r, error, s, w, c);
	}
	if (!rc)
		rc = catalog_names_apply(&r);
	if (!rc)
		rc = catalog_unseen_settle(&r, error, s, w, c);
	if (!rc && sql_session_unsettled(s))
		rc = catalog_unreadable_add(
			&o, "the session's settings", NULL, sql_session_unsettled(s));
	if (!rc)
		rc = catalog_unknown_sessions_settle(&r, error, s, w, c);
	if (!rc)
		catalog_conditions_join(&o, r.conditions, r.n_conditions);
	raw_catalog_free(&r.raw);
	free(r.conditions);
	free(r.names);
	free(r.ids);
	if (rc) {
		if (!error->text[0])
			snprintf(error->text, sizeof(error->text), "%s",
				rc == -ESTALE ? "the server catalog changes while Curfew reads it"
					      : strerror(rc < 0 ? -rc : EIO));
		observed_free(&o);
		return rc;
	}
	for (size_t i = 0; i < o.n_databases; i++)
		o.databases[i].system = names_equal(o.databases[i].name, "tempdb");
	*out = o;
	return 0;
}
