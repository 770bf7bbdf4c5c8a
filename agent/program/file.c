/* Opens files of the configuration, and checks their type, owner, and mode. */
#include "program/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "curfew/certificate.h"

struct fault {
	const char *what;   /* NULL: no problem */
	const char *remedy; /* command before the path */
};

static struct fault stat_fault(const struct stat *st, uid_t owner)
{
	if (st->st_uid != 0 && st->st_uid != geteuid() && st->st_uid != owner)
		return (struct fault){"must be owned by root or by the current user", "chown root"};
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return (struct fault){"must be writable by its owner only", "chmod go-w"};
	return (struct fault){NULL, NULL};
}

bool file_is_trusted(const struct stat *st, uid_t owner)
{
	return !stat_fault(st, owner).what;
}

static struct fault secret_fault(const struct stat *st, enum secret_rule rule)
{
	struct stat owned = *st;
	mode_t others = rule == SECRET_MANAGED ? S_IRWXO | S_IWGRP : S_IRWXG | S_IRWXO;

	/* One remedy for whatever others may do with it: after `chmod go-w` they could still read it. */
	owned.st_mode &= ~(mode_t)(S_IWGRP | S_IWOTH);
	struct fault fault = stat_fault(&owned, 0);
	if (!fault.what && (st->st_mode & others))
		return (struct fault){"must be readable by its owner only", "chmod 0600"};
	return fault;
}

int folder_open(struct reading *r, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fault fault;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		reading_error(r, NULL,
			"cannot open directory %s: %s; create it, or make it readable", path,
			strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	fault = stat_fault(&st, r->owner);
	if (!fault.what)
		return fd;
	reading_error(r, NULL, "directory %s %s; run: %s %s", path, fault.what, fault.remedy, path);
	close(fd);
	return -1;
}

/* Reads to the end. A file that grows beyond the limit meanwhile is rejected too. */
static char *descriptor_read(struct reading *r, int fd, size_t *size)
{
	struct stat st;
	/* Room for one byte more than its size: if that byte comes, the file has grown. */
	size_t room = fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size < MAX_FILE_BYTES
			      ? (size_t)st.st_size + 1
			      : MAX_FILE_BYTES + 1;
	char *text = reading_array(r, room + 1, 1), *kept;
	size_t n = 0;
	ssize_t got = 1;

	while (text && got != 0 && n <= MAX_FILE_BYTES) {
		if (n == room) {
			room = MAX_FILE_BYTES + 1;
			kept = realloc(text, room + 1);
			if (!kept) {
				free(text);
				r->failure = -ENOMEM;
				return NULL;
			}
			text = kept;
		}
		got = read(fd, text + n, room - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			reading_error(
				r, NULL, "cannot read file: %s; check the disk", strerror(errno));
			free(text);
			return NULL;
		}
		n += (size_t)got;
	}
	if (!text)
		return NULL;
	if (n > MAX_FILE_BYTES) {
		reading_error(r, NULL,
			"the file is larger than 1 MiB; split it, or remove what is not configuration");
		free(text);
		return NULL;
	}
	text[n] = '\0';
	*size = n;
	kept = realloc(text, n + 1);
	return kept ? kept : text;
}

char *file_read(struct reading *r, int folder, const char *name, size_t *size)
{
	if (r->edited && streq(r->file, r->edited->path)) {
		*size = strlen(r->edited->text);
		return reading_copy(r, r->edited->text);
	}
	/* O_NONBLOCK: a FIFO of that name must not block the start. */
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = NULL;
	struct fault fault;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		reading_error(r, NULL, "cannot open file: %s; check that it exists and is readable",
			strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	fault = stat_fault(&st, r->owner);
	if (!S_ISREG(st.st_mode))
		reading_error(
			r, NULL, "not a regular file; write the settings into a regular file");
	else if (fault.what)
		reading_error(
			r, NULL, "this file %s; run: %s %s", fault.what, fault.remedy, r->file);
	else
		text = descriptor_read(r, fd, size);
	close(fd);
	return text;
}

static void secret_unseen(
	struct reading *r, int line, const char *path, const char *words, int error)
{
	size_t before = r->problems->n;

	reading_say_line(r, SEVERITY_ERROR, line,
		"cannot check %s %s: %s; run this command as root", words, path, strerror(error));
	if (error == EACCES && r->problems->n > before)
		r->problems->items[before].unseen = true;
}

/* NULL: nothing is wrong, or this user cannot read it. */
static const char *content_fault(const char *path, enum secret_use use)
{
	char text[SECRET_BYTES];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	const char *fault = n < 0 ? NULL : secret_line(text, (size_t)n, use);

	explicit_bzero(text, sizeof(text));
	if (fd >= 0)
		close(fd);
	return fault;
}

static void content_check(
	struct reading *r, int line, const char *path, const struct secret_kind *kind)
{
	const char *fault = content_fault(path, kind->use);

	if (fault && kind->server)
		reading_say_line(r, SEVERITY_ERROR, line,
			"%s %s %s; run `curfew credential %s`, which writes it", kind->words, path,
			fault, kind->server);
	else if (fault)
		reading_say_line(r, SEVERITY_ERROR, line,
			"%s %s %s; write it again, on one line: install -m 0600 /dev/stdin %s",
			kind->words, path, fault, path);
}

static void secret_check(struct reading *r, int line, const char *path, enum secret_rule rule,
	const struct secret_kind *kind)
{
	const char *words = kind->words;
	struct fault fault;
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno == ENOENT && rule == SECRET_MANAGED)
			reading_say_line(r, SEVERITY_ERROR, line,
				"missing %s: %s; add a LoadCredential= line for it to the service",
				words, path);
		else if (errno == ENOENT)
			reading_say_line(r, SEVERITY_ERROR, line,
				"missing %s: %s; create it: install -m 0600 /dev/stdin %s", words,
				path, path);
		else
			secret_unseen(r, line, path, words, errno);
		return;
	}
	fault = secret_fault(&st, rule);
	if (!S_ISREG(st.st_mode))
		reading_say_line(r, SEVERITY_ERROR, line,
			"%s %s must be a regular file; write it into a regular file of mode 0600",
			words, path);
	else if (fault.what)
		reading_say_line(r, SEVERITY_ERROR, line, "%s %s %s; run: %s %s", words, path,
			fault.what, fault.remedy, path);
	else if (st.st_size == 0)
		reading_say_line(r, SEVERITY_ERROR, line,
			"%s %s is empty; write the secret into it, on one line", words, path);
	else if (rule == SECRET_OURS)
		content_check(r, line, path, kind);
}

void credential_check(const struct settings *s, struct reading *r, int line, const char *name,
	enum secret_rule rule, const struct secret_kind *kind)
{
	char path[4096];

	if (settings_credential(path, s, name) < 0)
		return; /* the directory's length is limited far below this */
	if (kind->server && rule != SECRET_MANAGED && access(path, F_OK) < 0 && errno == ENOENT) {
		reading_say_line(r, SEVERITY_ERROR, line,
			"missing %s: %s; run `curfew credential %s`, which asks for the password and writes it",
			kind->words, path, kind->server);
		return;
	}
	secret_check(r, line, path, rule, kind);
}

/* Whoever cannot read the file cannot tell; connecting then names the cause. */
static bool has_no_certificate(const char *path)
{
	_cleanup_fclose_ FILE *from = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	if (!from)
		return false;
	while (getline(&line, &size, from) >= 0)
		if (certificate_begins(line))
			return false;
	return !ferror(from);
}

void certificate_file_check(struct reading *r, int line, const char *path, const char *words)
{
	struct fault fault;
	struct stat st;

	if (stat(path, &st) < 0) {
		reading_say_line(r, SEVERITY_ERROR, line, "cannot read %s %s: %s; copy it there",
			words, path, strerror(errno));
		return;
	}
	fault = stat_fault(&st, 0);
	if (!S_ISREG(st.st_mode))
		reading_say_line(r, SEVERITY_ERROR, line,
			"%s %s must be a regular file; copy it there", words, path);
	else if (fault.what)
		reading_say_line(r, SEVERITY_ERROR, line, "%s %s %s; run: %s %s", words, path,
			fault.what, fault.remedy, path);
	else if (has_no_certificate(path))
		reading_say_line(r, SEVERITY_ERROR, line,
			"ca_file %s contains no certificate (-----BEGIN CERTIFICATE-----); convert it to PEM",
			path);
}

char *path_folder(struct reading *r, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder;

	if (!slash)
		return reading_copy(r, ".");
	folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!folder)
		r->failure = -ENOMEM;
	return folder;
}

char *path_join(struct reading *r, const char *folder, const char *name)
{
	char *path = NULL;

	if (name[0] == '/' || streq(folder, "."))
		return reading_copy(r, name);
	if (asprintf(&path, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name) >=
		0)
		return path;
	r->failure = -ENOMEM;
	return NULL;
}
