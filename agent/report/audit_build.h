/* Inside the building of an audit. Not for other modules. */
#ifndef REPORT_AUDIT_BUILD_H
#define REPORT_AUDIT_BUILD_H

#include "curfew/report.h"

struct build {
	const struct audit_input *in;
	const struct program *program;
	const char *client; /* or NULL: all */
	instant_t at;
	struct audit_server *servers;
	struct audit_grant *grants;
	struct audit_residual *residual;
	struct audit_session *sessions;
	struct audit_finding *findings;
	struct audit_proof *proofs;
	size_t n_servers, n_grants, n_residual, n_sessions, n_findings, n_proofs;
	char **texts; /* owned by the report */
	size_t n_texts;
	bool no_memory;
};

/* NULL for an empty text. */
static inline const char *audit_or_null(const char *text)
{
	return *text ? text : NULL;
}
/* Room for what the records hold; see audit_sessions.c for what each session can add. */
#define FINDINGS_A_SESSION 2
#define TEXTS_A_SESSION	   4
void sessions_add(struct build *b);
void findings_add(struct build *b);
/* Findings of sources that overlap trusted ones, each with a text. */
size_t overlaps_count(const struct audit_input *in);

#endif
