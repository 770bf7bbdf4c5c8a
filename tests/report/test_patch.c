/* Unified patches: by table, and applied again by a reader of their own for texts made at random. */
#include "curfew/patch.h"
#include "curfew/text.h"

#include "../program/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static char *patch_of(const char *before, const char *after)
{
	struct text text;

	assert_non_null(text_begin(&text));
	assert_int_equal(patch_print(text.to, "f", before, after), 0);
	return text_end(&text);
}

static void test_patches_by_table(void **state)
{
	static const struct {
		const char *before, *after, *patch;
	} rows[] = {
		{"a\n", "a\n", ""},
		{"", "", ""},
		{"", "a\n", "--- f\n+++ f\n@@ -0,0 +1,1 @@\n+a\n"},
		{"a\n", "", "--- f\n+++ f\n@@ -1,1 +0,0 @@\n-a\n"},
		{"a", "b\n",
			"--- f\n+++ f\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+b\n"},
		{"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
			"--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
		/* Far apart they are two, near by one. */
		{"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "x\n2\n3\n4\n5\n6\n7\n8\ny\n",
			"--- f\n+++ f\n@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+y\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *patch = patch_of(rows[i].before, rows[i].after);

		assert_string_equal(patch, rows[i].patch);
	}
}

static void test_lines_of_one_side(void **state)
{
	_cleanup_free_ char *was = patch_lines("a\n\tb = 1;\nc\n", "a\n\tb = 2;\n d\nc\n", '-');
	_cleanup_free_ char *is = patch_lines("a\n\tb = 1;\nc\n", "a\n\tb = 2;\n d\nc\n", '+');
	_cleanup_free_ char *none = patch_lines("a\n", "a\n", '+');

	(void)state;
	assert_string_equal(was, "b = 1;");
	assert_string_equal(is, "b = 2; d");
	assert_string_equal(none, "");
}

static char *text_random(struct prng *r)
{
	static const char *const lines[] = {
		"a\n", "b\n", "\n", "-x\n", "+y\n", " z\n", "@@ -1,1 +1,1 @@\n"};
	struct text text;

	assert_non_null(text_begin(&text));
	for (uint64_t n = prng_below(r, 40); n > 0; n--)
		fputs(lines[prng_below(r, ARRAY_SIZE(lines))], text.to);
	if (!prng_below(r, 3))
		fputs("end", text.to);
	return text_end(&text);
}

/* Some lines of it changed, taken out, or put in. */
static char *text_changed(struct prng *r, const char *from)
{
	struct text text;

	assert_non_null(text_begin(&text));
	while (*from) {
		const char *end = strchr(from, '\n');
		size_t size = end ? (size_t)(end - from) + 1 : strlen(from);
		uint64_t what = prng_below(r, 12);

		if (what == 0)
			fputs("new\n", text.to);
		if (what != 1)
			fwrite(from, 1, size, text.to);
		from += size;
	}
	return text_end(&text);
}

static const char *line_after(const char *text)
{
	const char *end = strchr(text, '\n');

	return end ? end + 1 : text + strlen(text);
}

/* The patch carried out, line by line; every line that it says is there must be there. */
static char *patch_apply(const char *before, const char *patch)
{
	struct text out;
	size_t line = 1;

	assert_non_null(text_begin(&out));
	if (*patch)
		patch = line_after(line_after(patch));
	while (*patch) {
		size_t from, n, to, m;

		assert_int_equal(sscanf(patch, "@@ -%zu,%zu +%zu,%zu @@", &from, &n, &to, &m), 4);
		patch = line_after(patch);
		for (; line < from + (n == 0); line++) {
			const char *next = line_after(before);
			fwrite(before, 1, (size_t)(next - before), out.to);
			before = next;
		}
		while (n || m) {
			const char *next = line_after(patch);
			size_t size = (size_t)(next - patch) - 1;

			if (!strncmp(next, "\\ No newline", 12)) {
				size--;
				next = line_after(next);
			}
			if (*patch != '+') {
				assert_memory_equal(before, patch + 1, size);
				before += size;
				line++;
				n--;
			}
			if (*patch != '-') {
				fwrite(patch + 1, 1, size, out.to);
				m--;
			}
			patch = next;
		}
	}
	fputs(before, out.to);
	return text_end(&out);
}

static void test_random_patches_apply(void **state)
{
	struct prng random = prng_start();

	(void)state;
	for (int i = 0; i < 3000; i++) {
		_cleanup_free_ char *before = text_random(&random);
		_cleanup_free_ char *after = prng_below(&random, 4) ? text_changed(&random, before)
								    : text_random(&random);
		_cleanup_free_ char *patch = patch_of(before, after);
		_cleanup_free_ char *got = patch_apply(before, patch);

		if (!streq(got, after))
			fail_msg("<<%s>> to <<%s>> by <<%s>>: <<%s>>", before, after, patch, got);
	}
}

/* Beyond what is compared line by line it is one hunk, and right all the same. */
static void test_long_texts(void **state)
{
	struct text a, b;

	(void)state;
	assert_non_null(text_begin(&a));
	assert_non_null(text_begin(&b));
	for (int i = 0; i < 5000; i++) {
		fprintf(a.to, "%d\n", i);
		fprintf(b.to, "%d\n", i + i % 2);
	}
	_cleanup_free_ char *before = text_end(&a), *after = text_end(&b);
	_cleanup_free_ char *patch = patch_of(before, after), *got = patch_apply(before, patch);
	assert_string_equal(got, after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patches_by_table),
		cmocka_unit_test(test_lines_of_one_side),
		cmocka_unit_test(test_random_patches_apply),
		cmocka_unit_test(test_long_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
