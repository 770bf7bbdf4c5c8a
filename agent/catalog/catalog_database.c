/* Reads one database by batches of its own, where the common batch (catalog_batch.c) gave no complete answer. A lock on
 * its catalog, or taking it offline, makes this database unread and does not delay the others.
 *
 * Where a batch works in a database it begins with USE; every row of this reading says which database it is of, every
 * later question stands behind question_enter_write(), and every change behind IF DB_NAME() = N'...'. EXEC
 * [db].sys.sp_executesql N'...' would do as well, but puts every statement into a string, which nobody reads with ease,
 * and an engine that passes over the first part of such a name would act in master without a word. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "catalog/catalog.h"
#include "curfew/text.h"
#include "sql/rows.h"
#include "sql/question.h"

enum { ERROR_NO_DATABASE = 911 };

/* The bootstrap gives the agent login what it needs there, and takes no denial from others. */
#define RIGHTS_FIX UNREAD_BOOTSTRAP "SERVER` again, and revoke what is denied there to public"

int database_unread_set(struct observed_database *d, const char *format, ...)
{
	va_list args;

	free(d->unread);
	va_start(args, format);
	d->unread = text_vformat(format, args);
	va_end(args);
	return d->unread ? 0 : -ENOMEM;
}

static void use_write(FILE *to, const struct database_reading *r)
{
	fprintf(to, "SET LOCK_TIMEOUT %u;\nUSE ", r->patience);
	sql_write_name(to, r->d->name);
	fputs(";\n", to);
}

/* What runs as others decides about full access, which is given in managed databases alone. In tempdb the rows of
 * objects are locked by everybody's temporary tables. */
static bool part_is_asked(const struct part *p, const struct observed_database *d)
{
	static const char *const of_objects[] = {"object", "column", "trigger"};

	for (size_t i = 0; d->system && i < ARRAY_SIZE(of_objects); i++)
		if (streq(p->name, of_objects[i]))
			return false;
	return d->managed || (!streq(p->name, "runner") && !streq(p->name, PART_THERE));
}

void database_block_write(FILE *to, const struct database_reading *r, bool principals_alone)
{
	fputs("USE ", to);
	sql_write_name(to, r->d->name);
	fputs(";\nBEGIN TRY\n", to);
	if (principals_alone)
		catalog_principals_write(to, r->sids, r->n_sids);
	for (const struct part *p = database_parts; p->name; p++)
		if (principals_alone ? streq(p->name, "end") : part_is_asked(p, r->d))
			fputs(p->text, to);
	fprintf(to,
		"END TRY\nBEGIN CATCH\n"
		"IF ERROR_NUMBER() = %d SET LOCK_TIMEOUT %d;\n"
		"SELECT N'failed' AS [part], DB_ID(), ERROR_NUMBER(), ERROR_MESSAGE(); END CATCH;\n",
		ERROR_LOCK_TIMEOUT, LOCK_PATIENCE_AFTER);
}

static int parts_send(struct database_reading *r, bool principals_alone)
{
	struct text batch;

	if (!text_begin(&batch))
		return -ENOMEM;
	fprintf(batch.to, "SET LOCK_TIMEOUT %u;\n", r->patience);
	database_block_write(batch.to, r, principals_alone);
	raw_catalog_free(&r->raw);
	r->raw.database = r->d->id;
	return question_ask(r->session, r->error, &batch, catalog_database_row, &r->raw);
}

/* ---- reasons why it could not be read ---- */

static int blocker_row(void *words, const struct sql_value *v, int n)
{
	_cleanup_free_ char *login = NULL;

	if (n != 3 || !row_is(&v[0], "blocker"))
		return -EBADMSG;
	if (!row_name(&login, &v[2]))
		return -ENOMEM;
	snprintf(words, RECORD_TEXT_MAX,
		", perhaps session %lld of %.128s, which has an open transaction there",
		(long long)row_number(&v[1]), login);
	return 0;
}

static int blocked_tell(struct database_reading *r)
{
	char who[RECORD_TEXT_MAX] = "";
	struct sql_error ignored;
	struct text batch;
	int rc = -ENOMEM;

	if (text_begin(&batch)) {
		fputs("USE [master];\n", batch.to);
		catalog_blocker_write(batch.to, r->d->id);
		rc = question_ask(r->session, &ignored, &batch, blocker_row, who);
	}
	if (rc < 0 && rc != -EBADMSG)
		return rc;
	return database_unread_set(r->d, "%s%s (%d)", database_error_words(ERROR_LOCK_TIMEOUT), who,
		ERROR_LOCK_TIMEOUT);
}

int database_failure_tell(struct database_reading *r, int number, const char *text)
{
	const char *words = database_error_words(number);

	r->locked = number == ERROR_LOCK_TIMEOUT;
	if (r->locked)
		return blocked_tell(r);
	/* The database has no row and no id, and USE returns "no database": only all three together prove its absence.
	 * */
	if (number == ERROR_NO_DATABASE && !r->d->id)
		r->d->absent = true;
	r->d->secondary = database_is_secondary(number);
	r->d->barred = database_is_barred(number);
	r->d->shut = database_is_shut(number);
	return database_unread_set(r->d, "%s (%d)%s", words ? words : text, number,
		database_is_denied(number) ? RIGHTS_FIX : "");
}

/* ---- each part by itself, if a view is missing ---- */

static int parts_send_apart(struct database_reading *r)
{
	struct raw_catalog whole = {.database = r->d->id};
	int rc = 0;

	raw_catalog_free(&r->raw);
	r->raw = whole;
	for (const struct part *p = database_parts; p->name && !rc; p++) {
		struct text batch;
		if (!part_is_asked(p, r->d))
			continue;
		if (!text_begin(&batch))
			return -ENOMEM;
		use_write(batch.to, r);
		fputs(p->text, batch.to);
		rc = question_ask(r->session, r->error, &batch, catalog_database_row, &r->raw);
		if (rc == SQL_SERVER_ERROR && database_error_words(r->error->number))
			return rc;
		if (rc == SQL_SERVER_ERROR && !p->needed) {
			r->d->triggers_unknown |= streq(p->name, "trigger");
			r->d->runners_unknown |= streq(p->name, "runner");
			/* A server that does not know EXECUTE AS verifies nothing either, unless that is accepted. */
			rc = streq(p->name, PART_THERE) && is_syntax_error(r->error->number)
				     ? 0
				     : catalog_unreadable_add(
					       r->o, p->name, r->d->name, r->error->text);
		} else if (rc == SQL_SERVER_ERROR && streq(p->name, "end")) {
			/* The server does not tell what the agent login can see, so what it returned counts as
			 * everything. */
			r->raw.ended = true;
			r->raw.may_view = -1;
			rc = 0;
		}
	}
	return rc;
}

/* ---- one database ---- */

/* 0: everything was answered, and from there. */
int database_answer_judge(struct database_reading *r)
{
	if (r->raw.failed)
		return database_failure_tell(r, r->raw.failed, r->raw.words);
	if (!r->raw.ended || r->raw.strays)
		return database_unread_set(r->d, "the server did not answer from this database");
	r->d->tells_visibility = r->raw.may_view == 1;
	if (r->raw.may_view == 0) {
		r->d->barred = true;
		return database_unread_set(
			r->d, "the agent login cannot read definitions there" RIGHTS_FIX);
	}
	return 0;
}

/* What became of the questions that were sent with result `rc`. */
static int parts_result(struct database_reading *r, int rc)
{
	if (rc == SQL_SERVER_ERROR)
		return database_failure_tell(r, r->error->number, r->error->text);
	if (rc == -EOVERFLOW) {
		r->d->barred = true;
		return database_unread_set(r->d, "%s", r->error->text);
	}
	if (rc == -EBADMSG)
		return database_unread_set(r->d, "the server's answer is not what was asked for");
	return rc ? rc : database_answer_judge(r);
}

static int whole_read(struct database_reading *r)
{
	int rc = parts_send(r, false);
	int number = rc == SQL_SERVER_ERROR ? r->error->number : rc ? 0 : r->raw.failed;

	/* One question that is refused must not hide what the others show. */
	if (number && !database_error_words(number))
		rc = parts_send_apart(r);
	return parts_result(r, rc);
}

void database_clear(struct observed_database *d)
{
	struct observed_database gone = *d, kept = *d;

	gone.name = gone.unread = gone.unwritable = NULL;
	observed_database_free(&gone);
	*d = (struct observed_database){.name = kept.name,
		.id = kept.id,
		.source = kept.source,
		.absent = kept.absent,
		.online = kept.online,
		.accessible = kept.accessible,
		.system = kept.system,
		.managed = kept.managed,
		.unread = kept.unread,
		.barred = kept.barred,
		.unwritable = kept.unwritable,
		.secondary = kept.secondary,
		.owner = kept.owner,
		.chaining = kept.chaining,
		.trustworthy = kept.trustworthy};
	memcpy(d->made, kept.made, sizeof(d->made));
}

static int whole_join(struct database_reading *r)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		int rc = whole_read(r);
		if (rc || r->d->unread)
			return rc;
		rc = catalog_database_join(r->d, &r->raw);
		/* Somebody may just have been made. */
		if (!rc && r->d->missed && !attempt)
			rc = -ESTALE;
		if (!rc)
			r->d->read = true;
		if (rc != -ESTALE)
			return rc;
		database_clear(r->d);
	}
	r->d->barred = true;
	return database_unread_set(r->d,
		"it shows rights of users that it does not show: VIEW DEFINITION is denied on them, or its catalog changes "
		"while Curfew reads it");
}

/* No managed login has a user there: nothing else needs to be read. */
static int principals_read(struct database_reading *r, bool *ours)
{
	int rc = parts_send(r, true);

	*ours = false;
	if (rc == SQL_SERVER_ERROR && !database_error_words(r->error->number)) {
		/* A view is missing: the complete reading tells which one. */
		*ours = true;
		return 0;
	}
	rc = parts_result(r, rc);
	if (rc || r->d->unread)
		return rc;
	*ours = r->raw.n_principals > 0;
	r->d->read = !*ours;
	return 0;
}

int database_read_alone(struct database_reading *r)
{
	bool whole = r->d->managed;
	int rc = 0;

	if (!whole)
		rc = principals_read(r, &whole);
	if (!rc && whole && !r->d->unread)
		rc = whole_join(r);
	r->taken = rc == -ENOMEM ? database_weight(r->d) + raw_weight(&r->raw) : 0;
	raw_catalog_free(&r->raw);
	if (r->d->unread)
		r->d->read = false;
	return rc;
}
