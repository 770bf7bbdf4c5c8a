/* Reads an element without copying it: a table has 100,000 of them. Lengths are checked, whoever sent it. */
#include <endian.h>
#include <string.h>

#include "firewall/row.h"

static uint64_t number(const struct nlattr *a)
{
	return mnl_attr_validate(a, MNL_TYPE_U64) < 0 ? 0 : be64toh(mnl_attr_get_u64(a));
}

static const struct nlattr *nested(const struct nlattr *in, uint16_t type)
{
	const struct nlattr *a;

	for (a = mnl_attr_get_payload(in); attribute_is_in(a, in); a = mnl_attr_next(a))
		if (mnl_attr_get_type(a) == type)
			return a;
	return NULL;
}

static bool is_text(const struct nlattr *a, const char *text)
{
	return a && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0 &&
	       streq(mnl_attr_get_str(a), text);
}

static void key_read(struct row *out, const struct nlattr *key)
{
	const struct nlattr *value = nested(key, NFTA_DATA_VALUE);

	if (!value)
		return;
	out->key = mnl_attr_get_payload(value);
	out->key_length = mnl_attr_get_payload_len(value);
}

/* Type, length, value. Type 0 is the comment with its terminator. */
static void comment_read(struct row *out, const struct nlattr *a)
{
	const uint8_t *data = mnl_attr_get_payload(a);
	size_t length = mnl_attr_get_payload_len(a);

	while (length >= 2 && length - 2 >= data[1]) {
		if (data[0] == 0) {
			out->comment = (const char *)data + 2;
			out->comment_length = strnlen(out->comment, data[1]);
			return;
		}
		length -= 2u + data[1];
		data += 2u + data[1];
	}
}

static void counter_take(struct row *out, const struct nlattr *expression)
{
	const struct nlattr *data = nested(expression, NFTA_EXPR_DATA), *a;

	if (!data || !is_text(nested(expression, NFTA_EXPR_NAME), "counter"))
		return;
	for (a = mnl_attr_get_payload(data); attribute_is_in(a, data); a = mnl_attr_next(a)) {
		if (mnl_attr_get_type(a) == NFTA_COUNTER_PACKETS)
			out->packets = number(a);
		if (mnl_attr_get_type(a) == NFTA_COUNTER_BYTES)
			out->bytes = number(a);
	}
}

static void goto_read(struct row *out, const struct nlattr *a)
{
	const struct nlattr *verdict = nested(a, NFTA_DATA_VERDICT), *code, *chain;

	code = verdict ? nested(verdict, NFTA_VERDICT_CODE) : NULL;
	chain = verdict ? nested(verdict, NFTA_VERDICT_CHAIN) : NULL;
	if (code && chain && mnl_attr_validate(code, MNL_TYPE_U32) >= 0 &&
		be32toh(mnl_attr_get_u32(code)) == (uint32_t)NFT_GOTO &&
		mnl_attr_validate(chain, MNL_TYPE_NUL_STRING) >= 0)
		out->chain = mnl_attr_get_str(chain);
}

bool row_parse(struct row *out, const struct nlattr *element)
{
	const struct nlattr *a, *e;

	*out = (struct row){.comment = ""};
	for (a = mnl_attr_get_payload(element); attribute_is_in(a, element); a = mnl_attr_next(a)) {
		switch (mnl_attr_get_type(a)) {
		case NFTA_SET_ELEM_KEY:
			key_read(out, a);
			break;
		case NFTA_SET_ELEM_DATA:
			goto_read(out, a);
			break;
		case NFTA_SET_ELEM_EXPIRATION:
			out->expires = true;
			out->expires_ms = number(a);
			break;
		case NFTA_SET_ELEM_USERDATA:
			comment_read(out, a);
			break;
		case NFTA_SET_ELEM_EXPR:
			counter_take(out, a);
			break;
		case NFTA_SET_ELEM_EXPRESSIONS:
			for (e = mnl_attr_get_payload(a); attribute_is_in(e, a);
				e = mnl_attr_next(e))
				counter_take(out, e);
			break;
		default:
			break;
		}
	}
	return out->key != NULL;
}
