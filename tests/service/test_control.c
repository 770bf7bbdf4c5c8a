/* The control socket: what a client can do to the service (nothing), records both ways. */
#include "control_fixture.h"

static void test_a_request_is_answered(void **state)
{
	struct fixture *f = *state;
	char expected[128];

	char *text = ANSWER(f, "{\"command\":\"plan\"}\n");
	assert_non_null(strstr(text, "{\"record\":"));
	assert_non_null(strstr(text, "\"end\":0"));
	assert_int_equal(f->n_asked, 1);
	/* By the kernel's word, not by the request's. */
	snprintf(expected, sizeof(expected), "(uid %u)", (unsigned)getuid());
	assert_non_null(strstr(f->actor, expected));
}

static void test_the_request_cannot_say_who_asks(void **state)
{
	struct fixture *f = *state;

	ANSWER(f, "{\"command\":\"plan\",\"actor\":\"mallory\",\"uid\":4711}\n");
	assert_null(strstr(f->actor, "mallory"));
	assert_null(strstr(f->actor, "4711"));
}

static void test_nonsense_reaches_no_handler(void **state)
{
	struct fixture *f = *state;
	static const char *const texts[] = {"\n", "{}\n", "[]\n", "plan\n", "{\"command\":7}\n",
		"{\"command\":\"a\"\n", "{\"command\":\"a\",\"command\":\"b\"}\n",
		"{\"command\":\"a\"}\n{\"command\":\"b\"}\n", "\xff\xfe{\"command\":\"a\"}\n",
		"{\"command\":\"\xc3\"}\n", "{\"command\":\"a\"}x\n"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_non_null(strstr(ANSWER(f, texts[i]), "\"end\":64"));
		assert_int_equal(f->n_asked, 0);
	}
	/* A zero byte inside. */
	assert_non_null(strstr(answer_of(f, "{\"command\":\"a\0b\"}\n", 18), "\"end\":64"));
	assert_int_equal(f->n_asked, 0);
}

static void test_a_request_without_an_end_is_refused(void **state)
{
	struct fixture *f = *state;
	static char text[MAX_CONTROL_REQUEST + 4096];

	memset(text, ' ', sizeof(text));
	assert_non_null(strstr(answer_of(f, text, sizeof(text)), "too long"));
	assert_int_equal(f->n_asked, 0);
}

static void test_the_silent_are_put_out(void **state)
{
	struct fixture *f = *state;
	int fd = client_connect(f);
	char byte;

	serve(f);
	/* CONTROL_TIMEOUT later the far end is closed; poll() waits for that, and for no clock of ours. */
	struct pollfd p[] = {
		{.fd = fd, .events = POLLIN}, {.fd = control_fd(f->control), .events = POLLIN}};
	while (!p[0].revents) {
		assert_true(poll(p, 2, 60000) > 0);
		assert_int_equal(control_dispatch(f->control), 0);
	}
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
}

/* Whoever holds places without asking keeps nobody out: the longest idle makes room for the next of the same user. */
static void test_the_idle_make_room(void **state)
{
	struct fixture *f = *state;
	size_t most = getuid() == 0 ? MAX_CONTROL_CLIENTS : MAX_CONTROL_PER_USER;
	int fds[MAX_CONTROL_CLIENTS + 1];
	char byte;

	for (size_t i = 0; i <= most; i++) {
		fds[i] = client_connect(f);
		serve(f);
	}
	assert_int_equal(recv(fds[0], &byte, 1, MSG_DONTWAIT), 0);
	assert_int_equal(recv(fds[1], &byte, 1, MSG_DONTWAIT), -1); /* still there */
	assert_int_equal(recv(fds[most], &byte, 1, MSG_DONTWAIT), -1);
	assert_non_null(strstr(ANSWER(f, "{\"command\":\"plan\"}\n"), "\"end\":0"));
	for (size_t i = 0; i <= most; i++)
		close(fds[i]);
	serve(f);
}

static void test_who_hangs_up_is_seen(void **state)
{
	struct fixture *f = *state;
	static const char text[] = "{\"command\":\"hold\"}\n";
	struct record r = {.kind = RECORD_NOTE};
	int fd = client_connect(f);

	assert_int_equal(send(fd, text, sizeof(text) - 1, 0), sizeof(text) - 1);
	serve(f);
	assert_non_null(f->held);
	assert_true(control_is_open(f->held));
	close(fd);
	serve(f);
	assert_false(control_is_open(f->held));
	control_tell(f->held, &r); /* into the void */
	control_end(f->held, 0, NULL, NULL);
}

static void test_who_does_not_read_gets_no_half_answer(void **state)
{
	struct fixture *f = *state;
	static const char text[] = "{\"command\":\"hold\"}\n";
	struct record r = {.kind = RECORD_PLAN};
	int fd = client_connect(f);

	memset(r.change.statement, 'x', sizeof(r.change.statement) - 1);
	assert_int_equal(send(fd, text, sizeof(text) - 1, 0), sizeof(text) - 1);
	serve(f);
	size_t told = 0;
	while (control_is_open(f->held) && told < 100000) {
		control_tell(f->held, &r);
		told++;
	}
	assert_false(control_is_open(f->held));
	assert_true(told * sizeof(r.change.statement) > MAX_CONTROL_BACKLOG / 2);
	control_end(f->held, 0, NULL, NULL);
	close(fd);
}

struct got {
	size_t n;
	struct record last;
};
static int got_record(void *context, const struct record *r)
{
	struct got *g = context;

	g->n++;
	g->last = *r;
	return 0;
}

/* A child asks as commands do, while this process serves. */
static void test_commands_get_records_and_result(void **state)
{
	struct fixture *f = *state;
	int status;

	f->n_records = 5000;
	pid_t child = fork();
	if (child == 0) {
		struct got g = {0};
		struct pass_result result;
		char error[RECORD_TEXT_MAX];
		struct pass_options o = {
			.mode = PASS_PLAN, .client = "acme", .sink = got_record, .context = &g};
		int r = control_pass(&result, error, f->folder, &o);
		_exit(r == 0 && g.n == 5000 && g.last.code == 7 &&
					strcmp(g.last.detail, "Łódź \"quoted\"\nline") == 0 &&
					result.planned == 3 && result.failed == 1 &&
					result.journal_failed && !result.network_failed
				? 0
				: 1);
	}
	struct pollfd p = {.fd = control_fd(f->control), .events = POLLIN};
	while (waitpid(child, &status, WNOHANG) == 0)
		if (poll(&p, 1, 20) > 0)
			control_dispatch(f->control);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_a_second_service_is_refused_and_a_dead_one_replaced(void **state)
{
	struct fixture *f = *state;
	struct control *other;
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	assert_int_equal(control_open(&other, f->folder, (gid_t)-1, handle, f), -EADDRINUSE);
	assert_non_null(strstr(ANSWER(f, "{\"command\":\"plan\"}\n"), "\"end\":0"));
	control_close(f->control);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/" CONTROL_SOCKET, f->folder);
	int dead = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(dead, (struct sockaddr *)&a, sizeof(a)), 0);
	close(dead);
	assert_int_equal(control_open(&f->control, f->folder, (gid_t)-1, handle, f), 0);
	assert_non_null(strstr(ANSWER(f, "{\"command\":\"plan\"}\n"), "\"end\":0"));
}

static void test_no_service_is_told_apart(void **state)
{
	struct fixture *f = *state;
	json_t *end;

	assert_int_equal(control_call(&end, "/nonexistent", json_object(), NULL, NULL), -ENOENT);
	control_close(f->control);
	f->control = NULL;
	assert_int_equal(control_call(&end, f->folder, json_object(), NULL, NULL), -ENOENT);
}

static void test_records_go_both_ways(void **state)
{
	struct record a = {.kind = RECORD_OUTCOME,
			      .code = -110,
			      .state = STATE_OVERDUE,
			      .change = {.number = 1ULL << 60, .kind = CHANGE_USER_CREATE}},
		      b;
	const struct record login = {
		.kind = RECORD_LOGIN, .identity = {.created = 1795392408, .sid = {{1, 0, 255}, 3}}};

	(void)state;
	json_t *json = record_json(&login);
	assert_int_equal(record_parse(&b, json), 0);
	assert_memory_equal(&login, &b, sizeof(b));
	json_decref(json);
	RECORD_SET(&a, server, "sql07");
	RECORD_SET(&a, login, "a\"b\\c\x01");
	RECORD_SET(&a, change.statement, "USE [x];\n-- \xe2\x82\xac");
	json = record_json(&a);
	assert_int_equal(record_parse(&b, json), 0);
	assert_memory_equal(&a, &b, sizeof(a));
	json_object_set_new(json, "state", json_integer(STATE_OK));
	assert_int_equal(record_parse(&b, json), -EBADMSG);
	json_object_set_new(json, "state", json_string("unknown"));
	assert_int_equal(record_parse(&b, json), -EBADMSG);
	json_object_set_new(json, "state", json_string("ok"));
	assert_int_equal(record_parse(&b, json), 0);
	json_object_set_new(json, "number", json_integer(-1));
	assert_int_equal(record_parse(&b, json), -EBADMSG);
	json_decref(json);
	assert_int_equal(record_parse(&b, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_request_is_answered),
		TEST(test_the_request_cannot_say_who_asks),
		TEST(test_nonsense_reaches_no_handler),
		TEST(test_a_request_without_an_end_is_refused),
		TEST(test_the_silent_are_put_out),
		TEST(test_the_idle_make_room),
		TEST(test_who_hangs_up_is_seen),
		TEST(test_who_does_not_read_gets_no_half_answer),
		TEST(test_commands_get_records_and_result),
		TEST(test_a_second_service_is_refused_and_a_dead_one_replaced),
		TEST(test_no_service_is_told_apart),
		cmocka_unit_test(test_records_go_both_ways),
	};
	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
