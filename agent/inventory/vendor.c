/* Lists of the product's own objects, made from a clean installation. JSON, because names can contain any character. */
#include "inventory/inventory_internal.h"

#include <errno.h>
#include <strings.h>

#include <jansson.h>

#define FORMAT 1

static int order(const void *a, const void *b)
{
	const struct vendor_item *x = a, *y = b;
	int rc = strcmp(x->type, y->type);

	return rc ? rc : strcasecmp(x->name, y->name);
}

static int item_order(const void *a, const void *b)
{
	const struct vendor_item *x = a, *y = b;
	int rc = order(x, y);

	return rc ? rc : (x->list > y->list) - (x->list < y->list);
}

static int item_add(struct vendor *v, const json_t *entry)
{
	const char *type = json_string_value(json_array_get(entry, 0));
	const char *name = json_string_value(json_array_get(entry, 1));
	const char *hash = json_string_value(json_array_get(entry, 2));

	if (!type || !name || !hash || json_array_size(entry) != 3)
		return -EBADMSG;
	return ARRAY_ADD(v->items, v->n, (struct vendor_item){type, name, hash, v->n_lists});
}

/* Keep the document: the items point into it. */
static int list_add(struct vendor *v, json_t *document, const char *version, size_t n)
{
	struct vendor_list *lists = array_grown(v->lists, v->n_lists, sizeof(*lists));
	if (lists)
		v->lists = lists;
	void **documents = array_grown(v->documents, v->n_lists, sizeof(*documents));
	if (documents)
		v->documents = documents;
	if (!lists || !documents)
		return -ENOMEM;
	lists[v->n_lists] = (struct vendor_list){version, n};
	documents[v->n_lists++] = document;
	return 0;
}

int vendor_add(struct vendor *v, char why[RECORD_TEXT_MAX], const char *text, size_t size)
{
	size_t before = v->n, at;
	json_error_t error;
	json_t *document = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error), *entry;
	const json_t *items = json_object_get(document, "items");
	const char *version = json_string_value(json_object_get(document, "version"));
	int rc = 0;

	if (!document) {
		snprintf(why, RECORD_TEXT_MAX, "line %d: %s", error.line, error.text);
		return -EBADMSG;
	}
	if (json_integer_value(json_object_get(document, "curfew_vendor")) != FORMAT || !version ||
		!json_is_array(items)) {
		snprintf(why, RECORD_TEXT_MAX,
			"not a list of `curfew inventory --vendor SERVER DATABASE`: curfew_vendor %d, version, and items are needed",
			FORMAT);
		rc = -EBADMSG;
	}
	json_array_foreach(items, at, entry)
	{
		if (!rc && (rc = item_add(v, entry)) == -EBADMSG)
			snprintf(
				why, RECORD_TEXT_MAX, "item %zu is not [type, name, hash]", at + 1);
	}
	/* An empty list would make every object the client's. */
	if (!rc && v->n == before) {
		snprintf(why, RECORD_TEXT_MAX, "the list is empty");
		rc = -EBADMSG;
	}
	if (!rc)
		rc = list_add(v, document, version, v->n - before);
	if (rc) {
		v->n = before;
		json_decref(document);
	}
	return rc;
}

void vendor_sort(struct vendor *v)
{
	if (v->n)
		qsort(v->items, v->n, sizeof(*v->items), item_order);
}

/* FNV-1a: tells lists apart that differ by accident; nobody gains by making two alike. */
static uint64_t text_mix(uint64_t sum, const char *text)
{
	for (; *text; text++)
		sum = (sum ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	return (sum ^ 0xff) * UINT64_C(0x100000001b3);
}

void vendor_fingerprint(char out[VENDOR_FINGERPRINT], const struct vendor *v)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < v->n; i++) {
		sum = text_mix(sum, v->items[i].type);
		sum = text_mix(sum, v->items[i].name);
		sum = text_mix(sum, v->items[i].hash);
	}
	out[0] = '\0';
	if (v->n)
		snprintf(out, VENDOR_FINGERPRINT, "%016llx", (unsigned long long)sum);
}

void vendor_free(struct vendor *v)
{
	for (size_t i = 0; i < v->n_lists; i++)
		json_decref(v->documents[i]);
	free(v->documents);
	free(v->lists);
	free(v->items);
	*v = (struct vendor){0};
}

const struct vendor_item *vendor_find(
	size_t *n, const struct vendor *v, const char *type, const char *name)
{
	const struct vendor_item wanted = {.type = type, .name = name};
	size_t low = array_first(v->items, v->n, sizeof(wanted), &wanted, order);

	for (*n = 0; low + *n < v->n && !order(&v->items[low + *n], &wanted);)
		++*n;
	return &v->items[low];
}

int vendor_write(FILE *to, const struct inventory *v, const char *version)
{
	bool first = true;
	int rc = 0;

	_cleanup_free_ char *shown = NULL;
	json_t *name = json_string(version);
	shown = name ? json_dumps(name, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
	json_decref(name);
	if (!shown)
		return -ENOMEM;
	fprintf(to, "{\"curfew_vendor\": %d, \"version\": %s, \"items\": [", FORMAT, shown);
	for (size_t i = 0; i < v->n && !rc; i++) {
		const struct inventory_item *t = &v->items[i];
		if (!*t->database || !t->writable)
			continue;
		json_t *entry = json_pack("[sss]", t->type, t->full, t->hash);
		_cleanup_free_ char *text = entry ? json_dumps(entry, JSON_ENSURE_ASCII) : NULL;
		json_decref(entry);
		if (!text)
			return -ENOMEM;
		fprintf(to, "%s\n%s", first ? "" : ",", text);
		first = false;
	}
	fputs("\n]}\n", to);
	return ferror(to) ? -EIO : rc;
}
