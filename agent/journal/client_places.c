/* Where a client's logins had access, found by its name as the journal writes it: in any letter case the search would read
 * the whole journal, and closings wait for it. A client may be gone from the configuration, or have another name there. */
#include "journal/database.h"

#include <errno.h>

struct client_place {
	char *server, *login, *database;
};
struct client_places {
	struct client_place *items;
	size_t n;
};

static void places_free(struct client_places *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->items[i].server);
		free(p->items[i].login);
		free(p->items[i].database);
	}
	free(p->items);
}

static int place_take(void *places, sqlite3_stmt *s)
{
	struct client_places *p = places;
	struct client_place *more = ARRAY_MORE(p->items, p->n);
	char *text[3];
	int rc = more ? column_texts(text, s, 3) : -ENOMEM;

	if (!rc)
		*more = (struct client_place){text[0], text[1], text[2]};
	return rc;
}

static int places_read(struct client_places *out, struct journal *j, const char *client)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int rc = database_prepare(&s, j,
		"SELECT DISTINCT server, login, database FROM record WHERE kind = 'access' AND client = ?"
		" AND server IS NOT NULL AND login IS NOT NULL AND database IS NOT NULL");

	if (rc)
		return rc;
	int step = bind_text(s, 1, client);
	return step ? database_error(j->db, step) : database_rows(j, s, place_take, out);
}

int journal_client_places(struct journal *j, const char *client,
	int (*each)(void *context, const char *server, const char *login, const char *database),
	void *context)
{
	_cleanup_(places_free) struct client_places places = {0};
	int rc = places_read(&places, j, client);

	for (size_t i = 0; i < places.n && !rc; i++) {
		const struct client_place *p = &places.items[i];
		_cleanup_free_ char *last = NULL;

		rc = journal_client_of(&last, j, p->server, p->login, p->database);
		if (!rc && names_equal(last, client))
			rc = each(context, p->server, p->login, p->database);
	}
	return rc;
}

int journal_client_had_place(bool *out, struct journal *j, const char *client, const char *server,
	const char *login, const char *database)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	const char *const texts[] = {client, server, login, database};
	int rc = database_prepare(&s, j,
		"SELECT 1 FROM record WHERE kind = 'access' AND client = ?1 AND server = ?2"
		" AND login = ?3 COLLATE NOCASE AND database = ?4 COLLATE NOCASE LIMIT 1");

	if (rc)
		return rc;
	int step = bind_texts(s, texts, ARRAY_SIZE(texts));
	if (!step)
		step = sqlite3_step(s);
	rc = step == SQLITE_ROW ? 0 : database_error(j->db, step);
	if (!rc)
		*out = step == SQLITE_ROW;
	return rc;
}
