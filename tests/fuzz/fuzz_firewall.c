/* The firewall process, from the bytes of its channel on: whatever the engine asks for, in whatever order, the
 * list that reaches the kernel holds nothing that the configuration cannot give, for no longer than it can,
 * and guards every endpoint; or the process ends. The kernel is played by stand-ins. */
#include "fuzz.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>
#include "curfew/firewall_process.h"

static _Noreturn void process_ends(int status);
static ssize_t channel_takes(int fd, const void *data, size_t size, int flags);
static int kernel_apply(struct firewall_changes *done, struct firewall *f,
	const struct allowlist *wanted, instant_t now, bool closings_only);
static int kernel_plan(struct firewall_changes *out, struct firewall *f,
	const struct allowlist *wanted, instant_t now, bool closings_only);
static void kernel_features(const struct firewall *f, struct firewall_features *out);
static int kernel_observe(struct firewall_state *out, struct firewall *f, instant_t now);
static int kernel_refused(uint64_t *out, struct firewall *f);
static int kernel_open(struct firewall **out, const struct firewall_settings *s);
static int kernel_watch(struct firewall_monitor **out, struct firewall *f);
static void kernel_close(struct firewall *f);
static void kernel_watch_end(struct firewall_monitor *m);
static const char *kernel_error(const struct firewall *f);
static void line_is_dropped(int priority, const char *format, ...);

/* The process itself, with its way out and its kernel exchanged. */
#define _exit			 process_ends
#define send			 channel_takes
#define firewall_apply		 kernel_apply
#define firewall_plan		 kernel_plan
#define firewall_features_get	 kernel_features
#define firewall_observe	 kernel_observe
#define firewall_refused_packets kernel_refused
#define firewall_open		 kernel_open
#define firewall_close		 kernel_close
#define firewall_error		 kernel_error
#define firewall_monitor_open	 kernel_watch
#define firewall_monitor_close	 kernel_watch_end
#define log_line		 line_is_dropped
#include "firewall/helper_answer.c"
#include "firewall/helper_list.c"
#include "firewall/helper_request.c"

#define FAR INT64_C(250000000000)

/* Two configurations, the second of which comes into force by a reload: it has an endpoint less, and a client. */
static const char *const endpoint_texts[] = {"192.0.2.10:1433", "192.0.2.11:1433"};
static const char *const source_texts[] = {"203.0.113.7", "198.51.100.0/29", "203.0.113.9"};
static const char trusted_text[] = "10.0.0.0/24";

static struct firewall_process process;
static const struct program *in_force; /* the process keeps none */
static jmp_buf ended;
static instant_t machine_before;

static _Noreturn void process_ends(int status)
{
	REQUIRE(status == EXIT_REFUSED);
	longjmp(ended, 1);
}

/* A refusal for almost each input: nobody reads them. */
static void line_is_dropped(int priority, const char *format, ...)
{
	(void)priority;
	(void)format;
}

static ssize_t channel_takes(int fd, const void *data, size_t size, int flags)
{
	const struct firewall_answer *a = data;

	(void)fd;
	(void)flags;
	REQUIRE(size && size % sizeof(*a) == 0);
	for (size_t i = 0; i < size / sizeof(*a); i++) {
		REQUIRE(a[i].kind >= ANSWER_RESULT && a[i].kind <= ANSWER_EVENT);
		if (a[i].kind == ANSWER_RESULT)
			REQUIRE(strnlen(a[i].text, sizeof(a[i].text)) < sizeof(a[i].text));
	}
	return (ssize_t)size;
}

/* The slow way: through the configuration, without a list made of it. */
static bool allow_is_given(const struct allow *a)
{
	const struct program *p = in_force;
	bool has_endpoint = false;

	for (size_t e = 0; e < p->servers[0].n_endpoints; e++)
		has_endpoint |= endpoint_compare(&p->servers[0].endpoints[e], &a->endpoint) == 0;
	for (size_t i = 0; i < p->n_clients && has_endpoint; i++) {
		const struct user *u = &p->clients[i].users[0];

		for (size_t k = 0; k < u->n_sources; k++)
			if (a->until <= p->clients[i].end &&
				source_compare(&u->sources[k], &a->source) == 0)
				return true;
	}
	return false;
}

static void comment_is_sound_here(const char *comment)
{
	REQUIRE(strnlen(comment, ALLOW_COMMENT_MAX + 1) <= ALLOW_COMMENT_MAX);
	REQUIRE(!text_has_controls(comment));
}

static int kernel_apply(struct firewall_changes *done, struct firewall *f,
	const struct allowlist *wanted, instant_t now, bool closings_only)
{
	const struct server *s = &in_force->servers[0];

	(void)f;
	(void)closings_only;
	REQUIRE(now >= machine_before);
	REQUIRE(wanted->n_guards == s->n_endpoints);
	for (size_t i = 0; i < wanted->n_guards; i++)
		REQUIRE(endpoint_compare(&wanted->guards[i].endpoint, &s->endpoints[i]) == 0);
	for (size_t i = 0; i < wanted->n_allows; i++) {
		const struct allow *a = &wanted->allows[i];

		REQUIRE(a->until > now);
		REQUIRE(allow_is_given(a));
		comment_is_sound_here(a->comment);
		if (i == 0)
			continue;
		int order = endpoint_compare(&a[-1].endpoint, &a->endpoint);
		REQUIRE(order < 0 || (order == 0 && source_compare(&a[-1].source, &a->source) < 0));
	}
	for (size_t i = 0; i < wanted->n_trusted; i++) {
		const struct trusted *t = &wanted->trusted[i];

		REQUIRE(source_compare(&t->source, &s->trusted[0]) == 0);
		REQUIRE(endpoint_compare(&t->endpoint, &s->endpoints[0]) == 0 ||
			endpoint_compare(&t->endpoint, &s->endpoints[s->n_endpoints - 1]) == 0);
		comment_is_sound_here(t->comment);
	}
	*done = (struct firewall_changes){0};
	return 0;
}

static int kernel_plan(struct firewall_changes *out, struct firewall *f,
	const struct allowlist *wanted, instant_t now, bool closings_only)
{
	(void)f;
	(void)closings_only;
	REQUIRE(now >= machine_before);
	for (size_t i = 0; i < wanted->n_allows; i++)
		REQUIRE(allow_is_given(&wanted->allows[i]));
	*out = (struct firewall_changes){0};
	return FIREWALL_PROVED;
}

static void kernel_features(const struct firewall *f, struct firewall_features *out)
{
	(void)f;
	*out = (struct firewall_features){0};
}

static int kernel_observe(struct firewall_state *out, struct firewall *f, instant_t now)
{
	(void)f;
	(void)now;
	*out = (struct firewall_state){.present = true};
	return 0;
}

static int kernel_refused(uint64_t *out, struct firewall *f)
{
	(void)f;
	*out = 0;
	return 0;
}

static int kernel_open(struct firewall **out, const struct firewall_settings *s)
{
	(void)s;
	*out = NULL;
	return 0;
}

static int kernel_watch(struct firewall_monitor **out, struct firewall *f)
{
	(void)f;
	*out = NULL;
	return 0;
}

static void kernel_close(struct firewall *f)
{
	(void)f;
}

static void kernel_watch_end(struct firewall_monitor *m)
{
	(void)m;
}

static const char *kernel_error(const struct firewall *f)
{
	(void)f;
	return "";
}

static void *array_make(size_t n, size_t size)
{
	void *array = calloc(n, size);

	REQUIRE(array != NULL);
	return array;
}

static char *text_make(const char *text)
{
	char *copy = strdup(text);

	REQUIRE(copy != NULL);
	return copy;
}

static void client_make(struct client *c, size_t first_source, instant_t end)
{
	struct user *u = array_make(1, sizeof(*u));

	u->sources = array_make(2, sizeof(*u->sources));
	u->n_sources = 2;
	for (size_t i = 0; i < 2; i++)
		REQUIRE(source_parse(&u->sources[i], source_texts[first_source + i]) == 0);
	u->login = text_make("acme.jane.doe");
	*c = (struct client){
		.name = text_make("acme"), .end = end, .users = u, .n_users = 1, .n_databases = 1};
	c->databases = array_make(1, sizeof(*c->databases));
}

static struct program *program_make(bool second)
{
	struct program *p = array_make(1, sizeof(*p));
	struct server *s = array_make(1, sizeof(*s));

	s->name = text_make("sql01");
	s->n_endpoints = second ? 1 : 2;
	s->endpoints = array_make(2, sizeof(*s->endpoints));
	for (size_t i = 0; i < s->n_endpoints; i++)
		REQUIRE(endpoint_parse(&s->endpoints[i], endpoint_texts[i]) == 0);
	s->trusted = array_make(1, sizeof(*s->trusted));
	s->n_trusted = 1;
	REQUIRE(source_parse(&s->trusted[0], trusted_text) == 0);
	p->servers = s;
	p->n_servers = 1;
	p->n_clients = second ? 1 : 2;
	p->clients = array_make(2, sizeof(*p->clients));
	client_make(&p->clients[0], 0, FAR);
	if (!second)
		client_make(&p->clients[1], 1, FAR + 1000);
	p->settings.widest_prefix4 = 24;
	p->settings.widest_prefix6 = 48;
	p->settings.firewall.priority = second;
	snprintf(p->digest, sizeof(p->digest), "%064d", second);
	return p;
}

static int configuration_read(struct program **out, void *context)
{
	(void)context;
	*out = program_make(true);
	return 0;
}

static void second_adopted(const struct program *p, void *context)
{
	(void)p;
	in_force = context;
}

/* One message: parts that the configuration knows are likely, and any byte of it may be another. */
static void request_make(struct firewall_request *r, struct input *in)
{
	unsigned parts = (unsigned)input_number(in, 1), patches;

	*r = (struct firewall_request){.verb = (uint32_t)(parts & 15), .now = FAR / 2};
	if (r->verb > VERB_ADOPT && r->verb != VERB_AGAIN)
		r->verb = VERB_ALLOW;
	source_parse(
		&r->source, r->verb == VERB_TRUSTED ? trusted_text : source_texts[parts >> 4 & 1]);
	endpoint_parse(&r->endpoint, endpoint_texts[parts >> 5 & 1]);
	r->until = FAR;
	if (r->verb == VERB_ADOPT)
		snprintf(r->text, sizeof(r->text), "%064d", 1);
	patches = parts >> 6;
	while (patches--) {
		size_t at = input_number(in, 1), n = input_number(in, 1) % 16;

		for (; n && at < sizeof(*r); n--, at++)
			((uint8_t *)r)[at] = (uint8_t)input_number(in, 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct program *p = program_make(false), *second = program_make(true);
	const struct firewall_process_options options = {
		.reload = configuration_read, .adopted = second_adopted, .context = second};
	struct input in = {data, size};
	struct firewall_request r;

	in_force = p;
	process = (struct firewall_process){.options = &options, .settings = p->settings.firewall};
	size_t unreadable;
	REQUIRE(helper_records_open(&process.records, NULL, &unreadable) == 0);
	REQUIRE(firewall_policy_build(&process.policy, p, NULL) == 0);
	machine_before = machine_now();
	if (setjmp(ended) == 0)
		while (in.left) {
			request_make(&r, &in);
			helper_take(&process, &r);
		}
	helper_list_forget(&process);
	allowlist_free(&process.wanted);
	helper_records_close(process.records);
	firewall_policy_free(process.policy);
	program_free(process.candidate);
	program_free(second);
	program_free(p);
	return 0;
}
