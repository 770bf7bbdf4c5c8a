/* The last verification of each login on each database: its result, and the SID, fingerprint, and database that it was of. */
#include "journal/database.h"
#include "curfew/state_tables.h"

#include <errno.h>
#include <string.h>

int verified_save(struct journal *j, const struct verified *v)
{
	_cleanup_kept_ sqlite3_stmt *s = NULL;
	int step,
		rc = database_keep(&s, j, KEPT_VERIFICATION_SET,
			"INSERT INTO verification (server, login, database, sid, level, result, fingerprint, at,"
			" database_id, made) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (server, login, database) DO UPDATE"
			" SET sid = excluded.sid, level = excluded.level, result = excluded.result,"
			" fingerprint = excluded.fingerprint, at = excluded.at,"
			" database_id = excluded.database_id, made = excluded.made");

	if (rc)
		return rc;
	step = bind_texts(s, (const char *[]){v->server, v->login, v->database}, 3);
	if (!step)
		step = sqlite3_bind_blob(s, 4, v->sid.bytes, v->sid.size, SQLITE_TRANSIENT);
	if (!step)
		step = bind_text(s, 5, level_name(v->level));
	if (!step)
		step = bind_text(s, 6, verification_name(v->result));
	if (!step)
		step = bind_text(s, 7, v->fingerprint);
	if (!step)
		step = sqlite3_bind_int64(s, 8, v->at);
	if (!step)
		step = sqlite3_bind_int(s, 9, v->database_id);
	if (!step)
		step = bind_text(s, 10, v->made);
	if (step)
		return database_error(j->db, step);
	rc = state_begin(j);
	return rc ? rc : transaction_end(j, database_run(j, s));
}

static int verified_take(void *list, sqlite3_stmt *s)
{
	struct verified_list *l = list;
	struct verified v = {
		.at = sqlite3_column_int64(s, 7), .database_id = sqlite3_column_int(s, 8)};
	int size = sqlite3_column_bytes(s, 3), rc;

	const struct verified *last = l->n ? &l->items[l->n - 1] : NULL;
	rc = column_level(&v.level, s, 4);
	if (rc)
		return rc;
	if (!verification_parse(&v.result, (const char *)sqlite3_column_text(s, 5)) ||
		size > SID_MAX)
		return -EBADMSG;
	if (size)
		memcpy(v.sid.bytes, sqlite3_column_blob(s, 3), (size_t)size);
	v.sid.size = (uint8_t)size;
	snprintf(v.fingerprint, sizeof(v.fingerprint), "%s",
		(const char *)sqlite3_column_text(s, 6));
	snprintf(v.made, sizeof(v.made), "%s", (const char *)sqlite3_column_text(s, 9));
	rc = column_login((const char **[]){&v.server, &v.login, &v.database}, &l->texts, s,
		last ? last->server : NULL, last ? last->login : NULL);
	return rc ? rc : ARRAY_ADD(l->items, l->n, v);
}

int verified_load(struct verified_list *out, struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	struct verified_list list = {0};
	int rc;

	*out = list;
	if (j->version < 2)
		return 0;
	rc = database_prepare(&s, j,
		j->version < DATABASE_IDS_VERSION
			? "SELECT server, login, database, sid, level, result, fingerprint, at, 0, '' FROM verification"
			  " ORDER BY server, login, database"
			: "SELECT server, login, database, sid, level, result, fingerprint, at, database_id, made"
			  " FROM verification ORDER BY server, login, database");
	if (!rc)
		rc = database_rows(j, s, verified_take, &list);
	if (rc)
		verified_list_free(&list);
	else
		*out = list;
	return rc;
}
