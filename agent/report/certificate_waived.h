/* Part of a certificate: databases where full access equaled db_owner, as an operator had accepted. */
#ifndef CURFEW_REPORT_CERTIFICATE_WAIVED_H
#define CURFEW_REPORT_CERTIFICATE_WAIVED_H

#include "curfew/report.h"

/* Prints nothing if there are none. 0 or -ENOMEM. */
int waived_print(const struct certificate *c, FILE *to, size_t width);
void waived_html(const struct certificate *c, FILE *to);
/* A new reference; NULL without memory. */
struct json_t *waived_json(const struct certificate *c);

#endif
