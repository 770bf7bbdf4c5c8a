/* Messages to the service manager by the sd_notify protocol. */
#include <inttypes.h>
#include <stdarg.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include "curfew/notify.h"
#include "curfew/text.h"

void notify_ready(void)
{
	sd_notify(0, "READY=1");
}

void notify_reloading(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		(int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000);
}

void notify_stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

void notify_watchdog(void)
{
	sd_notify(0, "WATCHDOG=1");
}

void notify_status(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	_cleanup_free_ char *text = text_vformat(format, args);
	va_end(args);
	if (!text)
		return;
	sd_notifyf(0, "STATUS=%s", text);
}

uint64_t notify_watchdog_period(void)
{
	uint64_t period = 0;

	return sd_watchdog_enabled(0, &period) > 0 ? period : 0;
}
