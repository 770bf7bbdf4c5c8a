/* Whose a login is, by the records of access. One login may be of several clients, each in its own databases, and the end
 * of one client's access there says nothing about the others': asked about a database, its own records decide.
 *
 * The last record decides by its time, because an archive carries records over under new numbers. A record of a clock that
 * was ahead counts as of the time to which the clock was set back: it was made before what came behind the correction. */
#include "journal/refuted.h"

#define LAST(column, order)                                                                        \
	"SELECT " column                                                                           \
	" FROM record WHERE kind = 'access' AND server = ?1 AND login = ?2 COLLATE NOCASE"         \
	" AND (?3 IS NULL OR database = ?3 COLLATE NOCASE) AND " column                            \
	" IS NOT NULL ORDER BY " order " DESC, id DESC LIMIT 1"
#define ANOTHER(column)                                                                            \
	"SELECT " column                                                                           \
	" FROM record WHERE kind = 'access' AND server = ?1 AND login = ?2 COLLATE NOCASE"         \
	" AND (?3 IS NULL OR database = ?3 COLLATE NOCASE) AND " column " <> ?4 LIMIT 1"

struct question {
	const char *last, *another, *corrected;
};
static const struct question client_asked = {
	LAST("client", "at"), ANOTHER("client"), LAST("client", "latest(id, at)")};
static const struct question person_asked = {
	LAST("before", "at"), ANOTHER("before"), LAST("before", "latest(id, at)")};

/* An index covers each question but that by corrected times, and the corrections themselves stand in none: they are looked
 * for only where the records do not all say the same. *out NULL: there are no records. */
static int last_of(char **out, struct journal *j, const struct question *q, const char *server,
	const char *login, const char *database)
{
	_cleanup_free_ char *last = NULL, *another = NULL, *corrected = NULL;
	const char *texts[] = {server, login, database, NULL};
	bool resets;
	int rc = database_text(&last, j, q->last, texts, 3);

	texts[3] = last;
	if (!rc && last)
		rc = database_text(&another, j, q->another, texts, 4);
	if (!rc && another) {
		rc = refuted_begin(&resets, j);
		if (!rc)
			rc = database_text(&corrected, j, q->corrected, texts, 3);
		refuted_end(j);
	}
	char **said = another ? &corrected : &last;
	if (rc)
		return rc;
	*out = *said;
	*said = NULL;
	return 0;
}

int journal_client_of(
	char **out, struct journal *j, const char *server, const char *login, const char *database)
{
	char *client = NULL;
	int rc = 0;

	/* There are few records of access: they are asked first. */
	for (int whole = !database; whole < 2 && !rc && !client; whole++)
		rc = last_of(&client, j, &client_asked, server, login, whole ? NULL : database);
	if (!rc && !client)
		rc = database_text(&client, j,
			"SELECT client FROM record WHERE server = ? AND login = ? COLLATE NOCASE"
			" AND client IS NOT NULL ORDER BY id DESC LIMIT 1",
			(const char *[]){server, login}, 2);
	if (!rc)
		*out = client;
	return rc;
}

int journal_person_of(char **out, struct journal *j, const char *server, const char *login)
{
	return last_of(out, j, &person_asked, server, login, NULL);
}
