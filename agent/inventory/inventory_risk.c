/* What the hosted product forbids, or what would break there. */
#include "inventory/inventory_internal.h"

static const struct {
	const char *name, *words;
	const char *facts[4]; /* any of these facts gives the risk */
} risks[CLOUD_RISKS] = {
	[RISK_TRIGGER] = {"trigger-on-product-table",
		"A trigger on a table of the product is not supported; an upgrade may remove it."},
	[RISK_WRITES] = {"writes-product-table",
		"It writes directly to tables of the product and bypasses the product's rules."},
	[RISK_DATABASE] = {"other-database",
		"It refers to another database, which does not exist in the cloud.",
		{"other-database"}},
	[RISK_SERVER] = {"other-server",
		"It refers to another server, which cannot be reached from the cloud.",
		{"other-server"}},
	[RISK_JOB] = {"agent-job", "Agent jobs do not move to the cloud."},
	[RISK_CLR] = {"clr", "Assemblies and their code are not allowed in the cloud.", {"clr"}},
	[RISK_EXECUTE_AS] = {"execute-as",
		"It acts as another user, who may not exist in the cloud.", {"execute-as"}},
	[RISK_BROKER] = {"service-broker", "Service Broker is not available in the cloud.",
		{"service-broker"}},
	[RISK_REMOTE_ROWS] = {"remote-rows", "Its text reads rows or files from elsewhere.",
		{"openrowset", "openquery", "opendatasource", "bulk-insert"}},
	[RISK_EXTENDED] = {"extended-procedure",
		"Its text names extended procedures or OLE automation.", {"xp_", "sp_oa"}},
	[RISK_MAIL] = {"database-mail", "Its text sends database mail.", {"database-mail"}},
	[RISK_DDL_TRIGGER] = {"ddl-trigger",
		"A trigger on changes of the database can stop an upgrade."},
};

const char *cloud_risk_name(enum cloud_risk r)
{
	return (size_t)r < ARRAY_SIZE(risks) ? risks[r].name : "unknown";
}

const char *cloud_risk_words(enum cloud_risk r)
{
	return (size_t)r < ARRAY_SIZE(risks) ? risks[r].words : "";
}

static unsigned facts_risks(const char *facts)
{
	unsigned found = 0;

	for (size_t r = 0; r < ARRAY_SIZE(risks); r++)
		for (size_t i = 0; i < ARRAY_SIZE(risks[r].facts) && risks[r].facts[i]; i++)
			if (inventory_has_fact(facts, risks[r].facts[i]))
				found |= 1u << r;
	return found;
}

static bool is_products(const struct inventory_item *i)
{
	return i->class == CLASS_PRODUCT || i->class == CLASS_CHANGED;
}

static unsigned type_risks(const struct inventory_item *i)
{
	if (streq(i->type, "trigger"))
		return i->on && is_products(i->on) ? 1u << RISK_TRIGGER : 0;
	if (streq(i->type, "ddl-trigger"))
		return 1u << RISK_DDL_TRIGGER;
	if (streq(i->type, "job"))
		return 1u << RISK_JOB;
	if (streq(i->type, "linked-server"))
		return 1u << RISK_SERVER;
	if (streq(i->type, "queue"))
		return 1u << RISK_BROKER;
	if (streq(i->type, "extended-procedure"))
		return 1u << RISK_EXTENDED;
	return 0;
}

void inventory_risks(struct inventory *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (inventory_is_custom(&v->items[i]))
			v->items[i].risks =
				type_risks(&v->items[i]) | facts_risks(v->items[i].facts);
	for (size_t i = 0; i < v->n_edges; i++) {
		struct inventory_item *from = &v->items[v->edges[i].from];
		if (v->edges[i].writes && inventory_is_custom(from) &&
			is_products(&v->items[v->edges[i].to]))
			from->risks |= 1u << RISK_WRITES;
	}
}
