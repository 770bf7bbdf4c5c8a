/* Before a go-live: a mail to the account lead and the team while customizations are undecided or unused. */
#include <errno.h>
#include <string.h>
#include "curfew/calendar.h"
#include "curfew/client_samples.h"
#include "curfew/progress.h"
#include "service/sending_make.h"

/* Days before the go-live from which on one is due; 0: none yet. */
static int days_due(const struct client *c, instant_t now, instant_t since)
{
	static const int all[] = {1, 7, 14};

	for (size_t i = 0; i < ARRAY_SIZE(all) && c->has_go_live && c->go_live > now; i++) {
		instant_t when = c->go_live - all[i] * DAY;
		if (when <= now)
			return when > since ? all[i] : 0;
	}
	return 0;
}

/* 1: a mail is due, and `words` has its text. */
static int words_make(
	char words[TALLY_WORDS_MAX], const struct sending_view *v, const struct client *c)
{
	struct samples samples = {0};
	struct progress progress = {0};
	int rc = client_tallies_read(&samples, v->journal, v->program, c);

	if (!rc)
		rc = progress_make(&progress, &samples, NULL);
	samples_free(&samples);
	const struct sample_tally *last = progress_last(&progress);
	if (!rc && last && tally_is_urgent(last, c, v->now)) {
		tally_words(words, last, c, v->now);
		rc = 1;
	}
	progress_free(&progress);
	return rc;
}

static int client_add(const struct sending_view *v, const struct client *c)
{
	struct notice_values values = {{0}};
	char event[96 + MAX_NAME_BYTES], words[TALLY_WORDS_MAX], when[64];
	int days = days_due(c, v->now, v->since), rc;
	bool known;

	if (!days)
		return 0;
	snprintf(event, sizeof(event), "%s/customizations/%lld/%d", c->name, (long long)c->go_live,
		days);
	rc = outbox_has(&known, v->journal, event, v->program->settings.notices.team);
	if (rc || known)
		return rc;
	rc = words_make(words, v, c);
	if (rc <= 0)
		return rc;
	values.items[VALUE_LIST] = strdup(words);
	values.items[VALUE_CLIENT] = strdup(c->name);
	values.items[VALUE_TICKET] = c->ticket ? strdup(c->ticket) : NULL;
	values.items[VALUE_DATE] =
		strdup(instant_format_local(when, sizeof(when), c->go_live, c->timezone));
	rc = leads_add(v, NOTICE_CUSTOM, event, c, &values);
	notice_values_free(&values);
	return rc < 0 ? rc : 1;
}

int customizations_add(const struct sending_view *v)
{
	return clients_each(v, client_add);
}
