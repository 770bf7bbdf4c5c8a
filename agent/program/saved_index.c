/* The table of contents of last known good versions, which b2sum can check when the archive is unpacked:
 *
 *	# Curfew: last known good versions, format 1. To check, unpack, then: b2sum --length=256 --check INDEX
 *	# BLAKE2b-256 of the lines below: 8c2f...
 *	# 812 bytes
 *	5f0a...  clients.d/acme.conf
 *
 * The second line covers all below it, and each entry has a digest of its own: a damaged entry concerns its client
 * only, and a damaged index nobody's text. */
#include "program/saved_index.h"
#include "program/loading.h"
#include "program/saved_tar.h"

#include <ctype.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#define TITLE                                                                                       \
	"# Curfew: last known good versions, format 1. To check, unpack, then: b2sum --length=256 " \
	"--check INDEX\n"
#define SUM "# BLAKE2b-256 of the lines below: "

enum { HASH = sizeof(((struct file_digest *)NULL)->hash), HEX = 2 * HASH };

struct file_digest content_digest(const char *text, size_t size)
{
	struct file_digest d = {.size = size};

	crypto_generichash(d.hash, sizeof(d.hash), (const unsigned char *)text, size, NULL, 0);
	return d;
}

bool content_is(const struct file_digest *expected, const char *text, size_t size)
{
	const struct file_digest d = content_digest(text, size);

	return d.size == expected->size && memcmp(d.hash, expected->hash, HASH) == 0;
}

bool saved_name_is_valid(const char *name)
{
	if (streq(name, SAVED_CONFIG))
		return true;
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f || *c == '\\')
			return false;
	return begins_with(name, SAVED_CLIENTS) && !strchr(name + strlen(SAVED_CLIENTS), '/') &&
	       name_is_client_file(name + strlen(SAVED_CLIENTS));
}

int saved_index_print(char **text, size_t *size, const struct saved_entry *items, size_t n)
{
	_cleanup_free_ char *lines = NULL;
	size_t bytes = 0;
	char hex[HEX + 1];
	FILE *to = open_memstream(&lines, &bytes);

	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		fprintf(to, "# %llu bytes\n%s  %s\n", (unsigned long long)items[i].content.size,
			sodium_bin2hex(hex, sizeof(hex), items[i].content.hash, HASH),
			items[i].name);
	if (fclose(to) != 0)
		return -ENOMEM;
	const struct file_digest all = content_digest(lines, bytes);
	sodium_bin2hex(hex, sizeof(hex), all.hash, HASH);
	int whole = bytes < MAX_INDEX_BYTES ? asprintf(text, TITLE SUM "%s\n%s", hex, lines) : -1;
	if (whole < 0)
		return bytes < MAX_INDEX_BYTES ? -ENOMEM : -EFBIG;
	*size = (size_t)whole;
	return 0;
}

static bool take(char **at, const char *text)
{
	size_t n = strlen(text);

	if (strncmp(*at, text, n) != 0)
		return false;
	*at += n;
	return true;
}

static bool take_hash(uint8_t hash[HASH], char **at)
{
	if (strnlen(*at, HEX) < HEX || sodium_hex2bin(hash, HASH, *at, HEX, NULL, NULL, NULL) != 0)
		return false;
	*at += HEX;
	return true;
}

static bool take_entry(struct saved_entry *e, char **at)
{
	char *end;

	if (!take(at, "# ") || !isdigit((unsigned char)**at))
		return false;
	e->content.size = strtoull(*at, &end, 10);
	*at = end;
	if (e->content.size > MAX_FILE_BYTES || !take(at, " bytes\n") ||
		!take_hash(e->content.hash, at) || !take(at, "  "))
		return false;
	end = strchr(*at, '\n');
	if (!end)
		return false;
	*end = '\0';
	e->name = *at;
	*at = end + 1;
	return saved_name_is_valid(e->name);
}

/* Each name once, and in order, as the search needs them. */
static int entries_take(struct saved_index *x, char *at)
{
	int rc = 0;

	while (rc == 0 && *at) {
		struct saved_entry e;
		if (!take_entry(&e, &at) || (x->n && strcmp(x->items[x->n - 1].name, e.name) >= 0))
			rc = -EBADMSG;
		else
			rc = ARRAY_ADD(x->items, x->n, e);
	}
	return rc;
}

int saved_index_parse(struct saved_index *out, char *text, size_t size)
{
	struct saved_index x = {.text = text};
	struct file_digest all;
	char *at = text;
	int rc = -EBADMSG;

	if (strlen(text) == size && take(&at, TITLE) && take(&at, SUM) &&
		take_hash(all.hash, &at) && take(&at, "\n")) {
		all.size = size - (size_t)(at - text);
		rc = content_is(&all, at, all.size) ? entries_take(&x, at) : -EBADMSG;
	}
	if (rc < 0) {
		saved_index_free(&x);
		return rc;
	}
	tar_positions(x.items, x.n, size);
	*out = x;
	return 0;
}

static int name_compare(const void *key, const void *entry)
{
	return strcmp(key, ((const struct saved_entry *)entry)->name);
}

const struct saved_entry *saved_index_find(const struct saved_index *i, const char *name)
{
	return i->n ? bsearch(name, i->items, i->n, sizeof(*i->items), name_compare) : NULL;
}

void saved_index_free(struct saved_index *i)
{
	free(i->text);
	free(i->items);
	*i = (struct saved_index){0};
}
