/* Part of a certificate: access that an operator decided to look for no longer. It is not verified as removed. */
#ifndef CURFEW_REPORT_CERTIFICATE_FORGOTTEN_H
#define CURFEW_REPORT_CERTIFICATE_FORGOTTEN_H

#include "curfew/report.h"

/* How many items are such. */
size_t forgotten_count(const struct certificate *c);
/* 0 or -ENOMEM. */
int forgotten_print(const struct certificate *c, FILE *to, size_t width);
void forgotten_html(const struct certificate *c, FILE *to);

#endif
