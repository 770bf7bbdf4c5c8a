/* A record of access as text. SQL access and network access are two facts, shown separately. */
#include "curfew/report.h"
#include "curfew/text.h"

bool access_is_plain(const struct journal_entry *e)
{
	return (!e->outcome || is_verified(e->outcome)) &&
	       (!e->after || streq(e->after, ACCESS_ALLOWED)) && e->sources && *e->sources;
}

void access_sql_write(FILE *to, const struct journal_entry *e)
{
	fputs(e->level ? e->level : "?", to);
	/* Records of older versions have no outcome. */
	if (e->outcome && !is_verified(e->outcome))
		fprintf(to, ", %s%s%s", e->outcome, e->detail ? ": " : "",
			e->detail ? e->detail : "");
}

void access_network_write(FILE *to, const struct journal_entry *e)
{
	const char *sources = e->sources && *e->sources ? e->sources : NULL;
	bool allowed = !e->after || streq(e->after, ACCESS_ALLOWED);

	if (allowed)
		fputs(sources ? sources : ACCESS_CLOSED, to);
	else if (sources && streq(e->after, ACCESS_UNCONFIRMED))
		fprintf(to, "%s: %s", e->after, sources);
	else
		fputs(e->after, to);
}

char *access_text(
	void (*write)(FILE *to, const struct journal_entry *e), const struct journal_entry *e)
{
	struct text text;

	if (text_begin(&text))
		write(text.to, e);
	return text_end(&text);
}
