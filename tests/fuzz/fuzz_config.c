/* Configuration files: parts of the input, divided by lines "%%", are curfew.conf and up to three client files;
 * an empty first part stands for a good curfew.conf. Whatever they say: what is taken is within the program's
 * bounds, no grant is without an end, every message is one clean line, and the engine never asks the firewall
 * process for what it would end on. */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "curfew/firewall_process.h"
#include "program/names.h"
#include "program/config_reader.h"

#define NOW	  INT64_C(1795392408)
#define MAX_FILES 3
#define CA_FD	  100

static const char good[] =
	"servers = (\n"
	"{ name = \"sql01\"; host = \"192.0.2.10\"; ca_file = \"/proc/self/fd/100\"; trusted = ( \"10.0.0.0/24\" ); },\n"
	"{ name = \"sql02\"; host = \"sql02.example\"; ca_file = \"/proc/self/fd/100\"; credential = \"sql01\";\n"
	"  endpoints = ( \"192.0.2.17:1433\", \"[2001:db8:2::17]:1433\" ); }\n"
	");\n";

static char folder[] = "/dev/shm/curfew-fuzz-XXXXXX";

/* libconfig 1.5 itself forgets strings at which a syntax error stops it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\nleak:libconfig_yylex\n";
}

const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
	return "print_suppressions=0";
}

/* ---- files ---- */

static void file_write(const char *name, const void *text, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	REQUIRE(fd >= 0);
	REQUIRE(write(fd, text, size) == (ssize_t)size);
	close(fd);
}

static void file_remove(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
}

static const char *const client_files[MAX_FILES] = {
	"clients.d/a.conf", "clients.d/b.conf", "clients.d/c.conf"};

static void folder_remove(void)
{
	char path[128];

	for (size_t i = 0; i < MAX_FILES; i++)
		file_remove(client_files[i]);
	file_remove("curfew.conf");
	file_remove("sql01");
	snprintf(path, sizeof(path), "%s/clients.d", folder);
	rmdir(path);
	rmdir(folder);
}

static void folder_make(void)
{
	char path[128];

	REQUIRE(mkdtemp(folder) != NULL);
	atexit(folder_remove);
	snprintf(path, sizeof(path), "%s/clients.d", folder);
	REQUIRE(mkdir(path, 0700) == 0);
	file_write("sql01", "-----BEGIN CERTIFICATE-----\n", 28);
	/* Where the certificate lies must stand in the seeds, whatever the folder is called. */
	snprintf(path, sizeof(path), "%s/sql01", folder);
	int fd = open(path, O_RDONLY);
	REQUIRE(fd >= 0 && dup2(fd, CA_FD) == CA_FD);
	close(fd);
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
}

/* Up to the next line "%%"; what follows it is left in the input. */
static size_t part_take(const uint8_t **part, struct input *in)
{
	const uint8_t *end = memmem(in->data, in->left, "%%\n", 3);
	size_t n = end ? (size_t)(end - in->data) : in->left;

	*part = in->data;
	in->data += end ? n + 3 : n;
	in->left -= end ? n + 3 : n;
	return n;
}

static void files_write(struct input *in)
{
	const uint8_t *part;
	size_t n = part_take(&part, in);

	if (n)
		file_write("curfew.conf", part, n);
	else
		file_write("curfew.conf", good, strlen(good));
	for (size_t i = 0; i < MAX_FILES; i++) {
		n = part_take(&part, in);
		if (n)
			file_write(client_files[i], part, n);
		else
			file_remove(client_files[i]);
	}
}

/* ---- what must hold ---- */

/* A file that the library opens by itself would not be checked for owner and mode. It finds none in this folder,
 * and says so. */
static void text_includes_nothing(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = input_copy(data, size);
	struct problems problems = {0};
	struct reading r = {.problems = &problems, .file = "x"};
	config_t config;
	const char *error;

	config_init(&config);
	config_set_include_dir(&config, "/nonexistent");
	reading_parse(&r, &config, text, size);
	error = config_error_text(&config);
	REQUIRE(!error || !strstr(error, "include"));
	config_destroy(&config);
	problems_free(&problems);
}

static void problems_check(const struct problems *p)
{
	size_t n_errors = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct problem *x = &p->items[i];

		n_errors += x->severity == SEVERITY_ERROR;
		REQUIRE(x->line >= 0 && *x->text);
		REQUIRE(text_is_utf8(x->text) && !text_has_controls(x->text));
		REQUIRE(text_is_utf8(x->file) && !text_has_controls(x->file));
	}
	REQUIRE(n_errors == p->n_errors);
	REQUIRE(!p->fatal || n_errors > 0);
}

static void name_check(const char *name)
{
	REQUIRE(name && *name);
	REQUIRE(text_is_utf8(name) && !text_has_controls(name));
	REQUIRE(strlen(name) <= MAX_NAME_BYTES);
}

static void sources_check(const struct source *s, size_t n, unsigned widest4, unsigned widest6)
{
	for (size_t i = 0; i < n; i++) {
		char text[SOURCE_TEXT_MAX];
		struct source again;

		REQUIRE(source_parse(&again, source_format(text, &s[i])) == 0);
		REQUIRE(s[i].prefix >= (s[i].family == AF_INET ? widest4 : widest6));
		REQUIRE(!source_is_unusable(&s[i]));
	}
}

static void server_check(const struct program *p, const struct server *s)
{
	name_check(s->name);
	REQUIRE(name_is_plain(s->name));
	REQUIRE(s->host && s->port > 0 && s->ca_file[0] == '/');
	REQUIRE(name_is_plain(s->credential));
	REQUIRE(!strchr(s->host, '\n') && !text_has_controls(s->ca_file));
	name_check(s->login);
	REQUIRE(s->n_endpoints > 0 || !p->settings.firewall.enabled);
	for (size_t i = 0; i < s->n_endpoints; i++) {
		char text[ENDPOINT_TEXT_MAX];
		struct endpoint again;

		/* One that cannot be written is one that no packet carries: it would guard nothing. */
		REQUIRE(endpoint_parse(&again, endpoint_format(text, &s->endpoints[i])) == 0);
	}
	sources_check(s->trusted, s->n_trusted, 1, 1);
	for (enum level l = LEVEL_READ_ONLY; l <= LEVEL_FULL; l++)
		REQUIRE((s->terms[l].role != NULL) != (s->terms[l].member_of.n > 0));
}

static void client_check(const struct program *p, const struct client *c)
{
	const struct settings *s = &p->settings;

	name_check(c->name);
	name_check(c->ticket);
	name_check(c->approved_by);
	REQUIRE(c->n_users > 0 && c->n_users <= s->max_users && c->n_databases > 0);
	REQUIRE(c->end > c->starts);
	REQUIRE(c->end - c->starts < INT64_C(40000) * 86400 || c->has_go_live);
	if (c->has_go_live) {
		REQUIRE(c->go_live >= c->starts && c->go_live <= c->end);
		REQUIRE(c->staging_end >= c->go_live && c->staging_end <= c->end);
		/* Days of a calendar: an hour less or more where clocks are changed, a day where a date is skipped. */
		REQUIRE(c->end - c->go_live <= ((instant_t)s->read_only_days + 2) * 86400);
	}
	for (size_t i = 0; i < c->n_databases; i++) {
		REQUIRE(c->databases[i].server < p->n_servers);
		name_check(c->databases[i].name);
	}
	for (size_t i = 0; i < c->n_users; i++) {
		const struct user *u = &c->users[i];

		name_check(u->first);
		name_check(u->last);
		name_check(u->login);
		REQUIRE(!login_fault(u->login));
		REQUIRE(name_is_email(u->email));
		REQUIRE(u->n_sources > 0);
		sources_check(u->sources, u->n_sources, s->widest_prefix4, s->widest_prefix6);
	}
}

/* Two clients never share a login: on one server they would be one person. */
static void logins_differ(const struct client *a, const struct client *b)
{
	for (size_t u = 0; u < a->n_users; u++)
		for (size_t v = 0; v < b->n_users; v++)
			REQUIRE(!names_equal(a->users[u].login, b->users[v].login));
}

static void program_check(const struct program *p)
{
	for (size_t i = 0; i < p->n_servers; i++) {
		server_check(p, &p->servers[i]);
		REQUIRE(i == 0 || strcmp(p->servers[i - 1].name, p->servers[i].name) < 0);
	}
	for (size_t i = 0; i < p->n_clients; i++) {
		client_check(p, &p->clients[i]);
		REQUIRE(i == 0 || strcmp(p->clients[i - 1].name, p->clients[i].name) < 0);
	}
	for (size_t i = 0; i < p->n_clients; i++)
		for (size_t j = 0; j < i; j++)
			logins_differ(&p->clients[i], &p->clients[j]);
	REQUIRE(strlen(p->digest) == 64);
}

/* The engine's list is one that the firewall process takes: else the service would end. */
static void allowlist_check(const struct program *p, const struct grants *g, instant_t now)
{
	struct firewall_policy *policy;
	struct allowlist list;

	REQUIRE(firewall_policy_build(&policy, p, NULL) == 0);
	REQUIRE(allowlist_build(&list, p, g, now, NULL, NULL) == 0);
	for (size_t i = 0; i < list.n_allows; i++)
		REQUIRE(!firewall_policy_allow(policy, &list.allows[i]));
	for (size_t i = 0; i < list.n_trusted; i++)
		REQUIRE(!firewall_policy_trusted(policy, &list.trusted[i]));
	REQUIRE(!firewall_policy_keeps(policy, &list));
	REQUIRE(!firewall_policy_list(policy, &list, NULL));
	allowlist_free(&list);
	firewall_policy_free(policy);
}

static void schedule_check(const struct program *p, instant_t now)
{
	const struct overrides none = {0};
	struct grants grants;

	REQUIRE(schedule_at(&grants, p, &none, now) == 0);
	for (size_t i = 0; i < grants.n; i++) {
		const struct grant *g = &grants.items[i];
		const struct client *c = g->client;

		if (g->level == LEVEL_NONE)
			continue;
		REQUIRE(now >= c->starts && now >= c->approved && now < c->end);
		REQUIRE(g->until > now && g->until <= g->end && g->end <= c->end);
		REQUIRE(!c->has_go_live || now < c->go_live || g->level == LEVEL_READ_ONLY);
	}
	allowlist_check(p, &grants, now);
	grants_free(&grants);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct problems problems;
	struct program *p = NULL;
	char path[64];

	if (folder[strlen(folder) - 1] == 'X')
		folder_make();
	text_includes_nothing(data, size);
	files_write(&in);
	snprintf(path, sizeof(path), "%s/curfew.conf", folder);
	REQUIRE(program_load(&p, &problems, path, NOW) == 0);
	problems_check(&problems);
	REQUIRE((p == NULL) == problems.fatal);
	problems_free(&problems);
	if (!p)
		return 0;
	program_check(p);
	schedule_check(p, NOW);
	for (size_t i = 0; i < p->n_clients; i++) {
		schedule_check(p, p->clients[i].starts);
		schedule_check(p, p->clients[i].end - 1);
		schedule_check(p, p->clients[i].end);
		if (p->clients[i].has_go_live)
			schedule_check(p, p->clients[i].go_live);
	}
	program_free(p);
	return 0;
}
