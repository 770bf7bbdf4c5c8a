/* The service's end of the channel: the process is started or connected to, and stopped. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "firewall/helper_client.h"

/* The process has not reported yet whether it could open the table. */
static int client_begin(struct firewall_client **out, struct firewall_client *c)
{
	/* A send that blocks for this long means that the process hangs. */
	const struct timeval patience = {.tv_sec = ANSWER_TIMEOUT_MS / 1000};
	struct firewall_answer a;
	int rc = 0;

	if (setsockopt(c->channel, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
		rc = -errno;
	if (rc == 0)
		rc = firewall_client_receive(c, &a);
	if (rc == 0)
		rc = firewall_client_result(c, &a);
	if (rc) {
		firewall_process_stop(c);
		return rc;
	}
	*out = c;
	return 0;
}

int firewall_process_start(struct firewall_client **out, const struct firewall_process_options *o)
{
	struct firewall_client *c = calloc(1, sizeof(*c));
	int pair[2];

	if (!c)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		free(c);
		return -errno;
	}
	pid_t engine = getpid();
	c->pid = fork();
	if (c->pid == 0)
		firewall_process_main(o, pair[1], engine);
	int rc = c->pid < 0 ? -errno : 0;
	close(pair[1]);
	c->channel = pair[0];
	if (rc) {
		firewall_process_stop(c);
		return rc;
	}
	return client_begin(out, c);
}

int firewall_process_connect(struct firewall_client **out, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct firewall_client *c;

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.sun_path, path, strlen(path));
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->channel = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (c->channel < 0 || connect(c->channel, (struct sockaddr *)&a, sizeof(a)) < 0) {
		int rc = -errno;
		firewall_process_stop(c);
		return rc;
	}
	return client_begin(out, c);
}

void firewall_process_stop(struct firewall_client *c)
{
	if (!c)
		return;
	if (c->channel >= 0)
		close(c->channel);
	if (c->pid > 0) {
		/* The process ends when its channel closes. If it hangs, do not wait for it. */
		const struct timespec moment = {0, 10 * 1000000};
		int tries = 0;
		while (waitpid(c->pid, NULL, WNOHANG) == 0)
			if (++tries < 100)
				nanosleep(&moment, NULL);
			else
				kill(c->pid, SIGKILL);
	}
	free(c);
}
