/* Names as SQL Server and people take them: UTF-8, bounded, without anything that cannot be seen. */
#ifndef PROGRAM_NAMES_H
#define PROGRAM_NAMES_H

#include "curfew/text.h"

/* Controls, and marks that change how the text around them is shown: they make a plan unreadable. */
bool character_is_hidden(uint32_t c);

/* What is wrong with a name ("is empty", ...), or NULL. */
const char *name_fault(const char *text);
/* ASCII, whatever the locale: a login must not depend on who started the agent. */
bool is_letter_or_digit(char c);
bool is_ascii(const char *text);
char to_small(char c);
/* Letters, digits, '.', '_' and '-', not beginning with '.' or '-': fit for a file name and a section. */
bool name_is_plain(const char *text);
/* A host name or address as a client library takes it. */
bool name_is_host(const char *text);
/* local@domain in ASCII; the domain has at least two labels. */
bool name_is_email(const char *text);
/* In small letters, so that names that SQL Server takes for one compare equal. NULL: no memory. */
char *name_fold(const char *text);

/* The login of a person: "acme.jane.doe", or "acme.jane" where `last` is empty. 0, -ENOMEM, or LOGIN_UNSPEAKABLE when a part has no letters
 * that ASCII could stand for. */
enum login_problem { LOGIN_UNSPEAKABLE = 1 };
int login_make(char **out, const char *client, const char *first, const char *last);
/* What is wrong with a login as a name of a server principal and of a database user, or NULL. */
const char *login_fault(const char *login);

#endif
