/* Random configurations over random servers. See life.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "life.h"

/* Names that a quoting or comparing mistake would trip over; no two differ in letter case alone. */
static const char *const names[] = {"acme.jane.doe", "o'brien", "x]y", "[z]", "semi;colon--",
	"Gr\303\266\303\237e", "a b", "DROP LOGIN sa", "percent%s", "back\\slash"};

static const char *text(struct life *l, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static const char *text(struct life *l, const char *format, ...)
{
	va_list args;

	assert_true(l->n_texts < ARRAY_SIZE(l->texts));
	va_start(args, format);
	vsnprintf(l->texts[l->n_texts], sizeof(l->texts[0]), format, args);
	va_end(args);
	return l->texts[l->n_texts++];
}

static const char *hostile(struct life *l, const char *kind, size_t i)
{
	return text(l, "%s%zu %s", kind, i, names[prng_below(&l->p, ARRAY_SIZE(names))]);
}

/* ---- a configuration ---- */

static void random_client(struct life *l, size_t i)
{
	struct client *c = scene_client(&l->scene, text(l, "client%zu", i),
		SCENE_NOW + prng_between(&l->p, -250, chance(l, 20) ? 20 : -1) * SCENE_DAY);
	size_t n = 1 + prng_below(&l->p, SCENE_EACH);

	if (chance(l, 65))
		scene_go_live(c, c->starts + prng_between(&l->p, 1, 230) * SCENE_DAY);
	for (size_t k = 0; k < n; k++)
		scene_database(c, hostile(l, "db", i * SCENE_EACH + k),
			chance(l, 50) ? ROLE_STAGING : ROLE_PRODUCTION,
			(enum level)prng_below(&l->p, LEVELS));
	n = 1 + prng_below(&l->p, SCENE_EACH);
	for (size_t k = 0; k < n; k++)
		scene_user(c, hostile(l, "user", i * SCENE_EACH + k));
}

/* ---- a server ---- */

static void random_roles(struct life *l, struct observed_database *d)
{
	if (!l->scene.server.terms[LEVEL_READ_ONLY].role)
		return;
	scene_roles(&l->scene, d);
	for (size_t i = d->n_permissions; i-- > 0;) {
		struct permission *p = &d->permissions[i];
		bool narrower = !strcmp(p->grantee, l->scene.server.terms[LEVEL_READ_ONLY].role);
		if (chance(l, 10)) {
			permission_free(p);
			*p = d->permissions[--d->n_permissions];
		} else if (p->state == 'D' && narrower && !strcmp(p->name, "ALTER")) {
			/* `write` denies it too, and to leave that role would widen. */
			continue;
		} else if (chance(l, 3) && (p->state == 'D' || narrower)) {
			/* The wider role denies nothing that the narrower one gives: to leave it never widens. */
			p->state = p->state == 'G' ? 'D' : 'G';
		} else if (chance(l, 2)) {
			p->state = 'W';
		}
	}
	for (int i = LEVEL_READ_ONLY; i <= LEVEL_FULL; i++) {
		const char *role = l->scene.server.terms[i].role;
		if (!role)
			continue;
		if (chance(l, 15))
			model_permission(d, 'G', "CONTROL", NULL, NULL, role, "dbo");
		if (chance(l, 15))
			model_permission(d, 'G', "INSERT", d->schemas[0], NULL, role, "dbo");
		if (chance(l, 10) && i == LEVEL_READ_ONLY)
			model_permission(d, 'D', "SELECT", "dbo", "orders", role, "dbo");
	}
}

static void random_database(struct life *l, const char *name, bool managed)
{
	char shown[48];

	snprintf(shown, sizeof(shown), "%s", name);
	/* Some servers return names in another letter case. */
	if (chance(l, 20))
		for (char *c = shown; *c; c++)
			*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
	struct observed_database *d = model_database(&l->model, shown);
	d->managed = managed;
	d->online = !chance(l, 4);
	d->accessible = d->read = d->online && !chance(l, 4);
	model_schema(d, "dbo", NULL);
	for (size_t n = prng_below(&l->p, 3); n > 0; n--)
		model_schema(d, text(l, "s%zu]x", n), NULL);
	model_user(d, "dbo", model_sid(STRANGE_SID));
	model_role(d, "hoster_role");
	if (chance(l, 70))
		random_roles(l, d);
	/* Of one that cannot be read nothing is seen: there is nothing of it in the state either. */
	if (d->read && chance(l, 4))
		model_trigger(d, "tr_audit");
}

static void random_membership(struct life *l, struct observed_database *d, const char *user)
{
	const struct level_terms *terms = l->scene.server.terms;

	for (int i = LEVEL_READ_ONLY; i <= LEVEL_FULL; i++) {
		for (size_t k = 0; k < terms[i].member_of.n; k++)
			if (chance(l, 50))
				model_member(d, terms[i].member_of.items[k], user);
		if (terms[i].role && chance(l, 45))
			for (size_t k = 0; k < d->n_users; k++)
				if (!strcmp(d->users[k].name, terms[i].role)) {
					model_member(d, terms[i].role, user);
					break;
				}
	}
	if (chance(l, 8))
		model_member(d, "db_owner", user);
	if (chance(l, 8))
		model_member(d, "hoster_role", user);
}

/* What somebody may have gathered beside roles. */
static void random_leftovers(
	struct life *l, struct observed_database *d, const char *user, size_t n)
{
	if (chance(l, 12))
		model_permission(d, chance(l, 30) ? 'W' : 'G', "INSERT", "dbo", NULL, user, "dbo");
	if (chance(l, 8))
		model_permission(d, 'G', "UPDATE", "dbo", "orders", user, "dbo");
	if (chance(l, 8))
		model_permission(d, 'D', "DELETE", "dbo", NULL, user, "dbo");
	if (chance(l, 8))
		model_permission(d, 'G', "CONTROL", NULL, NULL, user, "dbo");
	if (chance(l, 8)) {
		model_permission(d, 'W', "SELECT", "dbo", "orders", user, "dbo");
		model_permission(
			d, 'G', "SELECT", "dbo", "orders", chance(l, 50) ? "public" : "app", user);
	}
	if (chance(l, 8)) {
		const char *schema = text(l, "owned%zu", n);
		model_schema(d, schema, user);
		model_permission(d, 'G', "SELECT", schema, NULL, "app", "dbo");
		if (chance(l, 50))
			model_permission(d, 'G', "SELECT", schema, NULL, "public", user);
	}
	if (chance(l, 8))
		model_owned(d, "OBJECT", "dbo", text(l, "table%zu", n), user);
	if (chance(l, 6))
		model_owned(d, "ROLE", NULL, text(l, "role%zu", n), user);
}

void claim_add(struct life *l, const char *login, struct sid sid)
{
	assert_true(l->n_claims < ARRAY_SIZE(l->claims));
	l->claims[l->n_claims++] =
		(struct claim){.server = "sql1", .login = login, .sid = sid, .living = true};
}

/* A login of ours, wanted or not, in any state. */
static void random_login_of_ours(struct life *l, const char *name)
{
	struct observed_login *login = model_login(&l->model, name, ++l->model.next_sid);
	struct sid sid = login->sid;

	login->disabled = chance(l, 40);
	login->marked = l->model.o.mark_role && chance(l, 70);
	/* The mark alone does where the configuration names it. */
	if (!login->marked || !wanted_names(&l->scene.wanted, name))
		claim_add(l, name, sid);
	for (size_t i = 0; i < l->model.o.n_databases; i++) {
		struct observed_database *d = &l->model.o.databases[i];
		if (!d->read || !chance(l, 60))
			continue;
		/* Sometimes under another name than the login's. */
		const char *user = chance(l, 10) ? text(l, "alias%u", l->model.next_sid) : name;
		if (chance(l, 2)) {
			d->users[0].sid = sid; /* it owns the database */
			continue;
		}
		model_user(d, user, sid);
		random_membership(l, d, user);
		random_leftovers(l, d, user, 10 * l->model.next_sid + i);
	}
	if (chance(l, 7))
		model_server_member(&l->model, chance(l, 50) ? "sysadmin" : "dbcreator", name);
	if (chance(l, 7))
		model_server_permission(&l->model, "VIEW SERVER STATE", name);
	for (size_t n = chance(l, 30) ? 1 + prng_below(&l->p, 2) : 0; n > 0; n--)
		model_session(&l->model, name, prng_below(&l->p, (uint64_t)(300 * SCENE_DAY)));
}

/* No login, but perhaps its users: of a restore (known by SID or by role), or of somebody else. */
static void random_absence(struct life *l, const char *name)
{
	struct sid gone = model_sid(++l->model.next_sid),
		   strange = model_sid(STRANGE_SID + 500 + l->model.next_sid);

	for (size_t i = 0; i < l->model.o.n_databases; i++) {
		struct observed_database *d = &l->model.o.databases[i];
		if (!d->read || !chance(l, 35))
			continue;
		if (chance(l, 70)) {
			claim_add(l, name, gone);
			model_user(d, name, gone);
			random_membership(l, d, name);
			random_leftovers(l, d, name, 10 * l->model.next_sid + i);
		} else {
			model_user(d, name, strange);
		}
	}
}

static void random_stranger(struct life *l, const char *name, uint32_t sid)
{
	struct observed_login *login = model_login(&l->model, name, sid);

	login->disabled = chance(l, 30);
	for (size_t i = 0; i < l->model.o.n_databases; i++) {
		struct observed_database *d = &l->model.o.databases[i];
		if (!d->read || !chance(l, 50))
			continue;
		model_user(d, name, model_sid(sid));
		if (chance(l, 40))
			model_member(d, "db_owner", name);
		if (chance(l, 30))
			model_member(d, "db_datareader", name);
		if (d->managed && l->scene.server.terms[LEVEL_FULL].role && chance(l, 15))
			model_member(d, l->scene.server.terms[LEVEL_FULL].role, name);
		if (chance(l, 30))
			model_permission(d, 'G', "UPDATE", "dbo", NULL, name, "dbo");
		if (chance(l, 20))
			model_owned(d, "OBJECT", "dbo", text(l, "theirs%u-%zu", sid, i), name);
	}
	if (chance(l, 20))
		model_server_member(&l->model, "sysadmin", name);
	if (chance(l, 50))
		model_session(&l->model, name, 5);
}

void random_life(struct life *l)
{
	scene_server(&l->scene, chance(l, 25));
	for (size_t n = 1 + prng_below(&l->p, SCENE_CLIENTS), i = 0; i < n; i++)
		random_client(l, i);
	scene_finish(&l->scene);
	l->model.o.clock = SCENE_NOW;
	l->model.o.mark_role = chance(l, 80);
	l->model.o.sessions_visible = true;
	l->quiet = chance(l, 30);
	for (size_t i = 0; i < l->scene.program.n_clients; i++)
		for (size_t k = 0; k < l->scene.clients[i].n_databases; k++)
			if (chance(l, 90))
				random_database(l, l->scene.clients[i].databases[k].name, true);
	random_database(l, "hosters", false);
	for (size_t i = 0; i < l->model.o.n_databases; i++)
		if (l->model.o.databases[i].read)
			model_user(&l->model.o.databases[i], "app", model_sid(STRANGE_SID + 1));
	model_login(&l->model, "app", STRANGE_SID + 1);
	for (size_t i = 0; i < l->scene.program.n_clients; i++)
		for (size_t k = 0; k < l->scene.clients[i].n_users; k++) {
			const char *name = l->scene.clients[i].users[k].login;
			if (chance(l, 60))
				random_login_of_ours(l, name);
			else if (chance(l, 60))
				random_absence(l, name);
			else
				random_stranger(l, name, STRANGE_SID + 10 + (uint32_t)(10 * i + k));
		}
	if (chance(l, 40))
		random_login_of_ours(l, text(l, "gone user"));
	random_stranger(l, "other1", STRANGE_SID + 2);
	random_stranger(l, "other2", STRANGE_SID + 3);
}
