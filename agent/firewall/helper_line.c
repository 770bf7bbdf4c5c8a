/* Lines in which the firewall process saves revocations, the journal's head, and its guards. Tabs separate the fields;
 * names with control characters are rejected. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "curfew/firewall_record.h"

static const char *const words[] = {[FIREWALL_REVOKED] = "revoke",
	[FIREWALL_REINSTATED] = "reinstate",
	[FIREWALL_HEAD] = "head",
	[FIREWALL_GUARD] = "guard",
	[FIREWALL_TRUSTED] = "trusted",
	[FIREWALL_UNGUARD] = "unguard"};

static bool name_is_plain(const char *name)
{
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return true;
}

static int guard_write(char line[FIREWALL_RECORD_MAX], const struct firewall_record *r)
{
	char endpoint[ENDPOINT_TEXT_MAX], source[SOURCE_TEXT_MAX] = "";
	bool trusted = r->kind == FIREWALL_TRUSTED;

	return snprintf(line, FIREWALL_RECORD_MAX, "%s\t%" PRId64 "\t%s\t%s%s%s", words[r->kind],
		r->at, r->client, endpoint_format(endpoint, &r->endpoint), trusted ? "\t" : "",
		trusted ? source_format(source, &r->source) : source);
}

int firewall_record_write(char line[FIREWALL_RECORD_MAX], const struct firewall_record *r)
{
	int n;

	if (r->kind == FIREWALL_HEAD)
		n = snprintf(line, FIREWALL_RECORD_MAX, "head\t%" PRId64 "\t%" PRId64 "\t%s", r->at,
			r->id, r->hash);
	else if (!r->client[0] || !name_is_plain(r->client))
		return -EINVAL;
	else if (r->kind >= FIREWALL_GUARD)
		n = guard_write(line, r);
	else if (name_is_plain(r->login))
		n = snprintf(line, FIREWALL_RECORD_MAX, "%s\t%" PRId64 "\t%s\t%s", words[r->kind],
			r->at, r->client, r->login);
	else
		return -EINVAL;
	return n > 0 && n < FIREWALL_RECORD_MAX ? 0 : -EINVAL;
}

static bool field_take(char *out, size_t size, const char **at, char end)
{
	size_t n = strcspn(*at, "\t\n");

	if (n >= size || (end == '\t' ? (*at)[n] != '\t' : (*at)[n] == '\t'))
		return false;
	memcpy(out, *at, n);
	out[n] = '\0';
	*at += n + (end == '\t');
	return name_is_plain(out);
}

static bool number_take(int64_t *out, const char **at)
{
	char text[24], *rest;

	if (!field_take(text, sizeof(text), at, '\t') || !text[0])
		return false;
	errno = 0;
	*out = strtoll(text, &rest, 10);
	return !errno && !*rest && *out >= 0;
}

static bool revocation_read(struct firewall_record *r, const char *at)
{
	return field_take(r->client, sizeof(r->client), &at, '\t') &&
	       field_take(r->login, sizeof(r->login), &at, '\n') && r->client[0];
}

static bool head_read(struct firewall_record *r, const char *at)
{
	return number_take(&r->id, &at) && field_take(r->hash, sizeof(r->hash), &at, '\n') &&
	       strspn(r->hash, "0123456789abcdef") == FIREWALL_HASH_TEXT;
}

static bool guard_read(struct firewall_record *r, const char *at)
{
	char endpoint[ENDPOINT_TEXT_MAX], source[SOURCE_TEXT_MAX];
	bool trusted = r->kind == FIREWALL_TRUSTED;

	return field_take(r->client, sizeof(r->client), &at, '\t') && r->client[0] &&
	       field_take(endpoint, sizeof(endpoint), &at, trusted ? '\t' : '\n') &&
	       endpoint_parse(&r->endpoint, endpoint) == 0 &&
	       (!trusted || (field_take(source, sizeof(source), &at, '\n') &&
				    source_parse(&r->source, source) == 0 &&
				    r->source.family == r->endpoint.family));
}

int firewall_record_read(struct firewall_record *out, const char *line)
{
	struct firewall_record r = {0};
	char word[16];

	if (!field_take(word, sizeof(word), &line, '\t') || !number_take(&r.at, &line))
		return -EINVAL;
	for (size_t k = FIREWALL_REVOKED; k < ARRAY_SIZE(words); k++)
		if (streq(words[k], word))
			r.kind = (enum firewall_record_kind)k;
	bool sound = r.kind == FIREWALL_HEAD	? head_read(&r, line)
		     : r.kind >= FIREWALL_GUARD ? guard_read(&r, line)
						: r.kind && revocation_read(&r, line);
	if (!sound)
		return -EINVAL;
	*out = r;
	return 0;
}
