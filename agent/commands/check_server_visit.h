/* One visit of a pass for the throw-away login alone, and what it told. */
#ifndef CURFEW_COMMANDS_CHECK_SERVER_VISIT_H
#define CURFEW_COMMANDS_CHECK_SERVER_VISIT_H

#include "commands/check_server_life.h"

struct life {
	struct check_report *report;
	const struct server_check *check;
	char login[RECORD_WORD_MAX];
	const char *scratch;
	struct client client;
	struct user user;
	struct database database;
	struct grant grant;
	struct sid sid;		   /* as the server told it; size 0: not yet */
	const char *roles[LEVELS]; /* that were not there before: ours to drop */
	/* Of the last visit. */
	char actions[RECORD_TEXT_MAX];
	char problem[RECORD_TEXT_MAX]; /* empty: all went well */
	bool applies;		       /* afterwards all should be as scheduled */
	bool strangers; /* it would change something else than this login and this database */
	bool told;	/* a verification came */
	enum verification verified;
	char evidence[RECORD_TEXT_MAX];
};

/* 0, or negative errno when no worker could be run. */
int life_visit(struct life *l, enum sql_visit_mode mode, enum level level, const char *password,
	bool must_change);

#endif
