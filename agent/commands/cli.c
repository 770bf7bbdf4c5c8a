/* Services of the command line: configuration, clock, journal, packet filter, passes. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "commands/command.h"
#include "curfew/calendar.h"
#include "curfew/clock.h"
#include "curfew/control.h"
#include "curfew/last_good.h"
#include "curfew/revocation_copy.h"
#include "curfew/state_tables.h"
#include "curfew/state.h"
#include "curfew/text.h"

/* Drop advice, which would hide errors. Drop problems of files that this user cannot read; a command that needs such
 * a file reports them. */
static void advice_drop(struct problems *p, bool *unseen)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct problem k = p->items[i];
		*unseen |= k.unseen;
		if (k.severity != SEVERITY_ADVICE && !k.unseen)
			p->items[kept++] = k;
	}
	p->n = kept;
}

/* For a client file with errors, loads the last known good version, as the service does. */
static int load_keeping(struct program **out, struct problems *problems, const struct cli *cli)
{
	struct last_good folder;
	struct program *p = NULL;
	struct strings kept = {0};
	instant_t now = (instant_t)time(NULL);
	int rc = program_load(&p, problems, cli->config, now);

	if (!rc && p && !problems->fatal && problems->n_errors) {
		if (cli_enter(cli, p->settings.state_directory, p)) {
			program_free(p);
			return -EACCES;
		}
		rc = last_good_locate(&folder, p->settings.state_directory);
		if (rc) {
			program_free(p);
			problems_free(problems);
			return rc;
		}
		rc = last_good_complete(&p, problems, &kept, cli->config, &folder, now);
		last_good_free(&folder);
		strings_clear(&kept);
	}
	*out = p;
	return rc;
}

int cli_read(struct program **out, struct cli *cli)
{
	struct problems problems = {0};
	struct program *p = NULL;
	uid_t before = geteuid();
	int rc = load_keeping(&p, &problems, cli);

	if (rc)
		return cli_fail(cli, EXIT_FAILED, "cannot read %s: %s", cli->config, strerror(-rc));
	/* Files that root opened before giving up privileges can still be read. */
	bool entered = geteuid() != before, unseen = false;
	advice_drop(&problems, entered ? &unseen : &cli->unprivileged);
	problems_print(&problems, stderr);
	problems_free(&problems);
	/* A file that this user cannot read is the service's to judge. */
	record_set(cli->lost_file, sizeof(cli->lost_file),
		p && !cli->unprivileged ? cli_lost_file(p, cli->config) : NULL);
	*out = p;
	return 0;
}

int cli_load(struct program **out, struct cli *cli)
{
	int code = cli_read(out, cli);

	if (!code && !*out)
		code = cli_fail(cli, EXIT_CONFIG, "%s%s has errors",
			cli->outcome ? "" : "nothing done: ", cli->config);
	return code;
}

/* The clocks go back by half an hour to two hours. */
static instant_t second_of_two(instant_t first, const struct local_time *l, const char *zone)
{
	for (instant_t step = 1800; step <= 7200; step += 1800) {
		struct local_time other;
		if (!instant_to_local(&other, first + step, zone) && other.hour == l->hour &&
			other.minute == l->minute && other.day == l->day)
			return first + step;
	}
	return first;
}

/* A time that the clocks skip, or show twice: of a period's end the second, so that none of it is left out. */
static void fit_tell(instant_t *out, const struct cli *cli, const char *option, const char *text,
	const char *zone)
{
	char used[INSTANT_TEXT_MAX];
	struct local_time l;
	instant_t at;

	if (local_parse(&l, text))
		return;
	const int fit = local_to_instant(&at, &l, zone);
	const bool second = fit == LOCAL_TWICE && streq(option, "to");
	l.hour = l.hour < 0 ? 0 : l.hour;
	if (second)
		*out = second_of_two(*out, &l, zone);
	if (fit == LOCAL_TWICE)
		cli_fail(cli, 0,
			"warning: %s occurs twice in %s (clocks go back); using the %s, %s", text,
			zone, second ? "second" : "first", instant_format(used, *out));
	else if (fit == LOCAL_SKIPPED)
		cli_fail(cli, 0, "warning: %s does not exist in %s (clocks go forward); using %s",
			text, zone, instant_format(used, *out));
}

int cli_instant(instant_t *out, const struct cli *cli, const char *option, const char *text,
	const char *zone)
{
	if (!instant_parse(out, text, zone, (instant_t)time(NULL))) {
		fit_tell(out, cli, option, text, zone);
		return 0;
	}
	return cli_fail(cli, EXIT_USAGE,
		"invalid time '%s' for --%s; use 2026-11-23, 2026-11-23T09:00, 2026-11-23T15:00:00Z, @SECONDS, or now",
		text, option);
}

const char *cli_zone(const struct cli *cli, const struct program *p)
{
	const struct client *c = cli->n_operands ? program_client(p, cli->operands[0]) : NULL;

	return c ? c->timezone : p->settings.timezone;
}

int cli_now(instant_t *out, const struct cli *cli, const struct program *p, const char *zone)
{
	struct clock c;
	instant_t now = (instant_t)time(NULL), behind = 0;

	if (cli->at)
		return cli_instant(out, cli, "at", cli->at, zone ? zone : p->settings.timezone);
	int rc = cli_enter(cli, p->settings.state_directory, p);
	if (rc)
		return rc;
	rc = clock_open(&c, p->settings.state_directory);
	if (rc == -EACCES || rc == -ENOENT) {
		*out = now; /* this user may read the configuration but not the latest time seen */
		return 0;
	}
	if (rc)
		return cli_fail(cli, EXIT_FAILED, "cannot read the latest time seen in %s: %s",
			p->settings.state_directory, strerror(-rc));
	if (clock_now(out, &behind, &c) == CLOCK_RAN_BACK)
		cli_fail(cli, 0,
			"warning: the system clock is %lld s behind the latest time seen; using the latest time seen; see `curfew clock`",
			(long long)behind);
	return 0;
}

int cli_journal(struct journal **out, const struct cli *cli, const struct program *p, bool write)
{
	*out = NULL;
	int rc = cli_enter(cli, p->settings.state_directory, p);
	if (rc)
		return rc;
	const char *why;
	instant_t since;
	rc = state_journal_open(out, &p->settings, write);
	if (rc == -ENOENT && !write)
		return 0;
	if (!rc && !write && !head_copy_compare(&why, &since, *out) && why)
		cli_fail(cli, 0, "warning: %s", why);
	if (rc)
		return cli_fail(cli, EXIT_FAILED, "cannot open the journal in %s: %s",
			p->settings.state_directory, journal_problem(rc));
	return 0;
}

void cli_journal_end(struct journal *j)
{
	/* The previous copy stays where this fails: the journal has the record. */
	if (j)
		head_copy_save(j);
	journal_close(j);
}

int cli_journal_required(struct journal **out, const struct cli *cli, const struct program *p)
{
	int code = cli_journal(out, cli, p, false);

	if (!code && !*out)
		code = cli_fail(cli, EXIT_FAILED,
			"there is no journal in %s yet; the first `curfew apply` creates one",
			p->settings.state_directory);
	return code;
}

int cli_overrides(
	struct overrides *out, const struct cli *cli, const struct program *p, struct journal *j)
{
	struct revocation_copy *copy = NULL;
	int rc = j ? override_read(out, j) : 0;

	if (rc)
		return cli_fail(cli, EXIT_FAILED,
			"cannot read the revocations from the journal: %s", journal_problem(rc));
	/* Revocations that were made while the journal could not be written. */
	rc = revocation_copy_open(&copy, p->settings.state_directory, false);
	if (rc == 0)
		rc = revocation_copy_merge(out, copy);
	revocation_copy_close(copy);
	if (rc < 0 && rc != -ENOENT && rc != -EACCES)
		return cli_fail(cli, EXIT_FAILED,
			"cannot read the second copy of revocations in %s: %s",
			p->settings.state_directory, strerror(-rc));
	return 0;
}

int cli_network(struct network *out, const struct cli *cli, const struct program *p, bool write)
{
	*out = (struct network){0};
	if (!p->settings.firewall.enabled)
		return 0;
	int rc = write ? firewall_open(&out->firewall, &p->settings.firewall)
		       : firewall_open_reader(&out->firewall, &p->settings.firewall);
	if (rc == -EPERM && geteuid())
		return cli_fail(cli, EXIT_FAILED,
			"root is required to read the packet filter; run as root");
	if (rc == -EPERM)
		return cli_fail(cli, EXIT_FAILED,
			"the packet filter requires CAP_NET_ADMIN; if this host must not filter packets, set "
			"`firewall = { enabled = false; };`");
	if (rc)
		return cli_fail(cli, EXIT_FAILED,
			"cannot open the packet filter: %s; check that the kernel has nf_tables: `nft list tables`",
			strerror(-rc));
	out->port = firewall_port_direct(out->firewall);
	out->present = true;
	return 0;
}

int cli_network_beside(struct network *out, const struct cli *cli, const struct program *p)
{
	*out = (struct network){0};
	return cli->unprivileged ? EXIT_FAILED : cli_network(out, cli, p, false);
}

void network_close(struct network *n)
{
	if (n->present)
		firewall_close(n->firewall);
	*n = (struct network){0};
}

/* A journal that was put back has no record of its loss before somebody writes into it. */
int cli_pass_here(struct pass_result *out, const struct pass_options *o)
{
	struct pass_options here = *o;
	instant_t since;

	if (!here.hold && here.journal && head_copy_compare(&here.hold, &since, here.journal))
		here.hold = NULL;
	return pass_run(out, &here);
}

int cli_pass(struct pass_result *out, const struct cli *cli, const struct pass_options *o)
{
	char error[RECORD_TEXT_MAX] = "";
	int rc = control_pass(out, error, o->program->settings.runtime_directory, o);

	if (rc == -EREMOTEIO)
		return cli_fail(cli, EXIT_FAILED, "the service: %s", error);
	/* A user who may not ask the service can still look without it, as far as permissions allow. */
	if (!cli->by_service && (rc == -ENOENT || rc == -ECONNREFUSED || rc == -EACCES))
		rc = cli_pass_here(out, o);
	return rc ? cli_fail(cli, EXIT_FAILED, "no pass was made: %s; see `journalctl -u curfew`",
			    strerror(-rc))
		  : 0;
}

bool cli_agrees(const char *question)
{
	char answer[16] = "";

	fprintf(stderr, "%s Continue? [y/N] ", question);
	return fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y');
}

size_t cli_databases(char **out, const struct program *p, const struct server *s)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_clients; i++)
		for (size_t k = 0; k < p->clients[i].n_databases; k++) {
			const struct database *d = &p->clients[i].databases[k];
			bool known = !database_is_on(p, d, s);
			for (size_t m = 0; m < n && !known; m++)
				known = names_equal(out[m], d->name);
			if (!known)
				out[n++] = d->name;
		}
	return n;
}

int records_keep(void *records, const struct record *r)
{
	struct records *k = records;

	return ARRAY_ADD(k->items, k->n, *r);
}

const char *records_pass_note(const struct records *k)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct record *r = &k->items[i];
		if (r->kind == RECORD_NOTE && !*r->server && !*r->client)
			return r->detail;
	}
	return NULL;
}

void records_free(struct records *r)
{
	free(r->items);
	*r = (struct records){0};
}
