/* Collects what is wrong in the configuration, all of it, in one run. */
#ifndef PROGRAM_PROBLEMS_H
#define PROGRAM_PROBLEMS_H

#include "curfew/program.h"

#include <stdarg.h>

/* 0 or -ENOMEM. Whatever the text quotes from a file is made harmless for a terminal. */
__attribute__((format(printf, 5, 0))) int problems_add(struct problems *p, enum severity severity,
	const char *file, int line, const char *format, va_list args);
/* By file and line. */
void problems_sort(struct problems *p);

#endif
