/* The parent's side of one worker: its process, its channel, its end. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "process/workers_internal.h"

int workers_watch(struct workers *w, int fd, uint64_t what)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = what};

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

void workers_wake(struct workers *w)
{
	const struct itimerspec at_once = {.it_value.tv_nsec = 1};

	timerfd_settime(w->timer, 0, &at_once, NULL);
}

int workers_give(struct workers *w, const struct worker_job *job, struct record *r)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it takes an array that has elements for NULL */
	RECORD_SET(r, server, job->name);
	return w->sink(w->context, r);
}

void slot_kill(struct slot *s, int failure, const char *why)
{
	if (s->failure)
		return;
	s->failure = failure;
	record_set(s->why, sizeof(s->why), why);
	kill(s->pid, SIGKILL);
}

int slot_reap(struct workers *w, struct slot *s)
{
	int status = 0;

	/* close() is not enough: a child that was just forked may have a copy, which keeps the descriptor in the epoll
	 * set. */
	epoll_ctl(w->epoll, EPOLL_CTL_DEL, s->channel, NULL);
	close(s->channel);

	while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

unsigned slot_seconds(const struct workers *w, const struct slot *s)
{
	return s->job->deadline ? s->job->deadline : w->deadline;
}

void slot_keep_time(const struct workers *w, struct slot *s)
{
	s->began = monotonic_ms();
	s->deadline = s->began + (int64_t)slot_seconds(w, s) * 1000;
}

int slot_start(struct workers *w, struct slot *s, const struct worker_job *job)
{
	int pair[2], rc;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	rc = workers_watch(w, pair[0], (uint64_t)(s - w->slots));
	/* The worker inherits the OOM score, so it is set around fork(). */
	int score = 0;
	if (job->score > 0)
		score_set(job->score, WORKER_OOM_SCORE, &score);
	pid_t parent = getpid(), child = rc < 0 ? -1 : fork();
	if (child == 0)
		worker_main(job, w->held, pair[1], parent);
	if (rc == 0 && child < 0)
		rc = -errno;
	if (job->score > 0)
		score_set(job->score, score, NULL);
	close(pair[1]);
	if (rc < 0) {
		epoll_ctl(w->epoll, EPOLL_CTL_DEL, pair[0], NULL);
		close(pair[0]);
		return rc;
	}
	*s = (struct slot){.job = job, .channel = pair[0], .pid = child, .held = w->held};
	slot_keep_time(w, s);
	w->n_running++;
	return 0;
}

void workers_fail_job(struct workers *w, const struct worker_job *job, int error)
{
	struct record end = {.kind = RECORD_END, .code = error};

	if (error == -ECANCELED)
		RECORD_SET(&end, detail, "not started because a more urgent pass was due");
	else
		RECORD_PRINTF(&end, detail, "cannot start a SQL worker: %s", strerror(-error));
	workers_give(w, job, &end);
}
