/* A control socket in a folder of its own, answered by the test itself. */
#ifndef TESTS_SERVICE_CONTROL_FIXTURE_H
#define TESTS_SERVICE_CONTROL_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "curfew/control.h"

struct fixture {
	char folder[64];
	struct control *control;
	struct control_call *held; /* answered later */
	size_t n_asked;
	char actor[128];
	size_t n_records;
	bool flood;
};

static inline void handle(void *context, struct control_call *call, const json_t *request)
{
	struct fixture *f = context;
	const char *command = json_string_value(json_object_get(request, "command"));
	struct record r = {.kind = RECORD_NOTE, .code = 7};

	f->n_asked++;
	snprintf(f->actor, sizeof(f->actor), "%s", control_actor(call));
	if (strcmp(command, "hold") == 0) {
		f->held = call;
		return;
	}
	RECORD_SET(&r, detail, "Łódź \"quoted\"\nline");
	for (size_t i = 0; i < f->n_records; i++)
		control_tell(call, &r);
	struct pass_result result = {.planned = 3, .done = 2, .failed = 1, .journal_failed = true};
	control_end(call, 0, NULL, json_pack("{s:o}", "result", control_result_json(&result)));
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	snprintf(f->folder, sizeof(f->folder), "/tmp/curfew-control-XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	f->n_records = 1;
	*state = f;
	return control_open(&f->control, f->folder, (gid_t)-1, handle, f);
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	control_close(f->control);
	control_close(NULL);
	int r = rmdir(f->folder); /* the socket went with the service */
	free(f);
	return r;
}

static inline int client_connect(const struct fixture *f)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/" CONTROL_SOCKET, f->folder);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* Lets the service work until it has nothing to do for a moment, or the client's end is closed. */
static inline void serve(struct fixture *f)
{
	struct pollfd p = {.fd = control_fd(f->control), .events = POLLIN};

	while (poll(&p, 1, 50) > 0)
		assert_int_equal(control_dispatch(f->control), 0);
}

static inline char *answer_of(struct fixture *f, const char *request, size_t size)
{
	static char text[65536];
	int fd = client_connect(f);
	size_t n = 0;
	ssize_t got;

	assert_int_equal(send(fd, request, size, 0), size);
	serve(f);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (n < sizeof(text) - 1 && (got = recv(fd, text + n, sizeof(text) - 1 - n, 0)) > 0) {
		n += (size_t)got;
		serve(f);
	}
	text[n] = '\0';
	close(fd);
	serve(f);
	return text;
}
#define ANSWER(f, text) answer_of(f, text, strlen(text))

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
