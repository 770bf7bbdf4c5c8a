/* Reasons for a pass. */
#ifndef SERVICE_REASON_H
#define SERVICE_REASON_H

enum reason {
	REASON_START = 1 << 0,
	REASON_TRANSITION = 1 << 1,
	REASON_RELOAD = 1 << 2,
	REASON_INTERVAL = 1 << 3,
	REASON_RETRY = 1 << 4,
	REASON_ASKED = 1 << 5,
	REASON_CLOCK = 1 << 6,
	REASON_OVERRIDE = 1 << 7,
	REASON_REST = 1 << 8,	/* of a pass that removed access and was cut short */
	REASON_FILTER = 1 << 9, /* the packet filter was lost, or is back */
};

/* The text of the most important reason, for log and journal. */
const char *reason_text(unsigned reasons);

#endif
