/* Collects changes and blockers while the difference is built, and joins them in the order in which they are applied.
 * */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "access/builder.h"

char *builder_copy(struct builder *b, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		b->no_memory = true;
	return copy;
}

struct change *change_push(struct builder *b, struct change_list *l, enum change_kind kind,
	const char *client, const char *login, const char *database, const char *reason)
{
	struct change *c = ARRAY_MORE(l->items, l->n);

	if (!c) {
		b->no_memory = true;
		b->nowhere = (struct change){0};
		return &b->nowhere;
	}
	*c = (struct change){.kind = kind, .client = client};
	c->login = builder_copy(b, login);
	c->database = builder_copy(b, database);
	c->reason = builder_copy(b, reason);
	return c;
}

void obstacle_push(struct builder *b, enum state state, const char *login, const char *database,
	const char *format, ...)
{
	struct obstacle *o = ARRAY_MORE(b->obstacles, b->n_obstacles);
	va_list args;

	if (!o) {
		b->no_memory = true;
		return;
	}
	*o = (struct obstacle){.state = state};
	o->login = builder_copy(b, login);
	o->database = builder_copy(b, database);
	va_start(args, format);
	if (vasprintf(&o->text, format, args) < 0) {
		o->text = NULL;
		b->no_memory = true;
	}
	va_end(args);
}

void permission_copy(struct builder *b, struct permission *to, const struct permission *p)
{
	*to = (struct permission){.class = p->class, .state = p->state};
	to->name = builder_copy(b, p->name);
	to->schema = builder_copy(b, p->schema);
	to->object = builder_copy(b, p->object);
	to->column = builder_copy(b, p->column);
	to->grantee = builder_copy(b, p->grantee);
	to->grantor = builder_copy(b, p->grantor);
}

/* What fires on nothing that Curfew does is no matter, as long as no other trigger fires and could do what it fires on. */
static const struct observed_trigger *unknown_trigger(
	const struct builder *b, const struct observed_database *d)
{
	bool fires = false;

	for (size_t i = 0; i < d->n_triggers; i++)
		fires |= !d->triggers[i].elsewhere;
	for (size_t i = 0; fires && i < d->n_triggers; i++)
		if (!trigger_is_known(&b->w->server->known_triggers, &d->triggers[i]))
			return &d->triggers[i];
	return NULL;
}

bool database_is_untouchable(const struct builder *b, const struct observed_database *d)
{
	if (d->unwritable)
		return true;
	return !b->w->looked_at && (d->triggers_unknown || unknown_trigger(b, d));
}

static void trigger_refuse(struct builder *b, const struct observed_database *d, const char *login,
	const struct observed_trigger *t)
{
	bool named = trigger_is_named(&b->w->server->known_triggers, t->name);
	const char *unsafe = trigger_unsafe(t);
	char entry[TRIGGER_ENTRY_MAX];

	trigger_entry(entry, t);
	if (unsafe)
		obstacle_push(b, STATE_UNVERIFIED, login, d->name,
			"no changes made: enabled DDL trigger [%s] would run with Curfew's permissions and cannot be "
			"trusted: %s; disable it",
			t->name, unsafe);
	else
		obstacle_push(b, STATE_UNVERIFIED, login, d->name,
			"no changes made: enabled DDL trigger [%s] would run with Curfew's permissions%s; review its "
			"definition, then disable it or add \"%s\" to known_triggers",
			t->name, named ? " and is not as it was reviewed" : "", entry);
}

bool database_refuses(struct builder *b, const struct observed_database *d, const char *login)
{
	const struct observed_trigger *trigger = unknown_trigger(b, d);

	if (d->unwritable)
		obstacle_push(b, STATE_UNVERIFIED, login, d->name,
			"no changes made in database [%s]: %s; existing permissions there stay as they are",
			d->name, d->unwritable);
	else if (trigger)
		trigger_refuse(b, d, login, trigger);
	else if (d->triggers_unknown)
		obstacle_push(b, STATE_UNVERIFIED, login, d->name,
			"no changes made in database [%s]: its DDL triggers cannot be read, and one would run with "
			"Curfew's permissions",
			d->name);
	return database_is_untouchable(b, d);
}

static void list_free(struct change_list *l)
{
	struct difference d = {.changes = l->items, .n_changes = l->n};

	difference_free(&d);
}

void builder_drop(struct builder *b, struct change_list *l, bool (*stays)(const struct change *c))
{
	struct change_list gone = {calloc(l->n + 1, sizeof(*l->items)), 0};
	size_t n = 0;

	if (!gone.items) {
		b->no_memory = true;
		return;
	}
	for (size_t i = 0; i < l->n; i++)
		if (stays && stays(&l->items[i]))
			l->items[n++] = l->items[i];
		else
			gone.items[gone.n++] = l->items[i];
	l->n = n;
	list_free(&gone);
}

int builder_join(struct difference *out, struct builder *b)
{
	size_t n = b->prepare.n + b->closings.n + b->openings.n;
	struct change *all = calloc(n + 1, sizeof(*all));
	if (!all || b->no_memory) {
		free(all);
		list_free(&b->prepare);
		list_free(&b->closings);
		list_free(&b->openings);
		struct difference d = {.obstacles = b->obstacles, .n_obstacles = b->n_obstacles};
		difference_free(&d);
		return -ENOMEM;
	}
	const struct change_list *lists[] = {&b->prepare, &b->closings, &b->openings};
	for (size_t i = 0, at = 0; i < ARRAY_SIZE(lists); at += lists[i++]->n) {
		if (lists[i]->n)
			memcpy(all + at, lists[i]->items, lists[i]->n * sizeof(*all));
		free(lists[i]->items);
	}
	*out = (struct difference){.changes = all,
		.n_changes = n,
		.obstacles = b->obstacles,
		.n_obstacles = b->n_obstacles};
	int rc = changes_order(all, n, b->prepare.n, b->closings.n);
	if (rc)
		difference_free(out);
	return rc;
}
