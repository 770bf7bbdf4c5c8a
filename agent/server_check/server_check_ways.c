/* By which ways the server is reached: the port that the packet filter guards, other replicas, and a contained group. */
#include <errno.h>
#include <string.h>

#include "curfew/text.h"
#include "server_check/server_check.h"
#include "sql/listener.h"
#include "sql/rows.h"

/* An older version does not have the column that is asked for. */
enum { ERROR_NO_COLUMN = 207 };

#define LISTENER_FIX                                                                                            \
	"name it in \"endpoints\"; if no user can reach it, in \"known_listeners\"; or close it in SQL Server " \
	"Configuration Manager"

struct ways {
	int64_t port;		    /* 0: not by TCP */
	char at[ENDPOINT_TEXT_MAX]; /* "": unknown, or the loopback */
	bool contained;
	int64_t replicas, distributed;
};

static const char *at_shown(const struct check_run *c, const char *at)
{
	bool every = strncmp(at, "0.0.0.0:", strlen("0.0.0.0:")) == 0 ||
		     strncmp(at, "[::]:", strlen("[::]:")) == 0;

	return every ? at : server_check_shown(c->check, "ADDRESS", at);
}

static bool way_is_guarded(const struct server *s, const struct ways *w)
{
	char every[ENDPOINT_TEXT_MAX];

	if (w->at[0])
		return server_is_expected(s, w->at);
	snprintf(every, sizeof(every), "0.0.0.0:%lld", (long long)w->port);
	if (server_is_expected(s, every))
		return true;
	snprintf(every, sizeof(every), "[::]:%lld", (long long)w->port);
	return server_is_expected(s, every);
}

static int ways_row(void *ways, const struct sql_value *v, int n)
{
	struct ways *w = ways;

	if (n != 2 + row_is(&v[0], "port"))
		return -EBADMSG;
	if (row_is(&v[0], "port")) {
		w->port = row_number(&v[1]);
		row_endpoint(w->at, &v[2], &v[1]);
	} else if (row_is(&v[0], "contained"))
		w->contained = v[1].data != NULL;
	else if (row_is(&v[0], "replicas"))
		w->replicas = row_number(&v[1]);
	else if (row_is(&v[0], "distributed"))
		w->distributed = row_number(&v[1]);
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

/* An address or port that no endpoint names is one that the packet filter does not guard: also the server's new one. */
static int port_check(struct check_run *c)
{
	const struct server *s = c->check->visit.server;
	struct ways w = {0};
	int rc = ask(c, &w, "port",
		"SELECT N'port' AS [part], x.local_tcp_port, x.local_net_address FROM sys.dm_exec_connections AS x\n"
		"WHERE x.session_id = @@SPID AND x.parent_connection_id IS NULL;\n");

	if (rc)
		return rc < 0 ? rc : 0;
	if (!w.port || way_is_guarded(s, &w)) {
		check_tell(
			c, CHECK_OK, "port", NULL, "%lld, as in \"endpoints\"", (long long)w.port);
		return 0;
	}
	/* An address that may be shown has its port. */
	const char *at = w.at[0] ? at_shown(c, w.at) : "an unknown address";
	char port[32] = "";
	if (at != w.at)
		snprintf(port, sizeof(port), ", port %lld", (long long)w.port);
	check_tell(c, CHECK_FAIL, "port", LISTENER_FIX,
		"the server received this session at %s%s, which no endpoint names: users may reach it there",
		at, port);
	return 0;
}

struct listeners {
	const struct check_run *run;
	struct text unguarded;
};

static int listener_row(void *listeners, const struct sql_value *v, int n)
{
	struct listeners *l = listeners;

	if (n != 2 || !v[1].data)
		return -EBADMSG;
	if (!server_is_expected(l->run->check->visit.server, v[1].data))
		fprintf(l->unguarded.to, "%s%s", ftell(l->unguarded.to) > 0 ? ", " : "",
			at_shown(l->run, v[1].data));
	return 0;
}

static int listeners_ask(struct check_run *c, char **unguarded)
{
	struct listeners l = {.run = c};

	if (!text_begin(&l.unguarded))
		return -ENOMEM;
	int rc = check_ask(
		c, "SELECT N'listener' AS [part], " LISTENER_AT "\n" LISTENERS, listener_row, &l);
	*unguarded = text_end(&l.unguarded);
	return rc || *unguarded ? rc : -ENOMEM;
}

/* The server may listen at more addresses and ports than the one by which this session came. */
static int listeners_check(struct check_run *c)
{
	_cleanup_free_ char *unguarded = NULL;
	char words[RECORD_TEXT_MAX];
	int rc = listeners_ask(c, &unguarded);

	if (rc == SQL_SERVER_ERROR)
		check_tell(c, CHECK_FAIL, "listeners",
			"without an answer another address of the server may be open: compare its addresses with \"endpoints\"",
			"%s", check_said(words, c));
	else if (!rc && *unguarded)
		check_tell(c, CHECK_FAIL, "listeners", LISTENER_FIX,
			"the server also listens at %.200s, which no endpoint names: the packet filter does not guard it",
			unguarded);
	else if (!rc)
		check_tell(c, CHECK_OK, "listeners", NULL,
			"the server listens at no address and port that no endpoint names");
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

/* The replicas of a distributed group are groups: one of the other cluster's instances becomes the primary, and which
 * these are is not told here
 * (https://learn.microsoft.com/sql/database-engine/availability-groups/windows/distributed-availability-groups). */
static void distributed_tell(struct check_run *c)
{
	check_tell(c, CHECK_SKIP, "distributed-group",
		"write each instance of the other group as a server, with its own host and client files that name it",
		"the server is in a distributed availability group: the other group's instances are not named here, and "
		"nobody's access ends there unless they are servers too");
}

/* A replica that the configuration does not name has no login after a failover, and closes nobody's. */
static int replicas_check(struct check_run *c)
{
	const struct server *first = server_first(c->check->visit.program, c->check->visit.server);
	struct ways w = {0};
	int rc = ask(c, &w, "replicas",
		"SELECT N'replicas' AS [part], COUNT(DISTINCT r.replica_server_name) FROM sys.availability_replicas AS r\n"
		"JOIN sys.availability_groups AS g ON g.group_id = r.group_id WHERE g.is_distributed = 0;\n"
		"SELECT N'distributed' AS [part], COUNT(*) FROM sys.availability_groups AS g WHERE g.is_distributed = 1;\n");

	if (rc)
		return rc < 0 ? rc : 0;
	if (w.distributed)
		distributed_tell(c);
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
