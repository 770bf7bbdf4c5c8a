/* What every command shares: its place in the table, its options, the configuration, the journal, the clock. */
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

/* One bit each, of struct command.options. */
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
/* Of commands that change a client file. */
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
/* Of the inventory. */
#define OPT_VENDOR	OPTION(56)
#define OPT_DROP_SCRIPT OPTION(57) /* --drop of inventory */
#define OPT_DECISIONS	OPTION(58)

#define MAX_OPERANDS 20

struct cli {
	const struct command *command;
	const char *config;
	bool json, no_terminal, boot, summary, csv, anonymous, drop, files, watch, utc, verbose,
		dry_run, yes, print, abort;
	bool vendor; /* of inventory: the product itself, not a client */
	const char *decisions;
	bool unprivileged; /* may not look at the credentials: what needs them, the service alone can do */
	/* What it means for access if the command fails now: said before the error. NULL: nothing. */
	const char *outcome;
	bool by_service; /* goes by what only the service may act upon: never by itself */
	const char *at, *reason, *html, *svg, *ics, *from, *to, *user, *reset, *names, *person,
		*address, *life, *server, *database, *limit, *journal, *ticket, *staging, *until,
		*approved_on, *approved_by, *first, *last, *email, *timezone, *starts, *golive,
		*databases, *form, *age, *gpg;
	struct json_t *
		service; /* what a running service says of itself; NULL: none was asked, or none answers */
	const char *operands[MAX_OPERANDS + 1];
	int n_operands;
};

struct command {
	const char *name;
	const char *operands; /* as in the usage line: "[CLIENT]" */
	const char *required; /* options that it cannot do without, for the usage line; or NULL */
	int min_operands, max_operands;
	uint64_t options; /* OPT_... */
	const char *summary;
	const char *help; /* more lines for --help */
	int (*run)(struct cli *cli);
};
extern const struct command *const commands[]; /* in the order of the help; ends with NULL */

/* A heading of the help, before its first command. */
struct command_group {
	const char *title;
	const struct command *first;
};
extern const struct command_group command_groups[]; /* ends with a title that is NULL */

/* Words to stderr, with the command's name before them. Returns `code`. */
int cli_fail(const struct cli *cli, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What was done, to stdout: a sentence, or { done } as JSON. Exit code. */
int cli_done(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reads the configuration and prints its problems to stderr. 0, or the exit code to end with. */
int cli_load(struct program **out, struct cli *cli);
/* As cli_load(), but *out is NULL when curfew.conf itself has errors. */
int cli_read(struct program **out, struct cli *cli);
/* For commands that ask the service: where one answers, it is what that has taken. When the files are faulty, or have
 * changed since, that is its last good version, said aloud, and cli->by_service is set. */
int cli_load_in_force(struct program **out, struct cli *cli);
/* What the running service, or the last one, has loaded: its saved copy, owned; NULL where there is none, or where this
 * user may not read it. */
struct program *cli_saved(const struct cli *cli, const struct program *p);
/* Asks on the terminal; where there is none, the answer is no. */
bool cli_agrees(const char *question);
/* A client file that has errors and no last good version: to act as if there were no such client would end its
 * access for a slip of the pen. NULL when there is none. */
const char *cli_lost_file(const struct program *p, const char *config);
/* Before anything in the state folder is touched: root opens what only root may (credentials, the control socket, files
 * of reports) and becomes the folder's owner for good. `p` is NULL when there is no configuration. 0 or exit code. */
int cli_enter(const struct cli *cli, const char *folder, const struct program *p);
/* What --OPTION says, in that zone. 0 or exit code. */
int cli_instant(instant_t *out, const struct cli *cli, const char *option, const char *text,
	const char *zone);
/* --at in the client's zone (or the program's), or the ratcheted clock. 0 or exit code. */
int cli_now(instant_t *out, const struct cli *cli, const struct program *p, const char *zone);
/* The client named by the first operand; NULL and an exit code when there is none of that name. */
int cli_client(const struct client **out, const struct cli *cli, const struct program *p);
/* The server named by the first operand, which is there. */
int cli_server(const struct server **out, const struct cli *cli, const struct program *p);
/* The databases that client files name on this server, each once: how many. `out` has room for those of all clients. */
size_t cli_databases(char **out, const struct program *p, const struct server *s);
/* The user of `c` named by the second operand; NULL and 0 when there is none. */
int cli_user(const struct user **out, const struct cli *cli, const struct client *c);
/* *out is NULL when there is none yet and `write` is not asked for. 0 or exit code. */
int cli_journal(struct journal **out, const struct cli *cli, const struct program *p, bool write);
/* What is revoked by the journal (NULL: there is none) and by the second copy. 0 or exit code. */
int cli_overrides(
	struct overrides *out, const struct cli *cli, const struct program *p, struct journal *j);
/* "root (uid 0)", and who became it. Static buffer of the process's life. */
const char *cli_actor(void);

/* What most commands begin with. context_close() also after a failure. */
struct context {
	struct cli *cli;
	struct program *program;
	const struct client *client; /* the first operand; NULL: all */
	const struct user *user;     /* the second operand, or NULL */
	instant_t now;
	struct journal *journal; /* NULL: there is none yet */
	struct overrides overrides;
	struct grants grants;
};
enum context_flag {
	CONTEXT_LOADED = 1, /* the configuration that the service has loaded, where one answers */
	CONTEXT_CLIENT = 2, /* the operands are CLIENT and USER */
};
/* Configuration, client and user. 0 or exit code. */
int context_open(struct context *c, struct cli *cli, unsigned flags);
/* Clock, journal, revocations, and the grants of now. 0 or exit code. */
int context_state(struct context *c, bool write);
void context_close(struct context *c);

/* The packet filter for one-shot commands. *out is NULL when the configuration says that this host filters nothing. */
struct network {
	struct firewall *firewall;
	struct firewall_port port;
	bool present;
};
int cli_network(struct network *out, const struct cli *cli, const struct program *p, bool write);
/* For what a report says beside what the service says: without a word for whoever may not look. */
int cli_network_beside(struct network *out, const struct cli *cli, const struct program *p);
void network_close(struct network *n);

/* One pass: by the service when one runs here, else by this process. 0 or the exit code, told. */
int cli_pass(struct pass_result *out, const struct cli *cli, const struct pass_options *o);

/* Records kept until the pass is over, to be shown in a person's order. */
struct records {
	struct record *items;
	size_t n;
};
int records_keep(void *records, const struct record *r);
void records_free(struct records *r);

/* Opens FILE ("-": standard output) for a report; NULL, with words, on failure. */
FILE *cli_output(const struct cli *cli, const char *path);

extern const struct command command_check, command_schedule, command_notice, command_notify,
	command_plan, command_apply, command_status, command_audit, command_history,
	command_timeline, command_handover, command_certificate, command_bootstrap, command_revoke,
	command_reinstate, command_denied, command_clock, command_adopt, command_forget,
	command_unguard, command_accept_loss, command_archive, command_run, command_explain,
	command_reload, command_firewall, command_check_server, command_extend, command_golive,
	command_allow, command_disallow, command_user, command_edit, command_new, command_accept,
	command_milestone, command_board, command_inventory, command_credential;

#endif
