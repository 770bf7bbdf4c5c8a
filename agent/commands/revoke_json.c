/* The result of revoke and reinstate as JSON. */
#include "commands/revoke_json.h"

#include <errno.h>
#include <jansson.h>

#include "commands/pass_json.h"
#include "curfew/report.h"

/* What still holds of what was to be taken back: the whole client's revocation counts for each of its users. */
static const char *still_revoked(
	const struct overrides *left, const char *client, const char *login)
{
	const char *by = NULL;

	for (size_t i = 0; i < left->n; i++) {
		const struct override *o = &left->items[i];
		if (!override_blocks(o, client, login ? login : ""))
			continue;
		if (!o->login)
			return "client";
		by = "user";
	}
	return by;
}

int revoke_target_add(
	struct json_t *targets, const struct overrides *left, const char *client, const char *login)
{
	json_t *target = json_pack("{s:o, s:o, s:s?}", "client", text_json(client), "login",
		text_json(login), "still_revoked", still_revoked(left, client, login));

	return json_array_append_new(targets, target) ? -ENOMEM : 0;
}

int revoke_json_print(const struct pass_result *r, const struct records *k, instant_t now,
	enum recorded recorded, struct json_t *targets)
{
	static const char *const places[] = {
		[RECORDED] = "journal", [RECORDED_COPY] = "second copy", [RECORDED_NOWHERE] = NULL};
	json_t *whole = pass_json(r, k, now), *place = json_null();

	if (places[recorded])
		place = json_string(places[recorded]);
	json_object_set_new(whole, "recorded", place);
	json_object_set_new(whole, "targets", targets);
	return json_print(whole, stdout);
}
