/* Slots of one size, each with a checksum. Writing one overwrites and syncs blocks that the file already has. */
#include "curfew/revocation_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "curfew/disk.h"
#include "journal/database.h"

#define COPY_FILE  "revocations"
#define PLACE_SIZE 1024
/* Enough for emergencies. A client file that is deleted ends access by schedule, without revocations. */
#define MAX_PLACES 512
#define CHECKSUM   32
#define TEXTS	   (PLACE_SIZE - CHECKSUM - 24)

struct place {			    /* a slot, as stored */
	uint8_t checksum[CHECKSUM]; /* of everything behind it */
	char magic[7];
	uint8_t taken;
	int64_t at;
	uint8_t has_login;
	uint8_t reserved[7];
	char texts[TEXTS]; /* client, login, actor, reason, each with its terminator */
};
_Static_assert(sizeof(struct place) == PLACE_SIZE, "a slot has no padding");

static const char magic[7] = "curfew1";

struct revocation_copy {
	int fd;
	size_t n_damaged;
	struct place places[MAX_PLACES];
};

static void place_checksum(uint8_t out[CHECKSUM], const struct place *p)
{
	crypto_generichash(
		out, CHECKSUM, (const uint8_t *)p + CHECKSUM, PLACE_SIZE - CHECKSUM, NULL, 0);
}

static bool place_is_sound(const struct place *p)
{
	uint8_t checksum[CHECKSUM];

	place_checksum(checksum, p);
	return memcmp(p->magic, magic, sizeof(magic)) == 0 &&
	       memcmp(checksum, p->checksum, CHECKSUM) == 0 && p->texts[TEXTS - 1] == '\0';
}

/* Cuts a text that does not fit. The next one begins behind it. */
static size_t text_put(struct place *p, size_t at, const char *text, size_t most)
{
	size_t n = text ? strnlen(text, most) : 0;

	memcpy(p->texts + at, text ? text : "", n);
	p->texts[at + n] = '\0';
	return at + n + 1;
}

static int place_fill(struct place *out, const struct revocation *r)
{
	struct place p = {.taken = 1, .at = r->at, .has_login = r->login != NULL};

	if (strlen(r->client) > MAX_NAME_BYTES || (r->login && strlen(r->login) > MAX_NAME_BYTES))
		return -ENAMETOOLONG;
	memcpy(p.magic, magic, sizeof(magic));
	size_t at = text_put(&p, 0, r->client, MAX_NAME_BYTES);
	at = text_put(&p, at, r->login, MAX_NAME_BYTES);
	at = text_put(&p, at, r->actor, 64);
	text_put(&p, at, r->reason, TEXTS - at - 1);
	place_checksum(p.checksum, &p);
	*out = p;
	return 0;
}

static struct revocation place_read(const struct place *p)
{
	const char *client = p->texts, *login = client + strlen(client) + 1,
		   *actor = login + strlen(login) + 1, *reason = actor + strlen(actor) + 1;

	return (struct revocation){client, p->has_login ? login : NULL, p->at, actor, reason};
}

/* ---- the file ---- */

struct place_work {
	struct disk_work work;
	int fd;
	off_t offset;
	struct place place;
};

static int place_work_run(struct disk_work *work)
{
	struct place_work *w = (struct place_work *)work;
	ssize_t n = pwrite(w->fd, &w->place, PLACE_SIZE, w->offset);

	return n < 0 ? -errno : n != PLACE_SIZE ? -EIO : fdatasync(w->fd) < 0 ? -errno : 0;
}

static int place_write(struct revocation_copy *c, size_t i, const struct place *p)
{
	struct place_work *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	*w = (struct place_work){.work = {.run = place_work_run},
		.fd = c->fd,
		.offset = (off_t)(i * PLACE_SIZE),
		.place = *p};
	int rc = disk_run(&w->work);
	if (!rc)
		c->places[i] = *p;
	return rc;
}

/* Write zeros: a block that was only reserved with fallocate() may need space when it is written. */
static int file_make(int folder)
{
	static const char fresh[] = COPY_FILE ".new";
	static const struct place empty;

	unlinkat(folder, fresh, 0);
	int fd = openat(folder, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	int rc = fd < 0 || fchmod(fd, 0640) < 0 ? -errno : 0;
	for (size_t i = 0; i < MAX_PLACES && rc == 0; i++) {
		ssize_t n = write(fd, &empty, sizeof(empty));
		if (n != (ssize_t)sizeof(empty))
			rc = n < 0 ? -errno : -ENOSPC;
	}
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	if (fd >= 0)
		close(fd);
	if (rc == 0 && renameat(folder, fresh, folder, COPY_FILE) < 0)
		rc = -errno;
	if (rc < 0)
		unlinkat(folder, fresh, 0);
	else if (fsync(folder) < 0 && errno != EINVAL)
		rc = -errno;
	return rc;
}

static int file_open(const char *state_directory, bool write)
{
	int flags = (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int folder = open(state_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return -errno;
	int fd = openat(folder, COPY_FILE, flags);
	int rc = fd < 0 ? -errno : 0;
	if (rc == -ENOENT && write) {
		rc = file_make(folder);
		if (rc == 0)
			fd = openat(folder, COPY_FILE, flags);
		if (rc == 0 && fd < 0)
			rc = -errno;
	}
	close(folder);
	return rc < 0 ? rc : fd;
}

static int places_read(struct revocation_copy *c)
{
	static const struct place empty;
	size_t done = 0;

	while (done < sizeof(c->places)) {
		ssize_t n = pread(
			c->fd, (char *)c->places + done, sizeof(c->places) - done, (off_t)done);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EBADMSG;
		done += n > 0 ? (size_t)n : 0;
	}
	for (size_t i = 0; i < MAX_PLACES; i++) {
		struct place *p = &c->places[i];
		if (memcmp(p, &empty, sizeof(empty)) == 0 || place_is_sound(p))
			continue;
		c->n_damaged++;
		*p = empty;
	}
	return 0;
}

int revocation_copy_open(struct revocation_copy **out, const char *state_directory, bool write)
{
	struct revocation_copy *c = sodium_init() < 0 ? NULL : calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->fd = file_open(state_directory, write);
	int rc = c->fd < 0 ? c->fd : places_read(c);
	if (rc < 0)
		revocation_copy_close(c);
	else
		*out = c;
	return rc;
}

void revocation_copy_close(struct revocation_copy *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

size_t revocation_copy_damaged(const struct revocation_copy *c)
{
	return c->n_damaged;
}

/* ---- slots ---- */

static struct place *place_find(struct revocation_copy *c, const char *client, const char *login)
{
	for (size_t i = 0; i < MAX_PLACES; i++) {
		const struct revocation r = place_read(&c->places[i]);
		if (c->places[i].taken && override_is_same(r.client, r.login, client, login))
			return &c->places[i];
	}
	return NULL;
}

int revocation_copy_add(struct revocation_copy *c, const struct revocation *r)
{
	struct place p;
	size_t i = 0;
	int rc = place_fill(&p, r);

	if (rc < 0 || place_find(c, r->client, r->login))
		return rc;
	while (i < MAX_PLACES && c->places[i].taken)
		i++;
	return i == MAX_PLACES ? -ENOSPC : place_write(c, i, &p);
}

int revocation_copy_remove(struct revocation_copy *c, const char *client, const char *login)
{
	static const struct place empty;
	const struct place *p = place_find(c, client, login);

	return p ? place_write(c, (size_t)(p - c->places), &empty) : 0;
}

int revocation_copy_each(struct revocation_copy *c,
	int (*each)(void *context, const struct revocation *r), void *context)
{
	int rc = 0;

	for (size_t i = 0; i < MAX_PLACES && rc == 0; i++) {
		const struct revocation r = place_read(&c->places[i]);
		if (c->places[i].taken)
			rc = each(context, &r);
	}
	return rc;
}

static bool overrides_have(const struct overrides *o, const struct revocation *r)
{
	for (size_t i = 0; i < o->n; i++)
		if (override_is_same(o->items[i].client, o->items[i].login, r->client, r->login))
			return true;
	return false;
}

static int merge_one(void *context, const struct revocation *r)
{
	struct overrides *o = context;

	return overrides_have(o, r) ? 0 : overrides_add(o, r->client, r->login, r->at, r->reason);
}

int revocation_copy_merge(struct overrides *o, struct revocation_copy *c)
{
	return revocation_copy_each(c, merge_one, o);
}

/* ---- with the journal ---- */

int revocation_copy_settle(struct revocation_copy *c, struct journal *j)
{
	struct overrides o = {0};
	int rc = override_read(&o, j);

	for (size_t i = 0; i < MAX_PLACES && rc == 0; i++) {
		const struct revocation r = place_read(&c->places[i]);
		bool reinstated = false;
		if (!c->places[i].taken || overrides_have(&o, &r))
			continue;
		const struct override was = {(char *)r.client, (char *)r.login, r.at, NULL};
		rc = override_was_reinstated(&reinstated, j, &was, r.client, r.login);
		if (rc == 0 && reinstated)
			rc = revocation_copy_remove(c, r.client, r.login);
		else if (rc == 0)
			rc = override_add(j, r.client, r.login, r.at, r.actor, r.reason);
	}
	for (size_t i = 0; i < o.n && rc == 0; i++) {
		const struct override *k = &o.items[i];
		const struct revocation r = {k->client, k->login, k->at, "", k->reason};
		rc = revocation_copy_add(c, &r);
	}
	overrides_free(&o);
	return rc;
}
