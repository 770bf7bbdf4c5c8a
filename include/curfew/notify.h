/* What the service manager is told. Without one (no $NOTIFY_SOCKET) everything here does nothing. */
#ifndef CURFEW_NOTIFY_H
#define CURFEW_NOTIFY_H

#include "curfew/base.h"

void notify_ready(void);
/* Says at which instant of the monotonic clock the reload began, as the notify-reload protocol asks; older
 * managers take no notice of it. notify_ready() ends it. */
void notify_reloading(void);
void notify_stopping(void);
void notify_watchdog(void);
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Microseconds within which the manager wants to hear from us; 0: it does not watch. */
uint64_t notify_watchdog_period(void);

#endif
