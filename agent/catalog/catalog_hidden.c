/* Databases that no row shows, asked for by the ids that they had. sys.databases hides an offline database from the agent
 * login, so a database that was renamed and then taken offline would look dropped. sys.master_files shows its files with
 * VIEW ANY DEFINITION, whether or not the server tells its name. */
#include <errno.h>
#include <string.h>

#include "catalog/catalog.h"
#include "sql/name.h"
#include "sql/question.h"
#include "sql/rows.h"

void catalog_hidden_write(FILE *to, int id)
{
	fprintf(to,
		"SELECT N'hidden' AS [part], %d, " NAME_BYTES(
			"DB_NAME(%d)") ",\n"
				       "  (SELECT COUNT(*) FROM sys.master_files AS f WHERE f.database_id = %d);\n",
		id, id, id);
}

static bool is_shown(const struct observed_server *o, int id)
{
	for (size_t i = 0; i < o->n_databases; i++)
		if (o->databases[i].id == id)
			return true;
	return false;
}

static bool is_among(const int *ids, size_t n, int id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* A row with a name: entering the database with USE shows its state later. Without a name it is unread now. */
static int hidden_row(void *server, const struct sql_value *v, int n)
{
	struct observed_server *o = server;
	char name[sizeof("database_id -2147483648")];

	if (n != 4 || !row_is(&v[0], "hidden"))
		return -EBADMSG;
	if (!v[2].data && !row_number(&v[3]))
		return 0; /* dropped */
	struct observed_database *d = ARRAY_MORE(o->databases, o->n_databases);
	if (!d)
		return -ENOMEM;
	d->id = (int)row_number(&v[1]);
	if (v[2].data)
		return row_name(&d->name, &v[2]) ? 0 : -ENOMEM;
	snprintf(name, sizeof(name), "database_id %d", d->id);
	d->name = strdup(name);
	return d->name ? database_unread_set(d, "the server tells neither its name nor its state")
		       : -ENOMEM;
}

int sql_observe_hidden(struct observed_server *o, struct sql_error *error, struct sql_session *s,
	const int *ids, size_t n)
{
	struct text batch;
	bool any = false;

	if (!text_begin(&batch))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (!is_shown(o, ids[i]) && !is_among(ids, i, ids[i])) {
			catalog_hidden_write(batch.to, ids[i]);
			any = true;
		}
	if (!any) {
		free(text_end(&batch));
		return 0;
	}
	int rc = question_ask(s, error, &batch, hidden_row, o);
	return rc == SQL_SERVER_ERROR
		       ? catalog_unreadable_add(o, "databases by their ids", NULL, error->text)
		       : rc;
}
