/* Used by sql/ and the rooms above it: which DDL triggers of a database never fire on a statement of Curfew. Change Data
 * Capture and replication make such ones, and nobody may disable them. Their names and is_ms_shipped can be had by anybody
 * with full access, so only the events count: one that is not listed, is unknown, or cannot be read counts as Curfew's. */
#ifndef CURFEW_SQL_TRIGGER_EVENTS_H
#define CURFEW_SQL_TRIGGER_EVENTS_H

/* About the trigger with this object_id, as a condition. Curfew creates, alters, and drops none of these objects. */
#define FIRES_ELSEWHERE(id)                                                                          \
	"EXISTS (SELECT 1 FROM sys.trigger_events AS e WHERE e.object_id = " id ")\n"                \
	"    AND NOT EXISTS (SELECT 1 FROM sys.trigger_events AS e WHERE e.object_id = " id "\n"     \
	"      AND COALESCE(e.type_desc, N'') NOT IN (\n"                                            \
	"        N'CREATE_TABLE', N'ALTER_TABLE', N'DROP_TABLE', N'CREATE_INDEX', N'ALTER_INDEX',\n" \
	"        N'DROP_INDEX', N'CREATE_XML_INDEX', N'CREATE_SPATIAL_INDEX',\n"                     \
	"        N'CREATE_FULLTEXT_INDEX', N'ALTER_FULLTEXT_INDEX', N'DROP_FULLTEXT_INDEX',\n"       \
	"        N'CREATE_STATISTICS', N'UPDATE_STATISTICS', N'DROP_STATISTICS', N'CREATE_VIEW',\n"  \
	"        N'ALTER_VIEW', N'DROP_VIEW', N'CREATE_PROCEDURE', N'ALTER_PROCEDURE',\n"            \
	"        N'DROP_PROCEDURE', N'CREATE_FUNCTION', N'ALTER_FUNCTION', N'DROP_FUNCTION',\n"      \
	"        N'CREATE_TRIGGER', N'ALTER_TRIGGER', N'DROP_TRIGGER', N'RENAME'))"

#endif
