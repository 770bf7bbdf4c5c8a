/* curfew allow and curfew disallow: the addresses from which a user may connect. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "commands/amend.h"
#include "commands/amend_dates.h"
#include "curfew/calendar.h"

#define PATH_MAX_BYTES 64

static int sources_open(
	struct amendment *a, struct cli *cli, const struct user **u, char path[PATH_MAX_BYTES])
{
	int code = amend_open(a, cli);

	if (!code)
		code = cli_user(u, cli, a->client);
	if (code)
		return code;
	a->login = (*u)->login;
	snprintf(path, PATH_MAX_BYTES, "client.users.[%zu].sources",
		(size_t)(*u - a->client->users));
	return 0;
}

static int address_parse(struct source *out, const struct cli *cli, const char *text)
{
	int rc = source_parse(out, text);
	char whole[SOURCE_TEXT_MAX];

	if (rc == SOURCE_HOST_BITS)
		return cli_fail(cli, EXIT_USAGE,
			"'%s' has host bits set; use %.*s for one address, or %s", text,
			(int)strcspn(text, "/"), text, source_format(whole, out));
	if (rc)
		return cli_fail(cli, EXIT_USAGE,
			"invalid address '%s'; examples: 203.0.113.7, 198.51.100.0/29, 2001:db8:7::/64",
			text);
	return 0;
}

static char *source_literal(const struct source *s, const char *until)
{
	_cleanup_free_ char *quoted = until ? edit_quote(until) : NULL;
	char text[SOURCE_TEXT_MAX], *out = NULL;
	int n;

	source_format(text, s);
	if (until)
		n = quoted ? asprintf(&out, "{ address = \"%s\"; until = %s; }", text, quoted) : -1;
	else
		n = asprintf(&out, "\"%s\"", text);
	return n < 0 ? NULL : out;
}

static int address_allow(struct amendment *a, const char *path, const char *word)
{
	const struct cli *cli = a->cli;
	struct source s;
	bool temporary;
	int code = address_parse(&s, cli, word);

	if (code)
		return code;
	int index = edit_source_find(&temporary, a->after, path, &s);
	if (index >= 0 && !temporary && cli->until)
		return cli_fail(cli, EXIT_USAGE,
			"%s is allowed already, as long as the access lasts; to end it earlier, disallow it on that day",
			word);
	if (index >= 0 && !temporary)
		return 0;
	_cleanup_free_ char *value = source_literal(&s, cli->until);
	const struct edit e = {.kind = index < 0 ? EDIT_ADD : EDIT_REPLACE,
		.path = path,
		.index = index < 0 ? 0 : (size_t)index,
		.value = value};
	return value ? amend_edit(a, &e) : EXIT_FAILED;
}

/* A source must not outlast the access, and must not have ended already. */
static int until_check(const struct amendment *a)
{
	const struct client *c = a->client;
	instant_t until;
	char end[64];

	if (!a->cli->until)
		return 0;
	int rc = amend_instant(&until, a->cli->until, c->timezone, true);
	if (rc < 0)
		return cli_fail(a->cli, EXIT_FAILED, "%s", strerror(-rc));
	if (until <= (instant_t)time(NULL))
		return cli_fail(a->cli, EXIT_USAGE, "--until '%s' has passed; use a later date",
			a->cli->until);
	if (until > c->end)
		return cli_fail(a->cli, EXIT_USAGE,
			"nothing outlives the end of all access, %s; use a date before it, or leave --until out",
			instant_format_local(end, sizeof(end), c->end, c->timezone));
	return 0;
}

static int run_allow(struct cli *cli)
{
	struct amendment a = {0};
	char path[PATH_MAX_BYTES];
	const struct user *u;
	int code = cli->until ? amend_date_check(cli, "--until", cli->until) : 0;

	if (!code)
		code = sources_open(&a, cli, &u, path);
	if (!code)
		code = until_check(&a);
	for (int i = 2; i < cli->n_operands && !code; i++)
		code = address_allow(&a, path, cli->operands[i]);
	if (!code)
		code = amend_check(&a);
	return amend_end(&a, code);
}

static int address_disallow(
	struct amendment *a, const char *path, const struct user *u, const char *word)
{
	struct source s;
	bool temporary;
	int code = address_parse(&s, a->cli, word);

	if (code)
		return code;
	int index = edit_source_find(&temporary, a->after, path, &s);
	if (index < 0) {
		_cleanup_free_ char *all = user_sources_text(u, 0);
		return cli_fail(a->cli, EXIT_USAGE, "%s is not among the sources of %s: %s", word,
			u->login, all ? all : "?");
	}
	const struct edit e = {.kind = EDIT_REMOVE, .path = path, .index = (size_t)index};
	return amend_edit(a, &e);
}

static int run_disallow(struct cli *cli)
{
	struct amendment a = {.closes = true};
	char path[PATH_MAX_BYTES];
	const struct user *u;
	int code = sources_open(&a, cli, &u, path);

	for (int i = 2; i < cli->n_operands && !code; i++)
		code = address_disallow(&a, path, u, cli->operands[i]);
	if (!code && (code = amend_check(&a)) == EXIT_CONFIG)
		cli_fail(cli, 0,
			"a user needs one source at least: to take everything away, use `curfew user remove %s %s --reason TEXT "
			"--ticket ID` or `curfew revoke %s %s --reason TEXT`",
			a.client->name, u->login, a.client->name, u->login);
	return amend_end(&a, code);
}

const struct command command_allow = {
	.name = "allow",
	.operands = "CLIENT USER ADDRESS...",
	.required = "--reason TEXT --ticket ID",
	.min_operands = 3,
	.max_operands = MAX_OPERANDS,
	.options = AMEND_OPTIONS | OPT_UNTIL,
	.summary = "Let a user come from more addresses",
	.help = "Adds sources in the client's file, shows the effect, asks, records, writes, and reloads. With --until the\n"
		"addresses are temporary: they end by themselves, in the packet filter too.\n",
	.run = run_allow,
};

const struct command command_disallow = {
	.name = "disallow",
	.operands = "CLIENT USER ADDRESS...",
	.required = "--reason TEXT --ticket ID",
	.min_operands = 3,
	.max_operands = MAX_OPERANDS,
	.options = AMEND_OPTIONS,
	.summary = "Take addresses of a user away",
	.help = "Takes sources out of the client's file, shows the effect, asks, writes, and reloads. Open sessions from there\n"
		"are ended. It goes on although the journal cannot be written; it then says so and exits with 1.\n",
	.run = run_disallow,
};
