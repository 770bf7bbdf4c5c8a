/* For LD_PRELOAD: what the kernel says of its clock, as KERNEL_CLOCK has it. */
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

int adjtimex(struct timex *t)
{
	const char *says = getenv("KERNEL_CLOCK");

	if (t->modes || !says)
		return -1;
	memset(t, 0, sizeof(*t));
	/* STA_UNSYNC alone: a daemon steers the clock and has not reached the time yet. */
	t->status = strcmp(says, "synchronized") == 0 ? STA_PLL : STA_UNSYNC;
	return strcmp(says, "error") == 0 ? TIME_ERROR : TIME_OK;
}
