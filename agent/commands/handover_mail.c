/* The sheet of a handover as a mail. Only the encrypted text comes here. */
#include "commands/handover_mail.h"

#include <errno.h>
#include <string.h>

#include "curfew/notice.h"
#include "curfew/outbox.h"

int handover_mail_check(const struct context *c)
{
	if (notices_are_on(&c->program->settings.notices))
		return 0;
	return cli_fail(c->cli, EXIT_FAILED,
		"nothing done: mail is not configured; name a mail server in `notices` of %s",
		c->cli->config);
}

static int mail_make(struct notice_mail *out, const struct context *c, const char *sheet)
{
	const struct notice n = {NOTICE_SHEET, c->client, c->user, c->now, c->now, INT64_MAX};
	const struct notice_texts texts =
		notice_texts(&c->program->settings, c->client->language, NOTICE_SHEET);
	struct notice_dates dates;
	struct notice_values values;
	int rc = notice_dates_find(&dates, c->program, c->client, &c->overrides, c->now);

	if (!rc)
		rc = notice_values(&values, c->program, &n, &dates, &c->overrides, NULL, c->now);
	if (rc)
		return rc;
	rc = notice_render(out, &texts, &values, c->client->language);
	notice_values_free(&values);
	if (rc)
		return rc;
	out->attached_name = c->cli->age ? "access.txt.age" : "access.txt.asc";
	out->attached = strdup(sheet);
	return out->attached ? 0 : -ENOMEM;
}

/* Each sheet is an event of its own, also of two within one second. */
static char *event_of(const struct context *c, const char *sheet)
{
	char id[NOTICE_ID_MAX], *text = NULL;

	return asprintf(&text, "%s/%s/%s/%s", c->client->name, c->user->login,
		       notice_kind_name(NOTICE_SHEET), notice_id(id, sheet, c->user->email)) < 0
		       ? NULL
		       : text;
}

static int mail_add(const struct context *c, const struct notice_mail *m, const char *event)
{
	struct outbox_item item = {.event = event,
		.recipient = c->user->email,
		.client = c->client->name,
		.login = c->user->login,
		.notice = notice_kind_name(NOTICE_SHEET),
		.created = c->now};
	_cleanup_free_ char *message = NULL;
	char id[NOTICE_ID_MAX];
	size_t size;
	int rc = notice_message(&message, &size, m, c->program->settings.notices.from,
		item.recipient, notice_id(id, event, item.recipient), c->now);

	if (rc)
		return rc;
	item.message = message;
	rc = outbox_add(c->journal, &item);
	return rc < 0 ? rc : rc ? 0 : -EEXIST;
}

int handover_mail_queue(const struct context *c, const char *sheet)
{
	_cleanup_free_ char *event = event_of(c, sheet);
	struct notice_mail m = {0};
	int rc = event ? mail_make(&m, c, sheet) : -ENOMEM;

	if (!rc)
		rc = mail_add(c, &m, event);
	notice_mail_free(&m);
	if (!rc)
		return cli_done(c->cli,
			"The encrypted sheet for %s is in the outbox, to %s; `curfew status` says when it could not be sent.",
			c->user->login, c->user->email);
	fputs(sheet, stdout);
	return cli_fail(c->cli, EXIT_FAILED,
		"the password was set, but the mail cannot be written: %s; the encrypted sheet is printed instead: send it to %s",
		journal_problem(rc), c->user->email);
}
