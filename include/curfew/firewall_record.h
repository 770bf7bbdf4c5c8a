/* A revocation or a head of the journal as the firewall process saves it: as a line, and as a struct. */
#ifndef CURFEW_FIREWALL_RECORD_H
#define CURFEW_FIREWALL_RECORD_H

#include "curfew/base.h"

/* NONE: the struct is empty. */
enum firewall_record_kind {
	FIREWALL_RECORD_NONE,
	FIREWALL_REVOKED,
	FIREWALL_REINSTATED,
	FIREWALL_HEAD
};
#define FIREWALL_HASH_TEXT 64

struct firewall_record {
	enum firewall_record_kind kind;
	instant_t at;
	/* REVOKED, REINSTATED; login "": the whole client. */
	char client[MAX_NAME_BYTES + 1], login[MAX_NAME_BYTES + 1];
	/* HEAD: the journal's newest record. */
	int64_t id;
	char hash[FIREWALL_HASH_TEXT + 1];
};
#define FIREWALL_RECORD_MAX (2 * MAX_NAME_BYTES + 128)

/* Without a newline. -EINVAL: a name is empty or has control characters. */
int firewall_record_write(char line[FIREWALL_RECORD_MAX], const struct firewall_record *r);
/* The line ends at a newline or at the end of the text. -EINVAL: invalid line. */
int firewall_record_read(struct firewall_record *out, const char *line);

/* The result of all lines: current revocations, and the last head. */
struct firewall_memory {
	struct firewall_record *revoked; /* those not reinstated since */
	size_t n;
	struct firewall_record head; /* kind 0: none yet */
};
int firewall_memory_add(struct firewall_memory *m, const struct firewall_record *r);
const struct firewall_record *firewall_memory_find(
	const struct firewall_memory *m, const char *client, const char *login);
/* Adds every line; *unreadable counts invalid ones. 0 or -ENOMEM. */
int firewall_memory_read(struct firewall_memory *m, size_t *unreadable, const char *text);
void firewall_memory_free(struct firewall_memory *m);

#endif
