/* Functions that every part of the service uses: asking for a pass, stopping. */
#include "service/internal.h"

void service_stop(struct service *s, int code)
{
	if (!s->stopping)
		s->code = code;
	s->stopping = true;
}

void service_hurry(struct service *s, bool closes)
{
	if (!s->passes.owed && (closes || !(s->passes.reasons & REASONS_CLOSING)))
		lane_hurry(s->passes.lane);
}

void service_ask(struct service *s, unsigned reasons)
{
	s->passes.pending |= reasons;
	if (reasons & REASONS_URGENT)
		lane_hurry(s->passes.lane);
}
