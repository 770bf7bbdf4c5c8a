/* Used only by journal/: the text of the schema, by version. */
#ifndef JOURNAL_SCHEMA_H
#define JOURNAL_SCHEMA_H

#define SCHEMA_VERSION 8

/* steps[v - 1] upgrades version v - 1 to v. */
extern const char *const schema_steps[SCHEMA_VERSION];
/* View v_access in journals of version 1 before `until` was added; such journals are intact too. */
extern const char schema_former_access[];

#endif
