/* The state of a database, and texts for why it cannot be read. None of them means that it does not exist, or that
 * nobody has access. */
#include <errno.h>
#include <string.h>

#include "catalog/catalog.h"
#include "sql/rows.h"

const char *database_error_words(int number)
{
	static const struct {
		int number;
		const char *words;
	} errors[] = {
		{911, "the server has no database of this name, or hides it"},
		{916, "the agent login has no user there"},
		{921, "it is being recovered"},
		{922, "it is being recovered"},
		{923, "it is in restricted mode, and the agent login is none of the few who may enter"},
		{924, "it is in single-user mode, and somebody else is connected"},
		{926, "it is suspect"},
		{927, "it is being restored"},
		{942, "it is offline"},
		{945, "some of its files are missing"},
		{952, "it is in transition"},
		{954, "it is a mirror"},
		{955, "its mirroring session has no quorum"},
		{976, "it is a secondary replica that cannot be read"},
		{978, "it is a secondary replica that accepts only read-intent connections"},
		{979, "it is an availability replica that accepts no read-only connections"},
		{982, "it is a secondary replica that cannot be read"},
		{988, "its availability group has no quorum of nodes"},
		{983, "its replica is neither primary nor secondary at the moment"},
		{4060, "it cannot be opened"},
		{1205, "the query was the victim of a deadlock"},
		{1222, "another session holds a lock on its catalog"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].number == number)
			return errors[i].words;
	return NULL;
}

bool database_is_denied(int number)
{
	static const int numbers[] = {229, 230, 262, 297, 300, 916};

	return number_is_among(number, numbers, ARRAY_SIZE(numbers));
}

/* ALTER on the database suffices for its user access, and CONTROL for a denial of a view or of CONNECT, and for
 * dropping the agent's user (https://learn.microsoft.com/sql/t-sql/statements/alter-database-transact-sql-set-options,
 * "Permissions"; https://learn.microsoft.com/sql/t-sql/statements/deny-database-permissions-transact-sql). */
bool database_is_barred(int number)
{
	static const int modes[] = {923, 924};

	return database_is_denied(number) || number_is_among(number, modes, ARRAY_SIZE(modes));
}

bool database_is_secondary(int number)
{
	static const int numbers[] = {976, 978, 979, 982};

	return number_is_among(number, numbers, ARRAY_SIZE(numbers));
}

/* Being recovered, suspect, being restored, offline, or without its files: USE fails for everybody (documented with each
 * error, and in "Database states"). Emergency mode, which a sysadmin may enter, is none of them. */
bool database_is_shut(int number)
{
	static const int numbers[] = {921, 922, 926, 927, 942, 945};

	return number_is_among(number, numbers, ARRAY_SIZE(numbers));
}

static bool state_is_shut(int state)
{
	return (state >= 1 && state <= 4) || state == 6;
}

const char *database_state_words(int state)
{
	static const char *const words[] = {NULL, "it is being restored", "it is being recovered",
		"its recovery waits for files", "it is suspect", "it is in emergency mode",
		"it is offline"};

	return state < 0 || (size_t)state >= ARRAY_SIZE(words) ? "it is not online" : words[state];
}

static int unwritable_set(struct observed_database *d, const char *why)
{
	if (!d->unwritable)
		d->unwritable = strdup(why);
	return d->unwritable ? 0 : -ENOMEM;
}

static int unread_set(struct observed_database *d, const char *why)
{
	if (!d->unread)
		d->unread = strdup(why);
	return d->unread ? 0 : -ENOMEM;
}

enum { ACCESS_SINGLE_USER = 1 };

int catalog_row_database(struct server_reading *r, const struct sql_value *v)
{
	struct observed_database *d = ARRAY_MORE(r->o->databases, r->o->n_databases);

	if (!d || !row_name(&d->name, &v[2]))
		return -ENOMEM;
	d->id = (int)row_number(&v[1]);
	d->source = (int)row_number(&v[5]);
	row_sid(&d->owner, &v[10]);
	/* Unknown counts as on. */
	d->chaining = !v[11].data || row_number(&v[11]) != 0;
	d->trustworthy = !v[12].data || row_number(&v[12]) != 0;
	record_set(d->made, sizeof(d->made), v[13].data ? v[13].data : "");
	const char *state = database_state_words(v[3].data ? (int)row_number(&v[3]) : -1);
	d->online = !state;
	d->shut = v[3].data && state_is_shut((int)row_number(&v[3]));
	/* 0 may also mean that the database is closed at the moment: try to enter it. */
	d->accessible = !v[8].data || row_number(&v[8]) == 1;
	int rc = state ? unread_set(d, state) : 0;
	/* Entering would take the only connection and lock out a DBA. */
	if (!rc && (int)row_number(&v[4]) == ACCESS_SINGLE_USER) {
		d->barred = true;
		rc = unread_set(d, "it is in single-user mode");
	}
	if (!rc && d->source)
		rc = unwritable_set(d, "it is a snapshot");
	if (!rc && row_number(&v[7]))
		rc = unwritable_set(d, "it is a standby copy");
	if (!rc && row_number(&v[6]))
		rc = unwritable_set(d, "it is read-only");
	/* NULL while a database is closed by AUTO_CLOSE: then the second column must say it. */
	if (!rc && !d->unwritable && (!v[6].data || !v[7].data) && !row_is(&v[9], "READ_WRITE") &&
		!row_is(&v[9], "READ_ONLY"))
		rc = unwritable_set(d, "the server does not tell whether it can be changed");
	/* sys.databases of a secondary replica shows it as writable. */
	d->secondary = !d->unwritable && row_is(&v[9], "READ_ONLY");
	if (!rc && row_is(&v[9], "READ_ONLY"))
		rc = unwritable_set(d, "it is a read-only copy");
	return rc;
}
