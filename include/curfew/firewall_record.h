/* One line of what the firewall process remembers, as text and as a struct. */
#ifndef CURFEW_FIREWALL_RECORD_H
#define CURFEW_FIREWALL_RECORD_H

#include "curfew/base.h"

/* NONE is what an empty record holds. */
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

/* Without a newline. -EINVAL: a name that no line can hold. */
int firewall_record_write(char line[FIREWALL_RECORD_MAX], const struct firewall_record *r);
/* The line ends at a newline or at the end of the text. -EINVAL: it is none of ours. */
int firewall_record_read(struct firewall_record *out, const char *line);

/* Who is revoked and how far the journal was, by all lines. */
struct firewall_memory {
	struct firewall_record *revoked; /* those not reinstated since */
	size_t n;
	struct firewall_record head; /* kind 0: none yet */
};
int firewall_memory_add(struct firewall_memory *m, const struct firewall_record *r);
const struct firewall_record *firewall_memory_find(
	const struct firewall_memory *m, const char *client, const char *login);
/* Adds every line; *unreadable counts those that are none of ours. 0 or -ENOMEM. */
int firewall_memory_read(struct firewall_memory *m, size_t *unreadable, const char *text);
void firewall_memory_free(struct firewall_memory *m);

#endif
