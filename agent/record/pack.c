/* Records as bytes between a worker and its parent: the kind, then its fields in the table's order, a number as eight
 * bytes, a text as its length and what is used of it. Both ends are the same program: nothing is converted. */
#include "record/fields.h"

static size_t put(uint8_t *out, size_t at, const void *bytes, size_t size)
{
	memcpy(out + at, bytes, size);
	return at + size;
}

size_t record_pack(uint8_t out[RECORD_PACKED_MAX], const struct record *r)
{
	const struct record_type *type = record_type(r->kind);
	uint8_t kind = (uint8_t)r->kind;
	char buf[FIELD_TEXT_MAX];
	size_t n = put(out, 0, &kind, 1);

	for (const struct field *f = type ? type->fields : NULL; f && f->name; f++) {
		if (field_is_text(f)) {
			const char *text = field_text(f, r, buf);
			uint16_t size = (uint16_t)strnlen(
				text, f->type == FIELD_TEXT ? f->size : sizeof(buf));
			n = put(out, n, &size, sizeof(size));
			n = put(out, n, text, size);
		} else {
			int64_t number = field_number(f, r);
			n = put(out, n, &number, sizeof(number));
		}
	}
	return n;
}

struct reader {
	const uint8_t *bytes;
	size_t left;
};

static bool take(struct reader *in, void *out, size_t size)
{
	if (size > in->left)
		return false;
	memcpy(out, in->bytes, size);
	in->bytes += size;
	in->left -= size;
	return true;
}

static bool field_read(const struct field *f, struct record *r, struct reader *in)
{
	uint16_t size;
	int64_t number;

	if (!field_is_text(f))
		return take(in, &number, sizeof(number)) && field_set_number(f, r, number);
	if (!take(in, &size, sizeof(size)) || size > in->left ||
		!field_set_text(f, r, (const char *)in->bytes, size))
		return false;
	in->bytes += size;
	in->left -= size;
	return true;
}

const char *record_unpack(struct record *out, const uint8_t *bytes, size_t size)
{
	struct reader in = {bytes, size};
	uint8_t kind = 0;

	memset(out, 0, sizeof(*out));
	if (!take(&in, &kind, 1))
		return "size";
	const struct record_type *type = record_type((enum record_kind)kind);
	if (!type)
		return "kind";
	out->kind = (enum record_kind)kind;
	for (const struct field *f = type->fields; f->name; f++)
		if (!field_read(f, out, &in))
			return f->name;
	return in.left ? "size" : NULL;
}
