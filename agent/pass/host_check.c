/* The part of a preflight about this host: disk and journal for the records, metrics and mail for the alarms. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "curfew/calendar.h"
#include "curfew/outbox.h"
#include "pass/pass_internal.h"

/* Enough for the records of months. Without free space a pass grants nothing. */
#define DISK_MIN  ((uint64_t)256 << 20)
#define FILES_MIN 1000
/* Seconds beyond the interval of passes, each of which writes the metrics. */
#define METRICS_LATE 300
/* Seconds that a mail may wait in the outbox. */
#define MAIL_LATE 3600

static void check_add(struct pass *p, const char *name, enum check_result result, const char *fix,
	const char *detail)
{
	struct record r = {.kind = RECORD_CHECK, .check = {.result = result}};

	RECORD_SET(&r, server, PASS_HOST);
	RECORD_SET(&r, check.name, name);
	RECORD_SET(&r, detail, detail);
	RECORD_SET(&r, check.fix, result == CHECK_FAIL ? fix : "");
	pass_tell(p, &r);
}

static void disk_check(struct pass *p)
{
	const char *folder = p->o.program->settings.state_directory;
	struct statvfs v;
	char text[RECORD_TEXT_MAX];
	bool read = statvfs(folder, &v) == 0;
	uint64_t room = read ? (uint64_t)v.f_bavail * v.f_frsize : 0;

	if (!read)
		record_printf(text, sizeof(text), "cannot read the free space of %s: %s", folder,
			strerror(errno));
	else
		record_printf(text, sizeof(text), "%s has %llu MB free", folder,
			(unsigned long long)(room >> 20));
	bool files = read && (!v.f_files || v.f_favail >= FILES_MIN);
	check_add(p, "disk", room >= DISK_MIN && files ? CHECK_OK : CHECK_FAIL,
		"make room: at least 256 MB and 1000 files; archive old records with `curfew archive FILE --to TIME`",
		text);
}

static void metrics_check(struct pass *p)
{
	const struct settings *s = &p->o.program->settings;
	struct stat st;
	char text[RECORD_TEXT_MAX];

	if (!s->metrics_file) {
		check_add(p, "metrics", CHECK_SKIP, "",
			"\"metrics_file\" is not set, so metrics raise no alarm");
		return;
	}
	bool read = stat(s->metrics_file, &st) == 0;
	int64_t age = read ? (int64_t)p->o.now - st.st_mtime : 0;
	if (!read)
		record_printf(
			text, sizeof(text), "cannot read %s: %s", s->metrics_file, strerror(errno));
	else
		record_printf(text, sizeof(text), "%s was written %lld s ago", s->metrics_file,
			(long long)age);
	check_add(p, "metrics",
		read && age <= (int64_t)s->interval + METRICS_LATE ? CHECK_OK : CHECK_FAIL,
		"see `systemctl status curfew`, and the room and the modes of that directory",
		text);
}

static void mail_check(struct pass *p)
{
	struct outbox_counts c;
	char text[RECORD_TEXT_MAX];

	if (!notices_are_on(&p->o.program->settings.notices)) {
		check_add(p, "mail", CHECK_SKIP, "",
			"notices are not configured, so nobody gets a mail");
		return;
	}
	int rc = p->o.journal ? outbox_count(&c, p->o.journal, p->o.now) : -ENODEV;
	if (rc) {
		record_printf(
			text, sizeof(text), "cannot read the outbox: %s", journal_problem(rc));
		check_add(p, "mail", CHECK_FAIL, "see line \"journal\"", text);
		return;
	}
	bool late = c.queued && p->o.now - c.oldest > MAIL_LATE;
	record_printf(text, sizeof(text),
		"%lld not sent yet, %lld not delivered in 30 days%s%.300s", (long long)c.queued,
		(long long)c.failed, c.detail[0] ? ": " : "", c.detail);
	check_add(p, "mail", late ? CHECK_FAIL : CHECK_OK,
		"see `systemctl status curfew-notify`, and try `curfew notice test ADDRESS`", text);
}

static void journal_check(struct pass *p)
{
	bool there = p->o.journal && !p->journal_error;

	check_add(p, "journal", there ? CHECK_OK : CHECK_FAIL,
		"see `curfew history` and docs/troubleshooting.md",
		there ? "the journal can be read" : "the journal cannot be read");
}

void pass_host_check(struct pass *p)
{
	if (p->o.mode != PASS_PREFLIGHT)
		return;
	journal_check(p);
	disk_check(p);
	metrics_check(p);
	mail_check(p);
}
