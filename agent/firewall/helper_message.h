/* Messages between the service and the firewall process: fixed sizes, up to MESSAGE_BATCH in one send, which the socket
 * keeps whole. Both ends are the same binary, so there is no version; the size is checked all the same. */
#ifndef FIREWALL_HELPER_MESSAGE_H
#define FIREWALL_HELPER_MESSAGE_H

#include "curfew/firewall_process.h"
#include "firewall/helper_records.h"

/* A list has tens of thousands, and each send wakes the other side. */
#define MESSAGE_BATCH 128

enum firewall_verb {
	VERB_BEGIN =
		1, /* clears the entries; `until`: the service's number of the list that follows */
	VERB_ALLOW,
	VERB_GUARD,
	VERB_TRUSTED,
	VERB_COMMIT,  /* applies the entries since BEGIN; answered by CHANGEs and a RESULT */
	VERB_PLAN,    /* compares them with the table; answered alike, and nothing is changed */
	VERB_OBSERVE, /* answered by a STATE, its parts, and a RESULT */
	VERB_RELOAD,  /* loads the configuration; answered by a RESULT with its digest */
	VERB_ADOPT,   /* uses the configuration that was loaded */
	VERB_LINE,    /* a part of a line for its memory */
	VERB_RECORD, /* the line's last part: it is remembered, and on disk when answered by a RESULT */
	VERB_REFUSED, /* answered by a STATE with that counter alone, and a RESULT */
	VERB_RECALL,  /* answered by the TEXT of its memory and a RESULT */
	VERB_AGAIN, /* PLAN of the list that was sent last, if its number is `until`; else the RESULT is -ESTALE */
};
struct firewall_request {
	uint32_t verb;
	uint32_t closings_only;		  /* COMMIT, PLAN */
	instant_t now;			  /* COMMIT, PLAN, OBSERVE */
	struct source source;		  /* ALLOW, TRUSTED */
	struct endpoint endpoint;	  /* ALLOW, GUARD, TRUSTED */
	instant_t until;		  /* ALLOW; BEGIN, AGAIN: a number, 0: none */
	char text[ALLOW_COMMENT_MAX + 1]; /* ALLOW, TRUSTED: comment; ADOPT: digest; LINE, RECORD */
};

enum firewall_answer_kind {
	ANSWER_RESULT = 1, /* ends every answer */
	ANSWER_CHANGE,
	ANSWER_STATE,
	ANSWER_STATE_ALLOW,
	ANSWER_STATE_GUARD,
	ANSWER_STATE_TRUSTED,
	ANSWER_STATE_REFUSED,
	ANSWER_TEXT,
	ANSWER_EVENT, /* unsolicited: another program changed the table */
};
struct firewall_answer {
	uint32_t kind;
	int32_t code; /* RESULT */
	/* RESULT: error or digest; EVENT: process name; TEXT: a part; CHANGE, ALLOW, TRUSTED: comment; GUARD: server */
	char text[256];
	union {
		struct firewall_change change;
		struct {
			bool present, intact;
			uint32_t generation;
			int64_t read_ms; /* CLOCK_MONOTONIC is the same in both processes */
			uint64_t refused_packets;
		} state;
		struct observed_allow allow;
		struct guard guard; /* in both, pointers to texts are for the one who receives */
		struct observed_trusted trusted;
		struct refused refused;
	} u;
};

/* A longer list is a mistake: 30,000 users with ten addresses each on three endpoints. */
#define MAX_FIREWALL_ENTRIES 1000000

/* The list before: its entries are in the room behind the present ones. */
struct list_before {
	size_t n_allows, n_guards, n_trusted;
	struct pool texts;
};

struct firewall_process { /* state of the firewall process */
	int channel;
	pid_t service;			 /* the only process whose messages it accepts */
	bool forked;			 /* started by the service, and ends with it */
	bool partial, candidate_partial; /* files had errors when it was loaded */
	const struct firewall_process_options *options;
	struct program *candidate;	   /* loaded here, until ADOPT */
	struct firewall_settings settings; /* of the table */
	struct firewall_policy *policy;	   /* used for the checks */
	struct firewall *firewall;
	struct firewall_monitor *monitor;
	struct helper_records *records;
	int guards_failed;		/* why the guards of the table are not remembered */
	char line[FIREWALL_RECORD_MAX]; /* as far as it has come */
	struct allowlist wanted;	/* since BEGIN */
	struct list_before before;
	int64_t sent, sent_before; /* the service's numbers of these two lists */
	bool same;	/* so far: each entry is that of the list before, by the same policy */
	uint64_t lists; /* that have got a number */
	size_t room_allows, room_guards, room_trusted;
	struct firewall_request requests[MESSAGE_BATCH]; /* that were received together */
	struct firewall_answer answers[MESSAGE_BATCH];	 /* to send together */
	size_t n_answers;
};

/* The service has a defect or was compromised. Both processes end; the kernel keeps the table, and every entry in it
 * has a timeout. */
_Noreturn void helper_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A part of an answer. */
void helper_answer(struct firewall_process *f, const struct firewall_answer *a);
void helper_changes(struct firewall_process *f, struct firewall_changes *c); /* frees them */
void helper_state(struct firewall_process *f, const struct firewall_state *s);
/* Ends an answer. */
void helper_result(struct firewall_process *f, int code, const char *text);
void helper_take(struct firewall_process *f, const struct firewall_request *r);

/* helper_list.c */
void helper_list_begin(struct firewall_process *f, const struct firewall_request *r);
/* The list before has come again, whole; false: it is not the one that is meant. */
bool helper_list_again(struct firewall_process *f, const struct firewall_request *r);
void helper_list_allow(struct firewall_process *f, const struct firewall_request *r);
void helper_list_guard(struct firewall_process *f, const struct firewall_request *r);
void helper_list_trusted(struct firewall_process *f, const struct firewall_request *r);
/* All has come: it gets a number, or that of the list before. */
void helper_list_complete(struct firewall_process *f);
/* It was changed. */
void helper_list_renumber(struct firewall_process *f);
/* The next list is compared with this one, if it was admitted as it was sent. */
void helper_list_end(struct firewall_process *f, bool as_sent);
/* Another policy: each entry of the next list is checked. */
void helper_list_forget(struct firewall_process *f);

/* Listens for changes of the table by others, where there can be any. */
int helper_watch(struct firewall_process *f);

_Noreturn void firewall_process_main(
	const struct firewall_process_options *o, int channel, pid_t service);

#endif
