/* The process that sends notices. It has one credential and network access, but no access to journal, configuration,
 * or SQL servers. The service gives it one message at a time. */
#ifndef CURFEW_SENDER_H
#define CURFEW_SENDER_H

#include "curfew/program.h"

/* The service accepts a sender that runs as this user, as root, or as the service's user. */
#define SENDER_USER   "curfew-notify"
#define SENDER_SOCKET "notify" /* in runtime_directory */

/* limit of a message, because the socket carries it as one packet */
#define SENDER_MESSAGE_MAX (96 * 1024)
#define SENDER_TEXT_MAX	   512

/* Service to sender, first packet: where to send. */
struct sender_hello {
	char host[256], user[256], from[256];
	char credential[4096], ca_file[4096]; /* paths; "": none */
	/* "": there is no webhook */
	char hook[WEBHOOK_URL_MAX + 1], hook_host[256], hook_credential[4096];
	uint16_t port, hook_port; /* hook_port: 0 without a webhook */
	uint8_t tls;		  /* enum mail_tls */
};
/* Service to sender: a message, or the permission to complete it. */
enum sender_verb { SENDER_SEND = 1, SENDER_GO };
struct sender_job {
	uint32_t verb, size;
	int64_t id;
	char to[256];
	char message[]; /* only of SEND */
};
/* Sender to service. HANDING: all but the last line was sent; without that line the server cannot accept the message,
 * and the sender waits for GO. DONE: the job has ended. */
enum sender_word { SENDER_HANDING = 1, SENDER_DONE };
enum sender_result {
	SENDER_SENT,
	SENDER_LATER,	  /* rejected for now (4yz), or not reachable */
	SENDER_NOT_TAKEN, /* answered in full: not accepted, for now */
	SENDER_REFUSED,	  /* rejected for good (5yz) */
	SENDER_RESULTS,
};
struct sender_report {
	uint32_t word, result;
	int64_t id;
	char text[SENDER_TEXT_MAX]; /* the server's reply, or "" */
};

/* ---- the sender ---- */

/* Connects to the service at `path`, drops privileges, and sends until the service ends the connection. Returns the
 * exit status. */
int sender_main(const char *path, bool unconfined);

/* Asks the service whether to complete the message; 0: yes. */
typedef int (*sender_ask_fn)(void *context);
/* Sends one mail. `text` describes a failure. */
enum sender_result smtp_send(char text[SENDER_TEXT_MAX], const struct sender_hello *to,
	const char *password, const char *recipient, const char *message, size_t size,
	sender_ask_fn ask, void *context);

/* One event to the webhook; the same. */
enum sender_result webhook_send(char text[SENDER_TEXT_MAX], const struct sender_hello *to,
	const char *secret, const char *message, size_t size, sender_ask_fn ask, void *context);

/* ---- the service's end ---- */

struct sender_port; /* a listening socket and at most one connected sender */
int sender_listen(struct sender_port **out, const char *runtime_directory);
void sender_close(struct sender_port *p);
int sender_listener(const struct sender_port *p); /* readable: sender_accept() */
/* Accepts a sender; rejects it if one is connected already. True: a sender has connected. */
bool sender_accept(struct sender_port *p, const struct settings *s);
int sender_channel(const struct sender_port *p); /* -1: not connected */
void sender_drop(struct sender_port *p);
/* 0 or negative errno: drop the sender. */
int sender_give(struct sender_port *p, int64_t id, const char *to, const char *message);
int sender_go(struct sender_port *p, int64_t id);
/* 1: a report; 0: none yet; negative errno: the sender has gone, or sent an invalid message. */
int sender_read(struct sender_report *out, struct sender_port *p);

#endif
