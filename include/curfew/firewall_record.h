/* A revocation, a head of the journal, or a guard as the firewall process saves it: as a line, and as a struct. */
#ifndef CURFEW_FIREWALL_RECORD_H
#define CURFEW_FIREWALL_RECORD_H

#include "curfew/allowlist.h"

/* NONE: the struct is empty. */
enum firewall_record_kind {
	FIREWALL_RECORD_NONE,
	FIREWALL_REVOKED,
	FIREWALL_REINSTATED,
	FIREWALL_HEAD,
	/* Written by the firewall process alone: what its table guards. */
	FIREWALL_GUARD,	  /* nobody is trusted there yet */
	FIREWALL_TRUSTED, /* the guard before it */
	FIREWALL_UNGUARD
};
#define FIREWALL_HASH_TEXT 64

struct firewall_record {
	enum firewall_record_kind kind;
	instant_t at;
	/* REVOKED, REINSTATED; login "": the whole client. GUARD, TRUSTED, UNGUARD: `client` is the server. */
	char client[MAX_NAME_BYTES + 1], login[MAX_NAME_BYTES + 1];
	/* HEAD: the journal's newest record. */
	int64_t id;
	char hash[FIREWALL_HASH_TEXT + 1];
	struct endpoint endpoint; /* GUARD, TRUSTED, UNGUARD */
	struct source source;	  /* TRUSTED */
};
#define FIREWALL_RECORD_MAX (2 * MAX_NAME_BYTES + 128)

/* Without a newline. -EINVAL: a name is empty or has control characters. */
int firewall_record_write(char line[FIREWALL_RECORD_MAX], const struct firewall_record *r);
/* The line ends at a newline or at the end of the text. -EINVAL: invalid line. */
int firewall_record_read(struct firewall_record *out, const char *line);

/* More guards, or trusted sources of all guards, are not remembered: their lines must fit in the file many times. */
#define FIREWALL_GUARDS_MAX  4096
#define FIREWALL_TRUSTED_MAX 16384

/* Behind a message that lines of it cannot be read. */
#define UNKNOWN_REVOCATIONS                                                                        \
	"; revocations in them are not known: compare `curfew status` with what you know to be revoked"

/* The result of all lines: current revocations, the last head, and the guards in force. */
struct firewall_memory {
	struct firewall_record *revoked; /* those not reinstated since */
	size_t n;
	struct firewall_record head; /* kind 0: none yet */
	struct kept_guards guards;   /* one for each endpoint, in no order */
	size_t n_trusted;	     /* of all guards */
};
/* 0, -ENOMEM, or -E2BIG: more than is remembered. */
int firewall_memory_add(struct firewall_memory *m, const struct firewall_record *r);
const struct firewall_record *firewall_memory_find(
	const struct firewall_memory *m, const char *client, const char *login);
/* NULL: it is not guarded. */
const struct kept_guard *firewall_memory_guard(
	const struct firewall_memory *m, const struct endpoint *e);
/* Adds every line; *unreadable counts those that are invalid or too many. 0 or -ENOMEM. */
int firewall_memory_read(struct firewall_memory *m, size_t *unreadable, const char *text);
/* The file in which the process saves it, for whoever reads it without the process: a descriptor, or negative errno.
 * -ENOENT: it has saved nothing yet. */
int firewall_memory_open(const char *folder);
int firewall_memory_load(struct firewall_memory *out, size_t *unreadable, int fd);
void firewall_memory_free(struct firewall_memory *m);

#endif
