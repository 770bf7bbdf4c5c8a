/* Why a pass is made, in words: the most important reason first. */
#include "curfew/base.h"
#include "service/reason.h"

static const struct {
	enum reason reason;
	const char *text;
} reason_texts[] = {
	{REASON_START, "the service was started"},
	{REASON_TRANSITION, "the schedule says so now"},
	{REASON_RELOAD, "the configuration was read again"},
	{REASON_OVERRIDE, "an operator took or gave back access"},
	{REASON_CLOCK, "the clock was set"},
	{REASON_INTERVAL, "regular look"},
	{REASON_RETRY, "another try"},
	{REASON_ASKED, "an operator asked"},
};

const char *reason_text(unsigned reasons)
{
	for (size_t i = 0; i < ARRAY_SIZE(reason_texts); i++)
		if (reasons & (unsigned)reason_texts[i].reason)
			return reason_texts[i].text;
	return "";
}
