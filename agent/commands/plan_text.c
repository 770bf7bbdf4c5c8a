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

bool outcome_is_failed(const struct record *r)
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

	for (size_t i = 0; i < ARRAY_SIZE(numbers) && outcome_is_failed(r); i++)
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

static int place_compare(const struct record *a, const struct record *b)
{
	int c = strcmp(a->client, b->client);

	if (!c)
		c = is_network(a) - is_network(b);
	if (!c)
		c = strcmp(a->server, b->server);
	return c;
}

struct ranked {
	const struct record *record;
	size_t order;
};

/* One cause: the same error on the same server. Of a missing right the words name each login. */
static bool is_same_failure(const struct record *a, const struct record *b)
{
	if (!outcome_is_failed(a) || !outcome_is_failed(b) || a->code != b->code ||
		!streq(a->server, b->server))
		return false;
	return streq(a->detail, b->detail) ||
	       (is_lacking_right(a) && a->change.kind == b->change.kind);
}

static bool is_neighbor(const struct record *a, const struct record *b)
{
	return a->kind == RECORD_GRANT && b->kind == RECORD_GRANT && streq(a->server, b->server) &&
	       streq(a->login, b->login);
}

static bool is_same_state(const struct record *a, const struct record *b)
{
	return is_neighbor(a, b) && a->state == b->state && streq(a->detail, b->detail);
}

/* The server's own note says it of every grant there. */
static bool is_of_server(const struct record *r, const struct record *note)
{
	return r->kind == RECORD_GRANT &&
	       (note->kind == RECORD_NOTE || note->kind == RECORD_SERVER) && !*note->login &&
	       !*note->database && streq(r->server, note->server) && streq(r->detail, note->detail);
}

/* A note about one login and database, which the state of its grant says again. */
static bool is_note_of_grant(const struct ranked *shown, size_t n, size_t i)
{
	const struct record *note = shown[i].record;

	if (note->kind != RECORD_NOTE || !*note->login)
		return false;
	for (size_t k = i + 1; k < n && !place_compare(note, shown[k].record); k++) {
		const struct record *g = shown[k].record;
		if (g->kind == RECORD_GRANT && streq(g->login, note->login) &&
			(!*note->database || streq(g->database, note->database)) &&
			streq(g->detail, note->detail))
			return true;
	}
	return false;
}

/* Whether a record before this one says the same. */
static bool is_repeated(const struct ranked *shown, size_t i)
{
	const struct record *r = shown[i].record;

	for (size_t k = 0; k < i && outcome_is_failed(r); k++)
		if (is_same_failure(r, shown[k].record))
			return true;
	/* The grants of a login follow each other. */
	for (size_t k = i; k-- > 0 && is_neighbor(shown[k].record, r);)
		if (is_same_state(shown[k].record, r))
			return true;
	/* The servers' notes come first. */
	for (size_t k = 0; k < i && !*shown[k].record->client && r->kind == RECORD_GRANT; k++)
		if (is_of_server(r, shown[k].record))
			return true;
	return false;
}

/* The remedy was printed with an error of that server. */
static bool is_remedy_repeated(const struct ranked *shown, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (is_lacking_right(shown[k].record) &&
			streq(shown[k].record->server, shown[i].record->server))
			return true;
	return false;
}

static void state_print(const struct ranked *shown, size_t n, size_t i, FILE *to, bool color)
{
	const struct record *r = shown[i].record;
	enum tone tone = state_tone(r->state);

	fprintf(to, "    %s%s:%s ", style_begin(color, tone), state_name(r->state),
		style_end(color, tone));
	if (*r->login)
		text_printf(to, "%s%s%s", r->login, *r->database ? " on " : "", r->database);
	for (size_t k = i + 1; k < n && is_neighbor(r, shown[k].record); k++)
		if (is_same_state(r, shown[k].record))
			text_printf(to, ", %s", shown[k].record->database);
	text_printf(to, "%s%s\n", *r->login ? ": " : "",
		*r->detail		    ? r->detail
		: r->kind != RECORD_GRANT   ? ""
		: r->state == STATE_WAITING ? "the database does not exist yet"
					    : "what access there is now is not known");
}

static void line_print(
	const struct ranked *shown, size_t n, size_t i, FILE *to, bool color, const char **reason)
{
	const struct record *r = shown[i].record;
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
		if (is_lacking_right(r) && !is_remedy_repeated(shown, i))
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
	state_print(shown, n, i, to, color);
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

	if ((r->kind != RECORD_PLAN && r->kind != RECORD_OUTCOME) || outcome_is_failed(r) ||
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
		fprintf(to,
			"    %zu more change%s FAILED for the same cause; see `curfew history`\n",
			l->repeated, l->repeated == 1 ? "" : "s");
	if (l->skipped)
		fprintf(to, "    %zu change%s skipped: something before failed\n", l->skipped,
			l->skipped == 1 ? "" : "s");
	*l = (struct left_out){0};
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
	const struct record *last = NULL;
	const char *reason = NULL;

	if (!shown || !outcomes)
		return;
	size_t n_outcomes = outcomes_sort(outcomes, items, n);
	for (size_t i = 0; i < n; i++)
		if (is_shown(&items[i]) && !is_superseded(&items[i], outcomes, n_outcomes))
			shown[n_shown++] = (struct ranked){&items[i], i};
	qsort(shown, n_shown, sizeof(*shown), ranked_compare);
	for (size_t i = 0; i < n_shown; i++) {
		const struct record *r = shown[i].record;
		bool again = is_repeated(shown, i);
		if ((again && r->kind == RECORD_GRANT) || is_note_of_grant(shown, n_shown, i))
			continue;
		if (last && place_compare(last, r) != 0)
			left_out_print(&left, to);
		if (!last || !streq(last->client, r->client))
			client_print(*r->client ? r->client : "servers", to, color, !last);
		if (!last || place_compare(last, r) != 0) {
			text_printf(to, "  %s\n", is_network(r) ? "network" : r->server);
			reason = NULL;
		}
		if (!verbose && is_role_setup(shown, n_shown, i))
			left.roles++;
		else if (outcome_is_skipped(r))
			left.skipped++;
		else if (again && !verbose)
			left.repeated++;
		else
			line_print(shown, n_shown, i, to, color, &reason);
		last = r;
	}
	left_out_print(&left, to);
}
