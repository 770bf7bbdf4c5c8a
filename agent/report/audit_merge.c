/* One cause is one finding: what two checks say of one thing stands together, with the evidence of both. */
#include <string.h>

#include "curfew/sql.h"
#include "curfew/text.h"
#include "report/audit.h"
#include "report/audit_build.h"

/* The check says that it is new or changed since the baseline, not what is wrong with it. */
static bool is_by_baseline(const struct audit_finding *f)
{
	return begins_with(f->name, "new-") || begins_with(f->name, "changed-") ||
	       begins_with(f->name, "replaced-") || streq(f->name, "ddl-trigger-changed");
}

/* Where the statement ends: its AS names the grantor, whom the baseline does not know. */
static bool remedy_ends(const char *text)
{
	return !*text || begins_with(text, " AS [") || streq(text, ";") ||
	       begins_with(text, "; -- ");
}

/* The same statement: REVOKE has FROM in the one and TO in the other. Names are compared as they are. */
static bool remedy_is_same(const char *a, const char *b)
{
	while (!remedy_ends(a) && !remedy_ends(b)) {
		size_t n = *a == '[' ? sql_quoted_size(a) : 1, from_a = 0, from_b = 0;

		if (begins_with(a, " FROM ["))
			from_a = strlen(" FROM ");
		else if (begins_with(a, " TO ["))
			from_a = strlen(" TO ");
		if (begins_with(b, " FROM ["))
			from_b = strlen(" FROM ");
		else if (begins_with(b, " TO ["))
			from_b = strlen(" TO ");
		if (!from_a != !from_b || (!from_a && strncmp(a, b, n) != 0))
			return false;
		a += from_a ? from_a : n;
		b += from_b ? from_b : n;
	}
	return remedy_ends(a) && remedy_ends(b);
}

/* "USE [AcmeTest]; " */
static const char *statement_of(const char *remedy)
{
	static const char use[] = "USE [";
	const char *after = remedy;

	if (begins_with(remedy, use)) {
		after += strlen(use) - 1;
		after += sql_quoted_size(after);
		after += strspn(after, "; ");
	}
	return after;
}

bool remedy_is_look(const char *remedy)
{
	const char *statement = statement_of(remedy);

	return begins_with(statement, "SELECT ");
}

/* The thing that was found, quoted: the evidence begins with it. Owned; NULL without memory. */
static char *subject_of(const char *evidence)
{
	const char *end = strstr(evidence, ": ");
	struct text text;

	if (*evidence == '[' || !end)
		return strndup(evidence, end ? (size_t)(end - evidence) : 0);
	_cleanup_free_ char *plain = strndup(evidence, (size_t)(end - evidence));
	if (!plain || !text_begin(&text))
		return NULL;
	sql_write_name(text.to, plain);
	return text_end(&text);
}

/* A thing that was there before and was changed is shown, and its check would drop it: two remedies, one cause. */
static bool change_is_same(const struct audit_finding *a, const struct audit_finding *b)
{
	static const struct {
		const char *check, *change;
	} pairs[] = {{"execute-as-module", "changed-definition"},
		{"synonym-outward", "changed-definition"}, {"queue-activation", "changed-queue"},
		{"policy-unbound", "changed-policy"}, {"ddl-trigger", "ddl-trigger-changed"}};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (!(streq(a->name, pairs[i].check) && streq(b->name, pairs[i].change)) &&
			!(streq(b->name, pairs[i].check) && streq(a->name, pairs[i].change)))
			continue;
		_cleanup_free_ char *x = subject_of(a->evidence), *y = subject_of(b->evidence);
		return x && y && *x && streq(x, y);
	}
	return false;
}

/* The check of the whole server names the database first: "AcmeTest: is_trustworthy_on = 1". */
static bool is_about(const struct audit_finding *check, const char *database)
{
	size_t n = database ? strlen(database) : 0;

	return n && begins_with(check->evidence, database) &&
	       begins_with(check->evidence + n, ": ");
}

/* A setting of a database that a check of the server names, and that changed since the baseline. */
static bool setting_is_same(const struct audit_finding *a, const struct audit_finding *b)
{
	static const struct {
		const char *check, *setting;
	} pairs[] = {{"trustworthy", "trustworthy: "}, {"db-chaining", "chaining: "},
		{"database-owner", "owner: "}};
	const struct audit_finding *changed = streq(a->name, "changed-setting") ? a : b;
	const struct audit_finding *check = changed == a ? b : a;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (streq(changed->name, "changed-setting") && streq(check->name, pairs[i].check) &&
			begins_with(changed->evidence, pairs[i].setting))
			return is_about(check, changed->database);
	return false;
}

static bool text_is_same(const char *a, const char *b)
{
	return a && b ? streq(a, b) : a == b;
}

/* Ends whatever a session or a transaction does: where it comes from and what it holds are two causes. */
static bool remedy_is_kill(const char *remedy)
{
	return begins_with(statement_of(remedy), "KILL ");
}

/* A note about a database, given for each login that it concerns. */
static bool note_is_same(const struct audit_finding *a, const struct audit_finding *b)
{
	return streq(a->name, "not-shown") && streq(b->name, "not-shown") && a->database &&
	       text_is_same(a->database, b->database) && streq(a->evidence, b->evidence);
}

static bool cause_is_same(const struct audit_finding *a, const struct audit_finding *b)
{
	if (!text_is_same(a->server, b->server))
		return false;
	if (note_is_same(a, b) || setting_is_same(a, b))
		return true;
	if (streq(a->name, b->name) || !text_is_same(a->database, b->database))
		return false;
	/* A check of the baseline does not know whose login it is. */
	if (a->login && b->login && !streq(a->login, b->login))
		return false;
	if (a->remedy && b->remedy && !begins_with(a->remedy, "-- ") &&
		!remedy_is_look(a->remedy) && !remedy_is_kill(a->remedy) &&
		remedy_is_same(a->remedy, b->remedy))
		return true;
	return change_is_same(a, b);
}

static void joined_set(struct build *b, const char **field, const char *first, const char *between,
	const char *second)
{
	const char *text = audit_text(b, "%s%s%s", first, between, second);

	if (text)
		*field = text;
}

/* `into` keeps its name, unless the other says more of what is wrong. */
static void finding_join(struct build *b, struct audit_finding *into, struct audit_finding other)
{
	struct audit_finding first = *into;

	if (note_is_same(into, &other)) {
		into->login = NULL;
		into->client = text_is_same(into->client, other.client) ? into->client : NULL;
		return;
	}
	if (is_by_baseline(&first) && !is_by_baseline(&other)) {
		first = other;
		other = *into;
	}
	if (other.severity > first.severity)
		first.severity = other.severity;
	if (!first.client)
		first.client = other.client;
	if (!first.login)
		first.login = other.login;
	if (!first.database)
		first.database = other.database;
	/* An item that existed before must be reviewed, never dropped. */
	if (first.remedy && begins_with(statement_of(first.remedy), "DROP ") && other.remedy &&
		remedy_is_look(other.remedy))
		first.remedy = other.remedy;
	joined_set(b, &first.evidence, first.evidence, "\n", other.evidence);
	const char *also = first.also ? first.also : into->also;
	if (also)
		joined_set(b, &first.also, also, ", ", other.name);
	else
		first.also = other.name;
	*into = first;
}

void findings_merge(struct build *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->n_findings; i++) {
		size_t k = 0;

		while (k < kept && !cause_is_same(&b->findings[k], &b->findings[i]))
			k++;
		if (k < kept)
			finding_join(b, &b->findings[k], b->findings[i]);
		else
			b->findings[kept++] = b->findings[i];
	}
	b->n_findings = kept;
}
