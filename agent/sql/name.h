/* Names as bytes: SQL Server keeps any 16-bit unit in a name, also half a surrogate pair, which is no character of
 * Unicode and breaks every conversion on the way. So names are fetched as bytes and decoded here. Not for other modules.
 *
 * The decoded form is UTF-8, with an unpaired surrogate as the three bytes that UTF-8 would have for it (ED A0 80 to
 * ED BF BF): no two names become one, and records show it as `?`. */
#ifndef CURFEW_SQL_NAME_H
#define CURFEW_SQL_NAME_H

#include "curfew/base.h"

#include <stdio.h>

/* The T-SQL that fetches a name so. First as nvarchar: some servers keep names in an encoding of their own. */
#define NAME_BYTES(expression) "CAST(CAST(" expression " AS nvarchar(128)) AS varbinary(256))"

/* UTF-16LE to the form above; U+0000 becomes U+FFFD, so that it cannot cut the name short. NULL without memory or for an
 * odd number of bytes. */
char *name_decode(const char *bytes, size_t size);
/* No unpaired surrogate: can be written into a batch as it is. */
bool name_is_whole(const char *text);
/* A batch whose names may hold unpaired surrogates, as one that a library can send: unchanged when it is plain, else as
 * dynamic SQL in which these units are written as CAST(0x00D8 AS nchar(1)). */
void batch_write_sendable(FILE *to, const char *batch);

#endif
