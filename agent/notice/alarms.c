/* What the team is alarmed of at once. */
#include "curfew/notice.h"

static const struct {
	const char *key, *reason;
} alarms[NOTICE_ALARMS] = {
	[ALARM_OVERDUE] = {"overdue",
		"access should have ended or become read-only, and this is not confirmed"},
	[ALARM_EXCESS] = {"excess", "a user has more access than scheduled"},
	[ALARM_UNVERIFIED] = {"unverified", "access was changed, but is not verified"},
	[ALARM_UNREACHABLE] = {"unreachable", "a server does not answer when access changes"},
	[ALARM_DRIFT_SQL] = {"drift-sql", "a regular pass changed access on a SQL server"},
	[ALARM_DRIFT_NETWORK] = {"drift",
		"another program changed the packet filter; Curfew restores it"},
	[ALARM_HELD] = {"held",
		"no access is granted, because records are missing or cannot be read"},
	[ALARM_FILTER] = {"filter",
		"the packet filter cannot be used: no access is granted, and access on SQL servers ends on time"},
	[ALARM_JOURNAL] = {"journal", "the journal could not be written, and can be again"},
	[ALARM_CLOCK] = {"clock", "the system clock is behind the latest time seen"},
	[ALARM_DENIED] = {"denied", "denied packets may come from"},
};

const char *notice_alarm_key(enum notice_alarm a)
{
	return alarms[a].key;
}

const char *notice_alarm_reason(enum notice_alarm a)
{
	return alarms[a].reason;
}
