/* The wanted allowlist: which source may reach which endpoint until when. Pure. */
#ifndef CURFEW_ALLOWLIST_H
#define CURFEW_ALLOWLIST_H

#include "schedule.h"

/* nft reads comments of at most 128 characters. */
#define ALLOW_COMMENT_MAX 128

struct allow {
	struct source source;
	struct endpoint endpoint;
	instant_t until; /* the latest end of all who share it */
	char comment[ALLOW_COMMENT_MAX +
		     1]; /* "acme/acme.jane.doe", several joined by ", ", cut with "..." */
};
struct trusted {
	struct source source;
	struct endpoint endpoint;
	char comment[ALLOW_COMMENT_MAX + 1]; /* server's name */
};
struct allowlist {
	struct allow *allows; /* sorted by endpoint, source; no two alike */
	size_t n_allows;
	struct endpoint
		*guards; /* every endpoint of every server in the configuration, sorted, unique */
	size_t n_guards;
	struct trusted *trusted;
	size_t n_trusted;
};

/* A grant that must not be let in although it is wanted: SQL has not yet proved it as narrow as it must be. */
typedef bool (*allowlist_withheld_fn)(const struct grant *g, void *context);

int allowlist_build(struct allowlist *out, const struct program *p, const struct grants *g,
	instant_t now, allowlist_withheld_fn withheld, void *context);
void allowlist_free(struct allowlist *a);

#endif
