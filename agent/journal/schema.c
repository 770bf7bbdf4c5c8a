/* Tables, views and triggers of the journal: what an auditor finds who opens the file with sqlite3. */
#include "journal/database.h"

#include <errno.h>
#include <string.h>

/* "CRFW": tells file(1) and us whose file this is. */
#define APPLICATION_ID 0x43524657
#define SCHEMA_VERSION 1

/* Instants are seconds since 1970 in UTC; the views spell them out. */
#define UTC(column) "strftime('%Y-%m-%dT%H:%M:%SZ', " column ", 'unixepoch')"

#define VIEW_ACCESS(end)                                                                           \
	"CREATE VIEW v_access AS SELECT id, " UTC(                                                 \
		"at") " AS at, client, login, server, database, level,\n"                          \
		      "  sources, " end " AS until, phase, reason, actor, configuration\n"         \
		      "  FROM record WHERE kind = 'access'"

/* As it was in journals made before: none had until 1970. They keep it, and are whole with it. */
static const char former_access[] = VIEW_ACCESS(UTC("until"));

const char *const schema_sql =
	/* The chain. `previous` is the hash of the record before, `hash` covers every other column. */
	"CREATE TABLE record (\n"
	"  id INTEGER PRIMARY KEY CHECK (id > 0),\n"
	"  kind TEXT NOT NULL CHECK (kind IN ('intent', 'outcome', 'access', 'proof', 'event')),\n"
	"  at INTEGER NOT NULL,\n"
	"  intent INTEGER,\n"
	"  actor TEXT, reason TEXT, phase TEXT,\n"
	"  client TEXT, login TEXT, server TEXT, database TEXT,\n"
	"  action TEXT, statement TEXT, before TEXT, after TEXT, outcome TEXT, detail TEXT,\n"
	"  level TEXT, sources TEXT, until INTEGER,\n"
	"  configuration TEXT,\n"
	"  previous BLOB NOT NULL CHECK (length(previous) = 32),\n"
	"  hash BLOB NOT NULL CHECK (length(hash) = 32),\n"
	"  CHECK ((kind = 'outcome') = (intent IS NOT NULL)),\n"
	"  CHECK (kind <> 'access' OR (level IN ('none', 'read-only', 'full') AND until IS NOT NULL))\n"
	") STRICT;\n"
	"CREATE INDEX record_at ON record (at);\n"
	"CREATE INDEX record_client ON record (client, id);\n"
	"CREATE INDEX record_intent ON record (id) WHERE kind = 'intent';\n"
	"CREATE INDEX record_outcome ON record (intent) WHERE kind = 'outcome';\n"
	"CREATE INDEX record_access ON record (client, login, server, database, at, id)\n"
	"  WHERE kind = 'access';\n"

	/* Two links that no record carries: the anchor is what the first record follows (the last one
	 * archived, or where the journal began), the head is the last record. */
	"CREATE TABLE chain (\n"
	"  link TEXT PRIMARY KEY CHECK (link IN ('anchor', 'head')),\n"
	"  id INTEGER NOT NULL, hash BLOB NOT NULL, at INTEGER NOT NULL, seal BLOB NOT NULL\n"
	") STRICT, WITHOUT ROWID;\n"
	/* `closed`: an archive, to which nothing is added. */
	"CREATE TABLE chain_key (\n"
	"  one INTEGER PRIMARY KEY CHECK (one = 1),\n"
	"  keyed INTEGER NOT NULL CHECK (keyed IN (0, 1)),\n"
	"  closed INTEGER NOT NULL CHECK (closed IN (0, 1)), proof BLOB NOT NULL\n"
	") STRICT;\n"

	/* Against slips, not against an enemy: who can write the file can drop a trigger, and verify
	 * tells. What the archive took lies at or before the anchor. */
	"CREATE TRIGGER record_no_update BEFORE UPDATE ON record BEGIN\n"
	"  SELECT RAISE(ABORT, 'the journal is append-only');\n"
	"END;\n"
	"CREATE TRIGGER record_no_delete BEFORE DELETE ON record\n"
	"  WHEN old.id > (SELECT id FROM chain WHERE link = 'anchor') BEGIN\n"
	"  SELECT RAISE(ABORT, 'the journal is append-only');\n"
	"END;\n"
	"CREATE TRIGGER record_no_insert BEFORE INSERT ON record\n"
	"  WHEN new.id <> (SELECT id FROM chain WHERE link = 'head') + 1 BEGIN\n"
	"  SELECT RAISE(ABORT, 'the journal is append-only');\n"
	"END;\n"
	"CREATE TRIGGER chain_no_delete BEFORE DELETE ON chain BEGIN\n"
	"  SELECT RAISE(ABORT, 'the journal is append-only');\n"
	"END;\n"

	/* State, not history. */
	"CREATE TABLE ledger (\n"
	"  server TEXT NOT NULL, login TEXT NOT NULL, sid BLOB,\n"
	"  intended INTEGER NOT NULL, created INTEGER NOT NULL, removed INTEGER NOT NULL\n"
	") STRICT;\n"
	"CREATE UNIQUE INDEX ledger_living ON ledger (server, login) WHERE removed = 0;\n"
	"CREATE UNIQUE INDEX ledger_tombstone ON ledger (server, login, sid) WHERE removed <> 0;\n"
	"CREATE TABLE proved (\n"
	"  server TEXT NOT NULL, login TEXT NOT NULL, database TEXT NOT NULL,\n"
	"  level TEXT NOT NULL CHECK (level IN ('none', 'read-only', 'full')), at INTEGER NOT NULL,\n"
	"  PRIMARY KEY (server, login, database)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE baseline (\n"
	"  server TEXT NOT NULL, database TEXT NOT NULL, at INTEGER NOT NULL,\n"
	"  PRIMARY KEY (server, database)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE baseline_item (\n"
	"  server TEXT NOT NULL, database TEXT NOT NULL,\n"
	"  kind TEXT NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL,\n"
	"  PRIMARY KEY (server, database, kind, name)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE override (\n"
	"  client TEXT NOT NULL, login TEXT, at INTEGER NOT NULL, actor TEXT, reason TEXT\n"
	") STRICT;\n"
	"CREATE UNIQUE INDEX override_one ON override (client, ifnull(login, ''));\n"

	"-- Each change: what was meant, and what came of it. 'unfinished': we died in between.\n"
	"CREATE VIEW v_changes AS SELECT i.id, " UTC("i.at") " AS at, " UTC(
		"o.at") " AS finished,\n"
			"  i.client, i.login, i.server, i.database, i.action, i.statement, i.actor, i.reason, i.phase,\n"
			"  i.before, o.after, ifnull(o.outcome, 'unfinished') AS outcome, o.detail, i.configuration\n"
			"  FROM record i LEFT JOIN record o ON o.kind = 'outcome' AND o.intent = i.id\n"
			"  WHERE i.kind = 'intent';\n"
			"-- Each time that somebody's access became something else; it holds to the next one or `until`.\n" VIEW_ACCESS(
				"CASE level WHEN 'none' THEN NULL ELSE " UTC(
					"until") " END") ";\n"
							 "-- Who has which access now.\n"
							 "CREATE VIEW v_access_now AS SELECT client, login, server, database, level, sources,\n"
							 "  " UTC("at") " AS since, " UTC(
								 "until") " AS until FROM (\n"
									  "    SELECT *, row_number() OVER (PARTITION BY client, login, server, database\n"
									  "      ORDER BY at DESC, id DESC) AS nth FROM record\n"
									  "    WHERE kind = 'access' AND at <= CAST(strftime('%s', 'now') AS INTEGER))\n"
									  "  WHERE nth = 1 AND level <> 'none' AND until > CAST(strftime('%s', 'now') AS INTEGER);\n"
									  "-- What the servers themselves said of effective permissions.\n"
									  "CREATE VIEW v_proofs AS SELECT id, " UTC(
										  "at") " AS at, client, login, server, database, action,\n"
											"  level, outcome, detail FROM record WHERE kind = 'proof';\n"
											"-- Hand-overs, revocations, reloads, drift, clock, start and stop, archives.\n"
											"CREATE VIEW v_events AS SELECT id, " UTC(
												"at") " AS at, action, actor, reason, client, login,\n"
												      "  server, database, before, after, outcome, detail FROM record WHERE kind = 'event';\n";

static int schema_create(struct journal *j)
{
	char pragmas[96];
	int r;

	snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id = %d; PRAGMA user_version = %d;",
		APPLICATION_ID, SCHEMA_VERSION);
	r = database_execute(j, schema_sql);
	if (!r)
		r = database_execute(j, pragmas);
	return r ? r : chain_create(j);
}

int schema_prepare(struct journal *j)
{
	int64_t application = 0, version = 0, objects = 0;
	int r = 0;

	/* Under the write lock, so that of two processes that find an empty file one makes the tables. */
	if (!j->read_only && (r = transaction_begin(j)) != 0)
		return r;
	r = database_number(&application, j, "PRAGMA application_id", 0);
	if (!r)
		r = database_number(&version, j, "PRAGMA user_version", 0);
	if (!r)
		r = database_number(&objects, j, "SELECT count(*) FROM sqlite_schema", 0);
	if (!r && application == 0 && version == 0 && objects == 0)
		r = j->read_only ? -ENOENT : schema_create(j);
	else if (!r && application != APPLICATION_ID)
		r = -EBADMSG;
	else if (!r && version != SCHEMA_VERSION)
		r = -EPROTONOSUPPORT;
	return j->read_only ? r : transaction_end(j, r);
}

#define SCHEMA_LIST                                                                                \
	"SELECT type, name, ifnull(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' "    \
	"ORDER BY type, name"

enum { SCHEMA_END = 2 };

/* The next definition of each side. SCHEMA_END: both came to their end alike. */
static int definition_compare(char why[256], sqlite3_stmt *ours, sqlite3_stmt *theirs)
{
	int a = sqlite3_step(ours), b = sqlite3_step(theirs), order = 0;
	const char *what = "changed";
	sqlite3_stmt *shown = theirs;

	if (a == SQLITE_DONE && b == SQLITE_DONE)
		return SCHEMA_END;
	if ((a != SQLITE_ROW && a != SQLITE_DONE) || (b != SQLITE_ROW && b != SQLITE_DONE))
		return database_error(sqlite3_db_handle(b == SQLITE_ROW ? ours : theirs),
			b == SQLITE_ROW ? a : b);
	/* Type and name order both sides; then the definition itself. */
	for (int i = 0; i < 3 && !order && a == b; i++) {
		const char *x = (const char *)sqlite3_column_text(ours, i);
		const char *y = (const char *)sqlite3_column_text(theirs, i);

		if (!x || !y)
			return -ENOMEM;
		order = i == 2 && !strcmp(y, former_access) ? 0 : strcmp(x, y);
		if (!order && i == 2)
			return 0;
		if (order && i < 2)
			what = order < 0 ? "removed" : "added";
		if (order < 0 && i < 2)
			shown = ours;
	}
	if (a != b) {
		shown = a == SQLITE_ROW ? ours : theirs;
		what = a == SQLITE_ROW ? "removed" : "added";
	}
	snprintf(why, 256, "the file's own definitions were tampered with: %s \"%.100s\" was %s",
		sqlite3_column_text(shown, 0), sqlite3_column_text(shown, 1), what);
	return JOURNAL_BROKEN;
}

int schema_verify(char why[256], struct journal *j)
{
	_cleanup_statement_ sqlite3_stmt *ours = NULL, *theirs = NULL;
	sqlite3 *model = NULL;
	int r = sqlite3_open_v2(
		":memory:", &model, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, NULL);

	if (!r)
		r = sqlite3_exec(model, schema_sql, NULL, NULL, NULL);
	if (!r)
		r = sqlite3_prepare_v2(model, SCHEMA_LIST, -1, &ours, NULL);
	r = r ? database_error(model, r) : database_prepare(&theirs, j, SCHEMA_LIST);
	while (!r)
		r = definition_compare(why, ours, theirs);
	if (r == SCHEMA_END)
		r = 0;
	statement_finalize(&ours);
	ours = NULL;
	sqlite3_close(model);
	return r;
}
