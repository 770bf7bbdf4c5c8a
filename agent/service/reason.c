/* The reason of a pass as text: the most important one first. */
#include "curfew/base.h"
#include "service/reason.h"

static const struct {
	enum reason reason;
	const char *text;
} reason_texts[] = {
	{REASON_START, "the service started"},
	{REASON_TRANSITION, "a scheduled change"},
	{REASON_REST, "the rest of a pass that was cut short"},
	{REASON_RELOAD, "the configuration was reloaded"},
	{REASON_OVERRIDE, "an operator revoked or reinstated access"},
	{REASON_CLOCK, "the clock was set"},
	{REASON_FILTER, "the packet filter was lost, or is back"},
	{REASON_INTERVAL, "regular pass"},
	{REASON_RETRY, "retry"},
	{REASON_ASKED, "an operator asked"},
};

const char *reason_text(unsigned reasons)
{
	for (size_t i = 0; i < ARRAY_SIZE(reason_texts); i++)
		if (reasons & (unsigned)reason_texts[i].reason)
			return reason_texts[i].text;
	return "";
}
