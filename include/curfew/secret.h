/* The text of a secret's file: the password or the key is its first line. */
#ifndef CURFEW_SECRET_H
#define CURFEW_SECRET_H

#include "curfew/base.h"

/* Read at most SECRET_BYTES - 1 bytes of a file, so that a zero byte fits behind them. */
#define SECRET_BYTES 1024
/* A shorter key of the journal could be guessed. `openssl rand -hex 32` prints 64 characters. */
#define SECRET_KEY_MIN 32

enum secret_use {
	SECRET_SQL,  /* the agent login's password: UTF-8, and no longer than FreeTDS takes */
	SECRET_MAIL, /* a mail password or a webhook's secret: any bytes on one line */
	SECRET_KEY, /* the journal's: any bytes, as the hashes of existing journals were made with, but enough of them */
};

/* Leaves the first line of the `n` bytes in `text`, which has room for n + 1, without the end of line of Unix or Windows.
 * Returns NULL, or what is wrong with the file, in words that go behind its name and repeat nothing of the secret. */
const char *secret_line(char *text, size_t n, enum secret_use use);

#endif
