/* Fills in templates. Every value is escaped for its place: subject, plain text, or HTML. */
#include "curfew/notice.h"

#include "curfew/text.h"
#include "program/visible_text.h"
#include "report/html.h"

#include <errno.h>
#include <string.h>

/* Writes characters that reverse or hide text as escapes, and keeps line ends only if `lines` is set. */
static void shown_print(FILE *to, const char *text, bool lines)
{
	uint32_t c;

	while ((c = text_next(&text)) != 0) {
		char out[TEXT_SHOWN_MAX];

		if (c == '\n' && lines)
			fputc('\n', to);
		else if (c == '\n' || c == '\r' || c == '\t')
			fputc(' ', to);
		else {
			size_t n = text_put_shown(out, c);
			fwrite(out, 1, n, to);
		}
	}
}

static const char *value_of(const struct notice_values *v, enum notice_value which)
{
	return v->items[which] ? v->items[which] : "-";
}

enum fill_as { FILL_LINE, FILL_TEXT, FILL_HTML };

static void fill(
	FILE *to, const char *text, size_t size, const struct notice_values *v, enum fill_as as)
{
	const char *p = text;
	struct template_piece piece;

	while (p < text + size && template_next(&piece, &p)) {
		/* A piece can extend beyond the end of its line. */
		size_t n = piece.length;

		if (piece.text + n > text + size)
			n = (size_t)(text + size - piece.text);
		if (piece.type == PIECE_VALUE && as == FILL_HTML)
			html_lines(to, value_of(v, piece.value));
		else if (piece.type == PIECE_VALUE)
			shown_print(to, value_of(v, piece.value), as == FILL_TEXT);
		else
			fwrite(piece.text, 1, n, to);
	}
}

static char *filled(const char *text, size_t size, const struct notice_values *v, enum fill_as as)
{
	struct text t;

	if (!text_begin(&t))
		return NULL;
	fill(t.to, text, size, v, as);
	return text_end(&t);
}

/* The plain text as HTML: paragraphs, with indented lines kept as they are. */
static char *page_of(const char *subject, const char *text, const char *language)
{
	struct text t;
	bool within = false, fixed = false;

	if (!text_begin(&t))
		return NULL;
	html_printf(t.to,
		"<!doctype html>\n<html lang=\"%s\">\n<head><meta charset=\"utf-8\"><title>%s</title></head>\n<body>\n",
		language && *language ? language : "en", subject);
	while (*text) {
		size_t n = strcspn(text, "\n");
		_cleanup_free_ char *line = strndup(text, n);
		bool indented = n > 2 && text[0] == ' ' && text[1] == ' ';

		if (!line) {
			text_drop(&t);
			return NULL;
		}
		if (within && (!n || indented != fixed)) {
			fputs(fixed ? "</pre>\n" : "</p>\n", t.to);
			within = false;
		}
		if (n && !within) {
			fputs(indented ? "<pre>" : "<p>", t.to);
			within = true;
			fixed = indented;
		} else if (n) {
			fputs(fixed ? "\n" : "<br>\n", t.to);
		}
		html_text(t.to, line);
		text += n + (text[n] == '\n');
	}
	if (within)
		fputs(fixed ? "</pre>\n" : "</p>\n", t.to);
	fputs("</body>\n</html>\n", t.to);
	return text_end(&t);
}

int notice_render(struct notice_mail *out, const struct notice_texts *t,
	const struct notice_values *v, const char *language)
{
	const char *subject = t->text + strcspn(t->text, " ") + 1, *body = template_body(t->text);
	struct notice_mail m = {
		.subject = filled(subject, strcspn(subject, "\n"), v, FILL_LINE),
		.text = filled(body, strlen(body), v, FILL_TEXT),
	};

	if (m.subject && m.text)
		m.html = t->html ? filled(t->html, strlen(t->html), v, FILL_HTML)
				 : page_of(m.subject, m.text, language);
	if (!m.html) {
		notice_mail_free(&m);
		return -ENOMEM;
	}
	*out = m;
	return 0;
}

void notice_mail_free(struct notice_mail *m)
{
	free(m->subject);
	free(m->text);
	free(m->html);
	free(m->calendar);
	free(m->attached);
	*m = (struct notice_mail){0};
}
