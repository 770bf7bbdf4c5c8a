/* Counts and words that the audit's terminal, HTML and JSON forms share. */
#ifndef REPORT_AUDIT_H
#define REPORT_AUDIT_H

#include "curfew/report.h"

struct audit_counts {
	size_t states[STATE_OVERDUE + 1];	 /* of grants, residual ones too */
	size_t severities[FINDING_CRITICAL + 1]; /* of findings */
	size_t open; /* grants that somebody has, or may have where nobody could look */
};
void audit_count(struct audit_counts *out, const struct audit_report *a);
/* "All access matches the schedule and is verified.": one sentence on a state. */
const char *audit_words(enum state s);
/* "read-only", "none", "unread" */
const char *observed_words(const struct audit_grant *g);
/* "curfew journal: record 812, 5f3a..."; "" without a journal. */
const char *head_words(char buf[128], int64_t head, const uint8_t hash[JOURNAL_HASH_SIZE]);

#endif
