/* Times at which access was reduced or ended. A changed date in a file is not enough to undo them. */
#include "journal/database.h"
#include "curfew/state_tables.h"

#include <errno.h>
#include <string.h>

/* In column `what`, with the server and the database behind it: staging-end:sql01:AcmeTest. A server's name has no colon. */
static char *what_text(const struct passed *p)
{
	char *text;
	int n = p->database ? asprintf(&text, "%s:%s:%s", passed_what_name(p->what), p->server,
				      p->database)
			    : asprintf(&text, "%s", passed_what_name(p->what));

	return n < 0 ? NULL : text;
}

int passed_put(struct journal *j, const struct passed *p)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	_cleanup_free_ char *what = what_text(p);
	int step,
		rc = database_prepare(&s, j,
			"INSERT INTO passed (client, what, instant, ticket, approved) VALUES (?, ?, ?, ?, ?)"
			" ON CONFLICT (client, what) DO UPDATE SET instant = excluded.instant,"
			" ticket = excluded.ticket, approved = excluded.approved");

	if (rc || !what)
		return rc ? rc : -ENOMEM;
	step = bind_texts(s, (const char *[]){p->client, what}, 2);
	if (!step)
		step = sqlite3_bind_int64(s, 3, p->instant);
	if (!step)
		step = bind_text(s, 4, p->ticket ? p->ticket : "");
	if (!step)
		step = sqlite3_bind_int64(s, 5, p->approved);
	if (step)
		return database_error(j->db, step);
	rc = state_begin(j);
	return rc ? rc : transaction_end(j, database_run(j, s));
}

static int place_parse(struct passed *out, const char *text)
{
	const char *database = strchr(text, ':');

	if (!database || database == text || !database[1])
		return -EBADMSG;
	out->server = strndup(text, (size_t)(database - text));
	out->database = strdup(database + 1);
	return out->server && out->database ? 0 : -ENOMEM;
}

static int what_parse(struct passed *out, const char *text)
{
	size_t n = text ? strcspn(text, ":") : 0;

	for (int w = 0; n && w < PASSED_WHATS; w++) {
		const char *name = passed_what_name((enum passed_what)w);

		if (strlen(name) != n || strncmp(name, text, n) != 0)
			continue;
		out->what = (enum passed_what)w;
		return text[n] ? place_parse(out, text + n + 1) : 0;
	}
	return -EBADMSG;
}

static int passed_take(void *list, sqlite3_stmt *s)
{
	struct overrides *l = list;
	struct passed *p = ARRAY_MORE(l->passed, l->n_passed);
	char *text[2];
	int rc = p ? what_parse(p, (const char *)sqlite3_column_text(s, 4)) : -ENOMEM;

	if (!rc)
		rc = column_texts(text, s, 2);
	if (rc)
		return rc;
	p->client = text[0];
	p->ticket = text[1];
	p->instant = sqlite3_column_int64(s, 2);
	p->approved = sqlite3_column_int64(s, 3);
	return 0;
}

int passed_read(struct overrides *out, struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int rc;

	if (j->version < 2)
		return 0;
	rc = database_prepare(&s, j,
		"SELECT client, ticket, instant, approved, what FROM passed ORDER BY client, what");
	if (!rc)
		rc = database_rows(j, s, passed_take, out);
	if (!rc)
		passed_sort(out);
	return rc;
}
