/* File descriptors that the service waits for, each bound to the function to call when it is readable. */
#ifndef SERVICE_DISPATCHER_H
#define SERVICE_DISPATCHER_H

struct dispatcher;

/* Owned by the caller; must not move until dispatcher_remove(). */
struct binding {
	int fd; /* not closed here; -1: none */
	void (*ready)(void *context);
	void *context;
};

int dispatcher_new(struct dispatcher **out); /* 0 or negative errno */
void dispatcher_free(struct dispatcher *d);
int dispatcher_add(struct dispatcher *d, struct binding *b); /* 0 or negative errno */
/* Also drops events of the binding that were reported but not handled yet. */
void dispatcher_remove(struct dispatcher *d, struct binding *b);
/* Waits for up to `timeout` milliseconds (-1: no limit) and calls the functions of ready descriptors. 0 or negative
 * errno. */
int dispatcher_wait(struct dispatcher *d, int timeout);

#endif
