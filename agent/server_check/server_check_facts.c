/* Version, collation, and clock of a server, and the agent login's permissions there. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "curfew/text.h"
#include "catalog/catalog.h"
#include "server_check/server_check.h"
#include "sql/name.h"
#include "sql/agent_permissions.h"
#include "sql/hiding_denial.h"
#include "sql/rows.h"

/* SQL Server 2016, the oldest version for which the statements are written. */
#define OLDEST_VERSION 13
/* Seconds. Session ages use the server's clock; access ends by Curfew's clock. */
#define CLOCK_TOLERANCE 60
#define COLUMNS_MAX	9

/* The single row of an answer, as texts. */
struct one_row {
	char columns[COLUMNS_MAX][MAX_NAME_BYTES + 1];
	bool null[COLUMNS_MAX];
	int n;
};

static int one_row_take(void *row, const struct sql_value *v, int n)
{
	struct one_row *a = row;

	a->n = n < COLUMNS_MAX ? n : COLUMNS_MAX;
	for (int i = 0; i < a->n; i++) {
		record_set(a->columns[i], sizeof(a->columns[i]), v[i].data ? v[i].data : "");
		a->null[i] = !v[i].data;
	}
	return 0;
}

/* Reports that the query itself failed. */
static int refused(struct check_run *c, const char *name, int rc)
{
	char words[RECORD_TEXT_MAX];

	if (rc == SQL_SERVER_ERROR)
		check_tell(c, CHECK_FAIL, name,
			"the server must answer this query; Curfew cannot work without it", "%s",
			check_said(words, c));
	return rc < 0 ? rc : 0;
}

/* ---- the server ---- */

static int version_check(struct check_run *c, struct one_row *a)
{
	int rc = check_ask(c,
		"SELECT N'about' AS [part], CAST(SERVERPROPERTY(N'ProductVersion') AS nvarchar(128)),\n"
		"  CAST(SERVERPROPERTY(N'Edition') AS nvarchar(128)), CAST(SERVERPROPERTY(N'Collation') AS nvarchar(128)),\n"
		"  DATEDIFF(SECOND, '20200101', GETUTCDATE()), CAST(SERVERPROPERTY(N'EngineEdition') AS int),\n"
		"  DB_ID(N'rdsadmin');\n",
		one_row_take, a);

	if (rc || a->n != 7)
		return refused(c, "version", rc ? rc : SQL_SERVER_ERROR);
	if (strtol(a->columns[1], NULL, 10) < OLDEST_VERSION)
		check_tell(c, CHECK_FAIL, "version", "upgrade it to SQL Server 2016 (13) or newer",
			"%s, %s", a->columns[1], a->columns[2]);
	else
		check_tell(c, CHECK_OK, "version", NULL, "%s, %s", a->columns[1], a->columns[2]);
	return 0;
}

/* Editions as SERVERPROPERTY numbers them. Curfew is for the three of a SQL Server that somebody installs. Amazon RDS
 * has their numbers, and neither sysadmin for whoever runs the bootstrap script nor CREATE SERVER ROLE
 * (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/SQLServer.Concepts.General.FeatureSupport.UnsupportedRoles.html). */
static void edition_check(const struct check_run *c, const struct one_row *a)
{
	static const char *const names[] = {[2] = "Standard",
		"Enterprise or Developer",
		"Express",
		"Azure SQL Database",
		"Azure Synapse dedicated pool",
		"Stretch Database",
		"Azure SQL Managed Instance",
		"Azure SQL Edge",
		"Azure Arc managed instance",
		"Azure Synapse serverless pool",
		"SQL database in Fabric"};
	size_t edition = a->null[5] ? 0 : strtoul(a->columns[5], NULL, 10);
	bool rds = !a->null[6];
	const char *name = rds ? "Amazon RDS" : edition < ARRAY_SIZE(names) ? names[edition] : NULL;

	check_tell(c, !rds && edition >= 2 && edition <= 4 ? CHECK_OK : CHECK_FAIL, "edition",
		"use Curfew for an installed SQL Server only; docs/troubleshooting.md says what differs elsewhere",
		"%s", name ? name : "the server does not say which edition it is");
}

static void collation_check(const struct check_run *c, const char *collation)
{
	if (strstr(collation, "_CI_"))
		check_tell(c, CHECK_OK, "collation", NULL, "%s", collation);
	else
		check_tell(c, CHECK_FAIL, "collation",
			"Curfew compares names without regard to case: use a server whose collation has _CI_",
			"%s: the server treats names that differ only in case as different",
			collation[0] ? collation : "unknown");
}

static void clock_check(const struct check_run *c, const char *seconds)
{
	/* 2020-01-01T00:00:00Z */
	int64_t theirs = strtoll(seconds, NULL, 10) + 1577836800,
		off = theirs - (int64_t)time(NULL);
	bool near = off >= -CLOCK_TOLERANCE && off <= CLOCK_TOLERANCE;

	check_tell(c, near ? CHECK_OK : CHECK_FAIL, "clock",
		"synchronize the clocks of both hosts with NTP",
		"the server clock is %lld s %s this host's clock",
		(long long)(off < 0 ? -off : off), off < 0 ? "behind" : "ahead of");
}

/* ---- the agent login's permissions ---- */

struct rights {
	int held[ARRAY_SIZE(server_rights)]
		[RIGHT_ALTERNATIVES]; /* 1, 0; -1: the server did not answer */
};

static int right_row(void *rights, const struct sql_value *v, int n)
{
	struct rights *r = rights;
	size_t i = n == 4 ? (size_t)row_number(&v[1]) : ARRAY_SIZE(server_rights);
	size_t k = n == 4 ? (size_t)row_number(&v[2]) : 0;

	if (row_is(&v[0], "right") && i < ARRAY_SIZE(server_rights) && k < RIGHT_ALTERNATIVES)
		r->held[i][k] = v[3].data ? (int)row_number(&v[3]) : -1;
	return 0;
}

static void right_tell(const struct check_run *c, const struct rights *r, size_t i)
{
	const int *held = r->held[i];
	bool others = server_rights[i].permissions[1] != NULL;
	char name[RECORD_WORD_MAX], fix[RECORD_TEXT_MAX];

	snprintf(name, sizeof(name), "right.%s", server_rights[i].permissions[0]);
	for (size_t k = 1; k < RIGHT_ALTERNATIVES && server_rights[i].permissions[k]; k++)
		others = others && held[k] == 1;
	if (held[0] == 1 || others)
		check_tell(c, CHECK_OK, name, NULL, "held: %s", server_rights[i].why);
	else
		check_tell(c, CHECK_FAIL, name, check_bootstrap(fix, c, NULL), "%s; needed to %s",
			held[0] < 0 ? "the server did not answer" : "not held",
			server_rights[i].why);
}

static int rights_check(struct check_run *c)
{
	struct text text;
	struct rights r;

	memset(&r, -1, sizeof(r));
	if (!text_begin(&text))
		return -ENOMEM;
	catalog_probe_write(text.to);
	_cleanup_free_ char *batch = text_end(&text);
	int rc = batch ? check_ask(c, batch, right_row, &r) : -ENOMEM;
	if (rc)
		return refused(c, "rights", rc);
	for (size_t i = 0; i < ARRAY_SIZE(server_rights); i++)
		right_tell(c, &r, i);
	return 0;
}

static int mark_check(struct check_run *c)
{
	struct one_row a = {0};
	char fix[RECORD_TEXT_MAX];
	int rc = check_ask(c,
		"SELECT N'mark' AS [part], COALESCE(HAS_PERMS_BY_NAME(N'[" MARK_ROLE
		"]', N'SERVER ROLE', N'ALTER'), -1)\n"
		"FROM sys.server_principals AS p WHERE p.name = N'" MARK_ROLE
		"' AND p.type = 'R';\n",
		one_row_take, &a);

	if (rc)
		return refused(c, "mark", rc);
	if (a.n == 2 && !streq(a.columns[1], "0"))
		check_tell(c, CHECK_OK, "mark", NULL,
			"server role " MARK_ROLE " exists, and the agent login can add members");
	else
		check_tell(c, CHECK_FAIL, "mark", check_bootstrap(fix, c, NULL),
			a.n ? "the agent login cannot add members to server role " MARK_ROLE
			    : "no server role " MARK_ROLE
			      ": other agents cannot recognize its logins");
	return 0;
}

/* Asked here also where no trigger of the server is enabled: a pass asks only where one is. */
static int references_check(struct check_run *c)
{
	struct one_row a = {0};
	char fix[RECORD_TEXT_MAX], words[RECORD_TEXT_MAX];
	int rc = check_ask(c,
		"USE [master];\n"
		"SELECT N'references' AS [part], COUNT(*) FROM sys.sql_expression_dependencies AS d\n"
		"WHERE d.referencing_class = 13;\n",
		one_row_take, &a);

	if (rc == SQL_SERVER_ERROR)
		check_tell(c, CHECK_FAIL, "trigger-references", check_bootstrap(fix, c, NULL),
			"the agent login cannot read what server triggers use, so that it changes nothing where one is enabled: %s",
			check_said(words, c));
	else if (!rc)
		check_tell(c, CHECK_OK, "trigger-references", NULL,
			"what server triggers use can be read");
	return rc < 0 ? rc : 0;
}

/* With the principal that `curfew bootstrap` creates, if it exists: any login could hold a lock of public. */
static int lock_check(struct check_run *c)
{
	struct one_row a = {0};
	int rc = check_ask(c,
		"USE [master];\n"
		"DECLARE @principal sysname = CASE WHEN DATABASE_PRINCIPAL_ID(N'curfew_lock') IS NULL THEN N'public'\n"
		"  ELSE N'curfew_lock' END;\n"
		"DECLARE @held int;\n"
		"EXEC @held = sys.sp_getapplock @Resource = N'curfew', @LockMode = N'Exclusive',\n"
		"  @LockOwner = N'Session', @LockTimeout = 5000, @DbPrincipal = @principal;\n"
		"IF @held >= 0 EXEC sys.sp_releaseapplock @Resource = N'curfew', @LockOwner = N'Session',\n"
		"  @DbPrincipal = @principal;\n"
		"SELECT N'lock' AS [part], @held, @principal;\n",
		one_row_take, &a);
	char words[RECORD_TEXT_MAX];

	if (rc == SQL_SERVER_ERROR)
		check_tell(c, CHECK_FAIL, "lock", "run only one agent against this server",
			"no application lock: %s", check_said(words, c));
	else if (!rc && (a.n != 3 || a.null[1] || strtol(a.columns[1], NULL, 10) < 0))
		check_tell(c, CHECK_FAIL, "lock",
			"wait until the other agent has finished its pass, then check again",
			"another session holds the lock of principal %s (%s)", a.columns[2],
			a.columns[1]);
	else if (!rc)
		check_tell(c, CHECK_OK, "lock", NULL,
			"application lock taken and released, principal %s", a.columns[2]);
	return rc < 0 ? rc : 0;
}

static int count_row(void *text, const struct sql_value *v, int n)
{
	struct text *t = text;
	_cleanup_free_ char *name = NULL;

	if (n != 2 || !row_name(&name, &v[1]))
		return -EBADMSG;
	fprintf(t->to, "%s[%s]", ftell(t->to) > 0 ? ", " : "", name);
	return 0;
}

/* Logins of a check that was killed. Nobody knows their passwords, but they must not stay. */
static int leftovers_check(struct check_run *c)
{
	struct text text;

	if (!text_begin(&text))
		return -ENOMEM;
	int rc = check_ask(c,
		"SELECT N'leftover' AS [part], " NAME_BYTES(
			"p.name") "\n"
				  "FROM sys.server_principals AS p WHERE p.type = 'S' AND p.name LIKE N'curfew[_]check[_]%';\n",
		count_row, &text);
	_cleanup_free_ char *names = text_end(&text);
	if (rc || !names)
		return refused(c, "earlier-checks", rc ? rc : -ENOMEM);
	check_tell(c, *names ? CHECK_FAIL : CHECK_OK, "earlier-checks",
		"drop these logins and their users in the scratch database", "%s%.300s",
		*names ? "logins left by an interrupted check: "
		       : "no logins left by an interrupted check",
		names);
	return 0;
}

static void denial_tell(const struct check_run *c, const struct observed_unseen *u)
{
	char fix[RECORD_TEXT_MAX], statement[RECORD_TEXT_MAX];

	snprintf(statement, sizeof(statement), "`%.400s`", u->fix);
	snprintf(fix, sizeof(fix), "let a DBA run %s",
		server_check_shown(
			c->check, "the REVOKE", *u->fix ? statement : "the REVOKE of that denial"));
	check_tell(c, CHECK_FAIL, "denials", fix, "%.400s",
		server_check_shown(c->check,
			"a denial hides logins, roles, or permissions of the server", u->text));
}

/* HAS_PERMS_BY_NAME says nothing of them. */
static int denials_check(struct check_run *c)
{
	struct observed_server o = {0};
	struct server_reading r = {.o = &o};
	int rc = check_ask(c,
		"SELECT N'server-denial' AS [part], " HIDING_DENIAL_COLUMNS HIDING_DENIALS,
		catalog_server_row, &r);

	for (size_t i = 0; i < o.n_unseen && !rc; i++)
		denial_tell(c, &o.unseen[i]);
	if (!rc && !o.n_unseen)
		check_tell(c, CHECK_OK, "denials", NULL,
			"no denial hides logins, roles, or permissions of the server");
	observed_free(&o);
	return rc ? refused(c, "denials", rc) : 0;
}

int check_facts(struct check_run *c)
{
	struct one_row a = {0};
	int rc = version_check(c, &a);

	if (!rc && a.n == 7) {
		edition_check(c, &a);
		collation_check(c, a.columns[3]);
		clock_check(c, a.columns[4]);
	}
	if (!rc)
		rc = rights_check(c);
	if (!rc)
		rc = denials_check(c);
	if (!rc)
		rc = mark_check(c);
	if (!rc)
		rc = check_user_login(c);
	if (!rc)
		rc = references_check(c);
	if (!rc && !c->check->brief)
		rc = lock_check(c);
	if (!rc)
		rc = leftovers_check(c);
	return rc;
}
