/* The worker's side: drops privileges, runs its job, talks to the parent. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "process/worker_internal.h"

struct worker {
	bool ended; /* RECORD_END was sent */
	bool held;  /* it has to wait for the word of the parent */
};

/* The channel's descriptor in the child: the first after the standard three, so that all others can be closed. */
#define CHANNEL_FD 3

static void bytes_send(const void *bytes, size_t size)
{
	ssize_t n;

	do
		n = send(CHANNEL_FD, bytes, size, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)size)
		_exit(WORKER_EXIT_ORPHAN);
}

static void worker_send(const struct record *r)
{
	uint8_t packed[RECORD_PACKED_MAX];

	bytes_send(packed, record_pack(packed, r));
}

void worker_tell(struct worker *w, const struct record *r)
{
	if (w->ended || r->kind == RECORD_INTENT)
		_exit(WORKER_EXIT_MISUSE);
	w->ended = r->kind == RECORD_END;
	worker_send(r);
}

static struct worker_answer worker_hear(uint64_t number)
{
	struct worker_answer answer;
	ssize_t n;

	do
		n = recv(CHANNEL_FD, &answer, sizeof(answer), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(answer) || answer.number != number)
		_exit(WORKER_EXIT_ORPHAN);
	return answer;
}

bool worker_is_held(const struct worker *w)
{
	return w->held;
}

void worker_wait(struct worker *w)
{
	static const char ready = WORKER_READY;

	if (!w->held)
		return;
	bytes_send(&ready, 1);
	worker_hear(WORKER_GO);
	w->held = false;
}

void worker_answered(struct worker *w)
{
	static const char answered = WORKER_ANSWERED;

	if (w->ended || w->held)
		_exit(WORKER_EXIT_MISUSE);
	bytes_send(&answered, 1);
}

int worker_ask(struct worker *w, const struct record *r)
{
	if (w->ended || r->kind != RECORD_INTENT)
		_exit(WORKER_EXIT_MISUSE);
	worker_send(r);
	return worker_hear(r->intent.number).verdict;
}

/* The kernel kills the child when the parent dies, even while it waits for a server. */
static void worker_follow(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(WORKER_EXIT_ORPHAN);
}

int workers_score_open(void)
{
	int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void score_set(int fd, int score, int *before)
{
	char text[16] = "";

	if (before && pread(fd, text, sizeof(text) - 1, 0) > 0)
		*before = (int)strtol(text, NULL, 10);
	int n = snprintf(text, sizeof(text), "%d", score);
	/* This may not be permitted. The memory limit applies anyway. */
	(void)!pwrite(fd, text, (size_t)n, 0);
}

/* A server's answer, however long, can only end this worker. */
static int worker_limit(const struct worker_job *job)
{
	const struct rlimit memory = {WORKER_MEMORY_MAX, WORKER_MEMORY_MAX};
	int fd = job->score > 0 ? -1 : workers_score_open();

	if (fd >= 0) {
		score_set(fd, WORKER_OOM_SCORE, NULL);
		close(fd);
	}
	return !IS_INSTRUMENTED && setrlimit(RLIMIT_AS, &memory) < 0 ? -errno : 0;
}

static int worker_isolate(const struct worker_job *job, int channel, pid_t parent)
{
	struct sigaction act = {.sa_handler = SIG_DFL};
	sigset_t none;

	worker_follow(parent);
	if (channel != CHANNEL_FD && dup2(channel, CHANNEL_FD) < 0)
		return -errno;
	if (job->secret > 0 && dup2(job->secret, WORKER_SECRET_FD) < 0)
		return -errno;
	if (close_range(CHANNEL_FD + 1 + (job->secret > 0), ~0U, 0) < 0)
		return -errno;

	/* The parent's handlers use the parent's state. An interrupt from the terminal is handled by the parent,
	 * between two changes. */
	for (int s = 1; s < NSIG; s++)
		if (s != SIGKILL && s != SIGSTOP)
			sigaction(
				s, &act, NULL); /* EINVAL for signals that the C library reserves */
	act.sa_handler = SIG_IGN;
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGQUIT, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	sigaction(SIGPIPE, &act, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	return 0;
}

void worker_main(const struct worker_job *job, bool held, int channel, pid_t parent)
{
	struct worker w = {.held = held};
	int rc = worker_isolate(job, channel, parent);

	if (rc == 0)
		rc = worker_limit(job);
	int unread = rc == 0 && job->prepare ? job->prepare(job->context) : 0;
	if (unread)
		rc = -ENOKEY;
	if (rc == 0 && !job->unconfined)
		rc = sandbox_enter(NULL, SANDBOX_SQL_WORKER, job->paths);
	/* A change of credentials clears it. */
	worker_follow(parent);
	if (rc == 0)
		rc = job->run(&w, job->context);
	if (!w.ended) {
		struct record end = {.kind = RECORD_END, .code = rc};
		if (unread < 0 && *worker_unprepared_words())
			RECORD_SET(&end, detail, worker_unprepared_words());
		else if (unread < 0)
			RECORD_PRINTF(&end, detail,
				"cannot read the agent's password (%s); run `curfew credential %s`",
				unread == -ENODATA ? "the file is empty" : strerror(-unread),
				job->name);
		else if (rc < 0)
			RECORD_SET(&end, detail, strerror(-rc));
		worker_tell(&w, &end);
	}
	/* Not exit(): buffers and exit handlers belong to the parent. */
	_exit(0);
}
