/* What earlier readings for the inventory saw, kept in the journal: a restart of the server erases its counters, not
 * these. Decides nobody's access, but people drop things by it: so the chain covers it as it covers the baselines.
 * memory_forget() drops it. */
#ifndef CURFEW_SAMPLES_H
#define CURFEW_SAMPLES_H

#include "curfew/journal.h"

/* Uses that are kept of one database, and its tallies: beyond the first, none is kept; of the second, the newest. */
#define SAMPLE_USES_MAX	   5000
#define SAMPLE_TALLIES_MAX 800

/* Since when a part of the server's evidence was watched without an end; `gap`: seconds within, in which the server may
 * have forgotten what was used before Curfew read it. */
struct sample_watch {
	const char *part; /* "index-usage", "query-store" */
	instant_t since, until;
	int64_t gap;
};
struct sample_use { /* something that was seen in use */
	const char *type, *name, *source;
	instant_t last;
};
struct sample_tally { /* of what is not the product's own */
	instant_t at;
	uint64_t red, yellow, green;		 /* together: all */
	uint64_t undecided, keep, replace, drop; /* together: all, too */
	uint64_t left; /* all but what is kept and not red: what is to do before go-live */
};
struct sample_decision { /* people's words; NULL: none */
	const char *type, *name, *decision, *replacement, *owner, *due, *note;
};

/* Of one database. Read: the strings are owned, uses and decisions sorted by type and name, tallies by time. */
struct sample {
	const char *server, *database;
	instant_t at; /* 0: only decisions are known */
	struct sample_watch *watches;
	size_t n_watches;
	struct sample_use *uses;
	size_t n_uses;
	struct sample_tally *tallies;
	size_t n_tallies;
	struct sample_decision *decisions;
	size_t n_decisions;
};
struct samples {
	struct sample *items;
	size_t n;
};

/* Replaces watches and uses, and adds the tallies. -EINVAL: more uses than SAMPLE_USES_MAX. */
int sample_put(struct journal *j, const struct sample *s);
/* Replaces the decisions. */
int sample_decide(struct journal *j, const struct sample *s);
/* Adds one database. 0 also if nothing is known of it, or the file is of an older version. */
int sample_read(struct samples *out, struct journal *j, const char *server, const char *database);
/* The same with nothing but the tallies. */
int sample_tallies_read(
	struct samples *out, struct journal *j, const char *server, const char *database);
/* When the database was sampled last; 0: never. */
int sample_last(instant_t *out, struct journal *j, const char *server, const char *database);
/* NULL: nothing is known. */
const struct sample *sample_of(const struct samples *all, const char *server, const char *database);
void sample_free(struct sample *s); /* one whose strings are owned */
void samples_free(struct samples *all);

#endif
