/* Used only by pass/: a visit that goes again, and what it knows of the one before it. */
#ifndef CURFEW_PASS_AGAIN_H
#define CURFEW_PASS_AGAIN_H

#include "pass/pass_internal.h"

/* The worker has lost its session in a database. True: it is run again. */
bool pass_goes_again(struct pass *p, struct server_work *w, const struct record *end);
void pass_again_free(struct server_work *w);
/* A login that a visit is about to make, at this time by the server's clock: the next visit of this pass knows it as
 * the next pass would. 0 or -ENOMEM. */
int pass_made_take(struct pass *p, struct server_work *w, const char *login, instant_t clock);
void pass_made_free(struct server_work *w);
/* Where a session was seen, for the next visit. One that is lost for want of memory lets no visit go again. */
void pass_entry_take(struct server_work *w, const struct record *r);

#endif
