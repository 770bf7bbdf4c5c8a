/* The loop of the sender process: learns from the service where to send, drops privileges, and sends what it
 * receives. */
#include "curfew/sender.h"

#include "curfew/log.h"
#include "curfew/sandbox.h"
#include "curfew/secret.h"
#include "program/names.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define WAIT_SECONDS 1

struct sender {
	int channel;
	struct sender_hello to;
	char password[SECRET_BYTES], secret[SECRET_BYTES];
	int64_t id; /* the current job */
};

static int channel_open(int *out, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	*out = fd;
	return 0;
}

static int hello_read(struct sender *s)
{
	struct sender_hello *h = &s->to;
	ssize_t n;

	do
		n = recv(s->channel, h, sizeof(*h), MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return -ECONNREFUSED; /* the service already has a sender, or does not accept this one's user */
	if (n != (ssize_t)sizeof(*h))
		return n < 0 ? -errno : -EPROTO;
	h->host[sizeof(h->host) - 1] = h->user[sizeof(h->user) - 1] = h->from[sizeof(h->from) - 1] =
		'\0';
	h->credential[sizeof(h->credential) - 1] = h->ca_file[sizeof(h->ca_file) - 1] = '\0';
	h->hook[sizeof(h->hook) - 1] = h->hook_host[sizeof(h->hook_host) - 1] =
		h->hook_credential[sizeof(h->hook_credential) - 1] = '\0';
	return h->tls > MAIL_PLAIN || !name_is_email(h->from) ? -EPROTO : 0;
}

/* systemd gives this process a directory of its own, with this credential under its plain name. */
static void credential_find(char path[4096])
{
	const char *managed = getenv("CREDENTIALS_DIRECTORY"), *name = base_name(path);
	char found[4096];

	if (!managed)
		return;
	name += strncmp(name, "curfew_", 7) == 0 ? 7 : 0;
	if ((size_t)snprintf(found, sizeof(found), "%s/%s", managed, name) < sizeof(found))
		memcpy(path, found, sizeof(found));
}

/* The first line of the file; nothing without a path. `fault` says why the file has none. */
static int secret_read(char out[SECRET_BYTES], const char **fault, char path[4096])
{
	int fd;
	ssize_t n;

	if (!path[0])
		return 0;
	credential_find(path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	n = read(fd, out, SECRET_BYTES - 1);
	close(fd);
	if (n < 0)
		return -errno;
	*fault = secret_line(out, (size_t)n, SECRET_MAIL);
	return *fault ? -ENODATA : 0;
}

static int secret_load(char out[SECRET_BYTES], char path[4096])
{
	const char *fault = NULL;
	int rc = secret_read(out, &fault, path);

	if (fault)
		log_send(LOG_TROUBLE, NULL,
			"notices: the credential %s %s; write it on one line into its file in credential_directory, then run "
			"`systemctl restart curfew-notify`; no notice is sent until then",
			base_name(path), fault);
	else if (rc < 0)
		log_send(LOG_TROUBLE, NULL, "notices: cannot read %s: %s; no notice is sent", path,
			strerror(-rc));
	return rc;
}

static void report_send(
	const struct sender *s, enum sender_word word, enum sender_result result, const char *text)
{
	struct sender_report r;

	memset(&r, 0, sizeof(r));
	r.word = word;
	r.result = result;
	r.id = s->id;
	snprintf(r.text, sizeof(r.text), "%s", text);
	if (send(s->channel, &r, sizeof(r), MSG_NOSIGNAL) != (ssize_t)sizeof(r))
		_exit(0);
}

/* Waits until the service has recorded the attempt. Without that nothing more is sent, because nobody would know of
 * it. */
static int ask_service(void *context)
{
	const struct sender *s = context;
	struct sender_job go;
	ssize_t n;

	report_send(s, SENDER_HANDING, SENDER_LATER, "");
	do
		n = recv(s->channel, &go, sizeof(go), MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(go) || go.verb != SENDER_GO || go.id != s->id)
		_exit(0);
	return 0;
}

static _Noreturn void serve(struct sender *s)
{
	struct sender_job *job = malloc(sizeof(*job) + SENDER_MESSAGE_MAX);
	char text[SENDER_TEXT_MAX];

	if (!job)
		_exit(1);
	for (;;) {
		ssize_t n = recv(s->channel, job, sizeof(*job) + SENDER_MESSAGE_MAX, MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		/* The service ended, or has reloaded its configuration. */
		if (n <= 0)
			_exit(0);
		if ((size_t)n < sizeof(*job) || job->verb != SENDER_SEND ||
			job->size > SENDER_MESSAGE_MAX || (size_t)n != sizeof(*job) + job->size ||
			!memchr(job->to, '\0', sizeof(job->to)))
			_exit(1);
		bool hook = s->to.hook[0] && streq(job->to, WEBHOOK_RECIPIENT);
		if (!hook && !name_is_email(job->to))
			_exit(1);
		s->id = job->id;
		text[0] = '\0';
		enum sender_result result = hook ? webhook_send(text, &s->to, s->secret,
							   job->message, job->size, ask_service, s)
						 : smtp_send(text, &s->to, s->password, job->to,
							   job->message, job->size, ask_service, s);
		report_send(s, SENDER_DONE, result, text);
	}
}

static int say(int rc, const char *what)
{
	if (rc < 0)
		log_send(LOG_TROUBLE, NULL, "notices: %s: %s; no notice is sent", what,
			strerror(-rc));
	return rc;
}

static int hello_say(int rc)
{
	if (rc == -ECONNREFUSED)
		log_send(LOG_TROUBLE, NULL,
			"notices: the service closed the connection: it has a sender already, or this process runs as another "
			"user than curfew-notify; no notice is sent by this process");
	else if (rc == -EPROTO)
		log_send(LOG_TROUBLE, NULL,
			"notices: cannot read what the service sent; are service and sender of one version? Run `systemctl "
			"restart curfew`; no notice is sent");
	else
		say(rc, "cannot read what the service sent");
	return rc;
}

/* While notices are off, or the service restarts, nobody listens. */
static int service_wait(struct sender *s, const char *path)
{
	const struct timespec pause = {.tv_sec = WAIT_SECONDS};
	bool told = false;
	int rc;

	while ((rc = channel_open(&s->channel, path)) == -ENOENT || rc == -ECONNREFUSED) {
		if (!told)
			log_send(LOG_STARTED, NULL,
				"notices: waiting for the service at %s; it listens there when `notices` is configured",
				path);
		told = true;
		nanosleep(&pause, NULL);
	}
	return rc;
}

int sender_main(const char *path, bool unconfined)
{
	struct sender s = {.channel = -1};
	int rc = say(service_wait(&s, path), "cannot connect to the service");

	if (rc == 0)
		rc = hello_say(hello_read(&s));
	if (rc == 0)
		rc = secret_load(s.password, s.to.credential);
	if (rc == 0)
		rc = secret_load(s.secret, s.to.hook_credential);
	if (rc == 0 && (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT)))
		rc = say(-EIO, "cannot start libcurl");
	if (rc < 0)
		return 1;
	/* libcurl and its libraries read their own settings before this. */
	const char *read[] = {s.to.ca_file[0] ? s.to.ca_file : NULL, NULL};
	const uint16_t ports[] = {s.to.port, s.to.hook_port, 0};
	const struct sandbox_paths paths = {.read = read, .connect = ports};
	if (!unconfined &&
		say(sandbox_enter(NULL, SANDBOX_SENDER, &paths), "cannot drop privileges") < 0)
		return 1;
	serve(&s);
}
