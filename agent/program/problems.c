/* The list of problems, sorted and printed. */
#include "program/problems.h"

#include "curfew/text.h"
#include "program/names.h"

#include <errno.h>
#include <string.h>

/* A quoted value may contain bytes that move the cursor or hide text. Replaces each with a question mark. */
static void text_clean(char *text)
{
	char *from = text, *to = text;

	while (*from) {
		uint32_t c;
		size_t n = utf8_decode(&c, from);

		if (n == 0 || character_is_hidden(c)) {
			*to++ = '?';
			from += n ? n : 1;
			continue;
		}
		memmove(to, from, n);
		to += n;
		from += n;
	}
	*to = '\0';
}

/* NULL without memory. Many problems of one file come in a row. */
static const char *file_name(struct problems *p, const char *file)
{
	_cleanup_free_ char *clean = strdup(file);

	if (!clean)
		return NULL;
	text_clean(clean);
	if (p->n && streq(p->items[p->n - 1].file, clean))
		return p->items[p->n - 1].file;
	return pool_text(&p->texts, clean);
}

int problems_add(struct problems *p, enum severity severity, const char *file, int line,
	const char *format, va_list args)
{
	struct problem new = {.line = line, .severity = severity};
	_cleanup_free_ char *text = text_vformat(format, args);

	if (!text)
		return -ENOMEM;
	text_clean(text);
	new.text = pool_text(&p->texts, text);
	new.file = file_name(p, file);
	if (!new.file || !new.text || ARRAY_ADD(p->items, p->n, new))
		return -ENOMEM;
	p->n_errors += severity == SEVERITY_ERROR;
	return 0;
}

static int problem_compare(const void *a, const void *b)
{
	const struct problem *x = a, *y = b;
	int order = strcmp(x->file, y->file);

	if (!order)
		order = (x->line > y->line) - (x->line < y->line);
	/* The sort is not stable. Comparing the texts gives the same order in every run. */
	return order ? order : strcmp(x->text, y->text);
}

void problems_sort(struct problems *p)
{
	if (p->n > 1)
		qsort(p->items, p->n, sizeof(*p->items), problem_compare);
}

void problems_free(struct problems *p)
{
	if (!p)
		return;
	pool_free(&p->texts);
	free(p->items);
	*p = (struct problems){0};
}

void problems_print(const struct problems *p, FILE *to)
{
	static const char *const names[] = {"error", "warning", "advice"};

	for (size_t i = 0; i < p->n; i++) {
		const struct problem *x = &p->items[i];

		/* Editors and other tools expect a line number, so a problem of the whole file is shown at line 1. */
		fprintf(to, "%s:%d: %s: %s\n", x->file, x->line > 0 ? x->line : 1,
			names[x->severity], x->text);
	}
}
