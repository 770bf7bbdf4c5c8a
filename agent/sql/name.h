/* Used by sql/ and the rooms above it: names as bytes. SQL Server allows any 16-bit unit in a name, also half of a
 * surrogate pair, which is not valid Unicode and which conversions break. So names are fetched as bytes and decoded
 * here. The result is UTF-8; an unpaired surrogate becomes the three bytes ED A0 80 to ED BF BF, so that different
 * names stay different. Records show it as `?`. */
#ifndef CURFEW_SQL_NAME_H
#define CURFEW_SQL_NAME_H

#include "curfew/base.h"

#include <stdio.h>

/* T-SQL that returns a name as bytes. Cast to nvarchar first, because some servers store names in another encoding. */
#define NAME_BYTES(expression) "CAST(CAST(" expression " AS nvarchar(128)) AS varbinary(256))"

/* Decodes UTF-16LE as described above. U+0000 becomes U+FFFD, so that it cannot cut the name short. NULL without memory
 * or for an odd number of bytes. */
char *name_decode(const char *bytes, size_t size);
/* The text has no unpaired surrogate, so it can be written into a batch. */
bool name_is_whole(const char *text);
/* Writes a batch whose names may contain unpaired surrogates. Without any, the batch is unchanged; else it becomes
 * dynamic SQL in which such units are CAST(0x00D8 AS nchar(1)), and to which the integer variable `given` is passed; NULL:
 * none. */
void batch_write_sendable(FILE *to, const char *batch, const char *given);

#endif
