/* A permission of a server or of a database, as observed. */
#ifndef CURFEW_PERMISSION_H
#define CURFEW_PERMISSION_H

#include <stdbool.h>
#include <stdint.h>

/* Of sys.database_permissions.class and sys.server_permissions.class; catalog_owned.c has the rarer ones
 * (https://learn.microsoft.com/sql/relational-databases/system-catalog-views/sys-database-permissions-transact-sql). */
enum securable_class {
	CLASS_DATABASE = 0,
	CLASS_OBJECT = 1,
	CLASS_SCHEMA = 3,
	CLASS_PRINCIPAL = 4,
	CLASS_TYPE = 6,
	CLASS_XML_SCHEMA_COLLECTION = 10,
	CLASS_SERVER = 100,
	CLASS_LOGIN = 101,
	CLASS_ENDPOINT = 105
};

struct permission {
	uint8_t class; /* enum securable_class */
	char state; /* 'G', 'W' WITH GRANT OPTION, 'D'; 'R': a column excluded from a table grant, gives nothing */
	char *name;			/* "SELECT" */
	char *schema, *object, *column; /* names of the securable; NULL where it has none */
	char *grantee, *grantor;	/* names of the principals */
	int id; /* of the securable in its catalog, for one whose row is hidden; 0: unknown */
	bool owner_apart; /* the securable has its own owner, so a transfer of its schema does not change it */
};
bool permission_is_right(const struct permission *p); /* is a GRANT, with or without grant option */
/* CONNECT without the grant option, which every user has. */
bool permission_is_connect(const struct permission *p);
/* The right to log in, or to come in by an endpoint, without the grant option. */
bool permission_is_entry(const struct permission *p);
/* A DENY on the server that keeps its grantee from logging in. */
bool permission_is_denied_entry(const struct permission *p);
/* Every managed login holds it, by public or by MARK_ROLE, and no level includes it: it is of the server, and more than to
 * connect and to look. */
bool permission_is_everybodys(const struct permission *p);
void permission_free(struct permission *p); /* frees the members */

#endif
