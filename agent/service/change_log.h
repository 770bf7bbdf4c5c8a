/* Changes in the system log: a line for each, and above CHANGE_LINES on one server one line for all of them. The journal
 * has a record of each in any case. */
#ifndef SERVICE_CHANGE_LOG_H
#define SERVICE_CHANGE_LOG_H

#include "curfew/log.h"
#include "curfew/record.h"

/* Of one server and pass, made and failed ones apart. What a person still reads, and what a first pass over thousands of
 * users goes far beyond. */
#define CHANGE_LINES 100

struct change_tally;
struct change_log { /* zeroed at first, and after change_log_end() */
	struct change_tally *tallies;
	size_t n;
};

/* Counts an OUTCOME or NETWORK_OUTCOME. Whether it has a line of its own; also without memory. */
bool change_log_take(struct change_log *l, const struct record *r);
/* For each server with more: a line with their count by kind. Changes that were made are logged as `made`. */
void change_log_end(struct change_log *l, enum log_message made, const struct log_fields *f);

#endif
