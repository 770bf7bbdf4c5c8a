/* Content lines of RFC 5545: folded between characters, with escaped text. */
#ifndef REPORT_ICS_LINE_H
#define REPORT_ICS_LINE_H

#include "curfew/base.h"

/* A content line that is being written. */
struct ics_line {
	FILE *to;
	size_t octets;
};
void ics_raw(struct ics_line *l, const char *text);
void ics_text(struct ics_line *l, const char *text);
void ics_end(struct ics_line *l);
/* NAME:text */
void ics_property(FILE *to, const char *name, const char *value);
/* NAME:20261123T150000Z */
void ics_instant(FILE *to, const char *name, instant_t at);

#endif
