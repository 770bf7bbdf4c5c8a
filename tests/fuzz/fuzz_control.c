/* The control socket: the first byte says in which portions the rest is sent, the second how often. Whatever
 * comes, at most one request reaches the handler, and only an object with a command; the answer is whole lines of
 * JSON of which one, the last, is the end; and when the client has gone nothing of it stays. */
#include "fuzz.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
/* Itself, for a look at the calls that it keeps. */
#include "service/control.c"

static char folder[] = "/dev/shm/curfew-fuzz-XXXXXX";
static struct control *control;

/* Of the request under way. */
static size_t n_asked;
static struct control_call *held;

static void folder_remove(void)
{
	control_close(control);
	rmdir(folder);
}

/* As the service does: some answers come at once, some later, some have records first. */
static void handle(void *context, struct control_call *call, const json_t *request)
{
	static struct record r;

	(void)context;
	REQUIRE(++n_asked == 1);
	REQUIRE(json_is_object(request) && json_string_value(json_object_get(request, "command")));
	REQUIRE(control_is_open(call));
	REQUIRE(strlen(control_actor(call)) > 0);
	if (record_parse(&r, json_object_get(request, "record")) == 0)
		control_tell(call, &r);
	held = call;
	if (json_is_true(json_object_get(request, "hold")))
		return;
	held = NULL;
	control_end(call, 0, json_string_value(json_object_get(request, "error")), NULL);
}

static void service_make(void)
{
	REQUIRE(mkdtemp(folder) != NULL);
	atexit(folder_remove);
	REQUIRE(control_open(&control, folder, (gid_t)-1, handle, NULL) == 0);
}

static int client_connect(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/" CONTROL_SOCKET, folder);
	REQUIRE(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	return fd;
}

/* Until nothing is ready any more: never for long, or the service would be kept busy by one client. */
static void serve(void)
{
	for (int turn = 0; turn < 4; turn++)
		REQUIRE(control_dispatch(control) == 0);
}

static void request_send(int fd, const uint8_t *data, size_t size, size_t portion)
{
	for (size_t at = 0; at < size; at += portion) {
		size_t n = size - at < portion ? size - at : portion;

		/* Hung up on in the middle: it goes on to listen. */
		if (send(fd, data + at, n, MSG_NOSIGNAL) < 0)
			return;
		REQUIRE(control_dispatch(control) == 0);
	}
	serve();
}

static char *answer_read(int fd)
{
	char *text = NULL, more[4096];
	size_t n = 0;
	ssize_t got;
	FILE *f = open_memstream(&text, &n);

	REQUIRE(f != NULL);
	while ((got = recv(fd, more, sizeof(more), 0)) > 0) {
		fwrite(more, 1, (size_t)got, f);
		serve();
	}
	fclose(f);
	REQUIRE(strlen(text) == n);
	return text;
}

/* The number of ends. */
static size_t answer_check(char *text)
{
	size_t ends = 0;

	for (char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		REQUIRE(end != NULL);
		*end = '\0';
		REQUIRE(ends == 0);
		json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		REQUIRE(json_is_object(json));
		REQUIRE(json_object_get(json, "record") || json_object_get(json, "end"));
		ends += json_is_integer(json_object_get(json, "end"));
		json_decref(json);
	}
	return ends;
}

static size_t calls_kept(void)
{
	size_t n = 0;

	for (size_t i = 0; i < MAX_CONTROL_CLIENTS; i++)
		n += control->calls[i] != NULL;
	return n;
}

/* Records come from the service to commands by the same words: what is taken is sound and comes again. */
static void record_check_json(const uint8_t *data, size_t size)
{
	static struct record r, again;
	static uint8_t before[RECORD_PACKED_MAX], after[RECORD_PACKED_MAX];
	json_t *json = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL), *back;

	if (json && record_parse(&r, json) == 0) {
		size_t n = record_pack(before, &r);
		REQUIRE(!record_unpack(&again, before, n));
		back = record_json(&r);
		REQUIRE(record_parse(&again, back) == 0);
		REQUIRE(record_pack(after, &again) == n && memcmp(before, after, n) == 0);
		json_decref(back);
	}
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	size_t portion = input_number(&in, 1) * 16 + 1, times = input_number(&in, 1) % 33 + 1;

	/* Byte by byte only what is short. */
	if (portion < in.left / 16)
		portion = in.left / 16;
	if (!control)
		service_make();
	record_check_json(in.data, in.left);
	n_asked = 0;
	held = NULL;
	int fd = client_connect();
	serve();
	REQUIRE(calls_kept() == 1);
	while (times--)
		request_send(fd, in.data, in.left, portion);
	bool late = held != NULL;
	if (late && (in.left & 1)) {
		control_end(held, 0, NULL, NULL);
		held = NULL;
		serve();
	}
	_cleanup_free_ char *answer = answer_read(fd);
	size_t ends = answer_check(answer);
	REQUIRE(!(held && ends));
	close(fd);
	serve();
	/* Gone while its answer was under way: the handler still has it. */
	if (held) {
		REQUIRE(!control_is_open(held));
		control_end(held, 0, NULL, NULL);
	}
	REQUIRE(calls_kept() == 0);
	return 0;
}
