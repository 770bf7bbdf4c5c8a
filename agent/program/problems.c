/* The list of problems, sorted and printed. */
#include "program/problems.h"

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

int problems_add(struct problems *p, enum severity severity, const char *file, int line,
	const char *format, va_list args)
{
	struct problem *items = reallocarray(p->items, p->n + 1, sizeof(*items));
	struct problem new = {.line = line, .severity = severity};

	if (!items)
		return -ENOMEM;
	p->items = items;
	new.file = strdup(file);
	if (!new.file || vasprintf(&new.text, format, args) < 0) {
		free(new.file);
		return -ENOMEM;
	}
	text_clean(new.file);
	text_clean(new.text);
	items[p->n++] = new;
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
	for (size_t i = 0; i < p->n; i++) {
		free(p->items[i].file);
		free(p->items[i].text);
	}
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
