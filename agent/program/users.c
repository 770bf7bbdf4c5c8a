/* The users of a client, and their logins. */
#include "program/loading.h"
#include "program/names.h"

#include <errno.h>
#include <string.h>

#define USER_EXAMPLE                                                                               \
	"( { first = \"Jane\"; last = \"Doe\"; email = \"jane.doe@acme.example\"; "                \
	"sources = ( \"203.0.113.7\" ); } )"

static void login_read(
	struct user *u, struct reading *r, const config_setting_t *group, const char *client)
{
	const char *login = reading_text(r, group, "login", NULL), *fault;
	const config_setting_t *at = config_setting_get_member(group, "login");
	int result = 0;

	/* An invalid login was reported. Making one from the name would hide that. */
	if (at && !login)
		return;
	if (login)
		u->login = reading_copy(r, login);
	else if (client && u->first && u->last)
		result = login_make(&u->login, client, u->first, u->last);
	if (result < 0)
		r->failure = result;
	if (result == LOGIN_UNSPEAKABLE)
		reading_error(r, group,
			"cannot make an ASCII login from \"%s\", \"%s %s\"; add login = \"...\";",
			client, u->first, u->last);
	/* To the server, names that a collation equates are one login; here they are two people. */
	if (login && !is_ascii(login))
		reading_advice(r, at,
			"login \"%s\" contains characters outside ASCII, which a server may not tell from others (\303\237 and "
			"ss); use an ASCII login",
			login);
	fault = u->login ? login_fault(u->login) : NULL;
	if (fault)
		reading_error(r, at ? at : group,
			"login \"%s\" %s; set a different one with login = \"...\";", u->login,
			fault);
}

/* A user with a login of Curfew's own would have its permissions. */
static void login_compare_agents(const struct user *u, struct reading *r,
	const config_setting_t *group, const struct program *p)
{
	if (u->login && names_equal(u->login, USER_LOGIN)) {
		reading_error(r, group,
			"login \"%s\" is the login as which Curfew makes users; set a different one with login = \"...\";",
			u->login);
		return;
	}
	for (size_t i = 0; u->login && i < p->n_servers; i++) {
		const struct server *s = &p->servers[i];

		if (s->login && names_equal(u->login, s->login)) {
			reading_error(r, group,
				"login \"%s\" is the agent login of server \"%s\" (line %d of %s); set a "
				"different one with login = \"...\";",
				u->login, s->name, s->line, s->file);
			return;
		}
		for (size_t l = LEVEL_READ_ONLY; l < LEVELS; l++)
			if (s->terms[l].role && names_equal(u->login, s->terms[l].role)) {
				reading_error(r, group,
					"login \"%s\" is the role of a level on server \"%s\" (line %d of "
					"%s); set a different one with login = \"...\";",
					u->login, s->name, s->line, s->file);
				return;
			}
	}
}

static void private_warn(struct reading *r, const config_setting_t *list, const struct user *u)
{
	char buf[SOURCE_TEXT_MAX];

	for (size_t i = 0; i < u->n_sources; i++)
		if (source_is_private(&u->sources[i]))
			reading_warning(r, list,
				"%s is a private address; use the public address in the user's packets, "
				"unless the user connects through a private link",
				source_format(buf, &u->sources[i]));
}

/* A trusted source has no end time, so a user behind one keeps network access to the server. */
static void trusted_warn(struct reading *r, const config_setting_t *list, const struct user *u,
	const struct client *c, const struct program *p)
{
	char mine[SOURCE_TEXT_MAX], theirs[SOURCE_TEXT_MAX];

	for (size_t i = 0; i < u->n_sources; i++)
		for (size_t k = 0; k < p->n_servers; k++) {
			const struct source *t =
				client_uses_server(p, c, &p->servers[k])
					? source_overlaps_trusted(&u->sources[i], &p->servers[k])
					: NULL;
			if (t)
				reading_warning(r, list,
					"%s overlaps trusted source %s of server \"%s\", which stays allowed "
					"after access ends; use another address, or remove it from \"trusted\"",
					source_format(mine, &u->sources[i]),
					source_format(theirs, t), p->servers[k].name);
		}
}

/* A user with a single name has last = "". */
static char *last_read(struct reading *r, const config_setting_t *group)
{
	const char *last = NULL;

	if (config_setting_lookup_string(group, "last", &last) && !*last)
		return reading_copy(r, "");
	return reading_copy(r, reading_text(r, group, "last", "\"Doe\""));
}

static void user_read(struct user *u, struct reading *r, const config_setting_t *group,
	const struct client *c, const struct program *p)
{
	static const char *const names[] = {"first", "last", "email", "login", "sources"};
	const config_setting_t *sources;
	const char *email;

	u->line = (int)config_setting_source_line(group);
	reading_known(r, group, "a user", names, ARRAY_SIZE(names));
	u->first = reading_copy(r, reading_text(r, group, "first", "\"Jane\""));
	u->last = last_read(r, group);
	email = reading_text(r, group, "email", "\"jane.doe@acme.example\"");
	if (email && !is_ascii(email))
		reading_error(r, config_setting_get_member(group, "email"),
			"\"%s\" contains characters outside ASCII; use the domain's ASCII form "
			"(xn--...), or another address of this user",
			email);
	else if (email && !name_is_email(email))
		reading_error(r, config_setting_get_member(group, "email"),
			"invalid email address \"%s\"; example: \"jane.doe@acme.example\"", email);
	u->email = reading_copy(r, email);
	login_read(u, r, group, c->name);
	login_compare_agents(u, r, group, p);
	sources = reading_list(r, group, "sources", "( \"203.0.113.7\" )");
	if (sources && config_setting_length(sources) == 0)
		reading_error(r, sources,
			"\"sources\" is empty; add the addresses that the user connects from");
	user_sources_read(u, r, sources, c, &p->settings);
	if (u->n_sources > p->settings.max_sources)
		reading_limit(r, sources,
			"%zu sources exceed the limit of %u per user; use fewer and wider sources, or raise "
			"max_sources in curfew.conf",
			u->n_sources, p->settings.max_sources);
	private_warn(r, sources, u);
	trusted_warn(r, sources, u, c, p);
}

static bool logins_equal(const char *a, const char *b)
{
	_cleanup_free_ char *x = a ? name_fold(a) : NULL, *y = b ? name_fold(b) : NULL;

	return x && y && streq(x, y);
}

static void people_compare(struct reading *r, const struct user *a, const struct user *b)
{
	if (a->email && b->email && names_equal(a->email, b->email))
		reading_say_line(r, SEVERITY_ERROR, b->line,
			"duplicate user %s (first at line %d); merge the sources into one entry",
			b->email, a->line);
	else if (logins_equal(a->login, b->login))
		reading_say_line(r, SEVERITY_ERROR, b->line,
			"duplicate login \"%s\" of %s %s and of %s %s (line %d); set a different one with "
			"login = \"...\";",
			b->login, b->first ? b->first : "?", b->last ? b->last : "?",
			a->first ? a->first : "?", a->last ? a->last : "?", a->line);
}

void users_read(
	struct client *c, struct reading *r, const config_setting_t *group, const struct program *p)
{
	const config_setting_t *list = reading_groups(r, group, "users", USER_EXAMPLE);
	int n = list ? config_setting_length(list) : 0;

	if ((unsigned)n > p->settings.max_users)
		reading_error(r, list,
			"%d users exceed the limit of %u (max_users in curfew.conf); remove some",
			n, p->settings.max_users);
	c->users = reading_array(r, (size_t)n, sizeof(*c->users));
	for (int i = 0; c->users && i < n; i++) {
		const config_setting_t *element = config_setting_get_elem(list, (unsigned)i);

		if (!config_setting_is_group(element))
			continue;
		user_read(&c->users[c->n_users], r, element, c, p);
		for (size_t j = 0; j < c->n_users; j++)
			people_compare(r, &c->users[j], &c->users[c->n_users]);
		c->n_users++;
	}
}
