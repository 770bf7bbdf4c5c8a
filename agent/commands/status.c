/* curfew status: what holds now, as observed, and what comes next. */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "commands/board_read.h"
#include "commands/revocation.h"
#include "curfew/calendar.h"
#include "curfew/report.h"
#include "program/visible_text.h"

struct seen {
	struct records records;
	const struct firewall_state *network; /* NULL: not looked at */
	const struct context *context;
};

/* An entry of the allowlist lets one of the user's addresses reach the grant's server. */
static bool is_admitted(const struct firewall_state *s, const struct grant *g)
{
	for (size_t i = 0; i < s->n_allows; i++)
		if (grant_is_behind(g, &s->allows[i].source, &s->allows[i].endpoint))
			return true;
	return false;
}

static const struct record *grant_record(const struct records *k, const struct grant *g)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct record *r = &k->items[i];
		if (r->kind == RECORD_GRANT && streq(r->server, g->server->name) &&
			streq(r->login, g->user->login) && streq(r->database, g->database->name))
			return r;
	}
	return NULL;
}

/* What was not seen is never shown as none. */
static bool is_seen(const struct record *r)
{
	return r && r->state != STATE_UNREACHABLE && r->grant.seen == ANSWER_YES;
}

static bool is_residual(const struct record *r)
{
	return r->kind == RECORD_GRANT && r->grant.origin == GRANT_RESIDUAL;
}

static json_t *status_json(
	const struct grants *g, const struct seen *seen, const char *client, instant_t now)
{
	json_t *grants = json_array(), *servers = json_array(), *sessions = json_array();
	json_t *residual = json_array();

	for (size_t i = 0; i < g->n; i++) {
		const struct grant *k = &g->items[i];
		if (client && !streq(client, k->client->name))
			continue;
		const struct record *r = grant_record(&seen->records, k);
		json_t *object = grant_json(k);
		enum state state = r ? r->state : STATE_UNREACHABLE;
		json_object_set_new(object, "state", json_string(state_name(state)));
		json_object_set_new(object, "observed",
			is_seen(r) ? json_string(level_name(r->grant.level)) : json_null());
		json_object_set_new(
			object, "detail", r && *r->detail ? text_json(r->detail) : json_null());
		json_object_set_new(object, "packets",
			seen->network ? json_integer((json_int_t)grant_packets(seen->network, k))
				      : json_null());
		json_object_set_new(object, "network",
			seen->network
				? json_string(is_admitted(seen->network, k) ? "allowed" : "closed")
				: json_null());
		json_array_append_new(grants, object);
	}
	for (size_t i = 0; i < seen->records.n; i++) {
		const struct record *r = &seen->records.items[i];
		if (r->kind == RECORD_SERVER)
			json_array_append_new(servers, record_json(r));
		if (r->kind == RECORD_SESSION)
			json_array_append_new(sessions, record_json(r));
		if (is_residual(r))
			json_array_append_new(residual, record_json(r));
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "at", instant_json(now), "servers", servers,
		"grants", grants, "residual", residual, "sessions", sessions);
}

/* Whose phase stands for the client's: nobody's who alone was revoked. */
static const struct grant *heading_grant(const struct grant *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (items[i].phase != PHASE_REVOKED)
			return &items[i];
	return items;
}

/* What is over says so itself, and since when. */
static bool is_over(const struct grant *g, instant_t now)
{
	return now >= g->client->end || g->phase == PHASE_REVOKED;
}

static void client_heading(const struct client *c, const struct grant *g, instant_t now, bool color)
{
	char words[WORDS_MAX], duration[WORDS_MAX], when[64];
	bool ends = c->has_go_live && now >= c->go_live;
	instant_t next = now < c->starts	   ? c->starts
			 : c->has_go_live && !ends ? c->go_live
						   : c->end;
	const char *what = now < c->starts	     ? "starts"
			   : c->has_go_live && !ends ? "go-live"
						     : "all access ends";

	printf("%s%s%s  ", style_begin(color, TONE_BOLD), c->name, style_end(color, TONE_BOLD));
	if (is_over(g, now))
		puts(grant_words(words, g, now));
	else
		printf("%s, %s in %s, %s\n", phase_name(g->phase), what,
			duration_words(duration, next - now),
			instant_format_local(when, sizeof(when), next, c->timezone));
}

/* Who shut them out, and why: whoever is asked to let them in again must know. */
static void revocation_print(const struct context *c, const struct grant *g)
{
	for (size_t i = 0; i < c->overrides.n; i++) {
		const struct override *o = &c->overrides.items[i];
		if (!streq(o->client, g->client->name) ||
			(o->login && !names_equal(o->login, g->user->login)))
			continue;
		_cleanup_free_ char *actor = revocation_actor(c->journal, o->client, o->login);
		text_printf(stdout, "  by %s: %s\n", actor ? actor : "an operator",
			o->reason && *o->reason ? o->reason : "no reason recorded");
		return;
	}
}

static struct table *status_table(void)
{
	/* Names are never cut: two rows would look like one. */
	static const struct table_column columns[] = {{"  USER", 0}, {"SERVER", 0}, {"DATABASE", 0},
		{"STATE", 0}, {"LEVEL", 0}, {"UNTIL", 0}, {"NETWORK", 0}, {"REMARK", TABLE_WRAP}};
	struct table *t;

	return table_new(&t, columns, ARRAY_SIZE(columns), stdout, 0) ? NULL : t;
}

/* The day on which the level changes; the time stands above the table. */
static void until_cell(struct table *t, const struct grant *g)
{
	struct local_time l;

	if (g->next_level == g->level || instant_to_local(&l, g->until, g->client->timezone))
		table_cell(t, NULL);
	else
		table_cellf(t, "%04d-%02d-%02d", l.year, l.month, l.day);
}

static void network_cell(struct table *t, const struct grant *g, const struct firewall_state *s)
{
	unsigned long long packets = s ? grant_packets(s, g) : 0;

	if (!s)
		table_cell(t, NULL);
	else if (!is_admitted(s, g))
		table_cell(t, "closed");
	else if (packets)
		table_cellf(t, "%llu packets", packets);
	else
		table_cell(t, "allowed");
}

static void status_row(struct table *t, const struct grant *g, const struct seen *seen)
{
	const struct record *r = grant_record(&seen->records, g);
	enum state state = r ? r->state : STATE_UNREACHABLE;
	bool known = r && r->state != STATE_UNREACHABLE;

	table_row(t, state_tone(state));
	table_cellf(t, "  %s", g->user->login);
	table_cell(t, g->server->name);
	table_cell(t, g->database->name);
	table_cell(t, state_name(state));
	/* What is there, and what should be when that is something else. */
	if (is_seen(r) && r->grant.level != g->level)
		table_cellf(
			t, "%s (scheduled: %s)", level_name(r->grant.level), level_name(g->level));
	else
		table_cell(t, is_seen(r) ? level_name(g->level) : "?");
	until_cell(t, g);
	network_cell(t, g, seen->network);
	/* What keeps a whole server from us is said once, below. */
	table_cell(t, known && *r->detail ? r->detail : "");
}

/* What comes next is the same for most grants of a client: it is said once, above those of which it is true. */
static int client_print(const struct grant *items, size_t n, const struct seen *seen, instant_t now)
{
	const struct grant *heading = heading_grant(items, n);
	char words[WORDS_MAX];

	for (size_t i = 0; i < n; i++) {
		if (!grant_begins_group(items, i))
			continue;
		if (items[i].phase == PHASE_REVOKED)
			revocation_print(seen->context, &items[i]);
		struct table *t = status_table();
		if (!t)
			return -ENOMEM;
		/* Unless the heading has said it. */
		if (!is_over(heading, now) || !grant_is_alike(heading, &items[i]))
			printf("  %s\n", grant_words(words, &items[i], now));
		for (size_t k = i; k < n; k++)
			if (grant_is_alike(&items[i], &items[k]))
				status_row(t, &items[k], seen);
		table_print(t);
		table_free(t);
		putchar('\n');
	}
	return 0;
}

/* What was given and the configuration does not name any more. */
static int residual_print(const struct records *k)
{
	static const struct table_column columns[] = {{"  USER", 0}, {"SERVER", 0}, {"DATABASE", 0},
		{"STATE", 0}, {"LAST KNOWN", 0}, {"REMARK", TABLE_WRAP}};
	struct table *t = NULL;

	for (size_t i = 0; i < k->n; i++) {
		const struct record *r = &k->items[i];
		if (!is_residual(r))
			continue;
		if (!t && table_new(&t, columns, ARRAY_SIZE(columns), stdout, 0))
			return -ENOMEM;
		table_row(t, state_tone(r->state));
		table_cellf(t, "  %s", r->login);
		table_cell(t, r->server);
		table_cell(t, r->database);
		table_cell(t, state_name(r->state));
		table_cell(t, *r->database ? level_name(r->grant.level) : "login");
		table_cell(t, r->detail);
	}
	if (!t)
		return 0;
	puts("not in the configuration, and not verified gone");
	table_print(t);
	table_free(t);
	putchar('\n');
	return 0;
}

/* Of clients whose file has milestones. */
static void milestone_print(const struct context *c, const struct client *client)
{
	struct context of = *c;
	struct board b = {0};
	char text[160];

	of.client = client;
	if (!client->has_milestones || board_read(&b, &of))
		return;
	if (b.n && milestone_sentence(text, &b.cards[0], c->now)) {
		text_printf(stdout, "  next milestone: %s", text);
		if (b.cards[0].late > 1)
			printf("; %zu are late", b.cards[0].late);
		putchar('\n');
	}
	board_free(&b);
}

static int status_print(
	const struct grants *g, const struct seen *seen, const char *only, instant_t now)
{
	bool color = style_wanted(stdout);

	for (size_t i = 0; i < g->n;) {
		const struct client *c = g->items[i].client;
		size_t from = i;
		while (i < g->n && g->items[i].client == c)
			i++;
		if (only && !streq(only, c->name))
			continue;
		client_heading(c, heading_grant(&g->items[from], i - from), now, color);
		milestone_print(seen->context, c);
		if (client_print(&g->items[from], i - from, seen, now))
			return EXIT_FAILED;
	}
	if (residual_print(&seen->records))
		return EXIT_FAILED;
	for (size_t i = 0; i < seen->records.n; i++) {
		const struct record *r = &seen->records.items[i];
		if (r->kind == RECORD_NOTE ||
			(r->kind == RECORD_SERVER && r->state == STATE_UNREACHABLE))
			text_printf(
				stdout, "%s: %s: %s\n", r->server, state_name(r->state), r->detail);
		if (r->kind == RECORD_SESSION)
			text_printf(stdout, "session %llu of %s on %s from %s (%s)%s%s\n",
				(unsigned long long)r->session.number, r->login, r->server,
				*r->session.address ? r->session.address : "?",
				*r->session.program ? r->session.program : "?",
				*r->detail ? ": " : "", r->detail);
	}
	return EXIT_FINE;
}

static int show(const struct context *c, const struct seen *seen)
{
	const char *only = c->client ? c->client->name : NULL;

	if (!c->cli->json)
		return status_print(&c->grants, seen, only, c->now);
	return json_print(status_json(&c->grants, seen, only, c->now), stdout) ? EXIT_FAILED
									       : EXIT_FINE;
}

static int observe(struct context *c, struct seen *seen)
{
	struct pass_result result;
	struct pass_options o = {
		.mode = PASS_STATUS,
		.program = c->program,
		.overrides = &c->overrides,
		.journal = c->journal,
		.now = c->now,
		.client = c->client ? c->client->name : NULL,
		.sink = records_keep,
		.context = &seen->records,
	};
	int code = cli_pass(&result, c->cli, &o) ? EXIT_FAILED : show(c, seen);

	if (!code && (result.overdue || result.unreachable))
		code = EXIT_FAILED;
	else if (!code && (result.drift || result.excess || result.unread || result.unverified))
		code = EXIT_DIFFERENT;
	return code;
}

static int run(struct cli *cli)
{
	struct firewall_state state = {0};
	struct network network = {0};
	struct context c;
	struct seen seen = {.context = &c};
	int code = context_open(&c, cli, CONTEXT_LOADED | CONTEXT_CLIENT);

	if (!code)
		code = context_state(&c, false);
	/* Without the right to read the packet filter, show the rest. */
	if (!code && !cli_network_beside(&network, cli, c.program) && network.present &&
		!firewall_observe(&state, network.firewall, c.now))
		seen.network = &state;
	if (!code)
		code = observe(&c, &seen);
	firewall_state_free(&state);
	network_close(&network);
	records_free(&seen.records);
	context_close(&c);
	return code;
}

const struct command command_status = {
	.name = "status",
	.operands = "[CLIENT]",
	.max_operands = 1,
	.options = OPT_JSON,
	.summary = "Show current access and the next change",
	.help = "Reads the SQL servers and the packet filter. Changes nothing.\n"
		"States: ok, waiting, drift, excess, unverified, unread, unreachable, overdue. See curfew(8).\n"
		"Exit status: 0 ok or waiting, 1 overdue or unreachable, 2 any other state.\n",
	.run = run,
};
