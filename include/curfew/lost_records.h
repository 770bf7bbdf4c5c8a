/* Times of which the journal's own records are missing, by its events: nobody knows who had access then. */
#ifndef CURFEW_LOST_RECORDS_H
#define CURFEW_LOST_RECORDS_H

#include "curfew/journal.h"

struct lost_span {
	bool has_from;	    /* false: nobody knows where it begins */
	instant_t from, to; /* of the records that are missing */
	/* Until then nobody knows who has access: no pass takes it away before a person has decided. */
	instant_t until;	    /* when the loss was accepted; INT64_MAX: not so far */
	const char *actor, *reason; /* of `events`: who accepted the loss; NULL: nobody so far */
};
struct lost_records {
	struct lost_span *items;
	size_t n;
	struct journal_entries events; /* all of the journal, in their order */
};
/* From `events`, which are given and owned from now on: what is not known between `from` and `to`,
 * both included. 0 or -ENOMEM. */
int lost_records_find(struct lost_records *l, instant_t from, instant_t to);
/* One that no event tells of yet, if it is not known at that time; unless one that was not accepted does already. 0 or -ENOMEM. */
int lost_records_add(
	struct lost_records *l, const struct lost_span *s, instant_t from, instant_t to);
void lost_records_free(struct lost_records *l);
/* "records between A and B are missing; accepted by ...". The caller frees it; NULL: no memory. */
char *lost_span_text(const struct lost_span *s);
/* A sentence for each. 0 or -ENOMEM. */
int lost_records_print(const struct lost_records *l, FILE *to);
void lost_records_html(const struct lost_records *l, FILE *to);
struct json_t;
struct json_t *lost_records_json(const struct lost_records *l);

#endif
