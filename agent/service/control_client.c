/* The commands' end of the control socket: sends one request, reads records and the final answer. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "curfew/control.h"

static int control_connect(const char *runtime_directory)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/" CONTROL_SOCKET,
		runtime_directory);

	if (n < 0 || (size_t)n >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static int control_ask(int fd, json_t *request)
{
	_cleanup_free_ char *text = json_dumps(request, JSON_COMPACT);
	size_t size, done = 0;

	if (!text)
		return -ENOMEM;
	size = strlen(text);
	text[size++] = '\n'; /* replaces the terminating NUL */
	while (done < size) {
		ssize_t n = send(fd, text + done, size - done, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int control_read(json_t **end, FILE *from, record_fn sink, void *context)
{
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	struct record r;

	while (getline(&line, &room, from) >= 0) {
		json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		if (!json)
			return -EBADMSG;
		if (json_is_integer(json_object_get(json, "end"))) {
			*end = json;
			return 0;
		}
		int bad = record_parse(&r, json_object_get(json, "record"));
		json_decref(json);
		if (bad)
			return bad;
		if (sink)
			sink(context, &r);
	}
	/* The service ended, or refused the connection. */
	return -ECONNRESET;
}

/* One connection asks what the service has loaded, the other asks it to act. */
static int kept[2] = {-1, -1};

void control_keep(const char *runtime_directory)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (kept[i] < 0)
			kept[i] = control_connect(runtime_directory);
}

static int kept_take(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		int fd = kept[i];
		char none;
		kept[i] = -1;
		if (fd < 0)
			continue;
		/* The service closed the connection after its timeout, or was restarted. */
		if (recv(fd, &none, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN)
			return fd;
		close(fd);
	}
	return -ENOTCONN;
}

int control_call(
	json_t **end, const char *runtime_directory, json_t *request, record_fn sink, void *context)
{
	int fd = kept_take(), rc;

	if (fd < 0)
		fd = control_connect(runtime_directory);
	rc = fd;

	if (rc >= 0)
		rc = control_ask(fd, request);
	json_decref(request);
	FILE *from = rc < 0 ? NULL : fdopen(fd, "r");
	if (rc >= 0)
		rc = from ? control_read(end, from, sink, context) : -errno;
	if (from)
		fclose(from);
	else if (fd >= 0)
		close(fd);
	return rc;
}
