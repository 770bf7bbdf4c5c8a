/* Who loses access before its end, and not by the schedule. An upgrade of Curfew may verify more than the version before:
 * whoever plans with the new version reads here whom its first pass shuts. */
#include "commands/plan_shut.h"

#include <jansson.h>

#include "curfew/report.h"
#include "program/visible_text.h"

static bool is_shut(const struct record *r)
{
	return r->kind == RECORD_GRANT && r->grant.shut == ANSWER_YES;
}

static const char *reason_of(const struct record *r)
{
	return *r->detail ? r->detail : "what access there is now is not known";
}

#define TO_DO_MAX (2 * MAX_NAME_BYTES + 256)
static const char *to_do(char text[TO_DO_MAX], const struct record *r)
{
	if (r->state == STATE_EXCESS)
		snprintf(text, TO_DO_MAX,
			"remove that permission; `curfew audit %s` shows the statement", r->client);
	else
		snprintf(text, TO_DO_MAX,
			"run `curfew check-server %s`: it names what the agent login cannot read, and the fix",
			r->server);
	return text;
}

void plan_shut_print(const struct record *items, size_t n, bool applied, FILE *to)
{
	bool color = style_wanted(to);
	char text[TO_DO_MAX];
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += is_shut(&items[i]);
	if (!found)
		return;
	fprintf(to, "%s%zu grant%s %s access before %s end, because it is not verified.%s\n",
		style_begin(color, TONE_BAD), found, found == 1 ? "" : "s",
		applied	     ? "lost"
		: found == 1 ? "loses"
			     : "lose",
		found == 1 ? "its" : "their", style_end(color, TONE_BAD));
	fputs(applied ? "The login is disabled on that server, its sessions are ended, and its addresses blocked.\n"
		      : "The next pass disables the login on that server, ends its sessions, and blocks its addresses.\n",
		to);
	fputs("Access comes back with the first pass that verifies it.\n", to);
	for (size_t i = 0; i < n; i++) {
		const struct record *r = &items[i];
		if (!is_shut(r))
			continue;
		text_printf(
			to, "  %s on %s / %s (%s)\n", r->login, r->server, r->database, r->client);
		text_printf(to, "    %s: %s\n", state_name(r->state), reason_of(r));
		text_printf(to, "    to do: %s\n", to_do(text, r));
	}
	fputc('\n', to);
}

struct json_t *plan_shut_json(const struct record *items, size_t n)
{
	json_t *list = json_array();
	char text[TO_DO_MAX];

	for (size_t i = 0; i < n && list; i++) {
		const struct record *r = &items[i];
		json_t *one =
			!is_shut(r) ? NULL
				    : json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o}", "client",
					      text_json(r->client), "login", text_json(r->login),
					      "server", text_json(r->server), "database",
					      text_json(r->database), "state", state_name(r->state),
					      "reason", text_json(reason_of(r)), "to_do",
					      text_json(to_do(text, r)));
		if (is_shut(r) && json_array_append_new(list, one)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}
