/* What the firewall process answers: parts in one send, which the RESULT ends; or its refusal. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>
#include "curfew/log.h"
#include "curfew/record.h"
#include "curfew/text.h"
#include "firewall/helper_message.h"

enum { EXIT_REFUSED = 70 };

static __attribute__((format(printf, 1, 0))) void refusal_log(const char *format, va_list args)
{
	_cleanup_free_ char *text = text_vformat(format, args);

	log_line(LOG_CRIT, "firewall process: refused the request and stopped: %s",
		text ? text : "");
}

void helper_refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	refusal_log(format, args);
	va_end(args);
	_exit(EXIT_REFUSED);
}

static void answers_send(struct firewall_process *f)
{
	const size_t size = f->n_answers * sizeof(f->answers[0]);
	ssize_t n;

	f->n_answers = 0;
	do
		n = send(f->channel, f->answers, size, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)size)
		_exit(0); /* the service has ended */
}

/* Goes with those that follow, at the latest with the RESULT. */
void helper_answer(struct firewall_process *f, const struct firewall_answer *a)
{
	f->answers[f->n_answers++] = *a;
	if (f->n_answers == MESSAGE_BATCH || a->kind == ANSWER_RESULT)
		answers_send(f);
}

void helper_result(struct firewall_process *f, int code, const char *text)
{
	struct firewall_answer a = {.kind = ANSWER_RESULT, .code = code};

	record_set(a.text, sizeof(a.text), text);
	helper_answer(f, &a);
}

void helper_changes(struct firewall_process *f, struct firewall_changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct firewall_answer a = {.kind = ANSWER_CHANGE, .u.change = c->items[i]};
		a.u.change.comment = NULL;
		record_set(a.text, sizeof(a.text), c->items[i].comment);
		helper_answer(f, &a);
	}
	firewall_changes_free(c);
}

void helper_state(struct firewall_process *f, const struct firewall_state *s)
{
	struct firewall_answer a = {.kind = ANSWER_STATE};

	a.u.state.present = s->present;
	a.u.state.intact = s->intact;
	a.u.state.generation = s->generation;
	a.u.state.read_ms = s->read_ms;
	a.u.state.refused_packets = s->refused_packets;
	helper_answer(f, &a);
	a = (struct firewall_answer){.kind = ANSWER_STATE_ALLOW};
	for (size_t i = 0; i < s->n_allows; i++) {
		a.u.allow = s->allows[i];
		a.u.allow.comment = NULL;
		record_set(a.text, sizeof(a.text), s->allows[i].comment);
		helper_answer(f, &a);
	}
	a = (struct firewall_answer){.kind = ANSWER_STATE_GUARD};
	for (size_t i = 0; i < s->n_guards; i++) {
		a.u.guard.endpoint = s->guards[i].endpoint;
		record_set(a.text, sizeof(a.text), s->guards[i].server ? s->guards[i].server : "");
		a.code = s->guards[i].server != NULL;
		helper_answer(f, &a);
	}
	a = (struct firewall_answer){.kind = ANSWER_STATE_TRUSTED};
	for (size_t i = 0; i < s->n_trusted; i++) {
		a.u.trusted = s->trusted[i];
		a.u.trusted.comment = NULL;
		record_set(a.text, sizeof(a.text), s->trusted[i].comment);
		helper_answer(f, &a);
	}
	a = (struct firewall_answer){.kind = ANSWER_STATE_REFUSED};
	for (size_t i = 0; i < s->n_refused; i++) {
		a.u.refused = s->refused[i];
		helper_answer(f, &a);
	}
}
