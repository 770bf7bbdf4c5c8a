/* Reports what a reload changes, to log and journal: who gains access, which clients were removed. */
#include <string.h>
#include "curfew/calendar.h"
#include "curfew/preview.h"
#include "service/internal.h"

/* Describes what the configuration before did not give. */
static void gain_words(char words[RECORD_TEXT_MAX], const struct preview_change *c)
{
	const struct grant *before = c->before, *now = c->after;
	char a[INSTANT_TEXT_MAX], b[INSTANT_TEXT_MAX], text[SOURCE_TEXT_MAX];
	const struct source *added = before ? source_gained(before->user, now->user) : NULL;

	if (!before && now->level == LEVEL_NONE)
		record_printf(words, RECORD_TEXT_MAX, "new grant: %s from %s",
			level_name(now->next_level), instant_format(a, now->until));
	else if (!before)
		record_printf(words, RECORD_TEXT_MAX, "new grant: %s until %s",
			level_name(now->level), instant_format(a, now->until));
	else if (now->level > before->level)
		record_printf(words, RECORD_TEXT_MAX, "level %s, was %s", level_name(now->level),
			level_name(before->level));
	else if (now->level == before->level && now->next_level > now->level &&
		 now->until != before->until)
		record_printf(words, RECORD_TEXT_MAX, "%s from %s, was from %s",
			level_name(now->next_level), instant_format(a, now->until),
			instant_format(b, before->until));
	else if (now->level == before->level && now->until != before->until)
		record_printf(words, RECORD_TEXT_MAX, "%s until %s, was until %s",
			level_name(now->level), instant_format(a, now->until),
			instant_format(b, before->until));
	else if (now->end > before->end)
		record_printf(words, RECORD_TEXT_MAX, "access until %s, was until %s",
			instant_format(a, now->end), instant_format(b, before->end));
	else if (added)
		record_printf(words, RECORD_TEXT_MAX, "new source %s", source_format(text, added));
	else
		record_printf(words, RECORD_TEXT_MAX, "%s from %s, was %s",
			level_name(now->next_level), instant_format(a, now->until),
			level_name(before->next_level));
}

/* The same comparison as in `curfew plan --files`. */
static void gains_report(struct service *s, const struct preview *p)
{
	char words[RECORD_TEXT_MAX];

	for (size_t i = 0; i < p->n; i++) {
		const struct grant *g = p->items[i].after;
		if (!(p->items[i].effect & PREVIEW_GIVES))
			continue;
		gain_words(words, &p->items[i]);
		struct log_fields f = {g->client->name, g->user->login, g->server->name,
			g->database->name, words, "configuration"};
		log_send(LOG_WIDENED, &f, "%s on %s/%s: %s", g->user->login, g->server->name,
			g->database->name, words);
		service_event(s, "access-extended", g->client->name, g->user->login,
			"configuration", "the configuration was changed", words);
	}
}

static void removed_report(
	struct service *s, const struct program *before, const struct program *now)
{
	for (size_t i = 0; i < before->n_clients; i++) {
		const struct client *c = &before->clients[i];
		if (program_client(now, c->name))
			continue;
		struct log_fields f = {.client = c->name};
		log_send(LOG_CLIENT_GONE, &f,
			"client %s was removed from the configuration; its access ends now",
			c->name);
		service_event(s, "client-removed", c->name, NULL, "configuration",
			"its file was removed from the configuration", c->file);
	}
}

/* The population report asks for how long a client's access was taken away. */
static void added_report(struct service *s, const struct program *before, const struct program *now)
{
	for (size_t i = 0; i < now->n_clients; i++) {
		const struct client *c = &now->clients[i];
		if (!program_client(before, c->name))
			service_event(s, "client-added", c->name, NULL, "configuration",
				"its file was added to the configuration", c->file);
	}
}

static void settings_report(const struct settings *a, const struct settings *b)
{
	if (!streq(a->state_directory, b->state_directory) ||
		!streq(a->runtime_directory, b->runtime_directory) ||
		a->firewall.enabled != b->firewall.enabled)
		log_send(LOG_RELOAD_FAILED, NULL,
			"changes of state_directory, runtime_directory, and firewall.enabled take effect at start; "
			"restart the service");
}

void reload_report(struct service *s, const struct program *now)
{
	const struct program *before = s->loaded.program;
	struct preview p;

	if (!preview_make(&p, before, now, &s->overrides, service_now(s))) {
		gains_report(s, &p);
		preview_free(&p);
	}
	removed_report(s, before, now);
	added_report(s, before, now);
	settings_report(&before->settings, &now->settings);
}
