/* Items of a certificate that nobody looks for any more, by `curfew forget`. */
#ifndef COMMANDS_CERTIFICATE_FORGOTTEN_H
#define COMMANDS_CERTIFICATE_FORGOTTEN_H

#include "commands/certificate_scope.h"

/* Who decided that, when, and why. */
struct certificate_item forgotten_item(const struct journal_entry *forget, const char *login,
	const char *server, const char *database);
/* Databases without which an end was verified, because nobody can read them. Returns how many items there are then. */
size_t forgotten_unread_add(struct certificate_item *items, size_t n, const struct collected *c,
	const struct certificate_scope *scope, const struct journal_entries *events);

#endif
