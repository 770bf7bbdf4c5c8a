/* The message ids, and the two outputs: the system log and standard error. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>
#include "curfew/datagram.h"
#include "curfew/log.h"
#include "curfew/text.h"
#include "program/visible_text.h"

/* Ids never change their meaning, because alarms depend on them. The id of a removed message stays unused. */
static const struct {
	const char *id;
	int priority;
} messages[LOG_MESSAGES] = {
	[LOG_STARTED] = {"c25b4ff710e549b9a0cc5ebe08b09128", LOG_INFO},
	[LOG_STOPPED] = {"8a06840293a946d8a9b625cfcc50619a", LOG_INFO},
	[LOG_PASS] = {"cec0790430fb4983a0a8892b8e6c18c0", LOG_INFO},
	[LOG_PASS_FAILED] = {"3734619cd1f64607829bf7413a67ea41", LOG_ERR},
	[LOG_CHANGE] = {"49f06010d16447d3894e7e522514812f", LOG_NOTICE},
	[LOG_CHANGE_FAILED] = {"bda28be0bc834c448487cf6697750837", LOG_ERR},
	[LOG_SERVER_UNREACHABLE] = {"e293f030452d4d309ecd1249f4fea74a", LOG_WARNING},
	[LOG_SERVER_BACK] = {"de19a9354b694202ab1c7e7a1113a367", LOG_NOTICE},
	[LOG_OVERDUE] = {"d463d31e22cb40478b961b1e1b756013", LOG_CRIT},
	[LOG_OVERDUE_OVER] = {"b9a3c4de5f4a4faa82486fe084c784ae", LOG_NOTICE},
	[LOG_DRIFT_NETWORK] = {"2ce7e6f394b14e82821e4d605442e3c2", LOG_WARNING},
	[LOG_DRIFT_SQL] = {"1ba4f82ca0fe4983ba9f27f4ecd0ec4d", LOG_WARNING},
	[LOG_CLOCK_BACK] = {"6f2c33af96554315ada65db72ca60fdf", LOG_ALERT},
	[LOG_CLOCK_RIGHT] = {"5105ff651c244a7bb1dd61a5e784c8fd", LOG_NOTICE},
	[LOG_RELOADED] = {"e695264a0a944328b8fc0bcabc3560eb", LOG_INFO},
	[LOG_RELOAD_FAILED] = {"93de8bc589a94fb3928c46f1450c4632", LOG_ERR},
	[LOG_CONFIG_WARNING] = {"572b42ebe1b642fd98b913fe55bba90b", LOG_WARNING},
	[LOG_CLIENT_KEPT] = {"3028626300874d408e716f8ad179994f", LOG_ERR},
	[LOG_CLIENT_GONE] = {"73965b0c175142f8afe5281526c0eaeb", LOG_WARNING},
	[LOG_WIDENED] = {"8e540ea2848b4c748f97dd294625fc43", LOG_NOTICE},
	[LOG_ASKED] = {"1f920f35de1a47c5bed31dcc97683b3f", LOG_INFO},
	[LOG_FIREWALL_DEAD] = {"b99a94b0eeae45078ffba5be8e2ea3ff", LOG_CRIT},
	[LOG_FIREWALL_BACK] = {"b0cbd5808f624a19b115f5b376d1bbe3", LOG_NOTICE},
	[LOG_JOURNAL_FAILED] = {"65582e0359294d6193a2ec4eb9bc612b", LOG_CRIT},
	[LOG_JOURNAL_BACK] = {"e5e3ef1a7734417cb9e4261fe97cf416", LOG_NOTICE},
	[LOG_JOURNAL_HEAD] = {"30e0a283189d438186bd5118b8aa5bbc", LOG_INFO},
	[LOG_NOTICE_FAILED] = {"dcdab8795086418b8b74cf00b991b285", LOG_ERR},
	[LOG_PREFLIGHT] = {"22868f69d075433da018992d3efa4735", LOG_WARNING},
	[LOG_TROUBLE] = {"844e58fa1f2348ca9c21f89b4bb8e0b6", LOG_ERR},
};

const char *log_message_id(enum log_message m)
{
	return messages[m].id;
}

int log_message_priority(enum log_message m)
{
	return messages[m].priority;
}

/* $JOURNAL_STREAM contains the device and inode of the socket that systemd passed. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return streq(stream, ours);
}

#define MAX_FIELDS 16

/* As https://systemd.io/JOURNAL_NATIVE_PROTOCOL/ describes it: a line for each field. */
#define LOG_SOCKET "/run/systemd/journal/socket"

struct log_entry {
	struct iovec parts[MAX_FIELDS];
	char *texts[MAX_FIELDS];
	size_t n;
};

static void entry_add(struct log_entry *e, const char *name, const char *value)
{
	_cleanup_free_ char *shown = value && *value ? text_shown(value) : NULL;
	char *text;

	if (!shown || e->n == MAX_FIELDS || asprintf(&text, "%s=%s\n", name, shown) < 0)
		return;
	e->texts[e->n] = text;
	e->parts[e->n] = (struct iovec){text, strlen(text)};
	e->n++;
}

/* Messages since the last one that the system log has taken. */
static size_t unread;

static int entry_send(enum log_message m, const struct log_fields *f, const char *text)
{
	char priority[] = {(char)('0' + messages[m].priority), '\0'};
	struct log_entry e = {.n = 0};

	entry_add(&e, "MESSAGE", text);
	entry_add(&e, "MESSAGE_ID", messages[m].id);
	entry_add(&e, "PRIORITY", priority);
	entry_add(&e, "SYSLOG_IDENTIFIER", "curfew");
	entry_add(&e, "CURFEW_CLIENT", f->client);
	entry_add(&e, "CURFEW_LOGIN", f->login);
	entry_add(&e, "CURFEW_SERVER", f->server);
	entry_add(&e, "CURFEW_DATABASE", f->database);
	entry_add(&e, "CURFEW_REASON", f->reason);
	entry_add(&e, "CURFEW_ACTOR", f->actor);
	int rc = datagram_send(LOG_SOCKET, e.parts, e.n, unread ? 0 : DATAGRAM_PATIENCE);
	for (size_t i = 0; i < e.n; i++)
		free(e.texts[i]);
	return rc;
}

/* What the system log does not take is lost, counted, and told with the next entry that it takes. */
static int entry_put(enum log_message m, const struct log_fields *f, const char *text)
{
	int rc = entry_send(m, f, text);

	if (rc == -EAGAIN) {
		unread++;
		return 0;
	}
	if (rc == 0 && unread) {
		const size_t lost = unread;

		unread = 0;
		log_send(LOG_TROUBLE, NULL,
			"the system log did not take %zu message%s; the journal of Curfew has the changes",
			lost, lost == 1 ? "" : "s");
	}
	return rc;
}

/* Also a terminal that is stopped, or a pipe that nobody reads, holds nothing up. poll() promises room for PIPE_BUF bytes. */
static void stderr_put(int priority, const char *text)
{
	enum { LINE_MAX_BYTES = PIPE_BUF - 64 };
	static bool stopped;
	struct pollfd writable = {.fd = STDERR_FILENO, .events = POLLOUT};

	stopped = poll(&writable, 1, stopped ? 0 : DATAGRAM_PATIENCE) == 0;
	if (stopped)
		return;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "curfew: %.*s\n", LINE_MAX_BYTES, text);
	else
		fprintf(stderr, "<%d>curfew: %.*s\n", priority, LINE_MAX_BYTES, text);
}

void log_send(enum log_message m, const struct log_fields *f, const char *format, ...)
{
	static const struct log_fields none;
	va_list args;

	va_start(args, format);
	_cleanup_free_ char *text = text_vformat(format, args);
	va_end(args);
	if (!text)
		return;
	/* One line for each entry: text from outside must not look like a second entry. */
	_cleanup_free_ char *shown = text_shown(text);
	if (!shown)
		return;
	if (stderr_is_journal() && entry_put(m, f ? f : &none, shown) == 0)
		return;
	stderr_put(messages[m].priority, shown);
}

void log_line(int priority, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	_cleanup_free_ char *text = text_vformat(format, args);
	va_end(args);
	_cleanup_free_ char *shown = text ? text_shown(text) : NULL;
	if (shown)
		stderr_put(priority, shown);
}
