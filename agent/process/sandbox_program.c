/* The system-call filter as a program for the kernel. To make one from some 150 rules takes milliseconds, and all
 * workers of a pass start at the instant at which access ends: so their program is made once, before the first of them
 * is forked, and each puts its own number into it. The kernel checks it and holds the worker to it as before; the tests
 * of the sandbox run over both ways. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "process/sandbox_internal.h"

/* Above every process number (2^22), and no other number of a filter. */
#define SELF 0x7ec0ffee

static struct filter_program {
	struct sock_filter code[BPF_MAXINSNS];
	size_t n; /* 0: not made */
	struct sock_filter *self;
} made[SANDBOX_BOOT + 1];

static int filter_load(scmp_filter_ctx f, void *context)
{
	(void)context;
	return seccomp_load(f);
}

static int filter_store(scmp_filter_ctx f, void *context)
{
	struct filter_program *p = context;
	int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t size = -1;

	if (fd < 0)
		return -errno;
	int rc = seccomp_export_bpf(f, fd);
	if (rc == 0)
		size = pread(fd, p->code, sizeof(p->code), 0);
	close(fd);
	if (rc < 0)
		return rc;
	if (size <= 0 || (size_t)size == sizeof(p->code) || size % (ssize_t)sizeof(p->code[0]))
		return -EMSGSIZE;
	p->n = (size_t)size / sizeof(p->code[0]);
	return 0;
}

/* The one comparison with the process's own number. */
static struct sock_filter *self_find(struct filter_program *p)
{
	struct sock_filter *found = NULL;

	for (size_t i = 0; i < p->n; i++) {
		if (p->code[i].k != SELF)
			continue;
		if (found || p->code[i].code != (BPF_JMP | BPF_JEQ | BPF_K))
			return NULL;
		found = &p->code[i];
	}
	return found;
}

int sandbox_prepare(enum sandbox_profile profile)
{
	struct filter_program *p = &made[profile];

	if (p->n)
		return 0;
	int rc = sandbox_filter_with(filter_store, p, profile, SELF);
	p->self = rc == 0 ? self_find(p) : NULL;
	if (rc == 0 && !p->self)
		rc = -EINVAL;
	if (rc < 0)
		p->n = 0;
	return rc;
}

int sandbox_filter_calls(enum sandbox_profile profile)
{
	struct filter_program *p = &made[profile];
	const struct sock_fprog program = {.len = (unsigned short)p->n, .filter = p->code};

	if (!p->n)
		return sandbox_filter_with(filter_load, NULL, profile, getpid());
	p->self->k = (uint32_t)getpid();
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0 ? -errno : 0;
}
