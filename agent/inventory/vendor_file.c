/* Reads the files of an inventory: lists of the product, decisions. */
#include "curfew/inventory.h"

#include <errno.h>

/* A list of a product with tens of thousands of objects has some MiB. */
#define FILE_BYTES_MAX ((size_t)64 << 20)

char *inventory_file(size_t *size, const char *path)
{
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	char block[65536];
	struct text text;
	size_t n, all = 0;

	if (!f || !text_begin(&text))
		return NULL;
	while (all <= FILE_BYTES_MAX && (n = fread(block, 1, sizeof(block), f)) > 0) {
		fwrite(block, 1, n, text.to);
		all += n;
	}
	if (ferror(f) || all > FILE_BYTES_MAX) {
		text_drop(&text);
		errno = all > FILE_BYTES_MAX ? EFBIG : EIO;
		return NULL;
	}
	char *bytes = text_end(&text);
	*size = text.size;
	return bytes;
}

int vendor_load(struct vendor *v, char why[RECORD_TEXT_MAX], const struct strings *files)
{
	for (size_t i = 0; i < files->n; i++) {
		const char *path = files->items[i];
		char said[RECORD_TEXT_MAX];
		size_t size = 0;
		_cleanup_free_ char *text = inventory_file(&size, path);
		int rc = text ? vendor_add(v, said, text, size) : -errno;
		if (rc) {
			record_printf(why, RECORD_TEXT_MAX, "%s vendor list %s: %s",
				text ? "invalid" : "cannot read the", path,
				rc == -EBADMSG ? said : strerror(-rc));
			return rc;
		}
	}
	vendor_sort(v);
	return 0;
}
