/* Shared by all commands: the table of commands, options, configuration, journal, clock. */
#ifndef CURFEW_COMMANDS_COMMAND_H
#define CURFEW_COMMANDS_COMMAND_H

#include "curfew/journal.h"
#include "curfew/pass.h"
#include "curfew/program.h"

enum exit_code {
	EXIT_FINE = 0,
	EXIT_FAILED = 1,
	EXIT_DIFFERENT = 2,
	EXIT_USAGE = 64,
	EXIT_CONFIG = 78,
};

/* Bits of struct command.options. */
#define OPTION(number) (UINT64_C(1) << (number))
#define OPT_JSON       OPTION(0)
#define OPT_AT	       OPTION(1)
#define OPT_REASON     OPTION(2)
#define OPT_FORCE      OPTION(3) /* --no-terminal of handover */
#define OPT_HTML       OPTION(4)
#define OPT_SVG	       OPTION(5)
#define OPT_ICS	       OPTION(6)
#define OPT_FROM       OPTION(7)
#define OPT_TO	       OPTION(8)
#define OPT_USER       OPTION(9)
#define OPT_RESET      OPTION(10)
#define OPT_BOOT       OPTION(11)
#define OPT_NAMES      OPTION(12)
#define OPT_PERSON     OPTION(13)
#define OPT_ADDRESS    OPTION(14)
#define OPT_LIFE       OPTION(15)
#define OPT_ANONYMOUS  OPTION(16)
#define OPT_SERVER     OPTION(17)
#define OPT_DATABASE   OPTION(18)
#define OPT_LIMIT      OPTION(19)
#define OPT_SUMMARY    OPTION(20)
#define OPT_CSV	       OPTION(21)
#define OPT_JOURNAL    OPTION(22)
#define OPT_DROP       OPTION(23)
#define OPT_FILES      OPTION(24)
#define OPT_DRY_RUN    OPTION(25)
#define OPT_YES	       OPTION(26)
#define OPT_WATCH      OPTION(27)
#define OPT_UTC	       OPTION(28)
#define OPT_VERBOSE    OPTION(29)
#define OPT_ALL_CHECKS OPTION(30) /* --verbose of preflight */
/* For commands that change a client file: */
#define OPT_TICKET	OPTION(32)
#define OPT_PRINT	OPTION(33)
#define OPT_STAGING	OPTION(34)
#define OPT_UNTIL	OPTION(35)
#define OPT_ABORT	OPTION(36)
#define OPT_APPROVED_ON OPTION(37)
#define OPT_APPROVED_BY OPTION(38)
#define OPT_FIRST	OPTION(39)
#define OPT_LAST	OPTION(40)
#define OPT_EMAIL	OPTION(41)
#define OPT_TIMEZONE	OPTION(42)
#define OPT_STARTS	OPTION(43)
#define OPT_GOLIVE	OPTION(44)
#define OPT_DATABASES	OPTION(45)
#define OPT_FORM	OPTION(46) /* --from of new */
#define OPT_AGE		OPTION(47)
#define OPT_GPG		OPTION(48)
#define OPT_MAIL	OPTION(49) /* of handover */
#define OPT_UNTIL_TIME	OPTION(50) /* --until of accept */
/* For inventory: */
#define OPT_VENDOR	OPTION(56)
#define OPT_DROP_SCRIPT OPTION(57) /* --drop of inventory */
#define OPT_DECISIONS	OPTION(58)
#define OPT_SINCE	OPTION(61) /* of audit */

#define MAX_OPERANDS 20

struct cli {
	const struct command *command;
	const char *config;
	bool json, no_terminal, boot, summary, csv, anonymous, drop, files, watch, utc, verbose,
		dry_run, yes, print, abort, mail;
	bool vendor; /* inventory of the product itself, not of a client */
	const char *decisions;
	bool unprivileged; /* may not read the credentials, so only the service can make a pass */
	/* The effect on access if the command fails now; printed before the error. NULL: none. */
	const char *outcome;
	bool by_service; /* uses a configuration that only the service may act on: never acts without it */
	const char *at, *reason, *html, *svg, *ics, *from, *to, *user, *reset, *names, *person,
		*address, *life, *server, *database, *limit, *journal, *ticket, *staging, *until,
		*approved_on, *approved_by, *first, *last, *email, *timezone, *starts, *golive,
		*databases, *form, *age, *gpg, *since;
	/* A client file that cli_read() found to have errors and no last known good version. */
	char lost_file[256];
	struct json_t *
		service; /* a running service's description of itself; NULL: not asked, or no answer */
	const char *operands[MAX_OPERANDS + 1];
	int n_operands;
};

struct command {
	const char *name;
	const char *operands; /* for the usage line: "[CLIENT]" */
	const char *required; /* required options, for the usage line; or NULL */
	int min_operands, max_operands;
	uint64_t options; /* OPT_... */
	const char *summary;
	const char *help; /* more lines for --help */
	int (*run)(struct cli *cli);
};
extern const struct command *const commands[]; /* in the order of the help; NULL-terminated */

/* A heading in the help, before its first command. */
struct command_group {
	const char *title;
	const struct command *first;
};
extern const struct command_group command_groups[]; /* ends with title NULL */

/* Prints an error with the command's name before it. Returns `code`. */
int cli_fail(const struct cli *cli, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* `result`: why the service could not be asked, a negative errno. */
int cli_contact_fail(const struct cli *cli, int result);

/* Prints what was done to stdout: a sentence, or { done } as JSON. Exit code. */
int cli_done(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Loads the configuration and prints its problems to stderr. 0 or exit code. */
int cli_load(struct program **out, struct cli *cli);
/* Like cli_load(), but with *out NULL if curfew.conf itself has errors. */
int cli_read(struct program **out, struct cli *cli);
/* For commands that ask the service: loads what the service has loaded. If the files have errors or have changed
 * since, loads its last known good version, warns, and sets cli->by_service. */
int cli_load_in_force(struct program **out, struct cli *cli);
/* The configuration that the running service, or the last one, has loaded: its saved copy, owned. NULL: there is
 * none, or this user may not read it. */
struct program *cli_saved(const struct cli *cli, const struct program *p);
/* Asks on the terminal. Without a terminal the answer is no. */
bool cli_agrees(const char *question);
/* A client file with errors and without a last known good version, or NULL. Acting without it would end the client's
 * access because of a typing error. */
const char *cli_lost_file(const struct program *p, const char *config);
/* Reports such a file, as this command or the service found it, and returns EXIT_DIFFERENT for success. */
int cli_lost_file_tell(const struct cli *cli, int code);
/* Asks the running service to describe itself: cli->service. The request's result. */
int cli_service_ask(struct cli *cli, const char *runtime_directory);
/* Call before any access to the state directory. Root opens what only root can open (credentials, the control socket,
 * files of reports), then becomes the directory's owner permanently. `p` is NULL without a configuration. 0 or exit
 * code. */
int cli_enter(const struct cli *cli, const char *folder, const struct program *p);
/* The time of --OPTION in that zone. 0 or exit code. */
int cli_instant(instant_t *out, const struct cli *cli, const char *option, const char *text,
	const char *zone);
/* Of the times that the command is given: the named client's, or the program's. */
const char *cli_zone(const struct cli *cli, const struct program *p);
/* --at in the client's zone (or the program's), or the present: never before the latest time seen. 0 or exit code. */
int cli_now(instant_t *out, const struct cli *cli, const struct program *p, const char *zone);
/* The client of the first operand; NULL and an exit code if it is unknown. */
int cli_client(const struct client **out, const struct cli *cli, const struct program *p);
/* The server of the first operand; it must exist. */
int cli_server(const struct server **out, const struct cli *cli, const struct program *p);
/* The databases that client files name on this server, without duplicates. Returns their number; `out` must have room
 * for those of all clients. */
size_t cli_databases(char **out, const struct program *p, const struct server *s);
/* The user of `c` of the second operand; NULL and 0 without that operand. */
int cli_user(const struct user **out, const struct cli *cli, const struct client *c);
/* *out is NULL if there is no journal and `write` is false. 0 or exit code. */
int cli_journal(struct journal **out, const struct cli *cli, const struct program *p, bool write);
/* After writing: saves the journal's head beside it, so that an older copy is noticed; then closes it. May be NULL. */
void cli_journal_end(struct journal *j);
/* For reading; no journal is an error. */
int cli_journal_required(struct journal **out, const struct cli *cli, const struct program *p);
/* Revocations in the journal (NULL: none) and in the second copy. 0 or exit code. */
int cli_overrides(
	struct overrides *out, const struct cli *cli, const struct program *p, struct journal *j);
/* "root (uid 0)", with the user who became root. Static buffer. */
const char *cli_actor(void);

/* The start of most commands. Call context_close() also after a failure. */
struct context {
	struct cli *cli;
	struct program *program;
	const struct client *client; /* the first operand; NULL: all */
	const struct user *user;     /* of the second operand, or NULL */
	instant_t now;
	struct clock clock;	 /* see context_clock() */
	struct journal *journal; /* NULL: there is none */
	struct overrides overrides;
	struct grants grants;
};
enum context_flag {
	CONTEXT_LOADED = 1, /* the configuration that the service has loaded, if it answers */
	CONTEXT_CLIENT = 2, /* the operands are CLIENT and USER */
};
/* Loads the configuration; finds client and user. 0 or exit code. */
int context_open(struct context *c, struct cli *cli, unsigned flags);
/* Reads clock, journal, and revocations, and computes the current grants. 0 or exit code. */
int context_state(struct context *c, bool write);
/* For the records of a pass that this process makes: the clock, with the latest time seen; NULL with --at. */
struct clock *context_clock(struct context *c);
void context_close(struct context *c);

/* The packet filter without the service. *out is NULL if the firewall is disabled on this host. */
struct network {
	struct firewall *firewall;
	struct firewall_port port;
	bool present;
};
int cli_network(struct network *out, const struct cli *cli, const struct program *p, bool write);
/* For optional details of a report: silent if this user may not read the packet filter. */
int cli_network_beside(struct network *out, const struct cli *cli, const struct program *p);
void network_close(struct network *n);

/* Makes one pass: by the service if it runs, else in this process. 0 or exit code, after printing the error. */
int cli_pass(struct pass_result *out, const struct cli *cli, const struct pass_options *o);
/* In this process, and only to look. 0 or negative errno. */
int cli_pass_here(struct pass_result *out, const struct pass_options *o);

/* Keeps records until the end of the pass, to print them sorted. */
struct records {
	struct record *items;
	size_t n;
};
int records_keep(void *records, const struct record *r);
/* The note of the pass as a whole, why it grants no access; NULL: none. */
const char *records_pass_note(const struct records *k);
void records_free(struct records *r);

/* Opens FILE ("-": standard output) for a report; prints an error and returns NULL on failure. */
FILE *cli_output(const struct cli *cli, const char *path);

extern const struct command command_check, command_schedule, command_notice, command_notify,
	command_plan, command_apply, command_status, command_audit, command_preflight,
	command_history, command_timeline, command_handover, command_certificate, command_bootstrap,
	command_revoke, command_reinstate, command_denied, command_clock, command_adopt,
	command_forget, command_unguard, command_accept_loss, command_archive, command_run,
	command_explain, command_reload, command_firewall, command_check_server, command_extend,
	command_golive, command_allow, command_disallow, command_user, command_edit, command_new,
	command_accept, command_milestone, command_board, command_inventory, command_credential;

#endif
