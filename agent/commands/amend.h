/* Commands that change a client file.
 *
 * The file belongs to root, the state to another user, and a process that opens the state gives up root. So a child
 * process reads the state and answers only by its exit status, and this process writes the file. */
#ifndef CURFEW_COMMANDS_AMEND_H
#define CURFEW_COMMANDS_AMEND_H

#include "commands/command.h"
#include "program/edit.h"

/* Options of every command that changes a client file. */
#define AMEND_OPTIONS (OPT_REASON | OPT_TICKET | OPT_YES | OPT_DRY_RUN | OPT_PRINT)

struct amendment {
	struct cli *cli;
	struct program *program;     /* of the files before the change */
	const struct client *client; /* in `program`; NULL: a new client */
	struct problems problems;    /* of the files before the change */
	struct program *edited;	     /* with the new text; NULL: not read yet */
	const struct client *changed;
	char *path;
	char *fresh;	      /* new warnings and advice; NULL: not read yet */
	char *before, *after; /* texts; `before` NULL: the file is new */
	const char *login;    /* the user that the change is about, or NULL; borrowed */
	bool closes;	      /* removes access, so a failing journal does not stop it */
	bool optional_reason; /* --reason and --ticket may be missing */
	bool may_be_broken;   /* a file with errors can be named too */
	const struct intake
		*intake; /* what a new text was written from; NULL: a file was changed */
	bool hushed; /* do not print that the schedule forbids the change: the caller tries again */
};

/* Finds the client of the first operand and reads its file. 0 or exit code. */
int amend_open(struct amendment *a, struct cli *cli);
/* Loads the configuration, before a file is chosen. 0 or exit code. */
int amend_load(struct amendment *a, struct cli *cli);
/* Reads a whole file; NULL with errno set. Owned. `size` may be NULL. */
char *amend_text_read(const char *path, size_t *size);
/* Applies one change to the new text. 0 or exit code. */
int amend_edit(struct amendment *a, const struct edit *e);
/* Sets NAME of the client to a string; NULL removes the setting. */
int amend_set(struct amendment *a, const char *name, const char *after, const char *value);
/* Loads the new text as the service would: its errors and its conflicts with other clients. 0 or exit code. */
int amend_check(struct amendment *a);
/* What the schedule says about the change: prints the effect and returns 0, or returns AMEND_REOPENS or an exit code. */
#define AMEND_REOPENS 100
int amend_look(struct amendment *a);
/* Shows, asks, records, writes, and reloads, depending on the options. Exit code. */
int amend_finish(struct amendment *a);
void amend_close(struct amendment *a);
/* The end of a command whose text is checked: amend_look(), amend_finish(), amend_close(). `code` is the result so far; if
 * it is not 0, only closes. Exit code. */
int amend_end(struct amendment *a, int code);

/* Runs `what` in a child process, which may become the state's owner. Returns its exit code. */
int amend_apart(struct amendment *a, int (*what)(struct amendment *a));
/* Records one event: `outcome` is "done" or "failed". Exit code. */
int amend_record(struct amendment *a, const char *outcome);

#endif
