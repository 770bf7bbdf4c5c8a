/* The journal's tables, views and triggers, version by version: what an auditor finds who opens the file with sqlite3. A
 * new file is made by all steps in turn, an older one by those that it lacks, so that both come to the same. */
#include "journal/schema.h"

/* Times are seconds since 1970 in UTC. The views print them as text. */
#define UTC(column) "strftime('%Y-%m-%dT%H:%M:%SZ', " column ", 'unixepoch')"

#define VIEW_ACCESS(end)                                                                           \
	"CREATE VIEW v_access AS SELECT id, " UTC(                                                 \
		"at") " AS at, client, login, server, database, level,\n"                          \
		      "  sources, " end " AS until, phase, reason, actor, configuration\n"         \
		      "  FROM record WHERE kind = 'access'"

const char schema_former_access[] = VIEW_ACCESS(UTC("until"));

/* `previous` is the hash of the previous record. `hash` covers every other column. */
#define RECORD_TABLE(name, kinds, levels)                                                          \
	"CREATE TABLE " name " (\n"                                                                \
	"  id INTEGER PRIMARY KEY CHECK (id > 0),\n"                                               \
	"  kind TEXT NOT NULL CHECK (kind IN (" kinds ")),\n"                                      \
	"  at INTEGER NOT NULL,\n"                                                                 \
	"  intent INTEGER,\n"                                                                      \
	"  actor TEXT, reason TEXT, phase TEXT,\n"                                                 \
	"  client TEXT, login TEXT, server TEXT, database TEXT,\n"                                 \
	"  action TEXT, statement TEXT, before TEXT, after TEXT, outcome TEXT, detail TEXT,\n"     \
	"  level TEXT, sources TEXT, until INTEGER,\n"                                             \
	"  configuration TEXT,\n"                                                                  \
	"  previous BLOB NOT NULL CHECK (length(previous) = 32),\n"                                \
	"  hash BLOB NOT NULL CHECK (length(hash) = 32),\n"                                        \
	"  CHECK ((kind = 'outcome') = (intent IS NOT NULL)),\n"                                   \
	"  CHECK (kind <> 'access' OR (level IN (" levels ") AND until IS NOT NULL))\n"            \
	") STRICT;\n"

#define RECORD_INDEXES                                                                             \
	"CREATE INDEX record_at ON record (at);\n"                                                 \
	"CREATE INDEX record_client ON record (client, id);\n"                                     \
	"CREATE INDEX record_intent ON record (id) WHERE kind = 'intent';\n"                       \
	"CREATE INDEX record_outcome ON record (intent) WHERE kind = 'outcome';\n"                 \
	"CREATE INDEX record_access ON record (client, login, server, database, at, id)\n"         \
	"  WHERE kind = 'access';\n"

/* The triggers prevent mistakes, not attacks: a writer can drop them, and verify reports that. Archived records are at
 * or before the anchor. */
#define RECORD_TRIGGERS                                                                            \
	"CREATE TRIGGER record_no_update BEFORE UPDATE ON record BEGIN\n"                          \
	"  SELECT RAISE(ABORT, 'the journal is append-only');\n"                                   \
	"END;\n"                                                                                   \
	"CREATE TRIGGER record_no_delete BEFORE DELETE ON record\n"                                \
	"  WHEN old.id > (SELECT id FROM chain WHERE link = 'anchor') BEGIN\n"                     \
	"  SELECT RAISE(ABORT, 'the journal is append-only');\n"                                   \
	"END;\n"                                                                                   \
	"CREATE TRIGGER record_no_insert BEFORE INSERT ON record\n"                                \
	"  WHEN new.id <> (SELECT id FROM chain WHERE link = 'head') + 1 BEGIN\n"                  \
	"  SELECT RAISE(ABORT, 'the journal is append-only');\n"                                   \
	"END;\n"

#define PROVED_TABLE(name, levels)                                                                 \
	"CREATE TABLE " name " (\n"                                                                \
	"  server TEXT NOT NULL, login TEXT NOT NULL, database TEXT NOT NULL,\n"                   \
	"  level TEXT NOT NULL CHECK (level IN (" levels ")), at INTEGER NOT NULL,\n"              \
	"  PRIMARY KEY (server, login, database)\n"                                                \
	") STRICT, WITHOUT ROWID;\n"

#define VIEWS                                                                                                                                                            \
	"-- Each change: what was meant, and what came of it. 'unfinished': we died in between.\n"                                                                       \
	"CREATE VIEW v_changes AS SELECT i.id, " UTC("i.at") " AS at, " UTC(                                                                                             \
		"o.at") " AS finished,\n"                                                                                                                                \
			"  i.client, i.login, i.server, i.database, i.action, i.statement, i.actor, i.reason, i.phase,\n"                                                \
			"  i.before, o.after, ifnull(o.outcome, 'unfinished') AS outcome, o.detail, i.configuration\n"                                                   \
			"  FROM record i LEFT JOIN record o ON o.kind = 'outcome' AND o.intent = i.id\n"                                                                 \
			"  WHERE i.kind = 'intent';\n"                                                                                                                   \
			"-- Each time that somebody's access became something else; it holds to the next one or `until`.\n" VIEW_ACCESS(                                 \
				"CASE level WHEN 'none' THEN NULL ELSE " UTC(                                                                                            \
					"until") " END") ";\n"                                                                                                           \
							 "-- Who has which access now.\n"                                                                                \
							 "CREATE VIEW v_access_now AS SELECT client, login, server, database, level, sources,\n"                         \
							 "  " UTC("at") " AS since, " UTC(                                                                               \
								 "until") " AS until FROM (\n"                                                                           \
									  "    SELECT *, row_number() OVER (PARTITION BY client, login, server, database\n"              \
									  "      ORDER BY at DESC, id DESC) AS nth FROM record\n"                                        \
									  "    WHERE kind = 'access' AND at <= CAST(strftime('%s', 'now') AS INTEGER))\n"                \
									  "  WHERE nth = 1 AND level <> 'none' AND until > CAST(strftime('%s', 'now') AS INTEGER);\n"    \
									  "-- What the servers themselves said of effective permissions.\n"                              \
									  "CREATE VIEW v_proofs AS SELECT id, " UTC(                                                     \
										  "at") " AS at, client, login, server, database, action,\n"                             \
											"  level, outcome, detail FROM record WHERE kind = 'proof';\n"                   \
											"-- Hand-overs, revocations, reloads, drift, clock, start and stop, archives.\n" \
											"CREATE VIEW v_events AS SELECT id, " UTC(                                       \
												"at") " AS at, action, actor, reason, client, login,\n"                  \
												      "  server, database, before, after, outcome, detail FROM record WHERE kind = 'event';\n"

static const char first[] = RECORD_TABLE(
	"record", "'intent', 'outcome', 'access', 'proof', 'event'", "'none', 'read-only', 'full'")
	RECORD_INDEXES
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

	RECORD_TRIGGERS "CREATE TRIGGER chain_no_delete BEFORE DELETE ON chain BEGIN\n"
	"  SELECT RAISE(ABORT, 'the journal is append-only');\n"
	"END;\n"

	/* State, not history. */
	"CREATE TABLE ledger (\n"
	"  server TEXT NOT NULL, login TEXT NOT NULL, sid BLOB,\n"
	"  intended INTEGER NOT NULL, created INTEGER NOT NULL, removed INTEGER NOT NULL\n"
	") STRICT;\n"
	"CREATE UNIQUE INDEX ledger_living ON ledger (server, login) WHERE removed = 0;\n"
	"CREATE UNIQUE INDEX ledger_tombstone ON ledger (server, login, sid) WHERE removed <> 0;\n" PROVED_TABLE(
		"proved",
		"'none', 'read-only', 'full'") "CREATE TABLE baseline (\n"
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

	VIEWS;

/* Memory of what decides admission: verifications, passed instants, guards, a loss of the records; and a record kind of
 * its own for the digest of all that is kept beside the chain. The record table is made anew because SQLite alters no
 * CHECK; the rows, hashes included, stay as they are. */
static const char second[] = "DROP VIEW v_changes; DROP VIEW v_access; DROP VIEW v_access_now; DROP VIEW v_proofs; DROP VIEW v_events;\n" RECORD_TABLE(
	"record_2", "'intent', 'outcome', 'access', 'proof', 'event', 'state'",
	"'none', 'read-only', 'write', 'full'") "INSERT INTO record_2 SELECT * FROM record;\n"
						"DROP TABLE record;\n"
						"ALTER TABLE record_2 RENAME TO record;\n" RECORD_INDEXES
						"CREATE INDEX record_state ON record (id) WHERE kind = 'state';\n" RECORD_TRIGGERS PROVED_TABLE(
							"proved_2",
							"'none', 'read-only', 'write', 'full'") "INSERT INTO proved_2 SELECT * FROM proved;\n"
												"DROP TABLE proved;\n"
												"ALTER TABLE proved_2 RENAME TO proved;\n"
												"ALTER TABLE baseline ADD COLUMN digest BLOB;\n"
												/* The last verification of a login on a database; `fingerprint` is the catalogue's picture that it held for. */
												"CREATE TABLE verification (\n"
												"  server TEXT NOT NULL, login TEXT NOT NULL, database TEXT NOT NULL,\n"
												"  sid BLOB NOT NULL, level TEXT NOT NULL CHECK (level IN ('none', 'read-only', 'write', 'full')),\n"
												"  result TEXT NOT NULL CHECK (result IN ('verified', 'excess', 'unverified')),\n"
												"  fingerprint TEXT NOT NULL, at INTEGER NOT NULL,\n"
												"  PRIMARY KEY (server, login, database)\n"
												") STRICT, WITHOUT ROWID;\n"
												/* What was proved until now counts, and is looked at again: it has no fingerprint. */
												"INSERT INTO verification SELECT server, login, database, x'', level, 'verified', '', at FROM proved;\n"
												/* Instants that have passed: moved ahead they reopen, which takes a new ticket and approval. */
												"CREATE TABLE passed (\n"
												"  client TEXT NOT NULL, what TEXT NOT NULL, instant INTEGER NOT NULL,\n"
												"  ticket TEXT NOT NULL, approved INTEGER NOT NULL,\n"
												"  PRIMARY KEY (client, what)\n"
												") STRICT, WITHOUT ROWID;\n"
												/* What was last guarded for a server. */
												"CREATE TABLE guard (\n"
												"  server TEXT NOT NULL, endpoint TEXT NOT NULL, trusted TEXT NOT NULL,\n"
												"  PRIMARY KEY (server, endpoint)\n"
												") STRICT, WITHOUT ROWID;\n"
												/* Records are missing that there must have been; nothing is opened until an operator says so. */
												"CREATE TABLE loss (\n"
												"  one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL, why TEXT NOT NULL\n"
												") STRICT;\n" VIEWS;

/* Notices to be sent. Beside the chain and outside the digest of what decides access: nobody's access hangs on it. A row
 * stays when its notice was sent, without the message, so that it is never sent again. */
static const char third[] =
	"CREATE TABLE outbox (\n"
	"  id INTEGER PRIMARY KEY, event TEXT NOT NULL, recipient TEXT NOT NULL,\n"
	"  client TEXT, login TEXT, notice TEXT NOT NULL, created INTEGER NOT NULL,\n"
	"  state TEXT NOT NULL CHECK (state IN ('queued', 'handed', 'sent', 'failed', 'uncertain')),\n"
	"  attempts INTEGER NOT NULL, next INTEGER NOT NULL, detail TEXT, message TEXT,\n"
	"  UNIQUE (event, recipient)\n"
	") STRICT;\n"
	/* What each person was told last, so that a change is noticed; one row of its own says since when notices are on. */
	"CREATE TABLE told (\n"
	"  client TEXT NOT NULL, login TEXT NOT NULL, sources TEXT NOT NULL, dates TEXT NOT NULL,\n"
	"  sequence INTEGER NOT NULL, PRIMARY KEY (client, login)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE notices_on (\n"
	"  one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL\n"
	") STRICT;\n";

/* What `curfew inventory` saw in use before, how far clients are, and what people decided: see samples.h. Nobody's access
 * hangs on it, but things are dropped by it: `sampled` has a digest of the rows of each database, and is covered itself
 * by the digest of the state. */
static const char fourth[] =
	"CREATE TABLE sampled (\n"
	"  server TEXT NOT NULL, database TEXT NOT NULL, at INTEGER NOT NULL, digest BLOB NOT NULL,\n"
	"  PRIMARY KEY (server, database)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE watched (\n"
	"  server TEXT NOT NULL, database TEXT NOT NULL, part TEXT NOT NULL,\n"
	"  since INTEGER NOT NULL, until INTEGER NOT NULL, gap INTEGER NOT NULL,\n"
	"  PRIMARY KEY (server, database, part)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE used (\n"
	"  server TEXT NOT NULL, database TEXT NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL,\n"
	"  source TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (server, database, type, name)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE tally (\n"
	"  server TEXT NOT NULL, database TEXT NOT NULL, at INTEGER NOT NULL,\n"
	"  red INTEGER NOT NULL, yellow INTEGER NOT NULL, green INTEGER NOT NULL,\n"
	"  undecided INTEGER NOT NULL, keep INTEGER NOT NULL, replace INTEGER NOT NULL, gone INTEGER NOT NULL,\n"
	"  remaining INTEGER NOT NULL, PRIMARY KEY (server, database, at)\n"
	") STRICT, WITHOUT ROWID;\n"
	"CREATE TABLE decided (\n"
	"  server TEXT NOT NULL, database TEXT NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL,\n"
	"  decision TEXT, replacement TEXT, owner TEXT, due TEXT, note TEXT,\n"
	"  PRIMARY KEY (server, database, type, name)\n"
	") STRICT, WITHOUT ROWID;\n";

/* Who was told something, and where: whoever is taken out of the configuration is in no file any more. Beside the chain as
 * the outbox is. */
static const char fifth[] =
	"CREATE TABLE notified_person (\n"
	"  client TEXT NOT NULL, login TEXT NOT NULL, email TEXT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL,\n"
	"  timezone TEXT NOT NULL, language TEXT NOT NULL, opens INTEGER NOT NULL, ends INTEGER NOT NULL,\n"
	"  PRIMARY KEY (client, login)\n"
	") STRICT, WITHOUT ROWID;\n";

/* Indexes for the questions that name a login: whose it is, and which person's. And the view of present access shows what
 * is past its end, or more than is scheduled: it showed neither. */
#define NOW "CAST(strftime('%s', 'now') AS INTEGER)"

static const char sixth[] =
	"CREATE INDEX record_access_login ON record (server, login COLLATE NOCASE, at, id)\n"
	"  WHERE kind = 'access';\n"
	"CREATE INDEX record_login_client ON record (server, login COLLATE NOCASE, id)\n"
	"  WHERE client IS NOT NULL;\n"
	"DROP VIEW v_access_now;\n"
	"CREATE VIEW v_access_now AS SELECT client, login, server, database, level, sources,\n"
	"  " UTC("at") " AS since, CASE level WHEN 'none' THEN NULL ELSE " UTC(
		"until") " END AS until,\n"
			 "  CASE WHEN level <> 'none' AND until <= " NOW " THEN 'overdue'\n"
			 "    WHEN outcome IN ('excess', 'refuted') THEN 'excess' ELSE outcome END AS state FROM (\n"
			 "    SELECT *, row_number() OVER (PARTITION BY client, login, server, database\n"
			 "      ORDER BY at DESC, id DESC) AS nth FROM record\n"
			 "    WHERE kind = 'access' AND at <= " NOW ")\n"
			 "  WHERE nth = 1 AND (level <> 'none' OR outcome IN ('excess', 'refuted'));\n";

/* Records about a server were lost, and nobody knows whose logins are there: its guard stays until an operator ends it. */
static const char seventh[] =
	"ALTER TABLE guard ADD COLUMN held INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1));\n";

/* In which database a login was verified, as sys.databases has it: a name may lead to another one later. */
static const char eighth[] =
	"ALTER TABLE verification ADD COLUMN database_id INTEGER NOT NULL DEFAULT 0;\n"
	"ALTER TABLE verification ADD COLUMN made TEXT NOT NULL DEFAULT '';\n";

const char *const schema_steps[SCHEMA_VERSION] = {
	first, second, third, fourth, fifth, sixth, seventh, eighth};
