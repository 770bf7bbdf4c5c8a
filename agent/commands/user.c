/* curfew user: adds, replaces, and removes users of a client. */
#include <errno.h>
#include <string.h>

#include "commands/amend.h"
#include "curfew/text.h"

/* "( "203.0.113.7", "198.51.100.0/29" )" for "203.0.113.7,198.51.100.0/29". NULL without memory. */
static char *sources_literal(const char *list)
{
	_cleanup_free_ char *copy = strdup(list);
	char *rest = copy, *one;
	const char *before = "( ";
	struct text text;

	if (!copy || !text_begin(&text))
		return NULL;
	while ((one = strsep(&rest, ", \t\n"))) {
		_cleanup_free_ char *quoted = *one ? edit_quote(one) : NULL;

		if (!quoted)
			continue;
		fprintf(text.to, "%s%s", before, quoted);
		before = ", ";
	}
	fputs(*before == '(' ? "( )" : " )", text.to);
	return text_end(&text);
}

static char *user_literal(const struct cli *cli)
{
	_cleanup_free_ char *first = edit_quote(cli->first), *last = edit_quote(cli->last),
			    *email = edit_quote(cli->email),
			    *sources = sources_literal(cli->address);
	char *out = NULL;

	if (!first || !last || !email || !sources ||
		asprintf(&out, "{ first = %s; last = %s; email = %s; sources = %s; }", first, last,
			email, sources) < 0)
		return NULL;
	return out;
}

#define PERSON_OPTIONS "--first NAME --last NAME --email EMAIL --address ADDRESS,..."

static int person_check(const struct cli *cli)
{
	const char *missing = !cli->first     ? "--first"
			      : !cli->last    ? "--last"
			      : !cli->email   ? "--email"
			      : !cli->address ? "--address"
					      : NULL;

	return missing ? cli_fail(
				 cli, EXIT_USAGE, "option %s is required: " PERSON_OPTIONS, missing)
		       : 0;
}

/* add CLIENT, replace CLIENT USER, remove CLIENT USER: the action is an operand before the usual ones. */
static int edit_make(struct edit *out, struct amendment *a, enum edit_kind kind)
{
	const struct user *u = NULL;
	int code = kind == EDIT_ADD ? 0 : cli_user(&u, a->cli, a->client);

	*out = (struct edit){.kind = kind, .path = "client.users"};
	if (!code && kind == EDIT_REMOVE && a->client->n_users == 1)
		return cli_fail(a->cli, EXIT_FAILED,
			"%s is the last user of %s; to end all access of this client, run `curfew revoke %s --reason TEXT`, "
			"or remove its file",
			u->login, a->client->name, a->client->name);
	if (u) {
		out->index = (size_t)(u - a->client->users);
		a->login = u->login;
	}
	return code;
}

static int user_edit(struct amendment *a, enum edit_kind kind)
{
	struct edit e;
	int code = edit_make(&e, a, kind);
	_cleanup_free_ char *value = kind == EDIT_REMOVE ? NULL : user_literal(a->cli);

	if (!code && kind != EDIT_REMOVE && !value)
		code = EXIT_FAILED;
	e.value = value;
	if (!code)
		code = amend_edit(a, &e);
	if (!code)
		code = amend_check(a);
	return code ? code : amend_look(a);
}

static int run(struct cli *cli)
{
	static const char *const verbs[] = {"add", "replace", "remove"};
	static const enum edit_kind kinds[] = {EDIT_ADD, EDIT_REPLACE, EDIT_REMOVE};
	struct amendment a = {0};
	size_t verb = 0;

	while (verb < ARRAY_SIZE(verbs) && !streq(cli->operands[0], verbs[verb]))
		verb++;
	if (verb == ARRAY_SIZE(verbs))
		return cli_fail(cli, EXIT_USAGE,
			"'%s' is not an action; use add, replace, or remove", cli->operands[0]);
	if (verb && cli->n_operands != 3)
		return cli_fail(cli, EXIT_USAGE,
			"missing argument USER; usage: curfew user %s CLIENT USER", verbs[verb]);
	if (!verb && cli->n_operands != 2)
		return cli_fail(cli, EXIT_USAGE,
			"unexpected argument '%s'; usage: curfew user add CLIENT " PERSON_OPTIONS,
			cli->operands[2]);
	int code = kinds[verb] == EDIT_REMOVE ? 0 : person_check(cli);
	/* Remove the action, so that the operands are as in other commands. */
	memmove(cli->operands, cli->operands + 1, sizeof(cli->operands) - sizeof(cli->operands[0]));
	cli->n_operands--;
	a.closes = kinds[verb] == EDIT_REMOVE;
	if (!code)
		code = amend_open(&a, cli);
	if (!code)
		code = user_edit(&a, kinds[verb]);
	if (!code)
		code = amend_finish(&a);
	if (!code && kinds[verb] != EDIT_REMOVE && !cli->dry_run && !cli->print)
		printf("to let the user log in: curfew handover %s %s\n", a.client->name,
			cli->email);
	amend_close(&a);
	return code;
}

const struct command command_user = {
	.name = "user",
	.operands = "add|replace|remove CLIENT [USER]",
	.required = "--reason TEXT --ticket ID",
	.min_operands = 2,
	.max_operands = 3,
	.options = AMEND_OPTIONS | OPT_FIRST | OPT_LAST | OPT_EMAIL | OPT_ADDRESS,
	.summary = "Add, replace, or remove a user",
	.help = "Changes the users of the client's file, shows the effect, asks, records, writes, and reloads. add and replace\n"
		"take --first, --last, --email, and --address (several with commas between); a replaced user's login is removed,\n"
		"and the new user gets one of its own. remove goes on although the journal cannot be written.\n",
	.run = run,
};
