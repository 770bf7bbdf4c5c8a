/* How root becomes the owner of a directory, and what it keeps: open credentials and one capability. */
#include "curfew/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Above the descriptors of a worker. */
#define HELD_FD_MIN 16

static struct {
	struct held {
		char *name;
		int fd;
	} * items;
	size_t n;
} held;

static bool owner_read(struct stat *out, const char *folder)
{
	return geteuid() == 0 && stat(folder, out) == 0 && out->st_uid != 0;
}

bool owner_differs(const char *folder)
{
	struct stat st;

	return owner_read(&st, folder);
}

static int capabilities_keep(bool network)
{
	const cap_value_t kept = CAP_NET_ADMIN;
	cap_t caps = cap_init();
	int rc = caps ? 0 : -ENOMEM;

	if (!rc && network &&
		(cap_set_flag(caps, CAP_PERMITTED, 1, &kept, CAP_SET) < 0 ||
			cap_set_flag(caps, CAP_EFFECTIVE, 1, &kept, CAP_SET) < 0))
		rc = -errno;
	/* Root without this capability, as in a container. Whatever needs it reports the error. */
	if (!rc && cap_set_proc(caps) < 0) {
		rc = cap_clear(caps) < 0 || cap_set_proc(caps) < 0 ? -errno : 0;
	}
	if (caps)
		cap_free(caps);
	return rc;
}

int owner_become(const char *folder, bool network)
{
	struct stat st;

	if (!owner_read(&st, folder))
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
		setgroups(1, &st.st_gid) < 0 || setresgid(st.st_gid, st.st_gid, st.st_gid) < 0 ||
		setresuid(st.st_uid, st.st_uid, st.st_uid) < 0)
		return -errno;
	int rc = capabilities_keep(network);
	if (!rc && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		rc = -errno;
	/* Check that the privileges are really gone. */
	if (!rc && setresuid(0, 0, 0) == 0)
		rc = -EPERM;
	return rc;
}

static int file_open(const struct settings *s, const char *name)
{
	char path[4096];
	int rc = settings_credential(path, s, name);

	if (rc)
		return rc;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int hold(const struct settings *s, const char *name)
{
	int fd = name && !credential_held(name) ? file_open(s, name) : -1;

	/* A missing credential is reported where it is needed. */
	if (fd < 0)
		return 0;
	int kept = fcntl(fd, F_DUPFD_CLOEXEC, HELD_FD_MIN);
	char *copy = kept < 0 ? NULL : strdup(name);
	close(fd);
	if (!copy || ARRAY_ADD(held.items, held.n, (struct held){copy, kept})) {
		free(copy);
		if (kept >= 0)
			close(kept);
		return -ENOMEM;
	}
	return 0;
}

int credentials_hold(const struct program *p)
{
	int rc = hold(&p->settings, p->settings.journal_key);

	for (size_t i = 0; i < p->n_servers && !rc; i++)
		rc = hold(&p->settings, p->servers[i].credential);
	return rc;
}

int credential_held(const char *name)
{
	for (size_t i = 0; i < held.n; i++)
		if (streq(held.items[i].name, name))
			return held.items[i].fd;
	return 0;
}

int credential_open(const struct settings *s, const char *name)
{
	int kept = credential_held(name);

	if (!kept)
		return file_open(s, name);
	int fd = fcntl(kept, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}
