/* `curfew status --json`: servers, grants, residual access, and sessions. */
#include <jansson.h>
#include <string.h>

#include "commands/revocation.h"
#include "commands/status_failures.h"
#include "commands/status_service.h"
#include "commands/status_view.h"
#include "curfew/report.h"

static json_t *revoked_json(const struct context *c, const struct grant *g)
{
	const struct override *o = status_revocation(c, g);

	if (!o)
		return json_null();
	_cleanup_free_ char *actor = revocation_actor(c->journal, o->client, o->login);
	return json_pack("{s:o, s:o, s:o}", "since", instant_json(o->at), "by", text_json(actor),
		"reason", text_json(o->reason));
}

json_t *status_json(
	const struct grants *g, const struct status_view *seen, const char *client, instant_t now)
{
	json_t *grants = json_array(), *servers = json_array(), *sessions = json_array();
	json_t *residual = json_array();

	for (size_t i = 0; i < g->n; i++) {
		const struct grant *k = &g->items[i];
		if (client && !streq(client, k->client->name))
			continue;
		const struct record *r = status_record(&seen->records, k);
		json_t *object = grant_json(k);
		enum state state = r ? r->state : STATE_UNREACHABLE;
		json_object_set_new(object, "state", json_string(state_name(state)));
		json_object_set_new(object, "observed",
			r && status_is_seen(r) ? json_string(level_name(r->grant.level))
					       : json_null());
		json_object_set_new(
			object, "detail", r && *r->detail ? text_json(r->detail) : json_null());
		json_object_set_new(object, "packets",
			seen->network ? json_integer((json_int_t)grant_packets(seen->network, k))
				      : json_null());
		json_object_set_new(object, "network",
			seen->network ? json_string(status_is_admitted(seen->network, k) ? "allowed"
											 : "closed")
				      : json_null());
		json_object_set_new(object, "password",
			text_json(status_password(
				&seen->records, &seen->handovers, seen->archived, k)));
		json_object_set_new(object, "revoked", revoked_json(seen->context, k));
		status_failure_json(object, k, seen);
		json_array_append_new(grants, object);
	}
	for (size_t i = 0; i < seen->records.n; i++) {
		const struct record *r = &seen->records.items[i];
		if (r->kind == RECORD_SERVER)
			json_array_append_new(servers, record_json(r));
		if (r->kind == RECORD_SESSION)
			json_array_append_new(sessions, record_json(r));
		if (status_is_residual(r))
			json_array_append_new(residual, record_json(r));
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "at", instant_json(now), "service",
		status_service_json(seen->context->cli), "servers", servers, "grants", grants,
		"residual", residual, "sessions", sessions);
}
