/* curfew schedule: scheduled access at a given time, without contacting any server. */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "commands/command.h"
#include "curfew/calendar.h"
#include "curfew/report.h"

/* Prints grants of one client that have the same next change. */
static int group_print(const struct grant *items, size_t n, instant_t now)
{
	/* Names are never truncated: two rows would look alike. */
	static const struct table_column columns[] = {{"  USER", 0}, {"SERVER", 0}, {"DATABASE", 0},
		{"LEVEL", 0}, {"SOURCES", TABLE_WRAP}};
	struct table *t;

	if (table_new(&t, columns, ARRAY_SIZE(columns), stdout, 0))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct grant *k = &items[i];
		if (!grant_is_alike(items, k))
			continue;
		_cleanup_free_ char *sources =
			user_sources_words(k->user, now, k->client->timezone);
		table_row(t, level_tone(k->level));
		table_cellf(t, "  %s", k->user->login);
		table_cell(t, k->server->name);
		table_cell(t, k->database->name);
		table_cell(t, level_name(k->level));
		table_cell(t, k->level == LEVEL_NONE ? "-" : sources);
	}
	int rc = table_print(t);
	table_free(t);
	return rc;
}

/* Groups by client and next change, which would otherwise repeat in each row. */
static int grants_print(const struct grants *g, instant_t now)
{
	bool color = style_wanted(stdout);
	char words[WORDS_MAX];

	for (size_t from = 0, to; from < g->n; from = to) {
		const struct grant *items = &g->items[from];
		for (to = from; to < g->n && g->items[to].client == items->client; to++)
			;
		for (size_t i = 0; i < to - from; i++) {
			if (!grant_begins_group(items, i))
				continue;
			const char *phase = phase_name(items[i].phase);
			grant_words(words, &items[i], now);
			bool said = strncmp(words, phase, strlen(phase)) == 0;
			printf("%s%s%s%s  %s%s%s\n", from + i ? "\n" : "",
				style_begin(color, TONE_BOLD), items->client->name,
				style_end(color, TONE_BOLD), said ? "" : phase, said ? "" : ", ",
				words);
			if (group_print(&items[i], to - from - i, now))
				return EXIT_FAILED;
		}
	}
	return EXIT_FINE;
}

/* Keeps only the grants of one client, if one is given. */
static void grants_keep(struct grants *g, const struct client *only)
{
	size_t kept = 0;

	for (size_t i = 0; i < g->n; i++)
		if (!only || g->items[i].client == only)
			g->items[kept++] = g->items[i];
	g->n = kept;
}

/* One of the three forms; the exit code. */
static int show(const struct context *c)
{
	static const char *const members[] = {"client", "user", "login", "email", "server",
		"database", "role", "phase", "level", "from", "until", "next_level", "sources",
		"temporary_sources", NULL};

	if (c->cli->json)
		return json_print(grants_json(&c->grants), stdout) ? EXIT_FAILED : EXIT_FINE;
	if (c->cli->csv)
		return json_print_csv(grants_json(&c->grants), members, stdout) ? EXIT_FAILED
										: EXIT_FINE;
	return grants_print(&c->grants, c->now);
}

static int run(struct cli *cli)
{
	struct context c;
	int code = context_open(&c, cli, CONTEXT_CLIENT);

	if (!code)
		code = context_state(&c, false);
	if (!code) {
		grants_keep(&c.grants, c.client);
		code = show(&c);
	}
	context_close(&c);
	return code;
}

const struct command command_schedule = {
	.name = "schedule",
	.operands = "[CLIENT]",
	.max_operands = 1,
	.options = OPT_JSON | OPT_CSV | OPT_AT,
	.summary = "Show scheduled access at a given time",
	.help = "Uses the configuration and the revocations. Does not contact any server.\n",
	.run = run,
};
