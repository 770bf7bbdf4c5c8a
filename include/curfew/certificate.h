/* Certificates in PEM, as OpenSSL and GnuTLS look for them. */
#ifndef CURFEW_CERTIFICATE_H
#define CURFEW_CERTIFICATE_H

#include "curfew/base.h"

/* Whether this line begins one. Windows exports DER files with the same suffixes. */
static inline bool certificate_begins(const char *line)
{
	return strncmp(line, "-----BEGIN CERTIFICATE-----", 27) == 0 ||
	       strncmp(line, "-----BEGIN X509 CERTIFICATE-----", 32) == 0;
}

#endif
