/* Runs every query that Curfew uses on a server or a database, and reports its time and number of rows. */
#include <errno.h>
#include <string.h>

#include "curfew/text.h"
#include "catalog/catalog.h"
#include "server_check/server_check.h"
#include "sql/closing.h"
#include "proof/residual.h"
#include "sql/rows.h"
#include "sql/question.h"
#include "visit/inventory_read.h"

/* Parts that return a row even on an empty server or database. */
static bool has_rows(const char *part)
{
	static const char *const names[] = {"principal", "server-member", "server-permission",
		"database", "user", "schema", "permission", "end"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(names[i], part))
			return true;
	return false;
}

/* Runs the query in the named database (NULL: the current one). Fails if that database was not entered. */
static int question_run(struct check_run *c, const char *database, const char *kind,
	const char *part, const char *text, bool some)
{
	char name[RECORD_WORD_MAX];
	struct text batch;

	snprintf(name, sizeof(name), "%s.%s", kind, part);
	if (!text_begin(&batch))
		return -ENOMEM;
	if (database) {
		fputs("USE ", batch.to);
		sql_write_name(batch.to, database);
		fputs(";\n", batch.to);
	}
	question_write(batch.to, text, 0, 0);
	_cleanup_free_ char *words = text_end(&batch);
	return words ? check_read(c, name, words, some) : -ENOMEM;
}

static int baseline_try(struct check_run *c, const char *database, const char *part,
	const struct base_question *all)
{
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	base_questions_write(text.to, all, 0);
	_cleanup_free_ char *words = text_end(&text);
	return words ? question_run(c, database, "audit", part, words, true) : -ENOMEM;
}

static int written_run(struct check_run *c, const char *part, struct text *text)
{
	char name[RECORD_WORD_MAX];
	_cleanup_free_ char *batch = text_end(text);

	snprintf(name, sizeof(name), "read.%s", part);
	return batch ? check_read(c, name, batch, false) : -ENOMEM;
}

static int sessions_read(struct check_run *c)
{
	static const char own[] = "WHERE s.session_id = @@SPID;\n";
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	fprintf(text.to, "%s%s", session_select, own);
	_cleanup_free_ char *batch = text_end(&text);
	return batch ? check_read(c, "read.session", batch, true) : -ENOMEM;
}

static int others_read(struct check_run *c)
{
	const struct sid nobody = {.bytes = {1}, .size = 1};
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	catalog_conditions_write(text.to, &nobody, 1, NULL, 0);
	int rc = written_run(c, "login-condition", &text);
	if (rc || !text_begin(&text))
		return rc ? rc : -ENOMEM;
	catalog_blocker_write(text.to, 1);
	rc = written_run(c, "blocker", &text);
	if (rc || !text_begin(&text))
		return rc ? rc : -ENOMEM;
	catalog_hidden_write(text.to, 1);
	return written_run(c, "database-by-id", &text);
}

/* The questions of `curfew inventory`; each by itself, so that each has its own time. */
static int inventory_try(
	struct check_run *c, const char *database, const struct inventory_question *all)
{
	int rc = 0;

	for (const struct inventory_question *q = all; q->name && !rc; q++) {
		c->optional = !q->needed;
		/* Every server has started. */
		rc = question_run(
			c, database, "inventory", q->name, q->text, streq(q->name, "server-start"));
	}
	c->optional = false;
	return rc;
}

int check_reads(struct check_run *c)
{
	int rc = 0;

	for (const struct part *p = server_parts; p->name && !rc; p++)
		rc = question_run(c, NULL, "read", p->name, p->text, has_rows(p->name));
	if (!rc)
		rc = sessions_read(c);
	if (!rc)
		rc = others_read(c);
	for (const struct leftover *k = server_leftovers; k->name && !rc; k++)
		rc = question_run(c, NULL, "audit", k->name, k->text, false);
	if (!rc)
		rc = baseline_try(c, NULL, "server-baseline", server_base_questions);
	if (!rc)
		rc = baseline_try(c, SQL_AGENT_BASELINE, "agent-baseline", msdb_base_questions);
	if (!rc)
		rc = inventory_try(c, NULL, inventory_server_questions);
	return rc;
}

/* ---- a database ---- */

struct database_facts {
	bool told;
	int state, access;
	bool read_only, trustworthy, chaining;
	char collation[MAX_NAME_BYTES + 1], containment[64];
};

static int state_row(void *state, const struct sql_value *v, int n)
{
	struct database_facts *s = state;

	if (n != 8)
		return -EBADMSG;
	s->told = true;
	s->state = v[1].data ? (int)row_number(&v[1]) : -1;
	s->access = v[2].data ? (int)row_number(&v[2]) : -1;
	s->read_only = row_number(&v[3]) != 0;
	record_set(s->collation, sizeof(s->collation), v[4].data ? v[4].data : "unknown");
	record_set(s->containment, sizeof(s->containment), v[5].data ? v[5].data : "unknown");
	s->trustworthy = row_number(&v[6]) != 0;
	s->chaining = row_number(&v[7]) != 0;
	return 0;
}

/* Reports the state. True: the database can be read. */
static bool state_tell(struct check_run *c, const struct database_facts *s)
{
	char words[RECORD_TEXT_MAX];

	if (!s->told) {
		check_tell(c, CHECK_FAIL, "database.state",
			"check the name in the client files, VIEW ANY DATABASE, and whether the database is online",
			"the server has no database of this name, or hides it");
		return false;
	}
	if (s->state) {
		check_tell(c, CHECK_FAIL, "database.state",
			"bring it online; until then access there is unread", "%s",
			database_state_words(s->state));
		return false;
	}
	check_tell(c, s->read_only ? CHECK_FAIL : CHECK_OK, "database.state",
		"nobody gets access in a snapshot or standby database, and none can be removed",
		s->read_only ? "online, but read-only" : "online");
	check_tell(c, s->access ? CHECK_OK : CHECK_FAIL, "database.access",
		check_bootstrap(words, c,
			"the agent login needs a user there; a secondary replica may refuse reads"),
		s->access ? "the agent login can enter" : "the agent login cannot enter");
	check_tell(c, CHECK_OK, "database.settings", NULL,
		"collation %s, containment %s, TRUSTWORTHY %s, DB_CHAINING %s", s->collation,
		s->containment, s->trustworthy ? "on" : "off", s->chaining ? "on" : "off");
	return s->access;
}

static int state_ask(struct check_run *c, struct database_facts *s, const char *database)
{
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	fputs("SELECT N'state' AS [part], d.state, HAS_DBACCESS(d.name), d.is_read_only,\n"
	      "  CAST(d.collation_name AS nvarchar(128)), CAST(d.containment_desc AS nvarchar(60)), d.is_trustworthy_on,\n"
	      "  d.is_db_chaining_on FROM sys.databases AS d WHERE d.name = ",
		text.to);
	sql_write_string(text.to, database);
	fputs(";\n", text.to);
	_cleanup_free_ char *batch = text_end(&text);
	return batch ? check_ask(c, batch, state_row, s) : -ENOMEM;
}

static int right_row(void *held, const struct sql_value *v, int n)
{
	if (n == 2)
		*(int *)held = v[1].data ? (int)row_number(&v[1]) : -1;
	return 0;
}

/* `lacks`: without these rights nothing else there can be as it should, and the bootstrap is what mends it. */
static int rights_check(bool *lacks, struct check_run *c, const char *database)
{
	char words[RECORD_TEXT_MAX];
	struct text text;
	int held = -1;

	if (!text_begin(&text))
		return -ENOMEM;
	fputs("USE ", text.to);
	sql_write_name(text.to, database);
	fputs(";\nSELECT N'held' AS [part], COALESCE(HAS_PERMS_BY_NAME(QUOTENAME(DB_NAME()), N'DATABASE', N'CONTROL'),\n"
	      "  HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'CONTROL')) WHERE DB_NAME() = ",
		text.to);
	sql_write_string(text.to, database);
	fputs(";\n", text.to);
	_cleanup_free_ char *batch = text_end(&text);
	int rc = batch ? check_ask(c, batch, right_row, &held) : -ENOMEM;
	if (rc < 0)
		return rc;
	*lacks = rc || held == 0;
	if (rc)
		check_tell(c, CHECK_FAIL, "database.rights", check_bootstrap(words, c, NULL),
			"cannot enter the database: error %d", c->error.number);
	else
		check_tell(c, held == 1 ? CHECK_OK : CHECK_FAIL, "database.rights",
			check_bootstrap(words, c, NULL),
			held == 1 ? "the agent login can change users, roles, and permissions"
				  : "the agent login cannot change users, roles, and permissions");
	return 0;
}

/* Leave the database, because an open session in it would keep a DBA from taking it offline. */
static int database_leave(struct check_run *c)
{
	int rc = check_ask(c, "USE [master];\n", NULL, NULL);

	return rc < 0 ? rc : 0;
}

int check_database(struct check_run *c, size_t i)
{
	const char *database = c->check->databases[i];
	char shown[MAX_NAME_BYTES + 1], words[RECORD_TEXT_MAX];
	struct database_facts s = {0};
	bool lacks = false;
	int rc = state_ask(c, &s, database);

	if (rc < 0)
		return rc;
	c->database = server_check_database(shown, c->check, i);
	if (rc)
		check_tell(c, CHECK_FAIL, "database.state", NULL, "%s", check_said(words, c));
	else if (state_tell(c, &s))
		rc = rights_check(&lacks, c, database);
	else
		rc = SQL_SERVER_ERROR;
	bool whole = !c->check->brief;
	if (!rc && whole && lacks)
		check_tell(c, CHECK_SKIP, "database.owner", NULL,
			"not asked: the agent login lacks its permissions there");
	else if (!rc && whole)
		rc = check_owner(c, database);
	if (!rc && whole && !lacks)
		rc = check_user_of_login(c, database);
	/* What the owner sees is asked as the owner. */
	for (const struct part *p = database_parts; whole && p->name && !rc; p++)
		if (!lacks || !streq(p->name, PART_THERE))
			rc = question_run(c, database, "read", p->name, p->text, has_rows(p->name));
	/* Definitions are compared by a hash, whatever their length and the compatibility level. */
	if (!rc && whole)
		rc = question_run(c, database, "read", "long-text",
			"SELECT N'hash' AS [part], HASHBYTES('SHA2_256', REPLICATE(CAST(N'x' AS nvarchar(max)), 5000));\n",
			true);
	for (const struct leftover *k = database_leftovers; whole && k->name && !rc; k++)
		rc = question_run(c, database, "audit", k->name, k->text, false);
	if (!rc && whole)
		rc = baseline_try(c, database, "baseline", base_questions);
	if (!rc)
		rc = inventory_try(c, database, inventory_database_questions);
	if (rc >= 0)
		rc = database_leave(c);
	c->database = NULL;
	return rc;
}
