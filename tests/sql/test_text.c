/* Quoting: whatever a name or text holds, a reader of T-SQL takes it for one name or one string, and for that one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "../program/random.h"
#include "curfew/sql.h"

static const char *const hostile[] = {"", "plain", "]", "]]", "a]b", "]; DROP LOGIN [sa]--", "'",
	"''", "o'brien", "'; DROP TABLE x--", "[", "[]", "\"", "--", "/* */", "\\", "\\'", "%s%n",
	"a\nb", "Gr\303\266\303\237e", "\342\200\256evil", "N'x'", "]]'']]''", "$(x)", "@x", "GO"};

static char *written(void (*write)(FILE *, const char *), const char *text)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	assert_non_null(f);
	write(f, text);
	assert_int_equal(fclose(f), 0);
	return out;
}

/* As the server's own lexer does: up to a closing mark that is not doubled. NULL when it does not end there. */
static char *read_back(const char *quoted, const char *open, char close)
{
	size_t n = 0;
	char *text = calloc(1, strlen(quoted) + 1);

	assert_non_null(text);
	if (strncmp(quoted, open, strlen(open)) != 0)
		goto wrong;
	for (const char *p = quoted + strlen(open); *p; p++) {
		if (*p != close) {
			text[n++] = *p;
			continue;
		}
		if (p[1] == close) {
			text[n++] = *p++;
			continue;
		}
		if (!p[1])
			return text;
		break;
	}
wrong:
	free(text);
	return NULL;
}

static void check(const char *text)
{
	_cleanup_free_ char *name = written(sql_write_name, text);
	_cleanup_free_ char *string = written(sql_write_string, text);
	_cleanup_free_ char *name_back = read_back(name, "[", ']');
	_cleanup_free_ char *string_back = read_back(string, "N'", '\'');

	assert_non_null(name_back);
	assert_string_equal(name_back, text);
	assert_non_null(string_back);
	assert_string_equal(string_back, text);
}

static void test_hostile(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++)
		check(hostile[i]);
}

static void test_random(void **state)
{
	static const char letters[] = "]['\"-;/*\\ aN\n.";
	struct prng p = prng_start();

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char text[24] = "";
		for (size_t n = prng_below(&p, sizeof(text)); n > 0; n--)
			text[n - 1] = letters[prng_below(&p, sizeof(letters) - 1)];
		check(text);
	}
}

static void test_plain_form(void **state)
{
	(void)state;
	_cleanup_free_ char *name = written(sql_write_name, "a]b");
	_cleanup_free_ char *string = written(sql_write_string, "a'b");

	assert_string_equal(name, "[a]]b]");
	assert_string_equal(string, "N'a''b'");
}

/* The reader above must be able to say no. */
static void test_reader_refuses(void **state)
{
	(void)state;
	assert_null(read_back("[a]b]", "[", ']'));
	assert_null(read_back("[a", "[", ']'));
	assert_null(read_back("'a'", "N'", '\''));
	assert_null(read_back("N'a'; DROP LOGIN sa--'", "N'", '\''));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_plain_form),
		cmocka_unit_test(test_reader_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
