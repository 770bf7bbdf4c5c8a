/* curfew.conf without its servers: defaults of the program, directories, firewall, limits. */
#include "program/loading.h"

#include "curfew/calendar.h"
#include "program/file.h"
#include "program/levels.h"
#include "program/names.h"
#include "program/zone.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 1024
/* The control socket is in this directory, and the path of a socket has at most 108 bytes. */
#define RUNTIME_PATH_BYTES 80

struct number {
	const char *name;
	size_t offset; /* of an unsigned in struct settings */
	int usual, min, max;
	const char *unit;
};

/* Limits keep a typing error from granting years of access. */
static const struct number PROGRAM_NUMBERS[] = {
	{"max_sources", offsetof(struct settings, max_sources), 50, 1, 1000, "sources per user"},
	{"max_users", offsetof(struct settings, max_users), 3, 1, 100, "users per client"},
	{"read_only_days", offsetof(struct settings, read_only_days), 30, 1, 366, "days"},
	{"staging_days", offsetof(struct settings, staging_days), 14, 1, 366, "days"},
	{"testing_days", offsetof(struct settings, testing_days), 180, 1, 731, "days"},
	{"widest_prefix4", offsetof(struct settings, widest_prefix4), 24, 8, 32, "bits"},
	{"widest_prefix6", offsetof(struct settings, widest_prefix6), 48, 32, 128, "bits"},
};
static const struct number LIMIT_NUMBERS[] = {
	{"interval", offsetof(struct settings, interval), 300, 10, 86400, "seconds"},
	{"connect_timeout", offsetof(struct settings, connect_timeout), 10, 1, 120, "seconds"},
	{"server_deadline", offsetof(struct settings, server_deadline), 60, 5, 3600, "seconds"},
	{"workers", offsetof(struct settings, workers), 8, 1, 64, "processes"},
};

static void numbers_read(struct settings *out, struct reading *r, const config_setting_t *group,
	const struct number *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct number *x = &numbers[i];

		*(unsigned *)((char *)out + x->offset) = (unsigned)reading_number(
			r, group, x->name, x->usual, x->min, x->max, x->unit);
	}
}

const char *zone_read(struct reading *r, const config_setting_t *group)
{
	const char *zone = reading_text(r, group, "timezone", NULL);
	_cleanup_free_ char *near = NULL;

	if (!zone || zone_exists(zone))
		return zone;
	near = zone_nearest(zone);
	if (near)
		reading_error(r, config_setting_get_member(group, "timezone"),
			"unknown time zone \"%s\"; did you mean \"%s\"?", zone, near);
	else
		reading_error(r, config_setting_get_member(group, "timezone"),
			"unknown time zone \"%s\"; use a tzdata name, for example "
			"\"America/Chicago\" or \"UTC\"",
			zone);
	return NULL;
}

static void program_group_read(
	struct settings *out, struct reading *r, const config_setting_t *root)
{
	static const char *const names[] = {"holidays", "holidays_file", "max_sources", "max_users",
		"read_only_days", "shared_databases", "staging_days", "testing_days", "timezone",
		"widest_prefix4", "widest_prefix6"};
	const config_setting_t *group = reading_group(r, root, "program", NULL);
	const char *zone = zone_read(r, group);

	if (group)
		reading_known(r, group, "program", names, ARRAY_SIZE(names));
	numbers_read(out, r, group, PROGRAM_NUMBERS, ARRAY_SIZE(PROGRAM_NUMBERS));
	holidays_read(out, r, group);
	out->shared_databases = reading_bool(r, group, "shared_databases", false);
	if (out->staging_days > out->read_only_days)
		reading_warning(r, group,
			"\"staging_days\" is greater than \"read_only_days\", which ends all access; "
			"staging also ends after %u days",
			out->read_only_days);
	out->timezone = reading_copy(r, zone ? zone : "UTC");
}

static void hooks_read(struct settings *out, struct reading *r, const config_setting_t *group)
{
	const config_setting_t *list = reading_list(r, group, "hooks", NULL);
	int n = list ? config_setting_length(list) : 0;

	if (!list) {
		out->firewall.hooks = HOOK_INPUT | HOOK_FORWARD;
		return;
	}
	for (int i = 0; i < n; i++) {
		const char *name = reading_item(r, list, i);

		if (name && streq(name, "input"))
			out->firewall.hooks |= HOOK_INPUT;
		else if (name && streq(name, "forward"))
			out->firewall.hooks |= HOOK_FORWARD;
		else if (name)
			reading_error(r, config_setting_get_elem(list, (unsigned)i),
				"unknown hook \"%s\"; use \"input\" (users' packets end on this "
				"host) or \"forward\" (users' packets pass through it)",
				name);
	}
	if (n == 0)
		reading_error(r, list,
			"\"hooks\" is empty; add \"input\", \"forward\", or both, or set "
			"enabled = false;");
}

static void firewall_read(struct settings *out, struct reading *r, const config_setting_t *root)
{
	static const char *const names[] = {
		"enabled", "hooks", "priority", "log", "guard_loopback"};
	const config_setting_t *group = reading_group(r, root, "firewall", NULL);

	if (group)
		reading_known(r, group, "firewall", names, ARRAY_SIZE(names));
	out->firewall.enabled = reading_bool(r, group, "enabled", true);
	hooks_read(out, r, group);
	out->firewall.priority = reading_number(
		r, group, "priority", -10, -400, 400, "order among chains of a hook");
	out->firewall.log = reading_bool(r, group, "log", true);
	out->firewall.guard_loopback = reading_bool(r, group, "guard_loopback", false);
}

static void limits_read(struct settings *out, struct reading *r, const config_setting_t *root)
{
	static const char *const names[] = {
		"interval", "connect_timeout", "server_deadline", "workers"};
	const config_setting_t *group = reading_group(r, root, "limits", NULL);

	if (group)
		reading_known(r, group, "limits", names, ARRAY_SIZE(names));
	numbers_read(out, r, group, LIMIT_NUMBERS, ARRAY_SIZE(LIMIT_NUMBERS));
	if (out->connect_timeout >= out->server_deadline)
		reading_error(r, group,
			"\"connect_timeout\" must be less than \"server_deadline\" (%u seconds)",
			out->server_deadline);
}

static const struct number INVENTORY_NUMBERS[] = {
	{"unused_days", offsetof(struct settings, unused_days), 90, 7, 731, "days"},
	{"sample_hours", offsetof(struct settings, sample_hours), 24, 0, 168, "hours"},
};

static void inventory_settings_read(
	struct settings *out, struct reading *r, const config_setting_t *root)
{
	static const char *const names[] = {"vendor_lists", "unused_days", "sample_hours"};
	const config_setting_t *group = reading_group(r, root, "inventory", NULL);

	if (group)
		reading_known(r, group, "inventory", names, ARRAY_SIZE(names));
	numbers_read(out, r, group, INVENTORY_NUMBERS, ARRAY_SIZE(INVENTORY_NUMBERS));
	strings_read(&out->vendor_lists, r, group, "vendor_lists");
	for (size_t i = 0; i < out->vendor_lists.n; i++)
		if (out->vendor_lists.items[i][0] != '/')
			reading_error(r, config_setting_get_member(group, "vendor_lists"),
				"\"vendor_lists\" must name files by absolute paths, not \"%s\"",
				out->vendor_lists.items[i]);
}

static char *path_read(struct reading *r, const config_setting_t *root, const char *name,
	const char *usual, size_t max)
{
	const char *path = reading_path(r, root, name, NULL, max);

	return reading_copy(r, path ? path : usual);
}

/* No other alarm would notice missing metrics, so warn about the directory here. */
static void metrics_folder_check(
	const struct settings *s, struct reading *r, const config_setting_t *root)
{
	_cleanup_free_ char *folder = reading_copy(r, s->metrics_file);

	if (!folder)
		return;
	const char *end = strrchr(folder, '.');
	if (!end || !streq(end, ".prom"))
		reading_warning(r, config_setting_get_member(root, "metrics_file"),
			"node_exporter reads no file of this name; use a name that ends in .prom");
	char *slash = strrchr(folder, '/');
	slash[slash == folder] = '\0';
	/* The service creates its own directory when it starts. */
	if (s->state_directory && streq(folder, s->state_directory))
		return;
	if (access(folder, F_OK) < 0 && errno == ENOENT)
		reading_warning(r, config_setting_get_member(root, "metrics_file"),
			"directory %s of \"metrics_file\" does not exist, so no metrics are written; "
			"run: install -d -o curfew %s, then restart the service, or remove the setting",
			folder, folder);
}

void settings_read(
	struct settings *out, const char **clients, struct reading *r, const config_setting_t *root)
{
	static const char *const names[] = {"program", "practice", "clients", "state_directory",
		"runtime_directory", "credential_directory", "journal_key", "metrics_file",
		"servers", "levels", "firewall", "limits", "maintenance", "notices", "inventory"};
	const char *managed = getenv("CREDENTIALS_DIRECTORY");
	const char *key = reading_text(r, root, "journal_key", NULL);
	const char *folder = reading_text(r, root, "clients", NULL);

	reading_known(r, root, "curfew.conf", names, ARRAY_SIZE(names));
	program_group_read(out, r, root);
	out->practice = reading_bool(r, root, "practice", false);
	out->state_directory = path_read(r, root, "state_directory", "/var/lib/curfew", PATH_BYTES);
	out->runtime_directory =
		path_read(r, root, "runtime_directory", "/run/curfew", RUNTIME_PATH_BYTES);
	out->credential_directory =
		path_read(r, root, "credential_directory", "/etc/curfew/credentials", PATH_BYTES);
	if (managed && *managed) {
		free(out->credential_directory);
		out->credential_directory = reading_copy(r, managed);
	}
	out->metrics_file = path_read(r, root, "metrics_file", NULL, PATH_BYTES);
	metrics_folder_check(out, r, root);
	if (key && !name_is_plain(key)) {
		reading_error(r, config_setting_get_member(root, "journal_key"),
			"\"journal_key\" must be a plain file name, not \"%s\"; use letters, digits, dots, "
			"'_', and '-'",
			key);
		key = NULL;
	}
	out->journal_key = reading_copy(r, key);
	firewall_read(out, r, root);
	limits_read(out, r, root);
	inventory_settings_read(out, r, root);
	notice_settings_read(&out->notices, r, root);
	*clients = folder ? folder : "clients.d";
}

void settings_free(struct settings *s)
{
	free(s->timezone);
	free(s->state_directory);
	free(s->runtime_directory);
	free(s->credential_directory);
	free(s->metrics_file);
	free(s->journal_key);
	strings_free(&s->holidays);
	strings_free(&s->vendor_lists);
	notice_settings_free(&s->notices);
}

void credentials_check(const struct program *p, struct reading *r, int journal_key_line)
{
	const char *managed = getenv("CREDENTIALS_DIRECTORY");
	enum secret_rule rule = managed && *managed ? SECRET_MANAGED : SECRET_OURS;

	for (size_t i = 0; i < p->n_servers; i++) {
		const struct server *s = &p->servers[i];

		if (s->credential)
			credential_check(&p->settings, r, s->line, s->credential, rule,
				&(const struct secret_kind){"credential", s->name, SECRET_SQL});
		if (s->ca_file)
			certificate_file_check(r, s->line, s->ca_file, "CA certificate");
	}
	if (p->settings.journal_key)
		credential_check(&p->settings, r, journal_key_line, p->settings.journal_key, rule,
			&(const struct secret_kind){"journal key", NULL, SECRET_KEY});
	notice_files_check(p, r, rule);
}
