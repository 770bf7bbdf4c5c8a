/* Checks one message of the service, and applies it to the table. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "curfew/record.h"
#include "firewall/helper_message.h"

static instant_t machine_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (instant_t)t.tv_sec;
}

static const char *list_refused(struct firewall_process *f, instant_t now)
{
	const struct allowlist *w = &f->wanted;
	struct firewall_state held = {0};

	if (firewall_policy_keeps(f->policy, w) && firewall_observe(&held, f->firewall, now) < 0)
		return "cannot read which endpoints are guarded now";
	const char *why = firewall_policy_list(f->policy, w, &held);
	firewall_state_free(&held);
	return why;
}

/* How many entries were left out or end earlier, or negative errno. */
static int wanted_bound(struct firewall_process *f, instant_t now)
{
	struct firewall_state held;

	if (f->same || firewall_policy_confirms(f->policy, &f->wanted))
		return 0;
	int rc = firewall_observe(&held, f->firewall, now);
	if (rc < 0)
		return rc;
	rc = (int)firewall_policy_bound(&f->wanted, f->policy, &held, now);
	helper_list_renumber(f);
	firewall_state_free(&held);
	return rc;
}

/* Entries that ended in the meantime are no longer scheduled. Returns how many others were left out or end earlier. */
static int wanted_settle(struct firewall_process *f, instant_t now)
{
	size_t kept = 0;

	helper_list_complete(f);
	for (size_t i = 0; i < f->wanted.n_allows; i++)
		if (f->wanted.allows[i].until > now)
			f->wanted.allows[kept++] = f->wanted.allows[i];
	if (kept != f->wanted.n_allows)
		helper_list_renumber(f);
	f->wanted.n_allows = kept;
	return wanted_bound(f, now);
}

/* Never a time before this host's clock, which would extend every timeout. */
static instant_t now_of(const struct firewall_request *r)
{
	instant_t machine = machine_now();

	return r->now > machine ? r->now : machine;
}

static void commit(struct firewall_process *f, const struct firewall_request *r)
{
	struct firewall_changes done = {0};
	instant_t now = now_of(r);
	const char *why = list_refused(f, now);

	if (why)
		helper_refuse("%s", why);
	int bounded = wanted_settle(f, now);
	int rc = bounded < 0 ? bounded
			     : firewall_apply(
				       &done, f->firewall, &f->wanted, now, r->closings_only != 0);
	if (rc >= 0)
		helper_changes(f, &done);
	helper_list_end(f, bounded == 0);
	if (rc == 0 && bounded > 0 && !r->closings_only)
		helper_result(f, FIREWALL_UNCONFIRMED,
			"an address of somebody who is revoked, or whom its own last good version of a file with errors does not have");
	else
		helper_result(f, rc, rc ? firewall_error(f->firewall) : "");
}

/* A plan keeps the list as it was sent. Only a commit must refuse what the configuration does not allow. */
static void plan(struct firewall_process *f, const struct firewall_request *r)
{
	struct firewall_changes changes = {0};
	instant_t now = now_of(r);
	int bounded = wanted_settle(f, now);
	int rc = bounded < 0 ? bounded
			     : firewall_plan(&changes, f->firewall, &f->wanted, now,
				       r->closings_only != 0);

	if (rc >= 0)
		helper_changes(f, &changes);
	helper_list_end(f, bounded == 0);
	/* A commit has something to say of what was left out. */
	if (rc == FIREWALL_PROVED && bounded > 0)
		rc = 0;
	helper_result(f, rc, rc < 0 ? firewall_error(f->firewall) : "");
}

static void observe(struct firewall_process *f, const struct firewall_request *r)
{
	struct firewall_state s;
	int rc = firewall_observe(&s, f->firewall, r->now);

	if (rc == 0) {
		helper_state(f, &s);
		firewall_state_free(&s);
	}
	helper_result(f, rc, rc ? firewall_error(f->firewall) : "");
}

static void refused(struct firewall_process *f)
{
	struct firewall_state s = {0};
	int rc = firewall_refused_packets(&s.refused_packets, f->firewall);

	if (rc == 0)
		helper_state(f, &s);
	helper_result(f, rc, rc ? firewall_error(f->firewall) : "");
}

static void reload(struct firewall_process *f)
{
	struct program *p = NULL;
	int rc = f->options->reload ? f->options->reload(&p, f->options->context) : -EOPNOTSUPP;

	if (rc >= 0) {
		program_free(f->candidate);
		f->candidate = p;
		f->candidate_partial = rc == FIREWALL_PARTIAL;
		rc = 0;
	}
	helper_result(f, rc, rc == 0 ? p->digest : strerror(-rc));
}

/* If this process owns the table, nobody else can change it. Listening for changes anyway would double the kernel's
 * work for each. */
int helper_watch(struct firewall_process *f)
{
	struct firewall_features features;

	firewall_features_get(f->firewall, &features);
	return features.owner_persist ? 0 : firewall_monitor_open(&f->monitor, f->firewall);
}

/* Hooks, priority, and logging belong to the table, so a change of them needs a new table. */
static int firewall_reopen(struct firewall_process *f, const struct firewall_settings *s)
{
	const struct firewall_settings *old = &f->program->settings.firewall;

	if (old->hooks == s->hooks && old->priority == s->priority && old->log == s->log &&
		old->guard_loopback == s->guard_loopback)
		return 0;
	firewall_monitor_close(f->monitor);
	firewall_close(f->firewall);
	f->monitor = NULL;
	f->firewall = NULL;
	int rc = firewall_open(&f->firewall, s);
	return rc ? rc : helper_watch(f);
}

static void adopt(struct firewall_process *f, const struct firewall_request *r)
{
	struct firewall_policy *policy;

	if (!f->candidate ||
		strncmp(f->candidate->digest, r->text, sizeof(f->candidate->digest)) != 0)
		helper_refuse("asked to use a configuration that it has not loaded");
	int rc = firewall_policy_build(&policy, f->candidate, helper_records_memory(f->records));
	if (rc == 0 && firewall_reopen(f, &f->candidate->settings.firewall) < 0)
		helper_refuse(
			"cannot open the packet filter with the new configuration's settings");
	if (rc == 0) {
		firewall_policy_free(f->policy);
		f->policy = policy;
		program_free(f->own);
		f->own = f->candidate;
		f->program = f->own;
		f->candidate = NULL;
		f->partial = f->candidate_partial;
		helper_list_forget(f);
		if (f->options->adopted)
			f->options->adopted(f->program, f->options->context);
	}
	helper_result(f, rc, "");
}

static void take_line(struct firewall_process *f, const struct firewall_request *r)
{
	size_t n = strlen(f->line);

	if (n + strlen(r->text) >= sizeof(f->line))
		helper_refuse("a line that is too long to remember");
	memcpy(f->line + n, r->text, strlen(r->text) + 1);
}

static void take_record(struct firewall_process *f, const struct firewall_request *r)
{
	struct firewall_policy *policy = NULL;

	take_line(f, r);
	int rc = helper_records_add(f->records, f->line);
	if (rc == -EINVAL)
		helper_refuse("a line that is not one of its memory's");
	f->line[0] = '\0';
	int built = firewall_policy_build(&policy, f->program, helper_records_memory(f->records));
	if (built == 0) {
		firewall_policy_free(f->policy);
		f->policy = policy;
		helper_list_forget(f);
	}
	rc = rc ? rc : built;
	helper_result(f, rc, rc ? strerror(-rc) : "");
}

static void recall(struct firewall_process *f)
{
	_cleanup_free_ char *text = helper_records_text(f->records);

	for (const char *at = text; at && *at;) {
		struct firewall_answer a = {.kind = ANSWER_TEXT};
		size_t n = strnlen(at, sizeof(a.text) - 1);
		memcpy(a.text, at, n);
		helper_answer(f, &a);
		at += n;
	}
	helper_result(f, text ? 0 : -ENOMEM, text ? "" : strerror(ENOMEM));
}

void helper_take(struct firewall_process *f, const struct firewall_request *r)
{
	if (r->text[sizeof(r->text) - 1] != '\0')
		helper_refuse("a text without a terminator");
	switch ((enum firewall_verb)r->verb) {
	case VERB_BEGIN:
		helper_list_begin(f);
		return;
	case VERB_ALLOW:
		helper_list_allow(f, r);
		return;
	case VERB_GUARD:
		helper_list_guard(f, r);
		return;
	case VERB_TRUSTED:
		helper_list_trusted(f, r);
		return;
	case VERB_COMMIT:
		commit(f, r);
		return;
	case VERB_PLAN:
		plan(f, r);
		return;
	case VERB_OBSERVE:
		observe(f, r);
		return;
	case VERB_RELOAD:
		reload(f);
		return;
	case VERB_ADOPT:
		adopt(f, r);
		return;
	case VERB_LINE:
		take_line(f, r);
		return;
	case VERB_RECORD:
		take_record(f, r);
		return;
	case VERB_REFUSED:
		refused(f);
		return;
	case VERB_RECALL:
		recall(f);
		return;
	}
	helper_refuse("unknown verb %u", r->verb);
}
