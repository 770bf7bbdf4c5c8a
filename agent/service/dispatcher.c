/* Waits with one epoll descriptor for the whole service. A callback may remove any binding, including its own:
 * pending events of that binding are dropped. */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "curfew/base.h"
#include "service/dispatcher.h"

struct dispatcher {
	int epoll;
	int n; /* events of the current batch */
	struct epoll_event events[16];
};

int dispatcher_new(struct dispatcher **out)
{
	struct dispatcher *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (d->epoll < 0) {
		int rc = -errno;
		free(d);
		return rc;
	}
	*out = d;
	return 0;
}

void dispatcher_free(struct dispatcher *d)
{
	if (!d)
		return;
	close(d->epoll);
	free(d);
}

int dispatcher_add(struct dispatcher *d, struct binding *b)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = b};

	if (b->fd < 0)
		return -EBADF;
	return epoll_ctl(d->epoll, EPOLL_CTL_ADD, b->fd, &e) < 0 ? -errno : 0;
}

void dispatcher_remove(struct dispatcher *d, struct binding *b)
{
	epoll_ctl(d->epoll, EPOLL_CTL_DEL, b->fd, NULL);
	for (int i = 0; i < d->n; i++)
		if (d->events[i].data.ptr == b)
			d->events[i].data.ptr = NULL;
}

int dispatcher_wait(struct dispatcher *d, int timeout)
{
	d->n = epoll_wait(d->epoll, d->events, ARRAY_SIZE(d->events), timeout);
	if (d->n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < d->n; i++) {
		const struct binding *b = d->events[i].data.ptr;
		if (b)
			b->ready(b->context);
	}
	d->n = 0;
	return 0;
}
