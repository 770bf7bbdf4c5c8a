/* The firewall process, as the service has it: called, listened to, late, lost, and called again. Nothing else waits for it. */
#include <errno.h>
#include <string.h>
#include "service/internal.h"

/* Milliseconds without an answer after which the process counts as lost, and between two looks meanwhile. */
#define FILTER_PATIENCE (60 * 1000)
#define FILTER_LOOK	1000
/* Milliseconds that the start waits for it, so that the endpoints are guarded before the service is ready. */
#define FILTER_START (10 * 1000)

static bool is_late(const struct service *s)
{
	return firewall_client_late(s->firewall) >= 0;
}

/* ---- one that answers ---- */

static void table_changed(struct service *s, const char *who)
{
	if (!who[0])
		who = "another program";
	s->metrics.drift_network++;
	log_send(LOG_DRIFT_NETWORK, NULL, "%s changed nftables table inet curfew; restoring it",
		who);
	service_network_now(
		s, "another program changed nftables table inet curfew", "service", false, NULL);
	service_event(
		s, "drift", NULL, NULL, "service", "nftables table inet curfew was changed", who);
	sending_alarm(s, ALARM_DRIFT_NETWORK, who);
}

/* What passes could not do meanwhile. */
static void is_back(struct service *s, const char *what)
{
	s->filter.late = s->filter.lost = false;
	log_send(LOG_FIREWALL_BACK, NULL, "%s", what);
	/* It may have remembered revocations. */
	service_schedule(s);
	service_network_now(s, what, "service", false, NULL);
	/* Not for each answer of one that is late again: all servers are visited. */
	if (!s->filter.late && !s->filter.lost)
		service_ask(s, REASON_FILTER);
}

static int memory_compare(struct service *s)
{
	/* What comes into force again must not be rolled back with a pass's batch. */
	if (s->passes.lane)
		lane_settle(s->passes.lane);
	return witness_open(s);
}

/* It was not told what was revoked meanwhile. */
static void answers_again(struct service *s)
{
	int rc = service_firewall_asked(s, memory_compare(s));

	if (rc != -EPIPE && rc != -ETIMEDOUT)
		is_back(s, "the firewall process answers again");
}

static void filter_ready(void *context)
{
	struct service *s = context;
	bool changed = false;
	char who[64];

	if (service_firewall_asked(s, firewall_client_read(&changed, who, s->firewall)) < 0)
		return;
	if (s->filter.late && !is_late(s))
		answers_again(s);
	if (changed)
		table_changed(s, who);
}

static int filter_listen(
	struct service *s, const struct firewall_client *c, void (*ready)(void *context))
{
	s->filter.events = (struct binding){firewall_client_fd(c), ready, s};
	return dispatcher_add(s->dispatcher, &s->filter.events);
}

/* ---- one that has been called ---- */

static bool cannot(struct service *s, const char *why)
{
	char text[256];

	record_printf(text, sizeof(text), "cannot use the firewall process: %s", why);
	return service_firewall_lose(s, text);
}

/* It has opened the table: it gets the configuration, and tells what it remembers. */
static int filter_adopt(struct service *s)
{
	int rc = service_firewall_adopt(s, &s->loaded);

	if (rc == 0)
		rc = memory_compare(s);
	/* It can read the files only as they are now; a service that starts would read them too. */
	if (rc == -EAGAIN)
		s->reload_wanted |= cannot(s, "the configuration files have changed");
	else if (rc < 0 && s->firewall)
		cannot(s, rc == -EPIPE || rc == -ETIMEDOUT ? firewall_client_error(s->firewall)
							   : strerror(-rc));
	return rc;
}

static void coming_end(struct service *s)
{
	struct filter *f = &s->filter;

	if (f->coming && s->dispatcher)
		dispatcher_remove(s->dispatcher, &f->events);
	f->coming = NULL;
}

/* 0; or -ETIMEDOUT: it has not said yet whether it can be used; or it cannot. */
static int filter_take(struct service *s, int patience)
{
	struct firewall_client *c = s->filter.coming;
	int rc = firewall_process_begun(c, patience);

	if (rc == -ETIMEDOUT)
		return rc;
	coming_end(s);
	if (rc < 0) {
		cannot(s, firewall_client_error(c));
		firewall_process_stop(c);
		return rc;
	}
	s->firewall = c;
	return filter_adopt(s);
}

static void coming_ready(void *context)
{
	struct service *s = context;

	if (filter_take(s, 0) < 0)
		return;
	if (filter_listen(s, s->firewall, filter_ready) < 0)
		service_stop(s, CODE_FAILED);
	is_back(s, "the packet filter can be used again");
}

static void call(struct service *s)
{
	struct filter *f = &s->filter;
	int rc = firewall_process_connect(&f->coming, f->path);

	f->next = monotonic_ms() + FILTER_PATIENCE;
	if (rc < 0)
		cannot(s, strerror(-rc));
}

static void silent(struct service *s)
{
	struct firewall_client *c = s->filter.coming;

	coming_end(s);
	firewall_process_stop(c);
	cannot(s, "it does not answer");
}

void filter_call(struct service *s)
{
	call(s);
	if (s->filter.coming && filter_take(s, FILTER_START) == -ETIMEDOUT && s->filter.coming)
		silent(s);
}

/* ---- the loop's ---- */

int filter_open(struct service *s)
{
	return s->firewall ? filter_listen(s, s->firewall, filter_ready) : 0;
}

void filter_close(struct service *s)
{
	firewall_process_stop(s->filter.coming);
	firewall_process_stop(s->firewall);
}

int64_t filter_next(const struct service *s)
{
	if (s->filter.lost && s->filter.path)
		return s->filter.next;
	if (!s->filter.late)
		return INT64_MAX;
	return monotonic_ms() +
	       (is_late(s) ? FILTER_LOOK - firewall_client_late(s->firewall) % FILTER_LOOK : 0);
}

static void late_tick(struct service *s)
{
	filter_ready(s);
	if (s->filter.late && firewall_client_late(s->firewall) >= FILTER_PATIENCE)
		service_firewall_lose(s, firewall_client_error(s->firewall));
}

static void lost_tick(struct service *s)
{
	if (s->filter.coming) {
		silent(s);
		return;
	}
	call(s);
	if (s->filter.coming && filter_listen(s, s->filter.coming, coming_ready) < 0)
		silent(s);
}

void filter_tick(struct service *s)
{
	if (s->filter.late)
		late_tick(s);
	if (s->filter.lost && s->filter.path && s->filter.next <= monotonic_ms())
		lost_tick(s);
}
