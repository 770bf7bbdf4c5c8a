/* Writing HTML and XML: the one place where text becomes markup. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "curfew/report.h"

/* Text for an element's content or a quoted attribute; NULL writes nothing. Holds for XML as well. */
void html_text(FILE *to, const char *text);
/* The same for a name in content: it may be broken after its dots and the like. */
void html_name(FILE *to, const char *text);
/* The same for T-SQL in <pre> or <code>: line ends stay line ends. */
void html_lines(FILE *to, const char *text);
/* Like fprintf(), but each %s is escaped; %d %u %zu %lld and %% pass, nothing else may be used. */
void html_printf(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* From <!doctype> to <body>: title, style sheet, and a policy that allows that style sheet and nothing else. */
void html_begin(FILE *to, const char *title);
/* With a style sheet of the page's own behind it; NULL: none. */
void html_begin_styled(FILE *to, const char *title, const char *more);
/* 0, or -EIO when anything could not be written. */
int html_end(FILE *to);
/* <td>s. `class` NULL: none; an absent text is a dash. */
void html_cell(FILE *to, const char *class, const char *text);
void html_instant_cell(FILE *to, instant_t at, const char *zone);
/* A word in a box, distinct without color: state, severity, level. */
void html_badge(FILE *to, enum tone tone, const char *word);

#endif
