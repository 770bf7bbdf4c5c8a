/* The last error of the handle: what was tried, and why it failed. */
#include <stdarg.h>
#include <string.h>

#include "firewall/netlink.h"

int firewall_fail(struct firewall *f, int rc, const char *format, ...)
{
	char what[160];
	va_list ap;

	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	snprintf(f->error, sizeof(f->error), "%s: %s", what,
		rc == -ERESTART ? "the ruleset changed in the meantime" : strerror(-rc));
	return rc;
}

const char *firewall_error(const struct firewall *f)
{
	return f->error;
}
