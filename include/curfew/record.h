/* What a pass says of a server, one fixed-size record at a time: from the SQL worker to the engine, and
 * from the engine to journal, terminal, control socket and reports. Never holds a secret. */
#ifndef CURFEW_RECORD_H
#define CURFEW_RECORD_H

#include "curfew/program.h"

enum record_kind {
	RECORD_SERVER = 1, /* state of a server: reachable or not, version, round trips */
	RECORD_PLAN,	   /* a change that would be made */
	RECORD_INTENT,	   /* a change about to be made: answered before it happens */
	RECORD_OUTCOME,	   /* what came of the intent before */
	RECORD_GRANT,	   /* one login on one database as observed against wanted */
	RECORD_LOGIN,	   /* identity of a login of ours: sid, created; for the ledger */
	RECORD_SESSION,	   /* an open session of a login of ours */
	RECORD_PROOF,	   /* effective permissions as the server itself states them */
	RECORD_FINDING,	   /* audit: something left behind, or wrong */
	RECORD_BASELINE, /* an item of a database as it is now: kind, name, hash; an empty name begins (code 1) or ends it */
	RECORD_NOTE, /* anything else that a person should read */
	RECORD_END,  /* last of a worker: code 0 or what went wrong */
};

/* State of a grant or server; the worst of several is the greatest. */
enum state {
	STATE_OK,
	STATE_WAITING,	   /* the database is not there yet */
	STATE_DRIFT,	   /* observed differs from wanted */
	STATE_UNPROVED,	   /* looks right, but the server could not tell everything */
	STATE_UNREACHABLE, /* nothing could be seen */
	STATE_OVERDUE,	   /* past its end or narrowing, and not proved closed */
};
const char *state_name(enum state s);

enum finding_severity { FINDING_INFO, FINDING_LOW, FINDING_MEDIUM, FINDING_HIGH, FINDING_CRITICAL };
const char *finding_severity_name(enum finding_severity s);

#define RECORD_TEXT_MAX	     512
#define RECORD_STATEMENT_MAX 4096
#define SID_MAX		     85 /* bytes: varbinary(85) */

struct record {
	uint32_t kind;
	int32_t code;	   /* 0 or a SQL Server error number, or negative errno */
	uint32_t state;	   /* enum state */
	uint32_t level;	   /* observed enum level (GRANT), wanted (PLAN) */
	uint32_t severity; /* enum finding_severity */
	uint32_t opening;  /* a change that widens access */
	uint64_t
		number; /* SERVER, END: round trips; SESSION: session id; INTENT, OUTCOME: intent number; GRANT: enum admission */
	instant_t at;	/* LOGIN: created (server's clock); SESSION: login time by our clock */
	uint8_t sid[SID_MAX];
	uint8_t sid_size;
	char server[MAX_NAME_BYTES + 1];
	char client[MAX_NAME_BYTES + 1];
	char login[MAX_NAME_BYTES + 1];
	char database[MAX_NAME_BYTES + 1];
	char action[48];  /* "login-create", "user-drop", ...; FINDING: name of the check */
	char address[64]; /* SESSION: client address */
	char program[MAX_NAME_BYTES +
		     1]; /* SESSION: what the connection calls itself; SERVER: version */
	char reason[RECORD_TEXT_MAX]; /* why: "read-only since go-live 2026-11-23T15:00:00Z" */
	char statement[RECORD_STATEMENT_MAX]; /* exact T-SQL, secrets masked; FINDING: the remedy */
	char detail[RECORD_TEXT_MAX];	      /* error text, evidence */
};

/* Gets every record; for RECORD_INTENT a result other than 0 forbids the change. */
typedef int (*record_fn)(void *context, const struct record *r);

/* NULL when every number is within its bounds and every text ends inside its field and is UTF-8; else the
 * name of the first field that is not. Clears what stands behind the texts. */
const char *record_check(struct record *r);

/* Copies, cutting at a UTF-8 boundary when the text is longer; bytes that are not UTF-8 become '?'. */
void record_set(char *field, size_t size, const char *text);
void record_printf(char *field, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
#define RECORD_SET(r, field, text)   record_set((r)->field, sizeof((r)->field), (text))
#define RECORD_PRINTF(r, field, ...) record_printf((r)->field, sizeof((r)->field), __VA_ARGS__)

#endif
