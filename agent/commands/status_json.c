/* `curfew status --json`: servers, grants, residual access, and sessions. */
#include <jansson.h>
#include <string.h>

#include "commands/status_failures.h"
#include "commands/status_password.h"
#include "commands/status_service.h"
#include "commands/status_view.h"
#include "curfew/report.h"

static json_t *revoked_json(const struct context *c, const struct grant *g)
{
	const struct override *o = status_revocation(c, g);

	if (!o)
		return json_null();
	_cleanup_free_ char *actor = override_actor(c->journal, o->client, o->login);
	return json_pack("{s:o, s:o, s:o}", "since", instant_json(o->at), "by", text_json(actor),
		"reason", text_json(o->reason));
}

static const char *network_json_name(const struct firewall_state *s, const struct grant *g)
{
	return !network_guards(s, g->server) ? "unguarded"
	       : status_is_admitted(s, g)    ? "allowed"
					     : "closed";
}

/* Of a server, of a database or login there, or without a server: of the whole pass. */
static json_t *note_json(const struct record *r)
{
	return json_pack("{s:o, s:o, s:o, s:s, s:o}", "server",
		*r->server ? text_json(r->server) : json_null(), "database",
		*r->database ? text_json(r->database) : json_null(), "login",
		*r->login ? text_json(r->login) : json_null(), "state", state_name(r->state),
		"detail", text_json(r->detail));
}

json_t *status_json(
	const struct grants *g, const struct status_view *seen, const char *client, instant_t now)
{
	json_t *grants = json_array(), *servers = json_array(), *sessions = json_array();
	json_t *residual = json_array(), *notes = json_array();

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
			seen->network ? json_string(network_json_name(seen->network, k))
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
		if (r->kind == RECORD_NOTE)
			json_array_append_new(notes, note_json(r));
	}
	return json_pack("{s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o}", "at", instant_json(now),
		"service", status_service_json(seen->context->cli), "held", seen->held,
		"network_unread", seen->network_unread, "servers", servers, "grants", grants,
		"residual", residual, "sessions", sessions, "notes", notes);
}
