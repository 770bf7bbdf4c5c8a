/* Prints a plan or its result, by client and with reasons. */
#include <string.h>

#include "commands/plan_text.h"
#include "curfew/pass.h"
#include "curfew/report.h"
#include "program/visible_text.h"

static bool is_shown(const struct record *r)
{
	switch (r->kind) {
	case RECORD_PLAN:
	case RECORD_OUTCOME:
	case RECORD_NETWORK_PLAN:
	case RECORD_NETWORK_OUTCOME:
	case RECORD_NOTE:
		return true;
	case RECORD_GRANT:
		return r->state == STATE_WAITING || r->state >= STATE_UNVERIFIED;
	case RECORD_SERVER:
		return r->state == STATE_UNREACHABLE;
	default:
		return false;
	}
}

static bool is_network(const struct record *r)
{
	return streq(r->server, PASS_NETWORK);
}

/* A change with an outcome is shown once, as the outcome, with the reason from the plan. */
static int outcome_compare(const void *a, const void *b)
{
	const struct record *x = *(const struct record *const *)a,
			    *y = *(const struct record *const *)b;
	int c = strcmp(x->server, y->server);

	return c ? c
		 : (x->change.number > y->change.number) - (x->change.number < y->change.number);
}

static size_t outcomes_sort(const struct record **out, const struct record *items, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		if (items[i].kind == RECORD_OUTCOME)
			out[found++] = &items[i];
	qsort(out, found, sizeof(*out), outcome_compare);
	return found;
}

static bool is_superseded(const struct record *r, const struct record **outcomes, size_t n)
{
	return r->kind == RECORD_PLAN && n &&
	       bsearch(&r, outcomes, n, sizeof(*outcomes), outcome_compare);
}

bool outcome_is_skipped(const struct record *r)
{
	return r->kind == RECORD_OUTCOME && r->state != STATE_OK && !r->code;
}

static bool is_failed(const struct record *r)
{
	return r->kind == RECORD_OUTCOME && r->state != STATE_OK && r->code;
}

/* By the effect on access, not by the verb: a guard and a DENY remove access; a new end or name changes an entry. */
static const char *network_sign(enum firewall_change_kind kind)
{
	switch (kind) {
	case FIREWALL_GUARD_ADD:
	case FIREWALL_TRUSTED_REMOVE:
	case FIREWALL_ALLOW_REMOVE:
		return "-";
	case FIREWALL_TABLE:
	case FIREWALL_ALLOW_EXTEND:
	case FIREWALL_ALLOW_SHORTEN:
	case FIREWALL_ALLOW_COMMENT:
		return "~";
	default:
		return "+";
	}
}

static void change_print(const struct record *r, FILE *to, bool color, const char *sign, bool opens,
	const char *text)
{
	bool failed = r->state != STATE_OK;
	enum tone tone = failed ? TONE_BAD : opens ? TONE_GOOD : TONE_WARN;

	fprintf(to, "    %s%s%s ", style_begin(color, tone), failed ? "FAILED " : "", sign);
	text_printf(to, "%s", text);
	fprintf(to, "%s\n", style_end(color, tone));
	if (!*r->detail)
		return;
	fprintf(to, "      %s", style_begin(color, failed ? TONE_BAD : TONE_WARN));
	text_printf(to, "%s", r->detail);
	fprintf(to, "%s\n", style_end(color, TONE_BAD));
}

/* SQL Server's errors for a missing permission of the agent login: retrying does not help, a DBA must grant it. */
static bool is_lacking_right(const struct record *r)
{
	static const int32_t numbers[] = {229, 230, 262, 297, 300, 916, 5011, 15151, 15247, 15433};

	for (size_t i = 0; i < ARRAY_SIZE(numbers) && is_failed(r); i++)
		if (r->code == numbers[i])
			return true;
	return false;
}

static void client_print(const char *name, FILE *to, bool color, bool first)
{
	fprintf(to, "%s%s", first ? "" : "\n", style_begin(color, TONE_BOLD));
	text_printf(to, "%s", name);
	fprintf(to, "%s\n", style_end(color, TONE_BOLD));
}

static void reason_print(const char *why, FILE *to, bool color)
{
	fprintf(to, "    %s# ", style_begin(color, TONE_DIM));
	text_printf(to, "%s", why);
	fprintf(to, "%s\n", style_end(color, TONE_DIM));
}

static void line_print(const struct record *r, FILE *to, bool color, const char **reason)
{
	enum tone tone = state_tone(r->state);
	char text[NETWORK_CHANGE_MAX];
	const char *why;

	switch (r->kind) {
	case RECORD_PLAN:
	case RECORD_OUTCOME:
		/* Print the reason once for all changes that follow from it. */
		why = r->change.reason;
		if (*why && (!*reason || !streq(*reason, why)))
			reason_print(why, to, color);
		if (*why)
			*reason = why;
		change_print(r, to, color, change_opens(r->change.kind) ? "+" : "-",
			change_opens(r->change.kind), r->change.statement);
		if (is_lacking_right(r))
			text_printf(to,
				"      if the agent login lacks the right, a DBA must run this statement, or those of `curfew bootstrap %s`\n",
				r->server);
		return;
	case RECORD_NETWORK_PLAN:
	case RECORD_NETWORK_OUTCOME:
		change_print(r, to, color, network_sign(r->network.kind),
			firewall_change_opens(r->network.kind),
			network_change_text(text, &r->network));
		return;
	default:
		break;
	}
	fprintf(to, "    %s%s:%s ", style_begin(color, tone), state_name(r->state),
		style_end(color, tone));
	if (*r->login)
		text_printf(to, "%s%s%s: ", r->login, *r->database ? " on " : "", r->database);
	text_printf(to, "%s\n",
		*r->detail		  ? r->detail
		: r->kind == RECORD_GRANT ? "the database does not exist yet"
					  : "");
}

struct ranked {
	const struct record *record;
	size_t order;
};

/* The same error on the same server was printed already. */
static bool is_repeated(const struct ranked *shown, size_t i)
{
	const struct record *r = shown[i].record;

	for (size_t k = 0; k < i && is_failed(r); k++) {
		const struct record *f = shown[k].record;
		if (is_failed(f) && f->code == r->code && streq(f->server, r->server) &&
			streq(f->detail, r->detail))
			return true;
	}
	return false;
}

/* Changes that are only counted. */
struct left_out {
	size_t skipped, repeated, roles;
};

/* The role's name in the statement, as quoted there: from `from` up to a space or the end. */
static size_t role_name(const char **out, const char *statement, const char *before)
{
	const char *at = strstr(statement, before);

	*out = at ? at + strlen(before) : NULL;
	return at ? strcspn(*out, " ;") : 0;
}

/* Whether the permission belongs to a role that this plan creates: it has no members, so nobody's access changes. A
 * permission of an existing role changes access. */
static bool is_role_setup(const struct ranked *shown, size_t n, size_t i)
{
	const struct record *r = shown[i].record;
	const char *role, *made;

	if ((r->kind != RECORD_PLAN && r->kind != RECORD_OUTCOME) || is_failed(r) ||
		outcome_is_skipped(r))
		return false;
	if (r->change.kind == CHANGE_ROLE_CREATE)
		return true;
	if (r->change.kind != CHANGE_ROLE_GRANT && r->change.kind != CHANGE_ROLE_DENY)
		return false;
	size_t size = role_name(&role, r->change.statement, " TO [");
	for (size_t k = 0; k < n && size; k++) {
		const struct record *c = shown[k].record;
		if (c->kind == r->kind && c->change.kind == CHANGE_ROLE_CREATE &&
			streq(c->server, r->server) && names_equal(c->database, r->database) &&
			role_name(&made, c->change.statement, "CREATE ROLE [") == size &&
			!strncmp(role, made, size))
			return true;
	}
	return false;
}

static void left_out_print(struct left_out *l, FILE *to)
{
	if (l->roles)
		fprintf(to,
			"    ~ set up roles that nobody is in yet: %zu statement%s; --verbose shows them\n",
			l->roles, l->roles == 1 ? "" : "s");
	if (l->repeated)
		fprintf(to, "    %zu more change%s FAILED with the error above\n", l->repeated,
			l->repeated == 1 ? "" : "s");
	if (l->skipped)
		fprintf(to, "    %zu change%s skipped: something before failed\n", l->skipped,
			l->skipped == 1 ? "" : "s");
	*l = (struct left_out){0};
}

static int place_compare(const struct record *a, const struct record *b)
{
	int c = strcmp(a->client, b->client);

	if (!c)
		c = is_network(a) - is_network(b);
	if (!c)
		c = strcmp(a->server, b->server);
	return c;
}

static int ranked_compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	int c = place_compare(x->record, y->record);

	return c ? c : (x->order > y->order) - (x->order < y->order);
}

void plan_print(const struct record *items, size_t n, bool verbose, FILE *to)
{
	bool color = style_wanted(to);
	_cleanup_free_ struct ranked *shown = calloc(n + 1, sizeof(*shown));
	_cleanup_free_ const struct record **outcomes = calloc(n + 1, sizeof(*outcomes));
	struct left_out left = {0};
	size_t n_shown = 0;
	const char *reason = NULL;

	if (!shown || !outcomes)
		return;
	size_t n_outcomes = outcomes_sort(outcomes, items, n);
	for (size_t i = 0; i < n; i++)
		if (is_shown(&items[i]) && !is_superseded(&items[i], outcomes, n_outcomes))
			shown[n_shown++] = (struct ranked){&items[i], i};
	qsort(shown, n_shown, sizeof(*shown), ranked_compare);
	for (size_t i = 0; i < n_shown; i++) {
		const struct record *r = shown[i].record, *last = i ? shown[i - 1].record : NULL;
		if (last && place_compare(last, r) != 0)
			left_out_print(&left, to);
		if (!last || !streq(last->client, r->client))
			client_print(*r->client ? r->client : "servers", to, color, i == 0);
		if (!last || place_compare(last, r) != 0) {
			text_printf(to, "  %s\n", is_network(r) ? "network" : r->server);
			reason = NULL;
		}
		if (!verbose && is_role_setup(shown, n_shown, i))
			left.roles++;
		else if (outcome_is_skipped(r))
			left.skipped++;
		else if (is_repeated(shown, i))
			left.repeated++;
		else
			line_print(r, to, color, &reason);
	}
	left_out_print(&left, to);
}
