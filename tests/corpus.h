/* Keeps the T-SQL that a unit test has seen for the judges in tests/tsql, where CURFEW_CORPUS names a folder. */
#ifndef CURFEW_TESTS_CORPUS_H
#define CURFEW_TESTS_CORPUS_H

void corpus_add(const char *batch);

#endif
