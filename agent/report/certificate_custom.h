/* Used only by certificates: customizations that remain. Nothing where none was ever sampled. */
#ifndef REPORT_CERTIFICATE_CUSTOM_H
#define REPORT_CERTIFICATE_CUSTOM_H

#include "curfew/report.h"

/* 0 or negative errno. */
int custom_left_print(const struct certificate *c, FILE *to, size_t width);
void custom_left_html(const struct certificate *c, FILE *to);

#endif
