/* The service's records on disk: the journal, the second copy of revocations, and entries that wait for either. An
 * error in them never delays the removal of access. */
#include <errno.h>
#include <string.h>
#include "curfew/state_tables.h"
#include "curfew/state.h"
#include "service/internal.h"

int records_write(struct service *s, struct journal_entry *e)
{
	int rc = backlog_flush(s->backlog, s->journal);

	e->kind = JOURNAL_EVENT;
	e->configuration = s->loaded.program->digest;
	clock_now(&e->at, NULL, &s->clock);
	if (rc == 0)
		rc = s->journal ? journal_write(NULL, s->journal, e) : -ENODEV;
	return rc;
}

int service_event(struct service *s, const char *action, const char *client, const char *login,
	const char *actor, const char *reason, const char *detail)
{
	struct journal_entry e = {.kind = JOURNAL_EVENT,
		.action = action,
		.client = client,
		.login = login,
		.actor = actor,
		.reason = reason,
		.detail = detail,
		.configuration = s->loaded.program->digest};

	clock_now(&e.at, NULL, &s->clock);
	int rc = backlog_write(s->backlog, s->journal, &e);
	if (rc < 0)
		log_send(LOG_JOURNAL_FAILED, NULL,
			"cannot write \"%s\" to the journal: %s; retrying", action,
			journal_problem(rc));
	return rc;
}

void records_unrecorded(void *service, const struct journal_entry *e)
{
	struct service *s = service;

	backlog_keep(s->backlog, e);
	s->next_record = monotonic_ms() + RECORDS_RETRY;
}

/* Revocations of the journal if it can be read, and always those of the second copy. */
static int overrides_load(struct service *s)
{
	struct overrides o = {0};
	int rc = s->journal ? override_read(&o, s->journal) : 0;

	if (rc == 0 && s->copy)
		rc = revocation_copy_merge(&o, s->copy);
	if (rc < 0) {
		overrides_free(&o);
		return rc;
	}
	overrides_free(&s->overrides);
	s->overrides = o;
	return 0;
}

static bool is_among(const struct overrides *list, const struct override *o)
{
	for (size_t i = 0; i < list->n; i++)
		if (override_is_same(
			    list->items[i].client, list->items[i].login, o->client, o->login))
			return true;
	return false;
}

void records_saved_take(struct service *s)
{
	struct overrides found = {0};

	if (!s->journal || override_read(&found, s->journal))
		return;
	for (size_t i = 0; i < found.n; i++) {
		const struct override *o = &found.items[i];
		const struct revocation r = {o->client, o->login, o->at, "service", o->reason};
		if (is_among(&s->overrides, o) ||
			overrides_add(&s->overrides, o->client, o->login, o->at, o->reason))
			continue;
		if (s->copy)
			revocation_copy_add(s->copy, &r);
		witness_revoked(s, o->client, o->login, o->at);
	}
	struct overrides ends = {.passed = s->overrides.passed, .n_passed = s->overrides.n_passed};
	s->overrides.passed = found.passed;
	s->overrides.n_passed = found.n_passed;
	s->overrides.n_sorted = found.n_sorted;
	found.passed = NULL;
	found.n_passed = 0;
	overrides_free(&found);
	overrides_free(&ends);
}

static void copy_open(struct service *s, const char *folder)
{
	int rc = revocation_copy_open(&s->copy, folder, true);

	if (rc < 0) {
		s->copy = NULL;
		log_send(LOG_JOURNAL_FAILED, NULL,
			"cannot open the second copy of revocations in %s: %s; revocations are in the journal alone",
			folder, strerror(-rc));
	} else if (revocation_copy_damaged(s->copy)) {
		log_send(LOG_JOURNAL_FAILED, NULL,
			"%zu places of the second copy of revocations in %s are damaged; compare `curfew history` "
			"with what you know to be revoked",
			revocation_copy_damaged(s->copy), folder);
	}
}

static int journal_begin_use(struct service *s)
{
	instant_t now;
	int rc = state_journal_open(&s->journal, &s->loaded.program->settings, true);

	if (rc < 0) {
		s->journal = NULL;
		return rc;
	}
	/* A process that locks the journal must not delay the removal of access. Entries that do not fit in this time
	 * go to the backlog. */
	journal_patience(s->journal, CLOSING_PATIENCE);
	clock_now(&now, NULL, &s->clock);
	rc = state_settle(s->journal, now);
	if (rc == 0 && s->copy)
		rc = revocation_copy_settle(s->copy, s->journal);
	s->unsettled = rc != 0;
	rc = overrides_load(s);
	/* Without its revocations nothing may be granted by it. */
	if (rc < 0) {
		journal_close(s->journal);
		s->journal = NULL;
	}
	return rc;
}

static void open_fail_log(const char *folder, int rc)
{
	log_send(LOG_JOURNAL_FAILED, NULL,
		"cannot open the journal in %s: %s; access is removed as scheduled, none is granted until it can be read",
		folder, journal_problem(rc));
}

int records_open(struct service *s)
{
	const char *folder = s->loaded.program->settings.state_directory;
	int rc = backlog_new(&s->backlog);

	if (rc < 0)
		return rc;
	copy_open(s, folder);
	rc = journal_begin_use(s);
	if (rc == 0)
		return 0;
	open_fail_log(folder, rc);
	return overrides_load(s);
}

void records_close(struct service *s)
{
	if (s->backlog && backlog_count(s->backlog) && backlog_flush(s->backlog, s->journal))
		log_send(LOG_JOURNAL_FAILED, NULL,
			"%zu records were never written; they are only in this log",
			backlog_count(s->backlog));
	backlog_free(s->backlog);
	revocation_copy_close(s->copy);
	journal_close(s->journal);
	state_copy_free(s->state_copy);
	refusals_free(s->refusals);
	overrides_free(&s->overrides);
}

void records_watch(struct service *s)
{
	if (!s->journal || lane_is_busy(s->passes.lane) || lane_is_busy(s->queries.lane))
		return;
	if (!journal_has_moved(s->journal)) {
		/* If another journal has replaced the file, the next pass detects the loss. */
		head_copy_check(s->journal);
		return;
	}
	lane_drop(s->early.lane); /* it was begun with the one that is gone */
	journal_close(s->journal);
	log_send(LOG_JOURNAL_FAILED, NULL,
		"the journal in %s was deleted or replaced under the running service; access is removed as scheduled, and "
		"none is granted until the journal is restored: see \"Restore the journal\" in docs/troubleshooting.md",
		s->loaded.program->settings.state_directory);
	int rc = journal_begin_use(s);
	if (rc < 0)
		open_fail_log(s->loaded.program->settings.state_directory, rc);
	else if (head_copy_check(s->journal) == 0)
		witness_guards(s);
	service_ask(s, REASON_START);
}

static bool records_wait(const struct service *s)
{
	return !s->journal || s->unsettled || backlog_count(s->backlog);
}

int64_t records_next(const struct service *s)
{
	return records_wait(s) || s->time_unsaved ? s->next_record : INT64_MAX;
}

/* Grant what was not granted for want of it; the journal may wait for longer. */
static void time_flush(struct service *s)
{
	if (!s->time_unsaved)
		return;
	s->next_record = monotonic_ms() + RECORDS_RETRY;
	if (clock_save(&s->clock))
		return;
	s->time_unsaved = false;
	service_ask(s, REASON_OVERRIDE);
}

/* The current pass has its own batch, so commit that first. */
void records_flush(struct service *s)
{
	size_t waiting = backlog_count(s->backlog);
	bool opened = !s->journal;
	int rc = 0;

	time_flush(s);
	if (!records_wait(s))
		return;
	s->next_record = monotonic_ms() + RECORDS_RETRY;
	lane_settle(s->passes.lane);
	records_watch(s);
	journal_patience(s->journal, 0);
	if (!s->journal)
		rc = journal_begin_use(s);
	if (rc == 0)
		rc = backlog_flush(s->backlog, s->journal);
	if (rc == 0 && s->unsettled && s->copy)
		rc = revocation_copy_settle(s->copy, s->journal);
	journal_patience(s->journal, CLOSING_PATIENCE);
	if (rc)
		return;
	s->unsettled = false;
	log_send(LOG_JOURNAL_BACK, NULL,
		"the journal can be written again; %zu waiting records were written", waiting);
	s->journal_back = true;
	if (opened) {
		overrides_load(s);
		if (head_copy_check(s->journal) == 0)
			witness_guards(s);
		service_ask(s, REASON_START);
	} else {
		/* Grant what was not granted while the journal could not be written. */
		service_ask(s, REASON_OVERRIDE);
	}
}

enum recorded records_revoke(struct service *s, const char *client, const char *login,
	const char *actor, const char *reason, instant_t at)
{
	const struct revocation r = {client, login, at, actor, reason};
	int copied = s->copy ? revocation_copy_add(s->copy, &r) : -ENODEV;

	witness_revoked(s, client, login, at);
	/* Commit the current batch first, so that a failing pass cannot roll back the revocation. */
	lane_settle(s->passes.lane);
	int rc = s->journal ? override_add(s->journal, client, login, at, actor, reason) : -ENODEV;
	if (rc == 0)
		return RECORDED;
	log_send(LOG_JOURNAL_FAILED, NULL,
		"cannot write the revocation of %s%s%s to the journal: %s; retrying", client,
		login ? " / " : "", login ? login : "", journal_problem(rc));
	s->next_record = monotonic_ms() + RECORDS_RETRY;
	if (copied == 0) {
		s->unsettled = true; /* a later attempt copies it into the journal */
		return RECORDED_COPY;
	}
	backlog_keep_revocation(s->backlog, client, login, at, actor, reason);
	return RECORDED_NOWHERE;
}

bool records_are_revoked(const struct service *s, const char *client, const char *login)
{
	for (size_t i = 0; i < s->overrides.n; i++) {
		const struct override *o = &s->overrides.items[i];
		if (override_is_same(o->client, o->login, client, login))
			return true;
	}
	return false;
}

int records_reinstate(struct service *s, const char *client, const char *login, const char *actor,
	const char *reason, instant_t at)
{
	lane_settle(s->passes.lane);
	int rc = backlog_flush(s->backlog, s->journal);
	if (rc == 0 && s->unsettled && s->copy)
		rc = revocation_copy_settle(s->copy, s->journal);
	/* First where it opens nothing by itself: should the journal then fail, all stays closed. */
	if (rc == 0 && s->journal && records_are_revoked(s, client, login))
		rc = witness_reinstated(s, client, login, at);
	if (rc == 0)
		rc = s->journal ? override_remove(s->journal, client, login, at, actor, reason)
				: -ENODEV;
	if (rc == 0 && s->copy && revocation_copy_remove(s->copy, client, login) < 0)
		s->unsettled = true;
	return rc ? rc : overrides_load(s);
}
