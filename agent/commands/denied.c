/* curfew denied: denied sources, and the users that they may belong to. Helps with "I cannot connect". */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "commands/denied_read.h"
#include "curfew/calendar.h"
#include "curfew/denied.h"
#include "curfew/report.h"
#include "program/visible_text.h"

/* By what holds now: the packets are older than that. */
static enum answer is_admitted(
	const struct firewall_state *state, const struct refused *r, bool network_read)
{
	if (!network_read)
		return ANSWER_UNKNOWN;
	for (size_t i = 0; i < state->n_allows; i++)
		if (source_contains(&state->allows[i].source, r->source.family, r->source.addr) &&
			!endpoint_compare(&state->allows[i].endpoint, &r->endpoint))
			return ANSWER_YES;
	return ANSWER_NO;
}

/* A denied source and its explanation. */
struct denied_line {
	const struct refused *refused;
	const struct server *server;
	struct denied_hint hint;
	bool known;
	char *words; /* owned; "" if unknown */
};

struct denied_lines {
	struct denied_line *items;
	size_t n, others; /* others: not near the client's addresses */
};

static void lines_free(struct denied_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->items[i].words);
	free(l->items);
}

/* All denied sources, or those that may belong to the client. */
static int lines_make(struct denied_lines *out, const struct program *p, const struct client *only,
	const struct firewall_state *state, bool network_read, const struct grants *g,
	instant_t now)
{
	struct denied_lines l = {.items = calloc(state->n_refused + 1, sizeof(*l.items))};

	if (!l.items)
		return -ENOMEM;
	for (size_t i = 0; i < state->n_refused; i++) {
		struct denied_line *k = &l.items[l.n];
		char words[RECORD_TEXT_MAX] = "";

		k->refused = &state->refused[i];
		k->known = denied_hint_find(&k->hint, p, only, &k->refused->source);
		if (only && !k->known) {
			l.others++;
			continue;
		}
		k->server = denied_server(p, &k->refused->endpoint);
		if (k->known)
			denied_hint_words(words, &k->hint, g, k->server,
				is_admitted(state, k->refused, network_read), now);
		k->words = strdup(words);
		if (!k->words) {
			lines_free(&l);
			return -ENOMEM;
		}
		l.n++;
	}
	*out = l;
	return 0;
}

static json_t *lines_json(const struct denied_lines *l)
{
	char source[SOURCE_TEXT_MAX], endpoint[ENDPOINT_TEXT_MAX];
	json_t *list = json_array();

	for (size_t i = 0; i < l->n; i++) {
		const struct denied_line *k = &l->items[i];
		const struct refused *r = k->refused;

		json_array_append_new(
			list, json_pack("{s:s, s:s, s:o, s:I, s:o, s:o, s:o, s:o}", "source",
				      source_format(source, &r->source), "endpoint",
				      endpoint_format(endpoint, &r->endpoint), "server",
				      text_json(k->server ? k->server->name : NULL), "packets",
				      (json_int_t)r->packets, "last_seen",
				      r->last_seen_latest ? instant_json(r->last_seen_latest)
							  : json_null(),
				      "login", text_json(k->known ? k->hint.user->login : NULL),
				      "client", text_json(k->known ? k->hint.client->name : NULL),
				      "detail", text_json(k->known ? k->words : NULL)));
	}
	return list;
}

static void line_row(struct table *t, const struct denied_line *k, instant_t now)
{
	char source[SOURCE_TEXT_MAX], endpoint[ENDPOINT_TEXT_MAX], ago[WORDS_MAX];
	const struct refused *r = k->refused;

	table_row(t, k->known ? TONE_WARN : TONE_PLAIN);
	table_cellf(t, "  %s", source_format(source, &r->source));
	table_cell(t, endpoint_format(endpoint, &r->endpoint));
	table_cell(t, k->server ? k->server->name : NULL);
	table_cellf(t, "%llu", (unsigned long long)r->packets);
	if (r->last_seen_latest)
		table_cellf(t, "%s ago", duration_words(ago, now - r->last_seen_latest));
	else
		table_cell(t, NULL);
}

/* Groups addresses by explanation, because a text column would be too wide. Newest first, in groups and among them. */
static int lines_print(struct denied_lines *l, const struct client *only, instant_t now)
{
	static const struct table_column columns[] = {{"  SOURCE", 0}, {"ENDPOINT", 0},
		{"SERVER", 0}, {"PACKETS", TABLE_RIGHT}, {"LAST SEEN", 0}};
	bool first = true;

	if (!l->n && only)
		text_printf(stdout,
			"no denied packets from near an address of %s in the last 24 hours\n",
			only->name);
	else if (!l->n)
		puts("no denied packets in the last 24 hours");
	for (size_t i = 0; i < l->n; i++) {
		char *words = l->items[i].words;
		struct table *t;
		int rc;

		if (!words)
			continue; /* printed in an earlier group */
		if (table_new(&t, columns, ARRAY_SIZE(columns), stdout, 0))
			return EXIT_FAILED;
		l->items[i].words = NULL;
		printf("%s%s\n", first ? "" : "\n",
			*words ? words : "not near any client's address");
		first = false;
		line_row(t, &l->items[i], now);
		for (size_t k = i + 1; k < l->n; k++) {
			if (!l->items[k].words || !streq(l->items[k].words, words))
				continue;
			line_row(t, &l->items[k], now);
			free(l->items[k].words);
			l->items[k].words = NULL;
		}
		rc = table_print(t);
		table_free(t);
		free(words);
		if (rc)
			return EXIT_FAILED;
	}
	return EXIT_FINE;
}

static int show(const struct cli *cli, const struct program *p, const struct client *only,
	struct firewall_state *state, bool network_read, const struct grants *g, instant_t now)
{
	static const char *const members[] = {"source", "endpoint", "server", "packets",
		"last_seen", "login", "client", "detail", NULL};
	struct denied_lines lines;
	int code;

	qsort(state->refused, state->n_refused, sizeof(*state->refused), denied_compare);
	if (lines_make(&lines, p, only, state, network_read, g, now))
		return EXIT_FAILED;
	if (cli->json)
		code = json_print(lines_json(&lines), stdout) ? EXIT_FAILED : EXIT_FINE;
	else if (cli->csv)
		code = json_print_csv(lines_json(&lines), members, stdout) ? EXIT_FAILED
									   : EXIT_FINE;
	else
		code = lines_print(&lines, only, now);
	/* Beside what a program reads: "none" must not look as if there was none at all. */
	if (lines.others)
		fprintf(cli->json || cli->csv ? stderr : stdout,
			"%zu other source%s; see `curfew denied`\n", lines.others,
			lines.others == 1 ? "" : "s");
	lines_free(&lines);
	return code;
}

/* By itself where it may: the allowlist says what holds now. Else as the service has them, without the allowlist. */
static int refused_read(struct firewall_state *out, bool *network_read, const struct cli *cli,
	const struct program *p, instant_t now)
{
	struct network network;

	*network_read = !cli_network_beside(&network, cli, p) && network.present &&
			!firewall_observe(out, network.firewall, now);
	network_close(&network);
	if (*network_read)
		return 0;
	firewall_state_free(out);
	*out = (struct firewall_state){0};
	if (!denied_by_service(out, p))
		return 0;
	int code = cli_network(&network, cli, p, false);
	if (!code && !network.present)
		code = cli_fail(cli, EXIT_FAILED,
			"firewall disabled on this host (`firewall = { enabled = false; };`)");
	if (!code && firewall_observe(out, network.firewall, now))
		code = cli_fail(cli, EXIT_FAILED, "cannot read the packet filter: %s",
			firewall_error(network.firewall));
	network_close(&network);
	return code;
}

static int run(struct cli *cli)
{
	struct firewall_state state = {0};
	bool network_read = false;
	struct context c;
	int code = context_open(&c, cli, CONTEXT_LOADED | CONTEXT_CLIENT);

	if (!code)
		code = context_state(&c, false);
	if (!code)
		code = refused_read(&state, &network_read, cli, c.program, c.now);
	if (!code)
		code = show(cli, c.program, c.client, &state, network_read, &c.grants, c.now);
	firewall_state_free(&state);
	context_close(&c);
	return code;
}

const struct command command_denied = {
	.name = "denied",
	.operands = "[CLIENT]",
	.max_operands = 1,
	.options = OPT_JSON | OPT_CSV,
	.summary = "Show denied sources and the users they may belong to",
	.help = "The packet filter keeps denied sources for 24 hours after their last packet. Shows whether an address is near\n"
		"an allowed one (the same /24 or /48) or belongs to a user. With CLIENT: only addresses that may belong to\n"
		"that client.\n",
	.run = run,
};
