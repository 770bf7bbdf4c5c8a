/* The last access on record, of each login in each database. */
#include "journal/refuted.h"

/* By time first and then by id, because an archive carries records over under new ids. `own`, `since`: conditions for the
 * records that count. */
#define ACCESS_LAST(own, since)                                                                    \
	"SELECT " RECORD_COLUMNS " FROM ("                                                         \
	"SELECT *, row_number() OVER (PARTITION BY client, login, server, database"                \
	" ORDER BY at DESC, id DESC) AS nth FROM record"                                           \
	" WHERE kind = 'access' AND at <= ?1" own ") AS l"                                         \
	" WHERE nth = 1 AND (level <> 'none' OR outcome IN ('excess', 'refuted'))"                 \
	" AND NOT " RECORDED_SINCE("?1", since) " ORDER BY client, login, server, database"

static int access_last(struct journal *j, bool resets, instant_t at, journal_fn each, void *context)
{
	_cleanup_statement_ sqlite3_stmt *s = NULL;
	int64_t last;
	size_t n;
	int step, rc = database_prepare(&s, j,
			  resets ? ACCESS_LAST(" AND NOT refuted(id, at)",
					   " AND NOT refuted(r.id, r.at)")
				 : ACCESS_LAST("", ""));

	if (rc)
		return rc;
	step = sqlite3_bind_int64(s, 1, at);
	return step ? database_error(j->db, step) : record_deliver(&last, &n, j, s, each, context);
}

/* What a clock recorded that was ahead is no fact when that time has come. */
int journal_access_last(struct journal *j, instant_t at, journal_fn each, void *context)
{
	bool resets;
	int rc = refuted_begin(&resets, j);

	if (!rc)
		rc = access_last(j, resets, at, each, context);
	refuted_end(j);
	return rc;
}
