/* The text of the journal's schema, by version. Not for other modules. */
#ifndef JOURNAL_SCHEMA_H
#define JOURNAL_SCHEMA_H

#define SCHEMA_VERSION 2

/* steps[v - 1] makes version v of the one before. */
extern const char *const schema_steps[SCHEMA_VERSION];
/* As v_access was in journals of version 1 made before: none had until 1970. They are whole with it. */
extern const char schema_former_access[];

#endif
