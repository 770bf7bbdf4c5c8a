/* The T-SQL that a DBA reviews and runs once to create the agent login with the permissions that Curfew needs, and the
 * T-SQL that drops it. */
#include "curfew/sql.h"
#include "sql/agent_permissions.h"
#include "sql/statement.h"

static void write_if(FILE *to, const char *exists, const char *view, const char *name)
{
	fprintf(to, "IF %s (SELECT 1 FROM %s WHERE name = ", exists, view);
	sql_write_string(to, name);
	fputs(")\n    ", to);
}

static void write_guarded(FILE *to, const char *view, const char *name)
{
	write_if(to, "NOT EXISTS", view, name);
}

static void write_present(FILE *to, const char *view, const char *name)
{
	write_if(to, "EXISTS", view, name);
}

static void write_words_name(FILE *to, const char *words, const char *name, const char *rest)
{
	fputs(words, to);
	sql_write_name(to, name);
	fputs(rest, to);
}

/* Whether a batch goes on behind a USE that failed differs by the error, and then it is in the database before: what
 * follows is in batches of its own, and each begins with this. */
static void write_use(FILE *to, const char *database)
{
	write_words_name(to, "USE ", database, ";\nGO\n");
	fputs("IF ISNULL(DB_ID(", to);
	sql_write_string(to, database);
	fputs("), 0) <> DB_ID()\n    THROW 50004, N'This part was not run: its database could not be opened.', 1;\n",
		to);
}

/* A restored database contains the agent's user but maps it to no login: map it again. */
static void write_user(FILE *to, const char *login)
{
	write_guarded(to, "sys.database_principals", login);
	write_words_name(to, "CREATE USER ", login, "");
	write_words_name(to, " FOR LOGIN ", login, "\n");
	write_words_name(to, "ELSE\n    ALTER USER ", login, "");
	write_words_name(to, " WITH LOGIN = ", login, ";\n");
}

static void write_login(FILE *to, const struct server *s, const struct server *first)
{
	fprintf(to,
		"-- Curfew's own login on %s. Run as a member of sysadmin; it may be run again.\n"
		"-- Put the password in place of the line that will not parse, and the same one into the\n"
		"-- agent's credential file `%s` (mode 0600). Never grant more: securityadmin equals sysadmin.\n"
		"-- The policy is off because it would lock the login after some wrong passwords, by anybody who reaches\n"
		"-- the port, and access would not end: so take 32 random characters or more, as `openssl rand -base64 36`\n"
		"-- makes them.\n"
		"USE [master];\n\n",
		s->name, s->credential);
	write_guarded(to, "sys.server_principals", s->login);
	write_words_name(to, "CREATE LOGIN ", s->login,
		" WITH PASSWORD =\n        <the password, as N'...'>,\n");
	if (first != s)
		fprintf(to,
			"        SID = <the SID of %s that the script of %s printed, as 0x...>,\n",
			s->login, first->name);
	fputs("        DEFAULT_DATABASE = [master], CHECK_POLICY = OFF, CHECK_EXPIRATION = OFF\n",
		to);
	write_words_name(to, "ELSE\n    ALTER LOGIN ", s->login, " WITH CHECK_POLICY = OFF;\nGO\n");
}

/* CREATE LOGIN takes no variable: its text is put together. Of the password nobody knows more than that it is random. */
static void write_user_login(FILE *to, const struct server *s, const struct server *first)
{
	fputs("\n-- As this login Curfew gives a login its user in a database, so that no DDL trigger there runs with what the\n"
	      "-- agent's own login may do. Nobody can log in with it: it is disabled, and its password is random.\n",
		to);
	write_guarded(to, "sys.server_principals", USER_LOGIN);
	fputs("BEGIN\n", to);
	if (first != s)
		fprintf(to,
			"    DECLARE @sid varbinary(85) = <the SID of " USER_LOGIN
			" that the script of %s printed, as 0x...>;\n",
			first->name);
	fputs("    DECLARE @create nvarchar(max) = N'CREATE LOGIN [" USER_LOGIN
	      "] WITH PASSWORD = N'''\n"
	      "        + CONVERT(nvarchar(66), CRYPT_GEN_RANDOM(32), 1) + N'''",
		to);
	if (first != s)
		fputs(", SID = ' + CONVERT(nvarchar(200), @sid, 1)\n        + N'", to);
	fputs(", DEFAULT_DATABASE = [master], CHECK_POLICY = ON, CHECK_EXPIRATION = OFF';\n"
	      "    EXEC sys.sp_executesql @create;\n"
	      "    ALTER LOGIN [" USER_LOGIN "] DISABLE;\n"
	      "END;\n"
	      "IF NOT ",
		to);
	user_login_fitness_write(to);
	fputs("\n    THROW 50005, N'Login " USER_LOGIN
	      " is somebody else''s, or was changed: it must be a disabled SQL login "
	      "that is in no server role and has no other permission.', 1;\n"
	      "GRANT VIEW ANY DEFINITION TO [" USER_LOGIN "];\n"
	      "GRANT IMPERSONATE ON LOGIN::[" USER_LOGIN "]",
		to);
	write_words_name(to, " TO ", s->login, ";\nGO\n");
}

static void write_sids(FILE *to, const struct server *s, const struct server *first)
{
	if (!s->replicas.n && first == s)
		return;
	fputs("\n-- The users of these logins come with the databases of an availability group and know them by their SIDs\n"
	      "-- alone: these must be the same on all replicas.\n"
	      "SELECT p.name, p.sid FROM sys.server_principals AS p WHERE p.name IN (N'" USER_LOGIN
	      "', ",
		to);
	sql_write_string(to, s->login);
	fputs(");\nGO\n", to);
}

static void write_server_rights(FILE *to, const struct server *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(server_rights); i++) {
		fprintf(to, "-- %s\nGRANT %s", server_rights[i].why,
			server_rights[i].permissions[0]);
		write_words_name(to, " TO ", s->login, ";\n");
	}
	fputs("GO\n\n-- Its members are the logins that Curfew made: the mark that an agent on another gateway, and an\n"
	      "-- auditor, can read. The role has no permission of its own.\n",
		to);
	write_guarded(to, "sys.server_principals", MARK_ROLE);
	write_words_name(to, "CREATE SERVER ROLE ", MARK_ROLE, "");
	write_words_name(to, " AUTHORIZATION ", s->login, "\n");
	write_words_name(to, "ELSE\n    ALTER AUTHORIZATION ON SERVER ROLE::", MARK_ROLE, "");
	write_words_name(to, " TO ", s->login, ";\nGO\n");
	fputs("\n-- Its members may take the lock by which one agent at a time changes this server: without it anybody who\n"
	      "-- may connect could hold that lock.\n",
		to);
	write_user(to, s->login);
	write_guarded(to, "sys.database_principals", LOCK_ROLE);
	write_words_name(to, "CREATE ROLE ", LOCK_ROLE, ";\n");
	write_words_name(to, "ALTER ROLE ", LOCK_ROLE, "");
	write_words_name(to, " ADD MEMBER ", s->login, ";\nGO\n");
	/* https://learn.microsoft.com/sql/relational-databases/system-catalog-views/sys-sql-expression-dependencies-transact-sql
	 * (Permissions): by default db_owner alone has SELECT on it. */
	fputs("\n-- What the triggers of the server use: where one is enabled, Curfew must know before it changes anything.\n"
	      "GRANT SELECT ON OBJECT::[sys].[sql_expression_dependencies]",
		to);
	write_words_name(to, " TO ", s->login, ";\nGO\n");
}

static void write_databases(FILE *to, const struct server *s, const struct server *first,
	char *const *databases, size_t n_databases)
{
	if (first != s) {
		fprintf(to,
			"\n-- The databases bring the agent's users along: the script of %s makes them where the primary is.\n",
			first->name);
		return;
	}
	/* Without a client file the script grants nothing in any database. Say so now, or the first pass fails with an
	 * error that does not name the reason. */
	if (!n_databases)
		fputs("\n-- No client file names a database of this server yet: the agent gets no right in any. Print this\n"
		      "-- again and run it again once one does.\n",
			to);
	else
		fputs("\n-- In each managed database: users, roles, their permissions, and what they own.\n",
			to);
	if (n_databases && s->replicas.n)
		fputs("-- Where another replica is the primary of one, run its part there.\n", to);
	for (size_t i = 0; i < n_databases; i++) {
		write_use(to, databases[i]);
		write_user(to, s->login);
		write_words_name(to, "ALTER ROLE [db_owner] ADD MEMBER ", s->login, ";\n");
		/* It comes in only while a login gets its user (statement_user_login.c). */
		write_user(to, USER_LOGIN);
		fputs("REVOKE CONNECT FROM [" USER_LOGIN "];\n", to);
		fputs("GO\n", to);
	}
}

static void write_agent_jobs(FILE *to, const struct server *s)
{
	static const char *const tables[] = {"sysjobs", "sysjobsteps", "sysschedules",
		"sysjobschedules", "sysalerts", "sysproxies", "sysproxylogin", "restorehistory"};

	/* Without these, the audit cannot search for jobs and proxies of former users, nor the inventory for what jobs
	 * name; both say so. Nor does anybody know what runs in a database as a sysadmin: then full access is
	 * refused. */
	fputs("\n-- For full access, the audit, and the inventory: what Agent jobs run, when, and as whom, who may use proxies, and\n"
	      "-- what was restored. Reading these tables is all.\n",
		to);
	write_use(to, "msdb");
	write_user(to, s->login);
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		fprintf(to, "GRANT SELECT ON OBJECT::[dbo].[%s]", tables[i]);
		write_words_name(to, " TO ", s->login, ";\n");
	}
	fputs("GO\n", to);
}

int sql_write_bootstrap(FILE *to, const struct server *s, const struct server *first,
	char *const *databases, size_t n_databases)
{
	write_login(to, s, first);
	write_user_login(to, s, first);
	write_sids(to, s, first);
	write_server_rights(to, s);
	write_databases(to, s, first, databases, n_databases);
	write_agent_jobs(to, s);
	return ferror(to) ? -1 : 0;
}

static void write_user_drop(FILE *to, const char *login)
{
	write_present(to, "sys.database_principals", login);
	write_words_name(to, "DROP USER ", login, ";\nGO\n");
}

/* Another gateway's agent may act as it: then it stays, with its users. */
static void write_if_no_others(FILE *to, const char *login)
{
	fputs("IF NOT EXISTS (SELECT 1 FROM sys.server_permissions AS p JOIN sys.server_principals AS g\n"
	      "    ON g.principal_id = p.grantee_principal_id WHERE p.class = 101 AND p.permission_name = N'IMPERSONATE'\n"
	      "    AND p.major_id = SUSER_ID(N'" USER_LOGIN "') AND g.name <> ",
		to);
	sql_write_string(to, login);
	fputs(")\n  AND ", to);
}

/* Where the server takes it for the grantor of what is granted on it, it could not be dropped before that (15173). */
static void write_user_login_drop(FILE *to, const char *login)
{
	write_if_no_others(to, login);
	fputs("SUSER_ID(N'" USER_LOGIN "') IS NOT NULL\n"
	      "BEGIN\n"
	      "    REVOKE IMPERSONATE ON LOGIN::[" USER_LOGIN "]",
		to);
	write_words_name(to, " FROM ", login, ";\n");
	fputs("    DROP LOGIN [" USER_LOGIN "];\n"
	      "END;\n",
		to);
	fputs("GO\n", to);
}

int sql_write_bootstrap_drop(FILE *to, const struct server *s, const struct server *first,
	char *const *databases, size_t n_databases)
{
	fprintf(to,
		"-- Takes Curfew's own login off %s. Run as a member of sysadmin, when `curfew status` shows no access there any\n"
		"-- more: logins that Curfew made stay, and nobody ends their access.\n",
		s->name);
	/* Those of a replica are dropped where the primary is. */
	for (size_t i = 0; i < n_databases && first == s; i++) {
		write_use(to, databases[i]);
		write_user_drop(to, s->login);
		write_use(to, databases[i]);
		write_if_no_others(to, s->login);
		fputs("DATABASE_PRINCIPAL_ID(N'" USER_LOGIN
		      "') IS NOT NULL\n    DROP USER [" USER_LOGIN "];\n",
			to);
		fputs("GO\n", to);
	}
	write_use(to, "msdb");
	write_user_drop(to, s->login);
	write_use(to, "master");
	write_present(to, "sys.database_principals", LOCK_ROLE);
	write_words_name(to, "ALTER ROLE ", LOCK_ROLE, "");
	write_words_name(to, " DROP MEMBER ", s->login, ";\n");
	write_present(to, "sys.database_principals", LOCK_ROLE);
	write_words_name(to, "DROP ROLE ", LOCK_ROLE, ";\nGO\n");
	write_use(to, "master");
	write_user_drop(to, s->login);
	write_user_login_drop(to, s->login);
	fputs("-- Refused while a login that Curfew made is a member: those first.\n", to);
	write_present(to, "sys.server_principals", MARK_ROLE);
	write_words_name(to, "DROP SERVER ROLE ", MARK_ROLE, ";\nGO\n");
	write_present(to, "sys.server_principals", s->login);
	write_words_name(to, "DROP LOGIN ", s->login, ";\nGO\n");
	return ferror(to) ? -1 : 0;
}
