/* A SQL server that answers as it likes, to a whole pass in any mode. The first line is the mode; every other is a row:
 * columns between tabs, "~" for NULL, "=" before a name that is sent as bytes, the first names the part that it
 * answers. "*" before it: given to every question; "+N", "-N": from the Nth question on, or before it. A row "error"
 * makes a question that holds the second column fail, with the last one as its words; "%S" there stands for the secret
 * of the statement.
 *
 * Whatever comes: each record would pass the engine's check; the last one, and only it, is the end; what the server
 * calls its things never leaves its quotes; no secret is told; no login that is not ours is changed, and nothing is
 * opened for one that is not wanted. */
#include "tsql.h"

#include <errno.h>
#include <sodium.h>
#include <time.h>
#include "../access/scene.h"
#include "../sql/played_session.h"
#include "curfew/visit.h"
#include "sql/name.h"

#define MAX_ROWS    200
#define MAX_COLUMNS 13
#define MAX_NAME    128
/* Beyond it a pass would not end. A server that gives half an answer each time is asked part by part: some 2,000. */
#define MAX_QUESTIONS 10000

struct row {
	char *columns[MAX_COLUMNS];
	char *as_bytes
		[MAX_COLUMNS]; /* what the column is where bytes of a name are asked for; or NULL */
	int n;
	bool always;
	unsigned from, before;
};

/* As long as it is, no name has it by chance. */
static char secret[] = "Once]only-9-Zx";

static struct row rows[MAX_ROWS];
static size_t n_rows;
static bool ended, refuses;
static struct scene scene;
static struct names names;

/* ---- what the session says ---- */

static bool question_has(const char *batch, const char *word)
{
	return *word && strstr(batch, word);
}

static bool row_answers(const struct row *r, const char *batch)
{
	char mark[64];

	if (questions < r->from || questions >= r->before)
		return false;
	snprintf(mark, sizeof(mark), "N'%s'", r->columns[0]);
	return r->always || question_has(batch, mark);
}

/* A change, not a question: nobody reads rows. */
static void change_check(const char *batch)
{
	/* Constants of the agent's own. */
	static const char *const constants[] = {"USE [master];\nSET LOCK_TIMEOUT 5000;\n",
		"REVERT;\nUSE [master];\n",
		("DECLARE @cookie varbinary(8000), @agent int;\n"
		 "IF 1 = 0 EXECUTE AS USER = N'dbo' WITH COOKIE INTO @cookie;\nREVERT;\n"
		 "IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;\nSET XACT_ABORT OFF;\nUSE [master];\n"
		 "SET LOCK_TIMEOUT 5000;\n"),
		("IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;\nSET XACT_ABORT OFF;\nUSE [master];\n"
		 "SET LOCK_TIMEOUT 5000;\n")};

	for (size_t i = 0; i < ARRAY_SIZE(constants); i++)
		if (!strcmp(batch, constants[i]))
			return;
	REQUIRE(!ended);
	/* The agent's own line ends; a name in these rows has none. */
	_cleanup_free_ char *line = input_copy(batch, strlen(batch));
	for (char *c = line; *c; c++)
		*c = *c == '\n' ? ' ' : *c;
	statement_check(line, &names);
}

/* In a question the agent's own words may be any, but quotes are closed. */
static void question_check(const char *batch)
{
	while (*batch) {
		char close = *batch == '[' ? ']' : *batch == '\'' ? '\'' : '\0';

		REQUIRE((unsigned char)*batch < 0x80);
		batch++;
		if (close)
			batch = quoted_end(batch, close);
	}
}

/* A name's letters are bytes here: what they would be as UTF-8 is the unit tests' affair. */
static void name_narrow(char *text)
{
	if (*text == '=' && strlen(text) > MAX_NAME)
		text[MAX_NAME] = '\0';
	for (char *c = text + 1; *text == '=' && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
}

static struct sql_value name_value(char *room, const char *text)
{
	size_t n = 0;

	for (; n < MAX_NAME && text[n]; n++) {
		room[2 * n] = text[n];
		room[2 * n + 1] = '\0';
	}
	return (struct sql_value){room, 2 * n};
}

static int row_give(const struct row *r, sql_row_fn each, void *context)
{
	static char room[MAX_COLUMNS][2 * MAX_NAME];
	struct sql_value values[MAX_COLUMNS];

	for (int i = 0; i < r->n; i++) {
		const char *text = r->columns[i];
		bool none = strcmp(text, "~") == 0;

		values[i] = none	   ? (struct sql_value){NULL, 0}
			    : *text == '=' ? name_value(room[i], text + 1)
					   : (struct sql_value){text, strlen(text)};
	}
	return each(context, values, r->n);
}

/* A server repeats in its messages what it could not understand: a piece of the statement. */
static void error_word(struct sql_error *error, const char *batch, const char *words)
{
	const char *mark = strstr(words, "%S");
	size_t n = mark ? (size_t)(mark - words) : strlen(words);

	record_printf(error->text, sizeof(error->text), "%.*s%s", (int)n, words,
		mark && question_has(batch, secret) ? secret : "");
}

int sql_session_run(struct sql_session *s, struct sql_error *error, const char *batch,
	sql_row_fn each, void *context)
{
	int rc = 0;

	(void)s;
	*error = (struct sql_error){0};
	REQUIRE(++questions < MAX_QUESTIONS);
	/* Several changes in one batch tell by rows which were made; the reading of the server may follow them. */
	if (!each) {
		change_check(batch);
	} else if (question_has(batch, "SELECT N'done' AS [part], ")) {
		const char *reading = strstr(batch, "SELECT N'server' AS [part], ");
		_cleanup_free_ char *changes =
			input_copy(batch, reading ? (size_t)(reading - batch) : strlen(batch));
		change_check(changes);
		question_check(reading ? reading : "");
	} else {
		question_check(batch);
	}
	for (size_t i = 0; i < n_rows && rc == 0; i++) {
		const struct row *r = &rows[i];

		if (strcmp(r->columns[0], "error") == 0 && r->n >= 3 && questions >= r->from &&
			questions < r->before && question_has(batch, r->columns[1])) {
			error->number = (int)strtol(r->columns[2], NULL, 10) & 0xffff;
			error_word(error, batch, r->columns[r->n - 1]);
			return SQL_SERVER_ERROR;
		}
		if (each && row_answers(r, batch))
			rc = row_give(r, each, context);
	}
	return rc;
}

char *sql_password_new(void)
{
	char *password = sodium_malloc(sizeof(secret));

	REQUIRE(password != NULL);
	memcpy(password, secret, sizeof(secret));
	return password;
}

/* The pass waits for sessions to end; here nobody has the time. */
int nanosleep(const struct timespec *wanted, struct timespec *left)
{
	(void)wanted;
	(void)left;
	return 0;
}

/* ---- what the engine hears ---- */

static void record_take(const struct record *r)
{
	static struct record heard;
	static uint8_t packed[RECORD_PACKED_MAX];
	size_t size = record_pack(packed, r);

	REQUIRE(!ended);
	REQUIRE(!record_unpack(&heard, packed, size));
	REQUIRE(!memmem(packed, size, secret, strlen(secret)));
	ended = r->kind == RECORD_END;
}

void worker_tell(struct worker *w, const struct record *r)
{
	(void)w;
	REQUIRE(r->kind != RECORD_INTENT);
	record_take(r);
}

bool worker_is_held(const struct worker *w)
{
	(void)w;
	return false;
}

void worker_wait(struct worker *w)
{
	(void)w;
}

void worker_answered(struct worker *w)
{
	(void)w;
}

int worker_ask(struct worker *w, const struct record *r)
{
	(void)w;
	REQUIRE(r->kind == RECORD_INTENT);
	record_take(r);
	return refuses ? -EIO : 0;
}

/* ---- the changes themselves, on what these rows would have us observe ---- */

static bool login_is_ours(const struct observed_server *o, const char *login)
{
	const struct observed_login *l = observed_find_login(o, login);

	return !l || l->ours;
}

static void difference_check(const struct wanted_server *w, const struct claims *c)
{
	struct observed_server o;
	struct difference d;
	struct sql_error error;

	struct sql_blocked blocked = {0};

	if (sql_observe_server(&o, &error, NULL, w, c, NULL, 0, NULL) != 0)
		return;
	observed_claim(&o, w, c, 60);
	int rc = sql_observe_databases(&o, &error, NULL, w, c, &blocked);
	sql_blocked_free(&blocked);
	if (rc) {
		observed_free(&o);
		return;
	}
	REQUIRE(difference_build(&d, w, &o, c, SCENE_NOW) == 0);
	for (size_t i = 0; i < d.n_changes; i++) {
		const struct change *x = &d.changes[i];

		if (!x->login)
			continue;
		REQUIRE(login_is_ours(&o, x->login) || x->kind == CHANGE_USER_DROP ||
			x->kind == CHANGE_MEMBER_DROP || x->kind == CHANGE_REVOKE ||
			x->kind == CHANGE_OWNER);
		if (!change_closes(x->kind))
			REQUIRE(wanted_find(w, x->login));
	}
	difference_free(&d);
	observed_free(&o);
}

/* ---- the input ---- */

static void scene_make(void)
{
	static const char *const words[] = {"master", "dbo", "********", MARK_ROLE, "curfew_full",
		"curfew_read_only", "AcmeTest", "AcmeProd", "ZetaTest", "acme.jane.doe",
		"acme.bo.li", "zeta.ann.lee", secret, "part", "batch", "done", "error", "changed"};
	struct client *acme, *zeta;

	REQUIRE(sodium_init() >= 0);
	scene_server(&scene, false);
	acme = scene_client(&scene, "acme", SCENE_NOW - 100 * SCENE_DAY);
	scene_go_live(acme, SCENE_NOW - 2 * SCENE_DAY);
	scene_database(acme, "AcmeTest", ROLE_STAGING, LEVEL_FULL);
	scene_database(acme, "AcmeProd", ROLE_PRODUCTION, LEVEL_NONE);
	scene_user(acme, "acme.jane.doe");
	scene_user(acme, "acme.bo.li");
	zeta = scene_client(&scene, "zeta", SCENE_NOW - SCENE_DAY);
	scene_database(zeta, "ZetaTest", ROLE_STAGING, LEVEL_FULL);
	scene_user(zeta, "zeta.ann.lee");
	scene_finish(&scene);
	scene.program.settings.server_deadline = 60;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		names_add(&names, words[i]);
}

static void row_take(struct input *in)
{
	struct row *r = &rows[n_rows++];
	_cleanup_free_ char *line = input_text(in, '\n');
	char *rest = line;

	*r = (struct row){.before = MAX_QUESTIONS};
	r->always = *rest == '*';
	rest += r->always;
	if ((*rest == '+' || *rest == '-') && rest[1] >= '0' && rest[1] <= '9') {
		*(*rest == '+' ? &r->from : &r->before) = (unsigned)(rest[1] - '0');
		rest += 2;
	}
	while (rest && r->n < MAX_COLUMNS) {
		char *column = strsep(&rest, "\t");
		size_t n = strlen(column);

		/* A blank at the end is no part of a name: the agent cuts it, too. */
		while (n && column[n - 1] == ' ')
			n--;
		r->columns[r->n] = input_copy(column, n);
		name_narrow(r->columns[r->n]);
		names_add(&names, r->columns[r->n] + (*r->columns[r->n] == '='));
		r->as_bytes[r->n] = name_decode(r->columns[r->n], strlen(r->columns[r->n]));
		if (r->as_bytes[r->n])
			names_add(&names, r->as_bytes[r->n]);
		r->n++;
	}
}

static enum sql_visit_mode mode_take(struct input *in)
{
	_cleanup_free_ char *mode = input_text(in, '\n');

	refuses = strchr(mode, '!') != NULL;
	switch (*mode) {
	case 'a':
		return SQL_APPLY;
	case 'p':
		return SQL_PLAN;
	case 'h':
		return SQL_HANDOVER;
	case 's':
		return SQL_STATUS;
	default:
		return SQL_AUDIT;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const baselines[] = {"AcmeTest", "ZetaTest", "master", NULL};
	static struct claim claims[] = {
		{.server = "sql1", .login = "acme.bo.li", .sid = {.bytes = "B", .size = 1}},
		{.server = "sql1", .login = "zeta.ann.lee", .intended = 90},
		{.server = "sql1", .login = "old.gone", .sid = {.bytes = "O", .size = 1}}};
	struct input in = {data, size};

	if (!scene.server.name)
		scene_make();
	size_t n_names = names.n;
	struct sql_visit p = {.mode = mode_take(&in),
		.program = &scene.program,
		.server = &scene.server,
		.wanted = scene.wanted,
		.claims = {claims, ARRAY_SIZE(claims)},
		.now = SCENE_NOW,
		.baselines = baselines,
		.handover_login = "acme.jane.doe",
		.handover_password = secret};
	n_rows = 0;
	while (in.left && n_rows < MAX_ROWS && names.n < MAX_NAMES - 2 * MAX_COLUMNS)
		row_take(&in);
	questions = 0;
	ended = false;
	REQUIRE(sql_visit_run(NULL, &p) == 0);
	REQUIRE(ended);
	questions = 0;
	ended = false;
	difference_check(&p.wanted, &p.claims);
	for (size_t i = 0; i < n_rows; i++)
		for (int k = 0; k < rows[i].n; k++)
			free(rows[i].columns[k]), free(rows[i].as_bytes[k]);
	names.n = n_names;
	return 0;
}
