/* The service's end of the sender's socket: one sender at a time, identified by the kernel. */
#include "curfew/sender.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct sender_port {
	int listener, channel;
	uid_t sender;
	bool has_sender;
	struct sockaddr_un address;
};

int sender_listen(struct sender_port **out, const char *runtime_directory)
{
	struct sender_port *p = calloc(1, sizeof(*p));
	const struct passwd *user = getpwnam(SENDER_USER);
	int rc = 0;

	if (!p)
		return -ENOMEM;
	p->channel = -1;
	p->has_sender = user;
	p->sender = user ? user->pw_uid : 0;
	p->address.sun_family = AF_UNIX;
	if ((size_t)snprintf(p->address.sun_path, sizeof(p->address.sun_path), "%s/" SENDER_SOCKET,
		    runtime_directory) >= sizeof(p->address.sun_path))
		rc = -ENAMETOOLONG;
	p->listener = rc ? -1 : socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!rc && p->listener < 0)
		rc = -errno;
	if (!rc)
		unlink(p->address.sun_path);
	/* Everybody who can reach the directory may connect; SO_PEERCRED says who it is. */
	if (!rc && (bind(p->listener, (struct sockaddr *)&p->address, sizeof(p->address)) < 0 ||
			   chmod(p->address.sun_path, 0666) < 0 || listen(p->listener, 4) < 0))
		rc = -errno;
	if (rc) {
		sender_close(p);
		return rc;
	}
	*out = p;
	return 0;
}

void sender_drop(struct sender_port *p)
{
	if (p->channel >= 0)
		close(p->channel);
	p->channel = -1;
}

void sender_close(struct sender_port *p)
{
	if (!p)
		return;
	sender_drop(p);
	if (p->listener >= 0) {
		unlink(p->address.sun_path);
		close(p->listener);
	}
	free(p);
}

int sender_listener(const struct sender_port *p)
{
	return p->listener;
}

int sender_channel(const struct sender_port *p)
{
	return p->channel;
}

static int hello_send(int fd, const struct settings *s)
{
	const struct notice_settings *n = &s->notices;
	struct sender_hello h;

	memset(&h, 0, sizeof(h));
	snprintf(h.host, sizeof(h.host), "%s", n->host);
	snprintf(h.user, sizeof(h.user), "%s", n->user ? n->user : "");
	snprintf(h.from, sizeof(h.from), "%s", n->from);
	snprintf(h.ca_file, sizeof(h.ca_file), "%s",
		n->tls == MAIL_PLAIN && !n->webhook ? "" : n->ca_file);
	h.port = n->port;
	h.tls = (uint8_t)n->tls;
	if (n->webhook) {
		snprintf(h.hook, sizeof(h.hook), "%s", n->webhook);
		snprintf(h.hook_host, sizeof(h.hook_host), "%s", n->webhook_host);
		h.hook_port = n->webhook_port;
		if (settings_credential(h.hook_credential, s, n->webhook_credential) < 0)
			return -ENAMETOOLONG;
	}
	/* The sender uses only the file name if systemd gave it a credential directory of its own. */
	if (n->credential && settings_credential(h.credential, s, n->credential) < 0)
		return -ENAMETOOLONG;
	return send(fd, &h, sizeof(h), MSG_NOSIGNAL) == (ssize_t)sizeof(h) ? 0 : -EPIPE;
}

bool sender_accept(struct sender_port *p, const struct settings *s)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return false;
	bool allowed = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
		       (peer.uid == 0 || peer.uid == geteuid() ||
			       (p->has_sender && peer.uid == p->sender));
	if (!allowed || p->channel >= 0 || hello_send(fd, s) < 0) {
		close(fd);
		return false;
	}
	p->channel = fd;
	return true;
}

static int job_send(struct sender_port *p, uint32_t verb, int64_t id, const char *to,
	const char *message, size_t size)
{
	struct sender_job *job = calloc(1, sizeof(*job) + size);
	int rc = 0;

	if (!job)
		return -ENOMEM;
	job->verb = verb;
	job->id = id;
	job->size = (uint32_t)size;
	snprintf(job->to, sizeof(job->to), "%s", to);
	if (size)
		memcpy(job->message, message, size);
	if (send(p->channel, job, sizeof(*job) + size, MSG_NOSIGNAL) !=
		(ssize_t)(sizeof(*job) + size))
		rc = -EPIPE;
	free(job);
	return rc;
}

int sender_give(struct sender_port *p, int64_t id, const char *to, const char *message)
{
	size_t size = strlen(message);

	return size > SENDER_MESSAGE_MAX ? -E2BIG : job_send(p, SENDER_SEND, id, to, message, size);
}

int sender_go(struct sender_port *p, int64_t id)
{
	return job_send(p, SENDER_GO, id, "", NULL, 0);
}

int sender_read(struct sender_report *out, struct sender_port *p)
{
	ssize_t n = recv(p->channel, out, sizeof(*out), MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n != (ssize_t)sizeof(*out))
		return n == 0 ? -EPIPE : -EPROTO;
	out->text[sizeof(out->text) - 1] = '\0';
	return (out->word != SENDER_HANDING && out->word != SENDER_DONE) ||
			       out->result >= SENDER_RESULTS
		       ? -EPROTO
		       : 1;
}
