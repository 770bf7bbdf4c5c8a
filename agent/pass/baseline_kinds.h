/* The kinds of items in a baseline, and how their changes are reported. */
#ifndef PASS_BASELINE_KINDS_H
#define PASS_BASELINE_KINDS_H

#include "curfew/journal.h"
#include "curfew/record.h"
#include "pass/pass_internal.h"

/* A check that is NULL is not reported, because another one covers it. */
struct baseline_kind {
	const char *kind;
	const char *new, *new_words;
	enum finding_severity new_severity;
	const char *changed, *changed_words;
	enum finding_severity changed_severity;
	const char *gone, *gone_words;
	enum finding_severity gone_severity;
	bool work; /* with full access this is expected work: severity low */
	int since; /* from which BASELINE_KINDS a baseline has it; 0: each, 1: with "made" */
	int since_in_master; /* the same, of the server's baseline alone */
	const char *part_of; /* kind of what it is a part of, if that is not an object */
};
struct baseline_verdict {
	const char *check, *words;
	enum finding_severity severity;
};

/* NULL: a kind of a different version. */
const struct baseline_kind *baseline_kind_of(const struct baseline_item *i);
/* Whose item it is: the quoted name of the principal, and the kind under which that one is listed. NULL: nobody's. */
const char *baseline_holder_of(size_t *size, const char **kind, const struct baseline_item *i);
/* By its quoted name, and the type and SID in its hash. `agent` is the SID of the agent's login, "0x..."; NULL is nobody's. */
bool baseline_principal_is_ours(const struct pass *p, const struct server_work *w,
	const char *quoted, const char *hash, const char *agent);
/* A user with the name of the agent's login and another SID: whoever has that one is taken for the agent. */
bool baseline_bears_agents_name(
	const struct server_work *w, const struct baseline_item *i, const char *agent);
/* The role of agents in master, which bootstrap creates where it is missing. What is granted to it is nobody's. */
bool baseline_is_lock_role(const struct baseline_item *i, const char *database);
/* USER_LOGIN and its users, known by its SID, "0x...", and what bootstrap grants to it. What else it gets is nobody's. */
bool baseline_is_user_login(const struct baseline_item *i, const char *sid);
/* Logins called as the server's own, which baselines before kinds 2 are without. */
bool baseline_login_was_left_out(const struct baseline_item *i);

#endif
