/* What a pass reports, one record at a time: from the SQL worker to the pass, and from the pass to journal, terminal,
 * control socket and reports. Never holds a secret. */
#ifndef CURFEW_RECORD_H
#define CURFEW_RECORD_H

#include <errno.h>

#include "curfew/change.h"
#include "curfew/program.h"

enum record_kind {
	RECORD_SERVER = 1, /* state of a server: reachable or not, version, round trips */
	RECORD_PLAN,	   /* a change that would be made */
	RECORD_INTENT, /* the changes planned so far are about to be made: answered before they are */
	RECORD_OUTCOME,	     /* the result of a planned change */
	RECORD_NETWORK_PLAN, /* the same of the packet filter; never from a worker */
	RECORD_NETWORK_OUTCOME,
	RECORD_GRANT,	     /* one login on one database: observed against scheduled */
	RECORD_LOGIN,	     /* identity of a managed login, for the login inventory */
	RECORD_SESSION,	     /* an open session of a managed login */
	RECORD_VERIFICATION, /* effective permissions as the server itself states them */
	RECORD_FINDING,	     /* audit: residual access, or something wrong */
	RECORD_BASELINE, /* an item of a database as it is now, or the mark before or after its items */
	RECORD_NOTE,	 /* anything else that a person should read */
	RECORD_CHECK,	  /* one check of `curfew check-server`, and its result */
	RECORD_ITEM,	  /* inventory: something that a database, or the server, holds */
	RECORD_USE,	  /* inventory: when the server saw it in use last, or how large it is */
	RECORD_REFERENCE, /* inventory: what an item names, or does */
	RECORD_COVERAGE, /* inventory: a part was read or not, and since when it could have been seen */
	RECORD_SEEN,	 /* sample: something of a database was seen in use */
	RECORD_WATCH, /* sample: since when a part of the server's evidence is watched */
	RECORD_TALLY, /* sample: how much of a database is custom; last of what is sampled of it */
	RECORD_ENTRY, /* a session was seen in a database: for the next visit of the pass, before an end that asks for it */
	RECORD_END,   /* last of a worker: code 0 or what went wrong */
};
#define RECORD_KINDS (RECORD_END + 1)

/* State of a grant or server; the worst of several is the greatest. */
enum state {
	STATE_OK,	   /* as scheduled, and verified */
	STATE_WAITING,	   /* the database never existed for Curfew */
	STATE_DRIFT,	   /* less than scheduled, or different without giving more */
	STATE_UNVERIFIED,  /* no difference found, but the server did not show everything */
	STATE_UNREAD,	   /* the database, or a part of the server, could not be read */
	STATE_UNREACHABLE, /* the server did not answer */
	STATE_EXCESS,	   /* more than scheduled */
	STATE_OVERDUE, /* access should have ended or become read-only, and this is not confirmed */
};
#define STATES (STATE_OVERDUE + 1)
const char *state_name(enum state s);

enum finding_severity {
	FINDING_INFO,
	FINDING_LOW,
	FINDING_MEDIUM,
	FINDING_HIGH,
	FINDING_CRITICAL,
};
#define FINDING_SEVERITIES (FINDING_CRITICAL + 1)
const char *finding_severity_name(enum finding_severity s);

/* Result of verifying a login's effective permissions. */
enum verification {
	VERIFICATION_UNVERIFIED, /* the server cannot tell, or was not read */
	VERIFICATION_VERIFIED,
	VERIFICATION_EXCESS, /* more than the level gives */
};
#define VERIFICATIONS (VERIFICATION_EXCESS + 1)
const char *verification_name(enum verification v);
/* As the journal has it; "proved", "unproved" and "refuted" of older journals too. False: none of these. */
bool verification_parse(enum verification *out, const char *word);
bool is_verified(const char *word);

/* Within the detail of an unread database: the one that is meant is online, under the name that follows. */
#define UNREAD_LEFT "; a user is left in ["
/* The agent login lacks a right in a database. */
#define UNREAD_BOOTSTRAP "; a DBA must run the output of `curfew bootstrap "

/* How the detail of a change begins that was not tried, because something before it failed. */
#define OUTCOME_SKIPPED "skipped: "

enum login_status { LOGIN_ENABLED, LOGIN_DISABLED, LOGIN_GONE };
#define LOGIN_STATUSES (LOGIN_GONE + 1)
const char *login_status_name(enum login_status s);

#define RECORD_TEXT_MAX	     512
#define RECORD_STATEMENT_MAX 4096
#define RECORD_WORD_MAX	     48
#define SID_MAX		     85 /* bytes: varbinary(85) */

struct sid {
	uint8_t bytes[SID_MAX];
	uint8_t size;
};
bool sid_equal(const struct sid *a, const struct sid *b);

/* The code of a note about a loss: this seemed to be a first start, but a login has the mark of a managed login. */
#define RECORD_CODE_LOSS (-ENODATA)

/* The code of an end: the session was lost in a database, which is named if it was alone. */
#define RECORD_CODE_AGAIN (-ERESTART)

struct record_server {
	uint64_t round_trips;
	char version[MAX_NAME_BYTES + 1];
};
struct record_change {	 /* PLAN, OUTCOME */
	uint64_t number; /* of the plan, from 1 on */
	enum change_kind kind;
	char reason[RECORD_TEXT_MAX];	      /* "read-only since go-live 2026-11-23T15:00:00Z" */
	char statement[RECORD_STATEMENT_MAX]; /* exact T-SQL, secrets masked */
};
struct record_network { /* NETWORK_PLAN, NETWORK_OUTCOME */
	enum firewall_change_kind kind;
	struct source source;	  /* family 0: a change without one */
	struct endpoint endpoint; /* family 0: the table as a whole */
	instant_t until;	  /* or 0 */
	char names[ALLOW_COMMENT_MAX + 1];
};
struct record_intent {
	uint64_t number; /* of the last plan */
	instant_t clock; /* the server's */
};
/* What a server tells, if it does. */
enum answer { ANSWER_UNKNOWN, ANSWER_NO, ANSWER_YES };
#define ANSWERS (ANSWER_YES + 1)
const char *answer_name(enum answer a);

/* Residual: given once, not in the configuration any more, and not verified gone. */
enum grant_origin { GRANT_SCHEDULED, GRANT_RESIDUAL };
#define GRANT_ORIGINS (GRANT_RESIDUAL + 1)

struct record_grant {
	enum level level; /* observed; of a residual grant that was not seen: as last known */
	enum admission admission;
	enum answer
		seen; /* yes: `level` was seen there; else nobody looked, and it means nothing */
	enum grant_origin origin;
	enum answer
		secondary; /* yes: the database is a secondary replica here, and cannot be read */
	enum answer
		shut; /* yes: allowed until this pass and still scheduled, but not verified; of a plan: would be */
	uint64_t database_id; /* of a database that only a session has shown; 0: else */
};

struct record_login {
	enum login_status status;
	enum answer locked, expired, must_change; /* of managed logins that exist */
	instant_t created;			  /* the server's clock */
	struct sid sid;
};
struct record_session {
	uint64_t number;
	instant_t since;
	char address[64];
	char program[MAX_NAME_BYTES + 1]; /* what the connection calls itself */
};
#define FINGERPRINT_MAX	  65 /* 64 hexadecimal digits */
#define DATABASE_MADE_MAX 32 /* "2026-11-28T04:25:10.123", by the server's clock */
struct record_verification { /* state: unread when the database could not be asked; what was verified last counts then */
	enum level level; /* scheduled */
	enum verification result;
	instant_t at;
	struct sid sid; /* the login's; size 0: there is none */
	char fingerprint
		[FINGERPRINT_MAX]; /* of the user's permissions there as the catalog shows them; the verification is valid for these */
	uint64_t database_id; /* of the database that was read; 0: none was */
	char made[DATABASE_MADE_MAX];
};
struct record_finding { /* evidence in `detail` */
	enum finding_severity severity;
	char name[RECORD_WORD_MAX]; /* of the check */
	char reason[RECORD_TEXT_MAX];
	char remedy[RECORD_STATEMENT_MAX];
};
enum baseline_mark { BASELINE_ITEM, BASELINE_BEGIN, BASELINE_WHOLE };
#define BASELINE_MARKS (BASELINE_WHOLE + 1)
struct record_baseline {
	enum baseline_mark mark;
	char kind[RECORD_WORD_MAX]; /* "object", "principal", ... */
	char name[RECORD_STATEMENT_MAX];
	char hash[RECORD_TEXT_MAX];
};
enum check_result { CHECK_OK, CHECK_SKIP, CHECK_FAIL };
#define CHECK_RESULTS (CHECK_FAIL + 1)
const char *check_result_name(enum check_result r); /* "ok", "skip", "FAIL" */
struct record_check {				    /* what was seen in `detail` */
	enum check_result result;
	char name[RECORD_WORD_MAX]; /* "right.view-any-definition" */
	char fix[RECORD_TEXT_MAX];  /* what to do where it failed */
	uint64_t milliseconds, rows;
};
/* Ids are the server's own, in one database. The item's name is in `schema` and `name`. If it is not valid text, both
 * are "?", and the name ends with its bytes. */
struct record_item {
	char type[RECORD_WORD_MAX]; /* "procedure", "column", ... */
	uint64_t id, parent;	    /* 0: none */
	uint64_t refers;	    /* of a column: the id of its user-defined type; or 0 */
	enum answer writable;	    /* no: no statement can write this name */
	char schema[MAX_NAME_BYTES + 1], name[MAX_NAME_BYTES + 1];
	char hash[RECORD_TEXT_MAX];	   /* of its definition, or what defines it */
	char facts[RECORD_TEXT_MAX];	   /* words: "execute-as disabled" */
	char target[RECORD_STATEMENT_MAX]; /* of a synonym; of a job step, its command */
	instant_t created, modified;	   /* 0: unknown */
};
struct record_use {
	char source[RECORD_WORD_MAX]; /* the part that was read */
	uint64_t id, index;
	uint64_t count;
	instant_t last, written; /* read or run, and changed; 0: never seen */
	uint64_t rows, bytes;
};
struct record_reference {
	char how[RECORD_WORD_MAX]; /* the part that was read */
	uint64_t from, to;	   /* `to` 0: not in that database, or not there */
	char server[MAX_NAME_BYTES + 1], database[MAX_NAME_BYTES + 1];
	char schema[MAX_NAME_BYTES + 1], name[MAX_NAME_BYTES + 1];
	char facts[RECORD_TEXT_MAX];
};
/* The part's name: what was reported of this place before does not count, all of it is read anew. */
#define INVENTORY_AGAIN "again"
struct record_coverage { /* `code` and `detail`: why it was not seen */
	char part[RECORD_WORD_MAX];
	enum answer seen; /* no: it exists and has no data; unknown: not read */
	instant_t since;  /* 0: unknown */
};
struct record_seen {
	char type[RECORD_WORD_MAX], source[RECORD_WORD_MAX];
	char name[RECORD_STATEMENT_MAX];
	instant_t last;
};
struct record_watch {
	char part[RECORD_WORD_MAX];
	instant_t since, until;
	uint64_t gap; /* seconds within that were not watched */
};
struct record_tally {
	uint64_t red, yellow, green, undecided, keep, replace, drop, left;
};
struct record_entry {
	struct sid sid; /* the login's */
	uint64_t database_id;
};
struct record_end {
	uint64_t round_trips;
};

struct record {
	enum record_kind kind;
	int32_t code; /* 0 or a SQL Server error number, or negative errno */
	enum state state;
	char server[MAX_NAME_BYTES + 1];
	char client[MAX_NAME_BYTES + 1];
	char login[MAX_NAME_BYTES + 1];
	char database[MAX_NAME_BYTES + 1];
	char detail[RECORD_TEXT_MAX]; /* error text, evidence */
	union {
		struct record_server about;
		struct record_change change;
		struct record_network network;
		struct record_intent intent;
		struct record_grant grant;
		struct record_login identity;
		struct record_session session;
		struct record_verification verification;
		struct record_finding finding;
		struct record_baseline baseline;
		struct record_check check;
		struct record_item item;
		struct record_use use;
		struct record_reference reference;
		struct record_coverage coverage;
		struct record_seen used;
		struct record_watch watch;
		struct record_tally tally;
		struct record_entry entry;
		struct record_end end;
	};
};

/* Gets every record; for RECORD_INTENT a result other than 0 forbids the change. */
typedef int (*record_fn)(void *context, const struct record *r);

/* As bytes between two processes: only what is used of each text, and only the fields of the kind. */
#define RECORD_PACKED_MAX (sizeof(struct record) + 256)
size_t record_pack(uint8_t out[RECORD_PACKED_MAX], const struct record *r);
/* From a process that may lie. NULL when every field is there, every number within its bounds, every text UTF-8 and
 * inside its field; else the name of the first field that is not. What the kind does not have is zero. */
const char *record_unpack(struct record *out, const uint8_t *bytes, size_t size);

/* The same fields as a JSON object: {"kind": "grant", ...}; null for an empty text and an unknown instant. A new
 * reference; NULL without memory. */
struct json_t *record_json(const struct record *r);
/* The same as text, without the objects between, for whoever sends very many. Returns its length. */
#define RECORD_JSON_MAX (6 * sizeof(struct record) + 2048)
size_t record_json_text(char out[RECORD_JSON_MAX], const struct record *r);
/* 0 or -EBADMSG, with the bounds of record_unpack(). */
int record_parse(struct record *out, const struct json_t *json);

/* "203.0.113.7 -> 192.0.2.10:1433": what the change is about; the table has neither source nor endpoint, a guard no
 * source. */
#define NETWORK_TEXT_MAX (SOURCE_TEXT_MAX + ENDPOINT_TEXT_MAX + 8)
const char *network_text(char buf[NETWORK_TEXT_MAX], enum firewall_change_kind kind,
	const struct source *source, const struct endpoint *endpoint);
/* With its end and the names behind it: "... until 2026-11-23T15:00:00Z "acme/acme.jane.doe"". */
#define NETWORK_CHANGE_MAX (NETWORK_TEXT_MAX + ALLOW_COMMENT_MAX + 48)
const char *network_change_text(char buf[NETWORK_CHANGE_MAX], const struct record_network *n);

/* Copies, cutting at a UTF-8 boundary when the text is longer; bytes that are not UTF-8 become '?'. */
void record_set(char *field, size_t size, const char *text);
void record_printf(char *field, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
#define RECORD_SET(r, field, text)   record_set((r)->field, sizeof((r)->field), (text))
#define RECORD_PRINTF(r, field, ...) record_printf((r)->field, sizeof((r)->field), __VA_ARGS__)

#endif
