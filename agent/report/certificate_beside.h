/* Part of a certificate: what it does not cover. Access of others that the audit found where the client had access. */
#ifndef CURFEW_REPORT_CERTIFICATE_BESIDE_H
#define CURFEW_REPORT_CERTIFICATE_BESIDE_H

#include "curfew/report.h"

/* 0 or -ENOMEM. */
int beside_print(const struct certificate *c, FILE *to, size_t width);
void beside_html(const struct certificate *c, FILE *to);
/* A new reference; NULL without memory. */
struct json_t *beside_json(const struct certificate *c);

#endif
