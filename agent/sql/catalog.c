/* Observes a server in three round trips, whatever the number of users and databases: what the server is and what we may
 * do there (nothing secret: this proves the encryption), its logins and sessions, then every database in one batch.
 *
 * A server that lacks a view answers the whole batch with an error. Then the parts are asked one by one, and what is
 * missing is named in `unreadable`: not an error by itself, but nothing is ever proved by it. */
#include <errno.h>
#include <string.h>

#include "sql/catalog.h"
#include "sql/rights.h"

static int run(struct sql_session *s, struct sql_error *error, struct observed_server *o,
	const char *batch)
{
	return sql_session_run(s, error, batch, catalog_row, o);
}

static int probe(struct observed_server *o, struct sql_error *error, struct sql_session *s)
{
	char *batch = NULL;
	size_t size;
	FILE *to = open_memstream(&batch, &size);

	if (!to)
		return -ENOMEM;
	/* The clock counts from a day that DATEDIFF in seconds reaches from for sixty years. */
	fputs("SELECT N'server' AS [part], CAST(SERVERPROPERTY(N'ProductVersion') AS nvarchar(128)),\n"
	      "  DATEDIFF(SECOND, '20200101', GETDATE());\n",
		to);
	for (size_t i = 0; i < ARRAY_SIZE(server_rights); i++)
		fprintf(to,
			"%s N'right' AS [part], N'%s', CASE WHEN IS_SRVROLEMEMBER(N'sysadmin') = 1 THEN 1\n"
			"  ELSE HAS_PERMS_BY_NAME(NULL, NULL, N'%s') END%s\n",
			i ? "UNION ALL SELECT" : "SELECT", server_rights[i].permission,
			server_rights[i].permission, i + 1 == ARRAY_SIZE(server_rights) ? ";" : "");
	if (fclose(to)) {
		free(batch);
		return -ENOMEM;
	}
	int rc = run(s, error, o, batch);
	free(batch);
	return rc;
}

static int unreadable_add(
	struct observed_server *o, const char *part, const char *database, const char *why)
{
	char **more = reallocarray(o->unreadable, o->n_unreadable + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	o->unreadable = more;
	if (asprintf(&more[o->n_unreadable], "%s%s%s: %s", part, database ? " of " : "",
		    database ? database : "", why) < 0)
		return -ENOMEM;
	o->n_unreadable++;
	return 0;
}

static void write_roles(FILE *to, const struct server *s)
{
	for (int level = LEVEL_READ_ONLY; level <= LEVEL_FULL; level++) {
		if (level > LEVEL_READ_ONLY)
			fputs(", ", to);
		/* No role of ours: a name that nothing has. */
		sql_write_string(to, s->terms[level].role ? s->terms[level].role : "");
	}
}

static int part_write(char **out, const struct part *p, const struct server *s,
	const char *database, size_t index)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return -ENOMEM;
	if (database) {
		fputs("USE ", to);
		sql_write_name(to, database);
		fputs(";\n", to);
	}
	for (const char *c = p->text; *c; c++)
		if (!strncmp(c, "%zu", 3)) {
			fprintf(to, "%zu", index);
			c += 2;
		} else if (!strncmp(c, "%s", 2)) {
			write_roles(to, s);
			c++;
		} else {
			putc(*c, to);
		}
	if (fclose(to)) {
		free(text);
		return -ENOMEM;
	}
	*out = text;
	return 0;
}

/* The parts of one database (or of the server: database NULL), each in its own round trip. */
static int parts_run_apart(struct observed_server *o, struct sql_error *error,
	struct sql_session *s, const struct part *parts, const struct server *server,
	const char *database, size_t index)
{
	for (const struct part *p = parts; p->name; p++) {
		_cleanup_free_ char *text = NULL;
		int rc = part_write(&text, p, server, database, index);
		if (!rc)
			rc = run(s, error, o, text);
		if (rc < 0)
			return rc;
		if (rc && unreadable_add(o, p->name, database, error->text))
			return -ENOMEM;
		/* What cannot be said of a database is left unread; of the server, ends the pass. */
		if (rc && p->needed && !database)
			return rc;
		if (rc && p->needed) {
			o->databases[index].read = false;
			return 0;
		}
	}
	return 0;
}

static bool database_is_wanted(const struct wanted_server *w, const char *name)
{
	for (size_t i = 0; i < w->n_grants; i++)
		if (names_equal(w->grants[i]->database->name, name))
			return true;
	return false;
}

/* What the first question told stands: also that a part of it could not be read. A server that answers beyond what it
 * was asked changes nothing of that. */
static int probed_keep(struct observed_server *fresh, struct observed_server *probed)
{
	size_t n = fresh->n_unreadable + probed->n_unreadable;
	char **unreadable = reallocarray(fresh->unreadable, n + 1, sizeof(*unreadable));
	struct observed_server unasked = *fresh;

	if (!unreadable)
		return -ENOMEM;
	fresh->unreadable = unreadable;
	for (size_t i = 0; i < probed->n_unreadable; i++)
		unreadable[fresh->n_unreadable++] = probed->unreadable[i];
	probed->n_unreadable = 0;
	fresh->version = probed->version;
	fresh->missing_rights = probed->missing_rights;
	fresh->n_missing_rights = probed->n_missing_rights;
	probed->version = unasked.version;
	probed->missing_rights = unasked.missing_rights;
	probed->n_missing_rights = unasked.n_missing_rights;
	observed_free(probed);
	return 0;
}

static int server_read(struct observed_server *o, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w)
{
	char *batch = NULL;
	size_t size;
	FILE *to = open_memstream(&batch, &size);

	if (!to)
		return -ENOMEM;
	for (const struct part *p = server_parts; p->name; p++)
		fputs(p->text, to);
	if (fclose(to)) {
		free(batch);
		return -ENOMEM;
	}
	/* A refused batch may have told some parts already: those are dropped before all are asked again. */
	struct observed_server fresh = {.clock = o->clock};
	int rc = run(s, error, &fresh, batch);
	free(batch);
	if (rc == SQL_SERVER_ERROR) {
		observed_free(&fresh);
		fresh = (struct observed_server){.clock = o->clock};
		rc = parts_run_apart(&fresh, error, s, server_parts, w->server, NULL, 0);
	}
	if (!rc)
		rc = probed_keep(&fresh, o);
	if (rc) {
		observed_free(&fresh);
		return rc;
	}
	*o = fresh;
	for (size_t i = 0; i < o->n_databases; i++) {
		struct observed_database *d = &o->databases[i];
		d->managed = database_is_wanted(w, d->name);
		d->system = names_equal(d->name, "tempdb") || names_equal(d->name, "model");
	}
	return 0;
}

static bool database_is_read(const struct observed_database *d)
{
	/* tempdb and model hold no user of anybody for long: not looked at. */
	return d->online && d->accessible && !d->system;
}

/* What was read of a database by a batch that then failed. */
static void database_forget(struct observed_database *d)
{
	struct observed_server shell = {.n_databases = 1};
	struct observed_database *kept = calloc(1, sizeof(*kept));

	if (!kept)
		return;
	*kept = *d;
	*d = (struct observed_database){.name = kept->name,
		.online = kept->online,
		.accessible = kept->accessible,
		.system = kept->system,
		.managed = kept->managed};
	kept->name = NULL;
	shell.databases = kept;
	observed_free(&shell);
}

static int databases_read(struct observed_server *o, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w)
{
	char *batch = NULL;
	size_t size;
	FILE *to = open_memstream(&batch, &size);
	int rc = to ? 0 : -ENOMEM;

	for (size_t i = 0; i < o->n_databases && !rc; i++)
		for (const struct part *p = database_parts;
			p->name && !rc && database_is_read(&o->databases[i]); p++) {
			_cleanup_free_ char *text = NULL;
			rc = part_write(&text, p, w->server,
				p == database_parts ? o->databases[i].name : NULL, i);
			if (!rc)
				fputs(text, to);
		}
	/* The session stays in no database: nobody has to wait for us to take one offline. */
	if (to)
		fputs("USE [master];\n", to);
	if (to && fclose(to))
		rc = -ENOMEM;
	if (!rc)
		rc = run(s, error, o, batch);
	free(batch);
	if (rc != SQL_SERVER_ERROR)
		return rc;
	for (size_t i = 0; i < o->n_databases; i++) {
		if (!database_is_read(&o->databases[i]))
			continue;
		database_forget(&o->databases[i]);
		rc = parts_run_apart(
			o, error, s, database_parts, w->server, o->databases[i].name, i);
		if (rc)
			return rc;
	}
	/* Without a master there is nothing to leave the database for. */
	rc = run(s, error, o, "USE [master];\n");
	return rc < 0 ? rc : 0;
}

/* Membership in the mark is no right: it is what tells our logins from others'. */
static void marks_take(struct observed_server *o)
{
	size_t kept = 0;

	for (size_t i = 0; i < o->n_members; i++) {
		struct observed_member m = o->members[i];
		if (!names_equal(m.role, MARK_ROLE)) {
			o->members[kept++] = m;
			continue;
		}
		struct observed_login *l = observed_find_login(o, m.member);
		if (l)
			l->marked = true;
		free(m.role);
		free(m.member);
	}
	o->n_members = kept;
}

int sql_observe(struct observed_server *out, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w)
{
	struct observed_server o = {0};
	int rc = probe(&o, error, s);

	/* A server that does not know how to say what we may do has said nothing against it. */
	if (rc == SQL_SERVER_ERROR) {
		observed_free(&o);
		o = (struct observed_server){0};
		rc = run(s, error, &o,
			"SELECT N'server' AS [part], CAST(@@VERSION AS nvarchar(128)),\n"
			"  DATEDIFF(SECOND, '20200101', GETDATE());\n");
		if (!rc && unreadable_add(
				   &o, "the agent's own rights", NULL, "the server does not tell"))
			rc = -ENOMEM;
	}
	if (!rc)
		rc = server_read(&o, error, s, w);
	if (!rc)
		rc = databases_read(&o, error, s, w);
	if (rc) {
		observed_free(&o);
		return rc;
	}
	marks_take(&o);
	*out = o;
	return 0;
}
