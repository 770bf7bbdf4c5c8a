/* Records as a worker sends them: whatever the bytes are, a record that is taken is bounded and terminated, and comes
 * out of the control socket as it went in. */
#include "fuzz.h"

#include <errno.h>
#include <jansson.h>
#include "record/fields.h"

static void field_check(const char *field, size_t size)
{
	size_t n = strnlen(field, size);

	REQUIRE(n < size);
	REQUIRE(text_is_utf8(field));
	for (size_t i = n; i < size; i++)
		REQUIRE(field[i] == '\0');
}

/* Every field of the kind is within its bounds, and nothing else is set. */
static void record_is_sound(const struct record *r)
{
	const struct record_type *type = record_type(r->kind);
	static struct record rest;

	REQUIRE(type != NULL);
	rest = *r;
	rest.kind = 0;
	for (const struct field *f = type->fields; f->name; f++) {
		char *p = (char *)&rest + f->offset;

		if (f->type == FIELD_TEXT)
			field_check((const char *)r + f->offset, f->size);
		/* Each word has a name; "unknown" is the first of some, and stands for every value beyond the last. */
		if (f->type == FIELD_WORD && field_number(f, r) != 0)
			REQUIRE(strcmp(f->word((unsigned)field_number(f, r)), "unknown") != 0);
		if (f->type == FIELD_SID)
			REQUIRE(((const struct sid *)p)->size <= SID_MAX);
		memset(p, 0, f->size);
	}
	for (size_t i = 0; i < sizeof(rest); i++)
		REQUIRE(((const char *)&rest)[i] == '\0');
}

/* By bytes and by JSON it comes back as it went. */
static void record_round_trip(const struct record *r)
{
	static uint8_t before[RECORD_PACKED_MAX], after[RECORD_PACKED_MAX];
	static struct record back;
	size_t size = record_pack(before, r);
	json_t *json = record_json(r), *read;
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	REQUIRE(size <= sizeof(before));
	REQUIRE(!record_unpack(&back, before, size));
	REQUIRE(record_pack(after, &back) == size && memcmp(before, after, size) == 0);
	REQUIRE(text && !strchr(text, '\n'));
	read = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	REQUIRE(record_parse(&back, read) == 0);
	REQUIRE(record_pack(after, &back) == size && memcmp(before, after, size) == 0);
	json_decref(json);
	json_decref(read);
	free(text);
}

/* A text that is set is sound whatever it was, and a part of what was given. */
static void set_check(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = input_copy(data, size);
	char field[24], again[24];

	record_set(field, sizeof(field), text);
	field_check(field, sizeof(field));
	record_set(again, sizeof(again), field);
	REQUIRE(memcmp(field, again, sizeof(field)) == 0);
	if (text_is_utf8(text))
		REQUIRE(strncmp(text, field, strlen(field)) == 0);
}

/* A mutation seldom finds the way through all of a record's lengths: here the input says what each field has. */
static void record_made(struct input *in)
{
	static uint8_t packed[RECORD_PACKED_MAX];
	static struct record r, back;

	memset(&r, 0, sizeof(r));
	r.kind = (enum record_kind)(1 + input_number(in, 1) % (RECORD_KINDS - 1));
	for (const struct field *f = record_type(r.kind)->fields; f->name; f++) {
		char text[128];
		size_t n = input_number(in, 1) % sizeof(text);

		n = n < in->left ? n : in->left;
		memcpy(text, in->data, n);
		in->data += n;
		in->left -= n;
		if (!field_is_text(f))
			field_set_number(f, &r, (int64_t)input_number(in, 8));
		else if (!field_set_text(f, &r, text, n))
			memset((char *)&r + f->offset, 0, f->size);
	}
	REQUIRE(!record_unpack(&back, packed, record_pack(packed, &r)));
	record_is_sound(&back);
	record_round_trip(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct record r;
	struct input in = {data, size};

	set_check(data, size);
	record_made(&in);
	if (record_unpack(&r, data, size))
		return 0;
	record_is_sound(&r);
	record_round_trip(&r);
	return 0;
}
