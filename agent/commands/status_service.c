/* The state of the service in `curfew status`. */
#include <jansson.h>

#include "commands/status_service.h"
#include "curfew/calendar.h"
#include "curfew/report.h"
#include "program/visible_text.h"

static instant_t member(const struct cli *cli, const char *name)
{
	return json_integer_value(json_object_get(cli->service, name));
}

void status_service_print(
	const struct cli *cli, bool filters, bool blocks, instant_t now, const char *zone, FILE *to)
{
	const char *reason = json_string_value(json_object_get(cli->service, "pass_reason"));
	char when[64], words[WORDS_MAX];
	instant_t since = member(cli, "since"), last = member(cli, "last_pass"),
		  next = member(cli, "next_transition"), behind = member(cli, "clock_behind");

	if (!cli->service) {
		fprintf(to,
			"service: not running\n%s  until it is started, %saccess is neither ended nor granted\n\n",
			blocks ? "  the kernel still blocks addresses at their end times\n" : "",
			filters ? "SQL " : "");
		return;
	}
	/* Short lines fit on a terminal. */
	fprintf(to, "service: running since %s\n",
		instant_format_local(when, sizeof(when), since, zone));
	if (last)
		text_printf(to, "  last pass %s ago%s%s\n", duration_words(words, now - last),
			reason && *reason ? ": " : "", reason ? reason : "");
	else
		fputs("  no pass yet\n", to);
	if (next)
		fprintf(to, "  next change %s\n",
			instant_format_local(when, sizeof(when), next, zone));
	if (behind)
		fprintf(to, "  the system clock is %s behind\n", duration_words(words, behind));
	fputc('\n', to);
}

struct json_t *status_service_json(const struct cli *cli)
{
	if (!cli->service)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:I}", "since",
		instant_or_null(member(cli, "since")), "last_pass",
		instant_or_null(member(cli, "last_pass")), "pass_reason",
		text_json(json_string_value(json_object_get(cli->service, "pass_reason"))),
		"next_transition", instant_or_null(member(cli, "next_transition")), "clock_behind",
		(json_int_t)member(cli, "clock_behind"));
}
