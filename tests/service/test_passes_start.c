/* Why the next pass runs: what closes access goes before what may wait for servers that do not answer, and nothing that is
 * due waits for ever behind a stream of requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "service/internal.h"

static void request_push(struct passes *p, const char *reason, bool closes)
{
	p->queue[p->n_queue++] = (struct request){.reason = strdup(reason), .closes = closes};
}

static void pass_is(struct passes *p, const char *reason)
{
	passes_reason_take(p);
	assert_string_equal(p->text, reason);
	assert_int_equal(p->has_request, p->request.reason != NULL);
	free(p->request.reason);
	p->request = (struct request){0};
	p->has_request = false;
}

static void test_a_revocation_waits_for_no_retry(void **state)
{
	static const unsigned slow[] = {
		REASON_RETRY, REASON_INTERVAL, REASON_RETRY | REASON_INTERVAL};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++) {
		struct passes p = {.pending = slow[i]};
		request_push(&p, "apply", false);
		request_push(&p, "revoked", true);
		request_push(&p, "status", false);
		pass_is(&p, "revoked");
		pass_is(&p, reason_text(slow[i]));
		pass_is(&p, "apply");
		pass_is(&p, "status");
		assert_int_equal(p.pending, 0);
		assert_int_equal(p.n_queue, 0);
	}
}

static void test_revocations_do_not_keep_retries_away(void **state)
{
	struct passes p = {.pending = REASON_RETRY};

	(void)state;
	request_push(&p, "one", true);
	request_push(&p, "two", true);
	pass_is(&p, "one");
	pass_is(&p, "retry");
	p.pending = REASON_RETRY;
	pass_is(&p, "two");
	pass_is(&p, "retry");
}

/* These visit every server and close whatever is revoked there too. */
static void test_a_pass_of_all_servers_goes_first(void **state)
{
	static const unsigned all[] = {REASON_START, REASON_TRANSITION, REASON_RELOAD, REASON_CLOCK,
		REASON_OVERRIDE, REASON_REST};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct passes p = {.pending = all[i] | REASON_RETRY};
		request_push(&p, "revoked", true);
		pass_is(&p, reason_text(all[i]));
		pass_is(&p, "revoked");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_revocation_waits_for_no_retry),
		cmocka_unit_test(test_revocations_do_not_keep_retries_away),
		cmocka_unit_test(test_a_pass_of_all_servers_goes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
