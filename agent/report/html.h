/* Writes HTML and XML: the only place that turns text into markup. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "curfew/report.h"

/* Escapes text for an element's content or a quoted attribute, in HTML and XML. NULL writes nothing. */
void html_text(FILE *to, const char *text);
/* The same for a name in an element's content: it may wrap after dots and similar separators. */
void html_name(FILE *to, const char *text);
/* The same for T-SQL in <pre> or <code>: keeps line ends. */
void html_lines(FILE *to, const char *text);
/* Like fprintf(), but escapes each %s. Supports only %s, %d, %u, %zu, %lld, and %%. */
void html_printf(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes the page from <!doctype> to <body>: title, style sheet, and a policy that allows only this style sheet. */
void html_begin(FILE *to, const char *title);
/* With a second style sheet; NULL: none. */
void html_begin_styled(FILE *to, const char *title, const char *more);
/* 0, or -EIO if a write failed. */
int html_end(FILE *to);
/* Writes a <td>. `class` NULL: none; `text` NULL: a dash. */
void html_cell(FILE *to, const char *class, const char *text);
void html_instant_cell(FILE *to, instant_t at, const char *zone);
/* A word in a box, recognizable without color: state, severity, level. */
void html_badge(FILE *to, enum tone tone, const char *word);

#endif
