/* The board as a page: a golden output with a client in each of three phases, and names that try to break out. */
#include "report_fixture.h"

#include "curfew/board.h"

static struct report_fixture *fixture;

static void board_of(struct board *b, struct grants *g)
{
	const struct overrides none = {0};
	const bool accounts[] = {true, true, true};

	assert_int_equal(schedule_at(g, &fixture->program, &none, GOLDEN_NOW), 0);
	assert_int_equal(board_make(b, &fixture->program, g, &none, accounts, GOLDEN_NOW), 0);
	for (size_t i = 0; i < b->n; i++) {
		struct progress *p = &b->cards[i].progress;
		if (!streq(b->cards[i].client->name, "acme"))
			continue;
		p->items = calloc(2, sizeof(*p->items));
		assert_non_null(p->items);
		p->items[0] = (struct sample_tally){.at = GOLDEN_NOW - 20 * DAY,
			.red = 4,
			.yellow = 20,
			.green = 18,
			.left = 42};
		p->items[1] = (struct sample_tally){
			.at = GOLDEN_NOW, .red = 2, .yellow = 15, .green = 25, .left = 30};
		p->n = 2;
	}
}

static void test_page(void **state)
{
	struct grants grants;
	struct board board;
	char *page;

	(void)state;
	fixture = sample_new();
	fixture->clients[0].has_milestones = true;
	board_of(&board, &grants);
	CAPTURED(page, board_html(&board, true, to));
	assert_null(strstr(page, "<script"));
	assert_non_null(strstr(page, "PRACTICE"));
	assert_golden("board.html", page);
	free(page);
	CAPTURED(page, board_html(&board, false, to));
	assert_null(strstr(page, "PRACTICE"));
	free(page);
	board.n = 0;
	CAPTURED(page, board_html(&board, false, to));
	assert_non_null(strstr(page, "No clients are configured."));
	free(page);
	board.n = fixture->program.n_clients;
	board_free(&board);
	grants_free(&grants);
	free(fixture);
}

/* One of two users is revoked: the client goes on. With both it is revoked. */
static void test_revoked(void **state)
{
	const bool accounts[] = {true, true, true};
	struct overrides o = {0};
	struct grants grants;
	struct board board;

	(void)state;
	fixture = sample_new();
	fixture->program.n_clients = 1;
	fixture->users[0][1] = fixture->users[0][0];
	fixture->users[0][1].login = (char *)"acme.zoe.zulu";
	fixture->clients[0].n_users = 2;
	for (size_t i = 2; i-- > 0;) {
		assert_int_equal(overrides_add(&o, "acme", fixture->users[0][i].login,
					 GOLDEN_NOW - DAY, "a test"),
			0);
		assert_int_equal(schedule_at(&grants, &fixture->program, &o, GOLDEN_NOW), 0);
		assert_int_equal(
			board_make(&board, &fixture->program, &grants, &o, accounts, GOLDEN_NOW),
			0);
		assert_int_equal(board.cards[0].phase, i ? PHASE_TESTING : PHASE_REVOKED);
		board_free(&board);
		grants_free(&grants);
	}
	overrides_free(&o);
	free(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page), cmocka_unit_test(test_revoked)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
