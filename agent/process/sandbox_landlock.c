/* Landlock by raw system calls: the C library of Debian 12 has no wrappers, and its headers end at ABI 2. Features that
 * the running kernel lacks are left out without an error. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "process/sandbox_internal.h"

/* Bits of newer ABIs, from the kernel's documentation. */
#define FS_TRUNCATE	    (UINT64_C(1) << 14) /* ABI 3 */
#define FS_IOCTL_DEV	    (UINT64_C(1) << 15) /* ABI 5 */
#define NET_BIND_TCP	    (UINT64_C(1) << 0)	/* ABI 4 */
#define NET_CONNECT_TCP	    (UINT64_C(1) << 1)	/* ABI 4 */
#define SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0)	/* ABI 6 */
#define SCOPE_SIGNAL	    (UINT64_C(1) << 1)	/* ABI 6 */
#define RULE_NET_PORT	    2
#define RULE_PATH	    1

struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};
struct port_rule {
	uint64_t access;
	uint64_t port;
};

#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* No executables and no devices: Curfew creates and runs none. */
#define WRITE_RIGHTS                                                                               \
	(READ_RIGHTS | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |             \
		LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |                     \
		LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |                       \
		LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)
/* Rights that apply to files other than directories. */
#define FILE_RIGHTS                                                                                \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |                               \
		LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

/* Name resolution, character sets, time zones, and libraries that the C library loads on demand. The service allows
 * them for its workers. */
static const char *const library_paths[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/host.conf",
	"/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols", "/etc/localtime",
	"/etc/gnutls", "/etc/crypto-policies", "/etc/ssl", "/etc/freetds", "/etc/ld.so.cache",
	"/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf", "/lib", "/lib64",
	"/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/locale", "/usr/share/zoneinfo",
	"/usr/share/freetds", "/usr/share/ca-certificates", "/dev/urandom", "/dev/null", NULL};
static const char *const zone_paths[] = {"/etc/localtime", "/usr/share/zoneinfo", NULL};

static uint64_t fs_rights(int abi)
{
	uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	if (abi >= 2)
		rights |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rights |= FS_TRUNCATE;
	if (abi >= 5)
		rights |= FS_IOCTL_DEV;
	return rights;
}

static int landlock_allow(int ruleset, const char *const *paths, uint64_t rights)
{
	for (; paths && *paths; paths++) {
		struct stat st;
		int fd = open(*paths, O_PATH | O_CLOEXEC);
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
			continue;
		if (fd < 0)
			return -errno;
		struct landlock_path_beneath_attr a = {.allowed_access = rights, .parent_fd = fd};
		int rc = fstat(fd, &st) < 0 ? -errno : 0;
		if (rc == 0 && !S_ISDIR(st.st_mode))
			a.allowed_access &= FILE_RIGHTS;
		if (rc == 0 && syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &a, 0) < 0)
			rc = -errno;
		close(fd);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int landlock_allow_ports(int ruleset, const uint16_t *ports)
{
	static const uint16_t name_service[] = {53, 0}; /* long answers come by TCP */

	for (int round = 0; round < 2; round++) {
		for (const uint16_t *p = round == 0 ? ports : name_service; *p; p++) {
			struct port_rule a = {NET_CONNECT_TCP, *p};
			if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &a, 0) < 0)
				return -errno;
		}
	}
	return 0;
}

int sandbox_lock_paths(
	bool *locked, enum sandbox_profile profile, const struct sandbox_paths *paths)
{
	bool worker = profile == SANDBOX_SQL_WORKER || profile == SANDBOX_SENDER;
	bool service = profile == SANDBOX_SERVICE;
	bool ports = worker && paths->connect;
	int abi =
		(int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 0) {
		/* Not built in, not enabled, or blocked by a container's filter. */
		if (errno != ENOSYS && errno != EOPNOTSUPP && errno != EPERM)
			return -errno;
		*locked = false;
		return 0;
	}
	uint64_t fs = fs_rights(abi);
	struct ruleset attr = {.fs = fs};
	if (abi >= 4) {
		/* Landlock layers add up: a worker cannot allow what the service has forbidden. */
		attr.net = NET_BIND_TCP;
		if (ports || !(worker || service))
			attr.net |= NET_CONNECT_TCP;
	}
	/* The service must be able to signal its children, and its death must reach the firewall process, which is
	 * outside its domain. */
	if (abi >= 6 && !service)
		attr.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;

	size_t size = abi >= 6 ? sizeof(attr) : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
	int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (fd < 0)
		return -errno;
	int rc = landlock_allow(fd, worker || service ? library_paths : zone_paths, READ_RIGHTS);
	if (rc == 0)
		rc = landlock_allow(fd, paths->read, READ_RIGHTS);
	if (rc == 0 && !worker)
		rc = landlock_allow(fd, paths->write, WRITE_RIGHTS & fs);
	if (rc == 0 && ports && abi >= 4)
		rc = landlock_allow_ports(fd, paths->connect);
	if (rc == 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		rc = -errno;
	close(fd);
	if (rc == 0)
		*locked = true;
	return rc;
}
