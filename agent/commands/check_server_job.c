/* A worker for one server. */
#include "commands/check_server_job.h"

/* Seconds for all checks of one worker. The server's deadline limits each answer. */
#define JOB_DEADLINE 600

void check_job_set(struct check_job *j, const struct server *s, const char *name,
	int (*prepare)(void *), int (*run)(struct worker *, void *), void *context)
{
	*j = (struct check_job){.read = {s->ca_file}, .connect = {s->port}};
	j->paths = (struct sandbox_paths){.read = j->read, .connect = j->connect};
	j->job = (struct worker_job){.name = name,
		.prepare = prepare,
		.run = run,
		.context = context,
		.paths = &j->paths,
		.deadline = JOB_DEADLINE};
}

int check_job_run(struct check_job *j, record_fn sink, void *context)
{
	return workers_run(&j->job, 1, 1, JOB_DEADLINE, sink, context);
}
