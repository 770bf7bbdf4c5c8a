/* What is reported of the kinds of things that a baseline keeps. */
#ifndef PASS_BASELINE_KINDS_H
#define PASS_BASELINE_KINDS_H

#include "curfew/journal.h"
#include "curfew/record.h"

/* A check that is NULL: another one tells it already. */
struct baseline_kind {
	const char *kind;
	const char *new, *new_words;
	enum finding_severity new_severity;
	const char *changed, *changed_words;
	enum finding_severity changed_severity;
	const char *gone, *gone_words;
	enum finding_severity gone_severity;
	bool work; /* while somebody has full access, doing this is what the access is for: low */
	bool late; /* older baselines know nothing of it */
};
struct baseline_verdict {
	const char *check, *words;
	enum finding_severity severity;
};

/* NULL: a kind of some other version. */
const struct baseline_kind *baseline_kind_of(const struct baseline_item *i);

#endif
