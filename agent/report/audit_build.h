/* Private to the building of an audit. */
#ifndef REPORT_AUDIT_BUILD_H
#define REPORT_AUDIT_BUILD_H

#include "curfew/report.h"

struct build {
	const struct audit_input *in;
	const struct program *program;
	const char *client; /* NULL: all */
	instant_t at, since;
	struct audit_server *servers;
	struct audit_grant *grants;
	struct audit_residual *residual;
	struct audit_session *sessions;
	struct audit_finding *findings;
	struct audit_proof *proofs;
	size_t n_servers, n_grants, n_residual, n_sessions, n_findings, n_proofs;
	size_t n_older;
	char **texts; /* owned by the report */
	size_t n_texts;
	bool no_memory;
};

/* Returns NULL for an empty text. */
static inline const char *audit_or_null(const char *text)
{
	return *text ? text : NULL;
}
/* Findings besides those in the records: at most this many a session, see audit_findings.c. */
#define FINDINGS_A_SESSION 2
#define TEXTS_A_SESSION	   4
void sessions_add(struct build *b);
void findings_add(struct build *b);
/* Keeps the text as long as the report; returns NULL without memory. */
const char *audit_text_keep(struct build *b, char *text);
__attribute__((format(printf, 2, 3))) const char *audit_text(
	struct build *b, const char *format, ...);
/* What two checks say of one thing becomes one finding. */
void findings_merge(struct build *b);
#define TEXTS_A_MERGE 2
/* Number of findings about sources that overlap trusted ones. Each needs a text. */
size_t overlaps_count(const struct audit_input *in);

#endif
