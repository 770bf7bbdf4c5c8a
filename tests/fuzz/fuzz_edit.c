/* A client file that is edited, and the intake form: a line of choices, a value, then the text. What an edit makes is the
 * text with one place changed; what a form says stays within the strings that it is written into. */
#include "fuzz.h"

#include <libconfig.h>
#include "program/edit.h"
#include "program/edit_check.h"
#include "program/intake.h"

/* libconfig 1.5 itself forgets strings at which a syntax error stops it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\nleak:libconfig_yylex\n";
}

static const char *const paths[] = {"client", "client.users", "client.users.[0].sources", ""};

/* Everything before the first difference and behind the last one is the same: what lies between is no longer than the
 * value, what it replaced, and a little that separates. */
static void place_check(const char *before, const char *after, const struct edit *e)
{
	size_t n = strlen(before), m = strlen(after), head = 0, tail = 0;

	while (head < n && head < m && before[head] == after[head])
		head++;
	while (tail < n - head && tail < m - head && before[n - 1 - tail] == after[m - 1 - tail])
		tail++;
	/* Where nothing is taken away, nothing is missing. */
	if (e->kind == EDIT_ADD)
		REQUIRE(m > n && n - head - tail <= n);
	if (e->kind == EDIT_UNSET || e->kind == EDIT_REMOVE)
		REQUIRE(m <= n);
}

static void edit_try(const char *text, const char *value, unsigned choice)
{
	struct edit e = {.kind = (enum edit_kind)(choice % 5),
		.path = paths[choice / 5 % 4],
		.name = choice & 128 ? "go_live" : "starts",
		.after = choice & 64 ? "starts" : NULL,
		.index = choice % 3};
	char *after = NULL;

	e.value = e.kind == EDIT_UNSET || e.kind == EDIT_REMOVE ? NULL : value;
	if (edit_apply(&after, text, &e) != 0)
		return;
	REQUIRE(edit_check(text, after, &e) == 0);
	place_check(text, after, &e);
	free(after);
}

/* The names and addresses come back as they were given, and nothing beside them. */
static void form_check(const struct intake *i)
{
	char *text = intake_write(i, NULL, NULL);
	const char *first;
	config_t c;

	REQUIRE(text != NULL);
	config_init(&c);
	/* Text that is no UTF-8 is refused by the reader before this library sees it. */
	if (config_read_string(&c, text)) {
		const config_setting_t *users = config_lookup(&c, "client.users");

		REQUIRE(config_setting_length(config_root_setting(&c)) == 1);
		REQUIRE(users && (size_t)config_setting_length(users) == i->n_people);
		for (size_t k = 0; k < i->n_people; k++) {
			const config_setting_t *u = config_setting_get_elem(users, (unsigned)k);

			REQUIRE(config_setting_length(u) == 4);
			REQUIRE(config_setting_lookup_string(u, "first", &first));
			REQUIRE(strcmp(first, i->people[k].first ? i->people[k].first : "") == 0);
		}
	}
	config_destroy(&c);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int (*const forms[])(struct intake * i, const char *text, char why[256]) = {
		intake_read_csv, intake_read_json};
	struct input in = {data, size};
	unsigned choice = (unsigned)input_number(&in, 1);
	char *value = input_text(&in, '\n'), *text = input_text(&in, '\0'), why[256];

	edit_try(text, value, choice);
	edit_managed_line(text);
	for (size_t f = 0; f < 3; f++) {
		struct intake i = {.name = strdup("acme")};

		if ((f < 2 ? forms[f](&i, text, why) : intake_read_text(&i, text)) == 0)
			form_check(&i);
		intake_free(&i);
	}
	free(value);
	free(text);
	return 0;
}
