/* The process that sends notices: it has one credential and the network, and nothing of the journal, the configuration,
 * or the SQL servers. The service gives it one message at a time. */
#ifndef CURFEW_SENDER_H
#define CURFEW_SENDER_H

#include "curfew/program.h"

/* The user that the service accepts as sender, besides root and itself. */
#define SENDER_USER   "curfew-notify"
#define SENDER_SOCKET "notify" /* in runtime_directory */

/* A whole message; the socket takes it as one packet. */
#define SENDER_MESSAGE_MAX (96 * 1024)
#define SENDER_TEXT_MAX	   512

/* Service to sender, first of all: where to send. */
struct sender_hello {
	char host[256], user[256], from[256];
	char credential[4096], ca_file[4096]; /* paths; "": none */
	uint16_t port;
	uint8_t tls; /* enum mail_tls */
};
/* Service to sender: a message, or the word that it may be handed over. */
enum sender_verb { SENDER_SEND = 1, SENDER_GO };
struct sender_job {
	uint32_t verb, size;
	int64_t id;
	char to[256];
	char message[]; /* SEND alone */
};
/* Sender to service. HANDING: everything but the last line was sent, and waits for GO, before which the server cannot
 * have accepted it. DONE: the end of a job. */
enum sender_word { SENDER_HANDING = 1, SENDER_DONE };
enum sender_result {
	SENDER_SENT,
	SENDER_LATER,	/* refused for now, or not reached */
	SENDER_REFUSED, /* for good */
	SENDER_RESULTS,
};
struct sender_report {
	uint32_t word, result;
	int64_t id;
	char text[SENDER_TEXT_MAX]; /* what the server said; "" */
};

/* ---- the sender ---- */

/* Connects to the service at `path`, sheds all rights, and sends until the service goes away. Exit status. */
int sender_main(const char *path, bool unconfined);

/* Asks whether to hand over; 0: go on. */
typedef int (*sender_ask_fn)(void *context);
/* One mail. `text` says what went wrong. */
enum sender_result smtp_send(char text[SENDER_TEXT_MAX], const struct sender_hello *to,
	const char *password, const char *recipient, const char *message, size_t size,
	sender_ask_fn ask, void *context);

/* ---- the service's end ---- */

struct sender_port; /* the listening socket, and the sender that is connected */
int sender_listen(struct sender_port **out, const char *runtime_directory);
void sender_close(struct sender_port *p);
int sender_listener(const struct sender_port *p); /* readable: sender_accept() */
/* A new sender takes the place of none; a second one is turned away. True: there is a new one. */
bool sender_accept(struct sender_port *p, const struct settings *s);
int sender_channel(const struct sender_port *p); /* -1: none is connected */
void sender_drop(struct sender_port *p);
/* 0 or negative errno: the sender has to be dropped. */
int sender_give(struct sender_port *p, int64_t id, const char *to, const char *message);
int sender_go(struct sender_port *p, int64_t id);
/* 1: a report; 0: none yet; negative errno: it has gone, or said something that no sender of ours says. */
int sender_read(struct sender_report *out, struct sender_port *p);

#endif
