/* Color on a terminal, unless the user has disabled it. */
#include "curfew/report.h"

#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void report_locale(void)
{
	/* A single-byte locale would show names as escapes. */
	if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
		setlocale(LC_CTYPE, "C.UTF-8");
}

bool style_wanted(FILE *to)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	int fd = fileno(to);

	if ((no && *no) || !term || !*term || streq(term, "dumb"))
		return false;
	return fd >= 0 && isatty(fd);
}

size_t terminal_width(FILE *to)
{
	struct winsize w;
	int fd = fileno(to);

	return fd >= 0 && ioctl(fd, TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}

const char *style_begin(bool wanted, enum tone t)
{
	static const char *const sequences[] = {
		[TONE_PLAIN] = "",
		[TONE_GOOD] = "\033[32m",
		[TONE_WARN] = "\033[33m",
		[TONE_BAD] = "\033[1;31m",
		[TONE_DIM] = "\033[2m",
		[TONE_BOLD] = "\033[1m",
	};

	return wanted && (size_t)t < ARRAY_SIZE(sequences) ? sequences[t] : "";
}

const char *style_end(bool wanted, enum tone t)
{
	return wanted && t != TONE_PLAIN ? "\033[0m" : "";
}

enum tone state_tone(enum state s)
{
	switch (s) {
	case STATE_OK:
		return TONE_GOOD;
	case STATE_WAITING:
		return TONE_DIM;
	case STATE_UNVERIFIED:
		return TONE_WARN;
	default:
		return TONE_BAD;
	}
}

enum tone severity_tone(enum finding_severity s)
{
	return s >= FINDING_HIGH ? TONE_BAD : s >= FINDING_LOW ? TONE_WARN : TONE_PLAIN;
}

enum tone level_tone(enum level l)
{
	return l == LEVEL_FULL ? TONE_BOLD : l == LEVEL_NONE ? TONE_DIM : TONE_PLAIN;
}
