/* Writes a new client file from the data of an intake. */
#include "program/intake.h"
#include "program/edit.h"
#include "program/levels.h"
#include "curfew/milestones.h"
#include "curfew/text.h"

#include <errno.h>
#include <string.h>

void intake_free(struct intake *i)
{
	for (size_t k = 0; k < i->n_people; k++) {
		free(i->people[k].first);
		free(i->people[k].last);
		free(i->people[k].email);
		strings_free(&i->people[k].addresses);
	}
	while (i->n_databases)
		intake_database_drop(i);
	for (size_t m = 0; m < MILESTONES; m++)
		free(i->milestones[m]);
	free(i->people);
	free(i->databases);
	free(i->name);
	free(i->ticket);
	free(i->approved_by);
	free(i->approved_on);
	free(i->timezone);
	free(i->starts);
	free(i->go_live);
	*i = (struct intake){0};
}

struct intake_person *intake_person_add(struct intake *i)
{
	return ARRAY_MORE(i->people, i->n_people);
}

struct intake_database *intake_database_add(struct intake *i)
{
	return ARRAY_MORE(i->databases, i->n_databases);
}

void intake_database_drop(struct intake *i)
{
	struct intake_database *d = &i->databases[--i->n_databases];

	free(d->role);
	free(d->server);
	free(d->name);
	free(d->before_go_live);
}

int intake_addresses_add(struct intake_person *p, const char *list)
{
	_cleanup_free_ char *copy = strdup(list);
	char *rest = copy, *one;

	if (!copy)
		return -ENOMEM;
	while ((one = strsep(&rest, ",; \t\r\n"))) {
		struct strings *a = &p->addresses;
		char **address = *one ? ARRAY_MORE(a->items, a->n) : NULL;

		if (!*one)
			continue;
		if (!address || !(*address = strdup(one)))
			return -ENOMEM;
	}
	return 0;
}

static void quoted_write(FILE *to, const char *before, const char *value, const char *after)
{
	_cleanup_free_ char *quoted = edit_quote(value);

	fprintf(to, "%s%s%s", before, quoted ? quoted : "\"\"", after);
}

/* Writes a setting on a line of its own, or nothing if its value is unknown. */
static void setting_write(FILE *to, const char *name, const char *value, const char *draft)
{
	_cleanup_free_ char *before = NULL;

	if ((!value && !draft) || asprintf(&before, "\t%s = ", name) < 0) {
		before = NULL;
		return;
	}
	quoted_write(to, before, value ? value : draft, ";\n");
}

static void databases_write(FILE *to, const struct intake *i, const char *draft)
{
	const struct intake_database any = {
		(char *)"staging", (char *)draft, (char *)"curfew-new-draft", NULL};
	const struct intake_database *list = i->n_databases ? i->databases : &any;
	size_t n = i->n_databases ? i->n_databases : draft ? 1 : 0;

	fputs("\n\tdatabases = (\n", to);
	for (size_t k = 0; k < n; k++) {
		quoted_write(to, "\t\t{ role = ", list[k].role, "; ");
		quoted_write(to, "server = ", list[k].server, "; ");
		quoted_write(to, "name = ", list[k].name, ";");
		if (list[k].before_go_live)
			quoted_write(to, " before_go_live = ", list[k].before_go_live, ";");
		fputs(k + 1 < n ? " },\n" : " }\n", to);
	}
	fputs("\t);\n", to);
}

static void person_write(FILE *to, const struct intake_person *p, bool draft, const char *after)
{
	fputs("\t\t{\n", to);
	quoted_write(to, "\t\t\tfirst = ", p->first ? p->first : draft ? "Draft" : "", ";\n");
	quoted_write(to, "\t\t\tlast = ", p->last ? p->last : draft ? "Draft" : "", ";\n");
	quoted_write(to, "\t\t\temail = ",
		p->email ? p->email
		: draft	 ? "draft@curfew.example"
			 : "",
		";\n");
	fputs("\t\t\tsources = (", to);
	for (size_t k = 0; k < p->addresses.n; k++)
		quoted_write(to, k ? ", " : " ", p->addresses.items[k], "");
	fputs(!p->addresses.n && draft ? " \"198.51.100.1\" );\n" : " );\n", to);
	fprintf(to, "\t\t}%s\n", after);
}

static void people_write(FILE *to, const struct intake *i, bool draft)
{
	const struct intake_person any = {0};

	fputs("\n\tusers = (\n", to);
	for (size_t k = 0; k < i->n_people; k++)
		person_write(to, &i->people[k], draft, k + 1 < i->n_people ? "," : "");
	if (!i->n_people && draft)
		person_write(to, &any, true, "");
	fputs("\t);\n", to);
}

static void milestones_write(FILE *to, const struct intake *i)
{
	bool any = false;

	for (size_t m = 0; m < MILESTONES; m++) {
		if (!i->milestones[m])
			continue;
		if (!any)
			fputs("\n\tmilestones = {\n", to);
		any = true;
		fprintf(to, "\t\t%s", milestone_name((enum milestone)m));
		quoted_write(to, " = ", i->milestones[m], ";\n");
	}
	if (any)
		fputs("\t};\n", to);
}

char *intake_write(const struct intake *i, const char *draft, const char *today)
{
	struct text text;
	FILE *to = text_begin(&text);

	if (!to)
		return NULL;
	fputs("# One client of the program. Every setting: curfew.conf(5). Check with: curfew check\n"
	      "client = {\n",
		to);
	setting_write(to, "name", i->name, draft ? "draft" : NULL);
	setting_write(to, "ticket", i->ticket, draft);
	setting_write(to, "approved_by", i->approved_by, draft);
	setting_write(to, "approved_on", i->approved_on, draft ? today : NULL);
	fputc('\n', to);
	setting_write(to, "timezone", i->timezone, NULL);
	setting_write(to, "starts", i->starts, draft ? today : NULL);
	setting_write(to, "go_live", i->go_live, NULL);
	milestones_write(to, i);
	databases_write(to, i, draft);
	people_write(to, i, draft);
	fputs("};\n", to);
	return text_end(&text);
}
