/* Data as text, tables, JSON, timelines, HTML, calendars, and certificates. Pure: data and the time in, text out. Any
 * text may be hostile and is escaped for its place. */
#ifndef CURFEW_REPORT_H
#define CURFEW_REPORT_H

#include "curfew/calendar.h"
#include "curfew/firewall.h"
#include "curfew/lost_records.h"
#include "curfew/record.h"
#include "curfew/schedule.h"

struct json_t; /* jansson's */
struct sample_tally;

/* Only for `curfew`; call once before anything is printed. Sets the user's locale for character widths, or UTF-8 if
 * there is none (service, cron). */
void report_locale(void);
enum tone { TONE_PLAIN, TONE_GOOD, TONE_WARN, TONE_BAD, TONE_DIM, TONE_BOLD };
/* True only on a terminal, and never with NO_COLOR or TERM=dumb. */
bool style_wanted(FILE *to);
/* The escape sequence of a tone; "" if `wanted` is false. */
const char *style_begin(bool wanted, enum tone t);
const char *style_end(bool wanted, enum tone t);
size_t terminal_width(FILE *to); /* columns; 0: not a terminal, or unknown */
enum tone state_tone(enum state s);
enum tone severity_tone(enum finding_severity s);
enum tone level_tone(enum level l);

/* A table: on a terminal at most as wide as the terminal, elsewhere never truncated. */
struct table;
enum table_flags {
	TABLE_RIGHT = 1, /* align right */
	TABLE_CUT = 2,	 /* may be truncated on a terminal */
	TABLE_WRAP = 4,	 /* may wrap on a terminal */
};
struct table_column {
	const char *title;
	unsigned flags;
};
/* `width`: columns; 0: those of the terminal `to`; TABLE_NO_LIMIT: no limit (tests pass a number). */
#define TABLE_NO_LIMIT ((size_t)-1)
int table_new(
	struct table **out, const struct table_column *columns, size_t n, FILE *to, size_t width);
/* Starts a row; then call table_cell() for each column. NULL is shown as "-". */
int table_row(struct table *t, enum tone tone);
int table_cell(struct table *t, const char *text);
int table_cellf(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints nothing, not even titles, if there are no rows. */
int table_print(struct table *t);
/* CSV by RFC 4180, titles first. A cell that a spreadsheet would read as a formula starts with an apostrophe. */
int table_print_csv(struct table *t);
void table_free(struct table *t);
/* Replaces spaces with newlines so that no line is wider than `width` cells, unless it is a single word. */
void text_break(char *text, size_t width);
/* Prints the text escaped, after `start`, in lines that are no wider than `width` cells. Each of its own lines begins
 * with `start` anew. 0 or -ENOMEM. */
int text_print_broken(FILE *to, const char *start, const char *text, size_t width);

/* Text. */
#define WORDS_MAX 128
/* "3 days 4 hours", "45 seconds": at most two units, rounded down. Ignores the sign. */
const char *duration_words(char buf[WORDS_MAX], int64_t seconds);
/* The next change of a grant, in its client's zone: "read-only in 3 days 4 hours, Mon 2026-11-23 09:00 CST"; "ended
 * Wed 2026-12-23 09:00 CST"; "no access scheduled". */
const char *grant_words(char buf[WORDS_MAX], const struct grant *g, instant_t now);
/* A user's sources that have not ended; those that end before the access with their date in that zone. Owned; NULL
 * without memory. */
char *user_sources_words(const struct user *u, instant_t now, const char *zone);
/* Whether both have the same client, phase, and next change. */
bool grant_is_alike(const struct grant *a, const struct grant *b);
/* Whether no earlier item is like the i-th. */
bool grant_begins_group(const struct grant *items, size_t i);

/* JSON: each a new reference, NULL without memory. Invalid UTF-8 is replaced. */
struct json_t *text_json(const char *text);   /* null for NULL */
struct json_t *instant_or_null(instant_t at); /* null for 0 */
struct json_t *instant_json(instant_t t);     /* "2026-11-23T15:00:00Z" */
/* { client user login email server database role phase level from until next_level sources }; `user` is "First Last";
 * `from` is null before any access, `next_level` is null if no change is scheduled. */
struct json_t *grant_json(const struct grant *g);
struct json_t *grants_json(const struct grants *g); /* array, in the order of `g` */
struct json_t *entry_json(const struct journal_entry *e);
/* Prints the value with a newline and releases it. -ENOMEM if `json` is NULL. */
int json_print(struct json_t *json, FILE *to);
/* As CSV: these members (the last is NULL) of each object of the array; a list is joined by commas. Releases. */
int json_print_csv(struct json_t *rows, const char *const *members, FILE *to);
/* The same of an array that is a member of `whole`, which is released. */
int json_member_csv(struct json_t *whole, const char *member, const char *const *members, FILE *to);
/* Quoted; what a spreadsheet would take for a formula gets an apostrophe. */
void csv_write_cell(FILE *to, const char *text, bool first);

/* A record of access as text. SQL: "read-only", "read-only, excess: member of sysadmin"; network: the allowed
 * addresses, "closed", "not filtered". Plain: both are as scheduled. */
bool access_is_plain(const struct journal_entry *e);
void access_sql_write(FILE *to, const struct journal_entry *e);
void access_network_write(FILE *to, const struct journal_entry *e);
/* One of these texts; NULL without memory. */
char *access_text(
	void (*write)(FILE *to, const struct journal_entry *e), const struct journal_entry *e);

/* Prints journal records, oldest first. An outcome is printed with its intent, and each with who asked and why.
 * Breaks lines between words at `width` columns; 0: at the terminal's width, if there is one. */
int entries_print(const struct journal_entry *items, size_t n, FILE *to, size_t width);

/* What other files would change, by client; or an array of { effect before after }, each as grant_json() or null. */
struct preview;
int preview_print(const struct preview *p, FILE *to);
struct json_t *preview_json(const struct preview *p);

/* Timeline: the levels of a client's databases by the schedule. */
enum timeline_mark_kind {
	MARK_START,
	MARK_GO_LIVE,
	MARK_STAGING_END,
	MARK_TESTING_END,
	MARK_END,
	MARK_REVOKED,
};
struct timeline_mark {
	enum timeline_mark_kind kind;
	instant_t at;
};
#define TIMELINE_MARKS_MAX 6
struct timeline_bar {	 /* one level of one database in one period */
	size_t database; /* in client.databases */
	enum level level;
	instant_t from, until;
};
struct timeline {
	const struct client *client;
	const struct program *program;
	const struct overrides *overrides; /* or NULL */
	instant_t now;
	instant_t from, until;				/* the period of the picture */
	struct timeline_mark marks[TIMELINE_MARKS_MAX]; /* sorted by time */
	size_t n_marks;
	struct timeline_bar *bars; /* sorted by database and time; without level none */
	size_t n_bars;
};
int timeline_make(struct timeline *out, const struct program *p, const struct client *c,
	const struct overrides *o, instant_t now);
void timeline_free(struct timeline *t);
const char *timeline_mark_name(enum timeline_mark_kind k); /* "go-live", "access ends", ... */
/* For a terminal of `width` columns (0: ask it; at least 60). */
int timeline_print(const struct timeline *t, FILE *to, size_t width);
/* One self-contained picture, readable without color. `serial` makes ids unique within a page. */
int timeline_svg(const struct timeline *t, FILE *to, unsigned serial);
/* A file with one picture below the other. */
int timelines_svg(const struct timeline *all, size_t n, FILE *to);
/* An array of { client timezone from until marks bars }. */
struct json_t *timelines_json(const struct timeline *all, size_t n);
/* RFC 5545, one event for each coming change; an event that moves keeps its UID. */
int timelines_ics(const struct timeline *all, size_t n, FILE *to, instant_t now);

/* Audit. All pointers are borrowed. */
struct audit_server {
	const struct server *server;
	enum state state;
	const char *version, *detail; /* or NULL */
	uint64_t round_trips;
};
struct audit_grant {
	const struct grant *wanted;
	enum state state;
	bool seen;	/* `observed` is known */
	bool secondary; /* its database cannot be read here, for another replica has it: no fault */
	enum level observed;
	const char *detail; /* or NULL */
	bool counted;	    /* the packet filter was read */
	uint64_t packets;
};
struct audit_residual { /* access that was granted, is no longer configured, and is not verified as removed */
	const char *client, *login, *server, *database; /* or NULL */
	enum state state;
	enum level level; /* last known */
	const char *detail;
};
struct audit_session {
	const char *server, *client, *login, *address, *program;
	uint64_t number;
	instant_t since;
	const char *detail; /* what is unusual about it, or NULL */
};
#define FINDING_ID_MAX 13
/* The journal's action for an accepted finding: `statement` is the id, `after` the end. */
#define AUDIT_ACCEPT "accept-finding"
/* The journal's action for a finding that an audit saw first; `statement` is the id. */
#define AUDIT_FOUND "finding"
struct audit_finding {
	const char *name; /* name of the check */
	enum finding_severity severity;
	const char *server, *database, *client, *login; /* or NULL */
	const char *evidence, *remedy;			/* a line of evidence for each check */
	const char *
		also; /* other checks that found the same thing: "new-principal, new-member"; or NULL */
	instant_t
		first_seen; /* by the first audit that found it as it is; 0: none before this one */
	char id[FINDING_ID_MAX]; /* hash of all members: a changed finding has another id */
	const struct journal_entry *
		accepted; /* NULL, or by which operator: the finding is listed but is not a failure */
};
struct audit_proof {
	const char *client, *login, *server, *database;
	enum level level;    /* the level to verify */
	const char *outcome; /* see is_verified() */
	const char *detail;
	instant_t at;
	int64_t record; /* in the journal; 0: none */
};
struct audit_report {
	instant_t at;
	const char *zone;   /* for local times */
	const char *client; /* NULL: all */
	const struct program *program;
	const struct overrides *overrides; /* or NULL */
	const struct audit_server *servers;
	size_t n_servers;
	const struct audit_grant *grants;
	size_t n_grants;
	const struct audit_residual *residual;
	size_t n_residual;
	const struct audit_session *sessions;
	size_t n_sessions;
	const struct audit_finding *findings;
	size_t n_findings;
	instant_t since; /* findings that were seen before it are left out; 0: none is */
	size_t n_older;	 /* how many */
	const struct audit_proof *proofs;
	size_t n_proofs;
	const struct journal_entry *history; /* oldest first */
	size_t n_history;
	int64_t archived; /* the history begins behind this record, which an archive has; 0: none has */
	struct lost_records lost; /* of the time that the history covers; the caller frees it */
	int64_t head;		  /* journal's last record; 0: no journal */
	uint8_t head_hash[JOURNAL_HASH_SIZE];
	char **texts; /* strings of audit_build() */
	size_t n_texts;
};
/* When a password of the login that the server has was handed over last; 0: never. A password from before the login was
 * created again, by the server's clock, no longer works. */
instant_t handed_over_at(const struct journal_entries *handovers, const char *server,
	const char *login, instant_t created);
/* Name of the finding for what could not be read. */
#define AUDIT_NOT_SHOWN "not-shown"
/* Name of the finding for a server that the packet filter does not guard. */
#define AUDIT_UNGUARDED "server-unguarded"
/* The input of an audit. Must live as long as the report. */
struct audit_input {
	const struct record *records; /* of a pass that only reads */
	size_t n_records;
	const struct grants *grants;
	const struct firewall_state *network;	 /* NULL: not read */
	bool network_refused;			 /* whoever asks may not read it */
	const struct journal_entries *handovers; /* of all clients; NULL: no journal */
	const struct journal_entries *found;	 /* first sights, oldest first; NULL: no journal */
	const struct journal_entries *accepted;	 /* oldest first; NULL: no journal */
};
/* Sets servers, grants, residual access, sessions, findings, and verifications of a report. Requires program and
 * client. 0 or -ENOMEM; free it in either case. */
int audit_build(struct audit_report *a, const struct audit_input *in);
void audit_free(struct audit_report *a);
/* Whether the table is as Curfew creates it and has every endpoint of the server. */
bool network_guards(const struct firewall_state *s, const struct server *server);
/* Packets that the entries of the user allowed to the grant's server. */
uint64_t grant_packets(const struct firewall_state *s, const struct grant *g);
/* The worst state of all servers and grants; at least STATE_DRIFT if a finding is above low. */
enum state audit_state(const struct audit_report *a);
/* {at, state, since, older, servers, grants, residual, findings, sessions, proofs, journal} */
struct json_t *audit_json(const struct audit_report *a);
/* For a terminal: the state, then the problems, then everything. */
int audit_print(const struct audit_report *a, FILE *to);
/* One self-contained file, without scripts or external references. */
int audit_html(const struct audit_report *a, FILE *to);

/* Certificate: items that are verified as removed, and what is not looked for. The command issues none while an item is not verified. */
/* Not an item that is verified: `at` is when an operator decided to look for it no longer, `observation` is the reason, and
 * `evidence` says who. */
#define CERTIFICATE_FORGOTTEN "forgotten"
struct certificate_item {
	const char *what; /* "login", "user", "session", "element", CERTIFICATE_FORGOTTEN */
	const char *name;
	const char *server, *database; /* or NULL */
	instant_t at;		       /* time of the verification */
	const char *observation;       /* how: "sys.server_principals read, no such sid", ... */
	int64_t record;		       /* in the journal; 0: none, see `evidence` */
	const char *evidence;
};
struct certificate {
	const struct client *client;
	const struct user *user; /* a configured user, or NULL */
	const char *login;	 /* the user's; NULL: the whole client */
	instant_t scheduled_end; /* that holds, whatever the file says now */
	instant_t ended; /* when that was confirmed of the last access; 0: no record of access */
	bool practice; /* the state is marked as practice: every page says so, and it is no evidence */
	instant_t at;
	const struct certificate_item *items;
	size_t n;
	int64_t head;
	uint8_t head_hash[JOURNAL_HASH_SIZE];
	const char *host;	   /* whose packet filter was read; NULL: not known */
	const char *configuration; /* digest */
	const struct program *program;
	const struct audit_finding *findings; /* of the audit that the certificate is based on */
	size_t n_findings;
	const struct sample_tally *
		custom; /* customizations, by the last samples; NULL: none, or not the whole client */
	struct lost_records lost; /* between the client's start and now; the caller frees it */
};
/* The mark on every text and page of a practice state. */
#define PRACTICE_MARK "PRACTICE: made with `practice = true`; not evidence of anything"
/* Number of findings of access that others have, not accepted: the certificate does not cover them. */
size_t certificate_beside(const struct certificate *c);
/* Some of them are only that something was not read. */
bool certificate_beside_is_unread(const struct certificate *c);
int certificate_print(const struct certificate *c, FILE *to);
int certificate_html(const struct certificate *c, FILE *to);
struct json_t *certificate_json(const struct certificate *c);

#endif
