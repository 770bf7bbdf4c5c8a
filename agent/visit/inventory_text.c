/* What an inventory asks. Plain columns alone: texts are put together elsewhere, because views of one server have
 * several collations. How long the rows of each view live is in tests/practice/README.md, with its source. */
#include "visit/inventory_read.h"
#include "sql/name.h"

#define ITEM		      "SELECT N'inventory' AS [part], %C, DB_ID(), "
#define NAME(e)		      NAME_BYTES(e)
#define LONG(e)		      "CAST(CAST(" e " AS nvarchar(1035)) AS varbinary(2070))"
#define HASH(text)	      "HASHBYTES('SHA2_256', " text ")"
#define FLAG(condition, word) "CASE WHEN " condition " THEN N' " word "' ELSE N'' END"
/* Dates are in the server's local time, so ages are differences between readings of its own clock. What is older than
 * the product is unknown: DATEDIFF fails beyond 68 years. */
#define AGE(column)                                                                                \
	"CASE WHEN " column " < '19900101' THEN NULL ELSE DATEDIFF(SECOND, " column                \
	", GETDATE()) END"
#define DATES(a) AGE(a ".create_date") ", " AGE(a ".modify_date")
/* The age of the oldest of a kind of use, of all indexes of the database. */
#define OLDEST(column)	    "MAX(" AGE("u." column) ")"
#define SPOKEN		    "JOIN sys.schemas AS s ON s.schema_id = o.schema_id\n"
#define SAYS(pattern, word) "CASE WHEN m.t LIKE N'%%" pattern "%%' THEN N' " word "' ELSE N'' END"

/* It would scatter the lines of each question. */
/* clang-format off */
const struct inventory_question inventory_database_questions[] = {
	{"object", RECORD_ITEM, true, "ipSNkhHatcm",
		ITEM "o.object_id, o.parent_object_id, " NAME("s.name") ", " NAME("o.name") ", o.type,\n"
		" " HASH("m.definition") ", " FLAG("m.uses_ansi_nulls = 0", "ansi_nulls-off") " +\n"
		" " FLAG("m.uses_quoted_identifier = 0", "quoted_identifier-off") ",\n"
		" " FLAG("m.execute_as_principal_id IS NOT NULL", "execute-as") " +\n"
		" " FLAG("m.object_id IS NOT NULL AND m.definition IS NULL", "unreadable") " +\n"
		" " FLAG("t.is_disabled = 1", "disabled") " + " FLAG("m.uses_native_compilation = 1", "native") " +\n"
		" " FLAG("b.is_memory_optimized = 1 OR b.is_external = 1", "uncounted") ",\n"
		" " LONG("y.base_object_name") ", " DATES("o") "\n"
		"FROM sys.objects AS o " SPOKEN "LEFT JOIN sys.sql_modules AS m ON m.object_id = o.object_id\n"
		"LEFT JOIN sys.synonyms AS y ON y.object_id = o.object_id\n"
		"LEFT JOIN sys.triggers AS t ON t.object_id = o.object_id\n"
		"LEFT JOIN sys.tables AS b ON b.object_id = o.object_id\n"
		"WHERE o.is_ms_shipped = 0 AND o.type IN ('U', 'V', 'P', 'FN', 'IF', 'TF', 'TR', 'SO', 'SN', 'SQ',\n"
		" 'PC', 'FS', 'FT', 'TA', 'AF', 'X');\n"},
	{"ddl-trigger", RECORD_ITEM, false, "iNhacm",
		ITEM "t.object_id, " NAME("t.name") ", " HASH("m.definition") ",\n"
		" " FLAG("m.execute_as_principal_id IS NOT NULL", "execute-as") " +\n"
		" " FLAG("t.is_disabled = 1", "disabled") ", " DATES("t") "\n"
		"FROM sys.triggers AS t LEFT JOIN sys.sql_modules AS m ON m.object_id = t.object_id\n"
		"WHERE t.parent_class = 0 AND t.is_ms_shipped = 0;\n"},
	{"column", RECORD_ITEM, false, "ipNoHH",
		ITEM "c.column_id, c.object_id, " NAME("c.name") ", CASE WHEN c.user_type_id > 256 THEN c.user_type_id END,\n"
		" c.system_type_id, c.max_length\n"
		"FROM sys.columns AS c JOIN sys.objects AS o ON o.object_id = c.object_id\n"
		"WHERE o.type = 'U' AND o.is_ms_shipped = 0;\n"},
	{"index", RECORD_ITEM, false, "pxNHa",
		ITEM "i.object_id, i.index_id, " NAME("i.name") ", i.type_desc,\n"
		" " FLAG("i.is_unique = 1", "unique") " +\n"
		" " FLAG("i.is_primary_key = 1 OR i.is_unique_constraint = 1", "constraint") " +\n"
		" " FLAG("i.has_filter = 1", "filtered") " + " FLAG("i.is_disabled = 1", "disabled") "\n"
		"FROM sys.indexes AS i JOIN sys.objects AS o ON o.object_id = i.object_id\n"
		"WHERE o.type IN ('U', 'V') AND o.is_ms_shipped = 0 AND i.index_id > 0;\n"},
	{"type", RECORD_ITEM, false, "iSNHHa",
		ITEM "o.user_type_id, " NAME("s.name") ", " NAME("o.name") ", o.system_type_id, o.max_length,\n"
		" " FLAG("o.is_assembly_type = 1", "clr") "\n"
		"FROM sys.types AS o " SPOKEN "WHERE o.is_user_defined = 1;\n"},
	{"assembly", RECORD_ITEM, false, "iNacm",
		ITEM "a.assembly_id, " NAME("a.name") ", N' clr', " DATES("a") "\n"
		"FROM sys.assemblies AS a WHERE a.is_user_defined = 1;\n"},
	/* What a text says proves nothing (it may stand in a comment), and is worth a look. Compared in binary: the
	 * database's own collation would be many times slower over all texts. */
	{"text", RECORD_REFERENCE, false, "ia",
		ITEM "m.object_id, " SAYS("OPENROWSET", "openrowset") " + " SAYS("OPENQUERY", "openquery") " +\n"
		" " SAYS("OPENDATASOURCE", "opendatasource") " + " SAYS("XP[_]", "xp_") " +\n"
		" " SAYS("SP[_]OA", "sp_oa") " + " SAYS("SP[_]SEND[_]DBMAIL", "database-mail") " +\n"
		" " SAYS("BEGIN DIALOG", "service-broker") " + " SAYS("BULK INSERT", "bulk-insert") " +\n"
		" CASE WHEN m.t LIKE N'%%SP[_]EXECUTESQL%%' OR m.t LIKE N'%%EXEC(%%' OR m.t LIKE N'%%EXEC (%%'\n"
		" OR m.t LIKE N'%%EXECUTE(%%' OR m.t LIKE N'%%EXECUTE (%%' THEN N' dynamic-sql' ELSE N'' END +\n"
		" CASE WHEN m.t LIKE N'%%SELECT%%' OR m.t LIKE N'%%INSERT%%' OR m.t LIKE N'%%UPDATE%%' OR m.t LIKE N'%%DELETE%%'\n"
		" OR m.t LIKE N'%%MERGE%%' OR m.t IS NULL THEN N'' ELSE N' no-query' END\n"
		"FROM (SELECT d.object_id, UPPER(d.definition COLLATE Latin1_General_BIN2) AS t\n"
		" FROM sys.sql_modules AS d) AS m;\n"},
	/* A default or a check belongs to its table. */
	{"reference", RECORD_REFERENCE, false, "ioWDSN",
		ITEM "CASE WHEN o.type IN ('C', 'D') THEN o.parent_object_id ELSE d.referencing_id END, d.referenced_id,\n"
		" " NAME("d.referenced_server_name") ", " NAME("d.referenced_database_name") ",\n"
		" " NAME("d.referenced_schema_name") ", " NAME("d.referenced_entity_name") "\n"
		"FROM sys.sql_expression_dependencies AS d LEFT JOIN sys.objects AS o ON o.object_id = d.referencing_id\n"
		"WHERE d.referencing_class IN (1, 12) AND d.referenced_class = 1;\n"},
	{"foreign-key", RECORD_REFERENCE, false, "io",
		ITEM "k.parent_object_id, k.referenced_object_id FROM sys.foreign_keys AS k;\n"},
	/* This view is deprecated, and stays: no other one says which module writes to a table.
	 * sys.sql_expression_dependencies has no such column, and sys.dm_sql_referenced_entities, which has, compiles
	 * one module at a time and fails for a module with a column that is gone (2020). A server without the view
	 * leaves this part unread, and with it the remark on writing to the product's tables
	 * (https://learn.microsoft.com/sql/relational-databases/system-catalog-views/sys-sql-dependencies-transact-sql,
	 * https://learn.microsoft.com/sql/relational-databases/system-catalog-views/sys-sql-expression-dependencies-transact-sql,
	 * https://learn.microsoft.com/sql/relational-databases/system-dynamic-management-views/sys-dm-sql-referenced-entities-transact-sql). */
	{"writes", RECORD_REFERENCE, false, "io",
		ITEM "w.object_id, w.referenced_major_id FROM sys.sql_dependencies AS w\n"
		"WHERE w.class IN (0, 1) AND w.is_updated = 1;\n"},
	{"size", RECORD_USE, false, "irb",
		ITEM "p.object_id, SUM(CASE WHEN p.index_id < 2 THEN p.row_count ELSE 0 END), SUM(p.used_page_count)\n"
		"FROM sys.dm_db_partition_stats AS p GROUP BY p.object_id;\n"},
	{"index-usage", RECORD_USE, false, "ixulllw",
		ITEM "u.object_id, u.index_id, u.user_seeks + u.user_scans + u.user_lookups + u.user_updates,\n"
		" " AGE("u.last_user_seek") ", " AGE("u.last_user_scan") ",\n"
		" " AGE("u.last_user_lookup") ", " AGE("u.last_user_update") "\n"
		"FROM sys.dm_db_index_usage_stats AS u WHERE u.database_id = DB_ID();\n"},
	/* No view says when a database was opened, which empties its counters. Its rows are added by use and removed
	 * all together: the oldest time in any of them is one since which nothing was forgotten. */
	{"counted-since", RECORD_COVERAGE, false, "seeeeeeee",
		ITEM "1, " OLDEST("last_user_seek") ", " OLDEST("last_user_scan") ",\n"
		" " OLDEST("last_user_lookup") ", " OLDEST("last_user_update") ",\n"
		" " OLDEST("last_system_seek") ", " OLDEST("last_system_scan") ",\n"
		" " OLDEST("last_system_lookup") ", " OLDEST("last_system_update") "\n"
		"FROM sys.dm_db_index_usage_stats AS u WHERE u.database_id = DB_ID();\n"},
	{"procedure-stats", RECORD_USE, false, "iul",
		ITEM "p.object_id, p.execution_count, " AGE("p.last_execution_time") "\n"
		"FROM sys.dm_exec_procedure_stats AS p WHERE p.database_id = DB_ID();\n"},
	{"trigger-stats", RECORD_USE, false, "iul",
		ITEM "p.object_id, p.execution_count, " AGE("p.last_execution_time") "\n"
		"FROM sys.dm_exec_trigger_stats AS p WHERE p.database_id = DB_ID();\n"},
	{"function-stats", RECORD_USE, false, "iul",
		ITEM "p.object_id, p.execution_count, " AGE("p.last_execution_time") "\n"
		"FROM sys.dm_exec_function_stats AS p WHERE p.database_id = DB_ID();\n"},
	/* Taking in, all, and so far from its size that it removed nothing for that (it does so from 90 percent down to
	 * about 80): only then does it mean something that a module is not in it, and for as long as it keeps a query. */
	{"query-store", RECORD_COVERAGE, false, "sgb",
		ITEM "CASE WHEN q.actual_state = 2 AND q.query_capture_mode = 1\n"
		" AND (q.size_based_cleanup_mode = 0 OR q.current_storage_size_mb * 4 < q.max_storage_size_mb * 3) THEN 1 ELSE 0 END,\n"
		" (SELECT MAX(DATEDIFF(SECOND, x.initial_compile_start_time, SYSDATETIMEOFFSET())) FROM sys.query_store_query AS x),\n"
		" CASE WHEN q.stale_query_threshold_days > 0 THEN q.stale_query_threshold_days * 86400 END\n"
		"FROM sys.database_query_store_options AS q;\n"},
	{"query-store-use", RECORD_USE, false, "iul",
		ITEM "q.object_id, SUM(q.count_compiles),\n"
		" MIN(DATEDIFF(SECOND, q.last_execution_time, SYSDATETIMEOFFSET()))\n"
		"FROM sys.query_store_query AS q WHERE q.object_id <> 0 GROUP BY q.object_id;\n"},
	/* What depends on a column, and must be dropped before it: the table that has it, then the column and its table. */
	{"default", RECORD_ITEM, false, "poiN",
		ITEM "k.parent_object_id, k.parent_object_id, k.parent_column_id, " NAME("k.name") "\n"
		"FROM sys.default_constraints AS k;\n"},
	/* The view names the column of a check only where the check was written with that column. */
	{"check", RECORD_ITEM, false, "poiN",
		ITEM "k.parent_object_id, k.parent_object_id, c.column_id, " NAME("k.name") "\n"
		"FROM sys.check_constraints AS k LEFT JOIN sys.columns AS c ON c.object_id = k.parent_object_id\n"
		" AND (c.column_id = k.parent_column_id OR CHARINDEX(QUOTENAME(c.name), k.definition) > 0);\n"},
	{"foreign-key-column", RECORD_ITEM, false, "poiN",
		ITEM "f.parent_object_id, f.parent_object_id, f.parent_column_id, " NAME("k.name") "\n"
		"FROM sys.foreign_key_columns AS f JOIN sys.foreign_keys AS k ON k.object_id = f.constraint_object_id;\n"},
	{"foreign-key-target", RECORD_ITEM, false, "poiN",
		ITEM "f.parent_object_id, f.referenced_object_id, f.referenced_column_id, " NAME("k.name") "\n"
		"FROM sys.foreign_key_columns AS f JOIN sys.foreign_keys AS k ON k.object_id = f.constraint_object_id;\n"},
	{"index-column", RECORD_ITEM, false, "poiNa",
		ITEM "i.object_id, i.object_id, c.column_id, " NAME("i.name") ",\n"
		" " FLAG("i.is_primary_key = 1 OR i.is_unique_constraint = 1", "constraint") "\n"
		"FROM sys.index_columns AS c JOIN sys.indexes AS i ON i.object_id = c.object_id AND i.index_id = c.index_id\n"
		"JOIN sys.objects AS o ON o.object_id = i.object_id WHERE o.type = 'U' AND o.is_ms_shipped = 0 AND i.index_id > 0;\n"},
	{0},
};

const struct inventory_question inventory_server_questions[] = {
	{"server-start", RECORD_COVERAGE, false, "sg",
		ITEM "1, " AGE("i.sqlserver_start_time") " FROM sys.dm_os_sys_info AS i;\n"},
	{"linked-server", RECORD_ITEM, false, "iN",
		ITEM "v.server_id, " NAME("v.name") " FROM sys.servers AS v WHERE v.is_linked = 1;\n"},
	{"job", RECORD_ITEM, false, "Nacm",
		ITEM NAME("j.name") ", " FLAG("j.enabled = 0", "disabled") ",\n"
		" " AGE("j.date_created") ", " AGE("j.date_modified") " FROM msdb.dbo.sysjobs AS j;\n"},
	/* The command serves to find names in it, and is shown nowhere: it may hold a password. */
	{"job-step", RECORD_ITEM, false, "pNSat",
		ITEM "p.step_id, " NAME("j.name") ", " NAME("p.database_name") ", N' ' + p.subsystem,\n"
		" CAST(CAST(p.command AS nvarchar(2000)) AS varbinary(4000))\n"
		"FROM msdb.dbo.sysjobs AS j JOIN msdb.dbo.sysjobsteps AS p ON p.job_id = j.job_id;\n"},
	{0},
};

/* clang-format on */
