/* The kinds of items in a baseline, and how their changes are reported. */
#ifndef PASS_BASELINE_KINDS_H
#define PASS_BASELINE_KINDS_H

#include "curfew/journal.h"
#include "curfew/record.h"

/* A check that is NULL is not reported, because another one covers it. */
struct baseline_kind {
	const char *kind;
	const char *new, *new_words;
	enum finding_severity new_severity;
	const char *changed, *changed_words;
	enum finding_severity changed_severity;
	const char *gone, *gone_words;
	enum finding_severity gone_severity;
	bool work; /* with full access this is expected work: severity low */
	int since; /* from which BASELINE_KINDS a baseline has it; 0: each, 1: with "made" */
	const char *part_of; /* kind of what it is a part of, if that is not an object */
};
struct baseline_verdict {
	const char *check, *words;
	enum finding_severity severity;
};

/* NULL: a kind of a different version. */
const struct baseline_kind *baseline_kind_of(const struct baseline_item *i);

#endif
