/* The records that proofs and steps of a visit report: new ones, and a change as a plan. */
#include <string.h>

#include "curfew/text.h"
#include "proof/proof.h"

bool pass_is_for(const struct sql_visit *p, const char *client)
{
	return !p->only_client || !client || names_equal(client, p->only_client);
}

const char *client_of_login(const struct visit_run *run, const char *login)
{
	const struct wanted_server *w = &run->visit->wanted;

	for (size_t i = 0; i < w->n_grants; i++)
		if (names_equal(w->grants[i]->user->login, login))
			return w->grants[i]->client->name;
	return NULL;
}

void record_of(struct record *r, const struct sql_visit *p, enum record_kind kind,
	const char *client, const char *login, const char *database)
{
	*r = (struct record){.kind = kind};
	RECORD_SET(r, server, p->server->name);
	RECORD_SET(r, client, client ? client : "");
	RECORD_SET(r, login, login ? login : "");
	RECORD_SET(r, database, database ? database : "");
}

instant_t instant_within(instant_t t)
{
	return t >= 0 && t <= INSTANT_LAST ? t : 0;
}

int change_record(struct record *r, struct visit_run *run, const struct change *c)
{
	struct text statement;

	if (!text_begin(&statement))
		return -1;
	int rc = sql_write_change(statement.to, c, NULL, NULL);
	char *text = text_end(&statement);
	if (!text)
		return -1;
	record_of(r, run->visit, RECORD_PLAN, c->client, c->login, c->database);
	r->change.number = ++run->numbers;
	r->change.kind = c->kind;
	RECORD_SET(r, change.reason, c->reason);
	/* Print a placeholder, never a partial statement that someone could run. */
	if (rc)
		RECORD_SET(r, change.statement, "-- no statement can write this name or type");
	else if (statement.size < sizeof(r->change.statement))
		RECORD_SET(r, change.statement, text);
	else
		RECORD_PRINTF(r, change.statement,
			"-- %zu permissions of others are granted again with it, too many to show; it begins with\n%.1024s",
			c->n_regrants, text);
	free(text);
	return rc;
}
