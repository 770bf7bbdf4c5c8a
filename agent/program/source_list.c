/* Lists of sources, of users and of trusted ones. A user's source may end before the access does. */
#include "program/loading.h"

#include "curfew/calendar.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

/* Larger numbers of addresses would not help the reader. */
#define COUNTED_BITS 16

/* Limits of a list. */
struct source_bounds {
	unsigned widest4, widest6;
	const char *words; /* the reason */
};

/* A user's address with a long prefix may mean the address or the prefix, so the message offers both. */
static void host_bits_report(struct reading *r, const config_setting_t *at, const char *text,
	const struct source *whole, unsigned widest)
{
	unsigned bits = (whole->family == AF_INET ? 32U : 128U) - whole->prefix;
	int alone = (int)strcspn(text, "/");
	char buf[SOURCE_TEXT_MAX], all[32] = "of its addresses";

	if (bits <= COUNTED_BITS)
		snprintf(all, sizeof(all), "%lu", 1UL << bits);
	if (whole->prefix < widest)
		reading_error(r, at,
			"\"%s\" has host bits set; use \"%.*s\" for one address, or a prefix of /%u or "
			"longer",
			text, alone, text, widest);
	else
		reading_error(r, at,
			"\"%s\" has host bits set; use \"%.*s\" for one address, or \"%s\" for all %s",
			text, alone, text, source_format(buf, whole), all);
}

static void source_report(struct reading *r, const config_setting_t *at, const char *text,
	enum source_problem problem, const struct source_bounds *b)
{
	const char *mask = strchr(text, '/');
	struct in_addr bits;

	if (problem == SOURCE_BAD_PREFIX && mask && inet_pton(AF_INET, mask + 1, &bits) == 1)
		reading_error(r, at,
			"netmask in \"%s\"; write how many bits it has, as in \"198.51.100.0/29\"",
			text);
	else if (problem == SOURCE_BAD_PREFIX)
		reading_error(r, at,
			"invalid prefix length in \"%s\"; use /%u to /%d after the address", text,
			strchr(text, ':') ? b->widest6 : b->widest4, strchr(text, ':') ? 128 : 32);
	else
		reading_error(r, at,
			"invalid address \"%s\"; examples: \"203.0.113.7\", \"198.51.100.0/29\", "
			"\"2001:db8:7::/64\"",
			text);
}

static bool source_is_among(const struct source *s, const struct source *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (source_compare(s, &list[i]) == 0)
			return true;
	return false;
}

/* False if the source is invalid or a duplicate, which is reported. */
static bool source_read(struct source *out, struct reading *r, const config_setting_t *at,
	const char *text, const struct source_bounds *b, const struct source *list, size_t n)
{
	int problem = source_parse(out, text);

	if (problem && problem != SOURCE_HOST_BITS) {
		source_report(r, at, text, (enum source_problem)problem, b);
		return false;
	}
	unsigned widest = out->family == AF_INET ? b->widest4 : b->widest6;
	if (problem)
		host_bits_report(r, at, text, out, widest);
	else if (out->prefix < widest)
		reading_error(r, at, "\"%s\" is too wide; use a prefix of /%u or longer, %s", text,
			widest, b->words);
	else if (source_is_unusable(out))
		reading_error(r, at,
			"\"%s\" cannot be a source address (unspecified, loopback, link-local, "
			"multicast, or reserved); use the address in the users' packets",
			text);
	else if (source_is_among(out, list, n))
		reading_warning(r, at, "duplicate source \"%s\"; remove one", text);
	else
		return true;
	return false;
}

struct source *sources_read(size_t *n, struct reading *r, const config_setting_t *list,
	unsigned widest4, unsigned widest6, const char *words)
{
	const struct source_bounds bounds = {widest4, widest6, words};
	int length = list ? config_setting_length(list) : 0;
	struct source *out = reading_array(r, (size_t)length, sizeof(*out));

	*n = 0;
	for (int i = 0; out && i < length; i++) {
		const char *text = reading_item(r, list, i);

		if (text && source_read(&out[*n], r, config_setting_get_elem(list, (unsigned)i),
				    text, &bounds, out, *n))
			++*n;
	}
	return out;
}

/* Reads "{ address = ...; until = ...; }". Returns the address, or NULL after reporting. */
static const char *temporary_read(
	instant_t *end, struct reading *r, const config_setting_t *group, const struct client *c)
{
	static const char *const names[] = {"address", "until"};
	const char *text = reading_text(r, group, "address", "\"203.0.113.7\"");
	char at[64];

	reading_known(r, group, "a source", names, ARRAY_SIZE(names));
	if (!instant_read(end, r, group, "until", "\"2026-12-05\"", c->timezone, true))
		return NULL;
	if (text && *end <= r->now)
		reading_advice(r, group, "source \"%s\" ended %s; remove it", text,
			instant_format_local(at, sizeof(at), *end, c->timezone));
	return text;
}

void user_sources_read(struct user *u, struct reading *r, const config_setting_t *list,
	const struct client *c, const struct settings *s)
{
	const struct source_bounds bounds = {s->widest_prefix4, s->widest_prefix6,
		"as \"widest_prefix4\" and \"widest_prefix6\" in curfew.conf allow"};
	int length = list ? config_setting_length(list) : 0;

	u->sources = reading_array(r, (size_t)length, sizeof(*u->sources));
	u->source_ends = reading_array(r, (size_t)length, sizeof(*u->source_ends));
	for (int i = 0; u->sources && u->source_ends && i < length; i++) {
		const config_setting_t *at = config_setting_get_elem(list, (unsigned)i);
		bool temporary = config_setting_is_group(at);
		instant_t end = SOURCE_NO_END;
		const char *text =
			temporary ? temporary_read(&end, r, at, c) : reading_item(r, list, i);

		if (!text || !source_read(&u->sources[u->n_sources], r, at, text, &bounds,
				     u->sources, u->n_sources))
			continue;
		u->source_ends[u->n_sources++] = end;
	}
}
