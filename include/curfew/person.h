/* Who a record of access was about, and by whose approval: kept with the record, because files are edited and removed. */
#ifndef CURFEW_PERSON_H
#define CURFEW_PERSON_H

#include "curfew/schedule.h"

struct person {
	char *name, *email, *ticket, *approved_by; /* owned; NULL: not recorded */
	instant_t approved;			   /* 0: not recorded */
	instant_t end; /* when all of this grant ends, as scheduled then; 0: not recorded */
};
/* A line of JSON for the journal; NULL without memory. */
char *person_text(const struct grant *g);
/* False: NULL, or not such a line (records of older versions). */
bool person_parse(struct person *out, const char *text);
void person_free(struct person *p);

#endif
