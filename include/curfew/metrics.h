/* The service's metrics, in Prometheus' text format for a textfile collector. */
#ifndef CURFEW_METRICS_H
#define CURFEW_METRICS_H

#include "curfew/program.h"

struct metrics_server {
	const char *name;
	bool reachable;
	bool has_complete_pass;
	instant_t complete_pass; /* the last */
	unsigned failures;	 /* in a row */
	uint64_t round_trips;
};
struct metrics {
	instant_t now;
	size_t clients, grants[LEVEL_FULL + 1]; /* by wanted level */
	bool has_next;
	instant_t next_transition;
	size_t overdue;
	size_t excess; /* grants that give more than scheduled */
	size_t unread; /* grants on databases that could not be read, maintenance windows aside */
	bool held;     /* nothing is opened: records are missing, or cannot be read */
	size_t unrecorded;   /* records that wait for the journal */
	int64_t overdue_age; /* seconds, of the oldest; 0 without one */
	size_t kept_clients; /* in force by their last good version */
	bool has_pass;
	instant_t last_pass;
	double pass_duration; /* seconds */
	uint64_t passes, passes_failed;
	uint64_t changes, changes_failed;
	uint64_t drift_network, drift_sql; /* repaired */
	uint64_t refused_packets;
	size_t allowlist;     /* elements wanted in the kernel */
	int64_t clock_behind; /* seconds that the machine's clock is behind the ratchet; 0 when right */
	const struct metrics_server *servers;
	size_t n_servers;
};

int metrics_print(const struct metrics *m, FILE *to);
/* Replaces the file as a whole; a collector never sees half of one. 0 or negative errno. */
int metrics_write(const struct metrics *m, const char *file);

#endif
