/* Checks each answer at once with the reader of client files, in a file with this answer in which everything else is
 * valid. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands/new_ask.h"
#include "commands/new_place.h"
#include "curfew/last_good.h"
#include "curfew/text.h"
#include "program/loading.h"
#include "program/visible_text.h"

bool intake_is_sound(
	const struct amendment *a, const struct intake *i, const char *today, bool placed)
{
	_cleanup_free_ char *text = intake_write(i, a->program->servers[0].name, today);
	const struct edited_file edited = {a->path, text};
	struct problems problems = {0};
	struct program *p = NULL;
	size_t errors = 0;

	if (!text ||
		program_load_edited(&p, &problems, a->cli->config, &edited, (instant_t)time(NULL)))
		return false;
	for (size_t k = 0; k < problems.n; k++) {
		const struct problem *x = &problems.items[k];

		if (x->severity != SEVERITY_ERROR || !streq(x->file, a->path))
			continue;
		if (placed)
			intake_problem_print(a->cli, i, text, x);
		else
			text_printf(stderr, "  %s\n", x->text);
		errors++;
	}
	problems_free(&problems);
	program_free(p);
	return errors == 0;
}

/* Without surrounding spaces; NULL at the end of input. "" means `usual`. */
static char *answer_take(const char *question, const char *usual)
{
	char *line = NULL;
	size_t size = 0;

	text_printf(stderr, usual && *usual ? "%s [%s]: " : "%s: ", question, usual);
	ssize_t n = getline(&line, &size, stdin);
	if (n < 0) {
		free(line);
		fputc('\n', stderr);
		return NULL;
	}
	while (n > 0 && strchr(" \t\r\n", line[n - 1]))
		line[--n] = '\0';
	size_t from = strspn(line, " \t");
	char *answer = strdup(line[from] || !usual ? line + from : usual);
	free(line);
	return answer;
}

struct questions {
	const struct amendment *a;
	struct intake *i;
	const char *today;
	size_t people; /* of users that have answers; the others are not checked */
};

static bool is_sound(const struct questions *q)
{
	size_t known = q->i->n_people;

	q->i->n_people = known < q->people ? known : q->people;
	bool sound = intake_is_sound(q->a, q->i, q->today, false);
	q->i->n_people = known;
	return sound;
}

static int ended(const struct questions *q)
{
	return cli_fail(q->a->cli, EXIT_FAILED, "nothing done: no answer");
}

/* Asks until the answer is valid; `optional`: "" means none. */
static int text_ask(const struct questions *q, char **out, const char *question, const char *usual,
	bool optional)
{
	while (!*out) {
		char *answer = answer_take(question, usual);

		if (!answer)
			return ended(q);
		*out = answer;
		if ((!*answer && !optional) || (*answer && !is_sound(q))) {
			free(answer);
			*out = NULL;
		} else if (!*answer) {
			free(answer);
			*out = NULL;
			break;
		}
	}
	return 0;
}

/* "sql01 AcmeTest", or only the database if there is one server. */
static int database_set(
	struct intake *i, const struct program *p, const char *role, const char *answer)
{
	struct intake_database *d = intake_database_add(i);
	size_t n = strcspn(answer, " \t");
	const char *name = answer + n + strspn(answer + n, " \t");

	if (!d)
		return -ENOMEM;
	d->role = strdup(role);
	d->server =
		*name ? strndup(answer, n) : strdup(p->n_servers == 1 ? p->servers[0].name : "");
	d->name = strdup(*name ? name : answer);
	return d->role && d->server && d->name ? 0 : -ENOMEM;
}

static int database_ask(const struct questions *q, const char *role)
{
	const struct program *p = q->a->program;
	char question[96];

	snprintf(question, sizeof(question), "Database for %s (%sNAME; empty: none)", role,
		p->n_servers == 1 ? "" : "SERVER ");
	for (;;) {
		_cleanup_free_ char *answer = answer_take(question, NULL);

		if (!answer)
			return ended(q);
		if (!*answer)
			return 0;
		if (database_set(q->i, p, role, answer) < 0)
			return EXIT_FAILED;
		if (is_sound(q))
			return 0;
		intake_database_drop(q->i);
	}
}

static int databases_ask(const struct questions *q)
{
	static const char *const roles[] = {"staging", "production"};
	int code = 0;

	while (!q->i->n_databases && !code)
		for (size_t r = 0; r < ARRAY_SIZE(roles) && !code; r++)
			code = database_ask(q, roles[r]);
	return code;
}

static int addresses_ask(const struct questions *q, struct intake_person *p)
{
	while (!p->addresses.n) {
		_cleanup_free_ char *answer =
			answer_take("  Addresses (with commas between)", NULL);

		if (!answer)
			return ended(q);
		if (intake_addresses_add(p, answer) < 0)
			return EXIT_FAILED;
		if (p->addresses.n && !is_sound(q))
			strings_clear(&p->addresses);
	}
	return 0;
}

static int person_complete(const struct questions *q, struct intake_person *p)
{
	int code;

	/* From the pasted text or the form. */
	if (p->addresses.n && !is_sound(q))
		strings_clear(&p->addresses);
	code = text_ask(q, &p->first, "  First name", NULL, false);

	/* A user with a single name has last = "". */
	if (!code && !p->last) {
		code = text_ask(q, &p->last, "  Last name (empty: none)", NULL, true);
		if (!code && !p->last)
			p->last = strdup("");
	}
	if (!code)
		code = text_ask(q, &p->email, "  Email", NULL, false);
	return code ? code : addresses_ask(q, p);
}

static void people_show(const struct intake *i)
{
	for (size_t k = 0; k < i->n_people; k++) {
		const struct intake_person *p = &i->people[k];

		text_printf(stderr, "  taken: %s %s <%s>", p->first ? p->first : "?",
			p->last ? p->last : "?", p->email ? p->email : "?");
		for (size_t m = 0; m < p->addresses.n; m++)
			text_printf(stderr, "%s %s", m ? "," : "", p->addresses.items[m]);
		fputc('\n', stderr);
	}
}

/* Reads lines up to one with only a dot. */
static int text_paste(const struct questions *q)
{
	struct text text;
	char *line = NULL;
	size_t size = 0;

	fputs("Paste the text, then a line with a dot alone:\n", stderr);
	if (!text_begin(&text))
		return EXIT_FAILED;
	while (getline(&line, &size, stdin) > 0 && !streq(line, ".\n"))
		fputs(line, text.to);
	free(line);
	_cleanup_free_ char *pasted = text_end(&text);
	if (!pasted || intake_read_text(q->i, pasted) < 0)
		return EXIT_FAILED;
	if (!q->i->n_people)
		fputs("  no mail address found\n", stderr);
	people_show(q->i);
	return 0;
}

static int people_ask(struct questions *q)
{
	unsigned most = q->a->program->settings.max_users;
	int code = 0;

	while (!q->i->n_people && !code) {
		_cleanup_free_ char *answer = answer_take(
			"Users: paste a text with their mail and network addresses (p), or type them (t)",
			"t");

		if (!answer)
			return ended(q);
		if (*answer == 'p')
			code = text_paste(q);
		else if (!intake_person_add(q->i))
			code = EXIT_FAILED;
	}
	for (size_t k = 0; k < q->i->n_people && !code; k++) {
		fprintf(stderr, "User %zu\n", k + 1);
		q->people = k + 1;
		code = person_complete(q, &q->i->people[k]);
		if (code || k + 1 < q->i->n_people || q->i->n_people >= most)
			continue;
		_cleanup_free_ char *more = answer_take("Another user? y or n", "n");
		if (!more)
			return ended(q);
		if (*more == 'y' && !intake_person_add(q->i))
			code = EXIT_FAILED;
	}
	return code;
}

int intake_ask(const struct amendment *a, struct intake *i, const char *today)
{
	struct questions q = {a, i, today, 0};
	int code = text_ask(&q, &i->ticket, "Ticket", NULL, false);

	if (!code)
		code = text_ask(&q, &i->approved_by, "Approved by", NULL, false);
	if (!code)
		code = text_ask(&q, &i->approved_on, "Approved on", today, false);
	if (!code)
		code = text_ask(
			&q, &i->timezone, "Time zone", a->program->settings.timezone, false);
	if (!code)
		code = text_ask(&q, &i->starts, "Access starts", today, false);
	if (!code)
		code = text_ask(&q, &i->go_live,
			"Go-live, as 2027-01-11T09:00 (empty: not agreed yet)", NULL, true);
	if (!code && !i->n_databases)
		code = databases_ask(&q);
	return code ? code : people_ask(&q);
}
