/* Records as a worker sends them: whatever the bytes are, a record that passes the check is bounded and
 * terminated, and comes out of the control socket as it went in. */
#include "fuzz.h"

#include <errno.h>
#include <jansson.h>
#include "curfew/control.h"

/* A record is long: the input says what it is filled with, and which bytes of it are others. */
static void record_fill(struct record *r, struct input *in)
{
	memset(r, (int)input_number(in, 1), sizeof(*r));
	r->kind = (uint32_t)input_number(in, 1);
	r->state = (uint32_t)input_number(in, 1);
	r->level = (uint32_t)input_number(in, 1);
	r->severity = (uint32_t)input_number(in, 1);
	r->opening = (uint32_t)input_number(in, 1);
	r->sid_size = (uint8_t)input_number(in, 1);
	while (in->left) {
		size_t at = input_number(in, 2) % sizeof(*r), n = input_number(in, 1);

		n = n < in->left ? n : in->left;
		n = n < sizeof(*r) - at ? n : sizeof(*r) - at;
		memcpy((char *)r + at, in->data, n);
		in->data += n;
		in->left -= n;
	}
}

static void field_check(const char *field, size_t size)
{
	size_t n = strnlen(field, size);

	REQUIRE(n < size);
	REQUIRE(text_is_utf8(field));
	for (size_t i = n; i < size; i++)
		REQUIRE(field[i] == '\0');
}
#define FIELD_CHECK(r, f) field_check((r)->f, sizeof((r)->f))

static void record_is_sound(const struct record *r)
{
	REQUIRE(r->kind >= RECORD_SERVER && r->kind <= RECORD_END);
	REQUIRE(strcmp(state_name((enum state)r->state), "unknown") != 0);
	REQUIRE(strcmp(finding_severity_name((enum finding_severity)r->severity), "unknown") != 0);
	REQUIRE(r->level <= LEVEL_FULL && r->opening <= 1 && r->sid_size <= SID_MAX);
	FIELD_CHECK(r, server);
	FIELD_CHECK(r, client);
	FIELD_CHECK(r, login);
	FIELD_CHECK(r, database);
	FIELD_CHECK(r, action);
	FIELD_CHECK(r, address);
	FIELD_CHECK(r, program);
	FIELD_CHECK(r, reason);
	FIELD_CHECK(r, statement);
	FIELD_CHECK(r, detail);
}

static void record_round_trip(const struct record *r)
{
	static struct record before, after;
	const size_t texts = offsetof(struct record, server);
	json_t *json = control_record_json(r), *read;
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	REQUIRE(text && !strchr(text, '\n'));
	read = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	REQUIRE(control_record_parse(&after, read) == 0);
	before = *r;
	/* What stands behind the SID does not travel. */
	memset(before.sid + before.sid_size, 0, SID_MAX - before.sid_size);
	REQUIRE(before.kind == after.kind && before.code == after.code);
	REQUIRE(before.number == after.number && before.at == after.at);
	REQUIRE(before.sid_size == after.sid_size);
	REQUIRE(memcmp(before.sid, after.sid, SID_MAX) == 0);
	/* All texts at once, up to the padding behind the last. */
	REQUIRE(memcmp((const char *)&before + texts, (const char *)&after + texts,
			offsetof(struct record, detail) + sizeof(before.detail) - texts) == 0);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct record r;
	struct input in = {data, size};

	set_check(data, size);
	record_fill(&r, &in);
	if (record_check(&r))
		return 0;
	record_is_sound(&r);
	record_round_trip(&r);
	return 0;
}
