/* The files that the service waits for, each bound to the function that is called when it is readable. */
#ifndef SERVICE_DISPATCHER_H
#define SERVICE_DISPATCHER_H

struct dispatcher;

/* Belongs to whoever waits, and stays where it is until dispatcher_remove(). */
struct binding {
	int fd; /* not closed here; -1: none */
	void (*ready)(void *context);
	void *context;
};

int dispatcher_new(struct dispatcher **out); /* 0 or negative errno */
void dispatcher_free(struct dispatcher *d);
int dispatcher_add(struct dispatcher *d, struct binding *b); /* 0 or negative errno */
/* What was already reported for it, and not handled yet, is forgotten. */
void dispatcher_remove(struct dispatcher *d, struct binding *b);
/* Waits for up to `timeout` milliseconds (-1: as long as it takes) and calls what is ready. 0 or negative errno. */
int dispatcher_wait(struct dispatcher *d, int timeout);

#endif
