/* Collects all problems of the configuration in one run. */
#ifndef PROGRAM_PROBLEMS_H
#define PROGRAM_PROBLEMS_H

#include "curfew/program.h"

#include <stdarg.h>

/* 0 or -ENOMEM. Escapes what the text quotes from a file, so that it cannot control a terminal. */
__attribute__((format(printf, 5, 0))) int problems_add(struct problems *p, enum severity severity,
	const char *file, int line, const char *format, va_list args);
/* Sorts by file and line. */
void problems_sort(struct problems *p);

#endif
