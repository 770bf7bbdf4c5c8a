/* Archives of last known good versions. What is read has the digest of its index, which is in order, and names nothing
 * outside the archive's two places. The digest of the index is put right first, or nothing behind it would be reached. */
#include "fuzz.h"

#include <errno.h>
#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>
#include "program/file.h"
#include "program/saved.h"
#include "program/saved_tar.h"

#define SUM_LINE "# BLAKE2b-256 of the lines below: "

/* Also of the index's length, which is in the header. */
static void index_seal(char *archive, size_t size)
{
	int64_t n = size >= TAR_BLOCK ? tar_index_size(archive) : -1;
	char *index = archive + TAR_BLOCK, hex[65];

	if (n < 0 || (uint64_t)n > size - TAR_BLOCK)
		return;
	char *line = memmem(index, (size_t)n, SUM_LINE, strlen(SUM_LINE));
	size_t head = line ? (size_t)(line - index) + strlen(SUM_LINE) + 65 : SIZE_MAX;
	if (head > (size_t)n)
		return;
	const struct file_digest d = content_digest(index + head, (size_t)n - head);
	sodium_bin2hex(hex, sizeof(hex), d.hash, sizeof(d.hash));
	memcpy(line + strlen(SUM_LINE), hex, 64);
}

static void entry_check(int fd, const struct saved_entry *e)
{
	char *text;
	int rc = archive_entry_read(&text, fd, e);

	REQUIRE(saved_name_is_valid(e->name));
	REQUIRE(e->content.size <= MAX_FILE_BYTES);
	REQUIRE(rc == 0 || rc == -EBADMSG);
	if (rc < 0)
		return;
	REQUIRE(content_is(&e->content, text, (size_t)e->content.size));
	REQUIRE(text[e->content.size] == '\0');
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *archive = input_copy(size ? (const void *)data : "", size);
	int fd = memfd_create("archive", MFD_CLOEXEC);
	struct saved_index x;

	REQUIRE(sodium_init() >= 0 && fd >= 0);
	index_seal(archive, size);
	REQUIRE(write(fd, archive, size) == (ssize_t)size);
	int rc = archive_index_read(&x, fd);
	REQUIRE(rc == 0 || rc == -EBADMSG);
	for (size_t i = 0; rc == 0 && i < x.n; i++) {
		entry_check(fd, &x.items[i]);
		REQUIRE(i == 0 || strcmp(x.items[i - 1].name, x.items[i].name) < 0);
	}
	if (rc == 0)
		saved_index_free(&x);
	close(fd);
	free(archive);
	return 0;
}
