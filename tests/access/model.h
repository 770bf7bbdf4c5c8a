/* A SQL Server's security, as far as changes reach it: logins, users, roles, permissions, ownership, sessions. Its state
 * is what an observation would show; a change is carried out as the server would, or refused with the server's error
 * number. What a login can do is worked out here from the state alone, by rules of its own. */
#ifndef TESTS_ACCESS_MODEL_H
#define TESTS_ACCESS_MODEL_H

#include "curfew/access.h"

struct model {
	struct observed_server o;
	uint32_t next_sid, next_session;
};

/* What somebody can do somewhere in a database, or-ed. */
enum {
	CAN_SELECT = 1,
	CAN_INSERT = 2,
	CAN_UPDATE = 4,
	CAN_DELETE = 8,
	CAN_EXECUTE = 16,
	CAN_SEE_DEFINITIONS = 32,
	CAN_ALTER = 64,
	CAN_SHOWPLAN = 128,
	CAN_MORE = 256, /* anything else: own, control, create */
	CAN_ALL = 511,
};

struct sid model_sid(uint32_t number);
struct observed_login *model_login(struct model *m, const char *name, uint32_t sid);
struct observed_database *model_database(struct model *m, const char *name);
void model_user(struct observed_database *d, const char *name, struct sid sid);
void model_role(struct observed_database *d, const char *name);
void model_schema(struct observed_database *d, const char *name, const char *owner);
void model_owned(struct observed_database *d, const char *kind, const char *schema,
	const char *name, const char *owner);
void model_member(struct observed_database *d, const char *role, const char *member);
void model_trigger(struct observed_database *d, const char *name);
/* class 0: schema is NULL; 3: a schema; 1: an object. */
void model_permission(struct observed_database *d, char state, const char *name, const char *schema,
	const char *object, const char *grantee, const char *grantor);
void model_server_member(struct model *m, const char *role, const char *login);
void model_server_permission(struct model *m, const char *name, const char *login);
void model_session(struct model *m, const char *login, uint64_t age);

/* 0, or the number of the error that SQL Server gives. */
int model_apply(struct model *m, const struct change *c);

/* What the login can do in the database while it is connected, whether or not it may connect. */
unsigned model_can(const struct model *m, const struct observed_database *d, const char *login);
/* What anybody can do there. */
unsigned model_public_can(const struct observed_database *d);
bool model_has_session(const struct model *m, const char *login);
/* What a level's terms come to, by themselves. */
unsigned terms_can(const struct level_terms *t);

void model_free(struct model *m);

#endif
