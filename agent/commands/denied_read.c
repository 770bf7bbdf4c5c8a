/* Reads denied packets from the service or the packet filter, and matches them with servers. */
#include "commands/denied_read.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "curfew/control.h"

int denied_compare(const void *a, const void *b)
{
	const struct refused *x = a, *y = b;

	return (x->last_seen_latest < y->last_seen_latest) -
	       (x->last_seen_latest > y->last_seen_latest);
}

static int refused_parse(struct firewall_state *out, const json_t *list)
{
	size_t n = json_array_size(list);
	struct refused *items = calloc(n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const json_t *k = json_array_get(list, i);
		const char *source = json_string_value(json_object_get(k, "source"));
		const char *endpoint = json_string_value(json_object_get(k, "endpoint"));
		if (!source || !endpoint || source_parse(&items[i].source, source) ||
			endpoint_parse(&items[i].endpoint, endpoint)) {
			free(items);
			return -EBADMSG;
		}
		items[i].packets = (uint64_t)json_integer_value(json_object_get(k, "packets"));
		items[i].last_seen_latest = json_integer_value(json_object_get(k, "last_seen"));
	}
	out->refused = items;
	out->n_refused = n;
	return 0;
}

int denied_by_service(struct firewall_state *out, const struct program *p)
{
	json_t *end = NULL;
	int rc = control_call(&end, p->settings.runtime_directory,
		json_pack("{s:s}", "command", "denied"), NULL, NULL);

	if (!rc)
		rc = refused_parse(out, json_object_get(end, "refused"));
	json_decref(end);
	return rc;
}
