/* The figures, read back by a parser of the text format's rules that is as strict as they are, and of the conventions
 * for names. tests/system/test_metrics.py reads them with somebody else's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "curfew/metrics.h"

struct sample {
	char family[128];
	bool has_help, has_type;
	size_t n_samples, n_families;
};

static bool name_is_sound(const char *name, size_t n)
{
	if (n == 0 || (name[0] >= '0' && name[0] <= '9'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:",
			    name[i]))
			return false;
	return true;
}

/* Past the closing brace of labels, every value quoted and escaped. */
static const char *labels_end(const char *p)
{
	if (*p != '{')
		return p;
	for (p++; *p != '}';) {
		size_t n = strcspn(p, "=");
		assert_true(name_is_sound(p, n));
		p += n + 1;
		assert_int_equal(*p++, '"');
		for (; *p != '"'; p++) {
			assert_int_not_equal(*p, '\0');
			assert_int_not_equal(*p, '\n');
			if (*p == '\\') {
				p++;
				assert_non_null(strchr("\\\"n", *p));
			}
		}
		p++;
		if (*p == ',')
			p++;
	}
	return p + 1;
}

static void comment_parse(struct sample *s, const char *line)
{
	char word[8], name[128], rest[256];

	assert_int_equal(sscanf(line, "# %7s %127s %255[^\n]", word, name, rest), 3);
	assert_true(name_is_sound(name, strlen(name)));
	if (strcmp(word, "HELP") == 0) {
		assert_string_not_equal(s->family, name);
		snprintf(s->family, sizeof(s->family), "%s", name);
		s->has_help = true;
		s->has_type = false;
		s->n_families++;
	} else {
		assert_string_equal(word, "TYPE");
		assert_string_equal(s->family, name);
		assert_true(s->has_help && !s->has_type);
		s->has_type = true;
		assert_string_equal(rest, "gauge");
	}
}

static void sample_parse(struct sample *s, const char *line)
{
	size_t n = strcspn(line, "{ ");
	char *end;

	assert_true(name_is_sound(line, n) && s->has_help);
	assert_int_equal(n, strlen(s->family));
	/* By its name a reader knows what may only grow; the two formats do not agree on how to type that. */
	assert_int_equal(s->has_type, n < 6 || strncmp(line + n - 6, "_total", 6) != 0);
	assert_memory_equal(line, s->family, n);
	const char *p = labels_end(line + n);
	assert_int_equal(*p, ' ');
	strtod(p + 1, &end);
	assert_ptr_not_equal(end, p + 1);
	assert_int_equal(*end, '\0');
	s->n_samples++;
}

static struct sample text_parse(char *text)
{
	struct sample s = {0};
	char *rest = text;

	char *end = text + strlen(text) - strlen("# EOF\n");

	assert_string_equal(end, "# EOF\n");
	*end = '\0';
	assert_int_equal(end[-1], '\n');
	for (char *line; (line = strsep(&rest, "\n")) && rest;) {
		assert_string_not_equal(line, "");
		if (line[0] == '#')
			comment_parse(&s, line);
		else
			sample_parse(&s, line);
	}
	return s;
}

static const struct metrics_server servers[] = {
	{.name = "sql07",
		.reachable = true,
		.has_complete_pass = true,
		.complete_pass = 1795392408,
		.round_trips = 3},
	{.name = "we\"ird\\name\nof a {server}", .failures = 7},
};
static const struct metrics figures = {.now = 1795392408,
	.clients = 2,
	.grants = {1, 2, 3},
	.has_next = true,
	.next_transition = 1795399999,
	.overdue = 1,
	.overdue_age = 60,
	.has_pass = true,
	.last_pass = 1795392400,
	.pass_duration = 0.25,
	.passes = 12,
	.servers = servers,
	.n_servers = 2};

static char *text_of(const struct metrics *m)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	assert_int_equal(metrics_print(m, to), 0);
	assert_int_equal(fclose(to), 0);
	return text;
}

static void test_the_text_keeps_the_rules(void **state)
{
	static const struct metrics nothing;
	char *text = text_of(&figures);

	(void)state;
	assert_non_null(strstr(text, "\ncurfew_grants{level=\"read-only\"} 2\n"));
	assert_non_null(strstr(text, "\ncurfew_overdue_grants 1\n"));
	assert_non_null(strstr(text, "\ncurfew_passes_total 12\n"));
	assert_non_null(strstr(text, "\ncurfew_last_pass_duration_seconds 0.250\n"));
	assert_non_null(strstr(text,
		"\ncurfew_server_failures{server=\"we\\\"ird\\\\name\\nof a {server}\"} 7\n"));
	struct sample s = text_parse(text);
	assert_true(s.n_families >= 15 && s.n_samples >= s.n_families);
	free(text);
	/* What nobody knows is no figure. */
	struct metrics unknown = figures;
	unknown.overdue_unknown = true;
	text = text_of(&unknown);
	assert_null(strstr(text, "curfew_overdue"));
	free(text);
	text = text_of(&nothing);
	assert_null(strstr(text, "next_transition"));
	text_parse(text);
	free(text);
}

static void test_the_file_is_replaced_as_a_whole(void **state)
{
	char folder[] = "/tmp/curfew-metrics-XXXXXX", file[64], text[16384] = "";
	struct stat before, after;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/curfew.prom", folder);
	assert_int_equal(metrics_write(&figures, file), 0);
	FILE *old = fopen(file, "r");
	assert_int_equal(stat(file, &before), 0);
	assert_int_equal(before.st_mode & 0777, 0644);
	assert_int_equal(metrics_write(&figures, file), 0);
	assert_int_equal(stat(file, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	/* Who had begun to read goes on reading a whole one. */
	assert_true(fread(text, 1, sizeof(text) - 1, old) > 0);
	text_parse(text);
	fclose(old);
	unlink(file);
	assert_int_equal(rmdir(folder), 0); /* nothing half-written is left beside it */
	assert_int_equal(metrics_write(&figures, file), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_text_keeps_the_rules),
		cmocka_unit_test(test_the_file_is_replaced_as_a_whole),
	};
	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
