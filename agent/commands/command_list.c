/* All commands, grouped by task, in the order of the help. */
#include "commands/command.h"

const struct command *const commands[] = {
	&command_bootstrap,
	&command_credential,
	&command_check_server,
	&command_check,
	&command_schedule,
	&command_plan,

	&command_apply,
	&command_reload,
	&command_handover,
	&command_revoke,
	&command_reinstate,

	&command_new,
	&command_edit,
	&command_extend,
	&command_golive,
	&command_allow,
	&command_disallow,
	&command_user,
	&command_milestone,

	&command_status,
	&command_board,
	&command_timeline,
	&command_explain,
	&command_denied,
	&command_history,
	&command_notice,

	&command_audit,
	&command_preflight,
	&command_accept,
	&command_certificate,
	&command_inventory,

	&command_adopt,
	&command_forget,
	&command_unguard,
	&command_accept_loss,
	&command_archive,
	&command_clock,

	&command_run,
	&command_firewall,
	&command_notify,
	NULL,
};

const struct command_group command_groups[] = {
	{"Set up and check", &command_bootstrap},
	{"Act now", &command_apply},
	{"Change a client file", &command_new},
	{"Look", &command_status},
	{"Find and certify", &command_audit},
	{"Rare cases", &command_adopt},
	{"Started by the service manager", &command_run},
	{NULL, NULL},
};
