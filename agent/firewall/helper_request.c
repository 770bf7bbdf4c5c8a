/* Checks one message of the service, and applies it to the table. */
#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include "curfew/log.h"
#include "curfew/record.h"
#include "firewall/helper_guards.h"
#include "firewall/helper_message.h"

static instant_t machine_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (instant_t)t.tv_sec;
}

/* What a list needed while it came and was compared goes back: the process lives as long as the service. One that is the
 * list before, without having been sent again, needed nothing. */
static void list_settle(struct firewall_process *f, uint64_t lists, bool as_sent)
{
	const bool came = !f->sent_before || f->lists != lists;

	helper_list_end(f, as_sent);
	if (came)
		malloc_trim(0);
}

/* *why: NULL, or what is wrong with the list, if the table has no more than this process remembers and `held`. */
static int list_judge(
	const char **why, const struct firewall_process *f, struct firewall_state *held)
{
	int rc = helper_guards_join(held, &helper_records_memory(f->records)->guards);

	if (rc == 0)
		*why = firewall_policy_list(f->policy, &f->wanted, held);
	firewall_state_free(held);
	return rc;
}

/* 0; or the error of a reading, which is no fault of the list: there is none for guards that this process remembers. */
static int list_check(struct firewall_process *f, instant_t now)
{
	struct firewall_state held = {0};
	const char *why;
	int rc = list_judge(&why, f, &held);

	if (rc == 0 && why && firewall_policy_keeps(f->policy, &f->wanted)) {
		rc = firewall_observe(&held, f->firewall, now);
		if (rc == 0)
			rc = list_judge(&why, f, &held);
	}
	if (rc == 0 && why)
		helper_refuse("%s", why);
	return rc;
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

/* The table is as the list says. What cannot be saved now is with the next list. */
static void guards_save(struct firewall_process *f, instant_t now)
{
	int rc = helper_records_guards(f->records, &f->wanted, now);

	if (rc < 0 && rc != f->guards_failed)
		log_line(LOG_ERR,
			"firewall process: cannot save the guards in %s: %s; if the configuration no longer names one "
			"and the journal is lost, a boot does not put it back",
			f->options->records, strerror(-rc));
	f->guards_failed = rc;
}

static void commit(struct firewall_process *f, const struct firewall_request *r)
{
	const uint64_t lists = f->lists;
	struct firewall_changes done = {0};
	instant_t now = now_of(r);
	int bounded = list_check(f, now);

	if (bounded == 0)
		bounded = wanted_settle(f, now);
	int rc = bounded < 0 ? bounded
			     : firewall_apply(
				       &done, f->firewall, &f->wanted, now, r->closings_only != 0);
	if (rc >= 0)
		helper_changes(f, &done);
	if (rc == 0 && !r->closings_only)
		guards_save(f, now);
	list_settle(f, lists, bounded == 0);
	if (rc == 0 && bounded > 0 && !r->closings_only)
		helper_result(f, FIREWALL_UNCONFIRMED,
			"an address of somebody who is revoked, or whom its own last good version of a file with errors does not have");
	else
		helper_result(f, rc, rc ? firewall_error(f->firewall) : "");
}

/* A plan keeps the list as it was sent. Only a commit must refuse what the configuration does not allow. */
static void plan(struct firewall_process *f, const struct firewall_request *r)
{
	const uint64_t lists = f->lists;
	struct firewall_changes changes = {0};
	instant_t now = now_of(r);
	int bounded = wanted_settle(f, now);
	int rc = bounded < 0 ? bounded
			     : firewall_plan(&changes, f->firewall, &f->wanted, now,
				       r->closings_only != 0);

	if (rc >= 0)
		helper_changes(f, &changes);
	/* No commit follows. */
	if (rc == FIREWALL_PROVED && !r->closings_only)
		guards_save(f, now);
	list_settle(f, lists, bounded == 0);
	/* A commit has something to say of what was left out. */
	if (rc == FIREWALL_PROVED && bounded > 0)
		rc = 0;
	helper_result(f, rc, rc < 0 ? firewall_error(f->firewall) : "");
}

/* It was admitted by the same policy when it was sent. */
static void again(struct firewall_process *f, const struct firewall_request *r)
{
	if (helper_list_again(f, r))
		plan(f, r);
	else
		helper_result(f, -ESTALE, strerror(ESTALE));
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
	const struct firewall_settings *old = &f->settings;

	if (old->hooks == s->hooks && old->priority == s->priority && old->log == s->log &&
		old->guard_loopback == s->guard_loopback)
		return 0;
	firewall_monitor_close(f->monitor);
	firewall_close(f->firewall);
	f->monitor = NULL;
	f->firewall = NULL;
	f->settings = *s;
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
		f->partial = f->candidate_partial;
		helper_list_forget(f);
		if (f->options->adopted)
			f->options->adopted(f->candidate, f->options->context);
		program_free(f->candidate);
		f->candidate = NULL;
		malloc_trim(0);
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
	take_line(f, r);
	int rc = helper_records_add(f->records, f->line);
	if (rc == -EINVAL)
		helper_refuse("a line that is not one of its memory's");
	f->line[0] = '\0';
	firewall_policy_revoke(f->policy, helper_records_memory(f->records));
	helper_list_forget(f);
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
		helper_list_begin(f, r);
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
	case VERB_AGAIN:
		again(f, r);
		return;
	}
	helper_refuse("unknown verb %u", r->verb);
}
