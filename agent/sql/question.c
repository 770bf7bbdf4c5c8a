/* Questions to a server. */
#include <errno.h>

#include "sql/question.h"

struct numbers {
	size_t question, database;
};

static int number_write(FILE *to, const char *at, void *context)
{
	const struct numbers *n = context;

	switch (*at) {
	case 'C':
		fprintf(to, "%zu", n->question);
		return 1;
	case 'D':
		fprintf(to, "%zu", n->database);
		return 1;
	case '%':
		putc('%', to);
		return 1;
	default:
		putc('%', to);
		return 0;
	}
}

void question_write(FILE *to, const char *text, size_t number, size_t database)
{
	struct numbers numbers = {number, database};

	template_write(to, text, number_write, &numbers);
}

void question_enter_write(FILE *to, const char *database, int id)
{
	fputs("USE ", to);
	sql_write_name(to, database);
	fprintf(to,
		";\nIF DB_ID() <> %d THROW 50003, N'This name leads to another database than when it was read: nothing was asked.', 1;\n"
		"IF @@TRANCOUNT <> 0 THROW 50003, N'A transaction is open, and its end may undo what is seen here: nothing was asked.', 1;\n",
		id);
}

int question_ask(struct sql_session *s, struct sql_error *error, struct text *batch,
	sql_row_fn each, void *context)
{
	_cleanup_free_ char *text = text_end(batch);

	return text ? sql_session_run(s, error, text, each, context) : -ENOMEM;
}

bool is_syntax_error(int number)
{
	static const int numbers[] = {102, 156, 195, 40510, 40517, 33557097};

	return number_is_among(number, numbers, ARRAY_SIZE(numbers));
}
