/* Colors. Green: seen in use. Red: not seen in use for long enough, and nothing refers to it. Yellow: everything
 * else. A color is never more certain than what the server could observe. */
#include "inventory/inventory_internal.h"
#include "curfew/text.h"
#include <errno.h>
#include <stdarg.h>

const char *inventory_color_name(enum inventory_color c)
{
	static const char *const names[INVENTORY_COLORS] = {[COLOR_NONE] = "none",
		[COLOR_GREEN] = "green",
		[COLOR_YELLOW] = "yellow",
		[COLOR_RED] = "red"};

	return (size_t)c < ARRAY_SIZE(names) ? names[c] : "none";
}

static int color_set(struct inventory *v, struct inventory_item *i, enum inventory_color color,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
static int color_set(struct inventory *v, struct inventory_item *i, enum inventory_color color,
	const char *format, ...)
{
	va_list args;

	va_start(args, format);
	_cleanup_free_ char *words = text_vformat(format, args);
	va_end(args);
	if (!words)
		return -ENOMEM;
	i->color = color;
	i->reason = inventory_text(v, words);
	return i->reason ? 0 : -ENOMEM;
}

static const char *day_text(char buf[16], instant_t at)
{
	struct tm tm;
	time_t t = (time_t)at;

	if (!gmtime_r(&t, &tm) || !strftime(buf, 16, "%Y-%m-%d", &tm))
		buf[0] = '\0';
	return buf;
}

static bool part_is_read(
	const struct inventory *v, const char *server, const char *database, const char *part)
{
	const struct inventory_coverage *c = inventory_coverage_of(v, server, database, part);

	return c && c->seen == ANSWER_YES;
}

/* What must have been read before "nothing refers to it" is true. NULL: all was read. */
static const char *references_unread(const struct inventory *v, const struct inventory_item *i)
{
	static const struct {
		const char *part, *words;
	} needed[] = {{"reference", "references between modules were not read"},
		{"foreign-key", "foreign keys were not read"}};

	for (size_t k = 0; k < ARRAY_SIZE(needed); k++)
		if (!part_is_read(v, i->server, i->database, needed[k].part))
			return needed[k].words;
	if (!part_is_read(v, i->server, "", "job") || !part_is_read(v, i->server, "", "job-step"))
		return "Agent jobs were not read; run the output of `curfew bootstrap SERVER` again";
	for (size_t k = 0; k < v->n_databases; k++)
		if (streq(v->databases[k].server, i->server) && !v->databases[k].read)
			return "another database of the client on this server was not read";
	return NULL;
}

/* An index that enforces a rule works even if no query uses it. */
static bool enforces(const struct inventory_item *i)
{
	return streq(i->type, "index") && (inventory_has_fact(i->facts, "unique") ||
						  inventory_has_fact(i->facts, "constraint"));
}

static const char *gap_text(char buf[64], int64_t gap)
{
	long long hours = (long long)(gap + 3599) / 3600;

	if (!gap)
		buf[0] = '\0';
	else if (hours > 48)
		snprintf(buf, 64, " but for %lld days around restarts", hours / 24);
	else
		snprintf(buf, 64, " but for %lld h around restarts", hours);
	return buf;
}

static int item_color(struct inventory *v, struct inventory_item *i)
{
	const char *why, *unread = references_unread(v, i);
	struct sample_watch w = inventory_watch(&why, v, i);
	instant_t idle = i->last > w.since ? i->last : w.since;
	int64_t days = w.since ? (v->at - idle - w.gap) / DAY : 0;
	char day[16], gap[64];

	i->watched = w.since;
	if (i->last && v->at - i->last < v->days * DAY)
		return color_set(
			v, i, COLOR_GREEN, "used on %s (%s)", day_text(day, i->last), i->seen_by);
	if (i->referrers)
		return color_set(v, i, COLOR_YELLOW, "not seen in use, but %s %s%s refers to it",
			i->referrer->type, i->referrer->full,
			i->referrers > 1 ? " (and others)" : "");
	if (why)
		return color_set(v, i, COLOR_YELLOW, "not seen in use, but %s", why);
	if (enforces(i))
		return color_set(v, i, COLOR_YELLOW,
			"not searched for %lld days, but it enforces a rule", (long long)days);
	if (unread)
		return color_set(v, i, COLOR_YELLOW, "not seen in use, but %s", unread);
	if (w.since == v->at)
		return color_set(v, i, COLOR_YELLOW,
			"not seen in use, but no counter of the database shows since when the server counts");
	if (days < (int64_t)v->days)
		return color_set(v, i, COLOR_YELLOW,
			"not seen in use, but watched for %lld of %u days only", (long long)days,
			v->days);
	return color_set(v, i, COLOR_RED,
		"not used for %lld days (watched since %s%s), and nothing refers to it",
		(long long)days, day_text(day, w.since), gap_text(gap, w.gap));
}

int inventory_colors(struct inventory *v)
{
	int rc = 0;

	for (size_t i = 0; i < v->n && !rc; i++)
		if (inventory_is_custom(&v->items[i]))
			rc = item_color(v, &v->items[i]);
	return rc;
}

/* Objects to drop: red, or decided so; never those to keep or to replace. A changed object of the product is
 * restored, not dropped. */
bool inventory_is_to_go(const struct inventory_item *i)
{
	bool wanted = i->decision ? streq(i->decision, "drop") : i->color == COLOR_RED;

	return wanted && i->class != CLASS_CHANGED && i->class != CLASS_PRODUCT && *i->database;
}
