/* The group `notices` of curfew.conf, and the operator's templates. Without the group no notices are sent. */
#include "program/file.h"
#include "program/loading.h"

#include "program/names.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CA_FILE	     "/etc/ssl/certs/ca-certificates.crt"
#define TEAM_EXAMPLE "\"cloud-services@host.example\""
#define TEMPLATES    "templates"

static bool is_loopback(const char *host)
{
	return streq(host, "localhost") || streq(host, "::1") || strncmp(host, "127.", 4) == 0;
}

static void tls_read(struct notice_settings *out, struct reading *r, const config_setting_t *group)
{
	const char *tls = reading_text(r, group, "tls", NULL);
	const config_setting_t *at = config_setting_get_member(group, "tls");

	if (!tls || streq(tls, "starttls"))
		out->tls = MAIL_STARTTLS;
	else if (streq(tls, "tls"))
		out->tls = MAIL_TLS;
	else if (!streq(tls, "none"))
		reading_error(r, at,
			"unknown value for \"tls\": \"%s\"; use \"starttls\", \"tls\", or \"none\"",
			tls);
	else if (out->host && !is_loopback(out->host))
		reading_error(r, at,
			"\"tls\" may be \"none\" only for a relay on this host (127.0.0.1, ::1, localhost), not for \"%s\"; "
			"use \"starttls\" or \"tls\"",
			out->host);
	else
		out->tls = MAIL_PLAIN;
}

static char *email_read(
	struct reading *r, const config_setting_t *group, const char *name, const char *example)
{
	const char *text = reading_text(r, group, name, example);

	if (text && !name_is_email(text)) {
		reading_error(r, config_setting_get_member(group, name),
			"invalid email address for \"%s\": \"%s\"; example: %s", name, text,
			example ? example : TEAM_EXAMPLE);
		return NULL;
	}
	return reading_copy(r, text);
}

static char *credential_name_read(
	struct reading *r, const config_setting_t *group, const char *name, const char *example)
{
	const char *text = reading_text(r, group, name, example);

	if (text && !name_is_plain(text)) {
		reading_error(r, config_setting_get_member(group, name),
			"\"%s\" must be a plain file name, not \"%s\"; use letters, digits, dots, '_', and '-'",
			name, text);
		return NULL;
	}
	return reading_copy(r, text);
}

static void mail_read(struct notice_settings *out, struct reading *r, const config_setting_t *group)
{
	static const char *const usual_ports[] = {"587", "465", "25"};
	const char *host = reading_text(r, group, "server", NULL);
	const char *user = reading_text(r, group, "user", NULL);
	struct in6_addr address;

	if (host && !name_is_host(host) && inet_pton(AF_INET6, host, &address) != 1) {
		reading_error(r, config_setting_get_member(group, "server"),
			"invalid host \"%s\" for \"server\"; use a name or an address, and \"port\" for the port",
			host);
		host = NULL;
	}
	out->host = reading_copy(r, host);
	tls_read(out, r, group);
	out->port = (uint16_t)reading_number(
		r, group, "port", atoi(usual_ports[out->tls]), 1, 65535, "TCP port");
	out->user = reading_copy(r, user);
	if (user)
		out->credential = credential_name_read(r, group, "credential", "\"mail\"");
	else if (config_setting_get_member(group, "credential"))
		reading_error(r, config_setting_get_member(group, "credential"),
			"\"credential\" is the password of a \"user\"; add user = \"...\";");
	if (user && out->tls == MAIL_PLAIN)
		reading_error(r, config_setting_get_member(group, "user"),
			"a password must not be sent without TLS; use tls = \"starttls\";, or remove \"user\"");
	out->team = email_read(r, group, "team", out->host ? TEAM_EXAMPLE : NULL);
	if (!out->host)
		return;
	out->from = email_read(r, group, "from", "\"access@host.example\"");
}

/* "https://HOST[:PORT][/PATH]": host and port are what the sender may reach. */
static bool url_parse(struct notice_settings *out, struct reading *r, const char *url)
{
	static const char scheme[] = "https://";
	char host[256], *end = NULL;
	long port = 443;

	if (strncmp(url, scheme, strlen(scheme)) != 0 || strlen(url) > WEBHOOK_URL_MAX)
		return false;
	for (const char *p = url; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr("\"\\<>^`{|}", *p))
			return false;
	const char *at = url + strlen(scheme);
	size_t n = strcspn(at, ":/?#");
	if (!n || n >= sizeof(host))
		return false;
	memcpy(host, at, n);
	host[n] = '\0';
	if (at[n] == ':') {
		port = strtol(at + n + 1, &end, 10);
		if (end == at + n + 1 || !strchr("/?#", *end) || port < 1 || port > 65535)
			return false;
	}
	/* A name before '@' would be a login in the address. */
	if (!name_is_host(host))
		return false;
	out->webhook_host = reading_copy(r, host);
	out->webhook_port = (uint16_t)port;
	out->webhook = reading_copy(r, url);
	return true;
}

static void webhook_read(
	struct notice_settings *out, struct reading *r, const config_setting_t *group)
{
	const char *url = reading_text(r, group, "webhook", NULL);
	const config_setting_t *at =
		config_setting_get_member(group, url ? "webhook" : "webhook_credential");

	if (!url && at)
		reading_error(r, at,
			"\"webhook_credential\" signs what goes to a \"webhook\"; add webhook = \"https://...\";");
	if (!url)
		return;
	/* The address itself may hold a secret, and is not repeated. */
	if (!url_parse(out, r, url))
		reading_error(r, at,
			"invalid address for \"webhook\"; use https, a host name or IPv4 address, and no login, for example "
			"\"https://chat.host.example/hooks/curfew\"");
	out->webhook_credential =
		credential_name_read(r, group, "webhook_credential", "\"webhook\"");
	if (!out->host)
		reading_error(
			r, at, "\"webhook\" stands beside a mail server; add server = \"...\";");
}

void notice_settings_read(
	struct notice_settings *out, struct reading *r, const config_setting_t *root)
{
	static const char *const names[] = {"server", "port", "tls", "ca_file", "user",
		"credential", "from", "team", "templates", "webhook", "webhook_credential"};
	const config_setting_t *group = reading_group(r, root, "notices", NULL);
	const char *ca;

	if (!group)
		return;
	reading_known(r, group, "notices", names, ARRAY_SIZE(names));
	ca = reading_path(r, group, "ca_file", NULL, 1024);
	out->ca_file = reading_copy(r, ca ? ca : CA_FILE);
	mail_read(out, r, group);
	webhook_read(out, r, group);
}

void notice_settings_free(struct notice_settings *n)
{
	free(n->host);
	free(n->ca_file);
	free(n->user);
	free(n->credential);
	free(n->from);
	free(n->team);
	free(n->webhook);
	free(n->webhook_host);
	free(n->webhook_credential);
	for (size_t i = 0; i < n->n_templates; i++) {
		free(n->templates[i].language);
		free(n->templates[i].text);
	}
	free(n->templates);
	*n = (struct notice_settings){0};
}

/* "opened.html" */
static bool file_name_parse(struct notice_template *out, const char *name)
{
	char kind[64];
	const char *dot = strrchr(name, '.');
	size_t n = dot ? (size_t)(dot - name) : 0;

	if (!n || n >= sizeof(kind) || (!streq(dot, ".txt") && !streq(dot, ".html")))
		return false;
	memcpy(kind, name, n);
	kind[n] = '\0';
	out->html = streq(dot, ".html");
	return notice_kind_parse(&out->kind, kind);
}

static void template_add(struct notice_settings *out, struct reading *r, int folder,
	const char *language, struct notice_template *t, const char *name)
{
	char why[512];
	int line = 1;
	size_t size;

	t->text = file_read(r, folder, name, &size);
	if (!t->text)
		return;
	const char *fault = strlen(t->text) != size
				    ? "the file contains a zero byte; save it as plain UTF-8 text"
				    : template_fault(why, &line, t->text, t->html);
	if (fault) {
		reading_say_line(
			r, SEVERITY_ERROR, line, "%s (Curfew's own text is used meanwhile)", fault);
		free(t->text);
		return;
	}
	t->language = reading_copy(r, language);
	if (!t->language || ARRAY_ADD(out->templates, out->n_templates, *t)) {
		free(t->language);
		free(t->text);
		r->failure = -ENOMEM;
	}
}

/* Reads one directory of templates. Its subdirectories are languages. */
static void folder_read(
	struct notice_settings *out, struct reading *r, const char *path, const char *language)
{
	const char *former = r->file;
	struct dirent **entries = NULL;

	r->file = path;
	int folder = folder_open(r, path), n;
	r->file = former;
	if (folder < 0)
		return;
	n = scandirat(folder, ".", &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		_cleanup_free_ char *full = path_join(r, path, name);
		struct notice_template t = {0};

		if (full && name[0] != '.') {
			r->file = full;
			if (file_name_parse(&t, name))
				template_add(out, r, folder, language, &t, name);
			else if (!*language && !strchr(name, '.') && name_is_plain(name))
				folder_read(out, r, full, name);
			else
				reading_advice(r, NULL,
					"this file is ignored; the name of a template is that of a notice and .txt or "
					".html, for example opened.txt");
			r->file = former;
		}
		free(entries[i]);
	}
	free(entries);
	close(folder);
}

void notice_templates_read(struct notice_settings *out, struct reading *r,
	const config_setting_t *root, const char *folder)
{
	const config_setting_t *group = config_setting_get_member(root, "notices");
	const char *name = NULL;

	if (!folder || !group || !config_setting_is_group(group))
		return;
	bool named = config_setting_lookup_string(group, "templates", &name);
	_cleanup_free_ char *path = path_join(r, folder, named ? name : TEMPLATES);
	if (path && (named || access(path, F_OK) == 0))
		folder_read(out, r, path, "");
}

void notice_files_check(const struct program *p, struct reading *r, enum secret_rule rule)
{
	const struct notice_settings *n = &p->settings.notices;

	if (n->credential)
		credential_check(&p->settings, r, 0, n->credential, rule,
			&(const struct secret_kind){"mail password", NULL, SECRET_MAIL});
	if (n->webhook_credential)
		credential_check(&p->settings, r, 0, n->webhook_credential, rule,
			&(const struct secret_kind){"webhook secret", NULL, SECRET_MAIL});
	if (n->host && (n->tls != MAIL_PLAIN || n->webhook))
		certificate_file_check(r, 0, n->ca_file, "CA certificates");
}
