/* Compares two texts by the longest common subsequence of lines, after removing equal lines at both ends: client
 * files are short and differ in few places. If the rest is long, it becomes one hunk. */
#include "curfew/patch.h"
#include "curfew/text.h"

#include <errno.h>
#include <string.h>

#define CONTEXT 3
/* The table has the product of both lengths as size. Beyond this the whole middle counts as changed. */
#define MIDDLE_MAX 2000

struct patch_line {
	const char *text;
	size_t size; /* including its newline, if any */
};
struct patch_side {
	struct patch_line *lines;
	size_t n;
};
struct patch_step {
	char kind; /* ' ', '-', '+' */
	struct patch_line line;
	size_t before, after; /* lines of each side before this one */
};
struct patch {
	struct patch_side before, after;
	struct patch_step *steps;
	size_t n, n_before, n_after;
};

static int side_split(struct patch_side *out, const char *text)
{
	size_t n = 1;

	for (const char *c = text; *c; c++)
		n += *c == '\n';
	out->lines = calloc(n, sizeof(*out->lines));
	if (!out->lines)
		return -ENOMEM;
	while (*text) {
		const char *end = strchr(text, '\n');
		size_t size = end ? (size_t)(end - text) + 1 : strlen(text);

		out->lines[out->n++] = (struct patch_line){text, size};
		text += size;
	}
	return 0;
}

static bool line_equal(const struct patch_line *a, const struct patch_line *b)
{
	return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

static void step_add(struct patch *p, char kind, const struct patch_line *line)
{
	p->n_before += kind != '+';
	p->n_after += kind != '-';
	p->steps[p->n++] = (struct patch_step){kind, *line, p->n_before, p->n_after};
}

/* common[i * (m + 1) + k]: length of the longest common subsequence of a's lines from i and b's lines from k. */
static uint16_t *common_table(
	const struct patch_line *a, size_t n, const struct patch_line *b, size_t m)
{
	uint16_t *t = calloc((n + 1) * (m + 1), sizeof(*t));

	for (size_t i = n; t && i-- > 0;)
		for (size_t k = m; k-- > 0;) {
			uint16_t down = t[(i + 1) * (m + 1) + k], right = t[i * (m + 1) + k + 1];

			t[i * (m + 1) + k] = line_equal(&a[i], &b[k])
						     ? (uint16_t)(t[(i + 1) * (m + 1) + k + 1] + 1)
						     : (down >= right ? down : right);
		}
	return t;
}

static int middle_add(
	struct patch *p, const struct patch_line *a, size_t n, const struct patch_line *b, size_t m)
{
	bool large = n > MIDDLE_MAX || m > MIDDLE_MAX;
	_cleanup_free_ uint16_t *t = large ? NULL : common_table(a, n, b, m);
	size_t i = 0, k = 0;

	if (!t && !large)
		return -ENOMEM;
	while (i < n || k < m) {
		if (t && i < n && k < m && line_equal(&a[i], &b[k])) {
			step_add(p, ' ', &a[i++]);
			k++;
		} else if (i < n &&
			   (k == m || !t || t[(i + 1) * (m + 1) + k] >= t[i * (m + 1) + k + 1])) {
			step_add(p, '-', &a[i++]);
		} else {
			step_add(p, '+', &b[k++]);
		}
	}
	return 0;
}

static void patch_free(struct patch *p)
{
	free(p->before.lines);
	free(p->after.lines);
	free(p->steps);
}

static int patch_make(struct patch *p, const char *before, const char *after)
{
	size_t head = 0, tail = 0;

	if (side_split(&p->before, before) < 0 || side_split(&p->after, after) < 0)
		return -ENOMEM;
	const struct patch_line *a = p->before.lines, *b = p->after.lines;
	size_t n = p->before.n, m = p->after.n;
	p->steps = calloc(n + m + 1, sizeof(*p->steps));
	if (!p->steps)
		return -ENOMEM;
	while (head < n && head < m && line_equal(&a[head], &b[head]))
		head++;
	while (tail < n - head && tail < m - head && line_equal(&a[n - 1 - tail], &b[m - 1 - tail]))
		tail++;
	for (size_t i = 0; i < head; i++)
		step_add(p, ' ', &a[i]);
	int rc = middle_add(p, a + head, n - head - tail, b + head, m - head - tail);
	for (size_t i = n - tail; i < n && rc == 0; i++)
		step_add(p, ' ', &a[i]);
	return rc;
}

/* Finds the next hunk from step `at`: the steps [*from, *to), with context. False: none. */
static bool hunk_find(size_t *from, size_t *to, const struct patch *p, size_t at)
{
	size_t first = at, last;

	while (first < p->n && p->steps[first].kind == ' ')
		first++;
	if (first == p->n)
		return false;
	last = first;
	for (size_t i = first; i < p->n && i <= last + 2 * CONTEXT; i++)
		if (p->steps[i].kind != ' ')
			last = i;
	*from = first > at + CONTEXT ? first - CONTEXT : at;
	*to = last + CONTEXT + 1 < p->n ? last + CONTEXT + 1 : p->n;
	return true;
}

static void hunk_print(FILE *to, const struct patch *p, size_t from, size_t until)
{
	size_t before = from ? p->steps[from - 1].before : 0;
	size_t after = from ? p->steps[from - 1].after : 0;
	size_t n = p->steps[until - 1].before - before, m = p->steps[until - 1].after - after;

	/* For an empty side, diff gives the number of the line before it. */
	fprintf(to, "@@ -%zu,%zu +%zu,%zu @@\n", before + (n > 0), n, after + (m > 0), m);
	for (size_t i = from; i < until; i++) {
		const struct patch_line *l = &p->steps[i].line;

		fputc(p->steps[i].kind, to);
		fwrite(l->text, 1, l->size, to);
		if (l->text[l->size - 1] != '\n')
			fputs("\n\\ No newline at end of file\n", to);
	}
}

int patch_print(FILE *to, const char *name, const char *before, const char *after)
{
	struct patch p = {0};
	int rc = patch_make(&p, before, after);
	size_t from, until;

	for (size_t at = 0; rc == 0 && hunk_find(&from, &until, &p, at); at = until) {
		if (at == 0)
			fprintf(to, "--- %s\n+++ %s\n", name, name);
		hunk_print(to, &p, from, until);
	}
	patch_free(&p);
	return rc;
}

/* Adds the line without surrounding spaces. */
static void line_add(struct text *out, const struct patch_line *l)
{
	size_t from = strspn(l->text, " \t"), to = l->size;

	while (to > from && strchr(" \t\r\n", l->text[to - 1]))
		to--;
	fflush(out->to);
	if (to > from)
		fprintf(out->to, "%s%.*s", out->size ? " " : "", (int)(to - from), l->text + from);
}

char *patch_lines(const char *before, const char *after, char side)
{
	struct patch p = {0};
	struct text out;
	int rc = patch_make(&p, before, after);

	if (!text_begin(&out)) {
		patch_free(&p);
		return NULL;
	}
	for (size_t i = 0; i < p.n && rc == 0; i++)
		if (p.steps[i].kind == side)
			line_add(&out, &p.steps[i].line);
	patch_free(&p);
	char *text = text_end(&out);
	if (rc == 0)
		return text;
	free(text);
	return NULL;
}
