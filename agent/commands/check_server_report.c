/* The report of check-server. */
#include "commands/check_server_report.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "commands/command.h"
#include "curfew/report.h"
#include "program/visible_text.h"

int check_report_begin(struct check_report *r)
{
	if (!r->json)
		report_locale();
	r->checks = json_array();
	return r->checks ? 0 : -ENOMEM;
}

static void line_print(const struct record *k)
{
	static const enum tone tones[CHECK_RESULTS] = {
		[CHECK_OK] = TONE_GOOD, [CHECK_SKIP] = TONE_DIM, [CHECK_FAIL] = TONE_BAD};
	bool color = style_wanted(stdout);

	printf("%s%-4s%s %s", style_begin(color, tones[k->check.result]),
		check_result_name(k->check.result), style_end(color, tones[k->check.result]),
		k->check.name);
	if (k->database[0])
		text_printf(stdout, " [%s]", k->database);
	text_printf(stdout, ": %s%s%s\n", k->detail, k->check.fix[0] ? "; " : "", k->check.fix);
	fflush(stdout);
}

static void check_take(struct check_report *r, const struct record *k)
{
	r->n++;
	r->failed += k->check.result == CHECK_FAIL;
	r->skipped += k->check.result == CHECK_SKIP;
	if (streq(k->check.name, "tcp") && k->check.result == CHECK_OK)
		r->reached = true;
	if (streq(k->check.name, "settings") && k->check.result == CHECK_OK)
		r->entered = true;
	if (r->json)
		json_array_append_new(r->checks, record_json(k));
	else
		line_print(k);
}

/* The worker's last record. A failed session has its lines already; a worker that died has none. */
static void end_take(struct check_report *r, const struct record *end)
{
	r->silent = r->silent || end->code == -ETIMEDOUT;
	if (end->code == -ENOKEY && !r->failed)
		check_report_add(r, CHECK_FAIL, "password", end->detail, NULL);
	else if (end->code && !r->failed)
		check_report_add(r, CHECK_FAIL, "check",
			end->detail[0] ? end->detail : strerror(-end->code),
			"look at the system log, then check again");
}

int check_report_take(void *report, const struct record *k)
{
	if (k->kind == RECORD_CHECK)
		check_take(report, k);
	if (k->kind == RECORD_END)
		end_take(report, k);
	return 0;
}

void check_report_add(struct check_report *r, enum check_result result, const char *name,
	const char *detail, const char *fix)
{
	struct record k = {.kind = RECORD_CHECK};

	k.check.result = result;
	RECORD_SET(&k, server, r->server);
	RECORD_SET(&k, check.name, name);
	RECORD_SET(&k, detail, detail);
	RECORD_SET(&k, check.fix, fix ? fix : "");
	check_take(r, &k);
}

int check_report_end(struct check_report *r, int rc)
{
	bool lost = rc || !r->reached || r->silent;
	int code = lost ? EXIT_FAILED : r->failed ? EXIT_DIFFERENT : EXIT_FINE;

	if (r->json) {
		json_t *whole = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:O}", "server",
			r->server, "result",
			lost	    ? "unreachable"
			: r->failed ? "failed"
				    : "ok",
			"version", CURFEW_VERSION, "tried", (json_int_t)r->n, "failed",
			(json_int_t)r->failed, "skipped", (json_int_t)r->skipped, "checks",
			r->checks);
		if (json_print(whole, stdout))
			code = EXIT_FAILED;
	} else {
		printf("%s: %zu checks, %zu failed, %zu skipped\n", r->server, r->n, r->failed,
			r->skipped);
	}
	json_decref(r->checks);
	r->checks = NULL;
	return code;
}
