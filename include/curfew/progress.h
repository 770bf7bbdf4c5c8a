/* How far a client is with its customizations: numbers by color and decision over time, from the samples of all of its
 * databases. Pure. */
#ifndef CURFEW_PROGRESS_H
#define CURFEW_PROGRESS_H

#include "curfew/program.h"
#include "curfew/samples.h"

struct json_t; /* jansson's */

struct progress {
	struct sample_tally *items; /* sums over all databases, one a day, by time */
	size_t n;
};
/* `now`: the reading that is being shown, in place of a sample of the same day; may be NULL. 0 or -ENOMEM. */
int progress_make(
	struct progress *out, const struct samples *samples, const struct sample_tally *now);
void progress_free(struct progress *p);
/* NULL: there is no number yet. */
const struct sample_tally *progress_last(const struct progress *p);
static inline uint64_t tally_all(const struct sample_tally *t)
{
	return t->red + t->yellow + t->green;
}
/* Whether a go-live within the next weeks finds objects that nobody decided on, or that are unused. */
bool tally_is_urgent(const struct sample_tally *t, const struct client *c, instant_t now);
/* "30 of 42 objects are left before go-live Mon 2026-12-14 09:00 CST: 20 undecided, 8 to replace, 2 to drop; 5 are red". */
#define TALLY_WORDS_MAX 320
/* `c` NULL: without a date. */
const char *tally_words(char buf[TALLY_WORDS_MAX], const struct sample_tally *t,
	const struct client *c, instant_t now);

/* At most so many lines, the first and the last among them. Nothing without numbers. 0 or negative errno. */
int progress_print(const struct progress *p, FILE *to, size_t lines);
/* A picture of its own inside a page; `small`: without dates and words. Nothing without numbers. */
void progress_svg(const struct progress *p, FILE *to, bool small);
struct json_t *tally_json(const struct sample_tally *t); /* null for NULL */
struct json_t *progress_json(const struct progress *p);

#endif
