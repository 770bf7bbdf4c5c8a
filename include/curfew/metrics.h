/* The service's metrics, in Prometheus' text format for a textfile collector. */
#ifndef CURFEW_METRICS_H
#define CURFEW_METRICS_H

#include "curfew/program.h"

struct metrics_server {
	const char *name;
	bool reachable;
	bool has_complete_pass;
	instant_t complete_pass; /* of the last one */
	unsigned failures;	 /* in a row */
	uint64_t round_trips;
};
struct metrics {
	instant_t now;
	size_t clients, grants[LEVEL_FULL + 1]; /* by scheduled level */
	bool has_next;
	instant_t next_transition;
	size_t overdue;
	bool overdue_unknown; /* and 0 would say that none is */
	size_t excess;	      /* grants that give more access than scheduled */
	size_t unread; /* grants on databases that could not be read, outside maintenance windows */
	bool held;     /* no access is granted, because records are missing or cannot be read */
	bool unfiltered;     /* none is granted either: this host is to filter, and cannot */
	size_t unrecorded;   /* records that wait for the journal */
	int64_t overdue_age; /* of the oldest, in seconds; 0 if none */
	size_t kept_clients; /* loaded from their last known good version */
	bool has_pass;
	instant_t last_pass;
	double pass_duration; /* seconds */
	uint64_t passes, passes_failed;
	uint64_t changes, changes_failed;
	uint64_t drift_network, drift_sql; /* corrected */
	uint64_t refused_packets;
	size_t allowlist; /* entries scheduled for the kernel */
	int64_t clock_behind; /* seconds that the system clock is behind the latest time seen; 0: correct */
	const struct metrics_server *servers;
	size_t n_servers;
};

int metrics_print(const struct metrics *m, FILE *to);
/* Replaces the file atomically, so that a collector never reads half of one. 0 or negative errno. */
int metrics_write(const struct metrics *m, const char *file);

#endif
