/* `curfew apply --boot`: guards the endpoints before the network comes up, because the kernel starts without any nft table. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "curfew/clock.h"
#include "curfew/firewall.h"
#include "curfew/firewall_record.h"
#include "curfew/journal.h"
#include "curfew/log.h"
#include "curfew/state_tables.h"
#include "curfew/revocation_copy.h"
#include "curfew/sandbox.h"
#include "curfew/schedule.h"
#include "service/internal.h"

#define NOT_GUARDED "; no endpoint is guarded: correct it, then run `curfew apply --boot`"

/* What the disk holds from before the boot. */
struct before {
	struct overrides overrides;
	struct verified_list verified;
	struct kept_guards guards;
	bool guards_read;
	struct firewall_memory remembered; /* by the firewall process, in its own folder */
	bool lost;			   /* records are missing: allow nobody */
};

static enum admission grant_admission(const struct grant *g, void *context)
{
	const struct before *b = context;

	return b->lost ? ADMIT_NOBODY : verified_admission(&b->verified, g);
}

static int loss_find(bool *out, struct journal *j)
{
	_cleanup_free_ char *why = NULL;
	instant_t at;
	int rc = loss_read(&at, &why, j);

	*out = rc == 0;
	return rc == -ENOENT ? 0 : rc;
}

/* Keep guarding endpoints that left the configuration, until the service knows more. */
static int guards_keep(struct allowlist *wanted, const struct kept_guards *guards)
{
	const struct kept_guard **kept = calloc(guards->n + 1, sizeof(*kept));

	if (!kept)
		return -ENOMEM;
	for (size_t i = 0; i < guards->n; i++)
		kept[i] = &guards->items[i];
	int rc = allowlist_keep(wanted, kept, guards->n);
	free(kept);
	return rc;
}

/* The power failed during a write: only a writer can undo it, also one without the key. */
static int journal_open_undone(struct journal **out, const char *path)
{
	struct journal_options o = {.path = path, .read_only = true};
	int rc = journal_open(out, &o);

	if (rc != -EUCLEAN)
		return rc;
	o.read_only = false;
	if (journal_open(out, &o) == 0)
		journal_close(*out);
	o.read_only = true;
	return journal_open(out, &o);
}

/* Who may be allowed. */
static int verified_read(struct before *b, struct journal *j)
{
	const char *why = NULL;
	instant_t since;
	int rc = override_read(&b->overrides, j);

	if (rc == 0)
		rc = verified_load(&b->verified, j);
	if (rc == 0)
		rc = loss_find(&b->lost, j);
	if (rc == 0)
		rc = head_copy_compare(&why, &since, j);
	if (why)
		log_send(LOG_TROUBLE, NULL, "%s; nobody is allowed", why);
	b->lost |= why != NULL;
	return rc;
}

/* Without a journal nobody ever had access, so allow nobody. */
static int before_read(struct before *b, const char *state_directory)
{
	struct journal *j;
	char path[4096];

	snprintf(path, sizeof(path), "%s/journal.db", state_directory);
	int rc = journal_open_undone(&j, path);
	if (rc == -ENOENT)
		return 0;
	if (rc == 0) {
		/* Kept also if another table is damaged. */
		rc = guards_load(&b->guards, j);
		b->guards_read = rc == 0;
		int other = verified_read(b, j);
		rc = rc ? rc : other;
		journal_close(j);
	}
	b->lost |= rc < 0;
	return rc;
}

/* Add revocations that were made while the journal could not be written, or that were lost with it. */
static void copy_merge(struct overrides *o, const char *state_directory)
{
	struct revocation_copy *c = NULL;
	int rc = revocation_copy_open(&c, state_directory, false);

	if (rc == 0)
		rc = revocation_copy_merge(o, c);
	if (rc < 0 && rc != -ENOENT)
		log_send(LOG_JOURNAL_FAILED, NULL, "the second copy of revocations in %s: %s",
			state_directory, strerror(-rc));
	revocation_copy_close(c);
}

static int guard(const struct program *p, struct before *b, instant_t now)
{
	struct firewall *f = NULL;
	struct grants grants;
	struct allowlist wanted;
	int rc = schedule_at(&grants, p, &b->overrides, now);

	if (rc < 0)
		return rc;
	rc = allowlist_build(&wanted, p, &grants, now, grant_admission, b);
	if (rc == 0) {
		/* First what the service's user cannot have written. */
		rc = guards_keep(&wanted, &b->remembered.guards);
		if (rc == 0)
			rc = guards_keep(&wanted, &b->guards);
		if (rc == 0)
			rc = firewall_open(&f, &p->settings.firewall);
		if (rc == 0)
			rc = firewall_apply(NULL, f, &wanted, now, false);
		if (rc == 0)
			log_send(LOG_STARTED, NULL,
				"boot: guarded %zu endpoints, allowed %zu sources", wanted.n_guards,
				wanted.n_allows);
		else
			log_send(LOG_TROUBLE, NULL, "cannot guard the endpoints: %s" NOT_GUARDED,
				f ? firewall_error(f) : strerror(rc < 0 ? -rc : EIO));
		firewall_close(f);
		allowlist_free(&wanted);
	}
	grants_free(&grants);
	return rc > 0 ? -EIO : rc;
}

/* 0, or negative errno: what it remembers is not known. */
static int remembered_read(struct before *b)
{
	const char *folder = getenv("CURFEW_FIREWALL_FOLDER");
	size_t unreadable = 0;
	int fd = folder ? firewall_memory_open(folder) : -ENODATA;
	int rc = fd < 0 ? fd : firewall_memory_load(&b->remembered, &unreadable, fd);

	if (fd >= 0)
		close(fd);
	if (rc == 0 && unreadable)
		log_send(LOG_TROUBLE, NULL,
			"%zu lines of the firewall process's memory in %s cannot be read" UNKNOWN_REVOCATIONS,
			unreadable, folder);
	/* Not there: it has not run yet. */
	if (rc < 0 && rc != -ENOENT && folder)
		log_send(LOG_TROUBLE, NULL, "cannot read the firewall process's memory in %s: %s",
			folder, strerror(-rc));
	return rc;
}

static int boot(const struct program *p, bool unconfined)
{
	struct before b = {0};
	struct clock clock;
	instant_t now, behind = 0;

	if (!p->settings.firewall.enabled)
		return 0;
	int rc = clock_open(&clock, p->settings.state_directory);
	if (rc < 0) {
		log_send(LOG_TROUBLE, NULL,
			"cannot read the latest time seen in %s: %s" NOT_GUARDED,
			p->settings.state_directory, strerror(-rc));
		return rc;
	}
	if (clock_now(&now, &behind, &clock) == CLOCK_RAN_BACK)
		log_send(LOG_CLOCK_BACK, NULL,
			"the system clock is %lld s behind the latest time seen",
			(long long)behind);
	rc = before_read(&b, p->settings.state_directory);
	int remembered = remembered_read(&b);
	/* Without a readable journal: guard the endpoints and allow nobody. */
	if (rc < 0)
		log_send(LOG_TROUBLE, NULL,
			"cannot read the journal: %s; until it can be read, nobody is allowed at guarded endpoints%s",
			journal_problem(rc),
			b.guards_read || remembered == 0
				? ""
				: ", but anybody can reach endpoints that left the configuration: neither the journal "
				  "nor the firewall process's memory can be read, which name them");
	copy_merge(&b.overrides, p->settings.state_directory);
	rc = unconfined ? 0 : sandbox_enter(NULL, SANDBOX_BOOT, NULL);
	if (rc < 0)
		log_send(
			LOG_TROUBLE, NULL, "cannot drop privileges: %s" NOT_GUARDED, strerror(-rc));
	else
		rc = guard(p, &b, now);
	overrides_free(&b.overrides);
	verified_list_free(&b.verified);
	kept_guards_free(&b.guards);
	firewall_memory_free(&b.remembered);
	return rc;
}

int service_boot(const struct service_options *o)
{
	struct configuration c;
	int rc = configuration_open(&c, o->config, false);

	if (rc < 0) {
		if (rc == -EINVAL)
			log_send(LOG_TROUBLE, NULL,
				"%s has errors, and there is no last known good version of it" NOT_GUARDED,
				o->config);
		else
			log_send(LOG_TROUBLE, NULL, "cannot load %s: %s" NOT_GUARDED, o->config,
				strerror(-rc));
		return rc == -EINVAL ? CODE_CONFIG : CODE_FAILED;
	}
	rc = boot(c.program, o->unconfined);
	configuration_free(&c);
	return rc < 0 ? CODE_FAILED : 0;
}
