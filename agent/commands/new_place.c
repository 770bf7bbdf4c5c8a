/* Says which line of the form, or which option, an error of a new client's text came from. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "commands/new_place.h"
#include "program/visible_text.h"

/* The option that gave a setting; NULL: none did. */
static const char *option_of(const struct cli *cli, const char *setting)
{
	const struct {
		const char *setting, *option, *value;
	} options[] = {
		{"ticket", "--ticket", cli->ticket},
		{"approved_by", "--approved-by", cli->approved_by},
		{"approved_on", "--approved-on", cli->approved_on},
		{"timezone", "--timezone", cli->timezone},
		{"starts", "--starts", cli->starts},
		{"go_live", "--golive", cli->golive},
		{"databases", "--db", cli->databases},
		{"role", "--db", cli->databases},
		{"name", "NAME", cli->operands[0]},
	};

	for (size_t k = 0; k < ARRAY_SIZE(options); k++)
		if (options[k].value && streq(options[k].setting, setting))
			return options[k].option;
	return NULL;
}

/* What `curfew new` was not given is no line of anything. */
static void place_print(
	const struct cli *cli, const struct intake *i, const char *written, int line)
{
	const struct intake_person *p = intake_person_at(i, written, line);
	char setting[32];

	intake_setting_at(setting, written, line);
	const char *option = p ? NULL : option_of(cli, setting);
	if (p && p->place && cli->form)
		text_printf(stderr,
			i->numbered ? "%s: user %d: error: " : "%s:%d: error: ", cli->form,
			p->place);
	else if (option)
		fprintf(stderr, "%s: error: ", option);
	else if (cli->form)
		text_printf(stderr, "%s: error: ", cli->form);
	else
		fputs("error: ", stderr);
}

/* "line 12" of the text, as the place in the form. Returns the number of characters that it stands for; 0: none. */
static size_t line_print(const struct cli *cli, const struct intake *i, const char *written,
	const char *text, const char *at)
{
	static const char word[] = "line ";
	char *end;

	if (at == text || !strchr(" (", at[-1]) || strncmp(at, word, strlen(word)) != 0 ||
		!isdigit((unsigned char)at[strlen(word)]))
		return 0;
	long line = strtol(at + strlen(word), &end, 10);
	const struct intake_person *p =
		line > 0 && line < INT32_MAX ? intake_person_at(i, written, (int)line) : NULL;
	if (!p || !p->place || !cli->form)
		return 0;
	fprintf(stderr, "%s %d", i->numbered ? "user" : "line", p->place);
	return (size_t)(end - at);
}

void intake_problem_print(
	const struct cli *cli, const struct intake *i, const char *written, const struct problem *p)
{
	place_print(cli, i, written, p->line);
	for (const char *at = p->text; *at;) {
		size_t n = line_print(cli, i, written, p->text, at);

		if (!n)
			fputc(*at, stderr);
		at += n ? n : 1;
	}
	fputc('\n', stderr);
}
