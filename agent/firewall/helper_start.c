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

int firewall_process_begun(struct firewall_client *c, int patience)
{
	struct firewall_answer a;

	c->patience = patience;
	int rc = firewall_client_receive(c, &a);
	if (rc == 0)
		rc = firewall_client_result(c, &a);
	/* It owes nothing: this is asked again. */
	c->late_since = 0;
	c->owes = false;
	return rc;
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
	pid_t service = getpid();
	c->pid = fork();
	if (c->pid == 0)
		firewall_process_main(o, pair[1], service);
	int rc = c->pid < 0 ? -errno : 0;
	close(pair[1]);
	c->channel = pair[0];
	if (rc == 0)
		rc = firewall_process_begun(c, ANSWER_PATIENCE);
	if (rc) {
		firewall_process_stop(c);
		return rc;
	}
	*out = c;
	return 0;
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
	/* Nobody waits in connect() for a listener that is busy. */
	c->channel = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->channel < 0 || connect(c->channel, (struct sockaddr *)&a, sizeof(a)) < 0) {
		int rc = -errno;
		firewall_process_stop(c);
		return rc;
	}
	*out = c;
	return 0;
}

void firewall_process_stop(struct firewall_client *c)
{
	if (!c)
		return;
	if (c->channel >= 0)
		close(c->channel);
	if (c->pid > 0) {
		/* The process ends when its channel closes. If it hangs, do not wait for it; nor for a kernel that
		 * cannot end it, which does so later. */
		const struct timespec moment = {0, 10 * 1000000};
		for (int tries = 0; tries < 200 && waitpid(c->pid, NULL, WNOHANG) == 0; tries++) {
			if (tries == 100)
				kill(c->pid, SIGKILL);
			nanosleep(&moment, NULL);
		}
	}
	free(c);
}

int firewall_client_fd(const struct firewall_client *c)
{
	return c->channel;
}
