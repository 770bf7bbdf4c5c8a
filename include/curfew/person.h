/* The user and the approval of a record of access. Stored with the record, because client files change and disappear. */
#ifndef CURFEW_PERSON_H
#define CURFEW_PERSON_H

#include "curfew/schedule.h"

struct person {
	char *name, *email, *ticket, *approved_by; /* owned; NULL: not recorded */
	instant_t approved;			   /* 0: not recorded */
	instant_t end; /* when this grant ends, by the schedule of that time; 0: not recorded */
};
/* One line of JSON for the journal; NULL without memory. */
char *person_text(const struct grant *g);
/* False if the text is NULL or not such a line (records of older versions). */
bool person_parse(struct person *out, const char *text);
/* Whether two records are about different people. The email address decides, because a name is spelled in more than one
 * way; false where one of them has none. */
bool is_another_person(const char *a, const char *b);
void person_free(struct person *p);

#endif
