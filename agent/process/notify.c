/* Messages to the service manager by the sd_notify protocol, which is documented as stable. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include "curfew/datagram.h"
#include "curfew/notify.h"
#include "curfew/text.h"

/* A manager that hangs does not hold up the service. */
static void __attribute__((format(printf, 1, 2))) notify_send(const char *format, ...)
{
	static bool unread;
	const char *path = getenv("NOTIFY_SOCKET");
	va_list args;

	if (!path)
		return;
	va_start(args, format);
	_cleanup_free_ char *text = text_vformat(format, args);
	va_end(args);
	if (!text)
		return;
	const struct iovec part = {text, strlen(text)};
	unread = datagram_send(path, &part, 1, unread ? 0 : DATAGRAM_PATIENCE) == -EAGAIN;
}

void notify_ready(void)
{
	notify_send("READY=1");
}

void notify_reloading(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		(int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000);
}

void notify_stopping(void)
{
	notify_send("STOPPING=1");
}

void notify_watchdog(void)
{
	notify_send("WATCHDOG=1");
}

void notify_status(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	_cleanup_free_ char *text = text_vformat(format, args);
	va_end(args);
	if (text)
		notify_send("STATUS=%s", text);
}

uint64_t notify_watchdog_period(void)
{
	uint64_t period = 0;

	return sd_watchdog_enabled(0, &period) > 0 ? period : 0;
}
