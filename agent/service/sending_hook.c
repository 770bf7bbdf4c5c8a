/* The JSON that the webhook gets for each notice to the team. The receiver is a chat tool or a ticket system. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "curfew/report.h"
#include "service/sending_make.h"

int hook_add(
	const struct sending_view *v, const struct notice_mail *m, const struct outbox_item *item)
{
	struct outbox_item i = *item;
	char id[NOTICE_ID_MAX];

	i.recipient = WEBHOOK_RECIPIENT;
	/* The id depends only on the event, so that the receiver can drop duplicates. */
	json_t *json = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "id",
		notice_id(id, i.event, i.recipient), "notice", i.notice, "client",
		text_json(i.client), "at", instant_json(v->now), "subject", text_json(m->subject),
		"text", text_json(m->text));
	char *message = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int rc = -ENOMEM;

	json_decref(json);
	if (message) {
		i.message = message;
		i.created = v->now;
		rc = outbox_add(v->journal, &i);
	}
	free(message);
	return rc;
}
