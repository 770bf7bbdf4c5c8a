/* A session that is played: every question that holds certain words gets the same rows, or an error. A column that begins
 * with `=` is a name, sent as its bytes; `~` is NULL; `#` and hexadecimal digits are bytes. */
#ifndef TESTS_SQL_PLAYED_H
#define TESTS_SQL_PLAYED_H

#include <errno.h>
#include <string.h>

#include "../corpus.h"
#include "played_session.h"

#define PLAYED_COLUMNS 15
struct played_row {
	const char *
		words; /* the row answers questions that hold them; behind `!`, those that do not */
	const char *columns[PLAYED_COLUMNS];
};
static const struct played_row *played_rows;
static size_t n_played_rows;
static const char *refused; /* a question that holds these words is refused */
static int refused_number = 195;
static const char *ended_in,
	*ended_at; /* a question that holds the first is ended before rows for the second */

/* Plain letters alone: the other half of each unit is zero. */
static struct sql_value played_name(char *room, const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++) {
		room[2 * i] = text[i];
		room[2 * i + 1] = '\0';
	}
	return (struct sql_value){room, 2 * n};
}

static struct sql_value played_bytes(char *room, const char *digits)
{
	size_t n = 0;

	for (unsigned byte; sscanf(digits + 2 * n, "%2x", &byte) == 1; n++)
		room[n] = (char)byte;
	return (struct sql_value){room, n};
}

static int played_give(const struct played_row *r, sql_row_fn each, void *context)
{
	static char room[PLAYED_COLUMNS][256];
	struct sql_value v[PLAYED_COLUMNS];
	int n = 0;

	for (; n < PLAYED_COLUMNS && r->columns[n]; n++) {
		const char *c = r->columns[n];
		v[n] = !strcmp(c, "~") ? (struct sql_value){NULL, 0}
		       : *c == '='     ? played_name(room[n], c + 1)
		       : *c == '#'     ? played_bytes(room[n], c + 1)
				       : (struct sql_value){c, strlen(c)};
	}
	return each(context, v, n);
}

static bool played_answers(const struct played_row *r, const char *batch)
{
	return *r->words == '!' ? !strstr(batch, r->words + 1) : strstr(batch, r->words) != NULL;
}

int sql_session_run(struct sql_session *s, struct sql_error *error, const char *batch,
	sql_row_fn each, void *context)
{
	(void)s;
	corpus_add(batch);
	questions++;
	*error = (struct sql_error){0};
	if (refused && strstr(batch, refused)) {
		*error = (struct sql_error){.number = refused_number, .text = "refused"};
		return SQL_SERVER_ERROR;
	}
	for (size_t i = 0; each && i < n_played_rows; i++) {
		if (ended_in && ended_at && strstr(batch, ended_in) && strstr(batch, ended_at) &&
			!strcmp(played_rows[i].words, ended_at)) {
			*error = (struct sql_error){.number = refused_number, .text = "ended"};
			return SQL_SERVER_ERROR;
		}
		int rc = played_answers(&played_rows[i], batch)
				 ? played_give(&played_rows[i], each, context)
				 : 0;
		if (rc)
			return rc;
	}
	return 0;
}

#endif
