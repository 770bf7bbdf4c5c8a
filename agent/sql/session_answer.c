/* Reads an answer row by row. The size is limited, so that a server can only spoil this one reading. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "sql/session_internal.h"

#define TLS_RECORD_DATA 0x17
#define MAX_COLUMNS	32
/* Limits of one answer. The largest legitimate one is a catalog: about ten rows for each of 50,000 objects. */
#define MAX_ROWS  1000000
#define MAX_BYTES ((size_t)128 << 20)

int session_encryption_prove(struct sql_session *s, struct sql_error *error)
{
	struct pollfd p = {.fd = dbiordesc(s->process), .events = POLLIN};
	unsigned char first;
	int rc = poll(&p, 1, (int)s->read_timeout * 1000);

	if (rc < 0 && errno != EINTR)
		return -errno;
	if (rc <= 0) {
		snprintf(
			error->text, sizeof(error->text), "no answer within %u s", s->read_timeout);
		return -ETIMEDOUT;
	}
	if (recv(p.fd, &first, 1, MSG_PEEK) != 1) {
		snprintf(error->text, sizeof(error->text), "the server closed the connection");
		return -ECONNRESET;
	}
	if (first != TLS_RECORD_DATA) {
		snprintf(error->text, sizeof(error->text),
			"the server answered without encryption after the login; refused; set Force Encryption on the server");
		return -EPROTO;
	}
	s->proved = true;
	return 0;
}

static bool is_taken_raw(int type)
{
	switch (type) {
	case SYBVARBINARY:
	case SYBBINARY:
	case SYBIMAGE:
	case SYBCHAR:
	case SYBVARCHAR:
	case SYBTEXT:
		return true;
	default:
		return false;
	}
}

/* One column of the row: bytes and texts as received, all other types as text. */
static int value_read(
	struct sql_value *out, char **room, size_t *budget, struct sql_session *s, int column)
{
	const BYTE *data = dbdata(s->process, column);
	DBINT size = dbdatlen(s->process, column);
	int type = dbcoltype(s->process, column);

	*out = (struct sql_value){0};
	if (!data)
		return 0;
	/* The longest text of a number or date is far shorter. */
	size_t max = is_taken_raw(type) ? (size_t)size : 64;
	if (max > *budget)
		return -EOVERFLOW;
	*budget -= max;
	*room = malloc(max + 1);
	if (!*room)
		return -ENOMEM;
	DBINT got = size;
	if (is_taken_raw(type))
		memcpy(*room, data, max);
	else
		got = dbconvert(s->process, type, data, size, SYBCHAR, (BYTE *)*room, 64);
	if (got < 0)
		return -EBADMSG;
	(*room)[got] = '\0';
	*out = (struct sql_value){.data = *room, .size = (size_t)got};
	return 0;
}

static int row_read(struct sql_session *s, size_t *budget, sql_row_fn each, void *context)
{
	struct sql_value values[MAX_COLUMNS];
	char *room[MAX_COLUMNS] = {0};
	int n = dbnumcols(s->process), rc = 0;

	if (n > MAX_COLUMNS)
		return -EMSGSIZE;
	for (int i = 0; i < n && !rc; i++)
		rc = value_read(&values[i], &room[i], budget, s, i + 1);
	if (!rc)
		rc = each(context, values, n);
	for (int i = 0; i < n; i++)
		free(room[i]);
	return rc;
}

/* Cancels the query and discards what the server still sends. */
static int flood_end(struct sql_session *s, struct sql_error *error)
{
	dbcancel(s->process);
	snprintf(error->text, sizeof(error->text),
		"the answer is larger than any catalog: more than %d rows or %zu MiB", MAX_ROWS,
		MAX_BYTES >> 20);
	return -EOVERFLOW;
}

/* A server that goes on sending a little keeps the library waiting for ever. */
static bool is_late(const struct sql_session *s)
{
	return s->limit && monotonic_ms() > s->end;
}

int session_answer_read(
	struct sql_session *s, struct sql_error *error, sql_row_fn each, void *context)
{
	size_t budget = MAX_BYTES;
	unsigned rows = 0;
	RETCODE more;
	int rc = 0;

	/* Read to the end in any case, because a batch can continue after an error. */
	while ((more = dbresults(s->process)) != NO_MORE_RESULTS) {
		STATUS row;
		if (s->dead)
			return -ECONNRESET;
		if (is_late(s))
			return -ETIMEDOUT;
		if (more == FAIL)
			continue;
		while ((row = dbnextrow(s->process)) != NO_MORE_ROWS) {
			if (row == FAIL || s->dead)
				break;
			if (++rows > MAX_ROWS)
				return flood_end(s, error);
			if (is_late(s))
				return -ETIMEDOUT;
			if (!rc && each)
				rc = row_read(s, &budget, each, context);
			if (rc == -EOVERFLOW)
				return flood_end(s, error);
		}
		if (s->dead)
			return -ECONNRESET;
	}
	return s->dead ? -ECONNRESET : rc;
}
