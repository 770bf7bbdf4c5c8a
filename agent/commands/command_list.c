/* Every command, in the order of the help. */
#include "commands/command.h"

const struct command *const commands[] = {
	&command_check,
	&command_schedule,
	&command_plan,
	&command_apply,
	&command_run,
	&command_reload,
	&command_status,
	&command_audit,
	&command_history,
	&command_timeline,
	&command_denied,
	&command_revoke,
	&command_reinstate,
	&command_handover,
	&command_certificate,
	&command_bootstrap,
	&command_adopt,
	&command_forget,
	&command_unguard,
	&command_accept_loss,
	&command_archive,
	&command_clock,
	&command_firewall,
	NULL,
};
