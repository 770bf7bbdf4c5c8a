/* Causes of failed access. Each function writes the last line of the explanation and returns whether its cause
 * applies. */
#ifndef CURFEW_REPORT_EXPLANATION_H
#define CURFEW_REPORT_EXPLANATION_H

#include "curfew/explain.h"

/* Writes the last line. Returns true. */
bool explain_say(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *explain_or(const char *text, const char *other);
/* Whether access is scheduled now on this server (NULL: on any). */
bool explain_is_scheduled(const struct explain_facts *f, const struct server *s);

bool certificate_is_wrong(char *text, const struct explain_facts *f);
bool agent_is_refused(char *text, const struct explain_facts *f);
bool agent_has_no_password(char *text, const struct explain_facts *f);
bool server_is_down(char *text, const struct explain_facts *f);
bool is_held(char *text, const struct explain_facts *f);
bool agent_lacks_rights(char *text, const struct explain_facts *f);
bool is_excess(char *text, const struct explain_facts *f);
bool database_is_missing(char *text, const struct explain_facts *f);
bool database_is_unread(char *text, const struct explain_facts *f);
bool not_as_scheduled(char *text, const struct explain_facts *f);
bool login_is_missing(char *text, const struct explain_facts *f);
bool login_is_disabled(char *text, const struct explain_facts *f);
bool is_unverified(char *text, const struct explain_facts *f);
bool change_has_failed(char *text, const struct explain_facts *f);
bool network_is_closed(char *text, const struct explain_facts *f);
bool was_never_handed_over(char *text, const struct explain_facts *f);
bool is_locked(char *text, const struct explain_facts *f);
bool is_expired(char *text, const struct explain_facts *f);
bool has_to_change(char *text, const struct explain_facts *f);
bool is_trusted_only(char *text, const struct explain_facts *f);

#endif
