/* Data made readable: tables, words, JSON, timelines, HTML, calendars, certificates. Pure: data and "now" in,
 * text out; nothing is looked up here. Every text may be hostile and is made harmless for where it goes. */
#ifndef CURFEW_REPORT_H
#define CURFEW_REPORT_H

#include "curfew/calendar.h"
#include "curfew/firewall.h"
#include "curfew/journal.h"
#include "curfew/record.h"
#include "curfew/schedule.h"

struct json_t; /* jansson's */

/* Style: for `curfew` alone; call once before anything is printed. Takes the user's locale for widths, or
 * UTF-8 where there is none (a service, cron). */
void report_locale(void);
enum tone { TONE_PLAIN, TONE_GOOD, TONE_WARN, TONE_BAD, TONE_DIM, TONE_BOLD };
/* Color only on a terminal, never with NO_COLOR or TERM=dumb. */
bool style_wanted(FILE *to);
/* The sequences for a tone; "" when `wanted` is false. */
const char *style_begin(bool wanted, enum tone t);
const char *style_end(bool wanted, enum tone t);
size_t terminal_width(FILE *to); /* columns; 0: it is no terminal, or does not say */
enum tone state_tone(enum state s);
enum tone severity_tone(enum finding_severity s);
enum tone level_tone(enum level l);

/* Table: on a terminal no wider than it, elsewhere never cut. */
struct table;
enum table_flags {
	TABLE_RIGHT = 1, /* align right */
	TABLE_CUT = 2,	 /* may be cut on a terminal */
	TABLE_WRAP = 4,	 /* may go on in the next line on a terminal */
};
struct table_column {
	const char *title;
	unsigned flags;
};
/* `width`: columns of the terminal; 0: ask `to` itself; TABLE_NO_LIMIT: never cut (tests pass a number). */
#define TABLE_NO_LIMIT ((size_t)-1)
int table_new(
	struct table **out, const struct table_column *columns, size_t n, FILE *to, size_t width);
/* Begins a row, then one table_cell() a column; NULL is shown as "-". */
int table_row(struct table *t, enum tone tone);
int table_cell(struct table *t, const char *text);
int table_cellf(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints nothing, not even titles, when there is no row. */
int table_print(struct table *t);
/* As RFC 4180 has it, titles first. A cell that a spreadsheet would take for a formula gets an apostrophe. */
int table_print_csv(struct table *t);
void table_free(struct table *t);
/* Puts newlines for spaces, so that no line is wider than `width` cells but of a single word. */
void text_break(char *text, size_t width);

/* Words. */
#define WORDS_MAX 128
/* "3 days 4 hours", "45 seconds": two units at most, cut, never rounded up. Negative counts as positive. */
const char *duration_words(char buf[WORDS_MAX], int64_t seconds);
/* What comes next for a grant, in its client's zone: "read-only in 3 days 4 hours, Mon 2026-11-23 09:00 CST";
 * "ended Wed 2026-12-23 09:00 CST"; "no access to come". */
const char *grant_words(char buf[WORDS_MAX], const struct grant *g, instant_t now);
/* A user's sources that have not ended, those that end before the access with their date in that zone. Owned; NULL
 * without memory. */
char *user_sources_words(const struct user *u, instant_t now, const char *zone);
/* Whether the same is true of both: their client, phase and what comes next. */
bool grant_is_alike(const struct grant *a, const struct grant *b);
/* Whether none of the items before it is like the i-th. */
bool grant_begins_group(const struct grant *items, size_t i);

/* JSON: each a new reference, NULL without memory. Text that is not UTF-8 is repaired. */
struct json_t *text_json(const char *text); /* null for NULL */
struct json_t *instant_json(instant_t t);   /* "2026-11-23T15:00:00Z" */
/* { client user login email server database role phase level from until next_level sources }; `user` is
 * "First Last"; `from` is null before any access, `next_level` is null when nothing is to come. */
struct json_t *grant_json(const struct grant *g);
struct json_t *grants_json(const struct grants *g); /* array, in the order of `g` */
struct json_t *entry_json(const struct journal_entry *e);
/* Prints and releases; a newline follows. -ENOMEM when `json` is NULL. */
int json_print(struct json_t *json, FILE *to);

/* Of a record of access. SQL: "read-only", "read-only, excess: member of sysadmin"; the network: addresses that are let
 * in, "closed", "not filtered". Plain: as it should be, in both. */
bool access_is_plain(const struct journal_entry *e);
void access_sql_write(FILE *to, const struct journal_entry *e);
void access_network_write(FILE *to, const struct journal_entry *e);
/* What one of these writes; NULL without memory. */
char *access_text(
	void (*write)(FILE *to, const struct journal_entry *e), const struct journal_entry *e);

/* The journal's records, oldest first, for a person: an outcome stands with its intent, and who asked and why with
 * each. Broken between words at `width` columns; 0: at the terminal's, and never where there is none. */
int entries_print(const struct journal_entry *items, size_t n, FILE *to, size_t width);

/* What other files would change, by client; and the array of { effect before after }, each as grant_json() or null. */
struct preview;
int preview_print(const struct preview *p, FILE *to);
struct json_t *preview_json(const struct preview *p);

/* Timeline: what a client's databases go through, as the schedule says, whoever looks. */
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
struct timeline_bar {	 /* one level of one database */
	size_t database; /* in client.databases */
	enum level level;
	instant_t from, until;
};
struct timeline {
	const struct client *client;
	const struct program *program;
	instant_t now;
	instant_t from, until;				/* what the picture spans */
	struct timeline_mark marks[TIMELINE_MARKS_MAX]; /* sorted by instant */
	size_t n_marks;
	struct timeline_bar *bars; /* sorted by database, instant; levels other than none only */
	size_t n_bars;
};
int timeline_make(struct timeline *out, const struct program *p, const struct client *c,
	const struct overrides *o, instant_t now);
void timeline_free(struct timeline *t);
const char *timeline_mark_name(enum timeline_mark_kind k); /* "go-live", "access ends", ... */
/* A picture for a terminal `width` columns wide (0: ask; at least 60). */
int timeline_print(const struct timeline *t, FILE *to, size_t width);
/* One self-contained picture; readable without color. `serial` keeps names apart within one page. */
int timeline_svg(const struct timeline *t, FILE *to, unsigned serial);
/* A file of its own: one picture below the other. */
int timelines_svg(const struct timeline *all, size_t n, FILE *to);
/* RFC 5545, one event per coming change; an event keeps its UID when it moves. */
int timelines_ics(const struct timeline *all, size_t n, FILE *to, instant_t now);

/* Audit. Everything is borrowed. */
struct audit_server {
	const struct server *server;
	enum state state;
	const char *version, *detail; /* or NULL */
	uint64_t round_trips;
};
struct audit_grant {
	const struct grant *wanted;
	enum state state;
	bool seen; /* `observed` means something */
	enum level observed;
	const char *detail; /* or NULL */
	bool has_last_packet;
	instant_t last_packet; /* by the counters of its elements */
	uint64_t packets;
};
struct audit_residual { /* given once, not in the configuration any more, not verified gone */
	const char *client, *login, *server, *database; /* or NULL */
	enum state state;
	enum level level; /* last known */
	const char *detail;
};
struct audit_session {
	const char *server, *client, *login, *address, *program;
	uint64_t number;
	instant_t since;
	const char *detail; /* what is odd about it, or NULL */
};
#define FINDING_ID_MAX 13
/* The journal's action of an acceptance: `statement` is the id, `after` the end. */
#define AUDIT_ACCEPT "accept-finding"
struct audit_finding {
	const char *name; /* of the check */
	enum finding_severity severity;
	const char *server, *database, *client, *login; /* or NULL */
	const char *evidence, *remedy;
	char id[FINDING_ID_MAX]; /* of all this: another finding, or a changed one, has another */
	const struct journal_entry
		*accepted; /* by an operator, and still: reported, and not a failure; or NULL */
};
struct audit_proof {
	const char *client, *login, *server, *database;
	enum level level;    /* what was to be proved */
	const char *outcome; /* "proved", "unproved", "refuted" */
	const char *detail;
	instant_t at;
	int64_t record; /* in the journal; 0: not on record */
};
struct audit_report {
	instant_t at;
	const char *zone;   /* for people */
	const char *client; /* the one asked for, or NULL: all */
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
	const struct audit_proof *proofs;
	size_t n_proofs;
	const struct journal_entry *history; /* oldest first */
	size_t n_history;
	int64_t head; /* journal's last record; 0: no journal */
	uint8_t head_hash[JOURNAL_HASH_SIZE];
	char **texts; /* audit_build()'s own */
	size_t n_texts;
};
/* The finding's name of what could not be read. */
#define AUDIT_NOT_SHOWN "not-shown"
/* What an audit is built from; all of it must live as long as the report. */
struct audit_input {
	const struct record *records; /* of a pass that only observes */
	size_t n_records;
	const struct grants *grants;
	const struct firewall_state *network;	 /* NULL: not read */
	const struct journal_entries *handovers; /* of all clients; NULL: no journal */
	const struct journal_entries *accepted;	 /* acceptances, oldest first; NULL: no journal */
};
/* Sets servers, grants, residual, sessions, findings and proofs of a report whose program and client are set. 0 or -ENOMEM; to be
 * freed in either case. */
int audit_build(struct audit_report *a, const struct audit_input *in);
void audit_free(struct audit_report *a);
/* Packets that the user's own elements on the grant's server let in. */
uint64_t grant_packets(const struct firewall_state *s, const struct grant *g);
/* The worst state of all servers and grants; STATE_DRIFT at least when there is a finding above low. */
enum state audit_state(const struct audit_report *a);
/* {at, state, servers, grants, residual, findings, sessions, proofs, journal} */
struct json_t *audit_json(const struct audit_report *a);
/* For a terminal: state first, then what is not well, then all. */
int audit_print(const struct audit_report *a, FILE *to);
/* One self-contained file: no script, nothing from elsewhere. */
int audit_html(const struct audit_report *a, FILE *to);

/* Certificate: each thing proved gone. The command refuses while anything is unproved. */
struct certificate_item {
	const char *what; /* "login", "user", "session", "element" */
	const char *name;
	const char *server, *database; /* or NULL */
	instant_t at;		       /* when it was observed gone */
	const char *observation; /* by which: "sys.server_principals read, no such sid", ... */
	int64_t record; /* in the journal; 0: none, and `evidence` says what there is instead */
	const char *evidence;
};
struct certificate {
	const struct client *client;
	const struct user *user; /* of one person that the file names; or NULL */
	const char *login;	 /* of one person; NULL: of the whole client */
	instant_t ended;
	bool practice; /* made in a practice state: marked on every page, and no evidence */
	instant_t at;
	const struct certificate_item *items;
	size_t n;
	int64_t head;
	uint8_t head_hash[JOURNAL_HASH_SIZE];
	const char *configuration; /* digest */
	const struct program *program;
	const struct audit_finding *findings; /* of the audit that it rests on */
	size_t n_findings;
};
/* What marks every text and page of a practice state. */
#define PRACTICE_MARK "PRACTICE: made with `practice = true`; not evidence of anything"
int certificate_print(const struct certificate *c, FILE *to);
int certificate_html(const struct certificate *c, FILE *to);
struct json_t *certificate_json(const struct certificate *c);

#endif
