/* A small configuration made by hand, and what should hold there: one server, some clients. */
#ifndef TESTS_ACCESS_SCENE_H
#define TESTS_ACCESS_SCENE_H

#include <stdlib.h>
#include <string.h>

#include "model.h"

#define SCENE_NOW     ((instant_t)1800000000)
#define SCENE_DAY     ((instant_t)86400)
#define SCENE_CLIENTS 3
#define SCENE_EACH    3

struct scene {
	struct server server;
	struct client clients[SCENE_CLIENTS];
	struct user users[SCENE_CLIENTS][SCENE_EACH];
	struct database databases[SCENE_CLIENTS][SCENE_EACH];
	struct program program;
	struct grants grants;
	struct wanted_server wanted;
};

static inline void strings_add(struct strings *s, const char *text)
{
	s->items = reallocarray(s->items, s->n + 1, sizeof(*s->items));
	if (!s->items || !(s->items[s->n++] = strdup(text)))
		abort();
}

static inline void scene_strings(struct strings *s, const char *const *texts)
{
	for (; *texts; texts++)
		strings_add(s, *texts);
}

/* The levels that a server has by default, or such as only fixed roles allow. */
static inline void scene_server(struct scene *s, bool fixed_roles)
{
	struct level_terms *full = &s->server.terms[LEVEL_FULL];
	struct level_terms *read_only = &s->server.terms[LEVEL_READ_ONLY];
	struct level_terms *write = &s->server.terms[LEVEL_WRITE];

	s->server.name = (char *)"sql1";
	if (fixed_roles) {
		scene_strings(&full->member_of, (const char *const[]){"db_datareader",
							"db_datawriter", "db_ddladmin", NULL});
		scene_strings(&read_only->member_of, (const char *const[]){"db_datareader", NULL});
		scene_strings(&write->member_of,
			(const char *const[]){"db_datareader", "db_datawriter", NULL});
		return;
	}
	full->role = (char *)"curfew_full";
	scene_strings(&full->database_grants, (const char *const[]){"SHOWPLAN", NULL});
	scene_strings(
		&full->schema_grants, (const char *const[]){"SELECT", "INSERT", "UPDATE", "DELETE",
					      "EXECUTE", "VIEW DEFINITION", "ALTER", NULL});
	scene_strings(&full->schema_denies, (const char *const[]){"CREATE SEQUENCE", NULL});
	write->role = (char *)"curfew_write";
	scene_strings(&write->database_grants, (const char *const[]){"SHOWPLAN", NULL});
	scene_strings(&write->schema_grants, (const char *const[]){"SELECT", "INSERT", "UPDATE",
						     "DELETE", "EXECUTE", "VIEW DEFINITION", NULL});
	scene_strings(&write->schema_denies, (const char *const[]){"ALTER", NULL});
	read_only->role = (char *)"curfew_read_only";
	scene_strings(&read_only->database_grants, (const char *const[]){"SHOWPLAN", NULL});
	scene_strings(&read_only->schema_grants,
		(const char *const[]){"SELECT", "VIEW DEFINITION", NULL});
	scene_strings(&read_only->schema_denies,
		(const char *const[]){"INSERT", "UPDATE", "DELETE", "EXECUTE", "ALTER", NULL});
}

static inline struct client *scene_client(struct scene *s, const char *name, instant_t starts)
{
	size_t i = s->program.n_clients++;
	struct client *c = &s->clients[i];

	*c = (struct client){.name = (char *)name,
		.starts = starts,
		.testing_end = starts + 180 * SCENE_DAY,
		.end = starts + 180 * SCENE_DAY,
		.databases = s->databases[i],
		.users = s->users[i]};
	return c;
}

static inline void scene_go_live(struct client *c, instant_t at)
{
	c->has_go_live = true;
	c->go_live = at;
	c->staging_end = at + 14 * SCENE_DAY;
	c->end = at + 30 * SCENE_DAY;
}

static inline void scene_database(
	struct client *c, const char *name, enum database_role role, enum level before)
{
	c->databases[c->n_databases++] = (struct database){.name = (char *)name,
		.role = role,
		.before_go_live = role == ROLE_STAGING ? LEVEL_FULL : before};
}

static inline void scene_user(struct client *c, const char *login)
{
	c->users[c->n_users++] = (struct user){.login = (char *)login};
}

/* After the clients: what should hold now. */
static inline void scene_finish(struct scene *s)
{
	s->program.servers = &s->server;
	s->program.n_servers = 1;
	s->program.clients = s->clients;
	if (schedule_at(&s->grants, &s->program, NULL, SCENE_NOW) ||
		wanted_build(&s->wanted, &s->server, &s->grants))
		abort();
}

static inline void scene_strings_free(struct strings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->items[i]);
	free(s->items);
}

static inline void scene_free(struct scene *s)
{
	wanted_free(&s->wanted);
	grants_free(&s->grants);
	for (int i = LEVEL_NONE; i <= LEVEL_FULL; i++) {
		scene_strings_free(&s->server.terms[i].member_of);
		scene_strings_free(&s->server.terms[i].database_grants);
		scene_strings_free(&s->server.terms[i].database_denies);
		scene_strings_free(&s->server.terms[i].schema_grants);
		scene_strings_free(&s->server.terms[i].schema_denies);
	}
	scene_strings_free(&s->server.known_triggers);
}

/* The roles of the levels as they should be, in a database where they are wanted. */
static inline void scene_roles(const struct scene *s, struct observed_database *d)
{
	for (int i = LEVEL_READ_ONLY; i <= LEVEL_FULL; i++) {
		const struct level_terms *t = &s->server.terms[i];
		if (!t->role)
			continue;
		model_role(d, t->role);
		for (size_t k = 0; k < t->database_grants.n; k++)
			model_permission(
				d, 'G', t->database_grants.items[k], NULL, NULL, t->role, "dbo");
		for (size_t n = 0; n < d->n_schemas; n++) {
			for (size_t k = 0; k < t->schema_grants.n; k++)
				model_permission(d, 'G', t->schema_grants.items[k], d->schemas[n],
					NULL, t->role, "dbo");
			for (size_t k = 0; k < t->schema_denies.n; k++)
				model_permission(d, 'D', t->schema_denies.items[k], d->schemas[n],
					NULL, t->role, "dbo");
		}
	}
}

#endif
