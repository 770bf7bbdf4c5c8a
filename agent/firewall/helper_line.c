/* Lines in which the firewall process saves revocations and the journal's head. Tabs separate the fields; names with
 * control characters are rejected. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "curfew/firewall_record.h"
#include "curfew/schedule.h"

static const char *const words[] = {[FIREWALL_REVOKED] = "revoke",
	[FIREWALL_REINSTATED] = "reinstate",
	[FIREWALL_HEAD] = "head"};

static bool name_is_plain(const char *name)
{
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return true;
}

int firewall_record_write(char line[FIREWALL_RECORD_MAX], const struct firewall_record *r)
{
	int n;

	if (r->kind == FIREWALL_HEAD)
		n = snprintf(line, FIREWALL_RECORD_MAX, "head\t%" PRId64 "\t%" PRId64 "\t%s", r->at,
			r->id, r->hash);
	else if (r->client[0] && name_is_plain(r->client) && name_is_plain(r->login))
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

int firewall_record_read(struct firewall_record *out, const char *line)
{
	struct firewall_record r = {0};
	char word[16];

	if (!field_take(word, sizeof(word), &line, '\t') || !number_take(&r.at, &line))
		return -EINVAL;
	for (size_t k = FIREWALL_REVOKED; k < ARRAY_SIZE(words); k++)
		if (streq(words[k], word))
			r.kind = (enum firewall_record_kind)k;
	bool sound = r.kind == FIREWALL_HEAD
			     ? number_take(&r.id, &line) &&
				       field_take(r.hash, sizeof(r.hash), &line, '\n') &&
				       strspn(r.hash, "0123456789abcdef") == FIREWALL_HASH_TEXT
			     : r.kind && field_take(r.client, sizeof(r.client), &line, '\t') &&
				       field_take(r.login, sizeof(r.login), &line, '\n') &&
				       r.client[0];
	if (!sound)
		return -EINVAL;
	*out = r;
	return 0;
}

const struct firewall_record *firewall_memory_find(
	const struct firewall_memory *m, const char *client, const char *login)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct firewall_record *r = &m->revoked[i];
		if (override_is_same(
			    r->client, *r->login ? r->login : NULL, client, *login ? login : NULL))
			return r;
	}
	return NULL;
}

int firewall_memory_add(struct firewall_memory *m, const struct firewall_record *r)
{
	const struct firewall_record *old =
		r->kind == FIREWALL_HEAD ? NULL : firewall_memory_find(m, r->client, r->login);

	if (r->kind == FIREWALL_HEAD)
		m->head = *r;
	else if (r->kind == FIREWALL_REINSTATED && old)
		m->revoked[old - m->revoked] = m->revoked[--m->n];
	if (r->kind != FIREWALL_REVOKED || old)
		return 0;
	struct firewall_record *revoked = array_grown(m->revoked, m->n, sizeof(*revoked));
	if (!revoked)
		return -ENOMEM;
	m->revoked = revoked;
	revoked[m->n++] = *r;
	return 0;
}

int firewall_memory_read(struct firewall_memory *m, size_t *unreadable, const char *text)
{
	int rc = 0;

	for (const char *line = text; *line && rc == 0;) {
		struct firewall_record r;
		const char *end = strchr(line, '\n');

		if (firewall_record_read(&r, line) < 0)
			++*unreadable;
		else
			rc = firewall_memory_add(m, &r);
		line = end ? end + 1 : line + strlen(line);
	}
	return rc;
}

void firewall_memory_free(struct firewall_memory *m)
{
	free(m->revoked);
	*m = (struct firewall_memory){0};
}
