/* Reports what a reload changes, to log and journal: who gains access, which clients were removed. */
#include <string.h>
#include "curfew/calendar.h"
#include "service/internal.h"

static int grant_compare(const void *a, const void *b)
{
	const struct grant *x = a, *y = b;
	int c = strcmp(x->client->name, y->client->name);

	if (!c)
		c = strcmp(x->user->login, y->user->login);
	if (!c)
		c = strcmp(x->server->name, y->server->name);
	return c ? c : strcmp(x->database->name, y->database->name);
}

static const struct source *source_added(const struct user *before, const struct user *now)
{
	for (size_t i = 0; i < now->n_sources; i++) {
		size_t k = 0;
		while (k < before->n_sources &&
			(source_compare(&before->sources[k], &now->sources[i]) != 0 ||
				user_source_end(before, k) < user_source_end(now, i)))
			k++;
		if (k == before->n_sources)
			return &now->sources[i];
	}
	return NULL;
}

/* Describes access that the configuration before did not give, or returns NULL. */
static const char *grant_widened(
	char words[RECORD_TEXT_MAX], const struct grant *before, const struct grant *now)
{
	char a[INSTANT_TEXT_MAX], b[INSTANT_TEXT_MAX], text[SOURCE_TEXT_MAX];
	const struct source *added;

	if (!before) {
		if (now->level == LEVEL_NONE)
			return NULL;
		record_printf(words, RECORD_TEXT_MAX, "new grant: %s until %s",
			level_name(now->level), instant_format(a, now->until));
		return words;
	}
	added = source_added(before->user, now->user);
	if (now->level > before->level)
		record_printf(words, RECORD_TEXT_MAX, "level %s, was %s", level_name(now->level),
			level_name(before->level));
	else if (now->level == before->level && now->level != LEVEL_NONE &&
		 now->until > before->until)
		record_printf(words, RECORD_TEXT_MAX, "%s until %s, was until %s",
			level_name(now->level), instant_format(a, now->until),
			instant_format(b, before->until));
	else if (now->end > before->end)
		record_printf(words, RECORD_TEXT_MAX, "access until %s, was until %s",
			instant_format(a, now->end), instant_format(b, before->end));
	else if (added && now->level != LEVEL_NONE)
		record_printf(words, RECORD_TEXT_MAX, "new source %s", source_format(text, added));
	else
		return NULL;
	return words;
}

static void widenings_report(
	struct service *s, const struct grants *before, const struct grants *now)
{
	char words[RECORD_TEXT_MAX];

	for (size_t i = 0; i < now->n; i++) {
		const struct grant *g = &now->items[i];
		const struct grant *old =
			before->n ? bsearch(g, before->items, before->n, sizeof(*g), grant_compare)
				  : NULL;
		if (!grant_widened(words, old, g))
			continue;
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
	struct grants had = {0}, has = {0};
	instant_t at = service_now(s);

	if (schedule_at(&had, before, &s->overrides, at) == 0 &&
		schedule_at(&has, now, &s->overrides, at) == 0)
		widenings_report(s, &had, &has);
	grants_free(&had);
	grants_free(&has);
	removed_report(s, before, now);
	settings_report(&before->settings, &now->settings);
}
