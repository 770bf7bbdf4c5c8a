/* A pass without its workers: what it is given, and what it told. */
#ifndef TESTS_ENGINE_PASS_SCENE_H
#define TESTS_ENGINE_PASS_SCENE_H

#include "../program/fixture.h"
#include "../journal/journal_fixture.h"

#include "curfew/state_tables.h"
#include "curfew/pass.h"

/* Full access until GOLIVE, then read-only. */
#define TESTING 1793500000
#define GOLIVE	1795446000

struct scene {
	char *folder;
	struct program *program;
	struct journal *journal;
	struct pass_options options;
	struct firewall_port port;
	bool closings_only;	    /* of the last commit */
	size_t n_applied, n_allows; /* calls, and how many are let in by the last of them */
	size_t n_let_in[8];	    /* by each of the first of them */
	int applies;		    /* what the port answers */
	int planned;		    /* what a plan answers; 0: there may be something to apply */
	uint64_t number;	    /* of the last list that was planned */
	size_t n_planned;	    /* without those that were planned by their number */
	bool in_part; /* it does all but the last change, and one that nobody planned */
	bool stale;
	const char *element; /* the comment of one that is there */
	struct record told[32];
	size_t n_told;
};

int scene_setup(void **state);
/* `prepare` changes the configuration in its folder before it is read; NULL: nothing. */
int scene_setup_with(void **state, void (*prepare)(const char *folder));
int scene_teardown(void **state);
struct record scene_record(enum record_kind kind, const char *server);
struct record scene_plan(
	const char *server, uint64_t number, enum change_kind kind, const char *login);
/* Of acme.jane.doe. */
struct record scene_verification(const char *server, const char *database, enum level level);
struct record scene_grant(const char *server, const char *database, enum level level);
/* The one record of that kind that was told of the server. */
const struct record *scene_told(const struct scene *s, enum record_kind kind, const char *server);
struct collected scene_journal(const struct scene *s, enum journal_kind kind);
/* Announces a change on sqltest02, has it done, and ends; `between` happens before the outcome. */
/* An earlier pass saw Jane there at that level, and verified it. */
void scene_remember(struct scene *s, const char *server, const char *database, enum level level);
void scene_work(struct pass *p, void (*between)(struct pass *p, struct scene *s), struct scene *s);
void nothing_happens(struct pass *p, struct scene *s);

#endif
