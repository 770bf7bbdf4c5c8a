/* Checks of names: UTF-8, limited length, no invisible characters. */
#ifndef PROGRAM_NAMES_H
#define PROGRAM_NAMES_H

#include "curfew/text.h"

/* Control characters, and marks that change how the text around them is displayed. */
bool character_is_hidden(uint32_t c);

/* The problem of a name ("is empty", ...), or NULL. */
const char *name_fault(const char *text);
/* ASCII, whatever the locale: a login must not depend on who starts Curfew. */
bool is_letter_or_digit(char c);
bool is_ascii(const char *text);
char to_small(char c);
/* Only letters, digits, '.', '_', and '-', and does not start with '.' or '-': usable as a file name. */
bool name_is_plain(const char *text);
/* A host name or address for a client library. */
bool name_is_host(const char *text);
/* local@domain in ASCII; the domain has at least two labels. */
bool name_is_email(const char *text);
/* In lowercase, so that names which SQL Server treats as equal compare equal. NULL without memory. */
char *name_fold(const char *text);

/* The login of a user: "acme.jane.doe", or "acme.jane" if `last` is empty. 0, -ENOMEM, or LOGIN_UNSPEAKABLE if a part
 * has no letter that can be converted to ASCII. */
enum login_problem { LOGIN_UNSPEAKABLE = 1 };
int login_make(char **out, const char *client, const char *first, const char *last);
/* The problem of a login as name of a server principal and a database user, or NULL. */
const char *login_fault(const char *login);

#endif
