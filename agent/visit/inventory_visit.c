/* An inventory of one server, in its worker. */
#include <string.h>

#include <sodium.h>

#include "visit/inventory_read.h"

int sql_inventory_prepare(void *context)
{
	struct sql_inventory *i = context;

	return sql_visit_prepare(&i->visit);
}

int sql_inventory_run(struct worker *w, void *context)
{
	struct sql_inventory *i = context;
	struct record end = {.kind = RECORD_END};
	struct sql_session *session = NULL;
	struct sql_error error;
	const struct sql_session_options o = {.host = i->visit.server->host,
		.port = i->visit.server->port,
		.ca_file = i->visit.server->ca_file,
		.login = i->visit.server->login,
		.password = i->visit.password,
		.connect_timeout = i->visit.program->settings.connect_timeout,
		.read_timeout = i->visit.program->settings.server_deadline};

	end.code = sql_session_open(&session, &error, &o);
	sodium_free(i->visit.password);
	i->visit.password = NULL;
	if (!end.code)
		worker_answered(w);
	if (!end.code)
		end.code = inventory_read(w, i, session, &error);
	RECORD_SET(&end, server, i->visit.server->name);
	end.end.round_trips = session ? sql_session_round_trips(session) : 0;
	if (end.code)
		RECORD_SET(&end, detail, error.text[0] ? error.text : strerror(-end.code));
	sql_session_close(session);
	return inventory_give(w, i, &end);
}
