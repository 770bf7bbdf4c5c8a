/* Puts the encrypted sheet of a handover into the outbox, as a mail to the user. */
#ifndef CURFEW_COMMANDS_HANDOVER_MAIL_H
#define CURFEW_COMMANDS_HANDOVER_MAIL_H

#include "commands/command.h"

/* Before anything is changed: whether mail can be sent. 0 or exit code. */
int handover_mail_check(const struct context *c);
/* `sheet` is encrypted. If the mail cannot be written, prints the sheet, because the password is set. Exit code. */
int handover_mail_queue(const struct context *c, const char *sheet);

#endif
