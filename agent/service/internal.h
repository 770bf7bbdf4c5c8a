/* Inside the service: the struct that it composes, and what its files do to it. Not for other modules.
 *
 * Upward: event.c <- records.c <- time.c <- network.c <- transition.c <- sending.c <- passes.c, queries.c <- requests.c, reload.c <- loop.c <- start.c.
 * What needs less than the whole service takes arguments: dispatcher, health, lane, configuration, overdue. */
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
#include "service/backlog.h"
#include "service/configuration.h"
#include "service/dispatcher.h"
#include "service/health.h"
#include "service/lane.h"
#include "service/overdue.h"
#include "service/reason.h"
#include "service/sending.h"

/* Exit statuses: the service's own, and those that its answers give to commands. */
enum { CODE_FAILED = 1, CODE_DIFFERENCES = 2, CODE_USAGE = 64, CODE_CONFIG = 78 };

/* What a pass for these reasons closes must not be kept from its end by whoever may ask. */
#define REASONS_CLOSING                                                                            \
	(REASON_START | REASON_TRANSITION | REASON_RELOAD | REASON_CLOCK | REASON_OVERRIDE)
/* What does not wait for a slow server: a pass that is under way is cut short for it. */
#define REASONS_URGENT                                                                             \
	(REASON_TRANSITION | REASON_RELOAD | REASON_CLOCK | REASON_OVERRIDE | REASON_ASKED)

/* How often what waits for the journal is tried again: milliseconds. */
#define RECORDS_RETRY (5 * 1000)

/* A request that waits for its turn, or has it. */
struct request {
	struct control_call *call;
	enum pass_mode mode;
	char *client, *reason, *actor; /* owned; client may be NULL */
	int64_t asked;		       /* monotonic milliseconds */
	bool closes;		       /* a revocation */
	enum recorded recorded;
};
void request_free(struct request *r);
/* Answered before its turn: the service stops. */
void request_drop(struct request *r);

/* Passes that change access: what asks for the next one, and what the one under way is about. */
struct passes {
	struct lane *lane;
	unsigned pending; /* reasons */
	bool owed;	  /* the last pass was cut short: no request cuts the next one */
	struct request queue[MAX_CONTROL_CLIENTS];
	size_t n_queue;
	int64_t next_interval; /* monotonic milliseconds */
	/* of the pass under way */
	unsigned reasons;
	size_t unread; /* grants, maintenance windows aside */
	bool cut;      /* some server was not visited to its end */
	bool has_request;
	struct request request;
	const char **servers; /* NULL-terminated; NULL: as the pass chooses */
	int64_t began;	      /* monotonic milliseconds */
	char last_text[128];  /* of the last that ended */
	char text[128];	      /* its reason in words */
};

/* Requests that only read, and the one of them that is being answered. */
struct queries {
	struct lane *lane;
	struct request queue[MAX_CONTROL_CLIENTS];
	size_t n_queue;
	struct request request; /* under way while the lane is busy */
};

struct service {
	struct service_options options;
	struct configuration loaded;
	struct overrides overrides;
	struct journal *journal; /* NULL: it cannot be opened; nothing is granted until it can */
	struct recall *recall;	 /* what passes last read of it; NULL: nothing yet */
	struct revocation_copy *copy; /* NULL: it cannot be opened */
	struct backlog *backlog;      /* what the journal did not take yet */
	bool unsettled;		      /* the copy knows of what the journal does not */
	int64_t next_record;	      /* when what waits is tried again: monotonic milliseconds */
	struct firewall_client *firewall; /* NULL: this host filters nothing */
	struct firewall_port gate;	  /* what passes see of it */
	struct control *control;

	struct dispatcher *dispatcher;
	struct binding signals, transitions, ticks, watchdog, firewall_events, control_events;

	instant_t since; /* when it started */
	struct clock clock;
	bool clock_alarm;
	int64_t clock_behind; /* seconds */
	bool has_next;
	instant_t next;	   /* transition */
	int64_t next_head; /* of the journal, to the log: monotonic milliseconds */

	struct passes passes;
	struct queries queries;
	struct health *health;
	struct overdue overdue;
	struct sending *sending;
	struct metrics metrics; /* counters; the rest is filled in when written */

	struct control_call *reloaders[MAX_CONTROL_CLIENTS]; /* who waits for a reload */
	size_t n_reloaders;
	uint64_t zones;	    /* time zone files, as the loaded configuration was read with them */
	bool unsaved;	    /* what is loaded could not be kept as last known good version */
	bool reload_wanted; /* done between two passes, for they point into the configuration */
	int score;	    /* of the workers' OOM score: see worker.h; 0: there is none */
	bool stopping;
	int code; /* exit status once stopping */
};

/* event.c */
int64_t service_monotonic(void); /* milliseconds */
void service_stop(struct service *s, int code);
/* Asks for a pass; for what is urgent the one under way is cut short. */
void service_ask(struct service *s, unsigned reasons);
/* The same by somebody on the control socket. No one there can starve a closing: of two passes in a row requests cut
 * short at most one, and one that closes only for what `closes` too, a revocation or a reload. */
void service_hurry(struct service *s, bool closes);

/* records.c */
/* Journal, second copy, overrides. 0 also when neither can be opened: the service then only closes. */
int records_open(struct service *s);
void records_close(struct service *s);
/* An event of the service's own. 0, or what the journal said, which is logged: it is written later. */
int service_event(struct service *s, const char *action, const char *client, const char *login,
	const char *actor, const char *reason, const char *detail);
/* What a pass did and could not record. */
void records_unrecorded(void *service, const struct journal_entry *e);
/* On disk, once the network is closed: in both places, where that is possible. */
enum recorded records_revoke(struct service *s, const char *client, const char *login,
	const char *actor, const char *reason, instant_t at);
/* 0, -ENOENT: nothing is revoked there, or what the journal said: it stays revoked. */
int records_reinstate(struct service *s, const char *client, const char *login, const char *actor,
	const char *reason, instant_t at);
/* Between two passes: a journal that was deleted, or replaced, is opened anew, which notices the loss. */
void records_watch(struct service *s);
int64_t records_next(const struct service *s); /* when records_flush() has something to do */
void records_flush(struct service *s);

/* time.c */
/* The present, never before the latest seen, and on disk; raises and clears the clock's alarm. */
instant_t service_now(struct service *s);

/* network.c */
struct firewall_port service_gate(struct service *s);
void service_firewall_died(struct service *s, int code);
/* The network alone, at once: closes what has ended whatever the SQL servers do. `outdates`: the pass under way,
 * which knows the schedule of its beginning, opens nothing any more. `call`, unless NULL, is told what was changed. */
void service_network_now(struct service *s, const char *why, const char *actor, bool outdates,
	struct control_call *call);

/* transition.c */
/* Recomputes the next transition from configuration, overrides and clock, and sets its timer. */
void service_schedule(struct service *s);
/* What ends now ends now, in the network, whatever servers a pass is waiting for. */
void service_time_came(struct service *s, unsigned reasons);

/* passes.c */
int passes_open(struct service *s); /* 0 or -ENOMEM */
void passes_close(struct service *s);
/* Takes the request over. -EBUSY: too many wait. */
int passes_enqueue(struct service *s, const struct request *r);
bool passes_are_due(struct service *s);
void passes_begin(struct service *s);
/* When passes_tick() has something to do: monotonic milliseconds. */
int64_t passes_next(const struct service *s);
void passes_tick(struct service *s);

/* queries.c */
int queries_open(struct service *s);
void queries_close(struct service *s);
int queries_enqueue(struct service *s, const struct request *r); /* as passes_enqueue() */
/* Begins with the next when it is time. */
void queries_begin(struct service *s);
/* When queries_begin() or the lane has something to do: monotonic milliseconds, or INT64_MAX. */
int64_t queries_next(const struct service *s);

/* reload.c */
/* Between two passes; service_reload_ask() sees to it that the one under way ends soon. */
void service_reload_ask(struct service *s);
void service_reload(struct service *s);
/* Time zone data was updated: dates may be other instants now. Asks for a reload, unless the files have changed too:
 * those an operator loads. */
void service_zones_watch(struct service *s);
/* Keeps what is loaded as last known good version. 0, also when the disk takes nothing, which is logged; -EAGAIN: the
 * files changed meanwhile. */
int service_save(struct service *s, const struct configuration *c);
/* The firewall process reads the files too, and takes them when they are the same. -EAGAIN: they are not. */
int service_firewall_adopt(struct service *s, const struct program *p);

/* reload_report.c */
/* What loading `now` changes: who gains access, which clients are gone. */
void reload_report(struct service *s, const struct program *now);

/* gauges.c */
void service_metrics_write(struct service *s);

/* requests.c */
void service_request(void *service, struct control_call *call, const struct json_t *request);

/* loop.c */
int loop_open(struct service *s); /* 0 or negative errno */
void loop_close(struct service *s);
/* Events, and the passes that they ask for, until service_stop(). */
void service_loop(struct service *s);

#endif
