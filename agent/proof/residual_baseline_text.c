/* What a baseline records: every item of a database that can be new or changed later. A module is identified by a hash
 * of its text, because dates can be set back, and by the SET options that it was created with. A table, and a module
 * with encrypted text, is identified by its modify_date. */
#include "proof/residual_baseline.h"

const struct base_question base_questions[] = {
	/* The type comes first, because the remedy depends on it. Only literals meet in one expression. */
	{"object",
		ITEM TWO_PART ", o.type_desc, " LONG_NAME("y.base_object_name") ", " HASH(
			"m.definition") ",\n"
					"  CASE WHEN m.definition IS NULL AND y.object_id IS NULL THEN CONVERT(nvarchar(30), o.modify_date, 126) END,\n"
					"  CASE m.uses_ansi_nulls WHEN 0 THEN N', ansi_nulls off' ELSE N'' END +\n"
					"    CASE m.uses_quoted_identifier WHEN 0 THEN N', quoted_identifier off' ELSE N'' END +\n"
					"    CASE m.is_schema_bound WHEN 1 THEN N', schemabinding' ELSE N'' END,\n"
					"  CASE WHEN m.execute_as_principal_id IS NOT NULL\n"
					"    THEN N', execute as ' + CAST(m.execute_as_principal_id AS nvarchar(11)) END,\n"
					"  " FLAG("t.is_disabled",
						" disabled") "\n"
							     "FROM sys.objects AS o " IN_SCHEMA
							     "LEFT JOIN sys.sql_modules AS m ON m.object_id = o.object_id\n"
							     "LEFT JOIN sys.synonyms AS y ON y.object_id = o.object_id\n"
							     "LEFT JOIN sys.triggers AS t ON t.object_id = o.object_id\n"
							     "WHERE o.type IN ('U', 'V', 'P', 'FN', 'IF', 'TF', 'TR', 'SO', 'SN', 'PC', 'FS', 'FT', 'TA', 'AF', 'X');\n",
		"%1w", "%3t %5x%4n%6t%7t%8t%9t"},
	{"table",
		ITEM TWO_PART ", o.object_id FROM sys.objects AS o " IN_SCHEMA
			      "WHERE o.type = 'U';\n",
		"%1w", "object_id %3t"},
	{"numbered",
		ITEM TWO_PART ", n.procedure_number, " HASH(
			"n.definition") "\n"
					"FROM sys.numbered_procedures AS n JOIN sys.objects AS o ON o.object_id = n.object_id " IN_SCHEMA
					";\n",
		"%1w;%3t", "%4x"},
	{"trigger",
		ITEM TWO_PART ", e.type_desc, " FLAG(
			"t.is_instead_of_trigger", "instead of ") " + " FLAG("e.is_first",
			"first ") " +\n"
				  "  " FLAG("e.is_last",
					  "last ") ", t.parent_id\n"
						   "FROM sys.triggers AS t JOIN sys.trigger_events AS e ON e.object_id = t.object_id\n"
						   "JOIN sys.objects AS o ON o.object_id = t.object_id " IN_SCHEMA
						   ";\n",
		"%1w %3t", "%4t on object_id %5t"},
	{"ddl-trigger",
		ITEM NAME("t.name") ", " HASH("m.definition") ", " FLAG("t.is_disabled",
			" disabled") "\n"
				     "FROM sys.triggers AS t LEFT JOIN sys.sql_modules AS m ON m.object_id = t.object_id\n"
				     "WHERE t.parent_class = 0;\n",
		"%1q", "%2x%3t"},
	{"column",
		ITEM TWO_PART
		", " NAME("c.name") ", c.user_type_id, c.max_length, " FLAG("c.is_nullable",
			" null") " +\n"
				 "  " FLAG("c.is_computed",
					 " computed") "\n"
						      "FROM sys.columns AS c JOIN sys.objects AS o ON o.object_id = c.object_id " IN_SCHEMA
						      "WHERE o.type = 'U';\n",
		"%1w.%3q", "type %4t, %5t bytes%6t"},
	{"index",
		ITEM TWO_PART ", " NAME("i.name") ", i.type_desc, " FLAG("i.is_unique",
			" unique") " +\n"
				   "  " FLAG("i.has_filter", " filtered") ", " FLAG("i.is_disabled",
					   " disabled") "\n"
							"FROM sys.indexes AS i JOIN sys.objects AS o ON o.object_id = i.object_id " IN_SCHEMA
							"WHERE o.type IN ('U', 'V') AND i.index_id > 0;\n",
		"%1w.%3q", "%4t%5t%6t"},
	{"check",
		ITEM TWO_PART
		", " NAME("k.name") ", " HASH("k.definition") ", " FLAG("k.is_not_trusted",
			" not trusted") ",\n"
					"  " FLAG("k.is_disabled",
						" disabled") "\n"
							     "FROM sys.check_constraints AS k JOIN sys.objects AS o ON o.object_id = k.parent_object_id " IN_SCHEMA
							     ";\n",
		"%1w.%3q", "%4x%5t%6t"},
	{"default",
		ITEM TWO_PART ", k.parent_column_id, " HASH(
			"k.definition") "\n"
					"FROM sys.default_constraints AS k JOIN sys.objects AS o ON o.object_id = k.parent_object_id " IN_SCHEMA
					";\n",
		"%1w column %3t", "%4x"},
	{"computed",
		ITEM TWO_PART ", " NAME("c.name") ", " HASH(
			"c.definition") "\n"
					"FROM sys.computed_columns AS c JOIN sys.objects AS o ON o.object_id = c.object_id " IN_SCHEMA
					";\n",
		"%1w.%3q", "%4x"},
	{"foreign-key",
		ITEM TWO_PART
		", " NAME("k.name") ", k.referenced_object_id, " FLAG("k.is_not_trusted",
			" not trusted") ",\n"
					"  " FLAG("k.is_disabled",
						" disabled") "\n"
							     "FROM sys.foreign_keys AS k JOIN sys.objects AS o ON o.object_id = k.parent_object_id " IN_SCHEMA
							     ";\n",
		"%1w.%3q", "to object_id %4t%5t%6t"},
	{"plan-guide",
		ITEM NAME("g.name") ", g.scope_object_id, " HASH("g.hints") ", " FLAG(
			"g.is_disabled", " disabled") "\n"
						      "FROM sys.plan_guides AS g;\n",
		"%1n", "on object_id %2t: %3x%4t"},
	{"policy",
		ITEM TWO_PART ", " FLAG("y.is_enabled", "enabled") ", " FLAG("y.is_schema_bound",
			" schemabinding") "\n"
					  "FROM sys.security_policies AS y JOIN sys.objects AS o ON o.object_id = y.object_id " IN_SCHEMA
					  ";\n",
		"%1w", "%3t%4t"},
	{"signature",
		ITEM TWO_PART
		", x.crypt_type_desc, x.thumbprint\n"
		"FROM sys.crypt_properties AS x JOIN sys.objects AS o ON o.object_id = x.major_id " IN_SCHEMA
		"WHERE x.class = 1;\n",
		"%1w %3t %4x", ""},
	{"queue",
		ITEM TWO_PART ", " LONG_NAME(
			"o.activation_procedure") ", o.execute_as_principal_id,\n"
						  "  " FLAG("o.is_activation_enabled",
							  " activated") " + " FLAG("o.is_receive_enabled",
							  " on") "\n"
								 "FROM sys.service_queues AS o " IN_SCHEMA
								 ";\n",
		"%1w", "%3n as %4t%5t"},
	{"type", ITEM TWO_PART " FROM sys.types AS o " IN_SCHEMA "WHERE o.is_user_defined = 1;\n",
		"%1w", "TYPE"},
	{"certificate", ITEM NAME("c.name") ", c.thumbprint FROM sys.certificates AS c;\n", "%1q",
		"CERTIFICATE %2x"},
	PRINCIPAL_ITEMS,
	MEMBER_ITEMS,
	PERMISSION_ITEMS,
	{"setting",
		ITEM "N'trustworthy', CAST(d.is_trustworthy_on AS nvarchar(1)), NULL\n"
		     "FROM sys.databases AS d WHERE d.database_id = DB_ID();\n",
		"%1t", "%2t%3x"},
	{"setting",
		ITEM "N'chaining', CAST(d.is_db_chaining_on AS nvarchar(1)), NULL\n"
		     "FROM sys.databases AS d WHERE d.database_id = DB_ID();\n",
		"%1t", "%2t%3x"},
	{"setting",
		ITEM "N'containment', d.containment_desc, NULL\n"
		     "FROM sys.databases AS d WHERE d.database_id = DB_ID();\n",
		"%1t", "%2t%3x"},
	{"setting",
		ITEM "N'owner', N'0x', d.owner_sid\n"
		     "FROM sys.databases AS d WHERE d.database_id = DB_ID();\n",
		"%1t", "%2t%3x"},
	/* Changes only when the database is created or restored. */
	{"setting",
		ITEM "N'made', CONVERT(nvarchar(30), d.create_date, 126), NULL\n"
		     "FROM sys.databases AS d WHERE d.database_id = DB_ID();\n",
		"%1t", "%2t%3x"},
	{0},
};
