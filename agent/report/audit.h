/* Counts and texts for an audit on a terminal, in HTML, and in JSON. */
#ifndef REPORT_AUDIT_H
#define REPORT_AUDIT_H

#include "curfew/report.h"

struct audit_counts {
	size_t states[STATE_OVERDUE + 1];	 /* of grants, including residual ones */
	size_t severities[FINDING_CRITICAL + 1]; /* of findings */
	size_t open; /* grants with access, or possibly with access if they could not be read */
};
void audit_count(struct audit_counts *out, const struct audit_report *a);
/* One sentence for a state, for example "All access matches the schedule and is verified." */
const char *audit_words(const struct audit_report *a);
/* "read-only", "none", "unread" */
/* Whether every server and grant was read: otherwise what was not seen may be there all the same. */
bool audit_is_whole(const struct audit_report *a);
const char *observed_words(const struct audit_grant *g);
/* "curfew journal: record 812, 5f3a..."; "" without a journal. */
const char *head_words(char buf[128], int64_t head, const uint8_t hash[JOURNAL_HASH_SIZE]);
/* A remedy that removes nothing: a person must judge what it shows. */
bool remedy_is_look(const char *remedy);

#endif
