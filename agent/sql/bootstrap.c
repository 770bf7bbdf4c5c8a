/* The T-SQL that a DBA reviews and runs once to make the agent's own least-privilege login. */
#include "curfew/sql.h"
#include "sql/rights.h"

static void write_guarded(FILE *to, const char *view, const char *name)
{
	fprintf(to, "IF NOT EXISTS (SELECT 1 FROM %s WHERE name = ", view);
	sql_write_string(to, name);
	fputs(")\n    ", to);
}

int sql_write_bootstrap(
	FILE *to, const struct server *s, char *const *databases, size_t n_databases)
{
	fprintf(to,
		"-- Curfew's own login on %s. Run as a member of sysadmin; it may be run again.\n"
		"-- Put the password in place of the line that will not parse, and the same one into the\n"
		"-- agent's credential file `%s` (mode 0600). Never grant more: securityadmin equals sysadmin.\n"
		"USE [master];\n\n",
		s->name, s->credential);
	write_guarded(to, "sys.server_principals", s->login);
	fputs("CREATE LOGIN ", to);
	sql_write_name(to, s->login);
	fputs(" WITH PASSWORD =\n        <the password, as N'...'>,\n"
	      "        DEFAULT_DATABASE = [master], CHECK_POLICY = ON, CHECK_EXPIRATION = OFF;\nGO\n",
		to);
	for (size_t i = 0; i < ARRAY_SIZE(server_rights); i++) {
		fprintf(to, "-- %s\nGRANT %s TO ", server_rights[i].why,
			server_rights[i].permissions[0]);
		sql_write_name(to, s->login);
		fputs(";\n", to);
	}
	fputs("GO\n\n-- Its members are the logins that Curfew made: the mark that an agent on another gateway, and an\n"
	      "-- auditor, can read. The role has no permission of its own.\n",
		to);
	write_guarded(to, "sys.server_principals", MARK_ROLE);
	fputs("CREATE SERVER ROLE ", to);
	sql_write_name(to, MARK_ROLE);
	fputs(" AUTHORIZATION ", to);
	sql_write_name(to, s->login);
	fputs(";\nGO\n", to);
	/* Whoever makes the login before the first client file must not learn it from a refused pass. */
	if (!n_databases)
		fputs("\n-- No client file names a database of this server yet: the agent gets no right in any. Print this\n"
		      "-- again and run it again once one does.\n",
			to);
	else
		fputs("\n-- In each managed database: users, roles and their permissions. db_owner is the plain way; the\n"
		      "-- narrower one is ALTER ANY USER, ALTER ANY ROLE and CONTROL on each user schema.\n",
			to);
	for (size_t i = 0; i < n_databases; i++) {
		fputs("USE ", to);
		sql_write_name(to, databases[i]);
		fputs(";\n", to);
		write_guarded(to, "sys.database_principals", s->login);
		fputs("CREATE USER ", to);
		sql_write_name(to, s->login);
		fputs(" FOR LOGIN ", to);
		sql_write_name(to, s->login);
		fputs(";\nALTER ROLE [db_owner] ADD MEMBER ", to);
		sql_write_name(to, s->login);
		fputs(";\nGO\n", to);
	}
	/* Without it the search for jobs and proxies left behind is refused, and the audit says so. */
	fputs("\n-- For the audit: who owns Agent jobs and proxies. Reading these two tables is all.\nUSE [msdb];\n",
		to);
	write_guarded(to, "sys.database_principals", s->login);
	fputs("CREATE USER ", to);
	sql_write_name(to, s->login);
	fputs(" FOR LOGIN ", to);
	sql_write_name(to, s->login);
	fputs(";\n", to);
	static const char *const tables[] = {"sysjobs", "sysproxies"};
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		fprintf(to, "GRANT SELECT ON OBJECT::[dbo].[%s] TO ", tables[i]);
		sql_write_name(to, s->login);
		fputs(";\n", to);
	}
	fputs("GO\n", to);
	return ferror(to) ? -1 : 0;
}
