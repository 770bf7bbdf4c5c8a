/* The firewall process: a child that keeps CAP_NET_ADMIN and nothing else, owns the table, and checks every
 * entry against the configuration that it has read itself. It reads nothing from the network, and anything
 * unknown or forbidden that it is asked for ends it. */
#ifndef CURFEW_FIREWALL_PROCESS_H
#define CURFEW_FIREWALL_PROCESS_H

#include <sys/types.h>

#include "curfew/firewall_port.h"

/* ---- what may be let in: pure ---- */

struct firewall_policy; /* every entry that some client of the configuration can ever have, with its last end */

int firewall_policy_build(struct firewall_policy **out, const struct program *p);
void firewall_policy_free(struct firewall_policy *p);
/* NULL, or what is wrong with the entry, in words. A deadline is there, and no later than the end of the last
 * client who has this source on this endpoint. */
const char *firewall_policy_allow(const struct firewall_policy *p, const struct allow *a);
const char *firewall_policy_trusted(const struct firewall_policy *p, const struct trusted *t);
/* Every endpoint of the configuration is guarded: an entry less would open one. A guard may outlive its server's entry,
 * and whom that server trusted with it, since without the guard everybody would reach it: such a guard, and such a trusted
 * source, must be in the table now (`held`; NULL: nothing is). The guards are sorted. */
const char *firewall_policy_list(const struct firewall_policy *p, const struct allowlist *w,
	const struct firewall_state *held);
/* Something in the list is of an endpoint that the configuration does not name. */
bool firewall_policy_keeps(const struct firewall_policy *p, const struct allowlist *w);

/* ---- the engine's end ---- */

struct firewall_client;

/* How the process reads the configuration again at a reload; in the child. *out is owned by the caller. */
typedef int (*firewall_reload_fn)(struct program **out, void *context);

struct firewall_process_options {
	const struct program *program; /* as the parent has it; copied by fork */
	firewall_reload_fn reload;     /* NULL: a reload is refused */
	void *context;
	const char *const *read; /* what reload reads: NULL-terminated */
	bool unconfined;	 /* for tests of the machinery alone */
};

/* Forks it. The result of its firewall_open() comes back as the result here. */
int firewall_process_start(struct firewall_client **out, const struct firewall_process_options *o);
/* Where a service manager starts the process by itself, so that the engine never has the capability: connects to it.
 * What it has read may be other than what the engine has: reload and adopt first. */
int firewall_process_connect(struct firewall_client **out, const char *path);
/* The other side of that: takes one engine from a listening socket, and ends with it. Returns only on failure. */
int firewall_process_listen(int listener, const struct firewall_process_options *o);
/* Closes the channel, which ends the process, and reaps it. The table stays. */
void firewall_process_stop(struct firewall_client *c);
/* Observes and applies as firewall.h says; -EPIPE: the process has died, -ETIMEDOUT: it does not answer. Neither
 * can be mended: the service must end, and the kernel goes on enforcing. */
struct firewall_port firewall_client_port(struct firewall_client *c);
/* The last failure in words; never NULL. */
const char *firewall_client_error(const struct firewall_client *c);

/* Two steps, so that both sides decide by the same files: first the process reads them and tells their digest;
 * then it takes them into force, if they are what the engine has read. The result is the reload function's. */
int firewall_client_reload(char digest[65], struct firewall_client *c);
int firewall_client_adopt(struct firewall_client *c, const char *digest);

/* Readable when the process has something to say of itself: that somebody changed the table, or its death. */
int firewall_client_fd(const struct firewall_client *c);
/* Drains what has come. *changed: somebody else changed our table, or may have; `who` names them or is empty.
 * -EPIPE: the process has died. */
int firewall_client_read(bool *changed, char who[64], struct firewall_client *c);
pid_t firewall_client_pid(const struct firewall_client *c);

#endif
