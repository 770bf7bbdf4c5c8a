/* Creates, uses, and removes a throwaway login on a scratch database, with the visits that a pass makes. */
#ifndef CURFEW_COMMANDS_CHECK_SERVER_LIFE_H
#define CURFEW_COMMANDS_CHECK_SERVER_LIFE_H

#include "commands/check_server_report.h"
#include "curfew/server_check.h"

/* Skipped if the server was not reached. Always removes what it created. 0 or negative errno. */
int check_life(struct check_report *report, const struct server_check *check, const char *database);

#endif
