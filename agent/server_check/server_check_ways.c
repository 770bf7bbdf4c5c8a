/* By which ways the server is reached: the port that the packet filter guards, other replicas, and a contained group. */
#include <errno.h>
#include <string.h>

#include "curfew/text.h"
#include "server_check/server_check.h"
#include "sql/rows.h"

/* An older version does not have the column that is asked for. */
enum { ERROR_NO_COLUMN = 207 };

struct ways {
	int64_t port; /* 0: not by TCP */
	bool contained;
	int64_t replicas;
};

static int ways_row(void *ways, const struct sql_value *v, int n)
{
	struct ways *w = ways;

	if (n != 2)
		return -EBADMSG;
	if (row_is(&v[0], "port"))
		w->port = row_number(&v[1]);
	else if (row_is(&v[0], "contained"))
		w->contained = v[1].data != NULL;
	else if (row_is(&v[0], "replicas"))
		w->replicas = row_number(&v[1]);
	return 0;
}

static int ask(struct check_run *c, struct ways *w, const char *name, const char *batch)
{
	char words[RECORD_TEXT_MAX];
	int rc = check_ask(c, batch, ways_row, w);

	if (rc == SQL_SERVER_ERROR && c->error.number == ERROR_NO_COLUMN)
		return 0;
	if (rc == SQL_SERVER_ERROR)
		check_tell(c, CHECK_FAIL, name, "the server must answer this query", "%s",
			check_said(words, c));
	return rc;
}

/* A port that no endpoint names is one that the packet filter does not guard. */
static int port_check(struct check_run *c)
{
	const struct server *s = c->check->visit.server;
	struct ways w = {0};
	int rc = ask(c, &w, "port",
		"SELECT N'port' AS [part], x.local_tcp_port FROM sys.dm_exec_connections AS x\n"
		"WHERE x.session_id = @@SPID AND x.parent_connection_id IS NULL;\n");

	if (rc)
		return rc < 0 ? rc : 0;
	if (!w.port || server_is_guarded(s, w.port))
		check_tell(
			c, CHECK_OK, "port", NULL, "%lld, as in \"endpoints\"", (long long)w.port);
	else
		check_tell(c, CHECK_FAIL, "port",
			"name in \"endpoints\" the address and port at which users' packets arrive, or close the other port",
			"the server received this session at port %lld, which no endpoint names: users may reach it there",
			(long long)w.port);
	return 0;
}

static int listener_row(void *text, const struct sql_value *v, int n)
{
	struct text *t = text;

	if (n != 3)
		return -EBADMSG;
	fprintf(t->to, "%s%lld", ftell(t->to) > 0 ? ", " : "", (long long)row_number(&v[1]));
	return 0;
}

static int listeners_ask(struct check_run *c, char **ports)
{
	const struct server *s = c->check->visit.server;
	struct text batch, text;

	if (!text_begin(&batch))
		return -ENOMEM;
	fputs("SELECT DISTINCT N'listener' AS [part], t.port, N'' FROM sys.dm_tcp_listener_states AS t\n"
	      "WHERE t.type = 0 AND t.ip_address NOT LIKE N'127.%' AND t.ip_address <> N'::1' AND t.port NOT IN (0",
		batch.to);
	for (size_t i = 0; i < s->n_endpoints; i++)
		fprintf(batch.to, ", %u", s->endpoints[i].port);
	fputs(");\n", batch.to);
	_cleanup_free_ char *question = text_end(&batch);
	if (!question || !text_begin(&text))
		return -ENOMEM;
	int rc = check_ask(c, question, listener_row, &text);
	*ports = text_end(&text);
	return rc || *ports ? rc : -ENOMEM;
}

/* The server may listen at more ports than the one by which this session came. */
static int listeners_check(struct check_run *c)
{
	_cleanup_free_ char *ports = NULL;
	char words[RECORD_TEXT_MAX];
	int rc = c->check->visit.server->n_endpoints ? listeners_ask(c, &ports) : 0;

	if (rc == SQL_SERVER_ERROR)
		check_tell(c, CHECK_FAIL, "listeners",
			"without an answer another port of the server may be open: compare its ports with \"endpoints\"",
			"%s", check_said(words, c));
	else if (!rc && ports && *ports)
		check_tell(c, CHECK_FAIL, "listeners",
			"remove the port in SQL Server Configuration Manager, or name it in \"endpoints\"",
			"the server also listens at port %.200s, which no endpoint names: the packet filter does not guard it",
			ports);
	else if (!rc)
		check_tell(c, CHECK_OK, "listeners", NULL,
			"the server listens at no port that no endpoint names");
	return rc < 0 ? rc : 0;
}

static int contained_check(struct check_run *c)
{
	struct ways w = {0};
	int rc = ask(c, &w, "contained-group",
		"SELECT N'contained' AS [part], s.contained_availability_group_id FROM sys.dm_exec_sessions AS s\n"
		"WHERE s.session_id = @@SPID;\n");

	if (rc)
		return rc < 0 ? rc : 0;
	if (w.contained)
		check_tell(c, CHECK_FAIL, "contained-group",
			"set \"host\" to the instance itself, and name the other instances in \"replicas\"",
			"this is the listener of a contained availability group: its master and its logins are not the "
			"instance's, whose logins reach its databases all the same");
	else
		check_tell(c, CHECK_OK, "contained-group", NULL,
			"the session is in the instance itself");
	return 0;
}

/* A replica that the configuration does not name has no login after a failover, and closes nobody's. */
static int replicas_check(struct check_run *c)
{
	const struct server *first = server_first(c->check->visit.program, c->check->visit.server);
	struct ways w = {0};
	int rc = ask(c, &w, "replicas",
		"SELECT N'replicas' AS [part], COUNT(DISTINCT r.replica_server_name) FROM sys.availability_replicas AS r;\n");

	if (rc)
		return rc < 0 ? rc : 0;
	if (w.replicas <= 1 || (size_t)w.replicas <= first->replicas.n + 1)
		check_tell(c, CHECK_OK, "replicas", NULL,
			w.replicas > 1 ? "the configuration names all replicas"
				       : "the server is in no availability group");
	else
		check_tell(c, CHECK_FAIL, "replicas",
			"add each replica to \"servers\", and name them in \"replicas\" of one of them",
			"%lld replicas, of which the configuration names %zu: after a failover to another nobody gets in, and "
			"nobody's access ends there",
			(long long)w.replicas, first->replicas.n ? first->replicas.n + 1 : 1);
	return 0;
}

int check_ways(struct check_run *c)
{
	int rc = port_check(c);

	if (!rc)
		rc = listeners_check(c);
	if (!rc)
		rc = contained_check(c);
	return rc ? rc : replicas_check(c);
}
