/* A client file that a command changes: what every such command has in common.
 *
 * The file belongs to root, the state to another user, and whoever has touched the state is root no more: so a process
 * of its own looks at the state and says by its exit status alone what came of it, and this one writes. */
#ifndef CURFEW_COMMANDS_AMEND_H
#define CURFEW_COMMANDS_AMEND_H

#include "commands/command.h"
#include "program/edit.h"

/* What every command of this kind takes. */
#define AMEND_OPTIONS (OPT_REASON | OPT_TICKET | OPT_YES | OPT_DRY_RUN | OPT_PRINT)

struct amendment {
	struct cli *cli;
	struct program *program;     /* as the files are */
	const struct client *client; /* in it; NULL: it is new */
	struct problems problems;    /* of the files as they are */
	struct program *edited;	     /* with the new text; NULL until it was read */
	const struct client *changed;
	char *path;
	char *fresh; /* warnings and advice that the new text brings about; NULL: not read yet */
	char *before, *after; /* texts; `before` NULL: there is no file yet */
	const char *login;    /* whom it is about, or NULL; borrowed */
	bool closes;	      /* takes access away: trouble with the journal does not hold it up */
	bool optional_reason; /* --reason and --ticket may be missing */
	bool may_be_broken;   /* a file with errors is taken by its name */
	bool hushed;	      /* a look that may end in another attempt says nothing of the rule */
};

/* The client of the first operand and its file. 0 or exit code. */
int amend_open(struct amendment *a, struct cli *cli);
/* The configuration, before a file is chosen. 0 or exit code. */
int amend_load(struct amendment *a, struct cli *cli);
/* A whole file; NULL, with errno. Owned. */
char *amend_text_read(const char *path);
/* One change of the new text. 0 or exit code. */
int amend_edit(struct amendment *a, const struct edit *e);
/* Sets NAME of the client to a string; NULL: takes the setting out. */
int amend_set(struct amendment *a, const char *name, const char *after, const char *value);
/* Reads the new text as the service would: its own errors, and what clashes with others. 0 or exit code. */
int amend_check(struct amendment *a);
/* What the schedule says to it, AMEND_REOPENS or an exit code; prints the effect when it is 0. */
#define AMEND_REOPENS 100
int amend_look(struct amendment *a);
/* Shows, asks, records, writes, and reloads, as far as the options say. Exit code. */
int amend_finish(struct amendment *a);
void amend_close(struct amendment *a);

/* Runs `what` as a process of its own, which may become the state's owner. Its exit code. */
int amend_apart(struct amendment *a, int (*what)(struct amendment *a));
/* One event in the journal: `outcome` "done" or "failed". Exit code. */
int amend_record(struct amendment *a, const char *outcome);

#endif
