/* Inside the service: the struct that it composes, and what its files do to it. Not for other modules.
 *
 * Upward: event.c <- records.c <- time.c <- network.c <- transition.c <- sending.c <- preflights.c <- early.c <-
 * passes.c, queries.c <- sampling.c <- requests.c, reload.c <- filter.c <- loop.c <- start.c. What needs less than the
 * whole service takes arguments: dispatcher, retries, lane, configuration, overdue, change_log. */
#ifndef SERVICE_INTERNAL_H
#define SERVICE_INTERNAL_H

#include "curfew/clock.h"
#include "curfew/control.h"
#include "curfew/firewall_process.h"
#include "curfew/log.h"
#include "curfew/metrics.h"
#include "curfew/pass.h"
#include "curfew/revocation_copy.h"
#include "curfew/service.h"
#include "curfew/state_tables.h"
#include "service/backlog.h"
#include "service/change_log.h"
#include "service/configuration.h"
#include "service/dispatcher.h"
#include "service/retries.h"
#include "service/lane.h"
#include "service/overdue_count.h"
#include "service/reason.h"
#include "service/sampling.h"
#include "service/sending.h"

/* Exit statuses: the service's own, and those that its answers give to commands. */
enum { CODE_FAILED = 1, CODE_DIFFERENCES = 2, CODE_USAGE = 64, CODE_CONFIG = 78 };

/* Passes that remove access. A request must not be able to cut them short again and again. */
#define REASONS_CLOSING                                                                            \
	(REASON_START | REASON_TRANSITION | REASON_RELOAD | REASON_CLOCK | REASON_OVERRIDE |       \
		REASON_REST)
/* Reasons that cut the current pass short, because they cannot wait for a slow server. */
#define REASONS_URGENT                                                                             \
	(REASON_TRANSITION | REASON_RELOAD | REASON_CLOCK | REASON_OVERRIDE | REASON_ASKED)

/* Milliseconds between attempts to reach the firewall process. */
#define FILTER_RETRY (5 * 1000)
/* Milliseconds between attempts to write waiting records. */
#define RECORDS_RETRY (5 * 1000)

/* A request that waits, or is being answered. */
struct request {
	struct control_call *call;
	enum pass_mode mode;
	char *client, *reason, *actor; /* owned; client may be NULL */
	int64_t asked;		       /* monotonic milliseconds */
	bool closes;		       /* a revocation */
	enum recorded recorded;
};
void request_free(struct request *r);
/* Answers a request that will not be handled because the service is stopping. */
void request_drop(struct request *r);
void requests_drop(struct request *queue, size_t *n);

/* Passes that change access: the reasons for the next pass, and the state of the current one. */
struct passes {
	struct lane *lane;
	unsigned pending; /* bits of enum reason */
	bool owed;	  /* the last pass was cut short: no request cuts the next one */
	struct request queue[MAX_CONTROL_CLIENTS];
	size_t n_queue;
	bool went_ahead;       /* the last pass was of a request that went before other reasons */
	int64_t next_interval; /* monotonic milliseconds */
	/* the current pass: */
	unsigned reasons;
	bool cut; /* at least one server was not finished */
	bool has_request;
	struct request request;
	const char **servers; /* NULL-terminated; NULL: all that the pass chooses */
	struct change_log changes;
	int64_t began;	     /* monotonic milliseconds */
	char last_text[128]; /* the last pass's reason */
	char text[128];	     /* this pass's reason */
};

/* The pass of the next scheduled change, while it waits for its instant. */
struct early {
	struct lane *lane;
	instant_t tried; /* the instant for which it was begun, or could not be; 0: none */
	struct journal_revision revision; /* of the records that it was begun with */
};

/* The way to the firewall process, and back to it: a service without one goes on and grants nothing. */
struct filter {
	const char *path; /* where it listens; NULL: it is a child, which cannot be started again */
	bool lost;	  /* this host is to filter, and cannot */
	bool late;	  /* it did not answer, and that it does again was not seen yet */
	struct binding events;
	struct firewall_client
		*coming; /* called, but not said yet whether it could open the table */
	int64_t next;	 /* the next call, or the end of this one: monotonic milliseconds */
	unsigned passes; /* before the service ends; 0: it goes on */
	char why[256];	 /* it is lost */
};

/* Requests that only read: the queue, and the one that is being answered. */
struct queries {
	struct lane *lane;
	struct request queue[MAX_CONTROL_CLIENTS];
	size_t n_queue;
	struct request request; /* valid while the lane is busy; without a call: a preflight */
	bool hurried;		/* a preflight was cut short, for a person or a reload */
};

struct service {
	struct service_options options;
	struct configuration loaded;
	struct overrides overrides;
	struct journal *journal;   /* NULL: cannot be read, and nothing is granted until it can */
	struct refusals *refusals; /* of the last hour; NULL: none yet */
	struct state_copy
		*state_copy; /* the journal's tables as the last pass read them; NULL: none yet */
	struct revocation_copy *copy; /* NULL: cannot be opened */
	struct backlog *backlog;      /* entries that the journal could not take yet */
	bool unsettled;		      /* the second copy has revocations that the journal lacks */
	bool time_unsaved; /* the last pass granted nothing, because its time could not be saved */
	int64_t next_record; /* next attempt to write what waits, in monotonic milliseconds */
	struct firewall_client *firewall; /* NULL: the firewall is disabled on this host, or lost */
	struct filter filter;
	struct firewall_port gate; /* how passes use the firewall process */
	struct control *control;

	struct dispatcher *dispatcher;
	struct binding signals, transitions, ticks, watchdog, control_events;

	instant_t since; /* start of the service */
	struct clock clock;
	bool clock_alarm;
	int64_t clock_behind; /* seconds */
	bool has_next;
	instant_t next;	   /* the next scheduled change */
	int64_t next_head; /* when the journal's head is logged next, in monotonic milliseconds */
	int64_t witnessed; /* the head that the firewall process has recorded */

	struct passes passes;
	struct early early;
	struct queries queries;
	struct retries *retries;
	struct overdue overdue;
	struct sending *sending;
	uint64_t drift_told; /* of metrics.drift_sql */
	size_t denied_at;    /* where the next look at denied packets goes on */
	bool journal_back;   /* it could not be written, and can be again: not told yet */
	struct sampling *sampling;
	struct preflights *preflights;
	struct metrics metrics; /* counters; gauges.c fills in the rest */
	uint64_t
		allowlist_of; /* fingerprint of what metrics.allowlist was counted of; 0: of nothing yet */

	struct control_call *reloaders[MAX_CONTROL_CLIENTS]; /* callers that wait for a reload */
	size_t n_reloaders;
	uint64_t
		zones; /* fingerprint of the time zone files that the configuration was read with */
	bool unsaved;  /* the loaded configuration could not be saved as last known good version */
	bool reload_wanted; /* done between two passes, because a pass points into the configuration */
	int score;	    /* OOM score of workers: see worker.h; 0: none */
	bool stopping;
	int code; /* exit status when stopping */
};

/* event.c */
void service_stop(struct service *s, int code);
/* Asks for a pass. Urgent reasons cut the current pass short. */
void service_ask(struct service *s, unsigned reasons);
/* Asks for a pass for somebody on the control socket. Requests must not starve removals: of two passes in a row they
 * cut short at most one, and a pass that removes access only if `closes` (a revocation or a reload). */
void service_hurry(struct service *s, bool closes);

/* records.c */
/* Opens the journal, the second copy, and the revocations. Also returns 0 if neither can be read: the service then
 * only removes access. */
int records_open(struct service *s);
void records_close(struct service *s);
/* Records an event before what it tells is done: 0, or it is not recorded, also not later. */
int records_write(struct service *s, struct journal_entry *e);
/* Records an event of the service itself. Returns 0, or the journal's error, which is logged; the event is then
 * written later. */
int service_event(struct service *s, const char *action, const char *client, const char *login,
	const char *actor, const char *reason, const char *detail);
/* Keeps an entry that a pass could not write. */
void records_unrecorded(void *service, const struct journal_entry *e);
/* Call after the network is blocked. Writes the revocation to both places, where possible. */
enum recorded records_revoke(struct service *s, const char *client, const char *login,
	const char *actor, const char *reason, instant_t at);
bool records_are_revoked(const struct service *s, const char *client, const char *login);
/* Returns 0, -ENOENT if there is no such revocation, or the journal's error: access then stays revoked. */
/* A pass has recorded revocations under new names, or times that have passed: takes them from the journal. The timer
 * and the count of overdue access go by them. */
void records_saved_take(struct service *s);
int records_reinstate(struct service *s, const char *client, const char *login, const char *actor,
	const char *reason, instant_t at);
/* Between two passes: opens a journal again that was deleted or replaced. Opening it detects the loss. */
void records_watch(struct service *s);
int64_t records_next(
	const struct service *s); /* When records_flush() is due: monotonic milliseconds. */
void records_flush(struct service *s);

/* witness.c */
void witness_revoked(struct service *s, const char *client, const char *login, instant_t at);
/* Returns 0, or negative errno: the firewall process then still counts it as revoked and opens nothing. */
int witness_reinstated(struct service *s, const char *client, const char *login, instant_t at);
/* Tells the firewall process the journal's head, if it has changed. */
void witness_head(struct service *s);

/* witness_guards.c */
/* Where records are missing, takes over the guards of endpoints that left the configuration. */
void witness_guards_take(struct service *s, const struct kept_guards *guards);
/* The same, after the firewall process was asked for them. */
void witness_guards(struct service *s);

/* witness_compare.c */
/* Puts revocations back in force that only the firewall process has, detects a loss of records, and tells the firewall
 * process what it lacks. Returns 0, or negative errno if that process has died. */
int witness_open(struct service *s);

/* time.c */
/* The current time, never before the latest time seen. In memory alone: removing access waits for no disk. Raises and
 * clears the alarm of a clock that was set back. */
instant_t service_now(struct service *s);
/* Saves the latest time seen, and says so if it cannot. A pass grants nothing before that: see pass_time_save(). */
void service_time_save(struct service *s);
/* Corrects the latest time seen, and records who did. 0, or an error and the problem in `why`. */
int service_time_reset(char why[RECORD_TEXT_MAX], struct service *s, instant_t to,
	const char *actor, const char *reason);

/* network.c */
struct firewall_port service_gate(struct service *s);
/* Goes on without the firewall process: SQL access is removed, and nothing is granted. False: so it was already, for
 * the same reason. */
bool service_firewall_lose(struct service *s, const char *why);
/* Notes the result of an order to the firewall process, and returns it. */
int service_firewall_asked(struct service *s, int rc);
/* Changes the network only, at once: blocks what has ended, whatever the SQL servers do. `outdates`: the current pass
 * used the earlier schedule, so it must not grant anything any more. `call`, unless NULL, receives the changes. */
void service_network_now(struct service *s, const char *why, const char *actor, bool outdates,
	struct control_call *call);

/* transition.c */
/* Computes the next scheduled change from configuration, revocations, and clock, and sets its timer. */
void service_schedule(struct service *s);
/* The same by the grants of `now`, for whoever has them already. */
void service_schedule_by(struct service *s, const struct grants *grants, instant_t now);
/* Milliseconds until the next scheduled change, by Curfew's time. */
int64_t transition_left(const struct service *s);
/* Blocks in the network what ends now, whatever server a pass is waiting for. */
void service_time_came(struct service *s, unsigned reasons);

/* passes.c */
int passes_open(struct service *s); /* 0 or -ENOMEM */
void passes_close(struct service *s);
bool passes_are_due(struct service *s);
/* A pass could not begin, or could not go on. */
void passes_failed(struct service *s, int error);
/* When passes_tick() is due: monotonic milliseconds. */
int64_t passes_next(const struct service *s);
void passes_tick(struct service *s);

/* passes_report.c */
/* A record_fn. */
int passes_record(void *service, const struct record *r);
void passes_result_log(struct service *s, const struct pass_result *r);
void passes_changes_end(struct service *s);

/* passes_start.c */
void passes_begin(struct service *s);
/* Chooses why the next pass runs, from what is pending and the queue of requests, one of which is there. */
void passes_reason_take(struct passes *p);

/* early.c */
/* When early_tick() is due: monotonic milliseconds, or INT64_MAX. */
int64_t early_next(const struct service *s);
void early_tick(struct service *s);
/* Milliseconds for which a pass of the interval waits for that of the instant, which visits every server. */
int64_t early_patience(const struct service *s);
/* A pass begins: the one that waits, if it is for this and nothing else has changed meanwhile. False: another has to begin;
 * then drop what waits. */
bool early_take(struct service *s);
void early_drop(struct service *s);

/* passes_queue.c */
/* No pass is under way or due. */
bool passes_are_idle(const struct service *s);
/* What a pass and a query of the service have in common; the caller adds what tells them apart. */
struct pass_options service_options(struct service *s, enum pass_mode mode, instant_t now);
/* Of a pass of the service's own, at all servers. */
struct pass_options passes_options(struct service *s, instant_t now);
/* Servers that failed last start last. */
unsigned passes_job(void *service, struct worker_job *job);
/* Takes ownership of the request. -EBUSY: too many wait. */
int passes_enqueue(struct service *s, const struct request *r);
/* How the revocation of this request was recorded, which its pass reports. */
void passes_recorded(struct service *s, const struct control_call *call, enum recorded recorded);
/* Forgets those that nobody waits for any more, but for revocations. */
void passes_moot_drop(struct passes *p);
/* What became due or was revoked during this pass is removed by the next one: not overdue yet. */
bool passes_close_next(const struct passes *p);

/* queries.c */
int queries_open(struct service *s);
void queries_close(struct service *s);
int queries_enqueue(struct service *s, const struct request *r); /* as passes_enqueue() */
/* Starts the next query if it is due. */
void queries_begin(struct service *s);
/* When queries_begin() or the lane is due: monotonic milliseconds, or INT64_MAX. */
int64_t queries_next(const struct service *s);

/* reload.c */
/* Reloads between two passes; service_reload_ask() makes the current pass end soon. */
void service_reload_ask(struct service *s);
void service_reload(struct service *s);
/* After an update of time zone data, dates may mean other times. Asks for a reload, unless the files have changed
 * too: an operator must load those. */
void service_zones_watch(struct service *s);
/* Saves what is loaded as last known good version. Returns 0, also if the disk cannot be written, which is logged;
 * -EAGAIN: the files changed meanwhile. */
int service_save(struct service *s, const struct configuration *c);
/* The firewall process reads the files too and loads them if they are the same, or if only its last known good version
 * of a client file with errors differs. -EAGAIN: they differ. */
int service_firewall_adopt(struct service *s, const struct configuration *c);

/* reload_report.c */
/* Logs and records what loading `now` changes: who gains access, which clients were removed. */
void reload_report(struct service *s, const struct program *now);

/* gauges.c */
/* `grants`: those of `now`; NULL: their counts stay as they were. */
void service_metrics_write(struct service *s, const struct grants *grants, instant_t now);

/* requests.c */
void service_request(void *service, struct control_call *call, const struct json_t *request);

/* filter.c */
/* Calls the firewall process, and waits a while for it. If it cannot be used, it is called again later. */
void filter_call(struct service *s);
/* Listens to the firewall process. 0 or negative errno. */
int filter_open(struct service *s);
void filter_close(struct service *s);
/* When filter_tick() is due: monotonic milliseconds, or INT64_MAX. */
int64_t filter_next(const struct service *s);
/* Looks whether a process that was late answers again, or gives it up; calls one that is lost. */
void filter_tick(struct service *s);

/* loop.c */
int loop_open(struct service *s); /* 0 or negative errno */
void loop_close(struct service *s);
/* Handles events and makes the passes that they ask for, until service_stop(). */
void service_loop(struct service *s);

#endif
