/* Why a worker could not be prepared, in words that name what to do: the error's number does not say it. */
#include "curfew/record.h"
#include "curfew/worker.h"

/* Of this process, which is one worker. */
static char words[RECORD_TEXT_MAX];

void worker_unprepared(const char *why)
{
	record_set(words, sizeof(words), why);
}

const char *worker_unprepared_words(void)
{
	return words;
}
