/* Names, strings and whole statements of T-SQL. A reader of its own, which knows T-SQL's quoting and nothing of
 * how the agent writes it, must find the very names again; outside of quotes there are words of ours alone. */
#include "tsql.h"

#include <errno.h>
#include "curfew/sql.h"
#include "sql/name.h"

static void quoting_check(
	const char *name, void (*write)(FILE *, const char *), const char *open, char close)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	const char *at;

	REQUIRE(f != NULL);
	write(f, name);
	fclose(f);
	REQUIRE(strlen(text) == size);
	REQUIRE(strncmp(text, open, strlen(open)) == 0);
	at = text + strlen(open);
	_cleanup_free_ char *read = quoted_read(&at, close);
	/* It ends there and not before. */
	REQUIRE(*at == '\0');
	REQUIRE(strcmp(read, name) == 0);
	free(text);
}

/* A name of the input, or none. */
/* Half a surrogate pair makes the whole statement a string: the unit tests read that back. */
static void name_whole(char *name)
{
	for (char *c = name; name && *c; c++)
		if (!name_is_whole(c))
			*c = *c == '\xed' ? '?' : *c;
}

static char *name_take(struct input *in, struct names *names)
{
	bool is_there = input_number(in, 1) & 1;
	char *name = is_there ? input_text(in, '\n') : NULL;

	name_whole(name);
	names_add(names, name);
	return name;
}

static char *name_need(struct input *in, struct names *names)
{
	char *name = input_text(in, '\n');

	name_whole(name);
	names_add(names, name);
	return name;
}

/* What is written without quotes comes from tables: of the configuration, or of the server's catalog. */
static const char *word_take(struct input *in)
{
	static const char *const words[] = {
		"SELECT", "VIEW DEFINITION", "CREATE SEQUENCE", "IMPERSONATE", "SCHEMA", "ROLE"};

	return words[input_number(in, 1) % ARRAY_SIZE(words)];
}

static void permission_take(struct permission *p, struct input *in, struct names *names)
{
	static const uint8_t classes[] = {0, 1, 3, 4, 6, 25, 100, 101};

	*p = (struct permission){.class = classes[input_number(in, 1) % sizeof(classes)],
		.state = "GWD"[input_number(in, 1) % 3]};
	p->name = strdup(word_take(in));
	p->object = name_take(in, names);
	p->column = name_take(in, names);
	p->grantee = name_need(in, names);
	p->grantor = name_take(in, names);
	/* Of a principal, key and the like it is the kind: a word of the agent's own query. */
	if (p->class == 4 || p->class == 25) {
		p->schema = strdup(word_take(in));
		names_add(names, p->schema);
	} else {
		p->schema = name_take(in, names);
	}
}

static void change_take(struct change *c, struct input *in, struct names *names)
{
	*c = (struct change){
		.kind = (enum change_kind)(input_number(in, 1) % (CHANGE_LOGIN_ENABLE + 1)),
		.session = {.id = (uint32_t)input_number(in, 4)}};
	c->database = name_take(in, names);
	c->login = name_need(in, names);
	c->principal = name_need(in, names);
	c->role = name_need(in, names);
	permission_take(&c->permission, in, names);
	if (c->kind != CHANGE_OWNER)
		return;
	/* An owned thing has a kind, and a name. */
	if (!c->permission.object)
		c->permission.object = name_need(in, names);
	c->n_regrants = input_number(in, 1) % 3;
	c->regrants = calloc(c->n_regrants + 1, sizeof(*c->regrants));
	REQUIRE(c->regrants != NULL);
	for (size_t i = 0; i < c->n_regrants; i++)
		permission_take(&c->regrants[i], in, names);
}

static void change_check(struct input *in)
{
	struct names names = {.n = 0};
	_cleanup_free_ char *password = name_need(in, &names);
	struct difference d = {0};
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	d.changes = calloc(1, sizeof(*d.changes));
	REQUIRE(f != NULL && d.changes != NULL);
	d.n_changes = 1;
	change_take(&d.changes[0], in, &names);
	names_add(&names, "master");
	names_add(&names, "dbo");
	names_add(&names, "********");
	names_add(&names, MARK_ROLE);
	int r = sql_write_change(f, &d.changes[0], password, NULL);
	REQUIRE(r == 0 || r == -ENOTSUP);
	fclose(f);
	/* One that cannot be written is not run. */
	if (r == 0) {
		REQUIRE(size > 0 && text[size - 1] == ';');
		statement_check(text, &names);
	}
	free(text);
	difference_free(&d);
}

static void handover_check(const char *login, const char *password, bool must_change)
{
	struct names names = {.items = {login, password}, .n = 2};
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	REQUIRE(f != NULL);
	REQUIRE(sql_write_handover(f, login, password, must_change) == 0);
	fclose(f);
	statement_check(text, &names);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size}, again = in;
	_cleanup_free_ char *name = input_text(&again, '\n'), *other = input_text(&again, '\n');

	quoting_check(name, sql_write_name, "[", ']');
	quoting_check(name, sql_write_string, "N'", '\'');
	handover_check(name, other, input_number(&again, 1) & 1);
	change_check(&in);
	return 0;
}
