/* Inside the service: what its parts share. Not for other modules. */
#ifndef ENGINE_LOOP_H
#define ENGINE_LOOP_H

#include "curfew/clock.h"
#include "curfew/control.h"
#include "curfew/firewall_process.h"
#include "curfew/log.h"
#include "curfew/metrics.h"
#include "curfew/pass.h"
#include "curfew/service.h"

/* Exit statuses: the service's own, and those that its answers give to commands. */
enum { CODE_FAILED = 1, CODE_USAGE = 64, CODE_CONFIG = 78 };

enum reason {
	REASON_START = 1 << 0,
	REASON_TRANSITION = 1 << 1,
	REASON_RELOAD = 1 << 2,
	REASON_INTERVAL = 1 << 3,
	REASON_RETRY = 1 << 4,
	REASON_ASKED = 1 << 5,
	REASON_CLOCK = 1 << 6,
	REASON_OVERRIDE = 1 << 7,
};
/* What does not wait for a slow server: a pass that is under way is cut short for it. */
#define REASONS_URGENT                                                                             \
	(REASON_TRANSITION | REASON_RELOAD | REASON_CLOCK | REASON_OVERRIDE | REASON_ASKED)

/* A server that fails is tried again after 5 s, then twice as long each time, up to 5 min, a quarter more or
 * less: a fleet of agents must not come back all at one instant. */
#define RETRY_FIRST 5
#define RETRY_MOST  300
/* What a pass still gets when something urgent came: enough for every server that is well. */
#define URGENT_GRACE 3

struct server_state {
	char *name;
	unsigned failures; /* in a row */
	int64_t retry;	   /* monotonic milliseconds; 0: it is well */
	bool reachable, has_good_pass;
	instant_t good_pass;
	instant_t silent_since; /* of the first pass that had no answer from it; 0: it answers */
	uint64_t round_trips;
};

/* A request that waits for its turn, or has it. */
struct request {
	struct control_call *call;
	enum pass_mode mode;
	char *client, *reason, *actor; /* owned; client may be NULL */
	int64_t asked;		       /* monotonic milliseconds */
};

/* Requests that only look, and the one of them that is being answered: beside the pass under way, not after it. */
struct reading {
	struct request queue[MAX_CONTROL_CLIENTS];
	size_t n_queue;
	struct pass *pass; /* NULL: none */
	struct request request;
	struct workers *workers;
	struct worker_job *jobs;
	int64_t cut; /* as of a run */
};

/* The pass under way. */
struct run {
	struct pass *pass; /* NULL: none */
	struct pass_options options;
	struct workers *workers;
	struct worker_job *jobs; /* in the order of the servers' health */
	const char **servers;	 /* NULL-terminated; NULL: as the pass chooses */
	unsigned reasons;
	bool has_request;
	struct request request;
	int64_t began;	/* monotonic milliseconds */
	int64_t cut;	/* when it is cut short; 0: it is not */
	int64_t settle; /* when what it has told is to be on disk; 0: it is */
	bool stale;	/* what it knows of the schedule is not so any more: it opens nothing */
	char text[128]; /* its reason in words */
};

struct service {
	struct service_options options;
	struct program *program;
	struct strings kept; /* client files in force by their last good version */
	char *last_good,
		*kept_folder; /* the folder of last good versions, and of the clients' below it */
	struct overrides overrides;
	struct journal *journal;
	struct clock clock;
	bool clock_alarm;
	int64_t clock_behind;

	struct firewall_client *firewall; /* NULL: this host filters nothing */
	struct firewall_port gate;	  /* what passes see of it */
	struct control *control;
	int epoll, signals, transitions, ticks, watchdog;

	bool has_next;
	instant_t next;			  /* transition */
	int64_t next_interval, next_head; /* monotonic milliseconds */
	unsigned pending;
	struct run run;
	struct reading reading;
	struct request queue[MAX_CONTROL_CLIENTS];
	size_t n_queue;
	struct server_state *servers; /* as the program's */
	size_t n_servers;
	size_t overdue;
	int64_t overdue_age;
	struct metrics figures; /* counters; the rest is filled in when written */
	struct control_call *reloaders[MAX_CONTROL_CLIENTS]; /* who waits for a reload */
	size_t n_reloaders;
	bool reload_wanted; /* done between two passes, for they point into the configuration */
	bool stopping;
	int code; /* exit status once stopping */
};

/* loop.c */
/* Events, and the passes that they ask for, until something calls service_stop(). */
void service_loop(struct service *s);
int64_t service_monotonic(void); /* milliseconds */
/* The present, ratcheted and on disk; raises and clears the clock's alarm. */
instant_t service_now(struct service *s);
void service_stop(struct service *s, int code);
void service_ask(struct service *s, unsigned reasons);
/* Recomputes the next transition from configuration, overrides and clock, and sets the timers. */
void service_schedule(struct service *s);
int service_event(struct service *s, const char *action, const char *client, const char *login,
	const char *actor, const char *reason, const char *detail);

/* lane.c */
void service_pass_begin(struct service *s);
void service_pass_dispatch(struct service *s);
/* What is under way ends soon: after the grace, or at once. */
void service_pass_hurry(struct service *s);
void service_pass_cut(struct service *s);
/* What it has told so far is on disk from here on, whatever becomes of it; what is written to the journal next stands by
 * itself, and other processes can write too. */
void service_pass_settle(struct service *s);
/* The clock was wrong and is right now: what is under way ends at once, and the rest of it is recorded as of `now`. */
void service_pass_correct(struct service *s, instant_t now);
void service_pass_drop(struct service *s);

/* network.c */
struct firewall_port service_gate(struct service *s);
void service_firewall_died(struct service *s, int code);
/* The network alone, at once: closes what has ended whatever the SQL servers do. `outdates`: the pass under way,
 * which knows the schedule of its beginning, opens nothing any more. `call`, unless NULL, is told what was changed. */
void service_network_now(struct service *s, const char *why, const char *actor, bool outdates,
	struct control_call *call);

/* health.c */
/* Those of the configuration in force; what was known of one that stays is kept. 0 or -ENOMEM. */
int service_servers_set(struct service *s);
void service_servers_free(struct service *s);
struct server_state *server_find(struct service *s, const char *name); /* NULL: none of that name */
/* Whether a pass for these reasons visits server `i`. */
bool server_is_due(const struct service *s, size_t i, unsigned reasons);
/* The pass under way has ended at this server, well or not: it sets the next try. */
void server_ended(struct service *s, const struct record *r);
/* What the pass under way has seen of a server's answering. */
void server_answered(struct service *s, const struct record *r);
/* After a clock that was wrong: nothing is known of a server from an instant that lies ahead. */
void service_servers_correct(struct service *s, instant_t now);

/* query.c */
/* Takes the request over. -EBUSY: too many wait. */
int service_reading_ask(struct service *s, const struct request *r);
/* Begins with the next when it is time. */
void service_reading_begin(struct service *s);
void service_reading_dispatch(struct service *s);
/* When service_reading_tick() or _begin() has something to do next: monotonic milliseconds, or INT64_MAX. */
int64_t service_reading_next(const struct service *s);
void service_reading_tick(struct service *s);
/* What is under way ends after the grace: something waits that cannot come beside it. */
void service_reading_hurry(struct service *s);
/* Nobody is answered any more: the service stops. */
void service_reading_drop(struct service *s);

/* reload.c */
/* The configuration as files and last good versions say. 0, -EINVAL (has errors, told), other negative errno.
 * *left_out, unless NULL: a client file has errors and no last good version. */
int service_load(struct program **out, struct strings *kept, bool *left_out, const char *config,
	const char *kept_folder, bool tell);
/* Keeps the files in force: curfew.conf and clients.d below `folder`. */
int service_keep(const struct program *p, const struct strings *kept, const char *config,
	const char *folder);
/* At a start: by the files, or, when curfew.conf itself has errors, by its last good version. *folder is where
 * last good versions lie; `tell`: problems of client files too. 0, -EINVAL when there is nothing to go by. */
int service_load_first(
	struct program **out, struct strings *kept, char **folder, const char *config, bool tell);
/* Between two passes; service_reload_ask() sees to it that the one under way ends soon. */
void service_reload_ask(struct service *s);
void service_reload(struct service *s);
/* The firewall process reads the files too, and takes them when they are the same. -EAGAIN: they are not. */
int service_firewall_take(struct service *s, const struct program *p);
void strings_clear(struct strings *s);

/* report.c */
void service_figures_write(struct service *s);
void service_overdue_count(struct service *s);
/* What its server last proved of a grant, or NULL. */

/* requests.c */
void service_request(void *service, struct control_call *call, const struct json_t *request);
void request_free(struct request *r);

#endif
