/* curfew notice: shows notices before they are sent. */
#include <string.h>

#include <jansson.h>

#include "commands/command.h"
#include "curfew/calendar.h"
#include "curfew/control.h"
#include "curfew/notice.h"
#include "curfew/report.h"
#include "program/visible_text.h"

static bool has_calendar(enum notice_kind k)
{
	return k == NOTICE_OPENED || k == NOTICE_DATES_MOVED || k == NOTICE_REVOKED;
}

static json_t *mail_json(const struct notice *n, const struct notice_mail *m)
{
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "when", instant_json(n->when),
		"notice", notice_kind_name(n->kind), "to", text_json(n->user->email), "login",
		text_json(n->user->login), "subject", text_json(m->subject), "text",
		text_json(m->text), "html", text_json(m->html), "calendar", text_json(m->calendar));
}

static void mail_print(const struct notice *n, const struct notice_mail *m)
{
	char when[64];

	text_printf(stdout, "%s  %s  to %s\n",
		instant_format_local(when, sizeof(when), n->when, n->client->timezone),
		notice_kind_name(n->kind), n->user->email);
	text_printf(stdout, "    Subject: %s\n", m->subject);
	putchar('\n');
	for (const char *line = m->text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		text_printf(stdout, "    %.*s\n", (int)strcspn(line, "\n"), line);
	if (m->calendar)
		fputs("\n    (with a calendar: access.ics)\n", stdout);
	putchar('\n');
}

/* Made as it will be sent, with the time left and the later dates. */
static int mail_make(struct notice_mail *out, const struct context *c, const struct notice *n,
	const struct notice_dates *dates)
{
	const struct settings *s = &c->program->settings;
	const struct notice_texts texts = notice_texts(s, n->client->language, n->kind);
	struct notice_values values;
	int rc = notice_values(&values, c->program, n, dates, &c->overrides, NULL, n->when);

	if (rc)
		return rc;
	rc = notice_render(out, &texts, &values, n->client->language);
	notice_values_free(&values);
	if (rc == 0 && has_calendar(n->kind))
		out->calendar = notice_calendar(n->client, n->user, dates,
			s->notices.from	  ? s->notices.from
			: s->notices.team ? s->notices.team
					  : "curfew@localhost.invalid",
			0, n->kind == NOTICE_REVOKED, NULL, n->when);
	return rc;
}

static int each_show(const struct context *c, const struct notices *list, json_t *array)
{
	struct notice_dates dates;

	if (notice_dates_find(&dates, c->program, c->client, &c->overrides, c->now))
		return EXIT_FAILED;
	for (size_t i = 0; i < list->n; i++) {
		const struct notice *n = &list->items[i];
		struct notice_mail m;

		if (n->when <= c->now)
			continue;
		if (mail_make(&m, c, n, &dates))
			return EXIT_FAILED;
		if (array)
			json_array_append_new(array, mail_json(n, &m));
		else
			mail_print(n, &m);
		notice_mail_free(&m);
	}
	return EXIT_FINE;
}

static int preview(struct context *c)
{
	struct notices list = {0};
	json_t *array = c->cli->json ? json_array() : NULL;
	int code = context_state(c, false);

	if (!code && notices_scheduled(&list, c->program, c->client, &c->overrides, c->now))
		code = EXIT_FAILED;
	if (!code)
		code = each_show(c, &list, array);
	if (!code && array)
		code = json_print(array, stdout) ? EXIT_FAILED : EXIT_FINE;
	else
		json_decref(array);
	if (!code && !c->cli->json && (!list.n || list.items[list.n - 1].when <= c->now))
		puts("Nothing is to be sent from this time on.");
	if (!code && !notices_are_on(&c->program->settings.notices))
		cli_fail(c->cli, 0,
			"warning: nothing of this is sent; name a mail server in `notices` of %s",
			c->cli->config);
	notices_free(&list);
	return code;
}

static int templates_json(const struct cli *cli)
{
	json_t *list = json_array();

	for (size_t i = 0; i < NOTICE_KINDS; i++) {
		const char *name = notice_kind_name((enum notice_kind)i);
		if (cli->n_operands < 2 || streq(cli->operands[1], name))
			json_array_append_new(list,
				json_pack("{s:s, s:o}", "notice", name, "text",
					text_json(notice_template_text((enum notice_kind)i))));
	}
	if (!json_array_size(list)) {
		json_decref(list);
		return cli_fail(cli, EXIT_USAGE,
			"unknown notice '%s'; `curfew notice template` names all",
			cli->operands[1]);
	}
	return json_print(list, stdout) ? EXIT_FAILED : EXIT_FINE;
}

static int template_show(const struct cli *cli)
{
	enum notice_kind kind;

	if (cli->json)
		return templates_json(cli);
	if (cli->n_operands == 2 && notice_kind_parse(&kind, cli->operands[1])) {
		fputs(notice_template_text(kind), stdout);
		return EXIT_FINE;
	}
	if (cli->n_operands == 2)
		cli_fail(cli, 0, "unknown notice '%s'; use one of:", cli->operands[1]);
	for (size_t i = 0; i < NOTICE_KINDS; i++)
		fprintf(cli->n_operands == 2 ? stderr : stdout, "%s\n",
			notice_kind_name((enum notice_kind)i));
	return cli->n_operands == 2 ? EXIT_USAGE : EXIT_FINE;
}

static int test_ask(struct cli *cli)
{
	struct program *p = NULL;
	json_t *end = NULL;
	int code = cli->n_operands == 2
			   ? cli_load(&p, cli)
			   : cli_fail(cli, EXIT_USAGE,
				     "missing ADDRESS; use `curfew notice test ADDRESS`");

	if (code || !p)
		return code;
	int rc = control_call(&end, p->settings.runtime_directory,
		json_pack("{s:s, s:s}", "command", "notice-test", "address", cli->operands[1]),
		NULL, NULL);
	const char *error = rc ? NULL : json_string_value(json_object_get(end, "error"));
	if (rc)
		code = cli_fail(cli, EXIT_FAILED,
			"cannot ask the service: %s; check `systemctl status curfew`",
			strerror(-rc));
	else if (error)
		code = cli_fail(cli, EXIT_FAILED, "%s", error);
	else
		code = cli_done(cli,
			"A test to %s is in the outbox; `curfew status` says when it could not be sent.",
			cli->operands[1]);
	json_decref(end);
	program_free(p);
	return code;
}

static int run(struct cli *cli)
{
	struct context c;

	if (streq(cli->operands[0], "template"))
		return template_show(cli);
	if (streq(cli->operands[0], "test"))
		return test_ask(cli);
	if (!streq(cli->operands[0], "preview"))
		return cli_fail(cli, EXIT_USAGE,
			"unknown word '%s'; use `curfew notice preview CLIENT`, `curfew notice template [NOTICE]`, or "
			"`curfew notice test ADDRESS`",
			cli->operands[0]);
	if (cli->n_operands != 2)
		return cli_fail(
			cli, EXIT_USAGE, "missing CLIENT; use `curfew notice preview CLIENT`");
	cli->operands[0] = cli->operands[1];
	cli->n_operands = 1;
	int code = context_open(&c, cli, CONTEXT_CLIENT);
	if (!code)
		code = preview(&c);
	context_close(&c);
	return code;
}

const struct command command_notice = {
	.name = "notice",
	.operands = "preview|template|test [CLIENT|NOTICE|ADDRESS]",
	.min_operands = 1,
	.max_operands = 2,
	.options = OPT_JSON | OPT_AT,
	.summary = "Show the notices about access, and when each is sent",
	.help = "preview CLIENT: every mail that is to come, as it will be sent. template NOTICE: Curfew's own text of a\n"
		"notice, to be changed in a file of that name; without NOTICE, their names. test ADDRESS: the service sends a mail\n"
		"there.\n",
	.run = run,
};
