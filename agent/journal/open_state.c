/* Opens the state of a host: the directory, the latest time seen, and the journal. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "curfew/state_tables.h"
#include "curfew/owner.h"
#include "curfew/secret.h"
#include "curfew/state.h"

#define KEY_TEXT_MAX 512

/* The key is the hash of a line of text, so that its file looks like every other credential file. */
static int key_read(uint8_t key[JOURNAL_HASH_SIZE], const struct settings *s)
{
	char text[KEY_TEXT_MAX];
	int fd = credential_open(s, s->journal_key), rc;

	if (fd < 0)
		return -ENOKEY;
	ssize_t n = pread(fd, text, sizeof(text), 0);
	close(fd);
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	rc = n < SECRET_KEY_MIN || sodium_init() < 0 ? -ENOKEY : 0;
	if (!rc)
		crypto_generichash(
			key, JOURNAL_HASH_SIZE, (const uint8_t *)text, (size_t)n, NULL, 0);
	sodium_memzero(text, sizeof(text));
	return rc;
}

int state_journal_open(struct journal **out, const struct settings *s, bool write)
{
	uint8_t key[JOURNAL_HASH_SIZE];
	char path[4096];
	struct journal_options o = {.path = path, .read_only = !write};
	struct journal *j = NULL;
	int rc = 0;

	if (write && mkdir(s->state_directory, 0750) && errno != EEXIST)
		return -errno;
	if ((size_t)snprintf(path, sizeof(path), "%s/journal.db", s->state_directory) >=
		sizeof(path))
		return -ENAMETOOLONG;
	if (s->journal_key) {
		rc = key_read(key, s);
		o.key = rc ? NULL : key;
		/* Reading works without the key; only `history verify` needs it. */
		if (!write)
			rc = 0;
	}
	if (!rc)
		rc = journal_open(&j, &o);
	sodium_memzero(key, sizeof(key));
	/* Of an archive nobody asks what an open journal must have: its tables, and a record of the archive before it. */
	if (!rc && journal_is_closed(j))
		rc = -ESTALE;
	if (!rc && write)
		rc = head_copy_check(j);
	if (rc)
		journal_close(j);
	else
		*out = j;
	return rc;
}

int state_archive_open(struct journal **out, const struct settings *s, const char *path)
{
	uint8_t key[JOURNAL_HASH_SIZE];
	struct journal_options o = {.path = path, .read_only = true};

	if (s->journal_key && !key_read(key, s))
		o.key = key;
	int rc = journal_open(out, &o);
	sodium_memzero(key, sizeof(key));
	return rc;
}

struct open_intents {
	struct journal_entry *items; /* without texts that are not needed to find the client */
	size_t n;
};

static void open_intents_free(struct open_intents *o)
{
	for (size_t i = 0; i < o->n; i++) {
		free((char *)o->items[i].client);
		free((char *)o->items[i].login);
		free((char *)o->items[i].server);
		free((char *)o->items[i].database);
		free((char *)o->items[i].action);
	}
	free(o->items);
}

static bool text_copied(const char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;
	return !text || *out;
}

static int open_intent_take(void *context, const struct journal_entry *e)
{
	struct open_intents *o = context;
	struct journal_entry *kept = ARRAY_MORE(o->items, o->n);

	if (!kept)
		return -ENOMEM;
	*kept = (struct journal_entry){.kind = JOURNAL_OUTCOME, .intent = e->id};
	return text_copied(&kept->client, e->client) && text_copied(&kept->login, e->login) &&
			       text_copied(&kept->server, e->server) &&
			       text_copied(&kept->database, e->database) &&
			       text_copied(&kept->action, e->action)
		       ? 0
		       : -ENOMEM;
}

int state_settle(struct journal *j, instant_t now)
{
	_cleanup_(open_intents_free) struct open_intents o = {0};
	int rc = journal_unfinished(j, open_intent_take, &o);

	if (rc || !o.n)
		return rc;
	rc = journal_begin(j);
	for (size_t i = 0; i < o.n && !rc; i++) {
		o.items[i].at = now;
		o.items[i].actor = "service";
		o.items[i].outcome = "unknown";
		o.items[i].detail =
			"the process that made the change died before it recorded the outcome";
		rc = journal_write(NULL, j, &o.items[i]);
	}
	return journal_end(j, rc);
}
