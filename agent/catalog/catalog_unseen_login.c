/* Which logins are hidden: those that a denial names, and those that the server still names by their SIDs and does not
 * show, whatever hides them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "sql/question.h"
#include "sql/rows.h"

struct still_named {
	struct observed_server *o;
	const struct claims *claims;
};

static int still_named_row(void *context, const struct sql_value *v, int n)
{
	struct still_named *s = context;
	size_t i = n == 3 ? (size_t)row_number(&v[1]) : s->claims->n;

	if (i >= s->claims->n || !row_is(&v[0], "still-named"))
		return -EBADMSG;
	if (!v[2].data || observed_is_hidden(s->o, s->claims->items[i].login))
		return 0;
	struct observed_unseen *u = ARRAY_MORE(s->o->unseen, s->o->n_unseen);
	if (!u ||
		asprintf(&u->text,
			"login [%s] is still on the server, which does not show it to the agent login",
			s->claims->items[i].login) < 0)
		return -ENOMEM;
	u->fix = strdup("");
	return u->fix && row_copy(&u->login, s->claims->items[i].login) ? 0 : -ENOMEM;
}

static bool is_shown(const struct observed_server *o, const struct sid *sid)
{
	for (size_t i = 0; i < o->n_logins; i++)
		if (sid_equal(&o->logins[i].sid, sid))
			return true;
	return false;
}

/* The second witness: SUSER_SNAME (https://learn.microsoft.com/sql/t-sql/functions/suser-sname-transact-sql). That it names
 * nothing proves nothing by itself. */
static int still_named_ask(struct server_reading *r, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct claims *c)
{
	struct still_named context = {.o = r->o, .claims = c};
	struct text batch;
	bool any = false;

	if (!text_begin(&batch))
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++) {
		const struct claim *k = &c->items[i];
		if (!k->living || !k->sid.size || !streq(k->server, w->server->name) ||
			is_shown(r->o, &k->sid))
			continue;
		fprintf(batch.to, "SELECT N'still-named' AS [part], %zu, CAST(CAST(SUSER_SNAME(",
			i);
		sid_write(batch.to, &k->sid);
		fputs(") AS nvarchar(128)) AS varbinary(256));\n", batch.to);
		any = true;
	}
	if (!any) {
		free(text_end(&batch));
		return 0;
	}
	int rc = question_ask(s, error, &batch, still_named_row, &context);
	return rc == SQL_SERVER_ERROR
		       ? catalog_unreadable_add(r->o, "logins by their SIDs", NULL, error->text)
		       : rc;
}

/* A name is unique among logins and server roles, so what has the name of a login of ours is that login, and hides nobody
 * else. Whatever else is hidden may be a role, and whoever is in it is not shown. */
static int logins_know(
	struct observed_server *o, const struct wanted_server *w, const struct claims *c)
{
	for (size_t i = 0; i < o->n_unseen; i++) {
		struct observed_unseen *u = &o->unseen[i];
		bool known = u->login && wanted_names(w, u->login);
		for (size_t k = 0; k < c->n && !known && u->login; k++)
			known = streq(c->items[k].server, w->server->name) &&
				names_equal(c->items[k].login, u->login);
		if (known || !u->login)
			continue;
		free(u->login);
		u->login = NULL;
		char *fix = u->fix;
		if (asprintf(&u->fix, "%s -- of a server role: ON SERVER ROLE::", fix) < 0)
			u->fix = NULL;
		free(fix);
		if (!u->fix)
			return -ENOMEM;
	}
	return 0;
}

int catalog_unseen_settle(struct server_reading *r, struct sql_error *error, struct sql_session *s,
	const struct wanted_server *w, const struct claims *c)
{
	int rc = logins_know(r->o, w, c);

	return rc ? rc : still_named_ask(r, error, s, w, c);
}
