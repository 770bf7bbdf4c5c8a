/* Messages to the service manager (sd_notify). Without $NOTIFY_SOCKET the functions do nothing. */
#ifndef CURFEW_NOTIFY_H
#define CURFEW_NOTIFY_H

#include "curfew/base.h"

void notify_ready(void);
/* Reports the start of a reload with its monotonic time, as Type=notify-reload requires; older versions of systemd
 * ignore it. notify_ready() ends it. */
void notify_reloading(void);
void notify_stopping(void);
void notify_watchdog(void);
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The watchdog's interval in microseconds; 0: off. */
uint64_t notify_watchdog_period(void);

#endif
