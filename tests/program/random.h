/* Random numbers that a failed test can be run with again: the seed is printed, and CURFEW_SEED sets it. */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

struct prng {
	uint64_t state;
};

static inline struct prng prng_start(void)
{
	const char *given = getenv("CURFEW_SEED");
	struct prng p = {0};

	if (given)
		p.state = strtoull(given, NULL, 10);
	else if (getrandom(&p.state, sizeof(p.state), 0) != (ssize_t)sizeof(p.state))
		abort();
	printf("CURFEW_SEED=%llu\n", (unsigned long long)p.state);
	return p;
}

/* How many random cases: CURFEW_CASES, where fewer are usual (under valgrind) or more (the property tests' own run). */
static inline unsigned cases_wanted(unsigned usual)
{
	const char *given = getenv("CURFEW_CASES");

	return given ? (unsigned)strtoul(given, NULL, 10) : usual;
}

/* splitmix64: every seed is good, and neighbors differ. */
static inline uint64_t prng_next(struct prng *p)
{
	uint64_t z = p->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* 0 .. n - 1 */
static inline uint64_t prng_below(struct prng *p, uint64_t n)
{
	return prng_next(p) % n;
}

/* min .. max */
static inline int64_t prng_between(struct prng *p, int64_t min, int64_t max)
{
	return min + (int64_t)prng_below(p, (uint64_t)(max - min) + 1);
}

#endif
