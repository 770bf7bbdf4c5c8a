/* The outbox in `curfew status`; nothing if every notice was sent. */
#include "commands/status_notices.h"

#include "curfew/outbox.h"
#include "program/visible_text.h"
#include "curfew/report.h"

void notices_print(const struct context *c)
{
	struct outbox_counts n;
	char age[WORDS_MAX];

	if (!c->journal || outbox_count(&n, c->journal, c->now) ||
		!(n.queued + n.failed + n.uncertain))
		return;
	text_printf(stdout, "notices: %lld not sent yet", (long long)n.queued);
	if (n.queued)
		text_printf(stdout, " (the oldest for %s)", duration_words(age, c->now - n.oldest));
	text_printf(stdout, ", %lld not delivered, %lld uncertain in 30 days%s%s\n",
		(long long)n.failed, (long long)n.uncertain, *n.detail ? ": " : "", n.detail);
}
