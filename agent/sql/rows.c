/* Converts values of rows. */
#include "sql/rows.h"

#include <errno.h>
#include <string.h>

#include "sql/closing.h"
#include "sql/name.h"

bool row_is(const struct sql_value *v, const char *part)
{
	return v->data && streq(v->data, part);
}

int64_t row_number(const struct sql_value *v)
{
	return v->data ? strtoll(v->data, NULL, 10) : 0;
}

char row_letter(const struct sql_value *v)
{
	return v->data && *v->data ? *v->data : '?';
}

char *row_text(const struct sql_value *v)
{
	size_t n = v->data ? strnlen(v->data, v->size) : 0;

	while (n && v->data[n - 1] == ' ')
		n--;
	return v->data ? strndup(v->data, n) : NULL;
}

bool row_name(char **to, const struct sql_value *v)
{
	*to = v->data ? name_decode(v->data, v->size) : strdup("");
	return *to != NULL;
}

bool row_name_or_null(char **to, const struct sql_value *v)
{
	*to = NULL;
	return !v->data || row_name(to, v);
}

bool row_copy(char **to, const char *text)
{
	*to = text ? strdup(text) : NULL;
	return !text || *to;
}

void row_sid(struct sid *to, const struct sql_value *v)
{
	*to = (struct sid){0};
	if (v->data && v->size <= SID_MAX) {
		memcpy(to->bytes, v->data, v->size);
		to->size = (uint8_t)v->size;
	}
}

/* The text is written into the check of a KILL: accept only digits and separators, else treat it as unknown. */
static void login_time_take(char *to, size_t size, const struct sql_value *v)
{
	bool sound = v->data && v->size < size && *v->data &&
		     !v->data[strspn(v->data, "0123456789-:.T")];

	snprintf(to, size, "%s", sound ? v->data : "");
}

static uint8_t percent_of(const struct sql_value *v)
{
	int64_t n = row_number(v);

	return (uint8_t)(n < 0 ? 0 : n > 100 ? 100 : n);
}

int row_session(struct observed_session *s, const struct sql_value *v, int n)
{
	*s = (struct observed_session){0};
	if (n != SESSION_COLUMNS || !row_is(&v[0], "session"))
		return -EBADMSG;
	s->key.id = (uint32_t)row_number(&v[1]);
	login_time_take(s->key.login_time, sizeof(s->key.login_time), &v[2]);
	row_sid(&s->key.sid, &v[3]);
	/* An unknown age, or a negative one after the clock was set back, counts as old. */
	s->age = v[6].data && row_number(&v[6]) >= 0 ? (uint64_t)row_number(&v[6])
						     : SESSION_AGE_UNKNOWN;
	s->database = (int)row_number(&v[9]);
	s->transactions = v[11].data ? (unsigned)row_number(&v[11]) : 0;
	s->address = v[10].data ? row_text(&v[10]) : strdup("");
	return row_name(&s->login, &v[4]) && row_name(&s->acting, &v[5]) &&
			       row_name(&s->host, &v[7]) && row_name(&s->program, &v[8]) &&
			       s->address
		       ? 0
		       : -ENOMEM;
}

int row_rollback(
	struct observed_session *sessions, size_t n_sessions, const struct sql_value *v, int n)
{
	if (n != 3 || !row_is(&v[0], "rollback"))
		return -EBADMSG;
	if (!v[1].data)
		return ROLLBACK_UNTOLD;
	for (size_t i = 0; i < n_sessions; i++)
		if (sessions[i].key.id == (uint32_t)row_number(&v[1])) {
			sessions[i].ending = true;
			sessions[i].percent = percent_of(&v[2]);
		}
	return 0;
}

void session_free(struct observed_session *s)
{
	free(s->login);
	free(s->acting);
	free(s->host);
	free(s->program);
	free(s->address);
}

void sessions_free(struct observed_session **items, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		session_free(&(*items)[i]);
	free(*items);
	*items = NULL;
	*n = 0;
}

/* From the server's own host the address says nothing of where users arrive. */
void row_endpoint(
	char to[ENDPOINT_TEXT_MAX], const struct sql_value *address, const struct sql_value *port)
{
	const char *text = address->data;

	to[0] = '\0';
	if (text && port->data && strncmp(text, "127.", 4) != 0 && !streq(text, "::1"))
		snprintf(to, ENDPOINT_TEXT_MAX, strchr(text, ':') ? "[%s]:%lld" : "%s:%lld", text,
			(long long)row_number(port));
}
