/* One visit for the throwaway login only, and its result. */
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
	struct sid sid;		   /* as the server returned it; size 0: not yet */
	const char *roles[LEVELS]; /* roles that the check created and must drop */
	/* The last visit: */
	char actions[RECORD_TEXT_MAX];
	char problem[RECORD_TEXT_MAX]; /* empty: success */
	bool applies;		       /* access must match the schedule afterward */
	bool strangers; /* the visit would change anything besides this login and this database */
	bool told;	/* a verification was received */
	enum verification verified;
	char evidence[RECORD_TEXT_MAX];
};

/* 0, or negative errno if no worker could be started. */
int life_visit(struct life *l, enum sql_visit_mode mode, enum level level, const char *password,
	bool must_change);

#endif
