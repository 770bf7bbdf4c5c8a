/* Completion of command lines for any shell. Reads the same table as the help and the parser, so that new commands,
 * options, and operands need no change of a shell's script. */
#include <string.h>
#include <time.h>

#include "commands/complete.h"
#include "curfew/milestones.h"
#include "curfew/notice_template.h"

struct command_line {
	const struct command *command;
	const char *config;
	const char *operands[MAX_OPERANDS + 1];
	int n_operands;
	const struct usage_option *awaits; /* the option that needs an argument next */
	const char *current;		   /* the incomplete word */
	const char *prefix; /* of a candidate: "--user=" if option and argument are one word */
	size_t n_prefix;
};

static void offer(const struct command_line *l, const char *word, const char *description)
{
	if (strncmp(word, l->current, strlen(l->current)) != 0)
		return;
	printf("%.*s%s\t%s\n", (int)l->n_prefix, l->prefix, word, description ? description : "");
}

static void commands_offer(const struct command_line *l)
{
	for (const struct command *const *c = commands; *c; c++)
		offer(l, (*c)->name, (*c)->summary);
}

static void logins_offer(const struct command_line *l, const struct program *p)
{
	const struct client *only = l->n_operands > 0 ? program_client(p, l->operands[0]) : NULL;

	for (size_t i = 0; i < p->n_clients; i++) {
		const struct client *c = &p->clients[i];
		for (size_t k = 0; k < c->n_users && (!only || only == c); k++)
			offer(l, c->users[k].login, c->name);
	}
}

/* Offers names of the configuration. Prints no errors: what cannot be read is not offered. */
static void names_offer(const struct command_line *l, const char *kind)
{
	struct problems problems = {0};
	struct program *p = NULL;

	if (program_load(&p, &problems, l->config, (instant_t)time(NULL)) == 0 && p) {
		for (size_t i = 0; i < p->n_clients && streq(kind, "CLIENT"); i++)
			offer(l, p->clients[i].name, p->clients[i].ticket);
		for (size_t i = 0; i < p->n_servers && streq(kind, "SERVER"); i++)
			offer(l, p->servers[i].name, p->servers[i].host);
		if (streq(kind, "USER"))
			logins_offer(l, p);
	}
	problems_free(&problems);
	program_free(p);
}

static void notices_offer(const struct command_line *l)
{
	for (size_t i = 0; i < NOTICE_KINDS; i++)
		offer(l, notice_kind_name((enum notice_kind)i), NULL);
}

static void milestones_offer(const struct command_line *l)
{
	for (size_t m = 0; m < MILESTONES; m++)
		if (!milestone_is_automatic((enum milestone)m))
			offer(l, milestone_name((enum milestone)m),
				milestone_words((enum milestone)m));
}

/* `notice`: its first word decides which of "CLIENT|NOTICE|ADDRESS" the second one is. */
static bool is_of_another_word(const struct command_line *l, const char *kind)
{
	static const char *const kinds[][2] = {
		{"preview", "CLIENT"}, {"template", "NOTICE"}, {"test", "ADDRESS"}};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (l->n_operands == 1 && streq(l->command->name, "notice") &&
			streq(l->operands[0], kinds[i][0]))
			return !streq(kind, kinds[i][1]);
	return false;
}

/* One alternative of an operand or an option's argument: a kind in capitals, or a literal word. */
static void kind_offer(const struct command_line *l, const char *kind)
{
	static const char *const whats[] = {"clients", "servers", "logins"};

	if (is_of_another_word(l, kind))
		return;
	if (streq(kind, "FILE"))
		puts(COMPLETE_FILES);
	else if (streq(kind, "COMMAND"))
		commands_offer(l);
	else if (streq(kind, "NOTICE"))
		notices_offer(l);
	else if (streq(kind, "MILESTONE"))
		milestones_offer(l);
	else if (streq(kind, "WHAT"))
		for (size_t i = 0; i < ARRAY_SIZE(whats); i++)
			offer(l, whats[i], NULL);
	else if (kind[0] >= 'a' && kind[0] <= 'z')
		offer(l, kind, NULL);
	else
		names_offer(l, kind);
}

/* The operand of that number in "[CLIENT|verify]" or "CLIENT USER ADDRESS...". */
static void operand_offer(const struct command_line *l, const char *operands, int number)
{
	char text[128], *rest = text, *word, *last = NULL;

	snprintf(text, sizeof(text), "%s", operands);
	for (char *c = text; *c; c++)
		if (*c == '[' || *c == ']')
			*c = ' ';
	while ((word = strsep(&rest, " ")))
		if (*word) {
			last = word;
			if (number-- == 0)
				break;
		}
	if (!last || (number >= 0 && !strstr(last, "...")))
		return;
	while ((word = strsep(&last, "|.")))
		if (*word)
			kind_offer(l, word);
}

static void options_offer(
	const struct command_line *l, const struct usage_option *options, size_t n)
{
	char word[64];

	for (size_t i = 0; i < n; i++) {
		snprintf(word, sizeof(word), "--%s", options[i].name);
		offer(l, word, options[i].words);
	}
}

static const struct usage_option *option_find(
	const struct usage_option *options, size_t n, const char *word)
{
	size_t length = strcspn(word, "=");

	if (streq(word, "-c"))
		return option_find(options, n, "--config");
	for (size_t i = 0; i < n && length > 2; i++)
		if (strlen(options[i].name) == length - 2 &&
			!strncmp(options[i].name, word + 2, length - 2))
			return &options[i];
	return NULL;
}

/* Handles a complete word. */
static void word_take(
	struct command_line *l, const struct usage_option *options, size_t n, const char *word)
{
	const char *value = strchr(word, '=');

	if (l->awaits) {
		if (streq(l->awaits->name, "config"))
			l->config = word;
		l->awaits = NULL;
	} else if (word[0] != '-') {
		if (l->n_operands < MAX_OPERANDS)
			l->operands[l->n_operands] = word;
		l->n_operands++;
	} else {
		const struct usage_option *o = option_find(options, n, word);
		if (o && o->argument && !value)
			l->awaits = o;
		else if (o && value && streq(o->name, "config"))
			l->config = value + 1;
	}
}

static void rest_offer(struct command_line *l, int n, char *const *words)
{
	struct usage_option options[USAGE_MAX_OPTIONS];
	size_t n_options = usage_options(options, l->command);
	const char *value = strchr(l->current, '=');

	for (int i = 0; i < n; i++)
		word_take(l, options, n_options, words[i]);
	if (!l->awaits && l->current[0] == '-' && value) {
		l->prefix = l->current;
		l->n_prefix = (size_t)(value + 1 - l->current);
		l->awaits = option_find(options, n_options, l->current);
		l->current = value + 1;
		if (!l->awaits)
			return;
	}
	if (l->awaits && l->awaits->argument)
		kind_offer(l, l->awaits->argument);
	else if (l->current[0] == '-')
		options_offer(l, options, n_options);
	else
		operand_offer(l, l->command->operands, l->n_operands);
	l->awaits = NULL; /* "--" ends the options */
}

int complete_run(int n, char *const *words)
{
	static const struct command help = {.name = "help", .operands = "COMMAND"};
	struct command_line l = {
		.config = DEFAULT_CONFIG, .current = n > 0 ? words[n - 1] : "", .prefix = ""};

	/* It may stand before the command. */
	if (n > 1 && (streq(words[0], "--config") || streq(words[0], "-c"))) {
		if (n == 2) {
			puts(COMPLETE_FILES);
			return EXIT_FINE;
		}
		l.config = words[1];
		words += 2;
		n -= 2;
	}
	if (n <= 1) {
		commands_offer(&l);
		offer(&l, "help", "Print the help of a command");
		offer(&l, "--help", "Print the list of commands");
		offer(&l, "--version", "Print the version");
		return EXIT_FINE;
	}
	if (streq(words[0], help.name))
		l.command = &help;
	for (const struct command *const *c = commands; *c && !l.command; c++)
		if (streq((*c)->name, words[0]))
			l.command = *c;
	if (l.command)
		rest_offer(&l, n - 2, words + 1);
	return EXIT_FINE;
}
