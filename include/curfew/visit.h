/* A visit: one server's part of a pass, in its worker. */
#ifndef CURFEW_VISIT_H
#define CURFEW_VISIT_H

#include "curfew/visit_task.h"

/* worker_job.prepare and .run; context is a struct sql_visit. */
int sql_visit_prepare(void *context);
int sql_visit_run(struct worker *w, void *context);

#endif
