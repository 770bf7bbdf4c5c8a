/* The firewall process: opens the table and accepts messages only from the service. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>
#include "curfew/disk.h"
#include "curfew/log.h"
#include "curfew/record.h"
#include "curfew/sandbox.h"
#include "firewall/helper_message.h"

#define CHANNEL_FD 3

static void requests_read(struct firewall_process *f)
{
	const size_t one = sizeof(f->requests[0]);
	union {
		char room[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	struct iovec part = {f->requests, sizeof(f->requests)};
	struct msghdr m = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct ucred from = {0};
	ssize_t n = recvmsg(f->channel, &m, MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		_exit(0); /* the service has ended; the table stays */
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
			memcpy(&from, CMSG_DATA(c), sizeof(from));
	if (from.pid != f->service)
		helper_refuse("a message from process %d, which is not the service", (int)from.pid);
	if ((size_t)n % one || m.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		helper_refuse("a message of the wrong size");
	for (size_t i = 0; i < (size_t)n / one; i++)
		helper_take(f, &f->requests[i]);
}

static void monitor_take(struct firewall_process *f)
{
	struct firewall_answer a = {.kind = ANSWER_EVENT};
	bool changed = false;
	char who[64] = "";
	int rc = firewall_monitor_read(&changed, who, f->monitor);

	if (rc < 0)
		helper_refuse("the kernel's events: %s", strerror(-rc));
	if (!changed)
		return;
	record_set(a.text, sizeof(a.text), who);
	/* A service that is sending a long list does not read. Do not wait for it while it waits for this process. If
	 * the channel is full, it contains an event already. */
	if (send(f->channel, &a, sizeof(a), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
		_exit(0);
}

static int process_open(struct firewall_process *f)
{
	f->settings = f->options->program->settings.firewall;
	int rc = firewall_open(&f->firewall, &f->settings);

	if (rc == 0)
		rc = helper_watch(f);
	size_t unreadable;
	int remembered = helper_records_open(&f->records, f->options->records, &unreadable);
	/* An unreadable memory delays no removal: log it and continue. */
	if (remembered < 0 && f->records)
		log_line(LOG_ERR, "firewall process: its memory in %s: %s", f->options->records,
			strerror(-remembered));
	else if (remembered == 0 && unreadable)
		log_line(LOG_ERR, "firewall process: %zu lines of its memory in %s cannot be read",
			unreadable, f->options->records);
	if (rc == 0 && !f->records)
		rc = remembered;
	if (rc == 0)
		rc = firewall_policy_build(
			&f->policy, f->options->program, helper_records_memory(f->records));
	program_free(f->options->own);
	malloc_trim(0);
	return rc;
}

static void signals_set(void)
{
	sigset_t none;

	/* The channel shows that the service has ended. A signal to the process group must not come before its last
	 * message. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void process_serve(struct firewall_process *f)
{
	const struct sandbox_paths paths = {.read = f->options->read, .write = f->options->write};
	int on = 1;

	/* A long list has pages of its own, which go back with it; the room of a short transaction stays. By default the
	 * threshold grows with what was freed, and then long lists stay too (mallopt(3)). */
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
	int rc = setsockopt(f->channel, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ? -errno : 0;

	if (rc == 0 && !f->options->unconfined)
		rc = sandbox_enter(NULL,
			f->options->write ? SANDBOX_FIREWALL_KEEPER : SANDBOX_FIREWALL, &paths);
	if (f->forked)
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of credentials clears it */
	if (rc == 0 && f->options->write)
		rc = disk_start();
	if (rc == 0)
		rc = process_open(f);
	helper_result(f, rc, rc ? (f->firewall ? firewall_error(f->firewall) : strerror(-rc)) : "");
	if (rc)
		_exit(1);
	for (;;) {
		struct pollfd p[] = {{.fd = f->channel, .events = POLLIN},
			{.fd = f->monitor ? firewall_monitor_fd(f->monitor) : -1,
				.events = POLLIN}};
		if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
			helper_refuse("%s", strerror(errno));
		if (f->monitor && p[1].revents)
			monitor_take(f);
		if (p[0].revents)
			requests_read(f);
	}
}

void firewall_process_main(const struct firewall_process_options *o, int channel, pid_t service)
{
	struct firewall_process f = {.channel = CHANNEL_FD,
		.service = service,
		.forked = true,
		.options = o,
		.partial = o->partial};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != service)
		_exit(0);
	if ((channel != CHANNEL_FD && dup2(channel, CHANNEL_FD) < 0) ||
		close_range(CHANNEL_FD + 1, ~0U, 0) < 0)
		_exit(1);
	signals_set();
	prctl(PR_SET_NAME, "curfew-firewall");
	process_serve(&f);
}

/* Do not rely on the socket's mode alone: the peer must be root, this user, or the socket's owner. */
static bool peer_is_service(int listener, const struct ucred *peer)
{
	struct sockaddr_un a = {0};
	socklen_t size = sizeof(a) - 1;
	struct stat st;

	if (peer->uid == 0 || peer->uid == geteuid())
		return true;
	return getsockname(listener, (struct sockaddr *)&a, &size) == 0 &&
	       a.sun_family == AF_UNIX && stat(a.sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	       peer->uid == st.st_uid;
}

int firewall_process_listen(int listener, const struct firewall_process_options *o)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	if (!peer_is_service(listener, &peer)) {
		close(fd);
		return -EACCES;
	}
	struct firewall_process f = {
		.channel = fd, .service = peer.pid, .options = o, .partial = o->partial};
	close(listener);
	signals_set();
	process_serve(&f);
}
