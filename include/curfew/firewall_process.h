/* The firewall process: a child that keeps only CAP_NET_ADMIN, owns the table, and checks every entry against the
 * configuration that it loaded itself. It reads nothing from the network. A request that is unknown or not allowed ends
 * it. */
#ifndef CURFEW_FIREWALL_PROCESS_H
#define CURFEW_FIREWALL_PROCESS_H

#include <sys/types.h>

#include "curfew/firewall_port.h"
#include "curfew/firewall_record.h"

/* ---- which entries are allowed: pure ---- */

struct firewall_policy; /* every entry that a configured client can ever have, with its last end */

/* Borrows nothing of the program. `memory`: who is revoked, as far as the firewall process knows; NULL: nobody. */
int firewall_policy_build(struct firewall_policy **out, const struct program *p,
	const struct firewall_memory *memory);
void firewall_policy_free(struct firewall_policy *p);
/* Who is revoked from now on. */
void firewall_policy_revoke(struct firewall_policy *p, const struct firewall_memory *memory);
/* NULL, or the error in the entry. It must have an end, not later than that of the last client with this source on this
 * endpoint. */
const char *firewall_policy_allow(const struct firewall_policy *p, const struct allow *a);
/* The same without the question whose it is: what no configuration could make right. */
const char *firewall_policy_form(const struct firewall_policy *p, const struct allow *a);
/* Every entry is one that the configuration gives, for no longer than it does. */
bool firewall_policy_confirms(const struct firewall_policy *p, const struct allowlist *w);
/* Where files have errors, the service's last good version of one may say more than the firewall process knows. What that
 * process cannot confirm is neither opened nor prolonged, and what the table has already stays until its end there; but
 * nothing of who is revoked.
 * Returns how many entries were left out or end earlier. `held` is the table as read; `now` is the time of that reading. */
size_t firewall_policy_bound(struct allowlist *w, const struct firewall_policy *p,
	const struct firewall_state *held, instant_t now);
const char *firewall_policy_trusted(const struct firewall_policy *p, const struct trusted *t);
/* Every configured endpoint must be guarded, because a missing guard would open it. A guard and its trusted sources may
 * outlive their server's entry, because without the guard everybody could reach the endpoint; they must be in the table now
 * (`held`; NULL: nothing is). The guards are sorted. */
const char *firewall_policy_list(const struct firewall_policy *p, const struct allowlist *w,
	const struct firewall_state *held);
/* Whose sets an endpoint leads to: by the configuration alone, whatever the service says. NULL: it is no server's. */
const char *firewall_policy_server(const struct firewall_policy *p, const struct endpoint *e);
/* Something in the list is for an endpoint that is not configured. */
bool firewall_policy_keeps(const struct firewall_policy *p, const struct allowlist *w);

/* ---- the service's end ---- */

struct firewall_client;

/* Loads the configuration again for a reload, in the child. The caller owns *out. 0, negative errno, or FIREWALL_PARTIAL:
 * files have errors, so that it is not what they say. */
enum { FIREWALL_PARTIAL = 1 };
typedef int (*firewall_reload_fn)(struct program **out, void *context);

struct firewall_process_options {
	const struct program *program; /* the parent's; copied by fork */
	struct program *
		own; /* the same: the process frees it once it has its policy. NULL: others still use it */
	bool partial;		   /* files had errors when it was loaded */
	firewall_reload_fn reload; /* NULL: reloads are refused */
	void *context;
	/* The last configuration that was loaded for a reload is in force now, and is freed then. NULL: nobody has to know. */
	void (*adopted)(const struct program *program, void *context);
	const char *const *read;  /* files that reload reads: NULL-terminated */
	const char *const *write; /* files of its own, NULL-terminated; NULL: it writes none */
	const char *records;	  /* the folder of its memory; NULL: it has none */
	bool unconfined;	  /* only for tests */
};

/* Forks the process. The result includes that of its firewall_open(). */
int firewall_process_start(struct firewall_client **out, const struct firewall_process_options *o);
/* Connects to a firewall process that systemd starts for that, so that the service never has CAP_NET_ADMIN. Waits for
 * nothing. When it has begun, its configuration may differ: reload and adopt first. */
int firewall_process_connect(struct firewall_client **out, const char *path);
/* The result of its firewall_open(). -ETIMEDOUT: it has not come within `patience` milliseconds, and can be asked for again
 * when the descriptor is readable. */
int firewall_process_begun(struct firewall_client *c, int patience);
/* The other side: accepts one service on a listening socket, and ends with it. Returns only on failure. */
int firewall_process_listen(int listener, const struct firewall_process_options *o);
/* Closes the channel, which ends the process, and waits for it. The table stays. */
void firewall_process_stop(struct firewall_client *c);
/* Observes and applies as in firewall.h. -EPIPE: the process has died. -ETIMEDOUT: it does not answer, what only ends
 * access after a few seconds; the order may be carried out all the same. Until it has answered, every order fails so,
 * and at once. The kernel keeps enforcing. */
struct firewall_port firewall_client_port(struct firewall_client *c);
/* Milliseconds since it has been known not to answer; -1: nothing is known of that. */
int64_t firewall_client_late(const struct firewall_client *c);
/* Text of the last failure; never NULL. */
const char *firewall_client_error(const struct firewall_client *c);

/* Two steps, so that both sides use the same files. First the process loads them and returns their digest; then it uses
 * them if the service says that digest. Where files have errors, and each side goes by its own last good versions, the two
 * may differ: the process then applies only what its own confirm. The result is that of the reload function. */
int firewall_client_reload(char digest[65], struct firewall_client *c);
int firewall_client_adopt(struct firewall_client *c, const char *digest);

/* What the process remembers, in a place that the service cannot write: it can only add. A process without a place of its
 * own takes lines and remembers nothing. */
int firewall_client_record(struct firewall_client *c, const struct firewall_record *r);
int firewall_client_memory(struct firewall_memory *out, struct firewall_client *c);

/* How many packets were refused, for the metrics. */
int firewall_client_refused(uint64_t *out, struct firewall_client *c);

/* Readable if another program changed the table, or the process died, or what it owes has come. */
int firewall_client_fd(const struct firewall_client *c);
/* Reads all pending events, and what is owed; firewall_client_late() tells whether all of that has come. *changed:
 * another program changed the table, or may have; `who` names it or is empty. -EPIPE: the process has died. */
int firewall_client_read(bool *changed, char who[64], struct firewall_client *c);

#endif
