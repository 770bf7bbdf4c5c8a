/* A session that waits for its instant: whether its connection still lives has to show soon, and not after the minutes
 * that a kernel goes on sending to a host that is silent. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "sql/session_internal.h"

/* Idle for a second, it is asked; a second without an answer ends it. */
#define IDLE_SECONDS	    1
#define SILENT_MILLISECONDS 1000

static const struct {
	int level, name, value;
} watches[SESSION_WATCHES] = {
	{SOL_SOCKET, SO_KEEPALIVE, 1},
	{IPPROTO_TCP, TCP_KEEPIDLE, IDLE_SECONDS},
	{IPPROTO_TCP, TCP_KEEPINTVL, IDLE_SECONDS},
	{IPPROTO_TCP, TCP_USER_TIMEOUT, SILENT_MILLISECONDS},
};

void sql_session_watch(struct sql_session *s, bool on)
{
	int fd = dbiordesc(s->process);

	for (size_t i = 0; i < SESSION_WATCHES; i++) {
		socklen_t size = sizeof(s->before[i]);
		if (on)
			getsockopt(fd, watches[i].level, watches[i].name, &s->before[i], &size);
		setsockopt(fd, watches[i].level, watches[i].name,
			on ? &watches[i].value : &s->before[i], sizeof(int));
	}
}
