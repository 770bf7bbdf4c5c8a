/* A round that is held: workers that start before an instant, wait for it, and are told when it has come. They do not trust
 * their own clock, and have done nothing before. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "process/workers_internal.h"

void workers_hold(struct workers *w, size_t n, int64_t apart)
{
	w->held = true;
	w->n_early =
		n < w->parallel ? n : w->parallel; /* no place becomes free before the release */
	w->apart = apart;
	w->early = monotonic_ms();
}

bool slot_works(const struct slot *s)
{
	return s->answered || s->n_records;
}

bool slot_takes_a_place(const struct slot *s, int64_t now)
{
	return s->job && (slot_works(s) || s->held || s->lost || now < s->began + WORKER_SILENT);
}

bool workers_may_start(struct workers *w)
{
	int64_t now = monotonic_ms();
	size_t taken = 0;

	for (size_t i = 0; i < w->n_slots; i++)
		taken += slot_takes_a_place(&w->slots[i], now);
	if (taken >= w->parallel)
		return false;
	if (!w->held)
		return true;
	if (w->next >= w->n_early || w->early > now)
		return false;
	w->early = now + w->apart;
	return true;
}

void slot_lose(struct workers *w, struct slot *s)
{
	kill(s->pid, SIGKILL);
	slot_reap(w, s);
	w->n_running--;
	s->lost = true;
	s->held = false;
	/* Nothing of it is to be listened to or ended any more. */
	s->failure = -ECHILD;
}

static void slot_again(struct workers *w, struct slot *s, bool told)
{
	const struct worker_job *job = s->job;
	int rc = slot_start(w, s, job);

	if (rc < 0 && told) {
		s->job = NULL;
		workers_fail_job(w, job, rc);
	}
}

void slot_hear(struct slot *s, const uint8_t *word, size_t size)
{
	s->ready = !s->ready && size == 1 && *word == WORKER_READY;
	if (!s->ready)
		slot_kill(s, -EPROTO, "does not wait for its instant");
}

/* Its word may have come just now. */
static bool slot_is_ready(struct slot *s)
{
	uint8_t word[2];

	if (!s->ready && !s->failure)
		s->ready = recv(s->channel, word, sizeof(word), MSG_DONTWAIT) == 1 &&
			   *word == WORKER_READY;
	return s->ready && !s->failure;
}

static bool slot_tell(struct slot *s)
{
	const struct worker_answer go = {.number = WORKER_GO};

	return slot_is_ready(s) && send(s->channel, &go, sizeof(go), MSG_NOSIGNAL | MSG_DONTWAIT) ==
					   (ssize_t)sizeof(go);
}

void workers_release(struct workers *w)
{
	w->held = false;
	for (size_t i = 0; i < w->n_slots; i++) {
		struct slot *s = &w->slots[i];
		if (!s->job || s->lost || !slot_tell(s))
			continue;
		s->held = false;
		slot_keep_time(w, s);
	}
	workers_wake(w);
}

void workers_renew(struct workers *w, bool told)
{
	for (size_t i = 0; i < w->n_slots && !w->held; i++) {
		struct slot *s = &w->slots[i];
		if (!s->job || (!s->held && !s->lost))
			continue;
		if (!s->lost)
			slot_lose(w, s);
		slot_again(w, s, told);
	}
}
