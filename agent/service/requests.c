/* What commands ask of the running service. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include "curfew/actor.h"
#include "service/internal.h"

static const char *text_of(const json_t *request, const char *name)
{
	return json_string_value(json_object_get(request, name));
}

static char *text_copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* Queues a pass. A pass that changes access shortens the current pass; a query runs beside it. */
static int pass_enqueue(struct service *s, struct control_call *call, const json_t *request,
	enum pass_mode mode, const char *reason, const struct request *like)
{
	const char *client = text_of(request, "client");
	struct request r = {.call = call,
		.mode = mode,
		.closes = like && like->closes,
		.recorded = like ? like->recorded : RECORDED,
		.client = text_copy(client),
		.asked = monotonic_ms()};

	if (client && !program_client(s->loaded.program, client)) {
		request_free(&r);
		control_end(call, CODE_USAGE, "unknown client in the loaded configuration", NULL);
		return -EINVAL;
	}
	r.reason = strdup(reason);
	if (asprintf(&r.actor, "%s, through the service", control_actor(call)) < 0)
		r.actor = NULL;
	int rc = !r.reason || !r.actor || (client && !r.client) ? -ENOMEM : 0;
	if (rc == 0)
		rc = mode == PASS_APPLY ? passes_enqueue(s, &r) : queries_enqueue(s, &r);
	if (rc < 0) {
		request_free(&r);
		control_end(call, CODE_FAILED,
			rc == -EBUSY ? "too many requests wait already; ask again in a moment"
				     : strerror(-rc),
			NULL);
	}
	return rc;
}

static void ask_plan(struct service *s, struct control_call *call, const json_t *request)
{
	pass_enqueue(s, call, request, PASS_PLAN, "plan", NULL);
}

static void ask_apply(struct service *s, struct control_call *call, const json_t *request)
{
	pass_enqueue(s, call, request, PASS_APPLY, "apply", NULL);
}

static void ask_status(struct service *s, struct control_call *call, const json_t *request)
{
	pass_enqueue(s, call, request, PASS_STATUS, "status", NULL);
}

static void ask_audit(struct service *s, struct control_call *call, const json_t *request)
{
	pass_enqueue(s, call, request, PASS_AUDIT, "audit", NULL);
}

static void ask_preflight(struct service *s, struct control_call *call, const json_t *request)
{
	pass_enqueue(s, call, request, PASS_PREFLIGHT, "preflight", NULL);
}

/* A client, one of its users (login), or a person wherever the configuration has that email address. */
struct subject {
	const char *client, *login; /* NULL: every user of the client */
};
struct subjects {
	struct subject *items;
	size_t n;
};

static int subject_add(struct subjects *t, const char *client, const char *login)
{
	return ARRAY_ADD(t->items, t->n, (struct subject){client, login});
}

static int subjects_of_person(struct subjects *out, const struct program *p, const char *email)
{
	int rc = 0;

	for (size_t i = 0; i < p->n_clients; i++)
		for (size_t k = 0; k < p->clients[i].n_users && rc == 0; k++) {
			const struct user *u = &p->clients[i].users[k];
			if (names_equal(u->email, email))
				rc = subject_add(out, p->clients[i].name, u->login);
		}
	return rc;
}

/* Returns NULL, or the problem with the request. */
static const char *subjects_read(
	struct subjects *out, const struct program *p, const json_t *request)
{
	const char *client = text_of(request, "client"), *user = text_of(request, "user"),
		   *person = text_of(request, "person"), *reason = text_of(request, "reason");
	const struct client *c = client ? program_client(p, client) : NULL;
	const struct user *u = c && user ? client_user(c, user) : NULL;
	int rc;

	if (!reason || !*reason)
		return "a reason is required; it is recorded in the journal";
	if (!client && person)
		rc = subjects_of_person(out, p, person);
	else if (!c)
		return "unknown client in the loaded configuration";
	else if (user && !u)
		return "unknown user of this client";
	else
		rc = subject_add(out, c->name, u ? u->login : NULL);
	if (rc < 0)
		return "out of memory; nothing was done";
	return out->n ? NULL : "no user has this email address in the loaded configuration";
}

/* Removes access first: a pass begins now, or the network is blocked now while the current pass ends. Then it writes the
 * records, and reports to the caller. Removing access does not wait for a disk or for the journal. */
static void revoke(struct service *s, struct control_call *call, const json_t *request,
	const struct subjects *t)
{
	const char *reason = text_of(request, "reason");
	enum recorded worst = RECORDED;
	instant_t now = service_now(s);
	char text[RECORD_TEXT_MAX], actor[ACTOR_MAX];
	size_t n = 0;

	/* A pass that cannot begin ends the call. */
	record_set(actor, sizeof(actor), control_actor(call));
	for (size_t i = 0; i < t->n; i++)
		n += overrides_add(&s->overrides, t->items[i].client, t->items[i].login, now,
			     reason) >= 0;
	record_printf(text, sizeof(text), "revoked: %s", reason);
	service_schedule(s);
	bool at_once = passes_are_idle(s);
	if (!at_once)
		service_network_now(s, text, actor, true, call);
	/* Carried out even if the caller hangs up. */
	const struct request r = {.closes = true, .recorded = RECORDED};
	if (n < t->n || pass_enqueue(s, call, request, PASS_APPLY, text, &r) < 0)
		service_ask(s, REASON_OVERRIDE);
	if (at_once)
		passes_begin(s);
	for (size_t i = 0; i < t->n; i++) {
		enum recorded recorded = records_revoke(
			s, t->items[i].client, t->items[i].login, actor, reason, now);
		if (recorded > worst)
			worst = recorded;
	}
	if (n < t->n)
		control_end(call, CODE_FAILED,
			"out of memory: not all access was removed; revoke once more", NULL);
	else
		passes_recorded(s, call, worst);
}

/* Reinstating waits for the journal: no record, no access. */
static void reinstate(struct service *s, struct control_call *call, const json_t *request,
	const struct subjects *t)
{
	const char *reason = text_of(request, "reason"), *actor = control_actor(call);
	instant_t now = service_now(s);
	size_t done = 0;
	char text[RECORD_TEXT_MAX];

	for (size_t i = 0; i < t->n; i++) {
		int rc = records_reinstate(
			s, t->items[i].client, t->items[i].login, actor, reason, now);
		done += rc == 0;
		if (rc == 0 || rc == -ENOENT)
			continue;
		record_printf(text, sizeof(text),
			"access of client %s stays revoked: cannot write the journal: %s%s",
			t->items[i].client, journal_problem(rc),
			done ? "; the clients before it are reinstated, see `curfew status`" : "");
		service_schedule(s);
		control_end(call, CODE_FAILED, text, NULL);
		return;
	}
	if (!done) {
		control_end(call, CODE_FAILED,
			"no such revocation; name the user to reinstate a user, or only the client to reinstate the whole client",
			NULL);
		return;
	}
	record_printf(text, sizeof(text), "reinstated: %s", reason);
	service_network_now(s, text, actor, true, call);
	service_schedule(s);
	pass_enqueue(s, call, request, PASS_APPLY, text, NULL);
}

static void override_set(struct service *s, struct control_call *call, const json_t *request,
	void (*set)(struct service *s, struct control_call *call, const json_t *request,
		const struct subjects *t))
{
	struct subjects t = {0};
	const char *wrong = subjects_read(&t, s->loaded.program, request);

	if (wrong)
		control_end(call, CODE_USAGE, wrong, NULL);
	else
		set(s, call, request, &t);
	free(t.items);
}

static void ask_revoke(struct service *s, struct control_call *call, const json_t *request)
{
	override_set(s, call, request, revoke);
}

static void ask_reinstate(struct service *s, struct control_call *call, const json_t *request)
{
	override_set(s, call, request, reinstate);
}

static json_t *refused_json(const struct refused *r)
{
	char source[SOURCE_TEXT_MAX], endpoint[ENDPOINT_TEXT_MAX];

	return json_pack("{s:s, s:s, s:I, s:I, s:I}", "source", source_format(source, &r->source),
		"endpoint", endpoint_format(endpoint, &r->endpoint), "packets",
		(json_int_t)r->packets, "bytes", (json_int_t)r->bytes, "last_seen",
		(json_int_t)r->last_seen_latest);
}

/* Returns what the kernel counted. The command interprets it. */
static void ask_denied(struct service *s, struct control_call *call, const json_t *request)
{
	struct firewall_state state;
	json_t *list = json_array();

	(void)request;
	if (!s->firewall || s->gate.observe(&state, s, service_now(s)) < 0) {
		json_decref(list);
		control_end(call, CODE_FAILED,
			"cannot read the packet filter, or it is disabled on this host", NULL);
		return;
	}
	for (size_t i = 0; i < state.n_refused; i++)
		json_array_append_new(list, refused_json(&state.refused[i]));
	json_t *more = json_pack("{s:o, s:I}", "refused", list, "refused_packets",
		(json_int_t)state.refused_packets);
	firewall_state_free(&state);
	control_end(call, 0, NULL, more);
}

/* {"command": "clock"} shows both times. With "reset" (seconds) and "reason" an operator corrects the latest time
 * seen. */
static void ask_clock(struct service *s, struct control_call *call, const json_t *request)
{
	const json_t *reset = json_object_get(request, "reset");
	const char *reason = text_of(request, "reason");
	char why[RECORD_TEXT_MAX];

	if (reset) {
		if (!json_is_integer(reset) || !reason || !*reason) {
			control_end(call, CODE_USAGE, "a time and a reason are required", NULL);
			return;
		}
		if (service_time_reset(
			    why, s, json_integer_value(reset), control_actor(call), reason)) {
			control_end(call, CODE_FAILED, why, NULL);
			return;
		}
		/* The current pass uses the wrong time. Correct it before it records more. */
		lane_correct(s->passes.lane, service_now(s));
		retries_correct(s->retries, service_now(s));
		service_ask(s, REASON_CLOCK);
		service_schedule(s);
	}
	instant_t now = service_now(s);
	control_end(call, 0, NULL,
		json_pack("{s:I, s:I, s:I}", "now", (json_int_t)now, "highest",
			(json_int_t)s->clock.highest, "behind", (json_int_t)s->clock_behind));
}

static void ask_reload(struct service *s, struct control_call *call, const json_t *request)
{
	(void)request;
	s->reloaders[s->n_reloaders++] = call;
	service_reload_ask(s);
}

static void ask_notice_test(struct service *s, struct control_call *call, const json_t *request)
{
	const char *address = text_of(request, "address");
	int rc = address ? sending_test(s, address) : -EINVAL;

	control_end(call, rc ? CODE_FAILED : 0,
		rc == -ENODEV
			? "no mail server is configured in `notices`, or the journal cannot be written"
		: rc == -EINVAL ? "invalid email address"
		: rc		? strerror(-rc)
				: NULL,
		NULL);
}

static json_t *server_json(const struct server_retry *h)
{
	return json_pack("{s:s, s:b, s:i, s:I, s:I}", "name", h->name, "reachable",
		h->reachable && !h->failures, "failures", (int)h->failures, "last_good_pass",
		(json_int_t)(h->has_complete_pass ? h->complete_pass : 0), "retry_in",
		(json_int_t)(h->retry ? (h->retry - monotonic_ms()) / 1000 : 0));
}

/* The service's own state, for which no SQL server is asked. */
static void ask_service(struct service *s, struct control_call *call, const json_t *request)
{
	json_t *servers = json_array(), *kept = json_array();

	(void)request;
	for (size_t i = 0; i < retries_count(s->retries); i++)
		json_array_append_new(servers, server_json(retries_at(s->retries, i)));
	for (size_t i = 0; i < s->loaded.kept.n; i++)
		json_array_append_new(kept, json_string(s->loaded.kept.items[i]));
	control_end(call, 0, NULL,
		json_pack("{s:I, s:I, s:s, s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:s?}",
			"since", (json_int_t)s->since, "last_pass",
			(json_int_t)(s->metrics.has_pass ? s->metrics.last_pass : 0), "pass_reason",
			s->passes.last_text, "now", (json_int_t)service_now(s), "configuration",
			s->loaded.program->digest, "file", s->options.config, "next_transition",
			(json_int_t)(s->has_next ? s->next : 0), "overdue",
			(json_int_t)s->overdue.n, "overdue_age", (json_int_t)s->overdue.age,
			"clock_behind", (json_int_t)s->clock_behind, "servers", servers, "kept",
			kept, "left_out", s->loaded.left_out));
}

static const struct {
	const char *name;
	void (*ask)(struct service *s, struct control_call *call, const json_t *request);
} commands[] = {
	{"plan", ask_plan},
	{"apply", ask_apply},
	{"status", ask_status},
	{"audit", ask_audit},
	{"preflight", ask_preflight},
	{"revoke", ask_revoke},
	{"reinstate", ask_reinstate},
	{"denied", ask_denied},
	{"clock", ask_clock},
	{"reload", ask_reload},
	{"notice-test", ask_notice_test},
	{"service", ask_service},
};

void service_request(void *service, struct control_call *call, const json_t *request)
{
	struct service *s = service;
	const char *name = text_of(request, "command");
	struct log_fields f = {.client = text_of(request, "client"),
		.reason = text_of(request, "reason"),
		.actor = control_actor(call)};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (streq(commands[i].name, name)) {
			/* Every command sends this request first, so it is not worth a log line. */
			if (commands[i].ask != ask_service)
				log_send(LOG_ASKED, &f, "%s asks: %s%s%s", control_actor(call),
					name, f.client ? " " : "", f.client ? f.client : "");
			commands[i].ask(s, call, request);
			return;
		}
	control_end(call, CODE_USAGE, "unknown command", NULL);
}
